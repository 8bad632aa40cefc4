//! How a connection begins and ends, and what follows.

use super::requests::{Request, Unconfirmed};
use super::{ANSWER_MS, LEAVE_MS, Phase, Session, TERMINATED_MS, describe};
use crate::client::action::{Action, Now};
use crate::close::CloseReason;

/// Messages that are kept until the user says what is to become of them.
const UNCONFIRMED: usize = 100;

/// What an end means.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// Trying again would bring the same.
    Final,
    /// The user has to answer first.
    NobodyThere,
    /// Try again, but not within so many seconds.
    Later(Option<u64>),
}

impl Session {
    pub(super) fn connect(&mut self) {
        let server = self.retry.server();
        let name = self.server_name();
        self.note("connecting", format!("connecting to {name}"));
        self.phase = Phase::Connecting;
        self.actions.push_back(Action::Connect(server));
    }

    /// The shell says that there is no connection (any more).
    pub(super) fn on_disconnected(&mut self, why: &str, now: Now) {
        let server = self.server_name();
        match self.phase {
            Phase::Connecting => {
                self.trouble("unreachable", format!("{server}: {why}"));
                self.try_again(None, true, now);
            }
            Phase::Leaving { code, .. } => self.finish_unlinked(code),
            Phase::Greeting | Phase::Named | Phase::Login(_) | Phase::Ready { .. } => {
                self.drop_link(now);
                self.trouble("lost", format!("the connection to {server} is lost: {why}"));
                self.try_again(None, true, now);
            }
            Phase::Waiting { .. } | Phase::Away | Phase::Over => {}
        }
    }

    /// The session has had enough of this connection.
    pub(super) fn give_up_link(&mut self, why: &str, now: Now) {
        if let Phase::Leaving { code, .. } = self.phase {
            return self.finish(code);
        }
        self.actions.push_back(Action::Disconnect);
        self.on_disconnected(why, now);
    }

    /// The server says why it closes.
    pub(super) fn on_closing(&mut self, reason: &str, now: Now) {
        // Who is leaving has done what was to be done.
        if let Phase::Leaving { code, .. } = self.phase {
            return self.finish(code);
        }
        let ending = ending(reason, self.was_in);
        if ending == Ending::Final {
            return self.close(&format!("the server has closed the connection: {reason}"));
        }
        self.actions.push_back(Action::Disconnect);
        self.drop_link(now);
        self.trouble("closed", format!("the server has closed the connection: {reason}"));
        match ending {
            Ending::NobodyThere if self.keys.is_asking() => self.phase = Phase::Away,
            Ending::NobodyThere | Ending::Final => self.try_again(None, false, now),
            Ending::Later(seconds) => self.try_again(seconds, false, now),
        }
    }

    /// It is over, for a reason that another try would not change.
    pub(super) fn close(&mut self, reason: &str) {
        self.trouble("closed", reason.to_owned());
        self.finish(1);
    }

    /// Ends, after the user has been told what was never confirmed; that makes it a failure.
    pub(super) fn finish(&mut self, code: u8) {
        if self.is_linked() || matches!(self.phase, Phase::Connecting) {
            self.actions.push_back(Action::Disconnect);
        }
        self.keep_unanswered();
        let mut has_failed = self.has_failed || !self.unconfirmed.is_empty();
        for unconfirmed in std::mem::take(&mut self.unconfirmed) {
            let (kind, text) = unconfirmed.describe();
            self.trouble(kind, text);
        }
        // They are counted, not shown: the password of a room may be among them.
        let waiting = std::mem::take(&mut self.talk.pending).iter().filter(|(line, _)| !line.trim().is_empty()).count();
        if waiting > 0 {
            self.trouble("unsent", format!("not carried out: {waiting} lines"));
            has_failed = true;
        }
        self.leave(if has_failed { code.max(1) } else { code });
    }

    /// Says goodbye, and ends with this code when the server has said it too.
    pub(super) fn say_goodbye(&mut self, within_ms: u64, code: u8, now: Now) {
        self.request(Request::Exit, &["EX"], now);
        self.phase = Phase::Leaving { until: now.monotonic_ms.saturating_add(within_ms), step_ms: None, code };
    }

