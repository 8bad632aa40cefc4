//! IRC, as far as the load generator needs it. Without sockets and clocks.

mod base64;
mod login;

use super::line::Line;
pub(super) use login::Dialogue;

/// The first line of a client. Its answer is the greeting: the server says nothing by itself.
pub(super) const OPENING: &str = "PING :chatload";
/// The code for a refusal that has a word instead of a number.
pub(super) const FAIL: u16 = 400;
/// The code for the greeting and for the end, which are those of the typed dialect.
const GREETING: u16 = 220;
const END: u16 = 421;
/// How the reason for the end begins.
const CLOSING: &[u8] = b"ERROR :Closing link: ";

/// Parses a line of the server, given without its LF. There are no errors: an invalid line is [`Line::Other`].
pub(super) fn parse(line: &[u8]) -> Line<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.split_first() {
        Some((b'@', tagged)) => match word(tagged) {
            (tags, Some(rest)) => command(id(tags), rest).unwrap_or(Line::Other),
            (_, None) => Line::Other,
        },
        Some(_) => command(None, line).unwrap_or(Line::Other),
        None => Line::Other,
    }
}

/// The reason in the last line of a connection, which has a tag if the client takes times.
pub(super) fn reason(line: &[u8]) -> Option<&[u8]> {
    let line = if line.first() == Some(&b'@') { word(line).1? } else { line };
    let reason = line.strip_prefix(CLOSING)?;
    Some(reason.strip_suffix(b"\r").unwrap_or(reason))
}

/// The line behind its tags.
fn command(id: Option<u64>, line: &[u8]) -> Option<Line<'_>> {
    let (from, line) = match line.split_first()? {
        (b':', rest) => {
            let (source, rest) = word(rest);
            (source, rest?)
        }
        _ => (&[][..], line),
    };
    let (verb, parameters) = word(line);
    if verb == b"PRIVMSG" {
        let (_, text) = word(parameters?);
        return Some(Line::Said { id, text: text?.strip_prefix(b":")? });
    }
    let nick = from.split(|byte| *byte == b'!').next().unwrap_or_default();
    let (from, whole) = (std::str::from_utf8(nick).ok()?, std::str::from_utf8(line).ok()?);
    let text = std::str::from_utf8(parameters.unwrap_or_default()).ok()?;
    Some(match verb {
        b"PONG" => Line::Reply(GREETING, text),
        b"ERROR" => Line::Reply(END, std::str::from_utf8(reason(line).unwrap_or(line)).ok()?),
        b"NOTICE" => Line::Notice,
        b"FAIL" => Line::Reply(FAIL, text),
        [b'4' | b'5', ..] => Line::Reply(refusal(verb)?, text),
        _ => Line::Command { from, text: whole },
    })
}

/// The number of a refusal. None is that of the end.
fn refusal(verb: &[u8]) -> Option<u16> {
    let code = std::str::from_utf8(verb).ok()?.parse().ok()?;
    Some(if code == END { FAIL } else { code })
}

/// The first word, and what is behind the space after it.
fn word(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b' ', line) {
        Some(end) => (line.get(..end).unwrap_or_default(), line.get(end + 1..)),
        None => (line, None),
    }
}

/// The id among the tags of a message.
fn id(tags: &[u8]) -> Option<u64> {
    let value = tags.split(|byte| *byte == b';').find_map(|tag| tag.strip_prefix(b"msgid="))?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Line<'_>) {
        assert_eq!(parse(line.as_bytes()), expected, "{line}");
        assert_eq!(parse(format!("{line}\r").as_bytes()), expected, "{line}");
    }

    #[test]
    fn messages() {
        let said = |id, text: &'static str| Line::Said { id, text: text.as_bytes() };
        check(":ann!account@chatd.local PRIVMSG &all :hello  all", said(None, "hello  all"));
        check("@time=2026-11-26T17:31:24.250Z;msgid=77 :a!account@x.y PRIVMSG #a ::)", said(Some(77), ":)"));
        check("@msgid=x;time=1 :a!account@x.y PRIVMSG b :", said(None, ""));
        check("@account=msgid=5 :a!account@x.y PRIVMSG b :hi", said(None, "hi"));
        assert_eq!(parse(b":a PRIVMSG b :\xff"), Line::Said { id: None, text: b"\xff" });
    }

    #[test]
    fn answers() {
        check(":chatd.local PONG chatd.local :chatload", Line::Reply(220, "chatd.local :chatload"));
        check(":chatd.local 404 ann #a :Cannot send", Line::Reply(404, "ann #a :Cannot send"));
        check(":chatd.local 421 ann X :Unknown command", Line::Reply(FAIL, "ann X :Unknown command"));
        check(
            ":chatd.local FAIL REGISTER WEAK_PASSWORD ann :short",
            Line::Reply(FAIL, "REGISTER WEAK_PASSWORD ann :short"),
        );
        check("ERROR :Closing link: server full", Line::Reply(421, "server full"));
        check("ERROR :other", Line::Reply(421, "ERROR :other"));
        check(":chatd.local NOTICE ann :hi", Line::Notice);
        check("AUTHENTICATE +", Line::Command { from: "", text: "AUTHENTICATE +" });
        check("@time=1 :ann!account@x.y JOIN #a", Line::Command { from: "ann", text: "JOIN #a" });
        check(":x.y 001 ann :Welcome", Line::Command { from: "x.y", text: "001 ann :Welcome" });
    }

    #[test]
    fn everything_else() {
        for line in ["", "@", "@a=b", ":", ":a", ":a PRIVMSG", ":a PRIVMSG b", ":a PRIVMSG b c", ":a 4x4 b"] {
            check(line, Line::Other);
        }
        assert_eq!(parse(b":a JOIN \xff"), Line::Other);
        assert_eq!(reason(b"ERROR :Closing link: too slow\r"), Some(&b"too slow"[..]));
        assert_eq!(reason(b"@time=x ERROR :Closing link: too slow\r"), Some(&b"too slow"[..]));
        assert_eq!(reason(b"C 421 too slow"), None);
    }

    #[test]
    fn cut_anywhere_it_is_read_or_is_nothing() {
        let line = b"@time=2026;msgid=77 :ann!account@x.y PRIVMSG #lobby :hi room";
        for end in 0..=line.len() {
            match parse(&line[..end]) {
                Line::Said { id, text } => assert_eq!((id, text), (Some(77), &line[53..end]), "{end}"),
                Line::Command { .. } | Line::Other => assert!(end < 53, "{end}"),
                other @ (Line::Reply(..) | Line::Part | Line::Notice) => panic!("{end}: {other:?}"),
            }
        }
    }
}
