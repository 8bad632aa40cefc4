//! Types that the doors share: the request in a frame, and the spellings of broadcasts.

use super::metrics::request::Ask;
use super::reply::Reply;
use super::rooms::request::Request;
use crate::close::CloseReason;
use crate::hub::command::Command;
use crate::hub::names::{RoomName, UserName};
use crate::secret::Masked;

/// The spellings of broadcasts. A message is encoded once per kind, however many connections receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bare lines of the line door, for people.
    Bare,
    /// Typed lines of the line door, for programs.
    Typed,
}

impl Kind {
    /// All kinds, each at the index of its number.
    pub const ALL: [Self; 2] = [Self::Bare, Self::Typed];
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
    /// A request of a monitoring program.
    Ask(Ask<'a>),
    /// The client says goodbye.
    Bye,
    /// The exchange is over: [`Door::end`](super::Door::end) answers, and the connection closes.
    Over,
    /// Another protocol, or an unusable header: the connection closes for this reason.
    Refuse(CloseReason),
}
