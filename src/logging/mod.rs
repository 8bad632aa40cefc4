//! The log: one line an event, in UTC with milliseconds.
//!
//! Logging never waits for the disk or the terminal. A line goes into a bounded queue; if the queue is full, the line
//! is dropped and counted. A thread writes the queue, logs how many lines are missing, and goes on after a failed
//! write.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};
use simplelog::{Config, ConfigBuilder, WriteLogger, format_description};

pub use self::target::{Taken, Target};
use crate::limits::LOG_LINES;
use crate::text::{self, Class};

mod target;

/// Bytes of one message, so that the queue is bounded in bytes too. The server's own messages are far shorter, but they
/// may quote the operator's configuration.
const MESSAGE_BYTES: usize = 4096;
/// How long the end of the process waits for the last lines to be written.
const FINISH: Duration = Duration::from_secs(1);

static QUEUE: Queue = Queue::new();

/// Starts logging for the life of the process.
///
/// # Errors
/// The file cannot be opened (the text says which and why), or logging was started before.
pub fn start(level: LevelFilter, target: &Target) -> Result<(), String> {
    let mut writer = Writer { queue: &QUEUE, sink: target.open()?, torn: false, told: 0 };
    log::set_logger(&Logger).map_err(|_| "log: started twice in one process".to_owned())?;
    log::set_max_level(level);
    let run = move || {
        loop {
            writer.turn();
        }
    };
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(run)
        .map_err(|error| format!("log: no thread for it: {error}"))?;
    Ok(())
}

/// Changes the level now, and makes the writer open `target` after the lines that are queued. If that fails, the log
/// stays where it is and says why.
pub fn reopen(level: LevelFilter, target: Target) {
    log::set_max_level(level);
    QUEUE.reopen(target);
}

/// Lines dropped since the start, because the queue was full or they could not be written.
pub fn dropped() -> u64 {
    QUEUE.lock().dropped
}

/// Waits for up to a second until all lines are written. False if that was not enough.
pub fn finish() -> bool {
    QUEUE.drained(FINISH)
}

/// The text with all characters escaped that could control a terminal, break a line, or are invisible: everything but
/// [`Class::Plain`].
pub fn escape(text: &str) -> Cow<'_, str> {
    if text::classes(text).all(|(_, class)| class == Class::Plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for (c, class) in text::classes(text) {
        match class {
            Class::Plain => safe.push(c),
            Class::Tab | Class::TakenOut | Class::Refused => safe.extend(c.escape_default()),
        }
    }
    Cow::Owned(safe)
}

/// The target of the macros of `log`.
struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            QUEUE.push(line(record.level(), &message(record)));
        }
    }

    fn flush(&self) {
        finish();
    }
}

/// The message, cut to [`MESSAGE_BYTES`]. It is formatted here, so that a panic in a `Display` does not happen under a
/// lock.
fn message(record: &Record<'_>) -> String {
    let mut text = String::new();
    if write!(text, "{}", record.args()).is_err() {
        text.push('…');
    }
    if text.len() > MESSAGE_BYTES {
        let cut = (0..=MESSAGE_BYTES).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(cut.unwrap_or_default());
        text.push('…');
    }
    text
}

/// A line of the log with its LF, in simplelog's format: time, level, message.
fn line(level: Level, message: &str) -> Vec<u8> {
    static FORM: LazyLock<Box<WriteLogger<Buffer>>> =
        LazyLock::new(|| WriteLogger::new(LevelFilter::Trace, form(), Buffer));
    FORM.log(&Record::builder().level(level).args(format_args!("{}", escape(message))).build());
    BUFFER.try_with(RefCell::take).unwrap_or_default()
}

fn form() -> Config {
    ConfigBuilder::new()
        .set_time_format_custom(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        ))
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .build()
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Collects the pieces that simplelog writes, for each thread.
struct Buffer;

