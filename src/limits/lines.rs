//! Names, lines and reads.

/// The longest user name. Longer ones would make lists hard to read.
pub const NAME_BYTES: usize = 32;
/// The longest name of a room or a guest, in characters of NFC: as long as a user name, in any script.
pub const NAME_CHARS: usize = 32;
/// The longest line before login, with its CR and LF: a name with a resume token, or a password.
pub const LOGIN_LINE_BYTES: usize = 512;
/// The default of `limits.line_bytes`, with the line's end. Clients rely on this length.
pub const LINE_BYTES: u32 = 4096;
/// The largest allowed `limits.line_bytes`: half of [`DISCARD_BYTES`], so that a line that is too long can be told from
/// one that never ends. The loop's read buffer is twice this size.
pub const LINE_BYTES_MOST: usize = 32 * 1024;
/// Bytes of one line that are discarded while waiting for its LF. After that the connection is closed.
pub const DISCARD_BYTES: usize = 64 * 1024;
/// Lines answered 500 or 501 after which the connection is closed. Nobody mistypes that many.
pub const BAD_LINES: u8 = 100;
/// The size of a read, less what the connection already holds. Input that cannot be handled yet (because of a rate, or
/// a password check) is kept, so this bounds what is kept. At least one line is read.
pub const READ_BYTES: usize = 4096;
