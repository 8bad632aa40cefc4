//! What operators ask for: changes of accounts, which go into the batch as everybody's do, and bans, which have a file
//! of their own.

use std::path::PathBuf;
use std::sync::Arc;

use super::Worker;
use crate::auth::admin::inspect::{self, Report};
use crate::auth::bans::{Ban, What};
use crate::auth::deed::{Deed, Outcome};
use crate::auth::hash::HashError;
use crate::auth::request::{Answer, Asked, Secret, Verdict};
use crate::auth::store::bans::{BanFile, Unchanged};
use crate::auth::store::journal::unix_now;
use crate::auth::store::record::{Change, Op};
use crate::hub::names::UserName;
use crate::mailbox::Ticket;

/// The files of the operator's requests.
pub(in crate::auth) struct Files {
    /// The account file, to be checked.
    pub(in crate::auth) accounts: PathBuf,
    /// The bans.
    pub(in crate::auth) bans: BanFile,
}

impl Worker {
    /// Carries out a request of an operator. `None` if its answer comes with the batch.
    pub(super) fn deed(&mut self, ticket: Ticket<Asked>, deed: Deed) -> Result<Option<Verdict>, HashError> {
        let outcome = match deed {
            Deed::Add { name, password } => return self.add(ticket, name, &password),
            Deed::SetPassword { name, password } => return self.set_password(ticket, &name, &password),
            Deed::Delete { name } => return Ok(self.delete(ticket, &name)),
            Deed::Check => self.check_file(),
            Deed::Ban(ban) => self.ban(ban),
            Deed::Unban(what) => self.unban(&what),
        };
        Ok(Some(Verdict::Done(outcome)))
    }

    fn add(&mut self, ticket: Ticket<Asked>, name: UserName, password: &Secret) -> Result<Option<Verdict>, HashError> {
        if let Some(registered) = self.accounts.registered(&name) {
            return Ok(Some(Verdict::Done(Outcome::Exists(registered))));
        }
        let phc = self.hasher.hash(password)?;
        let verdict = Verdict::Done(Outcome::Added(name.clone()));
        let change = self.journal.addition(name, phc, unix_now());
        self.stage(change, Some(Answer { ticket, verdict }));
        Ok(None)
    }

    fn set_password(
        &mut self,
        ticket: Ticket<Asked>,
        name: &UserName,
        password: &Secret,
    ) -> Result<Option<Verdict>, HashError> {
        let Some((name, epoch)) = self.accounts.registered(name).zip(self.accounts.epoch(name)) else {
            return Ok(Some(Verdict::Done(Outcome::NoAccount)));
        };
        // Without a higher epoch, old tokens would stay valid.
        let Some(epoch) = epoch.checked_add(1) else {
            let why = "its password was changed too often; delete the account and add it again";
            return Ok(Some(Verdict::Done(Outcome::Failed(format!("{name}: {why}")))));
        };
        let phc = self.hasher.hash(password)?;
        let verdict = Verdict::Done(Outcome::PasswordSet { name: name.clone(), epoch });
        let change = Change { op: Op::Update, unix: unix_now(), name, epoch, phc };
        self.stage(change, Some(Answer { ticket, verdict }));
        Ok(None)
    }

    fn delete(&mut self, ticket: Ticket<Asked>, name: &UserName) -> Option<Verdict> {
        let Some((name, account)) = self.accounts.registered(name).zip(self.accounts.find(name)) else {
            return Some(Verdict::Done(Outcome::NoAccount));
        };
        let verdict = Verdict::Done(Outcome::Deleted { name: name.clone(), since: account.since });
        let change = account.deletion(name, unix_now());
        self.stage(change, Some(Answer { ticket, verdict }));
        None
    }

    /// Reads the account file with all changes that were made so far.
    fn check_file(&mut self) -> Outcome {
        self.commit();
        match inspect::check(&self.files.accounts) {
            Ok(Report { findings, is_damaged, accounts, .. }) => Outcome::Checked { findings, is_damaged, accounts },
            Err(failure) => Outcome::Failed(failure.to_string()),
        }
    }

    fn ban(&mut self, ban: Ban) -> Outcome {
        match self.files.bans.add(ban.clone(), unix_now()).map(Arc::clone) {
            Ok(bans) => {
                self.accounts.set_bans(Arc::clone(&bans));
                Outcome::Banned { ban, bans }
            }
            Err(unchanged) => refused(unchanged),
        }
    }

    fn unban(&mut self, what: &What) -> Outcome {
        match self.files.bans.remove(what, unix_now()).map(Arc::clone) {
            Ok(bans) => {
                self.accounts.set_bans(Arc::clone(&bans));
                Outcome::Unbanned(bans)
            }
            Err(unchanged) => refused(unchanged),
        }
    }
}

fn refused(unchanged: Unchanged) -> Outcome {
    match unchanged {
        Unchanged::Full => Outcome::TooManyBans,
        Unchanged::Missing => Outcome::NoSuchBan,
        Unchanged::Failed(why) => {
            log::error!("{why}");
            Outcome::Failed(why)
        }
    }
}
