//! The bounded reader of the line door: finds lines, holds what is begun, throws away what is too long.

use crate::limits::DISCARD_BYTES;

/// What a connection has sent that is not carried out yet. An empty one owns no heap.
#[derive(Debug, Default)]
pub struct Inbox {
    held: Box<[u8]>,
    discarded: u32,
}

/// What stands at the start of the bytes that came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// A whole line: `..end` without its LF; the next one begins at `next`.
    Line {
        /// Where the line ends.
        end: usize,
        /// Where the next begins.
        next: usize,
    },
    /// The end of a line that was too long; the next one begins at `next`.
    TooLong {
        /// Where the next begins.
        next: usize,
    },
    /// No line ends here. What lies from `keep` on is its beginning, and wanted again in front of what comes.
    Partial {
        /// Where the part that matters begins.
        keep: usize,
    },
    /// [`DISCARD_BYTES`] of one line were thrown away, and it still goes on.
    NeverEnds,
}

impl Inbox {
    /// Moves what is held to the start of `scratch`, as far as it fits, and tells how much that was.
    pub fn unload(&mut self, scratch: &mut [u8]) -> usize {
        let held = std::mem::take(&mut self.held);
        let count = held.len().min(scratch.len());
        for (to, from) in scratch.iter_mut().zip(held.iter()) {
            *to = *from;
        }
        count
    }

    /// Holds `rest` until there is more.
    pub fn hold(&mut self, rest: &[u8]) {
        self.held = rest.into();
    }

    /// Whether a line was begun (or bytes wait to be carried out).
    pub fn has_begun(&self) -> bool {
        !self.held.is_empty() || self.discarded > 0
    }

    /// Whether bytes are held.
    pub fn holds_bytes(&self) -> bool {
        !self.held.is_empty()
    }

    /// Looks for a line of at most `limit` bytes, its LF counted, at the start of `bytes`.
    pub fn cut(&mut self, bytes: &[u8], limit: usize) -> Cut {
        match memchr::memchr(b'\n', bytes) {
            Some(end) if self.discarded == 0 && end < limit => Cut::Line { end, next: end + 1 },
            Some(end) => {
                self.discarded = 0;
                Cut::TooLong { next: end + 1 }
            }
            None if self.discarded == 0 && bytes.len() < limit => Cut::Partial { keep: 0 },
            None => self.discard(bytes.len()),
        }
    }

    fn discard(&mut self, count: usize) -> Cut {
        self.discarded = self.discarded.saturating_add(count as u32);
        if self.discarded as usize >= DISCARD_BYTES { Cut::NeverEnds } else { Cut::Partial { keep: count } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` in pieces of `step` bytes and gives the lines (`None` for one too long) and how it ended.
    fn lines(input: &[u8], limit: usize, step: usize) -> (Vec<Option<Vec<u8>>>, bool) {
        let (mut inbox, mut found, mut scratch) = (Inbox::default(), Vec::new(), vec![0; 1 << 17]);
        for piece in input.chunks(step) {
            let mut len = inbox.unload(&mut scratch);
            scratch[len..len + piece.len()].copy_from_slice(piece);
            len += piece.len();
            let mut at = 0;
            loop {
                match inbox.cut(&scratch[at..len], limit) {
                    Cut::Line { end, next } => {
                        found.push(Some(scratch[at..at + end].to_vec()));
                        at += next;
                    }
                    Cut::TooLong { next } => {
                        found.push(None);
                        at += next;
                    }
                    Cut::Partial { keep } => {
                        inbox.hold(&scratch[at + keep..len]);
                        break;
                    }
                    Cut::NeverEnds => return (found, true),
                }
            }
        }
        (found, false)
    }

    #[track_caller]
    fn check(input: &[u8], limit: usize, expected: &[Option<&[u8]>]) {
        let expected: Vec<_> = expected.iter().map(|line| line.map(<[u8]>::to_vec)).collect();
        for step in 1..=input.len() {
            assert_eq!(lines(input, limit, step), (expected.clone(), false), "in pieces of {step}");
        }
    }

    #[test]
    fn lines_cut_at_every_byte() {
        check(b"a\nbc\n\nd", 8, &[Some(b"a"), Some(b"bc"), Some(b"")]);
        check(b"1234567\n12345678\nx\n", 8, &[Some(b"1234567"), None, Some(b"x")]);
        check(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nok\n", 8, &[None, Some(b"ok")]);
    }

    #[test]
    fn a_line_that_never_ends() {
        let garbage = vec![b'x'; DISCARD_BYTES];
        for step in [1, 7, 4096, DISCARD_BYTES] {
            assert_eq!(lines(&garbage, 512, step), (vec![], true));
            assert_eq!(lines(&garbage[1..], 512, step), (vec![], false));
        }
    }
}
