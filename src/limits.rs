//! Every bound of the server, each with its reason.
//!
//! What an operator may want to change is a field of one of the structs below, which are also the tables of
//! `config.toml`; what nobody should have to think about is a constant. Times are monotonic, sizes are bytes.

use serde::{Deserialize, Serialize};

/// The longest user name. Long enough for anybody's, short enough for a list to be read.
pub const NAME_BYTES: usize = 32;
/// The longest name of a room or a guest, in characters (of NFC): as long as a user's, in any script.
pub const NAME_CHARS: usize = 32;
/// The longest line before login, with its CR and LF: a name with a resume token, or a password.
pub const LOGIN_LINE_BYTES: usize = 512;
/// Lines before login (those answered 450 do not count). A person needs three.
pub const LOGIN_LINES: u8 = 32;
/// What a connection may owe before login; it has been told a few dozen short lines at most.
pub const LOGIN_OWED_BYTES: usize = 4 * 1024;
/// Bytes of one line that are discarded, waiting for its LF, before the connection is closed.
pub const DISCARD_BYTES: usize = 64 * 1024;
/// Lines answered 500 or 501 before the connection is closed: nobody types that many by mistake.
pub const BAD_LINES: u8 = 100;
/// The longest request at the room door, its header counted: far more than any client of that family sends.
pub const ROOM_REQUEST_BYTES: usize = 4096;
/// The longest datagram, in either direction: as long as a line.
pub const DATAGRAM_BYTES: usize = 4096;
/// Datagrams that are taken from a socket in a turn: a flood of them must not keep anybody waiting.
pub const DATAGRAMS_A_TURN: usize = 64;
/// A member may send a datagram every so many milliseconds in the long run …
pub const DATAGRAM_EVERY_MS: u64 = 20;
/// … and so many at once.
pub const DATAGRAM_BURST: u64 = 100;
/// Datagrams that one system call sends: more would save little, for each costs the kernel as much as ever.
pub const DATAGRAM_BATCH: usize = 64;
/// Datagrams that may wait at a socket for the kernel to take them, and their bytes (a text that many hear counts
/// once); more are dropped.
pub const DATAGRAM_QUEUE: usize = 16_384;
/// See [`DATAGRAM_QUEUE`]: 256 of the longest texts, far more than a turn lets through.
pub const DATAGRAM_QUEUE_BYTES: usize = 1024 * 1024;
/// How often a socket is asked again in a row whose answer was an error.
pub const DATAGRAM_ERRORS: usize = 16;
/// SO_RCVBUF of a datagram socket: for what comes while the loop is at something else.
pub const DATAGRAM_RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
/// The longest password. Argon2 would take more; a line before login would not.
pub const PASSWORD_MAX_BYTES: usize = 128;
/// The longest resume token, in printable ASCII, so that `name token` fits a line before login.
pub const TOKEN_MAX_BYTES: usize = 470;
/// How long a resume token is good for, in seconds: a day, so that a laptop may sleep.
pub const TOKEN_LIFE_S: u64 = 24 * 60 * 60;
/// Descriptors kept back for the log, the account file, the listeners and the refusing of peers.
pub const SPARE_DESCRIPTORS: u64 = 64;
/// Connections that the kernel may hold for a listener. mio's own 128 loses clients in a reconnect storm.
pub const BACKLOG: i32 = 4096;
/// Connections taken from one listener in a turn, so that a storm of them does not starve who is talking.
pub const ACCEPTS_A_TURN: usize = 256;
/// A listener that ran out of descriptors is tried again after this long: promised is 200 ms.
pub const ACCEPT_RETRY_MS: u64 = 100;
/// Commands that a connection may give before the next one in the run queue has its go.
pub const QUANTUM_COMMANDS: usize = 32;
/// Lines and reads that a turn handles before it flushes: keeps a turn to a few milliseconds.
pub const TURN_STEPS: usize = 2048;
/// Bytes that a turn may queue for others before it flushes: shared frames count once, direct messages for each
/// receiver. One turn alone can then never bring a reader that keeps up over the bound on what it owes.
pub const TURN_FRAMES_BYTES: usize = 64 * 1024;
/// How many of those who hear what many hear are written to in a turn; the others wait for the next. One to three
/// milliseconds' worth: a message to ten thousand must not keep two others waiting who talk to each other.
pub const CROWD_A_TURN: usize = 256;
/// The work of a turn, before it flushes: a few milliseconds' worth. Its measure is one frame that is put into an
/// outbox, or one name that is looked through for a list: some 20 ns. The other constants of this name count for as
/// many as take as long; each was measured with 10,000 sessions and as many rooms.
pub const TURN_WORK: usize = 200_000;
/// The work of one connection in the read phase of a turn, with at most one line beyond it. As much as a message to
/// thousands; so a few who ask for what is dear do not take whole turns, one after the other, while others wait.
pub const QUANTUM_WORK: usize = 10_000;
/// How much of that may go into timers, into connections and silences that end, and what their rooms hear of it; the
/// rest is for those who talk …
pub const TURN_WORK_ENDS: usize = TURN_WORK / 2;
/// … some of it to those who come …
pub const TURN_WORK_ACCEPTS: usize = TURN_WORK / 2;
/// … some of it to those who talk by datagrams, for whom a flood is cheap …
pub const TURN_WORK_DATAGRAMS: usize = TURN_WORK / 4;
/// … and never less than this to the others.
pub const TURN_WORK_LINES: usize = TURN_WORK / 4;
/// How many bytes of shared frames the datagrams of a turn may bring forth. The rest is the lines'.
pub const TURN_FRAMES_BYTES_DATAGRAMS: usize = TURN_FRAMES_BYTES / 2;
/// What a datagram that is to be sent counts for in [`TURN_WORK`].
pub const DATAGRAM_WORK: usize = 32;
/// Work of a datagram that came, whatever it says.
pub const DATAGRAM_IN_WORK: usize = 100;
/// Work of a new connection: its socket is accepted, and watched or refused.
pub const ACCEPT_WORK: usize = 500;
/// Work of a connection in the run queue when its turn comes: a read.
pub const RUN_WORK: usize = 100;
/// Work of a connection that is written to at the end of the turn.
pub const WRITE_WORK: usize = 300;
/// Work of a line, whatever it asks for …
pub const LINE_WORK: usize = 10;
/// … with one more for so many of its bytes: each is looked at several times. The bytes of a reply count as much.
pub const WORK_BYTES: usize = 8;
/// Work of a line of a list: a name is found, copied and spelled.
pub const LIST_LINE_WORK: usize = 10;
/// Work of making or checking a resume token: an HMAC.
pub const TOKEN_WORK: usize = 100;
/// Work of a new place in a room: its token is drawn.
pub const PLACE_WORK: usize = 50;
/// Work of a place in a room that ends: it is taken out of several tables …
pub const PLACE_END_WORK: usize = 25;
/// … with one more for so many members of the room, who move up in its list.
pub const WORK_MEMBERS: usize = 8;
/// What a connection counts for that ends: its last line, and several system calls.
pub const END_WORK: usize = 500;
/// What a timer counts for that fires.
pub const TIMER_WORK: usize = 50;
/// A connection that takes bytes may owe so many times `limits.owed_bytes`: what many speakers say in one moment is
/// more than a slow line takes in it.
pub const OWED_TIMES_MOST: usize = 4;
/// A connection takes bytes if it took some within this time. One that takes none slows nobody, and is held to
/// `limits.owed_bytes`.
pub const TOOK_RECENTLY_MS: u64 = 1_000;
/// A connection lags that owes more than this part of `limits.owed_soft_bytes`.
pub const LAG_PART: usize = 4;
/// While one in so many of those a line is for, and more than one, lags and still takes bytes, the line waits: speakers
/// then go as fast as their audience, instead of the audience being closed for listening too slowly.
pub const CROWD_SHARE: usize = 16;
/// Such a line waits at least this long, so that its speaker is not looked at in each turn …
pub const THROTTLE_LEAST_MS: u64 = 5;
/// … and at most this long if it is short: p99 is promised to stay under 50 ms. Nobody who types by hand notices …
pub const THROTTLE_MS: u64 = 40;
/// … and if it is long, as long as it takes at so many bytes a second: half of the default rate, so that hundreds
/// of speakers together are no faster than one line of 20 Mbit/s.
pub const THROTTLE_BYTES_PER_S: u64 = 8192;
/// What a read from a connection asks for, less what the connection holds already: what is read and cannot be
/// carried out yet (a rate, a password under check) is kept, so this bounds what is kept. At least one line.
pub const READ_BYTES: usize = 4096;
/// `limits.line_bytes` as shipped, with the line's end: the longest line that clients count on.
pub const LINE_BYTES: u32 = 4096;
/// The largest `limits.line_bytes` that may be configured: half of [`DISCARD_BYTES`], so that a line that is too long
/// can still be told from one that never ends. The loop reads into a buffer of twice this size.
pub const LINE_BYTES_MOST: usize = 32 * 1024;
/// A page of shared frames that some slow reader still refers to is left to it at this size.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Closed pages are searched for those of which little is still owed when they take more than this part of
/// `limits.owed_total_bytes`, and again whenever they have doubled.
pub const PACK_PART: u64 = 16;
/// When all together owe more than `limits.owed_total_bytes`, connections are closed until they owe less by this part,
/// so that ranking them all is worth its time.
pub const DEBT_RELIEF_PART: u64 = 16;
/// How long a closing connection may take in all, to hear its last line and to stop talking, before it is reset. One
/// that has left by itself has this long since it last took bytes.
pub const FAREWELL_MS: u64 = 5_000;
/// How long a client that has left by itself (EX, end of stream) and takes no bytes is still owed some, for somebody
/// may be paging through the output of `nc`.
pub const LEAVE_MS: u64 = 60_000;
/// How long a client that has been told its last line may keep its own side open before it is reset. Clients that
/// wait for their user at that point (`nc` does) then end with the server.
pub const LINGER_MS: u64 = 2_000;
/// How long a shutdown may take to tell everybody: longer than a farewell, and so short that with what follows (the
/// accounts, the last lines of the log) it stays under the promised 10 s.
pub const SHUTDOWN_MS: u64 = 6_000;
/// How long the end of the server waits for a password that is being hashed, or a change that is on its way to disk.
pub const ACCOUNTS_CLOSE_MS: u64 = 2_000;
/// What a peer is told to wait before it tries a server again that is being restarted, in seconds.
pub const SHUTDOWN_RETRY_S: u32 = 2;
/// What a peer is told to wait when the password queue is full, in seconds.
pub const BUSY_RETRY_S: u32 = 2;
/// How long a connection is not read after a 450 before login. Such lines count towards no limit, so a client that
/// repeats them as fast as they are answered would keep the loop busy.
pub const BUSY_HOLD_MS: u64 = 1_000;
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
/// So many connections are a crowd: when half of them are gone …
pub const CROWD_LEAST: usize = 64;
/// … for this long, what they have needed is given back. It takes milliseconds, so not at each who goes.
pub const CROWD_GONE_MS: u64 = 1_000;
/// So many faults of the server's own (panics) …
pub const FAULTS: usize = 10;
/// … in this time are no accident: the process ends, for a sound one to be started.
pub const FAULTS_WINDOW_MS: u64 = 60_000;
/// Log lines that may wait for the writer; more are counted and dropped, for a slow disk must not stop the loop.
pub const LOG_LINES: usize = 4096;
/// Log lines that a peer can cause are counted in windows of so many milliseconds: a line a minute is little, and soon
/// enough for whoever reads it.
pub const LOG_WINDOW_MS: u64 = 60_000;
/// Windows at once, of a subject and an address (or network) each. Some 30 MB of log a day if all of them are always
/// full.
pub const LOG_WINDOWS: usize = 256;
/// How many of them single addresses of one network may have, for one subject: the others are counted together.
pub const LOG_OF_NETWORK: usize = 8;
/// Lines that a window lets through where each names an account: enough to see who was concerned.
pub const LOG_LINES_EACH: u32 = 8;
/// Lines that a window lets through at the level `debug`, which is asked for to see everything.
pub const LOG_LINES_EACH_DEBUG: u32 = 64;
/// Addresses remembered for per-address rules, and networks. A full table forgets whom it holds nothing against first.
pub const ADDRESSES: usize = 65_536;
/// An IPv6 address counts as its network of so many bits, which is what one subscriber gets.
pub const PARTY_BITS_V6: u32 = 64;
/// Networks have bounds too, for one subscriber may have thousands of such. An IPv6 network has so many bits, which is
/// what one site gets …
pub const NETWORK_BITS_V6: u32 = 48;
/// … and an IPv4 network so many.
pub const NETWORK_BITS_V4: u32 = 24;
/// How many times the bounds of an address a network has, for connections, new ones and guests. By default half of
/// `limits.silent`: one network alone has nobody else refused.
pub const NETWORK_TIMES: u32 = 8;
/// How long the rule `limits.new_per_address` looks back, in seconds.
pub const NEW_WINDOW_S: u64 = 600;
/// Each wrong password adds this much to its address's penalty, in seconds …
pub const PENALTY_STEP_S: u64 = 5;
/// … from this much on the address is refused …
pub const PENALTY_REFUSED_S: u64 = 15;
/// … and it never grows beyond this much: ten minutes.
pub const PENALTY_MOST_S: u64 = 600;

