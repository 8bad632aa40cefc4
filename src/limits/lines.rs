//! Names, lines and reads.

/// The longest user name. Long enough for anybody's, short enough for a list to be read.
pub const NAME_BYTES: usize = 32;
/// The longest name of a room or a guest, in characters (of NFC): as long as a user's, in any script.
pub const NAME_CHARS: usize = 32;
/// The longest line before login, with its CR and LF: a name with a resume token, or a password.
pub const LOGIN_LINE_BYTES: usize = 512;
/// `limits.line_bytes` as shipped, with the line's end: the longest line that clients count on.
pub const LINE_BYTES: u32 = 4096;
/// The largest `limits.line_bytes` that may be configured: half of [`DISCARD_BYTES`], so that a line that is too long
/// can still be told from one that never ends. The loop reads into a buffer of twice this size.
pub const LINE_BYTES_MOST: usize = 32 * 1024;
/// Bytes of one line that are discarded, waiting for its LF, before the connection is closed.
pub const DISCARD_BYTES: usize = 64 * 1024;
/// Lines answered 500 or 501 before the connection is closed: nobody types that many by mistake.
pub const BAD_LINES: u8 = 100;
/// What a read from a connection asks for, less what the connection holds already: what is read and cannot be
/// carried out yet (a rate, a password under check) is kept, so this bounds what is kept. At least one line.
pub const READ_BYTES: usize = 4096;
