//! A receiver's place in the log of public messages.

use crate::door::Kind;

/// Whether a connection gets public messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Attendance {
    /// It gets none, and is in no list of the log.
    #[default]
    No,
    /// It gets none any more, and leaves the list that it is in when its turn to be flushed comes.
    Leaving,
    /// It gets them.
    Yes(Place),
}

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
