//! The shadow model of people: who is there for those who watch, and who takes no messages of whom, from the lines on the
//! wire.

use std::collections::BTreeMap;

use super::clients::{Client, Reading, SLACK_MS};
use super::world::World;
use crate::engine::{ConnId, Millis};
use crate::hub::names::Who;
use crate::limits::CUT_MS;

/// How somebody who watches an account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Online,
    Away(String),
    Offline,
}

/// Whether one account ignores another, as far as that is known from answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ignored {
    On,
    #[default]
    Off,
    /// A change is under way, or several were at once.
    Unsure,
}

/// What is known of two accounts.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    is: Ignored,
    /// What it was before the change that is under way, if there is one.
    was: Ignored,
    under_way: u32,
    /// No other change was under way with it.
    is_alone: bool,
    changes: u64,
}

/// Who ignores whom, and the direct messages that are not answered.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    pairs: BTreeMap<(u16, u16), Pair>,
    /// The state of both accounts when each message was sent.
    sent: BTreeMap<u32, ((u16, u16), Pair)>,
    /// Since when an account is offline, at the audits.
    offline_since: BTreeMap<u16, Millis>,
    /// How often each was checked.
    pub(super) checks: [u64; 3],
}

impl Shadow {
    /// An account asks to ignore another one, or no longer.
    pub(super) fn on_ignoring(&mut self, ignorer: u16, whom: u16) {
        let pair = self.pairs.entry((ignorer, whom)).or_default();
        pair.is_alone = pair.under_way == 0;
        (pair.was, pair.is) = (pair.is, Ignored::Unsure);
        pair.under_way += 1;
        pair.changes += 1;
    }

    /// The answer.
    pub(super) fn on_ignored(&mut self, ignorer: u16, whom: u16, is_on: bool, is_done: bool) {
        let pair = self.pairs.entry((ignorer, whom)).or_default();
        pair.under_way -= 1;
        pair.changes += 1;
        pair.is = match (pair.is_alone && pair.under_way == 0, is_done, is_on) {
            (false, _, _) => Ignored::Unsure,
            (true, true, true) => Ignored::On,
            (true, true, false) => Ignored::Off,
            (true, false, _) => pair.was,
        };
    }

    /// A direct message is sent.
    pub(super) fn on_direct(&mut self, number: u32, from: u16, to: u16) {
        let pair = self.pairs.get(&(to, from)).copied().unwrap_or_default();
        self.sent.insert(number, ((to, from), pair));
    }

    /// The answer to a direct message.
    #[track_caller]
    pub(super) fn check_direct(&mut self, number: u32, code: &str) {
        let Some((key, sent)) = self.sent.remove(&number) else { return };
        let now = self.pairs.get(&key).copied().unwrap_or_default();
        if now.changes != sent.changes || now.is == Ignored::Unsure {
            return;
        }
        self.checks[usize::from(now.is == Ignored::On)] += 1;
        assert_eq!(code == "554", now.is == Ignored::On, "message {number} of {key:?} got {code}: {now:?}");
    }
}

/// The number of an account.
fn number(name: &str) -> u16 {
    name.strip_prefix('u').and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name:?}"))
}

impl Client {
    /// The answer to WATCH: `200 name is …`.
    pub(super) fn on_watched(&mut self, line: &str) {
        let (name, presence) = line.strip_prefix("C 200 ").and_then(|rest| rest.split_once(" is ")).expect(line);
        let presence = match presence.split_once(": ") {
            Some(("away", text)) => Presence::Away(text.to_owned()),
            Some(_) => panic!("{line:?}"),
            None if presence == "online" => Presence::Online,
            None => Presence::Offline,
        };
        // Watched before: the notices have told the same.
        let before = self.watching.insert(number(name), presence.clone());
        assert!(before.as_ref().is_none_or(|before| *before == presence), "{before:?} and {line:?}: {self:?}");
    }

    /// `101 name …`: those who watch are told what is new to them, and nobody else.
    pub(super) fn on_presence(&mut self, line: &str) {
        let (name, change) = line.strip_prefix("C 101 ").and_then(|rest| rest.split_once(' ')).expect(line);
        let Some(before) = self.watching.get(&number(name)) else { panic!("unasked {line:?}: {self:?}") };
        let after = match change {
            "online" => Presence::Online,
            "offline" => Presence::Offline,
            "back" => Presence::Online,
            _ => Presence::Away(change.strip_prefix("away ").expect(line).to_owned()),
        };
        let was_away = matches!(before, Presence::Away(_));
        let is_right = match change {
            "online" => *before == Presence::Offline,
            "back" => was_away,
            "offline" => *before != Presence::Offline,
            _ => *before != Presence::Offline && *before != after,
        };
        assert!(is_right, "{before:?} and {line:?}: {self:?}");
        self.watching.insert(number(name), after);
    }
}

impl World {
    /// What those who watch were told is what is so. Nothing may be under way.
    pub(super) fn check_presence(&mut self) {
        let name = |account: u16| Who::parse(&format!("u{account}")).expect("a name");
        let person = |account| self.engine.hub.person(&name(account), 0);
        let now = self.now;
        for account in 0..self.names as u16 {
            match person(account) {
                Some(_) => drop(self.shadow.offline_since.remove(&account)),
                None => drop(self.shadow.offline_since.entry(account).or_insert(now)),
            }
        }
        for (i, (client, wire)) in self.clients.iter().zip(&self.wires).enumerate() {
            let is_up_to_date = client.reading == Reading::All && wire.held() == 0 && !wire.is_blocked();
            let is_there = wire.id.map(ConnId::session).is_some_and(|who| self.engine.hub.name_of(who).is_some());
            if !is_up_to_date || !is_there || !client.is_in() {
                continue;
            }
            for (account, told) in &client.watching {
                let person = self.engine.hub.person(&name(*account), 0);
                let is = match &person {
                    None => Presence::Offline,
                    Some(person) => {
                        person.away.as_ref().map_or(Presence::Online, |text| Presence::Away(text.to_string()))
                    }
                };
                // It may have been there between two audits.
                let ended = self.clients.iter().filter(|client| client.account == *account && client.over_at <= now);
                let ended = ended.map(|client| client.over_at).max().unwrap_or_default();
                let since = self.shadow.offline_since.get(account).copied().unwrap_or(now).max(ended);
                let may_be_cut = is == Presence::Offline && now <= since + CUT_MS + SLACK_MS;
                self.shadow.checks[2] += 1;
                assert!(
                    is == *told || may_be_cut,
                    "client {i} thinks u{account} {told:?}: {is:?} since {since}, at {now}"
                );
            }
        }
    }
}
