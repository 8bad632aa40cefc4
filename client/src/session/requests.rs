//! Requests without an answer, in the order of their answers.

use std::collections::VecDeque;
use std::rc::Rc;

use chatd::limits::FORGET_WAIT_MS;

use super::ANSWER_MS;
use super::asks::Ask;
use crate::action::{Place, Secret};

/// With more requests than this under way, no line is taken from the user.
pub(super) const REQUESTS: usize = 32;

/// A line of a script, as far as it may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1; none for the text of `--once`.
    pub(super) number: Option<usize>,
    pub(super) text: String,
}

/// Requests without an answer, each with its line of a script.
#[derive(Debug, Default)]
pub(super) struct Requests(VecDeque<(Request, Option<Rc<Line>>)>);

impl Requests {
    /// Adds a request that was sent.
    pub(super) fn push_back(&mut self, request: Request, line: Option<Rc<Line>>) {
        self.0.push_back((request, line));
    }

    /// Removes the oldest, which is answered or never will be.
    pub(super) fn pop_front(&mut self) -> Option<(Request, Option<Rc<Line>>)> {
        self.0.pop_front()
    }

    /// Adds a request in front: its answer comes next.
    pub(super) fn push_front(&mut self, request: Request, line: Option<Rc<Line>>) {
        self.0.push_front((request, line));
    }

    /// The oldest request.
    pub(super) fn front(&self) -> Option<&Request> {
        self.0.front().map(|(request, _)| request)
    }

    /// What the oldest asks about people.
    pub(super) fn front_ask(&mut self) -> Option<&mut Ask> {
        match self.0.front_mut() {
            Some((Request::People(ask), _)) => Some(ask),
            Some(_) | None => None,
        }
    }

    /// All requests, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.0.iter().map(|(request, _)| request)
    }

    /// Their number.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How long the server may take for an answer, in milliseconds: it waits for its disk before it says that
    /// something is erased.
    pub(super) fn patience_ms(&self) -> u64 {
        let erases = self.iter().any(|request| matches!(request, Request::People(Ask::Erase(_))));
        if erases { ANSWER_MS + FORGET_WAIT_MS } else { ANSWER_MS }
    }

    /// Whether all are answered.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A request, as far as its reply needs it.
#[derive(Debug)]
pub(super) enum Request {
    /// A message.
    Say(Words),
    /// Asks the server to ask for the text of the following [`Self::Say`]. Together with its verb on one line, the text
    /// would lose its leading spaces.
    Open,
    /// A message that the server had not asked for, with its answer instead.
    Refused {
        /// The message.
        words: Words,
        /// The code of the refusal.
        code: u16,
        /// The text of the refusal.
        text: String,
    },
    /// A list.
    List {
        /// Its content.
        of: Listed,
        /// Whether the user asked for it.
        is_shown: bool,
        /// Whether a name and a text are asked for afterwards.
        asks: bool,
    },
    /// A check that the server is alive.
    Noop,
    /// A resume token.
    Token,
    /// A step of a [resume](super::resume).
    Resume,
    /// A page that the user asked for.
    Page {
        /// For a person: the command for the next page, without its bound.
        more: Option<String>,
    },
    /// The counts that the user asked for.
    Unread,
    /// A change of a room.
    Change {
        /// The sentence for a `200 done`.
        done: String,
    },
    /// Something about people.
    People(Ask),
    /// How far the user has read.
    Read,
    /// Enters a room.
    Enter {
        /// The room.
        room: String,
        /// Its password.
        password: Option<Secret>,
        /// The reason.
        way: Way,
    },
    /// Leaves a room.
    Leave(String),
    /// Closes a room, as its host.
    Close(String),
    /// Removes a member of a room, as its host.
    Kick {
        /// The room.
        room: String,
        /// The member.
        name: String,
    },
    /// Whether the receiver of a direct message is online.
    Find(String),
    /// A step of a password change.
    Passwd,
    /// Cancels the password change.
    Cancel,
    /// Says goodbye.
    Exit,
}

/// Why a room is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The user joins it.
    Wanted,
    /// The user creates it.
    Made,
    /// The user was in it before the connection was lost: JOIN, …
    Again,
    /// … MAKE if there is no such room any more, …
    Remade,
    /// … or JOIN if somebody else has just created it.
    AgainAfterAll,
    /// The account is a member of this kept room.
    Member,
    /// The user was in it in the last run.
    Remembered,
}

/// The content of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Names,
    Rooms,
}

/// A message of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) place: Place,
    pub(super) text: String,
    /// When it was sent, if it was.
    pub(super) sent: Option<Sent>,
}

/// When a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// The index of the server.
    pub(super) server: usize,
    /// The highest id of that server that had been shown then.
    pub(super) top: Option<u64>,
}

/// A message that the server has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unconfirmed {
    pub(super) words: Words,
    /// Whether it was sent, and so may have arrived.
    pub(super) was_sent: bool,
    /// Whether the user has been told, or sees it as typed.
    pub(super) is_told: bool,
}

impl Unconfirmed {
    /// The word for programs, and the sentence for people.
    pub(super) fn describe(&self) -> (&'static str, String) {
        let words = self.words.describe();
        if self.was_sent {
            ("unconfirmed", format!("not confirmed, {words}"))
        } else {
            ("unsent", format!("not sent, {words}"))
        }
    }
}

impl Request {
    /// Whether the next prompt waits for this answer, because the answer decides what is asked.
    pub(super) fn holds_prompt(&self) -> bool {
        match self {
            Self::List { asks, .. } => *asks,
            Self::Enter { .. }
            | Self::Leave(_)
            | Self::Close(_)
            | Self::Kick { .. }
            | Self::Find(_)
            | Self::Passwd
            | Self::Cancel
            | Self::Exit => true,
            Self::Say(_)
            | Self::Open
            | Self::Refused { .. }
            | Self::Noop
            | Self::Token
            | Self::Resume
            | Self::Page { .. }
            | Self::Unread
            | Self::Change { .. }
            | Self::People(_)
            | Self::Read => false,
        }
    }

    /// Its message.
    pub(super) fn words(&self) -> Option<&Words> {
        match self {
            Self::Say(words) | Self::Refused { words, .. } => Some(words),
            Self::Open
            | Self::List { .. }
            | Self::Noop
            | Self::Token
            | Self::Resume
            | Self::Page { .. }
            | Self::Unread
            | Self::Change { .. }
            | Self::People(_)
            | Self::Read
            | Self::Enter { .. }
            | Self::Leave(_)
            | Self::Close(_)
            | Self::Kick { .. }
            | Self::Find(_)
            | Self::Passwd
            | Self::Cancel
            | Self::Exit => None,
        }
    }
}

impl Words {
    /// A message that is not sent yet.
    pub(super) fn new(place: Place, text: String) -> Self {
        Self { place, text, sent: None }
    }

    /// For people: `to bob: hello`.
    pub(super) fn describe(&self) -> String {
        match &self.place {
            Place::Public => format!("to everybody: {}", self.text),
            Place::Room(room) => format!("in {room}: {}", self.text),
            Place::Direct { with } => format!("to {with}: {}", self.text),
        }
    }
}
