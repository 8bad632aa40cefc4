//! A store that could not write: what was to be kept waits in memory, and the file is opened again every few seconds.

use std::collections::HashSet;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::{HISTORY_RETRY_MS, Pending, QUEUE_RECORDS, Role, State, Taken, Writer, bytes_of};
use crate::history::request::{Answer, Verdict};
use crate::history::store::base::Base;
use crate::history::store::records::stored;
use crate::hub::record::{Account, Record};

/// What waits for the disk.
#[derive(Debug)]
pub(super) struct Broken {
    /// Why.
    pub(super) cause: String,
    /// When the file is opened again.
    pub(super) retry_at: Instant,
    /// What is to be carried out, in order.
    queue: Vec<Taken>,
    /// Messages that may be on disk although their senders were told that they are not.
    undone: Vec<i64>,
    /// The size of the queue at which doubles are looked for.
    look_at: usize,
}

impl Broken {
    /// Messages that wait.
    pub(super) fn rows(&self) -> usize {
        let is_row = |taken: &&Taken| matches!(taken, Taken::Record { record: Record::Row(_), .. });
        self.queue.iter().filter(is_row).count()
    }

    /// Takes what is pending: those who wait for it are told no. Gives the bytes of the rows that go.
    fn take(&mut self, pending: &mut Pending) -> usize {
        let mut gone = 0;
        for taken in pending.taken.drain(..) {
            match taken {
                Taken::Record { record, is_awaited: true } => {
                    gone += bytes_of(&record);
                    if let Record::Row(row) = record {
                        self.undone.push(stored(row.id));
                    }
                }
                Taken::Record { is_awaited: false, .. } | Taken::Mark(_) => self.queue.push(taken),
            }
        }
        if self.queue.len() >= self.look_at {
            drop_doubles(&mut self.queue);
            self.look_at = (self.queue.len() * 2).max(QUEUE_RECORDS);
        }
        gone
    }
}

/// Of records that only say how things are now, the last one is enough.
fn drop_doubles(queue: &mut Vec<Taken>) {
    let mut seen: HashSet<(u8, Account)> = HashSet::new();
    let mut is_last = |taken: &Taken| match taken {
        Taken::Record { record: Record::Seen(account, _), .. } => seen.insert((0, account.clone())),
        Taken::Record { record: Record::Floor(account, _), .. } => seen.insert((1, account.clone())),
        Taken::Record { record: Record::Account(account), .. } => seen.insert((2, account.clone())),
        Taken::Record { .. } | Taken::Mark(_) => true,
    };
    let keeps: Vec<bool> = queue.iter().rev().map(&mut is_last).collect();
    let mut keeps = keeps.into_iter().rev();
    queue.retain(|_| keeps.next().unwrap_or(true));
}

impl Writer {
    /// The disk refuses. Nothing of the open transaction is taken for kept.
    pub(super) fn break_down(&mut self, e: &rusqlite::Error) {
        let cause = cause(e);
        log::warn!(
            "history: broken: {cause}; chat goes on, and messages wait in memory; the next attempt is in {} s",
            HISTORY_RETRY_MS / 1_000
        );
        let (queue, undone) = (Vec::new(), Vec::new());
        let broken = Broken { cause, retry_at: next_attempt(), queue, undone, look_at: QUEUE_RECORDS };
        // The connection is closed here, which takes back its transaction.
        self.state = State::Broken(broken);
        self.queue();
        self.tell_broken();
    }

    /// Puts what is pending into the queue of the broken store.
    pub(super) fn queue(&mut self) {
        let State::Broken(broken) = &mut self.state else { return };
        let gone = broken.take(&mut self.pending);
        let waiting = std::mem::take(&mut self.pending).waiting;
        self.shared.remove(gone);
        if !waiting.is_empty() {
            self.mailbox.answer(waiting.into_iter().map(|ticket| Answer { ticket, verdict: Verdict::NotKept }));
        }
    }

    fn tell_broken(&self) {
        if let State::Broken(broken) = &self.state {
            self.tell_trouble(Some(broken.cause.clone()));
        }
    }

