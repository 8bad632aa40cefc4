//! Degraded parts: what the server does without at the moment. It goes on with the rest, and says so.
//!
//! The parts are a closed set. Each part reports whether it works ([`Engine::handle_part`]), and [`Degraded`] decides
//! from these reports alone. The log, `/readyz`, `chatd_degraded` and `ctl status` show the same.
//!
//! A server that is overloaded, or runs out of memory, steps down in this order: its lists become short, and it reads
//! nothing from the history; then, if memory is short, the readers with most unread output have a second to take it. It refuses newcomers only while
//! it has no place or no descriptor for them, so nobody can keep others out by keeping it busy. Messages between people
//! are delivered as long as anything is.

use std::borrow::Cow;
use std::fmt;

use log::{info, warn};

use super::Engine;
use super::time::{Millis, NEVER};
use crate::door::operator::utc;
use crate::limits::{DEGRADED_ENDS_MS, DEGRADED_NOTICE_MS};

/// A part of the server that can be degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The account file cannot be written.
    AccountsReadOnly,
    /// Messages cannot be stored.
    HistoryBroken,
    /// There is no room for more stored messages.
    HistoryFull,
    /// `limits.connections` are open.
    Full,
    /// There is no descriptor, or no memory of the kernel, for another connection.
    Descriptors,
    /// Turns of the loop have been long for ten seconds.
    Overloaded,
    /// Unread output takes more than three quarters of `limits.owed_total_bytes`.
    Memory,
    /// Log lines are dropped, because the log is written too slowly.
    LogBehind,
    /// The certificate of a listener has expired.
    CertificateExpired,
}

/// What a part reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Well,
    /// It does not, for this cause: a phrase for the operator, without numbers that change.
    Ill(Cow<'static, str>),
}

/// A degraded part, for people who run the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degradation {
    /// The part.
    pub part: Part,
    /// Since when, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// Why: a phrase.
    pub cause: Cow<'static, str>,
}

/// A change of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is degraded from now on.
    Began(Part),
    /// It is not degraded any more.
    Ended(Part),
}

/// The state of all parts. Bounded: each part is there once.
#[derive(Debug)]
pub(super) struct Degraded {
    ill: Vec<Illness>,
    /// What people were told last, for each part that they are told of.
    told: [Told; Part::ALL.len()],
}

#[derive(Debug)]
struct Illness {
    shown: Degradation,
    /// Since when it reports that it works; [`NEVER`] while it does not.
    well_since: Millis,
}

/// What people know of a part.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    is_degraded: bool,
    /// When they may be told again.
    again: Millis,
}

impl Part {
    /// All parts, each at the index of its number.
    pub const ALL: [Self; 9] = [
        Self::AccountsReadOnly,
        Self::HistoryBroken,
        Self::HistoryFull,
        Self::Full,
        Self::Descriptors,
        Self::Overloaded,
        Self::Memory,
        Self::LogBehind,
        Self::CertificateExpired,
    ];

    /// Its name, in the log and elsewhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountsReadOnly => "accounts read-only",
            Self::HistoryBroken => "history broken",
            Self::HistoryFull => "history full",
            Self::Full => "full",
            Self::Descriptors => "descriptors",
            Self::Overloaded => "overloaded",
            Self::Memory => "memory",
            Self::LogBehind => "log behind",
            Self::CertificateExpired => "certificate expired",
        }
    }

    /// What the server does without while the part is degraded: a phrase.
    pub fn effect(self) -> &'static str {
        match self {
            Self::AccountsReadOnly => "registering and PASSWD are answered 450",
            Self::HistoryBroken => "messages are delivered and not stored",
            Self::HistoryFull => "new messages take the place of old ones",
            Self::Full | Self::Descriptors => "new connections are refused",
            Self::Overloaded => "lists are short, and HISTORY and SEARCH are answered 450",
            Self::Memory => {
                "lists are short, HISTORY and SEARCH are answered 450, and the largest unread outputs are closed after a second"
            }
            Self::LogBehind => "lines are missing from the log",
            Self::CertificateExpired => "clients that check the certificate do not connect",
        }
    }

    /// Whether new connections are refused because of it: then the server is not ready.
    pub fn refuses_newcomers(self) -> bool {
        match self {
            Self::Full | Self::Descriptors => true,
            Self::AccountsReadOnly
            | Self::HistoryBroken
            | Self::HistoryFull
            | Self::Overloaded
            | Self::Memory
            | Self::LogBehind
            | Self::CertificateExpired => false,
        }
    }

    /// Whether lists are short because of it.
    fn shortens_lists(self) -> bool {
        match self {
            Self::Overloaded | Self::Memory => true,
            Self::AccountsReadOnly
            | Self::HistoryBroken
            | Self::HistoryFull
            | Self::Full
            | Self::Descriptors
            | Self::LogBehind
            | Self::CertificateExpired => false,
        }
    }

    /// What everybody is told when it begins and when it ends; `None` for what people would not notice, or learn from
    /// the reply to what they tried.
    fn notices(self) -> Option<[&'static str; 2]> {
        match self {
            Self::HistoryBroken => Some([
                "messages are not being stored at the moment; they are delivered as always",
                "messages are being stored again",
            ]),
            Self::AccountsReadOnly
            | Self::HistoryFull
            | Self::Full
            | Self::Descriptors
            | Self::Overloaded
            | Self::Memory
            | Self::LogBehind
            | Self::CertificateExpired => None,
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, since_unix_ms, cause } = self;
        write!(f, "{}: {cause}; {}; since {}", part.name(), part.effect(), utc(*since_unix_ms))
    }
}

