//! `/connz`: a list of connections, as JSON.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::Engine;
use super::conn::Conn;
use super::pause::{Pause, Until};
use crate::door::metrics::{List, Sort};
use crate::limits::LIST_LINE_WORK;

impl<S> Engine<S> {
    /// The connections that `list` asks for, as an array of objects. Counted as work, like other lists.
    pub(super) fn connections_as_json(&mut self, list: List) -> String {
        let List { limit, sort } = list;
        let key = |conn: &Conn<S>| match sort {
            Sort::Owed => Reverse(conn.owed() as u64),
            Sort::Since => Reverse(self.now.saturating_sub(conn.since)),
        };
        let limit = limit as usize;
        let mut conns: Vec<_> = self.conns.iter().map(|conn| (key(conn), conn.id)).collect();
        if limit < conns.len() {
            conns.select_nth_unstable(limit);
            conns.truncate(limit);
        }
        conns.sort_unstable();
        let lines: Vec<Value> = conns.iter().filter_map(|(_, id)| Some(self.as_json(self.conns.peek(*id)?))).collect();
        self.turn.work += self.conns.len() + lines.len() * LIST_LINE_WORK;
        format!("{}\n", Value::from(lines))
    }

    fn as_json(&self, conn: &Conn<S>) -> Value {
        json!({
            "id": conn.id.generation,
            "door": conn.door.name(),
            "tls": conn.is_tls,
            "address": conn.origin.to_string(),
            "name": self.hub.who_is(conn.id.session()).map(|who| who.to_string()),
            "seconds": self.now.saturating_sub(conn.since) / 1_000,
            "owed": conn.owed(),
            "pause": pause_name(&conn.pause),
        })
    }
}

/// Why a connection is not read, as a word; `None` while it is.
fn pause_name(pause: &Pause) -> Option<&'static str> {
    match pause {
        Pause::None => None,
        Pause::Checking { .. } => Some("password"),
        Pause::Answering { .. } => Some("answer"),
        Pause::Recalling { .. } => Some("history"),
        Pause::Until { why: Until::Rate, .. } => Some("rate"),
        Pause::Until { why: Until::Backpressure, .. } => Some("receivers"),
        Pause::Until { why: Until::Busy, .. } => Some("busy"),
        Pause::Owing { .. } => Some("owing"),
        Pause::Delay { .. } => Some("delay"),
    }
}
