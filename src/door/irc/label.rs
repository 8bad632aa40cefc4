//! Labels: a client recognises the answer to its line (IRCv3, labeled-response).

use super::server::Server;
use super::wire::push_with_tag;

/// The label of the line that is being answered, as it was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label(Box<str>);

/// What a line in a batch of its own begins with.
const IN_BATCH: &[u8] = b"@batch=";

impl Label {
    pub(super) fn new(value: &str) -> Self {
        Self(value.into())
    }

    /// Appends the whole answer to `out`: nothing is acknowledged, a line is labelled, several are a batch of this name.
    pub(super) fn end(&self, server: &Server, batch: &str, lines: &[u8], out: &mut Vec<u8>) {
        let Self(label) = self;
        let name = &server.name;
        let mut all = lines.split_inclusive(|byte| *byte == b'\n');
        match (all.next(), all.next()) {
            (None, _) => push_with_tag(out, "label", label, format!(":{name} ACK\r\n").as_bytes()),
            (Some(line), None) => push_with_tag(out, "label", label, line),
            (Some(_), Some(_)) => {
                let begin = format!(":{name} BATCH +{batch} labeled-response\r\n");
                push_with_tag(out, "label", label, begin.as_bytes());
                for line in lines.split_inclusive(|byte| *byte == b'\n') {
                    if line.starts_with(IN_BATCH) {
                        out.extend_from_slice(line);
                    } else {
                        push_with_tag(out, "batch", batch, line);
                    }
                }
                out.extend_from_slice(format!(":{name} BATCH -{batch}\r\n").as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &str, expected: &str) {
        let mut out = Vec::new();
        Label::new("x").end(&Server::default(), "7", lines.as_bytes(), &mut out);
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