impl Degraded {
    /// All parts work.
    pub(super) fn new() -> Self {
        Self { ill: Vec::new(), told: Default::default() }
    }

    /// The degraded parts, in the order in which they became so.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Degradation> {
        self.ill.iter().map(|ill| &ill.shown)
    }

    /// True if the part is degraded.
    pub(super) fn has(&self, part: Part) -> bool {
        self.iter().any(|shown| shown.part == part)
    }

    /// Takes a report at `now`. A part that reports a new cause stays the same degraded part.
    fn handle(&mut self, part: Part, state: State, now: Millis, unix_ms: u64) -> Option<Change> {
        let ill = self.ill.iter_mut().find(|ill| ill.shown.part == part);
        match (ill, state) {
            (None, State::Well) => None,
            (Some(ill), State::Well) => {
                ill.well_since = ill.well_since.min(now);
                None
            }
            (Some(ill), State::Ill(cause)) => {
                (ill.well_since, ill.shown.cause) = (NEVER, cause);
                None
            }
            (None, State::Ill(cause)) => {
                let shown = Degradation { part, since_unix_ms: unix_ms, cause };
                self.ill.push(Illness { shown, well_since: NEVER });
                Some(Change::Began(part))
            }
        }
    }

    /// The next part that has been well for long enough; call it until there is none.
    fn poll_end(&mut self, now: Millis) -> Option<Change> {
        let at = self.ill.iter().position(|ill| ill.ends() <= now)?;
        Some(Change::Ended(self.ill.remove(at).shown.part))
    }

    /// The next notice for people; call it until there is none. Nothing that changed back in the meantime is told.
    fn poll_notice(&mut self, now: Millis) -> Option<&'static str> {
        for part in Part::ALL {
            let is_degraded = self.has(part);
            let Some(([began, ended], told)) = part.notices().zip(self.told.get_mut(part.index())) else { continue };
            if told.is_degraded != is_degraded && told.again <= now {
                *told = Told { is_degraded, again: now + DEGRADED_NOTICE_MS };
                return Some(if is_degraded { began } else { ended });
            }
        }
        None
    }

    /// When the next part ends, or the next notice is due; [`NEVER`] if nothing is.
    pub(super) fn next_due(&self) -> Millis {
        let ends = self.ill.iter().map(Illness::ends);
        let is_behind = |part: &Part| {
            let told = self.told.get(part.index())?;
            (part.notices().is_some() && told.is_degraded != self.has(*part)).then_some(told.again)
        };
        ends.chain(Part::ALL.iter().filter_map(is_behind)).fold(NEVER, Millis::min)
    }
}

impl Illness {
    fn ends(&self) -> Millis {
        self.well_since.saturating_add(DEGRADED_ENDS_MS)
    }
}

impl<S> Engine<S> {
    /// A part reports its state. Reports that change nothing cost next to nothing.
    pub fn handle_part(&mut self, part: Part, state: State) {
        if let Some(change) = self.degraded.handle(part, state, self.now, self.unix_ms) {
            self.on_change(change);
        }
    }

    /// The degraded parts, in the order in which they became so.
    pub fn degraded(&self) -> impl Iterator<Item = &Degradation> {
        self.degraded.iter()
    }

    /// Ends what has been well for long enough, and tells people what they would notice.
    pub(super) fn end_degraded(&mut self) {
        while let Some(change) = self.degraded.poll_end(self.now) {
            self.on_change(change);
        }
        while let Some(notice) = self.degraded.poll_notice(self.now) {
            self.announce(notice);
        }
    }

