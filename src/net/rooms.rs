//! Rooms: entering them, and the members who speak and hear by datagrams.

use std::borrow::Cow;
use std::net::SocketAddr;

use log::info;
use mio::Registry;
use mio::event::Event;

use super::addresses;
use super::conn::{Conn, Pause};
use super::ears::{Ear, Ears, Heard, Place, Silence, Unheard};
use super::fault;
use super::log_limit::Subject;
use super::parcels::Written;
use super::reactor::Reactor;
use super::stats::Stats;
use super::udp::Udp;
use super::{Endpoint, StartError, listen};
use crate::close::CloseReason;
use crate::door::datagram::{self, Body, Control, Speaker, Spelling};
use crate::door::reply::Reply;
use crate::door::rooms::{Operation, Request};
use crate::door::{Door, Masked};
use crate::hub::command::{Command, Entry};
use crate::hub::names::{RoomName, RoomToken, Who};
use crate::hub::session::SessionId;
use crate::limits::{
    DATAGRAM_IN_WORK, DATAGRAMS_A_TURN, NETWORK_TIMES, PLACE_WORK, TURN_FRAMES_BYTES_DATAGRAMS, TURN_WORK_DATAGRAMS,
    TURN_WORK_ENDS,
};

/// What members are told when their room is no more.
const ROOM_CLOSED: &str = "room closed";

/// The way of rooms over UDP. Without a socket there is nothing in it.
#[derive(Debug, Default)]
pub(super) struct Relay {
    pub(super) sockets: Vec<Udp>,
    pub(super) ears: Ears,
    /// What `227` names to members who came through the line door.
    pub(super) line_port: Option<u16>,
    /// Which socket is looked at first in this turn: they take turns, so that a flood at one keeps no other waiting.
    first: usize,
}

/// One text on its way to many: written once for each socket and spelling.
pub(super) struct Spoken<'a> {
    from: Speaker<'a>,
    text: &'a str,
    written: Vec<(usize, Spelling, Written)>,
}

impl<'a> Spoken<'a> {
    pub(super) fn new(from: Speaker<'a>, text: &'a str) -> Self {
        Self { from, text, written: Vec::new() }
    }

    /// The last words in a room.
    pub(super) fn room_closed() -> Self {
        Self::new(Speaker::Server, ROOM_CLOSED)
    }
}

impl Relay {
    /// Binds the sockets that the doors ask for. Those who ask for the same place share one.
    pub(super) fn open(
        listen: &[Endpoint],
        datagrams: Option<SocketAddr>,
        registry: &Registry,
    ) -> Result<Self, StartError> {
        let mut relay = Self::default();
        for endpoint in listen {
            if let Some(addr) = endpoint.datagrams() {
                relay.socket("listen", addr, registry)?;
            }
        }
        if let Some(addr) = datagrams {
            relay.line_port = Some(relay.socket("datagrams", addr, registry)?);
        }
        Ok(relay)
    }

    /// The port of the socket at `addr`, which is opened if it is not there yet; `key` of the configuration asks for
    /// it.
    fn socket(&mut self, key: &str, addr: SocketAddr, registry: &Registry) -> Result<u16, StartError> {
        if let Some(udp) = self.sockets.iter().find(|udp| udp.serves(addr)) {
            return Ok(udp.addr.port());
        }
        let udp = Udp::open(addr, self.sockets.len(), registry)
            .map_err(|error| listen::explain(key, &format!("udp://{addr}"), &error))?;
        info!("listening on udp://{}", udp.addr);
        let port = udp.addr.port();
        self.sockets.push(udp);
        Ok(port)
    }

    /// The poll has news of a socket.
    pub(super) fn on_event(&mut self, place: usize, event: &Event) {
        if let Some(udp) = self.sockets.get_mut(place) {
            udp.is_ready |= event.is_readable() || event.is_error();
            udp.is_blocked &= !event.is_writable();
        }
    }

