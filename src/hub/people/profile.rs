//! `Set`: a change of a profile goes to the store, which alone knows what was there before.

use crate::hub::event::Event;
use crate::hub::profile::ProfileKey;
use crate::hub::record::{Account, Record, Setting};
use crate::hub::session::SessionId;
use crate::hub::waits::Waited;
use crate::hub::{Hub, Keeping};

impl Hub {
    /// `Set`. Ignored for guests. An account changes one thing at a time.
    pub(in crate::hub) fn on_set(&mut self, who: SessionId, key: ProfileKey, value: Option<&str>) {
        let Some(account) = self.account_of(who).cloned() else { return };
        match self.keeping {
            Keeping::Off => return self.tell(who, Event::NothingKept),
            Keeping::Full => return self.tell(who, Event::NotKept),
            Keeping::On => {}
        }
        if !self.waits.has_room() || !self.people.setting.insert(account.clone()) {
            return self.tell(who, Event::NotKept);
        }
        let id = self.next_id(self.now_ms);
        self.record(Record::Profile(Setting { id, account, key, value: value.map(Into::into) }));
        self.await_last(who, Waited::Set { id });
    }

    /// A change of a profile is on disk, or is not. Gives the answer.
    pub(in crate::hub) fn settle_set(&mut self, account: &Account, id: u64, is_kept: bool) -> Event {
        self.people.setting.remove(account);
        if is_kept {
            return Event::Done;
        }
        self.record(Record::Unset(id));
        Event::NotKept
    }
}
