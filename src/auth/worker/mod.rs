//! The thread that hashes passwords and writes the account file. It handles one request at a time. Changes are
//! collected in a batch that is synced as a whole, and answered when it is on disk.

pub(super) mod deeds;
pub(super) mod queue;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::deeds::Files;
use self::queue::{Job, Queue};
use crate::auth::accounts::Accounts;
use crate::auth::hash::{HashError, Hasher};
use crate::auth::request::{Answer, Asked, Origin, Request, Secret, Verdict};
use crate::auth::store::journal::{Journal, PROBE_EVERY, unix_now};
use crate::auth::store::record::{Change, Op};
use crate::failpoint::failpoint;
use crate::hub::names::UserName;
use crate::limits::{Argon2Cost, COMPACT_LINES};
use crate::mailbox::{Mailbox, Next, Service, Ticket};

/// How long a hashed change waits for others to share its sync. It may wait longer for one more hash.
const GATHER: Duration = Duration::from_millis(10);
/// Weak hashes that wait to be replaced, with their passwords. Further ones are replaced after a later login.
const REHASHES: usize = 16;

/// The account service of the mailbox.
pub(in crate::auth) struct Hashing;

impl Service for Hashing {
    type Request = Request;
    type Asked = Asked;
    type Verdict = Verdict;
    /// `None` for requests that are exempt from the bounds per address and network.
    type Origin = Option<Origin>;
    type Queue = Queue;
    /// The cost of a new hash.
    type Settings = Argon2Cost;
    const DISPLACED: Verdict = Verdict::Busy;
    const LOST: Verdict = Verdict::Unavailable;

    fn asked(request: &Request) -> Asked {
        request.asked()
    }
}

/// The worker. Only it has the file and the memory for hashing.
pub(in crate::auth) struct Worker {
    mailbox: Arc<Mailbox<Hashing>>,
    accounts: Arc<Accounts>,
    journal: Journal,
    hasher: Hasher,
    files: Files,
    batch: Vec<Staged>,
    /// When the first change of the batch was ready.
    since: Option<Instant>,
    weak: VecDeque<Weak>,
}

/// A change in the batch, and its answer once it is on disk.
struct Staged {
    change: Change,
    answer: Option<Answer>,
}

/// A hash of lower cost than today's, and its password.
struct Weak {
    name: UserName,
    phc: Box<str>,
    password: Secret,
}

impl Worker {
    /// A worker that has not started.
    pub(in crate::auth) fn new(
        mailbox: Arc<Mailbox<Hashing>>,
        accounts: Arc<Accounts>,
        journal: Journal,
        hasher: Hasher,
        files: Files,
    ) -> Self {
        let (batch, weak) = (Vec::new(), VecDeque::new());
        Self { mailbox, accounts, journal, hasher, files, batch, since: None, weak }
    }

    /// Works until the mailbox is closed, then syncs the batch.
    pub(in crate::auth) fn run(&mut self) {
        while self.step() {}
    }

    /// Answers all open requests [`Verdict::Unavailable`] and tells the loop that the worker has ended.
    pub(in crate::auth) fn give_up(&mut self) {
        self.mailbox.give_up();
    }

    /// Handles one request, sync or weak hash, and one step of a compaction if that is due. Sleeps if there is none of
    /// them. False when the mailbox is closed.
    pub(in crate::auth) fn step(&mut self) -> bool {
        let is_compacting = self.journal.is_compacting(self.accounts.count(), Instant::now());
        let may_sleep = self.batch.is_empty() && self.weak.is_empty() && !is_compacting;
        let patience = match self.journal.trouble() {
            _ if !may_sleep => Some(Duration::ZERO),
            Some(_) => Some(PROBE_EVERY),
            None => None,
        };
        match self.mailbox.next_within(patience) {
            Next::Job(job, cost) => {
                self.hasher.set_cost(cost);
                self.handle(job);
                if self.since.is_some_and(|since| since.elapsed() >= GATHER) {
                    self.commit();
                }
            }
            Next::Idle if self.batch.is_empty() => {
                self.strengthen_one();
                self.probe();
            }
            Next::Idle => self.commit(),
            Next::Closed => {
                self.commit();
                return false;
            }
        }
        // A step for each request: the compaction makes progress under any load, and a request waits for no more than a
        // step.
        if is_compacting {
            self.journal.compact_some(&self.accounts.read(), COMPACT_LINES, Instant::now());
        }
        true
    }

