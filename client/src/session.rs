//! The session: everything that the client is, but for its sockets, terminal and files.
//!
//! ```text
//! Connecting ─▶ Greeting ─▶ Named ─▶ Password ─▶ Ready ─▶ Leaving ─▶ Over
//!      ▲            │         └────────────────────▲ │
//!      └─ Waiting ◀─┴──────── the link is lost ──────┘
//! ```
//!
//! It always speaks the typed dialect, and after the login only in lines that begin with `C`: whatever prompt such a
//! line finds open on the server it abandons, so that nothing can be taken for the answer to something else. There are
//! two exceptions: the change of a password, during which nothing else is sent, and a text that begins with a space,
//! which goes as `D TEXT` right behind the line that asks for it. What is asked of the user step by step is asked here,
//! and sent at once.

mod away;
mod dialogue;
mod due;
mod intents;
mod keys;
mod known;
mod link;
mod login;
mod pasted;
mod replies;
mod requests;
mod retry;
mod rooms;
mod script;
#[cfg(test)]
mod tests;
mod typed;
mod unseen;
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
use self::requests::{Request, Requests, Unconfirmed};
use self::retry::Retry;
use self::rooms::Rooms;
use self::script::Script;
use self::typed::Talk;
use super::action::{Action, Input, Now, Place, Secret, Shown, Status, Weight};
use super::command;
use super::frame::{Bad, Frame, Frames};

/// A server that has not answered for this long what it owes next is gone, whatever else it says.
const ANSWER_MS: u64 = 30_000;
/// How long a server may put off a password, and the one message of `--once`, by being busy.
const PATIENCE_MS: u64 = 120_000;
/// How long the server has to say goodbye.
const LEAVE_MS: u64 = 5_000;
/// The same, when somebody wants the client to end.
const TERMINATED_MS: u64 = 1_000;
/// Lines of a connection that make no sense, before it is given up.
const BAD_LINES: u32 = 100;

/// What does not change in a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers' names for people, such as `a:5015`; [`Action::Connect`] gives a place in this list. At least one.
    pub servers: Vec<String>,
    /// Who the user is: a name that [`command::is_user_name`] accepts.
    pub user: String,
    /// Whether a person sits there and edits lines. A person may type while the connection is lost; for a script, lines
    /// wait until there is one.
    pub people: bool,
    /// Whether it is a person who is asked for the password of the login, be it for a script: a new one that is typed
    /// blind is asked for twice.
    pub asks_person: bool,
    /// Say this, wait for the confirmation, leave.
    pub once: Option<Once>,
    /// Say nothing, and end only when somebody wants that.
    pub listens: bool,
    /// Enter this room to listen there.
    pub room: Option<String>,
    /// Whether a script whose password is given may make an account: else a typing error in the name would.
    pub registers: bool,
    /// What the pauses before a new connection are drawn from: something that other clients do not have.
    pub seed: u64,
}

/// The one thing to be said, and to whom. A room is entered before.
#[derive(Clone, Debug)]
pub struct Once {
    /// To whom.
    pub to: Place,
    /// The text: one line.
    pub text: String,
}

/// One run of the client. See the module's picture.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    /// The user's name as it is registered, as far as the server has said so.
    name: String,
    actions: VecDeque<Action>,
    phase: Phase,
    frames: Frames,
    /// When the last frame came. Monotonic, ms.
    heard_ms: u64,
    /// Since when the answer that comes next is owed: the one before it came, or it was asked for. Monotonic, ms.
    owed_ms: u64,
    bad_lines: u32,
    /// Whether the user knows that the server has not greeted yet.
    is_silence_told: bool,
    requests: Requests,
    /// What was said and not confirmed before a link was lost, or was typed while there was none.
    unconfirmed: VecDeque<Unconfirmed>,
    /// For each server, the token with which the user comes back without a password.
    tokens: Vec<Option<Secret>>,
    /// When a new token is to be asked for, before the old one expires. Monotonic, ms.
    token_due_ms: Option<u64>,
    keys: Keys,
    talk: Talk,
    rooms: Rooms,
    known: Known,
    retry: Retry,
    away: Away,
    script: Script,
    /// Whether something that a script wanted said was not even sent.
    has_failed: bool,
    /// Whether the user has been logged in during this run.
    was_in: bool,
    /// Since when the user has not been logged in any more: Unix time, ms.
    lost_at: Option<u64>,
    /// Whether the user has been told that the answer that comes next takes long.
    is_slow_told: bool,
}

