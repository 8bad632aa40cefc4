//! The account that a connection has asked for, or proved to be, before its session begins.

use crate::hub::names::UserName;
use crate::secret::Secret;

/// How a client has authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// By the account's password.
    Password,
    /// By a password that was just chosen: the account is new.
    Registration,
    /// With a resume token.
    Token,
}

/// What a connection at the IRC door has given: the account that it enters as, or a new password.
#[derive(Debug)]
pub(super) enum Claim {
    /// The password of this account is being checked, or the account is being made.
    Asked(UserName),
    /// It was right.
    Proved {
        /// The account, as it was registered.
        name: UserName,
        /// The epoch in which that was so.
        epoch: u32,
        /// How.
        proof: Proof,
    },
    /// The old password is being checked; this is the new one.
    NewPassword(Secret<Vec<u8>>),
}

impl Claim {
    /// The account that is, or was, asked for.
    pub(super) fn name(&self) -> Option<&UserName> {
        match self {
            Self::Asked(name) | Self::Proved { name, .. } => Some(name),
            Self::NewPassword(_) => None,
        }
    }
}
