//! The start and the end of a connection.

use chatd::close::{CloseReason, Note};

use super::dialogue::Dialogue;
use super::intents::counted;
use super::requests::{Request, Unconfirmed, Way};
use super::wording::seconds_in;
use super::{LEAVE_MS, Phase, Session, TERMINATED_MS, describe};
use crate::action::{Action, Now};

/// How many messages are kept until the user decides about them.
const UNCONFIRMED: usize = 100;

/// The consequence of an end.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// Another attempt would have the same result.
    Final,
    /// The user has to answer first.
    NobodyThere,
    /// Try again, but not within this many seconds.
    Later(Option<u64>),
}

/// How a server has failed.
pub(super) struct Failure {
    /// The word for programs.
    pub(super) kind: &'static str,
    /// The sentence for people.
    pub(super) text: String,
    /// Whether the server gave no sign that it would accept the client later.
    pub(super) is_silent: bool,
    /// Whether the user has been told why, if that is news.
    pub(super) is_told: bool,
}

/// Reasons after which no client reconnects by itself: another one has logged in, and the two would replace each other
/// without end; or the operator does not want it there. The operator's words may follow.
fn put_out() -> [CloseReason; 4] {
    let (put_out, banned) = (CloseReason::PutOut(Note::default()), CloseReason::Banned(Note::default()));
    [CloseReason::PasswordChanged, CloseReason::Replaced, put_out, banned]
}

/// The next step where a server may wait for TLS.
const TLS_HINT: &str = "; if it speaks TLS, use --tls";

impl Session {
    pub(super) fn connect(&mut self) {
        let server = self.retry.server();
        // A person sees each attempt, in a line that is rewritten.
        if self.settings.people || self.away.is_unknown(server) {
            let name = self.server_name();
            self.note("connecting", format!("connecting to {name}"));
        }
        self.phase = Phase::Connecting;
        self.actions.push_back(Action::Connect(server));
    }

    /// There is no connection, or not any more.
    pub(super) fn on_disconnected(&mut self, why: &str, now: Now) {
        let server = self.server_name();
        match self.phase {
            Phase::Connecting => {
                let failure =
                    Failure { kind: "unreachable", text: format!("{server}: {why}"), is_silent: true, is_told: false };
                self.try_again(failure, None, now);
            }
            Phase::Leaving { code, .. } => self.finish_unlinked(code),
            Phase::Greeting | Phase::Named | Phase::Login(_) | Phase::Ready { .. } => {
                self.drop_link(now);
                let is_hinted = !matches!(self.phase, Phase::Greeting) || why.contains("--tls");
                let hint = if is_hinted { "" } else { self.tls_hint() };
                let text = format!("the connection to {server} is lost: {why}{hint}");
                self.try_again(Failure { kind: "lost", text, is_silent: true, is_told: false }, None, now);
            }
            Phase::Waiting { .. } | Phase::Away | Phase::Doubt { .. } | Phase::Over => {}
        }
    }

