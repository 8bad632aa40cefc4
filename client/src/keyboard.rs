//! The keyboard thread. It reads one thing at a time, on request, and can be interrupted.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::sys::pthread::pthread_kill;
use nix::sys::signal::{SigSet, Signal};

use super::action::Wanted;
use super::command;
use super::editor::{Ended, LineEditor};
use super::event::{Event, Key};
use super::external::{self, Refusal};
use super::filter::Filter;
use super::inbox::Doorbell;
use super::screen::Screen;
use super::secret::{self, Answer, Source};
use super::session::Known;
use super::stdin::{Lines, Next};
use super::store::Store;
use super::terminal;

/// The kind of input to read.
pub(super) enum Ask {
    /// A line; if lines are edited, with the screen's prompt.
    Line,
    /// A line that answers a question. The history keeps it only if it is something else.
    Answer,
    /// A line that says whether a server is trusted. The history does not keep it, whatever was typed.
    Trust,
    /// A text that begins with this, from an editor of the user's.
    Edit(String),
    /// A secret.
    Secret(Wanted),
}

/// The lines that the history keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeps {
    All,
    AllButAnswers,
    Nothing,
}

/// The source of lines.
pub(super) enum Origin {
    /// A person: lines are edited on a terminal, with the history of earlier runs.
    Editor {
        /// Draws the line.
        screen: Arc<Screen>,
        /// The names to complete.
        known: Arc<Mutex<Known>>,
        /// Stores the history, if it is stored.
        store: Option<Store>,
    },
    /// Standard input, unchanged except by the filter.
    Stdin {
        /// The parts that are removed.
        filter: Filter,
    },
}

/// The main thread's end of the keyboard.
pub(super) struct Keyboard {
    /// Dropping it ends the thread …
    asks: Option<SyncSender<Ask>>,
    /// … so that it can be joined.
    thread: Option<JoinHandle<Option<String>>>,
    /// A request has not been answered yet.
    is_busy: bool,
    is_interrupting: Arc<AtomicBool>,
    /// The thread waits for standard input, which has nothing to read.
    is_waiting: Arc<AtomicBool>,
    /// The current line is kept out of the history.
    is_forgetful: Arc<AtomicBool>,
    /// A byte in here interrupts a wait in `poll`. It is never read.
    cancel: UnixStream,
    /// Whether rustyline may have to be interrupted.
    is_edited: bool,
}

impl Keyboard {
    /// Starts the thread. Its answers go to `doorbell`. If lines are edited, only this thread handles Ctrl-Z from now
    /// on: rustyline takes the terminal back as soon as it has sent itself the signal, which would be too early if
    /// another thread handled it.
    ///
    /// # Errors
    ///
    /// The process is out of threads or descriptors.
    pub(super) fn start(origin: Origin, source: Source, doorbell: Doorbell) -> io::Result<Self> {
        let (asks, wanted) = mpsc::sync_channel(1);
        let (cancel, cancelled) = UnixStream::pair()?;
        let is_interrupting = Arc::new(AtomicBool::new(false));
        cancel.set_nonblocking(true)?;
        let is_edited = matches!(origin, Origin::Editor { .. });
        if is_edited {
            stop_signal().thread_block()?;
        }
        let is_told = Arc::clone(&is_interrupting);
        let is_forgetful = Arc::new(AtomicBool::new(false));
        let forgets = Arc::clone(&is_forgetful);
        let is_waiting = Arc::new(AtomicBool::new(false));
        let waits = Arc::clone(&is_waiting);
        let mut reader =
            Reader { source, cancelled, is_interrupting: is_told, is_forgetful: forgets, has_talked: false, is_edited };
        let body = move || match origin {
            Origin::Editor { screen, known, store } => {
                edit(&mut reader, &wanted, &screen, &known, store.as_ref(), &doorbell);
                None
            }
            Origin::Stdin { filter } => read_stdin(&mut reader, Lines::new(waits), filter, &wanted, &doorbell),
        };
        let thread = thread::Builder::new().name("keyboard".to_owned()).spawn(body)?;
        let (asks, thread) = (Some(asks), Some(thread));
        Ok(Self { asks, thread, is_busy: false, is_interrupting, is_waiting, is_forgetful, cancel, is_edited })
    }

    /// Keeps the current line out of the history: a password is due, and may be typed into it.
    pub(super) fn forget_line(&self) {
        self.is_forgetful.store(true, Ordering::SeqCst);
    }

