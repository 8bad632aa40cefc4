//! Events: what the hub announces, and to which sessions. A door encodes them into bytes.

use std::sync::Arc;

use super::names::{RoomName, UserName, Who};
use super::record::{Fate, Topic};
use super::room::{Member, RoomId};
use super::session::SessionId;

/// The sessions that receive an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One session: the answer to its command.
    One(SessionId),
    /// Every session that hears public messages, except this one.
    Others(SessionId),
    /// Every session of one account, or that of a guest who has logged in, except the sender.
    Person {
        /// The account or guest.
        who: Who,
        /// The sender.
        except: SessionId,
    },
    /// Every listening member of a room.
    Room {
        /// The room.
        room: RoomId,
        /// The member to leave out, if any.
        except: Option<SessionId>,
    },
    /// Every session that watches this name.
    Watchers(Who),
    /// The sessions of others that hear a room in which somebody is or was, each once, in the order of their ids.
    Neighbours(Vec<SessionId>),
    /// The former members of a room that has just closed.
    Members {
        /// The room. The next room that is made may get this id again.
        room: RoomId,
        /// Its members, listening or not, the longest-standing first.
        members: Vec<Member>,
    },
}

/// Something that happened: the answer to a command, or news for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A public message.
    Said(Message),
    /// A direct message.
    Told {
        /// The receiver's name as it is shown.
        to: Who,
        /// The message.
        message: Box<Message>,
    },
    /// The session has logged in.
    Welcome {
        /// The account's name as it was registered, or the guest's.
        name: Who,
        /// Accounts and guests online, this one included.
        online: usize,
    },
    /// Login refused: the account has as many sessions as the rules allow.
    SessionsFull {
        /// The account's sessions.
        sessions: u32,
    },
    /// A public message or a message in a room was delivered.
    Sent {
        /// The room; `None` for a public message.
        room: Option<Box<RoomName>>,
        /// The number of sessions that receive it.
        hearers: usize,
        /// The message, as the others get it.
        message: Message,
    },
    /// A direct message was delivered.
    SentTo {
        /// The receiver's name as it is shown.
        name: Who,
        /// The message, as the receiver gets it.
        message: Box<Message>,
        /// Why the receiver is away, if it is.
        away: Option<Box<str>>,
    },
    /// A direct message of the account's own, for its other sessions.
    OwnTold {
        /// The receiver's name as it is shown.
        to: Who,
        /// The message, as the receiver gets it.
        message: Box<Message>,
    },
    /// What the session asked for is on its way to the disk. [`Hub::settle_wait`](super::Hub::settle_wait) answers.
    Awaited {
        /// The number of the wait.
        ticket: u64,
    },
    /// A direct message is on disk for an account that is away.
    KeptFor {
        /// The receiving account's name as it was registered.
        name: UserName,
        /// The message.
        message: Message,
    },
    /// Refused for now: what the session asked for is not on disk.
    NotKept,
    /// Refused for now: as many direct messages wait for this account as may.
    TooManyWaiting {
        /// The receiving account's name as it was registered.
        name: UserName,
    },
    /// A direct message that was to be kept is not kept, for the sender's other sessions.
    Withdrawn {
        /// The receiving account's name as it was registered.
        to: UserName,
        /// The message's id.
        id: u64,
    },
    /// Refused: the server keeps nothing.
    NothingKept,
    /// A room is kept for so many days from now on; `None`: no longer.
    RoomKept {
        /// The room.
        room: RoomName,
        /// Days.
        days: Option<u32>,
    },
    /// What a room is about: for members, when it changes.
    TopicIs {
        /// The room.
        room: RoomName,
        /// Who set or removed it, as shown.
        by: Box<str>,
        /// The text; empty if there is none any more.
        text: Box<str>,
    },
    /// What a room is about: the answer to a question.
    TopicShown {
        /// The room.
        room: RoomName,
        /// The topic, if it has one.
        topic: Option<Topic>,
    },
    /// Refused: more days than the server keeps anything. Holds that number.
    TooManyDays {
        /// The most days.
        most: u32,
    },
    /// Refused: the account owns as many kept rooms as it may.
    OwnsTooMany {
        /// The account, `None` for the session's own.
        name: Option<UserName>,
        /// That number.
        most: usize,
    },
    /// Refused: the account is a member of as many kept rooms as it may.
    MemberOfTooMany {
        /// That number.
        most: u32,
    },
    /// Refused: there are as many kept rooms, or members of them, as the server allows.
    KeptFull,
    /// A direct message to this name would reach a session, or be kept.
    CanTell {
        /// The name as it is shown.
        name: Who,
    },
    /// A direct message to this name reaches, or would reach, no session.
    NotOnline {
        /// The name as it is shown if somebody who is online has it, else as it was given.
        name: Who,
    },
    /// Refused: a guest of one room gets no direct messages.
    HearsOneRoom {
        /// The guest.
        name: Who,
    },
    /// Refused: the session is that of a guest.
    NeedsAccount,
    /// Refused: an account keeps its name.
    NotAGuest,
    /// A direct message to oneself reaches no session, because there is no other one.
    OnlyYou,
    /// Accounts and guests that are online.
    Online {
        /// The first names in lower-case order, accounts before guests, as many as were asked for.
        names: Vec<Present>,
        /// The number of names that match.
        matching: usize,
    },
    /// A message in a room.
    SaidIn {
        /// The room.
        room: RoomName,
        /// The message.
        message: Message,
    },
    /// The session is a member of a room: a new one, or still.
    Entered {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// The room's id. Session and room id together identify the place; see
        /// [`Hub::poll_ended_place`](super::Hub::poll_ended_place).
        id: RoomId,
        /// Days for which its messages are kept, if it is a kept room.
        kept: Option<u32>,
        /// True if the session was a member already.
        again: bool,
        /// What the room is about, if it has a topic.
        topic: Option<Topic>,
        /// Its host, which may be the session's own name: of a kept room its owner, if one of the owner's sessions is
        /// there.
        host: Option<Who>,
    },
    /// The command was carried out; there is nothing more to report.
    Done,
    /// The session may send messages to the room.
    CanSayIn,
    /// Refused: a room of that name exists.
    RoomExists {
        /// The room, as its maker spelled it.
        room: RoomName,
    },
    /// Refused: no room has that name.
    NoSuchRoom,
    /// Refused: the room has a password, and none was given.
    RoomNeedsPassword,
    /// Refused: the password is not the room's.
    WrongRoomPassword {
        /// The room, as its maker spelled it.
        room: RoomName,
    },
    /// Refused: the room has as many members as the rules allow.
    RoomFull {
        /// The room, as its maker spelled it.
        room: RoomName,
    },
    /// Refused: the session is in as many rooms as the rules allow.
    TooManyRooms {
        /// That number.
        most: u32,
    },
    /// Refused: another guest has that name, in that room or anywhere.
    GuestNameTaken,
    /// Refused: the session is not a member of the room.
    NotMember {
        /// The room, as its maker spelled it.
        room: RoomName,
    },
    /// Refused: the session is not the room's host.
    NotHost {
        /// The room, as its maker spelled it.
        room: RoomName,
    },
    /// Refused: no member of the room has that name.
    NotInRoom {
        /// The name that was given.
        name: Who,
    },
    /// The rooms.
    Rooms {
        /// The first ones in lower-case order of their names, at most [`Rules::list_lines`](super::Rules::list_lines).
        rooms: Vec<RoomLine>,
        /// The number of rooms that match.
        matching: usize,
    },
    /// The members of a room, each name once.
    Names {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// The first names in lower-case order, accounts before guests, as many as were asked for.
        names: Vec<NameLine>,
        /// The number of names that match.
        matching: usize,
    },
    /// A member has entered a room.
    Arrived {
        /// The room.
        room: RoomName,
        /// The new member.
        who: Who,
        /// True if no other session of that name is there.
        first: bool,
        /// Why it is away, if it is.
        away: Option<Box<str>>,
        /// How it calls itself, if it does.
        called: Option<Box<str>>,
        /// True for the owner of a kept room, who is its host while it is there.
        is_owner: bool,
    },
    /// A member has left a room.
    Gone {
        /// The room.
        room: RoomName,
        /// The former member.
        who: Who,
        /// True if no other session of that name is there.
        last: bool,
        /// How it has left.
        why: Leaving,
        /// What it has said of that, or the host.
        text: Option<Box<str>>,
    },
    /// Somebody has another name: a guest, who may be an account now. For those who share a room with it.
    Renamed {
        /// The former name.
        was: Who,
        /// The new one, which had no session in these rooms.
        now: Who,
    },
    /// The session has another name: the answer to `Rename`.
    YouAre {
        /// The former name.
        was: Who,
        /// The new one.
        now: Who,
    },
    /// For those who share a room with somebody, while [they are told](super::Hub::tell_neighbours).
    Neighbour {
        /// The name.
        who: Who,
        /// What has happened.
        news: News,
    },
    /// A room that had members has closed.
    RoomClosed {
        /// The room.
        room: RoomName,
        /// The reason.
        why: Closing,
    },
    /// The session's account is away from now on, or back if `None`.
    AwayIs {
        /// Why.
        text: Option<Box<str>>,
    },
    /// For those who watch a name.
    Presence {
        /// The name as it is shown.
        name: Who,
        /// What has happened.
        change: Change,
    },
    /// The session watches a name from now on.
    Watched {
        /// The name as it is shown if somebody who is online has it, else as it was given.
        name: Who,
        /// How it is now.
        presence: Whereabouts,
    },
    /// The names that the session watches, in lower-case order.
    Watches {
        /// The names as they were given, accounts before guests.
        names: Vec<Who>,
    },
    /// Refused: the session watches as many names as it may, or all sessions together do.
    WatchesFull {
        /// The most names of a session.
        most: usize,
    },
    /// Whom the account ignores, in lower-case order.
    Ignores {
        /// The accounts' names.
        names: Vec<UserName>,
        /// True if it takes no direct messages of guests.
        guests: bool,
    },
    /// Refused: the account ignores as many as it may, or all accounts together do.
    IgnoresFull {
        /// The most accounts.
        most: usize,
    },
    /// Refused: nobody can ignore themselves.
    IgnoresYourself,
    /// Refused: there is no account of that name.
    NoSuchAccount {
        /// The name as it was given.
        name: UserName,
    },
    /// Refused: that account takes no direct messages of the sender.
    TakesNone {
        /// The account's name as it was registered.
        name: UserName,
    },
    /// The operator says something to everybody.
    Announced {
        /// The text, as in a message.
        text: Box<str>,
    },
    /// A room has a password from now on, perhaps another one, or none any more. For its other members, while
    /// [neighbours are told](super::Hub::tell_neighbours).
    LockIs {
        /// The room.
        room: RoomName,
        /// Who has changed it.
        by: Who,
        /// True if it has a password.
        is_locked: bool,
    },
    /// A room has a new host.
    HostIs {
        /// The room.
        room: RoomName,
        /// The new host.
        who: Who,
        /// The former host, if it is still there.
        was: Option<Who>,
    },
    /// Refused: a kept room has its owner as host.
    OwnerIs {
        /// The owner, if the room has one.
        owner: Option<UserName>,
    },
    /// The session has invited a user, who is told.
    Invited {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// The user, as shown.
        name: Who,
        /// Why the user is away, if that is so.
        away: Option<Box<str>>,
    },
    /// For a user: somebody invites you.
    Invitation {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// Who invites.
        from: Who,
        /// Who is invited.
        to: Who,
    },
    /// For the members of a room, while [neighbours are told](super::Hub::tell_neighbours): one of them invites somebody.
    InvitedHere {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// Who invites.
        from: Who,
        /// Who is invited.
        to: Who,
    },
    /// Refused: this user is in the room already.
    InRoomAlready {
        /// The room, as its maker spelled it.
        room: RoomName,
        /// The user, as shown.
        name: Who,
    },
    /// The session hears public messages from now on, or no longer.
    Attends {
        /// True if it does.
        public: bool,
    },
    /// How many there are.
    Counted(Census),
}

