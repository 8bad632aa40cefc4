//! Cuts input into lines. Without sockets.

/// The longest line. Those of chatd are shorter than 33 KiB.
pub(super) const LINE_MOST: usize = 64 * 1024;
/// Why a connection is over whose line is longer.
pub(super) const ENDLESS: &str = "the server's line never ended";

/// The start of an incomplete line.
#[derive(Default)]
pub(super) struct Inbox {
    partial: Vec<u8>,
}

/// A line is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NeverEnds;

impl Inbox {
    /// Cuts input into lines, and passes each to `take` without its LF.
    ///
    /// # Errors
    /// A line is too long.
    pub(super) fn split(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), NeverEnds> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
            if self.partial.is_empty() {
                take(line);
            } else {
                self.partial.extend_from_slice(line);
                take(&self.partial);
                self.partial.clear();
            }
            rest = after;
        }
        if self.partial.len() + rest.len() > LINE_MOST {
            return Err(NeverEnds);
        }
        self.partial.extend_from_slice(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of input that arrives in these parts.
    #[track_caller]
    fn check(parts: &[&[u8]], expected: &[&str]) {
        let (mut inbox, mut lines) = (Inbox::default(), Vec::new());
        for part in parts {
            inbox.split(part, |line| lines.push(String::from_utf8_lossy(line).into_owned())).unwrap();
        }
        assert_eq!(lines, expected, "{parts:?}");
    }

    #[test]
    fn cut_anywhere_the_lines_are_the_same() {
        let text = b"C 220 hello\n\nD PM 1 ann hi\nC 2";
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let parts = [&text[..first], &text[first..second], &text[second..]];
                check(&parts, &["C 220 hello", "", "D PM 1 ann hi"]);
            }
        }
    }

    #[test]
    fn a_line_that_never_ends_is_given_up() {
        let mut inbox = Inbox::default();
        let part = [b'x'; LINE_MOST / 4];
        for _ in 0..4 {
            assert_eq!(inbox.split(&part, |_| {}), Ok(()));
        }
        assert_eq!(inbox.split(b"x", |_| {}), Err(NeverEnds));
    }
}
