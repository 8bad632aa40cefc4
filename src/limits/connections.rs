//! Sockets: accepting, keepalive, memory after a peak.

/// Descriptors reserved for the log, the account file, the listeners and for refusing peers.
pub const SPARE_DESCRIPTORS: u64 = 64;
/// Time for a PROXY header, and for a TLS handshake.
pub const STAGE_MS: u64 = 10_000;
/// Connections at once for metrics, outside of `limits.connections`: the metrics of a full server must be seen.
pub const METRICS_CONNECTIONS: usize = 16;
/// Connections at once at the operator's socket, outside of `limits.connections`.
pub const OPERATOR_CONNECTIONS: usize = 8;
/// Connections that the kernel may queue for a listener. mio's default of 128 loses clients in a reconnect storm.
pub const BACKLOG: i32 = 4096;
/// Delay before a listener that ran out of descriptors is tried again. 200 ms are promised.
pub const ACCEPT_RETRY_MS: u64 = 100;
/// Keepalive: seconds of silence before the first probe.
pub const KEEPALIVE_IDLE_S: u64 = 60;
/// Keepalive: seconds between probes.
pub const KEEPALIVE_EVERY_S: u64 = 15;
/// Keepalive: unanswered probes after which the peer is gone, 120 s in all.
pub const KEEPALIVE_PROBES: u32 = 4;
/// Seconds between two checks of a connection with unacknowledged output.
pub const LIVENESS_EVERY_S: u32 = 15;
/// Checks in a row without an acknowledgement after which the peer is gone: 90 s, which a short network failure does
/// not reach.
pub const LIVENESS_PROBES: u8 = 6;
/// Output counts as unacknowledged only after this time, which is far longer than any round trip.
pub const LIVENESS_QUIET_MS: u32 = 10_000;
/// A peak of at least this many connections is worth releasing memory for.
pub const PEAK_LEAST: usize = 64;
/// Memory is released when half of a peak's connections have been gone for this long. Releasing takes milliseconds, so
/// it is not done for each connection that ends.
pub const PEAK_OVER_MS: u64 = 1_000;
/// The service manager is told how many are online this often at most.
pub const STATUS_EVERY_MS: u64 = 5_000;