    /// Whether there is something to do without waiting: to take, or to send.
    pub(super) fn is_ready(&self) -> bool {
        self.sockets.iter().any(|udp| udp.is_ready || udp.may_flush())
    }

    /// Whether nothing waits to be sent.
    pub(super) fn is_quiet(&self) -> bool {
        self.sockets.iter().all(|udp| udp.parcels.is_empty())
    }

    /// Queues a text for the member with this token. False if it does not hear by datagrams.
    pub(super) fn tell(&mut self, token: RoomToken, spoken: &mut Spoken<'_>, stats: &mut Stats) -> bool {
        let Some((place, spelling)) = self.ears.place(token) else { return false };
        self.queue(place, spelling, spoken, stats);
        true
    }

    /// Tells everybody who hears by datagrams that their rooms are no more. It is the last that they hear, and no token
    /// is good for anything from here on.
    pub(super) fn tell_the_end(&mut self, stats: &mut Stats) {
        let mut spoken = Spoken::room_closed();
        for (place, spelling) in std::mem::take(&mut self.ears).places() {
            self.queue(place, spelling, &mut spoken, stats);
        }
    }

    fn queue(&mut self, place: Place, spelling: Spelling, spoken: &mut Spoken<'_>, stats: &mut Stats) {
        let Some(udp) = self.sockets.get_mut(place.socket) else { return };
        let (from, text) = (spoken.from, spoken.text);
        let encode = |out: &mut Vec<u8>| datagram::encode(spelling, from, text, out);
        let known = spoken.written.iter().find(|(socket, how, _)| (*socket, *how) == (place.socket, spelling));
        let written = match known {
            Some((_, _, written)) => written.clone(),
            None => {
                let mut written = udp.parcels.write(encode);
                if written == Written::Full {
                    // More than the queue holds is said in this turn. The kernel may take it all the same.
                    stats.count_sent(udp.send());
                    udp.parcels.tidy();
                    spoken.written.retain(|(socket, _, _)| *socket != place.socket);
                    written = udp.parcels.write(encode);
                }
                spoken.written.push((place.socket, spelling, written.clone()));
                written
            }
        };
        match written {
            Written::TooLong => stats.datagrams_too_long += 1,
            Written::Full => stats.datagrams_dropped += 1,
            Written::At(bytes) => {
                if udp.parcels.is_full() {
                    // More than the queue holds hear this turn's words. The kernel may take them all the same.
                    stats.count_sent(udp.send());
                }
                stats.datagrams_dropped += u64::from(!udp.parcels.push(place.addr, bytes));
            }
        }
    }

    /// How many datagrams have come that the kernel had no room for.
    pub(super) fn lost(&mut self) -> u64 {
        self.sockets.iter_mut().map(Udp::lost).sum()
    }

    /// Sends what is queued.
    pub(super) fn flush(&mut self, stats: &mut Stats) {
        for udp in &mut self.sockets {
            stats.count_sent(udp.send());
            udp.parcels.tidy();
        }
    }
}

impl Reactor {
    /// MAKE and JOIN.
    pub(super) fn enter_room(&mut self, id: SessionId, room: RoomName, password: Option<Masked<&str>>, makes: bool) {
        if password.is_some()
            && !makes
            && let Some(seconds) = self.guess_wait_s(id)
        {
            return self.reply(id, &Reply::TooManyGuesses(seconds));
        }
        let Some(token) = self.draw_token() else { return self.close(id, CloseReason::Internal) };
        let entry = Entry { room, password, token };
        self.command(id, if makes { Command::Make(entry) } else { Command::Join(entry) });
    }

