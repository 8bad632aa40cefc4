//! The operator's access to the accounts. Changes need the server's lock, so no server may be running; reading takes no
//! lock.

pub(in crate::auth) mod inspect;
mod ledger;

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub use self::inspect::{Report, check, list, repair, try_start};
pub use self::ledger::{Ledger, check_name, reserved};
use super::hash::HashError;
pub use super::request::{OpenError, Secret, Settings};
use super::store::{bans, files};

/// Why an operation failed: a line for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Another process uses the accounts.
    InUse(String),
    /// The accounts belong to another user.
    Foreign(String),
    /// A file is not usable.
    Unusable(String),
    /// The operation is not possible: an invalid name or password, a missing account, a full disk.
    Refused(String),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(holder) => {
                let kill = holder.process.map(|process| format!(" or 'kill {process}'")).unwrap_or_default();
                Self::InUse(format!(
                    "{holder}; stop the server first, with 'systemctl stop chatd'{kill}, and start it again afterwards"
                ))
            }
            OpenError::Unusable(text) => Self::Unusable(text),
        }
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        Self::Refused(format!("the password could not be hashed: {error}; nothing was changed"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(text) | Self::Foreign(text) | Self::Unusable(text) | Self::Refused(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

/// The files that belong to an account file: its lock, its key, the bans, their temporary files, and kept copies.
pub fn companions(account_file: &Path) -> Vec<PathBuf> {
    let mut companions = files::companions(account_file);
    companions.extend(bans::companions(account_file));
    companions
}

/// Whether `path` is the name of a kept copy beside the account file. The copy need not exist.
pub fn is_kept_name(account_file: &Path, path: &Path) -> bool {
    files::is_kept_name(account_file, path)
}

/// Checks that the accounts belong to this user. An operator is often another user than the server, and files that root
/// creates could not be opened by the server.
fn check_user(account_file: &Path) -> Result<(), Failure> {
    let us = rustix::process::geteuid();
    let folder = files::folder(account_file);
    let (what, about) = match fs::symlink_metadata(account_file) {
        Ok(about) => (account_file, about),
        Err(_) if !us.is_root() => return Ok(()),
        Err(_) => match fs::metadata(folder) {
            Ok(about) => (folder, about),
            // Opening the file reports what is wrong.
            Err(_) => return Ok(()),
        },
    };
    let owner = about.uid();
    if owner == us.as_raw() {
        return Ok(());
    }
    let text =
        format!("belongs to user {owner}, and this is user {us}; run this as the server's user: sudo -u '#{owner}' …");
    Err(Failure::Foreign(files::unusable(what, &text).to_string()))
}

#[cfg(test)]
mod tests;
