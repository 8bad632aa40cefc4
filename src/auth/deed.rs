//! What an operator asks of the running server's accounts and bans, and what comes of it.

use std::sync::Arc;

use super::bans::{Ban, Bans, What};
use crate::hub::names::UserName;

type Password = crate::secret::Secret<Vec<u8>>;

/// A request of an operator. The queue of passwords does not delay it.
#[derive(Debug)]
pub enum Deed {
    /// Add an account. Gives [`Outcome::Added`] or [`Outcome::Exists`].
    Add {
        /// The name in its chosen spelling.
        name: UserName,
        /// The password.
        password: Password,
    },
    /// Set a new password, which ends all tokens of the account. Gives [`Outcome::PasswordSet`],
    /// [`Outcome::NoAccount`] or [`Outcome::Failed`].
    SetPassword {
        /// The account's name.
        name: UserName,
        /// The new password.
        password: Password,
    },
    /// Delete an account and end its tokens. Gives [`Outcome::Deleted`] or [`Outcome::NoAccount`].
    Delete {
        /// The account's name.
        name: UserName,
    },
    /// Read the whole account file. Gives [`Outcome::Checked`] or [`Outcome::Failed`].
    Check,
    /// Add a ban, or replace it. Gives [`Outcome::Banned`], [`Outcome::TooManyBans`] or [`Outcome::Failed`].
    Ban(Ban),
    /// Remove a ban. Gives [`Outcome::Unbanned`], [`Outcome::NoSuchBan`] or [`Outcome::Failed`].
    Unban(What),
}

impl Deed {
    /// The name of the account that it is about.
    pub(super) fn account(&self) -> Option<&UserName> {
        match self {
            Self::Add { name, .. } | Self::SetPassword { name, .. } | Self::Delete { name } => Some(name),
            Self::Check | Self::Ban(_) | Self::Unban(_) => None,
        }
    }
}

/// What came of a [`Deed`]. What was changed is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The account exists now.
    Added(UserName),
    /// The name has an account already, which is spelled so. Nothing was changed.
    Exists(UserName),
    /// The account has its new password.
    PasswordSet {
        /// The name as it was registered.
        name: UserName,
        /// The account's new epoch. Sessions and tokens of earlier ones are void.
        epoch: u32,
    },
    /// The account is gone.
    Deleted {
        /// The name as it was registered.
        name: UserName,
        /// When it was registered, in seconds since 1970.
        since: u64,
    },
    /// There is no such account. Nothing was changed.
    NoAccount,
    /// The state of the account file.
    Checked {
        /// What is wrong with it, one line each; empty if it is intact.
        findings: Vec<String>,
        /// Whether a server would refuse to start with it.
        is_damaged: bool,
        /// The number of accounts in it, or of those that can be recovered.
        accounts: usize,
    },
    /// The ban holds.
    Banned {
        /// The ban, as it is kept.
        ban: Ban,
        /// All bans.
        bans: Arc<Bans>,
    },
    /// The ban is lifted; all bans.
    Unbanned(Arc<Bans>),
    /// There is no such ban. Nothing was changed.
    NoSuchBan,
    /// There are as many bans as there may be. Nothing was changed.
    TooManyBans,
    /// Nothing was changed, for this reason: a line for the operator.
    Failed(String),
}
