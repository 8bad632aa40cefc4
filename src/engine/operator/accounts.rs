//! `accounts`: what `chatd accounts` does, through the account thread.

use super::Engine;
use super::listing::Rest;
use crate::auth::{Deed, Outcome};
use crate::door::operator::{Accounts, Last};
use crate::door::reply::Reply;
use crate::engine::id::ConnId;
use crate::hub::names::{NameError, UserName};
use crate::limits::PASSWORD_MAX_BYTES;
use crate::secret::Secret;

/// The account whose password is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A new account.
    New(UserName),
    /// An account that exists.
    Known(UserName),
}

impl<S> Engine<S> {
    pub(super) fn accounts_for(&mut self, id: ConnId, what: Accounts<'_>) {
        match what {
            Accounts::List => self.list(id, Rest::Accounts(Vec::new().into_iter(), None)),
            Accounts::Check => self.ask_deed(id, Deed::Check),
            Accounts::Add(name) => self.await_new(id, name),
            Accounts::Passwd(name) => match self.known(name) {
                Ok(name) => self.await_password(id, Awaited::Known(name)),
                Err(last) => self.answer_last(id, &last),
            },
            Accounts::Delete(name) => match self.known(name) {
                Ok(name) => self.ask_deed(id, Deed::Delete { name }),
                Err(last) => self.answer_last(id, &last),
            },
        }
    }

    fn await_new(&mut self, id: ConnId, name: &str) {
        let name = match UserName::parse(name) {
            Ok(name) => name,
            Err(error) => return self.answer_last(id, &Last::Name(error.about(name))),
        };
        if self.is_own_name(name.as_str()) {
            return self.answer_last(id, &Last::Name(NameError::Reserved.about(name.as_str())));
        }
        match self.logins.roll.lookup(&name) {
            Some(taken) => self.answer_last(id, &Last::Name(exists(&taken))),
            None => self.await_password(id, Awaited::New(name)),
        }
    }

    /// Asks for a password, which the next line holds.
    fn await_password(&mut self, id: ConnId, awaited: Awaited) {
        let name = match &awaited {
            Awaited::New(name) | Awaited::Known(name) => name.clone(),
        };
        self.desk.awaited.push((id, awaited));
        self.answer_last(id, &Last::Password(name));
    }

    /// A `D` line: the password, if one was asked for.
    pub(in crate::engine) fn on_operator_password(&mut self, id: ConnId, password: &[u8]) {
        let Some(awaited) = self.take_awaited(id) else { return self.reply(id, &Reply::NotNow) };
        let (least, most) = (self.settings.accounts.password_min_bytes as usize, PASSWORD_MAX_BYTES);
        if !(least..=most).contains(&password.len()) {
            let bytes = password.len();
            let why = format!("a password has {least} to {most} bytes, and this one has {bytes}");
            return self.answer_last(id, &Last::Wrong(why));
        }
        let password = Secret::new(password.to_vec());
        self.ask_deed(
            id,
            match awaited {
                Awaited::New(name) => Deed::Add { name, password },
                Awaited::Known(name) => Deed::SetPassword { name, password },
            },
        );
    }

    /// Another command abandons the prompt for a password.
    pub(super) fn take_awaited(&mut self, id: ConnId) -> Option<Awaited> {
        let place = self.desk.awaited.iter().position(|(of, _)| *of == id)?;
        Some(self.desk.awaited.swap_remove(place).1)
    }

    /// The account of this name, as it was registered.
    fn known(&self, text: &str) -> Result<UserName, Last> {
        // The name may have been registered before it was reserved.
        let found = UserName::from_record(text).ok().and_then(|name| self.logins.roll.lookup(&name));
        found.ok_or_else(|| Last::Nobody(format!("'{text}' has no account; 'chatd accounts list' shows who has")))
    }

    /// Answers the operator who asked for a deed.
    pub(in crate::engine) fn answer_done(&mut self, id: ConnId, outcome: &Outcome) {
        let last = match outcome {
            Outcome::Added(name) => Last::Done(format!("{name} has an account")),
            Outcome::Exists(name) => Last::Name(exists(name)),
            Outcome::PasswordSet { name, .. } => {
                Last::Done(format!("{name} has a new password; earlier tokens are void"))
            }
            Outcome::Deleted { name, .. } => Last::Done(format!("the account {name} is deleted; the name is free")),
            Outcome::NoAccount => Last::Nobody("there is no such account any more".to_owned()),
            Outcome::Checked { findings, is_damaged, accounts } => {
                return self.answer_check(id, findings, *is_damaged, *accounts);
            }
            Outcome::Banned { ban, .. } => Last::Done(format!("{} is banned", ban.what)),
            Outcome::Unbanned(_) => Last::Done("the ban is lifted".to_owned()),
            Outcome::NoSuchBan => Last::Nobody("there is no such ban; 'bans' lists all".to_owned()),
            Outcome::TooManyBans => Last::NotNow("there are 10,000 bans, and no more fit; lift some first".to_owned()),
            Outcome::Failed(why) => Last::NotNow(why.clone()),
        };
        self.answer_last(id, &last);
    }

    fn answer_check(&mut self, id: ConnId, findings: &[String], is_damaged: bool, accounts: usize) {
        for finding in findings {
            self.answer_item(id, |item| item.text("finding", finding));
        }
        let counted = if accounts == 1 { "1 account".to_owned() } else { format!("{accounts} accounts") };
        let last = if is_damaged {
            Last::NotNow(format!("damaged: 'chatd accounts repair' recovers {counted}; or restore an intact copy"))
        } else {
            Last::Done(format!("sound: {counted}"))
        };
        self.answer_last(id, &last);
    }
}

fn exists(name: &UserName) -> String {
    format!("{name} has an account already; to change its password, use passwd")
}
