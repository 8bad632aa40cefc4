//! The metrics door in the engine: who may ask, for how long, and what is answered.

use std::collections::VecDeque;

use super::Engine;
use super::control::Outside;
use super::id::ConnId;
use super::metrics_exchange::Exchanges;
pub use super::metrics_exposition::Process;
use super::pause::Pause;
use super::time::NEVER;
use crate::door::Door;
use crate::door::http::{Answer, Status};
use crate::door::metrics::{Ask, What};
use crate::door::web::files::Files;
use crate::limits::WORK_BYTES;
use crate::secret::Secret;

/// The media type of the exposition. Prometheus 3 wants it.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A listener, as operators see it.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Its door, transport and address, such as `line+tls://192.0.2.1:5015`.
    pub name: String,
    /// The name of its door.
    pub door: &'static str,
    /// Its connections use TLS.
    pub is_tls: bool,
    /// The token that its requests must have, if it is one for metrics and has one.
    pub token: Option<Secret<Vec<u8>>>,
    /// When its certificate expires, in seconds since 1970; `None` without TLS.
    pub not_after: Option<u64>,
    /// The hosts that its certificate names.
    pub names: Vec<String>,
}

/// The connections of the metrics door, and what only its answers need.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) exchanges: Exchanges,
    /// Connections whose answer needs figures that the engine does not know.
    waiting: VecDeque<ConnId>,
    pub(super) listeners: Vec<Listening>,
    /// The last reload found everything good, or there was none.
    pub(super) is_reload_ok: bool,
}

impl Listening {
    /// True if it is the operator's socket.
    pub(super) fn is_for_operators(&self) -> bool {
        self.door == Door::operator().name()
    }
}

impl Metrics {
    /// Without listeners.
    pub(super) fn new() -> Self {
        Self { exchanges: Exchanges::default(), waiting: VecDeque::new(), listeners: Vec::new(), is_reload_ok: true }
    }

    /// Why a request is refused. With a token, the token alone decides. Without one, only programs of this machine
    /// reach the listener, and browsers are among them: a foreign page must not read through them.
    fn refusal(&self, listener: usize, ask: &Ask<'_>) -> Option<(Status, &'static str)> {
        let token = self.listeners.get(listener).and_then(|listening| listening.token.as_ref());
        match (token, ask.bearer) {
            (None, _) if ask.is_host_ours => None,
            (None, _) => Some((Status::Misdirected, "the Host must be an IP address or localhost")),
            (Some(_), _) if ask.what.is_public() => None,
            (Some(token), Some(given)) if *token == Secret::new(given.0.to_vec()) => None,
            (Some(_), _) => Some((Status::Unauthorized, "a token is needed: Authorization: Bearer TOKEN")),
        }
    }
}

impl<S> Engine<S> {
    /// The listeners, with their certificates and tokens: at the start, and after each reload.
    pub fn handle_listeners(&mut self, listeners: Vec<Listening>) {
        if listeners.iter().any(|listening| listening.door == "web") {
            Files::of_page(); // made ready now, so that the turn of the first browser is not a slow one
        }
        self.metrics.listeners = listeners;
        self.note_irc_listeners();
        self.check_certificates();
    }

    /// A reload found everything good; or the configuration or the bans bad, and left the old ones in effect.
    pub fn note_reload(&mut self, is_ok: bool) {
        self.metrics.is_reload_ok = is_ok;
    }

    /// Answers a request, now or when the figures have come.
    pub(super) fn on_ask(&mut self, id: ConnId, ask: &Ask<'_>) {
        let is_broken = self.is_broken();
        let Some(conn) = self.conns.find(id) else { return };
        conn.line_since = NEVER;
        let Door::Metrics(door) = &conn.door else { return };
        if let What::Refused(status, why) = ask.what {
            return self.answer_text(id, status, why);
        }
        if let Some((status, why)) = self.metrics.refusal(door.listener(), ask) {
            return self.answer_text(id, status, why);
        }
        match ask.what {
            What::Refused(status, why) | What::Wrong(status, why) => self.answer_text(id, status, why),
            What::Health if is_broken => self.answer_text(id, Status::Unavailable, "internal errors, see the log"),
            What::Health => self.answer_text(id, Status::Ok, "ok"),
            What::Ready => {
                let (status, text) = self.readiness();
                self.answer_ask(id, &Answer::text(status, &text));
            }
            What::Connections(list) => {
                let json = self.connections_as_json(list);
                self.answer_ask(
                    id,
                    &Answer { status: Status::Ok, media_type: "application/json", body: json.as_bytes() },
                );
            }
            What::Figures => {
                self.begin_answer(id);
                self.metrics.waiting.push_back(id);
            }
        }
    }

    /// True if requests wait for figures that the engine does not know; [`handle_figures`](Self::handle_figures)
    /// follows.
    pub fn wants_figures(&self) -> bool {
        !self.metrics.waiting.is_empty()
    }

    /// Answers the requests that wait for these figures.
    pub fn handle_figures(&mut self, outside: &Outside, process: Option<&Process>) {
        let mut text = None;
        while let Some(id) = self.metrics.waiting.pop_front() {
            if !self.conns.find(id).is_some_and(|conn| matches!(conn.pause, Pause::Answering { .. })) {
                continue; // it has ended meanwhile
            }
            let text = text.get_or_insert_with(|| self.exposition(outside, process));
            let answer = Answer { status: Status::Ok, media_type: EXPOSITION, body: text.as_bytes() };
            self.resume(id);
            self.answer_ask(id, &answer);
        }
    }

    fn answer_text(&mut self, id: ConnId, status: Status, text: &str) {
        self.answer_ask(id, &Answer::text(status, &format!("{text}\n")));
    }

    fn answer_ask(&mut self, id: ConnId, answer: &Answer<'_>) {
        self.counters.count_answer(answer.status);
        self.metrics.exchanges.note_answer(id, self.now);
        let encode = |door: &mut Door, out: &mut Vec<u8>| {
            if let Door::Metrics(door) = door {
                door.encode_answer(answer, out);
            }
        };
        let Some(bytes) = self.push_own(id, encode) else { return };
        self.turn.work += bytes / WORK_BYTES;
        let is_over = |door: &Door| matches!(door, Door::Metrics(door) if door.is_over());
        if self.conns.find(id).is_some_and(|conn| is_over(&conn.door)) {
            self.leave(id);
        }
    }

    /// Whether new connections are taken, and a line for each degraded part.
    fn readiness(&self) -> (Status, String) {
        let refuses = self.degraded().any(|shown| shown.part.refuses_newcomers());
        let is_ready = !refuses && !self.is_ending();
        let mut text = String::from(if is_ready { "ready\n" } else { "not ready\n" });
        if self.is_ending() {
            text.push_str("stopping: the server is shutting down\n");
        }
        for shown in self.degraded() {
            text.push_str(&format!("{shown}\n"));
        }
        (if is_ready { Status::Ok } else { Status::Unavailable }, text)
    }
}
