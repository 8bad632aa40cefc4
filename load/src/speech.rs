//! What connections speak: the typed dialect of the line door, or IRC. Without sockets and clocks.

use super::dialogue::{Act, Dialogue, Gained, Visitor};
use super::irc;
use super::line::Line;

/// What connections speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Speech {
    /// The typed dialect.
    #[default]
    Typed,
    /// IRC.
    Irc,
}

impl Speech {
    /// Parses a line of the server, given without its LF.
    pub(super) fn parse(self, line: &[u8]) -> Line<'_> {
        match self {
            Self::Typed => Line::parse(line),
            Self::Irc => irc::parse(line),
        }
    }

    /// What a client says before the server has said anything, without its end; `None` if the server begins.
    pub(super) fn opening(self) -> Option<&'static str> {
        match self {
            Self::Typed => None,
            Self::Irc => Some(irc::OPENING),
        }
    }

    /// The end of a client's line.
    pub(super) fn end(self) -> &'static str {
        match self {
            Self::Typed => "\n",
            Self::Irc => "\r\n",
        }
    }

    /// Whether clients hear what they say themselves. That is the answer then.
    pub(super) fn echoes(self) -> bool {
        self == Self::Irc
    }

    /// The start of a line to everybody.
    pub(super) fn to_everybody(self) -> String {
        match self {
            Self::Typed => "C PM ".to_owned(),
            Self::Irc => "PRIVMSG &all :".to_owned(),
        }
    }

    /// The start of a line to a room.
    pub(super) fn to_room(self, room: &str) -> String {
        match self {
            Self::Typed => format!("C RM {room} "),
            Self::Irc => format!("PRIVMSG #{room} :"),
        }
    }

    /// The start of a line to somebody.
    pub(super) fn to_somebody(self, name: &str) -> String {
        match self {
            Self::Typed => format!("C DM {name} "),
            Self::Irc => format!("PRIVMSG {name} :"),
        }
    }

    /// The login of a new connection.
    pub(super) fn login(self) -> Login {
        match self {
            Self::Typed => Login::Typed(Dialogue::default()),
            Self::Irc => Login::Irc(irc::Dialogue::default()),
        }
    }
}

/// The login of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// In the typed dialect.
    Typed(Dialogue),
    /// By IRC.
    Irc(irc::Dialogue),
    /// Nothing more is said.
    Over,
}

impl Login {
    /// Takes a line of the server. Returns the reaction, and what the line has brought.
    pub(super) fn handle_line(&mut self, line: Line<'_>, visitor: &Visitor) -> (Act, Gained) {
        match self {
            Self::Typed(dialogue) => dialogue.handle_line(line, visitor),
            Self::Irc(dialogue) => dialogue.handle_line(line, visitor),
            Self::Over => (Act::Wait, Gained::default()),
        }
    }
}
