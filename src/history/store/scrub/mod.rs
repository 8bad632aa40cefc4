//! What was deleted leaves the unused parts of pages, too.
//!
//! `secure_delete` writes zeros over a row that is deleted. But when SQLite distributes rows to pages anew, copies of them
//! stay in the gap of a page, which no later deletion knows of. So each page gets zeros there on its way into the file,
//! and the file is cleaned once as a whole if others may have written to it: in an older version, or after a crash, when
//! another program may have moved the log into the file. No page means anything else by that, so no reader and no power
//! cut can do harm.

mod file;
mod page;

pub(super) use self::file::Held;
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

/// Cleans pages of this size from a byte of the file on, until it is over. Gives up to where, and whether that is the end
/// and on disk.
///
/// # Errors
/// Of SQLite.
pub(super) fn look(
    held: &Held<'_>,
    from: u64,
    size: usize,
    is_over: impl Fn() -> bool,
) -> rusqlite::Result<(u64, bool)> {
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
        if (is_over() || cfg!(test)) && at < end {
            return Ok((at, false));
        }
    }
    held.sync()?;
    Ok((at, true))
}
