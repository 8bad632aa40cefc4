//! The store: SQLite, and the threads that use it.
//!
//! [`files`] says where the file is and opens connections, [`schema`] and [`migrate`] make its tables, [`base`] is the open
//! file. [`records`], [`rows`] and [`people`] put things in, [`restore`] gives them back at a start, [`retention`] deletes what is no
//! longer kept, [`forget`] what somebody wants forgotten. [`writer`] is the thread of all that; it answers by [`read`]. [`search`] is the other thread. [`words`]
//! turns texts into words.

pub mod admin;
pub mod fill;

mod schema;
mod trial;
mod migrate;
mod files;
mod known;
mod changes;
mod base;

mod lookup;
mod hidden;
mod words;
mod records;
mod rows;
mod people;
mod restore;
mod retention;
mod forget;

#[cfg(test)]
mod fixture;

mod read;
mod search;
mod writer;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use self::base::Base;
use self::files::{Role, Site};
use self::migrate::Refused;
use self::search::Search;
use self::writer::keeping::{Keeping, Order, Queue, Shared, bytes_of_batch};
use self::writer::{Clock, Writer};
use super::{Answer, Asked, Counts, OpenError, Page, Request, Settings, Trouble, Verdict};
use crate::hub::record::{Account, Restored};
use crate::limits::{self, HISTORY_CLOSE_MS};
use crate::mailbox::{Full, Mailbox, Waker};

/// The number of the order to end, which no request has.
const CLOSE: u64 = u64::MAX;

/// The loop's handle to the history. Dropping it does the same as [`History::close`].
pub struct History {
    /// Shared with the thread. It owns the waker, which has to outlive the thread.
    mailbox: Arc<Mailbox<Keeping>>,
    shared: Arc<Shared>,
    search: Search,
    /// `None` once it is joined or given up.
    thread: Option<JoinHandle<()>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<Infallible>,
}

impl History {
    /// Checks what a start needs of the file, without changing anything. Gives a note on what cannot be checked.
    ///
    /// # Errors
    /// A line for the operator.
    pub fn try_start(file: &Path) -> Result<Option<String>, String> {
        trial::try_start(file)
    }

    /// Opens the file, creating it if it does not exist, and starts the threads. `accounts` are all that exist now; others
    /// that the file knows are gone. `unix_ms` is the time since 1970 in milliseconds. `waker` is called whenever there are
    /// answers to [poll](Self::poll_answer).
    ///
    /// # Errors
    /// [`OpenError`], as a line for the operator.
    pub fn open(
        settings: &Settings,
        accounts: Vec<Account>,
        unix_ms: u64,
        waker: Waker,
    ) -> Result<(Self, Restored), OpenError> {
        Self::open_with_vfs(settings, accounts, unix_ms, waker, None)
    }

