//! Why the user is called, for notifications and for the program of `--notify-command`.

use serde::Serialize;

use super::json::{escaped, named, utc};
use crate::action::{Call, Message, Now, Place, act_of};
use crate::visible::harmless;

/// A sentence of at most this many characters, none of which a terminal obeys: `bob in den: hi`.
pub fn sentence(call: &Call, most: usize) -> String {
    let told = match call {
        Call::Said(message) => said(message, most),
        Call::Missed { count, for_user, newest } => {
            let messages = if *count == 1 { "message" } else { "messages" };
            let newest = newest.as_ref().map_or(String::new(), |newest| format!("; {}", said(newest, most)));
            format!("missed: {count} {messages}, {for_user} for you{newest}")
        }
    };
    let told = harmless(&told, most);
    // Some terminals obey a number there.
    if told.starts_with(|c: char| c.is_ascii_digit()) { harmless(&format!("> {told}"), most) } else { told }
}

fn said(message: &Message, most: usize) -> String {
    let Message { place, from, text, .. } = message;
    // A long name leaves room for the others.
    let (act, from) = (act_of(text), harmless(from, most / 4));
    let text = harmless(act.unwrap_or(text), most);
    if act.is_some() {
        return match place {
            Place::Public => format!("to all: * {from} {text}"),
            Place::Room(room) => format!("in {}: * {from} {text}", harmless(room, most / 4)),
            Place::Direct { .. } => format!("to you: * {from} {text}"),
        };
    }
    match place {
        Place::Public => format!("{from} to all: {text}"),
        Place::Room(room) => format!("{from} in {}: {text}", harmless(room, most / 4)),
        Place::Direct { .. } => format!("{from} to you: {text}"),
    }
}

/// What has called the user since the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The newest reason.
    call: Call,
    /// All messages, and those for the user.
    count: usize,
    for_user: usize,
    /// When the newest came, in milliseconds of Unix time.
    unix_ms: u64,
}

/// The keys, in the order in which they are written; docs/client.md explains them.
#[derive(Serialize)]
struct Object<'a> {
    kind: &'a str,
    count: usize,
    for_you: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    user: &'a str,
}

impl Gathered {
    /// The first reason.
    pub fn new(call: Call, now: Now) -> Self {
        let (count, for_user, unix_ms) = match &call {
            Call::Said(message) => (1, usize::from(message.stands_out), message.unix_ms),
            Call::Missed { count, for_user, newest } => {
                (*count, *for_user, newest.as_ref().map_or(now.unix_ms, |newest| newest.unix_ms))
            }
        };
        Self { call, count, for_user, unix_ms }
    }

    /// Adds a newer reason.
    #[must_use]
    pub fn and(self, newer: Self) -> Self {
        let (count, for_user) = (self.count.saturating_add(newer.count), self.for_user.saturating_add(newer.for_user));
        Self { count, for_user, ..newer }
    }

    /// One JSON object on a line, with its LF. Characters that a terminal would obey are escaped.
    pub fn object(&self, user: &str) -> String {
        let (kind, message) = match &self.call {
            Call::Said(message) => (kind(message), Some(message)),
            Call::Missed { newest, .. } => ("missed", newest.as_ref()),
        };
        let object = Object {
            kind,
            count: self.count,
            for_you: self.for_user,
            id: message.and_then(|message| message.id).map(|id| id.to_string()),
            time: utc(self.unix_ms),
            place: message.map(|message| named(&message.place)),
            from: message.map(|message| message.from.as_str()),
            text: message.map(|message| message.text.as_str()),
            user,
        };
        // Serializing strings and numbers cannot fail.
        escaped(&serde_json::to_string(&object).unwrap_or_default()) + "\n"
    }
}

fn kind(message: &Message) -> &'static str {
    match message.place {
        Place::Direct { .. } => "direct",
        Place::Public | Place::Room(_) if message.stands_out => "mention",
        Place::Public | Place::Room(_) => "message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20 23:56:03.123 UTC.
    const NOW: Now = Now { monotonic_ms: 0, unix_ms: 1_795_218_963_123 };

    fn said(place: Place, text: &str, stands_out: bool) -> Message {
        Message {
            place,
            from: "bob".to_owned(),
            text: text.to_owned(),
            id: Some(NOW.unix_ms << 20),
            unix_ms: NOW.unix_ms,
            confirmed: None,
            stands_out,
            is_own: false,
            is_past: false,
        }
    }

    fn with() -> Place {
        Place::Direct { with: "bob".to_owned() }
    }

    fn den() -> Place {
        Place::Room("den".to_owned())
    }

    #[track_caller]
    fn check(gathered: &Gathered, expected: &str) {
        assert_eq!(gathered.object("alice"), format!("{expected}\n"));
    }

    #[test]
    fn objects() {
        let gathered = |message| Gathered::new(Call::Said(message), NOW);
        let direct = gathered(said(with(), "hi\u{1b}\"\n", true));
        check(
            &direct,
            r#"{"kind":"direct","count":1,"for_you":1,"id":"1882423519475662848","time":"2026-11-20T23:56:03.123Z","place":"@bob","from":"bob","text":"hi\u001b\"\n","user":"alice"}"#,
        );
        let mention = gathered(said(Place::Public, "alice?", true));
        check(
            &direct.and(mention),
            r#"{"kind":"mention","count":2,"for_you":2,"id":"1882423519475662848","time":"2026-11-20T23:56:03.123Z","place":"*","from":"bob","text":"alice?","user":"alice"}"#,
        );
        assert!(
            gathered(said(den(), "x", false)).object("alice").contains(r#""kind":"message","count":1,"for_you":0,"#)
        );
    }

    #[test]
    fn what_was_missed() {
        let newest = Some(said(den(), "hi", true));
        let missed = Gathered::new(Call::Missed { count: 31, for_user: 2, newest }, NOW);
        assert!(missed.object("alice").starts_with(r#"{"kind":"missed","count":31,"for_you":2,"id":"#));
        let missed = Gathered::new(Call::Missed { count: 2_000, for_user: 2, newest: None }, NOW);
        check(
            &missed,
            r#"{"kind":"missed","count":2000,"for_you":2,"time":"2026-11-20T23:56:03.123Z","user":"alice"}"#,
        );
    }

    #[test]
    fn sentences() {
        let newest = Some(said(den(), "hi", true));
        let missed = |count, newest| Call::Missed { count, for_user: 1, newest };
        assert_eq!(sentence(&missed(2, newest), 160), "missed: 2 messages, 1 for you; bob in den: hi");
        assert_eq!(sentence(&missed(1, None), 160), "missed: 1 message, 1 for you");
        assert_eq!(sentence(&Call::Said(said(with(), &"x".repeat(9_999), true)), 20), "bob to you: xxxxxxx…");
    }
}
