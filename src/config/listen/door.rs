//! The doors of endpoints, with their options.

use std::fmt;
use std::path::PathBuf;

use super::options::Options;
use crate::hub::names::RoomName;

/// Milliseconds of silence that end a message at the relay door, unless `gap_ms` is given.
const GAP_MS: u32 = 100;

/// The protocols that can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Lines of text.
    Line(Line),
    /// Rooms over TCP and UDP.
    Rooms(Rooms),
    /// One room, for programs that know no login.
    Relay(Relay),
    /// Figures for monitoring programs.
    Metrics(Metrics),
    /// A page for browsers, which talk by WebSocket.
    Web,
    /// Lines of IRC.
    Irc(IrcDoor),
}

/// The options of the IRC door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IrcDoor {
    /// `guests=`: who is let in without an account.
    pub guests: IrcGuests,
    /// `sts=PORT`: the port by TLS that clients are told to use from now on.
    pub sts: Option<u16>,
}

/// Who is let in at the IRC door without an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IrcGuests {
    /// Nobody.
    #[default]
    No,
    /// `guests=yes`: guests, with a mark before their names.
    Yes,
    /// `guests=bare`: guests without a mark, for test programs of this machine.
    Bare,
}

/// The options of the line door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// `guests=yes`: `~name` as the name lets a guest in, without a password.
    pub guests: bool,
}

/// The options of the room door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// `udp=PORT`: the port for its members' datagrams, at the same address; 0 lets the system choose.
    pub udp: u16,
    /// `status=ok`: requests contain a port, and replies contain words.
    pub status_ok: bool,
    /// `down=named`: a datagram is told from others by the size of its name field.
    pub down_named: bool,
}

/// The options of the relay door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// `room=NAME`.
    pub room: RoomName,
    /// `gap_ms=`: milliseconds of silence that end a message without an end.
    pub gap_ms: u32,
    /// `echo=yes`: senders receive their own messages.
    pub echo: bool,
}

/// The options of the metrics door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// `token_file=PATH`: the file of the token that requests must carry.
    pub token_file: Option<PathBuf>,
}

impl Door {
    /// Parses the name of a door, and takes its options.
    pub(super) fn parse(name: &str, options: &mut Options<'_>) -> Result<Self, String> {
        match name {
            "line" => Ok(Self::Line(Line { guests: options.take_flag("guests", "yes")? })),
            "rooms" => Rooms::parse(options).map(Self::Rooms),
            "relay" => Relay::parse(options).map(Self::Relay),
            "metrics" => Ok(Self::Metrics(Metrics { token_file: options.take_path("token_file")? })),
            "web" => Ok(Self::Web),
            "irc" => IrcDoor::parse(options).map(Self::Irc),
            "ircs" => Err("there is no door \"ircs\"; IRC by TLS is irc+tls".to_owned()),
            _ => Err(format!("there is no door {name:?}; there are line, web, irc, rooms, relay and metrics")),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Line(_) => "line",
            Self::Rooms(_) => "rooms",
            Self::Relay(_) => "relay",
            Self::Metrics(_) => "metrics",
            Self::Web => "web",
            Self::Irc(_) => "irc",
        }
    }