    /// The same in a registered file system of SQLite, for tests: the rules for files do not hold there, but the lock
    /// is taken beside `settings.file` as ever.
    ///
    /// # Errors
    /// [`OpenError`].
    #[doc(hidden)]
    pub fn open_with_vfs(
        settings: &Settings,
        accounts: Vec<Account>,
        unix_ms: u64,
        waker: Waker,
        vfs: Option<&'static str>,
    ) -> Result<(Self, Restored), OpenError> {
        let site = Site::take(&settings.file, vfs)?;
        let clock = Clock::new(unix_ms);
        let opened = open(&site, &settings.rules, accounts, clock);
        let (base, restored) = opened.map_err(|refused| unusable(&settings.file, &refused))?;
        let reading = site.clone();
        let search = Search::start(move || reading.connect(Role::Reader), waker.clone()).map_err(no_thread)?;
        let shared = Arc::new(Shared::new(settings.rules.clone()));
        let mailbox = Arc::new(Mailbox::new(Queue::default(), (), waker));
        let mut writer = Writer::new(Arc::clone(&mailbox), Arc::clone(&shared), site, clock, base);
        let (alive, ended) = mpsc::channel::<Infallible>();
        let thread = thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || {
                let _alive = alive;
                // A panic must be reported, because nothing would be kept any more.
                if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                    writer.give_up();
                }
            })
            .map_err(no_thread)?;
        Ok((Self { mailbox, shared, search, thread: Some(thread), ended }, restored))
    }

    /// Queues a request under `number`, which the answer carries; no two unanswered requests may have the same number.
    /// Never blocks.
    ///
    /// # Errors
    /// [`Full`]; no answer comes then. [`Request::Keep`] is never refused while the handle is open.
    pub fn submit(&self, number: u64, request: Request) -> Result<(), Full> {
        match request {
            Request::Find(find) => self.search.submit(number, find),
            Request::Keep(batch) => {
                let bytes = bytes_of_batch(&batch);
                self.shared.add(bytes);
                let submitted = self.mailbox.submit(None, number, Order::Asked(Request::Keep(batch)));
                submitted.inspect_err(|Full| self.shared.remove(bytes))
            }
            Request::Page(Page { ref mine, .. })
            | Request::Counts(Counts { ref mine, .. })
            | Request::Missed(ref mine) => self.mailbox.submit(Some(mine.who.clone()), number, Order::Asked(request)),
            Request::Profile(ref who) => self.mailbox.submit(Some(who.clone()), number, Order::Asked(request)),
            Request::Loud(ref loud) => self.mailbox.submit(Some(loud.who.clone()), number, Order::Asked(request)),
            Request::Forget(ref forget) => {
                self.mailbox.submit(Some(forget.mine.who.clone()), number, Order::Asked(request))
            }
            Request::Mark(ref mark) => self.mailbox.submit(Some(mark.who.clone()), number, Order::Asked(request)),
        }
    }

    /// Withdraws a request. If it has begun, it is finished and answered. Not for [`Request::Keep`].
    pub fn cancel(&self, number: u64) {
        if !self.mailbox.cancel(number) {
            self.search.cancel(number);
        }
    }

    /// The next answer, if there is one. Call this until it gives `None` after each wake-up.
    pub fn poll_answer(&self) -> Option<Answer> {
        let mut answer = self.mailbox.poll_answer().or_else(|| self.search.poll_answer())?;
        // What a thread that is lost has taken is not kept, as far as anybody knows.
        if answer.ticket.asked == Asked::Keep && answer.verdict == Verdict::Unavailable {
            answer.verdict = Verdict::NotKept;
        }
        Some(answer)
    }

    /// Whether a thread has panicked; true once. By then every open request is answered, and no other is accepted.
    pub fn poll_loss(&self) -> bool {
        let (is_writer, is_search) = (self.mailbox.poll_loss(), self.search.poll_loss());
        is_writer || is_search
    }

    /// Bytes of rows that are queued and not on disk yet (see [`Batch::bytes`](super::Batch::bytes)).
    pub fn backlog(&self) -> usize {
        self.shared.backlog()
    }

    /// What does not work at the moment.
    pub fn trouble(&self) -> Trouble {
        self.shared.trouble()
    }

    /// Changes the rules from the next commit on.
    pub fn reconfigure(&self, rules: &limits::History) {
        self.shared.set_rules(rules);
    }

    /// Writes what is queued to disk and ends the threads; waits for that at most
    /// [`HISTORY_CLOSE_MS`]. Dropping the handle does the same.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // It is closed already if the thread was lost.
        let _ = self.mailbox.submit(None, CLOSE, Order::Close);
        self.search.close();
        let until = Instant::now() + Duration::from_millis(HISTORY_CLOSE_MS);
        if let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(Duration::from_millis(HISTORY_CLOSE_MS)) {
            self.mailbox.close();
            return log::warn!("history: the disk takes long; stopping without waiting for it");
        }
        // The thread catches its own panics.
        let _ = thread.join();
        // It shares the lock of the file.
        self.search.wait(until);
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.end();
    }
}

/// Opens the file, brings it to this version, and begins a run.
fn open(
    site: &Site,
    rules: &limits::History,
    accounts: Vec<Account>,
    clock: Clock,
) -> Result<(Base, Restored), Refused> {
    let mut db = site.connect(Role::Writer)?;
    migrate::migrate(&mut db, site.path(), migrate::STEPS)?;
    let mut base = Base::new(db, rules.clone(), clock.now_ms());
    base.load()?;
    base.reconcile(accounts)?;
    base.begin_run()?;
    base.commit()?;
    base.checkpoint()?;
    let restored = base.restored()?;
    Ok((base, restored))
}

fn no_thread(e: std::io::Error) -> OpenError {
    OpenError::Unusable(format!("history: a thread cannot be started: {e}; try again"))
}

fn unusable(file: &Path, refused: &Refused) -> OpenError {
    let what = match refused {
        Refused::Text(text) => text.clone(),
        Refused::Sqlite(e) => match e.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(e),
            Some(ErrorCode::Unknown) | None => damaged(e),
            Some(_) => format!("cannot be opened: {}", writer::cause(e)),
        },
    };
    OpenError::Unusable(crate::files::about(file, &what))
}

fn damaged(e: &rusqlite::Error) -> String {
    format!("is damaged: {e}; put a sound copy in its place, or run 'chatd history repair'")
}

#[cfg(test)]
pub(super) mod tests;
