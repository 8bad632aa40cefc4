//! Requests to the accounts, their results, and errors.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::deed::{Deed, Outcome};
use crate::hub::names::UserName;
use crate::{limits, mailbox};

/// A password, as bytes.
pub type Secret = crate::secret::Secret<Vec<u8>>;

/// The account file and its rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account file. Its lock, token key and temporary files are in the same folder and named after it.
    pub file: PathBuf,
    /// The cost of a password, the length of the queue, the number of accounts. The caller enforces the other rules.
    pub rules: limits::Accounts,
}

/// The party that a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source address, or the one that represents it, since an IPv6 subscriber has many.
    pub address: IpAddr,
    /// The network of the address, by its first address.
    pub network: IpAddr,
}

/// A request. Each costs one password hash, except for some of an operator's.
#[derive(Debug)]
pub enum Request {
    /// Create an account. Gives [`Verdict::Registered`], [`Verdict::Taken`], [`Verdict::Banned`] or
    /// [`Verdict::Unavailable`].
    Register {
        /// The name in its chosen spelling.
        name: UserName,
        /// The chosen password.
        password: Secret,
    },
    /// Check a password. Gives [`Verdict::Right`] or [`Verdict::Wrong`], which is also the verdict for a name without
    /// an account, after a hash of the same cost; [`Verdict::Unavailable`] if there is no memory for the hash.
    Check {
        /// The account's name.
        name: UserName,
        /// The password to check.
        password: Secret,
    },
    /// Set a new password, which ends all tokens of the account. Gives [`Verdict::Changed`] or
    /// [`Verdict::Unavailable`]; [`Verdict::Wrong`] if there is no such account, or if its epoch is not `epoch` any
    /// more.
    Change {
        /// The account's name.
        name: UserName,
        /// The epoch in which the old password was checked.
        epoch: u32,
        /// The new password.
        password: Secret,
    },
    /// A request of an operator. Gives [`Verdict::Done`] or [`Verdict::Unavailable`].
    Deed(Deed),
}

/// The kind of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// [`Request::Register`].
    Register,
    /// [`Request::Check`].
    Check,
    /// [`Request::Change`].
    Change,
    /// [`Request::Deed`].
    Deed,
}

impl Request {
    /// The kind of this request.
    pub fn asked(&self) -> Asked {
        match self {
            Self::Register { .. } => Asked::Register,
            Self::Check { .. } => Asked::Check,
            Self::Change { .. } => Asked::Change,
            Self::Deed(_) => Asked::Deed,
        }
    }

    /// The name of the account that it is about; `None` if it is about none.
    pub fn name(&self) -> Option<&UserName> {
        match self {
            Self::Register { name, .. } | Self::Check { name, .. } | Self::Change { name, .. } => Some(name),
            Self::Deed(deed) => deed.account(),
        }
    }
}

/// The result of a request. An account's epoch rises with each new password and so identifies a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The account exists and is on disk.
    Registered {
        /// Its first epoch.
        epoch: u32,
    },
    /// The name has an account.
    Taken,
    /// The name is banned, so it cannot be registered.
    Banned,
    /// The password is right.
    Right {
        /// The account's epoch.
        epoch: u32,
    },
    /// The password is wrong, there is no such account, or the password was changed since it was checked.
    Wrong,
    /// The new password is set and on disk.
    Changed {
        /// The account's name. The session that asked may be gone.
        name: UserName,
        /// The account's new epoch. Sessions and tokens of earlier ones are void.
        epoch: u32,
    },
    /// A request of an operator was carried out, or refused.
    Done(Outcome),
    /// The request was displaced from a full queue by one of a party with fewer requests. It was not looked at.
    Busy,
    /// Nothing was changed: the file cannot be written now (disk full, read-only, failing), or there is no memory.
    Unavailable,
}

/// A verdict with the ticket of its request.
pub type Answer = mailbox::Answer<Asked, Verdict>;

/// Why a request was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue is full, or the share of its address or network is used up.
    Full,
    /// The name to be registered has an account, or is being registered.
    Taken,
    /// The largest number of accounts is reached.
    NoneLeft,
}

/// Why the accounts cannot be opened: one line for the operator, with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process uses them.
    InUse(Holder),
    /// The file, its key or the folder is not usable.
    Unusable(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(holder) => write!(f, "{holder}; stop that one, or give this one another accounts.file"),
            Self::Unusable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OpenError {}

/// The process that uses the accounts. Its `Display` says so, without a next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account file.
    pub file: PathBuf,
    /// The lock file that is held.
    pub lock: PathBuf,
    /// The process id, if the lock file contains it.
    pub process: Option<u32>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, lock) = (self.file.display(), self.lock.display());
        match self.process {
            Some(process) => write!(f, "{file}: in use by process {process}, which holds {lock}"),
            None => write!(f, "{file}: in use by another process, which holds {lock}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_print() {
        let request = Request::Check {
            name: UserName::parse("alice").unwrap(),
            password: Secret::new(b"correct horse".to_vec()),
        };
        let text = format!("{request:?}");
        assert!(text.contains("***") && !text.contains("correct"), "{text}");
    }
}
