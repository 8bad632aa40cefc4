//! The relay door: its guests, and the end of their connections.

use super::Engine;
use super::id::ConnId;
use super::life::End;
use super::log_limit::Subject;
use super::time::NEVER;
use crate::close::CloseReason;
use crate::door::Door;
use crate::hub::command::{Command, Entry, HostGoes};
use crate::hub::event::{Event, Leaving};
use crate::hub::names::{GuestName, RoomName, Who};
use crate::limits::{LIST_LINE_WORK, NAME_CHARS, PLACE_WORK, RELAY_SHARE};

/// The connections of the relay door.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// How many there are.
    connections: usize,
    /// The last number of a `guestN`.
    last_number: u64,
}

/// Numbers from 2 up to this one are tried for a name that is taken.
const SMALL_NUMBERS: u64 = 100;

impl Relay {
    /// A number that was not given before.
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// True if no more connections of this door are admitted, while `most_connections` are the most of all.
    pub(super) fn is_full(&self, most_connections: usize) -> bool {
        self.connections >= (most_connections / RELAY_SHARE).max(1)
    }

    /// A connection was accepted at `door`.
    pub(super) fn count(&mut self, door: &Door) {
        self.connections += usize::from(door.relay_room().is_some());
    }

    /// A connection at `door` has ended.
    pub(super) fn uncount(&mut self, door: &Door) {
        self.connections -= usize::from(door.relay_room().is_some());
    }
}

impl<S> Engine<S> {
    /// Enters a guest for a connection that was just accepted, if its door is the relay door.
    pub(super) fn enter_relay(&mut self, id: ConnId) {
        let Some((room, from)) =
            self.conns.peek(id).and_then(|conn| Some((conn.door.relay_room()?.clone(), conn.origin)))
        else {
            return;
        };
        self.turn.work += PLACE_WORK;
        let guest = self.number_guest(&room);
        let makes = self.hub.find_room(&room).is_none().then_some(HostGoes::PassesOn);
        let who = Who::Guest(guest.clone());
        let entry = Entry { room: room.clone(), lock: None };
        self.command(id, Command::EnterAsGuest { guest, makes, entry });
        self.command(id, Command::Listen { room: room.clone() });
        if let Some(conn) = self.conns.find(id) {
            conn.door.on_entered();
        }
        let verdict = if self.hub.who_is(id.session()).is_some() { "entered" } else { "may not enter" };
        self.log_peer(Subject::Guest, from.ip(), |_| format!("guest {who} from {from} {verdict} {room}"));
    }

    /// The next `guestN` that no guest in the room has.
    fn number_guest(&mut self, room: &RoomName) -> GuestName {
        loop {
            self.turn.work += LIST_LINE_WORK;
            let number = self.relay.next_number();
            if let Ok(guest) = GuestName::parse(&format!("guest{number}"))
                && !self.hub.has_guest(room, &guest)
            {
                return guest;
            }
        }
    }

    /// A guest takes the name that it asks for, with a number at its end if another guest has it or it is a name of the
    /// server.
    pub(super) fn take_name(&mut self, id: ConnId, asked: GuestName, room: &RoomName) {
        if self.hub.who_is(id.session()) == Some(Who::Guest(asked.clone())) {
            return;
        }
        let mut guest = asked.clone();
        let mut tries = 1;
        while self.hub.has_guest(room, &guest) || self.is_own_name(guest.as_str()) {
            self.turn.work += LIST_LINE_WORK;
            tries += 1;
            // A name that very many have gets a number that nobody has had, so that the search ends soon.
            let number = if tries < SMALL_NUMBERS { tries } else { self.relay.next_number() };
            guest = numbered(&asked, number);
        }
        self.command(id, Command::Rename { guest });
    }

    /// Ends the connection if it is one of the relay door, and the event means that its guest is in no room.
    pub(super) fn end_relay(&mut self, id: ConnId, event: &Event) -> bool {
        let Some(reason) = end_of_place(event) else { return false };
        let is_relay = self.conns.peek(id).is_some_and(|conn| conn.door.relay_room().is_some());
        if is_relay {
            self.schedule_close(id, End::Closed(reason));
        }
        is_relay
    }

    /// Nothing has followed an incomplete message for the gap of its door, which takes it as it is.
    pub(super) fn on_silence(&mut self, id: ConnId) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        if conn.wants_run() {
            conn.line_since = now; // something has come, and waits to be read
            return;
        }
        conn.door.handle_silence();
        conn.line_since = NEVER;
        self.enqueue(id);
    }
}

/// The reason to close the connection of a guest that gets this event; `None` if it goes on.
fn end_of_place(event: &Event) -> Option<CloseReason> {
    if matches!(event, Event::RoomNeedsPassword | Event::WrongRoomPassword { .. }) {
        Some(CloseReason::RoomLocked)
    } else if matches!(event, Event::RoomFull { .. } | Event::TooManyRooms { .. }) {
        Some(CloseReason::RoomFull)
    } else if matches!(event, Event::Gone { why: Leaving::Kicked { .. }, .. }) {
        Some(CloseReason::Kicked)
    } else {
        matches!(event, Event::RoomClosed { .. }).then_some(CloseReason::RoomClosed)
    }
}

/// A name with a number at its end, no longer than a name may be.
fn numbered(name: &GuestName, number: u64) -> GuestName {
    let number = number.to_string();
    let kept = NAME_CHARS.saturating_sub(number.len());
    let text: String = name.as_str().chars().take(kept).chain(number.chars()).collect();
    GuestName::parse(&text).unwrap_or_else(|_| name.clone())
}
