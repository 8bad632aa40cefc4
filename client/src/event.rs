//! Events from the other threads to the main thread.

use super::action::{Doubt, Secret};
use super::stream::Sender;

/// An event from another thread.
pub(super) enum Event {
    /// From the connection with this number.
    Link(u64, Link),
    /// From the keyboard or standard input.
    Key(Key),
    /// Keys that are not text were ignored. The line goes on.
    BadKey,
    /// The program of `--notify-command` has failed for the first time, and why.
    NotNotified(String),
    /// Standard output has no reader any more.
    ReaderGone,
}

/// An event from the thread of a connection.
pub(super) enum Link {
    /// The connection is established, and with TLS, the server is proven. This is the end that writes.
    Connected(Sender),
    /// The server is not proven. Nothing was sent, and nothing follows.
    Unproven(Doubt),
    /// Bytes from the server; never empty.
    Bytes(Vec<u8>),
    /// The connection failed or is over. The text says why, and nothing follows.
    Gone(String),
}

/// The answer of the keyboard thread; one for each request.
pub(super) enum Key {
    /// A line.
    Line(String),
    /// A line of standard input that cannot be used, and why.
    BadLine(&'static str),
    /// A secret; `None` if the user declined.
    Secret(Option<Secret>),
    /// There is no secret, and the text says why. A person must not be asked.
    NoSecret(String),
    /// The text that the user has edited, or why there is none.
    Edited(Result<String, String>),
    /// Ctrl-C was pressed on an empty line.
    Cancel,
    /// The input ended.
    End,
    /// The line was interrupted; this was its content.
    Interrupted(String),
    /// Standard input cannot be read any more, and why. It counts as ended.
    Broken(String),
    /// It cannot be read, and why. The client cannot go on.
    Failed(String),
}
