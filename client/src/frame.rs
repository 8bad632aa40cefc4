//! Decoding of the server's bytes into frames.
//!
//! The server is not trusted: all input decodes to a value, in bounded memory, however it is cut.

/// The longest line that is kept whole, without its line end: twice what a server can be configured to send. The rest
/// of a longer line is discarded.
pub const LINE_BYTES: usize = 64 * 1024;

/// A decoded line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A line of a reply.
    Reply {
        /// The code, 200 to 999.
        code: u16,
        /// Whether more lines of this reply follow.
        more: bool,
        /// The text after the code.
        text: String,
    },
    /// A notice: never a reply.
    Notice {
        /// The code, 100 to 199.
        code: u16,
        /// The text after the code.
        text: String,
    },
    /// A message.
    Said(Said),
    /// Data of a kind that this version does not know. It is skipped.
    Other,
    /// An error in a line. If part of the line could be decoded, that part follows as a frame of its own.
    Bad(Bad),
}

/// A message in the typed dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The recipients.
    pub kind: Kind,
    /// The server's message id.
    pub id: u64,
    /// The sender; of [`Kind::Own`], the receiver.
    pub from: String,
    /// The text.
    pub text: String,
}

/// The recipients of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To everybody.
    Public,
    /// The user of this client.
    Direct,
    /// Somebody else: a direct message that the user has sent from elsewhere.
    Own,
    /// The room of this name.
    Room(String),
}

/// An error in a line of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Longer than [`LINE_BYTES`]; the rest is lost.
    TooLong,
    /// Not UTF-8: invalid bytes have become U+FFFD.
    NotText,
    /// Not a frame of this protocol; this is its start.
    NoFrame(String),
    /// The connection ended within a line; this is what arrived.
    Half(String),
}

/// The decoder. It holds an incomplete line.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
    is_cut: bool,
}

impl Frames {
    /// Takes bytes from the server, and passes each complete frame to `each`.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Frame)) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            self.hold(line);
            let held = std::mem::take(&mut self.held);
            decode(&held, std::mem::take(&mut self.is_cut), &mut each);
        }
        self.hold(rest);
    }

    /// The connection is over, and with it an incomplete line. The decoder is then empty, ready for another connection.
    pub fn end(&mut self) -> Option<Bad> {
        self.is_cut = false;
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then(|| Bad::Half(beginning(&String::from_utf8_lossy(&held))))
    }

    /// The bytes of the incomplete line; never more than [`LINE_BYTES`].
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn hold(&mut self, part: &[u8]) {
        let room = LINE_BYTES.saturating_sub(self.held.len());
        self.is_cut |= part.len() > room;
        self.held.extend(part.iter().take(room));
    }
}

fn decode(line: &[u8], is_cut: bool, each: &mut impl FnMut(Frame)) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // A line that was cut may have been cut within a character. That is not worth a second error.
    if is_cut {
        each(Frame::Bad(Bad::TooLong));
    } else if std::str::from_utf8(line).is_err() {
        each(Frame::Bad(Bad::NotText));
    }
    let text = String::from_utf8_lossy(line);
    let frame = match text.split_once(' ') {
        Some(("C", rest)) => command(rest),
        Some(("D", rest)) => data(rest),
        Some(_) | None => None,
    };
    each(frame.unwrap_or_else(|| Frame::Bad(Bad::NoFrame(beginning(&text)))));
}

/// The frame after `C `.
fn command(rest: &str) -> Option<Frame> {
    let (digits, behind) = rest.split_at_checked(3)?;
    let code = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok())??;
    let (more, text) = match behind.split_at_checked(1) {
        Some((" ", text)) => (false, text.to_owned()),
        Some(("-", text)) => (true, text.to_owned()),
        None if behind.is_empty() => (false, String::new()),
        Some(_) | None => return None,
    };
    match code {
        0..100 => None,
        100..200 => Some(Frame::Notice { code, text }),
        _ => Some(Frame::Reply { code, more, text }),
    }
}

/// The frame after `D `: kind, id, (room,) sender, text; of `TO`: kind, id, receiver, text.
fn data(rest: &str) -> Option<Frame> {
    let (kind, rest) = rest.split_once(' ')?;
    let kind = match kind {
        "PM" => Kind::Public,
        "DM" => Kind::Direct,
        "TO" => Kind::Own,
        "RM" => Kind::Room(String::new()),
        // Later versions have more kinds, each in capitals.
        _ => {
            let is_kind = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_uppercase());
            return is_kind.then_some(Frame::Other);
        }
    };
    let (id, rest) = rest.split_once(' ')?;
    let id = id.parse().ok()?;
    let (kind, rest) = match kind {
        Kind::Room(_) => {
            let (room, rest) = rest.split_once(' ')?;
            (Kind::Room(room.to_owned()), rest)
        }
        Kind::Public | Kind::Direct | Kind::Own => (kind, rest),
    };
    let (from, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_whole = !from.is_empty() && kind != Kind::Room(String::new());
    is_whole.then(|| Frame::Said(Said { kind, id, from: from.to_owned(), text: text.to_owned() }))
}

