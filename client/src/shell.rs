//! Carries out the session's actions, with the connection, the terminal and the files.

mod calling;
mod ending;
mod returning;
mod showing;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, IsTerminal as _, Write as _};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use self::calling::Caller;
use super::action::{Action, Input, Now, Secret, Weight};
use super::args::{Errand, Options};
use super::destination::Server;
use super::event::{Event, Key};
use super::fingerprint::Fingerprint;
use super::inbox::Inbox;
use super::keyboard::{Ask, Keyboard, Origin};
use super::link::{Links, News};
use super::log::Log;
use super::output::Output;
use super::reader::Watch;
use super::screen::Screen;
use super::secret::Source;
use super::session::{Known, Resumes, Session, Settings};
use super::show::View;
use super::store::{Store, kept_key};
use super::terminal;
use super::tls::Proof;

use self::returning::remembered;

/// How often the client checks whether a script without a reader is done.
const LOOK: Duration = Duration::from_millis(50);
/// Exit code for a failure.
const FAILED: u8 = 1;

/// Runs the client and returns its exit code.
pub(super) fn run(options: Options) -> u8 {
    let is_edited = terminal::is_there() && !options.plain && !options.json && matches!(options.errand, Errand::Talk);
    let _restored_at_the_end = terminal::Guard::new(is_edited);
    let proof = match Proof::new(&options.trust, kept_key) {
        Ok(proof) => Arc::new(proof),
        Err(why) => {
            complain(&why);
            return FAILED;
        }
    };
    let mut shell = match Shell::start(options, is_edited, proof) {
        Ok(shell) => shell,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return FAILED;
        }
    };
    let code = shell.serve();
    shell.finish(code)
}

/// Removes the kept key of a server, and returns the exit code.
pub(super) fn forget(server: &Server) -> u8 {
    let place = server.place();
    match Store::open().and_then(|store| store.forget_key(&place)) {
        Ok(Some(key)) => {
            // If standard output is closed, nobody reads it.
            let _ = io::stdout().write_all(format!("the key of {place} is forgotten: {key}\n").as_bytes());
            0
        }
        Ok(None) => {
            complain(&format!("no key of {place} is kept: nothing is forgotten"));
            FAILED
        }
        Err(why) => {
            complain(&why);
            FAILED
        }
    }
}

/// Writes a message to standard error. If that is closed, nobody reads it.
pub(super) fn complain(what: &str) {
    let _ = io::stderr().write_all(format!("chatclient: {what}\n").as_bytes());
}

struct Shell {
    options: Options,
    is_edited: bool,
    session: Session,
    view: View,
    caller: Caller,
    log: Option<Log>,
    inbox: Inbox,
    links: Links,
    keyboard: Keyboard,
    screen: Arc<Screen>,
    stderr: Output,
    /// The editor's copy of the names to complete.
    known: Arc<Mutex<Known>>,
    store: Option<Store>,
    /// Whose shown messages are counted: the user, and with `--listen` that and the room.
    reader: String,
    /// What servers that speak TLS are proven by.
    proof: Arc<Proof>,
    /// The servers, by the names under which their state is stored.
    servers: Vec<String>,
    /// Whether it is stored that this is where the user talked last.
    is_last_kept: bool,
    was_terminated: bool,
    /// Whether standard input has ended.
    has_read_all: bool,
    /// Whether the login is done and lines have been asked for.
    has_talked: bool,
    /// An entered line is still on the screen as typed, until it is settled.
    has_entered: bool,
    /// Why standard output cannot be written to any more.
    lost_output: Option<io::Error>,
    /// Whether the reader of standard output is gone, though no write has failed yet.
    is_reader_gone: bool,
    /// Sets [`Self::is_reader_gone`].
    watch: Option<Watch>,
    /// The exit code is at least this.
    worst: u8,
    started: Instant,
}

