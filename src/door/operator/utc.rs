//! Times as items show them.

use time::OffsetDateTime;

/// A time in milliseconds since 1970 as `2026-11-26T17:31:24Z`, in UTC.
pub fn utc(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or_default();
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (month, day) = (u8::from(at.month()), at.day());
    format!("{:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", at.year(), at.hour(), at.minute(), at.second())
}

/// The same with milliseconds: `2026-11-26T17:31:24.250Z`.
pub fn utc_ms(ms: u64) -> String {
    let whole = utc(ms);
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(1_795_714_284_250), "2026-11-26T17:31:24Z");
        assert_eq!(utc_ms(1_795_714_284_250), "2026-11-26T17:31:24.250Z");
        assert_eq!(utc(u64::MAX), "1970-01-01T00:00:00Z");
    }
}
