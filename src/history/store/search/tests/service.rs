//! The thread, its queue, and what is left when it fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::limits::SEARCHES;
use crate::mailbox::Ticket;

const PATIENCE: Duration = Duration::from_secs(60);

/// A search service whose thread opens its store when the test lets it.
struct Bench {
    search: Search,
    /// Lets the thread open a store once.
    open: Sender<()>,
    /// One for each time that the thread waits for that.
    opening: Receiver<()>,
    /// One for each wake-up.
    woken: Receiver<()>,
}

impl Bench {
    fn new(connect: impl Fn() -> rusqlite::Result<Connection> + Send + 'static) -> Self {
        let ((open, may_open), (opens, opening), (wake, woken)) = (channel(), channel(), channel());
        let wake = Mutex::new(wake);
        let waker = Waker::new(move || wake.lock().unwrap().send(()).unwrap_or_default());
        let search = Search::start(
            move || {
                opens.send(()).unwrap_or_default();
                may_open.recv_timeout(PATIENCE).unwrap();
                connect()
            },
            waker,
        );
        Self { search: search.unwrap(), open, opening, woken }
    }

    /// The next answer: its number and verdict.
    #[track_caller]
    fn answer(&self) -> (u64, Verdict) {
        loop {
            if let Some(answer) = self.search.poll_answer() {
                assert_eq!(answer.ticket.asked, Asked::Find);
                return (answer.ticket.number, answer.verdict);
            }
            self.woken.recv_timeout(PATIENCE).unwrap();
        }
    }
}

fn store() -> Connection {
    let mut world = world();
    world.say(Spot::Everybody, who("alice"), "x 1");
    world.connection
}

fn lines(verdict: &Verdict) -> usize {
    let Verdict::Page(paged) = verdict else { panic!("{verdict:?}") };
    paged.lines.len()
}

#[test]
fn searches_wait_and_accounts_take_turns() {
    let bench = Bench::new(|| Ok(store()));
    let x = |name: &str| by(name, &[word("x")]);
    bench.search.submit(0, x("carol")).unwrap();
    // The thread has taken that one.
    bench.opening.recv_timeout(PATIENCE).unwrap();
    for number in 1..SEARCHES as u64 {
        bench.search.submit(number, x("alice")).unwrap();
    }
    bench.search.submit(100, x("bob")).unwrap();
    assert!(bench.search.submit(101, x("alice")).is_err());
    // An account with fewer searches takes the place of the newest one of the account with most.
    bench.search.submit(200, x("bob")).unwrap();
    let (displaced, verdict) = bench.answer();
    assert_eq!((displaced, verdict), (SEARCHES as u64 - 1, Verdict::Busy));
    bench.search.cancel(2);
    bench.open.send(()).unwrap();
    let mut answered = Vec::new();
    while answered.last() != Some(&200) {
        let (number, verdict) = bench.answer();
        assert_eq!(lines(&verdict), 1);
        answered.push(number);
    }
    assert_eq!(answered, [0, 1, 100, 3, 200]);
    bench.search.close();
    assert!(bench.search.submit(300, x("bob")).is_err());
    assert!(!bench.search.poll_loss());
}

#[test]
fn a_store_that_cannot_be_opened_is_opened_again() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let bench =
        Bench::new(move || if broken.load(Ordering::SeqCst) { Connection::open("/nowhere/x.db") } else { Ok(store()) });
    for number in 0..3 {
        bench.search.submit(number, by("bob", &[word("x")])).unwrap();
        bench.open.send(()).unwrap();
        assert_eq!(bench.answer(), (number, Verdict::Unavailable));
    }
    is_broken.store(false, Ordering::SeqCst);
    bench.open.send(()).unwrap();
    for number in 3..6 {
        bench.search.submit(number, by("bob", &[word("x")])).unwrap();
        assert_eq!(lines(&bench.answer().1), 1);
    }
}

#[test]
fn a_damaged_store_answers_and_is_opened_again() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let bench = Bench::new(move || {
        let store = store();
        if broken.swap(false, Ordering::SeqCst) {
            store.execute_batch("DROP TABLE word_1")?;
        }
        Ok(store)
    });
    for _ in 0..2 {
        bench.open.send(()).unwrap();
    }
    bench.search.submit(1, by("bob", &[word("x")])).unwrap();
    assert_eq!(bench.answer(), (1, Verdict::Unavailable));
    bench.search.submit(2, by("bob", &[word("x")])).unwrap();
    assert_eq!(lines(&bench.answer().1), 1);
}

#[test]
fn a_search_that_panics_ends_no_other() {
    let is_broken = AtomicBool::new(true);
    let bench = Bench::new(move || {
        assert!(!is_broken.swap(false, Ordering::SeqCst), "on purpose");
        Ok(store())
    });
    for number in 0..3 {
        bench.search.submit(number, by("bob", &[word("x")])).unwrap();
    }
    for _ in 0..2 {
        bench.open.send(()).unwrap();
    }
    assert_eq!(bench.answer(), (0, Verdict::Unavailable));
    for number in 1..3 {
        let (answered, verdict) = bench.answer();
        assert_eq!((answered, lines(&verdict)), (number, 1));
    }
    assert!(!bench.search.poll_loss());
}

#[test]
fn an_account_that_has_used_its_time_up_is_busy() {
    let (open, shares) = (|| Ok(store()), Shares::default());
    let mut searcher = Searcher { open, connection: None, shares, is_failing: false };
    let search = |name: &str| {
        let ticket = Ticket { number: 1, asked: Asked::Find };
        Job { ticket, request: by(name, &[word("x")]) }
    };
    assert_eq!(lines(&searcher.verdict(search("bob"))), 1);
    searcher.shares.charge(account("bob"), Instant::now(), Duration::from_secs(1));
    assert_eq!(searcher.verdict(search("bob")), Verdict::Busy);
    assert_eq!(lines(&searcher.verdict(search("alice"))), 1);
}
