//! What is no longer kept is deleted, in slices that hold the thread for a moment each.
//!
//! A pass goes through the jobs in a fixed order. Each job deletes until its slice is over or nothing is left to do. A
//! slice is a transaction of its own.

mod deleting;
mod jobs;
mod room;

use std::time::Instant;

pub(super) use self::deleting::MOST_WITH_WORDS;
use self::jobs::{JOBS, Job};
use super::base::Base;
use crate::limits::HISTORY_SLICE_MS;

/// Milliseconds between two passes if nothing calls for one.
pub(super) const EVERY_MS: u64 = 10_000;

/// Where a pass is.
#[derive(Debug)]
pub(super) struct Cleaner {
    /// The job that goes on; `None` between two passes.
    at: Option<usize>,
    /// When the next pass is due, by the thread's clock.
    due: Instant,
    /// Whether new messages take the place of old ones.
    pub(super) is_full: bool,
}

/// The end of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    until: Instant,
}

impl Slice {
    /// A slice that begins now.
    pub(super) fn new() -> Self {
        Self { until: Instant::now() + std::time::Duration::from_millis(HISTORY_SLICE_MS) }
    }

    /// Whether half of it is over.
    pub(super) fn is_half_over(self) -> bool {
        Instant::now() + std::time::Duration::from_millis(HISTORY_SLICE_MS / 2) >= self.until
    }

    /// Whether it is over.
    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.until
    }
}

impl Cleaner {
    /// A pass is due at once.
    pub(super) fn new() -> Self {
        Self { at: None, due: Instant::now(), is_full: false }
    }

    /// Whether there is something to do: a pass that goes on, is due, or is called for.
    pub(super) fn is_due(&self, base: &Base) -> bool {
        let known = &base.known;
        let is_called = known.has_doomed && base.now_ms >= known.doomed_until_ms || !known.over.is_empty();
        self.at.is_some() || is_called || Instant::now() >= self.due
    }

    /// When the next pass is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// One slice. Not in a transaction.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn step(&mut self, base: &mut Base) -> rusqlite::Result<()> {
        let slice = Slice::new();
        if self.at.is_none() {
            base.find_over()?;
        }
        let mut at = self.at.unwrap_or(0);
        while let Some(job) = JOBS.get(at) {
            let is_done = job.run(base, slice)?;
            base.commit()?;
            if is_done {
                at += 1;
            }
            if slice.is_over() || !is_done {
                self.at = Some(at);
                return self.see(base);
            }
        }
        self.at = None;
        self.due = Instant::now() + std::time::Duration::from_millis(EVERY_MS);
        self.see(base)
    }

    /// Makes room at once if the store is over its bound: deletes until it is not, or nothing is left that it may delete.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn make_room(&mut self, base: &mut Base) -> rusqlite::Result<()> {
        while base.used_bytes()? > room::hard_bound(&base.rules) {
            let is_done = Job::Bytes.run(base, Slice::new())?;
            base.commit()?;
            if is_done {
                break;
            }
        }
        self.see(base)
    }

    /// Notes whether the store is full.
    fn see(&mut self, base: &Base) -> rusqlite::Result<()> {
        let used = base.used_bytes()?;
        self.is_full = used > room::bound(&base.rules) || self.is_full && used > room::calm(&base.rules);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
