//! The thread that hashes and writes. It works requests off one after another; changes gather in a batch that goes
//! to disk together, and are answered when they are there.

pub(super) mod queue;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::queue::{Job, Queue};
use crate::auth::accounts::Accounts;
use crate::auth::hash::{HashError, Hasher};
use crate::auth::request::{Answer, Asked, Origin, Request, Secret, Verdict};
use crate::auth::store::journal::{Journal, unix_now};
use crate::auth::store::record::{Change, Op};
use crate::failpoint::failpoint;
use crate::hub::names::UserName;
use crate::limits::{Argon2Cost, COMPACT_LINES};
use crate::mailbox::{Mailbox, Next, Service, Ticket};

/// A change that is hashed waits this long for others to share its sync, or for one more hash if that takes longer.
const GATHER: Duration = Duration::from_millis(10);
/// Old hashes that wait to be made anew, with their passwords. Those beyond wait for the next login.
const REHASHES: usize = 16;

/// The account service, as the mailbox knows it.
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

/// The worker's things. It alone has the file and the memory for hashing.
pub(in crate::auth) struct Worker {
    mailbox: Arc<Mailbox<Hashing>>,
    accounts: Arc<Accounts>,
    journal: Journal,
    hasher: Hasher,
    batch: Vec<Staged>,
    /// When the first change of the batch was ready.
    since: Option<Instant>,
    weak: VecDeque<Weak>,
}

/// A change that waits for the sync, and what is said when it is on disk, to whom.
struct Staged {
    change: Change,
    answer: Option<Answer>,
}

/// A hash that was made when hashes cost less, and the password that fits it.
struct Weak {
    name: UserName,
    phc: Box<str>,
    password: Secret,
}

impl Worker {
    /// A worker that has not begun.
    pub(in crate::auth) fn new(
        mailbox: Arc<Mailbox<Hashing>>,
        accounts: Arc<Accounts>,
        journal: Journal,
        hasher: Hasher,
    ) -> Self {
        let (batch, weak) = (Vec::new(), VecDeque::new());
        Self { mailbox, accounts, journal, hasher, batch, since: None, weak }
    }

    /// Works until the mailbox is closed. What is under way is brought to disk.
    pub(in crate::auth) fn run(&mut self) {
        while self.step() {}
    }

    /// Tells everybody who waits that nothing will come of it, and the loop that there is no worker any more.
    pub(in crate::auth) fn give_up(&mut self) {
        self.mailbox.give_up();
    }

    /// One request, one sync or one hash made anew, and a part of a compaction that is due; sleeps when there is none of
    /// them. False at the end.
    pub(in crate::auth) fn step(&mut self) -> bool {
        let is_compacting = self.journal.is_compacting(self.accounts.count(), Instant::now());
        let may_sleep = self.batch.is_empty() && self.weak.is_empty() && !is_compacting;
        match self.mailbox.next(may_sleep) {
            Next::Job(job, cost) => {
                self.hasher.set_cost(cost);
                self.handle(job);
                if self.since.is_some_and(|since| since.elapsed() >= GATHER) {
                    self.commit();
                }
            }
            Next::Idle if self.batch.is_empty() => self.strengthen_one(),
            Next::Idle => self.commit(),
            Next::Closed => {
                self.commit();
                return false;
            }
        }
        // However many wait, it comes to its end; and whoever waits, waits for no more than a part.
        if is_compacting {
            self.journal.compact_some(&self.accounts.read(), COMPACT_LINES, Instant::now());
        }
        true
    }

    fn handle(&mut self, job: Job) {
        let Job { ticket, request } = job;
        failpoint("hash", request.name().as_str().as_bytes());
        // Two changes of one account do not share a batch: the second one builds on the first.
        if self.batch.iter().any(|staged| staged.change.name == *request.name()) {
            self.commit();
        }
        let verdict = match request {
            Request::Register { name, password } => self.register(ticket, name, &password),
            Request::Check { name, password } => self.check(&name, password).map(Some),
            Request::Change { name, epoch, password } => self.change(ticket, &name, epoch, &password),
        };
        match verdict {
            Ok(None) => {} // It is in the batch.
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
        let phc = self.hasher.hash(password)?;
        let epoch = self.journal.first_epoch(&name);
        let change = Change { op: Op::Add, unix: unix_now(), name, epoch, phc };
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

    /// Sets a new password if the one that was checked in the epoch `checked` still holds. The batch has no change
    /// of this account (see `handle`), so what the map says is what stands.
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
        // An epoch that cannot rise would leave old tokens alive.
        let Some(epoch) = epoch.checked_add(1) else { return Ok(Some(Verdict::Unavailable)) };
        let phc = self.hasher.hash(password)?;
        let verdict = Verdict::Changed { name: name.clone(), epoch };
        let change = Change { op: Op::Update, unix: unix_now(), name, epoch, phc };
        self.stage(change, Some(Answer { ticket, verdict }));
        Ok(None)
    }

    /// Makes an old hash anew at today's cost. The epoch stays: nobody's tokens need to die for it.
    fn strengthen_one(&mut self) {
        let Some(Weak { name, phc, password }) = self.weak.pop_front() else { return };
        let (Some(name), Some(account)) = (self.accounts.registered(&name), self.accounts.find(&name)) else { return };
        if account.phc != phc || !self.hasher.is_weak(&phc) {
            return;
        }
        // Without memory or randomness it stays as it is: the next login comes back to it.
        let Ok(phc) = self.hasher.hash(&password) else { return };
        let change = Change { op: Op::Update, unix: unix_now(), name, epoch: account.epoch, phc };
        self.stage(change, None);
    }

    fn stage(&mut self, change: Change, answer: Option<Answer>) {
        self.since.get_or_insert_with(Instant::now);
        self.batch.push(Staged { change, answer });
    }

    /// Brings the batch to disk, then into the map, then says so. In that order: what is seen is on disk.
    fn commit(&mut self) {
        self.since = None;
        if self.batch.is_empty() {
            return;
        }
        let staged = std::mem::take(&mut self.batch).into_iter().map(|staged| (staged.change, staged.answer));
        let (changes, answers): (Vec<_>, Vec<_>) = staged.unzip();
        let on_disk = self.journal.append(&changes, Instant::now()).is_ok();
        if on_disk {
            self.accounts.publish(changes);
        }
        let verdict = |said: Answer| if on_disk { said } else { Answer { verdict: Verdict::Unavailable, ..said } };
        self.answer(answers.into_iter().flatten().map(verdict));
    }

    fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.mailbox.answer(answers);
    }
}

#[cfg(test)]
mod tests;
