//! Opening a history for the operator, and the files beside it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Failure;
use crate::files::{self, Lock};
use crate::history::store::schema::{APPLICATION, VERSION};
use crate::history::store::scrub;

/// The key of the configuration that names the file.
const KEY: &str = "history.file";
/// Mode of every file that this makes: for its owner alone.
const MODE: u32 = 0o600;
/// How long a statement waits while the server holds the file.
const PATIENCE: Duration = Duration::from_secs(10);
/// Suffixes of the files of a history, without the dot or dash before them: see [`companions`].
const COMPANIONS: [&str; 5] = ["-wal", "-shm", "-journal", ".lock", ".new"];
/// What the names of kept copies begin with after the history's own name.
const KEPT: &str = ".damaged-";

/// `path` with this behind its name, its dot or dash included.
pub(super) fn behind(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The files that belong to a history, whether they exist or not, and the copies that exist: those that a repair has
/// kept, and those that a migration has made.
pub fn companions(history: &Path) -> Vec<PathBuf> {
    COMPANIONS.iter().map(|suffix| behind(history, suffix)).chain(copies(history)).collect()
}

/// The copies beside a history: all files whose names begin with its own name and are not [its own](COMPANIONS).
pub(super) fn copies(history: &Path) -> Vec<PathBuf> {
    let own: Vec<PathBuf> = COMPANIONS.iter().map(|suffix| behind(history, suffix)).collect();
    let prefix = behind(history, ".");
    let is_copy = |path: &PathBuf| {
        let begins = |path: &Path, prefix: &Path| {
            let name = |path: &Path| path.file_name().unwrap_or_default().as_bytes().to_vec();
            name(path).starts_with(&name(prefix))
        };
        begins(path, &prefix) && !own.iter().any(|own| path.file_name() == own.file_name())
    };
    // A folder that cannot be read is taken to have none.
    let files = fs::read_dir(files::folder(history)).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> = files.map(|file| file.path()).filter(is_copy).collect();
    copies.sort();
    copies
}

/// Where a damaged history is kept at this time, in seconds since 1970.
pub(super) fn kept(history: &Path, unix_s: u64) -> PathBuf {
    let name = |n: u64| behind(history, &format!("{KEPT}{n}"));
    (unix_s..).map(name).find(|path| fs::symlink_metadata(path).is_err()).unwrap_or_else(|| name(unix_s))
}

/// Opens a history to read it, also while a server uses it. Nothing is changed.
///
/// # Errors
/// [`Failure`]: there is none, it is another user's, or it is no history of this version or an older one.
pub(super) fn to_read(history: &Path) -> Result<Connection, Failure> {
    check_kind(history)?;
    let connection = match open(history, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        Ok(connection) => connection,
        // A read-only medium.
        Err(Failure::Refused(_)) if fs::symlink_metadata(behind(history, "-wal")).is_err() => immutable(history)?,
        Err(failure) => return Err(failure),
    };
    connection.pragma_update(None, "query_only", true).map_err(|error| failed(history, &error))?;
    check_version(history, &connection)?;
    Ok(connection)
}

/// Opens a history to change it. The caller has the lock.
///
/// # Errors
/// As [`to_read`].
pub(in crate::history::store) fn to_write(history: &Path) -> Result<Connection, Failure> {
    check_kind(history)?;
    let connection = open(history, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check_version(history, &connection)?;
    Ok(connection)
}

/// Takes the server's lock, which is held until the file is dropped.
///
/// # Errors
/// [`Failure::InUse`] while a server runs.
pub(in crate::history::store) fn lock(history: &Path) -> Result<File, Failure> {
    match files::lock(&files::beside(history, "lock")).map_err(Failure::Unusable)? {
        Lock::Taken(lock) => Ok(lock),
        Lock::Held(process) => {
            let by = process.map_or_else(|| "a server".to_owned(), |process| format!("process {process}"));
            let kill = process.map(|process| format!(" or 'kill {process}'")).unwrap_or_default();
            let what = format!(
                "in use by {by}; stop the server first, with 'systemctl stop chatd'{kill}, and start it again afterwards"
            );
            Err(Failure::InUse(files::about(history, &what)))
        }
    }
}

/// Whether the tables are those of version 1.
pub(super) fn is_first(connection: &Connection) -> bool {
    connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).is_ok_and(|version| version == 1)
}

/// Whether the tables are those of an older version.
pub(super) fn is_older(connection: &Connection) -> bool {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    version.is_ok_and(|version| (1..VERSION).contains(&version))
}

/// Checks that there is a history, and that it is ours.
///
/// # Errors
/// [`Failure`].
pub(super) fn find(history: &Path) -> Result<(), Failure> {
    check_kind(history)
}

/// Makes an empty file for a database. It must not exist.
///
/// # Errors
/// Of the file system.
pub(super) fn make(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).map(drop)
}

