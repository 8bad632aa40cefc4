//! From the greeting to the end of the login.

use super::keys::{is_alike, is_hopeless, problem};
use super::requests::{Listed, Request, Way};
use super::resume::NOT_REACHED;
use super::wording::{in_our_words, seconds_in, statement};
use super::{ANSWER_MS, LEAVE_MS, PATIENCE_MS, Phase, Resumes, Session};
use crate::action::{Action, Now, Place, Secret, Wanted};
use crate::past;

/// The operations, for a person who sees the prompt for the first time.
const OPERATIONS: &str = "PM to everybody, DM to one, EX to leave; /help lists more";
/// The advice about a refused name.
const OTHER_NAME: &str = "give another name, for example: chatclient carol@localhost";
/// The wait if a busy server does not say how long.
const BUSY_S: u64 = 2;

/// The state of the login, once the server wants a password.
#[derive(Debug)]
pub(super) struct Login {
    /// Whether the password creates an account.
    is_new: bool,
    /// The number of the attempt, from 1.
    tries: u32,
    /// When the password was entered, in monotonic milliseconds.
    since: u64,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The user is asked for it.
    Asked,
    /// The user is asked for it again, as a check.
    Again(Secret),
    /// It has been sent.
    Sent(Secret),
    /// It has been sent and the server is busy: it is sent again then (monotonic, ms).
    Busy { until: u64, secret: Secret },
}

impl Login {
    /// The next deadline, in monotonic milliseconds; the next answer is due since `owed_ms`. There is no deadline for
    /// the user: the server ends a login that takes too long.
    pub(super) fn deadline(&self, owed_ms: u64) -> Option<u64> {
        let last = self.since.saturating_add(PATIENCE_MS);
        match &self.step {
            Step::Asked | Step::Again(_) => None,
            Step::Sent(_) => Some(owed_ms.saturating_add(ANSWER_MS).min(last)),
            Step::Busy { until, .. } => Some((*until).min(last)),
        }
    }

    fn wanted(&self) -> Wanted {
        match self.step {
            Step::Again(_) => Wanted::NewPasswordAgain,
            Step::Asked | Step::Sent(_) | Step::Busy { .. } if self.is_new => Wanted::NewPassword(self.tries),
            Step::Asked | Step::Sent(_) | Step::Busy { .. } => Wanted::Password(self.tries),
        }
    }
}

impl Session {
    pub(super) fn on_greeting(&mut self, code: u16, text: &str, now: Now) {
        if code != 220 {
            return self.give_up_link(&format!("this is no chat server; it says {code} {text}"), now);
        }
        self.phase = Phase::Named;
        self.owed_ms = now.monotonic_ms;
        let (name, token) = (self.settings.user.clone(), self.token().cloned());
        match &token {
            Some(token) => self.send("C", &[&name, &token.0]),
            None => self.send("C", &[&name]),
        }
    }

    pub(super) fn on_named(&mut self, code: u16, text: &str, now: Now) {
        match code {
            230 => self.on_welcome(text, now),
            331 => self.need_password(false, now),
            332 if !self.may_register() => {
                let name = &self.settings.user;
                self.close(&format!("there is no account {name}: mind the spelling, or make one with --register"));
            }
            332 => {
                let name = &self.settings.user;
                let text =
                    format!("{name} is new here: the password that you choose now makes an account of that name");
                self.note("new-account", text);
                self.need_password(true, now);
            }
            531 => {
                if let Some(token) = self.token().cloned() {
                    self.set_token(None);
                    self.actions.push_back(Action::ForgetToken(self.retry.server(), token));
                }
                self.note("token", "the kept login is not good any more".to_owned());
                self.need_password(false, now);
            }
            // The name itself is refused, and there is no other.
            501 | 553 => self.close(&format!("{}; {OTHER_NAME}", statement(text))),
            // No new accounts.
            450 => self.close(statement(text)),
            _ => self.give_up_link(&format!("the server makes no sense: {code} {text}"), now),
        }
    }

