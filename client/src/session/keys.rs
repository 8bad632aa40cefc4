//! Secrets that the user is asked for, and the dialogue that changes the password.

use chatd::limits::PASSWORD_MAX_BYTES;

use super::requests::Request;
use super::wording::{in_our_words, statement};
use super::{Phase, Session};
use crate::action::{Action, Now, Secret, Wanted};

/// After this many answers that could not be sent, or did not match, the user is not asked again.
const TRIES: u32 = 5;

/// The secrets that the user is asked for.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Asked for, and not answered.
    pub(super) wanted: Option<Wanted>,
    /// To be asked for as soon as the user has finished the current line.
    pub(super) deferred: Option<Wanted>,
    /// Entered while no server could take it.
    pub(super) ready: Option<(Wanted, Secret)>,
    change: Option<Change>,
}

/// The state of a password change.
#[derive(Debug)]
enum Change {
    /// The user is asked for the old or the new one.
    Asked { is_new: bool, tries: u32 },
    /// … and for the new one again.
    Again { first: Secret, tries: u32 },
    /// The server has it, and its answer says what is next.
    Sent { is_new: bool, tries: u32 },
}

impl Keys {
    /// Whether a password change is in progress.
    pub(super) fn is_changing(&self) -> bool {
        self.change.is_some()
    }

    /// Whether the user is asked for a secret, or will be.
    pub(super) fn is_asking(&self) -> bool {
        self.wanted.is_some() || self.deferred.is_some()
    }
}

/// The status that says that a password is due while a line is being read.
pub const PASSWORD_NEEDED: &str = "password-needed";

impl Session {
    /// Asks the user for a secret, unless that is in progress.
    pub(super) fn want(&mut self, wanted: Wanted) {
        if self.keys.wanted.is_some() {
            return; // the rest is handled then
        }
        if self.talk.is_asked() && self.settings.people {
            // A line is being typed. Half of it must not become half a password.
            if self.keys.deferred.is_none() {
                let text = "your password is needed: press Enter first; what stands in the line is not sent";
                self.trouble(PASSWORD_NEEDED, text.to_owned());
            }
            self.keys.deferred = Some(wanted);
            return;
        }
        self.keys.deferred = None;
        self.keys.wanted = Some(wanted);
        self.actions.push_back(Action::AskSecret(wanted));
    }

    pub(super) fn on_secret(&mut self, secret: Option<Secret>, now: Now) {
        let Some(wanted) = self.keys.wanted.take() else { return };
        if self.keys.is_changing() {
            return self.on_change_secret(secret, now);
        }
        let Some(secret) = secret else {
            self.trouble("closed", "not logged in: there is no password".to_owned());
            return self.finish(1);
        };
        match self.phase {
            Phase::Login(_) => self.on_login_secret(wanted, secret, now),
            Phase::Away => {
                self.keys.ready = Some((wanted, secret));
                self.connect();
            }
            Phase::Connecting | Phase::Greeting | Phase::Named | Phase::Waiting { .. } => {
                self.keys.ready = Some((wanted, secret));
            }
            Phase::Doubt { .. } | Phase::Ready { .. } | Phase::Leaving { .. } | Phase::Over => {}
        }
    }

    /// `/passwd`.
    pub(super) fn change_password(&mut self, now: Now) {
        self.keys.change = Some(Change::Sent { is_new: false, tries: 0 });
        self.request(Request::Passwd, &["PASSWD"], now);
    }

    /// The server's reply to a step of the change.
    pub(super) fn on_change_reply(&mut self, code: u16, text: String, now: Now) {
        let Some(Change::Sent { is_new, tries }) = self.keys.change.take() else { return };
        match code {
            331 => self.ask_change(false, 1),
            332 => self.ask_change(true, 1),
            // The prompt stays open.
            500 | 501 => {
                self.trouble("password", statement(&text).to_owned());
                if is_hopeless(tries) { self.cancel_change(now) } else { self.ask_change(is_new, tries + 1) }
            }
            200 => {
                self.note("password", text);
                // The stored token is void now.
                self.request(Request::Token, &["TOKEN"], now);
            }
            _ => {
                self.trouble("password", in_our_words(&text));
                self.fail_change();
            }
        }
    }

    /// The connection is lost, and the change with it.
    pub(super) fn drop_change(&mut self) {
        if self.keys.change.take().is_some() {
            let text = "changing your password was interrupted; it may be the old or the new one now";
            self.trouble("password", text.to_owned());
            self.fail_change();
        }
    }

    fn ask_change(&mut self, is_new: bool, tries: u32) {
        self.keys.change = Some(Change::Asked { is_new, tries });
        self.want(if is_new { Wanted::NextPassword(tries) } else { Wanted::OldPassword(tries) });
    }

    fn on_change_secret(&mut self, secret: Option<Secret>, now: Now) {
        // An empty line cancels, as in every dialogue.
        let secret = secret.filter(|secret| !secret.0.is_empty());
        let (Some(change), Some(secret)) = (self.keys.change.take(), secret) else {
            return self.cancel_change(now);
        };
        match change {
            Change::Asked { is_new, tries } => match problem(&secret) {
                Some(_) if is_hopeless(tries) => self.cancel_change(now),
                Some(problem) => {
                    self.trouble("password", problem);
                    self.ask_change(is_new, tries + 1);
                }
                // If a person edits lines, the source of the login password does not answer for a new one.
                None if is_new && (self.settings.people || self.settings.asks_person) => {
                    self.keys.change = Some(Change::Again { first: secret, tries });
                    self.want(Wanted::NewPasswordAgain);
                }
                None => self.send_change(&secret, is_new, tries, now),
            },
            Change::Again { first, tries } if first == secret => self.send_change(&secret, true, tries, now),
            Change::Again { tries, .. } if is_hopeless(tries) => self.cancel_change(now),
            Change::Again { tries, .. } => {
                self.trouble("password", "these two differ".to_owned());
                self.ask_change(true, tries + 1);
            }
            sent @ Change::Sent { .. } => self.keys.change = Some(sent),
        }
    }

    fn send_change(&mut self, secret: &Secret, is_new: bool, tries: u32, now: Now) {
        self.keys.change = Some(Change::Sent { is_new, tries });
        self.request_as("D", Request::Passwd, &[&secret.0], now);
    }

    /// Sends an empty line to the server's prompt.
    fn cancel_change(&mut self, now: Now) {
        self.keys.change = None;
        self.note("cancelled", "your password is unchanged".to_owned());
        self.fail_change();
        self.request(Request::Cancel, &[""], now);
    }
}

/// Why a secret cannot be sent.
pub(super) fn problem(secret: &Secret) -> Option<String> {
    let text = secret.0.as_str();
    if text.is_empty() {
        Some("a password is not empty".to_owned())
    } else if text.len() > PASSWORD_MAX_BYTES {
        Some(format!("a password has at most {PASSWORD_MAX_BYTES} bytes"))
    } else if text.chars().any(char::is_control) {
        Some("a password holds no control characters".to_owned())
    } else {
        None
    }
}

/// Whether two requests are for the same secret, in any attempt.
pub(super) fn is_alike(one: Wanted, other: Wanted) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

/// Whether the user has answered so often that there is no further attempt.
pub(super) fn is_hopeless(tries: u32) -> bool {
    tries >= TRIES
}
