//! How people call themselves, besides the name that others know them by.

use std::collections::BTreeMap;

use crate::hub::Hub;
use crate::hub::event::News;
use crate::hub::names::Who;
use crate::hub::record::Account;

/// What those who are online call themselves: what their first session said of itself, or their profile's name if it was
/// set since.
#[derive(Debug, Default)]
pub(super) struct Called(BTreeMap<Who, Box<str>>);

impl Called {
    /// How somebody calls themselves, if they do.
    pub(super) fn of(&self, name: &Who) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &Who> {
        self.0.keys()
    }
}

impl Hub {
    /// How somebody who is online calls themselves, if they do.
    pub fn called(&self, who: &Who) -> Option<&str> {
        self.people.called.of(who)
    }

    /// The same, for an event.
    pub(in crate::hub) fn called_of(&self, who: &Who) -> Option<Box<str>> {
        if self.people.called.0.is_empty() {
            return None;
        }
        self.people.called.of(who).map(Into::into)
    }

    /// The store tells how an account calls itself by its profile. Nothing happens unless it is online. Poll the events
    /// afterwards.
    pub fn learn_called(&mut self, account: &Account, called: Box<str>) {
        let online = self.sessions_of(&account.name).first().and_then(|session| self.account_of(*session));
        if online == Some(account) {
            self.set_called(&account.name.clone().into(), Some(called));
        }
    }

    /// A session has said how it calls itself. The first one of a name counts.
    pub(in crate::hub) fn begin_called(&mut self, who: &Who, called: Option<&str>) {
        if let Some(called) = called {
            self.people.called.0.entry(who.clone()).or_insert_with(|| called.into());
        }
    }

    /// Somebody calls themselves so from now on, or by their name alone.
    pub(in crate::hub) fn set_called(&mut self, who: &Who, called: Option<Box<str>>) {
        if self.find_online(who).is_none() || self.people.called.of(who) == called.as_deref() {
            return;
        }
        match called.clone() {
            Some(called) => drop(self.people.called.0.insert(who.clone(), called)),
            None => drop(self.people.called.0.remove(who)),
        }
        self.tell_neighbours_of(who, News::Called(called));
    }

    /// Nobody has this name any more. Gives why it was away.
    pub(in crate::hub) fn end_person(&mut self, who: &Who) -> Option<Box<str>> {
        self.people.called.0.remove(who);
        self.people.away.end(who)
    }

    /// Moves the display name and the away text of a guest to its new name.
    pub(in crate::hub) fn rename_person(&mut self, was: &Who, now: &Who) {
        if let Some(called) = self.people.called.0.remove(was) {
            self.people.called.0.insert(now.clone(), called);
        }
        if let Some(text) = self.people.away.end(was) {
            self.people.away.begin(now.clone(), text);
        }
    }
}
