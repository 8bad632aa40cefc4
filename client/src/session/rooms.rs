//! The rooms that the user is in, so that they can be entered again.

use chatd::text::is_same_name;

use crate::action::Secret;

/// The rooms, with the passwords typed for them.
#[derive(Debug, Default)]
pub(super) struct Rooms(Vec<Room>);

/// A room that the user is in, or was in when the connection was lost.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// The server's spelling.
    pub(super) name: String,
    pub(super) password: Option<Secret>,
    /// Whether it outlives its members, and what is said there is kept.
    pub(super) is_kept: bool,
}

/// The most rooms; no server allows more than a few dozen.
const MOST: usize = 256;

impl Rooms {
    /// The user is in this room now.
    pub(super) fn enter(&mut self, room: Room) {
        self.leave(&room.name);
        if self.0.len() < MOST {
            self.0.push(room);
        }
    }

    /// Removes a room that the user is no longer in.
    pub(super) fn leave(&mut self, name: &str) -> Option<Room> {
        let place = self.0.iter().position(|room| is_same_name(&room.name, name))?;
        Some(self.0.remove(place))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Room> {
        self.0.iter().find(|room| is_same_name(&room.name, name))
    }

    /// A room is kept from now on, or no longer.
    pub(super) fn keep(&mut self, name: &str, is_kept: bool) {
        if let Some(room) = self.0.iter_mut().find(|room| is_same_name(&room.name, name)) {
            room.is_kept = is_kept;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Room {
        Room { name: name.to_owned(), password: None, is_kept: false }
    }

    #[test]
    fn rooms_are_the_same_in_any_case() {
        let mut rooms = Rooms::default();
        for name in ["Größe", "GRÖSSE", "GRÖßE", "lobby"] {
            rooms.enter(room(name));
        }
        assert_eq!(rooms.iter().map(|room| room.name.as_str()).collect::<Vec<_>>(), ["GRÖSSE", "GRÖßE", "lobby"]);
        assert!(rooms.find("LOBBY").is_some());
        assert!(rooms.leave("Lobby").is_some() && rooms.leave("lobby").is_none());
    }

    #[test]
    fn bounded() {
        let mut rooms = Rooms::default();
        (0..1000).for_each(|number| rooms.enter(room(&format!("r{number}"))));
        assert_eq!(rooms.iter().count(), MOST);
    }
}
