//! Entered lines that have not been executed yet, and the meaning of the next line.

use zeroize::Zeroizing;

use super::asks::Target;
use super::requests::Words;
use crate::action::Place;

/// How many lines may wait. A person does not reach this, and a script is asked for one line at a time.
pub(super) const PENDING: usize = 1000;

/// An entered line.
#[derive(Debug)]
pub(super) enum Entered {
    /// A line, with the place that its prompt named. It may hold the password of a room.
    Line(Zeroizing<String>, Option<Place>),
    /// One of several lines to be sent as text.
    Words(Words),
}

impl Entered {
    /// Whether there is nothing to execute.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Line(line, _) => line.trim().is_empty(),
            Self::Words(_) => false,
        }
    }
}

/// The meaning of the next line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialogue {
    /// A command, or a text for the current place.
    #[default]
    Open,
    /// A text for everybody or for one user.
    Text(Place),
    /// A name and a text.
    NameAndText,
    /// A text for a user who is not online.
    Nobody,
    /// A further line of these, which are being collected.
    Collect(Paste),
    /// None: the user edits a text for this place in an editor.
    Edit(Place),
    /// The answer whether to send these lines.
    Paste(Paste),
    /// The answer whether to erase this.
    Erase(Target),
}

impl Dialogue {
    /// The number of lines that wait for the user's answer.
    pub(super) fn lines(&self) -> usize {
        if let Self::Paste(paste) | Self::Collect(paste) = self { paste.len() } else { 0 }
    }

    /// Turns [`Self::Nobody`] into [`Self::Open`].
    pub(super) fn forget_nobody(&mut self) {
        if *self == Self::Nobody {
            *self = Self::Open;
        }
    }
}

/// Lines that wait for the user's answer. All go to one place, and all are text, whatever they begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paste {
    pub(super) place: Place,
    pub(super) lines: Vec<String>,
    /// Whether they come from an editor, and so are in no history.
    pub(super) is_edited: bool,
}

impl Paste {
    /// The number of lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The question for the user.
    pub(super) fn question(&self) -> String {
        match self.lines.len() {
            1 => "send 1 line? [y/N] ".to_owned(),
            count => format!("send {count} lines? [y/N/1 = as one line] "),
        }
    }
}
