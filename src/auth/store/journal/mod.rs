//! Writing the account file: append, sync, and recovery when either fails.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::mem::{self, Discriminant};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::compact::{Compacted, Compaction, compacted};
use super::files;
use super::reader::{self, Deleted, Gone, Loaded};
use super::record::{self, Change, HEADER, Op};
use super::storage::{Disk, Found, Storage};
use crate::auth::accounts::Account;
use crate::auth::request::OpenError;
use crate::hub::names::UserName;
use crate::limits::DEAD_LINES;

/// Delay before another attempt to rewrite the file: short enough to heal within the promised 30 s, long enough not to
/// keep a failing disk busy.
const REWRITE_EVERY: Duration = Duration::from_secs(1);
/// Delay between two tries of a file that could not be written, while nobody registers.
pub(in crate::auth) const PROBE_EVERY: Duration = Duration::from_secs(5);
/// What is written for such a try, as long as an account, and cut off again. It ends no line, so a start cuts it off if
/// the process was killed in between.
const PROBE: &[u8] = &[b'#'; 160];
/// Delay before another attempt at a failed compaction. There is no hurry, since the file is intact.
const COMPACT_AGAIN: Duration = Duration::from_secs(600);

/// Why nothing was written.
#[derive(Debug)]
pub(in crate::auth) enum Trouble {
    /// The file system refused or failed.
    Disk(io::Error),
    /// There is no file at the path of the account file.
    Gone,
    /// Another file is at its path.
    Other,
    /// It has `found` bytes instead of the `written` ones.
    Length { found: u64, written: u64 },
    /// Its length is right, but its lines are not those that were written.
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

/// The account file, open for appending by one thread.
pub(in crate::auth) struct Journal {
    storage: Box<dyn Storage>,
    /// The end of the last line that is on disk.
    len: u64,
    /// The number of that line.
    seq: u64,
    /// The last epoch of deleted accounts.
    gone: Gone,
    /// Set if the file can no longer be trusted. It is rewritten, but not before this.
    rewrite_from: Option<Instant>,
    /// The file was changed by somebody else, or may not be at its path after a crash. Before the next append its lines
    /// are compared and its folder is synced.
    is_suspect: bool,
    compacting: Compacting,
    /// Why the last append failed. This is logged when it changes, and not for every request.
    trouble: Option<(Discriminant<Trouble>, String)>,
    /// While appends fail: not before this is it tried again without a change.
    probe_from: Option<Instant>,
}

/// The state of compaction.
#[derive(Debug)]
enum Compacting {
    /// Not running.
    Waits,
    /// In progress.
    Copies(Box<Compaction>),
    /// The last one failed. Not again before this.
    Failed(Instant),
}

impl Journal {
    /// Reads the account file, or creates an empty one, and gives its content. A torn tail is cut off and kept; a file
    /// of mostly obsolete lines is compacted. The folder is synced before a line is appended.
    ///
    /// # Errors
    /// [`OpenError::Unusable`]: the file is damaged, not private, or cannot be read or written.
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
            // Appended lines must follow lines as the server writes them.
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

    /// Continues after what was loaded. Moves the epochs of deleted names out of `loaded`.
    pub(in crate::auth) fn new(mut storage: Box<dyn Storage>, loaded: &mut Loaded) -> Self {
        let gone = mem::take(&mut loaded.gone);
        let (len, seq) = (loaded.good as u64, loaded.seq);
        // An earlier process may have been killed between replacing the file and syncing the folder. After a crash the
        // old file could be back. If this sync fails, the first append tries again.
        let is_suspect = storage.sync_place().is_err();
        let compacting = Compacting::Waits;
        Self { storage, len, seq, gone, rewrite_from: None, is_suspect, compacting, trouble: None, probe_from: None }
    }

    /// Compacts the whole file. If that fails, the old file is unchanged.
    fn compact(&mut self, loaded: &mut Loaded) {
        let text = compacted(&loaded.accounts, &self.gone);
        if self.put(text, Instant::now()) {
            (loaded.good, loaded.seq) = (self.len as usize, self.seq);
        }
    }

    /// Whether the file has so many obsolete lines, given the number of accounts, that it should be compacted.
    fn is_wasteful(&self, accounts: usize) -> bool {
        let dead = self.seq.saturating_sub((accounts + self.gone.len()) as u64);
        dead > DEAD_LINES && dead > self.seq / 2
    }

    /// Whether [`Journal::compact_some`] has something to do, given the number of accounts. A rewrite for another
    /// reason comes first.
    pub(in crate::auth) fn is_compacting(&self, accounts: usize, now: Instant) -> bool {
        let is_due = match self.compacting {
            Compacting::Waits => self.is_wasteful(accounts),
            Compacting::Copies(_) => true,
            Compacting::Failed(again) => again <= now && self.is_wasteful(accounts),
        };
        is_due && self.rewrite_from.is_none()
    }

    /// Continues the compaction with up to `lines` lines, and at the end writes and syncs the new file. `accounts` are
    /// those in the file. If this fails, the old file is unchanged.
    pub(in crate::auth) fn compact_some(&mut self, accounts: &BTreeMap<UserName, Account>, lines: usize, now: Instant) {
        let mut compaction = match mem::replace(&mut self.compacting, Compacting::Waits) {
            Compacting::Copies(compaction) => compaction,
            Compacting::Waits | Compacting::Failed(_) => Box::new(Compaction::new(&self.gone)),
        };
        if !compaction.copy(accounts, lines) {
            self.compacting = Compacting::Copies(compaction);
            return;
        }
        match self.look() {
            Ok(()) => {
                self.put(compaction.finish(accounts, &self.gone), now);
            }
            // The next append reports what is wrong.
            Err(_) => self.compacting = Compacting::Failed(now + COMPACT_AGAIN),
        }
    }

