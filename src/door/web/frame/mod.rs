//! WebSocket frames (RFC 6455): those of clients to messages, messages to frames. Nothing is allocated for a frame that
//! comes whole.

mod head;
mod input;
mod output;
#[cfg(test)]
mod tests;

use head::Head;
pub use input::{Frames, Next};
pub use output::{Sent, encode_close, encode_ping, encode_pong, wrap_lines};

/// The longest head of a client's frame, in bytes.
pub const CLIENT_HEAD_BYTES: usize = 14;
/// The bit of the last frame of a message.
const FINAL: u8 = 0x80;
/// The longest payload of a control frame, in bytes.
const CONTROL_BYTES: usize = 125;

/// The kinds of frames.
mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xa;
}

/// Why a connection closes, as a number of RFC 6455, section 7.4.
pub mod code {
    /// The conversation is over.
    pub const NORMAL: u16 = 1000;
    /// The server is going away.
    pub const GOING_AWAY: u16 = 1001;
    /// The frames break the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A message is not text.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text is no UTF-8.
    pub const NOT_TEXT: u16 = 1007;
    /// The client has broken a rule.
    pub const POLICY: u16 = 1008;
    /// A message is too long.
    pub const TOO_BIG: u16 = 1009;
    /// An error of the server.
    pub const INTERNAL: u16 = 1011;
    /// The server restarts.
    pub const RESTART: u16 = 1012;
    /// The server is overloaded.
    pub const TRY_LATER: u16 = 1013;
}
