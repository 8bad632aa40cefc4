//! Delivery: events of the hub become frames, encoded once per spelling, in the outboxes of their receivers.

use super::Engine;
use super::conn::Conn;
use super::datagrams::Spoken;
use super::flush::Writer;
use super::guard::failpoint;
use super::id::ConnId;
use super::life::{Flush, Life};
use super::pages::{Pages, Piece};
use super::public_log::PublicLog;
use super::table::Table;
use crate::close::CloseReason;
use crate::door::datagram::Speaker;
use crate::door::recall::{Notice, Wants};
use crate::door::{self, Door, Kind};
use crate::hub::event::{Audience, Event};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::room::{Member, RoomId};
use crate::hub::session::SessionId;
use crate::limits::{DATAGRAM_WORK, WORK_BYTES};

impl<S> Engine<S> {
    /// Delivers all events of the hub, in order.
    pub(super) fn deliver(&mut self) {
        while let Some((audience, event)) = self.hub.poll_event() {
            self.deliver_event(audience, &event, Origin::Line);
            self.keep(event);
        }
        self.forget_ended_places();
        self.gather();
    }

    /// The same, except replies: the command did not come from its session's connection.
    pub(super) fn deliver_unanswered(&mut self) {
        while let Some((audience, event)) = self.hub.poll_event() {
            if !matches!(audience, Audience::One(_)) {
                self.deliver_event(audience, &event, Origin::Datagram);
                self.keep(event);
            }
        }
        self.forget_ended_places();
        self.gather();
    }

    fn deliver_event(&mut self, audience: Audience, event: &Event, origin: Origin) {
        if let Event::Said(message) | Event::SaidIn { message, .. } = event {
            failpoint("told", message.text.as_bytes());
        }
        match audience {
            Audience::One(session) => self.answer(ConnId::of(session), event),
            Audience::Others(except) => self.deliver_public(ConnId::of(except), event),
            Audience::Room { room, except } => self.deliver_room(room, except, event, origin),
            Audience::Watchers(name) => self.deliver_watchers(&name, event),
            Audience::Members { room, members } => self.deliver_members(room, &members, event),
            Audience::Neighbours(sessions) => self.deliver_neighbours(&sessions, event),
            Audience::Person { who, except } => {
                let hearers: Vec<_> =
                    self.hub.sessions_named(&who).iter().filter(|session| **session != except).copied().collect();
                let is_own = matches!(event, Event::OwnTold { .. } | Event::Withdrawn { .. });
                for id in hearers.into_iter().map(ConnId::of) {
                    if !is_own || self.conns.peek(id).is_some_and(|conn| conn.door.wants(Wants::OWN)) {
                        self.deliver_own(id, event);
                    }
                }
            }
        }
    }

    fn forget_ended_places(&mut self) {
        while let Some(place) = self.hub.poll_ended_place() {
            self.datagrams.peers.remove(place);
        }
    }

    /// Delivers the hub's reply to a connection's own command.
    fn answer(&mut self, id: ConnId, event: &Event) {
        if let Event::SessionsFull { sessions } = event {
            return self.close(id, CloseReason::LoggedInAlready(*sessions));
        }
        if matches!(event, Event::Welcome { .. }) {
            self.counters.logins += 1;
            self.touched.push(id);
        }
        if let Event::Entered { room, id: room_id, kept, topic, .. } = event
            && !self.is_irc(id)
        {
            return self.on_entered(id, (room, *room_id), *kept, topic.as_ref());
        }
        if let Event::Awaited { ticket } = event {
            return self.on_awaited(id, *ticket);
        }
        if let Event::WrongRoomPassword { room } = event {
            return self.on_wrong_room_password(id, room);
        }
        if self.end_relay(id, event) {
            return;
        }
        let Some(bytes) = self.push_own(id, |door, out| door.encode_event(event, out)) else { return };
        self.turn.work += bytes / WORK_BYTES;
        if matches!(event, Event::Welcome { .. }) && self.hub.attends(id.session()) {
            self.join_public(id); // a guest who has become an account may hear none
        }
        if let Event::Attends { public } = event {
            self.attend_public(id, *public);
        }
    }

