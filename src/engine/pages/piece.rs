//! Ranges of pages.

use std::ops::Range;

/// A range of a page: one or more frames. The first may be partly sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The number of the page.
    pub(crate) page: u32,
    /// Position of its first byte in the page.
    pub(crate) start: u32,
    /// Position behind its last byte.
    pub(crate) end: u32,
}

impl Piece {
    /// No bytes, in no page.
    pub(crate) const EMPTY: Self = Self { page: u32::MAX, start: 0, end: 0 };

    /// The number of the page that has the files of the web door.
    pub(crate) const FILES: u32 = u32::MAX - 1;

    /// A file of the web door, given by its bytes among those of all files.
    pub(crate) fn of_file(at: &Range<usize>) -> Self {
        Self { page: Self::FILES, start: at.start as u32, end: at.end as u32 }
    }

    /// Whether it has no bytes.
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The number of its page.
    pub(crate) fn page(self) -> u32 {
        self.page
    }

    /// Whether `next` begins where it ends.
    pub(crate) fn is_followed_by(self, next: Self) -> bool {
        self.page == next.page && self.end == next.start
    }

    /// From its start to the end of `last`, which must be in the same page, at its end or after it.
    pub(crate) fn until(self, last: Self) -> Self {
        debug_assert!(self.page == last.page && self.end <= last.end);
        Self { end: last.end, ..self }
    }

    /// Its length in bytes.
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}
