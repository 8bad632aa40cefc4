//! What has become of the last line so far. Nothing of it is left between two lines, and then it takes no memory.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use super::label::Label;
use super::step::{Asked, Step};
use crate::close::CloseReason;

/// A [`Talk`] that is made when it is used, and given back when [nothing is left of it](Self::rest).
#[derive(Debug, Default)]
pub(super) struct Talking(OnceCell<Box<Talk>>);

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

impl Talking {
    /// Looks at it without making it: `None` between two lines.
    pub(super) fn get(&self) -> Option<&Talk> {
        self.0.get().map(Box::as_ref)
    }

    /// Gives the memory back, unless something is left.
    pub(super) fn rest(&mut self) {
        if self.get().is_some_and(Talk::is_over) {
            self.0 = OnceCell::new();
        }
    }
}

impl Deref for Talking {
    type Target = Talk;

    fn deref(&self) -> &Talk {
        self.0.get_or_init(Box::default)
    }
}

impl DerefMut for Talking {
    #[expect(clippy::expect_used, reason = "it has just been made")]
    fn deref_mut(&mut self) -> &mut Talk {
        self.0.get_or_init(Box::default);
        self.0.get_mut().expect("a talk")
    }
}

impl Talk {
    fn is_over(&self) -> bool {
        !self.is_open
            && !self.is_bad
            && self.lines.is_empty()
            && self.label.is_none()
            && self.steps.is_empty()
            && self.closes.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_between_two_lines() {
        let mut talk = Talking::default();
        assert!(talk.get().is_none());
        assert!(talk.steps.is_empty() && talk.get().is_some(), "it is made when it is used");
        talk.rest();
        assert!(talk.get().is_none());
        talk.lines.push(b'x');
        talk.rest();
        assert_eq!(talk.lines, b"x", "an answer waits");
        talk.lines = Vec::with_capacity(100);
        talk.is_open = true;
        talk.rest();
        assert!(talk.get().is_some(), "a line is under way");
        talk.is_open = false;
        talk.rest();
        assert!(talk.get().is_none());
    }
}
