//! Dates as an operator types them.

use time::{Date, Month, OffsetDateTime, Time};

/// What is accepted, for a message to the operator.
pub(super) const FORMS: &str =
    "must be a day such as 2026-11-26, a minute such as 2026-11-26T09:41 (both UTC), or 90m, 12h or 3d ago";

/// The time that a text means, in milliseconds since 1970; `None` if it has none of the [forms](FORMS).
pub(super) fn before(text: &str, now_ms: u64) -> Option<u64> {
    ago(text, now_ms).or_else(|| moment(text))
}

/// A time as [`before`] takes it.
pub(super) fn shown(ms: u64) -> String {
    let at = i64::try_from(ms / 1000).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    at.map_or_else(
        || "?".to_owned(),
        |at| {
            let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
            format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}", at.hour(), at.minute())
        },
    )
}

/// `90m`, `12h`, `3d`.
fn ago(text: &str, now_ms: u64) -> Option<u64> {
    let unit = text.chars().last()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return None,
    };
    let number: u64 = whole(text.strip_suffix(unit)?)?;
    Some(now_ms.saturating_sub(number.saturating_mul(minutes).saturating_mul(60_000)))
}

/// `2026-11-26`, `2026-11-26T09:41`.
fn moment(text: &str) -> Option<u64> {
    let (date, minute) = match text.split_once('T') {
        Some((date, minute)) => (date, Some(minute)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let month = Month::try_from(u8::try_from(whole(month)?).ok()?).ok()?;
    let date =
        Date::from_calendar_date(i32::try_from(whole(year)?).ok()?, month, u8::try_from(whole(day)?).ok()?).ok()?;
    let time = match minute {
        None => Time::MIDNIGHT,
        Some(minute) => {
            let (hour, minute) =
                minute.split_once(':').filter(|(hour, minute)| (hour.len(), minute.len()) == (2, 2))?;
            Time::from_hms(u8::try_from(whole(hour)?).ok()?, u8::try_from(whole(minute)?).ok()?, 0).ok()?
        }
    };
    u64::try_from(date.with_time(time).assume_utc().unix_timestamp()).ok()?.checked_mul(1000)
}

/// A number of digits alone.
fn whole(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_211_484_123;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(before(text, NOW).map(shown).as_deref(), expected, "{text}");
    }

    #[test]
    fn dates_and_times_ago() {
        check("2026-11-20", Some("2026-11-20T00:00"));
        check("2026-11-20T23:59", Some("2026-11-20T23:59"));
        check("2028-02-29", Some("2028-02-29T00:00"));
        check("1970-01-01", Some("1970-01-01T00:00"));
        assert_eq!(before("90m", NOW), Some(NOW - 90 * 60_000));
        assert_eq!(before("12h", NOW), Some(NOW - 12 * 3_600_000));
        assert_eq!(before("3d", NOW), Some(NOW - 3 * 86_400_000));
        assert_eq!(before("18446744073709551615d", NOW), Some(0));
    }

    #[test]
    fn nothing_else_is_a_date() {
        for text in [
            "",
            "d",
            "3",
            "-3d",
            "+3d",
            "3 d",
            "3w",
            "2026-11",
            "2026-11-31",
            "2026-13-01",
            "2026-1-1",
            "2026-11-26T",
            "2026-11-26T9:41",
            "2026-11-26T24:00",
            "2026-11-26T09:41:00",
            "2026-11-26 09:41",
            "1969-12-31",
            "99999999999999999999d",
            "٣d",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn cut_anywhere_it_is_a_date_or_none() {
        let text = "2026-11-26T09:41";
        for end in 0..=text.len() {
            assert_eq!(before(&text[..end], NOW).is_some(), [10, 16].contains(&end), "{end}");
        }
    }
}
