//! A store that could not write: what was to be kept waits in memory, and the file is opened again every few seconds.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::{HISTORY_RETRY_MS, Pending, QUEUE_RECORDS, Role, State, Taken, Writer, bytes_of};
use crate::history::request::{Answer, Verdict};
use crate::history::store::base::Base;
use crate::history::store::changes::{Change, Changes};
use crate::history::store::records::stored;
use crate::hub::record::{Account, KeptId, Record, Whom};

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
    /// Messages whose senders were told so before they were near the disk. The loop withdraws them soon.
    refused: HashSet<i64>,
    /// What may still be taken back …
    changes: Changes,
    /// … what may be on disk and must go, the last change first …
    undone_changes: Vec<Change>,
    /// … and the ids of changes that never were near the disk. The loop takes them back soon.
    refused_changes: HashSet<u64>,
    /// The size of the queue at which doubles are looked for.
    look_at: usize,
}

impl Broken {
    /// Broken from now on. These changes may be taken back; those of the open transaction must go.
    fn new(cause: String, mut changes: Changes) -> Self {
        let undone_changes = changes.take_open();
        Self {
            cause,
            retry_at: next_attempt(),
            queue: Vec::new(),
            undone: Vec::new(),
            refused: HashSet::new(),
            changes,
            undone_changes,
            refused_changes: HashSet::new(),
            look_at: QUEUE_RECORDS,
        }
    }

    /// Messages that wait.
    pub(super) fn rows(&self) -> usize {
        let is_row = |taken: &&Taken| matches!(taken, Taken::Record { record: Record::Row(_), .. });
        self.queue.iter().filter(is_row).count()
    }

    /// Takes what is pending: those who wait for it are told no. Gives the bytes of the rows that go. `was_begun`: it was
    /// in a transaction, which may be on disk.
    fn take(&mut self, pending: &mut Pending, was_begun: bool) -> usize {
        let mut gone = 0;
        for taken in pending.taken.drain(..) {
            match taken {
                Taken::Record { record, is_awaited: true } => {
                    gone += bytes_of(&record);
                    match record {
                        Record::Row(row) if was_begun => self.undone.push(stored(row.id)),
                        Record::Row(row) => drop(self.refused.insert(stored(row.id))),
                        Record::Profile(setting) if !was_begun => drop(self.refused_changes.insert(setting.id)),
                        Record::Profile(_)
                        | Record::Account(_)
                        | Record::Seen(..)
                        | Record::Deleted(_)
                        | Record::Room(_)
                        | Record::RoomGone(_)
                        | Record::Member(..)
                        | Record::NoMember(..)
                        | Record::Floor(..)
                        | Record::Hole(_)
                        | Record::Withdrawn(_)
                        | Record::Unset(_)
                        | Record::Ignore(..)
                        | Record::NoIgnore(..) => {}
                    }
                }
                Taken::Record { record: Record::Unset(id), .. } if self.refused_changes.remove(&id) => {}
                Taken::Record { record: Record::Withdrawn(id), .. } if self.refused.remove(&stored(id)) => {}
                Taken::Record { is_awaited: false, .. } | Taken::Mark(_) | Taken::Loud(_) => self.queue.push(taken),
            }
        }
        if self.queue.len() >= self.look_at {
            drop_doubles(&mut self.queue);
            self.look_at = (self.queue.len() * 2).max(QUEUE_RECORDS);
        }
        gone
    }
}

/// What a record says that a later one of the same kind says anew.
#[derive(PartialEq, Eq, Hash)]
enum Says {
    Seen(Account),
    Floor(Account),
    Account(Account),
    Room(KeptId),
    Member(KeptId, Account),
    Ignore(Account, Whom),
}

impl Says {
    fn of(taken: &Taken) -> Option<Self> {
        let Taken::Record { record, .. } = taken else { return None };
        Some(match record {
            Record::Seen(account, _) => Self::Seen(account.clone()),
            Record::Floor(account, _) => Self::Floor(account.clone()),
            Record::Account(account) => Self::Account(account.clone()),
            Record::Room(room) => Self::Room(room.id),
            Record::Member(room, account, _) | Record::NoMember(room, account) => Self::Member(*room, account.clone()),
            Record::Ignore(account, whom) | Record::NoIgnore(account, whom) => {
                Self::Ignore(account.clone(), whom.clone())
            }
            Record::Row(_)
            | Record::Deleted(_)
            | Record::RoomGone(_)
            | Record::Hole(_)
            | Record::Withdrawn(_)
            | Record::Profile(_)
            | Record::Unset(_) => return None,
        })
    }
}

