//! The operator's access to the history. Reading takes no lock, and a server may run meanwhile; changes need the
//! server's lock, so no server may run.

mod backup;
mod check;
mod counts;
mod erase;
mod export;
mod file;
mod names;
mod repair;
mod rewrite;
mod salvage;
mod spans;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::backup::{Backup, backup};
pub use self::check::{Overview, Report, check};
pub use self::erase::{Doomed, Eraser, What};
pub use self::export::export;
pub use self::file::companions;
pub(super) use self::file::{failed, lock, to_write as open_to_write};
pub use self::repair::{Repaired, repair};
use crate::history::request::OpenError;

/// Why an operation failed: a line for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Another process uses the history.
    InUse(String),
    /// The file is not usable.
    Unusable(String),
    /// Nothing of the file can be read.
    Damaged(String),
    /// The operation is not possible: a name that is not there, a file that exists, a full disk.
    Refused(String),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(text) => Self::InUse(text),
            OpenError::Unusable(text) => Self::Unusable(text),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(text) | Self::Unusable(text) | Self::Damaged(text) | Self::Refused(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}
