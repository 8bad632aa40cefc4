//! Requests for what was said before, and their answers, as the doors share them.

use super::Masked;
use crate::history::{Count, Missed, Paged, Term};
use crate::hub::names::{RoomName, UserName, Who};

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
