//! Delivery: events of the hub become frames, encoded once per spelling, in the outboxes of their receivers.
//! Frames for few receivers are encoded here, those for many by [`Fan`].

use super::Engine;
use super::conn::Conn;
use super::datagrams::Spoken;
use super::fan::{Fan, Told};
use super::guard::failpoint;
use super::id::ConnId;
use super::public_log::place::Attendance;
use crate::close::CloseReason;
use crate::door::datagram::Speaker;
use crate::door::recall::{Notice, Wants};
use crate::door::{self, Door, Scene, Spelling};
use crate::hub::event::{Audience, Event};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::room::{Member, RoomId};
use crate::hub::session::SessionId;
use crate::limits::{DATAGRAM_WORK, IRC_WORK_BYTES, WORK_BYTES};

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
        self.charge_answer(id, bytes);
        // A guest who has become an account may hear none. Some doors greet at length first, with figures in the middle.
        if matches!(event, Event::Welcome { .. } | Event::Counted(_)) && self.hub.attends(id.session()) {
            self.join_public(id);
        }
        if let Event::Attends { public } = event {
            self.attend_public(id, *public);
        }
    }

    /// Charges an answer of so many bytes to a connection.
    pub(super) fn charge_answer(&mut self, id: ConnId, bytes: usize) {
        self.turn.work += bytes / if self.is_irc(id) { IRC_WORK_BYTES } else { WORK_BYTES };
    }

    /// Appends a frame to the output of one connection, after the public messages that it has not got yet. Gives the
    /// length of the frame in bytes; `None` if the connection is gone.
    pub(super) fn push_own(&mut self, id: ConnId, encode: impl FnOnce(&mut Door, &mut Vec<u8>)) -> Option<usize> {
        self.bring_up(id);
        let Conn { outbox, door, public, .. } = self.conns.find(id)?;
        door.note_unix_ms(self.unix_ms);
        let bytes = outbox.push_own(&mut self.pages, |out| encode(door, out));
        let is_respelled = matches!(public, Attendance::Yes(place) if Some(place.kind) != door.kind());
        self.mark_direct(id);
        if is_respelled {
            self.respell_public(id);
        }
        Some(bytes)
    }

    /// Delivers an event for few receivers. Each gets bytes of its own, so that a slow one keeps no shared page alive.
    pub(super) fn deliver_own(&mut self, id: ConnId, event: &Event) {
        let Some(conn) = self.conns.find(id) else { return };
        let spelling = conn.door.spelling(event);
        if spelling == Spelling::Untold {
            return;
        }
        self.bring_up(id);
        let scene = Scene { irc: &self.settings.irc, unix_ms: self.unix_ms };
        let Some(Conn { outbox, door, .. }) = self.conns.find(id) else { return };
        let bytes = outbox.push_own(&mut self.pages, |out| match spelling {
            Spelling::Untold => {}
            Spelling::Shared(kind) => door::encode(kind, event, scene, out),
            Spelling::Own => door.encode_told(event, scene.unix_ms, out),
        });
        self.mark_direct(id);
        self.pages.count_direct(bytes);
        self.counters.deliveries += 1;
    }

    /// Everybody in a room hears it.
    fn deliver_room(&mut self, room: RoomId, except: Option<SessionId>, event: &Event, origin: Origin) {
        let members = self.hub.members_of(room);
        self.turn.work += members.len();
        let may_be_lost = origin == Origin::Datagram && matches!(event, Event::SaidIn { .. });
        let told = Told::Event(event, Scene { irc: &self.settings.irc, unix_ms: self.unix_ms });
        let mut fan = Fan::new(told, &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
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
    }

    /// Those who share a room with somebody hear it.
    fn deliver_neighbours(&mut self, sessions: &[SessionId], event: &Event) {
        self.turn.work += sessions.len();
        let told = Told::Event(event, Scene { irc: &self.settings.irc, unix_ms: self.unix_ms });
        let mut fan = Fan::new(told, &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        for session in sessions {
            fan.hand_to(*session);
        }
        self.counters.deliveries += fan.count;
    }

    /// Everybody who watches a name hears it.
    fn deliver_watchers(&mut self, name: &Who, event: &Event) {
        let watchers = self.hub.watchers_of(name);
        self.turn.work += watchers.len();
        let told = Told::Event(event, Scene { irc: &self.settings.irc, unix_ms: self.unix_ms });
        let mut fan = Fan::new(told, &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        for session in watchers {
            fan.hand_to(*session);
        }
        self.counters.deliveries += fan.count;
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
        let told = Told::Event(event, Scene { irc: &self.settings.irc, unix_ms: self.unix_ms });
        let mut fan = Fan::new(told, &mut self.conns, &mut self.pages, &mut self.writer, &self.public);
        let mut spoken = Spoken::room_closed();
        for member in members {
            fan.hand_to(member.session);
            if self.datagrams.tell((member.session, room), &mut spoken, &mut self.counters) {
                self.turn.work += DATAGRAM_WORK;
            }
        }
        self.counters.deliveries += fan.count;
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
