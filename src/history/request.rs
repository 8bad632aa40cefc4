//! Requests to the history, and their results.

use std::path::PathBuf;

use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::profile::ProfileKey;
use crate::hub::record::{Account, KeptId, Record, Spot};
use crate::{limits, mailbox};

/// The file and its rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file.
    pub file: PathBuf,
    /// The rules.
    pub rules: limits::History,
}

/// A request. Batches are carried out in their order. The other requests see all batches that were queued before them,
/// except [`Request::Find`], and may see later ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Keep these. Gives [`Verdict::Kept`] or [`Verdict::NotKept`] once the awaited ones are on disk, or will never
    /// be; [`Verdict::Kept`] at once if none is awaited.
    Keep(Batch),
    /// A page of messages. Gives [`Verdict::Page`].
    Page(Page),
    /// Counts of what is unread, by place. Gives [`Verdict::Counts`].
    Counts(Counts),
    /// How much an account has missed. Gives [`Verdict::Missed`].
    Missed(Mine),
    /// An account has read something. Gives [`Verdict::Marked`].
    Mark(Mark),
    /// A search. Gives [`Verdict::Page`].
    Find(Find),
    /// What an account says of itself, and when it was last there. Gives [`Verdict::Profile`].
    Profile(Account),
    /// How loud a place is. Gives [`Verdict::Marked`].
    Loud(Loud),
    /// Forget messages. Gives [`Verdict::Forgotten`] once no file but copies holds them, and [`Verdict::Unavailable`] if
    /// the store breaks before; what was forgotten until then stays so.
    Forget(Forget),
}

/// Records in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The records.
    pub records: Vec<Record>,
    /// The indexes in `records` of those for which somebody waits, rising.
    pub awaited: Vec<u32>,
    /// The size for the bound of the queue, in bytes: [`row_bytes`] of each row.
    pub bytes: usize,
}

/// The size of a row with a text of this length for the bound of the queue, in bytes.
pub fn row_bytes(text: usize) -> usize {
    text + limits::HISTORY_ROW_BYTES
}

/// Whose messages: everything to everybody, those of kept rooms that the account is a member of, and its direct messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    /// The account.
    pub who: Account,
    /// The kept rooms that it is a member of.
    pub rooms: Vec<KeptId>,
}

/// The places that a request is about. The caller has checked that they are the account's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// All places of the account.
    All,
    /// One of them.
    One(Spot),
}

/// Which of the messages between two bounds a page shows, if there are more than it may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The newest.
    Newest,
    /// The oldest.
    Oldest,
}

/// A page of messages, in rising order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Whose messages.
    pub mine: Mine,
    /// Which places.
    pub of: Of,
    /// Only messages after this id. `None` with `is_unread`: after the account's floor, which else is no bound.
    pub above: Option<u64>,
    /// Only messages before this id.
    pub below: Option<u64>,
    /// Which end is shown.
    pub end: End,
    /// The most messages.
    pub most: u32,
    /// The most bytes that their lines may take, as [`Line::bytes`] counts them; 0 for no bound.
    pub most_bytes: usize,
    /// Only messages that the marks of their places do not cover, and none of the account's own.
    pub is_unread: bool,
}

/// Counts of what is unread, the place with the newest message first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Whose.
    pub mine: Mine,
    /// The most places.
    pub most: u32,
}

/// An account has read a place, or all of its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The account.
    pub who: Account,
    /// The place.
    pub of: Of,
    /// Up to this id, which is at most the newest one.
    pub id: u64,
}

/// An account wants to be told of more or less of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loud {
    /// The account.
    pub who: Account,
    /// The place.
    pub spot: Spot,
    /// How loud.
    pub level: Level,
}

/// How much of a place an account wants to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Every message.
    All,
    /// Messages for the account.
    Mentions,
    /// Nothing.
    None,
}

impl Level {
    /// All levels.
    pub const ALL: [Self; 3] = [Self::All, Self::Mentions, Self::None];

    /// The level of a place for which none was set.
    pub fn usual(is_direct: bool) -> Self {
        if is_direct { Self::All } else { Self::Mentions }
    }

    /// Its word in a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    /// The level of a word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word().eq_ignore_ascii_case(word))
    }
}

/// An account forgets messages: its own ones anywhere, and any ones in rooms that it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forget {
    /// Whose.
    pub mine: Mine,
    /// The kept rooms that it owns, which are among those of `mine`.
    pub owns: Vec<KeptId>,
    /// Which messages.
    pub what: Forgets,
}

/// Which messages are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgets {
    /// The account's newest one.
    Newest,
    /// The one with this id.
    One(u64),
    /// All of the account's own up to this id.
    All(u64),
}

/// A search for messages with all of these terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// Whose messages.
    pub mine: Mine,
    /// Which places.
    pub of: Of,
    /// Said by this name, in any case.
    pub from: Option<Who>,
    /// The terms, at least one.
    pub terms: Vec<Term>,
    /// Only messages after this id.
    pub above: Option<u64>,
    /// Only messages before this id.
    pub below: Option<u64>,
    /// The most messages.
    pub most: u32,
    /// As in [`Page`].
    pub most_bytes: usize,
}

