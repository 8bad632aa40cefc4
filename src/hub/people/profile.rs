//! `Set`: a change of a profile goes to the store, which alone knows what was there before.

use crate::hub::event::Event;
use crate::hub::profile::ProfileKey;
use crate::hub::record::{Account, Record, Setting};
use crate::hub::session::SessionId;
use crate::hub::waits::Waited;
use crate::hub::{Hub, Keeping};

impl Hub {
    /// `Set`. An account changes one thing at a time. A guest has a name alone, which nothing keeps.
    pub(in crate::hub) fn on_set(&mut self, who: SessionId, key: ProfileKey, value: Option<&str>) {
        let value: Option<Box<str>> = value.map(Into::into);
        let Some(account) = self.account_of(who).cloned() else { return self.set_of_guest(who, key, value) };
        match self.keeping {
            Keeping::Off => return self.tell(who, Event::NothingKept),
            Keeping::Full => return self.tell(who, Event::NotKept),
            Keeping::On => {}
        }
        if !self.waits.has_room() || !self.people.setting.insert(account.clone()) {
            return self.tell(who, Event::NotKept);
        }
        let id = self.next_id(self.now_ms);
        self.record(Record::Profile(Setting { id, account, key, value: value.clone() }));
        self.await_last(who, Waited::Set { id, key, value });
    }

    fn set_of_guest(&mut self, who: SessionId, key: ProfileKey, value: Option<Box<str>>) {
        let guest = self.roster.who_of(who).filter(|_| key == ProfileKey::Name);
        let Some(guest) = guest else { return self.tell(who, Event::NeedsAccount) };
        self.set_called(&guest, value);
        self.tell(who, Event::Done);
    }

    /// A change of a profile is on disk, or is not. Gives the answer.
    pub(in crate::hub) fn settle_set(
        &mut self,
        account: &Account,
        set: (ProfileKey, Option<Box<str>>),
        id: u64,
        is_kept: bool,
    ) -> Event {
        self.people.setting.remove(account);
        let (key, value) = set;
        if is_kept {
            let online = self.sessions_of(&account.name).first().and_then(|session| self.account_of(*session));
            if key == ProfileKey::Name && online == Some(account) {
                self.set_called(&account.name.clone().into(), value);
            }
            return Event::Done;
        }
        self.record(Record::Unset(id));
        Event::NotKept
    }
}
