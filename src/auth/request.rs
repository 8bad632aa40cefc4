//! What the loop asks of the accounts, and what it is told.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::hub::names::UserName;
use crate::{limits, mailbox};

/// A password, as bytes.
pub type Secret = crate::secret::Secret<Vec<u8>>;

/// Where the accounts are, and the rules for them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account file. Its lock, the token key and temporary files stand beside it, named after it.
    pub file: PathBuf,
    /// Cost of a password, length of the queue, number of accounts; the rest of the rules is the caller's to keep.
    pub rules: limits::Accounts,
}

/// Whom a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The address that it comes from, or what stands for it: an IPv6 subscriber has many.
    pub address: IpAddr,
    /// The network that the address belongs to, by its first address.
    pub network: IpAddr,
}

/// Slow work: every request costs one password hash.
#[derive(Debug)]
pub enum Request {
    /// Make an account. [`Verdict::Registered`], [`Verdict::Taken`] or [`Verdict::Unavailable`].
    Register {
        /// The name, as it shall be shown.
        name: UserName,
        /// The chosen password.
        password: Secret,
    },
    /// Compare a password. [`Verdict::Right`] or [`Verdict::Wrong`], which a name without an account gets too,
    /// after a hash of the same cost; [`Verdict::Unavailable`] when there is no memory for the hash.
    Check {
        /// Whose password it shall be.
        name: UserName,
        /// What was given.
        password: Secret,
    },
    /// Set a new password, which ends all tokens of the account. [`Verdict::Changed`] or
    /// [`Verdict::Unavailable`]; [`Verdict::Wrong`] if there is no such account, or if its password is another by
    /// now than that of `epoch`.
    Change {
        /// Whose password is changed.
        name: UserName,
        /// The epoch of the old password.
        epoch: u32,
        /// The new one.
        password: Secret,
    },
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
}

impl Request {
    /// Its kind.
    pub fn asked(&self) -> Asked {
        match self {
            Self::Register { .. } => Asked::Register,
            Self::Check { .. } => Asked::Check,
            Self::Change { .. } => Asked::Change,
        }
    }

    /// Whose account it is about.
    pub fn name(&self) -> &UserName {
        match self {
            Self::Register { name, .. } | Self::Check { name, .. } | Self::Change { name, .. } => name,
        }
    }
}

/// What came of a request. An account's epoch rises with each new password: it says which password was the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The account exists, and is on disk.
    Registered {
        /// The epoch that it begins with.
        epoch: u32,
    },
    /// Somebody has the name already.
    Taken,
    /// The password is that of the account.
    Right {
        /// The account's epoch.
        epoch: u32,
    },
    /// It is not, or there is no such account; or the right one has been changed since.
    Wrong,
    /// The new password is set, and on disk.
    Changed {
        /// Whose: whoever asked for it may be gone.
        name: UserName,
        /// The account's new epoch. Sessions and tokens of earlier ones are void.
        epoch: u32,
    },
    /// It has made room in a full queue for somebody who had fewer requests in it. Nothing was looked at.
    Busy,
    /// The file cannot be written now (disk full, read-only, failing) or memory is short: nothing was changed.
    Unavailable,
}

/// A verdict with the ticket of its request.
pub type Answer = mailbox::Answer<Asked, Verdict>;

/// Why a request was not even queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue is full, or the share of the address or of its network.
    Full,
    /// The name to be registered has an account, or is being registered by somebody else.
    Taken,
    /// There are as many accounts as there may be.
    NoneLeft,
}

/// Why the accounts cannot be opened: one line for the operator, with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process has them.
    InUse(Holder),
    /// The file, its key or the folder is not as it must be.
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

/// Who has the accounts. Its `Display` says that, without a next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account file.
    pub file: PathBuf,
    /// The lock file that is held.
    pub lock: PathBuf,
    /// The number of the process, if the lock file says it.
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