    fn handle(&mut self, job: Job) {
        let Job { ticket, request } = job;
        if let Some(name) = request.name() {
            failpoint("hash", name.as_str().as_bytes());
            // Two changes of one account may not share a batch, because the second one builds on the first.
            if self.batch.iter().any(|staged| staged.change.name == *name) {
                self.commit();
            }
        }
        let verdict = match request {
            Request::Register { name, password } => self.register(ticket, name, &password),
            Request::Check { name, password } => self.check(&name, password).map(Some),
            Request::Change { name, epoch, password } => self.change(ticket, &name, epoch, &password),
            Request::Deed(deed) => self.deed(ticket, deed),
        };
        match verdict {
            Ok(None) => {} // it is in the batch
            Ok(Some(verdict)) => self.answer([Answer { ticket, verdict }]),
            Err(e) => {
                log::error!("accounts: a password could not be hashed: {e}");
                self.answer([Answer { ticket, verdict: Verdict::Unavailable }]);
            }
        }
    }

    fn register(
        &mut self,
        ticket: Ticket<Asked>,
        name: UserName,
        password: &Secret,
    ) -> Result<Option<Verdict>, HashError> {
        if self.accounts.registered(&name).is_some() {
            return Ok(Some(Verdict::Taken));
        }
        if self.accounts.bans().of_name(&name, unix_now()).is_some() {
            return Ok(Some(Verdict::Banned));
        }
        let phc = self.hasher.hash(password)?;
        let change = self.journal.addition(name, phc, unix_now());
        let epoch = change.epoch;
        self.stage(change, Some(Answer { ticket, verdict: Verdict::Registered { epoch } }));
        Ok(None)
    }

    fn check(&mut self, name: &UserName, password: Secret) -> Result<Verdict, HashError> {
        let Some(account) = self.accounts.find(name) else {
            self.hasher.waste(&password)?;
            return Ok(Verdict::Wrong);
        };
        if !self.hasher.verify(&password, &account.phc)? {
            return Ok(Verdict::Wrong);
        }
        if self.hasher.is_weak(&account.phc) && self.weak.len() < REHASHES {
            self.weak.push_back(Weak { name: name.clone(), phc: account.phc, password });
        }
        Ok(Verdict::Right { epoch: account.epoch })
    }

    /// Sets a new password if the account's epoch is still `checked`, that of the old password's check. The batch has
    /// no change of this account (see `handle`), so the map is current.
    fn change(
        &mut self,
        ticket: Ticket<Asked>,
        name: &UserName,
        checked: u32,
        password: &Secret,
    ) -> Result<Option<Verdict>, HashError> {
        let (Some(name), Some(epoch)) = (self.accounts.registered(name), self.accounts.epoch(name)) else {
            return Ok(Some(Verdict::Wrong));
        };
        if epoch != checked {
            return Ok(Some(Verdict::Wrong));
        }
        // Without a higher epoch, old tokens would stay valid.
        let Some(epoch) = epoch.checked_add(1) else { return Ok(Some(Verdict::Unavailable)) };
        let phc = self.hasher.hash(password)?;
        let verdict = Verdict::Changed { name: name.clone(), epoch };
        let change = Change { op: Op::Update, unix: unix_now(), name, epoch, phc };
        self.stage(change, Some(Answer { ticket, verdict }));
        Ok(None)
    }

    /// Replaces a weak hash by one of today's cost. The epoch stays, so tokens stay valid.
    fn strengthen_one(&mut self) {
        let Some(Weak { name, phc, password }) = self.weak.pop_front() else { return };
        let (Some(name), Some(account)) = (self.accounts.registered(&name), self.accounts.find(&name)) else { return };
        if account.phc != phc || !self.hasher.is_weak(&phc) {
            return;
        }
        // Without memory or randomness the hash stays, and the next login tries again.
        let Ok(phc) = self.hasher.hash(&password) else { return };
        let change = Change { op: Op::Update, unix: unix_now(), name, epoch: account.epoch, phc };
        self.stage(change, None);
    }

    fn stage(&mut self, change: Change, answer: Option<Answer>) {
        self.since.get_or_insert_with(Instant::now);
        self.batch.push(Staged { change, answer });
    }

    /// Syncs the batch, then publishes it in the map, then answers. In this order: what is visible is on disk.
    fn commit(&mut self) {
        self.since = None;
        if self.batch.is_empty() {
            return;
        }
        let staged = std::mem::take(&mut self.batch).into_iter().map(|staged| (staged.change, staged.answer));
        let (changes, answers): (Vec<_>, Vec<_>) = staged.unzip();
        let on_disk = self.journal.append(&changes, Instant::now()).is_ok();
        self.report();
        if on_disk {
            self.accounts.publish(changes);
        }
        let verdict = |said: Answer| if on_disk { said } else { Answer { verdict: Verdict::Unavailable, ..said } };
        self.answer(answers.into_iter().flatten().map(verdict));
    }

    /// Tries whether a file that could not be written can be written again.
    fn probe(&mut self) {
        self.journal.probe(Instant::now());
        if self.report() {
            self.mailbox.wake();
        }
    }

    /// Tells the loop whether the file can be written. True if that is news.
    fn report(&self) -> bool {
        self.accounts.note_trouble(self.journal.trouble())
    }

    fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.mailbox.answer(answers);
    }
}

#[cfg(test)]
mod tests;
