//! People: who is away, who watches whom, who hears nothing of whom, and profiles.

mod away;
mod called;
mod comings;
mod ignore;
mod ignores;
mod profile;
mod watch;
mod watches;

use std::collections::BTreeSet;

use super::Hub;
use super::names::Who;
use super::record::Account;
use away::Away;
use called::Called;
use comings::Cuts;
pub(super) use comings::Parting;
use ignores::Ignores;
use watches::Watches;

/// What the hub knows of people.
#[derive(Debug, Default)]
pub(super) struct People {
    away: Away,
    called: Called,
    watches: Watches,
    cuts: Cuts,
    ignores: Ignores,
    /// The accounts with a change of their profile on its way to the disk.
    setting: BTreeSet<Account>,
}

/// What is known of somebody without the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name as it is shown.
    pub name: Who,
    /// Its sessions.
    pub sessions: usize,
    /// Seconds since one of its sessions has said something, or logged in.
    pub idle_s: u64,
    /// Why it is away, if it is.
    pub away: Option<Box<str>>,
    /// How it has called itself while it is there, if it has.
    pub called: Option<Box<str>>,
}

impl People {
    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        self.watches.shrink();
        self.cuts.shrink();
    }
}

impl Hub {
    /// What is known of somebody who is online; `None` if they are not. It is `unix_ms` now.
    pub fn person(&self, name: &Who, unix_ms: u64) -> Option<Person> {
        let (name, sessions) = self.find_online(name)?;
        let spoke_ms = sessions.iter().filter_map(|session| self.roster.spoke_ms(*session)).max();
        let idle_s = spoke_ms.map_or(0, |spoke_ms| unix_ms.saturating_sub(spoke_ms) / 1_000);
        let away = self.away_of(&name);
        let called = self.people.called.of(&name).map(Into::into);
        Some(Person { sessions: sessions.len(), name, idle_s, away, called })
    }

    /// Whether a guest of this name, in any case, is in some room or has logged in. False for an account.
    pub fn is_guest_here(&self, guest: &Who) -> bool {
        match guest {
            Who::Guest(guest) => self.guest_names.find(guest).is_some() || self.guests_online.find(guest).is_some(),
            Who::Account(_) => false,
        }
    }

    /// What is held of people goes with an account that was deleted.
    pub(super) fn forget_person(&mut self, account: &Account) {
        self.end_cut_of_deleted(account);
        self.work += self.people.ignores.forget(account);
    }

    /// Earlier accounts of the same name in the tables. They are gone, because this one has logged in.
    pub(super) fn olders(&self, account: &Account) -> BTreeSet<Account> {
        let mut olders = self.people.ignores.namesakes(account);
        olders.extend(self.kept.account(&account.name).cloned());
        olders.extend(self.people.cuts.account(&account.name).cloned());
        olders.remove(account);
        olders
    }

    /// Who ignores whom.
    #[cfg(test)]
    pub(super) fn all_ignores(&self) -> BTreeSet<(Account, super::record::Whom)> {
        self.people.ignores.all()
    }

    /// Checks that the tables of people agree.
    #[cfg(test)]
    pub(super) fn check_people(&self) {
        self.people.watches.check_invariants();
        self.people.ignores.check_invariants();
        let is_online = |name: &Who| self.find_online(name).is_some();
        assert!(self.people.away.names().all(is_online), "somebody is away and offline");
        assert!(self.people.called.names().all(is_online), "somebody calls itself something and is offline");
        for session in self.people.watches.sessions() {
            assert!(self.roster.owner_of(session).is_some(), "an ended session watches");
        }
        for name in self.people.cuts.gone() {
            assert!(self.online.find(name).is_none(), "{name} is cut off and online");
        }
    }
}
