//! The shadow's part about people: who is away, who watches and ignores whom.

use std::collections::BTreeSet;

use super::people::Person;
use super::shadow::Shadow;
use super::shadow_store::ShadowWaited;
use super::*;

/// Plain lists.
#[derive(Default)]
pub(super) struct ShadowPeople {
    away: Vec<(Who, Box<str>)>,
    called: Vec<(Who, Box<str>)>,
    watches: Vec<(SessionId, Who)>,
    /// When each session spoke last.
    spoken: Vec<(SessionId, u64)>,
    /// The accounts that count as online though they are not, with their texts.
    gone: Vec<(Account, Option<Box<str>>)>,
    /// The cuts that are not over.
    cuts: Vec<UserName>,
    pub(super) unpolled: Vec<UserName>,
    changes: Vec<ShadowChange>,
    /// What accounts say of themselves, sorted.
    pub(super) profiles: Vec<((Account, ProfileKey), Box<str>)>,
    deleted: Vec<Account>,
}

/// Somebody has changed whom they ignore. The last change that is not lost counts.
struct ShadowChange {
    ticket: u64,
    ignorer: Account,
    whom: Whom,
    is_on: bool,
    is_open: bool,
}

impl ShadowPeople {
    pub(super) fn away(&self, name: &Who) -> Option<Box<str>> {
        self.away.iter().find(|(other, _)| other == name).map(|(_, text)| text.clone())
    }

    pub(super) fn watchers_of(&self, name: &Who) -> Vec<SessionId> {
        let mut watchers: Vec<_> =
            self.watches.iter().filter(|(_, other)| other == name).map(|(session, _)| *session).collect();
        watchers.sort();
        watchers
    }

    /// The names that somebody watches, once for each watch.
    pub(super) fn watched(&self) -> Vec<Who> {
        self.watches.iter().map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn called(&self, name: &Who) -> Option<Box<str>> {
        self.called.iter().find(|(other, _)| other == name).map(|(_, text)| text.clone())
    }

    /// Somebody has said how they call themselves. What was said first counts.
    pub(super) fn call(&mut self, name: &Who, called: Option<&str>) {
        if self.called(name).is_none() {
            self.called.extend(called.map(|called| (name.clone(), called.into())));
        }
    }

    /// Nobody has this name any more.
    pub(super) fn end_name(&mut self, name: &Who) {
        self.away.retain(|(other, _)| other != name);
        self.called.retain(|(other, _)| other != name);
    }

    pub(super) fn rename(&mut self, was: &Who, now: &Who) {
        for (name, _) in self.away.iter_mut().chain(&mut self.called).filter(|(name, _)| name == was) {
            *name = now.clone();
        }
    }

    pub(super) fn spoke(&mut self, who: SessionId, unix_ms: u64) {
        self.spoken.retain(|(other, _)| *other != who);
        self.spoken.push((who, unix_ms));
    }

    /// A session has ended.
    pub(super) fn end(&mut self, who: SessionId) {
        self.watches.retain(|(other, _)| *other != who);
        self.spoken.retain(|(other, _)| *other != who);
    }

    /// The server has started: it knows whom accounts ignore and what they say of themselves.
    pub(super) fn start_anew(&mut self) {
        let (changes, profiles) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.profiles));
        let deleted = std::mem::take(&mut self.deleted);
        *self = Self { changes, profiles, deleted, ..Self::default() };
        self.changes.iter_mut().for_each(|change| change.ticket = 0);
    }

    fn changes_of(&self, ignorer: &Account, whom: &Whom) -> impl Iterator<Item = &ShadowChange> {
        self.changes.iter().filter(move |change| change.ignorer == *ignorer && change.whom == *whom)
    }

    fn ignores_now(&self, ignorer: &Account, whom: &Whom) -> bool {
        self.changes_of(ignorer, whom).last().is_some_and(|change| change.is_on)
    }

    fn is_in_doubt(&self, ignorer: &Account, whom: &Whom) -> bool {
        self.changes_of(ignorer, whom).any(|change| change.is_open)
    }

    /// Who ignores whom.
    pub(super) fn ignores(&self) -> BTreeSet<(Account, Whom)> {
        let all = self.changes.iter().map(|change| (change.ignorer.clone(), change.whom.clone()));
        all.filter(|(ignorer, whom)| self.ignores_now(ignorer, whom)).collect()
    }

    /// All accounts that are known here for something that they, or others, have done.
    pub(super) fn known(&self) -> Vec<Account> {
        let mut known: Vec<Account> = self.gone.iter().map(|(account, _)| account.clone()).collect();
        for (ignorer, whom) in self.ignores() {
            known.push(ignorer);
            known.extend(account_in(&whom).cloned());
        }
        known.extend(self.changes.iter().filter(|change| change.is_open).map(|change| change.ignorer.clone()));
        known
    }
}

