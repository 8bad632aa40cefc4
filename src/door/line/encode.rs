//! Events as lines of text.

use std::fmt::Write as _;

use crate::close::CloseReason;
use crate::door::Kind;
use crate::door::reply::Reply;
use crate::door::wire::Wire;
use crate::hub::event::{Event, Message};
use crate::hub::names::UserName;

/// Appends an event to `out`, as whole lines in the spelling `kind`.
pub fn encode(kind: Kind, event: &Event, out: &mut Vec<u8>) {
    let mut wire = Wire(out);
    let result = match event {
        Event::Said(message) => encode_message(kind, "PM", message, &mut wire),
        Event::Told(message) => encode_message(kind, "DM", message, &mut wire),
        Event::Welcome { name, online } => {
            writeln!(wire, "C 230 welcome {name}; {online} online; HELP lists what you can do")
        }
        Event::SessionsFull { sessions } => {
            return Reply::Closing(CloseReason::LoggedInAlready(*sessions)).encode(out);
        }
        Event::Sent { hearers } => writeln!(wire, "C 250 sent to {hearers}"),
        Event::SentTo { name } => writeln!(wire, "C 250 sent to {name}"),
        Event::Found { .. } => return Reply::AskMessage.encode(out),
        Event::NotOnline { name } => writeln!(wire, "C 550 {name} is not online"),
        Event::Online { names, matching } => encode_list(names, *matching, &mut wire),
    };
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

fn encode_message(kind: Kind, what: &str, message: &Message, out: &mut Wire<'_>) -> std::fmt::Result {
    let Message { id, from, text } = message;
    match kind {
        Kind::Bare => writeln!(out, "D {what} {from} {text}"),
        Kind::Typed => writeln!(out, "D {what} {id} {from} {text}"),
    }
}

fn encode_list(names: &[UserName], matching: usize, out: &mut Wire<'_>) -> std::fmt::Result {
    for name in names {
        writeln!(out, "C 211-{name}")?;
    }
    let shown = names.len();
    if shown < matching {
        writeln!(out, "C 211 {shown} of {matching} online; WHO prefix narrows it")
    } else {
        writeln!(out, "C 211 {shown} online")
    }
}
