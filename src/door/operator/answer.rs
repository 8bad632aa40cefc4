//! Answers to commands: items of `key=value`, and a last line.

use std::fmt::{Display, Write as _};

use super::command::{COMMANDS, Fault, Help};
use crate::door::wire::Wire;
use crate::hub::names::UserName;
use crate::limits::{REASON_BYTES, TRACE_MOST_S};
use crate::text::{self, Class};

/// What an item begins with.
pub const ITEM: &str = "C 211-";
/// The value of a key that has none.
pub const NOTHING: &str = "-";

/// Appends one item to a buffer.
#[derive(Debug)]
pub struct Item<'a> {
    out: &'a mut Vec<u8>,
    space: &'static str,
}

impl<'a> Item<'a> {
    /// Begins an item. [`end`](Self::end) ends it.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        out.extend_from_slice(ITEM.as_bytes());
        Self { out, space: "" }
    }

    /// A number.
    pub fn number(self, key: &str, value: u64) -> Self {
        self.bare(key, &value)
    }

    /// `yes` or `no`.
    pub fn flag(self, key: &str, value: bool) -> Self {
        self.bare(key, &if value { "yes" } else { "no" })
    }

    /// A text, as a JSON string if it could be taken for something else.
    pub fn text(self, key: &str, value: &str) -> Self {
        if value != NOTHING && is_bare(value) {
            return self.bare(key, &value);
        }
        self.bare(key, &quoted(value))
    }

    /// A text, or nothing.
    pub fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self.bare(key, &NOTHING),
        }
    }

    /// A list, with commas between its elements. A comma within an element is written `%2C`.
    pub fn list<T: AsRef<str>>(self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| value.as_ref().replace(',', "%2C")).collect();
        let joined = values.join(",");
        if is_bare(&joined) { self.bare(key, &joined) } else { self.text(key, &joined) }
    }

    /// Ends the item.
    pub fn end(self) {
        self.out.push(b'\n');
    }

    fn bare(mut self, key: &str, value: &dyn Display) -> Self {
        let result = write!(Wire(self.out), "{}{key}={value}", self.space);
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
        self.space = " ";
        self
    }
}

/// Whether a value needs no quotes.
fn is_bare(value: &str) -> bool {
    !value.contains([' ', '=', '"']) && text::classes(value).all(|(_, class)| class == Class::Plain)
}

/// A JSON string. What could control a terminal or is invisible is escaped, also where JSON would not need it.
fn quoted(value: &str) -> String {
    let json = serde_json::Value::from(value).to_string();
    let mut safe = String::with_capacity(json.len());
    for (c, class) in text::classes(&json) {
        match class {
            Class::Plain => safe.push(c),
            Class::Tab | Class::TakenOut | Class::Refused => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    safe.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    safe
}

/// The last line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// 211: the number of items.
    Items(u64),
    /// 211: the first items of a list that would be too long for the chat.
    Part {
        /// The number of items.
        shown: u64,
        /// The length of the list.
        all: u64,
    },
    /// 250: done.
    Done(String),
    /// 332: asks for the password of this account, which the next `D` line holds.
    Password(UserName),
    /// 450: not now.
    NotNow(String),
    /// 501: the arguments have this fault.
    Wrong(String),
    /// 502: there is no such command.
    Unknown {
        /// True in the chat, where there are fewer.
        in_chat: bool,
    },
    /// 550: there is no such thing.
    Nobody(String),
    /// 553: the name is not allowed, or taken.
    Name(String),
    /// 554: not allowed.
    Forbidden(String),
}

impl From<Fault> for Last {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unknown { in_chat } => Self::Unknown { in_chat },
            Fault::Usage(usage) => Self::Wrong(format!("usage: {usage}")),
            Fault::Level => Self::Wrong("the level is off, error, warn, info, debug or trace".to_owned()),
            Fault::LongReason => Self::Wrong(format!("a reason has at most {REASON_BYTES} bytes")),
            Fault::Time => Self::Wrong("a time is a number from 1 on, with s, m, h or d, such as 2h".to_owned()),
            Fault::Duration => {
                Self::Wrong(format!("a duration is a number with s, m, h or d, at most {TRACE_MOST_S} s"))
            }
        }
    }
}

