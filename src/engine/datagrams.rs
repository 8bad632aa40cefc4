//! Rooms over UDP: datagrams from and to members.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::counters::Counters;
use super::guard::failpoint;
use super::id::ConnId;
use super::peers::{Heard, Membership, Peers, Place, Silence, Unheard};
use super::rate::take_bytes;
use super::send_queue::{SendQueue, Sent, Written};
use super::{DatagramPlaces, Engine};
use crate::door::datagram::{self, Body, Control, Speaker, Spelling};
use crate::door::token::RoomToken;
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::hub::session::SessionId;
use crate::limits::{DATAGRAM_IN_WORK, TURN_WORK_ENDS};

/// The text that members receive when their room is closed.
const ROOM_CLOSED: &str = "room closed";

/// Members that use UDP, and their queued datagrams. Empty without a datagram socket.
#[derive(Debug, Default)]
pub(super) struct Datagrams {
    pub(super) peers: Peers,
    /// A queue per socket.
    pub(super) queues: Vec<SendQueue>,
    /// The token for the place that the current command may take. It is drawn before the command: without randomness no
    /// command can enter a room.
    pub(super) drawn: Option<RoomToken>,
    /// The port that reply 227 names to members from the line door.
    pub(super) line_port: Option<u16>,
}

/// One text for many receivers, encoded once for each socket and spelling.
pub(super) struct Spoken<'a> {
    from: Speaker<'a>,
    text: &'a str,
    written: Vec<(usize, Spelling, Written)>,
    /// It is queued however many datagrams wait.
    is_last: bool,
}

impl<'a> Spoken<'a> {
    pub(super) fn new(from: Speaker<'a>, text: &'a str) -> Self {
        Self { from, text, written: Vec::new(), is_last: false }
    }

    /// Its bytes in a queue; encodes them at the first call.
    fn write(&mut self, socket: usize, spelling: Spelling, queue: &mut SendQueue) -> Written {
        let known = self.written.iter().find(|(place, how, _)| (*place, *how) == (socket, spelling));
        if let Some((_, _, written)) = known {
            return written.clone();
        }
        let (from, text) = (self.from, self.text);
        let encode = |out: &mut Vec<u8>| datagram::encode(spelling, from, text, out);
        let has_begun = self.written.iter().any(|(place, _, it)| *place == socket && matches!(it, Written::At(_)));
        let written = if has_begun || self.is_last { queue.write_again(encode) } else { queue.write(encode) };
        self.written.push((socket, spelling, written.clone()));
        written
    }

    /// The last message of a room.
    pub(super) fn room_closed() -> Self {
        Self::new(Speaker::Server, ROOM_CLOSED)
    }
}

impl Datagrams {
    pub(super) fn new(places: DatagramPlaces) -> Self {
        let queues = (0..places.sockets).map(|_| SendQueue::default()).collect();
        Self { queues, line_port: places.line_port, ..Self::default() }
    }

    /// True if a queue is not empty and its socket accepts datagrams.
    pub(super) fn may_flush(&self) -> bool {
        self.queues.iter().any(SendQueue::may_flush)
    }

    /// True if so much is queued that it should be sent now.
    pub(super) fn wants_flush(&self) -> bool {
        self.queues.iter().any(SendQueue::wants_flush)
    }

    /// True if all queues are empty.
    pub(super) fn is_quiet(&self) -> bool {
        self.queues.iter().all(SendQueue::is_empty)
    }

    /// Queues a text for a member. False if the member does not receive datagrams.
    pub(super) fn tell(&mut self, member: Membership, spoken: &mut Spoken<'_>, counters: &mut Counters) -> bool {
        let Some((place, spelling)) = self.peers.place(member) else { return false };
        self.queue(place, spelling, spoken, counters);
        true
    }

    /// Tells every member that its room is closed. That is the last datagram; all tokens are void from here on.
    pub(super) fn tell_the_end(&mut self, counters: &mut Counters) {
        let mut spoken = Spoken { is_last: true, ..Spoken::room_closed() };
        for (place, spelling) in std::mem::take(&mut self.peers).places() {
            self.queue(place, spelling, &mut spoken, counters);
        }
    }

    fn queue(&mut self, place: Place, spelling: Spelling, spoken: &mut Spoken<'_>, counters: &mut Counters) {
        let Some(queue) = self.queues.get_mut(place.socket) else { return };
        match spoken.write(place.socket, spelling, queue) {
            Written::TooLong => counters.datagrams_too_long += 1,
            Written::Full => counters.datagrams_dropped += 1,
            Written::At(bytes) => queue.push(place.addr, bytes),
        }
    }
}

impl<S> Engine<S> {
    /// Takes a datagram that arrived at a socket. An invalid one gets no reply.
    pub fn handle_datagram(&mut self, socket: usize, from: SocketAddr, bytes: &[u8]) {
        self.counters.datagrams_in += 1;
        self.turn.work += DATAGRAM_IN_WORK;
        self.guard_unanswered(|engine| engine.on_datagram(socket, from, bytes));
    }

