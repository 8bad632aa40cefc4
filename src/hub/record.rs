//! Records: what has to outlive the process. The hub hands them out ([`Hub::poll_record`](super::Hub::poll_record)) in
//! the order in which things happened, a store keeps them, and a start gives them back ([`Restored`]).

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use super::names::{RoomName, UserName, Who};
use super::profile::ProfileKey;

/// An account as it is kept: a name, and when it was registered. A name that was deleted and registered anew is another
/// account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The name as it was registered.
    pub name: UserName,
    /// When it was registered, in seconds since 1970.
    pub since: u64,
}

/// Identifies a kept room for ever. A room that is made anew, or kept again, gets another id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeptId(pub u32);

/// A place whose messages are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// What is said to everybody.
    Everybody,
    /// A kept room.
    Room(KeptId),
    /// The direct messages with this account. Of a message: its receiver.
    Direct(Account),
}

/// What becomes of a message in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is off the record.
    Unkept,
    /// It is kept.
    Kept(Spot),
    /// It should be kept, and the store has no room for it.
    Dropped(Spot),
}

/// A message to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The message's id.
    pub id: u64,
    /// Where it was said.
    pub spot: Spot,
    /// Who said it. An account's `since` is that of its last [`Record::Account`].
    pub from: Who,
    /// The text.
    pub text: Arc<str>,
}

/// The check of a room's password: an HMAC, from which the password cannot be computed. Prints as `***`.
#[derive(Clone, Copy)]
pub struct Lock(pub [u8; Self::BYTES]);

impl Lock {
    /// Its size in bytes: that of SHA-256.
    pub const BYTES: usize = 32;

    /// A check from which the password can be computed, for tests and benches.
    #[doc(hidden)]
    pub fn unsealed(password: &str) -> Self {
        let mut bytes = [0_u8; Self::BYTES];
        for (place, byte) in password.bytes().enumerate() {
            if let Some(at) = bytes.get_mut(place % Self::BYTES) {
                *at = at.rotate_left(3) ^ byte;
            }
        }
        Self(bytes)
    }
}

impl PartialEq for Lock {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Lock {}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a room is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Who set it, as shown.
    pub by: Box<str>,
    /// The text, not empty, at most [`TOPIC_BYTES`](crate::limits::TOPIC_BYTES).
    pub text: Box<str>,
    /// When it was set, in milliseconds since 1970; 0 if that is not known.
    pub set_ms: u64,
}

/// A kept room, without its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRoom {
    /// Its id.
    pub id: KeptId,
    /// Its name, as its maker spelled it.
    pub name: RoomName,
    /// Its owner; `None` once that account was deleted.
    pub owner: Option<Account>,
    /// Since when it has no owner, in milliseconds since 1970; 0 while it has one.
    pub ownerless_since_ms: u64,
    /// Days for which its messages are kept. 0 keeps the room and no messages.
    pub days: u32,
    /// What it is about.
    pub topic: Option<Topic>,
    /// The check of its password, if it has one.
    pub lock: Option<Lock>,
}

/// Something to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A message.
    Row(Row),
    /// The account has logged in. An older account of that name is gone.
    Account(Account),
    /// The last session of an account has ended, at the time of this id; every message until then has a lower one.
    Seen(Account, u64),
    /// The account was deleted.
    Deleted(Account),
    /// A room is kept, or what is kept of it has changed.
    Room(Box<KeptRoom>),
    /// A room is no longer kept: its messages and members go.
    RoomGone(KeptId),
    /// An account is a member of a kept room from this message on.
    Member(KeptId, Account, u64),
    /// An account is no longer a member of a kept room.
    NoMember(KeptId, Account),
    /// An account has read everything up to this message. Marks only rise.
    Floor(Account, u64),
    /// Messages that were not kept.
    Hole(Hole),
    /// A message that was to be kept goes again: its sender was told that it is not kept.
    Withdrawn(u64),
    /// An account has changed its profile.
    Profile(Setting),
    /// The change of a profile with this id goes again: the account was told that it is not kept.
    Unset(u64),
    /// An account ignores somebody from now on.
    Ignore(Account, Whom),
    /// An account ignores somebody no longer.
    NoIgnore(Account, Whom),
}

/// Messages of one place that were said and are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// An id of its own, after the messages that it stands for and before the next one that is kept.
    pub id: u64,
    /// The place. Of direct messages: with this account …
    pub spot: Spot,
    /// … the other one; `None` for other places.
    pub with: Option<Account>,
    /// The number of messages; `None` if it is not known.
    pub count: Option<u64>,
    /// Why: a phrase.
    pub why: Box<str>,
}

/// A change of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// An id of its own.
    pub id: u64,
    /// The account.
    pub account: Account,
    /// What.
    pub key: ProfileKey,
    /// The value; `None` removes it.
    pub value: Option<Box<str>>,
}

/// Whom an account ignores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// All guests: their direct messages.
    Guests,
    /// An account.
    Account(Account),
}

/// What a store gives back at a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The highest id that is kept or was used; 0 if there is none.
    pub last_id: u64,
    /// The highest id of a kept room that was ever used, 0 if there is none.
    pub last_room: u32,
    /// The kept rooms.
    pub rooms: Vec<RestoredRoom>,
    /// Direct messages that were kept for accounts since they were last online.
    pub waiting: Vec<Waiting>,
    /// Whom accounts ignore. Accounts that are gone are not among them.
    pub ignores: Vec<(Account, Whom)>,
}

/// A kept room of an earlier run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredRoom {
    /// The room.
    pub room: KeptRoom,
    /// Its member accounts, the longest-standing first. The owner is among them.
    pub members: Vec<Account>,
}

/// Direct messages that wait for somebody who is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The receiver.
    pub to: Account,
    /// The sender.
    pub from: Account,
    /// Their number.
    pub count: u32,
}
