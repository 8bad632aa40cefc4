//! The accounts in memory, shared by the loop and the worker.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::bans::Bans;
use super::store::record::{Change, Op};
use crate::hub::names::UserName;

/// An account, without its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The password hash, as in the file.
    pub(super) phc: Box<str>,
    /// Tokens of other epochs are void.
    pub(super) epoch: u32,
    /// When it was registered, in seconds since 1970.
    pub(super) since: u64,
}

impl Account {
    /// The change that deletes the account of this name at `unix`, in seconds since 1970. A deletion is not dated before
    /// the registration, whatever the clock says.
    pub(super) fn deletion(&self, name: UserName, unix: u64) -> Change {
        Change { op: Op::Delete, unix: unix.max(self.since), name, epoch: self.epoch, phc: "".into() }
    }
}

/// All accounts by name. A tree, because it grows by one account at a time: a hash table that doubles would hold the
/// lock while it moves every account, and the loop would wait.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    map: RwLock<BTreeMap<UserName, Account>>,
    /// Why changes are not saved at the moment.
    trouble: Mutex<Option<String>>,
    /// The bans that are in effect.
    bans: RwLock<Arc<Bans>>,
}

impl Accounts {
    /// The accounts read from a file.
    pub(super) fn new(map: BTreeMap<UserName, Account>) -> Self {
        Self { map: RwLock::new(map), trouble: Mutex::new(None), bans: RwLock::default() }
    }

    /// The name as registered, if the account exists.
    pub(super) fn registered(&self, name: &UserName) -> Option<UserName> {
        self.read().get_key_value(name).map(|(registered, _)| registered.clone())
    }

    /// A copy of the account of `name`.
    pub(super) fn find(&self, name: &UserName) -> Option<Account> {
        self.read().get(name).cloned()
    }

    /// The epoch of `name`, if the account exists.
    pub(super) fn epoch(&self, name: &UserName) -> Option<u32> {
        self.read().get(name).map(|account| account.epoch)
    }

    /// When `name` was registered, in seconds since 1970, if the account exists.
    pub(super) fn since(&self, name: &UserName) -> Option<u64> {
        self.read().get(name).map(|account| account.since)
    }

    /// The number of accounts.
    pub(super) fn count(&self) -> usize {
        self.read().len()
    }

    /// The bans that are in effect.
    pub(super) fn bans(&self) -> Arc<Bans> {
        Arc::clone(&self.bans.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts bans into effect. They must be on disk.
    pub(super) fn set_bans(&self, bans: Arc<Bans>) {
        *self.bans.write().unwrap_or_else(PoisonError::into_inner) = bans;
    }

    /// Makes changes visible. They must be on disk.
    pub(super) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        // No code panics under this lock. If one did, each account would still be complete.
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            apply(&mut map, change);
        }
    }

    /// Why changes are not saved at the moment; `None` while they are.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes why changes are not saved. True if that is another reason than before.
    pub(super) fn note_trouble(&self, why: Option<&str>) -> bool {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = trouble.as_deref() != why;
        if is_news {
            *trouble = why.map(str::to_owned);
        }
        is_news
    }

    /// All accounts. They do not change while the guard exists.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<UserName, Account>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Applies one change. The last line of a name also sets its spelling, so the old key is removed.
pub(super) fn apply(map: &mut BTreeMap<UserName, Account>, change: Change) {
    let before = map.remove(&change.name);
    let Change { op, unix, name, epoch, phc } = change;
    match op {
        Op::Add | Op::Update => {
            let since = before.map_or(unix, |account| account.since);
            map.insert(name, Account { phc, epoch, since });
        }
        Op::Delete => {}
    }
}
