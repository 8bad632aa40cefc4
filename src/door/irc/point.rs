//! Points in the order of messages, as CHATHISTORY and MARKREAD name them.

use time::{Date, Month};

use crate::door::operator::utc_ms;
use crate::door::recall::time_of;

/// A point in the order of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// `*`: the newest message.
    Newest,
    /// `msgid=7`.
    Id(u64),
    /// `timestamp=2026-11-26T09:41:00.000Z`, in milliseconds since 1970.
    At(u64),
}

/// Bits of an id below its time in milliseconds.
const SHIFT: u32 = 20;
/// The latest time that an id can hold.
const MOST_MS: u64 = u64::MAX >> SHIFT;

impl Point {
    /// Parses a point. `None` for anything else, and for days that are in no calendar.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Newest);
        }
        let (key, value) = text.split_once('=')?;
        match key {
            "msgid" if value.bytes().all(|byte| byte.is_ascii_digit()) => value.parse().ok().map(Self::Id),
            "timestamp" => milliseconds(value).filter(|ms| *ms <= MOST_MS).map(Self::At),
            _ => None,
        }
    }

    /// The exclusive bound of what was said after it. A time ends with its last id: a client that has shown a message
    /// knows its millisecond, and does not want that message again.
    pub(super) fn above(self) -> u64 {
        match self {
            Self::Newest => u64::MAX,
            Self::Id(id) => id,
            Self::At(ms) => (ms << SHIFT) | ((1 << SHIFT) - 1),
        }
    }

    /// The exclusive bound of what was said before it.
    pub(super) fn below(self) -> u64 {
        match self {
            Self::Newest => u64::MAX,
            Self::Id(id) => id,
            Self::At(ms) => ms << SHIFT,
        }
    }
}

/// A mark as it is shown.
pub(super) fn timestamp(id: u64) -> String {
    format!("timestamp={}", utc_ms(time_of(id)))
}

/// `2026-11-26T09:41:00.000Z`, with any number of digits behind the point, or without them.
fn milliseconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = time.split(':');
    let (hour, minute, second) = (digits(clock.next()?, 2)?, digits(clock.next()?, 2)?, digits(clock.next()?, 2)?);
    let is_whole = parts.next().is_none() && clock.next().is_none() && hour < 24 && minute < 60 && second < 61;
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole || !is_fraction {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let month = Month::try_from(month as u8).ok()?;
    let day = Date::from_calendar_date(year as i32, month, day as u8).ok()?;
    let seconds = u64::try_from(day.midnight().assume_utc().unix_timestamp()).ok()?;
    Some((seconds + hour * 3600 + minute * 60 + second) * 1000 + fraction)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Point>) {
        assert_eq!(Point::parse(text), expected, "{text:?}");
    }

    #[test]
    fn points() {
        check("*", Some(Point::Newest));
        check("msgid=7", Some(Point::Id(7)));
        check("timestamp=2026-11-26T17:31:24.250Z", Some(Point::At(1_795_714_284_250)));
        check("timestamp=2026-11-26T17:31:24Z", Some(Point::At(1_795_714_284_000)));
        check("timestamp=2026-11-26T17:31:24.2501234Z", Some(Point::At(1_795_714_284_250)));
        for none in [
            "",
            "7",
            "msgid=",
            "msgid=-1",
            "msgid=99999999999999999999",
            "timestamp=",
            "timestamp=2026-02-30T00:00:00.000Z",
            "timestamp=2026-11-26T24:00:00.000Z",
            "timestamp=2026-11-26 17:31:24.250Z",
            "timestamp=9999-11-26T17:31:24.250Z",
            "timestamp=1969-11-26T17:31:24.250Z",
            "timestamp=2026-11-26T17:31:24.Z",
            "Timestamp=2026-11-26T17:31:24.250Z",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn bounds_of_a_millisecond() {
        let point = Point::At(5);
        assert_eq!((point.below(), point.above()), (5 << 20, (5 << 20) + 0xf_ffff));
        assert_eq!(timestamp((1_795_714_284_250 << 20) + 7), "timestamp=2026-11-26T17:31:24.250Z");
        let most = Point::At(MOST_MS);
        assert_eq!(most.above(), u64::MAX);
    }
}
