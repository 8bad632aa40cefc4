//! What one line of a client has led to so far.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use super::label::Label;
use super::step::{Asked, Step};
use crate::close::CloseReason;

/// What has become of the last line so far.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Answers that are not handed out yet.
    pub(super) lines: Vec<u8>,
    pub(super) label: Option<Box<Label>>,
    pub(super) steps: VecDeque<Step>,
    pub(super) asked: Asked,
    /// The line counts as a bad one.
    pub(super) is_bad: bool,
    /// A line is being carried out.
    pub(super) is_open: bool,
    /// It closes next, for this reason.
    pub(super) closes: Option<CloseReason>,
}

/// A [`Talk`] that takes memory only while a line is being carried out: a server has many idle clients.
#[derive(Debug, Default)]
pub(super) struct Talking(Option<Box<Talk>>);

impl Talking {
    /// Whether a line is being carried out.
    pub(super) fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|talk| talk.is_open)
    }

    /// Releases the memory if no line is being carried out, and nothing is left to be done or handed out.
    pub(super) fn rest(&mut self) {
        let is_idle = |talk: &Talk| talk.lines.is_empty() && talk.steps.is_empty() && talk.closes.is_none();
        let rests = |talk: &Talk| !talk.is_open && is_idle(talk);
        self.0.take_if(|talk| rests(talk));
    }
}

impl Deref for Talking {
    type Target = Talk;

    fn deref(&self) -> &Talk {
        static NOTHING: LazyLock<Talk> = LazyLock::new(Talk::default);
        self.0.as_deref().unwrap_or_else(|| &NOTHING)
    }
}

impl DerefMut for Talking {
    fn deref_mut(&mut self) -> &mut Talk {
        self.0.get_or_insert_with(Box::default)
    }
}
