//! What the thread knows of the tables without reading them: the accounts that exist, the rooms, the newest id.

use std::collections::{HashMap, HashSet};

use crate::hub::names::UserName;
use crate::hub::record::{Account, KeptId};
use crate::mention;

/// Accounts whose last message is remembered.
const AUTHORS: usize = 65_536;
/// Pairs of accounts whose place is remembered.
const PAIRS: usize = 4_096;

/// An account that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Living {
    /// Its number, `who.n`.
    pub(super) n: i64,
    /// When it was registered, in seconds since 1970.
    pub(super) since: u64,
}

/// A kept room.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// The number of its place.
    pub(super) place: i64,
    /// Days for which its messages are kept.
    pub(super) days: u32,
    /// The numbers of its members.
    pub(super) members: HashSet<i64>,
}

/// A table of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Its number.
    pub(super) n: i64,
    /// The least id whose words it may have.
    pub(super) first: i64,
    /// The highest; `None` while it grows.
    pub(super) last: Option<i64>,
    /// Rows that were put into it.
    pub(super) rows: i64,
}

/// A change of `place.rows` and `place.bytes` that is not in the table yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Messages.
    pub(super) rows: i64,
    /// Bytes of their texts.
    pub(super) bytes: i64,
}

/// See the [module](self). It is read from the tables again after every failure.
#[derive(Debug, Default)]
pub(super) struct Known {
    accounts: HashMap<UserName, Living>,
    /// The accounts whose names begin or end in a sign, by the rest of their names.
    signed: HashMap<String, Vec<UserName>>,
    /// The kept rooms.
    pub(super) rooms: HashMap<KeptId, Room>,
    pairs: HashMap<(i64, i64), i64>,
    /// The newest message of each account that has said something since `said_since`.
    said: HashMap<i64, i64>,
    said_since: i64,
    /// The tables of words, the oldest first.
    pub(super) spans: Vec<Span>,
    /// Changes of places that are not in the table.
    pub(super) tallies: HashMap<i64, Tally>,
    /// Rows in `tallies`.
    pub(super) untold: usize,
    /// Whether the tallies must be in the next commit.
    pub(super) must_tell: bool,
    /// The highest id that is kept or was used.
    pub(super) last_id: i64,
    /// The highest id of a kept room that was ever used.
    pub(super) last_room: u32,
    /// Places that have more messages than are kept, or may have.
    pub(super) over: HashSet<i64>,
    /// Whether something was deleted whose bytes may still be in the log.
    pub(super) must_wipe: bool,
    /// Up to which byte the file is cleaned; `None` once it is clean.
    pub(super) unscrubbed: Option<u64>,
    /// Whether a room is to be deleted.
    pub(super) has_doomed: bool,
    /// Until when it stays, in milliseconds since 1970.
    pub(super) doomed_until_ms: i64,
    /// Accounts that are gone of which nothing is left to delete.
    pub(super) forgotten: HashSet<i64>,
    /// When accounts that are gone are looked at next, in milliseconds since 1970.
    pub(super) gone_due_ms: i64,
}

impl Known {
    /// The account of this name that exists.
    pub(super) fn living(&self, name: &UserName) -> Option<Living> {
        self.accounts.get(name).copied()
    }

    /// The account, if it exists.
    pub(super) fn account(&self, account: &Account) -> Option<i64> {
        self.living(&account.name).filter(|living| living.since == account.since).map(|living| living.n)
    }

    /// The account exists from now on.
    pub(super) fn add_account(&mut self, name: UserName, living: Living) {
        self.forgotten.remove(&living.n);
        let rest = mention::cut(name.as_str());
        if rest.len() != name.as_str().len() {
            let names = self.signed.entry(rest.to_ascii_lowercase()).or_default();
            if !names.contains(&name) {
                names.push(name.clone());
            }
        }
        self.accounts.insert(name, living);
    }

    /// The account is gone.
    pub(super) fn remove_account(&mut self, name: &UserName) {
        self.accounts.remove(name);
        let rest = mention::cut(name.as_str()).to_ascii_lowercase();
        if let Some(names) = self.signed.get_mut(&rest) {
            names.retain(|other| other != name);
            if names.is_empty() {
                self.signed.remove(&rest);
            }
        }
    }

    /// The numbers of the accounts that a text mentions, without doubles.
    pub(super) fn mentioned(&self, text: &str) -> Vec<i64> {
        let mut found = Vec::new();
        let mut add = |n: i64| {
            if !found.contains(&n) {
                found.push(n);
            }
        };
        for word in mention::words(text) {
            let Ok(name) = UserName::from_record(word) else { continue };
            if let Some(living) = self.accounts.get(&name) {
                add(living.n);
            }
            if self.signed.is_empty() {
                continue;
            }
            for signed in self.signed.get(&word.to_ascii_lowercase()).into_iter().flatten() {
                if let (true, Some(living)) = (mention::is_in(text, signed.as_str()), self.accounts.get(signed)) {
                    add(living.n);
                }
            }
        }
        found
    }

