//! Ranges of pages.

/// A range of a page: one or more frames, the first of which may be sent in part.
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
    /// Its length in bytes.
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}
