//! Doors: how a chat is *spelled*. A door decodes bytes into commands and encodes events into bytes. It does not know who
//! receives what, which the hub decides, or any socket.
//!
//! Each door is a variant of [`Door`] with the same methods: `cut`, `sniff`, `decode`, `encode_reply`, `encode_event`. What
//! many connections receive goes through [`encode`], once per [`Kind`].

pub mod datagram;
mod decoded;
mod foreign;
mod help;
pub mod http;
pub mod inbox;
pub mod irc;
pub mod line;
pub mod metrics;
mod operations;
pub mod operator;
pub mod recall;
pub mod relay;
pub mod reply;
pub mod rooms;
pub mod token;
pub mod web;
mod wire;

use std::sync::Arc;

use crate::close::CloseReason;
use crate::hub::event::Event;
use crate::hub::names::{RoomName, UserName};
use crate::limits;
pub use crate::secret::Masked;
pub use decoded::{Decoded, Kind, Output, Scene, Spelling};
use inbox::{Cut, Inbox};
use irc::{Dress, IrcDoor};
use line::Line;
use metrics::Metrics;
use operator::OperatorDoor;
use recall::{Notice, Wants};
use relay::RelayDoor;
use reply::Reply;
use rooms::RoomsDoor;
use web::WebDoor;

/// The door of a connection, with the state of its dialogue.
#[derive(Debug)]
pub enum Door {
    /// The line door: lines of text for people and programs.
    Line(Line),
    /// The room door: one request over TCP, messages over UDP.
    Rooms(Box<RoomsDoor>),
    /// The relay door: messages of one room, without a login.
    Relay(Box<RelayDoor>),
    /// The metrics door: HTTP for monitoring programs.
    Metrics(Metrics),
    /// The operator's door: commands, without a login.
    Operator(OperatorDoor),
    /// The web door: a page by HTTP, and its conversations by WebSocket.
    Web(Box<WebDoor>),
    /// The IRC door: lines of IRC.
    Irc(Box<IrcDoor>),
}

/// The limits that the connections of a door count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Users: `limits.connections`, and the limits of their addresses.
    Chat,
    /// Monitoring programs, which must see a full server.
    Metrics,
    /// Operators at their socket.
    Operator,
}

impl Class {
    /// The number of classes.
    pub const COUNT: usize = 3;
}

/// The names of all doors, as [`Door::name`] gives them.
pub const NAMES: [&str; 7] = ["line", "rooms", "relay", "metrics", "operator", "web", "irc"];

impl Door {
    /// The state of a new connection at the line door.
    pub fn line() -> Self {
        Self::Line(Line::default())
    }

    /// The same, at a line door that lets guests in.
    pub fn line_with_guests() -> Self {
        Self::Line(Line::with_guests())
    }

    /// The state of a new connection at the room door.
    pub fn rooms(options: rooms::Options) -> Self {
        Self::Rooms(Box::new(RoomsDoor::new(options)))
    }

    /// The state of a new connection at the relay door.
    pub fn relay(options: relay::Options) -> Self {
        Self::Relay(Box::new(RelayDoor::new(options)))
    }

    /// The state of a new connection at the operator's door.
    pub fn operator() -> Self {
        Self::Operator(OperatorDoor)
    }

    /// The state of a new connection at the web door, at the listener of this number.
    pub fn web(listener: usize) -> Self {
        Self::Web(Box::new(WebDoor::new(listener)))
    }

    /// The state of a new connection at the IRC door.
    pub fn irc(server: Arc<irc::Server>, options: irc::Options) -> Self {
        Self::Irc(Box::new(IrcDoor::new(server, options)))
    }

