//! Forgetting: messages go at once and for everybody, and no file of the server's has a byte of them afterwards.
//!
//! One message is deleted when it is asked for. All messages of an account are first entered in the table `forget`, from
//! which on nobody reads them, and then deleted in slices, which go on after a restart. At the end the log is emptied; if
//! another process reads the file, that is tried again until it has ended.

mod right;
mod scan;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use self::right::Right;
use self::scan::{All, Newest};
use super::base::Base;
use super::lookup::number_of;
use super::records::{given, stored};
use super::retention::Slice;
use super::rows::Words;
use super::schema;
use crate::history::request::{Asked, Forget, Forgets, Forgotten, Said};
use crate::limits::{HISTORY_SLICE_MS, SEARCH_MS};
use crate::mailbox::Ticket;

/// How long an answer waits for the readers of the file: more than the longest search.
const READERS: Duration = Duration::from_millis(4 * SEARCH_MS);
/// How soon the log is emptied again while an answer waits …
const SOON: Duration = Duration::from_millis(20);
/// … and when none does.
const LATER: Duration = Duration::from_millis(1_000);
/// Between two slices while other requests wait.
const BREATH: Duration = Duration::from_millis(2 * HISTORY_SLICE_MS);

/// An answer to a request.
pub(super) type Told = (Ticket<Asked>, Forgotten);

/// What is being looked for or deleted.
#[derive(Debug)]
enum Job {
    Newest(Newest, Ticket<Asked>),
    All(All, Vec<Ticket<Asked>>),
}

/// An answer that waits until the log is empty.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket<Asked>,
    forgotten: Forgotten,
    since: Instant,
}

/// What is being forgotten.
#[derive(Debug)]
pub(super) struct Forgetting {
    jobs: VecDeque<Job>,
    waiting: Vec<Waiting>,
    told: Vec<Told>,
    /// Whether the table has to be looked at for what an earlier run has begun.
    is_unread: bool,
    /// Whether the log has to be emptied, and when that is tried.
    wipe_at: Option<Instant>,
    /// When the last slice ended.
    rested: Instant,
}

impl Forgetting {
    /// What an earlier run has begun goes on.
    pub(super) fn new() -> Self {
        let (jobs, waiting, told) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { jobs, waiting, told, is_unread: true, wipe_at: None, rested: Instant::now() }
    }

