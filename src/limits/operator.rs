//! The operator's door.

/// The longest reason for an end, in bytes: a sentence.
pub const REASON_BYTES: usize = 200;
/// The longest duration of a trace, in seconds: a day.
pub const TRACE_MOST_S: u32 = 86_400;
/// The longest path of a Unix socket, in bytes (unix(7): `sun_path` without its NUL).
pub const SOCKET_PATH_BYTES: usize = 107;
/// Entries of a long answer that are looked at before the connection is written to.
pub const ITEMS_A_TURN: usize = 128;
/// Bytes of a traced line that are shown.
pub const TRACED_BYTES: usize = 4096;
/// Traces at once: one for each connection of an operator.
pub const TRACES: usize = super::OPERATOR_CONNECTIONS;
