//! HTTP: the operator's pages, and the web door.

/// The longest head of a request, in bytes, with the empty line at its end. Browsers send less than 2 KiB.
pub const HEAD_BYTES: usize = 8 * 1024;
/// Fields that a head may have.
pub const HEAD_FIELDS: usize = 64;
/// How long a connection may be idle between two requests.
pub const KEEP_ALIVE_MS: u64 = 15_000;
/// Requests that a connection may carry.
pub const REQUESTS_A_CONNECTION: u8 = 100;
/// Requests to the web door that one address may make in [`NEW_WINDOW_S`](super::NEW_WINDOW_S). A page takes a dozen.
pub const WEB_REQUESTS: u32 = 256;
/// How long a browser may take for an answer of the web door.
pub const WEB_ANSWER_MS: u64 = 30_000;
/// How long a metrics connection may take for one exchange: until its request is complete, and then until it has taken
/// the answer. Nobody holds one of the few places for longer.
pub const METRICS_EXCHANGE_MS: u64 = 10_000;
/// Connections that `/connz` lists without `limit=`.
pub const CONNZ_LINES: u32 = 100;
/// Connections that `/connz` lists at most.
pub const CONNZ_LINES_MOST: u32 = 1_000;
/// The shortest token of a metrics listener, in bytes: nobody guesses 16 random letters.
pub const METRICS_TOKEN_BYTES: usize = 16;
/// The longest token of a metrics listener, in bytes.
pub const METRICS_TOKEN_BYTES_MOST: usize = 1_024;
/// On a full server, connections of the web door that only fetch give way to newcomers: as many in a turn as may be reset
/// before their descriptors are free, which [`SPARE_DESCRIPTORS`](super::SPARE_DESCRIPTORS) allows.
pub const WEB_ROOM_A_TURN: usize = 16;
/// How long after its last answer such a connection may be in the middle of a request or of an answer.
pub const WEB_BUSY_MS: u64 = 5_000;
/// How often a full server looks for those that give way.
pub const WEB_LOOK_MS: u64 = 1_000;
