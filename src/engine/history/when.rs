//! Points in the order of all messages, as bounds of what is shown.

use crate::door::recall::{Bound, When};
use crate::history::End;

/// No id is higher: those of the store are signed.
const ID_MOST: u64 = i64::MAX as u64;

/// The bound above which messages are shown, at `unix_ms`.
pub(super) fn above(when: When, unix_ms: u64) -> u64 {
    when.above(unix_ms).min(ID_MOST)
}

/// The bound below which messages are shown, at `unix_ms`.
pub(super) fn below(when: When, unix_ms: u64) -> u64 {
    when.below(unix_ms).min(ID_MOST)
}

/// The bounds of a page, and the end of it that is shown.
pub(super) fn bounds(bound: Bound, unix_ms: u64) -> (Option<u64>, Option<u64>, End) {
    match bound {
        Bound::None => (None, None, End::Newest),
        Bound::Before(when) => (None, Some(below(when, unix_ms)), End::Newest),
        Bound::After(when) => (Some(above(when, unix_ms)), None, End::Oldest),
        Bound::Between { above, below, newest } => {
            (Some(above.min(ID_MOST)), Some(below.min(ID_MOST)), if newest { End::Newest } else { End::Oldest })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_page_shows_the_end_that_it_was_asked_for() {
        let id = When::Id(7);
        assert_eq!(bounds(Bound::None, NOW), (None, None, End::Newest));
        assert_eq!(bounds(Bound::Before(id), NOW), (None, Some(7), End::Newest));
        assert_eq!(bounds(Bound::After(id), NOW), (Some(7), None, End::Oldest));
    }

    #[test]
    fn what_is_out_of_range_is_at_the_end_of_it() {
        for when in [When::Id(u64::MAX), When::At(u64::MAX)] {
            assert_eq!((above(when, NOW), below(when, NOW)), (ID_MOST, ID_MOST), "{when:?}");
        }
        assert_eq!(above(When::Ago(u64::MAX), NOW), 0);
    }
}