    /// An answer has come: if the server has still others to give before it says goodbye, it gets the time for that.
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
        // A server may answer slowly on purpose. A script waits for as long as it always does, a person wants to be
        // gone.
        let step_ms = if self.settings.people || self.requests.is_empty() { LEAVE_MS } else { ANSWER_MS };
        self.say_goodbye(step_ms, 0, now);
        if let Phase::Leaving { step_ms: step, .. } = &mut self.phase {
            *step = Some(step_ms);
        }
    }

    pub(super) fn on_end(&mut self) {
        self.talk.has_ended = true;
        if self.settings.once.is_some() {
            return; // there is nothing that would be read
        }
        // A script may have said all it has to say before the login is done; a person who ends wants to be gone.
        let waits = !self.settings.people && (!self.was_in || !self.talk.pending.is_empty());
        if !self.is_ready() && !waits && !matches!(self.phase, Phase::Leaving { .. }) {
            self.finish(0);
        }
    }

    pub(super) fn on_unheard(&mut self, now: Now) {
        // Who is leaving already waits for what may still be confirmed.
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

    /// A message of which the server has not said that it has it.
    pub(super) fn keep(&mut self, unconfirmed: Unconfirmed) {
        if self.unconfirmed.len() < UNCONFIRMED {
            self.unconfirmed.push_back(unconfirmed);
        } else {
            let (kind, text) = unconfirmed.describe();
            self.refuse(kind, format!("too many such are kept, so this one is not: {text}"));
        }
    }

    /// Tells the user what was not confirmed, and what can be done.
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

    fn server_name(&self) -> String {
        self.settings.servers.get(self.retry.server()).cloned().unwrap_or_default()
    }

    /// The connection is over: nothing that was under way will be answered.
    fn drop_link(&mut self, now: Now) {
        if let Some(bad) = self.frames.end() {
            self.trouble("bad-line", describe(&bad));
        }
        if let Phase::Ready { since } = self.phase {
            self.retry.lasted(now.monotonic_ms.saturating_sub(since));
            self.lost_at = Some(now.unix_ms);
        }
        self.token_due_ms = None;
        self.keep_unanswered();
        self.drop_change();
    }

    /// What was said and not answered is kept.
    fn keep_unanswered(&mut self) {
        for request in std::mem::take(&mut self.requests) {
            if let Request::Say(words) = request {
                self.keep(Unconfirmed { words, was_sent: true });
            }
        }
    }

    /// Plans the next connection. `is_silent`: the server has not said that it would have us later.
    fn try_again(&mut self, wants_s: Option<u64>, is_silent: bool, now: Now) {
        let until = self.retry.fail(wants_s, now.monotonic_ms);
        let is_once = self.settings.once.is_some();
        let is_vain = self.retry.has_tried_all() && (is_once || (is_silent && !self.was_in));
        let is_too_late = is_once && !self.unconfirmed.is_empty();
        // A script that has said all waited only for the last answer.
        if is_vain || is_too_late || (self.was_in && self.talk.is_over()) {
            return self.finish_unlinked(1);
        }
        if until <= now.monotonic_ms {
            return self.connect();
        }
        let seconds = until.saturating_sub(now.monotonic_ms).div_ceil(1000);
        let name = self.server_name();
        self.note("retry", format!("trying {name} in {seconds} s"));
        self.phase = Phase::Waiting { until };
    }

    fn finish_unlinked(&mut self, code: u8) {
        self.phase = Phase::Away; // so there is nothing to disconnect
        self.finish(code);
    }
}

/// What the server's reason for closing means to a user who `was_in` during this run.
fn ending(reason: &str, was_in: bool) -> Ending {
    let is = |known: CloseReason| reason == known.to_string();
    // Who was in may be counted by connections that broke and that the server takes for alive, for some two minutes.
    let is_full = !was_in && reason.starts_with("logged in ") && reason.ends_with(" times already");
    let is_foreign = is(CloseReason::NotAChatClient) || is(CloseReason::ProxyHeader);
    if is_full || is_foreign || is(CloseReason::TooManyFailures) {
        Ending::Final
    } else if is(CloseReason::LoginTooLong) {
        Ending::NobodyThere
    } else {
        Ending::Later(seconds_in(reason))
    }
}

/// The number in `… in N s`.
pub(super) fn seconds_in(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split([' ', ',', ';']).collect();
    words.windows(3).find_map(|window| match window {
        ["in", number, "s"] => number.parse().ok(),
        _ => None,
    })
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
        check(&CloseReason::LoginTooLong.to_string(), &Ending::NobodyThere);
        check(&CloseReason::ShuttingDown(7).to_string(), &Ending::Later(Some(7)));
        check(&CloseReason::ServerFull.to_string(), &Ending::Later(None));
        check(&CloseReason::TooSlow.to_string(), &Ending::Later(None));
        check("something new, retry in 3 s", &Ending::Later(Some(3)));
        check("", &Ending::Later(None));
    }

    #[test]
    fn too_many_logins_are_final_at_the_first_alone() {
        let reason = CloseReason::LoggedInAlready(4).to_string();
        assert_eq!(ending(&reason, false), Ending::Final);
        assert_eq!(ending(&reason, true), Ending::Later(None));
    }

    #[test]
    fn seconds() {
        for (text, expected) in [
            ("busy, try again in 2 s", Some(2)),
            ("retry in x s", None),
            ("in 99999999999999999999 s", None),
            ("in 5", None),
            ("retry in 7 s; or not", Some(7)),
        ] {
            assert_eq!(seconds_in(text), expected, "{text}");
        }
    }
}