    /// Its name: one of [`NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Line(_) => "line",
            Self::Rooms(_) => "rooms",
            Self::Relay(_) => "relay",
            Self::Metrics(_) => "metrics",
            Self::Operator(_) => "operator",
            Self::Web(_) => "web",
            Self::Irc(_) => "irc",
        }
    }

    /// What a trace shows of the output here.
    pub fn output(&self) -> Output {
        match self {
            Self::Line(_) | Self::Relay(_) | Self::Operator(_) | Self::Irc(_) => Output::Lines,
            Self::Web(door) if door.line().is_some() => Output::Frames,
            Self::Rooms(_) | Self::Metrics(_) | Self::Web(_) => Output::Hidden,
        }
    }

    /// A frame of the client as a trace shows it, before it is [decoded](Self::decode); `None` for one that is not shown.
    pub fn traced(&self, frame: &[u8]) -> Option<String> {
        match self {
            Self::Line(line) => Some(operator::from_client(frame, line.expects_secret())),
            Self::Relay(_) => Some(operator::from_client(frame, false)),
            Self::Web(door) => door.traced(frame),
            Self::Irc(door) => Some(door.traced(frame)),
            Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) => Some(operator::MASK.to_owned()),
        }
    }

    /// True if the connection carries many frames, and its session, if it has one, ends with it; false for a one-shot
    /// exchange whose guest goes on over UDP.
    pub fn is_dialogue(&self) -> bool {
        match self {
            Self::Line(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) | Self::Web(_) | Self::Irc(_) => true,
            Self::Rooms(_) => false,
        }
    }

    /// The state of a new connection at the metrics door, at the listener of this number.
    pub fn metrics(listener: usize) -> Self {
        Self::Metrics(Metrics::new(listener))
    }

    /// The limits that its connections count for.
    pub fn class(&self) -> Class {
        match self {
            Self::Line(_) | Self::Rooms(_) | Self::Relay(_) | Self::Web(_) | Self::Irc(_) => Class::Chat,
            Self::Metrics(_) => Class::Metrics,
            Self::Operator(_) => Class::Operator,
        }
    }

    /// True if the passwords of accounts can be tried here: only there are addresses kept out for wrong ones.
    pub fn asks_for_passwords(&self) -> bool {
        match self {
            Self::Line(_) | Self::Web(_) | Self::Irc(_) => true,
            Self::Rooms(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) => false,
        }
    }

    /// The spelling of what is said to everybody, for this connection; `None` if it gets nothing of that kind.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Line(line) => Some(line.kind()),
            Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) => None,
            Self::Relay(door) => Some(door.kind()),
            Self::Web(door) => door.line().map(|_| Kind::Web),
            Self::Irc(door) => door.kind(),
        }
    }

    /// How an event for others is spelled for this connection.
    pub fn spelling(&self, event: &Event) -> Spelling {
        match self {
            Self::Irc(door) => door.spelling(event),
            Self::Line(_) | Self::Rooms(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) | Self::Web(_) => {
                self.kind().map_or(Spelling::Untold, Spelling::Shared)
            }
        }
    }

    /// Appends an event that [is spelled for this connection alone](Spelling::Own) to `out`, at `unix_ms` in milliseconds
    /// since 1970.
    pub fn encode_told(&mut self, event: &Event, unix_ms: u64, out: &mut Vec<u8>) {
        self.note_unix_ms(unix_ms);
        if let Self::Irc(door) = self {
            door.encode_told(event, out);
        }
    }

    /// The name for which a password is awaited.
    pub fn claimed_name(&self) -> Option<&UserName> {
        match self {
            Self::Line(line) => line.claimed_name(),
            Self::Web(door) => door.line().and_then(Line::claimed_name),
            Self::Irc(_) | Self::Rooms(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) => None,
        }
    }

    /// Whether the next frame may contain a password or a token.
    pub fn expects_secret(&self) -> bool {
        match self {
            Self::Line(line) => line.expects_secret(),
            Self::Web(door) => door.line().is_none_or(Line::expects_secret),
            Self::Irc(door) => door.expects_secret(),
            Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) => true,
            Self::Relay(_) => false,
        }
    }

    /// Whether a line, given without its end, may contain a password although none is [expected](Self::expects_secret): at
    /// the IRC door any line may be one to its service.
    pub fn has_secret(&self, line: &[u8]) -> bool {
        self.as_irc().is_some_and(|door| door.has_secret(line))
    }

    /// Whether the login is complete. At the relay door it is the entry into the room.
    pub fn is_logged_in(&self) -> bool {
        match self {
            Self::Line(line) => line.is_logged_in(),
            Self::Web(door) => door.line().is_some_and(Line::is_logged_in),
            Self::Irc(door) => door.is_logged_in(),
            Self::Rooms(_) | Self::Metrics(_) => false,
            Self::Relay(door) => door.has_entered(),
            Self::Operator(_) => true, // the kernel has said who it is
        }
    }

    /// The longest frame that is accepted in this state, in bytes including its end. `line_bytes` is the bound after login.
    pub fn frame_limit(&self, line_bytes: u32) -> usize {
        let bound = line_bytes as usize;
        match self {
            Self::Line(line) if line.is_logged_in() => bound,
            Self::Operator(_) => bound,
            Self::Line(_) => bound.min(limits::LOGIN_LINE_BYTES),
            Self::Rooms(_) => limits::ROOM_REQUEST_BYTES,
            Self::Relay(_) => limits::RELAY_MESSAGE_BYTES,
            Self::Metrics(_) => limits::HEAD_BYTES,
            Self::Web(door) => door.frame_limit(bound, limits::LOGIN_LINE_BYTES),
            Self::Irc(door) => door.frame_limit(),
        }
    }

    /// The longest line of a client, as it is told: see [`frame_limit`](Self::frame_limit).
    pub fn line_limit(&self, line_bytes: u32) -> usize {
        self.frame_limit(line_bytes) - if self.as_web().is_some() { web::frame::CLIENT_HEAD_BYTES } else { 0 }
    }

    /// Looks for a frame of at most `limit` bytes, including its end, at the start of `bytes`. What is masked in it is
    /// unmasked in place.
    pub fn cut(&mut self, inbox: &mut Inbox, bytes: &mut [u8], limit: usize) -> Cut {
        match self {
            Self::Line(_) | Self::Operator(_) | Self::Irc(_) => inbox.cut(bytes, limit),
            Self::Rooms(door) => door.cut(bytes),
            Self::Relay(door) => door.cut(bytes),
            Self::Metrics(door) => door.cut(bytes),
            Self::Web(door) => door.cut(bytes, limit),
        }
    }

    /// Recognises another protocol in the bytes received so far, which may be less than a frame. `limit` is the bound of a
    /// frame in bytes. Returns the reason to close the connection.
    pub fn sniff(&self, bytes: &[u8], limit: usize) -> Option<CloseReason> {
        match self {
            Self::Line(line) => line.sniff(bytes, limit),
            Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) | Self::Web(_) => None,
            Self::Relay(door) => door.sniff(bytes),
            Self::Irc(door) => door.sniff(bytes, limit),
        }
    }

    /// Decodes a frame, given without its end. `password_min` is the least size of a new password in bytes.
    pub fn decode<'a>(&mut self, frame: &'a [u8], password_min: u32) -> Decoded<'a> {
        match self {
            Self::Line(line) => line.decode(frame, password_min),
            Self::Rooms(door) => door.decode(frame),
            Self::Relay(door) => door.decode(frame),
            Self::Metrics(door) => door.decode(frame),
            Self::Operator(door) => door.decode(frame),
            Self::Web(door) => door.decode(frame, password_min),
            Self::Irc(door) => door.decode(frame),
        }
    }

    /// Appends a reply of the server to `out`, and updates the dialogue.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.encode_reply(reply, out),
            Self::Rooms(door) => door.encode_reply(reply, out),
            Self::Relay(door) => door.encode_reply(reply, out),
            Self::Metrics(door) => {
                if let Reply::Closing(reason) = reply {
                    door.encode_close(reason, out);
                }
            }
            Self::Operator(door) => door.encode_reply(reply, out),
            Self::Web(door) => door.encode_reply(reply, out),
            Self::Irc(door) => door.encode_reply(reply, out),
        }
    }

    /// Appends the hub's answer to a command to `out`, and updates the dialogue.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.encode_event(event, out),
            Self::Rooms(door) => door.encode_event(event, out),
            Self::Relay(door) => relay::encode(door.kind(), event, out),
            Self::Web(door) => door.encode_event(event, out),
            Self::Irc(door) => door.encode_event(event, out),
            Self::Metrics(_) => {}
            Self::Operator(_) => {} // it gives the hub no commands
        }
    }

    /// Appends the answer to a connection that is not admitted to `out`. `bytes` is what the client has sent so far.
    pub fn refuse(&mut self, bytes: &[u8], reason: CloseReason, out: &mut Vec<u8>) {
        match self {
            Self::Line(line) => line.encode_reply(&Reply::Closing(reason), out),
            Self::Rooms(door) => door.refuse(bytes, out),
            Self::Relay(door) => door.refuse(reason, out),
            Self::Metrics(door) => door.refuse(bytes, &reason, out),
            Self::Web(door) => door.refuse(bytes, &reason, out),
            Self::Irc(door) => door.refuse(&reason, out),
            Self::Operator(door) => door.encode_reply(&Reply::Closing(reason), out),
        }
    }

    /// Appends the last answer to `out`, if one is due. Called when no more input will be decoded.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Line(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) | Self::Irc(_) => {}
            Self::Rooms(door) => door.end(out),
            Self::Web(door) => door.end(out),
        }
    }

    /// True if the session asks for all of these, besides messages and replies. A bare session is told of its own
    /// direct messages.
    pub fn wants(&self, wants: Wants) -> bool {
        match self {
            Self::Line(line) => line.wants(wants),
            Self::Web(door) => door.line().is_some_and(|line| line.wants(wants)),
            Self::Irc(door) => door.wants(wants),
            Self::Rooms(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) => false,
        }
    }

    /// The most bytes that the lines of a page may take; 0 for no bound. To an IRC client, a page that is short is the last
    /// one.
    pub fn page_bytes(&self) -> usize {
        if let Self::Irc(_) = self { 0 } else { limits::HISTORY_PAGE_BYTES }
    }

    /// The room of a connection at the relay door; `None` at other doors.
    pub fn relay_room(&self) -> Option<&RoomName> {
        self.as_relay().map(RelayDoor::room)
    }

    /// The guest of a connection at the relay door has entered its room, or could not.
    pub fn on_entered(&mut self) {
        if let Some(door) = self.as_relay_mut() {
            door.on_entered();
        }
    }

    /// True if messages of its own are sent back to this connection.
    pub fn echoes(&self) -> bool {
        self.as_relay().is_some_and(RelayDoor::echoes)
    }

    /// Milliseconds of silence after which a frame without an end is complete; `None` if it never is.
    pub fn gap_ms(&self) -> Option<u32> {
        self.as_relay().map(RelayDoor::gap_ms)
    }

    /// Nothing has followed a frame without an end for [`gap_ms`](Self::gap_ms): the next `cut` takes it as it is.
    pub fn handle_silence(&mut self) {
        if let Some(door) = self.as_relay_mut() {
            door.handle_silence();
        }
    }

    /// The input ends with a frame without an end. True if the next `cut` takes it as it is; else it is dropped.
    pub fn handle_end(&mut self) -> bool {
        self.as_relay_mut().map(RelayDoor::handle_end).is_some()
    }

    /// Until when nothing is to be sent, in milliseconds of the loop's clock.
    pub fn rests_until(&self) -> Option<u64> {
        self.as_relay()?.rests_until()
    }

    /// The output was sent to its end, at `now`, in milliseconds of the loop's clock.
    pub fn on_all_sent(&mut self, now: u64) {
        match self {
            Self::Relay(door) => door.on_all_sent(now),
            Self::Web(door) => door.note_time(now),
            Self::Line(_) | Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) | Self::Irc(_) => {}
        }
    }

    /// True if the last byte of a write, which is an LF, is to be sent as NUL.
    pub fn ends_with_nul(&self) -> bool {
        self.as_relay().is_some_and(RelayDoor::ends_with_nul)
    }

    /// The web door.
    pub fn as_web(&self) -> Option<&WebDoor> {
        match self {
            Self::Web(door) => Some(door),
            Self::Line(_) | Self::Rooms(_) | Self::Relay(_) | Self::Metrics(_) | Self::Operator(_) | Self::Irc(_) => {
                None
            }
        }
    }

    /// The IRC door.
    pub fn as_irc(&self) -> Option<&IrcDoor> {
        if let Self::Irc(door) = self { Some(door) } else { None }
    }

    /// The IRC door.
    pub fn as_irc_mut(&mut self) -> Option<&mut IrcDoor> {
        if let Self::Irc(door) = self { Some(door) } else { None }
    }

    /// True before the upgrade of a connection at the web door: it fetches files, and nobody is in the chat by it.
    pub fn is_fetching(&self) -> bool {
        self.as_web().is_some_and(|door| door.line().is_none())
    }

    /// Notes the time in milliseconds since 1970, before a frame is decoded or an answer is encoded.
    pub fn note_unix_ms(&mut self, unix_ms: u64) {
        if let Self::Irc(door) = self {
            door.note_time(unix_ms);
        }
    }

    /// At `now` the connection was accepted or answered.
    pub fn note_time(&mut self, now: u64) {
        if let Self::Web(door) = self {
            door.note_time(now);
        }
    }

    /// The message that [`Cut::Gathered`] has announced.
    pub fn take_gathered(&mut self) -> Vec<u8> {
        if let Self::Web(door) = self { door.take_gathered() } else { Vec::new() }
    }

    /// True if a message has begun in frames that were taken from the input.
    pub fn has_begun(&self) -> bool {
        if let Self::Web(door) = self { door.has_begun() } else { false }
    }

    fn as_relay(&self) -> Option<&RelayDoor> {
        match self {
            Self::Relay(door) => Some(door),
            Self::Line(_) | Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) | Self::Web(_) | Self::Irc(_) => None,
        }
    }

    fn as_relay_mut(&mut self) -> Option<&mut RelayDoor> {
        match self {
            Self::Relay(door) => Some(door),
            Self::Line(_) | Self::Rooms(_) | Self::Metrics(_) | Self::Operator(_) | Self::Web(_) | Self::Irc(_) => None,
        }
    }
}

/// Appends a notice for many sessions to `out`, in the spelling `kind`; nothing where none asks for notices.
pub fn encode_notice(kind: Kind, notice: &Notice, out: &mut Vec<u8>) {
    match kind {
        Kind::Bare | Kind::Typed => line::encode_notice(notice, out),
        Kind::Web => web::encode_notice(notice, out),
        Kind::RelayLf | Kind::RelayCrLf | Kind::Irc(_) => {}
    }
}

/// Appends a broadcast event to `out`, in the spelling `kind`.
pub fn encode(kind: Kind, event: &Event, scene: Scene<'_>, out: &mut Vec<u8>) {
    match kind {
        Kind::Bare | Kind::Typed => line::encode(kind, event, out),
        Kind::Web => web::encode(event, out),
        Kind::RelayLf | Kind::RelayCrLf => relay::encode(kind, event, out),
        Kind::Irc(bits) => irc::encode(Dress::new(scene.irc, bits, scene.unix_ms), event, out),
    }
}
