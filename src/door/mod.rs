//! Doors: how a chat is *spelled*. A door turns bytes into commands and events into bytes, and knows nothing of who
//! hears what (the hub's) or of sockets (the net's).
//!
//! Another door is another variant of [`Door`], with the same verbs: `sniff`, `decode`, `encode_reply`, `encode_event`, [`encode`].

pub mod datagram;
mod foreign;
pub mod inbox;
pub mod line;
mod operations;
pub mod reply;
pub mod rooms;
mod wire;

use crate::close::CloseReason;
use crate::hub::command::Command;
pub use crate::hub::command::Masked;
use crate::hub::event::Event;
use crate::hub::names::{RoomName, UserName};
use crate::limits;
use inbox::{Cut, Inbox};
use line::Line;
use reply::Reply;
use rooms::RoomsDoor;

/// The byte that ends every frame of the doors whose connections may fall behind.
pub const FRAME_END: u8 = b'\n';

/// The door that a connection came through, with its conversation.
#[derive(Debug)]
pub enum Door {
    /// Lines of text.
    Line(Line),
    /// Rooms over TCP and UDP: one exchange.
    Rooms(Box<RoomsDoor>),
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

/// What a frame of a client asks of the server. Borrowed from the bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// Nothing.
    Nothing,
    /// An answer that the door knows by itself.
    Reply(Reply),
    /// Something for the hub.
    Command(Command<'a>),
    /// Somebody says who they are. The name may be reserved.
    Name(UserName),
    /// The same, with a word by which people also leave: it is a name only if an account has it.
    NameOrBye(UserName),
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
    /// The password is to be changed.
    ChangePassword,
    /// The password of today, before it is changed.
    OldPassword(Masked<&'a [u8]>),
    /// The password of tomorrow.
    NewPassword(Masked<&'a [u8]>),
    /// A resume token is wanted.
    IssueToken,
    /// A room is to be made, or entered.
    EnterRoom {
        /// Which.
        room: RoomName,
        /// The text that it is, or is to be, entered by.
        password: Option<Masked<&'a str>>,
        /// Whether it is to be made.
        makes: bool,
    },
    /// Somebody without an account wants to be in a room. That is all this connection is for.
    EnterAsGuest(rooms::Request),
    /// The client takes its leave.
    Bye,
    /// There is no more to come but the door's last word.
    Over,
    /// The connection is none that the door can serve.
    Refuse(CloseReason),
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// Everybody who is logged in.
    Everybody,
    /// The members of a room.
    Room(RoomName),
    /// All sessions of an account.
    Account(UserName),
}

impl Door {
    /// A connection that has just come in through the line door.
    pub fn line() -> Self {
        Self::Line(Line::default())
    }

    /// A connection that has just come in through the room door.
    pub fn rooms(options: rooms::Options) -> Self {
        Self::Rooms(Box::new(RoomsDoor::new(options)))
    }

    /// Whether the connection is where somebody is, from the greeting on; and not one exchange, of which a session may
    /// come that lives elsewhere.
    pub fn is_dialogue(&self) -> bool {
        match self {
            Self::Line(_) => true,
            Self::Rooms(_) => false,
        }
    }

    /// Which of the shared spellings this connection hears; `None` if it hears none.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Line(line) => Some(line.kind()),
            Self::Rooms(_) => None,
        }
    }

    /// The name that a password is wanted for.
    pub fn claimed_name(&self) -> Option<&UserName> {
        match self {
            Self::Line(line) => line.claimed_name(),
            Self::Rooms(_) => None,
        }
    }

    /// Whether the next line may hold a password or a token.
    pub fn expects_secret(&self) -> bool {
        match self {
            Self::Line(line) => line.expects_secret(),
            Self::Rooms(_) => true,
        }
    }

    /// Whether somebody is logged in here.
    pub fn is_logged_in(&self) -> bool {
        match self {
            Self::Line(line) => line.is_logged_in(),
            Self::Rooms(_) => false,
        }
    }

    /// The longest frame that is taken now, in bytes with its end; `line_bytes` is the bound after login.
    pub fn frame_limit(&self, line_bytes: u32) -> usize {
        let bound = line_bytes as usize;
        match self {
            Self::Line(line) if line.is_logged_in() => bound,
            Self::Line(_) => bound.min(limits::LOGIN_LINE_BYTES),
            Self::Rooms(_) => limits::ROOM_REQUEST_BYTES,
        }
    }

    /// Looks for a frame of at most `limit` bytes at the start of `bytes`.
    pub fn cut(&mut self, inbox: &mut Inbox, bytes: &[u8], limit: usize) -> Cut {
        match self {
            Self::Line(_) => inbox.cut(bytes, limit),
            Self::Rooms(door) => door.cut(bytes),
        }
    }

    /// Whether the bytes that came in, perhaps not a whole frame yet, are plainly none of this door's.
    pub fn sniff(&self, bytes: &[u8], limit: usize) -> Option<CloseReason> {
        match self {
            Self::Line(line) => line.sniff(bytes, limit),
            Self::Rooms(_) => None,
        }
    }

    /// What a frame asks for. `password_min` is the least number of bytes of a password that is chosen here.
    pub fn decode<'a>(&mut self, frame: &'a [u8], password_min: u32) -> Decoded<'a> {
        match self {
            Self::Line(line) => line.decode(frame, password_min),
            Self::Rooms(door) => door.decode(frame),
        }
    }

    /// Whom a frame, if it is a message, is for. The conversation stays where it is.
    pub fn addressee(&self, frame: &[u8]) -> Option<Addressee> {
        match self {
            Self::Line(line) => line.addressee(frame),
            Self::Rooms(_) => None,
        }
    }

    /// Tells the client a reply of the server's own: appends it to `out`.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.encode_reply(reply, out),
            Self::Rooms(door) => door.encode_reply(reply, out),
        }
    }

    /// Lets the client hear the hub's answer to its command: appends it to `out`.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.encode_event(event, out),
            Self::Rooms(door) => door.encode_event(event, out),
        }
    }

    /// Turns away a client of which `bytes` have come: appends to `out` what it is told.
    pub fn refuse(&mut self, bytes: &[u8], reason: CloseReason, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.encode_reply(&Reply::Closing(reason), out),
            Self::Rooms(door) => door.refuse(bytes, out),
        }
    }

    /// What is still to be said when no more will come from the client: appends it to `out`.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Line(_) => {}
            Self::Rooms(door) => door.end(out),
        }
    }
}

/// Appends what many hear to `out`, in the spelling `kind`.
pub fn encode(kind: Kind, event: &Event, out: &mut Vec<u8>) {
    line::encode(kind, event, out);
}
