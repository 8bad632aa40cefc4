//! Sockets: accepting, keepalive, memory after a peak.

/// Descriptors kept back for the log, the account file, the listeners and the refusing of peers.
pub const SPARE_DESCRIPTORS: u64 = 64;
/// Connections that the kernel may hold for a listener. mio's own 128 loses clients in a reconnect storm.
pub const BACKLOG: i32 = 4096;
/// A listener that ran out of descriptors is tried again after this long: promised is 200 ms.
pub const ACCEPT_RETRY_MS: u64 = 100;
/// Keepalive: the first probe after this many seconds of silence …
pub const KEEPALIVE_IDLE_S: u64 = 60;
/// … then one every so many seconds …
pub const KEEPALIVE_EVERY_S: u64 = 15;
/// … and after this many unanswered the peer is gone: 120 s in all.
pub const KEEPALIVE_PROBES: u32 = 4;
/// Who was written to is looked at every so many seconds, until all is acknowledged …
pub const VANISH_LOOK_S: u32 = 15;
/// … and is gone when so many looks in a row have found that nothing answers: 90 s. The network may fail for that long.
pub const VANISH_LOOKS: u8 = 6;
/// Nothing counts as unanswered before this: far longer than any way to a peer and back.
pub const VANISH_QUIET_MS: u32 = 10_000;
/// So many connections are a crowd: when half of them are gone …
pub const CROWD_LEAST: usize = 64;
/// … for this long, what they have needed is given back. It takes milliseconds, so not at each who goes.
pub const CROWD_GONE_MS: u64 = 1_000;
