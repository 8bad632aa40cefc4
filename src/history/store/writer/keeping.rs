//! The types of the service, and its queue: in order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::history::request::{Asked, Batch, Request, Trouble, Verdict, row_bytes};
use crate::hub::record::Record;
use crate::limits;
use crate::mailbox::{self, Job, Service};

/// What the thread is told.
pub(in crate::history::store) enum Order {
    /// A request of the loop.
    Asked(Request),
    /// End, after everything that was said before.
    Close,
}

/// The service.
pub(in crate::history::store) struct Keeping;

impl Service for Keeping {
    type Request = Order;
    type Asked = Asked;
    type Verdict = Verdict;
    type Origin = ();
    type Queue = Queue;
    type Settings = ();
    const DISPLACED: Verdict = Verdict::Busy;
    const LOST: Verdict = Verdict::Unavailable;

    fn asked(order: &Order) -> Asked {
        match order {
            Order::Asked(request) => request.asked(),
            Order::Close => Asked::Keep,
        }
    }
}

/// Orders in their order. Its bounds are the loop's: bytes of rows, and one request a connection.
#[derive(Default)]
pub(in crate::history::store) struct Queue(VecDeque<Job<Keeping>>);

impl mailbox::Queue<Keeping> for Queue {
    fn push(&mut self, (): (), job: Job<Keeping>) -> Result<Option<Job<Keeping>>, Job<Keeping>> {
        self.0.push_back(job);
        Ok(None)
    }

    fn pop(&mut self) -> Option<Job<Keeping>> {
        self.0.pop_front()
    }

    fn remove(&mut self, number: u64) -> Option<Job<Keeping>> {
        // What is withdrawn was asked for a moment ago.
        let at = self.0.iter().rposition(|job| job.ticket.number == number)?;
        self.0.remove(at)
    }

    fn waiting(&self) -> usize {
        self.0.len()
    }
}

/// What the loop sees of the thread, and the other way round, without a request.
#[derive(Debug)]
pub(in crate::history::store) struct Shared {
    backlog: AtomicUsize,
    trouble: Mutex<Trouble>,
    rules: Mutex<limits::History>,
}

impl Shared {
    /// Nothing waits and nothing is wrong.
    pub(in crate::history::store) fn new(rules: limits::History) -> Self {
        Self { backlog: AtomicUsize::new(0), trouble: Mutex::default(), rules: Mutex::new(rules) }
    }

    /// Bytes of rows that are not on disk.
    pub(in crate::history::store) fn backlog(&self) -> usize {
        self.backlog.load(Ordering::Relaxed)
    }

    /// Rows were handed over.
    pub(in crate::history::store) fn add(&self, bytes: usize) {
        self.backlog.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Rows are on disk, or will never be.
    pub(in crate::history::store) fn remove(&self, bytes: usize) {
        // Each row is added once and removed once.
        self.backlog.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What does not work.
    pub(in crate::history::store) fn trouble(&self) -> Trouble {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what does not work. True if that was something else before.
    pub(super) fn set_trouble(&self, trouble: Trouble) -> bool {
        let mut held = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = *held != trouble;
        *held = trouble;
        is_other
    }

    /// The rules.
    pub(in crate::history::store) fn rules(&self) -> limits::History {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the rules.
    pub(in crate::history::store) fn set_rules(&self, rules: &limits::History) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone_from(rules);
    }
}

/// The size of a record for the bound of the queue, in bytes.
pub(super) fn bytes_of(record: &Record) -> usize {
    match record {
        Record::Row(row) => row_bytes(row.text.len()),
        Record::Account(_)
        | Record::Seen(..)
        | Record::Deleted(_)
        | Record::Room(_)
        | Record::RoomGone(_)
        | Record::Member(..)
        | Record::NoMember(..)
        | Record::Floor(..)
        | Record::Hole(_)
        | Record::Withdrawn(_) => 0,
    }
}

/// The size of a batch for the bound of the queue, in bytes.
pub(in crate::history::store) fn bytes_of_batch(batch: &Batch) -> usize {
    batch.records.iter().map(bytes_of).sum()
}
