//! Changing the accounts while no server runs.

use std::collections::BTreeMap;
use std::fs::File;

use super::{Failure, Secret, Settings, check_user};
use crate::auth::Opened;
use crate::auth::accounts::{Account, apply};
use crate::auth::hash::Hasher;
use crate::auth::store::journal::{Journal, Trouble, unix_now};
use crate::auth::store::record::{Change, Op};
use crate::hub::names::{NameError, UserName};
use crate::limits::{self, PASSWORD_MAX_BYTES};

/// Checks the form of a name, that of a new account or of one that may exist.
///
/// # Errors
/// [`Failure::Refused`]: no such account can be added, or exists.
pub fn check_name(name: &str, is_new: bool) -> Result<(), Failure> {
    if is_new {
        return UserName::parse(name).map(drop).map_err(|error| Failure::Refused(error.about(name)));
    }
    UserName::from_record(name).map(drop).map_err(|_| unknown(name))
}

/// Says that no account may have this name.
pub fn reserved(name: &str) -> String {
    NameError::Reserved.about(name)
}

fn unknown(name: &str) -> Failure {
    Failure::Refused(format!("'{name}' has no account; 'chatd accounts list' shows who has"))
}

/// The account file, open for changes. No other process can open it until this is dropped.
pub struct Ledger {
    accounts: BTreeMap<UserName, Account>,
    journal: Journal,
    hasher: Hasher,
    rules: limits::Accounts,
    _lock: File,
}

impl Ledger {
    /// Takes the lock and reads the file as a server's start does: missing files are created, a torn tail is cut off
    /// and kept.
    ///
    /// # Errors
    /// [`Failure::InUse`] and [`Failure::Unusable`].
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        check_user(&settings.file)?;
        // Read or create the key as well: accounts without a key would look as if the key had been lost.
        let Opened { lock, hasher, journal, loaded, key: _ } = Opened::new(settings)?;
        Ok(Self { accounts: loaded.accounts, journal, hasher, rules: settings.rules.clone(), _lock: lock })
    }

    /// Checks that `name` can be added.
    ///
    /// # Errors
    /// [`Failure::Refused`]: it is not a valid name, or has an account.
    pub fn check_free(&self, name: &str) -> Result<(), Failure> {
        self.free(name).map(|_| ())
    }

    /// Checks that `name` has an account, and gives the name as it was registered.
    ///
    /// # Errors
    /// [`Failure::Refused`]: there is no such account.
    pub fn check_exists(&self, name: &str) -> Result<String, Failure> {
        self.find(name).map(|(name, _)| name.to_string())
    }

    /// Adds an account. It is on disk when this returns.
    ///
    /// # Errors
    /// [`Failure::Refused`]; nothing was changed.
    pub fn add(&mut self, name: &str, password: &Secret) -> Result<(), Failure> {
        let name = self.free(name)?;
        let phc = self.hash(password)?;
        self.write(self.journal.addition(name, phc, unix_now()))
    }

    /// Sets a new password, which ends all tokens of the account. It is on disk when this returns.
    ///
    /// # Errors
    /// [`Failure::Refused`]; nothing was changed.
    pub fn set_password(&mut self, name: &str, password: &Secret) -> Result<(), Failure> {
        let (name, Account { epoch, .. }) = self.find(name)?;
        // Without a higher epoch, old tokens would stay valid.
        let epoch = epoch.checked_add(1).ok_or_else(|| {
            Failure::Refused(format!("{name}: its password was changed too often; delete the account and add it again"))
        })?;
        let name = name.clone();
        let phc = self.hash(password)?;
        self.write(Change { op: Op::Update, unix: unix_now(), name, epoch, phc })
    }

    /// Deletes an account. Its tokens stay void, also if somebody else takes the name. The deletion is on disk when
    /// this returns.
    ///
    /// # Errors
    /// [`Failure::Refused`]; nothing was changed.
    pub fn delete(&mut self, name: &str) -> Result<(), Failure> {
        let (name, account) = self.find(name)?;
        self.write(account.deletion(name.clone(), unix_now()))
    }

    fn free(&self, name: &str) -> Result<UserName, Failure> {
        let parsed = UserName::parse(name).map_err(|error| Failure::Refused(error.about(name)))?;
        match self.accounts.get_key_value(&parsed) {
            Some((taken, _)) => {
                Err(Failure::Refused(format!("{taken} has an account already; to change its password, use passwd")))
            }
            None => Ok(parsed),
        }
    }

    fn find(&self, name: &str) -> Result<(&UserName, &Account), Failure> {
        // The name may have been registered before it was reserved.
        let found = UserName::from_record(name).ok().and_then(|name| self.accounts.get_key_value(&name));
        found.ok_or_else(|| unknown(name))
    }

    fn hash(&mut self, password: &Secret) -> Result<Box<str>, Failure> {
        let (least, most) = (self.rules.password_min_bytes as usize, PASSWORD_MAX_BYTES);
        let bytes = password.as_bytes().len();
        if !(least..=most).contains(&bytes) {
            // The rest of a password that is too long may not have been read.
            let bytes = if bytes > most { format!("more than {most}") } else { bytes.to_string() };
            return Err(Failure::Refused(format!("a password has {least} to {most} bytes, and this one has {bytes}")));
        }
        Ok(self.hasher.hash(password)?)
    }

    fn write(&mut self, change: Change) -> Result<(), Failure> {
        self.journal.append(std::slice::from_ref(&change), std::time::Instant::now()).map_err(|trouble| {
            let why = match trouble {
                Trouble::Disk(e) => format!("{e}; check that its disk has room, and try again"),
                Trouble::Gone | Trouble::Other | Trouble::Length { .. } | Trouble::Lines => {
                    "another program has changed it; find out which".to_owned()
                }
            };
            Failure::Refused(format!("the account file cannot be written: {why}; nothing was changed"))
        })?;
        apply(&mut self.accounts, change);
        Ok(())
    }
}
