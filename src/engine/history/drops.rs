//! Messages that were delivered and not kept, counted by place until the store has room for saying so.

use std::collections::BTreeMap;

use crate::hub::record::{Account, Spot};

/// The most places that are counted one by one. Messages of more are counted for everybody's place.
const PLACES: usize = 65_536;

/// The counts. Bounded.
#[derive(Debug, Default)]
pub(super) struct Drops(BTreeMap<Dropped, u64>);

/// A place of dropped messages; of direct messages, both accounts in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dropped {
    pub(super) spot: Spot,
    pub(super) with: Option<Account>,
}

impl Drops {
    /// Counts a message of `from`, which is `None` for a guest.
    pub(super) fn add(&mut self, spot: Spot, from: Option<Account>) {
        let place = match (spot, from) {
            (Spot::Direct(to), Some(from)) => {
                let (first, second) = if to < from { (to, from) } else { (from, to) };
                Dropped { spot: Spot::Direct(first), with: Some(second) }
            }
            (spot, _) => Dropped { spot, with: None },
        };
        if self.0.len() >= PLACES && !self.0.contains_key(&place) {
            return self.add(Spot::Everybody, None);
        }
        *self.0.entry(place).or_default() += 1;
    }

    /// Takes all places, each with its number of messages.
    pub(super) fn take(&mut self) -> BTreeMap<Dropped, u64> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::names::UserName;
    use crate::hub::record::KeptId;

    fn account(name: &str) -> Account {
        Account { name: UserName::parse(name).unwrap(), since: 1 }
    }

    #[test]
    fn both_directions_of_direct_messages_are_one_place() {
        let mut drops = Drops::default();
        let (alice, bob) = (account("alice"), account("bob"));
        drops.add(Spot::Direct(bob.clone()), Some(alice.clone()));
        drops.add(Spot::Direct(alice.clone()), Some(bob.clone()));
        drops.add(Spot::Room(KeptId(3)), Some(alice.clone()));
        drops.add(Spot::Everybody, Some(bob.clone()));
        drops.add(Spot::Everybody, None);
        let all: Vec<_> = drops.take().into_iter().map(|(place, count)| (place.spot, place.with, count)).collect();
        let expected = [
            (Spot::Everybody, None, 2),
            (Spot::Room(KeptId(3)), None, 1),
            (Spot::Direct(alice), Some(bob), 2),
        ];
        assert_eq!(all, expected);
        assert!(drops.take().is_empty());
    }

    #[test]
    fn more_places_than_the_bound_are_counted_together() {
        let mut drops = Drops::default();
        drops.add(Spot::Everybody, None);
        for room in 0..PLACES as u32 + 10 {
            drops.add(Spot::Room(KeptId(room)), None);
        }
        let all = drops.take();
        assert_eq!(all.len(), PLACES);
        let everybody = Dropped { spot: Spot::Everybody, with: None };
        assert_eq!(all.get(&everybody), Some(&12));
    }
}
