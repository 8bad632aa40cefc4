//! Doors: how a chat is *spelled*. A door turns bytes into commands and events into bytes, and knows nothing of who
//! hears what (the hub's) or of sockets (the net's).
//!
//! Another door is another variant of [`Door`], with the same verbs: `sniff`, `decode`, `tell`, `hear`, [`encode`].

pub mod datagram;
pub mod inbox;
pub mod line;
mod operations;
pub mod reply;
pub mod rooms;
mod text;
mod wire;

use std::fmt;

use crate::close::CloseReason;
use crate::hub::command::Command;
use crate::hub::event::Event;
use crate::hub::names::UserName;
use crate::limits;
use line::Line;
use reply::Reply;

/// The byte that ends every frame of the doors whose connections may fall behind.
pub const FRAME_END: u8 = b'\n';

/// The door that a connection came through, with its conversation.
#[derive(Debug)]
pub enum Door {
    /// Lines of text.
    Line(Line),
}

/// The spellings of what many hear at once: each message is encoded once a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The line door, for people.
    Bare,
    /// The line door, for programs.
    Typed,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Bare, Self::Typed];
}

/// Something secret on its way through a door: whoever prints it sees `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked<T>(pub T);

impl<T> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a frame of a client asks of the server. Borrowed from the bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing.
    Nothing,
    /// An answer that the door knows by itself.
    Reply(Reply),
    /// Something for the hub.
    Command(Command<'a>),
    /// Somebody says who they are.
    Name(UserName),
    /// … and shows a resume token for it.
    Token {
        /// Who.
        name: UserName,
        /// The token as it came.
        token: Masked<&'a [u8]>,
    },
    /// … and a password, as bytes.
    Password {
        /// Who.
        name: UserName,
        /// Whether an account is to be made.
        new: bool,
        /// The password.
        password: Masked<&'a [u8]>,
    },
    /// The password of today, before it is changed.
    OldPassword(Masked<&'a [u8]>),
    /// The password of tomorrow.
    NewPassword(Masked<&'a [u8]>),
    /// A resume token is wanted.
    IssueToken,
    /// The client takes its leave.
    Bye,
    /// The connection is none that the door can serve.
    Refuse(CloseReason),
}

impl Door {
    /// A connection that has just come in through the line door.
    pub fn line() -> Self {
        Self::Line(Line::default())
    }

    /// Which of the shared spellings this connection hears.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Line(line) => line.kind(),
        }
    }

    /// The name that a password is wanted for.
    pub fn claimed_name(&self) -> Option<&UserName> {
        match self {
            Self::Line(line) => line.claimed_name(),
        }
    }

    /// Whether the next line may hold a password or a token.
    pub fn expects_secret(&self) -> bool {
        match self {
            Self::Line(line) => line.expects_secret(),
        }
    }

    /// Whether somebody is logged in here.
    pub fn is_logged_in(&self) -> bool {
        match self {
            Self::Line(line) => line.is_logged_in(),
        }
    }

    /// The longest frame that is taken now, in bytes with its end; `line_bytes` is the bound after login.
    pub fn frame_limit(&self, line_bytes: u32) -> usize {
        let bound = line_bytes as usize;
        if self.is_logged_in() { bound } else { bound.min(limits::LOGIN_LINE_BYTES) }
    }

    /// Whether the bytes that came in, perhaps not a whole frame yet, are plainly none of this door's.
    pub fn sniff(&self, bytes: &[u8], limit: usize) -> Option<CloseReason> {
        match self {
            Self::Line(line) => line.sniff(bytes, limit),
        }
    }

    /// What a frame asks for. `password_min` is the least number of bytes of a password that is chosen here.
    pub fn decode<'a>(&mut self, frame: &'a [u8], password_min: u32) -> Step<'a> {
        match self {
            Self::Line(line) => line.decode(frame, password_min),
        }
    }

    /// Tells the client a reply of the server's own: appends it to `out`.
    pub fn tell(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.tell(reply, out),
        }
    }

    /// Lets the client hear the hub's answer to its command: appends it to `out`.
    pub fn hear(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.hear(event, out),
        }
    }
}

/// Appends what many hear to `out`, in the spelling `kind`.
pub fn encode(kind: Kind, event: &Event, out: &mut Vec<u8>) {
    line::encode(kind, event, out);
}
