//! What a connection owes its client, in order: pieces of shared pages, and bytes of its own.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::pages::{Pages, Piece};
use crate::door::FRAME_END;

/// The page number of a piece that lies in the connection's own bytes.
const OWN: u32 = u32::MAX;
/// Own bytes already sent are cut off when there are this many of them, and they are half of all.
const TRIM_BYTES: usize = 4096;
/// How many pieces the kernel takes in one write (IOV_MAX).
const PIECES_A_WRITE: usize = 1024;

/// A queue of bytes to send. One that owes nothing owns no heap; one that owes one piece of a shared page neither.
#[derive(Debug)]
pub struct Outbox {
    first: Piece,
    /// What follows the first piece; boxed, for most owe nothing and all have an outbox.
    #[expect(clippy::box_collection, reason = "three words less for each of ten thousand that owe nothing")]
    rest: Option<Box<VecDeque<Piece>>>,
    own: Vec<u8>,
    owed: u32,
    is_mid_frame: bool,
}

const NOTHING: Piece = Piece { page: OWN, start: 0, end: 0 };

impl Default for Outbox {
    /// Nothing is owed.
    fn default() -> Self {
        Self { first: NOTHING, rest: None, own: Vec::new(), owed: 0, is_mid_frame: false }
    }
}

impl Outbox {
    /// Bytes still to be sent.
    pub fn owed(&self) -> usize {
        self.owed as usize
    }

    /// Heap that the outbox has for itself, in bytes: its own bytes and its list of pieces.
    pub(super) fn heap_bytes(&self) -> u64 {
        let list = |rest: &VecDeque<Piece>| size_of::<VecDeque<Piece>>() + rest.capacity() * size_of::<Piece>();
        (self.own.capacity() + self.rest.as_ref().map_or(0, |rest| list(rest))) as u64
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.owed == 0
    }

    /// Adds a piece of a shared page. One that directly follows the last lengthens it.
    pub fn push_shared(&mut self, piece: Piece, pages: &mut Pages) {
        debug_assert!(piece.len() > 0, "a frame has at least its end");
        self.owed += piece.end - piece.start;
        if self.push(piece, pages) {
            pages.hold(piece.page);
        }
    }

    /// Adds what `encode` appends, for this connection alone. Gives how many bytes that are.
    pub(super) fn push_own(&mut self, pages: &mut Pages, encode: impl FnOnce(&mut Vec<u8>)) -> usize {
        let draft = Draft::of(&mut self.own, pages);
        encode(draft.bytes);
        let added = draft.keep();
        if added > 0 {
            self.owed += added as u32;
            let end = self.own.len();
            self.push(Piece { page: OWN, start: (end - added) as u32, end: end as u32 }, pages);
        }
        added
    }

    /// Whether a new piece had to be added.
    fn push(&mut self, piece: Piece, pages: &mut Pages) -> bool {
        let last = self.rest.as_mut().and_then(|rest| rest.back_mut()).unwrap_or(&mut self.first);
        if last.page == piece.page && last.end == piece.start && last.len() > 0 {
            last.end = piece.end;
            return false;
        }
        if self.first.len() == 0 {
            self.first = piece;
        } else {
            let before = self.heap_bytes();
            self.rest.get_or_insert_default().push_back(piece);
            pages.heap_bytes += self.heap_bytes() - before;
        }
        true
    }

    /// The whole of it, if it lies in one place.
    pub(super) fn single<'a>(&'a self, pages: &'a Pages) -> Option<&'a [u8]> {
        self.rest.as_ref().is_none_or(|rest| rest.is_empty()).then(|| self.slice(self.first, pages))
    }

