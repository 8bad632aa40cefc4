//! Comings and goings, for those who watch. An account that was cut off counts as online for a while.

use std::collections::{BTreeMap, VecDeque};

use crate::hub::Hub;
use crate::hub::event::{Audience, Change, Event, Whereabouts};
use crate::hub::names::{UserName, Who};
use crate::hub::record::Account;

/// The accounts that were cut off a short while ago.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    cuts: BTreeMap<UserName, Cut>,
    unpolled: VecDeque<UserName>,
}

/// An account that was cut off, once or several times.
#[derive(Debug)]
struct Cut {
    account: Account,
    /// Calls of [`Hub::end_cut`] that are to come. The last one counts.
    to_come: u32,
    /// What those who watch it were told last, if it has not come back since.
    gone: Option<Whereabouts>,
}

impl Cuts {
    /// The account of that name, if it counts as online though it is not.
    pub(super) fn account(&self, name: &UserName) -> Option<&Account> {
        self.cuts.get(name).filter(|cut| cut.gone.is_some()).map(|cut| &cut.account)
    }

    fn begin(&mut self, account: Account, gone: Whereabouts) {
        let name = account.name.clone();
        let cut = self.cuts.entry(name.clone()).or_insert(Cut { account: account.clone(), to_come: 0, gone: None });
        (cut.account, cut.gone) = (account, Some(gone));
        cut.to_come = cut.to_come.saturating_add(1);
        self.unpolled.push_back(name);
    }

    /// The account has come back, or those who watch it hear that it has not. Gives what they were told last, if it was gone.
    fn settle(&mut self, name: &UserName) -> Option<Whereabouts> {
        self.cuts.get_mut(name)?.gone.take()
    }

    /// One of the cuts is over. True if it was the last, and the account is gone still.
    fn end(&mut self, name: &UserName) -> bool {
        let Some(cut) = self.cuts.get_mut(name) else { return false };
        cut.to_come -= 1;
        if cut.to_come > 0 {
            return false;
        }
        self.cuts.remove(name).is_some_and(|cut| cut.gone.is_some())
    }

    pub(super) fn shrink(&mut self) {
        self.unpolled.shrink_to_fit();
    }

    #[cfg(test)]
    pub(super) fn gone(&self) -> impl Iterator<Item = &UserName> {
        self.cuts.iter().filter(|(_, cut)| cut.gone.is_some()).map(|(name, _)| name)
    }
}

/// How the last session of an account has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Parting {
    /// It has left.
    Left,
    /// Its connection was lost: it may come back.
    Cut,
}

impl Hub {
    /// The next account whose last connection was cut, and which somebody watches. Call [`end_cut`](Self::end_cut)
    /// [`CUT_MS`](crate::limits::CUT_MS) later, once for each.
    pub fn poll_cut(&mut self) -> Option<UserName> {
        self.people.cuts.unpolled.pop_front()
    }

    /// An account was cut off [`CUT_MS`](crate::limits::CUT_MS) ago. If it has not come back since, those who watch it are
    /// told.
    pub fn end_cut(&mut self, name: &UserName) {
        let account = self.people.cuts.account(name).map(|account| account.name.clone());
        if self.people.cuts.end(name)
            && let Some(name) = account
        {
            self.tell_watchers(&name.into(), Change::Offline);
        }
    }

    /// The first session of an account has begun.
    pub(in crate::hub) fn announce_coming(&mut self, name: &UserName) {
        let who = Who::Account(name.clone());
        match self.people.cuts.settle(name) {
            None | Some(Whereabouts::Offline) => self.tell_watchers(&who, Change::Online),
            Some(Whereabouts::Away(_)) => self.tell_watchers(&who, Change::Back),
            Some(Whereabouts::Online) => {}
        }
    }

    /// The last session of an account has ended.
    pub(in crate::hub) fn announce_going(&mut self, account: &Account, parting: Parting) {
        let who = Who::Account(account.name.clone());
        let away = self.end_person(&who);
        match parting {
            Parting::Left => self.tell_watchers(&who, Change::Offline),
            Parting::Cut if self.watchers_of(&who).is_empty() => {}
            Parting::Cut => {
                self.people.cuts.begin(account.clone(), away.map_or(Whereabouts::Online, Whereabouts::Away));
            }
        }
    }

    /// An account was deleted: it does not come back.
    pub(super) fn end_cut_of_deleted(&mut self, account: &Account) {
        if self.people.cuts.account(&account.name) == Some(account) {
            self.people.cuts.settle(&account.name);
            self.tell_watchers(&account.name.clone().into(), Change::Offline);
        }
    }

    /// A guest has logged in, or has this name now. Then it may be away.
    pub(in crate::hub) fn announce_guest(&mut self, guest: &Who) {
        self.tell_watchers(guest, Change::Online);
        if let Some(why) = self.away_of(guest) {
            self.tell_watchers(guest, Change::Away(why));
        }
    }

    /// The session of a guest has ended, or it has another name now. Nobody can tell whether it comes back after a cut.
    pub(in crate::hub) fn announce_guest_going(&mut self, guest: &Who) {
        self.end_person(guest);
        self.tell_watchers(guest, Change::Offline);
    }

    /// How those who watch a name see it; with the name as it is shown if it is online for them.
    pub(super) fn whereabouts(&self, name: Who) -> (Who, Whereabouts) {
        if let Some((shown, _)) = self.find_online(&name) {
            let away = self.away_of(&shown);
            return (shown, away.map_or(Whereabouts::Online, Whereabouts::Away));
        }
        let cut = match &name {
            Who::Account(name) => self.people.cuts.cuts.get(name),
            Who::Guest(_) => None,
        };
        match cut.and_then(|cut| Some((cut.account.name.clone().into(), cut.gone.clone()?))) {
            Some(found) => found,
            None => (name, Whereabouts::Offline),
        }
    }

    /// Tells those who watch a name, if anybody does.
    pub(super) fn tell_watchers(&mut self, name: &Who, change: Change) {
        if !self.watchers_of(name).is_empty() {
            let event = Event::Presence { name: name.clone(), change };
            self.events.push_back((Audience::Watchers(name.clone()), event));
        }
    }
}
