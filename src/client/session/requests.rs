//! What the session has sent and waits to be answered, in the order of the answers.

use std::collections::VecDeque;
use std::rc::Rc;

use super::script::Line;
use crate::client::action::{Place, Secret};

/// Requests under way above which no more lines are taken from the user.
pub(super) const REQUESTS: usize = 32;

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
    /// Whether somebody is online who is to be told something.
    Find(String),
    /// Anything else whose reply the user is to see.
    Other,
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
            | Self::Find(_)
            | Self::Other
            | Self::Passwd
            | Self::Cancel
            | Self::Exit => true,
            Self::Say(_) | Self::Noop | Self::Token => false,
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
