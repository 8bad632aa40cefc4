//! Accounts: which exist, and whether a password is right. The only code that hashes passwords or writes the account
//! file.
//!
//! ```text
//! loop ── submit ──▶ mailbox (bounded queue) ──▶ worker: hash ─▶ batch ─▶ write, fdatasync
//!   ▲                                                                         │
//!   └── poll_answer ◀── mailbox (answers) ◀───── publish into the map ◀───────┘
//! ```
//!
//! [`Auth`] is the loop's handle. It never blocks: looking up a name or checking a token reads the shared map;
//! everything that costs a hash goes to the worker thread and comes back as an [`Answer`] after a wake-up.

mod accounts;
pub mod admin;
pub mod bans;
mod deed;
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod request;
mod store;
mod token;
mod worker;

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fs::File;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use accounts::Accounts;
use bans::Bans;
pub use deed::{Deed, Outcome};
use hash::Hasher;
pub use request::{Answer, Asked, Holder, OpenError, Origin, Refused, Request, Secret, Settings, Verdict};
use store::bans::BanFile;
use store::files;
use store::journal::Journal;
use store::reader::Loaded;
use token::{Before, Key};
use worker::deeds::Files;
use worker::queue::Queue;
use worker::{Hashing, Worker};

use crate::hub::names::UserName;
use crate::limits::{self, ACCOUNTS_CLOSE_MS, TOKEN_LIFE_S};
use crate::mailbox::{Full, Mailbox, Waker};

/// The loop's handle to the accounts. Dropping it does the same as [`Auth::close`].
pub struct Auth {
    accounts: Arc<Accounts>,
    /// Shared with the thread. It owns the waker, which has to outlive the thread: dropping a waker of the loop loses
    /// its last wake-up.
    mailbox: Arc<Mailbox<Hashing>>,
    registering: Registering,
    /// The largest number of accounts.
    most: usize,
    key: Key,
    /// The account file.
    file: PathBuf,
    /// `None` once it is joined or given up.
    thread: Option<JoinHandle<()>>,
    /// Disconnected when the thread has ended.
    ended: Receiver<Infallible>,
    /// Shared with the thread, so that it is held for as long as the file may be written.
    _lock: Arc<File>,
}

impl Auth {
    /// Takes the lock, reads the account file and the token key (creating what does not exist) and the bans, and starts
    /// the worker.
    /// `waker` is called whenever there are answers to [poll](Auth::poll_answer), mostly on the worker's thread.
    ///
    /// # Errors
    /// [`OpenError`], as a line for the operator. In that case nothing was changed, except that a torn tail may have
    /// been cut off.
    pub fn open(settings: &Settings, waker: Waker) -> Result<Self, OpenError> {
        let rules = &settings.rules;
        let Opened { lock, hasher, journal, loaded, key } = Opened::new(settings)?;
        let lock = Arc::new(lock);
        let bans = BanFile::open(&settings.file).map_err(OpenError::Unusable)?;
        let accounts = Arc::new(Accounts::new(loaded.accounts));
        accounts.set_bans(Arc::clone(bans.bans()));
        let files = Files { accounts: settings.file.clone(), bans };
        let mailbox = Arc::new(Mailbox::new(Queue::new(bound(rules)), rules.argon2, waker));
        let worker = Worker::new(Arc::clone(&mailbox), Arc::clone(&accounts), journal, hasher, files);
        let (alive, ended) = mpsc::channel();
        let held = (alive, Arc::clone(&lock));
        let thread = thread::Builder::new()
            .name("accounts".to_owned())
            .spawn(move || {
                let _held = held;
                run(worker);
            })
            .map_err(|e| OpenError::Unusable(format!("accounts: the thread cannot be started: {e}; try again")))?;
        let (registering, thread) = (Registering::default(), Some(thread));
        let (most, file) = (most(rules), settings.file.clone());
        Ok(Self { accounts, mailbox, registering, most, key, file, thread, ended, _lock: lock })
    }

    /// The name as it was registered, if the account exists.
    pub fn lookup(&self, name: &UserName) -> Option<UserName> {
        self.accounts.registered(name)
    }

