//! What accounts say of themselves, in the store in memory.

use std::collections::BTreeMap;

use crate::history::Profile;
use crate::hub::profile::ProfileKey;
use crate::hub::record::{Account, Record, Setting};

/// The values, each with those before it.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    values: BTreeMap<(Account, ProfileKey), Vec<Change>>,
    seen: BTreeMap<Account, u64>,
    /// Changes that failed, and those that were taken back.
    failed: Vec<u64>,
    pub(super) unset: Vec<u64>,
}

/// The id of a change, and the value.
type Change = (u64, Option<Box<str>>);

impl Profiles {
    pub(super) fn of(&self, who: &Account) -> Profile {
        let of_key = |key: ProfileKey| {
            let (_, value) = self.values.get(&(who.clone(), key))?.last()?;
            Some((key, value.clone()?))
        };
        let seen = self.seen.get(who).copied().unwrap_or_default();
        Profile { values: ProfileKey::ALL.into_iter().filter_map(of_key).collect(), seen }
    }

    pub(super) fn note_seen(&mut self, who: Account, id: u64) {
        self.seen.insert(who, id);
    }

    /// Whether a change has failed.
    pub(super) fn note_verdict(&mut self, record: &Record, is_failed: bool) {
        if let (Record::Profile(setting), true) = (record, is_failed) {
            self.failed.push(setting.id);
        }
    }

    pub(super) fn set(&mut self, setting: Setting) {
        let Setting { id, account, key, value } = setting;
        self.values.entry((account, key)).or_default().push((id, value));
    }

    pub(super) fn unset(&mut self, id: u64) {
        self.unset.push(id);
        let mut found = self.failed.contains(&id);
        for values in self.values.values_mut() {
            let before = values.len();
            values.retain(|(other, _)| *other != id);
            found |= values.len() < before;
        }
        assert!(found, "{id} was never set");
    }
}