/// Wrong passwords of rooms that an account or a guest's address may give in [`ROOM_GUESSES_WINDOW_MS`]: more than
/// anybody mistypes, and far too few to guess a word.
pub const ROOM_GUESSES: usize = 10;
/// See [`ROOM_GUESSES`]: ten minutes.
pub const ROOM_GUESSES_WINDOW_MS: u64 = 600_000;
/// Accounts and addresses whose wrong passwords of rooms are remembered, each in some 250 bytes. Whichever has been quiet
/// for longest is forgotten first.
pub const ROOM_GUESSERS: usize = 16_384;

/// `[limits]`: connections, lines, what may be owed, rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Apply the per-address rules to loopback too (tests do).
    pub include_loopback: bool,
    /// Connections at once. Each costs about 1 KiB here and up to 200 KiB in the kernel.
    pub connections: u32,
    /// Connections of one address at once: a household behind one address.
    pub per_address: u32,
    /// New connections of one address in [`NEW_WINDOW_S`].
    pub new_per_address: u32,
    /// Connections that never sent a line: from here on new ones are dropped at random …
    pub silent: u32,
    /// … and from here on all of them.
    pub silent_most: u32,
    /// A line of a client, with its CR and LF.
    pub line_bytes: u32,
    /// Seconds in which a begun line must end.
    pub line_s: u32,
    /// What a connection may owe at most: a reader this far behind is not reading.
    pub owed_bytes: u32,
    /// What a connection may owe for long …
    pub owed_soft_bytes: u32,
    /// … which is this many seconds.
    pub owed_soft_s: u32,
    /// What all connections may owe together; pages that they share count once.
    pub owed_total_bytes: u64,
    /// SO_SNDBUF of a connection; 0 leaves it to the kernel, which takes megabytes for a stalled client.
    pub send_buffer_bytes: u32,
    /// Lines a second that a user may send in the long run; 0 lifts the rule.
    pub rate_lines_per_s: u32,
    /// Lines that a user may send at once.
    pub rate_burst: u32,
    /// Bytes a second that a user may send, one second's worth at once; 0 lifts the rule.
    pub rate_bytes_per_s: u32,
    /// Lines that a list shows at most.
    pub list_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            include_loopback: false,
            connections: 10_000,
            per_address: 16,
            new_per_address: 32,
            silent: 256,
            silent_most: 1024,
            line_bytes: LINE_BYTES,
            line_s: 30,
            owed_bytes: 256 * 1024,
            owed_soft_bytes: 64 * 1024,
            owed_soft_s: 10,
            owed_total_bytes: 256 * 1024 * 1024,
            send_buffer_bytes: 64 * 1024,
            rate_lines_per_s: 10,
            rate_burst: 40,
            rate_bytes_per_s: 16 * 1024,
            list_lines: 200,
        }
    }
}