    /// Somebody without an account makes a room or enters one. The session goes by the connection's id, and outlives
    /// it.
    pub(super) fn visit(&mut self, id: SessionId, request: Request) {
        if self.relay.ears.guests() >= self.most_connections || self.has_too_many_guests(id) {
            return self.leave(id); // refused: there is no place left
        }
        if request.password.is_some() && request.operation == Operation::Join && self.guess_wait_s(id).is_some() {
            return self.leave(id); // refused: it has guessed too often
        }
        let Some(token) = self.draw_token() else { return self.close(id, CloseReason::Internal) };
        let Request { operation, room, guest, password, spelling: _ } = request;
        let password = password.as_ref().map(|Masked(text)| Masked(text.as_str()));
        let who = Who::Guest(guest.clone());
        let where_to = room.clone();
        let entry = Entry { room, password, token };
        self.command(id, Command::EnterAsGuest { guest, makes: operation == Operation::Make, entry });
        let verdict = if self.hub.who_is(id).is_some() { "entered" } else { "may not enter" };
        if let Some(ip) = self.conns.peek(id).map(|conn| conn.ip) {
            self.log_peer(Subject::Guest, Some(ip), |_| format!("guest {who} from {ip} {verdict} {where_to}"));
        }
        if !self.conns.peek(id).is_some_and(|conn| matches!(conn.pause, Pause::Delay { .. })) {
            self.leave(id); // one exchange a connection; a late answer ends it itself
        }
    }

    /// Whether there are as many guests from a connection's address, or network, as it may have connections: guests
    /// outlive theirs.
    fn has_too_many_guests(&self, id: SessionId) -> bool {
        let limits = &self.tuning.limits;
        let Some(ip) = self.conns.peek(id).map(|conn| conn.ip) else { return false };
        let ears = &self.relay.ears;
        let is_full = ears.guests_of(ip) >= limits.per_address
            || ears.guests_of_network(ip) >= limits.per_address.saturating_mul(NETWORK_TIMES);
        is_full && !addresses::exempt(ip, limits)
    }

    /// A session has its place in a room, and is told the token.
    pub(super) fn on_entered(&mut self, id: SessionId, room: &RoomName, token: RoomToken) {
        let port = self.relay.line_port;
        let Some(Conn { outbox, door, ip, .. }) = self.conns.find(id) else { return };
        let guest = match door {
            Door::Line(_) => None,
            Door::Rooms(door) => Some(door.spelling()),
        };
        if !self.relay.sockets.is_empty()
            && let Some(room_id) = self.hub.find_room(room)
        {
            let ear = Ear::new(id, (room.clone(), room_id), *ip, guest, self.clock.now);
            self.relay.ears.insert(token, ear, &self.tuning.rooms);
        }
        let reply = Reply::Entered { room: room.clone(), token, port };
        outbox.push_own(&mut self.pages, |out| door.encode_reply(&reply, out));
        self.mark_dirty(id);
    }

    /// A place in a room is gone, and its token with it.
    pub(super) fn forget_token(&mut self, token: RoomToken) {
        self.relay.ears.remove(token);
    }

    /// Takes datagrams, some from each socket a turn, and no more than their share of what a turn may cost.
    pub(super) fn hear(&mut self) {
        let most = self.turn_work + TURN_WORK_DATAGRAMS;
        let mut scratch = std::mem::take(&mut self.scratch);
        let sockets = self.relay.sockets.len();
        let first = self.relay.first;
        for socket in (first..sockets).chain(0..first) {
            for _ in 0..DATAGRAMS_A_TURN {
                if self.pages.turn_bytes() >= TURN_FRAMES_BYTES_DATAGRAMS || self.turn_work >= most {
                    break;
                }
                let Some(udp) = self.relay.sockets.get_mut(socket).filter(|udp| udp.is_ready) else { break };
                let Some((count, from)) = udp.receive(&mut scratch) else { break };
                self.stats.datagrams_in += 1;
                self.turn_work += DATAGRAM_IN_WORK;
                let bytes = scratch.get(..count).unwrap_or_default();
                self.guard_unanswered(|reactor| reactor.on_datagram(socket, from, bytes));
            }
        }
        self.relay.first = (first + 1) % sockets.max(1);
        self.scratch = scratch;
    }

