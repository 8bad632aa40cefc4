//! The account file as it is written: an append, a sync, and what is done when either fails.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::files;
use super::load::{self, Loaded};
use super::record::{self, Change, HEADER};
use super::request::OpenError;
use crate::hub::names::UserName;

/// A file that must be written anew is tried again after this long: soon enough to heal within the promised 30 s, and
/// a failing disk is not kept busy.
const REWRITE_EVERY: Duration = Duration::from_secs(1);

/// What the journal asks of the file system. Tests put one in its place that fails.
pub(super) trait Medium: Send {
    /// The first `len` bytes.
    fn read(&mut self, len: u64) -> io::Result<Vec<u8>>;
    /// One write; gives how many bytes were taken.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Brings what was written to disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file off.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Goes on with a new file in place of the old one, which holds `bytes`, on disk.
    fn replace(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The account file itself.
struct Disk {
    file: File,
    path: PathBuf,
}

impl Medium for Disk {
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

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file = files::create_whole(&self.path, bytes)?;
        Ok(())
    }
}

/// The account file, to its end. Only one thread has it.
pub(super) struct Journal {
    medium: Box<dyn Medium>,
    /// Where the last line ends that is on disk.
    len: u64,
    /// The number of that line.
    seq: u64,
    /// The last epoch of deleted accounts.
    gone: HashMap<UserName, u32>,
    /// Set when the file itself can be trusted no more: it is written anew, but not before this.
    rewrite_from: Option<Instant>,
    /// Whether the last append failed. The operator is told when this changes, not at each request.
    failing: bool,
}

impl Journal {
    /// Reads the account file, or makes an empty one, and gives what is in it. A torn tail is cut off and kept.
    ///
    /// # Errors
    /// [`OpenError::Unusable`]: it is damaged, not ours alone, or cannot be read or written.
    pub(super) fn open(path: &Path) -> Result<(Self, Loaded), OpenError> {
        let failed = |e: io::Error| files::unusable(path, &format!("{e}; chatd must be able to read and write it"));
        let (file, bytes) = match files::open_private(path)? {
            Some(mut file) => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut file, &mut bytes).map_err(failed)?;
                (Some(file), bytes)
            }
            None => (None, Vec::new()),
        };
        let mut loaded = load::parse(&bytes).map_err(|damage| {
            files::unusable(path, &format!("{damage}; nothing was changed: put a sound copy of the file in its place"))
        })?;
        keep_torn(path, bytes.get(loaded.good..).unwrap_or_default())?;
        let file = match file {
            Some(file) if loaded.good > 0 => {
                if loaded.good < bytes.len() {
                    file.set_len(loaded.good as u64).and_then(|()| file.sync_all()).map_err(failed)?;
                }
                file
            }
            Some(_) | None => {
                loaded.good = HEADER.len();
                files::create_whole(path, HEADER.as_bytes()).map_err(failed)?
            }
        };
        let medium = Box::new(Disk { file, path: path.to_owned() });
        Ok((Self::new(medium, &mut loaded), loaded))
    }

    /// Goes on behind what was loaded. Takes the deleted names' epochs out of it.
    pub(super) fn new(medium: Box<dyn Medium>, loaded: &mut Loaded) -> Self {
        let gone = std::mem::take(&mut loaded.gone);
        Self { medium, len: loaded.good as u64, seq: loaded.seq, gone, rewrite_from: None, failing: false }
    }

    /// The epoch that a new account of this name begins with.
    pub(super) fn first_epoch(&self, name: &UserName) -> u32 {
        self.gone.get(name).map_or(1, |last| last.saturating_add(1))
    }

    /// Brings changes to disk, all or none of them, with one write and one sync.
    ///
    /// # Errors
    /// Of the file system; none of the changes is in the file then, and a later call may succeed.
    pub(super) fn append(&mut self, changes: &[Change], now: Instant) -> io::Result<()> {
        let written = self.heal(now).and_then(|()| self.write(changes, now));
        match &written {
            Ok(()) if self.failing => log::info!("accounts: the file can be written again"),
            Err(e) if !self.failing => {
                log::error!("accounts: the file cannot be written: {e}; registering and PASSWD wait for the disk");
            }
            Ok(()) | Err(_) => {}
        }
        self.failing = written.is_err();
        written
    }

    fn write(&mut self, changes: &[Change], now: Instant) -> io::Result<()> {
        let mut text = String::new();
        let mut seq = self.seq;
        for change in changes {
            seq += 1;
            record::encode(change, seq, &mut text);
        }
        let len = self.len + text.len() as u64;
        if let Err(e) = self.write_all(text.as_bytes()) {
            if self.medium.truncate(self.len).is_err() {
                self.rewrite_from = Some(now);
            }
            return Err(e);
        }
        if let Err(e) = self.medium.sync() {
            // The kernel may have forgotten that these pages are not on disk, so another sync that succeeds would
            // say nothing. Cutting the lines off is only for the case that this process ends before the rewrite.
            let _ = self.medium.truncate(self.len);
            self.rewrite_from = Some(now);
            return Err(e);
        }
        (self.len, self.seq) = (len, seq);
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let taken = loop {
            match self.medium.write_at(bytes, self.len) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        };
        if taken == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    /// Writes the file anew if it must be, from its own lines: those were on disk before anything failed, and their
    /// checksums and numbers show whether they can still be read.
    fn heal(&mut self, now: Instant) -> io::Result<()> {
        let Some(not_before) = self.rewrite_from else { return Ok(()) };
        if now < not_before {
            return Err(io::Error::other("it is written anew soon"));
        }
        self.rewrite_from = Some(now + REWRITE_EVERY);
        let bytes = self.medium.read(self.len)?;
        match load::parse(&bytes) {
            Ok(loaded) if loaded.good == bytes.len() && loaded.seq == self.seq => {}
            Ok(_) | Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
        self.medium.replace(&bytes)?;
        self.rewrite_from = None;
        log::info!("accounts: the file was written anew");
        Ok(())
    }
}

/// Copies a torn tail to a file of its own and says so.
fn keep_torn(path: &Path, torn: &[u8]) -> Result<(), OpenError> {
    if torn.is_empty() {
        return Ok(());
    }
    let kept = files::save_torn(path, torn, unix_now())
        .map_err(|e| files::unusable(path, &format!("its torn end cannot be kept: {e}; make room in its folder")))?;
    let (path, kept) = (path.display(), kept.display());
    log::warn!("accounts: {path}: the last line was not finished; {} bytes were cut off, see {kept}", torn.len());
    Ok(())
}

/// Seconds since 1970; 0 on a clock that is before that.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "journal_tests.rs"]
pub(super) mod tests;
