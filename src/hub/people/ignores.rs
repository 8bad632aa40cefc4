//! The table of who hears nothing of whom. It holds accounts, so that an account that is registered anew is not ignored,
//! and ignores nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::hub::names::UserName;
use crate::hub::record::{Account, Whom};
use crate::limits::{IGNORES, IGNORES_EACH};

/// Whom accounts ignore, and what of that is on its way to the disk.
#[derive(Debug, Default)]
pub(super) struct Ignores {
    of: BTreeMap<UserName, Ignored>,
    /// Who is ignored, and by whom.
    by: BTreeSet<(Account, UserName)>,
    /// Accounts that ignore guests.
    without_guests: usize,
    doubts: BTreeMap<(Account, Whom), Doubt>,
}

/// Whom one account ignores: somebody.
#[derive(Debug)]
struct Ignored {
    by: Account,
    guests: bool,
    /// Sorted by their names, each name once.
    accounts: Vec<Account>,
}

/// Changes of which it is not known whether they are on disk. The last of them counts meanwhile.
#[derive(Debug)]
struct Doubt {
    /// What is on disk, as far as it is known, and the ticket of the change that got there.
    known: (u64, bool),
    /// The changes by their tickets, in their order.
    open: Vec<(u64, bool)>,
}

impl Doubt {
    /// What counts.
    fn is_on(&self) -> bool {
        let last = self.open.last().filter(|(ticket, _)| *ticket > self.known.0);
        last.map_or(self.known.1, |(_, is_on)| *is_on)
    }
}

impl Ignored {
    fn find(&self, name: &UserName) -> Result<usize, usize> {
        self.accounts.binary_search_by(|account| account.name.cmp(name))
    }

    fn account(&self, name: &UserName) -> Option<&Account> {
        self.accounts.get(self.find(name).ok()?)
    }
}

impl Ignores {
    fn of(&self, ignorer: &Account) -> Option<&Ignored> {
        self.of.get(&ignorer.name).filter(|ignored| ignored.by == *ignorer)
    }