    /// When there is something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.is_unread || !self.jobs.is_empty() { Some(self.rested) } else { self.wipe_at }
    }

    /// Whether a slice is due although requests wait.
    pub(super) fn is_due_among_others(&self) -> bool {
        self.due().is_some_and(|due| Instant::now() >= due.max(self.rested + BREATH))
    }

    /// The store is broken: those who wait are told no. What has begun goes on once it works.
    pub(super) fn fail(&mut self) -> Vec<Ticket<Asked>> {
        let mut tickets: Vec<_> = self.waiting.drain(..).map(|waiting| waiting.ticket).collect();
        tickets.extend(self.told.drain(..).map(|(ticket, _)| ticket));
        for job in self.jobs.drain(..) {
            match job {
                Job::Newest(_, ticket) => tickets.push(ticket),
                Job::All(_, all) => tickets.extend(all),
            }
        }
        (self.is_unread, self.wipe_at) = (true, None);
        tickets
    }

    /// Takes a request. Gives the answer if it is known. Not in a transaction.
    ///
    /// # Errors
    /// Of SQLite, as with all methods here.
    pub(super) fn begin(
        &mut self,
        base: &mut Base,
        forget: &Forget,
        ticket: Ticket<Asked>,
    ) -> rusqlite::Result<Option<Told>> {
        let Some(n) = number_of(&base.db, &forget.mine.who)? else { return Ok(Some((ticket, nothing(forget.what)))) };
        let from = schema::id_at(stored(forget.mine.who.since).saturating_mul(1_000));
        match forget.what {
            Forgets::One(id) => match base.right(forget, n, stored(id))? {
                Right::None => return Ok(Some((ticket, Forgotten::None))),
                Right::Read => return Ok(Some((ticket, Forgotten::NotYours))),
                Right::Forget => {
                    let forgotten = delete(base, stored(id))?;
                    self.wait(ticket, forgotten);
                }
            },
            Forgets::Newest => {
                let below = base.known.said_upto(&forget.mine.who).saturating_add(1);
                self.jobs.push_back(Job::Newest(Newest { n, below, from }, ticket));
            }
            Forgets::All(upto) => self.begin_all(base, (n, from), stored(upto), ticket)?,
        }
        Ok(None)
    }

    /// From here on nobody reads the messages.
    fn begin_all(
        &mut self,
        base: &mut Base,
        (n, from): (i64, i64),
        upto: i64,
        ticket: Ticket<Asked>,
    ) -> rusqlite::Result<()> {
        self.read(base)?;
        // What is said later has a higher id than all that was.
        let upto = upto.min(base.known.last_id);
        let enter = "INSERT INTO forget(who, upto, done) VALUES(?1, ?2, ?3)
             ON CONFLICT(who) DO UPDATE SET upto = max(upto, ?2)";
        base.begin()?;
        base.run(enter, (n, upto, from - 1))?;
        base.commit()?;
        for job in &mut self.jobs {
            if let Job::All(all, tickets) = job
                && all.n == n
            {
                all.upto = all.upto.max(upto);
                tickets.push(ticket);
                return Ok(());
            }
        }
        let all = All { n, upto, done: from - 1, count: 0, places: BTreeSet::new() };
        self.jobs.push_back(Job::All(all, vec![ticket]));
        Ok(())
    }

    /// The answer waits until the log is empty.
    fn wait(&mut self, ticket: Ticket<Asked>, forgotten: Forgotten) {
        let since = Instant::now();
        self.waiting.push(Waiting { ticket, forgotten, since });
        self.wipe_at = Some(since);
    }

    /// Reads what an earlier run has begun.
    fn read(&mut self, base: &Base) -> rusqlite::Result<()> {
        if !std::mem::take(&mut self.is_unread) {
            return Ok(());
        }
        let mut find = base.db.prepare_cached("SELECT who, upto, done FROM forget")?;
        let all = |row: &rusqlite::Row<'_>| {
            let (n, upto, done) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Job::All(All { n, upto, done, count: 0, places: BTreeSet::new() }, Vec::new()))
        };
        for job in find.query_map([], all)? {
            self.jobs.push_back(job?);
        }
        Ok(())
    }

    /// A slice of a job, and the log if that is due. Gives answers. Not in a transaction.
    pub(super) fn step(&mut self, base: &mut Base) -> rusqlite::Result<Vec<Told>> {
        self.read(base)?;
        if let Some(mut job) = self.jobs.pop_front() {
            let is_done = self.work(base, &mut job);
            if !matches!(is_done, Ok(true)) {
                self.jobs.push_back(job);
            }
            is_done?;
        }
        if self.wipe_at.is_some_and(|at| Instant::now() >= at) {
            self.wipe(base)?;
        }
        self.rested = Instant::now();
        Ok(std::mem::take(&mut self.told))
    }

    /// A slice of a job. True if it is done.
    fn work(&mut self, base: &mut Base, job: &mut Job) -> rusqlite::Result<bool> {
        match job {
            Job::Newest(newest, ticket) => match newest.look(base, Slice::new())? {
                None => return Ok(false),
                Some(None) => self.told.push((*ticket, Forgotten::None)),
                Some(Some(id)) => {
                    let forgotten = delete(base, id)?;
                    self.wait(*ticket, forgotten);
                }
            },
            Job::All(all, tickets) => {
                if !all.delete(base, Slice::new())? {
                    return Ok(false);
                }
                self.end_all(base, all, tickets)?;
            }
        }
        Ok(true)
    }

    fn end_all(&mut self, base: &Base, all: &All, tickets: &[Ticket<Asked>]) -> rusqlite::Result<()> {
        let at = all.places.iter().filter_map(|place| base.said_at(*place).transpose());
        let at: Vec<Said> = at.collect::<Result<_, _>>()?;
        self.wipe_at = self.wipe_at.or(Some(Instant::now()));
        for ticket in tickets {
            match all.count {
                0 => self.told.push((*ticket, nothing(Forgets::All(0)))),
                count => self.wait(*ticket, Forgotten::All { count, at: at.clone(), is_erased: true }),
            }
        }
        Ok(())
    }

    /// Empties the log, if no reader is in the way.
    fn wipe(&mut self, base: &mut Base) -> rusqlite::Result<()> {
        if base.wipe_log()? {
            (base.known.must_wipe, self.wipe_at) = (false, None);
            self.told.extend(self.waiting.drain(..).map(|waiting| (waiting.ticket, waiting.forgotten)));
            return Ok(());
        }
        for waiting in self.waiting.extract_if(.., |waiting| waiting.since.elapsed() >= READERS) {
            let mut forgotten = waiting.forgotten;
            if let Forgotten::One { is_erased, .. } | Forgotten::All { is_erased, .. } = &mut forgotten {
                *is_erased = false;
            }
            self.told.push((waiting.ticket, forgotten));
        }
        self.wipe_at = Some(Instant::now() + if self.waiting.is_empty() { LATER } else { SOON });
        Ok(())
    }
}

/// Deletes one message.
fn delete(base: &mut Base, id: i64) -> rusqlite::Result<Forgotten> {
    base.begin()?;
    let at = base.delete_row(id, Words::Delete)?.map(|at| base.said_at(at.place)).transpose()?.flatten();
    base.known.must_wipe = true;
    base.commit()?;
    Ok(at.map_or(Forgotten::None, |at| Forgotten::One { id: given(id), at, is_erased: true }))
}

/// The answer if the account has said nothing of the kind.
fn nothing(what: Forgets) -> Forgotten {
    match what {
        Forgets::Newest | Forgets::One(_) => Forgotten::None,
        Forgets::All(_) => Forgotten::All { count: 0, at: Vec::new(), is_erased: true },
    }
}
