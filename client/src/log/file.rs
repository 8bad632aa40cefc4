//! The files of the log, and how a line is added to one.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, open, openat};
use rustix::io::Errno;

/// How often a lock that another client holds is tried, and the pauses between. Then the line is added without it.
const LOCK_TRIES: u32 = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// The folder of a server.
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// Makes the folder of the log, if needed.
    ///
    /// # Errors
    ///
    /// It cannot be made, or is no folder.
    pub(super) fn check(root: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        folder(open(root, as_folder(), Mode::empty())?).map(drop)
    }

    /// Opens the folder of a server, and makes it if needed (0700). It is not followed if it is a link.
    ///
    /// # Errors
    ///
    /// It cannot be made, or is no folder, or somebody else's.
    pub(super) fn open(root: &Path, server: &str) -> io::Result<Self> {
        let parent = match open(root, as_folder(), Mode::empty()) {
            Ok(parent) => parent,
            Err(Errno::NOENT) => {
                Self::check(root)?;
                open(root, as_folder(), Mode::empty())?
            }
            Err(error) => return Err(error.into()),
        };
        let opened = || openat(&parent, server, as_folder() | OFlags::NOFOLLOW, Mode::empty());
        let own = match opened() {
            Ok(own) => own,
            Err(Errno::NOENT) => {
                match mkdirat(&parent, server, Mode::RWXU) {
                    // Another client may have made it just now.
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                opened()?
            }
            Err(error) => return Err(error.into()),
        };
        folder(own).map(Self)
    }

    /// Opens a file (0600), with its lock. It is not followed if it is a link.
    ///
    /// # Errors
    ///
    /// It cannot be made, or is no file, or somebody else's.
    pub(super) fn file(&self, name: &str) -> io::Result<LogFile> {
        let how =
            OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.0, name, how, Mode::RUSR | Mode::WUSR)?;
        let stat = fstat(&file)?;
        check_owner(stat.st_uid, name)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other(format!("{name} is no file")));
        }
        for _ in 0..LOCK_TRIES {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::AGAIN | Errno::INTR) => thread::sleep(LOCK_PAUSE),
                Ok(()) | Err(_) => break,
            }
        }
        Ok(LogFile(file.into()))
    }
}

/// An open file. Closing it gives back the lock.
pub(super) struct LogFile(File);

impl LogFile {
    /// The file, for reading.
    pub(super) fn as_file(&self) -> &File {
        &self.0
    }

    /// Adds whole lines in one write.
    ///
    /// # Errors
    ///
    /// Not all of it is on the disk, such as when that is full.
    pub(super) fn append(&mut self, text: &str) -> io::Result<()> {
        loop {
            match self.0.write(text.as_bytes()) {
                Ok(n) if n == text.len() => return Ok(()),
                // The next line begins after a line end. To write the rest now would fail for the same reason.
                Ok(_) => return Err(ErrorKind::StorageFull.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn as_folder() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

fn folder(opened: OwnedFd) -> io::Result<OwnedFd> {
    check_owner(fstat(&opened)?.st_uid, "the folder")?;
    Ok(opened)
}

fn check_owner(owner: u32, what: &str) -> io::Result<()> {
    let me = rustix::process::geteuid().as_raw();
    if owner == me {
        Ok(())
    } else {
        Err(io::Error::other(format!("{what} belongs to user {owner}, not to you ({me})")))
    }
}