impl Shell {
    fn start(options: Options, is_edited: bool, proof: Arc<Proof>) -> io::Result<Self> {
        let inbox = Inbox::new(is_edited)?;
        let screen = Arc::new(Screen::new(Output::new(io::stdout(), inbox.alarm())?));
        let (stderr, known) = (Output::new(io::stderr(), inbox.alarm())?, Arc::new(Mutex::new(Known::default())));
        let servers: Vec<String> = options.servers.iter().map(ToString::to_string).collect();
        let mut troubles = Vec::new();
        let source = Source::new(options.password_command.clone());
        let asks_person = !source.is_given();
        // --once with a given password neither reads nor stores state.
        let is_kept = asks_person || options.errand.once().is_none();
        let store = if is_kept { Store::open().map_err(|why| troubles.push(why)).ok() } else { None };
        let mut kept = |server: &String| {
            let token = store.as_ref()?.token(server, &options.user);
            token.map_err(|why| troubles.push(why)).ok().flatten()
        };
        // A given password is used even if a token is stored.
        let tokens = servers.iter().map(|server| if asks_person { kept(server) } else { None }).collect();
        let reader = reader_of(&options);
        let mut seen = |server: &String| {
            let seen = store.as_ref()?.seen(server, &reader);
            seen.map_err(|why| troubles.push(why)).ok().flatten()
        };
        let is_resumed = resumes(&options, is_edited) == Resumes::Always;
        let seen = servers.iter().map(|server| if is_resumed { seen(server) } else { None }).collect();
        let places = remembered(store.as_ref().filter(|_| is_edited), &servers, &options.user, &mut troubles);
        let origin = if is_edited {
            let (screen, known) = (Arc::clone(&screen), Arc::clone(&known));
            Origin::Editor { screen, known, store: store.clone() }
        } else {
            Origin::Stdin { filter: options.filter }
        };
        // --once needs no reader.
        let is_watched = !is_edited && options.errand.once().is_none();
        let watch = if is_watched { Watch::start(inbox.doorbell())? } else { None };
        let mut shell = Self {
            keyboard: Keyboard::start(origin, source, inbox.doorbell())?,
            links: Links::new(inbox.doorbell(), inbox.alarm(), Arc::clone(&proof)),
            session: Session::new(settings(&options, servers.clone(), is_edited, asks_person), tokens)
                .with_seen(seen)
                .with_places(places),
            reader,
            view: View::new(showing::form(&options, is_edited), TimeZone::system()).for_user(&options.user),
            caller: Caller::start(&options, is_edited, &inbox)?,
            log: options.log.clone().map(|folder| Log::new(folder, TimeZone::system())),
            servers,
            is_last_kept: false,
            was_terminated: false,
            has_read_all: false,
            has_talked: false,
            has_entered: false,
            lost_output: None,
            is_reader_gone: false,
            watch,
            worst: 0,
            started: Instant::now(),
            options,
            is_edited,
            inbox,
            screen,
            stderr,
            known,
            store,
            proof,
        };
        for why in troubles {
            shell.say(Weight::Trouble, "state", why);
        }
        if let Some(why) = shell.log.as_mut().and_then(Log::check) {
            shell.say(Weight::Trouble, "log", why);
        }
        Ok(shell)
    }

    /// Runs the session until it leaves, and returns the exit code.
    fn serve(&mut self) -> u8 {
        loop {
            // First, so that names on the screen can be completed.
            self.share_known();
            while let Some(action) = self.session.poll() {
                if let Some(code) = self.perform(action) {
                    return code;
                }
            }
            self.settle(false);
            self.refresh_title();
            let event = self.inbox.next(self.wait());
            self.look_for_reader();
            if self.is_to_end() {
                if self.was_terminated {
                    return FAILED;
                }
                self.was_terminated = true;
                self.tell(Input::Terminated);
            }
            if let Some(event) = event
                && let Some(code) = self.on_event(event)
            {
                return code;
            }
            if self.patience().is_some_and(|left| left.is_zero()) {
                self.tell(Input::Tick);
            }
        }
    }