    /// The next socket with datagrams to send, and its queue; [`handle_sent`](Self::handle_sent) follows.
    pub fn poll_datagrams(&mut self) -> Option<(usize, &mut SendQueue)> {
        self.datagrams.queues.iter_mut().enumerate().find(|(_, queue)| queue.may_flush())
    }

    /// Takes the result of sending what [`poll_datagrams`](Self::poll_datagrams) gave. Unless everything was accepted,
    /// the queue must have been [marked](SendQueue::set_blocked) as blocked.
    pub fn handle_sent(&mut self, socket: usize, sent: Sent) {
        self.counters.count_sent(sent);
        if let Some(queue) = self.datagrams.queues.get_mut(socket) {
            queue.tidy();
        }
    }

    /// A datagram socket accepts datagrams again.
    pub fn handle_datagrams_writable(&mut self, socket: usize) {
        if let Some(queue) = self.datagrams.queues.get_mut(socket) {
            queue.set_blocked(false);
        }
    }

    /// Handles one datagram. An invalid one gets no reply.
    fn on_datagram(&mut self, socket: usize, addr: SocketAddr, bytes: &[u8]) {
        failpoint("datagram", bytes);
        if self.is_banned(addr.ip()) {
            self.counters.datagrams_invalid += 1;
            return;
        }
        let Some(up) = datagram::decode(bytes) else {
            self.counters.datagrams_invalid += 1;
            return;
        };
        let place = Place { socket, addr };
        let heard = match self.datagrams.peers.hear(&up, place, self.now, &self.settings.rooms) {
            Ok(heard) => heard,
            Err(Unheard::Invalid) => {
                self.counters.datagrams_invalid += 1;
                return;
            }
            Err(Unheard::TooFast) => {
                self.counters.datagrams_too_fast += 1;
                return;
            }
        };
        if heard.is_new && heard.is_guest {
            self.command_unanswered(heard.session, Command::Listen { room: heard.room.clone() });
        }
        let Body::Text(text) = up.body else { return };
        if !self.may_say(&heard, up.token, bytes.len()) {
            self.counters.datagrams_too_fast += 1;
            return;
        }
        match datagram::control(&text).filter(|_| heard.is_guest) {
            Some(Control::Hello) => {}
            Some(Control::Leave) => self.command_unanswered(heard.session, Command::Leave { text: None }),
            None => {
                let command = Command::SayIn { room: heard.room, text: Cow::Borrowed(&text), manner: Manner::Text };
                self.command_unanswered(heard.session, command);
            }
        }
    }

    /// Counts a datagram against its sender's bytes per second. False if it exceeds them; it is dropped then.
    fn may_say(&mut self, heard: &Heard, token: RoomToken, bytes: usize) -> bool {
        let (now, limits) = (self.now, &self.settings.limits);
        let bucket = if heard.is_guest {
            self.datagrams.peers.bytes_of(token)
        } else {
            self.conns.find(ConnId::of(heard.session)).map(|conn| conn.rate.bytes())
        };
        bucket.is_some_and(|bucket| take_bytes(bucket, bytes, now, limits))
    }

    /// Ends the places of members that were silent for too long. When a network fails, many end at once, and each end
    /// is announced to its room, so the work is spread over several turns.
    pub(super) fn end_silences(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some(silence) = self.datagrams.peers.poll_silence(self.now, &self.settings.rooms)
        {
            match silence {
                Silence::Broken | Silence::Unbound => {}
                Silence::Over(guest) => {
                    self.guard_unanswered(|engine| engine.command_unanswered(guest, Command::Leave { text: None }));
                }
            }
        }
    }

    /// A connection breaks before its guest has received the token. Nobody can speak for that guest, so it leaves.
    pub(super) fn drop_guest(&mut self, id: ConnId) {
        if self.conns.find(id).is_some_and(|conn| !conn.door.is_dialogue() && !conn.outbox.is_empty()) {
            self.command_unanswered(id.session(), Command::Leave { text: None });
        }
    }

    /// Gives the hub a command that did not come from the session's connection: replies are dropped.
    pub(super) fn command_unanswered(&mut self, id: SessionId, command: Command<'_>) {
        self.hub.handle(id, command, self.unix_ms);
        self.turn.work += self.hub.take_work();
        self.deliver_unanswered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::DATAGRAM_QUEUE;

    #[test]
    fn receivers_with_one_spelling_leave_room_for_those_with_another() {
        let (mut queue, to) = (SendQueue::default(), SocketAddr::from(([127, 0, 0, 1], 9)));
        let mut first = Spoken::new(Speaker::Server, "hi");
        let Written::At(bytes) = first.write(0, Spelling::Text, &mut queue) else { panic!("no room") };
        for _ in 0..DATAGRAM_QUEUE {
            queue.push(to, bytes.clone());
        }
        assert!(matches!(first.write(0, Spelling::Named, &mut queue), Written::At(_)), "the same text");
        assert_eq!(Spoken::new(Speaker::Server, "ho").write(0, Spelling::Text, &mut queue), Written::Full);
        let mut last = Spoken { is_last: true, ..Spoken::room_closed() };
        assert!(matches!(last.write(0, Spelling::Named, &mut queue), Written::At(_)), "the last text");
    }
}
