//! Lines of the server: tags, the rest, and its bound.

use std::fmt::{self, Write as _};

use super::caps::Caps;
use super::split::fitting;
use crate::door::operator::utc_ms;
use crate::door::wire::Wire;
use crate::limits::IRC_LINE_BYTES;

/// The longest line without its tags and its CR and LF, in bytes.
pub(super) const BODY_BYTES: usize = IRC_LINE_BYTES - 2;

/// The tags of a line, as far as its receiver takes them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tags<'a> {
    /// The batch that it belongs to.
    pub(super) batch: Option<&'a str>,
    /// When it was, in milliseconds since 1970.
    pub(super) time_ms: u64,
    /// The id of the message.
    pub(super) id: Option<u64>,
    /// The sender's account.
    pub(super) account: Option<&'a str>,
}

/// Appends a line with its end. What is too long for a line is cut off, at the end of a character: callers split what
/// may be longer. A byte that would end the line becomes a space.
pub(super) fn push_line(out: &mut Vec<u8>, caps: Caps, tags: Tags<'_>, body: fmt::Arguments<'_>) {
    push_tags(out, caps, tags);
    push_body(out, body);
}

/// The same without tags: numerics and a few other answers.
pub(super) fn push_body(out: &mut Vec<u8>, body: fmt::Arguments<'_>) {
    let start = out.len();
    let result = Wire(out).write_fmt(body);
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    let written = out.get_mut(start..).unwrap_or_default();
    for byte in written.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        *byte = b' ';
    }
    let written = std::str::from_utf8(written).unwrap_or_default();
    let length = fitting(written, BODY_BYTES).len();
    out.truncate(start + length);
    out.extend_from_slice(b"\r\n");
}

fn push_tags(out: &mut Vec<u8>, caps: Caps, tags: Tags<'_>) {
    let Tags { batch, time_ms, id, account } = tags;
    let start = out.len();
    // The batch comes first: a line that is in one is recognised by that.
    let mut tag = |name: &str, value: &dyn fmt::Display| {
        let mark = if out.len() == start { '@' } else { ';' };
        let result = write!(Wire(out), "{mark}{name}={value}");
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    };
    if let Some(batch) = batch {
        tag("batch", &batch);
    }
    if caps.has(Caps::SERVER_TIME) {
        tag("time", &utc_ms(time_ms));
    }
    if let Some(id) = id.filter(|_| caps.has(Caps::MESSAGE_TAGS)) {
        tag("msgid", &id);
    }
    if let Some(account) = account.filter(|_| caps.has(Caps::ACCOUNT_TAG)) {
        tag("account", &account);
    }
    if out.len() > start {
        out.push(b' ');
    }
}

/// Puts a tag before the others of a line.
pub(super) fn push_with_tag(out: &mut Vec<u8>, name: &str, value: &str, line: &[u8]) {
    let (mark, rest): (&str, &[u8]) = match line.strip_prefix(b"@") {
        Some(rest) => (";", rest),
        None => (" ", line),
    };
    out.extend_from_slice(format!("@{name}={value}{mark}").as_bytes());
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::irc::caps::Bits;

    #[track_caller]
    fn check(bits: usize, expected: &str) {
        let tags = Tags { batch: None, time_ms: 1_795_714_284_250, id: Some(7), account: Some("bob") };
        let mut out = Vec::new();
        push_line(&mut out, Bits::of_index(bits).caps(), tags, format_args!(":a PING {}", "x"));
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}:a PING x\r\n"));
    }

    #[test]
    fn tags_are_those_that_the_receiver_takes() {
        check(0, "");
        check(1, "@time=2026-11-26T17:31:24.250Z ");
        check(2, "@msgid=7 ");
        check(4, "@account=bob ");
        check(7, "@time=2026-11-26T17:31:24.250Z;msgid=7;account=bob ");
    }

    #[test]
    fn a_line_is_one_line_and_not_too_long() {
        let mut out = Vec::new();
        push_body(&mut out, format_args!("a\r\nb\0{}", "é".repeat(400)));
        let line = String::from_utf8(out).unwrap();
        assert!(line.len() <= 512 && line.len() > 508, "{}", line.len());
        assert!(line.starts_with("a  b é") && line.find('\n') == Some(line.len() - 1));
    }

    #[test]
    fn more_tags() {
        let mut out = Vec::new();
        push_with_tag(&mut out, "label", "x", b"PONG\r\n");
        push_with_tag(&mut out, "batch", "1", b"@time=y PONG\r\n");
        assert_eq!(out, b"@label=x PONG\r\n@batch=1;time=y PONG\r\n");
    }
}