fn account_in(whom: &Whom) -> Option<&Account> {
    match whom {
        Whom::Guests => None,
        Whom::Account(account) => Some(account),
    }
}

impl Shadow {
    pub(super) fn person(&self, name: &Who, unix_ms: u64) -> Option<Person> {
        let sessions = self.sessions_named(name);
        let spoken = self.people.spoken.iter().filter(|(session, _)| sessions.contains(session));
        let idle_s = spoken.map(|(_, spoke_ms)| unix_ms.saturating_sub(*spoke_ms) / 1_000).min()?;
        let name = self.online().into_iter().find(|other| other == name)?;
        let (away, called) = (self.people.away(&name), self.people.called(&name));
        Some(Person { name, sessions: sessions.len(), idle_s, away, called })
    }

    pub(super) fn set_called(&mut self, name: &Who, called: Option<&str>) {
        if self.sessions_named(name).is_empty() || self.people.called(name).as_deref() == called {
            return;
        }
        self.people.called.retain(|(other, _)| other != name);
        self.people.call(name, called);
        self.tell_neighbours_of(name, News::Called(called.map(Into::into)));
    }

    pub(super) fn tell_watchers(&mut self, name: &Who, change: Change) {
        let watchers = self.people.watchers_of(name);
        if !watchers.is_empty() {
            self.say(watchers, Event::Presence { name: name.clone(), change });
        }
    }

    pub(super) fn announce_coming(&mut self, name: &UserName) {
        let place = self.people.gone.iter().position(|(account, _)| account.name == *name);
        let who = Who::Account(name.clone());
        match place.map(|place| self.people.gone.remove(place)) {
            None => self.tell_watchers(&who, Change::Online),
            Some((_, Some(_))) => self.tell_watchers(&who, Change::Back),
            Some((_, None)) => {}
        }
    }

    pub(super) fn announce_going(&mut self, account: &Account, is_cut: bool) {
        let who = Who::Account(account.name.clone());
        let away = self.people.away(&who);
        self.people.end_name(&who);
        if !is_cut {
            self.tell_watchers(&who, Change::Offline);
        } else if !self.people.watchers_of(&who).is_empty() {
            self.people.gone.push((account.clone(), away));
            self.people.cuts.push(account.name.clone());
            self.people.unpolled.push(account.name.clone());
        }
    }

    pub(super) fn end_cut(&mut self, name: &UserName) {
        let Some(place) = self.people.cuts.iter().position(|other| other == name) else { return };
        self.people.cuts.remove(place);
        let gone = self.people.gone.iter().position(|(account, _)| account.name == *name);
        if let (Some(gone), false) = (gone, self.people.cuts.contains(name)) {
            let (account, _) = self.people.gone.remove(gone);
            self.tell_watchers(&account.name.into(), Change::Offline);
        }
    }

