//! The account file and the files beside it: their names, and atomic replacement.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::auth::request::{Holder, OpenError};
use crate::files::{self, Lock, create_new};
pub(in crate::auth) use crate::files::{beside, folder, sync_folder};

/// The key of the configuration that names the account file.
const KEY: &str = "accounts.file";
/// Suffixes of the files beside the account file, see [`beside`]: while a server runs, and during a write.
const COMPANIONS: [&str; 4] = ["lock", "key", "new", "key.new"];
/// Suffixes of kept copies before their number; see [`keep`].
const KEPT: [&str; 2] = ["torn-", "damaged-"];
/// Names that are tried for a kept copy. More than one is needed only if several starts happen in one second.
const KEPT_NAMES: u64 = 100;

/// Takes the lock, which one process has for as long as the file is open, and writes the process id into it.
///
/// # Errors
/// [`OpenError::InUse`] if another process has it, [`OpenError::Unusable`] if it cannot be created.
pub(in crate::auth) fn lock(account_file: &Path) -> Result<File, OpenError> {
    let path = beside(account_file, "lock");
    match files::lock(&path).map_err(OpenError::Unusable)? {
        Lock::Taken(file) => Ok(file),
        Lock::Held(process) => Err(OpenError::InUse(Holder { file: account_file.to_owned(), lock: path, process })),
    }
}

/// Checks that the lock could be taken, as far as possible without creating or opening it.
///
/// # Errors
/// [`OpenError::Unusable`].
pub(in crate::auth) fn check_lock(account_file: &Path) -> Result<(), OpenError> {
    files::check_lock(&beside(account_file, "lock")).map_err(OpenError::Unusable)
}

/// Opens a file for reading and writing if it exists, and checks that it is private.
///
/// # Errors
/// [`OpenError::Unusable`], with the next step.
pub(in crate::auth) fn open_private(path: &Path) -> Result<Option<File>, OpenError> {
    files::open_private(path, KEY).map_err(OpenError::Unusable)
}

/// The same for reading only.
///
/// # Errors
/// Those of [`open_private`].
pub(in crate::auth) fn open_to_read(path: &Path) -> Result<Option<File>, OpenError> {
    files::open_to_read(path, KEY).map_err(OpenError::Unusable)
}

/// Replaces the file at `path`, or creates it: the bytes are written under another name, synced, renamed, and the
/// folder is synced. A reader finds the old file or the complete new one.
///
/// # Errors
/// Of the file system. The old file is still there, unless only the sync of the folder failed.
pub(in crate::auth) fn create_whole(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let file = put_whole(path, bytes)?;
    sync_folder(path)?;
    Ok(file)
}

