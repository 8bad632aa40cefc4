//! Requests for what was said before, and their answers, as the doors share them.

use super::Masked;
use crate::history::{Count, Level, Missed, Paged, Term};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::profile::ProfileKey;

/// A place whose messages may be kept, as a client names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceName {
    /// `*`: what is said to everybody.
    Everybody,
    /// A room; its name, or `#` and its name.
    Room(RoomName),
    /// `@` and a name: direct messages with that account.
    Direct(UserName),
}

/// A point in the order of all messages, as a client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A message's id.
    Id(u64),
    /// A time, in milliseconds since 1970: the first id of that millisecond.
    At(u64),
    /// So many milliseconds ago.
    Ago(u64),
}

/// Bits of an id below its time in milliseconds.
const ID_TIME_SHIFT: u32 = 20;

impl When {
    /// The latest time that an id can hold, in milliseconds since 1970: in the year 2527.
    pub const MOST_MS: u64 = u64::MAX >> ID_TIME_SHIFT;

    /// The exclusive bound of what was said after this point, if it is `unix_ms` now. A time includes its first
    /// millisecond.
    pub fn above(self, unix_ms: u64) -> u64 {
        match self {
            Self::Id(id) => id,
            Self::At(_) | Self::Ago(_) => self.below(unix_ms).saturating_sub(1),
        }
    }

    /// The exclusive bound of what was said before this point, if it is `unix_ms` now.
    pub fn below(self, unix_ms: u64) -> u64 {
        match self {
            Self::Id(id) => id,
            Self::At(ms) => first_id(ms),
            Self::Ago(ms) => first_id(unix_ms.saturating_sub(ms)),
        }
    }
}

/// The first id of a millisecond.
fn first_id(ms: u64) -> u64 {
    ms.min(When::MOST_MS) << ID_TIME_SHIFT
}

/// The time of an id, in milliseconds since 1970.
pub fn time_of(id: u64) -> u64 {
    id >> ID_TIME_SHIFT
}

/// The bound of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The newest messages.
    None,
    /// The newest messages before this one.
    Before(When),
    /// The oldest messages after this one.
    After(When),
    /// Messages between two ids, both exclusive.
    Between {
        /// After this one.
        above: u64,
        /// Before this one.
        below: u64,
        /// True for the newest ones, false for the oldest ones.
        newest: bool,
    },
}

/// A request for what was said before, or about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recall<'a> {
    /// HISTORY.
    Page {
        /// The place; `None` for all of one's own.
        place: Option<PlaceName>,
        /// From where.
        bound: Bound,
        /// The most messages, within the bounds of a page.
        most: u32,
    },
    /// MISSED.
    Missed,
    /// SEARCH.
    Find {
        /// The terms, at least one.
        terms: Vec<Term>,
        /// Only in this place.
        place: Option<PlaceName>,
        /// Only said by this name.
        from: Option<Who>,
        /// Only before.
        before: Option<When>,
        /// Only after.
        after: Option<When>,
    },
    /// UNREAD.
    Unread,
    /// READ.
    Read {
        /// The place; `None` for all.
        place: Option<PlaceName>,
        /// Up to there; `None` for now.
        when: Option<When>,
    },
    /// LOCK.
    Lock {
        /// The room.
        room: RoomName,
        /// Its new password; `None` for none.
        password: Option<Masked<&'a str>>,
    },
    /// WANT.
    Want(Wants),
    /// WHOIS.
    Whois {
        /// Who; `None` for oneself.
        who: Option<Who>,
    },
    /// SET that shows.
    Profile {
        /// What; `None` for everything.
        key: Option<ProfileKey>,
    },
    /// NOTIFY.
    Notify {
        /// The place.
        place: PlaceName,
        /// How loud.
        level: Level,
    },
    /// FORGET.
    Forget(Forgetting),
}

/// What FORGET asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgetting {
    /// The account's newest message.
    Newest,
    /// The message with this id.
    One(u64),
    /// All messages of the account.
    All,
}

