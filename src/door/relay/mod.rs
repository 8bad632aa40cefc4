//! The relay door: for programs that know no login and terminals that send no line ends. A connection is a guest in one
//! room: it speaks there, and hears the others.
//!
//! A message ends with LF, CR LF or NUL, or after a silence, which the server's clock decides: see
//! [`RelayDoor::handle_silence`]. The connection gets messages with the end that it used last.

mod encode;
mod message;
#[cfg(test)]
mod tests;

pub use encode::encode;

use super::decoded::{Decoded, Kind};
use super::foreign;
use super::inbox::Cut;
use super::reply::Reply;
use crate::close::CloseReason;
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::hub::names::RoomName;
use crate::limits::{RELAY_MESSAGE_BYTES, RELAY_REST_MS};
use crate::text;
use message::{after, introduced, without_prefix};

/// Options of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The room of all its connections.
    pub room: RoomName,
    /// Milliseconds of silence after which an unterminated message is complete.
    pub gap_ms: u32,
    /// True if a connection gets its own messages back.
    pub echo: bool,
}

/// The state of one connection.
#[derive(Debug)]
pub struct RelayDoor {
    options: Options,
    has_entered: bool,
    ending: Ending,
    naming: Naming,
    input: Input,
    /// The kind of the frame that was cut last.
    frame: Frame,
    /// The frame that was cut last is not the end of its message.
    is_split: bool,
    rests_until: Option<u64>,
}

/// The end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// NUL: the end of a string in C.
    Nul,
    /// LF.
    Lf,
    /// CR LF.
    CrLf,
}

/// Whether the speaker has named itself.
#[derive(Debug, PartialEq, Eq)]
enum Naming {
    /// It has said nothing yet.
    Open,
    /// Its first message began with this name, as do its later ones.
    As(Box<str>),
    /// Its first message began with no name.
    Closed,
}

/// The state of the input that is not cut yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// More may follow.
    Flows,
    /// Nothing has followed for a while: the bytes so far are a message.
    Silent,
    /// Nothing will follow.
    Ended,
}

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// None was cut: the input has just begun.
    None,
    /// A message, or its beginning.
    Message,
    /// A later part of a message that was too long.
    Rest,
    /// The end of the input.
    End,
}

impl RelayDoor {
    /// The state of a new connection.
    pub fn new(options: Options) -> Self {
        let (ending, naming, input) = (Ending::Nul, Naming::Open, Input::Flows);
        Self {
            options,
            has_entered: false,
            ending,
            naming,
            input,
            frame: Frame::None,
            is_split: false,
            rests_until: None,
        }
    }

    /// The room.
    pub fn room(&self) -> &RoomName {
        &self.options.room
    }

    /// Its guest has entered the room, or could not.
    pub fn on_entered(&mut self) {
        self.has_entered = true;
    }

    /// Whether its guest has entered the room, or could not. There is no login.
    pub fn has_entered(&self) -> bool {
        self.has_entered
    }

    /// Milliseconds of silence after which [`handle_silence`](Self::handle_silence) is due.
    pub fn gap_ms(&self) -> u32 {
        self.options.gap_ms
    }

    /// True if the connection gets its own messages back.
    pub fn echoes(&self) -> bool {
        self.options.echo
    }

    /// The spelling of messages to this connection. One that ends messages with NUL gets those that end with LF: see
    /// [`ends_with_nul`](Self::ends_with_nul).
    pub fn kind(&self) -> Kind {
        match self.ending {
            Ending::Nul | Ending::Lf => Kind::RelayLf,
            Ending::CrLf => Kind::RelayCrLf,
        }
    }

    /// True if the last LF of a write is to be sent as NUL. The programs that end messages with NUL print
    /// the result of a read up to its first NUL, and drop the rest: the messages before are lines of one string.
    pub fn ends_with_nul(&self) -> bool {
        self.ending == Ending::Nul
    }

    /// Until when nothing is to be sent, in milliseconds of the loop's clock, because a NUL was sent just before.
    pub fn rests_until(&self) -> Option<u64> {
        self.rests_until
    }

    /// The output was sent to its end, at `now`.
    pub fn on_all_sent(&mut self, now: u64) {
        self.rests_until = self.ends_with_nul().then_some(now + RELAY_REST_MS);
    }

    /// The input so far has not ended, and nothing has followed for [`gap_ms`](Self::gap_ms): the next
    /// [`cut`](Self::cut) takes it as a message.
    pub fn handle_silence(&mut self) {
        if self.input == Input::Flows {
            self.input = Input::Silent;
        }
    }

    /// The input has ended: the rest is a message, after which [`decode`](Self::decode) gives [`Decoded::Over`].
    pub fn handle_end(&mut self) {
        self.input = Input::Ended;
    }

    /// Recognises a PROXY header in binary form, which consists of several messages, at the start of the input. Returns the
    /// reason to close the connection.
    pub fn sniff(&self, bytes: &[u8]) -> Option<CloseReason> {
        let is_proxy = self.frame == Frame::None && foreign::begins_proxy(bytes);
        is_proxy.then_some(CloseReason::ProxyHeader)
    }

