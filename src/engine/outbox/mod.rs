//! The output queued for a connection, in order: pieces of shared pages, and bytes of its own.

use std::io::IoSlice;

use super::pages::{Pages, Piece, Queue};

/// The page number of a piece that lies in the connection's own bytes.
const OWN: u32 = u32::MAX;
/// Own bytes already sent are removed when there are this many of them, and they are half of all.
const TRIM_BYTES: usize = 4096;
/// How many pieces the kernel takes in one write (IOV_MAX).
const PIECES_A_WRITE: usize = 1024;
/// The first piece of an empty outbox.
const NOTHING: Piece = Piece { page: OWN, start: 0, end: 0 };

/// A queue of bytes to send. It owns no heap while it is empty, or holds one piece of a shared page.
#[derive(Debug)]
pub struct Outbox {
    first: Piece,
    owed: u32,
    queue: Option<Box<Queue>>,
}

impl Default for Outbox {
    /// An empty outbox.
    fn default() -> Self {
        Self { first: NOTHING, owed: 0, queue: None }
    }
}

impl Outbox {
    /// Bytes still to be sent.
    pub fn owed(&self) -> usize {
        self.owed as usize
    }

    /// The heap of this outbox alone, in bytes.
    pub(super) fn heap_bytes(&self) -> u64 {
        self.queue.as_ref().map_or(0, |queue| queue.heap_bytes() as u64)
    }