/// Brings a file and its name to disk.
///
/// # Errors
/// Of the file system.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(path)?.sync_all()?;
    files::sync_folder(path)
}

/// What an error of SQLite means for the operator.
pub(in crate::history::store) fn failed(history: &Path, error: &rusqlite::Error) -> Failure {
    let text = |what: &str| format!("{}: {what}", history.display());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => unreadable(history),
        Some(ErrorCode::DatabaseCorrupt) => Failure::Unusable(text(&format!(
            "{error}; 'chatd history check' says more, 'chatd history repair' keeps what can be read"
        ))),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Failure::InUse(text("another process keeps it busy; try again"))
        }
        Some(ErrorCode::DiskFull) => Failure::Refused(text("the disk is full; make room and try again")),
        _ => Failure::Refused(text(&error.to_string())),
    }
}

/// Checks that there is a history, and that it is ours.
fn check_kind(history: &Path) -> Result<(), Failure> {
    if files::open_to_read(history, KEY).map_err(Failure::Unusable)?.is_none() {
        return Err(Failure::Refused(files::about(history, "does not exist; a server makes it when it starts")));
    }
    Ok(())
}

fn open(history: &Path, flags: OpenFlags) -> Result<Connection, Failure> {
    let open = || {
        let connection = Connection::open_with_flags(history, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // A close may move the log into the file.
        scrub::watch(&connection, c"main")?;
        prepare(&connection)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => unreadable(history),
        _ => failed(history, &error),
    })
}

/// Opens a history that nobody can change.
fn immutable(history: &Path) -> Result<Connection, Failure> {
    let mut uri = "file:".to_owned();
    for byte in history.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    open(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI).map_err(
        |failure| match failure {
            Failure::Refused(text) => Failure::Refused(text.replace(&uri, &history.display().to_string())),
            Failure::InUse(_) | Failure::Unusable(_) | Failure::Damaged(_) => failure,
        },
    )
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // What is read is private, and must not be left in a folder for temporary files.
    connection.pragma_update(None, "temp_store", 2)?;
    // Reads the file, so that an error comes here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Nothing of the file can be read.
fn unreadable(history: &Path) -> Failure {
    let what = "is no history, or its beginning is damaged; restore a backup, or stop the server and run 'chatd history \
                repair', which puts it aside and makes an empty one";
    Failure::Damaged(files::about(history, what))
}

fn check_version(history: &Path, connection: &Connection) -> Result<(), Failure> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (pragma("application_id"), pragma("user_version"));
    let (application, version) =
        (application.map_err(|error| failed(history, &error))?, version.map_err(|error| failed(history, &error))?);
    let text = |what: &str| Failure::Unusable(format!("{}: {what}", history.display()));
    if application != APPLICATION {
        return Err(text("is a database, but no history of chatd; set history.file to the right file"));
    }
    if version > VERSION {
        let what = format!("has version {version}, and this program knows up to {VERSION}; use the newer chatd");
        return Err(text(&what));
    }
    Ok(())
}
