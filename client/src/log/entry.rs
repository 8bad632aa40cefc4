//! What is written: the file of a place, and the line.

use std::fmt::Write as _;

use chatd::text::fold;

use crate::action::{Hole, Message, Now, Place, Shown, act_of};
use crate::command::word;
use crate::past;
use crate::show::View;
use crate::visible::visible;

/// The longest name of a file without its ending, in bytes; no valid name of a place is longer.
const NAME: usize = 200;

/// A line of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name of its file.
    pub(super) file: String,
    /// Its time.
    pub(super) stamp: String,
    /// The rest; nothing if there is no line.
    pub(super) body: String,
    /// Whether the same time and the same rest, already in the file, are this line.
    pub(super) is_once: bool,
}

impl Entry {
    /// The line, without its LF.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.stamp, self.body)
    }
}

/// The line for what is shown, if it belongs into the log: what is said in a place, what is missing there, and notices
/// about it.
pub(super) fn entry(shown: &Shown, view: &View, now: Now) -> Option<Entry> {
    let (place, unix_ms, body, is_once) = match shown {
        Shown::Message(message) => {
            // Without an id, the time is this machine's, and another message may have the same.
            (message.place.clone(), message.unix_ms, said(message), message.id.is_some())
        }
        Shown::Hole(Hole { place, id, text }) => (place.clone(), id >> 20, format!("-- {}", visible(text)), true),
        Shown::Notice { code, text } => {
            let (place, what) = noticed(*code, text, view)?;
            (place, now.unix_ms, format!("-- {what}"), true)
        }
        Shown::New | Shown::Reply { .. } | Shown::Status(_) => return None,
    };
    let stamp = stamp(view, Now { unix_ms, ..now });
    Some(Entry { file: file_of(&place), stamp, body, is_once })
}

/// A time with its distance from UTC.
pub(super) fn stamp(view: &View, now: Now) -> String {
    view.local(now.unix_ms).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
}

fn said(message: &Message) -> String {
    let from = visible(&message.from);
    match act_of(&message.text) {
        Some(deed) => format!("* {from} {}", visible(deed)),
        None => format!("{from}: {}", visible(&message.text)),
    }
}

/// The place that a notice is about, and its sentence; `None` if it is about none.
fn noticed(code: u16, text: &str, view: &View) -> Option<(Place, String)> {
    let (named, rest) = word(text);
    let place = match code {
        103..=107 | 112 => Place::Room(named.to_owned()),
        109 => past::place(named)?,
        _ => return None,
    };
    let is_short = matches!(code, 103 | 104 | 106 | 107) && !rest.is_empty();
    let what = if is_short { visible(rest).into_owned() } else { view.notice(code, text) };
    (!named.is_empty()).then_some((place, what))
}

/// The file of a place. Names that are the same in any case have the same file.
fn file_of(place: &Place) -> String {
    match place {
        Place::Public => "everybody.log".to_owned(),
        Place::Room(room) => format!("#{}.log", safe(&fold(room).collect::<String>())),
        Place::Direct { with } => format!("@{}.log", safe(&with.to_lowercase())),
    }
}

/// A text as a part of a file's name: other characters than those of names are escaped, and a long one is cut and ends
/// with a hash. It may be `..`, so something has to be in front or behind.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '~' | ':') {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    if out.len() <= NAME {
        return out;
    }
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = out.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    let end = out.floor_char_boundary(NAME - 17);
    out.truncate(end);
    format!("{out}-{hash:016x}")
}
