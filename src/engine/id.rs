//! The id of a connection.

/// A connection's place in the table, and which of the place's users it is. A generation is never used twice, so an id
/// that has gone stale finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// The place in the table.
    pub slot: u32,
    /// Which of its users; never 0.
    pub generation: u32,
}
