//! The session: the client without its sockets, terminal and files.
//!
//! ```text
//! Connecting ─▶ Greeting ─▶ Named ─▶ Password ─▶ Ready ─▶ Leaving ─▶ Over
//!   ▲  ▲            │         └────────────────────▲ │
//!   │  └─ Waiting ◀─┴──────── the link is lost ──────┘
//!   └─▶ Doubt: a server is not proven
//! ```
//!
//! It speaks the typed dialect, and after the login only in lines that begin with `C`. Such a line abandons any open
//! prompt of the server, so it cannot be taken for an answer. There are two exceptions: a password change, during which
//! nothing else is sent, and a text that begins with a space, which goes as `D TEXT` right after the line that asks for
//! it. Dialogues with the user are held here, and their result is sent at once.

mod answered;
mod asks;
mod away;
mod composed;
mod dialogue;
mod doubt;
mod due;
mod erasing;
mod intents;
mod keys;
mod known;
mod link;
mod login;
mod missed;
mod pages;
mod pasted;
mod people;
mod places;
mod replies;
mod requests;
mod resume;
mod retry;
mod rooms;
mod script;
mod seen;
#[cfg(test)]
mod tests;
mod typed;
mod unread;
mod unseen;
mod watching;
mod wording;

use std::collections::VecDeque;

use zeroize::Zeroizing;

pub use self::keys::PASSWORD_NEEDED;
pub use self::known::Known;
pub use self::pasted::INPUT_BYTES;
pub use self::script::NOT_DONE;

use self::away::Away;
use self::keys::Keys;
use self::login::Login;
use self::people::People;
use self::places::Remembered;
use self::requests::{Request, Requests, Unconfirmed};
use self::resume::Resume;
use self::retry::Retry;
use self::rooms::Rooms;
use self::script::Script;
use self::seen::Seen;
use self::typed::Talk;
use self::unread::News;
use super::action::{Action, Input, Now, Place, Secret, Shown, Status, Weight};
use super::alert::Rules;
use super::command;
use super::fingerprint::Fingerprint;
use super::frame::{Bad, Frame, Frames};

/// A server that has not sent the next answer for this long is gone, even if it sends other lines.
const ANSWER_MS: u64 = 30_000;
/// How long a busy server may put off a password, and the message of `--once`.
const PATIENCE_MS: u64 = 120_000;
/// How long the server has to say goodbye.
const LEAVE_MS: u64 = 5_000;
/// The same after a signal that ends the client.
const TERMINATED_MS: u64 = 1_000;
/// The number of invalid lines after which a connection is given up.
const BAD_LINES: u32 = 100;

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers' names for people, such as `a:5015` or `tls://a:5016`; [`Action::Connect`] holds an index of this
    /// list. At least one.
    pub servers: Vec<String>,
    /// The user's name; [`command::is_user_name`] accepts it.
    pub user: String,
    /// Whether a person edits lines. A person may type while the connection is lost; the lines of a script wait.
    pub people: bool,
    /// Whether a person is asked for the password of the login, even for a script. A new password that is typed without
    /// echo is asked for twice.
    pub asks_person: bool,
    /// Whether a person can be asked whether a server is trusted.
    pub asks_trust: bool,
    /// Send this, wait for the confirmation, and leave.
    pub once: Option<Once>,
    /// Send nothing, and end only on a signal.
    pub listens: bool,
    /// Enter this room to receive its messages.
    pub room: Option<String>,
    /// Whether a script with a given password may create an account. Otherwise a typing error in the name would create
    /// one.
    pub registers: bool,
    /// The names that are watched from the login on; [`command::is_user_name`] accepts them.
    pub watch: Vec<String>,
    /// When the server is asked for what was missed.
    pub resumes: Resumes,
    /// The seed of the pauses before a new connection; it should differ between clients.
    pub seed: u64,
}

/// When the server is asked for what was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumes {
    /// Never.
    Never,
    /// After a break of the connection, from the last message of this run on.
    InRun,
    /// After each login, from the last message of all runs on.
    Always,
}

/// The message of `--once`. A room is entered first.
#[derive(Clone, Debug)]
pub struct Once {
    /// The recipients.
    pub to: Place,
    /// The text: one line.
    pub text: String,
}

