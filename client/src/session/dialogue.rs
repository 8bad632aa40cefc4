//! What the user has entered and is not carried out yet, and what the next line is taken for.

use zeroize::Zeroizing;

use super::requests::Words;
use crate::action::Place;

/// Lines that may wait to be carried out. A person does not get there, and a script is only asked for one at a time.
pub(super) const PENDING: usize = 1000;

/// Something that was entered.
#[derive(Debug)]
pub(super) enum Entered {
    /// A line, with the place that its prompt named. It may hold the password of a room.
    Line(Zeroizing<String>, Option<Place>),
    /// One of several lines that are to be sent as they are.
    Words(Words),
}

impl Entered {
    /// Whether there is something to be carried out.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Line(line, _) => line.trim().is_empty(),
            Self::Words(_) => false,
        }
    }
}

/// What the next line is taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialogue {
    /// A command, or a text for where one is.
    #[default]
    Open,
    /// A text for everybody or for one.
    Text(Place),
    /// A name and a text.
    NameAndText,
    /// What was to be a text for one who is not there.
    Nobody,
    /// Whether these lines are to be sent.
    Paste(Paste),
}

impl Dialogue {
    /// Lines that wait for the user's word.
    pub(super) fn lines(&self) -> usize {
        if let Self::Paste(paste) = self { paste.len() } else { 0 }
    }

    /// Turns [`Self::Nobody`] into [`Self::Open`].
    pub(super) fn forget_nobody(&mut self) {
        if *self == Self::Nobody {
            *self = Self::Open;
        }
    }
}

/// Lines that wait for the person's word. All go to one place, and all are text, whatever they begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paste {
    pub(super) place: Place,
    pub(super) lines: Vec<String>,
}

impl Paste {
    /// How many lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// What the person is asked.
    pub(super) fn question(&self) -> String {
        format!("send {} lines? [y/N/1 = as one line] ", self.lines.len())
    }
}
