//! The server's own answers to one client.

use std::fmt::{Arguments, Display};

use super::caps::Caps;
use super::names::Nick;
use super::numerics::Numeric;
use super::server::Server;
use super::spell::Dress;
use super::wire::{BODY_BYTES, Tags, push_body, push_line};
use crate::text;

/// Writes answers to one client.
#[derive(Debug)]
pub(super) struct Voice<'a> {
    pub(super) server: &'a Server,
    pub(super) caps: Caps,
    /// Now, in milliseconds since 1970.
    pub(super) time_ms: u64,
    /// The client's nick, or `*`.
    pub(super) me: &'a str,
    pub(super) out: &'a mut Vec<u8>,
}

impl Voice<'_> {
    /// A numeric with its words.
    pub(super) fn say(&mut self, numeric: Numeric) {
        self.number(numeric, format_args!(":{}", numeric.words()));
    }

    /// A numeric about something, with its words.
    pub(super) fn about(&mut self, numeric: Numeric, what: impl Display) {
        self.number(numeric, format_args!("{what} :{}", numeric.words()));
    }

    /// A numeric with all that stands behind the client's nick.
    pub(super) fn number(&mut self, numeric: Numeric, rest: Arguments<'_>) {
        let Self { server, me, .. } = self;
        push_body(self.out, format_args!(":{} {:03} {me} {rest}", server.name, numeric.code()));
    }

    /// A failure of IRCv3. `context` is empty or begins with a space.
    pub(super) fn fail(&mut self, command: &str, code: &str, context: &str, why: &str) {
        self.server_line(format_args!("FAIL {command} {code}{context} :{why}"));
    }

    /// A refusal for which IRC has no number: FAIL for a client that has asked for standard replies, otherwise a notice.
    pub(super) fn refuse(&mut self, command: &str, code: &str, why: &str) {
        if self.caps.has(Caps::STANDARD_REPLIES) { self.fail(command, code, "", why) } else { self.notice(why) }
    }

    /// A notice of the server, for people.
    pub(super) fn notice(&mut self, text: impl Display) {
        let me = self.me.to_owned();
        self.server_line(format_args!("NOTICE {me} :{text}"));
    }

    /// A line of the server.
    pub(super) fn server_line(&mut self, rest: Arguments<'_>) {
        let dress = Dress { server: self.server, caps: self.caps, time_ms: self.time_ms };
        dress.push_server(rest, self.out);
    }

    /// A line of the server that has no source.
    pub(super) fn bare_line(&mut self, rest: Arguments<'_>) {
        let tags = Tags { time_ms: self.time_ms, ..Tags::default() };
        push_line(self.out, self.caps, tags, rest);
    }

    /// A line of a user.
    pub(super) fn user_line(&mut self, who: Nick<'_>, rest: Arguments<'_>) {
        let dress = Dress { server: self.server, caps: self.caps, time_ms: self.time_ms };
        dress.push(who, rest, self.out);
    }

    /// A line of a client that is nobody in the chat, for itself.
    pub(super) fn line_of(&mut self, source: &str, rest: Arguments<'_>) {
        let tags = Tags { time_ms: self.time_ms, ..Tags::default() };
        push_line(self.out, self.caps, tags, format_args!(":{source} {rest}"));
    }

    /// Words behind `head`, with this between them, as many in a line as fit; no line if there are none.
    pub(super) fn words<W: AsRef<str>>(&mut self, numeric: Numeric, head: &str, between: char, words: &[W]) {
        let fixed = self.server.name.len() + self.me.len() + head.len() + FIXED_BYTES;
        let most = BODY_BYTES.saturating_sub(fixed);
        let mut line = String::new();
        for word in words {
            let word = word.as_ref();
            if !line.is_empty() && line.len() + 1 + word.len() > most {
                self.number(numeric, format_args!("{head}:{line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(between);
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.number(numeric, format_args!("{head}:{line}"));
        }
    }
}

/// Bytes of a numeric besides the server, the nick and what follows: `: 353  :`.
const FIXED_BYTES: usize = 8;

/// A word of a client as an answer may repeat it: `*` if it is none, or would be taken for something else.
pub(super) fn repeated(word: &str) -> &str {
    let is_plain = text::check(word.as_bytes()).is_some_and(|checked| checked.is_clean);
    let is_word = !word.is_empty() && !word.starts_with(':') && !word.contains([' ', '\t']);
    if is_plain && is_word && word.len() <= REPEATED_BYTES { word } else { "*" }
}

/// The longest word of a client that is repeated.
const REPEATED_BYTES: usize = 200;
