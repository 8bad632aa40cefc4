//! The line that is being answered. Nothing of it is left between two lines.

use std::collections::VecDeque;

use super::label::Label;
use super::seldom::Left;
use super::step::{Asked, Step};
use crate::close::CloseReason;

/// The state of the line that is being answered.
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

impl Left for Talk {
    fn is_nothing(&self) -> bool {
        let is_said = self.lines.is_empty() && self.label.is_none();
        is_said && !self.is_open && !self.is_bad && self.steps.is_empty() && self.closes.is_none()
    }
}
