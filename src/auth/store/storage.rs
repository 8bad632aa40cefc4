//! What the journal asks of the file system, and the account file that answers.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::files;

/// The file that a journal writes. Tests put one in its place that fails.
pub(in crate::auth) trait Storage: Send {
    /// What stands where the file belongs.
    fn look(&mut self) -> io::Result<Found>;
    /// The first `len` bytes.
    fn read(&mut self, len: u64) -> io::Result<Vec<u8>>;
    /// One write; gives how many bytes were taken.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Brings what was written to disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Brings to disk that the file stands in its place.
    fn sync_place(&mut self) -> io::Result<()>;
    /// Cuts the file off.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Goes on with a new file in place of the old one, which holds `bytes`, on disk. That it stands in its place is
    /// not on disk before [`Storage::sync_place`]; when this fails, the old file is there as it was.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// What stands where the file belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Found {
    /// The file that is written, so many bytes long.
    Ours(u64),
    /// Another file.
    Other,
    /// None.
    Nothing,
}

/// The account file itself.
pub(in crate::auth) struct Disk {
    file: File,
    path: PathBuf,
}

impl Disk {
    /// `file`, which stands at `path`.
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
            // Of the folder, too, it may be said that it is none any more.
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

    /// A folder that may not be read cannot be synced, though files in it can be renamed. Root may read it all the
    /// same, so it sees nothing here.
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
