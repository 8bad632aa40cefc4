//! The account file as it is written: an append, a sync, and what is done when either fails.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::mem::{self, Discriminant};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::compact::{Compacted, Compaction, compacted};
use super::files;
use super::reader::{self, Gone, Loaded};
use super::record::{self, Change, HEADER, Op};
use super::storage::{Disk, Found, Storage};
use crate::auth::accounts::Account;
use crate::auth::request::OpenError;
use crate::hub::names::UserName;
use crate::limits::DEAD_LINES;

/// A file that must be written anew is tried again after this long: soon enough to heal within the promised 30 s, and
/// a failing disk is not kept busy.
const REWRITE_EVERY: Duration = Duration::from_secs(1);
/// A compaction that has failed is tried again after this long: there is no hurry, for the file is good as it is.
const COMPACT_AGAIN: Duration = Duration::from_secs(600);

/// Why nothing was written.
#[derive(Debug)]
pub(in crate::auth) enum Trouble {
    /// The file system refuses, or fails.
    Disk(io::Error),
    /// No file stands where the account file belongs.
    Gone,
    /// Another one does.
    Other,
    /// It has `found` bytes where the journal has written `written`.
    Length { found: u64, written: u64 },
    /// It is as long as it must be, but its lines are not those of the journal.
    Lines,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(e) => {
                return write!(f, "the file cannot be written: {e}; registering and PASSWD wait for the disk");
            }
            Self::Gone => f.write_str("the file is gone from its place")?,
            Self::Other => f.write_str("another file stands in its place")?,
            Self::Length { found, written } => {
                write!(f, "the file has {found} bytes, and not the {written} that were written")?;
            }
            Self::Lines => f.write_str("the file holds other lines than were written")?,
        }
        f.write_str("; registering and PASSWD wait until it is put back as it was, or chatd is restarted with another")
    }
}

/// The account file, to its end. Only one thread has it.
pub(in crate::auth) struct Journal {
    storage: Box<dyn Storage>,
    /// Where the last line ends that is on disk.
    len: u64,
    /// The number of that line.
    seq: u64,
    /// The last epoch of deleted accounts.
    gone: Gone,
    /// Set when the file itself can be trusted no more: it is written anew, but not before this.
    rewrite_from: Option<Instant>,
    /// Somebody has been at the file, or it may not stand in its place after a crash. Its lines are compared, and its
    /// place is brought to disk, before another one is added.
    is_suspect: bool,
    compacting: Compacting,
    /// What kept the last append from the file. The operator is told when this changes, not at each request.
    trouble: Option<Discriminant<Trouble>>,
}

/// What is done about lines that no longer count.
#[derive(Debug)]
enum Compacting {
    /// Nothing yet.
    Waits,
    /// A file without them is in the making.
    Copies(Box<Compaction>),
    /// It could not be put in the place of the old one. Not again before this.
    Failed(Instant),
}

