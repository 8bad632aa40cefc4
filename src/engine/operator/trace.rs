//! `trace`: the frames of one connection as they pass. Secrets are masked, controls escaped.
//!
//! Frames of the server are seen when the socket takes them, so a delivery costs nothing, and a write one comparison
//! while nobody traces. What the caller does not take is dropped and counted.

use super::Engine;
use super::entry::Entry;
use crate::door::operator::{Last, MASK, Whom, from_server, utc_ms};
use crate::door::web::frame::Sent;
use crate::door::{Class, Output};
use crate::engine::id::ConnId;
use crate::engine::time::{Millis, NEVER, seconds};
use crate::hub::names::Who;
use crate::limits::{TRACED_BYTES, TRACES};

/// All traces.
#[derive(Debug, Default)]
pub(in crate::engine) struct Traces {
    all: Vec<Trace>,
    watched: Vec<Watched>,
}

/// The output of a traced connection.
#[derive(Debug)]
struct Watched {
    target: ConnId,
    /// The beginning of a line or a frame whose end was not written yet.
    begun: Vec<u8>,
    /// The trace began within a line, which is left out: without its beginning, its secrets would not be found.
    is_within: bool,
    /// Bytes to leave out: the rest of the frame in which the trace began.
    within: usize,
}

/// One trace.
#[derive(Debug)]
struct Trace {
    /// The operator's connection.
    caller: ConnId,
    /// The traced connection.
    target: ConnId,
    /// When it ends.
    until: Millis,
    /// Items that the caller got.
    shown: u64,
    /// Frames that the caller did not take, since the last one that it took.
    dropped: u64,
}

/// The direction of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Client,
    Server,
}

impl Traces {
    /// True if nobody traces.
    pub(in crate::engine) fn is_off(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether somebody traces this connection.
    pub(in crate::engine) fn has(&self, target: ConnId) -> bool {
        self.all.iter().any(|trace| trace.target == target)
    }

    /// When the next trace ends by itself.
    pub(in crate::engine) fn next_due(&self) -> Millis {
        self.all.iter().map(|trace| trace.until).min().unwrap_or(NEVER)
    }

    /// The caller has gone.
    pub(super) fn forget_caller(&mut self, id: ConnId) {
        self.all.retain(|trace| trace.caller != id);
        self.tidy();
    }

    fn take(&mut self, is_it: impl Fn(&Trace) -> bool) -> Option<Trace> {
        let place = self.all.iter().position(is_it)?;
        let trace = self.all.swap_remove(place);
        self.tidy();
        Some(trace)
    }

    fn tidy(&mut self) {
        let Self { all, watched } = self;
        watched.retain(|watched| all.iter().any(|trace| trace.target == watched.target));
    }

    /// The lines or frames that end in bytes which were written, as a trace shows them.
    fn written(&mut self, target: ConnId, output: Output, written: &[u8]) -> Vec<String> {
        let Some(watched) = self.watched.iter_mut().find(|watched| watched.target == target) else { return Vec::new() };
        match output {
            Output::Lines => watched.lines(written),
            Output::Frames => watched.frames(written),
            Output::Hidden => vec![MASK.to_owned()],
        }
    }
}

impl Watched {
    fn lines(&mut self, written: &[u8]) -> Vec<String> {
        self.begun.extend_from_slice(written);
        let (mut lines, mut start) = (Vec::new(), 0);
        for end in memchr::memchr_iter(b'\n', &self.begun) {
            let line = self.begun.get(start..end).unwrap_or_default();
            if !std::mem::take(&mut self.is_within) {
                lines.push(from_server(line));
            }
            start = end + 1;
        }
        self.begun.drain(..start);
        lines
    }

    fn frames(&mut self, written: &[u8]) -> Vec<String> {
        let left_out = written.len().min(self.within);
        self.within -= left_out;
        self.begun.extend_from_slice(written.get(left_out..).unwrap_or_default());
        let (mut frames, mut start) = (Vec::new(), end_of_handshake(&self.begun));
        while let Some((sent, length)) = self.begun.get(start..).and_then(Sent::read) {
            frames.push(shown(sent));
            start += length;
        }
        self.begun.drain(..start);
        frames
    }
}

/// The length of the answer to a handshake at the start of what was sent; 0 for frames, none of which begins like it.
fn end_of_handshake(sent: &[u8]) -> usize {
    if !sent.starts_with(b"HTTP/") {
        return 0;
    }
    memchr::memmem::find(sent, b"\r\n\r\n").map_or(0, |end| end + 4)
}

/// A frame of the server, as a trace shows it.
fn shown(sent: Sent<'_>) -> String {
    match sent {
        Sent::Text(line) => from_server(line),
        Sent::Ping => "ping".to_owned(),
        Sent::Pong => "pong".to_owned(),
        Sent::Close(code, why) => {
            let why = from_server(why);
            format!("close {code} {why}").trim_end().to_owned()
        }
    }
}

impl<S> Engine<S> {
    /// `trace`.
    pub(super) fn begin_trace(&mut self, id: ConnId, whom: &Whom, for_s: Option<u32>) {
        let target = match self.target(whom) {
            Ok(target) => target,
            Err(last) => return self.answer_last(id, &last),
        };
        if self.is_untraceable(target) {
            return self.answer_last(id, &operators_are_not_traced());
        }
        if self.desk.traces.all.len() >= TRACES {
            return self.answer_last(id, &Last::NotNow(format!("there are {TRACES} traces already")));
        }
        let until = for_s.map_or(NEVER, |time| self.now.saturating_add(seconds(time)));
        if !self.desk.traces.has(target) {
            let (is_within, within) = self
                .conns
                .peek(target)
                .map_or((false, 0), |conn| (!conn.outbox.is_empty(), conn.outbox.begun_bytes(&self.pages)));
            self.desk.traces.watched.push(Watched { target, begun: Vec::new(), is_within, within });
        }
        self.desk.traces.all.push(Trace { caller: id, target, until, shown: 1, dropped: 0 });
        let name = self.hub.who_is(target.session()).map(|who| who.to_string());
        let (unix_ms, address) = (self.unix_ms, self.conns.peek(target).map(|conn| conn.origin.to_string()));
        self.answer_item(id, |item| {
            item.text("time", &utc_ms(unix_ms))
                .number("id", target.generation.into())
                .maybe("name", name.as_deref())
                .maybe("address", address.as_deref())
        });
    }

