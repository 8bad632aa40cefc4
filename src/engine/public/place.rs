//! A receiver's place in the log of public messages.

/// A receiver's place in the log.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Place {
    /// The next entry that it gets.
    pub(in super::super) next: u32,
    /// Its own first message from there on, which it does not get; any other number if there is none.
    pub(in super::super) own: u32,
}
