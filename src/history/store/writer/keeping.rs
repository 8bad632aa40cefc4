//! The types of the service, and its queue: records in order and first, then requests of accounts by turns.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::history::request::{Asked, Batch, Forget, Forgets, Of, Request, Trouble, Verdict, row_bytes};
use crate::hub::record::{Account, Record, Setting};
use crate::limits;
use crate::mailbox::{self, Job, Service};

/// Records that are taken in a row at most while requests wait that were queued before them.
const STREAK: usize = 16;
/// Accounts besides those that wait whose turns are remembered.
const ACCOUNTS: usize = 1_024;
/// About how many lookups of a place the beginning of forgetting all takes; the rest goes in slices.
const FORGET_WEIGHT: u64 = 50;
/// About how many lookups of a place counting its messages takes.
const COUNT_WEIGHT: u64 = 4;

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
    type Origin = Option<Account>;
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

/// Records in their order, and requests of accounts by turns: an account that has asked for little goes before one that has
/// asked for much. A request sees every record that was queued before it, and may see later ones, because somebody may wait
/// for those. The bounds are the loop's: bytes of rows, and one request a connection.
#[derive(Default)]
pub(in crate::history::store) struct Queue {
    records: VecDeque<Job<Keeping>>,
    /// The requests, by the point in the turns at which each ends, and by their numbers.
    requests: BTreeMap<(u64, u64), Job<Keeping>>,
    /// The end of each request, by its number.
    ends: BTreeMap<u64, u64>,
    /// Where the last request of an account ends, if that is after `point`.
    used: HashMap<Account, u64>,
    /// The turns have come to this point: no request begins before it.
    point: u64,
    /// Records that were taken while requests waited, since the last request.
    streak: usize,
}

impl Queue {
    /// Whether the next job is a record: one that was queued before the next request always goes first, a later one unless
    /// requests have waited for many.
    fn is_record_next(&self) -> bool {
        let Some(record) = self.records.front() else { return false };
        let Some(((_, number), _)) = self.requests.first_key_value() else { return true };
        record.ticket.number < *number || self.streak < STREAK
    }
}

impl mailbox::Queue<Keeping> for Queue {
    fn push(&mut self, who: Option<Account>, job: Job<Keeping>) -> Result<Option<Job<Keeping>>, Job<Keeping>> {
        let Some(who) = who else {
            self.records.push_back(job);
            return Ok(None);
        };
        let point = self.point;
        if self.used.len() > 2 * self.requests.len() + ACCOUNTS {
            self.used.retain(|_, end| *end > point);
        }
        let end = self.used.entry(who).or_insert(point);
        *end = (*end).max(point) + weight(&job.request);
        self.ends.insert(job.ticket.number, *end);
        self.requests.insert((*end, job.ticket.number), job);
        Ok(None)
    }

    fn pop(&mut self) -> Option<Job<Keeping>> {
        if self.is_record_next() {
            self.streak = if self.requests.is_empty() { 0 } else { self.streak + 1 };
            return self.records.pop_front();
        }
        let ((end, number), job) = self.requests.pop_first()?;
        self.ends.remove(&number);
        (self.point, self.streak) = (self.point.max(end - weight(&job.request)), 0);
        if self.requests.is_empty() {
            self.used = HashMap::new();
        }
        Some(job)
    }

    fn pop_small(&mut self) -> Option<Job<Keeping>> {
        self.records.pop_front()
    }

    fn remove(&mut self, number: u64) -> Option<Job<Keeping>> {
        if let Some(end) = self.ends.remove(&number) {
            return self.requests.remove(&(end, number));
        }
        // What is withdrawn was asked for a moment ago.
        let at = self.records.iter().rposition(|job| job.ticket.number == number)?;
        self.records.remove(at)
    }

    fn waiting(&self) -> usize {
        self.records.len() + self.requests.len()
    }
}

/// About how much work a request is, in lookups of a place.
fn weight(order: &Order) -> u64 {
    let places = |rooms: usize| u64::try_from(rooms).unwrap_or(u64::MAX).saturating_add(2);
    match order {
        Order::Asked(Request::Counts(counts)) => places(counts.mine.rooms.len()) * COUNT_WEIGHT,
        Order::Asked(Request::Missed(mine)) => places(mine.rooms.len()) * COUNT_WEIGHT,
        Order::Asked(Request::Forget(Forget { what: Forgets::All(_), .. })) => FORGET_WEIGHT,
        Order::Asked(Request::Forget(_)) => COUNT_WEIGHT,
        Order::Asked(Request::Page(page)) if page.is_unread => places(page.mine.rooms.len()) + COUNT_WEIGHT,
        Order::Asked(Request::Page(page)) if page.of == Of::All => places(page.mine.rooms.len()),
        Order::Asked(
            Request::Page(_)
            | Request::Mark(_)
            | Request::Find(_)
            | Request::Keep(_)
            | Request::Profile(_)
            | Request::Loud(_),
        )
        | Order::Close => 1,
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
        Record::Profile(Setting { value, .. }) => row_bytes(value.as_deref().map_or(0, str::len)),
        Record::Account(_)
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
        | Record::NoIgnore(..) => 0,
    }
}

