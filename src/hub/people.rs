//! People: who is away, who watches whom, who hears nothing of whom, and profiles.

use super::Hub;
use super::command::{Ignore, Watch};
use super::event::Event;
use super::names::{UserName, Who};
use super::profile::ProfileKey;
use super::session::SessionId;

/// What is known of somebody without the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name as it was registered.
    pub name: UserName,
    /// Sessions of the account.
    pub sessions: usize,
    /// Seconds since one of its sessions has said something, or logged in.
    pub idle_s: u64,
    /// Why it is away, if it is.
    pub away: Option<Box<str>>,
}

impl Hub {
    /// What is known of an account that is online; `None` if it is not. It is `unix_ms` now.
    pub fn person(&self, name: &UserName, unix_ms: u64) -> Option<Person> {
        let _ = unix_ms;
        let (name, sessions) = self.online.find(name)?;
        Some(Person { name: name.clone(), sessions: sessions.len(), idle_s: 0, away: None })
    }

    /// Whether a guest of this name, in any case, is in some room.
    pub fn is_guest_here(&self, guest: &Who) -> bool {
        self.guests.values().any(|name| *guest == Who::Guest(name.clone()))
    }

    /// The sessions that watch a name.
    pub fn watchers_of(&self, _name: &UserName) -> &[SessionId] {
        &[]
    }

    /// The next account whose last connection was cut, and which somebody watches. Call [`end_cut`](Self::end_cut)
    /// [`CUT_MS`](crate::limits::CUT_MS) later.
    pub fn poll_cut(&mut self) -> Option<UserName> {
        None
    }

    /// An account was cut [`CUT_MS`](crate::limits::CUT_MS) ago. If it has not come back since, those who watch it are
    /// told.
    pub fn end_cut(&mut self, _name: &UserName) {}

    pub(super) fn on_cut(&mut self, who: SessionId) {
        self.on_leave(who);
    }

    pub(super) fn on_away(&mut self, who: SessionId, _text: Option<&str>) {
        self.tell(who, Event::Done);
    }

    pub(super) fn on_watch(&mut self, who: SessionId, _watch: Watch) {
        self.tell(who, Event::Done);
    }

    pub(super) fn on_ignore(&mut self, who: SessionId, _ignore: Ignore) {
        self.tell(who, Event::NothingKept);
    }

    pub(super) fn on_set(&mut self, who: SessionId, _key: ProfileKey, _value: Option<&str>) {
        self.tell(who, Event::NothingKept);
    }
}