/// `[login]`: how long and how often somebody may try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Seconds from connecting to being logged in.
    pub deadline_s: u32,
    /// Wrong passwords (and refused tokens) that close a connection.
    pub failures: u32,
    /// A wrong password is answered this many milliseconds after it was sent, so that guessing is slow.
    pub failure_delay_ms: u32,
    /// Whether failures also count against the peer's address.
    pub penalties: bool,
}

impl Default for Login {
    fn default() -> Self {
        Self { deadline_s: 60, failures: 3, failure_delay_ms: 2000, penalties: true }
    }
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody who picks a free name and a password.
    Open,
    /// Nobody; an unknown name is treated as a wrong password is.
    Closed,
}

/// `[accounts] argon2`: what one password check costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Argon2Cost {
    /// Memory in KiB, at least 8 a lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub iterations: u32,
    /// Lanes, at least 1.
    pub parallelism: u32,
}

impl Default for Argon2Cost {
    /// OWASP's recommendation for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

/// `[accounts]`, without the file's place: who may have one, and what a password costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accounts {
    /// Who may make an account.
    pub registration: Registration,
    /// How many accounts there may be; the operator may add more. Each takes some 130 bytes of the file and 300 of memory.
    pub most: u32,
    /// The shortest password that may be chosen.
    pub password_min_bytes: u32,
    /// How often one account may be logged in at once.
    pub sessions_per_account: u32,
    /// What one password check costs.
    pub argon2: Argon2Cost,
    /// Passwords that may wait to be checked.
    pub queue: u32,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            registration: Registration::Open,
            most: 100_000,
            password_min_bytes: 8,
            sessions_per_account: 4,
            argon2: Argon2Cost::default(),
            queue: 64,
        }
    }
}

/// `[rooms]`: how many, how large, and how long silence may last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rooms {
    /// Rooms that a session may be in at once.
    pub per_session: u32,
    /// Members that a room may have.
    pub members: u32,
    /// Seconds after which a silent guest of the room door is let go.
    pub guest_idle_s: u32,
    /// Seconds after which a member who sends no datagrams gets its messages by TCP again.
    pub datagram_idle_s: u32,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { per_session: 32, members: 10_000, guest_idle_s: 300, datagram_idle_s: 60 }
    }
}