/// The size of a batch for the bound of the queue, in bytes.
pub(in crate::history::store) fn bytes_of_batch(batch: &Batch) -> usize {
    batch.records.iter().map(bytes_of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Counts, End, Mine, Page};
    use crate::hub::record::{KeptId, Spot};
    use crate::mailbox::{Queue as _, Ticket};

    fn account(name: &str) -> Account {
        Account { name: crate::hub::names::UserName::parse(name).unwrap(), since: 1 }
    }

    fn mine(name: &str) -> Mine {
        Mine { who: account(name), rooms: (0..30).map(KeptId).collect() }
    }

    fn push(queue: &mut Queue, number: u64, request: Request) {
        let who = match &request {
            Request::Counts(Counts { mine, .. }) | Request::Page(Page { mine, .. }) => Some(mine.who.clone()),
            Request::Keep(_)
            | Request::Missed(_)
            | Request::Mark(_)
            | Request::Find(_)
            | Request::Profile(_)
            | Request::Loud(_)
            | Request::Forget(_) => None,
        };
        let ticket = Ticket { number, asked: request.asked() };
        assert!(matches!(queue.push(who, Job { ticket, request: Order::Asked(request) }), Ok(None)));
    }

    fn page(name: &str) -> Request {
        let (mine, of) = (mine(name), Of::One(Spot::Everybody));
        let (above, below) = (None, None);
        Request::Page(Page { mine, of, above, below, end: End::Newest, most: 50, most_bytes: 0, is_unread: false })
    }

    fn counts(name: &str) -> Request {
        Request::Counts(Counts { mine: mine(name), most: 200 })
    }

    fn numbers(queue: &mut Queue, most: usize) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).take(most).map(|job| job.ticket.number).collect()
    }

    #[test]
    fn records_go_first_and_in_order() {
        let mut queue = Queue::default();
        push(&mut queue, 1, page("bob"));
        for number in 2..5 {
            push(&mut queue, number, Request::Keep(Batch::default()));
        }
        assert_eq!(queue.waiting(), 4);
        assert_eq!(numbers(&mut queue, 9), [2, 3, 4, 1]);
    }

    #[test]
    fn records_without_end_do_not_keep_requests_waiting() {
        let mut queue = Queue::default();
        (0..100).for_each(|number| push(&mut queue, number, Request::Keep(Batch::default())));
        push(&mut queue, 100, page("bob"));
        (101..200).for_each(|number| push(&mut queue, number, Request::Keep(Batch::default())));
        let order = numbers(&mut queue, 200);
        assert!(order[..100].iter().copied().eq(0..100), "a request sees what was queued before it");
        assert_eq!(order[100], 100);
        push(&mut queue, 200, page("bob"));
        (201..300).for_each(|number| push(&mut queue, number, Request::Keep(Batch::default())));
        let at = numbers(&mut queue, 200).iter().position(|number| *number == 200);
        assert_eq!(at, Some(STREAK));
    }

    #[test]
    fn who_asks_for_little_does_not_wait_for_who_asks_for_much() {
        let mut queue = Queue::default();
        // Four sessions of each of forty accounts ask again as soon as they are answered.
        let mut owner = HashMap::new();
        let mut ask = |queue: &mut Queue, name: String| {
            let number = owner.len() as u64;
            push(queue, number, counts(&name));
            owner.insert(number, name);
        };
        (0..160).for_each(|n| ask(&mut queue, format!("mallory{}", n % 40)));
        for round in 0..100 {
            let (bob, mut waited) = (1_000_000 + round, 0);
            push(&mut queue, bob, page("bob"));
            while let Some(job) = queue.pop() {
                if job.ticket.number == bob {
                    break;
                }
                waited += 1;
                // They have other names from time to time, and so have asked for nothing yet.
                ask(&mut queue, format!("mallory{}", waited * round));
            }
            assert!(waited <= 1, "bob waited for {waited} of them in round {round}");
            let Some(job) = queue.pop() else { panic!() };
            ask(&mut queue, format!("mallory{}", job.ticket.number % 40));
        }
    }

    #[test]
    fn who_asks_for_much_is_answered_while_others_ask_for_little() {
        let mut queue = Queue::default();
        push(&mut queue, 0, counts("alice"));
        (1..=10).for_each(|n| push(&mut queue, n, page(&format!("bob{n}"))));
        let mut number = 10;
        let waited = std::iter::from_fn(|| queue.pop().map(|job| job.ticket.number)).take_while(|taken| {
            number += 1;
            *taken != 0
        });
        assert!(waited.count() <= 10);
        push(&mut queue, 100, counts("alice"));
        for number in 101..100_000 {
            push(&mut queue, number, page(&format!("bob{}", number % 10)));
            let Some(job) = queue.pop() else { panic!() };
            if job.ticket.number == 100 {
                let weight = weight(&Order::Asked(counts("alice")));
                assert!(number - 100 <= 10 * (weight + 1), "after {}", number - 100);
                return;
            }
        }
        panic!("alice waits for ever");
    }

    #[test]
    fn a_request_that_nobody_waits_for_goes() {
        let mut queue = Queue::default();
        for number in 0..10 {
            push(&mut queue, number, if number % 2 == 0 { page("bob") } else { counts("alice") });
        }
        assert!(queue.remove(4).is_some() && queue.remove(4).is_none() && queue.remove(77).is_none());
        assert_eq!(numbers(&mut queue, 99).len(), 9);
        assert!(queue.ends.is_empty() && queue.used.is_empty());
    }
}
