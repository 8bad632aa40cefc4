//! A receiver's place in the log of public messages.

/// A receiver's place in the log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// The next entry that it gets.
    pub(crate) next: u32,
    /// Its own first message from there on, which it does not get; any other number if there is none.
    pub(crate) own: u32,
}