    /// The next step for a server that does not greet: one that speaks TLS waits for the client.
    fn tls_hint(&self) -> &'static str {
        if self.was_in || self.server_name().starts_with("tls://") { "" } else { TLS_HINT }
    }

    /// The server has accepted the connection but has not greeted. It has time left; the user is told meanwhile.
    pub(super) fn tell_silence(&mut self) {
        self.is_silence_told = true;
        let text = format!("{}: no answer yet{}", self.server_name(), self.tls_hint());
        match (self.away.is_told(), self.settings.people) {
            (false, _) => self.trouble("unreachable", text),
            (true, true) => self.note("connecting", text),
            (true, false) => {}
        }
    }

    /// The session gives up this connection.
    pub(super) fn give_up_link(&mut self, why: &str, now: Now) {
        if let Phase::Leaving { code, .. } = self.phase {
            return self.finish(code);
        }
        self.actions.push_back(Action::Disconnect);
        self.on_disconnected(why, now);
    }

    /// The server says why it closes.
    pub(super) fn on_closing(&mut self, reason: &str, now: Now) {
        // A leaving client has done everything.
        if let Phase::Leaving { code, .. } = self.phase {
            return self.finish(code);
        }
        let ending = ending(reason, self.was_in);
        if ending == Ending::Final {
            let hint = if reason == CloseReason::NotTls.to_string() { TLS_HINT } else { "" };
            return self.close(&format!("the server has closed the connection: {reason}{hint}"));
        }
        self.actions.push_back(Action::Disconnect);
        self.drop_link(now);
        let text = format!("the server has closed the connection: {reason}");
        let failure = Failure { kind: "closed", text, is_silent: false, is_told: false };
        match ending {
            Ending::NobodyThere if self.keys.is_asking() => {
                self.trouble(failure.kind, failure.text);
                self.phase = Phase::Away;
            }
            Ending::NobodyThere | Ending::Final => self.try_again(failure, None, now),
            Ending::Later(seconds) => self.try_again(failure, seconds, now),
        }
    }

    /// The session is over, for a reason that another attempt would not change.
    pub(super) fn close(&mut self, reason: &str) {
        self.trouble("closed", reason.to_owned());
        self.finish(1);
    }

    /// Ends, after naming the messages that were never confirmed, which make it a failure.
    pub(super) fn finish(&mut self, code: u8) {
        if self.is_linked() || matches!(self.phase, Phase::Connecting) {
            self.actions.push_back(Action::Disconnect);
        }
        self.drop_resume();
        self.keep_unanswered();
        self.keep_all_seen();
        self.name_unsaid(code);
        let mut has_failed = self.has_failed || !self.unconfirmed.is_empty();
        for unconfirmed in std::mem::take(&mut self.unconfirmed) {
            let (kind, text) = unconfirmed.describe();
            self.trouble(kind, text);
        }
        // They are counted, not shown: a room password may be among them.
        let waiting = std::mem::take(&mut self.talk.pending).iter().filter(|entered| !entered.is_blank()).count();
        let waiting = waiting + self.talk.dialogue.lines();
        if waiting > 0 {
            self.trouble("unsent", format!("not carried out: {}", counted(waiting, "line")));
            has_failed = true;
        }
        self.leave(if has_failed { code.max(1) } else { code });
    }

    /// Says goodbye, and ends with this code when the server has answered.
    pub(super) fn say_goodbye(&mut self, within_ms: u64, code: u8, now: Now) {
        self.request(Request::Exit, &["EX"], now);
        self.phase = Phase::Leaving { until: now.monotonic_ms.saturating_add(within_ms), step_ms: None, code };
    }

    /// An answer has arrived. If the server owes further answers before it says goodbye, it gets time for them.
    pub(super) fn give_time(&mut self, now: Now) {
        let is_last = self.requests.len() <= 1;
        if let Phase::Leaving { until, step_ms: Some(step_ms), .. } = &mut self.phase {
            let step_ms = if is_last { LEAVE_MS } else { *step_ms };
            *until = now.monotonic_ms.saturating_add(step_ms);
        }
    }

    /// The user leaves.
    pub(super) fn quit(&mut self, now: Now) {
        if !self.is_ready() {
            return self.finish(0);
        }
        // A server may answer slowly on purpose. A script waits as long as usual, but a person wants to leave.
        let step_ms =
            if self.settings.people || self.requests.is_empty() { LEAVE_MS } else { self.requests.patience_ms() };
        self.say_goodbye(step_ms, 0, now);
        if let Phase::Leaving { step_ms: step, .. } = &mut self.phase {
            *step = Some(step_ms);
        }
    }

    pub(super) fn on_end(&mut self) {
        if matches!(self.phase, Phase::Doubt { .. }) {
            return self.on_trust_answer(None);
        }
        if self.ends_collecting() {
            return;
        }
        if let Dialogue::Erase(_) = self.talk.dialogue
            && self.settings.people
        {
            self.talk.dialogue = Dialogue::Open;
            self.talk.forget_ask();
            return self.cancel_erase();
        }
        if let Dialogue::Paste(paste) = &self.talk.dialogue {
            // Ctrl-C cancels this question. If the input has ended, it reports that again.
            let is_edited = paste.is_edited;
            self.talk.dialogue = Dialogue::Open;
            self.talk.forget_ask();
            return self.cancel_paste(is_edited);
        }
        if self.settings.listens {
            return; // it is not read
        }
        self.talk.has_ended = true;
        if self.settings.once.is_some() {
            return; // no input would be read
        }
        // A script may have sent its last line before the login is done, but a person who ends the input wants to
        // leave.
        let waits = !self.settings.people && (!self.was_in || !self.talk.pending.is_empty());
        if !self.is_ready() && !waits && !matches!(self.phase, Phase::Leaving { .. }) {
            self.finish(0);
        }
    }

    pub(super) fn on_unheard(&mut self, now: Now) {
        // A leaving client already waits for confirmations.
        if !matches!(self.phase, Phase::Leaving { .. }) {
            self.quit(now);
        }
    }

    pub(super) fn on_terminated(&mut self, now: Now) {
        if let Phase::Leaving { code, .. } = self.phase {
            return self.finish(code);
        }
        let code = u8::from(self.settings.once.is_some());
        if self.is_ready() { self.say_goodbye(TERMINATED_MS, code, now) } else { self.finish(code) }
    }

    /// Keeps a message that the server has not confirmed.
    pub(super) fn keep(&mut self, unconfirmed: Unconfirmed) {
        if self.unconfirmed.len() < UNCONFIRMED {
            self.unconfirmed.push_back(unconfirmed);
        } else {
            let (kind, text) = unconfirmed.describe();
            self.refuse(kind, format!("too many such are kept, so this one is not: {text}"));
        }
    }

    /// Tells the user what was not confirmed, and what to do about it.
    pub(super) fn offer(&mut self) {
        if self.unconfirmed.is_empty() {
            return;
        }
        for (kind, text) in self.unconfirmed.iter().map(Unconfirmed::describe).collect::<Vec<_>>() {
            self.trouble(kind, text);
        }
        let text = if self.unconfirmed.iter().any(|unconfirmed| unconfirmed.was_sent) {
            "what is not confirmed may or may not have arrived: /resend sends all of this (again), /forget drops it"
        } else {
            "/resend sends it, /forget drops it"
        };
        self.note("resend-or-forget", text.to_owned());
    }

    pub(super) fn server_name(&self) -> String {
        self.settings.servers.get(self.retry.server()).cloned().unwrap_or_default()
    }

    /// The connection is over: open requests will not be answered.
    fn drop_link(&mut self, now: Now) {
        if let Some(bad) = self.frames.end() {
            self.trouble("bad-line", describe(&bad));
        }
        if let Phase::Ready { since } = self.phase {
            self.retry.lasted(now.monotonic_ms.saturating_sub(since));
            self.lost_at = Some(now.unix_ms);
        }
        self.token_due_ms = None;
        self.drop_resume();
        self.keep_unanswered();
        self.drop_change();
    }

    /// Keeps messages without an answer. Whether any other request was executed is unknown.
    fn keep_unanswered(&mut self) {
        while let Some((request, line)) = self.requests.pop_front() {
            match request {
                Request::Say(words) => self.keep(Unconfirmed { words, was_sent: true, is_told: false }),
                Request::Refused { words, .. } => {
                    self.keep(Unconfirmed { words, was_sent: false, is_told: false });
                }
                Request::Enter { way: Way::Wanted | Way::Made, .. } => {
                    self.go_astray();
                    self.lose_line(line);
                }
                Request::People(ask) if !ask.is_typed() => {}
                Request::List { .. }
                | Request::People(_)
                | Request::Enter { .. }
                | Request::Leave(_)
                | Request::Close(_)
                | Request::Kick { .. }
                | Request::Page { .. }
                | Request::Unread
                | Request::Change { .. }
                | Request::Find(_)
                | Request::Passwd => self.lose_line(line),
                Request::Open
                | Request::Noop
                | Request::Token
                | Request::Resume
                | Request::Read
                | Request::Cancel
                | Request::Exit => {}
            }
        }
    }

    /// Names the text of `--once` if it was not sent, and nothing else names it.
    fn name_unsaid(&mut self, code: u8) {
        if code == 0 || !self.unconfirmed.is_empty() {
            return;
        }
        self.begin_once();
        if !self.script.is_named() {
            self.fail_line(None);
        }
        self.end_line();
    }

    /// Reports how a server has failed, unless that is known, and plans the next connection. The server asked to wait
    /// for `wants_s`.
    pub(super) fn try_again(&mut self, failure: Failure, wants_s: Option<u64>, now: Now) {
        let Failure { kind, text, is_silent, is_told } = failure;
        let failed = self.retry.server();
        let is_news = !is_told && self.away.note(failed, &text);
        // A person is told with the next attempt, in a line that is rewritten.
        let is_joined = self.settings.people && self.away.is_told();
        let until = self.retry.fail(wants_s, now.monotonic_ms);
        let is_once = self.settings.once.is_some();
        let is_vain = self.retry.has_tried_all() && (is_once || (is_silent && !self.was_in));
        let is_too_late = is_once && !self.unconfirmed.is_empty();
        // A script that has sent everything waited only for the last answer.
        let is_over = is_vain || is_too_late || (self.was_in && self.talk.is_over());
        if !is_told && (is_over || (is_news && !is_joined)) {
            self.trouble(kind, text.clone());
        }
        if is_over {
            return self.finish_unlinked(1);
        }
        self.tell_of_lost();
        if until <= now.monotonic_ms {
            return self.connect();
        }
        let seconds = until.saturating_sub(now.monotonic_ms).div_ceil(1000);
        let is_same = self.retry.server() == failed;
        let next = format!("trying {} in {seconds} s", self.server_name());
        match (self.settings.people, self.away.is_told()) {
            (true, true) if is_same => self.note("retry", format!("trying again in {seconds} s ({text})")),
            (true, true) => self.note("retry", format!("{next} ({text})")),
            (true, false) => self.note("retry", next),
            (false, true) => {}
            (false, false) => self.note("retry", format!("{next}, and then until a server answers")),
        }
        self.away.tell();
        self.phase = Phase::Waiting { until };
    }

    fn finish_unlinked(&mut self, code: u8) {
        self.phase = Phase::Away; // so there is nothing to disconnect
        self.finish(code);
    }
}