    /// As much of it as one vectored write takes.
    pub(super) fn slices<'a>(&'a self, pages: &'a Pages) -> Vec<IoSlice<'a>> {
        self.pieces().take(PIECES_A_WRITE).map(|piece| IoSlice::new(self.slice(*piece, pages))).collect()
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.first).chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }

    /// Its pieces of shared pages, in the order in which they will be sent.
    pub(super) fn shared_pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces().filter(|piece| piece.page != OWN)
    }

    /// Copies its pieces of pages of which little is owed into pages without gaps.
    pub(super) fn pack(&mut self, pages: &mut Pages) {
        let rest = self.rest.iter_mut().flat_map(|rest| rest.iter_mut());
        for piece in std::iter::once(&mut self.first).chain(rest) {
            if piece.page != OWN && pages.is_sparse(piece.page) {
                *piece = pages.pack(*piece);
            }
        }
    }

    fn slice<'a>(&'a self, piece: Piece, pages: &'a Pages) -> &'a [u8] {
        if piece.page == OWN {
            self.own.get(piece.start as usize..piece.end as usize).unwrap_or_default()
        } else {
            pages.slice(piece)
        }
    }

    /// `count` bytes have been sent.
    pub fn advance(&mut self, count: usize, pages: &mut Pages) {
        self.owed -= count as u32;
        let mut left = count;
        while left > 0 && left >= self.first.len() {
            left -= self.first.len();
            self.drop_first(pages);
            self.is_mid_frame = false;
        }
        if left > 0 {
            let sent = self.slice(self.first, pages).get(..left);
            self.is_mid_frame = sent.and_then(<[u8]>::last) != Some(&FRAME_END);
            self.first.start += left as u32;
        }
        self.trim(pages);
    }

    fn drop_first(&mut self, pages: &mut Pages) {
        if self.first.page != OWN {
            pages.release(self.first.page);
        }
        self.first = self.rest.as_mut().and_then(|rest| rest.pop_front()).unwrap_or(NOTHING);
    }

    /// Gives back memory that is needed no longer: all of it when nothing is owed.
    fn trim(&mut self, pages: &mut Pages) {
        if self.is_empty() {
            pages.heap_bytes -= self.heap_bytes();
            self.own = Vec::new();
            self.rest = None;
            return;
        }
        if self.own.len() < TRIM_BYTES {
            return; // whoever is far behind has many pieces to look through
        }
        let first_own = self.pieces().find(|piece| piece.page == OWN);
        let gone = first_own.map_or(self.own.len(), |piece| piece.start as usize);
        if gone >= TRIM_BYTES && gone * 2 >= self.own.len() {
            let before = self.heap_bytes();
            self.own.drain(..gone);
            self.own.shrink_to(self.own.len() * 2);
            pages.heap_bytes -= before - self.heap_bytes();
            let rest = self.rest.iter_mut().flat_map(|rest| rest.iter_mut());
            for piece in std::iter::once(&mut self.first).chain(rest).filter(|piece| piece.page == OWN) {
                piece.start -= gone as u32;
                piece.end -= gone as u32;
            }
        }
    }

    /// Drops everything but the rest of a frame whose beginning has been sent.
    pub(super) fn drop_all_but_begun(&mut self, pages: &mut Pages) {
        let begun = if self.is_mid_frame { self.slice(self.first, pages) } else { &[] };
        let end = memchr::memchr(FRAME_END, begun).map_or(begun.len(), |at| at + 1);
        let begun: Vec<u8> = begun.iter().take(end).copied().collect();
        self.clear(pages);
        self.is_mid_frame = !begun.is_empty();
        self.push_own(pages, |own| own.extend_from_slice(&begun));
    }

    /// Drops everything. An outbox must be cleared before it is dropped, for pages count who holds them.
    pub fn clear(&mut self, pages: &mut Pages) {
        while self.first.len() > 0 {
            self.drop_first(pages);
        }
        self.owed = 0;
        self.is_mid_frame = false;
        self.trim(pages);
    }
}

/// A frame in the making. An encoder that panics leaves nothing behind: its bytes would be sent without being owed.
struct Draft<'a> {
    bytes: &'a mut Vec<u8>,
    pages: &'a mut Pages,
    start: usize,
    capacity: usize,
}

impl<'a> Draft<'a> {
    fn of(bytes: &'a mut Vec<u8>, pages: &'a mut Pages) -> Self {
        let (start, capacity) = (bytes.len(), bytes.capacity());
        Self { bytes, pages, start, capacity }
    }

    /// The frame is whole. Gives its length.
    fn keep(mut self) -> usize {
        let added = self.bytes.len() - self.start;
        self.start = self.bytes.len();
        added
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        self.bytes.truncate(self.start);
        self.pages.heap_bytes += (self.bytes.capacity() - self.capacity) as u64;
    }
}

#[cfg(test)]
mod tests;
