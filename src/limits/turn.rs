//! One turn of the loop, and the work that each thing counts for.

/// Connections taken from one listener in a turn, so that a storm of them does not starve who is talking.
pub const ACCEPTS_A_TURN: usize = 256;
/// Datagrams that are taken from a socket in a turn: a flood of them must not keep anybody waiting.
pub const DATAGRAMS_A_TURN: usize = 64;
/// Commands that a connection may give before the next one in the run queue has its go.
pub const QUANTUM_COMMANDS: usize = 32;
/// Lines and reads that a turn handles before it flushes: keeps a turn to a few milliseconds.
pub const TURN_STEPS: usize = 2048;
/// Bytes that a turn may queue for others before it flushes: shared frames count once, direct messages for each
/// receiver. One turn alone can then never bring a reader that keeps up over the bound on what it owes.
pub const TURN_FRAMES_BYTES: usize = 64 * 1024;
/// How many bytes of shared frames the datagrams of a turn may bring forth. The rest is the lines'.
pub const TURN_FRAMES_BYTES_DATAGRAMS: usize = TURN_FRAMES_BYTES / 2;
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
/// Work of a datagram that came, whatever it says.
pub const DATAGRAM_IN_WORK: usize = 100;
/// What a datagram that is to be sent counts for in [`TURN_WORK`].
pub const DATAGRAM_WORK: usize = 32;
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