/// What the server's reason for closing means for a user who `was_in` during this run.
fn ending(reason: &str, was_in: bool) -> Ending {
    let is = |known: CloseReason| reason == known.to_string();
    // After a lost login, the limit may include broken connections that the server takes for alive, for about two
    // minutes.
    let is_full = !was_in && reason.starts_with("logged in ") && reason.ends_with(" times already");
    let is_put_out = |known: CloseReason| {
        let words = reason.strip_prefix(known.name());
        words.is_some_and(|words| words.is_empty() || words.starts_with(": "))
    };
    let is_foreign = is(CloseReason::NotAChatClient) || is(CloseReason::ProxyHeader) || is(CloseReason::NotTls);
    if is_full || is_foreign || put_out().into_iter().any(is_put_out) || is(CloseReason::TooManyFailures) {
        Ending::Final
    } else if is(CloseReason::LoginTooLong) {
        Ending::NobodyThere
    } else {
        Ending::Later(seconds_in(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: &str, expected: &Ending) {
        for was_in in [false, true] {
            assert_eq!(ending(reason, was_in), *expected, "{reason}");
        }
    }

    #[test]
    fn endings() {
        check(&CloseReason::TooManyFailures.to_string(), &Ending::Final);
        check(&CloseReason::NotAChatClient.to_string(), &Ending::Final);
        check(&CloseReason::ProxyHeader.to_string(), &Ending::Final);
        for reason in put_out()
            .into_iter()
            .chain([CloseReason::PutOut(Note::new("be nice")), CloseReason::Banned(Note::new("x"))])
        {
            check(&reason.to_string(), &Ending::Final);
        }
        check("banned for an hour, retry in 3600 s", &Ending::Later(Some(3_600)));
        check(&CloseReason::LoginTooLong.to_string(), &Ending::NobodyThere);
        check(&CloseReason::ShuttingDown(7).to_string(), &Ending::Later(Some(7)));
        check(&CloseReason::ServerFull.to_string(), &Ending::Later(None));
        check(&CloseReason::TooSlow.to_string(), &Ending::Later(None));
        check("something new, retry in 3 s", &Ending::Later(Some(3)));
        check("", &Ending::Later(None));
        check(&CloseReason::NotTls.to_string(), &Ending::Final);
    }

    #[test]
    fn too_many_logins_are_final_at_the_first_alone() {
        let reason = CloseReason::LoggedInAlready(4).to_string();
        assert_eq!(ending(&reason, false), Ending::Final);
        assert_eq!(ending(&reason, true), Ending::Later(None));
    }
}
