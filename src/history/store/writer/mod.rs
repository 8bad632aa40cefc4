//! The thread `history`: it takes orders one after the other, keeps what it is given in one transaction, and commits
//! when nothing waits.

mod broken;
pub(super) mod keeping;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::broken::Broken;
pub(super) use self::broken::cause;
use self::broken::is_of_disk;
use self::keeping::{Keeping, Order, Shared, bytes_of};
use super::base::Base;
use super::files::{Role, Site};
use super::forget::{Forgetting, Told};
use super::retention::Cleaner;
use super::{people, read};
use crate::history::request::{Answer, Asked, Batch, Forget, Loud, Mark, Request, Trouble, Verdict};
use crate::hub::record::Record;
use crate::limits::{HISTORY_COMMIT_BYTES, HISTORY_RETRY_MS};
use crate::mailbox::{Job, Mailbox, Next, Ticket};

/// Pages in the log after which it is moved into the file when nothing else is to do …
const LOG_PAGES: i64 = 1_000;
/// … and in any case.
const LOG_PAGES_MOST: i64 = 8_000;
/// Bytes of rows that are committed before the log is measured.
const LOG_BYTES: usize = 1024 * 1024;
/// Records besides rows that wait in a broken store before doubles among them are dropped.
const QUEUE_RECORDS: usize = 100_000;

/// The time since 1970, from the time at the start and a clock that only rises.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    unix_ms: u64,
    since: Instant,
}

