//! One JSON object per output.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::notice::{Erased, Invitation, Presence, erased, invitation, presence};
use super::{NEW, time_of};
use crate::action::{Hole, Message, Now, Place, Shown, Status, Weight};
use crate::visible::is_hidden;

/// The fields of all kinds, in the order in which they are written; docs/client.md says which kind has which.
#[derive(Serialize, Default)]
struct Event<'a> {
    kind: &'a str,
    /// A string, because many JSON readers cannot represent all 64-bit numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    away: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<bool>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    past: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mention: Option<bool>,
}

/// The line, with its LF. Characters that a terminal would obey are written as JSON escapes.
pub(super) fn line(shown: &Shown, now: Now) -> String {
    let event = match shown {
        Shown::Message(message) => of_message(message),
        Shown::Hole(Hole { place, id, text }) => {
            let room = if let Place::Room(room) = place { Some(room.as_str()) } else { None };
            let (id, place) = (Some(id.to_string()), Some(named(place)));
            Event { kind: "hole", id, place, room, text, past: Some(true), ..Event::default() }
        }
        Shown::New => {
            Event { kind: "status", status: Some("new"), trouble: Some(false), text: NEW, ..Event::default() }
        }
        Shown::Reply { code, more, text } => {
            let is_fact = *code == 215 && *more;
            let (key, value) = Some(text.split_once(' ').unwrap_or((text, ""))).filter(|_| is_fact).unzip();
            Event { key, value, kind: "reply", code: Some(*code), more: Some(*more), text, ..Event::default() }
        }
        Shown::Notice { code, text } => of_notice(*code, text),
        Shown::Status(Status { weight, kind, text }) => Event {
            kind: "status",
            status: Some(kind),
            trouble: Some(*weight == Weight::Trouble),
            text,
            ..Event::default()
        },
    };
    let event = Event { time: utc(time_of(shown, now)), ..event };
    // Serializing strings, numbers and booleans cannot fail.
    let mut line = escaped(&serde_json::to_string(&event).unwrap_or_default());
    line.push('\n');
    line
}

/// A notice, with the parts of those that programs may want.
fn of_notice(code: u16, text: &str) -> Event<'_> {
    let event = Event { kind: "notice", code: Some(code), text, ..Event::default() };
    if let (101, Some(Presence { name, state, why })) = (code, presence(text)) {
        let away = (state == "away").then_some(why);
        return Event { name: Some(name), presence: Some(state), away, ..event };
    }
    if let (111, Some(Invitation { room, from })) = (code, invitation(text)) {
        return Event { room: Some(room), from: Some(from), ..event };
    }
    if let (109, Some(Erased { place, id, from })) = (code, erased(text)) {
        // The sender is the client's addition.
        let text = if id.is_some() { from.map_or(text, |from| text.trim_end_matches(from).trim_end()) } else { text };
        return Event { id: id.map(|id| id.to_string()), place: Some(place.to_owned()), from, text, ..event };
    }
    event
}

fn of_message(message: &Message) -> Event<'_> {
    let Message { place, from, text, id, confirmed, stands_out, is_past, .. } = message;
    let name = named(place);
    let (kind, room, with) = match place {
        Place::Public => ("pm", None, None),
        Place::Room(room) => ("rm", Some(room.as_str()), None),
        Place::Direct { with } => ("dm", None, Some(with.as_str())),
    };
    let (id, place, from) = (id.map(|id| id.to_string()), Some(name), Some(from.as_str()));
    let (past, mention) = (Some(*is_past), Some(*stands_out));
    Event {
        kind,
        id,
        place,
        room,
        from,
        with,
        text,
        confirmed: confirmed.as_deref(),
        past,
        mention,
        ..Event::default()
    }
}

/// A place as the server names it: `*`, a room, `@name`.
pub(super) fn named(place: &Place) -> String {
    match place {
        Place::Public => "*".to_owned(),
        Place::Room(room) => room.clone(),
        Place::Direct { with } => format!("@{with}"),
    }
}

/// RFC 3339, UTC, with milliseconds.
pub(super) fn utc(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", time.unwrap_or(Timestamp::MAX))
}

/// Hidden characters occur only within strings, where an escape has the same meaning.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}
