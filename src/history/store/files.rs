//! The file of the store, the two that SQLite keeps beside it, and the lock.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::files::{self, Lock};
use crate::history::request::OpenError;

/// The key of the configuration that names the file.
pub(super) const KEY: &str = "history.file";
/// Suffixes of the files that SQLite keeps beside the file while it is open.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// How long SQLite waits for another process that writes to the file.
pub(super) const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
/// Bytes of the log that are written again at once.
const PIECE: usize = 64 * 1024;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 96;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It writes and reads.
    Writer,
    /// It only reads.
    Reader,
}

/// Where the store is. The lock is held for as long as a clone of this exists.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The file; no part of its path is a link.
    path: PathBuf,
    /// A file system of a test, in which the rules for files do not hold.
    vfs: Option<&'static str>,
    _lock: Arc<File>,
}

impl Site {
    /// Takes the lock, checks the files, and creates those that do not exist.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process has the lock.
    pub(super) fn take(file: &Path, vfs: Option<&'static str>) -> Result<Self, OpenError> {
        let folder = fs::canonicalize(files::folder(file)).map_err(|e| {
            OpenError::Unusable(files::about(
                file,
                &format!("its folder cannot be used: {e}; create it, or change {KEY}"),
            ))
        })?;
        let Some(name) = file.file_name() else {
            return Err(OpenError::Unusable(files::about(file, &format!("is no file; set {KEY} to a file"))));
        };
        let path = folder.join(name);
        let lock_path = files::beside(&path, "lock");
        let lock = match files::lock(&lock_path).map_err(OpenError::Unusable)? {
            Lock::Taken(lock) => Arc::new(lock),
            Lock::Held(process) => {
                let by = process.map_or_else(|| "another process".to_owned(), |process| format!("process {process}"));
                let what =
                    format!("in use by {by}, which holds {}; stop that one, or change {KEY}", lock_path.display());
                return Err(OpenError::InUse(files::about(file, &what)));
            }
        };
        let site = Self { path, vfs, _lock: lock };
        if vfs.is_none() {
            site.make().map_err(OpenError::Unusable)?;
            site.write_log_again().map_err(OpenError::Unusable)?;
        }
        Ok(site)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks all files and creates those that are missing, so that SQLite creates none. Only while SQLite has none of
    /// them open: whoever closes a file loses the locks that SQLite has on it.
    fn make(&self) -> Result<(), String> {
        let mut has_made = false;
        for path in self.all() {
            if files::open_private(&path, KEY)?.is_none() {
                create(&path)?;
                has_made = true;
            }
        }
        if has_made {
            files::sync_folder(&self.path)
                .map_err(|e| files::about(&self.path, &format!("its folder cannot be synced: {e}")))?;
        }
        Ok(())
    }

    /// Checks the files without opening them. The companions are created again if they are missing, the file is not.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.vfs.is_some() {
            return Ok(());
        }
        for path in self.all() {
            match fs::symlink_metadata(&path) {
                Ok(about) if about.is_file() && about.uid() == rustix::process::geteuid().as_raw() => {}
                Ok(_) => return Err(files::about(&path, "was replaced while the server ran; put the file back")),
                Err(e) if e.kind() == io::ErrorKind::NotFound && path != self.path => create(&path)?,
                Err(e) => return Err(files::about(&path, &e.to_string())),
            }
        }
        Ok(())
    }

    /// Writes the log over itself. After a failed sync the kernel shows bytes that are not on disk, and no later sync
    /// writes them: a checkpoint that trusts them, and is cut short, leaves a damaged file. SQLite has no lock on the log,
    /// so opening and closing it takes none away. A clean end leaves no log.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn write_log_again(&self) -> Result<(), String> {
        let [_, log, _] = self.all();
        let rewrite = || {
            let file = fs::OpenOptions::new().read(true).write(true).open(&log)?;
            let mut piece = vec![0; PIECE];
            let mut at = 0;
            loop {
                let length = file.read_at(&mut piece, at)?;
                let Some(bytes) = piece.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
                file.write_all_at(bytes, at)?;
                at += u64::try_from(length).unwrap_or(0);
            }
            file.sync_all()
        };
        match rewrite() {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(files::about(&log, &e.to_string())),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn all(&self) -> [PathBuf; 3] {
        let [wal, shm] = COMPANIONS.map(|suffix| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        });
        [self.path.clone(), wal, shm]
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn connect(&self, role: Role) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = match self.vfs {
            None => Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NOFOLLOW)?,
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags | OpenFlags::SQLITE_OPEN_CREATE, vfs)?,
        };
        super::scrub::watch(&db, c"main")?;
        // A close after a failed sync must not move the log into the file: what the log shows may not be on disk.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        db.busy_timeout(PATIENCE)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        let cache_kib = match role {
            Role::Writer => 12_000,
            Role::Reader => 4_000,
        };
        db.execute_batch(&format!(
            "PRAGMA mmap_size = 0; PRAGMA cache_size = -{cache_kib}; PRAGMA temp_store = MEMORY;
             PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
        ))?;
        match role {
            // EXTRA syncs the folder when the journal with which a new file begins is deleted; otherwise a power cut brings
            // the journal back, and it undoes everything. With a log it is the same as FULL.
            Role::Writer => db.execute_batch(
                "PRAGMA synchronous = EXTRA; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;
                 PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;",
            )?,
            Role::Reader => db.execute_batch("PRAGMA query_only = ON;")?,
        }
        Ok(db)
    }
}

fn create(path: &Path) -> Result<(), String> {
    files::create_new(path, b"")
        .map(drop)
        .map_err(|e| files::about(path, &format!("cannot be created: {e}; check that chatd may write in its folder")))
}
