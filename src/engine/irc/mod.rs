//! The IRC door in the engine: a line is carried out in steps, each in the run queue as if it were a line.
//!
//! ```text
//! on_line ─▶ decode ─▶ carry out ─▶ on_step ─▶ next_step ─▶ carry out ─▶ on_step ─▶ … ─▶ end_line
//! ```
//!
//! While a connection is paused (for a verdict, a page, a delay, a rate), its next step waits, and so do the lines behind
//! it. So answers come in the order of the lines, and a label covers all of them.

mod guests;
mod proof;

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::life::Life;
use super::pause::Pause;
use crate::close::CloseReason;
use crate::door::irc::Request;
use crate::door::reply::Reply;
use crate::door::{Decoded, Door};
use crate::hub::command::{Command, Entry};
use crate::hub::names::RoomName;
use crate::limits::{BAD_LINES, LINE_WORK};
use crate::secret::Secret;

/// The connections of the IRC door.
#[derive(Debug, Default)]
pub(super) struct IrcConnections {
    /// How many there are.
    count: usize,
    /// A listener leads to the door.
    is_listening: bool,
}

impl IrcConnections {
    /// A connection was accepted at `door`.
    pub(super) fn count(&mut self, door: &Door) {
        self.count += usize::from(door.as_irc().is_some());
    }

    /// True if clients of IRC are there, or may come.
    pub(super) fn is_seen(&self) -> bool {
        self.is_listening || self.any()
    }

    /// True if somebody may be there.
    pub(super) fn any(&self) -> bool {
        self.count > 0
    }
}

impl<S> Engine<S> {
    /// Takes the next step of the last line of a connection at the IRC door, or ends the line.
    pub(super) fn on_step(&mut self, id: ConnId) {
        self.turn.work += LINE_WORK;
        let unix_ms = self.unix_ms;
        let Some(conn) = self.conns.find(id) else { return };
        let Some(door) = conn.door.as_irc_mut() else { return };
        door.note_time(unix_ms);
        let Some((mut decoded, counts)) = door.next_step() else { return self.end_irc_line(id) };
        self.name_guests(id, &mut decoded);
        let bytes = if counts { bytes_of(&decoded) } else { 0 };
        if let Decoded::Command(command) = &decoded
            && self.throttle(id, command, bytes)
        {
            return;
        }
        if counts && self.count_line(id, bytes).is_none() {
            return;
        }
        self.handle_decoded(id, decoded, false);
        if self.is_being_greeted(id) {
            return self.on_step(id); // nothing comes between the beginning of a session and its greeting
        }
        self.end_if_answered(id);
    }

    /// True if the session of a connection has begun, and its client has not been told all of it.
    fn is_being_greeted(&self, id: ConnId) -> bool {
        let Some(conn) = self.conns.peek(id).filter(|conn| conn.life == Life::Open) else { return false };
        conn.pause == Pause::None && conn.door.is_logged_in() && conn.door.kind().is_none()
    }

    /// Ends the last line at once if nothing is left of it: what comes next comes behind its answer.
    pub(super) fn end_if_answered(&mut self, id: ConnId) {
        let is_answered = |conn: &Conn<S>| {
            let is_free = conn.life == Life::Open && conn.pause == Pause::None && conn.held.is_none();
            is_free && conn.door.as_irc().is_some_and(|door| door.is_answered())
        };
        if self.conns.peek(id).is_some_and(is_answered) {
            self.end_irc_line(id);
        }
    }

    /// The last line of a connection is answered.
    fn end_irc_line(&mut self, id: ConnId) {
        let mut is_bad = false;
        let end =
            |door: &mut Door, out: &mut Vec<u8>| is_bad = door.as_irc_mut().is_some_and(|door| door.end_line(out));
        let Some(bytes) = self.push_own(id, end) else { return };
        self.charge_answer(id, bytes);
        let Some(conn) = self.conns.find(id).filter(|_| is_bad) else { return };
        conn.bad_lines += 1;
        if conn.bad_lines >= BAD_LINES {
            self.close(id, CloseReason::TooManyBadLines);
        }
    }

    /// Takes a request of the IRC door that is no command.
    pub(super) fn on_irc(&mut self, id: ConnId, request: Request) {
        match request {
            Request::Prove { name, password } => self.prove(id, name, password),
            Request::Register { name, password } => self.register(id, name, password),
            Request::ChangePassword { old, new } => self.change_password(id, &old, new),
            Request::EnterProved { called } => self.enter_proved(id, called),
            Request::EnterAsGuest { guest, called } => self.enter_irc_guest(id, guest, called),
            Request::EnterRoom { room, password, makes } => self.enter_channel(id, room, password, makes),
            Request::Quit { text } => self.quit(id, text),
        }
    }

    /// JOIN. No datagrams follow, so the place needs no token.
    fn enter_channel(&mut self, id: ConnId, room: RoomName, key: Option<Secret<String>>, makes: bool) {
        if key.is_some()
            && !makes
            && let Some(seconds) = self.guess_wait_s(id)
        {
            return self.reply(id, &Reply::TooManyGuesses(seconds));
        }
        let lock = key.map(|Secret(key)| self.logins.roll.lock(&room, &key));
        let entry = Entry { room, lock };
        self.command(id, if makes { Command::Make(entry) } else { Command::Join(entry) });
    }

    /// True for a connection at the IRC door.
    pub(super) fn is_irc(&self, id: ConnId) -> bool {
        self.conns.peek(id).is_some_and(|conn| conn.door.as_irc().is_some())
    }

    /// QUIT: others get its text, and the client an answer.
    fn quit(&mut self, id: ConnId, text: Option<Box<str>>) {
        self.reply(id, &Reply::Bye);
        self.leave_saying(id, text);
    }

    /// Neighbours are told while an IRC client may be there.
    pub(super) fn note_irc_listeners(&mut self) {
        self.irc.is_listening = self.metrics.listeners.iter().any(|listening| listening.door == "irc");
        self.tell_neighbours_if_needed();
    }

    /// A connection at `door` has ended.
    pub(super) fn uncount_irc(&mut self, door: &Door) {
        if door.as_irc().is_some() {
            self.irc.count -= 1;
            self.tell_neighbours_if_needed();
        }
    }

    fn tell_neighbours_if_needed(&mut self) {
        self.hub.tell_neighbours(self.irc.is_seen());
    }
}

/// What a step that counts as a line takes of the rate of bytes.
fn bytes_of(decoded: &Decoded<'_>) -> usize {
    if let Decoded::Command(Command::Say { text, .. } | Command::SayIn { text, .. } | Command::Tell { text, .. }) =
        decoded
    {
        text.len()
    } else {
        1
    }
}
