//! The memory behind all outboxes: pages of frames that many receivers share.
//!
//! A frame is encoded once per spelling, at the end of that spelling's open page; outboxes refer to a range of it. A
//! page without references at the end of a turn is used again. A full page that is still owed is closed, and is freed
//! with the last reference.
//!
//! The files of the web door are one more page, which is part of the program: it is never freed, and weighs nothing.

mod by_kind;
mod piece;
mod queue;

use slab::Slab;

pub(super) use by_kind::ByKind;
pub use piece::Piece;
pub(super) use queue::Queue;
use queue::Spares;

use crate::door::Kind;
use crate::door::web::files::Files;
use crate::limits::{PACK_PART, PAGE_BYTES};

/// All pages.
#[derive(Debug, Default)]
pub struct Pages {
    pages: Slab<Page>,
    open: ByKind<Option<u32>>,
    /// Bytes of closed pages, which are all owed in part.
    closed_bytes: u64,
    /// Heap of the outboxes' queues. Outboxes count it here.
    pub(super) heap_bytes: u64,
    /// Bytes that were queued for others since the last [`Pages::turn_over`].
    turn_bytes: usize,
    /// The closed page that [`Pages::pack`] appends to.
    packed: Option<u32>,
    /// The value of [`Pages::closed_bytes`] from which packing pays again.
    pack_from: u64,
    spares: Spares,
}

#[derive(Debug, Default)]
struct Page {
    bytes: Vec<u8>,
    /// The position of each frame's first byte, ascending. A frame ends where the next one starts, or at the end of its
    /// piece.
    starts: Vec<u32>,
    holders: u32,
    /// Frames are still appended to it.
    is_open: bool,
    /// Bytes of it that are owed, once for each connection that owes them, as of the last weighing.
    weight: u64,
}

impl Pages {
    /// Appends a frame in the spelling `kind`, which may be empty, and returns its place. No outbox holds it yet.
    pub fn write(&mut self, kind: Kind, encode: impl FnOnce(&mut Vec<u8>)) -> Piece {
        let number = self.open_page(kind);
        let Some(page) = self.pages.get_mut(number as usize) else { return Piece { page: number, start: 0, end: 0 } };
        let start = page.bytes.len();
        encode(&mut page.bytes);
        if page.bytes.len() > start {
            page.starts.push(start as u32);
        }
        self.turn_bytes += page.bytes.len() - start;
        Piece { page: number, start: start as u32, end: page.bytes.len() as u32 }
    }

    fn open_page(&mut self, kind: Kind) -> u32 {
        if let Some(Some(number)) = self.open.get(kind) {
            let is_full = self.pages.get(*number as usize).is_none_or(|page| page.bytes.len() >= PAGE_BYTES);
            if !is_full {
                return *number;
            }
            self.close_page(kind);
        }
        let number = self.pages.insert(Page { is_open: true, ..Page::default() }) as u32;
        if let Some(open) = self.open.get_mut(kind) {
            *open = Some(number);
        }
        number
    }

    fn close_page(&mut self, kind: Kind) {
        let Some(number) = self.open.get_mut(kind).and_then(Option::take) else { return };
        let Some(page) = self.pages.get_mut(number as usize) else { return };
        page.is_open = false;
        if page.holders == 0 {
            self.pages.remove(number as usize);
        } else {
            page.shrink_to_fit();
            self.closed_bytes += page.bytes.len() as u64;
        }
    }

    /// The bytes of a piece.
    pub(super) fn slice(&self, piece: Piece) -> &[u8] {
        let bytes = match self.pages.get(piece.page as usize) {
            Some(page) => &page.bytes,
            None if piece.page == Piece::FILES => &Files::of_page().blob,
            None => return &[],
        };
        bytes.get(piece.start as usize..piece.end as usize).unwrap_or_default()
    }

    /// The position of each frame's first byte in a piece's page, ascending.
    pub(super) fn starts_in(&self, piece: Piece) -> &[u32] {
        self.pages.get(piece.page as usize).map_or(&[], |page| page.starts_in(piece))
    }

    /// Counts one more piece that refers to this page.
    pub(super) fn hold(&mut self, page: u32) {
        if let Some(page) = self.pages.get_mut(page as usize) {
            page.holders += 1;
        }
    }

    /// Counts one piece less that refers to this page.
    pub(super) fn release(&mut self, number: u32) {
        let Some(page) = self.pages.get_mut(number as usize) else { return };
        page.holders -= 1;
        if page.holders == 0 && !page.is_open {
            let page = self.pages.remove(number as usize);
            self.closed_bytes -= page.bytes.len() as u64;
        }
    }

    /// Ends a turn: pages without references are emptied, full ones are closed.
    pub fn turn_over(&mut self) {
        if std::mem::take(&mut self.turn_bytes) == 0 {
            return;
        }
        for kind in self.open.kinds() {
            let Some(Some(number)) = self.open.get(kind) else { continue };
            let Some(page) = self.pages.get_mut(*number as usize) else { continue };
            if page.holders == 0 {
                page.bytes.clear();
                page.bytes.shrink_to(2 * PAGE_BYTES);
                page.starts.clear();
                page.starts.shrink_to(PAGE_BYTES / 8);
            } else if page.bytes.len() >= PAGE_BYTES {
                self.close_page(kind);
            }
        }
    }

