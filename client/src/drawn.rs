//! The rows of the edited line: where the editor assumes them to be, and where a terminal that became wider has them.
//!
//! Before rustyline redraws its line, it clears as many rows upwards as the line had. Most terminals that become wider
//! join the rows that they broke themselves, so the line has fewer rows, and rustyline would clear messages above it.
//! [`Drawn::make_up`] therefore first adds the rows that rustyline assumes.

use std::io;

use rustix::termios::tcgetwinsize;
use rustyline::GraphemeClusterMode;

/// The distance of tab stops, as rustyline assumes it.
const TAB: usize = 8;
/// The columns of a terminal that does not report them, as rustyline assumes them.
const UNKNOWN: usize = 80;
/// The most bytes of a line that is cleared: rustyline's widths are 16-bit numbers.
const CLEARED: usize = 16 * 1024;

/// The columns of the terminal; 0 if unknown.
pub(super) fn columns() -> usize {
    tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col))
}

/// The start of a text that fits into this many columns (0: unknown).
pub(super) fn fitted(text: &str, columns: usize) -> String {
    let columns = if columns == 0 { UNKNOWN / 2 } else { columns };
    let widths = GraphemeClusterMode::from_env();
    let fits = |text: &str| usize::from(widths.width(text)) <= columns;
    if fits(text) {
        return text.to_owned();
    }
    let ends = text.char_indices().map(|(at, _)| at).take(columns + 1);
    let starts = ends.filter_map(|end| text.get(..end)).map(|start| format!("{start}…"));
    starts.filter(|start| fits(start)).last().unwrap_or_default()
}

/// The line as the editor last drew it.
pub(super) struct Drawn {
    widths: GraphemeClusterMode,
    columns: usize,
    prompt: String,
    line: String,
    /// In bytes of the line.
    cursor: usize,
    /// Where rustyline wrote its own line end, after a full row; in bytes of the line.
    broken: Option<usize>,
}

/// A place on the screen, relative to the start of the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    row: usize,
    column: usize,
}

impl Drawn {
    /// An empty line.
    pub(super) fn new() -> Self {
        Self {
            widths: GraphemeClusterMode::from_env(),
            columns: UNKNOWN,
            prompt: String::new(),
            line: String::new(),
            cursor: 0,
            broken: None,
        }
    }

    /// Starts a line, in a terminal with this many columns (0: unknown).
    pub(super) fn begin(&mut self, columns: usize) {
        self.resize(columns);
        self.prompt.clear();
        self.line.clear();
        self.cursor = 0;
        self.broken = None;
    }

    /// Sets the content of the line and the cursor, in bytes.
    pub(super) fn note(&mut self, line: &str, cursor: usize) {
        if self.line != line {
            line.clone_into(&mut self.line);
        }
        self.cursor = cursor;
    }

    /// The whole line is redrawn with this prompt.
    pub(super) fn note_prompt(&mut self, prompt: &str) {
        if self.prompt != prompt {
            prompt.clone_into(&mut self.prompt);
        }
        let (_, end) = self.places(self.columns);
        let is_broken = end.column == 0 && end.row > 0 && !self.line.ends_with('\n');
        self.broken = is_broken.then_some(self.line.len());
    }

    /// The content of the line before and after the cursor.
    pub(super) fn halves(&self) -> (&str, &str) {
        self.line.split_at_checked(self.cursor).unwrap_or((&self.line, ""))
    }

    /// The output that makes the screen match what the editor assumes, now that the terminal has this many columns: as
    /// many rows, and the cursor in the same one. In a terminal that never joins rows they are there already; then part
    /// of the old line stays, and nothing is lost.
    pub(super) fn make_up(&mut self, columns: usize) -> String {
        let before = self.columns;
        self.resize(columns);
        let (cursor, end) = self.places(before);
        if self.columns <= before || end.row == 0 {
            return String::new();
        }
        let now = self.cursor_as_drawn();
        let up = end.row.saturating_sub(cursor.row);
        // More would have no further effect, and the number depends on what was typed.
        let down = "\n".repeat(end.row.saturating_sub(now.row).min(1000));
        if up == 0 { down } else { format!("{down}\x1b[{up}A") }
    }

    /// The output that clears the line after the editor has left it. The cursor is at the start of the row below it, or
    /// below the end of the line if `is_at_end`. Where terminals disagree about the width of joined characters, fewer
    /// rows are assumed: clearing more would remove messages.
    pub(super) fn clear(&self, is_at_end: bool) -> String {
        let text = if is_at_end { self.line.as_str() } else { self.halves().0 };
        if self.prompt.len() + text.len() > CLEARED {
            return String::new();
        }
        let (cursor, end) = self.places(self.columns);
        let row = if is_at_end { end.row } else { cursor.row };
        let whole = format!("{}{text}", self.prompt);
        let least: usize = whole.split('\n').map(|part| 1 + usize::from(self.widths.width(part)) / self.columns).sum();
        // `row` counts from 0, and the cursor is one row below.
        format!("\x1b[{}A\r\x1b[J", least.min(row + 1))
    }

    fn resize(&mut self, columns: usize) {
        self.columns = if columns == 0 { UNKNOWN } else { columns };
    }

    /// The places of the cursor and of the end, as rustyline computes them.
    fn places(&self, columns: usize) -> (Place, Place) {
        let prompt = self.advance(Place::default(), &self.prompt, columns);
        let place = |text| settled(self.advance(prompt, text, columns), columns);
        (place(self.halves().0), place(&self.line))
    }

