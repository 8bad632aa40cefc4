//! A line of a client, taken apart: tags, command, parameters.

use crate::limits::{IRC_LABEL_BYTES, IRC_LINE_BYTES, IRC_PARAMETERS, IRC_TAGS_BYTES};
use crate::text::{self, first_word};

/// A line without its end. A source is dropped: the server knows who its clients are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// The value of the tag `label` as it was given, still escaped.
    pub(super) label: Option<&'a str>,
    /// The command in any case: letters, digits, `_` and `-`, at least one; the first is a letter or a digit.
    pub(super) command: &'a str,
    /// What follows.
    pub(super) parameters: Parameters<'a>,
}

/// The parameters of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters<'a> {
    all: [&'a str; IRC_PARAMETERS],
    count: usize,
}

/// Why a line is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// Its tags, or the rest of it, are too long.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// It contains NUL, or a CR that is not at its end.
    Bytes,
    /// It has tags or a source, and no command; or the command has other characters than letters, digits, `_` and `-`.
    NoCommand,
}

impl<'a> Message<'a> {
    /// Takes a line apart, given without its LF. `None` if it is empty.
    ///
    /// # Errors
    /// Why it is not carried out. The sizes are looked at first, so that a long line has one answer whatever is in it.
    pub(super) fn parse(line: &'a [u8]) -> Option<Result<Self, Bad>> {
        if !is_sized(line) {
            return Some(Err(Bad::TooLong));
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else { return Some(Err(Bad::NotUtf8)) };
        if text.contains(['\0', '\r']) {
            return Some(Err(Bad::Bytes));
        }
        let text = text.trim_start_matches(' ');
        if text.is_empty() {
            return None;
        }
        Some(Self::of_text(text).ok_or(Bad::NoCommand))
    }

    /// The label of a line that is [not carried out](Bad), as far as its tags can be read.
    pub(super) fn label_of(line: &'a [u8]) -> Option<&'a str> {
        let tagged = line.strip_prefix(b"@")?;
        let end = memchr::memchr(b' ', tagged)?;
        std::str::from_utf8(tagged.get(..end)?).ok().and_then(label)
    }

    fn of_text(text: &'a str) -> Option<Self> {
        let (tags, text) = match text.strip_prefix('@') {
            Some(tagged) => first_word(tagged),
            None => ("", text),
        };
        let (_source, text) = match text.strip_prefix(':') {
            Some(sourced) => first_word(sourced),
            None => ("", text),
        };
        let (command, rest) = first_word(text);
        let is_command = command.starts_with(|c: char| c.is_ascii_alphanumeric()) && command.bytes().all(is_in_command);
        is_command.then(|| Self { label: label(tags), command, parameters: Parameters::parse(rest) })
    }
}

impl<'a> Parameters<'a> {
    fn parse(mut rest: &'a str) -> Self {
        let mut parameters = Self::default();
        while let Some(place) = parameters.all.get_mut(parameters.count).filter(|_| !rest.is_empty()) {
            let is_last = parameters.count + 1 == IRC_PARAMETERS;
            (*place, rest) = match rest.strip_prefix(':') {
                Some(trailing) => (trailing, ""),
                None if is_last => (rest, ""),
                None => first_word(rest),
            };
            parameters.count += 1;
        }
        parameters
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[&'a str] {
        self.all.get(..self.count).unwrap_or_default()
    }

    /// The number of them.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The parameter of this index; empty if there is none.
    pub(super) fn at(&self, index: usize) -> &'a str {
        self.all.get(index).copied().unwrap_or_default()
    }
}

/// Whether a line, given without its LF, is within both bounds: that of the tags with the space behind them, and that of
/// the rest with its end.
fn is_sized(line: &[u8]) -> bool {
    if line.first() != Some(&b'@') {
        return line.len() < IRC_LINE_BYTES;
    }
    match memchr::memchr(b' ', line) {
        Some(end) => end < IRC_TAGS_BYTES && line.len() - end - 1 < IRC_LINE_BYTES,
        None => line.len() <= IRC_TAGS_BYTES,
    }
}

/// Commands have letters and digits. Those with `_` or `-` are unknown, and are named in the answer.
fn is_in_command(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The value of the tag `label`, the last one if there are several; `None` if there is none, or it is no label.
fn label(tags: &str) -> Option<&str> {
    let value = tags.split(';').filter_map(|tag| tag.strip_prefix("label=")).next_back()?;
    let is_plain = text::check(value.as_bytes()).is_some_and(|checked| checked.is_clean) && !value.contains('\t');
    (is_plain && (1..=IRC_LABEL_BYTES).contains(&value.len())).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::door::inbox::{Cut, Inbox};

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, &[&str])>) {
        let parsed = Message::parse(line.as_bytes()).map(|parsed| parsed.expect("a good line"));
        let found = parsed.as_ref().map(|message| (message.command, message.parameters.as_slice()));
        assert_eq!(found, expected, "{line:?}");
    }

    #[track_caller]
    fn check_bad(line: &[u8], expected: Bad) {
        assert_eq!(Message::parse(line), Some(Err(expected)), "{line:?}");
    }

    #[track_caller]
    fn check_label(tags: &str, expected: Option<&str>) {
        let line = format!("@{tags} PING x");
        assert_eq!(Message::parse(line.as_bytes()).unwrap().unwrap().label, expected, "{line:?}");
    }

    #[test]
    fn commands_and_parameters() {
        check("", None);
        check("\r", None);
        check("   ", None);
        check("PING", Some(("PING", &[])));
        check("nick bob\r", Some(("nick", &["bob"])));
        check("JOIN :", Some(("JOIN", &[""])));
        check(":me!u@h PRIVMSG  #a   :: hi  there ", Some(("PRIVMSG", &["#a", ": hi  there "])));
        check("@a=b;c :x 001 y :z", Some(("001", &["y", "z"])));
        check("USER u 0 * :a b", Some(("USER", &["u", "0", "*", "a b"])));
        check("NO_SUCH-COMMAND x", Some(("NO_SUCH-COMMAND", &["x"])));
        check("MODE #a +k word ", Some(("MODE", &["#a", "+k", "word"])));
        let many: Vec<String> = (1..=16).map(|number| number.to_string()).collect();
        let line = format!("X {}", many.join(" "));
        let parsed = Message::parse(line.as_bytes()).unwrap().unwrap();
        assert_eq!(parsed.parameters.count(), 15);
        assert_eq!((parsed.parameters.at(14), parsed.parameters.at(15)), ("15 16", ""));
    }

    #[test]
    fn bad_lines() {
        check_bad(b"PING \xff", Bad::NotUtf8);
        check_bad(b"PRIVMSG a :x\rQUIT", Bad::Bytes);
        check_bad(b"PING x\r\r", Bad::Bytes);
        check_bad(b"PING \0", Bad::Bytes);
        for line in ["@a=b", "@a=b ", ":me", ":me ", "@a :b", "PI\u{e4}NG", "/join x", "\u{feff}NICK x", "_x", "a/b"] {
            check_bad(line.as_bytes(), Bad::NoCommand);
        }
    }

    #[test]
    fn labels() {
        check_label("label=abc", Some("abc"));
        check_label("+typing=active;label=a\\:b", Some("a\\:b"));
        check_label("label=a;label=b", Some("b"));
        check_label(&format!("label={}", "x".repeat(64)), Some(&"x".repeat(64)));
        for none in
            ["label", "label=", "+label=x", "label=a\u{202e}b", "label=\u{1}", &format!("label={}", "x".repeat(65))]
        {
            check_label(none, None);
        }
    }

    #[test]
    fn sizes() {
        let rest = |bytes: usize| format!("PING {}", "x".repeat(bytes - 5));
        let tags = |bytes: usize| format!("@{} ", "x".repeat(bytes - 2));
        assert!(Message::parse(rest(511).as_bytes()).unwrap().is_ok());
        assert!(Message::parse(format!("{}\r", rest(510)).as_bytes()).unwrap().is_ok());
        check_bad(rest(512).as_bytes(), Bad::TooLong);
        check_bad(format!("{}\r", rest(511)).as_bytes(), Bad::TooLong);
        let whole = format!("{}{}", tags(4096), rest(511));
        assert!(Message::parse(whole.as_bytes()).unwrap().is_ok());
        assert!(whole.len() < crate::limits::IRC_FRAME_BYTES);
        check_bad(format!("{}{}", tags(4097), rest(20)).as_bytes(), Bad::TooLong);
        check_bad(format!("{}{}", tags(20), rest(512)).as_bytes(), Bad::TooLong);
        check_bad(tags(4098).trim_end().as_bytes(), Bad::TooLong);
        check_bad(&[b"PING \xff".as_slice(), &[b'x'; 600]].concat(), Bad::TooLong);
    }

    /// Feeds `input` in pieces of `step` bytes, and describes each line.
    fn lines(input: &[u8], step: usize) -> Vec<String> {
        let (mut inbox, mut found, mut scratch) = (Inbox::default(), Vec::new(), vec![0; 1 << 16]);
        for piece in input.chunks(step) {
            let mut len = inbox.unload(&mut scratch);
            scratch[len..len + piece.len()].copy_from_slice(piece);
            len += piece.len();
            let mut at = 0;
            loop {
                match inbox.cut(&scratch[at..len], crate::limits::IRC_FRAME_BYTES) {
                    Cut::Line { end, next } => {
                        found.push(format!("{:?}", Message::parse(&scratch[at..at + end])));
                        at += next;
                    }
                    Cut::TooLong { next } => {
                        found.push(format!("{:?}", Some(Err::<(), _>(Bad::TooLong))));
                        at += next;
                    }
                    Cut::Partial { keep } => {
                        inbox.hold(&scratch[at + keep..len]);
                        break;
                    }
                    cut @ (Cut::NeverEnds | Cut::Frame { .. } | Cut::Gathered { .. }) => panic!("{cut:?}"),
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_cuts(
            parts in prop::collection::vec(prop_oneof![
                Just("@label=a;b ".to_owned()), Just(":x ".to_owned()), Just("PRIVMSG ".to_owned()), Just(" :".to_owned()),
                Just("\r\n".to_owned()), Just("\n".to_owned()), Just("\r".to_owned()), Just("#a,b".to_owned()),
                (500..520usize).prop_map(|count| "y".repeat(count)), (4080..4700usize).prop_map(|count| "z".repeat(count)),
            ], 0..12),
            step in 1..600usize,
        ) {
            let input = parts.concat().into_bytes();
            prop_assert_eq!(lines(&input, step), lines(&input, input.len().max(1)));
        }

        #[test]
        fn any_bytes(line: Vec<u8>) {
            if let Some(Ok(message)) = Message::parse(&line) {
                prop_assert!(!message.command.is_empty() && message.parameters.count() <= 15);
                let shown = message.parameters.as_slice().concat();
                prop_assert!(!shown.contains(['\r', '\0']));
            }
        }
    }
}
