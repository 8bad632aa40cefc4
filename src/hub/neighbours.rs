//! Neighbours: those who share a room with somebody. Each is told once, however many rooms they share.

use super::Hub;
use super::event::{Audience, Event, News};
use super::names::Who;
use super::room::RoomId;
use super::session::SessionId;
use crate::limits::WORK_MEMBERS;

/// The sessions that one search has met. People who share thirty rooms are met thirty times: to sort all of that, for each
/// change of a nick, takes most of a turn.
#[derive(Debug, Default)]
pub(super) struct Met {
    search: u64,
    /// By slot: the last search that met its session.
    met_by: Vec<u64>,
}

impl Met {
    /// Begins a search.
    fn begin(&mut self) {
        self.search += 1;
    }

    /// True once for each session in a search.
    fn is_first(&mut self, session: SessionId) -> bool {
        let slot = session.slot as usize;
        if slot >= self.met_by.len() {
            self.met_by.resize(slot + 1, 0);
        }
        let Some(met_by) = self.met_by.get_mut(slot) else { return true };
        std::mem::replace(met_by, self.search) != self.search
    }
}

impl Hub {
    /// Turns the news for neighbours on or off: who goes offline, is away, or has another display name. Off at first, as
    /// finding the neighbours is work, and not every server has a door that tells them.
    pub fn tell_neighbours(&mut self, is_on: bool) {
        self.tells_neighbours = is_on;
    }

    /// True if neighbours are told.
    #[cfg(test)]
    pub(crate) fn tells_neighbours(&self) -> bool {
        self.tells_neighbours
    }

    /// Tells those who share a room with somebody who is online, if they are told such things.
    pub(super) fn tell_neighbours_of(&mut self, who: &Who, news: News) {
        if !self.tells_neighbours {
            return;
        }
        let sessions = self.sessions_named(who).to_vec();
        let neighbours = self.neighbours_of(&sessions);
        if !neighbours.is_empty() {
            let event = Event::Neighbour { who: who.clone(), news };
            self.events.push_back((Audience::Neighbours(neighbours), event));
        }
    }

    /// The other sessions that hear a room in which one of these is, each once.
    pub(super) fn neighbours_of(&mut self, sessions: &[SessionId]) -> Vec<SessionId> {
        let places = sessions.iter().flat_map(|session| self.rooms.places_of(*session));
        let mut rooms: Vec<RoomId> = places.map(|(_, room)| room).collect();
        rooms.sort_unstable();
        rooms.dedup();
        self.met.begin();
        for session in sessions {
            self.met.is_first(*session);
        }
        let mut places = 0;
        let mut neighbours = Vec::new();
        for room in rooms.iter().filter_map(|id| self.rooms.room(*id)) {
            places += room.members().len();
            let listening = room.members().iter().filter(|member| member.listens).map(|member| member.session);
            neighbours.extend(listening.filter(|session| self.met.is_first(*session)));
        }
        neighbours.sort_unstable();
        self.work += places.div_ceil(WORK_MEMBERS) + neighbours.len();
        neighbours
    }

    /// The rooms of a session, in the order in which it entered them.
    pub(super) fn rooms_in_order(&self, who: SessionId) -> Vec<RoomId> {
        let mut places: Vec<(u64, RoomId)> = self.rooms.places_of(who).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, id)| id).collect()
    }
}
