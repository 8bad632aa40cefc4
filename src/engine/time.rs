//! Units of time. The clock itself is outside of the engine.

/// Milliseconds of monotonic time since the loop began. Every limit runs on these.
pub type Millis = u64;

/// Nanoseconds of the same time. Rates count in them, so that a window divides without a remainder that matters into any
/// number of tokens; 64 bits of them last for centuries.
pub(super) type Nanos = u64;

/// A time that never comes.
pub const NEVER: Millis = Millis::MAX;

/// Milliseconds in nanoseconds.
pub(super) const fn nanos(time: Millis) -> Nanos {
    time.saturating_mul(1_000_000)
}

/// Seconds in milliseconds.
pub(super) fn seconds(count: u32) -> Millis {
    Millis::from(count) * 1000
}
