//! History: what is kept, and how much of it is shown at once.

use serde::{Deserialize, Serialize};

/// `[history]` without the file's path: how much is kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Days for which messages are kept. Also the most that a room may ask for.
    pub keep_days: u32,
    /// Messages of one place that are kept.
    pub keep_messages: u64,
    /// The size of the store on disk, in bytes.
    pub max_bytes: u64,
    /// Messages that wait to be stored, in bytes. Further ones are delivered and not kept.
    pub queue_bytes: u64,
    /// Milliseconds after which a message is written to disk at the latest, while the store keeps up.
    pub commit_ms: u32,
    /// Whether messages can be searched.
    pub search: bool,
}

impl Default for History {
    fn default() -> Self {
        Self {
            keep_days: 30,
            keep_messages: 100_000,
            max_bytes: 2 * 1024 * 1024 * 1024,
            queue_bytes: 32 * 1024 * 1024,
            commit_ms: 250,
            search: true,
        }
    }
}

/// Milliseconds in which the store must have answered; otherwise the client gets a 450.
pub const HISTORY_WAIT_MS: u64 = 2_000;
/// What a row takes in the queue besides its text, in bytes.
pub const HISTORY_ROW_BYTES: usize = 128;
/// Bytes of rows after which a batch goes to the store at once.
pub const HISTORY_BATCH_BYTES: usize = 256 * 1024;
/// Bytes of rows that one commit takes.
pub const HISTORY_COMMIT_BYTES: usize = 4 * 1024 * 1024;
/// Messages of a page, if the client does not say.
pub const HISTORY_LINES: u32 = 50;
/// Messages of a page at most.
pub const HISTORY_LINES_MOST: u32 = 200;
/// Bytes of a page's lines at most, so that no page makes its reader too slow.
pub const HISTORY_PAGE_BYTES: usize = 64 * 1024;
/// What stands before the text of a line of a page at most, in bytes.
pub const HISTORY_LINE_BYTES: usize = 320;
/// Of that, what is neither the place nor the name: in the bare dialect with the line of a new day.
pub const HISTORY_LINE_FIXED_BYTES: usize = 40;
/// Counts of unread messages go up to this: that many or more.
pub const COUNT_MOST: u32 = 1_000;
/// Terms of one search: words, beginnings of words, and exact words between quotation marks.
pub const SEARCH_TERMS: usize = 32;
/// Searches that wait at once, of all accounts.
pub const SEARCHES: usize = 64;
/// Milliseconds that one search may take; then it answers what it has.
pub const SEARCH_MS: u64 = 250;
/// Milliseconds that the searches of one account may take in [`SEARCH_WINDOW_MS`].
pub const SEARCH_SHARE_MS: u64 = 1_000;
/// The window of [`SEARCH_SHARE_MS`].
pub const SEARCH_WINDOW_MS: u64 = 10_000;
/// The longest topic of a room.
pub const TOPIC_BYTES: usize = 300;
/// Kept rooms of one owner.
pub const KEPT_ROOMS_EACH: usize = 8;
/// Kept rooms in all.
pub const KEPT_ROOMS: usize = 1_000;
/// Members of all kept rooms together.
pub const KEPT_MEMBERS: usize = 100_000;
/// Direct messages that one sender may have kept for somebody who is away.
pub const WAITING_FROM_ONE: u32 = 100;
/// Direct messages that wait for somebody who is away, of all senders …
pub const WAITING: u32 = 1_000;
/// … and up to this, those of senders with fewer than [`WAITING_FROM_FEW`].
pub const WAITING_MOST: u32 = 2_000;
/// A sender with fewer than this many is still kept.
pub const WAITING_FROM_FEW: u32 = 10;
/// Pairs of a receiver and a sender whose waiting messages are counted, at some 150 bytes each.
pub const WAITING_PAIRS: usize = 100_000;
/// Sessions that wait at once until something is on disk.
pub const HISTORY_WAITS: usize = 65_536;
/// How often the floor of a bare session is written while it lives, in milliseconds.
pub const FLOOR_EVERY_MS: u64 = 30_000;
/// How often at most one place's mark is told to an account's other sessions, in milliseconds.
pub const MARK_NOTICE_MS: u64 = 1_000;
/// How often the store tries again after a failed commit, in milliseconds.
pub const HISTORY_RETRY_MS: u64 = 10_000;
/// How long a piece of cleaning may hold the store, in milliseconds.
pub const HISTORY_SLICE_MS: u64 = 10;
/// Milliseconds that the store has at the end to write what waits.
pub const HISTORY_CLOSE_MS: u64 = 5_000;
