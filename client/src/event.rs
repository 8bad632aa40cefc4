//! What the threads tell the main one.

use std::net::TcpStream;

use super::action::Secret;

/// What has happened outside of the main thread.
pub(super) enum Event {
    /// On the connection of this number.
    Link(u64, Link),
    /// At the keyboard, or on standard input.
    Key(Key),
    /// Keys that are no text were not taken. The line goes on.
    BadKey,
    /// Nobody reads standard output any more.
    ReaderGone,
}

/// What the thread of a connection says.
pub(super) enum Link {
    /// It stands; this is to be written to, without waiting.
    Connected(TcpStream),
    /// The server has sent this; never empty.
    Bytes(Vec<u8>),
    /// It could not be made, or is over, and why. Nothing follows.
    Gone(String),
}

/// The answer of the keyboard: one for each question.
pub(super) enum Key {
    /// A line.
    Line(String),
    /// A line of standard input that cannot be used, and why.
    BadLine(&'static str),
    /// A secret, or the user's refusal.
    Secret(Option<Secret>),
    /// There is no secret to be had, and why: a person is not to be asked.
    NoSecret(String),
    /// The input has ended, or Ctrl-C was pressed with nothing typed.
    End,
    /// It was interrupted, and this stood in the line that was edited.
    Interrupted(String),
    /// Standard input cannot be read any more, and why: for the rest it is as if it had ended.
    Broken(String),
    /// It cannot be read, and why: nothing can go on.
    Failed(String),
}
