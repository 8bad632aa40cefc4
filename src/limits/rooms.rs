//! The room door and the passwords of rooms.

/// The longest request at the room door, its header counted: far more than any client of that family sends.
pub const ROOM_REQUEST_BYTES: usize = 4096;
/// Wrong passwords of rooms that an account or a guest's address may give in [`ROOM_GUESSES_WINDOW_MS`]: more than
/// anybody mistypes, and far too few to guess a word.
pub const ROOM_GUESSES: usize = 10;
/// See [`ROOM_GUESSES`]: ten minutes.
pub const ROOM_GUESSES_WINDOW_MS: u64 = 600_000;
/// Accounts and addresses whose wrong passwords of rooms are remembered, each in some 250 bytes. Whichever has been quiet
/// for longest is forgotten first.
pub const ROOM_GUESSERS: usize = 16_384;
