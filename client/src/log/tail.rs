//! The last lines of a file, so that none is written twice.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use super::file::LogFile;

/// How much of a file is read at first: more than is shown of what was missed.
const BYTES: u64 = 1024 * 1024;
/// How much is read at once, and the most of a line that is looked at.
const CHUNK: usize = 64 * 1024;
/// The most lines that are remembered; an older one may be written twice.
const LINES: usize = 16 * 1024;

/// The last lines of a file, and those that this run has seen.
#[derive(Default)]
pub(super) struct Tail {
    /// Device and inode of the file, and how much of it has been read.
    read: Option<(u64, u64, u64)>,
    /// What follows the last line end.
    rest: Vec<u8>,
    there: Counts,
    mine: Counts,
}

impl Tail {
    /// Reads what the file has got since the last time.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(super) fn catch_up(&mut self, file: &LogFile) -> io::Result<()> {
        let file = file.as_file();
        let meta = file.metadata()?;
        let known =
            |&(device, inode, at): &(u64, u64, u64)| (device, inode) == (meta.dev(), meta.ino()) && at <= meta.len();
        let mut at = match self.read.filter(known) {
            Some((_, _, at)) => at,
            None => {
                self.rest.clear();
                meta.len().saturating_sub(BYTES)
            }
        };
        let left = usize::try_from(meta.len().saturating_sub(at)).unwrap_or(CHUNK);
        let mut chunk = vec![0; left.min(CHUNK)];
        while at < meta.len() {
            let n = file.read_at(&mut chunk, at)?;
            if n == 0 {
                break;
            }
            self.take(chunk.get(..n).unwrap_or_default());
            at += u64::try_from(n).unwrap_or(u64::MAX);
        }
        self.read = Some((meta.dev(), meta.ino(), at));
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            self.rest.extend_from_slice(line);
            self.there.add(&self.rest);
            self.rest.clear();
        }
        self.rest.extend_from_slice(last);
        self.rest.truncate(CHUNK);
    }

    /// Whether the file ends within a line.
    pub(super) fn is_torn(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Whether the file has this line, which this run is about to write. The same text may be said twice within a second:
    /// for the second time, the file must have it twice.
    pub(super) fn has(&mut self, line: &str) -> bool {
        self.mine.add(line.as_bytes()) <= self.there.count(line.as_bytes())
    }
}

/// How often the latest lines occur, by their hash.
#[derive(Default)]
struct Counts {
    order: VecDeque<u64>,
    counts: HashMap<u64, u32>,
}

impl Counts {
    /// Adds a line. Returns how often it has been added.
    fn add(&mut self, line: &[u8]) -> u32 {
        if self.order.len() >= LINES
            && let Some(oldest) = self.order.pop_front()
            && let Some(count) = self.counts.get_mut(&oldest)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&oldest);
            }
        }
        let hash = hash(line);
        self.order.push_back(hash);
        let count = self.counts.entry(hash).or_default();
        *count += 1;
        *count
    }

    fn count(&self, line: &[u8]) -> u32 {
        self.counts.get(&hash(line)).copied().unwrap_or(0)
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
