//! The IRC door.

/// The longest line without its tags, with its CR and LF (RFC 1459, 2.3), in either direction.
pub const IRC_LINE_BYTES: usize = 512;
/// The longest tags of a client's line, from the `@` to the space behind them (IRCv3, message-tags).
pub const IRC_TAGS_BYTES: usize = 4096;
/// The longest line of a client who has logged in, tags and all, with its CR and LF.
pub const IRC_FRAME_BYTES: usize = IRC_TAGS_BYTES + IRC_LINE_BYTES;
/// Parameters of a line; the last one takes the rest (RFC 1459, 2.3.1).
pub const IRC_PARAMETERS: usize = 15;
/// The longest label of a line (IRCv3, labeled-response).
pub const IRC_LABEL_BYTES: usize = 64;
/// The longest name of the server: two of it stand in a line beside the longest nick and room, and leave room for a text.
pub const IRC_SERVER_BYTES: usize = 63;
/// The longest name of the network: it stands in a line of `005` beside twelve other tokens.
pub const IRC_NETWORK_BYTES: usize = 32;
/// Lines of the message of the day: a screenful and more, which a client gets unasked.
pub const IRC_MOTD_LINES: usize = 64;
/// The longest line of the message of the day, in bytes: it stands behind the longest names of a server and a nick.
pub const IRC_MOTD_LINE_BYTES: usize = 256;
/// Receivers of one PRIVMSG or NOTICE, and users of one KICK.
pub const IRC_TARGETS: usize = 4;
/// Channels of one JOIN or PART. A line of 512 bytes can name more, and each is an entry into a room.
pub const IRC_CHANNELS: usize = 32;
/// The longest chunk of AUTHENTICATE, in bytes of base64 (IRCv3, SASL).
pub const IRC_SASL_CHUNK_BYTES: usize = 400;
/// The longest message of SASL in bytes of base64, of all chunks: three names and a password take less.
pub const IRC_SASL_BYTES: usize = 1024;
/// The longest realname of USER, in bytes: as a display name of a profile.
pub const IRC_REALNAME_BYTES: usize = super::PROFILE_NAME_BYTES;
/// The longest reason of KICK, PART and QUIT, in bytes: it stands behind a source, a room and a name in one line.
pub const IRC_REASON_BYTES: usize = 200;
/// Messages in an answer to CHATHISTORY.
pub const IRC_HISTORY_MESSAGES: u32 = 50;
/// The default of `irc.names`: names in an answer to NAMES and WHO.
pub const IRC_NAMES: u32 = 2000;
