//! Kept rooms: they outlive their members and the process. Their owner is host, accounts are members whether or not they
//! are there, and what is said in them is stored.

mod ask;
mod book;
mod members;
mod restore;
mod state;
mod succession;

pub(super) use book::Book;
pub(super) use state::Kept;

use super::Hub;
use super::names::{RoomName, UserName, Who};
use super::record::{Account, Fate, KeptId, KeptRoom, Record, Spot};
use super::room::{Room, RoomId};
use state::Asked;

impl Hub {
    /// The kept rooms that an account is a member of.
    pub fn kept_rooms_of(&self, name: &UserName) -> Vec<KeptId> {
        self.kept.rooms_of(name).collect()
    }

    /// The kept rooms that an account owns.
    pub fn kept_rooms_owned_by(&self, account: &Account) -> Vec<KeptId> {
        let is_owner = |room: &KeptId| self.kept.find(*room).is_some_and(|id| self.is_owner(id, account));
        self.kept.rooms_of(&account.name).filter(is_owner).collect()
    }

    /// The kept room of that name, if the account is a member of it.
    pub fn kept_room_of(&self, name: &UserName, room: &RoomName) -> Option<KeptId> {
        let kept = self.rooms.room(self.rooms.find(room)?)?.kept.as_ref()?;
        kept.is_member(name).then_some(kept.id)
    }

    /// The name of a kept room.
    pub fn name_of_kept(&self, room: KeptId) -> Option<&RoomName> {
        Some(&self.rooms.room(self.kept.find(room)?)?.name)
    }

    /// The name of a room's host: of a kept room its owner, if one of the owner's sessions is there. `None` if nobody is.
    pub(super) fn host_of(&self, room: &Room) -> Option<Who> {
        let Some(kept) = &room.kept else { return room.host.and_then(|host| self.who_is(host)) };
        let owner = Who::Account(kept.owner.as_ref()?.name.clone());
        room.present().find(&owner).is_some().then_some(owner)
    }

    /// What becomes of a message that is said in this room.
    pub(super) fn fate_in(&mut self, id: RoomId) -> Fate {
        let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) else { return Fate::Unkept };
        if let Some(Asked::Off { unkept }) = &mut kept.asked {
            *unkept += 1;
            return Fate::Unkept;
        }
        let (room, is_stored) = (kept.id, kept.days > 0);
        if is_stored { self.fate(|| Spot::Room(room)) } else { Fate::Unkept }
    }

    /// The kept room and its account of this session, if the session's account is a member and no session of it is there.
    pub(super) fn membership_from_outside(&self, account: &UserName, room: &RoomName) -> Option<RoomId> {
        let id = self.rooms.find(room)?;
        let room = self.rooms.room(id)?;
        let is_outside = room.present().find(&Who::Account(account.clone())).is_none();
        (is_outside && self.is_member_of(id, account)).then_some(id)
    }

    pub(super) fn is_member_of(&self, id: RoomId, account: &UserName) -> bool {
        let kept = self.rooms.room(id).and_then(|room| room.kept.as_ref());
        kept.is_some_and(|kept| kept.is_member(account))
    }

    /// Whether this account owns the kept room.
    pub(super) fn is_owner(&self, id: RoomId, account: &Account) -> bool {
        let kept = self.rooms.room(id).and_then(|room| room.kept.as_ref());
        kept.is_some_and(|kept| kept.owner.as_ref() == Some(account))
    }

    /// Hands out what is kept of a room, if it is a kept one: something about it has changed.
    pub(super) fn record_room(&mut self, id: RoomId) {
        let Some(room) = self.rooms.room(id) else { return };
        if let Some(record) = room.kept.as_ref().and_then(|kept| kept.shown()).map(|kept| kept_room(room, kept)) {
            self.record(Record::Room(Box::new(record)));
        }
    }

    /// A kept room has ended, with all that is kept of it.
    pub(super) fn forget_kept(&mut self, kept: &Kept) {
        self.work += kept.members.len();
        self.kept.remove(kept.id, kept.members.keys());
        self.record(Record::RoomGone(kept.id));
    }
}

/// What is kept of a room: with what was asked for, which counts unless it turns out not to be on disk.
pub(super) fn kept_room(room: &Room, kept: &Kept) -> KeptRoom {
    let mut record = KeptRoom {
        id: kept.id,
        name: room.name.clone(),
        owner: kept.owner.clone(),
        ownerless_since_ms: kept.ownerless_since_ms,
        days: kept.days,
        topic: room.topic.clone(),
        lock: room.lock,
    };
    match &kept.asked {
        Some(Asked::Days(days)) => record.days = *days,
        Some(Asked::To(account)) => (record.owner, record.ownerless_since_ms) = (Some(account.clone()), 0),
        Some(Asked::New | Asked::Off { .. }) | None => {}
    }
    record
}