    /// An account was deleted.
    pub(super) fn forget_person(&mut self, account: &Account) {
        if let Some(place) = self.people.gone.iter().position(|(gone, _)| gone == account) {
            self.people.gone.remove(place);
            self.tell_watchers(&account.name.clone().into(), Change::Offline);
        }
        self.people.changes.retain(|change| change.ignorer != *account && account_in(&change.whom) != Some(account));
        self.people.profiles.retain(|((other, _), _)| other != account);
        self.people.deleted.push(account.clone());
    }

    pub(super) fn be_away(&mut self, who: SessionId, name: &Who, text: Option<&str>) {
        let before = self.people.away(name);
        self.people.away.retain(|(other, _)| other != name);
        let text: Option<Box<str>> = text.map(Into::into);
        self.people.away.extend(text.clone().map(|text| (name.clone(), text)));
        self.tell(who, Event::AwayIs { text: text.clone() });
        if before != text {
            self.tell_watchers(name, text.clone().map_or(Change::Back, Change::Away));
            self.tell_neighbours_of(name, News::Away(text));
        }
    }

    pub(super) fn watch(&mut self, who: SessionId, watch: Watch) -> Event {
        match watch {
            Watch::List => {
                let mine = self.people.watches.iter().filter(|(session, _)| *session == who);
                let mut names: Vec<Who> = mine.map(|(_, name)| name.clone()).collect();
                names.sort();
                Event::Watches { names }
            }
            Watch::Off(name) => {
                self.people.watches.retain(|watch| *watch != (who, name.clone()));
                Event::Done
            }
            Watch::On(name) => {
                if !self.people.watches.contains(&(who, name.clone())) {
                    self.people.watches.push((who, name.clone()));
                }
                let gone = self.people.gone.iter().find(|(account, _)| Who::Account(account.name.clone()) == name);
                let online = self.online().into_iter().find(|other| *other == name);
                let (name, away) = match (online, gone) {
                    (Some(online), _) => (online.clone(), self.people.away(&online)),
                    (None, Some((account, away))) => (account.name.clone().into(), away.clone()),
                    (None, None) => return Event::Watched { name, presence: Whereabouts::Offline },
                };
                Event::Watched { name, presence: away.map_or(Whereabouts::Online, Whereabouts::Away) }
            }
        }
    }

    /// The receiver's name, if it takes no direct messages of this sender.
    pub(super) fn takes_none(&self, me: &Who, to: &Who, account: Option<&Account>) -> Option<UserName> {
        let of_name = |name: &UserName| self.sessions.iter().find(|(_, account)| account.name == *name);
        let Who::Account(to) = to else { return None };
        let receiver = of_name(to).map(|(_, account)| account).or(account)?;
        let whom = match me {
            Who::Guest(_) => Whom::Guests,
            Who::Account(name) => Whom::Account(of_name(name)?.1.clone()),
        };
        self.people.ignores_now(receiver, &whom).then(|| receiver.name.clone())
    }

    /// `None` if the session waits.
    pub(super) fn ignore(&mut self, who: SessionId, ignore: Ignore) -> Option<Event> {
        let me = self.account_of(who)?;
        if self.store.keeping == Keeping::Off {
            return Some(Event::NothingKept);
        }
        let mine = self.people.ignores().into_iter().filter(|(ignorer, _)| *ignorer == me);
        let mine: Vec<Whom> = mine.map(|(_, whom)| whom).collect();
        let (whom, is_on) = match ignore {
            Ignore::List => {
                let guests = mine.contains(&Whom::Guests);
                let names = mine.iter().filter_map(account_in).map(|account| account.name.clone()).collect();
                return Some(Event::Ignores { names, guests });
            }
            Ignore::Guests { is_on } => (Whom::Guests, is_on),
            Ignore::Name { name, is_on: true, .. } if name == me.name => return Some(Event::IgnoresYourself),
            Ignore::Name { name, account, is_on } => {
                let held = mine.iter().find(|whom| account_in(whom).is_some_and(|account| account.name == name));
                match held.filter(|_| !is_on).cloned().or(account.map(Whom::Account)) {
                    Some(whom) => (whom, is_on),
                    None => return Some(Event::NoSuchAccount { name }),
                }
            }
        };
        if !self.people.is_in_doubt(&me, &whom) && mine.contains(&whom) == is_on {
            return Some(Event::Done);
        }
        if self.store.keeping == Keeping::Full {
            return Some(Event::NotKept);
        }
        self.forget_namesakes(&me, &whom);
        let ticket = self.store.last_ticket + 1;
        let (ignorer, is_open) = (me.clone(), true);
        self.people.changes.push(ShadowChange { ticket, ignorer, whom: whom.clone(), is_on, is_open });
        self.record_ignore(me, whom.clone(), is_on);
        self.wait(who, ShadowWaited::Ignore(whom));
        None
    }

