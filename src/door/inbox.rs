//! The bounded line reader: finds lines, holds an incomplete line, and discards lines that are too long.

use zeroize::Zeroize as _;

use crate::limits::DISCARD_BYTES;

/// The input of a connection that is not processed yet. An empty inbox owns no heap.
#[derive(Debug, Default)]
pub struct Inbox {
    held: Box<[u8]>,
    discarded: u32,
}

/// The result of looking for a line at the start of the input.
#[derive(Debug, PartialEq, Eq)]
pub enum Cut {
    /// A whole line.
    Line {
        /// The line is `..end`, without its LF.
        end: usize,
        /// The offset of the next line.
        next: usize,
    },
    /// A whole frame, and where its content is.
    Frame {
        /// The first byte of the content.
        start: usize,
        /// The byte behind its last one.
        end: usize,
        /// The offset of the next frame.
        next: usize,
    },
    /// The end of a message that came in several frames: [`Door::take_gathered`](super::Door::take_gathered) gives it.
    Gathered {
        /// The offset of the next frame.
        next: usize,
    },
    /// The end of a line that was too long.
    TooLong {
        /// The offset of the next line.
        next: usize,
    },
    /// No line ends in the input.
    Partial {
        /// The bytes from `keep` on are the beginning of a line. The caller puts them in front of the next input.
        keep: usize,
    },
    /// [`DISCARD_BYTES`] of one line were discarded, and it has not ended.
    NeverEnds,
}

impl Inbox {
    /// Moves the held bytes to the start of `scratch`, as many as fit, and returns their number.
    pub fn unload(&mut self, scratch: &mut [u8]) -> usize {
        let mut held = std::mem::take(&mut self.held);
        let count = held.len().min(scratch.len());
        for (to, from) in scratch.iter_mut().zip(held.iter()) {
            *to = *from;
        }
        held.zeroize(); // it may contain a part of a password
        count
    }

    /// Holds `rest` until the next input.
    pub fn hold(&mut self, rest: &[u8]) {
        self.held = rest.into();
    }

    /// Whether a line has begun but not ended, or bytes wait to be processed.
    pub fn has_begun(&self) -> bool {
        !self.held.is_empty() || self.discarded > 0
    }

    /// Whether the next input belongs to a line that is already too long.
    pub fn is_discarding(&self) -> bool {
        self.discarded > 0
    }

    /// Looks for a line of at most `limit` bytes, including its LF, at the start of `bytes`.
    pub fn cut(&mut self, bytes: &[u8], limit: usize) -> Cut {
        let end = memchr::memchr(b'\n', bytes);
        let length = end.unwrap_or(bytes.len());
        if self.discarded == 0 && length < limit {
            return end.map_or(Cut::Partial { keep: 0 }, |end| Cut::Line { end, next: end + 1 });
        }
        // The bytes before the LF count too, so that the result does not depend on how the input was cut.
        self.discarded = self.discarded.saturating_add(length as u32);
        if self.discarded as usize >= DISCARD_BYTES {
            return Cut::NeverEnds;
        }
        let Some(end) = end else { return Cut::Partial { keep: length } };
        self.discarded = 0;
        Cut::TooLong { next: end + 1 }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.held.zeroize(); // see `unload`
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `input` in pieces of `step` bytes. Returns the lines (`None` for one too long), and whether the last line
    /// never ends.
    fn lines(input: &[u8], limit: usize, step: usize) -> (Vec<Option<Vec<u8>>>, bool) {
        lines_of(input.chunks(step), limit)
    }

    fn lines_of<'a>(pieces: impl Iterator<Item = &'a [u8]>, limit: usize) -> (Vec<Option<Vec<u8>>>, bool) {
        let (mut inbox, mut found, mut scratch) = (Inbox::default(), Vec::new(), vec![0; 1 << 19]);
        for piece in pieces {
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
                    cut @ (Cut::Frame { .. } | Cut::Gathered { .. }) => panic!("{cut:?} is no line"),
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

    #[test]
    fn a_line_end_after_the_bound() {
        let mut garbage = vec![b'x'; DISCARD_BYTES];
        garbage.extend(b"\nok\n");
        for step in [7, 4096, DISCARD_BYTES - 1, DISCARD_BYTES, garbage.len()] {
            assert_eq!(lines(&garbage, 512, step), (vec![], true), "in pieces of {step}");
            assert_eq!(
                lines(&garbage[1..], 512, step),
                (vec![None, Some(b"ok".to_vec())], false),
                "in pieces of {step}"
            );
        }
    }

    /// Lines with sizes around a limit of 16 bytes and around [`DISCARD_BYTES`].
    fn any_input() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![8 => 0..40usize, 1 => DISCARD_BYTES - 4096..DISCARD_BYTES + 4096];
        let line = (length, b'a'..=b'z').prop_map(|(length, letter)| [vec![letter; length], b"\n".to_vec()].concat());
        prop::collection::vec(line, 0..8).prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_cuts(
            mut input in any_input(), steps in prop::collection::vec(1..9000usize, 1..5), is_ended: bool,
        ) {
            if !is_ended {
                input.pop();
            }
            let mut rest = input.as_slice();
            let pieces = steps.iter().cycle().map_while(|step| {
                let (piece, after) = rest.split_at(rest.len().min(*step));
                rest = after;
                (!piece.is_empty()).then_some(piece)
            });
            prop_assert_eq!(lines_of(pieces, 16), lines(&input, 16, input.len().max(1)));
        }
    }
}
