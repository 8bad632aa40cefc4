//! `announce`: the server says something to everybody, in every door.
//!
//! Sessions that have logged in get `C 100` in the order of the public messages, also those that hear none. A guest of one
//! room with a connection gets it there; one that talks by UDP gets a datagram of the server, as it does when its room is
//! closed.

use super::Engine;
use crate::door::datagram::Speaker;
use crate::door::operator::Last;
use crate::engine::datagrams::Spoken;
use crate::engine::id::ConnId;
use crate::engine::life::Life;
use crate::hub::event::Event;
use crate::hub::session::SessionId;
use crate::limits::DATAGRAM_WORK;

/// The speaker of an announcement: no connection has this id, so everybody hears it.
const NOBODY: ConnId = ConnId { slot: u32::MAX, generation: 0 };

impl<S> Engine<S> {
    pub(super) fn announce_for(&mut self, id: ConnId, text: &str) {
        let count = self.announce(text);
        self.answer_last(id, &Last::Done(format!("sent to {count}")));
    }

    /// Says something to everybody who is logged in, and to all guests. Gives how many that are.
    pub(in crate::engine) fn announce(&mut self, text: &str) -> usize {
        let event = Event::Announced { text: text.into() };
        self.deliver_public(NOBODY, &event);
        let not_attending: Vec<SessionId> =
            self.hub.everyone().iter().filter(|session| !self.hub.attends(**session)).copied().collect();
        for session in not_attending {
            self.deliver_own(ConnId::of(session), &event);
        }
        let guests: Vec<SessionId> = self.hub.guests().map(|(session, _)| session).collect();
        let mut spoken = Spoken::new(Speaker::Server, text);
        for guest in &guests {
            let id = ConnId::of(*guest);
            let hears_here = |engine: &Self| {
                engine.conns.peek(id).is_some_and(|conn| conn.life == Life::Open && conn.door.kind().is_some())
            };
            if hears_here(self) {
                self.deliver_own(id, &event);
                continue;
            }
            for (room, _) in self.hub.rooms_of(*guest) {
                self.turn.work += DATAGRAM_WORK;
                self.datagrams.tell((*guest, room), &mut spoken, &mut self.counters);
            }
        }
        self.hub.everyone().len() + guests.len()
    }
}
