//! KEEP, and what comes of it once it is on disk or is not.

use super::state::Asked;
use super::{Kept, kept_room};
use crate::hub::command::Keep;
use crate::hub::event::{Audience, Event};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::record::{Account, Hole, KeptId, Record, Spot};
use crate::hub::room::RoomId;
use crate::hub::session::SessionId;
use crate::hub::waits::Waited;
use crate::hub::{Hub, Keeping};
use crate::limits::{KEPT_MEMBERS, KEPT_ROOMS, KEPT_ROOMS_EACH};

impl Hub {
    /// `Keep`. Refused for guests, who own nothing.
    pub(in crate::hub) fn on_keep(&mut self, who: SessionId, room: &RoomName, how: Keep) {
        let Some(account) = self.account_of(who).cloned() else { return self.tell(who, Event::NeedsAccount) };
        if let Err(answer) = self.keep(who, &account, room, how) {
            self.tell(who, answer);
        }
    }

    /// Asks the store for what is asked for. `Err` is an answer at once.
    fn keep(&mut self, who: SessionId, account: &Account, room: &RoomName, how: Keep) -> Result<(), Event> {
        if self.keeping == Keeping::Off {
            return Err(Event::NothingKept);
        }
        let id = self.host_place(who, room)?;
        let kept = self.rooms.room(id).and_then(|room| room.kept.as_ref());
        if kept.is_some_and(|kept| kept.asked.is_some()) || !self.waits.has_room() {
            return Err(Event::NotKept);
        }
        let is_kept = kept.is_some();
        match how {
            Keep::Days(days) => {
                let days = self.days(days)?;
                if is_kept { self.ask(who, id, Asked::Days(days)) } else { self.begin(who, id, account, days)? }
            }
            Keep::To(name) => {
                let heir = self.heir(id, &name)?;
                self.ask(who, id, Asked::To(heir));
            }
            Keep::Off if is_kept => self.ask(who, id, Asked::Off { unkept: 0 }),
            Keep::Off => return Err(Event::Done),
        }
        Ok(())
    }

    /// The days for which messages are to be kept, within what the rules allow.
    fn days(&self, asked: Option<u32>) -> Result<u32, Event> {
        let most = self.rules.keep_days;
        let days = asked.unwrap_or(most);
        if days > most { Err(Event::TooManyDays { most }) } else { Ok(days) }
    }

    /// The member account of that name, if it may own the room.
    fn heir(&self, id: RoomId, name: &UserName) -> Result<Account, Event> {
        let refusal = || Event::NotInRoom { name: Who::Account(name.clone()) };
        let kept = self.rooms.room(id).and_then(|room| room.kept.as_ref()).ok_or_else(refusal)?;
        let heir = kept.members.get(name).ok_or_else(refusal)?.account.clone();
        if !kept.is_owned_by(name) && self.owned_by(name) >= KEPT_ROOMS_EACH {
            return Err(Event::OwnsTooMany { name: Some(heir.name), most: KEPT_ROOMS_EACH });
        }
        Ok(heir)
    }

    /// The number of kept rooms that an account owns, or gets if what is on its way to the disk gets there.
    pub(super) fn owned_by(&self, name: &UserName) -> usize {
        let rooms = self.kept.rooms_of(name).filter_map(|id| self.rooms.room(self.kept.find(id)?)?.kept.as_ref());
        let gets = |kept: &Kept| matches!(&kept.asked, Some(Asked::To(heir)) if heir.name == *name);
        rooms.filter(|kept| kept.is_owned_by(name) || gets(kept)).count()
    }

    /// Keeps a room from now on. All accounts in it become members, except those that are members of as many rooms as they
    /// may.
    fn begin(&mut self, who: SessionId, id: RoomId, owner: &Account, days: u32) -> Result<(), Event> {
        if self.owned_by(&owner.name) >= KEPT_ROOMS_EACH {
            return Err(Event::OwnsTooMany { name: None, most: KEPT_ROOMS_EACH });
        }
        self.check_new_membership(&owner.name)?;
        let accounts = self.accounts_in(id);
        if self.kept.len() >= KEPT_ROOMS || self.kept.members() + accounts.len() > KEPT_MEMBERS {
            return Err(Event::KeptFull);
        }
        let room = self.kept.draw().ok_or(Event::KeptFull)?;
        self.work += accounts.len();
        self.put_kept(
            id,
            Kept {
                id: room,
                owner: Some(owner.clone()),
                ownerless_since_ms: 0,
                days,
                members: Default::default(),
                asked: Some(Asked::New),
            },
        );
        self.record_room(id);
        accounts.into_iter().for_each(|account| self.become_member(id, account));
        self.await_last(who, Waited::Keep { room, is_off: false });
        Ok(())
    }

    /// The accounts with a session in a room, the longest-standing first.
    fn accounts_in(&self, id: RoomId) -> Vec<Account> {
        let mut seen = std::collections::BTreeSet::new();
        let accounts = self.members_of(id).iter().filter_map(|member| self.account_of(member.session));
        accounts.filter(|account| seen.insert(&account.name)).cloned().collect()
    }

