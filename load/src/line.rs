//! A line of the server, as far as the load generator needs it, and how it is read in the typed dialect.

/// A line of the server, without its LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The only or last line of a reply: the code, and the text after it.
    Reply(u16, &'a str),
    /// A line of a longer reply: more follow.
    Part,
    /// A notice from the server.
    Notice,
    /// A message: its id, where that is looked at, and its text.
    Said { id: Option<u64>, text: &'a [u8] },
    /// A line of IRC that is none of these: the nick or the server that it comes from, empty if it names none, and the
    /// command with its parameters.
    Command { from: &'a str, text: &'a str },
    /// Anything else: the server is not chatd.
    Other,
}

impl<'a> Line<'a> {
    /// Parses a line. There are no errors: an invalid line is [`Line::Other`].
    pub(super) fn parse(line: &'a [u8]) -> Self {
        match line.split_at_checked(2) {
            Some((b"D ", rest)) => text(rest).map_or(Self::Other, |text| Self::Said { id: None, text }),
            Some((b"C ", rest)) => reply(rest).unwrap_or(Self::Other),
            Some(_) | None => Self::Other,
        }
    }
}

fn reply(rest: &[u8]) -> Option<Line<'_>> {
    let (code, rest) = rest.split_at_checked(3)?;
    if !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match (code, rest.split_first()) {
        (100..=199, _) => Some(Line::Notice),
        (_, Some((b'-', _))) => Some(Line::Part),
        (_, Some((b' ', text))) => Some(Line::Reply(code, std::str::from_utf8(text).ok()?)),
        (_, None) => Some(Line::Reply(code, "")),
        (_, Some(_)) => None,
    }
}

/// The text after `PM id from`, `DM id from` or `RM id room from`.
fn text(rest: &[u8]) -> Option<&[u8]> {
    let words = match rest.split_at_checked(3)? {
        (b"PM " | b"DM ", _) => 2,
        (b"RM ", _) => 3,
        _ => return None,
    };
    let mut rest = rest.get(3..)?;
    for _ in 0..words {
        let end = rest.iter().position(|b| *b == b' ')?;
        rest = rest.get(end + 1..)?;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Line<'_>) {
        assert_eq!(Line::parse(line.as_bytes()), expected, "{line}");
    }

    #[test]
    fn replies_and_notices() {
        check("C 250 sent to 2", Line::Reply(250, "sent to 2"));
        check("C 220 chatd 0.1.0 ready; your name?", Line::Reply(220, "chatd 0.1.0 ready; your name?"));
        check("C 200", Line::Reply(200, ""));
        check("C 211-alice", Line::Part);
        check("C 103 lobby bob entered", Line::Notice);
    }

    #[test]
    fn what_is_said() {
        check("D PM 1882233077760000000 alice hello  all", Line::Said { id: None, text: b"hello  all" });
        check("D DM 1882233077760000001 alice psst", Line::Said { id: None, text: b"psst" });
        check("D RM 1882233077760000002 lobby alice hi room", Line::Said { id: None, text: b"hi room" });
    }

    #[test]
    fn cut_anywhere_it_is_read_or_is_nothing() {
        let line = b"D RM 1882233077760000002 lobby alice hi room";
        for end in 0..=line.len() {
            let expected = line.get(37..end).map_or(Line::Other, |text| Line::Said { id: None, text });
            assert_eq!(Line::parse(&line[..end]), expected, "{end}");
        }
    }

    #[test]
    fn everything_else() {
        for line in [
            "",
            "C",
            "C ",
            "C 25",
            "C 25x no",
            "C 250x",
            "D ",
            "D PM",
            "D PM 1 alice",
            "D XM 1 a b",
            "HTTP/1.1 400",
            "+OK",
        ] {
            check(line, Line::Other);
        }
        assert_eq!(Line::parse(b"C 250 \xff"), Line::Other);
    }
}
