//! What was deleted leaves the unused parts of pages, too.
//!
//! `secure_delete` writes zeros over a row that is deleted. But when SQLite distributes rows to pages anew, copies of them
//! stay in the gap of a page, which no later deletion knows of. So each page gets zeros there on its way into the file,
//! and the file is cleaned once as a whole if others may have written to it: in an older version, or after a crash, when
//! another program may have moved the log into the file. No page means anything else by that, so no reader and no power
//! cut can do harm.

mod file;
mod page;

use super::base::Base;
use super::retention::Slice;

#[cfg(test)]
pub(super) use self::file::Held;
#[cfg(not(test))]
use self::file::Held;
pub(super) use self::file::watch;

/// The entry of `meta` that says that the whole file is clean.
pub(super) const KEY: &str = "scrubbed";
/// Bytes that are looked at before the clock is.
const PIECE: usize = 256 * 1024;

/// How far the file is cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scrubbed {
    /// All of it.
    Whole,
    /// Another slice is needed.
    Partly,
    /// Another process is in the way at the moment.
    Busy,
}

impl Base {
    /// Cleans the file for a slice, if it is not clean. Not in a transaction.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn scrub(&mut self, slice: Slice) -> rusqlite::Result<Scrubbed> {
        let Some(from) = self.known.unscrubbed else { return Ok(Scrubbed::Whole) };
        let size = self.number("PRAGMA page_size", [])?.and_then(|size| usize::try_from(size).ok()).unwrap_or(4_096);
        let Some(held) = Held::take(&self.db)? else { return Ok(Scrubbed::Busy) };
        let (at, is_done) = look(&held, from, size, slice)?;
        drop(held);
        self.known.unscrubbed = Some(at);
        if !is_done {
            return Ok(Scrubbed::Partly);
        }
        // The cache may have pages from before. What they hold may get into the log until they are dropped.
        self.drop_cache()?;
        self.begin()?;
        self.set_meta(KEY, 1)?;
        self.known.must_wipe = true;
        self.commit()?;
        self.known.unscrubbed = None;
        Ok(Scrubbed::Whole)
    }

    /// Drops all pages in memory, so that none goes back into the log as it was before.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn drop_cache(&self) -> rusqlite::Result<()> {
        self.db.execute_batch("PRAGMA shrink_memory")
    }
}

/// Cleans pages of this size from a byte of the file on. Gives up to where, and whether that is the end and on disk.
fn look(held: &Held<'_>, from: u64, size: usize, slice: Slice) -> rusqlite::Result<(u64, bool)> {
    let (mut at, mut piece, end) = (from, vec![0; PIECE.max(size)], held.size()?);
    let width = u64::try_from(size).unwrap_or(u64::MAX);
    if i64::try_from(end / width).is_ok_and(|pages| pages >= page::MOST) {
        return Ok((end, true));
    }
    while at < end {
        piece.fill(0);
        held.read(at, &mut piece)?;
        for page in piece.chunks_exact_mut(size) {
            if at < end && page::clean(page, at == 0) {
                held.write(at, page)?;
            }
            at += width;
        }
        // In a test a slice is over at once, so that there is time to ask for something meanwhile.
        if (slice.is_over() || cfg!(test)) && at < end {
            return Ok((at, false));
        }
    }
    held.sync()?;
    Ok((at, true))
}
