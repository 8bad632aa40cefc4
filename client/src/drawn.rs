//! The rows of the line that is being edited: where the editor believes that they are, and where a terminal has them
//! that has been made wider.
//!
//! Before rustyline draws its line anew it clears as many rows, upwards, as the line had. A terminal that has become
//! wider shows it in fewer, if it joins again what it broke itself, as most do: so rustyline would clear messages that
//! stand above the line. Before that it is given the rows that it believes to be there ([`Drawn::make_up`]).

use std::io;

use rustix::termios::tcgetwinsize;
use rustyline::GraphemeClusterMode;

/// The columns between two tab stops, as rustyline has it.
const TAB: usize = 8;
/// The columns of a terminal that does not say how many it has, as rustyline has it.
const UNKNOWN: usize = 80;
/// Bytes of a line that is cleared: rustyline's widths are numbers of 16 bits.
const CLEARED: usize = 16 * 1024;

/// The columns of the terminal; 0 if it does not say.
pub(super) fn columns() -> usize {
    tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col))
}

/// As much of a text as takes no more columns than this (0: the terminal does not say how many it has).
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

/// A line as the editor has drawn it last.
pub(super) struct Drawn {
    widths: GraphemeClusterMode,
    columns: usize,
    prompt: String,
    line: String,
    /// In bytes of the line.
    cursor: usize,
    /// Where rustyline has written a line end of its own, behind what filled a row; in bytes of the line.
    broken: Option<usize>,
}

/// A place on the screen, from the beginning of the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    row: usize,
    column: usize,
}

impl Drawn {
    /// Nothing.
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

    /// A line begins, in a terminal of so many columns (0: it does not say).
    pub(super) fn begin(&mut self, columns: usize) {
        self.resize(columns);
        self.prompt.clear();
        self.line.clear();
        self.cursor = 0;
        self.broken = None;
    }

    /// This stands in the line, with the cursor at this byte.
    pub(super) fn note(&mut self, line: &str, cursor: usize) {
        if self.line != line {
            line.clone_into(&mut self.line);
        }
        self.cursor = cursor;
    }

    /// All of the line is drawn anew, with this prompt.
    pub(super) fn note_prompt(&mut self, prompt: &str) {
        if self.prompt != prompt {
            prompt.clone_into(&mut self.prompt);
        }
        let (_, end) = self.places(self.columns);
        let is_broken = end.column == 0 && end.row > 0 && !self.line.ends_with('\n');
        self.broken = is_broken.then_some(self.line.len());
    }

    /// What stands in the line before the cursor, and from there.
    pub(super) fn halves(&self) -> (&str, &str) {
        self.line.split_at_checked(self.cursor).unwrap_or((&self.line, ""))
    }

    /// What is to be written so that as many rows are there as the editor believes, and the cursor is in that which it
    /// believes it to be in, now that the terminal has so many columns. In a terminal that never joins rows they are
    /// there already: then a part of the old line stays where it is, and nothing is lost either.
    pub(super) fn make_up(&mut self, columns: usize) -> String {
        let before = self.columns;
        self.resize(columns);
        let (cursor, end) = self.places(before);
        if self.columns <= before || end.row == 0 {
            return String::new();
        }
        let now = self.cursor_as_drawn();
        let up = end.row.saturating_sub(cursor.row);
        // More would be the same as this, and the numbers come from what somebody has typed.
        let down = "\n".repeat(end.row.saturating_sub(now.row).min(1000));
        if up == 0 { down } else { format!("{down}\x1b[{up}A") }
    }

    /// What clears the line when the editor has left it, and the cursor with it, for the beginning of the row below
    /// where it was (`is_at_end`: that below the line). Where characters join in a way of which two terminals think
    /// differently, it counts on fewer rows: more would take messages with them.
    pub(super) fn clear(&self, is_at_end: bool) -> String {
        let text = if is_at_end { self.line.as_str() } else { self.halves().0 };
        if self.prompt.len() + text.len() > CLEARED {
            return String::new();
        }
        let (cursor, end) = self.places(self.columns);
        let row = if is_at_end { end.row } else { cursor.row };
        let whole = format!("{}{text}", self.prompt);
        let least: usize = whole.split('\n').map(|part| 1 + usize::from(self.widths.width(part)) / self.columns).sum();
        // `row` counts from 0, and the cursor is one below.
        format!("\x1b[{}A\r\x1b[J", least.min(row + 1))
    }

    fn resize(&mut self, columns: usize) {
        self.columns = if columns == 0 { UNKNOWN } else { columns };
    }

    /// Where the cursor and the end are, as rustyline reckons.
    fn places(&self, columns: usize) -> (Place, Place) {
        let prompt = self.advance(Place::default(), &self.prompt, columns);
        let place = |text| settled(self.advance(prompt, text, columns), columns);
        (place(self.halves().0), place(&self.line))
    }

    /// Where the cursor is in a terminal that breaks the rows anew, but for where it was told to.
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

    /// Where one is behind a text that begins at a place.
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

/// A row that is full is followed by another.
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
        // It ends with its second row, and the cursor is in the next, behind a line end.
        check(40, &line[..73], 73, 100, "\n");
        check(40, &line[..73], 10, 100, "\n\n\x1b[2A");
        // Each of them takes two columns.
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
        // Until all of it is drawn anew.
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
