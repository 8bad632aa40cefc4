//! The content of each line of a run: its sender, its number, and when it was due.
//!
//! ```text
//! ~RRRRSSSSSNNNNNNNNTTTTTTTTTTTT.....    run, sender, number, nanoseconds, all in hex; filled up with dots
//! ```

/// The shortest text that holds a stamp.
pub(super) const BYTES: usize = 1 + RUN + SENDER + NUMBER + TIME;

const MARK: u8 = b'~';
const RUN: usize = 4;
const SENDER: usize = 5;
const NUMBER: usize = 8;
const TIME: usize = 12;

/// The stamp of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The run, so that lines of other users or of another chatload are recognized.
    pub(super) run: u16,
    /// The sender, counted within the run; below 2^20.
    pub(super) sender: u32,
    /// Its number among that sender's lines, from 0.
    pub(super) number: u32,
    /// When it was due, or sent, in nanoseconds since the run began; below 2^48.
    pub(super) at: u64,
}

impl Stamp {
    /// Writes a text of `size` bytes, and at least [`BYTES`].
    pub(super) fn encode(&self, size: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(MARK);
        put_hex(out, u64::from(self.run), RUN);
        put_hex(out, u64::from(self.sender), SENDER);
        put_hex(out, u64::from(self.number), NUMBER);
        put_hex(out, self.at, TIME);
        let filled = out.len().max(start + size);
        out.resize(filled, b'.');
    }

    /// Reads the stamp of a text; `None` if there is none.
    pub(super) fn decode(text: &[u8]) -> Option<Self> {
        let (mark, text) = text.split_first()?;
        let (run, text) = text.split_first_chunk::<RUN>()?;
        let (sender, text) = text.split_first_chunk::<SENDER>()?;
        let (number, text) = text.split_first_chunk::<NUMBER>()?;
        let (at, _) = text.split_first_chunk::<TIME>()?;
        if *mark != MARK {
            return None;
        }
        Some(Self {
            run: u16::try_from(hex(run)?).ok()?,
            sender: u32::try_from(hex(sender)?).ok()?,
            number: u32::try_from(hex(number)?).ok()?,
            at: hex(at)?,
        })
    }
}

fn put_hex(out: &mut Vec<u8>, value: u64, digits: usize) {
    for place in (0..digits).rev() {
        let digit = (value >> (4 * place) & 0xf) as u8;
        out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    }
}

/// The value of these digits. It runs for every delivery, so it uses a table, and checks for invalid digits once at the
/// end.
fn hex<const N: usize>(digits: &[u8; N]) -> Option<u64> {
    let (mut value, mut seen) = (0, 0);
    for digit in digits {
        // A byte is always below the length of the table.
        let digit = DIGITS.get(usize::from(*digit)).copied().unwrap_or(NO_DIGIT);
        seen |= digit;
        value = value << 4 | u64::from(digit & 0xf);
    }
    (seen & 0xf0 == 0).then_some(value)
}

const NO_DIGIT: u8 = 0xff;

/// The value of each byte as a digit.
static DIGITS: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let digits = *b"0123456789abcdef";
    let mut value = 0;
    #[expect(clippy::indexing_slicing, reason = "worked out by the compiler, which checks it")]
    while value < digits.len() {
        table[digits[value] as usize] = value as u8;
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: Option<Stamp>) {
        assert_eq!(Stamp::decode(text), expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn what_was_written_is_read() {
        for (run, sender, number, at) in [(0, 0, 0, 0), (0xffff, 0xf_ffff, u32::MAX, (1 << 48) - 1), (7, 12, 345, 6789)]
        {
            let stamp = Stamp { run, sender, number, at };
            for size in [0, BYTES, BYTES + 1, 64, 4000] {
                let mut text = Vec::new();
                stamp.encode(size, &mut text);
                assert_eq!(text.len(), size.max(BYTES));
                check(&text, Some(stamp));
            }
        }
    }

    #[test]
    fn cut_anywhere_it_is_none() {
        let mut text = Vec::new();
        Stamp { run: 1, sender: 2, number: 3, at: 4 }.encode(BYTES, &mut text);
        for end in 0..BYTES {
            check(&text[..end], None);
        }
    }

    #[test]
    fn other_texts_have_none() {
        check(b"hello everybody, how are you today? I am well.", None);
        check(b"~0001000020000000300000000000G....................", None);
        check(b"x000100002000000030000000000040000000000000000000", None);
    }
}
