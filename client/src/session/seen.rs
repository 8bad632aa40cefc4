//! How much of each server has been shown. What was said after that is asked for after a break.
//!
//! A session hears ids rising over all places, so one number says what the user has. While a message of the user is
//! unconfirmed, the number stays where it was when that message was sent: its id is above that, and unknown.

use std::collections::{BTreeSet, VecDeque};

use super::requests::{Request, Sent, Unconfirmed};
use super::{Phase, Resumes, Session};
use crate::action::{Action, Now};

/// At most this many ids are remembered of messages that were shown before the past.
const OUT_OF_TURN: usize = 65_536;
/// The number of holes remembered, so that they are not shown again …
const HOLES: usize = 64;
/// … and of messages of the user.
const OWN: usize = 1_000;
/// The pause between two writes of the file.
const KEEP_EVERY_MS: u64 = 1_000;

/// What has been shown of one server.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Everything up to this id, except messages of the user that were unconfirmed. `None` if that is unknown.
    top: Option<u64>,
    /// The ids above that were shown before a resume had ended.
    out_of_turn: BTreeSet<u64>,
    /// All messages of the user up to this id are known: a resume has ended there.
    settled: u64,
    /// The ids of the latest messages of the user that were confirmed, or heard.
    own: VecDeque<u64>,
    /// The ids of the latest holes.
    holes: VecDeque<u64>,
    /// The number that the caller keeps for the next run.
    kept: Option<u64>,
}

impl Seen {
    /// Everything up to this id has been shown, according to an earlier run.
    pub(super) fn from_kept(kept: Option<u64>) -> Self {
        Self { top: kept, kept, ..Self::default() }
    }

    /// The highest id up to which everything has been shown, but for unconfirmed messages of the user.
    pub(super) fn top(&self) -> Option<u64> {
        self.top
    }

    /// A live message was shown, and nothing before it is missing.
    pub(super) fn hear(&mut self, id: u64) {
        // Ids rise. A lower one means that the server is not the one of the earlier runs.
        self.top = Some(id);
    }

    /// The id of a confirmed message of the user is known, and nothing before it is missing.
    pub(super) fn raise(&mut self, id: u64) {
        self.top = self.top.max(Some(id));
    }

    /// A message was shown while something before it is missing.
    pub(super) fn hear_out_of_turn(&mut self, id: u64) {
        if self.out_of_turn.len() == OUT_OF_TURN {
            self.out_of_turn.pop_first();
        }
        self.out_of_turn.insert(id);
    }

    /// Whether this message of somebody else has been shown.
    pub(super) fn has(&self, id: u64) -> bool {
        self.top.is_some_and(|top| id <= top) || self.out_of_turn.contains(&id)
    }

    /// A message of the user was shown.
    pub(super) fn note_own(&mut self, id: u64) {
        self.own.truncate(OWN - 1);
        self.own.push_front(id);
    }

    /// Whether this message of the user has been shown.
    pub(super) fn has_own(&self, id: u64) -> bool {
        id <= self.settled || self.own.contains(&id)
    }

    /// A hole is about to be shown. False if it has been.
    pub(super) fn note_hole(&mut self, id: u64) -> bool {
        let is_new = !self.holes.contains(&id);
        if is_new {
            self.holes.truncate(HOLES - 1);
            self.holes.push_front(id);
        }
        is_new
    }

    /// Nothing up to this id is missing, and nothing of what was shown out of turn.
    pub(super) fn settle(&mut self, id: u64) {
        let highest = self.out_of_turn.last().copied().unwrap_or(id).max(id);
        self.out_of_turn.clear();
        self.own.clear();
        self.settled = self.settled.max(highest);
        self.raise(highest);
    }
}

impl Session {
    /// What was shown in earlier runs, by the index of the server: the ids of [`Action::KeepSeen`].
    #[must_use]
    pub fn with_seen(mut self, seen: Vec<Option<u64>>) -> Self {
        for (place, kept) in self.seen.iter_mut().zip(seen) {
            *place = Seen::from_kept(kept);
        }
        self
    }

    /// What has been shown of the current server.
    pub(super) fn seen(&mut self) -> Option<&mut Seen> {
        self.seen.get_mut(self.retry.server())
    }

    /// The highest id up to which the user has everything from this server; `None` if that is unknown.
    pub(super) fn highest(&self, server: usize) -> Option<u64> {
        let top = self.seen.get(server)?.top?;
        let is_sent = |unconfirmed: &&Unconfirmed| unconfirmed.was_sent;
        let kept = self.unconfirmed.iter().filter(is_sent).map(|unconfirmed| &unconfirmed.words);
        let open = self.requests.iter().filter_map(Request::words).chain(kept);
        let sent = open.filter_map(|words| words.sent).filter(|sent| sent.server == server);
        sent.map(|sent| sent.top).min().map_or(Some(top), |least| least.map(|least| least.min(top)))
    }

    /// The moment at which a message is sent.
    pub(super) fn sent_now(&self) -> Sent {
        let server = self.retry.server();
        Sent { server, top: self.seen.get(server).and_then(|seen| seen.top) }
    }

    /// Has the numbers kept that have changed, if it is time.
    pub(super) fn keep_seen(&mut self, now: Now) {
        if self.kept_ms.is_some_and(|kept| now.monotonic_ms < kept.saturating_add(KEEP_EVERY_MS)) {
            return;
        }
        if self.keep_all_seen() {
            self.kept_ms = Some(now.monotonic_ms);
        }
    }

    /// Has all numbers kept that have changed. True if there was one.
    pub(super) fn keep_all_seen(&mut self) -> bool {
        let changed = self.unkept();
        for (server, id) in &changed {
            if let Some(seen) = self.seen.get_mut(*server) {
                seen.kept = Some(*id);
                self.actions.push_back(Action::KeepSeen(*server, *id));
            }
        }
        !changed.is_empty()
    }

    /// When the numbers are kept again, in monotonic milliseconds.
    pub(super) fn keep_due(&self) -> Option<u64> {
        let kept = self.kept_ms?;
        (!self.unkept().is_empty()).then(|| kept.saturating_add(KEEP_EVERY_MS))
    }

    fn unkept(&self) -> Vec<(usize, u64)> {
        // At the end, what was unconfirmed has been named and dropped.
        if self.settings.resumes != Resumes::Always || matches!(self.phase, Phase::Over) {
            return Vec::new();
        }
        let numbers = self.seen.iter().enumerate().filter_map(|(server, seen)| {
            let highest = self.highest(server)?;
            (seen.kept != Some(highest)).then_some((server, highest))
        });
        numbers.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_out_of_turn_is_not_missing_later() {
        let mut seen = Seen::from_kept(Some(10));
        seen.hear_out_of_turn(30);
        seen.hear_out_of_turn(20);
        assert_eq!((seen.top(), seen.has(10), seen.has(11), seen.has(20)), (Some(10), true, false, true));
        seen.settle(25);
        assert_eq!((seen.top(), seen.has(29)), (Some(30), true));
        seen.raise(7);
        assert_eq!(seen.top(), Some(30));
        seen.hear(8);
        assert_eq!(seen.top(), Some(8), "another server");
    }

    #[test]
    fn bounded() {
        let mut seen = Seen::default();
        (0..200_000).for_each(|id| seen.hear_out_of_turn(id));
        assert_eq!(seen.out_of_turn.len(), OUT_OF_TURN);
        assert!(seen.has(199_999) && !seen.has(0));
        assert!((0..200).all(|id| seen.note_hole(id)));
        assert!(!seen.note_hole(199) && seen.note_hole(0) && seen.holes.len() == HOLES);
    }
}