    pub(super) fn on_login_reply(&mut self, code: u16, text: &str, now: Now) {
        let Some(mut login) = self.take_login() else { return };
        let Step::Sent(secret) = login.step else {
            return self.give_up_link(&format!("the server makes no sense: {code} {text}"), now);
        };
        match code {
            230 => self.on_welcome(text, now),
            // No new accounts: the server asks for the name again.
            450 if text.ends_with("your name?") => self.close(statement(text)),
            450 => {
                self.note("busy", text.to_owned());
                let pause_ms = seconds_in(text).unwrap_or(BUSY_S).max(1).saturating_mul(1000).min(ANSWER_MS);
                login.step = Step::Busy { until: now.monotonic_ms.saturating_add(pause_ms), secret };
                self.phase = Phase::Login(login);
            }
            500 | 501 | 530 => {
                let kind = if code == 530 { "wrong-password" } else { "password" };
                // A given password is tried once, however many attempts the server allows.
                let is_last = code == 530 && !self.settings.asks_person;
                let told = if is_last { text.split(';').next().unwrap_or(text) } else { statement(text) };
                self.trouble(kind, told.to_owned());
                self.ask_password(Login { step: Step::Asked, tries: login.tries + 1, ..login });
            }
            553 => self.close(&format!("{}; {OTHER_NAME}", statement(text))),
            _ => self.give_up_link(&format!("the server makes no sense: {code} {text}"), now),
        }
    }

    pub(super) fn on_login_secret(&mut self, wanted: Wanted, secret: Secret, now: Now) {
        let Some(mut login) = self.take_login() else { return };
        login.since = now.monotonic_ms;
        if !is_alike(wanted, login.wanted()) || matches!(login.step, Step::Sent(_) | Step::Busy { .. }) {
            // It was asked for on a lost connection, where the server wanted something else.
            return self.ask_password(login);
        }
        match std::mem::replace(&mut login.step, Step::Asked) {
            Step::Again(first) if first == secret => self.send_password(login, secret, now),
            Step::Again(_) => self.refuse_secret(login, "these two differ".to_owned()),
            Step::Asked | Step::Sent(_) | Step::Busy { .. } => match problem(&secret) {
                Some(problem) => self.refuse_secret(login, problem),
                None if login.is_new && self.settings.asks_person => {
                    login.step = Step::Again(secret);
                    self.ask_password(login);
                }
                None => self.send_password(login, secret, now),
            },
        }
    }

    /// Whether a password that waited for a busy server has been sent again.
    pub(super) fn is_sent_again(&mut self, now: Now) -> bool {
        let is_in_time = |since: u64| now.monotonic_ms < since.saturating_add(PATIENCE_MS);
        match self.take_login() {
            Some(Login { is_new, tries, since, step: Step::Busy { secret, .. } }) if is_in_time(since) => {
                self.send_password(Login { is_new, tries, since, step: Step::Asked }, secret, now);
                true
            }
            Some(login) => {
                self.phase = Phase::Login(login);
                false
            }
            None => false,
        }
    }

    /// Whether an account may be created: a person is told about it, or it was asked for.
    fn may_register(&self) -> bool {
        self.settings.people || self.settings.asks_person || self.settings.registers
    }

    /// Sends the message of `--once`, if there is one.
    pub(super) fn say_once(&mut self, now: Now) {
        if let Some(once) = self.settings.once.clone() {
            self.begin_once();
            self.say(once.to, &once.text, now);
            if !self.requests.iter().any(|request| matches!(request, Request::Say(_))) {
                self.say_goodbye(LEAVE_MS, 1, now); // it could not be sent
            }
        }
    }

    /// The token for the current server.
    pub(super) fn token(&self) -> Option<&Secret> {
        self.tokens.get(self.retry.server())?.as_ref()
    }

    /// A token stored by another client of the user is at least as good as this one: a password change voids all older
    /// tokens. A client without a token asks for the password.
    pub(super) fn on_kept_token(&mut self, server: usize, token: Secret) {
        if let Some(Some(held)) = self.tokens.get_mut(server) {
            *held = token;
        }
    }

