//! What the user has not read, by place, and what is told of it to the server and to other clients of the account.
//!
//! Everything is on one screen, so a typed line means that all that was shown before it has been read.

use std::collections::VecDeque;

use super::requests::{Request, Way};
use super::{Phase, Session};
pub(super) use crate::action::is_same_place;
use crate::action::{Now, Place};
use crate::alert::{Level, Rules};
use crate::past::{self, Unread};
use crate::title::Heading;

/// The most places that are remembered, and the most messages of each.
const PLACES: usize = 512;
const MESSAGES: usize = 1_000;
/// The most places named in the prompt.
const NAMED: usize = 3;
/// The pause between two reports to the server, and after one that it did not take.
const READ_EVERY_MS: u64 = 1_000;
const READ_AGAIN_MS: u64 = 30_000;

/// What is unread.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The index of the server of which all of this is.
    server: usize,
    spots: Vec<Spot>,
    /// Everything up to here has been read, in all places.
    floor: u64,
    /// Places with something new at the time of the last line, for `/next`.
    fresh: VecDeque<Place>,
    /// Up to where the user has read, if the server is yet to be told.
    to_tell: Option<u64>,
    /// When the server may be told, in monotonic milliseconds.
    tell_ms: u64,
}

/// What is unread in one place.
#[derive(Debug)]
struct Spot {
    place: Place,
    /// Up to where it is read.
    mark: u64,
    /// What the server has counted: messages, those for the user, and the newest.
    counted: (usize, usize, u64),
    /// Messages after that, and whether they are for the user.
    heard: VecDeque<(u64, bool)>,
}

impl Spot {
    fn new(place: Place, mark: u64) -> Self {
        Self { place, mark, counted: (0, 0, 0), heard: VecDeque::new() }
    }

    fn count(&self) -> usize {
        self.counted.0 + self.heard.len()
    }

    fn is_loud(&self) -> bool {
        self.counted.1 > 0 || self.heard.iter().any(|(_, is_loud)| *is_loud)
    }

    fn read(&mut self, id: u64) {
        self.mark = self.mark.max(id);
        if self.mark >= self.counted.2 {
            (self.counted.0, self.counted.1) = (0, 0);
        }
        self.heard.retain(|(heard, _)| *heard > self.mark);
    }
}

impl News {
    /// The user is logged in to this server. The ids of another one say nothing here.
    pub(super) fn turn_to(&mut self, server: usize) {
        if self.server != server {
            *self = Self { server, ..Self::default() };
        }
    }

    /// The counts are asked for anew.
    pub(super) fn forget(&mut self) {
        self.spots.clear();
    }

    /// The server has counted what is unread in a place.
    pub(super) fn learn(&mut self, unread: Unread) {
        let Unread { place, count, mentions, read, last, .. } = unread;
        let bounded = |count: u32| usize::try_from(count).unwrap_or(MESSAGES).min(MESSAGES);
        let counted = (bounded(count), bounded(mentions), last);
        if let Some(spot) = self.spots.iter_mut().find(|spot| is_same_place(&spot.place, &place)) {
            // Another client has told its mark before the server has counted.
            spot.counted = counted;
            spot.read(read);
        } else if self.spots.len() < PLACES {
            self.spots.push(Spot { counted, ..Spot::new(place, read) });
        }
    }

    /// Where a user begins of whom nothing is known here: with `is_reader`, before what they have not read.
    pub(super) fn start(&self, is_reader: bool) -> u64 {
        let unread = self.spots.iter().filter(|spot| is_reader && spot.counted.0 > 0).map(|spot| spot.mark);
        let newest = self.spots.iter().map(|spot| spot.mark.max(spot.counted.2)).max();
        unread.min().or(newest).unwrap_or(0)
    }

    /// The rooms that the server keeps for the user.
    pub(super) fn rooms(&self) -> Vec<String> {
        let room = |spot: &Spot| if let Place::Room(room) = &spot.place { Some(room.clone()) } else { None };
        self.spots.iter().filter_map(room).collect()
    }

    /// What the server has counted in places that are not silent: messages, and those for the user.
    pub(super) fn counted(&self, rules: &Rules) -> (usize, usize) {
        let loud = self.spots.iter().filter(|spot| rules.level(&spot.place) != Level::None);
        loud.fold((0, 0), |(count, mentions), spot| (count + spot.counted.0, mentions + spot.counted.1))
    }

    /// All that is unread in places that are not silent, as far as it is counted.
    fn total(&self, rules: &Rules) -> usize {
        self.spots.iter().filter(|spot| rules.level(&spot.place) != Level::None).map(Spot::count).sum()
    }

    /// Up to where a place is read.
    pub(super) fn mark(&self, place: &Place) -> u64 {
        self.spot(place).map_or(0, |spot| spot.mark).max(self.floor)
    }