    /// Appends a frame to the output of one connection, after the public messages that it has not got yet. Gives the
    /// length of the frame in bytes; `None` if the connection is gone.
    pub(super) fn push_own(&mut self, id: ConnId, encode: impl FnOnce(&mut Door, &mut Vec<u8>)) -> Option<usize> {
        self.bring_up(id);
        let Conn { outbox, door, .. } = self.conns.find(id)?;
        door.note_unix_ms(self.unix_ms);
        let bytes = outbox.push_own(&mut self.pages, |out| encode(door, out));
        self.mark_direct(id);
        Some(bytes)
    }

    /// Delivers an event for few receivers. Each gets bytes of its own, so that a slow one keeps no shared page alive.
    pub(super) fn deliver_own(&mut self, id: ConnId, event: &Event) {
        if self.tell_irc(id, event) {
            return;
        }
        let Some(kind) = self.conns.find(id).and_then(|conn| conn.door.kind()) else { return };
        let Some(bytes) = self.push_own(id, |_, out| door::encode(kind, event, out)) else { return };
        self.pages.count_direct(bytes);
        self.counters.deliveries += 1;
    }

    fn tell_all_irc(&mut self, ids: Vec<ConnId>, event: &Event) {
        for id in ids {
            self.tell_irc(id, event);
        }
    }

