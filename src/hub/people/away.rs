//! Who is away.

use std::collections::BTreeMap;

use crate::hub::Hub;
use crate::hub::event::{Change, Event};
use crate::hub::names::UserName;
use crate::hub::session::SessionId;

/// The accounts that are away, and why. All of them are online.
#[derive(Debug, Default)]
pub(super) struct Away(BTreeMap<UserName, Box<str>>);

impl Away {
    /// Why an account is away, if it is.
    pub(super) fn of(&self, name: &UserName) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// An account is away no longer. Gives the text that it had.
    pub(super) fn end(&mut self, name: &UserName) -> Option<Box<str>> {
        self.0.remove(name)
    }

    fn begin(&mut self, name: UserName, text: Box<str>) {
        self.0.insert(name, text);
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &UserName> {
        self.0.keys()
    }
}

impl Hub {
    /// `Away`. Ignored for guests. Those who watch the account are told what is new to them.
    pub(in crate::hub) fn on_away(&mut self, who: SessionId, text: Option<&str>) {
        let Some(name) = self.name_of(who).cloned() else { return };
        let is_new = self.people.away.of(&name) != text;
        let text: Option<Box<str>> = text.map(Into::into);
        if is_new {
            match text.clone() {
                Some(text) => self.people.away.begin(name.clone(), text),
                None => drop(self.people.away.end(&name)),
            }
        }
        self.tell(who, Event::AwayIs { text: text.clone() });
        if is_new {
            self.tell_watchers(&name, text.map_or(Change::Back, Change::Away));
        }
    }

    /// Whether an account is away.
    pub(in crate::hub) fn is_away(&self, name: &UserName) -> bool {
        self.people.away.of(name).is_some()
    }

    /// Why an account is away, for somebody who writes to it.
    pub(in crate::hub) fn away_of(&self, name: &UserName) -> Option<Box<str>> {
        self.people.away.of(name).map(Into::into)
    }
}
