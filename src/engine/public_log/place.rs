//! A receiver's place in the log of public messages.

use crate::door::Kind;

/// A receiver's place in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The spelling of what it gets.
    pub(crate) kind: Kind,
    /// The next entry that it gets.
    pub(crate) next: u32,
    /// Its own first message from there on, which it does not get; any other number if there is none.
    pub(crate) own: u32,
}
