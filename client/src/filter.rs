//! Removes what other programs add to the lines of a script: leading invisible characters, such as byte-order marks,
//! and, with `--strip-ansi`, ANSI escapes.

use chatd::text::without_lead;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
/// The one-character form of `ESC [` (C1).
const CSI: char = '\u{9b}';

/// The parts that are removed from a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whether ANSI escapes are removed.
    pub strips_ansi: bool,
}

impl Filter {
    /// The line without what is not part of the text. Byte-order marks are removed from the start of every line, not
    /// only the first: `cat` joins files, and a command after a mark would be sent to everybody.
    pub fn apply(self, line: &str) -> String {
        let line = without_lead(line);
        if !self.strips_ansi {
            return line.to_owned();
        }
        // Removing an escape may leave a mark at the start.
        without_lead(&without_escapes(line)).to_owned()
    }
}

/// A secret without a leading byte-order mark; no password can contain one.
pub(super) fn without_mark(secret: &str) -> &str {
    secret.trim_start_matches('\u{feff}')
}

/// A text without its escape sequences (ECMA-48): colours and other control sequences, titles and other strings, and
/// short ones. An unterminated one extends to the end of the text.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ESCAPE => skip_escape(&mut rest),
            CSI => skip_sequence(&mut rest),
            _ => out.push(c),
        }
    }
    out
}

/// Skips what follows an ESC.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => skip_sequence(rest),
        // A string: title, device, application or private.
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest),
        // Intermediate characters, then a final one.
        Some(' '..='/') => while rest.next().is_some_and(|c| matches!(c, ' '..='/')) {},
        Some(_) | None => {}
    }
}

/// Skips a control sequence: parameters and intermediate characters, then a final one.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    while rest.next().is_some_and(|c| matches!(c, ' '..='?')) {}
}

/// Skips a string, which ends with BEL or `ESC \`.
fn skip_string(rest: &mut std::str::Chars<'_>) {
    while let Some(c) = rest.next() {
        match c {
            BELL => return,
            ESCAPE => {
                rest.next();
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, plain: &str, stripped: &str) {
        assert_eq!(Filter::default().apply(line), plain);
        assert_eq!(Filter { strips_ansi: true }.apply(line), stripped);
    }

    #[test]
    fn marks_go_from_the_beginning_alone() {
        check("\u{feff}/dm bob secret", "/dm bob secret", "/dm bob secret");
        check("\u{feff}\u{feff}hi", "hi", "hi");
        check("\u{200b}\u{feff}\u{200e}/who", "/who", "/who");
        check("a\u{feff}b", "a\u{feff}b", "a\u{feff}b");
        check("\u{feff}", "", "");
        assert_eq!(without_mark("\u{feff}correct horse"), "correct horse");
    }

    #[test]
    fn escapes_go_where_that_is_asked_for() {
        check("\u{1b}[1;31merror\u{1b}[0m: grüße", "\u{1b}[1;31merror\u{1b}[0m: grüße", "error: grüße");
        for (line, stripped) in [
            ("\u{1b}[38:2::255:0:0mred\u{1b}[m", "red"),
            ("\u{1b}[?25lbusy\u{1b}[K", "busy"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bplain\u{1b}7", "plain"),
            ("\u{9b}31mred", "red"),
            ("end\u{1b}", "end"),
            ("end\u{1b}[3", "end"),
            ("end\u{1b}]0;title", "end"),
            ("\u{1b}[0m\u{feff}/who", "/who"),
            ("no escape: [31m", "no escape: [31m"),
        ] {
            check(line, line, stripped);
        }
    }
}
