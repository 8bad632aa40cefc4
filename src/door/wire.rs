//! Formatting into a byte buffer.

use std::fmt;

/// A byte buffer as a target of `write!`.
pub(super) struct Wire<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Wire<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