    /// A message was shown.
    pub(super) fn hear(&mut self, place: &Place, id: u64, is_loud: bool) {
        if id <= self.mark(place) {
            return;
        }
        let at = match self.spots.iter().position(|spot| is_same_place(&spot.place, place)) {
            Some(at) => at,
            None if self.spots.len() < PLACES => {
                self.spots.push(Spot::new(place.clone(), self.floor));
                self.spots.len() - 1
            }
            None => return,
        };
        // What the server has counted is counted.
        if let Some(spot) = self.spots.get_mut(at)
            && id > spot.counted.2
            && spot.heard.len() < MESSAGES
        {
            spot.heard.push_back((id, is_loud));
        }
    }

    /// A place has been read up to this id; `None`: all places.
    fn read(&mut self, place: Option<&Place>, id: u64) {
        match place {
            None => self.floor = self.floor.max(id),
            // What comes later may have been said before.
            Some(place) if self.spot(place).is_none() && self.spots.len() < PLACES => {
                self.spots.push(Spot::new(place.clone(), id));
            }
            Some(_) => {}
        }
        for spot in self.spots.iter_mut().filter(|spot| place.is_none_or(|place| is_same_place(&spot.place, place))) {
            spot.read(id);
        }
        let spots = &self.spots;
        let is_new = |place: &Place| spots.iter().any(|spot| spot.count() > 0 && is_same_place(&spot.place, place));
        self.fresh.retain(is_new);
    }

    /// A message was erased.
    pub(super) fn erase(&mut self, id: u64) {
        for spot in &mut self.spots {
            spot.heard.retain(|(heard, _)| *heard != id);
        }
    }

    /// A place is gone, or the user is no longer in it.
    pub(super) fn leave(&mut self, place: &Place) {
        self.spots.retain(|spot| !is_same_place(&spot.place, place));
        self.visit(place);
    }

    /// The user is in this place.
    pub(super) fn visit(&mut self, place: &Place) {
        self.fresh.retain(|fresh| !is_same_place(fresh, place));
    }

    /// Remembers which places have something new: first those with something for the user, then the oldest.
    fn refresh(&mut self) {
        let mut new: Vec<&Spot> = self.spots.iter().filter(|spot| spot.count() > 0).collect();
        new.sort_by_key(|spot| (!spot.is_loud(), spot.heard.front().map_or(spot.counted.2, |(id, _)| *id)));
        for spot in new {
            if !self.fresh.iter().any(|fresh| is_same_place(fresh, &spot.place)) {
                self.fresh.push_back(spot.place.clone());
            }
        }
    }

    /// The counts for the prompt, without the place `here`: `lobby 2, @bob 1`. Empty if nothing is new.
    fn summary(&self, here: &Place) -> String {
        let mut new: Vec<&Spot> =
            self.spots.iter().filter(|spot| spot.count() > 0 && !is_same_place(&spot.place, here)).collect();
        new.sort_by_key(|spot| !spot.is_loud());
        let mut told: Vec<String> = new.iter().take(NAMED).map(|spot| told(&spot.place, spot.count())).collect();
        match new.len().saturating_sub(NAMED) {
            0 => {}
            more => told.push(format!("{more} more")),
        }
        told.join(", ")
    }

    fn spot(&self, place: &Place) -> Option<&Spot> {
        self.spots.iter().find(|spot| is_same_place(&spot.place, place))
    }
}

/// A count for the prompt. `all` is what is said to everybody.
fn told(place: &Place, count: usize) -> String {
    let count = if count >= MESSAGES { format!("{MESSAGES}+") } else { count.to_string() };
    match place {
        Place::Public => format!("all {count}"),
        Place::Room(room) => format!("{room} {count}"),
        Place::Direct { with } => format!("@{with} {count}"),
    }
}

impl Session {
    /// A live message of somebody else was shown.
    pub(super) fn note_new(&mut self, place: &Place, id: u64, is_loud: bool) {
        if self.settings.people && self.has_past() {
            self.news.hear(place, id, is_loud);
        } else if self.rules.level(place) != Level::None {
            self.unheeded = self.unheeded.saturating_add(1);
        }
    }

    /// The user has typed a line, and so has read what was shown.
    pub(super) fn on_typed(&mut self, now: Now) {
        self.unheeded = 0;
        let top = self.seen().and_then(|seen| seen.top());
        let (true, true, Some(top)) = (self.settings.people, self.is_current(), top) else { return };
        self.news.refresh();
        let is_kept = |place: &Place| match place {
            Place::Public => true,
            Place::Room(room) => self.rooms.find(room).is_some_and(|room| room.is_kept),
            Place::Direct { with } => !with.starts_with('~'),
        };
        if self.news.spots.iter().any(|spot| spot.count() > 0 && is_kept(&spot.place)) {
            self.news.to_tell = Some(top);
        }
        let fresh = self.news.fresh.clone();
        self.news.read(None, top);
        self.news.fresh = fresh;
        self.tell_read(now);
    }

