//! A server that is not proven: a person may accept its key, and nothing has been sent to it before.

use super::link::Failure;
use super::{Phase, Session};
use crate::action::{Action, Doubt, Now};
use crate::command::{self, Answer};
use crate::fingerprint::Fingerprint;

/// The question, at the prompt.
const QUESTION: &str = "trust this key from now on? [y/N] ";
/// How the operator of a server tells its fingerprint.
const COMPARE: &str = "`chatd cert show` on the server prints its key";

impl Session {
    /// The server that the client has connected to could not be proven, and the connection is closed.
    pub(super) fn on_unproven(&mut self, doubt: Doubt, now: Now) {
        if !matches!(self.phase, Phase::Connecting) {
            return;
        }
        let server = self.server_name();
        match doubt {
            Doubt::Unknown { key, why } if self.can_ask_for_trust() => {
                self.actions.push_back(Action::DropTyped);
                let text = format!("{server} is not proven: {why}; {COMPARE}, and this one has {key}");
                self.trouble("unproven", text);
                self.ask_for_trust(key);
            }
            Doubt::Unknown { key, why } => {
                let next = if self.settings.asks_trust {
                    "leave, and start chatclient again to be asked whether you trust it".to_owned()
                } else {
                    format!("{COMPARE}; if it is this one: --pin {key}")
                };
                self.doubt(format!("{server} is not proven: {why}; it has the key {key}; {next}"), now);
            }
            Doubt::Changed { key, known, place } => {
                let text = format!(
                    "{server} is not the server that you trusted: its key was {known} and is {key} now; somebody may \
                     be in between, or it has a new key: ask its operator, and only then: chatclient --forget {place}"
                );
                self.doubt(text, now);
            }
            Doubt::NotPinned { key } => {
                let text = format!("{server} has none of the keys of --pin: it has {key}; {COMPARE}");
                self.doubt(text, now);
            }
        }
    }

    /// The answer to the question: only yes is yes.
    pub(super) fn on_trust_answer(&mut self, answer: Option<&str>) {
        let Phase::Doubt { key } = &self.phase else { return };
        let key = key.clone();
        self.talk.forget_ask();
        if answer.and_then(command::answer) == Some(Answer::Each) {
            self.actions.push_back(Action::TrustKey(self.retry.server(), key));
            return self.connect();
        }
        self.phase = Phase::Away; // there is no connection
        self.close("the server is not trusted, and nothing was sent to it");
    }

    /// The question, while it is open.
    pub(super) fn trust_question(&self) -> Option<&'static str> {
        matches!(self.phase, Phase::Doubt { .. }).then_some(QUESTION)
    }

    /// Whether a person can answer now: not in the middle of a line or a password.
    fn can_ask_for_trust(&self) -> bool {
        self.settings.asks_trust && !self.was_in && !self.talk.is_asked() && !self.keys.is_asking()
    }

    fn ask_for_trust(&mut self, key: Fingerprint) {
        self.phase = Phase::Doubt { key };
        if !self.settings.people {
            // Without an editor there is no prompt.
            self.note("trust", format!("{}type y or n", QUESTION.trim_end_matches("[y/N] ")));
        }
        self.ask_at_prompt(QUESTION);
    }

    /// The server counts as failed. Nobody overlooks why: the text is never only a part of a row that is rewritten.
    fn doubt(&mut self, text: String, now: Now) {
        if self.away.note(self.retry.server(), &text) {
            self.trouble("unproven", text);
        }
        let text = format!("{} is not proven", self.server_name());
        self.try_again(Failure { kind: "unproven", text, is_silent: true, is_told: true }, None, now);
    }
}