/// A run of the client. See the diagram of the module.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    /// The user's name as registered, once the server has sent it.
    name: String,
    actions: VecDeque<Action>,
    phase: Phase,
    frames: Frames,
    /// When the last frame arrived, in monotonic milliseconds.
    heard_ms: u64,
    /// Since when the next answer is due: when the one before it arrived, or when it was requested. Monotonic
    /// milliseconds.
    owed_ms: u64,
    bad_lines: u32,
    /// Whether the user has been told that the server has not greeted yet.
    is_silence_told: bool,
    requests: Requests,
    /// Messages that were not confirmed before a connection was lost, or were typed while there was none.
    unconfirmed: VecDeque<Unconfirmed>,
    /// For each server, what has been shown of it.
    seen: Vec<Seen>,
    /// When the numbers of that were kept last, in monotonic milliseconds.
    kept_ms: Option<u64>,
    resume: Resume,
    /// How long the user was away, in seconds, if they are yet to be told.
    away_s: Option<u64>,
    news: News,
    /// What the user has set about places and people: what calls.
    rules: Rules,
    people: People,
    /// Messages that were shown since the last line, from a server that keeps nothing.
    unheeded: usize,
    /// For each server, the token that resumes the session without a password.
    tokens: Vec<Option<Secret>>,
    /// When to request a new token, before the old one expires. Monotonic milliseconds.
    token_due_ms: Option<u64>,
    keys: Keys,
    talk: Talk,
    rooms: Rooms,
    remembered: Remembered,
    known: Known,
    retry: Retry,
    away: Away,
    script: Script,
    /// Whether a line of a script could not even be sent.
    has_failed: bool,
    /// Whether the user has been logged in during this run.
    was_in: bool,
    /// When the login was lost, in milliseconds of Unix time.
    lost_at: Option<u64>,
    /// Whether the user has been told that the next answer takes long.
    is_slow_told: bool,
}

/// The state of the session.
#[derive(Debug)]
enum Phase {
    /// A connection has been requested.
    Connecting,
    /// No connection until the user has said whether the server with this key is trusted.
    Doubt { key: Fingerprint },
    /// Connected, and proven if that was asked for; the server has not greeted yet.
    Greeting,
    /// The name has been sent.
    Named,
    /// A password is needed.
    Login(Login),
    /// Logged in since then (monotonic, ms).
    Ready { since: u64 },
    /// No connection until then (monotonic, ms).
    Waiting { until: u64 },
    /// No connection until the user has typed the password: the server does not wait that long.
    Away,
    /// `EX` has been sent. The client ends with this code by then (monotonic, ms), or when the server answers.
    /// `step_ms` is the time for each earlier answer, if there is time for them.
    Leaving { until: u64, step_ms: Option<u64>, code: u8 },
    /// [`Action::Leave`] has been given.
    Over,
}

impl Session {
    /// A session that begins by connecting to the first server. `tokens` holds the resume tokens of earlier runs by the
    /// index of the server. A token is sent only to the server that issued it.
    pub fn new(settings: Settings, mut tokens: Vec<Option<Secret>>) -> Self {
        tokens.resize(settings.servers.len().max(1), None);
        let mut session = Self {
            retry: Retry::new(settings.servers.len(), settings.seed),
            seen: std::iter::repeat_with(Seen::default).take(tokens.len()).collect(),
            kept_ms: None,
            resume: Resume::default(),
            away_s: None,
            news: News::default(),
            rules: Rules::default(),
            people: People::watching(&settings.watch),
            unheeded: 0,
            actions: VecDeque::new(),
            phase: Phase::Connecting,
            frames: Frames::default(),
            heard_ms: 0,
            owed_ms: 0,
            bad_lines: 0,
            is_silence_told: false,
            requests: Requests::default(),
            unconfirmed: VecDeque::new(),
            tokens,
            token_due_ms: None,
            keys: Keys::default(),
            talk: Talk::default(),
            rooms: Rooms::default(),
            remembered: Remembered::default(),
            away: Away::default(),
            script: Script::default(),
            known: Known::default(),
            has_failed: false,
            was_in: false,
            lost_at: None,
            is_slow_told: false,
            name: settings.user.clone(),
            settings,
        };
        let user = &session.settings.user;
        if command::is_user_name(user) || command::is_guest_name(user) {
            session.connect();
        } else {
            session
                .trouble("usage", "a name is a letter, then letters, digits or _ . - and at most 32 in all".to_owned());
            session.leave(2);
        }
        session
    }

