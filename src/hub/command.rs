//! Commands: what a session asks of the hub. A door decodes them from bytes; texts are borrowed from the read buffer.

use std::borrow::Cow;

use super::event::Manner;
use super::names::{GuestName, RoomName, UserName, Who};
use super::profile::ProfileKey;
use super::record::{Account, Lock};
pub use super::room::HostGoes;

/// How a room is made or entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The room.
    pub room: RoomName,
    /// The check of the room's password: set by `Make`, compared by `Join`. `None` is no password.
    pub lock: Option<Lock>,
}

/// One request of one session. See [`Event`](super::event::Event) for the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Start a session of an account, whose password or token the caller has checked, or of a guest. A guest who has a
    /// session becomes the account, and keeps its places in rooms.
    LogIn {
        /// The account's name as it was registered, or a guest's, which no other guest has in any room.
        who: Who,
        /// When the account was registered, in seconds since 1970; 0 for a guest.
        since: u64,
        /// How the session calls itself, if it does. Checked as in `Say`, not empty, at most
        /// [`PROFILE_NAME_BYTES`](crate::limits::PROFILE_NAME_BYTES).
        called: Option<Cow<'a, str>>,
    },
    /// End the session.
    Leave {
        /// Why, for others. Checked as in `Say`, not empty.
        text: Option<Cow<'a, str>>,
    },
    /// Send a public message to every other session.
    Say {
        /// The text, checked and stripped of invisible characters by the door (see [`text`](crate::text)).
        text: Cow<'a, str>,
        /// How it is meant.
        manner: Manner,
    },
    /// Send a direct message to every other session of one account, or to a guest.
    Tell {
        /// The receiver, in any case.
        to: Who,
        /// The account of that name, if there is one: it need not be online.
        account: Option<Account>,
        /// The text, as in `Say`.
        text: Cow<'a, str>,
        /// How it is meant.
        manner: Manner,
    },
    /// Ask whether a direct message to somebody would reach a session.
    CanTell {
        /// The receiver, in any case.
        name: Who,
        /// The account of that name, if there is one: it need not be online.
        account: Option<Account>,
    },
    /// List the accounts and guests that are online.
    Who {
        /// Only names that begin with this, in any case; empty for all.
        prefix: Cow<'a, str>,
        /// The most lines; `None` for [`Rules::list_lines`](super::Rules::list_lines).
        most: Option<u32>,
    },
    /// List those of these names that are online, guests of one room too.
    AreOn {
        /// The names, in any case. The caller bounds their number.
        names: Vec<Who>,
    },
    /// Make a room and become its host. Ignored for guests of one room.
    Make(Entry),
    /// Enter a room. Ignored for guests of one room.
    Join(Entry),
    /// Start a session of a guest of one room, who has no account. The session ends when the guest leaves that room.
    EnterAsGuest {
        /// The guest's name, unique among the guests of the room and those that have logged in.
        guest: GuestName,
        /// To make the room: what happens to it when its host leaves. `None` to enter a room that exists.
        makes: Option<HostGoes>,
        /// The room and its password.
        entry: Entry,
    },
    /// Give a guest another name. It keeps its places: what it hears, its seniority, and the rooms whose host it is. A
    /// guest of one room gets no answer unless the name is taken, and the room is told that it leaves and enters again.
    Rename {
        /// The new name. It is unique as in `LogIn`, for a guest of one room as in `EnterAsGuest`.
        guest: GuestName,
    },
    /// Leave a room.
    LeaveRoom {
        /// The room.
        room: RoomName,
        /// Why, for others. Checked as in `Say`, not empty.
        text: Option<Cow<'a, str>>,
    },
    /// Send a message to every other member of a room.
    SayIn {
        /// The room.
        room: RoomName,
        /// The text, as in `Say`.
        text: Cow<'a, str>,
        /// How it is meant.
        manner: Manner,
    },
    /// Ask whether the session may send messages to a room.
    CanSayIn {
        /// The room.
        room: RoomName,
    },
    /// Deliver the room's messages to this member from now on. Sent once the address of a guest is known. No answer.
    Listen {
        /// The room.
        room: RoomName,
    },
    /// List the rooms.
    Rooms {
        /// Only names that begin with this, in any case; empty for all.
        prefix: Cow<'a, str>,
    },
    /// List the members of a room. The session need not be a member.
    Names {
        /// The room.
        room: RoomName,
        /// Only names that begin with this, in any case; empty for all.
        prefix: Cow<'a, str>,
        /// The most lines; `None` for [`Rules::list_lines`](super::Rules::list_lines).
        most: Option<u32>,
    },
    /// Remove a member from a room. For the host only.
    Kick {
        /// The room.
        room: RoomName,
        /// The member. All its sessions are removed.
        name: Who,
        /// Why, for others. Checked as in `Say`, not empty.
        text: Option<Cow<'a, str>>,
    },
    /// Close a room. For the host only.
    CloseRoom {
        /// The room.
        room: RoomName,
    },
    /// Keep a room's messages, or no longer, or give the room to another account. For the host only.
    Keep {
        /// The room.
        room: RoomName,
        /// What is asked for.
        how: Keep,
    },
    /// Show or change what a room is about. Members see it, the host changes it.
    Topic {
        /// The room.
        room: RoomName,
        /// `None` shows it; an empty text removes it. Checked as in `Say`, at most
        /// [`TOPIC_BYTES`](crate::limits::TOPIC_BYTES).
        text: Option<Cow<'a, str>>,
    },
    /// The connection was lost. As `Leave`, but those who watch the account are told only if it stays away:
    /// [`Hub::poll_cut`](super::Hub::poll_cut).
    Cut,
    /// Say that one is away, until the last session of that name ends, or that one is back.
    Away {
        /// Why; `None` for back. Checked as in `Say`, not empty, at most [`AWAY_BYTES`](crate::limits::AWAY_BYTES).
        text: Option<Cow<'a, str>>,
    },
    /// Be told of the comings and goings of an account or a guest. For this session alone.
    Watch(Watch),
    /// Take no direct messages of an account, and have its mentions not counted.
    Ignore(Ignore),
    /// Change one's profile. A guest has a name alone, and only while it is there.
    Set {
        /// What.
        key: ProfileKey,
        /// The value; `None` removes it. Checked as in `Say`, not empty, at most [`ProfileKey::most_bytes`]; of
        /// [`ProfileKey::Seen`] `none`.
        value: Option<Cow<'a, str>>,
    },
    /// Ask somebody who is online into a room. For members of the room.
    Invite {
        /// The room.
        room: RoomName,
        /// Whom, in any case.
        name: Who,
    },
    /// Make another member the host. For the host only, and not in a kept room.
    HandOn {
        /// The room.
        room: RoomName,
        /// The member, in any case. Its longest-standing session becomes host.
        name: Who,
    },
    /// Hear public messages, or do not. For this session alone.
    Attend {
        /// True to hear them, as every session does at first.
        public: bool,
    },
    /// Count who is here.
    Census,
    /// Set or remove a room's password. For the host only.
    LockRoom {
        /// The room.
        room: RoomName,
        /// The check of the new password; `None` for no password.
        lock: Option<Lock>,
    },
}

/// What [`Command::Keep`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Keep its messages for so many days; `None`: as long as the server keeps any.
    Days(Option<u32>),
    /// Keep nothing of it any longer.
    Off,
    /// Give it to this member account.
    To(UserName),
}

/// What [`Command::Watch`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The names that this session watches.
    List,
    /// Watch this name, whether or not somebody has it.
    On(Who),
    /// Watch this name no longer.
    Off(Who),
}

/// What [`Command::Ignore`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignore {
    /// Whom the account ignores.
    List,
    /// Take no direct messages of guests, or take them again.
    Guests {
        /// True to ignore them.
        is_on: bool,
    },
    /// Ignore an account, or no longer.
    Name {
        /// The account, in any case.
        name: UserName,
        /// The account of that name, if there is one.
        account: Option<Account>,
        /// True to ignore it.
        is_on: bool,
    },
}
