//! Requests that were sent and are not answered yet, in the order of their answers.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::action::{Place, Secret};

/// Requests under way above which no more lines are taken from the user.
pub(super) const REQUESTS: usize = 32;

/// A line of a script, as far as it may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1; none for the text of `--once`.
    pub(super) number: Option<usize>,
    pub(super) text: String,
}

/// What was sent and is not answered, each with the line of a script that it comes from.
#[derive(Debug, Default)]
pub(super) struct Requests(VecDeque<(Request, Option<Rc<Line>>)>);

impl Requests {
    /// It was sent.
    pub(super) fn push_back(&mut self, request: Request, line: Option<Rc<Line>>) {
        self.0.push_back((request, line));
    }

    /// The oldest is answered, or never will be.
    pub(super) fn pop_front(&mut self) -> Option<(Request, Option<Rc<Line>>)> {
        self.0.pop_front()
    }

    /// The oldest was answered, and this one with it, though its answer is still to come.
    pub(super) fn push_front(&mut self, request: Request, line: Option<Rc<Line>>) {
        self.0.push_front((request, line));
    }

    /// The oldest.
    pub(super) fn front(&self) -> Option<&Request> {
        self.0.front().map(|(request, _)| request)
    }

    /// All, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.0.iter().map(|(request, _)| request)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all is answered.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line that was sent, as far as its reply needs to know.
#[derive(Debug)]
pub(super) enum Request {
    /// Something was said.
    Say(Words),
    /// The server is to ask for the text of the [`Self::Say`] behind this: in one line with its verb, the spaces that a
    /// text begins with would be lost.
    Open,
    /// Something was said, and the server had not asked for it: what it said instead.
    Refused {
        /// What was said.
        words: Words,
        /// The code of the refusal.
        code: u16,
        /// Its text.
        text: String,
    },
    /// A list.
    List {
        /// What stands in it.
        of: Listed,
        /// Whether the user has asked for it.
        is_shown: bool,
        /// Whether a name and a text are asked for behind it.
        asks: bool,
    },
    /// Whether the server is there.
    Noop,
    /// A resume token.
    Token,
    /// A room is to be entered.
    Enter {
        /// The room.
        room: String,
        /// Its password.
        password: Option<Secret>,
        /// In which way.
        way: Way,
    },
    /// A room is to be left.
    Leave(String),
    /// A room is to be closed by its host.
    Close(String),
    /// Somebody is to be thrown out of a room by its host.
    Kick {
        /// The room.
        room: String,
        /// Who.
        name: String,
    },
    /// Whether somebody is online who is to be told something.
    Find(String),
    /// A step of changing the password.
    Passwd,
    /// The change of the password is called off.
    Cancel,
    /// Goodbye.
    Exit,
}

/// In which way a room is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The user wants to be there.
    Wanted,
    /// The user makes it.
    Made,
    /// The user was there before the link was lost: JOIN, …
    Again,
    /// … if there is no such room any more, MAKE, …
    Remade,
    /// … if somebody else has just made it, JOIN.
    AgainAfterAll,
}

/// What stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Names,
    Rooms,
}

/// Something that the user has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) place: Place,
    pub(super) text: String,
}

/// Something of which the server has not said that it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unconfirmed {
    pub(super) words: Words,
    /// Whether it was sent, and so may have arrived.
    pub(super) was_sent: bool,
    /// Whether the user has been told, or sees it as it was typed.
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
    /// Whether the user is asked for the next line only when this is answered, for the answer decides what for.
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
            Self::Say(_) | Self::Open | Self::Refused { .. } | Self::Noop | Self::Token => false,
        }
    }

    /// What was said with it.
    pub(super) fn words(&self) -> Option<&Words> {
        match self {
            Self::Say(words) | Self::Refused { words, .. } => Some(words),
            Self::Open
            | Self::List { .. }
            | Self::Noop
            | Self::Token
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
    /// For people: `to bob: hello`.
    pub(super) fn describe(&self) -> String {
        match &self.place {
            Place::Public => format!("to everybody: {}", self.text),
            Place::Room(room) => format!("in {room}: {}", self.text),
            Place::Direct { with } => format!("to {with}: {}", self.text),
        }
    }
}