impl Last {
    /// Appends the line to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut out = Wire(out);
        let result = match self {
            Self::Items(count) => writeln!(out, "C 211 {count}"),
            Self::Part { shown, all } => writeln!(out, "C 211 {shown} of {all}; chatd ctl shows all"),
            Self::Done(text) => writeln!(out, "C 250 {text}"),
            Self::Password(name) => writeln!(out, "C 332 choose a password for {name}"),
            Self::NotNow(text) => writeln!(out, "C 450 {text}"),
            Self::Wrong(text) => writeln!(out, "C 501 {text}"),
            Self::Unknown { in_chat } => {
                let there = COMMANDS.iter().filter(|help| help.is_for_chat || !in_chat);
                let words: Vec<&str> = there.map(Help::word).collect();
                writeln!(out, "C 502 unknown command; there are {}", words.join(" "))
            }
            Self::Nobody(text) => writeln!(out, "C 550 {text}"),
            Self::Name(text) => writeln!(out, "C 553 {text}"),
            Self::Forbidden(text) => writeln!(out, "C 554 {text}"),
        };
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    }
}

/// The keys and values of an item, given without [`ITEM`]. `None` if it is not well-formed. A value in quotes is decoded,
/// and true marks it.
pub fn pairs(item: &str) -> Option<Vec<(&str, String, bool)>> {
    let mut pairs = Vec::new();
    let mut rest = item;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let (value, is_quoted, after) = if after.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(after).into_iter::<String>();
            let value = values.next()?.ok()?;
            (value, true, after.get(values.byte_offset()..)?)
        } else {
            let end = after.find(' ').unwrap_or(after.len());
            let (value, after) = after.split_at(end);
            (value.to_owned(), false, after)
        };
        if !is_key {
            return None;
        }
        pairs.push((key, value, is_quoted));
        rest = match after.strip_prefix(' ') {
            Some("") => return None,
            Some(after) => after,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    (!pairs.is_empty()).then_some(pairs)
}

/// The elements of a list.
pub fn elements(value: &str) -> impl Iterator<Item = String> {
    value.split(',').filter(|element| !element.is_empty()).map(|element| element.replace("%2C", ","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(fill: impl FnOnce(Item<'_>) -> Item<'_>) -> String {
        let mut out = Vec::new();
        fill(Item::begin(&mut out)).end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn items() {
        let told = item(|item| {
            item.number("id", 7)
                .maybe("name", None)
                .text("address", "::1")
                .flag("tls", false)
                .text("why", "a \"b\"\t=\\")
                .text("dash", "-")
                .list("rooms", ["a", "b"])
                .list("none", [""; 0])
                .list("listeners", ["line+unix:/a b,c"])
        });
        let expected = "C 211-id=7 name=- address=::1 tls=no why=\"a \\\"b\\\"\\t=\\\\\" dash=\"-\" rooms=a,b none= \
                        listeners=\"line+unix:/a b%2Cc\"\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn items_come_back_as_what_they_were() {
        for value in ["", "-", "plain", "a b", "a=b", "\"", "\\", "ü\u{202e}", "a\"b c=d", "\t", "\u{7f}\u{e0041}"] {
            let told = item(|item| item.text("one", value).text("two", value).number("n", 3));
            let pairs = pairs(told.trim_end_matches('\n').strip_prefix(ITEM).unwrap()).unwrap();
            let found: Vec<_> = pairs.iter().map(|(key, value, _)| (*key, value.as_str())).collect();
            assert_eq!(found, [("one", value), ("two", value), ("n", "3")], "{told}");
        }
        let list = ["a", "b,c", "d e"];
        let told = item(|item| item.list("l", list));
        let pairs = pairs(told.trim_end_matches('\n').strip_prefix(ITEM).unwrap()).unwrap();
        assert_eq!(elements(&pairs[0].1).collect::<Vec<_>>(), list);
    }

    #[test]
    fn an_item_cut_at_every_byte() {
        let whole = item(|item| item.number("id", 7).text("why", "ä \"b\"").list("rooms", ["a", "b"]));
        let whole = whole.trim_end_matches('\n').strip_prefix(ITEM).unwrap();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            if let Some(found) = pairs(&whole[..end]) {
                assert!(found.len() <= 3 && found[0].0 == "id", "{:?}", &whole[..end]);
            }
        }
        for wrong in ["", "x", "=1", "A=1", "a=\"x", "a=\"x\"y=1", "a=1 ", "a b=1"] {
            assert_eq!(pairs(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn last_lines() {
        #[track_caller]
        fn check(last: &Last, expected: &str) {
            let mut out = Vec::new();
            last.encode(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
        }
        check(&Last::Items(3), "C 211 3");
        check(&Last::Part { shown: 200, all: 201 }, "C 211 200 of 201; chatd ctl shows all");
        check(&Last::Done("2 put out".to_owned()), "C 250 2 put out");
        check(&Fault::Usage("stop").into(), "C 501 usage: stop");
        check(
            &Fault::Unknown { in_chat: true }.into(),
            "C 502 unknown command; there are status sessions rooms kick ban unban bans announce close",
        );
        check(
            &Fault::Unknown { in_chat: false }.into(),
            "C 502 unknown command; there are status sessions rooms kick ban unban bans announce close accounts reload log \
             stop trace",
        );
    }
}