    /// One line in the log, and the steps down that go with the part.
    fn on_change(&mut self, change: Change) {
        let part = match change {
            Change::Began(part) => {
                let cause = self.degraded.iter().find(|shown| shown.part == part).map(|shown| &*shown.cause);
                warn!("degraded: {}: {}; {}", part.name(), cause.unwrap_or_default(), part.effect());
                part
            }
            Change::Ended(part) => {
                info!("degraded no more: {}", part.name());
                part
            }
        };
        if part.shortens_lists() {
            let rules = self.rules();
            self.hub.set_rules(rules);
        }
    }

    /// True if lists are short.
    pub(super) fn has_short_lists(&self) -> bool {
        self.degraded.iter().any(|shown| shown.part.shortens_lists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ill() -> State {
        State::Ill("a reason".into())
    }

    fn names(degraded: &Degraded) -> Vec<&'static str> {
        degraded.iter().map(|shown| shown.part.name()).collect()
    }

    #[test]
    fn a_part_ends_after_ten_seconds_of_health() {
        let mut degraded = Degraded::new();
        assert_eq!(degraded.handle(Part::Full, State::Well, 0, 0), None);
        assert_eq!(degraded.next_due(), NEVER);
        assert_eq!(degraded.handle(Part::Full, ill(), 1_000, 77), Some(Change::Began(Part::Full)));
        assert_eq!(degraded.handle(Part::Full, State::Ill("another".into()), 1_001, 78), None);
        assert_eq!(degraded.next_due(), NEVER);
        for (well, again) in [(2_000, 11_999), (12_000, 21_999)] {
            assert_eq!(degraded.handle(Part::Full, State::Well, well, 0), None);
            assert_eq!(degraded.handle(Part::Full, State::Well, well + 5_000, 0), None);
            assert_eq!(degraded.next_due(), well + DEGRADED_ENDS_MS);
            assert_eq!(degraded.poll_end(again), None);
            degraded.handle(Part::Full, State::Ill("another".into()), again, 0);
        }
        let shown = Degradation { part: Part::Full, since_unix_ms: 77, cause: "another".into() };
        assert_eq!(degraded.iter().collect::<Vec<_>>(), [&shown]);
        degraded.handle(Part::Full, State::Well, 30_000, 0);
        assert_eq!(degraded.poll_end(39_999), None);
        assert_eq!(degraded.poll_end(40_000), Some(Change::Ended(Part::Full)));
        assert_eq!((degraded.poll_end(40_000), degraded.next_due()), (None, NEVER));
    }

    #[test]
    fn parts_are_there_once_in_the_order_of_their_beginning() {
        let mut degraded = Degraded::new();
        for part in Part::ALL.into_iter().rev().chain(Part::ALL) {
            degraded.handle(part, ill(), 5, 5);
        }
        let mut expected: Vec<_> = Part::ALL.iter().map(|part| part.name()).collect();
        expected.reverse();
        assert_eq!(names(&degraded), expected);
        for (place, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part.index(), place);
        }
    }

    #[test]
    fn only_two_refuse_newcomers_and_people_hear_of_one() {
        let of = |test: fn(&Part) -> bool| Part::ALL.into_iter().filter(test).collect::<Vec<_>>();
        assert_eq!(of(|part| part.refuses_newcomers()), [Part::Full, Part::Descriptors]);
        assert_eq!(of(|part| part.shortens_lists()), [Part::Overloaded, Part::Memory]);
        assert_eq!(of(|part| part.notices().is_some()), [Part::HistoryBroken]);
    }

    #[test]
    fn people_are_told_once_a_minute_at_most() {
        let mut degraded = Degraded::new();
        degraded.handle(Part::HistoryBroken, ill(), 0, 0);
        assert_eq!(degraded.next_due(), 0);
        assert!(degraded.poll_notice(0).is_some_and(|notice| notice.contains("not being stored")));
        assert_eq!(degraded.poll_notice(0), None);
        // It works again before the minute is over: they hear that later.
        degraded.handle(Part::HistoryBroken, State::Well, 1_000, 0);
        assert!(degraded.poll_end(11_000).is_some());
        assert_eq!((degraded.poll_notice(11_000), degraded.next_due()), (None, 60_000));
        // And if it has failed again by then, there is nothing to tell.
        degraded.handle(Part::HistoryBroken, ill(), 12_000, 0);
        assert_eq!((degraded.poll_notice(60_000), degraded.next_due()), (None, NEVER));
        degraded.handle(Part::HistoryBroken, State::Well, 70_000, 0);
        assert!(degraded.poll_end(80_000).is_some());
        assert!(degraded.poll_notice(80_000).is_some_and(|notice| notice.contains("stored again")));
        degraded.handle(Part::HistoryBroken, ill(), 80_001, 0);
        assert_eq!((degraded.poll_notice(139_999), degraded.next_due()), (None, 140_000));
        assert!(degraded.poll_notice(140_000).is_some());
    }
}
