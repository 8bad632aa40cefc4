//! Where a person was in the last run: the rooms are entered again at the login, and what changes is kept for the next
//! run. Passwords are not kept.

use chatd::text::is_same_name;

use super::Session;
use super::requests::{Request, Way};
use super::wording::in_our_words;
use crate::action::{Action, Now, Place, Places};

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// The rooms that are yet to be entered.
    wanted: Vec<String>,
    /// The one in which the user talked, until they go anywhere.
    here: Option<String>,
    /// Rooms that could not be entered now, and are not left.
    outside: Vec<String>,
    /// What the caller has.
    kept: Places,
}

impl Remembered {
    /// The user has gone to a place.
    pub(super) fn visit(&mut self) {
        self.here = None;
    }

    /// A room was entered, or left on purpose.
    pub(super) fn settle(&mut self, room: &str) {
        self.wanted.retain(|wanted| !is_same_name(wanted, room));
        self.outside.retain(|outside| !is_same_name(outside, room));
    }
}

impl Session {
    /// Where the user was in the last run: what [`Action::KeepPlaces`] gave.
    #[must_use]
    pub fn with_places(mut self, places: Places) -> Self {
        if self.settings.people {
            let (wanted, here) = (places.rooms.clone(), places.here.clone());
            self.remembered = Remembered { wanted, here, outside: Vec::new(), kept: places };
        }
        self
    }

    /// At the login, enters the rooms of the last run.
    pub(super) fn enter_remembered(&mut self, now: Now) {
        for room in self.remembered.wanted.clone() {
            if self.rooms.find(&room).is_none() {
                self.enter(&room, None, Way::Remembered, now);
            }
        }
    }

    /// Such a room is entered.
    pub(super) fn on_remembered(&mut self, asked: &str, room: &str) {
        let is_here = self.remembered.here.as_deref().is_some_and(|here| is_same_name(here, asked));
        self.remembered.settle(asked);
        if is_here {
            self.go(Place::Room(room.to_owned()));
        } else {
            self.note("entered", format!("you are in {room}"));
        }
    }

    /// Such a room is not entered.
    pub(super) fn on_not_remembered(&mut self, room: &str, code: u16, text: &str) {
        self.remembered.settle(room);
        let text = match code {
            550 => format!("{room} is gone"),
            554 if text.contains("password") => format!("{room} has a password: /join {room} PASSWORD"),
            _ => format!("you are not in {room}: {}", in_our_words(text)),
        };
        if code != 550 {
            self.remembered.outside.push(room.to_owned());
        }
        self.note("left-room", text);
    }

    /// Gives the caller the places to keep, if they have changed.
    pub(super) fn keep_places(&mut self) {
        let is_moving = || self.requests.iter().any(|request| matches!(request, Request::Enter { .. }));
        if !self.settings.people || !self.is_ready() || !self.remembered.wanted.is_empty() || is_moving() {
            return;
        }
        let here = if let Place::Room(room) = &self.talk.place { Some(room) } else { None };
        let names = || self.rooms.iter().map(|room| &room.name).chain(&self.remembered.outside);
        let kept = &self.remembered.kept;
        if kept.here.as_ref() == here && kept.rooms.iter().eq(names()) {
            return;
        }
        let places = Places { rooms: names().cloned().collect(), here: here.cloned() };
        self.remembered.kept = places.clone();
        self.actions.push_back(Action::KeepPlaces(places));
    }
}
