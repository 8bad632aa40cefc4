//! The frames of one kind.

use crate::engine::pages::{Pages, Piece};

/// Frames of consecutive entries that lie side by side in one page. The run holds the page.
#[derive(Debug)]
pub(super) struct Run {
    /// The first entry, counted from the start of the log.
    pub(super) first: usize,
    pub(super) piece: Piece,
}

/// The frames of a kind of IRC, and how many receivers there are of it.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) receivers: u32,
    /// As few pieces as there are.
    pub(super) runs: Vec<Run>,
    /// The frame of each entry, up to the last one that has one. An empty one if there was no receiver.
    frames: Vec<Piece>,
}

impl Column {
    /// Adds the frame of the entry `index`, which comes behind those that have one.
    pub(super) fn push(&mut self, index: usize, frame: Piece, pages: &mut Pages) {
        self.frames.resize(index, Piece::EMPTY);
        self.frames.push(frame);
        push(&mut self.runs, index, frame, pages);
    }

    /// The frame of an entry.
    pub(super) fn frame(&self, index: usize) -> Option<Piece> {
        self.frames.get(index).copied()
    }

    /// Removes the first entries.
    pub(super) fn trim(&mut self, entries: usize, pages: &mut Pages) {
        trim(&mut self.runs, entries, pages);
        self.frames.drain(..entries.min(self.frames.len()));
    }

    /// Removes all entries.
    pub(super) fn clear(&mut self, pages: &mut Pages) {
        for run in self.runs.drain(..) {
            pages.release(run.piece.page());
        }
        self.frames.clear();
    }

    /// True if nobody needs it.
    pub(super) fn is_idle(&self) -> bool {
        self.receivers == 0 && self.frames.is_empty()
    }
}

/// Adds the frame of the entry `index` to the runs of its kind.
pub(super) fn push(runs: &mut Vec<Run>, index: usize, frame: Piece, pages: &mut Pages) {
    match runs.last_mut() {
        _ if frame.is_empty() => {}
        Some(run) if run.piece.is_followed_by(frame) => run.piece = run.piece.until(frame),
        Some(_) | None => {
            pages.hold(frame.page());
            runs.push(Run { first: index, piece: frame });
        }
    }
}

/// Removes the runs of the first entries.
pub(super) fn trim(runs: &mut Vec<Run>, entries: usize, pages: &mut Pages) {
    let over = runs.iter().skip(1).take_while(|next| next.first <= entries).count();
    for run in runs.drain(..over) {
        pages.release(run.piece.page());
    }
    for run in runs.iter_mut() {
        run.first = run.first.saturating_sub(entries);
    }
}