    /// Whether nobody ignores anybody.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    pub(super) fn has(&self, ignorer: &Account, whom: &Whom) -> bool {
        let Some(ignored) = self.of(ignorer) else { return false };
        match whom {
            Whom::Guests => ignored.guests,
            Whom::Account(account) => ignored.account(&account.name) == Some(account),
        }
    }

    /// The account of that name that this one ignores.
    pub(super) fn account(&self, ignorer: &UserName, name: &UserName) -> Option<&Account> {
        self.of.get(ignorer)?.account(name)
    }

    /// Whether an account ignores guests.
    pub(super) fn has_guests(&self, ignorer: &UserName) -> bool {
        self.of.get(ignorer).is_some_and(|ignored| ignored.guests)
    }

    /// The names in lower-case order, and whether guests are ignored.
    pub(super) fn list(&self, ignorer: &Account) -> (Vec<UserName>, bool) {
        let Some(ignored) = self.of(ignorer) else { return (Vec::new(), false) };
        (ignored.accounts.iter().map(|account| account.name.clone()).collect(), ignored.guests)
    }

    /// Whether an account may ignore somebody more. What may come back counts.
    pub(super) fn has_room(&self, ignorer: &Account, whom: &Whom) -> bool {
        if self.by.len() + self.without_guests + self.doubts.len() >= IGNORES {
            return false;
        }
        let all = self.doubts.range((ignorer.clone(), Whom::Guests)..).take_while(|((by, _), _)| by == ignorer);
        let may_come_back = all.filter(|((_, whom), doubt)| matches!(whom, Whom::Account(_)) && !doubt.is_on()).count();
        let held = self.of(ignorer).map_or(0, |ignored| ignored.accounts.len());
        matches!(whom, Whom::Guests) || held + may_come_back < IGNORES_EACH
    }

    /// Whether changes of this are on their way to the disk.
    pub(super) fn is_in_doubt(&self, ignorer: &Account, whom: &Whom) -> bool {
        !self.doubts.is_empty() && self.doubts.contains_key(&(ignorer.clone(), whom.clone()))
    }

    /// A change that counts at once, and is on its way to the disk with this ticket.
    pub(super) fn ask(&mut self, ticket: u64, ignorer: &Account, whom: &Whom, is_on: bool) {
        let was_on = self.has(ignorer, whom);
        let key = (ignorer.clone(), whom.clone());
        let doubt = self.doubts.entry(key).or_insert(Doubt { known: (0, was_on), open: Vec::with_capacity(1) });
        doubt.open.push((ticket, is_on));
        self.put(ignorer, whom, is_on);
    }

    /// A change is on disk, or is not. Gives what counts now; `None` if the change does not matter any more.
    pub(super) fn settle(&mut self, ticket: u64, ignorer: &Account, whom: &Whom, is_kept: bool) -> Option<bool> {
        let key = (ignorer.clone(), whom.clone());
        let doubt = self.doubts.get_mut(&key)?;
        let place = doubt.open.iter().position(|(open, _)| *open == ticket)?;
        let change = doubt.open.remove(place);
        if is_kept && change.0 > doubt.known.0 {
            doubt.known = change;
        }
        let (is_on, is_over) = (doubt.is_on(), doubt.open.is_empty());
        if is_over {
            self.doubts.remove(&key);
        }
        self.put(ignorer, whom, is_on);
        Some(is_on)
    }

    /// Notes that an account ignores somebody, or does not. Of two accounts of one name the one that was registered last
    /// counts.
    pub(super) fn put(&mut self, ignorer: &Account, whom: &Whom, is_on: bool) {
        if is_on { self.begin(ignorer, whom) } else { self.end(ignorer, whom) }
    }

    fn begin(&mut self, ignorer: &Account, whom: &Whom) {
        if let Some(other) = self.of.get(&ignorer.name).map(|ignored| ignored.by.clone()).filter(|by| by != ignorer) {
            if other.since > ignorer.since {
                return;
            }
            self.forget(&other);
        }
        let none = || Ignored { by: ignorer.clone(), guests: false, accounts: Vec::new() };
        let ignored = self.of.entry(ignorer.name.clone()).or_insert_with(none);
        let Whom::Account(account) = whom else {
            self.without_guests += usize::from(!std::mem::replace(&mut ignored.guests, true));
            return;
        };
        match ignored.find(&account.name) {
            Err(place) => ignored.accounts.insert(place, account.clone()),
            Ok(place) => {
                let Some(held) = ignored.accounts.get_mut(place).filter(|held| held.since < account.since) else {
                    return;
                };
                let older = std::mem::replace(held, account.clone());
                self.by.remove(&(older, ignorer.name.clone()));
            }
        }
        self.by.insert((account.clone(), ignorer.name.clone()));
    }

    fn end(&mut self, ignorer: &Account, whom: &Whom) {
        let Some(ignored) = self.of.get_mut(&ignorer.name).filter(|ignored| ignored.by == *ignorer) else { return };
        match whom {
            Whom::Guests => self.without_guests -= usize::from(std::mem::replace(&mut ignored.guests, false)),
            Whom::Account(account) => {
                if let Ok(place) = ignored.find(&account.name)
                    && ignored.accounts.get(place) == Some(account)
                {
                    ignored.accounts.remove(place);
                    self.by.remove(&(account.clone(), ignorer.name.clone()));
                }
            }
        }
        if !ignored.guests && ignored.accounts.is_empty() {
            self.of.remove(&ignorer.name);
        }
    }

    /// Notes that an account does not ignore somebody, whatever is on its way to the disk.
    pub(super) fn drop_one(&mut self, ignorer: &Account, whom: &Whom) {
        self.doubts.remove(&(ignorer.clone(), whom.clone()));
        self.end(ignorer, whom);
    }

    /// An account was deleted: it ignores nobody, and nobody ignores it. Gives the work.
    pub(super) fn forget(&mut self, account: &Account) -> usize {
        let mut work = self.doubts.len();
        let is_other = |other: &Whom| !matches!(other, Whom::Account(other) if other == account);
        self.doubts.retain(|(by, whom), _| by != account && is_other(whom));
        if let Some(ignored) = self.of.get(&account.name).filter(|ignored| ignored.by == *account) {
            self.without_guests -= usize::from(ignored.guests);
            for whom in &ignored.accounts {
                self.by.remove(&(whom.clone(), account.name.clone()));
            }
            work += ignored.accounts.len();
            self.of.remove(&account.name);
        }
        let all = self.by.range((account.clone(), UserName::least_with(""))..).take_while(|(whom, _)| whom == account);
        let ignorers: Vec<Account> = all.filter_map(|(_, by)| Some(self.of.get(by)?.by.clone())).collect();
        let whom = Whom::Account(account.clone());
        ignorers.iter().for_each(|ignorer| self.end(ignorer, &whom));
        work + ignorers.len()
    }

    /// Other accounts of this name that an account ignores, or may ignore again.
    pub(super) fn ignored_namesakes(&self, ignorer: &Account, account: &Account) -> BTreeSet<Whom> {
        let since = |since| (ignorer.clone(), Whom::Account(Account { name: account.name.clone(), since }));
        let in_doubt = self.doubts.range(since(0)..=since(u64::MAX)).map(|((_, whom), _)| whom.clone());
        let held = self.of(ignorer).and_then(|ignored| ignored.account(&account.name)).cloned().map(Whom::Account);
        let mut found: BTreeSet<Whom> = in_doubt.chain(held).collect();
        found.remove(&Whom::Account(account.clone()));
        found
    }

    /// The accounts of the same name that are in the table.
    pub(super) fn namesakes(&self, account: &Account) -> BTreeSet<Account> {
        let first = (Account { name: account.name.clone(), since: 0 }, Whom::Guests);
        let in_doubt = self.doubts.range(first..).map(|((by, _), _)| by).take_while(|by| by.name == account.name);
        let mut found: BTreeSet<Account> =
            self.of.get(&account.name).map(|ignored| &ignored.by).into_iter().chain(in_doubt).cloned().collect();
        let mut since = 0;
        let least = |since| (Account { name: account.name.clone(), since }, UserName::least_with(""));
        while let Some((whom, _)) = self.by.range(least(since)..).next().filter(|(whom, _)| whom.name == account.name) {
            found.insert(whom.clone());
            let Some(next) = whom.since.checked_add(1) else { break };
            since = next;
        }
        found
    }

    /// Who ignores whom.
    #[cfg(test)]
    pub(super) fn all(&self) -> BTreeSet<(Account, Whom)> {
        let of = |ignored: &Ignored| {
            let accounts = ignored.accounts.iter().cloned().map(Whom::Account);
            let whom: Vec<Whom> = accounts.chain(ignored.guests.then_some(Whom::Guests)).collect();
            whom.into_iter().map(|whom| (ignored.by.clone(), whom)).collect::<Vec<_>>()
        };
        self.of.values().flat_map(of).collect()
    }

    /// Checks that both directions and the numbers agree.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        let mut by = BTreeSet::new();
        for (name, ignored) in &self.of {
            assert_eq!(*name, ignored.by.name);
            assert!(ignored.guests || !ignored.accounts.is_empty(), "{name} ignores nobody");
            assert!(ignored.accounts.is_sorted_by(|one, other| one.name < other.name), "{ignored:?}");
            assert!(ignored.accounts.len() <= IGNORES_EACH);
            by.extend(ignored.accounts.iter().map(|account| (account.clone(), name.clone())));
        }
        assert_eq!(by, self.by, "an ignore is in one direction only");
        assert_eq!(self.without_guests, self.of.values().filter(|ignored| ignored.guests).count());
        for ((ignorer, whom), doubt) in &self.doubts {
            assert!(!doubt.open.is_empty() && doubt.open.is_sorted());
            assert_eq!(self.has(ignorer, whom), doubt.is_on(), "{ignorer:?} {whom:?} {doubt:?}");
        }
    }
}
