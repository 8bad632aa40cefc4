//! Time, as the engine is told it.

/// Milliseconds of monotonic time since the loop began. Every limit runs on these.
pub type Millis = u64;

/// A time that never comes.
pub const NEVER: Millis = Millis::MAX;

/// Seconds in milliseconds.
pub(super) fn seconds(count: u32) -> Millis {
    Millis::from(count) * 1000
}