/// Where the session stands.
#[derive(Debug)]
enum Phase {
    /// A connection was asked for.
    Connecting,
    /// It is there, and the server is to say who it is.
    Greeting,
    /// The name was sent.
    Named,
    /// A password is needed.
    Login(Login),
    /// Logged in since then (monotonic, ms).
    Ready { since: u64 },
    /// No connection until then (monotonic, ms).
    Waiting { until: u64 },
    /// No connection until the user has entered the password: the server does not wait as long as people may take.
    Away,
    /// `EX` was sent, and is answered by then (monotonic, ms); the exit code. `step_ms`: how long each answer to what
    /// was sent before may take, unless there is no time for that.
    Leaving { until: u64, step_ms: Option<u64>, code: u8 },
    /// [`Action::Leave`] was given.
    Over,
}

impl Session {
    /// A session that begins with a connection to the first server. `tokens`: the resume tokens of earlier runs, one
    /// place for each server of the list. A token is only ever shown to the server that gave it.
    pub fn new(settings: Settings, mut tokens: Vec<Option<Secret>>) -> Self {
        tokens.resize(settings.servers.len().max(1), None);
        let mut session = Self {
            retry: Retry::new(settings.servers.len(), settings.seed),
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
        if command::is_user_name(&session.settings.user) {
            session.connect();
        } else {
            session
                .trouble("usage", "a name is a letter, then letters, digits or _ . - and at most 32 in all".to_owned());
            session.leave(2);
        }
        session
    }

    /// Takes in what has happened. What follows from it is to be had from [`Self::poll`], to the end.
    pub fn handle(&mut self, input: Input<'_>, now: Now) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        match input {
            Input::Token(server, token) => self.on_kept_token(server, token),
            Input::Connected => self.on_connected(now),
            Input::Bytes(bytes) => self.on_bytes(bytes, now),
            Input::Disconnected(why) => self.on_disconnected(why, now),
            Input::Line(line) => self.on_input(line, now),
            Input::BadLine(why) => self.on_bad_line_typed(why),
            Input::Secret(secret) => self.on_secret(secret, now),
            Input::End => self.on_end(),
            Input::Unheard => self.on_unheard(now),
            Input::Terminated => self.on_terminated(now),
            Input::Tick => {}
        }
        self.on_time(now);
        self.pump(now);
    }

    /// The next thing that is to be done.
    pub fn poll(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether nothing is under way: nothing that was typed waits for its answer, or to be carried out. Not while the
    /// login is under way, which ends by itself.
    pub fn is_quiet(&self) -> bool {
        match self.phase {
            Phase::Ready { .. } => self.requests.is_empty() && self.talk.pending.is_empty() && !self.keys.is_changing(),
            Phase::Waiting { .. } => true,
            Phase::Connecting | Phase::Greeting | Phase::Named | Phase::Login(_) => false,
            Phase::Away | Phase::Leaving { .. } | Phase::Over => false,
        }
    }

    /// How many lines of a script were taken.
    pub fn lines_taken(&self) -> usize {
        self.script.count()
    }

    /// The names and rooms that were seen, for completion.
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
            // A frame may end the connection; what comes behind it then belongs to nobody.
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

    /// The server has sent something that it should not have. Much of that is no accident.
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
            Phase::Connecting | Phase::Waiting { .. } | Phase::Away | Phase::Over => false,
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Sends a command and notes what its reply belongs to.
    fn request(&mut self, request: Request, words: &[&str], now: Now) {
        self.request_as("C", request, words, now);
    }

    /// The same with a line of another type.
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

    /// Sends a line: its type, then the words with a space before each.
    fn send(&mut self, kind: &str, words: &[&str]) {
        let length = kind.len() + words.iter().map(|word| word.len() + 1).sum::<usize>() + 1;
        // With all its room from the start it is never moved, so no secret stays behind.
        let mut line = Zeroizing::new(Vec::with_capacity(length));
        line.extend_from_slice(kind.as_bytes());
        for word in words {
            line.push(b' ');
            line.extend_from_slice(word.as_bytes());
        }
        // Whatever came here, it is one line.
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

    /// Something that was to be said is not sent. A person sees that; a script sees it in the exit code.
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
