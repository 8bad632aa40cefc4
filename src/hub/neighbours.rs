//! Neighbours: those who share a room with somebody. Each is told once, however many rooms they share.

use super::Hub;
use super::event::{Audience, Event, News};
use super::names::Who;
use super::room::RoomId;
use super::session::SessionId;
use crate::limits::WORK_MEMBERS;

impl Hub {
    /// Whether neighbours are told who goes offline, is away or calls itself otherwise. While no door spells that, it need
    /// not be found out who they are. Off at first.
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
        let members = rooms.iter().filter_map(|id| self.rooms.room(*id)).flat_map(|room| room.members());
        let listening = members.filter(|member| member.listens).map(|member| member.session);
        let mut neighbours: Vec<SessionId> = listening.filter(|other| !sessions.contains(other)).collect();
        self.work += neighbours.len().div_ceil(WORK_MEMBERS);
        neighbours.sort_unstable();
        neighbours.dedup();
        neighbours
    }

    /// The rooms of a session, in the order in which it entered them.
    pub(super) fn rooms_in_order(&self, who: SessionId) -> Vec<RoomId> {
        let mut places: Vec<(u64, RoomId)> = self.rooms.places_of(who).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, id)| id).collect()
    }
}