    /// True if there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.owed == 0
    }

    /// Adds a piece of a shared page, of whole frames. One that directly follows the last piece lengthens it.
    pub fn push_shared(&mut self, piece: Piece, pages: &mut Pages) {
        debug_assert!(!piece.is_empty(), "a frame has at least its end");
        self.owed += piece.end - piece.start;
        if self.push(piece, pages) {
            pages.hold(piece.page);
        }
    }

    /// Adds the frame that `encode` appends, for this connection alone. Returns its length in bytes.
    pub(super) fn push_own(&mut self, pages: &mut Pages, encode: impl FnOnce(&mut Vec<u8>)) -> usize {
        let queue = self.queue.get_or_insert_with(|| pages.take_queue());
        let draft = Draft::of(queue, pages);
        encode(&mut draft.queue.own);
        let frame = draft.keep_frame();
        self.push_draft(frame, pages)
    }

    /// Adds the rest of a frame whose beginning has been sent.
    fn push_rest(&mut self, rest: &[u8], pages: &mut Pages) {
        let queue = self.queue.get_or_insert_with(|| pages.take_queue());
        let draft = Draft::of(queue, pages);
        draft.queue.own.extend_from_slice(rest);
        let piece = draft.keep();
        self.push_draft(piece, pages);
    }

    /// Adds a piece of the connection's own bytes. Returns its length in bytes.
    fn push_draft(&mut self, piece: Piece, pages: &mut Pages) -> usize {
        if !piece.is_empty() {
            self.owed += piece.end - piece.start;
            self.push(piece, pages);
        } else {
            self.trim(pages);
        }
        piece.len()
    }

    /// Adds a piece, or lengthens the last one. True if it was added.
    fn push(&mut self, piece: Piece, pages: &mut Pages) -> bool {
        let last = self.queue.as_mut().and_then(|queue| queue.pieces.back_mut()).unwrap_or(&mut self.first);
        if last.page == piece.page && last.end == piece.start && !last.is_empty() {
            last.end = piece.end;
            return false;
        }
        if self.first.is_empty() {
            self.first = piece;
        } else {
            let queue = self.queue.get_or_insert_with(|| pages.take_queue());
            let before = queue.heap_bytes();
            queue.pieces.push_back(piece);
            pages.heap_bytes += (queue.heap_bytes() - before) as u64;
        }
        true
    }

    /// All bytes, if they are contiguous.
    pub(super) fn single<'a>(&'a self, pages: &'a Pages) -> Option<&'a [u8]> {
        let is_single = self.queue.as_ref().is_none_or(|queue| queue.pieces.is_empty());
        is_single.then(|| self.slice(self.first, pages))
    }

    /// As many bytes as one vectored write takes.
    pub(super) fn slices<'a>(&'a self, pages: &'a Pages) -> Vec<IoSlice<'a>> {
        self.pieces().take(PIECES_A_WRITE).map(|piece| IoSlice::new(self.slice(*piece, pages))).collect()
    }

    /// As many bytes as one vectored write takes. The very last byte of the output, an LF, is a NUL if it is among them.
    pub(super) fn slices_to_nul<'a>(&'a self, pages: &'a Pages) -> Vec<IoSlice<'a>> {
        let mut pieces: Vec<Piece> = self.pieces().take(PIECES_A_WRITE - 1).copied().collect();
        let is_all = pieces.iter().map(|piece| piece.len()).sum::<usize>() == self.owed();
        if let Some(last) = pieces.last_mut().filter(|last| is_all && !last.is_empty()) {
            last.end -= 1;
        }
        let slices = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| self.slice(*piece, pages));
        slices.chain(is_all.then_some(&b"\0"[..])).map(IoSlice::new).collect()
    }

    /// Appends the first `count` bytes to a buffer.
    pub(super) fn copy_front(&self, count: usize, pages: &Pages, into: &mut Vec<u8>) {
        let end = into.len() + count;
        for piece in self.pieces() {
            let bytes = self.slice(*piece, pages);
            let room = end - into.len();
            into.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            if into.len() == end {
                break;
            }
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.first).chain(self.queue.iter().flat_map(|queue| &queue.pieces))
    }

    fn pieces_mut(&mut self) -> impl Iterator<Item = &mut Piece> {
        std::iter::once(&mut self.first).chain(self.queue.iter_mut().flat_map(|queue| &mut queue.pieces))
    }

    /// Its pieces of shared pages, in the order in which they will be sent.
    pub(super) fn shared_pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces().filter(|piece| piece.page != OWN)
    }

    /// Copies its pieces of sparse pages (see [`Pages::is_sparse`]) into pages without gaps.
    pub(super) fn pack(&mut self, pages: &mut Pages) {
        for piece in self.pieces_mut() {
            if piece.page != OWN && pages.is_sparse(piece.page) {
                *piece = pages.pack(*piece);
            }
        }
    }

    fn slice<'a>(&'a self, piece: Piece, pages: &'a Pages) -> &'a [u8] {
        if piece.page != OWN {
            return pages.slice(piece);
        }
        let own = self.queue.as_ref().and_then(|queue| queue.own.get(piece.start as usize..piece.end as usize));
        own.unwrap_or_default()
    }

    /// The first `count` bytes have been sent.
    pub fn advance(&mut self, count: usize, pages: &mut Pages) {
        self.owed -= count as u32;
        let mut left = count;
        while left > 0 && left >= self.first.len() {
            left -= self.first.len();
            self.drop_first(pages);
        }
        self.first.start += left as u32;
        self.trim(pages);
    }

    fn drop_first(&mut self, pages: &mut Pages) {
        if self.first.page != OWN {
            pages.release(self.first.page);
        }
        self.first = self.queue.as_mut().and_then(|queue| queue.pieces.pop_front()).unwrap_or(NOTHING);
    }

    /// Releases memory that is no longer needed: all of it when nothing is owed.
    fn trim(&mut self, pages: &mut Pages) {
        if self.is_empty() {
            if let Some(queue) = self.queue.take() {
                pages.give_back_queue(queue);
            }
            return;
        }
        let Some(own) = self.queue.as_ref().map(|queue| queue.own.len()).filter(|own| *own >= TRIM_BYTES) else {
            return; // an outbox with much output has many pieces to look through
        };
        let first_own = self.pieces().find(|piece| piece.page == OWN);
        let gone = first_own.map_or(own, |piece| piece.start as usize);
        if gone >= TRIM_BYTES && gone * 2 >= own {
            self.cut_own(gone, pages);
        }
    }

    /// Removes the first `count` of its own bytes, which have been sent.
    fn cut_own(&mut self, count: usize, pages: &mut Pages) {
        let Some(queue) = &mut self.queue else { return };
        let before = queue.heap_bytes();
        queue.cut(count);
        pages.heap_bytes -= (before - queue.heap_bytes()) as u64;
        for piece in self.pieces_mut().filter(|piece| piece.page == OWN) {
            piece.start -= count as u32;
            piece.end -= count as u32;
        }
    }

    /// Drops everything except the rest of a frame whose beginning has been sent.
    pub(super) fn drop_all_but_begun(&mut self, pages: &mut Pages) {
        let begun = self.begun(pages);
        if begun.page == Piece::FILES {
            self.clear(pages);
            return self.push_shared(begun, pages);
        }
        let rest = self.slice(begun, pages).to_vec();
        self.clear(pages);
        self.push_rest(&rest, pages);
    }

    /// The length of the rest of the frame whose beginning has been sent, in bytes.
    pub(super) fn begun_bytes(&self, pages: &Pages) -> usize {
        self.begun(pages).len()
    }

    /// The rest of the frame whose beginning has been sent. Empty if the next byte starts a frame, or there is none.
    fn begun(&self, pages: &Pages) -> Piece {
        let first = self.first;
        let next = match &self.queue {
            Some(queue) if first.page == OWN => queue.starts.iter().find(|start| **start >= first.start),
            None if first.page == OWN => None,
            Some(_) | None => pages.starts_in(first).first(),
        };
        Piece { end: next.map_or(first.end, |next| first.end.min(*next)), ..first }
    }

    /// Drops everything. An outbox must be cleared before it is dropped, since pages count their holders.
    pub fn clear(&mut self, pages: &mut Pages) {
        while !self.first.is_empty() {
            self.drop_first(pages);
        }
        self.owed = 0;
        self.trim(pages);
    }
}

/// Own bytes that are being encoded. If the encoder panics they are removed: they would be sent without being owed.
struct Draft<'a> {
    queue: &'a mut Queue,
    pages: &'a mut Pages,
    /// Length of the own bytes that stay.
    kept: usize,
    heap_before: usize,
}

impl<'a> Draft<'a> {
    fn of(queue: &'a mut Queue, pages: &'a mut Pages) -> Self {
        let (kept, heap_before) = (queue.own.len(), queue.heap_bytes());
        Self { queue, pages, kept, heap_before }
    }

    /// Keeps the bytes, which are a frame.
    fn keep_frame(self) -> Piece {
        if self.queue.own.len() > self.kept {
            self.queue.starts.push(self.kept as u32);
        }
        self.keep()
    }

    /// Keeps the bytes.
    fn keep(mut self) -> Piece {
        let start = std::mem::replace(&mut self.kept, self.queue.own.len());
        Piece { page: OWN, start: start as u32, end: self.kept as u32 }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        self.queue.own.truncate(self.kept);
        self.pages.heap_bytes += (self.queue.heap_bytes() - self.heap_before) as u64;
    }
}

#[cfg(test)]
mod tests;
