//! The life of a certificate, and what is said before and after it. A certificate that has expired is served
//! nevertheless: clients that know its key need no end, and the others say why they refuse it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use log::Level;
use time::OffsetDateTime;

use crate::limits::TLS_EXPIRY_WARN_S;

const DAY_S: u64 = 24 * 60 * 60;

/// When a certificate is valid, as Unix time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

/// A certificate's life, seen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    life: Life,
    now: u64,
}

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The life has not begun.
    Early,
    /// Far.
    Good,
    /// Within [`TLS_EXPIRY_WARN_S`].
    Near,
    /// Past.
    Expired,
}

impl Expiry {
    /// A life, seen at `now`, which is Unix time in seconds.
    pub fn new(life: Life, now: u64) -> Self {
        Self { life, now }
    }

    /// A life, seen now.
    pub fn seen_now(life: Life) -> Self {
        Self::new(life, now_s())
    }

    /// How near the end is.
    pub fn stage(self) -> Stage {
        if self.now > self.life.not_after {
            Stage::Expired
        } else if self.now < self.life.not_before {
            Stage::Early
        } else if self.now + TLS_EXPIRY_WARN_S >= self.life.not_after {
            Stage::Near
        } else {
            Stage::Good
        }
    }

    /// The level of the line that says so.
    pub fn level(self) -> Level {
        match self.stage() {
            Stage::Good => Level::Info,
            Stage::Early | Stage::Near => Level::Warn,
            Stage::Expired => Level::Error,
        }
    }
}

/// The time of day, as Unix time in seconds.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl fmt::Display for Expiry {
    /// `expires on 2029-03-01 (in 825 days)`, `expired on 2026-03-01 (3 days ago)`, `is not valid before 2026-03-01 (in 3
    /// days)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Life { not_before, not_after } = self.life;
        let at = if self.stage() == Stage::Early { not_before } else { not_after };
        let days = (at.abs_diff(self.now) + DAY_S / 2) / DAY_S;
        let plural = if days == 1 { "" } else { "s" };
        let day = Day(at);
        match self.stage() {
            Stage::Early => write!(f, "is not valid before {day} (in {days} day{plural})"),
            Stage::Expired => write!(f, "expired on {day} ({days} day{plural} ago)"),
            Stage::Good | Stage::Near => write!(f, "expires on {day} (in {days} day{plural})"),
        }
    }
}

/// A day in UTC.
struct Day(u64);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0).ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok());
        match time.map(OffsetDateTime::date) {
            Some(date) => write!(f, "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()),
            None => f.write_str("a day beyond the calendar"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        #[track_caller]
        fn check(left: i64, expected: (Stage, &str)) {
            let end = 1_795_211_484;
            let life = Life { not_before: end - 900 * DAY_S, not_after: end };
            let expiry = Expiry::new(life, end.checked_add_signed(-left).unwrap());
            assert_eq!((expiry.stage(), expiry.to_string().as_str()), expected);
        }
        let day = DAY_S as i64;
        check(825 * day, (Stage::Good, "expires on 2026-11-20 (in 825 days)"));
        check(901 * day, (Stage::Early, "is not valid before 2024-06-03 (in 1 day)"));
        check(900 * day, (Stage::Good, "expires on 2026-11-20 (in 900 days)"));
        check(14 * day + 1, (Stage::Good, "expires on 2026-11-20 (in 14 days)"));
        check(14 * day, (Stage::Near, "expires on 2026-11-20 (in 14 days)"));
        check(day, (Stage::Near, "expires on 2026-11-20 (in 1 day)"));
        check(0, (Stage::Near, "expires on 2026-11-20 (in 0 days)"));
        check(5 * day - 60, (Stage::Near, "expires on 2026-11-20 (in 5 days)"));
        check(-1, (Stage::Expired, "expired on 2026-11-20 (0 days ago)"));
        check(-day, (Stage::Expired, "expired on 2026-11-20 (1 day ago)"));
    }
}
