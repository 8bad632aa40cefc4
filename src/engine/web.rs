//! The web door in the engine: who may fetch what, and who may begin a conversation.
//!
//! ```text
//! request ─▶ whose is it ─▶ how many came ─▶ Host ─▶ Origin ─▶ a file, or the judgement of a new connection ─▶ greeting
//! ```

use super::accept::Refusal;
use super::addresses::Charge;
use super::id::ConnId;
use super::life::{End, Standing};
use super::origin::Origin;
use super::pages::Piece;
use super::stage::Arrival;
use super::time::NEVER;
use super::{Engine, Settings};
use crate::close::CloseReason;
use crate::door::Door;
use crate::door::http::{Host, Status};
use crate::door::web::files::{File, Files};
use crate::door::web::{Fetch, Fetched, Forwarded, Upgrade, WebDoor, What, frame, status_of};
use crate::limits::WORK_BYTES;
use crate::own_names::is_host;

/// The answer to a request that gets nothing.
type Wrong = (Status, &'static str);

const UNKNOWN_HOST: &str =
    "this server does not know the name in the address bar; its operator can list it in web.names";
const FOREIGN: &str = "a page of another site has sent this request";
const TOO_MANY: &str = "too many requests from your address";

impl<S> Engine<S> {
    /// Takes a request of a browser.
    pub(super) fn on_fetch(&mut self, id: ConnId, fetch: &Fetch<'_>) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        (conn.line_since, conn.heard_at) = (NEVER, now);
        let was = conn.standing;
        conn.standing = was.heard();
        self.gate.count_heard(was);
        match self.judge_fetch(id, fetch) {
            Err((status, why)) => self.answer_text_to(id, status, why),
            Ok(client) => self.answer_fetch(id, client, fetch),
        }
    }

    /// Whose request it is.
    ///
    /// # Errors
    /// Why it gets nothing.
    fn judge_fetch(&mut self, id: ConnId, fetch: &Fetch<'_>) -> Result<Origin, Wrong> {
        let client = self.client_of(id, fetch).map_err(|why| (Status::BadRequest, why))?;
        if !self.gate.addresses.request(client, self.now, &self.settings.limits) {
            return Err((Status::TooManyRequests, TOO_MANY));
        }
        if let What::Refused(status, why) = fetch.what {
            return Err((status, why));
        }
        if !self.is_ours(id, fetch.host) {
            return Err((Status::Misdirected, UNKNOWN_HOST));
        }
        if fetch.is_from_here { Ok(client) } else { Err((Status::Forbidden, FOREIGN)) }
    }

    /// The client that has sent a request. A proxy that has sent no PROXY header names it in each.
    fn client_of(&self, id: ConnId, fetch: &Fetch<'_>) -> Result<Origin, &'static str> {
        let Some(conn) = self.conns.peek(id) else { return Ok(Origin::Unix) };
        if conn.standing != Standing::Uncounted || matches!(fetch.what, What::Refused(..)) {
            return Ok(conn.origin);
        }
        match (&fetch.forwarded, conn.origin) {
            (Forwarded::Missing, Origin::Unix) => Ok(Origin::Unix),
            (forwarded, _) => forwarded.client(|ip| self.is_proxy(Origin::Address(ip))).map(Origin::learnt),
        }
    }

    /// True if this is a name of the server, which no page of another site can be at.
    fn is_ours(&self, id: ConnId, host: Host<'_>) -> bool {
        let Host::Name(name) = host else { return true };
        let Settings { web, .. } = &self.settings;
        let door = self.conns.peek(id).and_then(|conn| conn.door.as_web());
        let listening = door.and_then(WebDoor::listener).and_then(|number| self.metrics.listeners.get(number));
        let certified = listening.map(|listening| listening.names.as_slice()).unwrap_or_default();
        !name.is_empty() && web.names.iter().chain(certified).any(|known| is_host(known, name))
    }

    fn answer_fetch(&mut self, id: ConnId, client: Origin, fetch: &Fetch<'_>) {
        match &fetch.what {
            What::Page { is_known: true } => self.answer_with(id, &Fetched::NotModified, None),
            What::Page { is_known: false } => {
                self.answer_with(id, &Fetched::Page { authority: fetch.authority }, Some(&Files::of_page().index));
            }
            What::File(file) => self.answer_with(id, &Fetched::File(file), Some(file)),
            What::Upgrade(upgrade) => self.upgrade(id, client, upgrade),
            What::Wrong(status, why) | What::Refused(status, why) => self.answer_text_to(id, *status, why),
        }
    }

    fn answer_text_to(&mut self, id: ConnId, status: Status, why: &str) {
        self.answer_with(id, &Fetched::Text(status, &format!("{why}\n")), None);
    }

    /// Sends an answer, and the file behind its head.
    fn answer_with(&mut self, id: ConnId, answer: &Fetched<'_>, file: Option<&File>) {
        self.counters.count_answer(answer.status());
        let encode = |door: &mut Door, out: &mut Vec<u8>| {
            if let Door::Web(door) = door {
                door.encode_answer(answer, out);
            }
        };
        let Some(mut bytes) = self.push_own(id, encode) else { return };
        let Some(conn) = self.conns.find(id) else { return };
        conn.door.note_time(self.now);
        let Some(door) = conn.door.as_web() else { return };
        let is_over = door.is_over();
        if let Some(file) = file.filter(|file| door.has_body() && !file.at.is_empty()) {
            conn.outbox.push_shared(Piece::of_file(&file.at), &mut self.pages);
            bytes += file.at.len();
        }
        self.turn.work += bytes / WORK_BYTES;
        self.touched.push(id);
        if is_over {
            self.leave(id);
        }
    }

    /// Begins a conversation: from now on the connection is one like those of the line door, that has just arrived.
    fn upgrade(&mut self, id: ConnId, client: Origin, upgrade: &Upgrade) {
        match self.judge_upgrade(id, client) {
            Ok(standing) => {
                self.gate.count_silent(standing);
                let Some(conn) = self.conns.find(id) else { return };
                (conn.origin, conn.standing) = (client, standing);
                (conn.since, conn.heard_at, conn.login_lines) = (self.now, self.now, 0);
                self.answer_with(id, &Fetched::Upgraded(upgrade), None);
                self.greet(id);
            }
            Err(refusal) => {
                let reason = self.note_refusal(client, &refusal);
                self.answer_text_to(id, status_of(&reason), &reason.to_string());
            }
        }
    }

    /// Judges a connection anew whose address is known. Until now it has counted as open, if at all.
    fn judge_upgrade(&mut self, id: ConnId, client: Origin) -> Result<Standing, Refusal> {
        if self.is_ending() {
            return Err(Refusal::STOPPING);
        }
        let was = self.conns.peek(id).map(|conn| conn.standing);
        let charge = if was == Some(Standing::Uncounted) { Charge::OpenAndNew } else { Charge::New };
        self.judge_address(client, Arrival { charge, asks_for_passwords: true })
    }

    /// A deadline of the web door has come.
    pub(super) fn on_web_due(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        if !conn.door.is_fetching() {
            conn.door.note_time(self.now);
            if conn.owed() == 0 {
                self.push_own(id, |_, out| frame::encode_ping(out));
            }
        } else if conn.owed() > 0 {
            self.schedule_close(id, End::Closed(CloseReason::TooSlow));
        } else {
            self.leave(id);
        }
    }
}