    /// Carries out an action. Returns the exit code if it was the last.
    fn perform(&mut self, action: Action) -> Option<u8> {
        match action {
            Action::Connect(n) => {
                // The session knows the number of servers.
                if let Some(token) = self.kept(n) {
                    self.tell(Input::Token(n, token));
                }
                let server = self.options.servers.get(n)?;
                if let Some(log) = &mut self.log {
                    log.enter(server);
                }
                if let Err(error) = self.links.connect(server) {
                    self.tell(Input::Disconnected(&error.to_string()));
                }
            }
            Action::Disconnect => self.links.close(),
            Action::Send(bytes) => self.links.send(&bytes),
            Action::Call(call) => self.call(call),
            Action::Show(shown) => {
                self.log(&shown);
                self.show(&shown);
            }
            Action::ShowPage(shown) => self.show(&shown),
            Action::AskLine(prompt) => {
                self.has_talked = true;
                self.ask(&prompt, Ask::Line);
            }
            Action::AskAnswer(prompt) => self.ask(&prompt, Ask::Answer),
            Action::AskTrust(prompt) => self.ask(&prompt, Ask::Trust),
            Action::DropTyped => terminal::drop_typed(),
            Action::EraseLine => self.settle(true),
            Action::Edit(text) => {
                self.settle(false);
                self.keyboard.ask(Ask::Edit(text));
            }
            Action::Prompt(prompt) => self.screen.set_prompt(&prompt),
            Action::AskSecret(wanted) => {
                self.settle(false);
                self.keyboard.ask(Ask::Secret(wanted));
            }
            Action::KeepToken(n, token) => {
                self.keep(n, &token);
                self.keep_last();
            }
            Action::ForgetToken(n, token) => {
                if let (Some(store), Some(server)) = (&self.store, self.servers.get(n)) {
                    store.forget_token(server, &self.options.user, &token);
                }
            }
            Action::KeepSeen(n, id) => self.keep_seen(n, id),
            Action::KeepPlaces(places) => self.keep_places(&places),
            Action::TrustKey(n, key) => self.trust(n, key),
            Action::Leave(code) => return Some(code),
        }
        None
    }

    /// Requests a line.
    fn ask(&mut self, prompt: &str, ask: Ask) {
        // The next line may have been typed already, and arrive at once.
        self.settle(false);
        self.screen.set_prompt(prompt);
        self.keyboard.ask(ask);
    }

    /// The last entered line stays on the screen or is erased; the first call decides.
    fn settle(&mut self, is_erased: bool) {
        if mem::take(&mut self.has_entered) {
            self.screen.settle(is_erased);
        }
    }

    /// Passes an event to the session. Returns the exit code if the client cannot go on.
    fn on_event(&mut self, event: Event) -> Option<u8> {
        match event {
            Event::Link(number, link) => match self.links.take(number, link) {
                Some(News::Connected) => self.tell(Input::Connected),
                Some(News::Unproven(doubt)) => self.tell(Input::Unproven(doubt)),
                Some(News::Bytes(bytes)) => self.tell(Input::Bytes(&bytes)),
                Some(News::Gone(why)) => self.tell(Input::Disconnected(&why)),
                None => {}
            },
            Event::BadKey => {
                let why = "what was typed is no UTF-8: that, and what came at once with it, was not used";
                self.say(Weight::Trouble, "dropped", why.to_owned());
            }
            Event::NotNotified(why) => self.tell_not_notified(&why),
            Event::ReaderGone => self.is_reader_gone = true,
            Event::Key(key) => {
                self.keyboard.answered();
                match key {
                    Key::Line(line) => {
                        self.has_entered = true;
                        self.tell(Input::Line(&line));
                    }
                    Key::BadLine(why) => self.tell(Input::BadLine(why)),
                    Key::Secret(secret) => {
                        // Ctrl-C there declines, and does not end the client.
                        if self.is_edited {
                            self.inbox.is_interrupted();
                        }
                        self.tell(Input::Secret(secret));
                    }
                    Key::NoSecret(why) => {
                        self.say(Weight::Trouble, "password-needed", why);
                        self.tell(Input::Secret(None));
                    }
                    Key::Edited(text) => {
                        // Ctrl-C there was the editor's.
                        self.inbox.is_interrupted();
                        self.tell(Input::Edited(text.as_deref().map_err(String::as_str)));
                    }
                    Key::Cancel => self.tell(Input::Cancel),
                    Key::End => {
                        self.has_read_all = true;
                        self.tell(Input::End);
                    }
                    Key::Interrupted(_) => self.tell(Input::End),
                    Key::Broken(why) => {
                        (self.worst, self.has_read_all) = (FAILED, true);
                        self.complain(&why);
                        self.tell(Input::End);
                    }
                    Key::Failed(why) => {
                        self.complain(&why);
                        return Some(FAILED);
                    }
                }
            }
        }
        None
    }

    fn tell(&mut self, input: Input<'_>) {
        let now = self.now();
        self.session.handle(input, now);
    }

