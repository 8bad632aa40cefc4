//! Which sessions hear public messages, and how many there are of everything.

use super::Hub;
use super::event::{Census, Event};
use super::session::SessionId;

impl Hub {
    /// `Attend`. Ignored for a guest of one room, who hears that room alone.
    pub(super) fn on_attend(&mut self, who: SessionId, public: bool) {
        if self.roster.attend(who, public) {
            self.tell(who, Event::Attends { public });
        }
    }

    /// Whether a session hears public messages; false for an unknown session.
    pub fn attends(&self, who: SessionId) -> bool {
        self.roster.attends(who)
    }

    /// The number of sessions that hear public messages.
    pub fn attending(&self) -> usize {
        self.roster.attending()
    }

    /// `Census`.
    pub(super) fn on_census(&mut self, who: SessionId) {
        let census = self.census();
        self.tell(who, Event::Counted(census));
    }

    /// How many there are.
    pub fn census(&self) -> Census {
        Census {
            accounts: self.online.len(),
            guests: self.guests_online.len() + self.guests.len(),
            sessions: self.sessions(),
            rooms: self.rooms(),
            most_sessions: self.most_sessions.max(self.sessions()),
        }
    }

    /// The number of sessions, those of guests of one room too.
    pub(super) fn sessions(&self) -> usize {
        self.roster.everyone().len() + self.guests.len()
    }
}
