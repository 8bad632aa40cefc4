//! The id of a connection.

/// A slot of the connection table, and a generation, which tells the slot's users apart. A generation is never used
/// twice, so a stale id finds no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Index in the table.
    pub slot: u32,
    /// Number of the slot's user; never 0.
    pub generation: u32,
}