    /// Whether there is room for one more account, with those counted that are being registered.
    pub fn may_register(&self) -> bool {
        // Count in this order: an account that is created in between is counted twice, and never missed.
        let begun = self.registering.names.len();
        let pending = || self.registering.names.iter().filter(|name| self.accounts.registered(name).is_none()).count();
        begun + self.accounts.count() < self.most || pending() + self.accounts.count() < self.most
    }

    /// Queues a request under `number`, which the answer carries; no two unanswered requests may have the same number.
    /// The request counts against `origin`, `None` for nobody. Never blocks. In a full queue it may displace another
    /// request, which is then answered [`Verdict::Busy`].
    ///
    /// # Errors
    /// [`Refused`]; no answer comes then.
    pub fn submit(&mut self, number: u64, origin: Option<Origin>, request: Request) -> Result<(), Refused> {
        let registers = match &request {
            Request::Register { name, .. } => Some(name.clone()),
            Request::Check { .. } | Request::Change { .. } | Request::Deed(_) => None,
        };
        if let Some(name) = &registers
            && (self.registering.has(name) || self.accounts.registered(name).is_some())
        {
            return Err(Refused::Taken);
        }
        if registers.is_some() && !self.may_register() {
            return Err(Refused::NoneLeft);
        }
        self.mailbox.submit(origin, number, request).map_err(|Full| Refused::Full)?;
        if let Some(name) = registers {
            self.registering.add(number, name);
        }
        Ok(())
    }

    /// Withdraws a request. If it has not begun, it is dropped without an answer; otherwise it is finished and
    /// answered.
    pub fn cancel(&mut self, number: u64) {
        if self.mailbox.cancel(number) {
            self.registering.remove(number);
        }
    }

    /// The next answer, if there is one. Call this until it gives `None` after each wake-up.
    pub fn poll_answer(&mut self) -> Option<Answer> {
        let answer = self.mailbox.poll_answer()?;
        self.registering.remove(answer.ticket.number);
        Some(answer)
    }

    /// Whether the worker has panicked; true once. By then every open request is answered, and no other is accepted.
    /// Call this when there are no more answers after a wake-up.
    pub fn poll_loss(&self) -> bool {
        self.mailbox.poll_loss()
    }

    /// The account's current epoch, if the account exists. Passwords and tokens of earlier epochs are void.
    pub fn epoch(&self, name: &UserName) -> Option<u32> {
        self.accounts.epoch(name)
    }

    /// When the account was registered, in seconds since 1970; `None` if it does not exist.
    pub fn since(&self, name: &UserName) -> Option<u64> {
        self.accounts.since(name)
    }

    /// The check of a room's password: `room` is the room's name as it is compared. It cannot be computed back.
    pub fn room_tag(&self, room: &str, password: &str) -> [u8; 32] {
        self.key.room_tag(room, password)
    }

    /// A token that resumes `name` without its password, and its lifetime in seconds. `None` if `epoch`, that of the
    /// asking session, is not the account's current one: a session from before a password change gets no token.
    /// `unix_s` is the time in seconds since 1970.
    pub fn issue_token(&self, name: &UserName, epoch: u32, unix_s: u64) -> Option<(String, u64)> {
        let is_current = self.accounts.epoch(name) == Some(epoch);
        is_current.then(|| (self.key.token(name, epoch, unix_s.saturating_add(TOKEN_LIFE_S)), TOKEN_LIFE_S))
    }

    /// The account's epoch, if `token` resumes `name` at `unix_s`, in seconds since 1970.
    pub fn check_token(&self, name: &UserName, token: &[u8], unix_s: u64) -> Option<u32> {
        // Continue without an account, so that it takes the same time.
        let epoch = self.accounts.epoch(name);
        let is_genuine = self.key.accepts(token, name, epoch.unwrap_or_default(), unix_s);
        epoch.filter(|_| is_genuine)
    }

    /// The bans that are in effect. Those that are over may be among them.
    pub fn bans(&self) -> Arc<Bans> {
        self.accounts.bans()
    }

