//! Breaks long lines into the rows of a terminal, so that user text never starts at its left edge, where the client
//! prints its own marks.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// With fewer columns than this for the text, there is no indentation.
const LEAST: usize = 8;
/// Selects the emoji form of the character before it, which takes two columns.
const EMOJI_FORM: char = '\u{fe0f}';
/// Joins the emoji on both sides.
const JOINER: char = '\u{200d}';

/// The line, with line ends where a terminal of this many columns would break it, preferably at a space. Every row but
/// the first is indented by `indent` columns; in a narrow terminal by fewer, but at least one. With less than three
/// columns, or an unknown number (0), the line is unchanged. Escapes (`ESC … m`) take no columns.
///
/// Terminals disagree about the width of some emoji. Joined ones count separately, and the last column stays free
/// except for a space, so that the terminal breaks no row again.
pub fn wrapped(line: &str, columns: usize, indent: usize) -> String {
    let columns = columns.saturating_sub(1);
    if columns < 2 {
        return line.to_owned();
    }
    let margin = " ".repeat(if columns >= indent + LEAST { indent } else { 1 });
    let mut rows =
        Rows { out: String::with_capacity(line.len() + 64), margin, columns, column: 0, space: None, last: None };
    let mut is_escape = false;
    let mut is_joined = false;
    // What a reader takes for one character, such as a flag or a hand with its colour, may be several.
    let parts = line.graphemes(true).flat_map(|whole| whole.char_indices());
    for (at, c) in parts {
        is_escape |= c == '\x1b';
        if is_escape {
            is_escape = c != 'm';
            rows.out.push(c);
            continue;
        }
        rows.push(c, is_joined || at > 0);
        is_joined = c == JOINER;
    }
    rows.out
}

/// The most columns that a character takes.
fn width(c: char) -> usize {
    if c == EMOJI_FORM { 1 } else { c.width().unwrap_or(0) }
}

/// Whether a character belongs to the one before, whatever its width.
fn is_part(c: char) -> bool {
    c == EMOJI_FORM || width(c) == 0
}

/// A position in the output, and the columns before it in its row.
#[derive(Clone, Copy)]
struct Spot {
    at: usize,
    column: usize,
}

/// The rows so far.
struct Rows {
    out: String,
    margin: String,
    columns: usize,
    /// The columns used in the last row.
    column: usize,
    /// The position after the last space of the last row, if there is text before it.
    space: Option<Spot>,
    /// The start of the last character, including all that belongs to it.
    last: Option<Spot>,
}

impl Rows {
    /// Adds a character. One that belongs to the character before, or `is_joined` to it, stays in its row if possible.
    fn push(&mut self, c: char, is_joined: bool) {
        let is_bound = is_joined || is_part(c);
        // One space may take the free column: the row breaks after it.
        let columns = self.columns + usize::from(c == ' ');
        if self.column + width(c) > columns {
            self.break_row(c == ' ', is_bound);
        }
        // What has moved to the new row with it may leave it no room there either.
        if self.column + width(c) > columns && self.column > self.margin.len() {
            self.break_row(c == ' ', false);
        }
        if !is_bound {
            self.last = Some(self.end());
        }
        let is_first = self.space.is_none() && self.column <= self.margin.len();
        self.out.push(c);
        self.column += width(c);
        if c == ' ' && !is_first {
            self.space = Some(self.end());
        }
    }

    fn end(&self) -> Spot {
        Spot { at: self.out.len(), column: self.column }
    }

