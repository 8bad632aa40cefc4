//! The session's inputs and outputs.

use chatd::text::is_same_name;
use zeroize::Zeroizing;

pub use chatd::secret::Secret;

use super::fingerprint::Fingerprint;

/// The current time, as passed to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds on a monotonic clock with an arbitrary origin.
    pub monotonic_ms: u64,
    /// Milliseconds of Unix time.
    pub unix_ms: u64,
}

/// An event for the session.
#[derive(Debug)]
pub enum Input<'a> {
    /// The token stored for the server at this index, read again before connecting: another client of the same user may
    /// have stored a newer one.
    Token(usize, Secret),
    /// The connection asked for by [`Action::Connect`] is established, and with TLS, the server is proven.
    Connected,
    /// The server answered, but could not be proven. Nothing was sent to it, and there is no connection.
    Unproven(Doubt),
    /// Bytes from the server, cut at any place.
    Bytes(&'a [u8]),
    /// The connection could not be established, or is over. The text says why.
    Disconnected(&'a str),
    /// The user entered a line: the answer to [`Action::AskLine`]. A paste may contain several, separated by line ends.
    /// A line that was not asked for waits until it can be executed.
    Line(&'a str),
    /// Like [`Input::Line`], but for a line of a script that cannot be used. The text says why.
    BadLine(&'a str),
    /// The answer to [`Action::AskSecret`]; `None` if the user declined.
    Secret(Option<Secret>),
    /// The answer to [`Action::Edit`]: the text, or why there is none.
    Edited(Result<&'a str, &'a str>),
    /// The user pressed Ctrl-C on an empty line.
    Cancel,
    /// The input ended (end of file, Ctrl-D). Lines entered before are still executed.
    End,
    /// Nobody reads the output any more. Messages already sent may still be confirmed, but nothing else is done.
    Unheard,
    /// The process should end: SIGTERM, SIGHUP, and SIGINT where no lines are edited.
    Terminated,
    /// Time has passed: run what is due. See `Session::deadline`.
    Tick,
}

/// Something for the caller to do, in this order.
#[derive(Debug)]
pub enum Action {
    /// Connect to the server at this index. The result is `Connected`, `Unproven` or `Disconnected`; [`Input::Token`] may come
    /// before it.
    Connect(usize),
    /// Close the connection, or stop connecting. Pending output is sent first, as far as that does not block. No
    /// `Disconnected` follows.
    Disconnect,
    /// Send these bytes to the server. They may hold a secret, so they are wiped.
    Send(Zeroizing<Vec<u8>>),
    /// Call the user: what is shown next is why.
    Call(Call),
    /// Show this.
    Show(Shown),
    /// Show this part of a page that the user asked for. It may have been shown before, so no log takes it.
    ShowPage(Shown),
    /// The last entered line is a message that will be shown when it is confirmed or refused. Erase it from the screen.
    EraseLine,
    /// Read a line with this prompt. At most one line is asked for at a time. The request outlives a lost connection.
    AskLine(String),
    /// Like [`Action::AskLine`], for the answer to a question. The history keeps the line only if it is not an answer.
    AskAnswer(String),
    /// Discard what has been typed and not read: the question that follows must not be answered by it.
    DropTyped,
    /// Like [`Action::AskAnswer`], for the answer to whether a server is trusted. The history does not keep it.
    AskTrust(String),
    /// Let the user edit this text in an editor of theirs. Until it ends, nothing else is asked for.
    Edit(String),
    /// The prompt of the current line has changed. It may be redrawn at once or later.
    Prompt(String),
    /// Read a secret, without echo or history. At most one is asked for at a time, and never together with a line if a
    /// person types both.
    AskSecret(Wanted),
    /// Store this resume token for the server at this index, replacing an older one.
    KeepToken(usize, Secret),
    /// This token for the server at this index is no longer valid. A different one may be stored by now.
    ForgetToken(usize, Secret),
    /// Everything up to this message id of the server at this index has been shown: store that, also for the next runs.
    /// Given at most once a second, and at the end.
    KeepSeen(usize, u64),
    /// Where the user is has changed: store that for the next runs, for all servers of this one.
    KeepPlaces(Places),
    /// The user trusts the server at this index if it has this key: store that, also for the next runs.
    TrustKey(usize, Fingerprint),
    /// Restore the terminal and exit with this code. Nothing follows.
    Leave(u8),
}

/// The rooms that a user is in, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// All of them.
    pub rooms: Vec<String>,
    /// The one in which the user talks; `None` for everybody.
    pub here: Option<String>,
}

/// Why a server that speaks TLS is not proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Its certificate is not trusted, and nothing is known of its key.
    Unknown {
        /// The key.
        key: Fingerprint,
        /// What is wrong with the certificate, for people.
        why: String,
    },
    /// Its certificate is not trusted, and its key is not the one that a person has accepted.
    Changed {
        /// The key.
        key: Fingerprint,
        /// The key that was accepted.
        known: Fingerprint,
        /// The server, as its key is kept: `host:port`.
        place: String,
    },
    /// Its key is none of those that count.
    NotPinned {
        /// The key.
        key: Fingerprint,
    },
}

/// Which secret is asked for, with the number of the attempt, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The password of an existing account, to log in.
    Password(u32),
    /// The password for a new account.
    NewPassword(u32),
    /// The current password, before it is changed.
    OldPassword(u32),
    /// The new password.
    NextPassword(u32),
    /// The new password again, as a check. Only people are asked for it, even if a script writes their lines.
    NewPasswordAgain,
}