/// Of records that only say how things are now, the last one is enough; of a room, with the first one, from which on its
/// messages are kept; of a membership, with the one before, which may have ended it.
fn drop_doubles(queue: &mut Vec<Taken>) {
    let mut rooms = HashSet::new();
    let is_first = |taken: &Taken| match taken {
        Taken::Record { record: Record::Room(room), .. } => rooms.insert(room.id),
        Taken::Record { .. } | Taken::Mark(_) | Taken::Loud(_) => false,
    };
    let firsts: Vec<bool> = queue.iter().map(is_first).collect();
    let mut seen: HashMap<Says, u32> = HashMap::new();
    let mut is_late = |taken: &Taken| {
        let Some(state) = Says::of(taken) else { return true };
        let most = if matches!(state, Says::Member(..)) { 2 } else { 1 };
        let count = seen.entry(state).or_default();
        *count += 1;
        *count <= most
    };
    let late: Vec<bool> = queue.iter().rev().map(&mut is_late).collect();
    let mut keeps = firsts.into_iter().zip(late.into_iter().rev()).map(|(is_first, is_late)| is_first || is_late);
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
        let changes = match &mut self.state {
            State::Works(base) => std::mem::take(&mut base.changes),
            State::Broken(_) => Changes::default(),
        };
        let broken = Broken::new(cause, changes);
        // The connection is closed here, which takes back its transaction.
        self.state = State::Broken(Box::new(broken));
        self.queue(true);
        self.give_forgetting_up();
        self.tell_broken();
    }

    /// Puts what is pending into the queue of the broken store. `was_begun`: it was in a transaction.
    pub(super) fn queue(&mut self, was_begun: bool) {
        let State::Broken(broken) = &mut self.state else { return };
        let gone = broken.take(&mut self.pending, was_begun);
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
        let mut base = match reopen(self.shared.rules(), &self.site, self.clock.now_ms(), broken) {
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
        base.changes = std::mem::take(&mut broken.changes);
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
fn reopen(rules: crate::limits::History, site: &super::Site, now_ms: i64, broken: &Broken) -> Result<Base, String> {
    site.check()?;
    site.write_log_again()?;
    let open = || {
        let mut base = Base::new(site.connect(Role::Writer)?, rules, now_ms);
        base.load()?;
        base.begin()?;
        for id in &broken.undone {
            base.withdraw(*id)?;
        }
        for change in &broken.undone_changes {
            base.undo(change)?;
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
    use crate::history::store::tests::{alice, at, bob, public, room};

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
                Taken::Mark(_) | Taken::Loud(_) => None,
            })
            .collect();
        assert_eq!(left.len(), 13);
        assert_eq!(left[9..12], [&Record::Account(bob()), &Record::Seen(bob(), at(9)), &Record::Floor(alice(), at(9))]);
        assert_eq!(left[12], &public(at(9), "x"));
    }

    #[test]
    fn of_rooms_and_members_the_last_words_are_kept() {
        let id = KeptId(7);
        let records = (0..10).flat_map(|n| {
            let days = u32::try_from(n).unwrap();
            [room(7, days), public(at(n), "x"), Record::Member(id, bob(), at(n)), Record::NoMember(id, bob())]
        });
        let mut queue: Vec<Taken> = records.map(|record| Taken::Record { record, is_awaited: false }).collect();
        drop_doubles(&mut queue);
        let left = queue.iter().filter_map(|taken| match taken {
            Taken::Record { record, .. } => Some(record),
            Taken::Mark(_) | Taken::Loud(_) => None,
        });
        let left: Vec<&Record> = left.filter(|record| !matches!(record, Record::Row(_))).collect();
        let expected = [&room(7, 0), &room(7, 9), &Record::Member(id, bob(), at(9)), &Record::NoMember(id, bob())];
        assert_eq!(left, expected);
        assert_eq!(queue.len(), 14, "each message is kept");
    }

    #[test]
    fn what_was_refused_and_withdrawn_while_broken_leaves_nothing() {
        let mut broken = Broken::new(String::new(), Changes::default());
        let take = |broken: &mut Broken, record, is_awaited| {
            let taken = vec![Taken::Record { record, is_awaited }];
            broken.take(&mut Pending { taken, ..Pending::default() }, false)
        };
        for n in 0..100 {
            assert!(take(&mut broken, public(at(n), "denied"), true) > 0);
            take(&mut broken, Record::Withdrawn(at(n)), false);
        }
        assert_eq!((broken.queue.len(), broken.undone.len(), broken.refused.len()), (0, 0, 0));
        take(&mut broken, Record::Withdrawn(at(500)), false);
        assert_eq!(broken.queue.len(), 1, "that one may be on disk");
    }
}
