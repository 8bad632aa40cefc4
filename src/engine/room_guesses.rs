//! Wrong passwords of rooms: the recent ones of each account or guest address, and when it has to wait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use super::Engine;
use super::addresses;
use super::id::ConnId;
use super::log_limit::Subject;
use super::pause::Late;
use super::time::Millis;
use crate::hub::names::{RoomName, UserName};
use crate::limits::{ROOM_GUESSERS, ROOM_GUESSES, ROOM_GUESSES_WINDOW_MS};

/// The party that guesses count for, whichever connection they come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Guesser {
    /// An account.
    Account(UserName),
    /// A guest, by the party of its address.
    Address(IpAddr),
}

/// The position of a wrong password among its guesser's recent ones: the log has lines for the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// The first one for a while.
    First,
    /// One between the first and the last.
    Another,
    /// The one after which the guesser has to wait.
    Last,
}

/// The wrong passwords of the last [`ROOM_GUESSES_WINDOW_MS`], of at most [`ROOM_GUESSERS`] parties. Every call costs
/// O(log parties).
#[derive(Debug, Default)]
pub(super) struct Guesses {
    /// Times of each party's last wrong passwords, at most [`ROOM_GUESSES`] of them, oldest first. No list is empty.
    table: BTreeMap<Guesser, VecDeque<Millis>>,
    /// The parties in the order of their latest wrong password: the first is forgotten first.
    by_latest: BTreeSet<(Millis, Guesser)>,
}

impl Guesses {
    /// How long `guesser` has to wait before its next password is checked, in milliseconds; `None` if it need not wait.
    pub(super) fn wait(&self, guesser: &Guesser, now: Millis) -> Option<Millis> {
        let times = self.table.get(guesser).filter(|times| times.len() >= ROOM_GUESSES)?;
        let free_at = times.front()?.saturating_add(ROOM_GUESSES_WINDOW_MS);
        free_at.checked_sub(now).filter(|wait| *wait > 0)
    }

    /// Records a wrong password of `guesser` at `now`.
    pub(super) fn record(&mut self, guesser: Guesser, now: Millis) -> Guess {
        self.sweep(now);
        let mut times = self.table.remove(&guesser).unwrap_or_default();
        if let Some(latest) = times.back() {
            self.by_latest.remove(&(*latest, guesser.clone()));
        }
        while times.front().is_some_and(|time| is_over(*time, now)) || times.len() >= ROOM_GUESSES {
            times.pop_front();
        }
        times.push_back(now);
        let count = times.len();
        self.by_latest.insert((now, guesser.clone()));
        self.table.insert(guesser, times);
        match count {
            1 => Guess::First,
            ROOM_GUESSES => Guess::Last,
            _ => Guess::Another,
        }
    }

    /// Forgets parties whose wrong passwords are all too old, and, if the table is full, the one with the oldest latest
    /// one.
    fn sweep(&mut self, now: Millis) {
        while let Some((latest, _)) = self.by_latest.first()
            && (is_over(*latest, now) || self.table.len() >= ROOM_GUESSERS)
        {
            if let Some((_, guesser)) = self.by_latest.pop_first() {
                self.table.remove(&guesser);
            }
        }
    }
}

fn is_over(time: Millis, now: Millis) -> bool {
    time.saturating_add(ROOM_GUESSES_WINDOW_MS) <= now
}

impl<S> Engine<S> {
    /// The party that the guesses of a connection count for; `None` for a guest whose address is exempt.
    fn guesser(&self, id: ConnId) -> Option<Guesser> {
        if let Some(name) = self.hub.name_of(id.session()) {
            return Some(Guesser::Account(name.clone()));
        }
        let ip = self.conns.peek(id)?.origin.limited(&self.settings.limits)?;
        Some(Guesser::Address(addresses::party(ip)))
    }

