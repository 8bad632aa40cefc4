//! `kick`: ends connections and guests.

use super::Engine;
use super::entry::Entry;
use crate::close::{CloseReason, Note};
use crate::door::datagram::Speaker;
use crate::door::operator::{Last, Whom};
use crate::engine::datagrams::Spoken;
use crate::engine::id::ConnId;
use crate::hub::command::Command;
use crate::hub::session::SessionId;

impl<S> Engine<S> {
    pub(super) fn kick(&mut self, id: ConnId, whom: &Whom, reason: &str) {
        let entries = self.entries(Some(whom));
        if entries.is_empty() {
            return self.answer_last(id, &Last::Nobody("nobody is connected by that name, id or address".to_owned()));
        }
        // An operator may put itself out, and hears the answer first.
        self.answer_last(id, &Last::Done(format!("{} put out", entries.len())));
        self.put_out(&entries, &CloseReason::PutOut(Note::new(reason)));
    }

    /// Ends connections and guests for this reason.
    pub(in crate::engine) fn put_out(&mut self, entries: &[Entry], reason: &CloseReason) {
        let mut ids = Vec::new();
        for entry in entries {
            match entry {
                Entry::Conn(id) => ids.push(*id),
                Entry::Guest(session) => self.put_out_guest(*session, &reason.to_string()),
            }
        }
        self.close_all(&ids, reason);
    }

    /// Ends a guest that talks by UDP, after it was told why.
    pub(in crate::engine) fn put_out_guest(&mut self, session: SessionId, why: &str) {
        let mut spoken = Spoken::new(Speaker::Server, why);
        for (room, _) in self.hub.rooms_of(session) {
            self.datagrams.tell((session, room), &mut spoken, &mut self.counters);
        }
        self.command_unanswered(session, Command::Leave);
    }
}