    /// The one connection that is meant.
    fn target(&self, whom: &Whom) -> Result<ConnId, Last> {
        let conns: Vec<ConnId> = self.entries(Some(whom)).into_iter().filter_map(Entry::conn).collect();
        match (conns.as_slice(), whom) {
            ([only], _) => Ok(*only),
            ([], Whom::Id(number)) => Err(Last::Nobody(format!("there is no connection {number}"))),
            ([], Whom::Name(Who::Account(name))) => Err(Last::Nobody(format!("{name} is not online"))),
            ([], Whom::Name(Who::Guest(_)) | Whom::Address(_)) => {
                Err(Last::Nobody("no such guest has a connection; trace an id or an account".to_owned()))
            }
            ([first, ..], Whom::Id(_) | Whom::Address(_)) => Ok(*first),
            (several, Whom::Name(who)) => {
                let ids: Vec<String> = several.iter().map(|id| id.generation.to_string()).collect();
                Err(Last::Wrong(format!("{who} has several connections; trace one of {}", ids.join(" "))))
            }
        }
    }

    /// Whether this is an operator's connection.
    fn is_untraceable(&self, id: ConnId) -> bool {
        self.is_operator(id) || self.conns.peek(id).is_some_and(|conn| conn.door.class() == Class::Operator)
    }

    /// A line of a client that is not decoded yet. Call it only if somebody traces.
    pub(in crate::engine) fn trace_line(&mut self, id: ConnId, line: &[u8]) {
        if self.desk.traces.has(id)
            && let Some(conn) = self.conns.peek(id)
        {
            let shown = conn.door.traced(line);
            if let Some(shown) = shown {
                self.show_traced(id, From::Client, &shown);
            }
        }
    }

    /// The socket of a connection has taken the first `count` bytes of its output. Call it only if somebody traces.
    pub(in crate::engine) fn trace_written(&mut self, id: ConnId, count: usize) {
        let Some(conn) = self.conns.peek(id).filter(|_| self.desk.traces.has(id)) else { return };
        let (output, mut written) = (conn.door.output(), Vec::new());
        if output != Output::Hidden {
            conn.outbox.copy_front(count, &self.pages, &mut written);
        }
        for line in self.desk.traces.written(id, output, &written) {
            self.show_traced(id, From::Server, &line);
        }
    }

    /// Sends a frame to those who trace its connection.
    fn show_traced(&mut self, target: ConnId, from: From, shown: &str) {
        if self.is_untraceable(target) {
            return self.end_traces(|trace| trace.target == target, |_| operators_are_not_traced());
        }
        let from = match from {
            From::Client => "client",
            From::Server => "server",
        };
        let time = utc_ms(self.unix_ms);
        let end = shown.floor_char_boundary(TRACED_BYTES);
        let cut = if end < shown.len() { "…" } else { "" };
        let frame = format!("{}{cut}", shown.get(..end).unwrap_or_default());
        let mut traces = std::mem::take(&mut self.desk.traces.all);
        for trace in traces.iter_mut().filter(|trace| trace.target == target) {
            if !self.takes_items(trace.caller) {
                trace.dropped += 1;
                continue;
            }
            self.tell_dropped(trace);
            self.answer_item(trace.caller, |item| item.text("time", &time).text("from", from).text("frame", &frame));
            trace.shown += 1;
        }
        self.desk.traces.all = traces;
    }

    fn tell_dropped(&mut self, trace: &mut Trace) {
        let dropped = std::mem::take(&mut trace.dropped);
        if dropped > 0 {
            let time = utc_ms(self.unix_ms);
            self.answer_item(trace.caller, |item| item.text("time", &time).number("dropped", dropped));
            trace.shown += 1;
        }
    }

    /// Ends traces, each with a last line that is made from the number of its items.
    fn end_traces(&mut self, is_it: impl Fn(&Trace) -> bool, last: impl Fn(u64) -> Last) {
        while let Some(mut trace) = self.desk.traces.take(&is_it) {
            self.tell_dropped(&mut trace);
            self.answer_last(trace.caller, &last(trace.shown));
        }
    }

    /// The caller sends something else: its trace ends.
    pub(super) fn end_trace_for(&mut self, caller: ConnId, last: impl Fn(u64) -> Last) {
        self.end_traces(|trace| trace.caller == caller, last);
    }

    /// Ends the traces whose time is over.
    pub(in crate::engine) fn end_due_traces(&mut self) {
        let now = self.now;
        self.end_traces(|trace| trace.until <= now, Last::Items);
    }

    /// A connection is closed: its traces end.
    pub(in crate::engine) fn end_traces_of(&mut self, target: ConnId) {
        self.end_traces(|trace| trace.target == target, Last::Items);
    }
}

fn operators_are_not_traced() -> Last {
    Last::Forbidden("operators are not traced".to_owned())
}