    /// Starts a row: after the last space, or with the last character if the next one `is_bound` to it, or with the
    /// next one. A space that does not fit is a place to break.
    fn break_row(&mut self, is_space: bool, is_bound: bool) {
        let last = self.last.filter(|last| is_bound && last.column > self.margin.len());
        let spot = self.space.take().filter(|_| !is_space).or(last).unwrap_or_else(|| self.end());
        self.out.insert_str(spot.at, &format!("\n{}", self.margin));
        let margin = self.margin.len();
        self.column = margin + self.column.saturating_sub(spot.column);
        self.last = self
            .last
            .filter(|last| last.at >= spot.at)
            .map(|last| Spot { at: last.at + 1 + margin, column: margin + last.column.saturating_sub(spot.column) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(line: &str, columns: usize, indent: usize, expected: &str) {
        assert_eq!(wrapped(line, columns, indent), expected);
    }

    #[test]
    fn rows_break_at_spaces() {
        check("one two three", 20, 2, "one two three");
        check("12:00 bob: one two three four", 21, 6, "12:00 bob: one two \n      three four");
        check("12:00 a verylongword_that_goes_on", 20, 6, "12:00 a \n      verylongword_\n      that_goes_on");
        // The last column stays free.
        check("123456789", 10, 2, "123456789");
        check("1234567890", 10, 2, "123456789\n 0");
        check("123456789 0", 10, 2, "123456789 \n 0");
        check("123456789  0", 10, 2, "123456789 \n  0");
    }

    #[test]
    fn padding_does_not_reach_the_left_edge() {
        let line = format!("12:00 bob: hi{}!! the server asks for your password", " ".repeat(27));
        for columns in 3..100 {
            let rows = wrapped(&line, columns, 6);
            assert!(rows.split('\n').skip(1).all(|row| row.starts_with(' ')), "{columns}: {rows}");
        }
    }

    #[test]
    fn a_narrow_terminal_gets_a_smaller_indentation() {
        check("12:00 bob: hi", 10, 6, "12:00 \n bob: hi");
        check("abc", 3, 6, "ab\n c");
        check("abc", 2, 6, "abc");
        check("abc", 0, 6, "abc");
    }

    #[test]
    fn escapes_take_no_room() {
        check("\x1b[2m12:00\x1b[0m \x1b[31mbob\x1b[0m: hi", 15, 6, "\x1b[2m12:00\x1b[0m \x1b[31mbob\x1b[0m: hi");
        check("\x1b[1maaaa bbbb\x1b[0m", 8, 1, "\x1b[1maaaa \n bbbb\x1b[0m");
    }

    #[test]
    fn an_escape_stays_whole() {
        check("aaaaaa\x1b[1m\u{301}\u{fe0f}b", 7, 1, "aaaaa\n a\x1b[1m\u{301}\u{fe0f}b");
    }

    #[test]
    fn wide_and_joined_characters() {
        check("世界世界世界", 9, 1, "世界世界\n 世界");
        check("aaaaaaae\u{301}b", 9, 1, "aaaaaaae\u{301}\n b");
        // Joined or not, it fits.
        check("aaaaa👩\u{200d}💻", 9, 1, "aaaaa\n 👩\u{200d}💻");
        check("aaaaaa❤\u{fe0f}", 8, 1, "aaaaaa\n ❤\u{fe0f}");
        // A flag is two letters, and a colour belongs to its hand.
        check("aaaaaa🇩🇪🇫🇷", 8, 1, "aaaaaa\n 🇩🇪🇫🇷");
        check("aaaaa🇩🇪🇫🇷", 8, 1, "aaaaa🇩🇪\n 🇫🇷");
        check("aaaaa👍🏽", 9, 1, "aaaaa\n 👍🏽");
        check("aaaaaa1\u{fe0f}\u{20e3}", 8, 1, "aaaaaa\n 1\u{fe0f}\u{20e3}");
        check("aaaaaaक्षि", 8, 1, "aaaaaa\n क्षि");
        check("aaaaaaa각", 8, 1, "aaaaaaa\n 각");
    }

    #[test]
    fn very_narrow_terminals() {
        check("世a世", 3, 6, "世\n a\n 世");
        check("世a世", 4, 6, "世a\n 世");
        // One that is wider than a row stays whole.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        for columns in 3..7 {
            let rows = wrapped(&format!("a{family}b"), columns, 6);
            assert!(rows.contains(family) || columns < 9, "{columns}: {rows}");
            assert!(rows.split('\n').skip(1).all(|row| row.starts_with(' ')), "{columns}: {rows}");
        }
        // Any number of marks on a letter takes no room, and no time.
        let marks = format!("e{}", "\u{301}".repeat(4000));
        check(&format!("aaaaaaa{marks}"), 8, 1, &format!("aaaaaaa\n {marks}"));
    }

    fn width_of(row: &str) -> usize {
        let row = row.replace("\x1b[1m", "");
        row.strip_suffix(' ').unwrap_or(&row).chars().map(width).sum()
    }

    proptest! {
        #[test]
        fn no_row_is_too_long_and_no_character_is_lost(
            line in "([ a世é👩❤🇩🏽각]|\x1b\\[1m|\u{200d}|\u{fe0f}|\u{301}){0,60}", columns in 3..30usize, indent in 0..8usize
        ) {
            let rows = wrapped(&line, columns, indent);
            let margin = if columns > indent + LEAST { indent } else { 1 };
            let joined: String = rows.split('\n').enumerate()
                .map(|(n, row)| if n == 0 { row } else { row.get(margin..).unwrap_or("") }).collect();
            prop_assert_eq!(joined, line);
            // One character alone may be wider than a very narrow terminal.
            prop_assert!(columns < 12 || rows.split('\n').all(|row| width_of(row) < columns), "{rows}");
        }
    }
}