    /// Makes a room a kept one.
    pub(super) fn put_kept(&mut self, id: RoomId, kept: Kept) {
        let Some(room) = self.rooms.room_mut(id) else { return };
        self.kept.open(kept.id, id);
        room.host = None;
        room.kept = Some(Box::new(kept));
    }

    /// Asks the store to change what is kept of a room.
    fn ask(&mut self, who: SessionId, id: RoomId, asked: Asked) {
        let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) else { return };
        let (room, is_off) = (kept.id, matches!(asked, Asked::Off { .. }));
        kept.asked = Some(asked);
        if is_off {
            self.record(Record::RoomGone(room));
        } else {
            self.record_room(id);
        }
        self.await_last(who, Waited::Keep { room, is_off });
    }

    /// What was asked of a kept room is on disk, or is not. Gives the answer.
    pub(in crate::hub) fn settle_keep(&mut self, room: KeptId, is_off: bool, is_kept: bool) -> Event {
        let Some(id) = self.kept.find(room) else {
            // It was closed meanwhile.
            return match (is_kept, is_off) {
                (true, true) => Event::Done,
                (true, false) => Event::NoSuchRoom,
                (false, _) => Event::NotKept,
            };
        };
        let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) else { return Event::NotKept };
        let Some(asked) = kept.asked.take() else { return Event::NotKept };
        if is_kept { self.settle_asked(id, asked) } else { self.undo_asked(id, asked) }
    }

    fn settle_asked(&mut self, id: RoomId, asked: Asked) -> Event {
        match asked {
            Asked::New => self.announce_kept(id),
            Asked::Days(days) => {
                if let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) {
                    kept.days = days;
                }
                self.announce_kept(id);
            }
            Asked::To(heir) if self.is_member_account(id, &heir) => self.hand_over(id, heir),
            Asked::To(heir) => {
                self.record_room(id); // the heir has left
                return Event::NotInRoom { name: Who::Account(heir.name) };
            }
            Asked::Off { .. } => {
                self.end_keeping(id);
                self.announce_kept(id);
                self.find_host(id);
            }
        }
        Event::Done
    }

    /// Brings a room back to what it was before `asked`.
    fn undo_asked(&mut self, id: RoomId, asked: Asked) -> Event {
        match asked {
            Asked::New => {
                if let Some(kept) = self.end_keeping(id) {
                    self.record(Record::RoomGone(kept));
                }
                self.find_host(id);
            }
            Asked::Days(_) | Asked::To(_) => self.record_room(id),
            Asked::Off { unkept } => self.record_again(id, unkept),
        }
        Event::NotKept
    }

    /// Hands out all that is kept of a room again, and how many of its messages are off the record.
    fn record_again(&mut self, id: RoomId, unkept: u64) {
        let Some((room, kept)) = self.rooms.room(id).and_then(|room| Some((room, room.kept.as_ref()?))) else { return };
        let spot = Spot::Room(kept.id);
        let is_stored = kept.days > 0;
        let mut records = vec![Record::Room(Box::new(kept_room(room, kept)))];
        for member in kept.by_standing() {
            records.push(Record::Member(kept.id, member.account.clone(), member.since_id));
        }
        self.work += records.len();
        if unkept > 0 && is_stored {
            let (id, why) = (self.next_id(0), "the store did not answer".into());
            records.push(Record::Hole(Hole { id, spot, with: None, count: Some(unkept), why }));
        }
        records.into_iter().for_each(|record| self.record(record));
    }

    /// Makes a kept room one that is not kept, which may have no host then. Gives the id that it had.
    fn end_keeping(&mut self, id: RoomId) -> Option<KeptId> {
        let room = self.rooms.room_mut(id)?;
        let kept = room.kept.take()?;
        let owner = kept.owner.as_ref().map(|owner| Who::Account(owner.name.clone()));
        let sessions = owner.and_then(|owner| room.present().find(&owner).map(|(_, sessions)| sessions));
        room.host = sessions.and_then(|sessions| sessions.first().copied());
        self.work += kept.members.len();
        self.kept.remove(kept.id, kept.members.keys());
        Some(kept.id)
    }

    /// Tells the members for how long a room is kept now.
    fn announce_kept(&mut self, id: RoomId) {
        let Some(room) = self.rooms.room(id) else { return };
        let event = Event::RoomKept { room: room.name.clone(), days: room.kept.as_ref().map(|kept| kept.days) };
        self.events.push_back((Audience::Room { room: id, except: None }, event));
    }

    fn is_member_account(&self, id: RoomId, account: &Account) -> bool {
        let kept = self.rooms.room(id).and_then(|room| room.kept.as_ref());
        let standing = kept.and_then(|kept| kept.members.get(&account.name));
        standing.is_some_and(|standing| standing.account == *account)
    }
}