    fn forget_namesakes(&mut self, me: &Account, whom: &Whom) {
        let Some(account) = account_in(whom) else { return };
        let all = self.people.changes.iter().filter(|change| change.ignorer == *me).map(|change| change.whom.clone());
        let mut older: Vec<Whom> = all.filter(|other| other != whom).collect();
        older.retain(|other| account_in(other).is_some_and(|other| other.name == account.name));
        older.retain(|other| self.people.ignores_now(me, other) || self.people.is_in_doubt(me, other));
        older.sort();
        older.dedup();
        for older in older {
            self.people.changes.retain(|change| change.ignorer != *me || change.whom != older);
            self.record_ignore(me.clone(), older, false);
        }
    }

    fn record_ignore(&mut self, me: Account, whom: Whom, is_on: bool) {
        self.record(if is_on { Record::Ignore(me, whom) } else { Record::NoIgnore(me, whom) });
    }

    pub(super) fn settle_ignore(&mut self, ticket: u64, me: &Account, whom: Whom, is_kept: bool) -> Event {
        let answer = if is_kept { Event::Done } else { Event::NotKept };
        let is_it = |change: &ShadowChange| change.ticket == ticket && change.is_open;
        let Some(place) = self.people.changes.iter().position(is_it) else { return answer };
        self.people.changes[place].is_open = false;
        if !is_kept {
            self.people.changes.remove(place);
            let is_on = self.people.ignores_now(me, &whom);
            self.record_ignore(me.clone(), whom, is_on);
        }
        answer
    }

    /// `None` if the session waits.
    pub(super) fn set(&mut self, who: SessionId, key: ProfileKey, value: Option<&str>) -> Option<Event> {
        let account = self.account_of(who)?;
        if self.store.keeping == Keeping::Off {
            return Some(Event::NothingKept);
        }
        if self.store.keeping == Keeping::Full || self.store.waits.iter().any(|wait| wait.sets(&account)) {
            return Some(Event::NotKept);
        }
        let id = self.next_id(self.now_ms);
        let setting = Setting { id, account, key, value: value.map(Into::into) };
        self.record(Record::Profile(setting.clone()));
        self.wait(who, ShadowWaited::Set(setting));
        None
    }

    pub(super) fn settle_set(&mut self, setting: Setting, is_kept: bool) -> Event {
        let Setting { id, account, key, value } = setting;
        let shown = value.clone();
        if !is_kept {
            self.record(Record::Unset(id));
            return Event::NotKept;
        }
        if !self.people.deleted.contains(&account) {
            let profiles = &mut self.people.profiles;
            profiles.retain(|(other, _)| *other != (account.clone(), key));
            profiles.extend(value.map(|value| ((account.clone(), key), value)));
            profiles.sort();
        }
        if key == ProfileKey::Name && self.sessions.iter().any(|(_, other)| *other == account) {
            self.set_called(&account.name.into(), shown.as_deref());
        }
        Event::Done
    }
}
