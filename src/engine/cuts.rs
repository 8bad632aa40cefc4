//! Accounts whose last connection was cut: those who watch them hear that they are offline when that has lasted for
//! [`CUT_MS`].

use std::collections::VecDeque;

use super::Engine;
use super::id::ConnId;
use super::time::{Millis, NEVER};
use crate::hub::command::Command;
use crate::hub::names::UserName;
use crate::limits::{CUT_MS, TIMER_WORK, TURN_WORK_ENDS};

/// When each cut has lasted for long enough, in this order. It holds the cuts of [`CUT_MS`], each of which was a login.
#[derive(Debug, Default)]
pub(super) struct Cuts(VecDeque<(Millis, UserName)>);

impl Cuts {
    fn note(&mut self, name: UserName, due: Millis) {
        self.0.push_back((due, name));
    }

    fn poll(&mut self, now: Millis) -> Option<UserName> {
        self.0.pop_front_if(|(due, _)| *due <= now).map(|(_, name)| name)
    }

    fn next_due(&self) -> Millis {
        self.0.front().map_or(NEVER, |(due, _)| *due)
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
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
    fn each_cut_is_due_once() {
        let mut cuts = Cuts::default();
        assert_eq!((cuts.next_due(), cuts.poll(9_999)), (NEVER, None));
        cuts.note(name("alice"), 10_000);
        cuts.note(name("alice"), 12_000);
        assert_eq!((cuts.next_due(), cuts.poll(9_999)), (10_000, None));
        assert_eq!((cuts.poll(11_999), cuts.poll(11_999)), (Some(name("alice")), None));
        assert_eq!((cuts.poll(12_000), cuts.next_due()), (Some(name("alice")), NEVER));
    }
}