    /// How many seconds a connection has to wait before its next room password is checked; `None` if it need not wait.
    pub(super) fn guess_wait_s(&self, id: ConnId) -> Option<u32> {
        let wait = self.logins.guesses.wait(&self.guesser(id)?, self.now)?;
        u32::try_from(wait.div_ceil(1000)).ok()
    }

    /// A connection gave a wrong password for `room`. The reply is delayed.
    pub(super) fn on_wrong_room_password(&mut self, id: ConnId, room: &RoomName) {
        let now = self.now;
        if let Some(guesser) = self.guesser(id) {
            let guess = self.logins.guesses.record(guesser, now);
            let who = self.hub.who_is(id.session()).map_or_else(|| "a guest".to_owned(), |who| who.to_string());
            let Some(from) = self.conns.peek(id).map(|conn| conn.origin) else { return };
            let (subject, note) = match guess {
                Guess::First => (Subject::RoomPassword, String::new()),
                Guess::Another => (Subject::RoomPasswordAgain, String::new()),
                Guess::Last => {
                    let minutes = ROOM_GUESSES_WINDOW_MS / 60_000;
                    (Subject::RoomPassword, format!(", {ROOM_GUESSES} in {minutes} minutes: must wait"))
                }
            };
            let line = |_: &Self| format!("wrong password for room {room}: {who} from {from}{note}");
            self.log_peer(subject, from.ip(), line);
        }
        self.answer_late(id, now, Late::WrongRoom);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    fn alice() -> Guesser {
        Guesser::Account(UserName::parse("alice").unwrap())
    }

    fn address(last: u8) -> Guesser {
        Guesser::Address([192, 0, 2, last].into())
    }

    #[test]
    fn ten_in_ten_minutes_and_no_more() {
        let mut guesses = Guesses::default();
        for n in 0..10 {
            assert_eq!(guesses.wait(&alice(), n * 1000), None, "{n}");
            let expected = [Guess::First, Guess::Another, Guess::Last][usize::from(n > 0) + usize::from(n == 9)];
            assert_eq!(guesses.record(alice(), n * 1000), expected, "{n}");
        }
        assert_eq!(guesses.wait(&alice(), 9_000), Some(10 * MINUTE - 9_000));
        assert_eq!(guesses.wait(&alice(), 10 * MINUTE - 1), Some(1));
        assert_eq!(guesses.wait(&Guesser::Account(UserName::parse("ALICE").unwrap()), 9_000), Some(591_000));
        assert_eq!(guesses.wait(&address(1), 9_000), None);
        // The window slides: one is too old, and there is one more.
        assert_eq!(guesses.wait(&alice(), 10 * MINUTE), None);
        assert_eq!(guesses.record(alice(), 10 * MINUTE), Guess::Last);
        assert_eq!(guesses.wait(&alice(), 10 * MINUTE), Some(1000));
        // All are too old.
        assert_eq!(guesses.wait(&alice(), 20 * MINUTE), None);
        assert_eq!(guesses.record(alice(), 20 * MINUTE), Guess::First);
    }

    #[test]
    fn who_is_quiet_is_forgotten() {
        let mut guesses = Guesses::default();
        for last in 0..5 {
            guesses.record(address(last), u64::from(last));
        }
        assert_eq!(guesses.table.len(), 5);
        guesses.record(alice(), 10 * MINUTE + 1);
        assert_eq!(guesses.table.keys().collect::<Vec<_>>(), [&alice(), &address(2), &address(3), &address(4)]);
        assert_eq!(guesses.by_latest.len(), 4);
    }

    #[test]
    fn a_full_table_forgets_who_was_quiet_for_longest() {
        let mut guesses = Guesses::default();
        for n in 0..ROOM_GUESSERS as u32 + 3 {
            guesses.record(Guesser::Address(n.to_be_bytes().into()), u64::from(n / 1000));
        }
        assert!(guesses.table.len() <= ROOM_GUESSERS && guesses.by_latest.len() == guesses.table.len());
        assert!(!guesses.table.contains_key(&Guesser::Address(0u32.to_be_bytes().into())));
    }
}
