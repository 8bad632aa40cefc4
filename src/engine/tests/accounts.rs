//! The account file in memory: look-ups, and a service that answers after a virtual delay.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use testkit::Dice;

use crate::auth::bans::Bans;
use crate::auth::{Deed, Outcome, Refused, Request, Verdict};
use crate::engine::{ConnId, Millis, NEVER, Roll};
use crate::hub::names::{RoomName, UserName};
use crate::hub::record::Lock;

/// How many requests may wait.
const QUEUE: usize = 64;

/// One account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    name: UserName,
    pub(super) password: Vec<u8>,
    pub(super) epoch: u32,
    since: u64,
}

/// The accounts, and the queue of requests.
#[derive(Debug)]
pub(super) struct Accounts {
    all: BTreeMap<UserName, Account>,
    /// Each request with the time of its answer.
    queue: Vec<(Millis, ConnId, Request)>,
    /// The time that one hash takes.
    pub(super) hash_ms: Millis,
    /// One in this many requests is answered `Busy` or refused; 0 for none.
    pub(super) trouble: u64,
    /// True if the file cannot be written.
    pub(super) is_failing: bool,
    pub(super) free_at: Millis,
    bans: Bans,
    /// The time of the next registration.
    births: u64,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            all: BTreeMap::new(),
            queue: Vec::new(),
            hash_ms: 0,
            trouble: 0,
            is_failing: false,
            free_at: 0,
            bans: Bans::default(),
            births: 1,
        }
    }
}

impl Accounts {
    /// Adds an account.
    pub(super) fn add(&mut self, name: &str, password: &str) {
        let name = UserName::parse(name).unwrap();
        self.all.insert(name.clone(), Account { name, password: password.into(), epoch: 1, since: self.births });
    }

    /// Deletes an account. Whoever registers its name later is somebody else.
    pub(super) fn delete(&mut self, name: &str) -> Outcome {
        self.births += 1;
        self.carry_out(Deed::Delete { name: UserName::parse(name).unwrap() })
    }

    pub(super) fn find(&self, name: &str) -> Option<&Account> {
        self.all.get(&UserName::parse(name).unwrap())
    }

    /// Queues a request.
    pub(super) fn submit(&mut self, id: ConnId, request: Request, now: Millis, dice: &mut Dice) -> Result<(), Refused> {
        let exists = request.name().is_some_and(|name| self.all.contains_key(name));
        if matches!(request, Request::Register { .. }) && exists {
            return Err(Refused::Taken);
        }
        if self.queue.len() >= QUEUE || self.has_trouble(dice) {
            return Err(Refused::Full);
        }
        assert!(self.queue.iter().all(|(_, other, _)| *other != id), "{id:?} asks twice");
        // One at a time, as in the account thread.
        self.free_at = self.free_at.max(now) + self.hash_ms;
        self.queue.push((self.free_at, id, request));
        Ok(())
    }

    /// Withdraws a request. One that has begun is answered all the same.
    pub(super) fn cancel(&mut self, id: ConnId, now: Millis) {
        let hash_ms = self.hash_ms;
        self.queue.retain(|(due, other, _)| *other != id || *due <= now + hash_ms);
    }

    pub(super) fn next_due(&self) -> Millis {
        self.queue.first().map_or(NEVER, |(due, _, _)| *due)
    }

    pub(super) fn is_checking(&self, id: ConnId) -> bool {
        self.queue.iter().any(|(_, other, _)| *other == id)
    }

    /// The next answer that is due.
    pub(super) fn poll_answer(&mut self, now: Millis, dice: &mut Dice) -> Option<(ConnId, Verdict)> {
        if self.next_due() > now {
            return None;
        }
        let (_, id, request) = self.queue.remove(0);
        Some((id, self.judge(request, dice)))
    }

