//! Who owns a kept room next.

use crate::hub::Hub;
use crate::hub::event::{Audience, Closing, Event};
use crate::hub::names::Who;
use crate::hub::record::Account;
use crate::hub::room::RoomId;
use crate::limits::KEPT_ROOMS_EACH;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Hub {
    /// Passes kept rooms on whose owner was deleted [`Rules::keep_days`](crate::hub::Rules::keep_days) ago: to the
    /// longest-standing member account that may own another one. A room without member accounts closes. Call this now and
    /// then, at least once an hour; poll events and records afterwards. `unix_ms` is the Unix time in milliseconds.
    pub fn tend_kept_rooms(&mut self, unix_ms: u64) {
        self.now_ms = unix_ms;
        let ownerless = self.kept.all().filter(|id| self.ownerless_since(*id).is_some()).collect::<Vec<_>>();
        for id in ownerless {
            match self.ownerless_since(id) {
                None => {}
                Some(0) => self.date(id, unix_ms),
                Some(since) if unix_ms.saturating_sub(since) >= u64::from(self.rules.keep_days) * DAY_MS => {
                    self.succeed(id);
                }
                Some(_) => {}
            }
        }
    }

    /// Since when a kept room has no owner; `None` if it has one, or may get one at any moment.
    fn ownerless_since(&self, id: RoomId) -> Option<u64> {
        let kept = self.rooms.room(id)?.kept.as_ref()?;
        (kept.owner.is_none() && kept.asked.is_none()).then_some(kept.ownerless_since_ms)
    }

    fn date(&mut self, id: RoomId, unix_ms: u64) {
        if let Some(kept) = self.rooms.room_mut(id).and_then(|room| room.kept.as_mut()) {
            kept.ownerless_since_ms = unix_ms;
        }
        self.record_room(id);
    }

    /// Gives a room to its longest-standing member account.
    fn succeed(&mut self, id: RoomId) {
        let Some(kept) = self.rooms.room(id).and_then(|room| room.kept.as_ref()) else { return };
        if kept.members.is_empty() {
            return self.close_room(id, Closing::HostLeft);
        }
        let members = kept.by_standing();
        let heir = members.iter().find(|member| self.owned_by(&member.account.name) < KEPT_ROOMS_EACH);
        let heir = heir.map(|heir| heir.account.clone());
        self.work += self.rooms.room(id).and_then(|room| room.kept.as_ref()).map_or(0, |kept| kept.members.len());
        if let Some(heir) = heir {
            self.hand_over(id, heir);
            self.record_room(id);
        }
    }

    /// Makes a member account the owner of a kept room.
    pub(super) fn hand_over(&mut self, id: RoomId, heir: Account) {
        let who = Who::Account(heir.name.clone());
        let Some(room) = self.rooms.room_mut(id) else { return };
        let Some(kept) = &mut room.kept else { return };
        let former = kept.owner.replace(heir).map(|owner| Who::Account(owner.name));
        kept.ownerless_since_ms = 0;
        if former.as_ref() != Some(&who) && room.present().find(&who).is_some() {
            let was = former.filter(|former| room.present().find(former).is_some());
            let event = Event::HostIs { room: room.name.clone(), who, was };
            self.events.push_back((Audience::Room { room: id, except: None }, event));
        }
    }
}
