//! The lines of a script. One that was not executed is named, and makes the exit code 1.

use std::rc::Rc;

use chatd::limits::LINE_BYTES;
use chatd::text::{Class, classes};

use super::Session;
use super::requests::{Line, Request};
use crate::action::{Action, Shown, Status, Weight};
use crate::command::{holds_secret, unindented, word};

/// The status that names a line of a script, or the text of `--once`, that was not executed.
pub const NOT_DONE: &str = "not-done";
/// The kinds of status of a refused password: the next attempt may succeed.
const TRIES: [&str; 3] = ["password", "wrong-password", "password-needed"];

/// How many characters of a line are shown when it is named; it may have thousands.
const NAMED: usize = 200;

/// The state of a script.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The number of lines taken.
    count: usize,
    /// The line that is being executed or answered.
    current: Option<Rc<Line>>,
    /// The last line that asked for a text.
    question: Option<Rc<Line>>,
    /// The line that changes the password, which takes several answers.
    change: Option<Rc<Line>>,
    /// Whether the text of `--once` has been named.
    is_named: bool,
}

impl Script {
    /// The line that a request belongs to.
    pub(super) fn origin(&mut self, request: &Request) -> Option<Rc<Line>> {
        match request {
            // Requests of the client itself.
            Request::Token | Request::Noop | Request::Resume | Request::Read | Request::Cancel | Request::Exit => None,
            Request::People(ask) if !ask.is_typed() => None,
            Request::Passwd => {
                self.change = self.current.clone().or(self.change.take());
                self.change.clone()
            }
            Request::Say(_)
            | Request::Open
            | Request::Refused { .. }
            | Request::List { .. }
            | Request::Enter { .. }
            | Request::Leave(_)
            | Request::Close(_)
            | Request::Kick { .. }
            | Request::Page { .. }
            | Request::Unread
            | Request::Change { .. }
            | Request::People(_)
            | Request::Find(_) => self.current.clone(),
        }
    }

    /// The number of lines taken.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether the text of `--once` has been named as not sent.
    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }
}

impl Session {
    /// Starts a line of a script.
    pub(super) fn begin_line(&mut self, line: &str) {
        if self.settings.people {
            return;
        }
        self.script.count += 1;
        // It may hold the password of a room.
        let text = if holds_secret(line) { format!("{} …", word(unindented(line)).0) } else { cut(line) };
        self.script.current = Some(Rc::new(Line { number: Some(self.script.count), text }));
    }

    /// Starts the text of `--once`.
    pub(super) fn begin_once(&mut self) {
        if let Some(once) = &self.settings.once {
            self.script.current = Some(Rc::new(Line { number: None, text: cut(&once.text) }));
        }
    }

    /// Everything from here on belongs to this line.
    pub(super) fn continue_line(&mut self, line: Option<Rc<Line>>) {
        self.script.current = line;
    }

    /// Everything from here on belongs to no line.
    pub(super) fn end_line(&mut self) {
        self.script.current = None;
    }

    /// A line of a script cannot be used, and why.
    pub(super) fn on_bad_line_typed(&mut self, why: &str) {
        self.talk.forget_ask();
        self.begin_line("");
        self.refuse("dropped", why.to_owned());
        self.end_line();
    }

    /// The current line failed. It is named once, even if more errors follow.
    pub(super) fn fail_line(&mut self, why: Option<&str>) {
        let Some(line) = self.script.current.take() else { return };
        self.has_failed = true;
        self.script.is_named |= line.number.is_none();
        let what = match line.number {
            Some(number) if line.text.is_empty() => format!("line {number} was not done"),
            Some(number) => format!("line {number} was not done: {}", line.text),
            None => format!("not sent: {}", line.text),
        };
        let text = why.map_or_else(|| what.clone(), |why| format!("{what} ({why})"));
        let status = Status { weight: Weight::Trouble, kind: NOT_DONE, text };
        self.actions.push_back(Action::Show(Shown::Status(status)));
    }

    /// The current line asks for a text.
    pub(super) fn ask_in_line(&mut self) {
        self.script.question = self.script.current.clone();
    }

    /// The input ended where a text was asked for.
    pub(super) fn fail_question(&mut self) {
        self.script.current = self.script.question.take();
        self.fail_line(Some("no text followed"));
    }

    /// The connection is lost, and with it the answer to this line.
    pub(super) fn lose_line(&mut self, line: Option<Rc<Line>>) {
        self.script.current = line;
        self.fail_line(Some("no answer"));
    }

    /// The password stays unchanged although a line wanted to change it.
    pub(super) fn fail_change(&mut self) {
        self.script.current = self.script.change.take();
        self.fail_line(None);
    }

    /// Whether a line of this type and with these words can be sent. If not, the user is told.
    pub(super) fn can_send(&mut self, kind: &str, words: &[&str]) -> bool {
        let bytes = kind.len() + words.iter().map(|word| 1 + word.len()).sum::<usize>() + 1;
        let most = usize::try_from(LINE_BYTES).unwrap_or(usize::MAX);
        if bytes > most {
            self.refuse("too-long", format!("not sent: it takes a line of {bytes} bytes, and {most} are the most"));
            return false;
        }
        // A line end becomes a space.
        let is_bad = |(c, class): &(char, Class)| *class == Class::Refused && !matches!(c, '\n' | '\r');
        if let Some((bad, _)) = words.iter().flat_map(|word| classes(word)).find(is_bad) {
            let escapes = if bad == '\u{1b}' { "; --strip-ansi takes escapes out of a script" } else { "" };
            let why = format!("not sent: it holds U+{:04X}, a character that no server takes{escapes}", u32::from(bad));
            self.refuse("not-sent", why);
            return false;
        }
        true
    }
}

/// The start of a line, enough to recognize it.
fn cut(line: &str) -> String {
    match line.char_indices().nth(NAMED) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Whether this output says that its line failed; and why, in the server's words if there are any.
pub(super) fn failure(shown: &Shown) -> Option<Option<String>> {
    match shown {
        Shown::Reply { code, more: false, text } if *code >= 400 => Some(Some(text.clone())),
        Shown::Status(Status { weight: Weight::Trouble, kind, .. }) if !TRIES.contains(kind) => Some(None),
        Shown::Reply { .. }
        | Shown::Status(_)
        | Shown::Message(_)
        | Shown::Hole(_)
        | Shown::New
        | Shown::Notice { .. } => None,
    }
}