/// Something to show. The view decides how: plain lines, colours or JSON.
///
/// All text is as the server or the user sent it; the view makes control characters visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A message. The user's own messages are shown once the server has confirmed them.
    Message(Message),
    /// Something is missing in what was said in a place.
    Hole(Hole),
    /// The lines below are new to the user.
    New,
    /// A line of a reply that the user asked for: a list, help, a refusal.
    Reply {
        /// The code, such as 211.
        code: u16,
        /// Whether more lines of the same reply follow.
        more: bool,
        /// The text after the code.
        text: String,
    },
    /// A notice from the server (1xx), such as somebody entering a room.
    Notice {
        /// The code, such as 103.
        code: u16,
        /// The text after the code.
        text: String,
    },
    /// A message from the client itself, about the connection, lost messages or the usage of a command.
    Status(Status),
}

/// A message with its sender and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The recipients.
    pub place: Place,
    /// The sender.
    pub from: String,
    /// The text.
    pub text: String,
    /// The server's message id; `id >> 20` is its time in milliseconds of Unix time. The user's own messages have one
    /// if the server has told it.
    pub id: Option<u64>,
    /// When it was sent or confirmed, in milliseconds of Unix time.
    pub unix_ms: u64,
    /// For the user's own messages, the server's confirmation, such as `sent to 3`.
    pub confirmed: Option<String>,
    /// Whether it is highlighted: a direct message to the user, or one that mentions the user's name.
    pub stands_out: bool,
    /// Whether the user has said it.
    pub is_own: bool,
    /// Whether it was said before it was asked for: it is from the history.
    pub is_past: bool,
}

/// Before the text of a message that says what its sender does.
const ACT: &str = "/me ";

/// The text of a message that says what its sender does: `waves`.
pub fn acted(what: &str) -> String {
    format!("{ACT}{what}")
}

/// What the sender of a text does, if the text says that: `waves`, of `/me waves`.
pub fn act_of(text: &str) -> Option<&str> {
    let (start, what) = text.split_at_checked(ACT.len())?;
    (start.eq_ignore_ascii_case(ACT) && !what.trim().is_empty()).then_some(what)
}

/// Why the user is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A live message.
    Said(Message),
    /// What was missed, all of it.
    Missed {
        /// The number of unread messages.
        count: usize,
        /// Those that are for the user.
        for_user: usize,
        /// The newest that calls, if it is among what is shown.
        newest: Option<Message>,
    },
}

/// Messages of a place that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The place.
    pub place: Place,
    /// The server's id for it; `id >> 20` is its time in milliseconds of Unix time.
    pub id: u64,
    /// How much is missing and why.
    pub text: String,
}

/// Where a message is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// To everybody.
    #[default]
    Public,
    /// In a room.
    Room(String),
    /// To one person. `with` is the other party, in both directions.
    Direct {
        /// The other party.
        with: String,
    },
}

/// Whether two places are the same, in any case of their letters.
pub fn is_same_place(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Public, Place::Public) => true,
        (Place::Room(one), Place::Room(other)) => is_same_name(one, other),
        (Place::Direct { with: one }, Place::Direct { with: other }) => is_same_name(one, other),
        (Place::Public | Place::Room(_) | Place::Direct { .. }, _) => false,
    }
}

/// A line from the client itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its importance.
    pub weight: Weight,
    /// A stable word for programs, such as `connected`, `lost`, `closed`, `unconfirmed`, `usage`.
    pub kind: &'static str,
    /// A sentence for people.
    pub text: String,
}

/// The importance of a line from the client itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Information.
    Note,
    /// Something failed or was lost.
    Trouble,
}
