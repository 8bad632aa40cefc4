//! The account file, hashing, and the password queue.

/// Memory of one password hash, in KiB: 4 GiB, twice the first recommendation of RFC 9106. A line of the account file
/// must not make the server take all memory of the machine.
pub const HASH_MEMORY_MOST_KIB: u32 = 4 * 1024 * 1024;
/// Work of one password hash, in KiB filled over all passes: 64 GiB, about a minute. A line of the account file must
/// not block all logins.
pub const HASH_WORK_MOST_KIB: u64 = 64 * 1024 * 1024;
/// The account file is compacted, at a start or while the server runs, if more than half of its lines are obsolete and
/// more than this many. This many lines are 130 KB and load quickly.
pub const DEAD_LINES: u64 = 1000;
/// Accounts copied in one step of a compaction while the server runs. A login waits for a step, which takes a few
/// milliseconds.
pub const COMPACT_LINES: usize = 500;
/// Password changes of one account in [`PASSWORD_WINDOW_S`]. Each adds a line to the account file, and nobody needs
/// more.
pub const PASSWORD_CHANGES: usize = 3;
/// The window of [`PASSWORD_CHANGES`], in seconds.
pub const PASSWORD_WINDOW_S: u32 = 600;
/// Password changes remembered for [`PASSWORD_CHANGES`], of all accounts: more than can be hashed in the window.
pub const PASSWORD_CHANGES_REMEMBERED: usize = 65_536;
/// Passwords of one address in the queue, so that one address cannot fill it.
pub const QUEUE_PER_ADDRESS: usize = 4;
/// Passwords of one network (IPv4 /24, IPv6 /48) in the queue: the owner of a network has many addresses.
pub const QUEUE_PER_NETWORK: usize = 8 * QUEUE_PER_ADDRESS;
/// Bans at most. Each takes 200 bytes of memory, and every change writes them all.
pub const BANS: usize = 10_000;
/// The file of bans, in bytes: more than [`BANS`] lines of the longest kind.
pub const BANS_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Requests of operators that wait for the account thread: more than there are connections of operators.
pub const QUEUE_OF_OPERATORS: usize = 64;
