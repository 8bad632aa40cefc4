//! The rooms that the user is in, so that they can be entered again.

use crate::client::action::Secret;

/// Which rooms, with the passwords that were typed for them.
#[derive(Debug, Default)]
pub(super) struct Rooms(Vec<Room>);

/// A room that the user is in, or was in when the link was lost.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// As the server spells it.
    pub(super) name: String,
    /// As the user has typed it: that may be another normal form of the same letters, which only the server tells.
    pub(super) typed: String,
    pub(super) password: Option<Secret>,
}

/// Rooms that one can be in; no server lets one into more than a few dozen.
const MOST: usize = 256;

impl Rooms {
    /// The user is in this room now.
    pub(super) fn enter(&mut self, mut room: Room) {
        if let Some(before) = self.leave(&room.name)
            && is_same(&room.name, &room.typed)
        {
            room.typed = before.typed; // it is entered again by itself, under the name that the server gave it
        }
        if self.0.len() < MOST {
            self.0.push(room);
        }
    }

    /// The user is not in this room any more; what it was.
    pub(super) fn leave(&mut self, name: &str) -> Option<Room> {
        let place = self.0.iter().position(|room| room.is_called(name))?;
        Some(self.0.remove(place))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Room> {
        self.0.iter().find(|room| room.is_called(name))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.0.iter()
    }
}

impl Room {
    fn is_called(&self, name: &str) -> bool {
        is_same(&self.name, name) || is_same(&self.typed, name)
    }
}

/// Whether two names are of one room: in any case, if they have the same normal form.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str, typed: &str) -> Room {
        Room { name: name.to_owned(), typed: typed.to_owned(), password: None }
    }

    #[test]
    fn rooms_are_the_same_in_any_case() {
        let mut rooms = Rooms::default();
        for name in ["Größe", "GRÖSSE", "GRÖßE", "lobby"] {
            rooms.enter(room(name, name));
        }
        assert_eq!(rooms.iter().map(|room| room.name.as_str()).collect::<Vec<_>>(), ["GRÖSSE", "GRÖßE", "lobby"]);
        assert!(rooms.find("LOBBY").is_some());
        assert!(rooms.leave("Lobby").is_some() && rooms.leave("lobby").is_none());
    }

    #[test]
    fn rooms_go_by_the_name_that_was_typed_too() {
        let mut rooms = Rooms::default();
        rooms.enter(room("caf\u{e9}", "cafe\u{301}"));
        rooms.enter(room("caf\u{e9}", "caf\u{e9}"));
        for name in ["caf\u{e9}", "CAFE\u{301}"] {
            assert_eq!(rooms.find(name).map(|room| room.typed.as_str()), Some("cafe\u{301}"));
        }
    }

    #[test]
    fn bounded() {
        let mut rooms = Rooms::default();
        (0..1000).for_each(|number| rooms.enter(room(&format!("r{number}"), "")));
        assert_eq!(rooms.iter().count(), MOST);
    }
}
