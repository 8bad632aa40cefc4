//! Points in the order of messages, as they are typed.

use time::{Date, Month};

use crate::door::recall::When;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

impl When {
    /// Parses an id, `2026-11-26`, `2026-11-26T09:41` (UTC), or a time ago such as `90m`, `12h` and `3d`. `None` for
    /// anything else, for days that are in no calendar, and for numbers and times that no id can hold.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(id) = number(text) {
            return Some(Self::Id(id));
        }
        ago(text).map(Self::Ago).or_else(|| at(text).map(Self::At))
    }
}

/// A number of decimal digits alone. `None` too if it does not fit.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    is_number(text).then(|| text.parse().ok()).flatten()
}

/// Whether a text consists of decimal digits.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Milliseconds: a number, and `m`, `h` or `d`.
fn ago(text: &str) -> Option<u64> {
    [('m', MINUTE_MS), ('h', HOUR_MS), ('d', DAY_MS)].into_iter().find_map(|(unit, unit_ms)| {
        let count: u64 = number(text.strip_suffix(unit)?)?;
        count.checked_mul(unit_ms)
    })
}

/// Milliseconds since 1970 of a day or of a minute.
fn at(text: &str) -> Option<u64> {
    let (day, minute) = match text.split_once('T') {
        Some((day, time)) => (day, of_day(time)?),
        None => (text, 0),
    };
    let ms = day_ms(day)?.checked_add(minute)?;
    (ms <= When::MOST_MS).then_some(ms)
}

/// Milliseconds from 1970 to the beginning of a day, `2026-11-26`.
fn day_ms(text: &str) -> Option<u64> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month = Month::try_from(digits::<2>(month)? as u8).ok()?;
    let date = Date::from_calendar_date(i32::from(digits::<4>(year)?), month, digits::<2>(day)? as u8).ok()?;
    let seconds = u64::try_from(date.midnight().assume_utc().unix_timestamp()).ok()?;
    seconds.checked_mul(1000)
}

/// Milliseconds from the beginning of a day to `09:41`.
fn of_day(text: &str) -> Option<u64> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (u64::from(digits::<2>(hour)?), u64::from(digits::<2>(minute)?));
    (hour < 24 && minute < 60).then_some(hour * HOUR_MS + minute * MINUTE_MS)
}

/// A number of exactly `COUNT` digits, at most four.
fn digits<const COUNT: usize>(text: &str) -> Option<u16> {
    if text.len() == COUNT { number(text) } else { None }
}
