//! `Ignore`: peace. A change counts at once, and is undone if it does not get to the disk.

use crate::hub::command::Ignore;
use crate::hub::event::Event;
use crate::hub::names::{UserName, Who};
use crate::hub::record::{Account, Record, Whom};
use crate::hub::session::SessionId;
use crate::hub::waits::Waited;
use crate::hub::{Hub, Keeping};
use crate::limits::IGNORES_EACH;

impl Hub {
    /// Whether an account takes nothing that is meant for it alone from somebody.
    pub fn ignores(&self, ignorer: &UserName, whom: &Who) -> bool {
        let ignores = &self.people.ignores;
        match whom {
            Who::Guest(_) => ignores.has_guests(ignorer),
            Who::Account(name) => ignores.account(ignorer, name).is_some_and(|held| {
                let online = self.sessions_of(name).first().and_then(|session| self.account_of(*session));
                online.is_none_or(|account| account == held)
            }),
        }
    }

    /// Whether an account takes no direct messages of this session.
    pub(in crate::hub) fn takes_none(&self, who: SessionId, receiver: &Account) -> bool {
        let ignores = &self.people.ignores;
        match self.account_of(who) {
            Some(sender) => ignores.has(receiver, &Whom::Account(sender.clone())),
            None => ignores.has(receiver, &Whom::Guests),
        }
    }

    /// Whether nobody ignores anybody.
    pub(in crate::hub) fn takes_all(&self) -> bool {
        self.people.ignores.is_empty()
    }

    /// `Ignore`. Refused for guests.
    pub(in crate::hub) fn on_ignore(&mut self, who: SessionId, ignore: Ignore) {
        let Some(me) = self.account_of(who).cloned() else { return self.tell(who, Event::NeedsAccount) };
        let answer = match ignore {
            _ if self.keeping == Keeping::Off => Event::NothingKept,
            Ignore::List => {
                let (names, guests) = self.people.ignores.list(&me);
                self.charge_list(names.len(), names.len());
                Event::Ignores { names, guests }
            }
            Ignore::Guests { is_on } => return self.change_ignore(who, &me, &Whom::Guests, is_on),
            Ignore::Name { name, account, is_on } => match self.whom(&me, name, account, is_on) {
                Ok(whom) => return self.change_ignore(who, &me, &Whom::Account(whom), is_on),
                Err(refusal) => refusal,
            },
        };
        self.tell(who, answer);
    }

    /// The account of a name that is to be ignored, or no longer. An account that is ignored is found though it is gone.
    fn whom(&self, me: &Account, name: UserName, account: Option<Account>, is_on: bool) -> Result<Account, Event> {
        if is_on && name == me.name {
            return Err(Event::IgnoresYourself);
        }
        let held = self.people.ignores.account(&me.name, &name).filter(|_| !is_on).cloned();
        held.or(account).ok_or(Event::NoSuchAccount { name })
    }

    fn change_ignore(&mut self, who: SessionId, me: &Account, whom: &Whom, is_on: bool) {
        let is_in_doubt = self.people.ignores.is_in_doubt(me, whom);
        if !is_in_doubt && self.people.ignores.has(me, whom) == is_on {
            return self.tell(who, Event::Done);
        }
        if self.keeping == Keeping::Full || !self.waits.has_room() {
            return self.tell(who, Event::NotKept);
        }
        self.forget_ignored_namesakes(me, whom);
        if is_on && !is_in_doubt && !self.people.ignores.has_room(me, whom) {
            return self.tell(who, Event::IgnoresFull { most: IGNORES_EACH });
        }
        self.people.ignores.ask(self.waits.next(), me, whom, is_on);
        self.record_ignore(me.clone(), whom.clone(), is_on);
        self.await_last(who, Waited::Ignore { whom: whom.clone() });
    }

    /// Ignored accounts that had the name of this one are gone.
    fn forget_ignored_namesakes(&mut self, me: &Account, whom: &Whom) {
        let Whom::Account(account) = whom else { return };
        for older in self.people.ignores.ignored_namesakes(me, account) {
            self.people.ignores.drop_one(me, &older);
            self.record_ignore(me.clone(), older, false);
        }
    }

    /// A change is on disk, or is not. Gives the answer.
    pub(in crate::hub) fn settle_ignore(&mut self, ticket: u64, me: &Account, whom: Whom, is_kept: bool) -> Event {
        let is_on = self.people.ignores.settle(ticket, me, &whom, is_kept);
        if is_kept {
            return Event::Done;
        }
        if let Some(is_on) = is_on {
            self.record_ignore(me.clone(), whom, is_on);
        }
        Event::NotKept
    }

    fn record_ignore(&mut self, me: Account, whom: Whom, is_on: bool) {
        self.record(if is_on { Record::Ignore(me, whom) } else { Record::NoIgnore(me, whom) });
    }

    /// Takes over whom accounts of an earlier run ignore.
    pub(in crate::hub) fn restore_ignores(&mut self, ignores: &[(Account, Whom)]) {
        ignores.iter().for_each(|(ignorer, whom)| self.people.ignores.put(ignorer, whom, true));
    }
}