/// How many there are of what makes up a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Accounts that are online.
    pub accounts: usize,
    /// Guests who have logged in, and those of one room.
    pub guests: usize,
    /// Sessions of accounts and guests.
    pub sessions: usize,
    /// Rooms, also kept ones in which nobody is.
    pub rooms: usize,
    /// The most sessions at once since the start.
    pub most_sessions: usize,
}

/// Somebody in a list of those who are online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The account or guest.
    pub who: Who,
    /// True if it is away.
    pub is_away: bool,
    /// How it calls itself, if it does.
    pub called: Option<Box<str>>,
}

/// Somebody in a list of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameLine {
    /// The name.
    pub who: Who,
    /// What it is in the room.
    pub seat: Seat,
    /// True for somebody who is online and away.
    pub is_away: bool,
    /// How somebody who is online calls itself, if it does.
    pub called: Option<Box<str>>,
}

/// How a member leaves a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// By itself, or its session has ended and others of that name go on elsewhere.
    Left,
    /// The host removed it.
    Kicked {
        /// The host.
        by: Who,
    },
    /// With the last session of that name: those who share a room with it were told before.
    Offline,
}

/// What those who share a room with somebody are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Its last session has ended. It leaves its rooms next.
    Offline {
        /// What it has said of that; `None` if it has said nothing, or was cut off.
        text: Option<Box<str>>,
    },
    /// It is away for this reason, or back if `None`.
    Away(Option<Box<str>>),
    /// It calls itself so, or by its name alone if `None`.
    Called(Option<Box<str>>),
}