    /// Replaces the file by the compacted one. False if the old one stays.
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
        // After a crash either file may be there. Both mean the same until a line is appended to the new one.
        self.is_suspect = self.storage.sync_place().is_err();
        self.compacting = Compacting::Waits;
        log::info!("accounts: the file was compacted, from {before} lines to {}", self.seq);
        true
    }

    /// The change that creates an account at `unix`, in seconds since 1970: it differs from every earlier account of its
    /// name in its epoch and its date.
    pub(in crate::auth) fn addition(&self, name: UserName, phc: Box<str>, unix: u64) -> Change {
        let last = self.gone.get(&name);
        let epoch = last.map_or(1, |last| last.epoch.saturating_add(1));
        let unix = last.map_or(unix, |last| unix.max(last.unix.saturating_add(1)));
        Change { op: Op::Add, unix, name, epoch, phc }
    }

    /// Writes and syncs all changes, or none of them, with one write and one sync.
    ///
    /// # Errors
    /// [`Trouble`]; then the file contains none of the changes, and a later call may succeed.
    pub(in crate::auth) fn append(&mut self, changes: &[Change], now: Instant) -> Result<(), Trouble> {
        let looked = self.look().and_then(|()| self.heal(now));
        let written = looked.and_then(|()| self.write(changes, now).map_err(Trouble::from));
        self.note(&written, now);
        written
    }

    /// Why the last append failed; `None` if it did not.
    pub(in crate::auth) fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|(_, why)| why.as_str())
    }

    /// While appends fail, tries every [`PROBE_EVERY`] whether the file can be written, so that the trouble ends though
    /// nobody registers.
    pub(in crate::auth) fn probe(&mut self, now: Instant) {
        if self.trouble.is_none() || self.probe_from.is_some_and(|from| now < from) {
            return;
        }
        let looked = self.look().and_then(|()| self.heal(now));
        let tried = looked.and_then(|()| self.try_write(now).map_err(Trouble::from));
        self.note(&tried, now);
    }

    /// Logs a change for the better or the worse.
    fn note(&mut self, written: &Result<(), Trouble>, now: Instant) {
        let before = self.trouble.take().map(|(kind, _)| kind);
        match written {
            Ok(()) if before.is_some() => log::info!("accounts: the file can be written again"),
            Err(e) if before != Some(mem::discriminant(e)) => log::error!("accounts: {e}"),
            Ok(()) | Err(_) => {}
        }
        if let Err(e) = written {
            let text = e.to_string();
            let why = text.split(';').next().unwrap_or_default();
            self.trouble = Some((mem::discriminant(e), why.to_owned()));
            self.probe_from = Some(now + PROBE_EVERY);
        }
    }

    /// Writes past the last line, cuts that off again, and syncs.
    fn try_write(&mut self, now: Instant) -> io::Result<()> {
        let written = self.write_all(PROBE);
        if let Err(e) = self.storage.truncate(self.len) {
            self.rewrite_from = Some(now);
            return written.and(Err(e));
        }
        written?;
        self.storage.sync().inspect_err(|_| self.rewrite_from = Some(now))
    }

    /// Checks that the file is still at its path and unchanged. A line that is appended to any other file would be lost
    /// at the next start.
    fn look(&mut self) -> Result<(), Trouble> {
        let trouble = match self.storage.look()? {
            // A file that has to be rewritten may end in bytes that could not be truncated.
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
            // The kernel may have marked the pages as clean although they are not on disk, so a later successful sync
            // would mean nothing. The truncation only matters if this process ends before the rewrite.
            let _ = self.storage.truncate(self.len);
            self.rewrite_from = Some(now);
            return Err(e);
        }
        (self.len, self.seq) = (len, seq);
        for change in changes {
            match change.op {
                Op::Add | Op::Update => self.gone.remove(&change.name),
                Op::Delete => self.gone.insert(change.name.clone(), Deleted::by(change)),
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

    /// Rewrites the file if necessary, from its own lines, which were on disk before anything failed.
    fn heal(&mut self, now: Instant) -> Result<(), Trouble> {
        let Some(not_before) = self.rewrite_from else { return Ok(()) };
        if now < not_before {
            return Err(io::Error::other("it will be rewritten soon").into());
        }
        self.rewrite_from = Some(now + REWRITE_EVERY);
        let bytes = self.lines()?;
        self.storage.replace(&bytes)?;
        self.storage.sync_place()?;
        self.rewrite_from = None;
        log::info!("accounts: the file was written anew");
        Ok(())
    }

    /// Reads back the lines that were written. Their checksums and numbers show whether that worked.
    fn lines(&mut self) -> Result<Vec<u8>, Trouble> {
        let bytes = self.storage.read(self.len)?;
        match reader::parse(&bytes) {
            Ok(loaded) if loaded.good == bytes.len() && loaded.seq == self.seq => Ok(bytes),
            Ok(_) | Err(_) => Err(Trouble::Lines),
        }
    }
}

/// Keeps a copy of a torn tail, and logs it.
fn keep_torn(path: &Path, torn: &[u8]) -> Result<(), OpenError> {
    if torn.is_empty() {
        return Ok(());
    }
    let kept = files::keep(path, "torn", torn, unix_now())
        .map_err(|e| files::unusable(path, &format!("its torn end cannot be saved: {e}; make room in its folder")))?;
    let (path, kept) = (path.display(), kept.display());
    log::warn!("accounts: {path}: the last line was not finished; {} bytes were cut off, see {kept}", torn.len());
    Ok(())
}

/// Seconds since 1970; 0 if the clock is set to an earlier time.
pub(in crate::auth) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
pub(in crate::auth) mod tests;

#[cfg(test)]
mod model;