    /// Tells the server how far the user has read, if it is time.
    pub(super) fn tell_read(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Ready { .. }) || self.keys.is_changing() || now.monotonic_ms < self.news.tell_ms
        {
            return;
        }
        if let Some(id) = self.news.to_tell.take() {
            self.news.tell_ms = now.monotonic_ms.saturating_add(READ_EVERY_MS);
            self.request(Request::Read, &["READ", &id.to_string()], now);
        }
    }

    /// When the server is told how far the user has read, in monotonic milliseconds.
    pub(super) fn read_due(&self) -> Option<u64> {
        let is_possible = matches!(self.phase, Phase::Ready { .. }) && !self.keys.is_changing();
        self.news.to_tell.filter(|_| is_possible).map(|_| self.news.tell_ms)
    }

    /// The server has been told.
    pub(super) fn on_read_answer(&mut self, code: u16, now: Now) {
        if code == 450
            && let Some(top) = self.seen().and_then(|seen| seen.top())
        {
            self.news.to_tell = Some(top);
            self.news.tell_ms = now.monotonic_ms.saturating_add(READ_AGAIN_MS);
        }
    }

    /// Another client of the account says how far the user has read: `place ID`, or `- ID`.
    pub(super) fn on_read_elsewhere(&mut self, text: &str) {
        let Some((place, id)) = text.trim_end().split_once(' ') else { return };
        let Ok(id) = id.parse() else { return };
        if place == "-" {
            self.news.read(None, id);
        } else if let Some(place) = past::place(place) {
            self.news.read(Some(&place), id);
        }
    }

    /// `/next`.
    pub(super) fn go_next(&mut self, now: Now) {
        let here = self.talk.place.clone();
        self.news.visit(&here);
        match self.news.fresh.pop_front() {
            None => self.note("next", "nothing is new elsewhere".to_owned()),
            Some(place @ Place::Direct { .. }) => self.ask_text_for(place),
            Some(Place::Room(room)) if self.rooms.find(&room).is_none() => {
                if self.is_ready() {
                    self.enter(&room, None, Way::Wanted, now);
                }
            }
            Some(place) => self.go(place),
        }
    }

    /// What a title of the window says.
    pub fn heading(&self) -> Heading<'_> {
        let unread = if self.has_past() { self.news.total(&self.rules) } else { self.unheeded };
        Heading { unread, name: &self.name, server: self.retry.server(), place: &self.talk.place }
    }

    /// The counts for the prompt, in brackets.
    pub(super) fn new_elsewhere(&self) -> String {
        match self.news.summary(&self.talk.place) {
            new if new.is_empty() => new,
            new => format!(" [{new}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Place {
        Place::Room(name.to_owned())
    }

    fn unread(place: Place, count: u32, read: u64, last: u64) -> Unread {
        Unread { place, count, mentions: 0, read, last, level: None }
    }

    #[test]
    fn counted_and_heard_and_read() {
        let mut news = News::default();
        news.learn(unread(room("lobby"), 3, 10, 20));
        news.learn(unread(Place::Public, 0, 15, 12));
        assert_eq!((news.start(true), news.start(false)), (10, 20));
        news.hear(&room("LOBBY"), 20, false);
        assert_eq!(news.summary(&Place::Public), "lobby 3", "the server has counted it");
        news.hear(&room("Lobby"), 21, false);
        news.hear(&Place::Public, 14, true);
        news.hear(&Place::Direct { with: "Bob".to_owned() }, 22, true);
        assert_eq!(news.summary(&Place::Public), "@Bob 1, lobby 4");
        assert_eq!(news.summary(&room("lobby")), "@Bob 1");
        news.read(Some(&room("lobby")), 15);
        assert_eq!(news.summary(&Place::Public), "@Bob 1, lobby 4", "as far as is known");
        news.read(Some(&room("lobby")), 20);
        assert_eq!(news.summary(&Place::Public), "@Bob 1, lobby 1");
        news.read(None, 21);
        assert_eq!(news.summary(&Place::Public), "@Bob 1");
        news.hear(&room("den"), 21, false);
        assert_eq!(news.mark(&room("den")), 21);
        news.read(None, 22);
        assert_eq!(news.summary(&Place::Public), "");
    }

    #[test]
    fn bounded() {
        let mut news = News::default();
        (0..2_000).for_each(|id| news.hear(&room(&format!("r{id}")), id + 1, false));
        (0..5_000).for_each(|id| news.hear(&room("r0"), id + 10_000, false));
        assert_eq!((news.spots.len(), news.spots[0].heard.len()), (PLACES, MESSAGES));
        assert_eq!(news.summary(&Place::Public), "r0 1000+, r1 1, r2 1, 509 more");
    }
}
