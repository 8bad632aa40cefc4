//! `kick`: ends connections and guests.

use super::Engine;
use super::entry::Entry;
use crate::close::{CloseReason, Note};
use crate::door::operator::{Last, Whom};
use crate::engine::id::ConnId;

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

    /// Ends connections and guests for this reason, as many as this turn has room for, and the others in the next turns.
    fn put_out(&mut self, entries: &[Entry], reason: &CloseReason) {
        let (mut ids, mut guests) = (Vec::new(), Vec::new());
        for entry in entries {
            match entry {
                Entry::Conn(id) => ids.push(*id),
                Entry::Guest(session) => guests.push((*session, reason.clone())),
            }
        }
        self.close_all(&ids, reason);
        self.put_out_guests(guests);
    }
}
