//! Labels: a client recognises the answer to its line (IRCv3, labeled-response).

use super::spell::Dress;
use super::wire::push_with_tag;

/// The label of the line that is being answered, as it was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label {
    value: Box<str>,
    /// The batch of the answer, once its first lines are out.
    batch: Option<Box<str>>,
}

/// What a line in a batch of its own begins with.
const IN_BATCH: &[u8] = b"@batch=";

impl Label {
    pub(super) fn new(value: &str) -> Self {
        Self { value: value.into(), batch: None }
    }

    /// Appends the first lines of an answer that goes on, or further ones, to `out`: they are parts of a batch of this
    /// name, unless one has begun. So a client hears that it is in a room before it hears anything there.
    pub(super) fn begin(&mut self, dress: Dress<'_>, batch: impl FnOnce() -> String, lines: &[u8], out: &mut Vec<u8>) {
        let batch = self.batch.get_or_insert_with(|| {
            let batch = batch();
            let mut begin = Vec::new();
            dress.push_server(format_args!("BATCH +{batch} labeled-response"), &mut begin);
            push_with_tag(out, "label", &self.value, &begin);
            batch.into()
        });
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(IN_BATCH) {
                out.extend_from_slice(line);
            } else {
                push_with_tag(out, "batch", batch, line);
            }
        }
    }

    /// Appends the whole answer, or its rest, to `out`: nothing is acknowledged, a line is labelled, several are a batch of
    /// this name.
    pub(super) fn end(mut self, dress: Dress<'_>, batch: impl FnOnce() -> String, lines: &[u8], out: &mut Vec<u8>) {
        let count = lines.iter().filter(|byte| **byte == b'\n').count();
        match (&self.batch, count) {
            (None, 0) => {
                let mut none = Vec::new();
                dress.push_server(format_args!("ACK"), &mut none);
                return push_with_tag(out, "label", &self.value, &none);
            }
            (None, 1) => return push_with_tag(out, "label", &self.value, lines),
            (None | Some(_), _) => self.begin(dress, batch, lines, out),
        }
        let batch = self.batch.unwrap_or_default();
        dress.push_server(format_args!("BATCH -{batch}"), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::irc::caps::{Bits, Caps};
    use crate::door::irc::server::Server;

    fn dress(server: &Server) -> Dress<'_> {
        Dress::new(server, Bits::default(), 1_795_714_284_250)
    }

    #[track_caller]
    fn check(lines: &str, expected: &str) {
        let mut out = Vec::new();
        Label::new("x").end(dress(&Server::default()), || "7".to_owned(), lines.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_answer_that_goes_on() {
        let (server, mut out) = (Server::default(), Vec::new());
        let mut label = Label::new("x");
        label.begin(dress(&server), || "7".to_owned(), b":a JOIN #b\r\n", &mut out);
        label.begin(dress(&server), || "8".to_owned(), b"", &mut out);
        label.end(dress(&server), || "9".to_owned(), b":a 353\r\n:a 366\r\n", &mut out);
        let expected = "@label=x :chatd.local BATCH +7 labeled-response\r\n@batch=7 :a JOIN #b\r\n@batch=7 :a 353\r\n\
            @batch=7 :a 366\r\n:chatd.local BATCH -7\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_frames_an_answer_has_a_time() {
        let (server, mut out) = (Server::default(), Vec::new());
        let timed = Dress { caps: Caps::SERVER_TIME, ..dress(&server) };
        Label::new("x").end(timed, || "7".to_owned(), b"", &mut out);
        Label::new("y").end(timed, || "7".to_owned(), b":a 1\r\n:a 2\r\n", &mut out);
        let time = "time=2026-11-26T17:31:24.250Z";
        let expected = format!(
            "@label=x;{time} :chatd.local ACK\r\n@label=y;{time} :chatd.local BATCH +7 labeled-response\r\n\
             @batch=7 :a 1\r\n@batch=7 :a 2\r\n@{time} :chatd.local BATCH -7\r\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn answers() {
        check("", "@label=x :chatd.local ACK\r\n");
        check(":a PONG\r\n", "@label=x :a PONG\r\n");
        check("@time=1 :a PONG\r\n", "@label=x;time=1 :a PONG\r\n");
        check(
            ":a 1\r\n@time=1 :a 2\r\n@batch=3;time=1 :a 3\r\n",
            "@label=x :chatd.local BATCH +7 labeled-response\r\n@batch=7 :a 1\r\n@batch=7;time=1 :a 2\r\n\
             @batch=3;time=1 :a 3\r\n:chatd.local BATCH -7\r\n",
        );
    }
}
