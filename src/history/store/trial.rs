//! Whether a start could use the file: nothing is created, locked or changed.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::files::KEY;
use super::schema::{APPLICATION, VERSION};
use crate::files;

/// The first bytes of every database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The size of the head of a database, and where its version and its kind stand.
const HEAD: usize = 100;
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// Checks what a start needs of the history. Gives a note if the file belongs to another user, for whom this cannot be
/// checked.
///
/// # Errors
/// A line for the operator.
pub(super) fn try_start(file: &Path) -> Result<Option<String>, String> {
    let folder = files::folder(file);
    let about = fs::metadata(folder).map_err(|e| {
        files::about(folder, &format!("{KEY} should be in this folder: {e}; create it, or name another file"))
    })?;
    if !about.is_dir() {
        return Err(files::about(folder, &format!("is not a folder, so {KEY} cannot be in it; name another file")));
    }
    if let Ok(about) = fs::symlink_metadata(file)
        && about.is_file()
        && about.uid() != rustix::process::geteuid().as_raw()
    {
        let user = about.uid();
        return Ok(Some(files::about(file, &format!("belongs to user {user}; run this command as that user"))));
    }
    accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).map_err(|e| {
        let e = std::io::Error::from(e);
        files::about(folder, &format!("chatd must be able to write in the folder of {KEY}: {e}"))
    })?;
    files::check_lock(&files::beside(file, "lock"))?;
    for path in beside(file) {
        files::open_to_read(&path, KEY)?;
    }
    check_head(file)?;
    Ok(None)
}

/// The files that the server writes beside this one.
fn beside(file: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|suffix| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// Checks that the file is a history of this version or an older one, or is empty.
fn check_head(file: &Path) -> Result<(), String> {
    let Some(mut open) = files::open_to_read(file, KEY)? else { return Ok(()) };
    let mut head = Vec::new();
    let read = open.by_ref().take(HEAD as u64).read_to_end(&mut head);
    read.map_err(|e| files::about(file, &format!("cannot be read: {e}")))?;
    if head.is_empty() {
        return Ok(());
    }
    let number = |at: usize| {
        let bytes = head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, |bytes| i64::from(u32::from_be_bytes(bytes)))
    };
    let is_ours = head.len() == HEAD && head.starts_with(MAGIC);
    let version = number(VERSION_AT);
    if !is_ours || version > 0 && number(APPLICATION_AT) != APPLICATION {
        return Err(files::about(file, &format!("is no history of chatd; give {KEY} another name")));
    }
    if version > VERSION {
        return Err(files::about(
            file,
            &format!("was written by a newer chatd (version {version}, this one knows {VERSION}); start that one"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_tried_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        assert_eq!(try_start(&file), Ok(None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it has created something");
        let put = |bytes: &[u8], mode: u32| {
            fs::write(&file, bytes).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        };
        let mut head = [0; HEAD];
        head[..MAGIC.len()].copy_from_slice(MAGIC);
        head[APPLICATION_AT..APPLICATION_AT + 4].copy_from_slice(&(APPLICATION as u32).to_be_bytes());
        head[VERSION_AT + 3] = VERSION as u8;
        put(b"", 0o600);
        assert_eq!(try_start(&file), Ok(None));
        put(&head, 0o600);
        assert_eq!(try_start(&file), Ok(None));
        put(&head, 0o644);
        assert!(try_start(&file).unwrap_err().contains("chmod 600"));
        head[VERSION_AT] = 1;
        put(&head, 0o600);
        assert!(try_start(&file).unwrap_err().contains("newer chatd"));
        for length in 1..HEAD {
            put(&head[..length], 0o600);
            assert!(try_start(&file).unwrap_err().contains("is no history"), "{length}");
        }
        put(b"listen = []", 0o600);
        assert!(try_start(&file).unwrap_err().contains("is no history"));
        let nowhere = folder.path().join("nowhere").join("history.db");
        assert!(try_start(&nowhere).unwrap_err().contains("create it"));
    }
}