    /// Its own options.
    pub(super) fn options(&self) -> &'static [&'static str] {
        match self {
            Self::Line(_) => &["guests=yes"],
            Self::Web => &[],
            Self::Irc(_) => &["guests=yes", "guests=bare", "sts=PORT"],
            Self::Rooms(_) => &["udp=PORT", "status=ok", "down=named"],
            Self::Relay(_) => &["room=NAME", "gap_ms=MILLISECONDS", "echo=yes"],
            Self::Metrics(_) => &["token_file=PATH"],
        }
    }

    /// True if it may be served by TLS.
    pub(super) fn may_be_tls(&self) -> bool {
        match self {
            Self::Line(_) | Self::Web | Self::Irc(_) | Self::Rooms(_) | Self::Metrics(_) => true,
            Self::Relay(_) => false,
        }
    }

    /// True if it may be served at a Unix socket.
    pub(super) fn may_be_unix(&self) -> bool {
        match self {
            Self::Line(_) | Self::Web | Self::Irc(_) => true,
            Self::Rooms(_) | Self::Relay(_) | Self::Metrics(_) => false,
        }
    }

    /// True if a proxy may name its clients.
    pub(super) fn may_take_proxy(&self) -> bool {
        match self {
            Self::Line(_) | Self::Web | Self::Irc(_) | Self::Rooms(_) | Self::Relay(_) => true,
            Self::Metrics(_) => false,
        }
    }

    /// Its options as text, each with the separator before it.
    pub(super) fn write_options(&self, f: &mut fmt::Formatter<'_>, sign: &mut Separator) -> fmt::Result {
        match self {
            Self::Line(Line { guests: true }) => write!(f, "{}guests=yes", sign.next()),
            Self::Line(Line { guests: false }) | Self::Web => Ok(()),
            Self::Irc(IrcDoor { guests, sts }) => {
                match guests {
                    IrcGuests::No => {}
                    IrcGuests::Yes => write!(f, "{}guests=yes", sign.next())?,
                    IrcGuests::Bare => write!(f, "{}guests=bare", sign.next())?,
                }
                sts.map_or(Ok(()), |port| write!(f, "{}sts={port}", sign.next()))
            }
            Self::Rooms(Rooms { udp, status_ok, down_named }) => {
                write!(f, "{}udp={udp}", sign.next())?;
                if *status_ok {
                    write!(f, "{}status=ok", sign.next())?;
                }
                if *down_named {
                    write!(f, "{}down=named", sign.next())?;
                }
                Ok(())
            }
            Self::Relay(Relay { room, gap_ms, echo }) => {
                write!(f, "{}room={}", sign.next(), room.as_str())?;
                if *gap_ms != GAP_MS {
                    write!(f, "{}gap_ms={gap_ms}", sign.next())?;
                }
                if *echo {
                    write!(f, "{}echo=yes", sign.next())?;
                }
                Ok(())
            }
            Self::Metrics(Metrics { token_file }) => match token_file {
                Some(path) => write!(f, "{}token_file={}", sign.next(), path.display()),
                None => Ok(()),
            },
        }
    }
}

/// What precedes an option: `?` the first one, `&` the others.
#[derive(Debug, Default)]
pub(super) struct Separator {
    is_behind_first: bool,
}

impl Separator {
    /// The sign before the next option.
    pub(super) fn next(&mut self) -> char {
        if std::mem::replace(&mut self.is_behind_first, true) { '&' } else { '?' }
    }
}

impl IrcDoor {
    fn parse(options: &mut Options<'_>) -> Result<Self, String> {
        let guests = match options.take("guests") {
            None => IrcGuests::No,
            Some(word) if word.eq_ignore_ascii_case("yes") => IrcGuests::Yes,
            Some(word) if word.eq_ignore_ascii_case("bare") => IrcGuests::Bare,
            Some(other) => return Err(format!("guests must be yes or bare, not {other:?}")),
        };
        let sts = match options.take("sts") {
            None => None,
            Some(text) => match text.parse() {
                Ok(port @ 1..) => Some(port),
                _ => return Err(format!("sts must be a port, a number from 1 to 65535, not {text:?}")),
            },
        };
        Ok(Self { guests, sts })
    }
}

impl Rooms {
    fn parse(options: &mut Options<'_>) -> Result<Self, String> {
        let udp = match options.take("udp") {
            None => return Err("the room door needs a UDP port: write rooms://ADDRESS:PORT?udp=PORT".to_owned()),
            Some(port) => {
                port.parse().map_err(|_| format!("udp must be a port, a number from 0 to 65535, not {port:?}"))?
            }
        };
        let status_ok = options.take_flag("status", "ok")?;
        let down_named = options.take_flag("down", "named")?;
        Ok(Self { udp, status_ok, down_named })
    }
}

impl Relay {
    fn parse(options: &mut Options<'_>) -> Result<Self, String> {
        let name = options.take("room").unwrap_or("lobby");
        let Ok(room) = RoomName::parse(name) else {
            return Err(format!("room must be a room's name, 1 to 32 letters, digits, '_', '.' or '-', not {name:?}"));
        };
        let gap_ms = match options.take("gap_ms") {
            None => GAP_MS,
            Some(text) => match text.parse() {
                Ok(gap_ms @ 1..=60_000) => gap_ms,
                _ => return Err(format!("gap_ms must be a number from 1 to 60000, not {text:?}")),
            },
        };
        Ok(Self { room, gap_ms, echo: options.take_flag("echo", "yes")? })
    }
}
