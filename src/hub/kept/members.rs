//! Membership of accounts in kept rooms.

use super::state::Standing;
use crate::hub::Hub;
use crate::hub::event::Event;
use crate::hub::names::{UserName, Who};
use crate::hub::record::{Account, Record};
use crate::hub::room::{Room, RoomId};
use crate::limits::KEPT_MEMBERS;

impl Hub {
    /// Refuses a name that has to become a member with its entry, and may not.
    pub(in crate::hub) fn check_membership(&self, room: &Room, who: &Who) -> Result<(), Event> {
        let (Some(kept), Who::Account(name)) = (&room.kept, who) else { return Ok(()) };
        if kept.is_member(name) { Ok(()) } else { self.check_new_membership(name) }
    }

    /// Refuses an account that may not become a member of another kept room.
    pub(super) fn check_new_membership(&self, name: &UserName) -> Result<(), Event> {
        let most = self.rules.rooms_per_session;
        if self.kept.count_of(name) >= most as usize {
            return Err(Event::MemberOfTooMany { most });
        }
        if self.kept.members() >= KEPT_MEMBERS { Err(Event::KeptFull) } else { Ok(()) }
    }

    /// Makes the account of a session a member of the room that it is in, if that is a kept room and a bound allows it.
    pub(in crate::hub) fn become_member(&mut self, id: RoomId, account: Account) {
        let is_wanted = self.rooms.room(id).and_then(|room| room.kept.as_ref());
        let is_wanted = is_wanted.is_some_and(|kept| !kept.is_member(&account.name));
        if is_wanted && self.check_new_membership(&account.name).is_ok() {
            self.add_member(id, account, self.last_id);
        }
    }

    /// Adds a member to a kept room.
    fn add_member(&mut self, id: RoomId, account: Account, since_id: u64) {
        self.put_member(id, &account, since_id);
        let kept = self.rooms.room(id).and_then(|room| room.kept.as_ref()?.shown());
        if let Some(room) = kept.map(|kept| kept.id) {
            self.record(Record::Member(room, account, since_id));
        }
    }

    /// The same, without a record.
    pub(super) fn put_member(&mut self, id: RoomId, account: &Account, since_id: u64) {
        let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) else { return };
        let standing = Standing { account: account.clone(), place: self.kept.draw_place(), since_id };
        kept.members.insert(account.name.clone(), standing);
        self.kept.join(kept.id, account);
    }

    /// Ends a membership, unless it is the owner's. False if the account is not a member.
    pub(in crate::hub) fn end_membership(&mut self, id: RoomId, name: &UserName) -> bool {
        let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) else { return false };
        if kept.is_owned_by(name) {
            return true;
        }
        let Some(Standing { account, .. }) = kept.members.remove(name) else { return false };
        let room = kept.id;
        self.kept.part(room, name);
        self.record(Record::NoMember(room, account));
        true
    }

    /// Ends the membership of an account that has left a room, if no session of it is there.
    pub(in crate::hub) fn end_membership_of_absent(&mut self, id: RoomId, name: &UserName) {
        let who = Who::Account(name.clone());
        if self.rooms.room(id).is_some_and(|room| room.present().find(&who).is_none()) {
            self.end_membership(id, name);
        }
    }

    /// An account was deleted: it owns and inherits nothing, ignores nobody and is ignored by nobody. Its sessions have ended.
    pub fn forget_account(&mut self, account: &Account) {
        if self.kept.account(&account.name) == Some(account) {
            for room in self.kept_rooms_of(&account.name) {
                let Some(id) = self.kept.find(room) else { continue };
                self.disown(id, account);
                self.end_membership(id, &account.name);
            }
        }
        self.forget_person(account);
        self.waiting.forget(account);
        self.record(Record::Deleted(account.clone()));
    }

    /// A kept room is no longer this account's, if it was.
    fn disown(&mut self, id: RoomId, account: &Account) {
        let now_ms = self.now_ms;
        let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) else { return };
        if kept.owner.as_ref() == Some(account) {
            (kept.owner, kept.ownerless_since_ms) = (None, now_ms);
            self.record_room(id);
        }
    }
}