    /// Whether a signal ends the client. SIGINT is Ctrl-C, which the editor and the password prompt handle themselves.
    fn is_to_end(&self) -> bool {
        let is_interrupted = self.inbox.is_interrupted() && !(self.is_edited && self.keyboard.is_busy());
        self.inbox.is_terminated() || is_interrupted
    }

    /// How long the session can wait for an event.
    fn patience(&self) -> Option<Duration> {
        let deadline = self.session.deadline()?;
        Some(Duration::from_millis(deadline.saturating_sub(self.now().monotonic_ms)))
    }

    /// How long the main thread sleeps at most.
    fn wait(&self) -> Option<Duration> {
        let look = (self.is_reader_gone && self.lost_output.is_none()).then_some(LOOK);
        self.patience().into_iter().chain(look).chain(self.title_due()).min()
    }

    fn now(&self) -> Now {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { monotonic_ms: millis(self.started.elapsed()), unix_ms: millis(unix) }
    }

    /// The token stored for a server. A file that is not trusted was reported at the start.
    fn kept(&self, n: usize) -> Option<Secret> {
        self.store.as_ref()?.token(self.servers.get(n)?, &self.options.user).ok().flatten()
    }

    fn keep(&mut self, n: usize, token: &Secret) {
        let (Some(store), Some(server)) = (&self.store, self.servers.get(n)) else { return };
        if let Err(why) = store.keep_token(server, &self.options.user, token) {
            self.store = None;
            self.say(Weight::Trouble, "state", format!("{why}; nothing is kept for the next run"));
        }
    }

    /// Stores how much of a server has been shown.
    fn keep_seen(&mut self, n: usize, id: u64) {
        let (Some(store), Some(server)) = (&self.store, self.servers.get(n)) else { return };
        if let Err(why) = store.keep_seen(server, &self.reader, id) {
            self.store = None;
            self.say(Weight::Trouble, "state", format!("{why}; nothing is kept for the next run"));
        }
    }

    /// Trusts a server if it has this key: in this run, and in the next ones if that can be kept.
    fn trust(&mut self, n: usize, key: Fingerprint) {
        let Some(place) = self.options.servers.get(n).map(Server::place) else { return };
        if let Err(why) = Store::open().and_then(|store| store.keep_key(&place, &key)) {
            self.proof.accept(&place, key);
            self.say(Weight::Trouble, "state", format!("{why}; you are asked again in the next run"));
        }
    }

    /// Gives the editor a new copy of the names to complete, if they have changed.
    fn share_known(&mut self) {
        let known = self.session.known();
        let mut shared = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_edited && shared.version() != known.version() {
            *shared = known.clone();
        }
    }
}

fn settings(options: &Options, servers: Vec<String>, people: bool, asks_person: bool) -> Settings {
    // A hasher of the standard library starts with a random state, which is enough here.
    let seed = RandomState::new().build_hasher().finish();
    let (listens, room) = match &options.errand {
        Errand::Talk | Errand::Once(_) => (false, None),
        Errand::Listen { room } => (true, room.clone()),
    };
    Settings {
        servers,
        user: options.user.clone(),
        people,
        asks_person,
        asks_trust: people || is_typed_plainly(options),
        once: options.errand.once().cloned(),
        listens,
        room,
        watch: options.watch.clone(),
        registers: options.register,
        resumes: resumes(options, people),
        seed,
    }
}

/// When the past is asked for: by people and listeners always, by a script that also sends only after a break, because
/// it might answer what was said before it started.
fn resumes(options: &Options, people: bool) -> Resumes {
    match options.errand {
        Errand::Once(_) => Resumes::Never,
        Errand::Talk if people => Resumes::Always,
        Errand::Talk => Resumes::InRun,
        Errand::Listen { .. } => Resumes::Always,
    }
}

/// Whose shown messages are counted. A listener takes nothing from a person who uses the same name.
fn reader_of(options: &Options) -> String {
    match &options.errand {
        Errand::Talk | Errand::Once(_) => options.user.clone(),
        Errand::Listen { room: None } => format!("{} --listen", options.user),
        Errand::Listen { room: Some(room) } => format!("{} --listen {room}", options.user),
    }
}

/// Whether a person types at a terminal without line editing.
fn is_typed_plainly(options: &Options) -> bool {
    let is_talk = matches!(options.errand, Errand::Talk) && !options.json;
    is_talk && io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}
