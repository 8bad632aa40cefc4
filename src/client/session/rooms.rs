//! The rooms that the user is in, so that they can be entered again.

use crate::client::action::Secret;

/// Which rooms, with the passwords that were typed for them.
#[derive(Debug, Default)]
pub(super) struct Rooms(Vec<Room>);

/// A room that the user is in, or was in when the link was lost.
#[derive(Clone, Debug)]
pub(super) struct Room {
    pub(super) name: String,
    pub(super) password: Option<Secret>,
}

/// Rooms that one can be in; no server lets one into more than a few dozen.
const MOST: usize = 256;

impl Rooms {
    /// The user is in this room now.
    pub(super) fn enter(&mut self, room: Room) {
        self.leave(&room.name);
        if self.0.len() < MOST {
            self.0.push(room);
        }
    }

    /// The user is not in this room any more; whether that is news.
    pub(super) fn leave(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|room| !is_same(&room.name, name));
        self.0.len() < before
    }

    pub(super) fn find(&self, name: &str) -> Option<&Room> {
        self.0.iter().find(|room| is_same(&room.name, name))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.iter()
    }
}

/// Whether two names are of one room.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_the_same_in_any_case() {
        let mut rooms = Rooms::default();
        for name in ["Größe", "GRÖSSE", "GRÖßE", "lobby"] {
            rooms.enter(Room { name: name.to_owned(), password: None });
        }
        assert_eq!(rooms.iter().map(|room| room.name.as_str()).collect::<Vec<_>>(), ["GRÖSSE", "GRÖßE", "lobby"]);
        assert!(rooms.find("LOBBY").is_some() && rooms.leave("Lobby") && !rooms.leave("lobby"));
    }

    #[test]
    fn bounded() {
        let mut rooms = Rooms::default();
        (0..1000).for_each(|number| rooms.enter(Room { name: format!("r{number}"), password: None }));
        assert_eq!(rooms.iter().count(), MOST);
    }
}
