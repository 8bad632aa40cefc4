//! The memory behind all outboxes: pages of frames that many receivers share.
//!
//! A frame is encoded once a spelling, at the end of that spelling's open page; receivers refer to a range of it. A
//! page that nobody refers to at the end of a turn is used again; a full one that somebody still owes is left to the
//! debtors and goes with the last of them.

use slab::Slab;

use crate::door::Kind;
use crate::limits::PAGE_BYTES;

/// A range of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub(super) page: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Piece {
    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// All pages.
#[derive(Debug, Default)]
pub struct Pages {
    pages: Slab<Page>,
    open: [Option<u32>; Kind::ALL.len()],
    /// Bytes of pages that are closed but still owed.
    closed_bytes: u64,
    /// Bytes that connections keep for themselves; outboxes count them here.
    pub(super) own_bytes: u64,
    /// Bytes of frames since the last [`Pages::turn_over`].
    turn_bytes: usize,
}

#[derive(Debug, Default)]
struct Page {
    bytes: Vec<u8>,
    holders: u32,
}

impl Pages {
    /// Appends a frame in the spelling `kind` and tells where it stands. Nobody holds it yet.
    pub fn write(&mut self, kind: Kind, encode: impl FnOnce(&mut Vec<u8>)) -> Piece {
        let number = self.open_page(kind);
        let Some(page) = self.pages.get_mut(number as usize) else { return Piece { page: number, start: 0, end: 0 } };
        let start = page.bytes.len();
        encode(&mut page.bytes);
        self.turn_bytes += page.bytes.len() - start;
        Piece { page: number, start: start as u32, end: page.bytes.len() as u32 }
    }

    fn open_page(&mut self, kind: Kind) -> u32 {
        let place = kind as usize;
        if let Some(Some(number)) = self.open.get(place) {
            let is_full = self.pages.get(*number as usize).is_none_or(|page| page.bytes.len() >= PAGE_BYTES);
            if !is_full {
                return *number;
            }
            self.close_page(kind);
        }
        let number = self.pages.insert(Page::default()) as u32;
        if let Some(open) = self.open.get_mut(place) {
            *open = Some(number);
        }
        number
    }

    fn close_page(&mut self, kind: Kind) {
        let Some(number) = self.open.get_mut(kind as usize).and_then(Option::take) else { return };
        let Some(page) = self.pages.get_mut(number as usize) else { return };
        if page.holders == 0 {
            self.pages.remove(number as usize);
        } else {
            page.bytes.shrink_to_fit();
            self.closed_bytes += page.bytes.len() as u64;
        }
    }

    /// The bytes of a piece.
    pub(super) fn slice(&self, piece: Piece) -> &[u8] {
        let page = self.pages.get(piece.page as usize);
        page.and_then(|page| page.bytes.get(piece.start as usize..piece.end as usize)).unwrap_or_default()
    }

    /// One more piece refers to this page.
    pub(super) fn hold(&mut self, page: u32) {
        if let Some(page) = self.pages.get_mut(page as usize) {
            page.holders += 1;
        }
    }

    /// One piece less refers to this page.
    pub(super) fn release(&mut self, number: u32) {
        let Some(page) = self.pages.get_mut(number as usize) else { return };
        page.holders -= 1;
        if page.holders == 0 && !self.open.contains(&Some(number)) {
            let page = self.pages.remove(number as usize);
            self.closed_bytes -= page.bytes.len() as u64;
        }
    }

    /// The end of a turn: pages that nobody holds are empty again, full ones are closed.
    pub fn turn_over(&mut self) {
        if std::mem::take(&mut self.turn_bytes) == 0 {
            return;
        }
        for kind in Kind::ALL {
            let Some(Some(number)) = self.open.get(kind as usize) else { continue };
            let Some(page) = self.pages.get_mut(*number as usize) else { continue };
            if page.holders == 0 {
                page.bytes.clear();
                page.bytes.shrink_to(2 * PAGE_BYTES);
            } else if page.bytes.len() >= PAGE_BYTES {
                self.close_page(kind);
            }
        }
    }

    /// Bytes of frames in this turn.
    pub(super) fn turn_bytes(&self) -> usize {
        self.turn_bytes
    }

    /// What all connections owe together: shared pages once, and what each keeps for itself.
    pub(super) fn owed_bytes(&self) -> u64 {
        let is_held = |number: &u32| self.pages.get(*number as usize).filter(|page| page.holders > 0);
        let open: usize = self.open.iter().flatten().filter_map(is_held).map(|page| page.bytes.len()).sum();
        open as u64 + self.closed_bytes + self.own_bytes
    }
}
