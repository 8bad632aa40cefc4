//! A history that is written anew beside the old one and takes its place at the end. Until then the old one stays as it
//! is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::Failure;
use super::file::{self, behind, failed};
use crate::files;
use crate::history::store::{schema, scrub};

/// What SQLite keeps beside a database while it is in use.
const SIDES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The new file.
pub(super) struct Draft {
    history: PathBuf,
    path: PathBuf,
    /// The connection to it: its tables are made, and empty. It is not safe from a crash until it takes its place.
    pub(super) connection: Connection,
}

impl Draft {
    /// Begins a new file. What an interrupted attempt has left is removed.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) fn begin(history: &Path) -> Result<Self, Failure> {
        let path = behind(history, ".new");
        let refused = |error: std::io::Error| Failure::Refused(format!("{}: cannot be made: {error}", path.display()));
        for side in ["", "-wal", "-shm", "-journal"] {
            match fs::remove_file(behind(&path, side)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(error)),
                Ok(()) | Err(_) => {}
            }
        }
        file::make(&path).map_err(refused)?;
        match open(&path) {
            Ok(connection) => Ok(Self { history: history.to_owned(), path, connection }),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(failed(history, &error))
            }
        }
    }

    /// Gives it up.
    pub(super) fn give_up(self) {
        let Self { path, connection, .. } = self;
        drop(connection);
        // The next attempt removes it otherwise.
        let _ = fs::remove_file(&path);
    }

    /// Brings it to disk and puts it in the place of the old history, which no connection may use any more. The old one
    /// is kept as `keep`, if that is given. Gives the size in bytes.
    ///
    /// # Errors
    /// [`Failure`]; the old one is in its place then.
    pub(super) fn finish(self, keep: Option<&Path>) -> Result<u64, Failure> {
        let Self { history, path, connection } = self;
        let cannot = |error: std::io::Error| {
            Failure::Refused(format!("{}: cannot be replaced: {error}; nothing was changed", history.display()))
        };
        connection.close().map_err(|(_, error)| failed(&history, &error))?;
        file::sync(&path).map_err(cannot)?;
        if let Some(keep) = keep {
            fs::hard_link(&history, keep).map_err(cannot)?;
        }
        // A log of the old file must not be applied to the new one.
        for side in SIDES {
            let (from, to) = (behind(&history, side), keep.map(|keep| behind(keep, side)));
            let moved = match to {
                Some(to) if side == "-wal" => fs::rename(&from, to),
                Some(_) | None => fs::remove_file(&from),
            };
            match moved {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot(error)),
                Ok(()) | Err(_) => {}
            }
        }
        files::sync_folder(&history).map_err(cannot)?;
        fs::rename(&path, &history).map_err(cannot)?;
        // The new file is in its place. If the folder cannot be synced, a power cut may bring the old one back.
        files::sync_folder(&history).map_err(cannot)?;
        Ok(fs::metadata(&history).map(|about| about.len()).unwrap_or_default())
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    scrub::watch(&connection, c"main")?;
    connection.pragma_update(None, "secure_delete", true)?;
    // It is thrown away if anything fails, and synced once at the end.
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "temp_store", 2)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    let transaction = connection.transaction()?;
    schema::create(&transaction)?;
    transaction.execute_batch("DELETE FROM place; DELETE FROM sqlite_sequence;")?;
    transaction.commit()?;
    Ok(connection)
}
