//! What is read on the thread of the store: pages, counts and marks. All functions see the rows of the open transaction.
//!
//! An account may read what a request's [`Mine`](crate::history::Mine) says. An account that the store does not know
//! yet has no direct messages and has read nothing.

mod counts;
mod lines;
mod mark;
mod merge;
mod page;
mod places;
mod reader;

pub(super) use counts::{counts, missed};
pub(super) use lines::{Author, Cost, Lines, Message};
pub(super) use mark::mark;
pub(super) use page::page;
pub(super) use places::{Scope, scope};
pub(super) use reader::Reader;

#[cfg(test)]
mod tests;

/// Rows that a request looks at for one that it counts or shows, at most. Without a bound, those whom nobody but
/// themselves answers could make a request last seconds.
const LOOKS: usize = 20_000;

/// An id as SQLite has it. No message has an id above `i64::MAX`.
pub(super) fn to_sql(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// An id of SQLite.
pub(super) fn from_sql(id: i64) -> u64 {
    u64::try_from(id).unwrap_or(0)
}

/// The ids between two bounds, which are not among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    /// Only ids above this one.
    pub(super) above: i64,
    /// Only ids below this one.
    pub(super) below: i64,
}

impl Between {
    /// The ids between the bounds of a request.
    pub(super) fn new(above: Option<u64>, below: Option<u64>) -> Self {
        Self { above: above.map_or(-1, to_sql), below: below.map_or(i64::MAX, to_sql) }
    }

    /// Those above `floor` too.
    fn and_above(self, floor: i64) -> Self {
        Self { above: self.above.max(floor), ..self }
    }
}
