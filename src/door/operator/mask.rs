//! Frames for a trace: secrets masked, controls escaped.

use crate::text::{self, Class};

/// What is shown in the place of a secret.
pub const MASK: &str = "***";

/// Verbs whose arguments are secret, in upper case: those of IRC, and ours for a changed password.
const SECRET: [&str; 5] = ["PASS", "AUTHENTICATE", "REGISTER", "NICKSERV", "PASSWD"];
/// Verbs of which everything after the room is secret.
const AFTER_ROOM: [&str; 3] = ["MAKE", "JOIN", "LOCK"];

/// A client's line of a text door, given without its end, as a trace shows it. `is_secret` is true for a line before
/// login and for an answer to a prompt for a password.
pub fn from_client(line: &[u8], is_secret: bool) -> String {
    if is_secret {
        return MASK.to_owned();
    }
    let line = String::from_utf8_lossy(line);
    let (lead, rest) = spaces(&line);
    let (kind, rest) = match rest.strip_prefix("C ") {
        Some(rest) => ("C ", rest),
        None => ("", rest),
    };
    let (gap, rest) = spaces(rest);
    let (verb, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(verb));
    let (shown, hidden) = if is(&SECRET) {
        (verb.len(), after)
    } else {
        let (space, words) = spaces(after);
        let (target, more) = words.split_once(' ').unwrap_or((words, ""));
        let is_service = target.eq_ignore_ascii_case("nickserv");
        let shown = verb.len() + 1 + space.len() + target.len();
        if is(&AFTER_ROOM) || is_service { (shown, more) } else { (rest.len(), "") }
    };
    let head = rest.get(..shown.min(rest.len())).unwrap_or_default();
    let mask = if hidden.trim_matches([' ', '\r']).is_empty() { String::new() } else { format!(" {MASK}") };
    escape(&format!("{lead}{kind}{gap}{head}{mask}"))
}

/// A line of the server at a text door, given without its LF, as a trace shows it.
pub fn from_server(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = String::from_utf8_lossy(line);
    if let Some(rest) = line.strip_prefix("C 231 ") {
        let after = rest.find(' ').and_then(|at| rest.get(at..)).unwrap_or_default();
        return escape(&format!("C 231 {MASK}{after}"));
    }
    if line.starts_with("C 227 ") {
        let words: Vec<&str> =
            line.split(' ').map(|word| if word.starts_with("token=") { "token=***" } else { word }).collect();
        return escape(&words.join(" "));
    }
    escape(&line)
}

/// The spaces at the start, and the rest.
fn spaces(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(' ');
    text.split_at(text.len() - rest.len())
}

/// A text with everything escaped that could control a terminal or is invisible.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (c, class) in text::classes(text) {
        match class {
            Class::Plain => safe.push(c),
            Class::Tab | Class::TakenOut | Class::Refused => safe.extend(c.escape_default()),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_clients() {
        for (line, expected) in [
            (&b"PM hi"[..], "PM hi"),
            (b"C PM hi", "C PM hi"),
            (b"JOIN den word", "JOIN den ***"),
            (b"C  join  den a b c", "C  join  den ***"),
            (b"MAKE den\r", "MAKE den\\r"),
            (b"MAKE den ", "MAKE den"),
            (b"lock den x", "lock den ***"),
            (b"LEAVE den x", "LEAVE den x"),
            (b"PASSWD old new", "PASSWD ***"),
            (b"PASSWD", "PASSWD"),
            (b"PASS x", "PASS ***"),
            (b"AUTHENTICATE PLAIN", "AUTHENTICATE ***"),
            (b"register alice x", "register ***"),
            (b"PRIVMSG NickServ :identify x", "PRIVMSG NickServ ***"),
            (b"DM nickserv identify x", "DM nickserv ***"),
            (b"a\x1b[2J\t\xff", "a\\u{1b}[2J\\t\u{fffd}"),
        ] {
            assert_eq!(from_client(line, false), expected);
            assert_eq!(from_client(line, true), "***");
        }
    }

    #[test]
    fn lines_of_the_server() {
        for (line, expected) in [
            ("C 227 den token=ABC udp=5016", "C 227 den token=*** udp=5016"),
            ("C 227 den token=ABC", "C 227 den token=***"),
            ("C 231 t1.abc expires=86400", "C 231 *** expires=86400"),
            ("C 231 t1.abc", "C 231 ***"),
            ("D PM alice C 231 x", "D PM alice C 231 x"),
            ("C 200 done", "C 200 done"),
            (":chatd.local 376 alice :End\r", ":chatd.local 376 alice :End"),
        ] {
            assert_eq!(from_server(line.as_bytes()), expected);
        }
    }

    #[test]
    fn no_cut_shows_a_secret() {
        for line in ["C JOIN den hunter2", "JOIN  den  hunter2", "PASS hunter2", "PRIVMSG NickServ :hunter2"] {
            for end in 0..line.len() {
                assert!(!from_client(&line.as_bytes()[..=end], false).contains('2'), "{line} {end}");
            }
        }
    }
}
