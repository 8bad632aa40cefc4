//! Text into bytes.

use std::fmt;

/// Bytes that will go over the wire, as something to format into.
pub(super) struct Wire<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Wire<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
