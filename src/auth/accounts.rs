//! The accounts that exist, as the loop and the worker share them.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::store::record::{Change, Op};
use crate::hub::names::UserName;

/// What is known of an account, beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The password hash, as it stands in the file.
    pub(super) phc: Box<str>,
    /// Tokens of another epoch are dead.
    pub(super) epoch: u32,
    /// When it was registered, in seconds since 1970.
    pub(super) since: u64,
}

/// All accounts by name. A tree, because it grows an account at a time: a hash table that doubles would hold the
/// lock for as long as it takes to move every account, and the loop would wait.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    map: RwLock<BTreeMap<UserName, Account>>,
}

impl Accounts {
    /// The accounts of a file that was read.
    pub(super) fn new(map: BTreeMap<UserName, Account>) -> Self {
        Self { map: RwLock::new(map) }
    }

    /// The name as registered, if the account exists.
    pub(super) fn registered(&self, name: &UserName) -> Option<UserName> {
        self.read().get_key_value(name).map(|(registered, _)| registered.clone())
    }

    /// A copy of what is known of `name`.
    pub(super) fn find(&self, name: &UserName) -> Option<Account> {
        self.read().get(name).cloned()
    }

    /// The epoch of `name`, if the account exists.
    pub(super) fn epoch(&self, name: &UserName) -> Option<u32> {
        self.read().get(name).map(|account| account.epoch)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.read().len()
    }

    /// Makes changes visible. They must be on disk.
    pub(super) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        // Nobody panics while holding the lock, and if so: each account is replaced whole.
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            apply(&mut map, change);
        }
    }

    /// All of them, as they are until this is dropped.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<UserName, Account>> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries one change out. The last line of a name also says how it is spelt, so the old key goes.
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