    /// Releases the memory of pages without references, and of spare queues.
    pub(super) fn shrink(&mut self) {
        for (_, page) in self.pages.iter_mut().filter(|(_, page)| page.holders == 0) {
            page.bytes = Vec::new();
            page.starts = Vec::new();
        }
        self.pages.shrink_to_fit();
        self.spares.clear();
    }

    /// Counts `bytes` that were queued for a connection by another one, outside of the pages.
    pub(super) fn count_direct(&mut self, bytes: usize) {
        self.turn_bytes += bytes;
    }

    /// Takes `bytes` off those that were queued for others: all receivers have them.
    pub(super) fn uncount(&mut self, bytes: usize) {
        self.turn_bytes = self.turn_bytes.saturating_sub(bytes);
    }

    /// Bytes queued for other connections in this turn: shared frames once, direct messages once for each receiver.
    pub(super) fn turn_bytes(&self) -> usize {
        self.turn_bytes
    }

    /// Memory behind all outboxes, in bytes: shared pages once, and the heap of each outbox.
    pub(super) fn owed_bytes(&self) -> u64 {
        let is_held = |number: &u32| self.pages.get(*number as usize).filter(|page| page.holders > 0);
        let open: usize = self.open.iter().flatten().filter_map(is_held).map(|page| page.bytes.len()).sum();
        open as u64 + self.closed_bytes + self.heap_bytes
    }

    /// True if the closed pages have grown so much, and to a fraction of `bound` at least, that it is time to look for
    /// sparse ones.
    pub(super) fn wants_packing(&self, bound: u64) -> bool {
        self.closed_bytes > self.pack_from.max(bound / PACK_PART)
    }

    /// Starts weighing the pages by what is owed of them; [`Pages::weigh`] each piece of each outbox next.
    pub(super) fn begin_weighing(&mut self) {
        for (_, page) in &mut self.pages {
            page.weight = 0;
        }
    }

    /// Adds a piece to the weight of its page.
    pub(super) fn weigh(&mut self, piece: Piece) {
        if let Some(page) = self.pages.get_mut(piece.page as usize) {
            page.weight += piece.len() as u64;
        }
    }

    /// True if copies of all that is owed of this page take at most half of it. Only for closed pages.
    pub(super) fn is_sparse(&self, number: u32) -> bool {
        let is_light = |page: &Page| page.weight * 2 <= page.bytes.len() as u64;
        self.pages.get(number as usize).is_some_and(|page| !page.is_open && is_light(page))
    }

    /// The part of its page's memory that a piece accounts for, among all pieces of that page, in bytes.
    pub(super) fn share(&self, piece: Piece) -> u64 {
        let Some(page) = self.pages.get(piece.page as usize) else { return 0 };
        page.bytes.len() as u64 * piece.len() as u64 / page.weight.max(1)
    }

    /// Copies a piece into a page without gaps, and returns its new place. The caller's reference moves with it.
    pub(super) fn pack(&mut self, piece: Piece) -> Piece {
        let number = self.packed_page(piece.len());
        let pages = self.pages.get2_mut(piece.page as usize, number as usize);
        let Some((from, to)) = pages else { return piece };
        let start = to.bytes.len() as u32;
        to.bytes.extend_from_slice(from.bytes.get(piece.start as usize..piece.end as usize).unwrap_or_default());
        to.starts.extend(from.starts_in(piece).iter().map(|at| at - piece.start + start));
        to.holders += 1;
        let end = to.bytes.len() as u32;
        self.closed_bytes += u64::from(end - start);
        self.release(piece.page);
        Piece { page: number, start, end }
    }

    /// The page for `bytes` more packed bytes.
    fn packed_page(&mut self, bytes: usize) -> u32 {
        let has_room = |page: &Page| page.bytes.len() + bytes <= PAGE_BYTES;
        let packed = self.packed.filter(|number| self.pages.get(*number as usize).is_some_and(has_room));
        packed.unwrap_or_else(|| {
            self.end_packed();
            // It may get the number of a page that was freed; its weight tells the two apart.
            let number = self.pages.insert(Page { weight: u64::MAX / 2, ..Page::default() }) as u32;
            self.packed = Some(number);
            number
        })
    }

    /// Ends a round of packing. The next one pays when the closed pages have doubled.
    pub(super) fn end_packing(&mut self) {
        self.end_packed();
        self.pack_from = self.closed_bytes * 2;
    }

    fn end_packed(&mut self) {
        if let Some(page) = self.packed.take().and_then(|number| self.pages.get_mut(number as usize)) {
            page.shrink_to_fit();
        }
    }

    /// An empty queue for an outbox, which counts its heap from now on.
    pub(super) fn take_queue(&mut self) -> Box<Queue> {
        let queue = self.spares.take();
        self.heap_bytes += queue.heap_bytes() as u64;
        queue
    }

    /// Takes back the queue of an outbox that owes nothing.
    pub(super) fn give_back_queue(&mut self, queue: Box<Queue>) {
        self.heap_bytes -= queue.heap_bytes() as u64;
        self.spares.put(queue);
    }
}

impl Page {
    fn starts_in(&self, piece: Piece) -> &[u32] {
        let from = self.starts.partition_point(|start| *start < piece.start);
        let to = self.starts.partition_point(|start| *start < piece.end);
        self.starts.get(from..to).unwrap_or_default()
    }

    fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
        self.starts.shrink_to_fit();
    }
}