    /// Whether something is being read.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Whether a line of standard input is requested and everything read so far has been delivered. If the kernel had
    /// nothing to read just before, then there is no input at all.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_busy && self.is_waiting.load(Ordering::SeqCst)
    }

    /// Requests input. No other request may be open.
    pub(super) fn ask(&mut self, ask: Ask) {
        self.is_busy = true;
        if let Some(asks) = &self.asks {
            // The thread takes one request at a time, and lives until the last.
            let _ = asks.send(ask);
        }
    }

    /// The request has been answered.
    pub(super) fn answered(&mut self) {
        self.is_busy = false;
    }

    /// Interrupts the current request. The answer is [`Key::Interrupted`], unless another is under way. It may have no
    /// effect while the thread is only starting; repeat it until there is an answer.
    pub(super) fn interrupt(&mut self) {
        if !self.is_interrupting.swap(true, Ordering::SeqCst) {
            // The socket has room for one byte.
            let _ = self.cancel.write(b".");
        }
        if self.is_edited
            && let Some(thread) = &self.thread
        {
            // rustyline takes it for Ctrl-C. Otherwise it only wakes the inbox.
            let _ = pthread_kill(thread.as_pthread_t(), Signal::SIGINT);
        }
    }

    /// Ends the thread, which must not be busy, and waits for it. Returns the next line of standard input, if it has
    /// read more than was requested.
    pub(super) fn finish(&mut self) -> Option<String> {
        self.asks = None;
        // A panic would have ended the process.
        self.thread.take()?.join().ok().flatten()
    }
}

/// The signal of Ctrl-Z.
fn stop_signal() -> SigSet {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTSTP);
    signals
}

/// State that both kinds of thread need.
struct Reader {
    source: Source,
    cancelled: UnixStream,
    is_interrupting: Arc<AtomicBool>,
    is_forgetful: Arc<AtomicBool>,
    /// Whether a line has been requested, which happens after the login.
    has_talked: bool,
    /// Whether a person types, who can be asked for a new password.
    is_edited: bool,
}

impl Reader {
    fn is_interrupting(&self) -> bool {
        self.is_interrupting.load(Ordering::SeqCst)
    }

    fn asks_person(&self, wanted: Wanted) -> bool {
        !self.source.answers(wanted, self.has_talked)
            && self.source.refuses(wanted, self.has_talked, self.is_edited).is_none()
    }

    fn secret(&self, wanted: Wanted, prompt: &str) -> Key {
        if let Some(why) = self.source.refuses(wanted, self.has_talked, self.is_edited) {
            return Key::NoSecret(why);
        }
        let answer = if self.source.answers(wanted, self.has_talked) {
            self.source.ask(&self.cancelled)
        } else {
            // If lines are edited, the screen ends the line.
            secret::ask_person(prompt, if self.is_edited { "" } else { "\n" }, &self.cancelled)
        };
        match answer {
            Answer::Given(secret) => Key::Secret(Some(secret)),
            Answer::Interrupted if self.is_interrupting() => Key::Interrupted(String::new()),
            Answer::Refused | Answer::Interrupted => Key::Secret(None),
            Answer::Impossible(why) => Key::Failed(why),
        }
    }
}

