//! The thread `search`: searches by a connection of its own, so that they delay no page and no commit.
//!
//! A search sees what was committed. It ends after [`SEARCH_MS`] with what it has.

pub(super) mod find;
mod queue;
mod share;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{io, thread};

use rusqlite::Connection;

use self::queue::Turns;
use self::share::Shares;
use crate::history::request::{Answer, Asked, Find, Paged, Verdict};
use crate::hub::record::Account;
use crate::limits::SEARCH_MS;
use crate::mailbox::{Full, Job, Mailbox, Next, Service, Waker};

#[cfg(test)]
mod tests;
/// Statements that stay prepared: some for each of the newest tables of words.
const STATEMENTS: usize = 64;

/// The search service of the mailbox.
struct Searching;

impl Service for Searching {
    type Request = Find;
    type Asked = Asked;
    type Verdict = Verdict;
    type Origin = Account;
    type Queue = Turns;
    type Settings = ();
    const DISPLACED: Verdict = Verdict::Busy;
    const LOST: Verdict = Verdict::Unavailable;

    fn asked(_: &Find) -> Asked {
        Asked::Find
    }
}

/// The handle to the thread. Dropping it ends the thread after its current search.
pub(super) struct Search {
    mailbox: Arc<Mailbox<Searching>>,
    /// Disconnected when the thread has ended, with its connection.
    ended: Receiver<Infallible>,
}

impl Search {
    /// Starts the thread. `open` gives its connection: before the first search, and again after a failed one. `waker` is
    /// called whenever there are answers to [poll](Self::poll_answer).
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(
        open: impl Fn() -> rusqlite::Result<Connection> + Send + 'static,
        waker: Waker,
    ) -> io::Result<Self> {
        let mailbox = Arc::new(Mailbox::new(Turns::default(), (), waker));
        let (alive, ended) = mpsc::channel();
        let search = Self { mailbox: Arc::clone(&mailbox), ended };
        thread::Builder::new().name("search".to_owned()).spawn(move || {
            let _alive = alive;
            let guard = Guard(&mailbox);
            let mut searcher = Searcher { open, connection: None, shares: Shares::default(), is_failing: false };
            while let Next::Job(job, ()) = mailbox.next(true) {
                let ticket = job.ticket;
                let verdict = catch_unwind(AssertUnwindSafe(|| searcher.verdict(job)));
                mailbox.answer([Answer { ticket, verdict: verdict.unwrap_or_else(|_| searcher.give_up()) }]);
            }
            drop(guard);
        })?;
        Ok(search)
    }

    /// Queues a search under `number`. It is answered with [`Verdict::Page`], with [`Verdict::Busy`] if the account has
    /// searched for too long, or with [`Verdict::Unavailable`].
    ///
    /// # Errors
    /// [`Full`]; no answer comes then.
    pub(super) fn submit(&self, number: u64, find: Find) -> Result<(), Full> {
        self.mailbox.submit(find.mine.who.clone(), number, find)
    }

    /// Withdraws a search. If it has begun, it is finished and answered.
    pub(super) fn cancel(&self, number: u64) {
        self.mailbox.cancel(number);
    }

    /// The next answer, if there is one.
    pub(super) fn poll_answer(&self) -> Option<Answer> {
        self.mailbox.poll_answer()
    }

    /// Whether the thread has panicked; true once. By then every open search is answered.
    pub(super) fn poll_loss(&self) -> bool {
        self.mailbox.poll_loss()
    }

    /// Ends the thread after its current search. Searches that wait are dropped.
    pub(super) fn close(&self) {
        self.mailbox.close();
    }

    /// Waits until the thread has ended after [`close`](Self::close), and until then at most.
    pub(super) fn wait(&self, until: Instant) {
        let _ = self.ended.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.close();
    }
}

/// Answers all open searches if the thread panics.
struct Guard<'a>(&'a Mailbox<Searching>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.give_up();
        }
    }
}

/// The thread's own state.
struct Searcher<F> {
    open: F,
    connection: Option<Connection>,
    shares: Shares,
    /// Whether the last search failed. The log says it once.
    is_failing: bool,
}

impl<F: Fn() -> rusqlite::Result<Connection>> Searcher<F> {
    /// Carries out a search.
    fn verdict(&mut self, job: Job<Searching>) -> Verdict {
        let (find, start) = (job.request, Instant::now());
        if !self.shares.has_left(&find.mine.who, start) {
            return Verdict::Busy;
        }
        let verdict = self.find(&find, start + Duration::from_millis(SEARCH_MS));
        let end = Instant::now();
        self.shares.charge(find.mine.who, end, end.saturating_duration_since(start));
        verdict
    }

    /// A search has panicked: the others go on, with another connection. The panic is in the log.
    fn give_up(&mut self) -> Verdict {
        self.connection = None;
        Verdict::Unavailable
    }

    fn find(&mut self, find: &Find, deadline: Instant) -> Verdict {
        match self.page(find, deadline) {
            Ok(paged) => {
                self.is_failing = false;
                Verdict::Page(paged)
            }
            Err(error) => {
                // The next search opens the file again, and may fail in the same way.
                self.connection = None;
                if !std::mem::replace(&mut self.is_failing, true) {
                    log::warn!("history: searches fail: {error}; see 'chatd history check'");
                }
                Verdict::Unavailable
            }
        }
    }

    fn page(&mut self, find: &Find, deadline: Instant) -> rusqlite::Result<Paged> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.open)()?,
        };
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let connection = self.connection.insert(connection);
        find::find(connection, find, &mut || Instant::now() >= deadline)
    }
}
