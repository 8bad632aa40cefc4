//! What goes into the session, and what it wants done.

use zeroize::Zeroizing;

pub use chatd::secret::Secret;

/// The time, as the session is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds on a clock that is never set; where it begins means nothing.
    pub monotonic_ms: u64,
    /// Milliseconds of Unix time.
    pub unix_ms: u64,
}

/// Something that has happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// This is the token that is kept now for the server with this place in the list: another client of the user may
    /// have a newer one.
    Token(usize, Secret),
    /// The connection that [`Action::Connect`] asked for is there.
    Connected,
    /// The server has sent these bytes, cut anywhere.
    Bytes(&'a [u8]),
    /// The connection could not be made, or is over; why, in a few words.
    Disconnected(&'a str),
    /// The user has entered a line: the answer to [`Action::AskLine`]. A person may enter several at once, with line
    /// ends between them. A line that comes unasked waits until it can be carried out.
    Line(&'a str),
    /// The same for a line of a script that cannot be used, and why.
    BadLine(&'a str),
    /// The answer to [`Action::AskSecret`]; `None` when the user did not want to.
    Secret(Option<Secret>),
    /// The input has ended (end of file, Ctrl-D), or the user has interrupted (Ctrl-C) with nothing typed. What was
    /// entered before is still carried out.
    End,
    /// Nobody reads any more what is shown: what was said may still be confirmed, and that is all.
    Unheard,
    /// Somebody wants the client to end: SIGTERM, SIGHUP, and SIGINT where no lines are edited.
    Terminated,
    /// Time has passed: what was due by now is to be done. See `Session::deadline`.
    Tick,
}

/// Something that is to be done, in the order in which it came.
#[derive(Debug)]
pub enum Action {
    /// Connect to the server of this number in the list of servers; answered by `Connected` or `Disconnected`, before
    /// which [`Input::Token`] may come.
    Connect(usize),
    /// Close the connection, or give up making one. What is to be sent is sent before, as far as that takes no waiting.
    /// No `Disconnected` follows.
    Disconnect,
    /// Send this to the server. It may hold a secret, so it is wiped.
    Send(Zeroizing<Vec<u8>>),
    /// Show this.
    Show(Shown),
    /// The line that the user has entered last is said, and comes back when it is confirmed or refused: it is not to
    /// stay on the screen as it was typed.
    EraseLine,
    /// Read a line with this prompt; at most one is asked for at a time. It stays asked for while the connection is
    /// lost and made again.
    AskLine(String),
    /// The same for the answer to a question. Only what is no answer to it is for the history.
    AskAnswer(String),
    /// The prompt of the line that is being read is another now. It may be drawn anew, or be left as it is for
    /// a while.
    Prompt(String),
    /// Read something secret, without echo and without history; at most one is asked for at a time. A person is never
    /// asked for a line and for a secret at once.
    AskSecret(Wanted),
    /// Keep this resume token of the server with this place in the list for the next run, in place of an older one.
    KeepToken(usize, Secret),
    /// This token of the server with this place in the list is of no use any more. Another one may be kept by now.
    ForgetToken(usize, Secret),
    /// It is over: restore everything and end with this exit code. Nothing comes after it.
    Leave(u8),
}

/// A secret that is asked for, with the number of the try, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The password of an account that exists, to log in.
    Password(u32),
    /// A password for an account that is about to be made.
    NewPassword(u32),
    /// The password that is to be changed.
    OldPassword(u32),
    /// The one that it is changed to.
    NextPassword(u32),
    /// The same again, to be sure. Only asked of people, also where they have a script talk for them.
    NewPasswordAgain,
}

/// Something to be shown; how is the view's business (plain lines, colours, JSON).
///
/// All text has come from the server or the user as it is: the view makes control characters visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Somebody says something. Also one's own, once the server has confirmed it.
    Message(Message),
    /// A reply of the server, or a line of one, that the user has asked for: a list, help, a refusal.
    Reply {
        /// The code, such as 211.
        code: u16,
        /// Whether more lines of the same reply follow.
        more: bool,
        /// The text after the code.
        text: String,
    },
    /// A notice of the server (1xx): somebody entered a room, and so on.
    Notice {
        /// The code, such as 103.
        code: u16,
        /// The text after the code.
        text: String,
    },
    /// What the client itself has to say: connected, lost, what may have been missed, how a command is used.
    Status(Status),
}

/// What somebody said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// To whom it was said.
    pub place: Place,
    /// Whose words.
    pub from: String,
    /// The words.
    pub text: String,
    /// The server's id of it; `id >> 20` is its time in milliseconds of Unix time. One's own messages have none.
    pub id: Option<u64>,
    /// When it was said, or confirmed: milliseconds of Unix time.
    pub unix_ms: u64,
    /// For one's own: what the server confirmed, such as `sent to 3`.
    pub confirmed: Option<String>,
    /// Whether it stands out: a direct message to oneself, or one that mentions one's own name.
    pub stands_out: bool,
}

/// Where something is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// To everybody.
    #[default]
    Public,
    /// In a room.
    Room(String),
    /// To one person: `with` is the other end, for words in either direction.
    Direct {
        /// The other end.
        with: String,
    },
}

/// A line of the client's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How much it matters.
    pub weight: Weight,
    /// A stable word for programs, such as `connected`, `lost`, `closed`, `unconfirmed`, `usage`.
    pub kind: &'static str,
    /// A sentence for people.
    pub text: String,
}

/// How much a line of the client's own matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Good to know.
    Note,
    /// Something did not work, or was lost.
    Trouble,
}
