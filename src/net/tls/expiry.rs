//! The end of a certificate's life, and what is said before and after it. A certificate that has expired is served
//! nevertheless: clients that know its key need no end, and the others say why they refuse it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use log::Level;
use time::OffsetDateTime;

use crate::limits::TLS_EXPIRY_WARN_S;

const DAY_S: u64 = 24 * 60 * 60;

/// A certificate's end, seen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    not_after: u64,
    now: u64,
}

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Far.
    Good,
    /// Within [`TLS_EXPIRY_WARN_S`].
    Near,
    /// Past.
    Expired,
}

impl Expiry {
    /// The end `not_after`, seen at `now`; both are Unix time in seconds.
    pub fn new(not_after: u64, now: u64) -> Self {
        Self { not_after, now }
    }

    /// The end `not_after`, seen now.
    pub fn seen_now(not_after: u64) -> Self {
        Self::new(not_after, now_s())
    }

    /// How near the end is.
    pub fn stage(self) -> Stage {
        if self.now > self.not_after {
            Stage::Expired
        } else if self.now + TLS_EXPIRY_WARN_S >= self.not_after {
            Stage::Near
        } else {
            Stage::Good
        }
    }

    /// The level of the line that says so.
    pub fn level(self) -> Level {
        match self.stage() {
            Stage::Good => Level::Info,
            Stage::Near => Level::Warn,
            Stage::Expired => Level::Error,
        }
    }
}

/// The time of day, as Unix time in seconds.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl fmt::Display for Expiry {
    /// `expires on 2029-03-01 (in 825 days)`, `expired on 2026-03-01 (3 days ago)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (self.not_after.abs_diff(self.now) + DAY_S / 2) / DAY_S;
        let plural = if days == 1 { "" } else { "s" };
        let day = Day(self.not_after);
        match self.stage() {
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
            let expiry = Expiry::new(end, end.checked_add_signed(-left).unwrap());
            assert_eq!((expiry.stage(), expiry.to_string().as_str()), expected);
        }
        let day = DAY_S as i64;
        check(825 * day, (Stage::Good, "expires on 2026-11-20 (in 825 days)"));
        check(14 * day + 1, (Stage::Good, "expires on 2026-11-20 (in 14 days)"));
        check(14 * day, (Stage::Near, "expires on 2026-11-20 (in 14 days)"));
        check(day, (Stage::Near, "expires on 2026-11-20 (in 1 day)"));
        check(0, (Stage::Near, "expires on 2026-11-20 (in 0 days)"));
        check(5 * day - 60, (Stage::Near, "expires on 2026-11-20 (in 5 days)"));
        check(-1, (Stage::Expired, "expired on 2026-11-20 (0 days ago)"));
        check(-day, (Stage::Expired, "expired on 2026-11-20 (1 day ago)"));
    }
}