    /// The remembered place of a pair of accounts, the smaller number first.
    pub(super) fn pair(&self, pair: (i64, i64)) -> Option<i64> {
        self.pairs.get(&pair).copied()
    }

    /// Remembers the place of a pair of accounts.
    pub(super) fn remember_pair(&mut self, pair: (i64, i64), place: i64) {
        if self.pairs.len() >= PAIRS {
            self.pairs.clear();
        }
        self.pairs.insert(pair, place);
    }

    /// An account has said something: the message with this id.
    pub(super) fn note_said(&mut self, n: i64, id: i64) {
        if self.said.len() >= AUTHORS && !self.said.contains_key(&n) {
            self.forget_said();
        }
        let last = self.said.entry(n).or_insert(id);
        *last = id.max(*last);
    }

    /// What was said until now may be anybody's.
    pub(super) fn forget_said(&mut self) {
        self.said.clear();
        self.said_since = self.last_id;
    }

    /// The account has said nothing above this id.
    pub(super) fn said_upto(&self, account: &Account) -> i64 {
        let last = self.account(account).and_then(|n| self.said.get(&n).copied());
        last.unwrap_or_default().max(self.said_since)
    }

    /// Forgets all pairs.
    pub(super) fn forget_pairs(&mut self) {
        self.pairs.clear();
    }

    /// Counts messages of a place, or minus what was deleted.
    pub(super) fn count(&mut self, place: i64, rows: i64, bytes: i64) {
        let tally = self.tallies.entry(place).or_default();
        tally.rows += rows;
        tally.bytes += bytes;
        self.untold += 1;
        self.must_tell |= rows < 0;
    }

    /// An id was used.
    pub(super) fn used(&mut self, id: i64) {
        self.last_id = self.last_id.max(id);
    }

    /// The table that has the words of the message with this id.
    pub(super) fn span_of(&self, id: i64) -> Option<Span> {
        self.spans.iter().rev().copied().find(|span| span.first <= id && span.last.is_none_or(|last| id <= last))
    }
}

/// The smaller number first.
pub(super) fn sorted(one: i64, other: i64) -> (i64, i64) {
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::from_record(text).unwrap()
    }

    #[test]
    fn mentions_are_found_by_words() {
        let mut known = Known::default();
        for (n, text) in ["alice", "Bob", "bob_", "j.r"].into_iter().enumerate() {
            known.add_account(name(text), Living { n: i64::try_from(n).unwrap(), since: 5 });
        }
        assert_eq!(known.mentioned("BOB, ask alice. or bob"), [1, 0]);
        assert_eq!(known.mentioned("bob_: hello j.r"), [1, 2, 3]);
        assert!(known.mentioned("bobby alices j.rr").is_empty());
        known.remove_account(&name("BOB_"));
        assert_eq!(known.mentioned("bob_"), [1]);
        assert_eq!(known.account(&Account { name: name("ALICE"), since: 5 }), Some(0));
        assert_eq!(known.account(&Account { name: name("alice"), since: 6 }), None);
    }

    #[test]
    fn nobody_has_said_anything_above_what_is_known() {
        let mut known = Known { last_id: 100, ..Known::default() };
        let [alice, bob] = ["alice", "bob"].map(|text| Account { name: name(text), since: 5 });
        known.add_account(alice.name.clone(), Living { n: 1, since: 5 });
        known.add_account(bob.name.clone(), Living { n: 2, since: 5 });
        known.forget_said();
        known.note_said(1, 90);
        assert_eq!((known.said_upto(&alice), known.said_upto(&bob)), (100, 100));
        known.note_said(1, 120);
        known.note_said(1, 110);
        assert_eq!((known.said_upto(&alice), known.said_upto(&bob)), (120, 100));
        for n in 0..2 * AUTHORS as i64 {
            known.used(200 + n);
            known.note_said(n, 200 + n);
        }
        assert!(known.said.len() <= AUTHORS && known.said_upto(&bob) >= 202);
    }

    #[test]
    fn words_are_in_the_table_of_their_span() {
        let span = |n, first, last| Span { n, first, last, rows: 0 };
        let known = Known { spans: vec![span(1, 5, Some(9)), span(2, 20, None)], ..Known::default() };
        let found = |id| known.span_of(id).map(|span| span.n);
        assert_eq!([4, 5, 9, 10, 20, 99].map(found), [None, Some(1), Some(1), None, Some(2), Some(2)]);
    }
}
