//! Accounts whose last connection was cut: those who watch them hear that they are offline when that has lasted for
//! [`CUT_MS`].

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::id::ConnId;
use super::time::{Millis, NEVER};
use crate::hub::command::Command;
use crate::hub::names::UserName;
use crate::limits::{CUT_MS, TIMER_WORK, TURN_WORK_ENDS};

/// When each cut has lasted for long enough. An account has one: the last one counts.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    due_of: BTreeMap<UserName, Millis>,
    dues: BTreeSet<(Millis, UserName)>,
}

impl Cuts {
    fn note(&mut self, name: UserName, due: Millis) {
        if let Some(before) = self.due_of.insert(name.clone(), due) {
            self.dues.remove(&(before, name.clone()));
        }
        self.dues.insert((due, name));
    }

    fn poll(&mut self, now: Millis) -> Option<UserName> {
        if self.next_due() > now {
            return None;
        }
        let (_, name) = self.dues.pop_first()?;
        self.due_of.remove(&name);
        Some(name)
    }

    fn next_due(&self) -> Millis {
        self.dues.first().map_or(NEVER, |(due, _)| *due)
    }
}

impl<S> Engine<S> {
    /// The session of a connection ends, and its client has not said goodbye.
    pub(super) fn cut_session(&mut self, id: ConnId) {
        self.command(id, Command::Cut);
        while let Some(name) = self.hub.poll_cut() {
            self.cuts.note(name, self.now + CUT_MS);
        }
    }

    /// When the next cut has lasted for long enough. While the server stops nobody is told.
    pub(super) fn cuts_due(&self) -> Millis {
        if self.is_ending() { NEVER } else { self.cuts.next_due() }
    }

    /// Ends the cuts that are due, as many as this turn has room for.
    pub(super) fn end_cuts(&mut self) {
        while !self.is_ending()
            && self.turn.work < TURN_WORK_ENDS
            && let Some(name) = self.cuts.poll(self.now)
        {
            self.turn.work += TIMER_WORK;
            self.hub.end_cut(&name);
            self.turn.work += self.hub.take_work();
            self.deliver();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    #[test]
    fn the_last_cut_of_an_account_counts() {
        let mut cuts = Cuts::default();
        assert_eq!((cuts.next_due(), cuts.poll(9_999)), (NEVER, None));
        cuts.note(name("alice"), 10_000);
        cuts.note(name("bob"), 12_000);
        cuts.note(name("Alice"), 17_000);
        assert_eq!((cuts.next_due(), cuts.poll(11_999)), (12_000, None));
        assert_eq!((cuts.poll(12_000), cuts.poll(16_999)), (Some(name("bob")), None));
        assert_eq!((cuts.poll(17_000), cuts.next_due()), (Some(name("alice")), NEVER));
        assert!(cuts.due_of.is_empty());
    }
}
