//! Output formats: lines for people, plain lines and JSON.
//!
//! Nothing that was received is trusted: all of it goes through [`visible`].

pub mod call;
mod json;
mod notice;

use std::fmt::Write as _;
use std::ops::Range;

use chatd::mention;
use jiff::Timestamp;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::action::{Hole, Message, Now, Place, Shown, Status, Weight, act_of};
use super::visible::visible;
use super::wrap::wrapped;

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For a terminal: the time of day, and a line when the date changes.
    People {
        /// Whether colours, bold and dim text are used.
        colour: bool,
    },
    /// For scripts and files: one line each, with date and time, without escapes.
    Plain,
    /// One JSON object per line.
    Json,
}

/// Formatted output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whole lines, each with its LF.
    pub text: String,
}

/// The formatter.
#[derive(Debug)]
pub struct View {
    form: Form,
    zone: TimeZone,
    day: Option<Date>,
    /// The user's name, in any case.
    user: String,
}

/// Whether colours may be used: the output is a terminal that supports them, and neither the user (`--no-color`) nor
/// the environment (a non-empty `NO_COLOR`, or `TERM=dumb`) forbids them.
pub fn may_colour(is_terminal: bool, is_refused: bool, no_color: Option<&str>, term: Option<&str>) -> bool {
    is_terminal && !is_refused && no_color.is_none_or(str::is_empty) && term != Some("dumb")
}

impl View {
    /// A formatter for this form, with times of this zone (`TimeZone::system()` for people).
    pub fn new(form: Form, zone: TimeZone) -> Self {
        Self { form, zone, day: None, user: String::new() }
    }

    /// Marks the name of this user where a message mentions it.
    #[must_use]
    pub fn for_user(mut self, user: &str) -> Self {
        user.clone_into(&mut self.user);
        self
    }

    /// Formats this for a terminal with this many columns (0: unknown). For people, a longer line continues under its
    /// own text, not under the time.
    pub fn show(&mut self, shown: &Shown, now: Now, columns: usize) -> Seen {
        let unix_ms = time_of(shown, now);
        let colour = match self.form {
            Form::Json => return Seen { text: json::line(shown, now) },
            Form::Plain => false,
            Form::People { colour } => colour,
        };
        let pen = Pen { colour, user: &self.user };
        if *shown == Shown::New {
            return Seen { text: pen.paint(DIM, NEW) + "\n" };
        }
        let mut text = String::new();
        let time = self.local(unix_ms);
        let stamp = if self.form == Form::Plain {
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        } else {
            if self.day.replace(time.date()).is_some_and(|day| day != time.date()) {
                let day = time.strftime("-- %A, %-d %B %Y --").to_string();
                text.push_str(&pen.paint(DIM, &day));
                text.push('\n');
            }
            time.strftime("%H:%M").to_string()
        };
        let body = match shown {
            Shown::Message(message) => pen.message(message),
            Shown::Hole(hole) => pen.paint(TROUBLE, &told_hole(hole)),
            Shown::New => String::new(), // see above
            Shown::Reply { code, text, .. } if *code >= 400 => pen.paint(TROUBLE, &format!("! {}", visible(text))),
            Shown::Reply { text, .. } => format!("  {}", visible(text)),
            Shown::Notice { code, text } => {
                let minute = |id: u64| self.local(id >> 20).strftime("%H:%M").to_string();
                pen.paint(DIM, &format!("-- {}", visible(&notice::sentence(*code, text, minute))))
            }
            Shown::Status(Status { weight: Weight::Note, text, .. }) => {
                pen.paint(DIM, &format!("-- {}", visible(text)))
            }
            Shown::Status(Status { weight: Weight::Trouble, text, .. }) => {
                pen.paint(TROUBLE, &format!("!! {}", visible(text)))
            }
        };
        let line = format!("{} {body}", pen.paint(DIM, &stamp));
        let line = if self.form == Form::Plain { line } else { wrapped(&line, columns, stamp.len() + 1) };
        let _infallible = writeln!(text, "{line}");
        Seen { text }
    }