    pub(super) fn set_token(&mut self, token: Option<Secret>) {
        if let Some(place) = self.tokens.get_mut(self.retry.server()) {
            *place = token;
        }
    }

    /// Takes the state of the login, to continue it. Until then, the session is in the state before the server wanted a
    /// password.
    fn take_login(&mut self) -> Option<Login> {
        if !matches!(self.phase, Phase::Login(_)) {
            return None;
        }
        if let Phase::Login(login) = std::mem::replace(&mut self.phase, Phase::Named) { Some(login) } else { None }
    }

    fn need_password(&mut self, is_new: bool, now: Now) {
        let login = Login { is_new, tries: 1, since: now.monotonic_ms, step: Step::Asked };
        match self.keys.ready.take() {
            Some((wanted, secret)) if is_alike(wanted, login.wanted()) => {
                self.phase = Phase::Login(login);
                self.on_login_secret(wanted, secret, now);
            }
            Some(_) | None => self.ask_password(login),
        }
    }

    fn ask_password(&mut self, login: Login) {
        let wanted = login.wanted();
        self.phase = Phase::Login(login);
        self.want(wanted);
    }

    fn refuse_secret(&mut self, login: Login, why: String) {
        self.trouble("password", why);
        if is_hopeless(login.tries) {
            return self.close("no password that could be sent");
        }
        self.ask_password(Login { tries: login.tries + 1, ..login });
    }

    fn send_password(&mut self, login: Login, secret: Secret, now: Now) {
        self.owed_ms = now.monotonic_ms;
        self.send("C", &[&secret.0]);
        self.phase = Phase::Login(Login { step: Step::Sent(secret), ..login });
    }

    /// Takes the registered name from the server's welcome.
    fn take_name(&mut self, text: &str) {
        let name = past::welcomed(text);
        if name.eq_ignore_ascii_case(&self.settings.user) {
            name.clone_into(&mut self.name);
        }
    }

    fn on_welcome(&mut self, text: &str, now: Now) {
        self.phase = Phase::Ready { since: now.monotonic_ms };
        self.keys.ready = None;
        self.keys.deferred = None;
        self.away.end();
        let is_first = !std::mem::replace(&mut self.was_in, true);
        self.take_name(text);
        // A person is told of /help in a line of its own.
        let told = if self.settings.people { text.rsplit_once("; HELP ").map_or(text, |(told, _)| told) } else { text };
        self.note("connected", in_our_words(told));
        if is_first && self.settings.people {
            self.note("help", OPERATIONS.to_owned());
        }
        self.known.see_name(&self.name.clone());
        if let Some(once) = &self.settings.once {
            if let Place::Room(room) = &once.to {
                let room = room.clone();
                self.begin_once();
                return self.enter(&room, None, Way::Wanted, now);
            }
            return self.say_once(now);
        }
        if let Some(lost_at) = self.lost_at.take() {
            let seconds = now.unix_ms.saturating_sub(lost_at).div_ceil(1000);
            match self.settings.resumes {
                Resumes::Never => self.note("missed", format!("you were away for {seconds} s; {NOT_REACHED}")),
                // It may reach them yet.
                Resumes::InRun | Resumes::Always => self.away_s = Some(seconds),
            }
        }
        self.begin_resume(now);
        // A guest comes back by the name alone.
        if !self.is_guest() {
            self.request(Request::Token, &["TOKEN"], now);
        }
        for room in self.rooms.iter().cloned().collect::<Vec<_>>() {
            self.enter(&room.name, room.password, Way::Again, now);
        }
        self.enter_remembered(now);
        if let Some(room) = self.settings.room.clone().filter(|room| self.rooms.find(room).is_none()) {
            self.enter(&room, None, Way::Wanted, now);
        }
        self.request(Request::List { of: Listed::Names, is_shown: false, asks: false }, &["WHO"], now);
        self.renew_people(now);
        self.continue_resume(now);
    }
}
