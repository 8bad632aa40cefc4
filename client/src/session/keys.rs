//! Secrets that the user is asked for, and the dialogue in which the password is changed.

use chatd::limits::PASSWORD_MAX_BYTES;

use super::requests::Request;
use super::wording::{in_our_words, statement};
use super::{Phase, Session};
use crate::action::{Action, Now, Secret, Wanted};

/// After so many answers that could not even be sent, or were not the same twice, the user is not asked again.
const TRIES: u32 = 5;

/// What the user is being asked for.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Asked for and not answered.
    pub(super) wanted: Option<Wanted>,
    /// To be asked for as soon as the user has finished the line that is being typed.
    pub(super) deferred: Option<Wanted>,
    /// Entered while there was no server that would have taken it.
    pub(super) ready: Option<(Wanted, Secret)>,
    change: Option<Change>,
}

/// Where the change of the password stands.
#[derive(Debug)]
enum Change {
    /// The user is asked for the old or the new one.
    Asked { is_new: bool, tries: u32 },
    /// … and for the new one again.
    Again { first: Secret, tries: u32 },
    /// The server has it; it answers, and says what is next.
    Sent { is_new: bool, tries: u32 },
}

impl Keys {
    /// Whether the password is being changed.
    pub(super) fn is_changing(&self) -> bool {
        self.change.is_some()
    }

    /// Whether the user is being asked for a secret, or will be.
    pub(super) fn is_asking(&self) -> bool {
        self.wanted.is_some() || self.deferred.is_some()
    }
}

/// The status that says that a password is due while a line is being read.
pub const PASSWORD_NEEDED: &str = "password-needed";

impl Session {
    /// Asks the user for a secret, unless that is being done.
    pub(super) fn want(&mut self, wanted: Wanted) {
        if self.keys.wanted.is_some() {
            return; // what comes is looked at then
        }
        if self.talk.is_asked() && self.settings.people {
            // The terminal is in the middle of a line. Half a line must not become half a password.
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
            Phase::Ready { .. } | Phase::Leaving { .. } | Phase::Over => {}
        }
    }

    /// `/passwd`.
    pub(super) fn change_password(&mut self, now: Now) {
        self.keys.change = Some(Change::Sent { is_new: false, tries: 0 });
        self.request(Request::Passwd, &["PASSWD"], now);
    }

    /// What the server says to a step of the change.
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
                // The token that was kept is void now.
                self.request(Request::Token, &["TOKEN"], now);
            }
            _ => {
                self.trouble("password", in_our_words(&text));
                self.fail_change();
            }
        }
    }

    /// The link is lost: what was under way is void.
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
        // An empty line cancels, as at every question.
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
                // To a person who edits lines, a source that gives the password of the login gives no new one.
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

    /// An empty line at the server's prompt.
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

/// Whether two questions are for the same thing, whichever try it is.
pub(super) fn is_alike(one: Wanted, other: Wanted) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

/// Whether somebody who has answered so often is not asked again.
pub(super) fn is_hopeless(tries: u32) -> bool {
    tries >= TRIES
}