    /// Reads the file of the bans again, and puts them into effect.
    ///
    /// # Errors
    /// A line for the operator; nothing has changed.
    pub fn reread_bans(&self) -> Result<Arc<Bans>, String> {
        let bans = store::bans::reread(&self.file)?;
        self.accounts.set_bans(Arc::clone(&bans));
        Ok(bans)
    }

    /// The accounts whose names come after `after` (`None`: from the first on), at most `most` of them: each name with
    /// the time of its registration, in seconds since 1970.
    pub fn list(&self, after: Option<&UserName>, most: usize) -> Vec<(UserName, u64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let accounts = self.accounts.read();
        let page = accounts.range((from, Bound::Unbounded)).take(most);
        page.map(|(name, account)| (name.clone(), account.since)).collect()
    }

    /// Changes the rules: the queue's bound and the largest number of accounts now, the cost from the next hash on. An
    /// impossible cost is logged, and the old one stays.
    pub fn reconfigure(&mut self, rules: &limits::Accounts) {
        if !hash::is_possible(rules.argon2) {
            log::warn!("accounts.argon2: parameters out of bounds; the old ones stay");
        }
        self.mailbox.reconfigure(rules.argon2, |queue| queue.set_bound(bound(rules)));
        self.most = most(rules);
    }

    /// The number of accounts.
    pub fn accounts(&self) -> usize {
        self.accounts.count()
    }

    /// The number of requests in the queue.
    pub fn waiting(&self) -> usize {
        self.mailbox.waiting()
    }

    /// Why changes are not saved at the moment; `None` while they are.
    pub fn trouble(&self) -> Option<String> {
        self.accounts.trouble()
    }

    /// Finishes the current request, syncs what was hashed, and ends the thread; that takes one hash and one sync at
    /// most. Requests in the queue are dropped. A thread that takes longer than [`ACCOUNTS_CLOSE_MS`] is left running
    /// until the process ends. The file survives that at any moment, and nobody was told that an unfinished change is
    /// on disk.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        self.mailbox.close();
        let Some(thread) = self.thread.take() else { return };
        if self.ended.recv_timeout(Duration::from_millis(ACCOUNTS_CLOSE_MS)) == Err(RecvTimeoutError::Timeout) {
            return log::warn!("accounts: a password or the disk takes long; stopping without waiting for it");
        }
        // The thread catches its own panics.
        let _ = thread.join();
    }
}

fn bound(rules: &limits::Accounts) -> usize {
    usize::try_from(rules.queue).unwrap_or(usize::MAX)
}

fn most(rules: &limits::Accounts) -> usize {
    usize::try_from(rules.most).unwrap_or(usize::MAX)
}

/// The account file with its lock and key.
struct Opened {
    lock: File,
    hasher: Hasher,
    journal: Journal,
    loaded: Loaded,
    key: Key,
}

impl Opened {
    /// Takes the lock, and reads or creates the files.
    fn new(settings: &Settings) -> Result<Self, OpenError> {
        let (file, rules) = (settings.file.as_path(), &settings.rules);
        let lock = files::lock(file)?;
        let hasher = Hasher::new(rules.argon2)
            .map_err(|e| OpenError::Unusable(format!("accounts.argon2: {e}; choose other parameters")))?;
        let (journal, loaded) = Journal::open(file)?;
        let found = match loaded.seq {
            0 if loaded.is_begun => Before::Nothing,
            0 => Before::NoAccounts,
            _ => Before::Accounts,
        };
        let key = Key::open(file, found)?;
        Ok(Self { lock, hasher, journal, loaded, key })
    }
}

/// Runs the worker's thread. A panic in it must be reported, because nobody could log in or register any more.
fn run(mut worker: Worker) {
    if catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
        worker.give_up();
    }
}

/// The names that are being registered. Nobody else is asked to choose a password for one of these.
#[derive(Debug, Default)]
struct Registering {
    names: HashSet<UserName>,
    by_number: HashMap<u64, UserName>,
}

impl Registering {
    fn has(&self, name: &UserName) -> bool {
        self.names.contains(name)
    }

    fn add(&mut self, number: u64, name: UserName) {
        self.names.insert(name.clone());
        self.by_number.insert(number, name);
    }

    fn remove(&mut self, number: u64) {
        if let Some(name) = self.by_number.remove(&number) {
            self.names.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