/// [`create_whole`] without the sync of the folder: after a crash, either file may be there.
///
/// # Errors
/// Of the file system. The old file is still there.
pub(in crate::auth) fn put_whole(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let temporary = beside(path, "new");
    match fs::remove_file(&temporary) {
        // A crash may have left it. This process has the lock, so nobody is writing it.
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let written = create_new(&temporary, bytes).and_then(|file| fs::rename(&temporary, path).map(|()| file));
    written.inspect_err(|_| {
        // Best effort: the next attempt removes it anyway.
        let _ = fs::remove_file(&temporary);
    })
}

/// Keeps bytes of the account file for the operator as `accounts.KIND-UNIX`: what was cut off (`torn`), or all of a
/// damaged file (`damaged`). Gives the path of the copy.
///
/// # Errors
/// Of the file system.
pub(in crate::auth) fn keep(account_file: &Path, kind: &str, bytes: &[u8], unix: u64) -> io::Result<PathBuf> {
    for attempt in 0..KEPT_NAMES {
        let path = beside(account_file, &format!("{kind}-{}", unix + attempt));
        match create_new(&path, bytes) {
            Ok(_) => return sync_folder(&path).map(|()| path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => {
                // A partial copy is useless, and the next start would leave another one.
                let _ = fs::remove_file(&path);
                return Err(e);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The files that belong to an account file, whether they exist or not, and the kept copies that exist.
pub(in crate::auth) fn companions(account_file: &Path) -> Vec<PathBuf> {
    let mut companions: Vec<PathBuf> = COMPANIONS.iter().map(|suffix| beside(account_file, suffix)).collect();
    let prefixes = KEPT.map(|suffix| beside(account_file, suffix));
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        prefixes.iter().any(|prefix| name.starts_with(prefix.file_name().unwrap_or_default().as_encoded_bytes()))
    };
    // If the folder cannot be read, assume that there are no copies.
    let files = fs::read_dir(folder(account_file)).into_iter().flatten().flatten();
    companions.extend(files.map(|file| file.path()).filter(is_kept));
    companions
}

/// Whether `path` is the name of a kept copy beside the account file. The copy need not exist.
pub(in crate::auth) fn is_kept_name(account_file: &Path, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let begins = |suffix| {
        let prefix = beside(account_file, suffix);
        name.starts_with(prefix.file_name().unwrap_or_default().as_encoded_bytes())
    };
    KEPT.into_iter().any(begins) && fs::canonicalize(folder(account_file)).ok() == fs::canonicalize(folder(path)).ok()
}

/// An [`OpenError::Unusable`] about `path`.
pub(in crate::auth) fn unusable(path: &Path, what: &str) -> OpenError {
    OpenError::Unusable(files::about(path, what))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn neighbours_are_named_after_the_file() {
        assert_eq!(beside(Path::new("x/accounts"), "lock"), Path::new("x/accounts.lock"));
        assert_eq!(beside(Path::new("users.db"), "torn-7"), Path::new("users.db.torn-7"));
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        fs::write(beside(&path, "new"), "left by a crash").unwrap();
        for text in ["one", "two"] {
            create_whole(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert!(open_private(&path).unwrap().is_some());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn torn_tails_do_not_replace_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        assert_eq!(keep(&path, "torn", b"a", 5).unwrap(), beside(&path, "torn-5"));
        assert_eq!(keep(&path, "torn", b"b", 5).unwrap(), beside(&path, "torn-6"));
        assert_eq!(fs::read(beside(&path, "torn-5")).unwrap(), b"a");
    }

    #[track_caller]
    fn check(path: &Path, expected: &str) {
        let text = open_private(path).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn what_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        assert!(open_private(&path).unwrap().is_none());
        for mode in [0o644, 0o640, 0o700] {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            check(&path, &format!("run: chmod 600 {}", path.display()));
        }
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
            check(&path, &format!("run: chown 0 {}", path.display()));
        }
        check(Path::new("/dev/null"), "is not a regular file");
        let link = folder.path().join("link");
        for target in [path.as_path(), Path::new("nowhere")] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            check(&link, "is a symbolic link; set accounts.file to the file itself");
            fs::remove_file(&link).unwrap();
        }
        check(folder.path(), "is a folder; set accounts.file to a file, such as one in it");
    }

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        for path in [&path, &beside(&path, "lock")] {
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        }
        check(&path, "is not a regular file");
        assert!(open_to_read(&path).is_err());
        let held = lock(&path).unwrap();
        assert!(matches!(lock(&path), Err(OpenError::InUse(Holder { process: None, .. }))));
        drop(held);
        assert!(sync_folder(&path.join("inner")).is_err());
    }

    #[test]
    fn companions_and_kept_copies_are_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        let kept = [keep(&path, "torn", b"a", 5).unwrap(), keep(&path, "damaged", b"b", 6).unwrap()];
        fs::write(beside(&path, "notes"), "").unwrap();
        let mut expected: Vec<_> = ["lock", "key", "new", "key.new"].iter().map(|name| beside(&path, name)).collect();
        expected.extend(kept);
        let mut found = companions(&path);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_one_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        let held = lock(&path).unwrap();
        let Err(OpenError::InUse(holder)) = lock(&path) else { panic!("two have it") };
        assert_eq!((holder.file.as_path(), holder.process), (path.as_path(), Some(std::process::id())));
        drop(held);
        lock(&path).unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "somebody's").unwrap();
        fs::remove_file(beside(&path, "lock")).unwrap();
        std::os::unix::fs::symlink(&victim, beside(&path, "lock")).unwrap();
        assert!(lock(&path).unwrap_err().to_string().contains("is a symbolic link"));
        assert_eq!(fs::read(&victim).unwrap(), b"somebody's");
    }
}