    /// Looks for a message at the start of `bytes`. Ends without a message between them count as one.
    /// A message of more than [`RELAY_MESSAGE_BYTES`] is cut at the last whole character.
    pub fn cut(&mut self, bytes: &[u8]) -> Cut {
        if self.frame == Frame::None && self.input == Input::Flows && foreign::may_begin_proxy(bytes) {
            return Cut::Partial { keep: 0 }; // `sniff` tells it from empty messages
        }
        let was_split = std::mem::take(&mut self.is_split);
        self.frame = if was_split { Frame::Rest } else { Frame::Message };
        let window = bytes.get(..RELAY_MESSAGE_BYTES + 2).unwrap_or(bytes);
        if let Some(at) = memchr::memchr2(b'\n', b'\0', window) {
            let (text, with_end) = bytes.split_at(at);
            let end = text.strip_suffix(b"\r").unwrap_or(text).len();
            if end <= RELAY_MESSAGE_BYTES {
                let ends = ends(with_end);
                self.ending = ending(bytes.get(end..at + ends).unwrap_or_default());
                self.input = if self.input == Input::Silent { Input::Flows } else { self.input };
                return Cut::Line { end, next: at + ends };
            }
        }
        if bytes.len() > RELAY_MESSAGE_BYTES + usize::from(bytes.get(RELAY_MESSAGE_BYTES) == Some(&b'\r')) {
            self.is_split = true;
            let end = whole_characters(bytes);
            return Cut::Line { end, next: end };
        }
        self.is_split = was_split;
        match self.input {
            Input::Flows => return Cut::Partial { keep: 0 },
            Input::Silent => self.input = Input::Flows,
            Input::Ended if bytes.is_empty() => self.frame = Frame::End,
            Input::Ended => {}
        }
        self.is_split = false;
        Cut::Line { end: bytes.len(), next: bytes.len() }
    }

    /// Decodes a frame that [`cut`](Self::cut) has found.
    pub fn decode<'a>(&mut self, frame: &'a [u8]) -> Decoded<'a> {
        match self.frame {
            Frame::End => return Decoded::Over,
            Frame::None | Frame::Message | Frame::Rest => {}
        }
        if self.naming == Naming::Open
            && let Some(reason) = foreign::protocol(text::without_mark(frame), true)
        {
            return Decoded::Refuse(reason);
        }
        let text = text::salvage(frame);
        if is_blank(&text) {
            return Decoded::Nothing;
        }
        let is_rest = self.frame == Frame::Rest;
        let text = match &self.naming {
            Naming::As(name) if !is_rest => match without_prefix(&text, name) {
                Some(said) if is_blank(said) => return Decoded::Nothing,
                Some(said) => after(&text, text.len() - said.len()),
                None => text,
            },
            Naming::As(_) | Naming::Closed => text,
            Naming::Open => match introduced(&text) {
                // A program that ends before it has said anything sends a name alone.
                Some((_, _, said)) if is_blank(said) => return Decoded::Nothing,
                Some((name, guest, said)) => {
                    let said = after(&text, text.len() - said.len());
                    self.naming = Naming::As(name.into());
                    return Decoded::SayAs { guest, room: self.options.room.clone(), text: said };
                }
                None => {
                    self.naming = Naming::Closed;
                    text
                }
            },
        };
        Decoded::Command(Command::SayIn { room: self.options.room.clone(), text, manner: Manner::Text })
    }

    /// Appends a reply of the server to `out`, if it is one that these programs can be told.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if let Reply::Closing(reason) = reply {
            encode::encode_server(self.kind(), &reason.to_string(), out);
        }
    }

    /// Appends the refusal of a connection that is not admitted to `out`.
    pub fn refuse(&mut self, reason: CloseReason, out: &mut Vec<u8>) {
        self.encode_reply(&Reply::Closing(reason), out);
        if let Some(last) = out.last_mut().filter(|_| self.ends_with_nul()) {
            *last = 0; // it is sent as it is
        }
    }
}

/// True for a text of which nothing can be seen.
fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t']).is_empty()
}

/// The number of bytes at the start of `bytes`, which is an LF or a NUL, up to the last of the ends that follow each
/// other. Programs that send a buffer of fixed size send many NULs.
fn ends(bytes: &[u8]) -> usize {
    let run = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
    bytes.iter().take(run).rposition(|byte| *byte != b'\r').map_or(run, |last| last + 1)
}

/// The last of the ends that follow each other.
fn ending(ends: &[u8]) -> Ending {
    match ends {
        [.., b'\r', b'\n'] => Ending::CrLf,
        [.., b'\n'] => Ending::Lf,
        _ => Ending::Nul,
    }
}

/// The length of the longest beginning of `bytes` that is no longer than a message and ends with a whole character.
fn whole_characters(bytes: &[u8]) -> usize {
    let is_start = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0b1100_0000 != 0b1000_0000);
    // A character has at most four bytes; bytes without a start there are no text.
    (RELAY_MESSAGE_BYTES - 3..=RELAY_MESSAGE_BYTES).rev().find(is_start).unwrap_or(RELAY_MESSAGE_BYTES)
}
