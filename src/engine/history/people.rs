//! WHOIS and SET that shows: the hub knows who is there, the account file who exists, and the store what they say of
//! themselves.

use super::waits::{Goal, Showing};
use crate::door::recall::{Known, Recalled, Whois, time_of};
use crate::engine::Engine;
use crate::engine::id::ConnId;
use crate::history::{Profile, Request, Verdict};
use crate::hub::names::Who;
use crate::hub::people::Person;
use crate::hub::profile::ProfileKey;
use crate::hub::record::Account;

impl<S> Engine<S> {
    /// WHOIS, of oneself if `who` is `None`.
    pub(super) fn on_whois(&mut self, id: ConnId, who: Option<Who>) {
        let answer = match who.or_else(|| self.hub.who_is(id.session())) {
            Some(Who::Account(name)) => match self.logins.roll.account(&name) {
                Some(account) if self.history.is_on => {
                    let goal = Goal::Profile { id, account: account.clone(), showing: Showing::Whois };
                    return self.ask_history(id, Request::Profile(account), goal);
                }
                Some(account) => self.shown_profile(account, Showing::Whois, Profile::default()),
                None => Recalled::NoSuchUser,
            },
            Some(guest @ Who::Guest(_)) => self.shown_guest(&guest),
            None => Recalled::NoSuchUser,
        };
        self.answer_recall(id, answer);
    }

    /// A guest, whose name is spelled as it is there, however it was asked for.
    fn shown_guest(&self, guest: &Who) -> Recalled {
        let Some(name) = self.hub.name_here(guest) else { return Recalled::NoSuchUser };
        let person = self.hub.person(&name, self.unix_ms);
        let (away, called) = person.map_or((None, None), |person| (person.away, person.called));
        let rooms = self.hub.rooms_named(&name);
        Recalled::Whois(Whois::Guest { name, away, called, rooms })
    }

    /// The answer with a profile. The account may have been deleted since it was asked for, or come or gone.
    pub(super) fn shown_profile(&self, account: Account, showing: Showing, profile: Profile) -> Recalled {
        let Profile { mut values, seen } = profile;
        match showing {
            Showing::Set(only) => {
                values.retain(|(key, _)| only.is_none_or(|only| *key == only));
                Recalled::Profile { name: account.name, values }
            }
            Showing::Whois if self.logins.roll.account(&account.name).as_ref() == Some(&account) => {
                let person = self.present(&account);
                let rooms = person.as_ref().map_or_else(Vec::new, |person| self.hub.rooms_named(&person.name));
                Recalled::Whois(Whois::Account(Box::new(Known { rooms, ..known(account, person, values, seen) })))
            }
            Showing::Whois | Showing::Called => Recalled::NoSuchUser,
        }
    }

    /// What an account calls itself by its profile, which the hub does not know before its first login.
    pub(super) fn on_called(&mut self, account: &Account, verdict: Verdict) {
        let Verdict::Profile(profile) = verdict else { return };
        let called = profile.values.into_iter().find(|(key, _)| *key == ProfileKey::Name);
        if let Some((_, called)) = called {
            self.hub.learn_called(account, called);
            self.deliver();
        }
    }

    /// What the hub knows of an account that is online. Sessions of a deleted account of the same name do not count.
    fn present(&self, account: &Account) -> Option<Person> {
        let first = *self.hub.sessions_of(&account.name).first()?;
        (self.hub.account_of(first) == Some(account))
            .then(|| self.hub.person(&account.name.clone().into(), self.unix_ms))
            .flatten()
    }
}

/// What others may know of an account, without its rooms. `seen` is an id; 0 if it is not known.
fn known(account: Account, person: Option<Person>, mut values: Vec<(ProfileKey, Box<str>)>, seen: u64) -> Known {
    let hides_times = values.iter().any(|(key, _)| *key == ProfileKey::Seen);
    values.retain(|(key, _)| *key != ProfileKey::Seen);
    let is_online = person.is_some();
    let seen_ms = (!hides_times && !is_online && seen > 0).then(|| time_of(seen));
    let idle_s = person.as_ref().map(|person| person.idle_s);
    let (sessions, away, called) =
        person.map_or((0, None, None), |person| (person.sessions, person.away, person.called));
    Known {
        name: account.name,
        sessions,
        since: account.since,
        idle_s: idle_s.filter(|_| !hides_times),
        away,
        called,
        rooms: Vec::new(),
        seen_ms,
        profile: values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::names::UserName;

    const SEEN: u64 = 1_700_000_000_000 << 20;

    fn bob() -> Account {
        Account { name: UserName::parse("Bob").unwrap(), since: 1_600_000_000 }
    }

    fn there() -> Option<Person> {
        Some(Person { name: bob().name.into(), sessions: 2, idle_s: 30, away: Some("lunch".into()), called: None })
    }

    #[test]
    fn who_is_there_is_not_seen_earlier() {
        let about = (ProfileKey::About, Box::from("a bee"));
        let online = known(bob(), there(), vec![about.clone()], SEEN);
        assert_eq!((online.sessions, online.idle_s, online.seen_ms), (2, Some(30), None));
        assert_eq!((online.away.as_deref(), online.profile), (Some("lunch"), vec![about]));
        let offline = known(bob(), None, Vec::new(), SEEN);
        assert_eq!((offline.sessions, offline.idle_s, offline.seen_ms), (0, None, Some(1_700_000_000_000)));
        assert_eq!(known(bob(), None, Vec::new(), 0).seen_ms, None);
    }

    #[test]
    fn times_can_be_hidden_and_that_is_not_shown() {
        let hidden = || vec![(ProfileKey::Name, Box::from("B")), (ProfileKey::Seen, Box::from("none"))];
        let online = known(bob(), there(), hidden(), SEEN);
        assert_eq!((online.idle_s, online.away.as_deref()), (None, Some("lunch")));
        let offline = known(bob(), None, hidden(), SEEN);
        assert_eq!((offline.seen_ms, offline.profile), (None, vec![(ProfileKey::Name, Box::from("B"))]));
    }
}
