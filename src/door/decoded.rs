//! Types that the doors share: the request in a frame, the spellings of broadcasts, and what a trace shows.

use std::borrow::Cow;

use super::irc::caps::Bits;
use super::irc::request as irc;
use super::irc::server::Server;
use super::metrics::request::Ask;
use super::recall::Recall;
use super::reply::Reply;
use super::rooms::request::Request;
use super::web::request::Fetch;
use crate::close::CloseReason;
use crate::hub::command::Command;
use crate::hub::names::{GuestName, RoomName, UserName};
use crate::secret::Masked;

/// The spellings of broadcasts. A message is encoded once per kind, however many connections receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bare lines of the line door, for people.
    Bare,
    /// Typed lines of the line door, for programs.
    Typed,
    /// Text messages of the web door: the typed lines.
    Web,
    /// Messages of the relay door that end with LF.
    RelayLf,
    /// Messages of the relay door that end with CR LF.
    RelayCrLf,
    /// Lines of the IRC door, for clients that have agreed on these capabilities.
    Irc(Bits),
}

impl Kind {
    /// All kinds but those of IRC, each at its [index](Self::index).
    pub const PLAIN: [Self; 5] = [Self::Bare, Self::Typed, Self::Web, Self::RelayLf, Self::RelayCrLf];
    /// The kinds of connections that get public messages, besides those of IRC: the first ones of
    /// [`PLAIN`](Self::PLAIN).
    pub const PUBLIC: [Self; 3] = [Self::Bare, Self::Typed, Self::Web];

    /// Its number among all kinds. Those of IRC are behind the [`PLAIN`](Self::PLAIN) ones.
    pub fn index(self) -> usize {
        match self {
            Self::Bare => 0,
            Self::Typed => 1,
            Self::Web => 2,
            Self::RelayLf => 3,
            Self::RelayCrLf => 4,
            Self::Irc(bits) => Self::PLAIN.len() + bits.index(),
        }
    }
}

/// How an event for others is spelled for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// It is not told.
    Untold,
    /// As for all connections of this kind: by [`encode`](super::encode).
    Shared(Kind),
    /// For this connection alone: by [`Door::encode_told`](super::Door::encode_told).
    Own,
}

/// What some doors spell beside an event.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The server, as IRC clients see it.
    pub irc: &'a Server,
    /// Now, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// What the server sends at a door, for those who trace a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Lines, each with an LF at its end.
    Lines,
    /// The frames of a conversation by WebSocket.
    Frames,
    /// Something that is not shown.
    Hidden,
}

/// The request in a frame of a client. Texts are borrowed from the bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// No request: the frame is ignored.
    Nothing,
    /// An answer that the door gives without the server's help.
    Reply(Reply),
    /// A command for the hub.
    Command(Command<'a>),
    /// Login: a name, which may be reserved.
    Name(UserName),
    /// Login: a word such as `quit`, which is a name if an account has it, else a goodbye.
    NameOrBye(UserName),
    /// Login: a guest, who has no account.
    Guest(GuestName),
    /// Login: a name with a resume token.
    Token {
        /// The name.
        name: UserName,
        /// The token, unchecked.
        token: Masked<&'a [u8]>,
    },
    /// Login: the password.
    Password {
        /// The name that was given before.
        name: UserName,
        /// True if the password was asked for to make a new account.
        new: bool,
        /// The password as bytes, within the bounds of its size.
        password: Masked<&'a [u8]>,
    },
    /// `PASSWD`: change the account's password.
    ChangePassword,
    /// `PASSWD`: the current password.
    OldPassword(Masked<&'a [u8]>),
    /// `PASSWD`: the new password.
    NewPassword(Masked<&'a [u8]>),
    /// `TOKEN`: issue a resume token.
    IssueToken,
    /// An account makes or enters a room.
    EnterRoom {
        /// The room.
        room: RoomName,
        /// The room's password, if one was given.
        password: Option<Masked<&'a str>>,
        /// True to make the room, false to enter it.
        makes: bool,
    },
    /// A guest makes or enters a room. The connection serves this request alone.
    EnterAsGuest(Request),
    /// A guest takes a name, as far as no other guest has it, and says something in its room.
    SayAs {
        /// The name that it asks for.
        guest: GuestName,
        /// Its room.
        room: RoomName,
        /// The text.
        text: Cow<'a, str>,
    },
    /// A request of the IRC door that is no command.
    Irc(Box<irc::Request>),
    /// A request of a monitoring program.
    Ask(Ask<'a>),
    /// A request of a browser.
    Fetch(Box<Fetch<'a>>),
    /// An operator's command, not yet decoded: only an operator learns what is wrong with it.
    Operate(&'a str),
    /// The password of an account, from an operator who was asked for it.
    OperatorPassword(Masked<&'a [u8]>),
    /// A request for what was said before, or about it.
    Recall(Recall<'a>),
    /// Help on all operations.
    Help,
    /// Help on the operator's commands, for operators alone.
    HelpOperate,
    /// The client says goodbye.
    Bye,
    /// The exchange is over: [`Door::end`](super::Door::end) answers, and the connection closes.
    Over,
    /// Another protocol, or an unusable header: the connection closes for this reason.
    Refuse(CloseReason),
}
