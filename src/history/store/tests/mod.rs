//! The store through its handle, on temporary files.

mod broken;
mod damage;
mod ends;
mod figures;
mod forget;
mod identity;
mod order;
mod people;
mod traces;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::History;
use crate::history::{Batch, End, Mine, Of, OpenError, Page, Paged, Request, Settings, Verdict, row_bytes};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::record::{Account, KeptId, KeptRoom, Record, Restored, Row, Spot, Topic};
use crate::limits;
use crate::mailbox::Waker;

/// A time at which the tests are, in milliseconds since 1970.
pub(super) const NOW: u64 = 1_795_000_000_000;

/// An id of this many milliseconds after [`NOW`].
pub(super) fn at(ms: u64) -> u64 {
    (NOW + ms) << 20
}

pub(super) fn account(name: &str, since: u64) -> Account {
    Account { name: UserName::from_record(name).unwrap(), since }
}

pub(super) fn alice() -> Account {
    account("alice", 100)
}

pub(super) fn bob() -> Account {
    account("bob", 200)
}

pub(super) fn carol() -> Account {
    account("carol", 300)
}

pub(super) fn row(id: u64, spot: Spot, from: &Account, text: &str) -> Record {
    Record::Row(Row { id, spot, from: Who::Account(from.name.clone()), text: text.into() })
}

pub(super) fn public(id: u64, text: &str) -> Record {
    row(id, Spot::Everybody, &alice(), text)
}

pub(super) fn room(id: u32, days: u32) -> Record {
    Record::Room(Box::new(KeptRoom {
        id: KeptId(id),
        name: RoomName::parse(&format!("lobby{id}")).unwrap(),
        owner: Some(alice()),
        ownerless_since_ms: 0,
        days,
        topic: Some(Topic { by: "alice".into(), text: "tea".into(), set_ms: 1_795_714_284_250 }),
        lock: None,
    }))
}

/// A folder with a store in it.
pub(super) struct Rig {
    folder: tempfile::TempDir,
    pub(super) rules: limits::History,
    pub(super) accounts: Vec<Account>,
}

/// An open store.
pub(super) struct Open {
    pub(super) history: Option<History>,
    pub(super) restored: Restored,
    woken: Receiver<()>,
    number: std::cell::Cell<u64>,
    /// Answers that nobody has waited for yet.
    answers: std::cell::RefCell<std::collections::HashMap<u64, Verdict>>,
}

impl Rig {
    pub(super) fn new() -> Self {
        let accounts = vec![alice(), bob(), carol()];
        Self { folder: tempfile::tempdir().unwrap(), rules: limits::History::default(), accounts }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn try_open(&self, unix_ms: u64) -> Result<Open, OpenError> {
        let (wake, woken) = mpsc::channel();
        let settings = Settings { file: self.file(), rules: self.rules.clone() };
        let waker = Waker::new(move || wake.send(()).unwrap_or(()));
        let (history, restored) = History::open(&settings, self.accounts.clone(), unix_ms, waker)?;
        let (number, answers) = Default::default();
        Ok(Open { history: Some(history), restored, woken, number, answers })
    }

    pub(super) fn open(&self) -> Open {
        self.open_at(NOW)
    }

    pub(super) fn open_at(&self, unix_ms: u64) -> Open {
        self.try_open(unix_ms).unwrap_or_else(|e| panic!("{e:?}"))
    }

    /// A connection beside the store.
    pub(super) fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    /// A copy of the files, as a power cut would leave them after what is synced.
    pub(super) fn copy(&self) -> Self {
        let copy = Self::new();
        for suffix in ["", "-wal"] {
            let name = format!("history.db{suffix}");
            let (from, to) = (self.folder().join(&name), copy.folder().join(&name));
            if from.exists() {
                std::fs::copy(from, to).unwrap();
            }
        }
        Self { rules: self.rules.clone(), accounts: self.accounts.clone(), ..copy }
    }

    /// Whether any file of the store has these bytes.
    pub(super) fn has_bytes(&self, bytes: &str) -> bool {
        std::fs::read_dir(self.folder()).unwrap().any(|entry| {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            memchr::memmem::find(&content, bytes.as_bytes()).is_some()
        })
    }
}

pub(super) fn batch(records: Vec<Record>, awaited: &[u32]) -> Batch {
    let bytes =
        records.iter().map(|record| if let Record::Row(row) = record { row_bytes(row.text.len()) } else { 0 }).sum();
    Batch { records, awaited: awaited.to_vec(), bytes }
}

impl Open {
    fn history(&self) -> &History {
        self.history.as_ref().unwrap()
    }

    /// Submits a request and waits for its answer.
    pub(super) fn ask(&self, request: Request) -> Verdict {
        let number = self.submit(request);
        self.answer(number)
    }

    pub(super) fn submit(&self, request: Request) -> u64 {
        let number = self.number.get() + 1;
        self.number.set(number);
        self.history().submit(number, request).unwrap();
        number
    }

    pub(super) fn answer(&self, number: u64) -> Verdict {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(verdict) = self.answers.borrow_mut().remove(&number) {
                return verdict;
            }
            if let Some(answer) = self.history().poll_answer() {
                self.answers.borrow_mut().insert(answer.ticket.number, answer.verdict);
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.woken.recv_timeout(left).expect("an answer comes");
        }
    }

    /// Waits until something holds.
    #[track_caller]
    pub(super) fn wait(&self, what: impl Fn(&History) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !what(self.history()) {
            assert!(Instant::now() < deadline, "it never holds");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Keeps records and waits until they are on disk.
    #[track_caller]
    pub(super) fn keep(&self, records: Vec<Record>) {
        let last = u32::try_from(records.len()).unwrap() - 1;
        assert_eq!(self.ask(Request::Keep(batch(records, &[last]))), Verdict::Kept);
    }

    /// Keeps records for which nobody waits.
    pub(super) fn tell(&self, records: Vec<Record>) {
        assert_eq!(self.ask(Request::Keep(batch(records, &[]))), Verdict::Kept);
    }

    /// The newest messages of an account in some places: `place from: text`.
    pub(super) fn page(&self, who: &Account, rooms: &[u32], of: Of) -> Vec<String> {
        let lines = self.paged(who, rooms, of).lines;
        lines.iter().map(|line| format!("{} {}: {}", line.place, line.from, line.text)).collect()
    }

    pub(super) fn paged(&self, who: &Account, rooms: &[u32], of: Of) -> Paged {
        let rooms = rooms.iter().copied().map(KeptId).collect();
        let page = Page {
            mine: Mine { who: who.clone(), rooms },
            of,
            above: None,
            below: None,
            end: End::Newest,
            most: 200,
            most_bytes: 0,
            is_unread: false,
        };
        let verdict = self.ask(Request::Page(page));
        let Verdict::Page(paged) = verdict else { panic!("{verdict:?}") };
        paged
    }

    pub(super) fn close(mut self) {
        self.history.take().unwrap().close();
    }

    /// The thread ends without a word, as with a kill.
    pub(super) fn copy_of(&self, rig: &Rig) -> Rig {
        self.wait(|history| history.backlog() == 0);
        rig.copy()
    }
}
