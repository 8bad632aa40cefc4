//! A copy of the history, made while a server writes to it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Failure;
use super::file;
use crate::history::store::scrub;

/// A copy that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its messages.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Copies the history to `copy`, which must not exist: everything that was on disk when the copy began. It has mode 0600
/// and is on disk when this returns.
///
/// # Errors
/// [`Failure`]; there is no copy then.
pub fn backup(history: &Path, copy: &Path) -> Result<Backup, Failure> {
    let connection = file::to_read(history)?;
    let refused = |what: String| Failure::Refused(format!("{}: {what}", copy.display()));
    let Some(target) = copy.to_str() else { return Err(refused("its name must be UTF-8".to_owned())) };
    file::make(copy).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            refused("exists, and nothing is overwritten; give the copy another name".to_owned())
        } else {
            refused(format!("cannot be made: {error}; its folder must exist, and be writable"))
        }
    })?;
    // The copy is written by this connection, too.
    let copied = connection
        .pragma_update(None, "query_only", false)
        .and_then(|()| connection.execute("VACUUM main INTO ?1", [target]))
        .map_err(|error| refused(format!("the copy failed: {error}; is there room on that disk?")))
        .and_then(|_| mark(copy).map_err(|error| file::failed(copy, &error)))
        .and_then(|()| file::sync(copy).map_err(|error| refused(format!("cannot be brought to disk: {error}"))))
        .and_then(|()| measure(copy));
    copied.inspect_err(|_| {
        // Half a copy is worse than none.
        let _ = fs::remove_file(copy);
    })
}

/// A server that uses the copy one day has to clean it first: SQLite has written it as it likes.
fn mark(copy: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.execute("DELETE FROM meta WHERE key = ?1", [scrub::KEY]).map(drop)
}

fn measure(copy: &Path) -> Result<Backup, Failure> {
    let connection = file::to_read(copy)?;
    let rows = connection.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0));
    let rows = rows.map_err(|error| file::failed(copy, &error))?;
    let bytes = fs::metadata(copy).map(|about| about.len()).unwrap_or_default();
    Ok(Backup { rows: u64::try_from(rows).unwrap_or_default(), bytes })
}