impl Journal {
    /// Reads the account file, or makes an empty one, and gives what is in it. A torn tail is cut off and kept; a file
    /// most of whose lines no longer count is compacted. That the file stands in its place is brought to disk before a
    /// line is added.
    ///
    /// # Errors
    /// [`OpenError::Unusable`]: it is damaged, not ours alone, or cannot be read or written.
    pub(in crate::auth) fn open(path: &Path) -> Result<(Self, Loaded), OpenError> {
        let failed = |e: io::Error| files::unusable(path, &format!("{e}; chatd must be able to read and write it"));
        let (file, bytes) = match files::open_private(path)? {
            Some(mut file) => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut file, &mut bytes).map_err(failed)?;
                (Some(file), bytes)
            }
            None => (None, Vec::new()),
        };
        let (mut loaded, text) = reader::read(&bytes).map_err(|damage| {
            files::unusable(path, &format!("{damage}; nothing was changed: put a sound copy of the file in its place, or run 'chatd accounts repair'"))
        })?;
        keep_torn(path, text.get(loaded.good..).unwrap_or_default())?;
        let whole = text.get(..loaded.good).unwrap_or_default();
        let file = match file {
            // What is added must follow lines as the server writes them.
            Some(_) if loaded.good > 0 && !bytes.starts_with(whole) => {
                log::info!("accounts: {}: its line ends were not the server's; it was written anew", path.display());
                files::create_whole(path, whole).map_err(failed)?
            }
            Some(file) if loaded.good > 0 => {
                if loaded.good < bytes.len() {
                    file.set_len(loaded.good as u64).and_then(|()| file.sync_all()).map_err(failed)?;
                }
                file
            }
            Some(_) | None => {
                loaded.good = HEADER.len();
                loaded.is_begun = true;
                files::create_whole(path, HEADER.as_bytes()).map_err(failed)?
            }
        };
        let mut journal = Self::new(Box::new(Disk::new(file, path)), &mut loaded);
        if journal.is_wasteful(loaded.accounts.len()) {
            journal.compact(&mut loaded);
        }
        Ok((journal, loaded))
    }

    /// Goes on behind what was loaded. Takes the deleted names' epochs out of it.
    pub(in crate::auth) fn new(mut storage: Box<dyn Storage>, loaded: &mut Loaded) -> Self {
        let gone = mem::take(&mut loaded.gone);
        let (len, seq) = (loaded.good as u64, loaded.seq);
        // The process before may have been killed when it had put a new file in the place of the old one, and not yet
        // brought that to disk: after a crash it could be the old one again. Without success the first append tries
        // anew.
        let is_suspect = storage.sync_place().is_err();
        let compacting = Compacting::Waits;
        Self { storage, len, seq, gone, rewrite_from: None, is_suspect, compacting, trouble: None }
    }

    /// Writes the file anew without the lines that no longer count. Without success the old file is as good as it was.
    fn compact(&mut self, loaded: &mut Loaded) {
        let text = compacted(&loaded.accounts, &self.gone, unix_now());
        if self.put(text, Instant::now()) {
            (loaded.good, loaded.seq) = (self.len as usize, self.seq);
        }
    }

    /// Whether so many lines no longer count, with so many accounts, that the file is to be written anew.
    fn is_wasteful(&self, accounts: usize) -> bool {
        let dead = self.seq.saturating_sub((accounts + self.gone.len()) as u64);
        dead > DEAD_LINES && dead > self.seq / 2
    }

    /// Whether [`Journal::compact_some`] has something to do, with so many accounts. A file that must be written anew
    /// for another reason comes first.
    pub(in crate::auth) fn is_compacting(&self, accounts: usize, now: Instant) -> bool {
        let is_due = match self.compacting {
            Compacting::Waits => self.is_wasteful(accounts),
            Compacting::Copies(_) => true,
            Compacting::Failed(again) => again <= now && self.is_wasteful(accounts),
        };
        is_due && self.rewrite_from.is_none()
    }

    /// Goes on writing the file anew without the lines that no longer count: `lines` at most, and at the end the whole
    /// file to disk. `accounts` are those that the file holds. Without success the old file is as good as it was.
    pub(in crate::auth) fn compact_some(&mut self, accounts: &BTreeMap<UserName, Account>, lines: usize, now: Instant) {
        let mut compaction = match mem::replace(&mut self.compacting, Compacting::Waits) {
            Compacting::Copies(compaction) => compaction,
            Compacting::Waits | Compacting::Failed(_) => Box::new(Compaction::new(&self.gone, unix_now())),
        };
        if !compaction.copy(accounts, lines) {
            self.compacting = Compacting::Copies(compaction);
            return;
        }
        match self.look() {
            Ok(()) => {
                self.put(compaction.finish(accounts, &self.gone), now);
            }
            // The next change says what is wrong.
            Err(_) => self.compacting = Compacting::Failed(now + COMPACT_AGAIN),
        }
    }

    /// Puts a compacted file in the place of this one; false if it stays as it is.
    fn put(&mut self, text: Option<Compacted>, now: Instant) -> bool {
        self.compacting = Compacting::Failed(now + COMPACT_AGAIN);
        let Some(Compacted { lines, seq }) = text else {
            log::error!("accounts: the file cannot be compacted without a loss; it stays as it is");
            return false;
        };
        if let Err(e) = self.storage.replace(lines.as_bytes()) {
            let minutes = COMPACT_AGAIN.as_secs() / 60;
            log::warn!(
                "accounts: the file cannot be compacted: {e}; it stays as it is, and is tried again in {minutes} min"
            );
            return false;
        }
        let before = self.seq;
        (self.len, self.seq) = (lines.len() as u64, seq);
        // After a crash either file may be there, and each says the same, until a line is added to the new one.
        self.is_suspect = self.storage.sync_place().is_err();
        self.compacting = Compacting::Waits;
        log::info!("accounts: the file was compacted, from {before} lines to {}", self.seq);
        true
    }

    /// The epoch that a new account of this name begins with.
    pub(in crate::auth) fn first_epoch(&self, name: &UserName) -> u32 {
        self.gone.get(name).map_or(1, |last| last.saturating_add(1))
    }

    /// Brings changes to disk, all or none of them, with one write and one sync.
    ///
    /// # Errors
    /// [`Trouble`]; none of the changes is in the file then, and a later call may succeed.
    pub(in crate::auth) fn append(&mut self, changes: &[Change], now: Instant) -> Result<(), Trouble> {
        let looked = self.look().and_then(|()| self.heal(now));
        let written = looked.and_then(|()| self.write(changes, now).map_err(Trouble::from));
        let trouble = written.as_ref().err().map(mem::discriminant);
        match &written {
            Ok(()) if self.trouble.is_some() => log::info!("accounts: the file can be written again"),
            Err(e) if self.trouble != trouble => log::error!("accounts: {e}"),
            Ok(()) | Err(_) => {}
        }
        self.trouble = trouble;
        written
    }

    /// Whether the file still stands in its place, as it was left: a line that is added to another one, or to one
    /// that has lost some, is lost at the next start.
    fn look(&mut self) -> Result<(), Trouble> {
        let trouble = match self.storage.look()? {
            // Behind the lines of a file that is to be written anew there may be what could not be cut off.
            Found::Ours(found) if found == self.len || self.rewrite_from.is_some() => None,
            Found::Ours(found) => Some(Trouble::Length { found, written: self.len }),
            Found::Other => Some(Trouble::Other),
            Found::Nothing => Some(Trouble::Gone),
        };
        if let Some(trouble) = trouble {
            self.is_suspect = true;
            return Err(trouble);
        }
        if self.is_suspect {
            self.lines()?;
            self.storage.sync_place()?;
            self.is_suspect = false;
        }
        Ok(())
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
            if self.storage.truncate(self.len).is_err() {
                self.rewrite_from = Some(now);
            }
            return Err(e);
        }
        if let Err(e) = self.storage.sync() {
            // The kernel may have forgotten that these pages are not on disk, so another sync that succeeds would
            // say nothing. Cutting the lines off is only for the case that this process ends before the rewrite.
            let _ = self.storage.truncate(self.len);
            self.rewrite_from = Some(now);
            return Err(e);
        }
        (self.len, self.seq) = (len, seq);
        for change in changes {
            match change.op {
                Op::Add | Op::Update => self.gone.remove(&change.name),
                Op::Delete => self.gone.insert(change.name.clone(), change.epoch),
            };
            if let Compacting::Copies(compaction) = &mut self.compacting {
                compaction.follow(change);
            }
        }
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let taken = loop {
            match self.storage.write_at(bytes, self.len) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        };
        if taken == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    /// Writes the file anew if it must be, from its own lines: those were on disk before anything failed.
    fn heal(&mut self, now: Instant) -> Result<(), Trouble> {
        let Some(not_before) = self.rewrite_from else { return Ok(()) };
        if now < not_before {
            return Err(io::Error::other("it is written anew soon").into());
        }
        self.rewrite_from = Some(now + REWRITE_EVERY);
        let bytes = self.lines()?;
        self.storage.replace(&bytes)?;
        self.storage.sync_place()?;
        self.rewrite_from = None;
        log::info!("accounts: the file was written anew");
        Ok(())
    }

    /// The lines that were written, as the file gives them back. Their checksums and numbers show whether it can.
    fn lines(&mut self) -> Result<Vec<u8>, Trouble> {
        let bytes = self.storage.read(self.len)?;
        match reader::parse(&bytes) {
            Ok(loaded) if loaded.good == bytes.len() && loaded.seq == self.seq => Ok(bytes),
            Ok(_) | Err(_) => Err(Trouble::Lines),
        }
    }
}

/// Copies a torn tail to a file of its own and says so.
fn keep_torn(path: &Path, torn: &[u8]) -> Result<(), OpenError> {
    if torn.is_empty() {
        return Ok(());
    }
    let kept = files::keep(path, "torn", torn, unix_now())
        .map_err(|e| files::unusable(path, &format!("its torn end cannot be kept: {e}; make room in its folder")))?;
    let (path, kept) = (path.display(), kept.display());
    log::warn!("accounts: {path}: the last line was not finished; {} bytes were cut off, see {kept}", torn.len());
    Ok(())
}

/// Seconds since 1970; 0 on a clock that is before that.
pub(in crate::auth) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
pub(in crate::auth) mod tests;

#[cfg(test)]
mod model;