    /// One datagram. Whatever is wrong with it, nobody is told.
    fn on_datagram(&mut self, socket: usize, addr: SocketAddr, bytes: &[u8]) {
        fault::trip("datagram", bytes);
        let Some(up) = datagram::decode(bytes) else {
            self.stats.datagrams_invalid += 1;
            return;
        };
        let place = Place { socket, addr };
        let heard = match self.relay.ears.hear(&up, place, self.clock.now, &self.tuning.rooms) {
            Ok(heard) => heard,
            Err(Unheard::Invalid) => {
                self.stats.datagrams_invalid += 1;
                return;
            }
            Err(Unheard::TooFast) => {
                self.stats.datagrams_too_fast += 1;
                return;
            }
        };
        if heard.is_new && heard.is_guest {
            self.command_unanswered(heard.session, Command::Listen { room: heard.room.clone() });
        }
        let Body::Text(text) = up.body else { return };
        if !self.may_say(&heard, up.token, bytes.len()) {
            self.stats.datagrams_too_fast += 1;
            return;
        }
        match datagram::control(&text).filter(|_| heard.is_guest) {
            Some(Control::Hello) => {}
            Some(Control::Leave) => self.command_unanswered(heard.session, Command::Leave),
            None => {
                let command = Command::SayIn { room: heard.room, text: Cow::Borrowed(&text) };
                self.command_unanswered(heard.session, command);
            }
        }
    }

    /// Takes a datagram from the bytes that its sender may send in a second. What is over is lost.
    fn may_say(&mut self, heard: &Heard, token: RoomToken, bytes: usize) -> bool {
        let (now, limits) = (self.clock.now, &self.tuning.limits);
        let bucket = if heard.is_guest {
            self.relay.ears.bytes_of(token)
        } else {
            self.conns.find(heard.session).map(|conn| conn.pace.bytes())
        };
        bucket.is_some_and(|bucket| bucket.take(bytes, now, limits))
    }

    /// Ends the silences that have lasted too long. When a network fails, many end at once, and all who stay are told
    /// of each: what is too much for this turn is due in the next.
    pub(super) fn end_silences(&mut self) {
        while self.turn_work < TURN_WORK_ENDS
            && let Some(silence) = self.relay.ears.poll_silence(self.clock.now, &self.tuning.rooms)
        {
            match silence {
                Silence::Broken | Silence::Deaf => {}
                Silence::Over(guest) => {
                    self.guard_unanswered(|reactor| reactor.command_unanswered(guest, Command::Leave));
                }
            }
        }
    }

    /// A connection breaks on which a guest was still owed its token: nobody will ever speak for that guest, so it
    /// goes.
    pub(super) fn forsake(&mut self, id: SessionId) {
        if self.conn(id).is_some_and(|conn| !conn.door.is_dialogue() && !conn.outbox.is_empty()) {
            self.command_unanswered(id, Command::Leave);
        }
    }

    /// 128 bits that nobody can foresee. `None` if the system has no randomness to give.
    fn draw_token(&mut self) -> Option<RoomToken> {
        self.turn_work += PLACE_WORK;
        let mut bytes = [0; RoomToken::BYTES];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Some(RoomToken::new(bytes)),
            Err(error) => {
                let line = |_: &Self| format!("no randomness for a room's token: {error}");
                self.log_peer(Subject::NoRandomness, None, line);
                None
            }
        }
    }

    /// Gives the hub a command that did not come in by the session's connection: the answer is for nobody.
    pub(super) fn command_unanswered(&mut self, id: SessionId, command: Command<'_>) {
        self.hub.handle(id, command, self.clock.unix_ms);
        self.turn_work += self.hub.take_work();
        self.deliver_unanswered();
    }
}
