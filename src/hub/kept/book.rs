//! The table of all kept rooms, and of the accounts that are members of any.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::names::UserName;
use crate::hub::record::{Account, KeptId};
use crate::hub::room::RoomId;

/// All kept rooms by their ids, and the memberships of each account.
#[derive(Debug, Default)]
pub(in crate::hub) struct Book {
    rooms: BTreeMap<KeptId, RoomId>,
    accounts: BTreeMap<UserName, Memberships>,
    members: usize,
    last_room: u32,
    last_place: u64,
}

/// The kept rooms that one account is a member of; at least one.
#[derive(Debug)]
struct Memberships {
    account: Account,
    rooms: BTreeSet<KeptId>,
}

impl Book {
    /// An id that no kept room has had; `None` if there are none left.
    pub(super) fn draw(&mut self) -> Option<KeptId> {
        self.last_room = self.last_room.checked_add(1)?;
        Some(KeptId(self.last_room))
    }

    /// Notes that ids up to this one were used.
    pub(super) fn skip_to(&mut self, last: u32) {
        self.last_room = self.last_room.max(last);
    }

    /// The next member's place in the order of standing.
    pub(super) fn draw_place(&mut self) -> u64 {
        self.last_place += 1;
        self.last_place
    }

    pub(super) fn open(&mut self, id: KeptId, room: RoomId) {
        self.rooms.insert(id, room);
    }

    /// Removes a kept room and all memberships of it.
    pub(super) fn remove<'a>(&mut self, id: KeptId, members: impl Iterator<Item = &'a UserName>) {
        self.rooms.remove(&id);
        members.for_each(|name| self.part(id, name));
    }

    /// Notes that an account is a member.
    pub(super) fn join(&mut self, id: KeptId, account: &Account) {
        let empty = || Memberships { account: account.clone(), rooms: BTreeSet::new() };
        let memberships = self.accounts.entry(account.name.clone()).or_insert_with(empty);
        self.members += usize::from(memberships.rooms.insert(id));
    }

    /// Notes that an account is no longer a member.
    pub(super) fn part(&mut self, id: KeptId, name: &UserName) {
        let Some(memberships) = self.accounts.get_mut(name) else { return };
        self.members -= usize::from(memberships.rooms.remove(&id));
        if memberships.rooms.is_empty() {
            self.accounts.remove(name);
        }
    }

    pub(super) fn find(&self, id: KeptId) -> Option<RoomId> {
        self.rooms.get(&id).copied()
    }

    /// The kept rooms of an account, the oldest first.
    pub(super) fn rooms_of(&self, name: &UserName) -> impl Iterator<Item = KeptId> + '_ {
        self.accounts.get(name).into_iter().flat_map(|memberships| memberships.rooms.iter().copied())
    }

    /// The number of kept rooms of an account.
    pub(super) fn count_of(&self, name: &UserName) -> usize {
        self.accounts.get(name).map_or(0, |memberships| memberships.rooms.len())
    }

    /// The account of that name, if it is a member of any kept room.
    pub(in crate::hub) fn account(&self, name: &UserName) -> Option<&Account> {
        self.accounts.get(name).map(|memberships| &memberships.account)
    }

    /// All kept rooms, the oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = RoomId> + '_ {
        self.rooms.values().copied()
    }

    /// The number of kept rooms.
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Memberships of all accounts together.
    pub(super) fn members(&self) -> usize {
        self.members
    }

    /// Checks that rooms, accounts and numbers agree; `members` are those that the rooms have.
    #[cfg(test)]
    pub(in crate::hub) fn check_invariants(&self, members: &[(KeptId, RoomId, Account)]) {
        let ours = self.accounts.values().flat_map(|memberships| {
            memberships.rooms.iter().map(|id| (*id, self.rooms[id], memberships.account.clone()))
        });
        let mut ours: Vec<_> = ours.collect();
        let mut theirs = members.to_vec();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "the book is not about these rooms");
        assert_eq!(self.members, ours.len());
        assert!(self.accounts.values().all(|memberships| !memberships.rooms.is_empty()));
        assert!(self.rooms.keys().all(|id| id.0 <= self.last_room));
    }
}
