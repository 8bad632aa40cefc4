//! The turn of the loop, and the work that each task counts as.

/// Connections accepted from one listener in a turn, so that a connection storm does not starve the others.
pub const ACCEPTS_A_TURN: usize = 256;
/// Datagrams received from one socket in a turn, so that a flood delays nobody.
pub const DATAGRAMS_A_TURN: usize = 64;
/// Commands of one connection before the next one in the run queue is served.
pub const QUANTUM_COMMANDS: usize = 32;
/// Lines and reads that a turn handles before it flushes. Keeps a turn to a few milliseconds.
pub const TURN_STEPS: usize = 2048;
/// Bytes that a turn may queue before it flushes. Shared frames count once, direct messages once for each receiver. One
/// turn can then never push a client that keeps up over its bound.
pub const TURN_FRAMES_BYTES: usize = 64 * 1024;
/// Bytes of shared frames that the datagrams of a turn may queue. The rest is reserved for lines.
pub const TURN_FRAMES_BYTES_DATAGRAMS: usize = TURN_FRAMES_BYTES / 2;
/// Bytes of answers of the history that a turn takes. The rest waits for the next turn, so that thousands who ask for pages
/// at once delay nobody else.
pub const ANSWER_BYTES_A_TURN: usize = 2 * TURN_FRAMES_BYTES;
/// Receivers of broadcasts that are flushed in a turn; the others wait for the next. Between two turns the loop reads, so
/// two people who talk to each other do not wait for ten thousand writes, and receivers that are flushed later get what
/// came meanwhile in the same write. Measured: with 256, a public message in a stream of them costs a fifth more.
pub const BROADCASTS_A_TURN: usize = 64;
/// Bytes that a turn writes before it leaves the remaining receivers of broadcasts to the next turn: about a millisecond
/// of copying into the kernel. Only long frames, or many at once, reach it.
pub const BROADCAST_BYTES_A_TURN: usize = 1024 * 1024;
/// Work of a public message: it is encoded and appended to the log. Its receivers cost as they are flushed.
pub const PUBLIC_WORK: usize = 50;
/// Work that a turn does before it flushes: a few milliseconds. The unit is putting one frame into an outbox, or
/// examining one name for a list, some 20 ns. The other `_WORK` constants are in this unit; each was measured with
/// 10,000 sessions and as many rooms.
pub const TURN_WORK: usize = 200_000;
/// Work of one connection in the read phase of a turn, exceeded by one line at most. It allows a message to thousands,
/// but a few clients with expensive requests cannot take whole turns.
pub const QUANTUM_WORK: usize = 10_000;
/// Work of a turn that may go into timers, into connections and guests that end, and into telling their rooms.
pub const TURN_WORK_ENDS: usize = TURN_WORK / 2;
/// Work of a turn that may go into new connections.
pub const TURN_WORK_ACCEPTS: usize = TURN_WORK / 2;
/// Work of a turn that may go into datagrams: a flood of them is cheap for the sender.
pub const TURN_WORK_DATAGRAMS: usize = TURN_WORK / 4;
/// Work of a turn that may go into connections before their greeting: a dozen handshakes, a millisecond.
pub const TURN_WORK_ENTERING: usize = TURN_WORK / 4;
/// Work of a turn that is always left for lines.
pub const TURN_WORK_LINES: usize = TURN_WORK / 4;
/// Accepting a connection, and registering or refusing it.
pub const ACCEPT_WORK: usize = 500;
/// Looking for more input in the middle of a turn: a poll that does not wait.
pub const LOOK_WORK: usize = 100;
/// Serving a connection in the run queue: a read.
pub const RUN_WORK: usize = 100;
/// Writing to a connection at the end of the turn.
pub const WRITE_WORK: usize = 300;
/// Handling a line, whatever it asks for.
pub const LINE_WORK: usize = 10;
/// Bytes of a line or a reply that count as one unit of work: each byte is examined several times.
pub const WORK_BYTES: usize = 8;
/// Bytes of an answer of the IRC door that count as one unit of work: it is put together word by word, line by line, and a
/// label has it put together once more.
pub const IRC_WORK_BYTES: usize = 2;
/// One line of a list: a name is found, copied and encoded.
pub const LIST_LINE_WORK: usize = 10;
/// Making or checking a resume token: an HMAC.
pub const TOKEN_WORK: usize = 100;
/// Receiving a datagram, whatever it says.
pub const DATAGRAM_IN_WORK: usize = 100;
/// Sending a datagram.
pub const DATAGRAM_WORK: usize = 32;
/// Adding a member to a room, with a new token.
pub const PLACE_WORK: usize = 50;
/// Removing a member from a room, that is, from several tables; or beginning or ending a watch.
pub const PLACE_END_WORK: usize = 25;
/// Members of a room that count as one unit of work when one of them leaves, because the list behind it shifts.
pub const WORK_MEMBERS: usize = 8;
/// Ending a connection: its last line, and several system calls.
pub const END_WORK: usize = 500;
/// A timer that fires.
pub const TIMER_WORK: usize = 50;
