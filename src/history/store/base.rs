//! The open file, with what is known of it: transactions, checkpoints, its size.

use rusqlite::{Connection, OptionalExtension as _};

use super::changes::Changes;
use super::known::Known;
use crate::limits;

/// Rows after which the counts of places are written, so that a start has few rows to count.
const UNTOLD: usize = 2_000;

/// The open file.
#[derive(Debug)]
pub(super) struct Base {
    /// The connection of the thread `history`.
    pub(super) db: Connection,
    /// What is known of the tables.
    pub(super) known: Known,
    /// What may still be taken back.
    pub(super) changes: Changes,
    /// The rules.
    pub(super) rules: limits::History,
    /// The time since 1970 in milliseconds.
    pub(super) now_ms: i64,
    is_in_transaction: bool,
}

impl Base {
    /// An open connection, of which nothing is known yet.
    pub(super) fn new(db: Connection, rules: limits::History, now_ms: i64) -> Self {
        Self { db, known: Known::default(), changes: Changes::default(), rules, now_ms, is_in_transaction: false }
    }

    /// Begins a transaction if there is none.
    ///
    /// # Errors
    /// Of SQLite, as with all methods here.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.is_in_transaction {
            self.run("BEGIN IMMEDIATE", [])?;
            self.is_in_transaction = true;
        }
        Ok(())
    }

    /// Whether there is a transaction.
    pub(super) fn has_begun(&self) -> bool {
        self.is_in_transaction
    }

    /// Ends the transaction, if there is one: everything in it is on disk.
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        if !self.is_in_transaction {
            return Ok(());
        }
        if self.known.untold >= UNTOLD || self.known.must_tell {
            self.tell()?;
        }
        self.run("COMMIT", [])?;
        self.is_in_transaction = false;
        self.changes.commit();
        Ok(())
    }

    /// Writes the counts of places, and the newest id.
    pub(super) fn tell(&mut self) -> rusqlite::Result<()> {
        self.begin()?;
        let most = i64::try_from(self.rules.keep_messages).unwrap_or(i64::MAX);
        let update =
            "UPDATE place SET rows = max(rows + ?2, 0), bytes = max(bytes + ?3, 0) WHERE n = ?1 RETURNING rows";
        for (place, tally) in std::mem::take(&mut self.known.tallies) {
            let mut statement = self.db.prepare_cached(update)?;
            let rows = statement.query_row((place, tally.rows, tally.bytes), |row| row.get::<_, i64>(0)).optional()?;
            if rows.is_some_and(|rows| rows > most) {
                self.known.over.insert(place);
            }
        }
        if let Some(span) = self.known.spans.last() {
            self.run("UPDATE span SET rows = ?2 WHERE n = ?1", (span.n, span.rows))?;
        }
        (self.known.untold, self.known.must_tell) = (0, false);
        self.set_meta("commit_ms", self.rules.commit_ms.into())?;
        self.set_meta("counted", self.known.last_id)?;
        self.set_meta("last", self.known.last_id)
    }

    /// Sets a number of `meta`.
    pub(super) fn set_meta(&self, key: &str, value: i64) -> rusqlite::Result<()> {
        self.run("INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2", (key, value))
            .map(drop)
    }

    /// A number of `meta`.
    pub(super) fn meta(&self, key: &str) -> rusqlite::Result<Option<i64>> {
        self.db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
    }

    /// Carries out a statement that gives no rows; gives the number of rows that it changed.
    pub(super) fn run(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.db.prepare_cached(sql)?.execute(params)
    }

    /// A number that a query gives, if it gives a row.
    pub(super) fn number(&self, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<Option<i64>> {
        self.db.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()
    }

    /// The bytes that the store needs on disk, without what is free in the file.
    pub(super) fn used_bytes(&self) -> rusqlite::Result<u64> {
        let pages = self.number("PRAGMA page_count", [])?.unwrap_or(0);
        let free = self.number("PRAGMA freelist_count", [])?.unwrap_or(0);
        let size = self.number("PRAGMA page_size", [])?.unwrap_or(0);
        Ok(u64::try_from((pages - free) * size).unwrap_or(0))
    }

    /// Pages in the log that are not in the file yet.
    pub(super) fn log_pages(&self) -> rusqlite::Result<i64> {
        let mut statement = self.db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
        statement.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
    }

    /// Moves the log into the file, as far as readers let it.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    }

    /// The same, and empties the log for good: after a power cut too. False if a reader is in the way. Not in a
    /// transaction.
    pub(super) fn wipe_log(&mut self) -> rusqlite::Result<bool> {
        self.db.busy_timeout(std::time::Duration::ZERO)?;
        let is_busy = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.db.busy_timeout(super::files::PATIENCE)?;
        if is_busy? != 0 {
            return Ok(false);
        }
        // The log got shorter, and nothing has synced that. A commit does.
        self.begin()?;
        self.set_meta("wiped", self.meta("wiped")?.unwrap_or(0).wrapping_add(1))?;
        self.commit()?;
        Ok(true)
    }
}