    /// The place of the cursor in a terminal that breaks the rows anew, apart from explicit cursor moves.
    fn cursor_as_drawn(&self) -> Place {
        let (before, _) = self.halves();
        let prompt = self.advance(Place::default(), &self.prompt, self.columns);
        let halves = self.broken.and_then(|at| before.split_at_checked(at));
        let place = match halves {
            Some((above, below)) => {
                let above = self.advance(prompt, above, self.columns);
                self.advance(Place { row: above.row + 1, column: 0 }, below, self.columns)
            }
            None => self.advance(prompt, before, self.columns),
        };
        settled(place, self.columns)
    }

    /// The place after a text that starts at `from`.
    fn advance(&self, from: Place, text: &str, columns: usize) -> Place {
        let mut place = from;
        for c in text.chars() {
            let width = match c {
                '\n' => {
                    place = Place { row: place.row + 1, column: 0 };
                    continue;
                }
                '\t' => TAB - place.column % TAB,
                _ => usize::from(self.widths.width(c.encode_utf8(&mut [0; 4]))),
            };
            place.column += width;
            if place.column > columns {
                place = Place { row: place.row + 1, column: width };
            }
        }
        place
    }
}

/// A full row is followed by another.
fn settled(place: Place, columns: usize) -> Place {
    if place.column == columns { Place { row: place.row + 1, column: 0 } } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(columns: usize, line: &str, cursor: usize) -> Drawn {
        let mut drawn = Drawn::new();
        drawn.widths = GraphemeClusterMode::WcWidth;
        drawn.begin(columns);
        drawn.note(line, cursor);
        drawn.note_prompt("alice> ");
        drawn
    }

    #[track_caller]
    fn check(columns: usize, line: &str, cursor: usize, wider: usize, expected: &str) {
        assert_eq!(drawn(columns, line, cursor).make_up(wider), expected);
    }

    #[test]
    fn a_text_is_cut_to_fit() {
        for (text, columns, expected) in [
            ("short", 5, "short"),
            ("longer", 5, "long…"),
            ("世界世界", 5, "世界…"),
            ("x", 1, "x"),
            ("xy", 1, "…"),
            ("", 9, ""),
        ] {
            assert_eq!(fitted(text, columns), expected);
        }
        assert_eq!(fitted(&"x".repeat(100), 0).chars().count(), UNKNOWN / 2);
    }

    #[test]
    fn rows_that_are_missing_are_made_up() {
        let line = "x".repeat(100);
        check(40, &line, 100, 120, "\n\n");
        check(40, &line, 100, 60, "\n");
        // Of three rows one is left, with the cursor in it.
        check(40, &line, 0, 120, "\n\n\x1b[2A");
        check(40, &line, 50, 120, "\n\n\x1b[1A");
        // It ends with its second row. The cursor is in the next one, after a line end.
        check(40, &line[..73], 73, 100, "\n");
        check(40, &line[..73], 10, 100, "\n\n\x1b[2A");
        // Each character takes two columns.
        check(40, &"世".repeat(40), 120, 100, "\n\n");
    }

    #[test]
    fn nothing_is_made_up_where_nothing_is_missing() {
        check(40, "short", 5, 100, "");
        check(100, &"x".repeat(100), 100, 40, "");
        check(40, &"x".repeat(100), 100, 40, "");
        check(0, &"x".repeat(60), 60, 100, "");
    }

    #[test]
    fn a_line_end_of_the_editor_stays_one() {
        let line = "x".repeat(90);
        let mut drawn = drawn(40, &line[..73], 73);
        drawn.note(&line, 90);
        // Two rows have become one, and the third stays.
        assert_eq!(drawn.make_up(100), "\n");
        // Until the whole line is redrawn.
        drawn.begin(40);
        drawn.note(&line, 90);
        drawn.note_prompt("alice> ");
        assert_eq!(drawn.make_up(100), "\n\n");
    }

    #[test]
    fn it_is_made_up_once() {
        let line = "x".repeat(100);
        let mut drawn = drawn(40, &line, 100);
        assert_eq!(drawn.make_up(120), "\n\n");
        assert_eq!(drawn.make_up(120), "");
        assert_eq!(drawn.make_up(100), "");
        assert_eq!(drawn.make_up(120), "\n");
    }

    #[track_caller]
    fn check_clear(line: &str, cursor: usize, at_end: usize, at_cursor: usize) {
        let drawn = drawn(40, line, cursor);
        assert_eq!(drawn.clear(true), format!("\x1b[{at_end}A\r\x1b[J"));
        assert_eq!(drawn.clear(false), format!("\x1b[{at_cursor}A\r\x1b[J"));
    }

    #[test]
    fn a_line_is_cleared_from_its_beginning() {
        check_clear("short", 5, 1, 1);
        check_clear(&"x".repeat(33), 33, 2, 2);
        check_clear(&"x".repeat(73), 40, 3, 2);
        check_clear("one\ntwo\n", 5, 3, 2);
        check_clear(&format!("{}\ntwo", "x".repeat(33)), 34, 2, 2);
        assert_eq!(drawn(40, &"世".repeat(100_000), 300_000).clear(true), "");
    }

    #[test]
    fn halves_are_cut_at_the_cursor() {
        assert_eq!(drawn(40, "größe", 4).halves(), ("grö", "ße"));
        assert_eq!(drawn(40, "ö", 1).halves(), ("ö", ""));
    }
}
