//! Points in the order of all messages.

use crate::door::recall::{Bound, When};
use crate::history::End;

/// Bits of an id below its time.
const TIME_SHIFT: u32 = 20;
/// No id is higher: the store's are signed.
const ID_MOST: u64 = i64::MAX as u64;

/// Where a point lies among the ids, as a bound above which messages are shown. A time lies before the first message
/// of its millisecond. `unix_ms` is now.
pub(super) fn above(when: When, unix_ms: u64) -> u64 {
    match when {
        When::Id(id) => id.min(ID_MOST),
        When::At(ms) => first_id(ms).saturating_sub(1),
        When::Ago(ms) => first_id(unix_ms.saturating_sub(ms)).saturating_sub(1),
    }
}

/// The same, as a bound below which messages are shown.
pub(super) fn below(when: When, unix_ms: u64) -> u64 {
    match when {
        When::Id(id) => id.min(ID_MOST),
        When::At(ms) => first_id(ms),
        When::Ago(ms) => first_id(unix_ms.saturating_sub(ms)),
    }
}

/// The bounds of a page, and the end of it that is shown.
pub(super) fn bounds(bound: Bound, unix_ms: u64) -> (Option<u64>, Option<u64>, End) {
    match bound {
        Bound::None => (None, None, End::Newest),
        Bound::Before(when) => (None, Some(below(when, unix_ms)), End::Newest),
        Bound::After(when) => (Some(above(when, unix_ms)), None, End::Oldest),
    }
}

/// The first id of a millisecond.
fn first_id(ms: u64) -> u64 {
    if ms > ID_MOST >> TIME_SHIFT { ID_MOST } else { ms << TIME_SHIFT }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_time_is_before_the_first_message_of_its_millisecond() {
        let first = NOW << TIME_SHIFT;
        for when in [When::At(NOW), When::Ago(1_000)] {
            let now = NOW + 1_000;
            assert_eq!((above(when, now), below(when, now)), (first - 1, first), "{when:?}");
        }
        assert_eq!((above(When::Id(7), NOW), below(When::Id(7), NOW)), (7, 7));
    }

    #[test]
    fn what_is_out_of_range_is_at_the_end_of_it() {
        for when in [When::Id(u64::MAX), When::At(u64::MAX)] {
            assert_eq!(below(when, NOW), ID_MOST, "{when:?}");
        }
        assert_eq!((above(When::At(0), NOW), below(When::At(0), NOW)), (0, 0));
        assert_eq!(above(When::Ago(u64::MAX), NOW), 0);
    }

    #[test]
    fn a_page_shows_the_end_that_it_was_asked_for() {
        let id = When::Id(7);
        assert_eq!(bounds(Bound::None, NOW), (None, None, End::Newest));
        assert_eq!(bounds(Bound::Before(id), NOW), (None, Some(7), End::Newest));
        assert_eq!(bounds(Bound::After(id), NOW), (Some(7), None, End::Oldest));
    }
}
