//! The file operations that the journal needs, and the account file on disk.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::files;

/// The file that a journal writes. Tests implement one that fails.
pub(in crate::auth) trait Storage: Send {
    /// What is at the file's path.
    fn look(&mut self) -> io::Result<Found>;
    /// The first `len` bytes.
    fn read(&mut self, len: u64) -> io::Result<Vec<u8>>;
    /// One write. Gives the number of bytes that were written.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Syncs the content.
    fn sync(&mut self) -> io::Result<()>;
    /// Syncs the folder, so that the file is at its path after a crash.
    fn sync_place(&mut self) -> io::Result<()>;
    /// Truncates the file to `len` bytes.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Replaces the file by a new one with `bytes`, which is synced. Its name is not on disk before
    /// [`Storage::sync_place`]. If this fails, the old file is unchanged.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// What is at the file's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Found {
    /// The file that is written, with its length in bytes.
    Ours(u64),
    /// Another file.
    Other,
    /// No file.
    Nothing,
}

/// The account file on disk.
pub(in crate::auth) struct Disk {
    file: File,
    path: PathBuf,
}

impl Disk {
    /// The open file `file`, which is at `path`.
    pub(in crate::auth) fn new(file: File, path: &Path) -> Self {
        Self { file, path: path.to_owned() }
    }
}

impl Storage for Disk {
    fn look(&mut self) -> io::Result<Found> {
        let ours = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(Found::Ours(there.len())),
            Ok(_) => Ok(Found::Other),
            // NotADirectory: its folder is gone as well.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Found::Nothing),
            Err(e) => Err(e),
        }
    }

    fn read(&mut self, len: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn sync_place(&mut self) -> io::Result<()> {
        files::sync_folder(&self.path)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file = files::put_whole(&self.path, bytes)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let (path, away, copy) = (inner.join("accounts"), inner.join("away"), inner.join("copy"));
        let mut disk = Disk::new(files::create_whole(&path, b"12345").unwrap(), &path);
        let mut check = |expected| assert_eq!(disk.look().unwrap(), expected);
        check(Found::Ours(5));
        fs::write(&path, "123").unwrap();
        check(Found::Ours(3));
        fs::rename(&path, &away).unwrap();
        check(Found::Nothing);
        fs::copy(&away, &path).unwrap();
        check(Found::Other);
        fs::rename(&path, &copy).unwrap();
        fs::rename(&away, &path).unwrap();
        check(Found::Ours(3));
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&inner, &elsewhere).unwrap();
        check(Found::Nothing);
        fs::write(&inner, "a file where the folder was").unwrap();
        check(Found::Nothing);
        fs::remove_file(&inner).unwrap();
        fs::rename(&elsewhere, &inner).unwrap();
        check(Found::Ours(3));
        disk.replace(b"1234567").unwrap();
        disk.sync_place().unwrap();
        assert_eq!(disk.look().unwrap(), Found::Ours(7));
    }

    /// A folder without read permission cannot be synced, though files in it can be renamed. Root has the permission
    /// anyway, so the test does nothing for root.
    #[test]
    fn a_new_file_is_ours_though_its_folder_cannot_be_synced() {
        use std::os::unix::fs::PermissionsExt as _;
        if rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts");
        let mut disk = Disk::new(files::create_whole(&path, b"12345").unwrap(), &path);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o300)).unwrap();
        disk.replace(b"1234567").unwrap();
        assert!(disk.sync_place().is_err());
        assert_eq!(disk.look().unwrap(), Found::Ours(7));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    }
}