    /// Everybody in a room hears it.
    fn deliver_room(&mut self, room: RoomId, except: Option<SessionId>, event: &Event, origin: Origin) {
        let members = self.hub.members_of(room);
        self.turn.work += members.len();
        let may_be_lost = origin == Origin::Datagram && matches!(event, Event::SaidIn { .. });
        let mut fan = Fan::new(Told::Event(event), &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        fan.skips_lagging = may_be_lost;
        // Joins and leaves are not announced by datagram.
        let mut spoken = if let Event::SaidIn { message, .. } = event
            && self.datagrams.peers.hears(room)
        {
            Some(Spoken::new(Speaker::Member(&message.from), &message.text))
        } else {
            None
        };
        for member in members.iter().filter(|member| member.listens && Some(member.session) != except) {
            let is_told = match &mut spoken {
                Some(spoken) => self.datagrams.tell((member.session, room), spoken, &mut self.counters),
                None => false,
            };
            if is_told {
                self.turn.work += DATAGRAM_WORK;
            } else {
                fan.hand_to(member.session);
            }
        }
        if let Some(sender) = except {
            fan.echo(sender);
        }
        self.counters.deliveries += fan.count;
        self.counters.datagrams_unheard += fan.skipped;
        let irc = fan.irc;
        self.tell_all_irc(irc, event);
    }

    /// Those who share a room with somebody hear it.
    fn deliver_neighbours(&mut self, sessions: &[SessionId], event: &Event) {
        self.turn.work += sessions.len();
        let mut fan = Fan::new(Told::Event(event), &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        for session in sessions {
            fan.hand_to(*session);
        }
        self.counters.deliveries += fan.count;
        let irc = fan.irc;
        self.tell_all_irc(irc, event);
    }

    /// Everybody who watches a name hears it.
    fn deliver_watchers(&mut self, name: &Who, event: &Event) {
        let watchers = self.hub.watchers_of(name);
        self.turn.work += watchers.len();
        let mut fan = Fan::new(Told::Event(event), &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        for session in watchers {
            fan.hand_to(*session);
        }
        self.counters.deliveries += fan.count;
        let irc = fan.irc;
        self.tell_all_irc(irc, event);
    }

    /// Those who can hear of something and want to hear a notice of it.
    pub(super) fn deliver_notice(&mut self, to: Hearers<'_>, except: ConnId, wants: Wants, notice: &Notice) {
        let hearers: &mut dyn Iterator<Item = SessionId> = match to {
            Hearers::Everybody => &mut self.hub.everyone().iter().copied(),
            Hearers::Room(room) => {
                let Some(room) = self.hub.find_room(room) else { return };
                &mut self.hub.members_of(room).iter().map(|member| member.session)
            }
            Hearers::Account(name) => &mut self.hub.sessions_of(name).iter().copied(),
        };
        let told = Told::Notice(notice);
        let mut fan = Fan::new(told, &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        for session in hearers.filter(|session| ConnId::of(*session) != except) {
            self.turn.work += 1;
            fan.hand_to_wanting(session, wants);
        }
        self.counters.deliveries += fan.count;
    }

    /// Delivers the end of a room to those who were members.
    fn deliver_members(&mut self, room: RoomId, members: &[Member], event: &Event) {
        self.turn.work += members.len();
        let mut fan = Fan::new(Told::Event(event), &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        let mut spoken = Spoken::room_closed();
        for member in members {
            fan.hand_to(member.session);
            if self.datagrams.tell((member.session, room), &mut spoken, &mut self.counters) {
                self.turn.work += DATAGRAM_WORK;
            }
        }
        self.counters.deliveries += fan.count;
        let irc = fan.irc;
        self.tell_all_irc(irc, event);
        for member in members {
            self.end_relay(ConnId::of(member.session), event);
        }
    }
}

/// The way by which a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// By a connection, which can be throttled.
    Line,
    /// By a datagram, which may be lost.
    Datagram,
}

/// The hearers of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearers<'a> {
    /// All logged-in sessions.
    Everybody,
    /// The members of a room that are there.
    Room(&'a RoomName),
    /// The sessions of an account.
    Account(&'a UserName),
}

/// What many are told.
#[derive(Clone, Copy, Debug)]
enum Told<'a> {
    Event(&'a Event),
    Notice(&'a Notice),
}

impl Told<'_> {
    fn encode(self, kind: Kind, out: &mut Vec<u8>) {
        match self {
            Self::Event(event) => door::encode(kind, event, out),
            Self::Notice(notice) => door::encode_notice(kind, notice, out),
        }
    }
}

/// Delivery of one event to many receivers: the frame is encoded once per spelling, and each outbox refers to it.
struct Fan<'a, S> {
    told: Told<'a>,
    frames: [Option<Piece>; Kind::ALL.len()],
    conns: &'a mut Table<S>,
    pages: &'a mut Pages,
    writer: &'a mut Writer,
    public: &'a PublicLog,
    count: u64,
    /// Skips receivers that lag. A connection is never closed because of messages that came by datagram.
    skips_lagging: bool,
    /// Number of skipped receivers.
    skipped: u64,
    /// Receivers at the IRC door.
    irc: Vec<ConnId>,
}

impl<'a, S> Fan<'a, S> {
    fn new(
        told: Told<'a>,
        conns: &'a mut Table<S>,
        pages: &'a mut Pages,
        writer: &'a mut Writer,
        public: &'a PublicLog,
    ) -> Self {
        Self {
            told,
            frames: [None; Kind::ALL.len()],
            conns,
            pages,
            writer,
            public,
            count: 0,
            skips_lagging: false,
            skipped: 0,
            irc: Vec::new(),
        }
    }

    /// Gives a message to its own sender, if its connection asks for that.
    fn echo(&mut self, sender: SessionId) {
        if self.conns.find(ConnId::of(sender)).is_some_and(|conn| conn.door.echoes()) {
            self.hand_to(sender);
        }
    }

    /// Gives a notice to a session that asks for such.
    fn hand_to_wanting(&mut self, session: SessionId, wants: Wants) {
        if self.conns.peek(ConnId::of(session)).is_some_and(|conn| conn.door.wants(wants)) {
            self.hand_to(session);
        }
    }

    fn hand_to(&mut self, session: SessionId) {
        // A connection that is broken, closing or closed receives nothing more.
        let is_there = |conn: &&mut Conn<S>| conn.end.is_none() && conn.life == Life::Open;
        let id = ConnId::of(session);
        let Some(conn) = self.conns.find(id).filter(is_there) else { return };
        if self.skips_lagging && conn.is_lagging() {
            self.skipped += 1;
            return;
        }
        if conn.door.as_irc().is_some() {
            self.irc.push(id);
            return;
        }
        let Some(kind) = conn.door.kind() else { return };
        let Some(frame) = self.frames.get_mut(kind as usize) else { return };
        let piece = *frame.get_or_insert_with(|| self.pages.write(kind, |out| self.told.encode(kind, out)));
        if piece.is_empty() {
            return; // its door does not tell it
        }
        self.count += self.public.bring_up(conn, self.pages) as u64;
        conn.outbox.push_shared(piece, self.pages);
        self.count += 1;
        if conn.flush == Flush::Idle {
            conn.flush = Flush::Broadcast;
            self.writer.push_broadcast(id);
        }
    }
}