/// What those who watch somebody are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its first session has begun.
    Online,
    /// Its last session has ended.
    Offline,
    /// It is away, for this reason.
    Away(Box<str>),
    /// It is back.
    Back,
}

/// How a name is found by somebody who begins to watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is online.
    Online,
    /// It is online, and away for this reason.
    Away(Box<str>),
    /// It has no session, or nobody has it.
    Offline,
}

/// What a name in a list of members is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// The host.
    Host,
    /// A member.
    Member,
    /// A member account of a kept room that is not there.
    Absent,
}

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLine {
    /// The name, as its maker spelled it.
    pub name: RoomName,
    /// The number of sessions in it.
    pub members: usize,
    /// True if it has a password.
    pub is_locked: bool,
    /// True if its messages are kept.
    pub is_kept: bool,
    /// What it is about. Of a room with a password only its members are told that.
    pub topic: Option<Box<str>>,
}

/// Why a room closes while it has members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Its host closed it.
    ByHost,
    /// Its host has left, and the room closes with its host.
    HostLeft,
    /// The operator closed it, for this reason, which may be empty.
    ByOperator(Box<str>),
}

/// A message. A clone shares the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message's number: the same for all receivers, strictly increasing. `id >> 20` is about its Unix time in
    /// milliseconds.
    pub id: u64,
    /// The sender.
    pub from: Who,
    /// The text.
    pub text: Arc<str>,
    /// How it is meant.
    pub manner: Manner,
    /// What becomes of it in the store.
    pub fate: Fate,
}

impl Message {
    /// True if it should be kept, and there is no room for it.
    pub fn is_dropped(&self) -> bool {
        matches!(self.fate, Fate::Dropped(_))
    }
}

/// How a message is meant. A door without the difference takes both as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Something that is said, and may be answered.
    #[default]
    Text,
    /// Something that no program may answer, so that two of them never answer each other for ever. It is not kept for
    /// somebody who is away.
    Notice,
}
