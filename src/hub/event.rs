//! What the hub has to say, and to whom. Doors make bytes out of events.

use super::names::{RoomName, RoomToken, UserName, Who};
use super::room::{Member, RoomId};
use super::session::SessionId;

/// Who hears an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One session: an answer to its command.
    One(SessionId),
    /// Every session but this one.
    Others(SessionId),
    /// Every session of an account, without the one that spoke.
    Account {
        /// Whose sessions.
        name: UserName,
        /// The session that is left out.
        except: SessionId,
    },
    /// Every member of a room who listens.
    Room {
        /// Which room.
        room: RoomId,
        /// The session that is left out.
        except: Option<SessionId>,
    },
    /// These, who have just been members of a room that is no more.
    Members(Vec<Member>),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A public message.
    Said(Message),
    /// A direct message.
    Told(Message),
    /// The session is in.
    Welcome {
        /// Its account's name.
        name: UserName,
        /// Accounts online, this one too.
        online: usize,
    },
    /// The account is logged in as often as it may be; the session is not in.
    SessionsFull {
        /// How often that is.
        sessions: u32,
    },
    /// A public message was queued for so many sessions.
    Sent {
        /// How many.
        hearers: usize,
    },
    /// A direct message was queued for the sessions of this account.
    SentTo {
        /// Whose.
        name: UserName,
    },
    /// A direct message to this account would reach somebody.
    CanTell {
        /// Whom.
        name: UserName,
    },
    /// A direct message to this name reaches (or would reach) nobody.
    NotOnline {
        /// Whom; as registered if that is known, else as it was asked for.
        name: UserName,
    },
    /// A direct message to the session's own account, which has no other session.
    OnlyYou,
    /// Who is online.
    Online {
        /// In lower-case order, as many as a list may show.
        names: Vec<UserName>,
        /// How many there are.
        matching: usize,
    },
    /// A message in a room.
    SaidIn {
        /// Which room.
        room: RoomName,
        /// What is said.
        message: Message,
    },
    /// The session has a place in a room.
    Entered {
        /// Which room, as its maker spelled it.
        room: RoomName,
        /// The token of the place.
        token: RoomToken,
    },
    /// It was done; there is no more to say.
    Done,
    /// One may speak in that room.
    CanSayIn,
    /// A room of that name is there already.
    RoomExists {
        /// Which, as its maker spelled it.
        room: RoomName,
    },
    /// There is no room of that name.
    NoSuchRoom,
    /// The room has a password, and none was given.
    RoomNeedsPassword,
    /// The room has another password.
    WrongRoomPassword {
        /// Which, as its maker spelled it.
        room: RoomName,
    },
    /// The room has as many members as it may have.
    RoomFull {
        /// Which.
        room: RoomName,
    },
    /// The session is in as many rooms as it may be.
    TooManyRooms {
        /// How many that is.
        most: u32,
    },
    /// Another guest in that room has that name.
    GuestNameTaken,
    /// The session is not in that room.
    NotMember {
        /// Which.
        room: RoomName,
    },
    /// The session is not the host of that room.
    NotHost {
        /// Which.
        room: RoomName,
    },
    /// Nobody of that name is in the room.
    NotInRoom {
        /// Who is not.
        name: Who,
    },
    /// Which rooms there are.
    Rooms {
        /// In lower-case order, as many as a list may show.
        rooms: Vec<RoomLine>,
        /// How many there are.
        matching: usize,
    },
    /// Who is in a room.
    Names {
        /// Which room.
        room: RoomName,
        /// In lower-case order, accounts before guests, as many as a list may show; and whether that is the host.
        names: Vec<(Who, bool)>,
        /// How many there are.
        matching: usize,
    },
    /// Somebody has entered a room.
    Arrived {
        /// Which room.
        room: RoomName,
        /// Who.
        who: Who,
    },
    /// Somebody has left a room.
    Gone {
        /// Which room.
        room: RoomName,
        /// Who.
        who: Who,
        /// Whether the host put it out.
        kicked: bool,
    },
    /// A room is no more, though there were people in it.
    RoomClosed {
        /// Which room.
        room: RoomName,
        /// Why.
        why: Closing,
    },
    /// A room has another host.
    HostIs {
        /// Which room.
        room: RoomName,
        /// Who is host now.
        who: Who,
    },
}

/// A room, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLine {
    /// Its name as its maker spelled it.
    pub name: RoomName,
    /// How many sessions are in it.
    pub members: usize,
    /// Whether it takes a password to enter.
    pub is_locked: bool,
}

/// Why a room closes with people in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Its host closed it.
    ByHost,
    /// Its host has gone, and it is a room that goes with its host.
    HostLeft,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One a message, the same for all who hear it, strictly increasing; `id >> 20` is its Unix time in milliseconds.
    pub id: u64,
    /// Whose words.
    pub from: Who,
    /// The words.
    pub text: Box<str>,
}