impl Clock {
    /// It is `unix_ms` now.
    pub(super) fn new(unix_ms: u64) -> Self {
        Self { unix_ms, since: Instant::now() }
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(self) -> i64 {
        let now = Duration::from_millis(self.unix_ms).saturating_add(self.since.elapsed());
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Something that the open transaction has taken.
#[derive(Debug)]
enum Taken {
    /// A record, for which somebody may wait.
    Record { record: Record, is_awaited: bool },
    /// A mark.
    Mark(Mark),
    /// How loud a place is.
    Loud(Loud),
}

/// What is in the open transaction, so that it can be carried out again if the commit fails.
#[derive(Debug, Default)]
struct Pending {
    taken: Vec<Taken>,
    /// Bytes of its rows.
    bytes: usize,
    /// The batches for which somebody waits.
    waiting: Vec<Ticket<Asked>>,
    /// When the transaction began.
    since: Option<Instant>,
}

/// The store works, or it waits for the disk.
enum State {
    Works(Box<Base>),
    Broken(Box<Broken>),
}

/// The thread.
pub(super) struct Writer {
    mailbox: Arc<Mailbox<Keeping>>,
    shared: Arc<Shared>,
    site: Site,
    clock: Clock,
    state: State,
    pending: Pending,
    cleaner: Cleaner,
    forgetting: Forgetting,
    /// Bytes of rows that were committed since the log was measured.
    logged: usize,
}

impl Writer {
    /// A writer for an open store.
    pub(super) fn new(
        mailbox: Arc<Mailbox<Keeping>>,
        shared: Arc<Shared>,
        site: Site,
        clock: Clock,
        base: Base,
    ) -> Self {
        let (state, pending, cleaner) = (State::Works(Box::new(base)), Pending::default(), Cleaner::new());
        Self { mailbox, shared, site, clock, state, pending, cleaner, forgetting: Forgetting::new(), logged: 0 }
    }

    /// Works until it is told to end, or the mailbox is closed.
    pub(super) fn run(&mut self) {
        loop {
            match self.mailbox.next_within(self.patience()) {
                Next::Job(Job { request: Order::Close, ticket }, ()) => {
                    self.end();
                    return self.answer(ticket, Verdict::Kept);
                }
                Next::Job(Job { request: Order::Asked(request), ticket }, ()) => {
                    self.carry_out(ticket, request);
                    if self.forgetting.is_due_among_others() {
                        self.forget_a_slice();
                    }
                }
                Next::Idle => self.idle(),
                Next::Closed => return self.end(),
            }
        }
    }

    /// The thread ends early.
    pub(super) fn give_up(&self) {
        self.mailbox.give_up();
    }

    /// How long the thread may sleep.
    fn patience(&self) -> Option<Duration> {
        let until = |due: Instant| Some(due.saturating_duration_since(Instant::now()));
        match &self.state {
            State::Broken(broken) => until(broken.retry_at),
            State::Works(base) if base.has_begun() || self.cleaner.is_due(base) => Some(Duration::ZERO),
            State::Works(_) => {
                let due = self.cleaner.due();
                until(self.forgetting.due().map_or(due, |other| due.min(other)))
            }
        }
    }

    fn answer(&self, ticket: Ticket<Asked>, verdict: Verdict) {
        self.mailbox.answer([Answer { ticket, verdict }]);
    }

    fn carry_out(&mut self, ticket: Ticket<Asked>, request: Request) {
        let now_ms = self.clock.now_ms();
        match &mut self.state {
            State::Works(base) => base.now_ms = now_ms,
            State::Broken(_) => self.retry_if_due(),
        }
        match request {
            Request::Keep(batch) => self.keep(ticket, batch),
            Request::Mark(mark) => self.note(ticket, Taken::Mark(mark)),
            Request::Loud(loud) => self.note(ticket, Taken::Loud(loud)),
            Request::Profile(who) => self.read(ticket, |base| people::profile(&base.db, &who).map(Verdict::Profile)),
            Request::Page(page) => self.read(ticket, |base| read::page(&base.db, &page).map(Verdict::Page)),
            Request::Counts(counts) => self.read(ticket, |base| {
                let own_upto = base.known.said_upto(&counts.mine.who);
                read::counts(&base.db, &counts, own_upto).map(Verdict::Counts)
            }),
            Request::Missed(mine) => self.read(ticket, |base| {
                let own_upto = base.known.said_upto(&mine.who);
                read::missed(&base.db, &mine, own_upto).map(Verdict::Missed)
            }),
            // Searches go to their own thread.
            Request::Find(_) => self.answer(ticket, Verdict::Unavailable),
            Request::Forget(forget) => self.forget(ticket, &forget),
        }
    }

    fn keep(&mut self, ticket: Ticket<Asked>, batch: Batch) {
        let Batch { records, awaited, bytes: _ } = batch;
        let is_awaited = !awaited.is_empty();
        let mut awaited = awaited.into_iter().peekable();
        let first = self.pending.taken.len();
        self.pending.taken.reserve(records.len());
        for (at, record) in records.into_iter().enumerate() {
            let is_awaited = awaited.next_if(|next| usize::try_from(*next) == Ok(at)).is_some();
            self.pending.bytes += bytes_of(&record);
            self.pending.taken.push(Taken::Record { record, is_awaited });
        }
        if is_awaited {
            self.pending.waiting.push(ticket);
        } else {
            self.answer(ticket, Verdict::Kept);
        }
        self.put_in(first);
    }

    /// Carries out what was taken from this index on, in the open transaction.
    fn put_in(&mut self, first: usize) {
        let State::Works(base) = &mut self.state else { return self.queue(false) };
        self.pending.since.get_or_insert_with(Instant::now);
        let new = self.pending.taken.get(first..).unwrap_or_default();
        match base.begin().and_then(|()| new.iter().try_for_each(|taken| base.put_in(taken).map(drop))) {
            Ok(()) if self.pending.bytes >= HISTORY_COMMIT_BYTES => self.commit(),
            Ok(()) => {}
            Err(e) => self.break_down(&e),
        }
    }

    /// Notes something for which nobody waits until it is on disk.
    fn note(&mut self, ticket: Ticket<Asked>, taken: Taken) {
        let State::Works(base) = &mut self.state else { return self.answer(ticket, Verdict::Unavailable) };
        self.pending.since.get_or_insert_with(Instant::now);
        match base.begin().and_then(|()| base.put_in(&taken)) {
            Ok(rose) => {
                if rose {
                    self.pending.taken.push(taken);
                }
                self.answer(ticket, Verdict::Marked { rose });
            }
            Err(e) => {
                self.answer(ticket, Verdict::Unavailable);
                self.break_down(&e);
            }
        }
    }

    /// Answers from the tables, the open transaction included. What is due on disk goes there first.
    fn read(&mut self, ticket: Ticket<Asked>, read: impl FnOnce(&Base) -> rusqlite::Result<Verdict>) {
        let is_due = |since: Instant, ms: u32| since.elapsed() >= Duration::from_millis(ms.into());
        if let State::Works(base) = &self.state {
            let is_late = self.pending.since.is_some_and(|since| is_due(since, base.rules.commit_ms));
            if is_late || !self.pending.waiting.is_empty() {
                self.commit();
            }
        }
        let State::Works(base) = &self.state else { return self.answer(ticket, Verdict::Unavailable) };
        match read(base) {
            Ok(verdict) => self.answer(ticket, verdict),
            Err(e) => {
                self.answer(ticket, Verdict::Unavailable);
                if is_of_disk(&e) {
                    self.break_down(&e);
                } else {
                    log::error!("history: a page cannot be read: {e}");
                }
            }
        }
    }

    /// What was said before is on disk first, so that a failed commit brings nothing back.
    fn forget(&mut self, ticket: Ticket<Asked>, forget: &Forget) {
        self.commit();
        let State::Works(base) = &mut self.state else { return self.answer(ticket, Verdict::Unavailable) };
        match self.forgetting.begin(base, forget, ticket) {
            Ok(told) => self.tell_forgotten(told),
            Err(e) => {
                self.answer(ticket, Verdict::Unavailable);
                self.break_down(&e);
            }
        }
    }

    /// Goes on with what is being forgotten.
    fn forget_a_slice(&mut self) {
        self.commit();
        let State::Works(base) = &mut self.state else { return };
        match self.forgetting.step(base) {
            Ok(told) => self.tell_forgotten(told),
            Err(e) => return self.break_down(&e),
        }
        let State::Works(base) = &self.state else { return };
        let shortened = base.log_pages().and_then(|pages| if pages >= LOG_PAGES { base.checkpoint() } else { Ok(()) });
        if let Err(e) = shortened {
            self.break_down(&e);
        }
    }

    /// Those who wait for something to be forgotten are told that it takes longer.
    fn give_forgetting_up(&mut self) {
        for ticket in self.forgetting.fail() {
            self.answer(ticket, Verdict::Unavailable);
        }
    }

    fn tell_forgotten(&self, told: impl IntoIterator<Item = Told>) {
        for (ticket, forgotten) in told {
            self.answer(ticket, Verdict::Forgotten(forgotten));
        }
    }

    /// Nothing waits.
    fn idle(&mut self) {
        let now_ms = self.clock.now_ms();
        let State::Works(base) = &mut self.state else { return self.retry_if_due() };
        base.now_ms = now_ms;
        base.changes.expire(now_ms);
        if base.has_begun() {
            return self.commit();
        }
        if self.forgetting.due().is_some_and(|due| Instant::now() >= due) {
            self.forget_a_slice();
        }
        let State::Works(base) = &self.state else { return };
        if self.cleaner.is_due(base) {
            self.clean();
        }
    }

    /// Writes the transaction to disk, and answers those who wait for that.
    fn commit(&mut self) {
        let State::Works(base) = &mut self.state else { return };
        if let Err(e) = base.commit() {
            return self.break_down(&e);
        }
        let Pending { bytes, waiting, .. } = std::mem::take(&mut self.pending);
        self.shared.remove(bytes);
        if !waiting.is_empty() {
            self.mailbox.answer(waiting.into_iter().map(|ticket| Answer { ticket, verdict: Verdict::Kept }));
        }
        self.after_commit(bytes);
    }

    /// What a commit calls for: other rules, room, a shorter log, and a slice of cleaning if that goes on.
    fn after_commit(&mut self, bytes: usize) {
        let State::Works(base) = &mut self.state else { return };
        base.rules = self.shared.rules();
        self.logged += bytes;
        let is_long = self.logged >= LOG_BYTES;
        let log = if is_long { base.log_pages() } else { Ok(0) };
        let shortened = log.and_then(|pages| {
            if is_long {
                self.logged = 0;
            }
            if pages >= LOG_PAGES_MOST { base.checkpoint() } else { Ok(()) }
        });
        match shortened.and_then(|()| self.cleaner.make_room(base)) {
            Ok(()) if self.cleaner.is_due(base) => self.clean(),
            Ok(()) => self.tell_trouble(None),
            Err(e) => self.break_down(&e),
        }
    }

    /// A slice of cleaning, or the log becomes shorter.
    fn clean(&mut self) {
        let State::Works(base) = &mut self.state else { return };
        base.rules = self.shared.rules();
        let cleaned = self.cleaner.step(base).and_then(|()| {
            let pages = base.log_pages()?;
            if pages >= LOG_PAGES { base.checkpoint() } else { Ok(()) }
        });
        match cleaned {
            Ok(()) => self.tell_trouble(None),
            Err(e) => self.break_down(&e),
        }
    }

    /// Tells the loop what does not work.
    fn tell_trouble(&self, broken: Option<String>) {
        let full = "new messages take the place of old ones: history.max_bytes is reached";
        let full = self.cleaner.is_full.then(|| full.to_owned());
        if self.shared.set_trouble(Trouble { broken, full }) {
            self.mailbox.wake();
        }
    }

    /// Ends: what was taken is written, and the next start knows that nothing is missing.
    fn end(&mut self) {
        if let State::Broken(broken) = &mut self.state {
            broken.retry_at = Instant::now();
            self.retry_if_due();
        }
        self.commit();
        self.give_forgetting_up();
        match &mut self.state {
            State::Works(base) => {
                if let Err(e) = base.end_run() {
                    log::warn!("history: the end could not be noted: {e}; the next start reports a hole");
                }
            }
            State::Broken(broken) => {
                let rows = broken.rows();
                if rows > 0 {
                    log::error!("history: {rows} messages are lost: {}", broken.cause);
                }
            }
        }
    }
}

impl Base {
    /// Whether that changes anything, as far as it is known.
    fn put_in(&mut self, taken: &Taken) -> rusqlite::Result<bool> {
        match taken {
            Taken::Record { record, .. } => self.apply(record).map(|()| true),
            Taken::Mark(mark) => read::mark(&self.db, mark),
            Taken::Loud(loud) => self.set_loud(loud),
        }
    }
}