    /// Opens the file again if that is due.
    pub(super) fn retry_if_due(&mut self) {
        let State::Broken(broken) = &mut self.state else { return };
        if Instant::now() < broken.retry_at {
            return;
        }
        let base = match reopen(self.shared.rules(), &self.site, self.clock.now_ms(), &broken.undone) {
            Ok(base) => base,
            Err(cause) => {
                if broken.cause != cause {
                    log::warn!("history: still broken: {cause}");
                }
                (broken.cause, broken.retry_at) = (cause, next_attempt());
                return self.tell_broken();
            }
        };
        let queue = std::mem::take(&mut broken.queue);
        log::info!("history: the file can be written again; {} records waited", queue.len());
        self.state = State::Works(Box::new(base));
        self.tell_trouble(None);
        self.carry_on(queue);
    }

    /// Keeps what has waited. If the disk refuses again, the rest waits again.
    fn carry_on(&mut self, queue: Vec<Taken>) {
        for taken in queue {
            if let Taken::Record { record, .. } = &taken {
                self.pending.bytes += bytes_of(record);
            }
            let at = self.pending.taken.len();
            self.pending.taken.push(taken);
            self.put_in(at);
        }
        self.commit();
    }
}

/// Opens the file, deletes what must not be there, and moves the log into the file.
///
/// Until this is done, the messages that must not be there are remembered.
fn reopen(rules: crate::limits::History, site: &super::Site, now_ms: i64, undone: &[i64]) -> Result<Base, String> {
    site.check()?;
    site.write_log_again()?;
    let open = || {
        let mut base = Base::new(site.connect(Role::Writer)?, rules, now_ms);
        base.load()?;
        base.begin()?;
        for id in undone {
            base.withdraw(*id)?;
        }
        base.tell()?;
        base.commit()?;
        base.checkpoint()?;
        Ok(base)
    };
    open().map_err(|e: rusqlite::Error| cause(&e))
}

fn next_attempt() -> Instant {
    static TEST_MS: OnceLock<Option<u64>> = OnceLock::new();
    let wish = || std::env::var("CHATD_TEST_HISTORY_RETRY_MS").ok().and_then(|text| text.parse().ok());
    let ms = if cfg!(test) {
        100
    } else if cfg!(debug_assertions) {
        TEST_MS.get_or_init(wish).unwrap_or(HISTORY_RETRY_MS)
    } else {
        HISTORY_RETRY_MS
    };
    Instant::now() + Duration::from_millis(ms)
}

/// An error as a phrase for the operator.
pub(in crate::history::store) fn cause(e: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode;
    let next = match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "disk full; make room",
        Some(ErrorCode::ReadOnly) => "the file cannot be written; make it writable",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged; stop chatd and run 'chatd history repair'"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process writes to the file; end it",
        Some(_) | None => return e.to_string(),
    };
    format!("{next} ({e})")
}

/// Whether an error is one of the file, and not of a query or of what one row says.
pub(super) fn is_of_disk(e: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    match e.sqlite_error_code() {
        Some(ErrorCode::Unknown | ErrorCode::OperationInterrupted | ErrorCode::ApiMisuse) | None => false,
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::store::tests::{alice, at, bob, public};

    #[test]
    fn of_what_is_only_a_state_the_last_word_is_kept() {
        let record = |record| Taken::Record { record, is_awaited: false };
        let mut queue: Vec<Taken> = (0..10)
            .flat_map(|n| {
                [Record::Account(bob()), Record::Seen(bob(), at(n)), Record::Floor(alice(), at(n)), public(at(n), "x")]
            })
            .map(record)
            .collect();
        drop_doubles(&mut queue);
        let left: Vec<&Record> = queue
            .iter()
            .filter_map(|taken| match taken {
                Taken::Record { record, .. } => Some(record),
                Taken::Mark(_) => None,
            })
            .collect();
        assert_eq!(left.len(), 13);
        assert_eq!(left[9..12], [&Record::Account(bob()), &Record::Seen(bob(), at(9)), &Record::Floor(alice(), at(9))]);
        assert_eq!(left[12], &public(at(9), "x"));
    }
}
