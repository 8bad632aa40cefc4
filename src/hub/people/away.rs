//! Who is away.

use std::collections::BTreeMap;

use crate::hub::Hub;
use crate::hub::event::{Change, Event, News};
use crate::hub::names::Who;
use crate::hub::session::SessionId;

/// Those who are away, and why. All of them are online.
#[derive(Debug, Default)]
pub(super) struct Away(BTreeMap<Who, Box<str>>);

impl Away {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why somebody is away, if they are.
    pub(super) fn of(&self, name: &Who) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// Somebody is away no longer. Gives the text that they had.
    pub(super) fn end(&mut self, name: &Who) -> Option<Box<str>> {
        self.0.remove(name)
    }

    pub(super) fn begin(&mut self, name: Who, text: Box<str>) {
        self.0.insert(name, text);
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &Who> {
        self.0.keys()
    }
}

impl Hub {
    /// `Away`. Ignored for guests of one room. Those who watch the name or share a room are told what is new to them.
    pub(in crate::hub) fn on_away(&mut self, who: SessionId, text: Option<&str>) {
        let Some(name) = self.roster.who_of(who) else { return };
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
            self.tell_watchers(&name, text.clone().map_or(Change::Back, Change::Away));
            self.tell_neighbours_of(&name, News::Away(text));
        }
    }

    /// Whether somebody is away.
    pub(in crate::hub) fn is_away(&self, name: &Who) -> bool {
        !self.people.away.is_empty() && self.people.away.of(name).is_some()
    }

    /// Why somebody is away, for others.
    pub(in crate::hub) fn away_of(&self, name: &Who) -> Option<Box<str>> {
        if self.people.away.is_empty() {
            return None;
        }
        self.people.away.of(name).map(Into::into)
    }
}