    fn judge(&mut self, request: Request, dice: &mut Dice) -> Verdict {
        if self.has_trouble(dice) {
            return Verdict::Busy;
        }
        match request {
            Request::Register { .. } | Request::Change { .. } | Request::Deed(_) if self.is_failing => {
                Verdict::Unavailable
            }
            Request::Register { name, .. } if self.all.contains_key(&name) => Verdict::Taken,
            Request::Register { name, password } => {
                self.all
                    .insert(name.clone(), Account { name, password: bytes(&password), epoch: 1, since: self.births });
                Verdict::Registered { epoch: 1 }
            }
            Request::Check { name, password } => match self.all.get(&name) {
                Some(account) if account.password == bytes(&password) => Verdict::Right { epoch: account.epoch },
                Some(_) | None => Verdict::Wrong,
            },
            Request::Change { name, epoch, password } => match self.all.get_mut(&name) {
                Some(account) if account.epoch == epoch => {
                    account.password = bytes(&password);
                    account.epoch += 1;
                    Verdict::Changed { name: account.name.clone(), epoch: account.epoch }
                }
                Some(_) | None => Verdict::Wrong,
            },
            Request::Deed(deed) => Verdict::Done(self.carry_out(deed)),
        }
    }

    /// Carries out what an operator asked for.
    fn carry_out(&mut self, deed: Deed) -> Outcome {
        match deed {
            Deed::Add { name, .. } if self.all.contains_key(&name) => Outcome::Exists(name),
            Deed::Add { name, password } => {
                self.all.insert(
                    name.clone(),
                    Account { name: name.clone(), password: bytes(&password), epoch: 1, since: self.births },
                );
                Outcome::Added(name)
            }
            Deed::SetPassword { name, password } => match self.all.get_mut(&name) {
                Some(account) => {
                    account.password = bytes(&password);
                    account.epoch += 1;
                    Outcome::PasswordSet { name, epoch: account.epoch }
                }
                None => Outcome::NoAccount,
            },
            Deed::Delete { name } => match self.all.remove(&name) {
                Some(account) => Outcome::Deleted { name: account.name, since: account.since },
                None => Outcome::NoAccount,
            },
            Deed::Check => Outcome::Failed("there is no file".to_owned()),
            Deed::Ban(ban) => match self.bans.add(ban.clone()) {
                Ok(()) => Outcome::Banned { ban, bans: Arc::new(self.bans.clone()) },
                Err(_) => Outcome::TooManyBans,
            },
            Deed::Unban(what) => match self.bans.remove(&what) {
                Some(_) => Outcome::Unbanned(Arc::new(self.bans.clone())),
                None => Outcome::NoSuchBan,
            },
        }
    }

    fn has_trouble(&self, dice: &mut Dice) -> bool {
        self.trouble > 0 && dice.below(self.trouble) == 0
    }
}

fn bytes(password: &crate::auth::Secret) -> Vec<u8> {
    password.as_bytes().to_vec()
}

/// The accounts as the engine looks them up.
pub(super) struct Shared(pub(super) Rc<RefCell<Accounts>>);

impl Roll for Shared {
    fn lookup(&self, name: &UserName) -> Option<UserName> {
        self.0.borrow().all.get(name).map(|account| account.name.clone())
    }

    fn since(&self, name: &UserName) -> Option<u64> {
        self.0.borrow().all.get(name).map(|account| account.since)
    }

    fn lock(&self, _: &RoomName, password: &str) -> Lock {
        Lock::unsealed(password)
    }

    fn may_register(&self) -> bool {
        true
    }

    fn epoch(&self, name: &UserName) -> Option<u32> {
        self.0.borrow().all.get(name).map(|account| account.epoch)
    }

    fn issue_token(&self, name: &UserName, epoch: u32, _: u64) -> Option<(String, u64)> {
        (self.epoch(name) == Some(epoch)).then(|| (format!("t1.{epoch}.{name}"), 86_400))
    }

    fn check_token(&self, name: &UserName, token: &[u8], _: u64) -> Option<u32> {
        let epoch = self.epoch(name)?;
        (token == format!("t1.{epoch}.{}", self.lookup(name)?).as_bytes()).then_some(epoch)
    }
}
