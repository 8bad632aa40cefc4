//! Who is in which place of a history. Without sockets and clocks.

use chatd::history::fill::Place;

/// The fewest accounts that read, so that each searches seldom enough.
const READERS: u32 = 32;
/// The fewest accounts that are away and are written to.
const AWAY: u32 = 96;
/// Pairs of each reader …
const PAIRS_EACH: u32 = 8;
/// … and rooms.
const ROOMS_EACH: u32 = 24;

/// The accounts, the first of which read, and the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Accounts that read.
    pub(super) readers: u32,
    /// Accounts that are away.
    pub(super) away: u32,
    rooms: u32,
    pairs: u32,
}

impl Layout {
    /// With this many connections and places, of which there are at least 33.
    pub(super) fn new(connections: u32, places: u32) -> Self {
        let readers = READERS.max(connections);
        let rest = places.saturating_sub(1 + ROOMS_EACH);
        let pairs = rest.min(readers.saturating_mul(PAIRS_EACH));
        Self { readers, away: AWAY.max(connections), rooms: places.saturating_sub(1 + pairs), pairs }
    }

    /// All accounts.
    pub(super) fn accounts(&self) -> u32 {
        self.readers + self.away
    }

    /// Places of the first reader: everybody, rooms, pairs.
    pub(super) fn places_each(&self) -> u32 {
        1 + ROOMS_EACH + self.pairs.div_ceil(self.readers).min(PAIRS_EACH)
    }

    /// Places of all.
    pub(super) fn places_all(&self) -> u32 {
        1 + self.rooms + self.pairs
    }

    /// The name of a room.
    pub(super) fn room(room: u32) -> String {
        format!("past-{room}")
    }

    /// The names of a reader's rooms.
    pub(super) fn rooms_of(&self, reader: u32) -> Vec<String> {
        self.room_numbers(reader).map(Self::room).collect()
    }

    /// The numbers of a reader's rooms.
    fn room_numbers(&self, reader: u32) -> impl Iterator<Item = u32> {
        let rooms = self.rooms.max(1);
        let first = u64::from(reader) * u64::from(ROOMS_EACH) % u64::from(rooms);
        (0..ROOMS_EACH.min(rooms)).map(move |n| ((first + u64::from(n)) % u64::from(rooms)) as u32)
    }

    /// The places, for accounts of these names.
    pub(super) fn places(&self, names: &[String]) -> Vec<Place> {
        let name = |n: u32| names.get(n as usize).cloned().unwrap_or_default();
        let mut members: Vec<Vec<String>> = (0..self.rooms).map(|room| vec![name(self.owner(room))]).collect();
        for reader in 0..self.readers {
            for room in self.room_numbers(reader) {
                if let Some(members) = members.get_mut(room as usize)
                    && !members.contains(&name(reader))
                {
                    members.push(name(reader));
                }
            }
        }
        let mut places = vec![Place::Everybody(names.to_vec())];
        places.extend(
            members.into_iter().enumerate().map(|(room, members)| Place::Room(Self::room(room as u32), members)),
        );
        places.extend((0..self.pairs).map(|pair| Place::Pair(name(pair % self.readers), name(self.partner(pair)))));
        places
    }

    /// The owner of a room, who is away.
    fn owner(&self, room: u32) -> u32 {
        self.readers + room % self.away
    }

    /// The other one of a pair, who is away.
    fn partner(&self, pair: u32) -> u32 {
        self.readers + (pair / self.readers + pair % self.readers * PAIRS_EACH) % self.away
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_as_many_places_as_asked_for() {
        for (connections, places) in [(1, 500), (1, 33), (1, 900), (100, 500), (1000, 900), (7, 64)] {
            let layout = Layout::new(connections, places);
            assert_eq!(layout.places_all(), places);
            let names: Vec<String> = (0..layout.accounts()).map(|n| format!("load{n}")).collect();
            let all = layout.places(&names);
            assert_eq!(all.len(), places as usize, "{layout:?}");
            let pairs: HashSet<(String, String)> = all
                .iter()
                .filter_map(|place| match place {
                    Place::Pair(one, other) => Some((one.clone(), other.clone())),
                    Place::Everybody(_) | Place::Room(..) => None,
                })
                .collect();
            assert_eq!(pairs.len(), layout.pairs as usize, "pairs are different ones");
        }
    }

    #[test]
    fn a_reader_has_33_places() {
        let layout = Layout::new(1, 500);
        assert_eq!((layout.readers, layout.away, layout.places_each()), (32, 96, 33));
        let names: Vec<String> = (0..layout.accounts()).map(|n| format!("load{n}")).collect();
        for reader in [0, 1, 31] {
            let own = format!("load{reader}");
            let count = |place: &&Place| match place {
                Place::Everybody(names) | Place::Room(_, names) => names.contains(&own),
                Place::Pair(one, other) => *one == own || *other == own,
            };
            assert_eq!(layout.places(&names).iter().filter(count).count(), 33);
            assert_eq!(layout.rooms_of(reader).len(), 24);
        }
    }
}
