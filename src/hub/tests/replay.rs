//! A store in a few lists: what comes of the records.

use std::collections::BTreeSet;

use super::record::{Restored, RestoredRoom, Row, Waiting};
use super::*;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Replay {
    /// The rooms with their members, the longest-standing first.
    pub(super) rooms: BTreeMap<KeptId, (KeptRoom, Vec<Account>)>,
    /// The messages by their ids, with the senders' accounts.
    pub(super) rows: BTreeMap<u64, (Row, Option<Account>)>,
    /// Who ignores whom.
    pub(super) ignores: BTreeSet<(Account, Whom)>,
    /// All changes of profiles, by their ids.
    settings: BTreeMap<u64, Setting>,
    accounts: BTreeMap<UserName, Account>,
    seen: BTreeMap<Account, u64>,
    last_id: u64,
    last_room: u32,
}

impl Replay {
    pub(super) fn apply(&mut self, record: &Record) {
        match record.clone() {
            Record::Row(row) => {
                let from = match &row.from {
                    Who::Account(name) => Some(self.accounts.get(name).expect("the sender is on record").clone()),
                    Who::Guest(_) => None,
                };
                self.last_id = self.last_id.max(row.id);
                assert!(self.rows.insert(row.id, (row, from)).is_none(), "two messages have one id");
            }
            Record::Account(account) => {
                self.forget(|other| other.name == account.name && *other != account);
                self.accounts.insert(account.name.clone(), account);
            }
            Record::Seen(account, id) => {
                self.seen.insert(account, id);
            }
            Record::Room(room) => {
                self.last_room = self.last_room.max(room.id.0);
                let members = self.rooms.remove(&room.id).map_or_else(Vec::new, |(_, members)| members);
                self.rooms.insert(room.id, (*room, members));
            }
            Record::RoomGone(id) => {
                self.rooms.remove(&id);
                self.rows.retain(|_, (row, _)| row.spot != Spot::Room(id));
            }
            Record::Member(id, account, _) => {
                if let Some((_, members)) = self.rooms.get_mut(&id)
                    && !members.contains(&account)
                {
                    members.push(account);
                }
            }
            Record::NoMember(id, account) => {
                if let Some((_, members)) = self.rooms.get_mut(&id) {
                    members.retain(|member| *member != account);
                }
            }
            Record::Withdrawn(id) => {
                self.rows.remove(&id);
            }
            Record::Hole(hole) => self.last_id = self.last_id.max(hole.id),
            Record::Ignore(account, whom) => {
                self.ignores.insert((account, whom));
            }
            Record::NoIgnore(account, whom) => {
                self.ignores.remove(&(account, whom));
            }
            Record::Profile(setting) => {
                self.last_id = self.last_id.max(setting.id);
                self.settings.insert(setting.id, setting);
            }
            Record::Unset(id) => {
                self.settings.remove(&id);
            }
            Record::Deleted(account) => self.forget(|other| *other == account),
            Record::Floor(..) => {}
        }
    }

    /// These accounts are gone: they have no profile, ignore nobody, and nobody ignores them.
    fn forget(&mut self, is_gone: impl Fn(&Account) -> bool) {
        let is_whom_gone = |whom: &Whom| matches!(whom, Whom::Account(whom) if is_gone(whom));
        self.ignores.retain(|(account, whom)| !is_gone(account) && !is_whom_gone(whom));
        self.settings.retain(|_, setting| !is_gone(&setting.account));
    }

    /// What each account says of itself.
    pub(super) fn profiles(&self) -> BTreeMap<(Account, ProfileKey), Box<str>> {
        let mut profiles = BTreeMap::new();
        for Setting { account, key, value, .. } in self.settings.values().cloned() {
            match value {
                Some(value) => profiles.insert((account, key), value),
                None => profiles.remove(&(account, key)),
            };
        }
        profiles
    }

    /// A record whose commit has failed: nothing of it is left but that its id was used.
    pub(super) fn skip(&mut self, record: &Record) {
        if let Record::Row(Row { id, .. }) | Record::Profile(Setting { id, .. }) = record {
            self.last_id = self.last_id.max(*id);
        }
    }

    /// What a new hub is given.
    pub(super) fn restored(&self) -> Restored {
        let rooms = self.rooms.values().cloned().map(|(room, members)| RestoredRoom { room, members });
        let mut waiting: Vec<Waiting> = Vec::new();
        for (row, from) in self.rows.values() {
            let (Spot::Direct(to), Some(from)) = (row.spot.clone(), from.clone()) else { continue };
            if self.seen.get(&to).is_some_and(|seen| row.id <= *seen) {
                continue;
            }
            match waiting.iter_mut().find(|waiting| waiting.to == to && waiting.from == from) {
                Some(waiting) => waiting.count += 1,
                None => waiting.push(Waiting { to, from, count: 1 }),
            }
        }
        // A name that has waiting messages of an older account has them no more.
        waiting.retain(|waiting| self.accounts.get(&waiting.to.name).is_none_or(|account| *account == waiting.to));
        Restored {
            last_id: self.last_id,
            last_room: self.last_room,
            rooms: rooms.collect(),
            waiting,
            ignores: self.ignores.iter().cloned().collect(),
        }
    }

    /// Whether this account may read a message.
    pub(super) fn is_of(&self, id: u64, account: &Account) -> bool {
        let Some((row, from)) = self.rows.get(&id) else { return false };
        match &row.spot {
            Spot::Everybody => true,
            Spot::Room(room) => self.rooms.get(room).is_some_and(|(_, members)| members.contains(account)),
            Spot::Direct(to) => to == account || from.as_ref() == Some(account),
        }
    }
}
