//! The room door, and room passwords.

/// The longest request at the room door, with its header: far more than its clients send.
pub const ROOM_REQUEST_BYTES: usize = 4096;
/// Wrong room passwords that an account, or the address of a guest, may give in [`ROOM_GUESSES_WINDOW_MS`]: more than
/// anybody mistypes, and far too few to guess a word.
pub const ROOM_GUESSES: usize = 10;
/// The window of [`ROOM_GUESSES`]: ten minutes.
pub const ROOM_GUESSES_WINDOW_MS: u64 = 600_000;
/// Accounts and addresses whose wrong room passwords are remembered, at some 250 bytes each. The one that has been
/// quiet for longest is forgotten first.
pub const ROOM_GUESSERS: usize = 16_384;