    /// A notice of the server as a sentence.
    pub(super) fn notice(&self, code: u16, text: &str) -> String {
        let minute = |id: u64| self.local(id >> 20).strftime("%H:%M").to_string();
        visible(&notice::sentence(code, text, minute)).into_owned()
    }

    /// The local time. A server can send times outside of any calendar.
    pub(super) fn local(&self, unix_ms: u64) -> Zoned {
        let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        time.unwrap_or(Timestamp::MAX).to_zoned(self.zone.clone())
    }
}

/// When this was said or happened, in milliseconds of Unix time.
fn time_of(shown: &Shown, now: Now) -> u64 {
    match shown {
        Shown::Message(message) => message.unix_ms,
        Shown::Hole(hole) => hole.id >> 20,
        Shown::New | Shown::Reply { .. } | Shown::Notice { .. } | Shown::Status(_) => now.unix_ms,
    }
}

/// A hole, for people.
fn told_hole(hole: &Hole) -> String {
    let place = match &hole.place {
        Place::Public => String::new(),
        Place::Room(room) => format!("[{}] ", visible(room)),
        Place::Direct { with } => format!("[{}] ", visible(with)),
    };
    format!("{place}... {}", visible(&hole.text))
}

/// The line before what is new to the user.
const NEW: &str = "--- new ---";
const DIM: &str = "2";
const LOUD: &str = "1";
/// The user's name in a message for the user.
const MENTION: &str = "1;7";
const TROUBLE: &str = "33";
/// The colours of names: legible on a light and on a dark background.
const NAMES: [&str; 10] = ["31", "32", "34", "35", "36", "91", "92", "94", "95", "96"];

struct Pen<'a> {
    colour: bool,
    user: &'a str,
}

impl Pen<'_> {
    fn message(&self, message: &Message) -> String {
        let Message { place, from, text, confirmed, stands_out, is_own, is_past, .. } = message;
        let name = |name: &str| if *is_past { visible(name).into_owned() } else { self.name(name) };
        let act = act_of(text);
        let head = match (place, act) {
            (Place::Public, None) => format!("{}:", name(from)),
            (Place::Room(room), None) => format!("[{}] {}:", visible(room), name(from)),
            (Place::Direct { with }, None) if *is_own => format!("-> {}:", name(with)),
            (Place::Direct { with }, None) => format!("{} -> you:", name(with)),
            (Place::Public, Some(_)) => format!("* {}", name(from)),
            (Place::Room(room), Some(_)) => format!("[{}] * {}", visible(room), name(from)),
            (Place::Direct { with }, Some(_)) if *is_own => format!("-> {}: * {}", name(with), name(from)),
            (Place::Direct { .. }, Some(_)) => format!("-> you: * {}", name(from)),
        };
        let text = act.unwrap_or(text);
        if *is_past && !stands_out {
            return self.paint(DIM, &format!("{head} {}", visible(text)));
        }
        let head = if *is_past { self.paint(DIM, &head) } else { head };
        let text = if *stands_out { self.loud(text) } else { visible(text).into_owned() };
        let tail = confirmed
            .as_ref()
            .map_or(String::new(), |confirmed| self.paint(DIM, &format!(" ({})", visible(confirmed))));
        format!("{head} {text}{tail}")
    }

    /// A text for the user, with the user's name marked.
    fn loud(&self, text: &str) -> String {
        let mut out = String::new();
        let mut paint = |how: &str, range: Range<usize>| {
            let part = text.get(range).unwrap_or_default();
            if !part.is_empty() {
                out.push_str(&self.paint(how, &visible(part)));
            }
        };
        let mut at = 0;
        for name in mention::find(text, self.user) {
            paint(LOUD, at..name.start);
            at = name.end;
            paint(MENTION, name);
        }
        paint(LOUD, at..text.len());
        out
    }

    /// A name in its own colour, which is the same in any case and in every run.
    fn name(&self, name: &str) -> String {
        // FNV-1a.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        // Names that differ in one letter differ in few bits of the hash; folding makes all bits count.
        let folded = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32;
        let place = usize::try_from(folded % NAMES.len() as u64).unwrap_or(0);
        self.paint(NAMES.get(place).copied().unwrap_or(DIM), &visible(name))
    }

    fn paint(&self, how: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{how}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests;
