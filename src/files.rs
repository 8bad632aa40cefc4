//! Files that hold secrets: who may read them, a lock beside them, and the names of files that belong to them.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Only the owner may read and write.
const MODE: u32 = 0o600;
/// Do not follow links, and do not wait if the path is a pipe.
const FLAGS: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// `path` with `.suffix` appended, the name of a file that belongs to it.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder of `path`.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Syncs the folder of `path`, that is, the names of the files in it.
///
/// # Errors
/// Of the file system.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let flags = libc::O_DIRECTORY | libc::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags).open(folder(path))?.sync_all()
}

/// A lock that one process has for as long as the file is open.
#[derive(Debug)]
pub enum Lock {
    /// This process has it.
    Taken(File),
    /// Another process has it: its id, if the file contains it.
    Held(Option<u32>),
}

/// Takes the lock at `path`, creating the file if it does not exist, and writes the process id into it.
///
/// # Errors
/// A line for the operator if it cannot be created or locked.
pub fn lock(path: &Path) -> Result<Lock, String> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(MODE).custom_flags(FLAGS);
    let file = options.open(path).map_err(|e| cannot_lock(path, &e))?;
    hold(file, path)
}

/// Checks that the lock at `path` could be taken, as far as possible without creating or opening it.
///
/// # Errors
/// A line for the operator.
pub fn check_lock(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_symlink() => Err(cannot_lock(path, &io::Error::from_raw_os_error(libc::ELOOP))),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn cannot_lock(path: &Path, e: &io::Error) -> String {
    match e.raw_os_error() {
        Some(libc::ELOOP) => about(path, "is a symbolic link, which chatd does not follow; remove it"),
        Some(_) | None => {
            about(path, &format!("cannot be created: {e}; check that its folder exists and that chatd may write there"))
        }
    }
}

/// Locks the open lock file, which is at `path`.
fn hold(mut file: File, path: &Path) -> Result<Lock, String> {
    match file.try_lock() {
        Ok(()) => {
            // The process id is only a hint for the next process, so a full disk must not stop a start.
            let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            Ok(Lock::Taken(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut number = String::new();
            let _ = file.take(20).read_to_string(&mut number);
            Ok(Lock::Held(number.trim().parse().ok()))
        }
        Err(TryLockError::Error(e)) => Err(about(path, &format!("cannot be locked: {e}; use a local file system"))),
    }
}

/// Opens a file for reading and writing if it exists, and checks that it is private. `key` is the key of the
/// configuration that names it.
///
/// # Errors
/// A line for the operator, with the next step.
pub fn open_private(path: &Path, key: &str) -> Result<Option<File>, String> {
    open_checked(path, key, OpenOptions::new().read(true).write(true))
}

/// The same for reading only.
///
/// # Errors
/// Those of [`open_private`].
pub fn open_to_read(path: &Path, key: &str) -> Result<Option<File>, String> {
    open_checked(path, key, OpenOptions::new().read(true))
}

fn open_checked(path: &Path, key: &str, options: &mut OpenOptions) -> Result<Option<File>, String> {
    let file = match options.custom_flags(FLAGS).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        // Replacing the file would replace the link, and its target would become stale.
        Err(e) if e.raw_os_error() == Some(libc::ELOOP) => {
            return Err(about(path, &format!("is a symbolic link; set {key} to the file itself")));
        }
        Err(e) if e.raw_os_error() == Some(libc::EISDIR) => {
            return Err(about(path, &format!("is a folder; set {key} to a file, such as one in it")));
        }
        Err(e) => {
            return Err(about(path, &format!("cannot be opened: {e}; chatd must be able to read and write it")));
        }
    };
    let metadata = file.metadata().map_err(|e| about(path, &format!("cannot be examined: {e}")))?;
    if !metadata.is_file() {
        return Err(about(path, &format!("is not a regular file; give {key} another name")));
    }
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != us {
        let path_text = path.display();
        let text = format!("belongs to user {owner}, but chatd runs as user {us}; run: chown {us} {path_text}");
        return Err(about(path, &text));
    }
    let mode = metadata.mode() & 0o7777;
    if mode != MODE {
        let path_text = path.display();
        return Err(about(
            path,
            &format!("has mode {mode:04o}, but only its owner may use it; run: chmod 600 {path_text}"),
        ));
    }
    Ok(Some(file))
}

/// Creates a file with these bytes and syncs it. Its name is not synced; see [`sync_folder`].
///
/// # Errors
/// Of the file system; the file may exist already.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(path)?;
    // The umask may have removed bits of the mode.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// What is wrong with `path`, as a line for the operator.
pub fn about(path: &Path, what: &str) -> String {
    format!("{}: {what}", path.display())
}