/// Enough of a text to recognize it.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<Bad>) {
        let (mut reader, mut found) = (Frames::default(), Vec::new());
        for piece in pieces {
            reader.push(piece, |frame| found.push(frame));
            assert!(reader.held() <= LINE_BYTES);
        }
        let end = reader.end();
        (found, end)
    }

    fn reply(code: u16, more: bool, text: &str) -> Frame {
        Frame::Reply { code, more, text: text.to_owned() }
    }

    fn said(kind: Kind, id: u64, from: &str, text: &str) -> Frame {
        Frame::Said(Said { kind, id, from: from.to_owned(), text: text.to_owned() })
    }

    fn no_frame(text: &str) -> Frame {
        Frame::Bad(Bad::NoFrame(text.to_owned()))
    }

    #[track_caller]
    fn check(input: &[u8], expected: &[Frame]) {
        for step in 1..=input.len().max(1) {
            assert_eq!(frames(input.chunks(step)).0, expected, "in pieces of {step}");
        }
    }

    #[test]
    fn replies_and_notices() {
        check(
            b"C 250 sent to 2\r\nC 211-alice\nC 211 \nC 200\n",
            &[reply(250, false, "sent to 2"), reply(211, true, "alice"), reply(211, false, ""), reply(200, false, "")],
        );
        check(b"C 103 lobby bob entered\n", &[Frame::Notice { code: 103, text: "lobby bob entered".to_owned() }]);
    }

    #[test]
    fn messages() {
        check(
            b"D PM 17 alice hello all\nD DM 18 bob  two\nD RM 19 lobby eve x\nD PM 20 alice\nD TO 21 bob  hi\n",
            &[
                said(Kind::Public, 17, "alice", "hello all"),
                said(Kind::Direct, 18, "bob", " two"),
                said(Kind::Room("lobby".to_owned()), 19, "eve", "x"),
                said(Kind::Public, 20, "alice", ""),
                said(Kind::Own, 21, "bob", " hi"),
            ],
        );
    }

    #[test]
    fn unknown_kinds_of_data_are_skipped() {
        check(b"D XM 1 a b\nD EDIT x\nC 200 ok\n", &[Frame::Other, Frame::Other, reply(200, false, "ok")]);
    }

    #[test]
    fn what_is_no_frame() {
        for line in [
            "",
            "C",
            "C ",
            "C 25",
            "C 25x oh",
            "C +25 oh",
            "C 250_x",
            "C 099 low",
            "C 250é",
            "C é50 x",
            "D",
            "D PM",
            "D PM x alice hi",
            "D PM -1 alice hi",
            "D PM 18446744073709551616 a b",
            "D xm 1 a b",
            "D X",
            "D  1 a b",
            "D TO x bob hi",
            "D TO 1",
            "D RM 1 lobby",
            "D PM 1  hi",
            "D RM 1  alice hi",
            "HTTP/1.1 400 Bad Request",
            "c 250 x",
        ] {
            check(format!("{line}\nC 200 ok\n").as_bytes(), &[no_frame(line), reply(200, false, "ok")]);
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        check(
            b"C 250 \xff\xfe\n\xc3\n",
            &[
                Frame::Bad(Bad::NotText),
                reply(250, false, "\u{fffd}\u{fffd}"),
                Frame::Bad(Bad::NotText),
                no_frame("\u{fffd}"),
            ],
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_said_so() {
        let mut input = b"C 250 ".to_vec();
        input.resize(3 * LINE_BYTES, b'x');
        input.extend(b"\nC 200 ok\n");
        for step in [1000, LINE_BYTES, input.len()] {
            let (found, _) = frames(input.chunks(step));
            let [Frame::Bad(Bad::TooLong), Frame::Reply { code: 250, text, .. }, last] = found.as_slice() else {
                panic!("{found:?}")
            };
            assert_eq!(text.len(), LINE_BYTES - 6);
            assert_eq!(*last, reply(200, false, "ok"));
        }
    }

    #[test]
    fn half_a_line() {
        assert_eq!(frames([&b"C 200 ok\nC 25"[..]]).1, Some(Bad::Half("C 25".to_owned())));
        assert_eq!(frames([&b"C 200 ok\n"[..]]).1, None);
        let long = "x".repeat(100);
        assert_eq!(frames([long.as_bytes()]).1, Some(Bad::Half(format!("{}…", "x".repeat(60)))));
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_is_the_same(
            lines in prop::collection::vec("(C [0-9]{2,4}[- ]?|D (PM|DM|RM|TO|XX) [0-9]{1,20} )?\\PC{0,20}\n?", 0..12),
            noise in prop::collection::vec(any::<u8>(), 0..40),
            steps in prop::collection::vec(1..50usize, 1..5),
        ) {
            let input = [lines.concat().as_bytes(), &noise].concat();
            let mut rest = input.as_slice();
            let pieces = steps.iter().cycle().map_while(|step| {
                let (piece, after) = rest.split_at(rest.len().min(*step));
                rest = after;
                (!piece.is_empty()).then_some(piece)
            });
            prop_assert_eq!(frames(pieces), frames([input.as_slice()]));
        }
    }
}