    /// Takes an input. Afterwards, call [`Self::poll`] until it returns `None`.
    pub fn handle(&mut self, input: Input<'_>, now: Now) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        match input {
            Input::Token(server, token) => self.on_kept_token(server, token),
            Input::Connected => self.on_connected(now),
            Input::Unproven(doubt) => self.on_unproven(doubt, now),
            Input::Bytes(bytes) => self.on_bytes(bytes, now),
            Input::Disconnected(why) => self.on_disconnected(why, now),
            Input::Line(line) => self.on_input(line, now),
            Input::BadLine(why) => self.on_bad_line_typed(why),
            Input::Secret(secret) => self.on_secret(secret, now),
            Input::Edited(text) => self.on_edited(text),
            Input::Cancel => self.on_cancel(),
            Input::End => self.on_end(),
            Input::Unheard => self.on_unheard(now),
            Input::Terminated => self.on_terminated(now),
            Input::Tick => {}
        }
        self.on_time(now);
        self.keep_places();
        self.pump(now);
        self.keep_seen(now);
    }

    /// The next action.
    pub fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether nothing typed waits for its answer, or to be executed. Not during the login, which ends by itself.
    pub fn is_quiet(&self) -> bool {
        match self.phase {
            Phase::Ready { .. } => self.requests.is_empty() && self.talk.pending.is_empty() && !self.keys.is_changing(),
            Phase::Waiting { .. } => true,
            Phase::Connecting | Phase::Greeting | Phase::Named | Phase::Login(_) => false,
            Phase::Away | Phase::Doubt { .. } | Phase::Leaving { .. } | Phase::Over => false,
        }
    }

    /// The number of lines taken from a script.
    pub fn lines_taken(&self) -> usize {
        self.script.count()
    }

    /// The names and rooms seen so far, for completion.
    pub fn known(&self) -> &Known {
        &self.known
    }

    fn on_connected(&mut self, now: Now) {
        if matches!(self.phase, Phase::Connecting) {
            self.phase = Phase::Greeting;
            (self.heard_ms, self.owed_ms) = (now.monotonic_ms, now.monotonic_ms);
            (self.bad_lines, self.is_silence_told) = (0, false);
        }
    }

    fn on_bytes(&mut self, bytes: &[u8], now: Now) {
        let mut frames = std::mem::take(&mut self.frames);
        frames.push(bytes, |frame| {
            // A frame may end the connection. The rest is then ignored.
            if self.is_linked() {
                self.heard_ms = now.monotonic_ms;
                self.on_frame(frame, now);
            }
        });
        if self.is_linked() {
            self.frames = frames;
        }
    }

    fn on_frame(&mut self, frame: Frame, now: Now) {
        match frame {
            Frame::Reply { code, more, text } => self.on_reply(code, more, text, now),
            Frame::Notice { code, text } => self.on_notice(code, text),
            Frame::Said(said) => self.on_said(said),
            Frame::Other => {}
            Frame::Bad(bad) => self.on_bad(&bad, now),
        }
        self.end_line();
    }

    fn on_bad(&mut self, bad: &Bad, now: Now) {
        if matches!(self.phase, Phase::Ready { .. } | Phase::Leaving { .. }) {
            self.on_nonsense(describe(bad), now);
        } else {
            self.give_up_link("this is no chat server", now);
        }
    }

    /// The server has sent an invalid line. Many of them are no accident.
    fn on_nonsense(&mut self, what: String, now: Now) {
        self.bad_lines += 1;
        if self.bad_lines > BAD_LINES {
            self.give_up_link("the server talks nonsense", now);
        } else {
            self.trouble("bad-line", what);
        }
    }

    /// Whether there is a connection.
    fn is_linked(&self) -> bool {
        match self.phase {
            Phase::Greeting | Phase::Named | Phase::Login(_) | Phase::Ready { .. } | Phase::Leaving { .. } => true,
            Phase::Connecting | Phase::Doubt { .. } | Phase::Waiting { .. } | Phase::Away | Phase::Over => false,
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Sends a command and notes what its reply belongs to.
    fn request(&mut self, request: Request, words: &[&str], now: Now) {
        self.request_as("C", request, words, now);
    }

    /// Like [`Self::request`], with another type of line.
    fn request_as(&mut self, kind: &str, request: Request, words: &[&str], now: Now) {
        if !self.can_send(kind, words) {
            return;
        }
        if self.requests.is_empty() {
            self.owed_ms = now.monotonic_ms; // the wait for the answer begins here
            self.is_slow_told = false;
        }
        let line = self.script.origin(&request);
        self.requests.push_back(request, line);
        self.send(kind, words);
    }

    /// Sends a line: its type, then the words, each after a space.
    fn send(&mut self, kind: &str, words: &[&str]) {
        let length = kind.len() + words.iter().map(|word| word.len() + 1).sum::<usize>() + 1;
        // The full capacity from the start: it is never reallocated, so no copy of a secret stays behind.
        let mut line = Zeroizing::new(Vec::with_capacity(length));
        line.extend_from_slice(kind.as_bytes());
        for word in words {
            line.push(b' ');
            line.extend_from_slice(word.as_bytes());
        }
        // It must remain one line.
        for byte in line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        line.push(b'\n');
        self.actions.push_back(Action::Send(line));
    }

    fn show(&mut self, shown: Shown) {
        let failure = script::failure(&shown);
        self.actions.push_back(Action::Show(shown));
        if let Some(why) = failure {
            self.fail_line(why.as_deref());
        }
    }

    fn note(&mut self, kind: &'static str, text: String) {
        self.show(Shown::Status(Status { weight: Weight::Note, kind, text }));
    }

    fn trouble(&mut self, kind: &'static str, text: String) {
        self.show(Shown::Status(Status { weight: Weight::Trouble, kind, text }));
    }

    /// Something is not sent. A person is told; a script has it in the exit code.
    fn refuse(&mut self, kind: &'static str, text: String) {
        self.has_failed |= !self.settings.people;
        self.trouble(kind, text);
    }

    fn leave(&mut self, code: u8) {
        self.actions.push_back(Action::Leave(code));
        self.phase = Phase::Over;
    }
}

fn describe(bad: &Bad) -> String {
    match bad {
        Bad::TooLong => "the server sent a line that is too long; the rest of it is lost".to_owned(),
        Bad::NotText => "the server sent bytes that are no text".to_owned(),
        Bad::NoFrame(line) => format!("the server sent a line that means nothing: {line}"),
        Bad::Half(line) => format!("the connection ended within a line: {line}"),
    }
}