/// A term of a search, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A word.
    Word(Box<str>),
    /// The beginning of a word, without its `*`; two characters or more.
    Prefix(Box<str>),
    /// Words that follow each other, without their quotation marks.
    Exact(Box<str>),
}

/// The kind of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// [`Request::Keep`].
    Keep,
    /// [`Request::Page`].
    Page,
    /// [`Request::Counts`].
    Counts,
    /// [`Request::Missed`].
    Missed,
    /// [`Request::Mark`].
    Mark,
    /// [`Request::Find`].
    Find,
    /// [`Request::Profile`].
    Profile,
    /// [`Request::Loud`].
    Loud,
    /// [`Request::Forget`].
    Forget,
}

impl Request {
    /// The kind of this request.
    pub fn asked(&self) -> Asked {
        match self {
            Self::Keep(_) => Asked::Keep,
            Self::Page(_) => Asked::Page,
            Self::Counts(_) => Asked::Counts,
            Self::Missed(_) => Asked::Missed,
            Self::Mark(_) => Asked::Mark,
            Self::Find(_) => Asked::Find,
            Self::Profile(_) => Asked::Profile,
            Self::Loud(_) => Asked::Loud,
            Self::Forget(_) => Asked::Forget,
        }
    }
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The awaited records are on disk.
    Kept,
    /// The awaited records are not kept, and never will be.
    NotKept,
    /// A page.
    Page(Paged),
    /// Counts.
    Counts(Vec<Count>),
    /// How much was missed.
    Missed(Missed),
    /// The mark is set.
    Marked {
        /// False if it was as high already.
        rose: bool,
    },
    /// A profile.
    Profile(Profile),
    /// What was forgotten.
    Forgotten(Forgotten),
    /// The store cannot be read or written now.
    Unavailable,
    /// Too many requests wait, or the account has searched too much.
    Busy,
}

/// A page of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paged {
    /// The messages and holes, in rising order of their ids.
    pub lines: Vec<Line>,
    /// The bound with which the same request goes on; `None` at the end.
    pub next: Option<u64>,
    /// Of a page of unread messages: those that are left after it, up to [`limits::COUNT_MOST`].
    pub left: u32,
}

/// A message or a hole in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: u64,
    /// The place as it is shown: `*`, a room's name, or `@name`, `@-name` for an account that is gone.
    pub place: Box<str>,
    /// Who said it: `name`, `-name` for an account that is gone, `~name` for a guest, `server` for a hole.
    pub from: Box<str>,
    /// What it is.
    pub flag: Flag,
    /// The text; of a hole, how much is missing and why.
    pub text: Box<str>,
}

impl Line {
    /// Bytes that it takes in a page at most, in either dialect.
    pub fn bytes(&self) -> usize {
        limits::HISTORY_LINE_FIXED_BYTES + self.place.len() + self.from.len() + self.text.len()
    }
}

/// What a line of a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// A message.
    Plain,
    /// A message that mentions the reader, or a direct message to the reader.
    Mention,
    /// A hole.
    Hole,
}

/// What is unread in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The place as it is shown in a [`Line`].
    pub place: Box<str>,
    /// Unread messages, up to [`limits::COUNT_MOST`].
    pub unread: u32,
    /// Those for the reader, up to [`limits::COUNT_MOST`].
    pub mentions: u32,
    /// Up to where the place is read.
    pub read: u64,
    /// Its newest message; 0 if there is none.
    pub last: u64,
    /// How loud it is.
    pub level: Level,
}

/// How much an account has missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Unread messages, up to [`limits::COUNT_MOST`].
    pub count: u32,
    /// Those for the account, up to [`limits::COUNT_MOST`].
    pub mentions: u32,
    /// The account's floor.
    pub floor: u64,
}

/// What an account says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What it has set, in the order of the keys.
    pub values: Vec<(ProfileKey, Box<str>)>,
    /// The newest id at the end of its last session, or at its last login; 0 if it is not known.
    pub seen: u64,
}

/// What was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// Nothing: no page of the account has that message, or it has none of its own.
    None,
    /// Nothing: the account reads that message and may not forget it.
    NotYours,
    /// One message.
    One {
        /// Its id.
        id: u64,
        /// Where it was said.
        at: Said,
        /// False while another process reads the file, which holds the bytes until then.
        is_erased: bool,
    },
    /// All messages of the account.
    All {
        /// Their number.
        count: u64,
        /// Where they were said.
        at: Vec<Said>,
        /// As in `One`.
        is_erased: bool,
    },
}

/// Where a forgotten message was said, and so who may have heard it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// To everybody.
    Everybody,
    /// In a kept room.
    Room(RoomName),
    /// In direct messages between these two, each as it is shown: `name`, or `-name` for an account that is gone.
    Direct(Shown, Shown),
}

/// An account as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: UserName,
    /// True if it is gone; then another account may have its name.
    pub is_gone: bool,
}

/// A verdict with the ticket of its request.
pub type Answer = mailbox::Answer<Asked, Verdict>;

/// The state of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Why nothing can be stored at the moment: a phrase for the operator.
    pub broken: Option<String>,
    /// Why new messages take the place of old ones.
    pub full: Option<String>,
}

/// Why the history cannot be opened: one line for the operator, with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process uses it.
    InUse(String),
    /// The file cannot be used.
    Unusable(String),
}
