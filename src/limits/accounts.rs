//! The account file, hashing, and the password queue.

/// The most memory that one password hash may ask for, in KiB: 4 GiB, twice what RFC 9106 recommends first. One line of
/// the account file must not be able to take all memory of the machine.
pub const HASH_MEMORY_MOST_KIB: u32 = 4 * 1024 * 1024;
/// The most work of one hash, in KiB filled over all passes: 64 GiB, about a minute. Nor must it stop all logins.
pub const HASH_WORK_MOST_KIB: u64 = 64 * 1024 * 1024;
/// The account file is compacted, at a start and while the server runs, when more than half of its lines no longer
/// count, and more than so many: fewer are 130 KB, and read in no time.
pub const DEAD_LINES: u64 = 1000;
/// Accounts that are copied at a time while a server compacts the file: a few milliseconds, for which a login waits.
pub const COMPACT_LINES: usize = 500;
/// An account may change its password so often …
pub const PASSWORD_CHANGES: usize = 3;
/// … in this time, in seconds: each adds a line to the account file, and nobody has a use for more.
pub const PASSWORD_WINDOW_S: u32 = 600;
/// So many changes of passwords are remembered for that, of all accounts: more than can be hashed in the time.
pub const PASSWORD_CHANGES_REMEMBERED: usize = 65_536;
/// Passwords of one address that may wait at once, so that one address cannot fill the queue.
pub const QUEUE_PER_ADDRESS: usize = 4;
/// The same for a network (IPv6: a /48, IPv4: a /24), for whoever has one has many addresses.
pub const QUEUE_PER_NETWORK: usize = 8 * QUEUE_PER_ADDRESS;