/// The answer to a [`Recall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// 212: a page. `is_unread` if it answers MISSED.
    Page {
        /// The page.
        page: Paged,
        /// True for MISSED, whose last line counts what is left.
        is_unread: bool,
    },
    /// 213: what is unread, and for how many days things are kept.
    Counts {
        /// The places.
        counts: Vec<Count>,
        /// Days.
        keep_days: u32,
    },
    /// 200: the mark is set.
    Read,
    /// 200: what the session wants from now on.
    Wants(Wants),
    /// 215: who that is.
    Whois(Whois),
    /// 215: what the account has set.
    Profile {
        /// Its name.
        name: UserName,
        /// The values, in the order of the keys.
        values: Vec<(ProfileKey, Box<str>)>,
    },
    /// 200: how loud the place is.
    Loud {
        /// The place as it is shown.
        place: Box<str>,
        /// How loud.
        level: Level,
    },
    /// 200: one message is forgotten.
    Forgot {
        /// Its id.
        id: u64,
        /// The place as it is shown.
        place: Box<str>,
        /// False if it is on disk until a reader has ended.
        is_erased: bool,
    },
    /// 200: all messages of the account are forgotten.
    ForgotAll {
        /// Their number.
        count: u64,
        /// As in `Forgot`.
        is_erased: bool,
    },
    /// 550: there is no such account or guest.
    NoSuchUser,
    /// 554: the session is that of a guest.
    NeedsAccount,
    /// 550: no page of the account has that message.
    NoSuchMessage,
    /// 554: the account reads that message and may not forget it.
    NotYourMessage,
    /// 450: the account has forgotten as much as it may for now.
    ForgotTooMuch {
        /// Seconds until it may again.
        retry_s: u64,
    },
    /// 450: the store has not forgotten it, or not all of it.
    NotForgotten,
    /// 554: the server keeps nothing.
    NothingKept,
    /// 554: the server does not search.
    SearchOff,
    /// 554: bare sessions want nothing.
    WantsAreTyped,
    /// 550: the place is none of the account's own.
    NotYours,
    /// 450: the store does not answer now.
    Unavailable,
    /// 450: too many requests wait, or the account has searched too much.
    Busy,
}

/// A notice about what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// 108: another session of the account has read a place, all if `None`, up to this id.
    Read {
        /// The place as it is shown.
        place: Option<Box<str>>,
        /// The id.
        id: u64,
    },
    /// 110: how much was missed.
    Missed(Missed),
    /// 109: a message is forgotten.
    Forgotten {
        /// The place as it is shown to the hearer.
        place: Box<str>,
        /// The message's id.
        id: u64,
    },
    /// 109: all messages of an account in a place are forgotten.
    ForgottenAll {
        /// The place as it is shown to the hearer.
        place: Box<str>,
        /// The account.
        name: Box<str>,
    },
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whois {
    /// A guest.
    Guest {
        /// Its name.
        name: Who,
        /// Why it is away, if it is.
        away: Option<Box<str>>,
        /// How it calls itself, if it does.
        called: Option<Box<str>>,
        /// The rooms that it is in, and whether it is the host there.
        rooms: Vec<(RoomName, bool)>,
    },
    /// An account.
    Account(Box<Known>),
}

/// What is known of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name as it was registered.
    pub name: UserName,
    /// Its sessions; 0 if it is offline.
    pub sessions: usize,
    /// When it was registered, in seconds since 1970.
    pub since: u64,
    /// Seconds since it has said something; `None` if it is offline, or hides that.
    pub idle_s: Option<u64>,
    /// Why it is away.
    pub away: Option<Box<str>>,
    /// How its session has called itself.
    pub called: Option<Box<str>>,
    /// The rooms that it is in, and whether it is the host there.
    pub rooms: Vec<(RoomName, bool)>,
    /// When it was last there, in milliseconds since 1970; `None` if it is online, hides that, or it is not known.
    pub seen_ms: Option<u64>,
    /// What it says of itself, in the order of the keys, without [`ProfileKey::Seen`].
    pub profile: Vec<(ProfileKey, Box<str>)>,
}

/// What a typed session asks to be told besides messages and replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants(u8);

impl Wants {
    /// The id of each message of one's own, in its 250.
    pub const IDS: Self = Self(1);
    /// What the account's other sessions have read.
    pub const READS: Self = Self(2);
    /// What was forgotten.
    pub const FORGETS: Self = Self(4);
    /// Direct messages that the account's other sessions have sent.
    pub const OWN: Self = Self(8);
    /// All wants with their words, in the order in which they are shown.
    pub const ALL: [(&'static str, Self); 4] =
        [("ids", Self::IDS), ("reads", Self::READS), ("forgets", Self::FORGETS), ("own", Self::OWN)];

    /// These and those of `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if all of `other` are among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