/// The body of the thread if a person types.
fn edit(
    reader: &mut Reader,
    asks: &Receiver<Ask>,
    screen: &Arc<Screen>,
    known: &Arc<Mutex<Known>>,
    store: Option<&Store>,
    doorbell: &Doorbell,
) {
    // If it stays blocked, Ctrl-Z has no effect.
    let _ = stop_signal().thread_unblock();
    let history = store.and_then(|store| store.history().ok()).unwrap_or_default();
    let made = LineEditor::new(screen, known, &history).and_then(|mut editor| Ok((editor.waker()?, editor)));
    let (mut wake, mut editor) = match made {
        Ok(made) => made,
        Err(error) => {
            doorbell.ring(Event::Key(Key::Failed(format!("the terminal cannot be used: {error}"))));
            return;
        }
    };
    // The waker blocks while no line is edited, so it has a thread of its own.
    let waking = Arc::clone(screen);
    let waker = thread::Builder::new().name("screen".to_owned()).spawn(move || {
        // If it stays unblocked, Ctrl-Z may take the terminal from the editor. See `Keyboard::start`.
        let _ = stop_signal().thread_block();
        while waking.wait_to_wake() {
            wake();
        }
    });
    while let Ok(ask) = asks.recv() {
        reader.has_talked |= matches!(ask, Ask::Line);
        let key = match ask {
            Ask::Line => edit_line(reader, &mut editor, store, Keeps::All, doorbell),
            Ask::Answer => edit_line(reader, &mut editor, store, Keeps::AllButAnswers, doorbell),
            Ask::Trust => edit_line(reader, &mut editor, store, Keeps::Nothing, doorbell),
            Ask::Edit(text) => {
                screen.lend();
                terminal::lend();
                let edited = external::edit(&text, &reader.cancelled);
                terminal::hush();
                screen.end_line();
                match edited {
                    Ok(text) => Key::Edited(Ok(text)),
                    Err(Refusal::Because(why)) => Key::Edited(Err(why)),
                    Err(Refusal::Interrupted) => Key::Interrupted(String::new()),
                }
            }
            Ask::Secret(wanted) if !reader.asks_person(wanted) => reader.secret(wanted, ""),
            Ask::Secret(wanted) => {
                let prompt = screen.begin_secret(secret::prompt(wanted));
                let key = reader.secret(wanted, &prompt);
                screen.end_secret();
                key
            }
        };
        if !doorbell.ring(Event::Key(key)) {
            break;
        }
    }
    screen.finish();
    // This releases a blocked waker.
    drop(editor);
    if let Ok(waker) = waker {
        let _ = waker.join();
    }
}

/// Reads one line. Ctrl-C discards what is typed, and another line begins.
fn edit_line(
    reader: &Reader,
    editor: &mut LineEditor,
    store: Option<&Store>,
    keeps: Keeps,
    doorbell: &Doorbell,
) -> Key {
    reader.is_forgetful.store(false, Ordering::SeqCst);
    loop {
        match editor.edit() {
            Ok(Ended::Line(line)) => {
                let is_kept = match keeps {
                    Keeps::All => true,
                    Keeps::AllButAnswers => command::answer(&line).is_none(),
                    Keeps::Nothing => false,
                };
                if is_kept && !reader.is_forgetful.load(Ordering::SeqCst) {
                    remember(&line, editor, store);
                }
                return Key::Line(line);
            }
            Ok(Ended::Eof) => return Key::End,
            Ok(Ended::Interrupted(typed)) if reader.is_interrupting() => return Key::Interrupted(typed),
            Ok(Ended::Interrupted(typed)) if typed.is_empty() => return Key::Cancel,
            Ok(Ended::Interrupted(_)) => {}
            Ok(Ended::BadKey) => {
                // If the inbox is closed, the line is interrupted anyway.
                doorbell.ring(Event::BadKey);
            }
            Err(error) => return Key::Failed(format!("the terminal cannot be read: {error}")),
        }
    }
}

/// Adds a line to the history of this run and the next. A line with line ends is kept for this run only, because the
/// file has one line for each.
fn remember(line: &str, editor: &mut LineEditor, store: Option<&Store>) {
    let line = line.trim_end();
    if line.is_empty() || command::holds_secret(line) {
        return;
    }
    editor.remember(line);
    if let Some(store) = store
        && !line.contains(['\n', '\r'])
    {
        store.add_history(line);
    }
}

/// The body of the thread for standard input. Returns the next line if it has read more than was requested.
fn read_stdin(
    reader: &mut Reader,
    mut lines: Lines,
    filter: Filter,
    asks: &Receiver<Ask>,
    doorbell: &Doorbell,
) -> Option<String> {
    while let Ok(ask) = asks.recv() {
        reader.has_talked |= matches!(ask, Ask::Line);
        let key = match ask {
            Ask::Line | Ask::Answer | Ask::Trust => match lines.next(&reader.cancelled) {
                Next::Line(line) => Key::Line(filter.apply(&line)),
                Next::Bad(why) => Key::BadLine(why),
                Next::End => Key::End,
                Next::Failed(error) => Key::Broken(format!("standard input: {error}")),
                Next::Cancelled => Key::Interrupted(String::new()),
            },
            // Only people who edit lines are asked for one.
            Ask::Edit(_) => Key::Edited(Err("no lines are edited".to_owned())),
            Ask::Secret(wanted) => reader.secret(wanted, secret::prompt(wanted)),
        };
        if !doorbell.ring(Event::Key(key)) {
            break;
        }
    }
    lines.has_rest().then(|| filter.apply(&lines.rest()))
}
