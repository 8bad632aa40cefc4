//! Who hears what: the hub's events become frames, encoded once a spelling, in the outboxes of those who hear them.

use std::collections::VecDeque;

use super::conn::{Conn, Life};
use super::fault;
use super::pages::{Pages, Piece};
use super::reactor::Reactor;
use super::rooms::Spoken;
use super::table::Table;
use crate::close::CloseReason;
use crate::door::datagram::Speaker;
use crate::door::{self, Kind};
use crate::hub::event::{Audience, Event};
use crate::hub::room::{Member, RoomId};
use crate::hub::session::SessionId;
use crate::limits::{DATAGRAM_WORK, WORK_BYTES};

impl Reactor {
    /// Drains the hub's events to the end, in their order.
    pub(super) fn deliver(&mut self) {
        while let Some((audience, event)) = self.hub.poll_event() {
            self.hand_out(audience, &event, Origin::Line);
        }
        self.forget_void_tokens();
    }

    /// The same, without the answers to a command that did not come in by its session's connection.
    pub(super) fn deliver_unanswered(&mut self) {
        while let Some((audience, event)) = self.hub.poll_event() {
            if !matches!(audience, Audience::One(_)) {
                self.hand_out(audience, &event, Origin::Datagram);
            }
        }
        self.forget_void_tokens();
    }

    fn hand_out(&mut self, audience: Audience, event: &Event, origin: Origin) {
        if let Event::Said(message) | Event::SaidIn { message, .. } = event {
            fault::trip("told", message.text.as_bytes());
        }
        match audience {
            Audience::One(id) => self.answer(id, event),
            Audience::Others(except) => self.tell_others(except, event),
            Audience::Room { room, except } => self.tell_room(room, except, event, origin),
            Audience::Members(members) => self.tell_members(&members, event),
            Audience::Account { name, except } => {
                let hearers: Vec<_> = self.hub.sessions_of(&name).iter().filter(|id| **id != except).copied().collect();
                for id in hearers {
                    self.tell_own(id, event);
                }
            }
        }
    }

    fn forget_void_tokens(&mut self) {
        while let Some(token) = self.hub.poll_void_token() {
            self.forget_token(token);
        }
    }

    /// What the hub answers to a connection's own command.
    fn answer(&mut self, id: SessionId, event: &Event) {
        if let Event::SessionsFull { sessions } = event {
            return self.close(id, CloseReason::LoggedInAlready(*sessions));
        }
        if matches!(event, Event::Welcome { .. }) {
            self.stats.logins += 1;
            self.touched.push(id);
        }
        if let Event::Entered { room, token } = event {
            return self.on_entered(id, room, *token);
        }
        if let Event::WrongRoomPassword { room } = event {
            return self.on_wrong_room_password(id, room);
        }
        let Some(conn) = self.conns.find(id) else { return };
        let Conn { outbox, door, .. } = conn;
        let bytes = outbox.push_own(&mut self.pages, |out| door.encode_event(event, out));
        self.turn_work += bytes / WORK_BYTES;
        self.mark_dirty(id);
    }

    /// Few hear it: each gets bytes of its own, so that nobody's slowness keeps a page of others' words alive.
    fn tell_own(&mut self, id: SessionId, event: &Event) {
        let Some(conn) = self.conns.find(id) else { return };
        let Some(kind) = conn.door.kind() else { return };
        let bytes = conn.outbox.push_own(&mut self.pages, |out| door::encode(kind, event, out));
        self.pages.count_direct(bytes);
        self.stats.deliveries += 1;
        self.mark_dirty(id);
    }

    /// Everybody hears it.
    fn tell_others(&mut self, except: SessionId, event: &Event) {
        self.turn_work += self.hub.everyone().len();
        let mut fan = Fan::new(event, &mut self.conns, &mut self.pages, &mut self.crowd);
        for &id in self.hub.everyone().iter().filter(|id| **id != except) {
            fan.hand_to(id);
        }
        self.stats.deliveries += fan.count;
    }

    /// Everybody in a room hears it.
    fn tell_room(&mut self, room: RoomId, except: Option<SessionId>, event: &Event, origin: Origin) {
        let members = self.hub.members_of(room);
        self.turn_work += members.len();
        let may_be_lost = origin == Origin::Datagram && matches!(event, Event::SaidIn { .. });
        let mut fan = Fan::new(event, &mut self.conns, &mut self.pages, &mut self.crowd);
        fan.skips_lagging = may_be_lost;
        // Coming and going is not announced by datagrams.
        let mut spoken = if let Event::SaidIn { message, .. } = event
            && self.relay.ears.hears(room)
        {
            Some(Spoken::new(Speaker::Member(&message.from), &message.text))
        } else {
            None
        };
        for member in members.iter().filter(|member| member.listens && Some(member.session) != except) {
            let is_told = match &mut spoken {
                Some(spoken) => self.relay.tell(member.token, spoken, &mut self.stats),
                None => false,
            };
            if is_told {
                self.turn_work += DATAGRAM_WORK;
            } else {
                fan.hand_to(member.session);
            }
        }
        self.stats.deliveries += fan.count;
        self.stats.datagrams_unheard += fan.skipped;
    }

    /// Those who were in a room hear that it is no more.
    fn tell_members(&mut self, members: &[Member], event: &Event) {
        self.turn_work += members.len();
        let mut fan = Fan::new(event, &mut self.conns, &mut self.pages, &mut self.crowd);
        let mut spoken = Spoken::room_closed();
        for member in members {
            fan.hand_to(member.session);
            if self.relay.tell(member.token, &mut spoken, &mut self.stats) {
                self.turn_work += DATAGRAM_WORK;
            }
        }
        self.stats.deliveries += fan.count;
    }
}

/// How what is said came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// By a connection, which can be made to wait.
    Line,
    /// By a datagram, which may be lost.
    Datagram,
}

/// What many hear: the frame is encoded once a spelling, and each outbox refers to it.
struct Fan<'a> {
    event: &'a Event,
    frames: [Option<Piece>; Kind::ALL.len()],
    conns: &'a mut Table,
    pages: &'a mut Pages,
    crowd: &'a mut VecDeque<SessionId>,
    count: u64,
    /// Whether receivers that lag are left out: nobody is closed for datagrams that it is too slow for.
    skips_lagging: bool,
    /// How many were left out.
    skipped: u64,
}

impl<'a> Fan<'a> {
    fn new(event: &'a Event, conns: &'a mut Table, pages: &'a mut Pages, crowd: &'a mut VecDeque<SessionId>) -> Self {
        Self { event, frames: [None; Kind::ALL.len()], conns, pages, crowd, count: 0, skips_lagging: false, skipped: 0 }
    }

    fn hand_to(&mut self, id: SessionId) {
        // Who is broken, about to be closed, or closed, is told no more.
        let is_there = |conn: &&mut Conn| !conn.is_condemned && conn.life == Life::Open;
        let Some(conn) = self.conns.find(id).filter(is_there) else { return };
        if self.skips_lagging && conn.is_lagging() {
            self.skipped += 1;
            return;
        }
        let Some(kind) = conn.door.kind() else { return };
        let Some(frame) = self.frames.get_mut(kind as usize) else { return };
        let piece = *frame.get_or_insert_with(|| self.pages.write(kind, |out| door::encode(kind, self.event, out)));
        conn.outbox.push_shared(piece, self.pages);
        self.count += 1;
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.crowd.push_back(id);
        }
    }
}