impl Write for Buffer {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        // A thread that is ending has no buffer any more, and the line is lost.
        let _ = BUFFER.try_with(|buffer| buffer.borrow_mut().extend_from_slice(piece));
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines and requests that wait for the writer.
struct Queue {
    state: Mutex<State>,
    work: Condvar,
    idle: Condvar,
}

struct State {
    items: VecDeque<Item>,
    dropped: u64,
    writing: bool,
}

enum Item {
    Line(Vec<u8>),
    Reopen(Target),
}

impl Queue {
    const fn new() -> Self {
        let state = State { items: VecDeque::new(), dropped: 0, writing: false };
        Self { state: Mutex::new(state), work: Condvar::new(), idle: Condvar::new() }
    }

    /// No code under this lock can leave the state half changed, so poisoning does not matter.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Vec<u8>) {
        let mut state = self.lock();
        if state.items.len() < LOG_LINES {
            state.items.push_back(Item::Line(line));
            self.work.notify_one();
        } else {
            state.dropped += 1;
        }
    }

    /// Never fails: it replaces an earlier request that was not carried out.
    fn reopen(&self, target: Target) {
        let mut state = self.lock();
        state.items.retain(|item| matches!(item, Item::Line(_)));
        state.items.push_back(Item::Reopen(target));
        self.work.notify_one();
    }

    /// Waits for items and takes all of them.
    fn take(&self) -> VecDeque<Item> {
        let mut state = self.lock();
        state.writing = false;
        if state.items.is_empty() {
            self.idle.notify_all();
        }
        let mut state =
            self.work.wait_while(state, |state| state.items.is_empty()).unwrap_or_else(PoisonError::into_inner);
        state.writing = true;
        std::mem::take(&mut state.items)
    }

    /// Waits until everything is written. False if `patience` ran out.
    fn drained(&self, patience: Duration) -> bool {
        let busy = |state: &mut State| state.writing || !state.items.is_empty();
        let waited = self.idle.wait_timeout_while(self.lock(), patience, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// The writing thread.
struct Writer<'a> {
    queue: &'a Queue,
    sink: Box<dyn Write + Send>,
    /// The last line was written in part, and the next one must not continue it.
    torn: bool,
    /// The number of dropped lines that the log has reported.
    told: u64,
}

impl Writer<'_> {
    /// Takes all queued items, waiting for the first one, and writes them.
    fn turn(&mut self) {
        let items = self.queue.take();
        let mut text = Vec::new();
        for item in items {
            match item {
                Item::Line(line) => text.extend_from_slice(&line),
                Item::Reopen(target) => {
                    self.write(&std::mem::take(&mut text));
                    self.reopen(&target);
                }
            }
        }
        self.write(&text);
        self.tell();
    }

    fn reopen(&mut self, target: &Target) {
        match target.open() {
            Ok(sink) => {
                self.sink = sink;
                self.torn = false;
            }
            Err(why) => self.write(&line(Level::Error, &format!("{why}; the log stays where it was"))),
        }
    }

    /// Logs how many lines are missing, if that number has grown.
    fn tell(&mut self) {
        let dropped = self.queue.lock().dropped;
        let missing = dropped - self.told;
        if missing > 0 {
            let why = "the log was too slow, or could not be written";
            if self.write_all(&line(Level::Warn, &format!("{missing} log lines were dropped: {why}"))).is_ok() {
                self.told = dropped;
            }
        }
    }

    /// Writes lines and counts those as dropped that could not be written.
    fn write(&mut self, lines: &[u8]) {
        if let Err(unwritten) = self.write_all(lines) {
            self.queue.lock().dropped += unwritten;
        }
    }

    /// Writes all lines.
    ///
    /// # Errors
    /// The number of lines that are not complete in the log.
    fn write_all(&mut self, lines: &[u8]) -> Result<(), u64> {
        let mut rest = lines;
        if self.torn && !rest.is_empty() && self.sink.write_all(b"\n").is_ok() {
            self.torn = false;
        }
        while !rest.is_empty() && !self.torn {
            match self.sink.write(rest) {
                Ok(written @ 1..) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    let written = lines.len() - rest.len();
                    self.torn = lines.get(..written).and_then(<[u8]>::last).is_some_and(|&byte| byte != b'\n');
                    return Err(count_lines(rest));
                }
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(count_lines(rest)) }
    }
}

fn count_lines(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests;
