//! The file is cleaned as a whole, once, if others may have written to it.

use super::Slice;
use crate::history::store::base::Base;
use crate::history::store::scrub::{self, Held, Scrubbed};

impl Base {
    /// Cleans the file for a slice, if it is not clean. Not in a transaction.
    ///
    /// # Errors
    /// Of SQLite.
    pub(in crate::history::store) fn scrub(&mut self, slice: Slice) -> rusqlite::Result<Scrubbed> {
        let Some(from) = self.known.unscrubbed else { return Ok(Scrubbed::Whole) };
        let size = self.number("PRAGMA page_size", [])?.and_then(|size| usize::try_from(size).ok()).unwrap_or(4_096);
        let Some(held) = Held::take(&self.db)? else { return Ok(Scrubbed::Busy) };
        let (at, is_done) = scrub::look(&held, from, size, || slice.is_over())?;
        drop(held);
        self.known.unscrubbed = Some(at);
        if !is_done {
            return Ok(Scrubbed::Partly);
        }
        // The cache may have pages from before. What they hold may get into the log until they are dropped.
        self.drop_cache()?;
        self.begin()?;
        self.set_meta(scrub::KEY, 1)?;
        self.known.must_wipe = true;
        self.commit()?;
        self.known.unscrubbed = None;
        Ok(Scrubbed::Whole)
    }
}
