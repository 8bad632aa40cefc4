//! The connection to the server: lines out, lines in.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;

use super::shown_path;
use crate::auth::admin::Secret;
use crate::door::operator::ITEM;

/// How long the server may take for a line of its answer. The loop of a healthy server never stops for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest line of an answer, in bytes.
const LINE_BYTES: u64 = 4 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::app) enum Fault {
    /// No server answers.
    Nobody(String),
    /// It answers, but not as it should.
    Failed(String),
    /// Nobody reads the output any more.
    Closed,
}

/// A line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::app) enum Line {
    /// An item, without what it begins with.
    Item(String),
    /// The last line.
    Last { code: u16, text: String },
}

/// A connection to the operator's socket, after the greeting.
pub(in crate::app) struct Link(BufReader<UnixStream>);

impl Link {
    /// Connects, makes sure that the server's process belongs to root or to the socket's owner, and reads the greeting.
    ///
    /// # Errors
    /// No server answers, or it is not to be trusted.
    pub(in crate::app) fn open(socket: &Path) -> Result<Self, Fault> {
        let path = shown_path(socket);
        let nobody = |why: &dyn std::fmt::Display| Fault::Nobody(format!("no server answers at {path}: {why}"));
        let stream = UnixStream::connect(socket).map_err(|error| {
            let next = "start it, or name its configuration with --config or its socket with --socket";
            if error.kind() == ErrorKind::NotFound {
                nobody(&format_args!("there is no such socket; {next}"))
            } else if error.kind() == ErrorKind::ConnectionRefused {
                nobody(&format_args!("{error}; {next}"))
            } else {
                nobody(&error)
            }
        })?;
        let owner = socket.metadata().map_err(|error| nobody(&error))?.uid();
        let peer = socket_peercred(&stream).map_err(|error| nobody(&error))?.uid.as_raw();
        if peer != 0 && peer != owner {
            let why = format!("{path}: the process there belongs to user {peer}, not to root or the socket's owner");
            return Err(Fault::Failed(why));
        }
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| nobody(&error))?;
        let mut link = Self(BufReader::new(stream));
        match link.line()? {
            Line::Last { code: 220, .. } => Ok(link),
            Line::Last { text, .. } => Err(Fault::Failed(text)),
            Line::Item(_) => Err(Fault::Failed(format!("{path}: not the operator's socket of chatd"))),
        }
    }

    /// Sends a command. One without end, such as a trace, may be silent for any time.
    ///
    /// # Errors
    /// The server takes nothing.
    pub(in crate::app) fn send(&mut self, command: &str) -> Result<(), Fault> {
        let mut stream = self.0.get_ref();
        let is_endless =
            command.trim_start_matches(' ').get(..5).is_some_and(|word| word.eq_ignore_ascii_case("trace"));
        let patience = if is_endless { None } else { Some(PATIENCE) };
        let sent =
            stream.set_read_timeout(patience).and_then(|()| stream.write_all(format!("C {command}\n").as_bytes()));
        sent.map_err(|error| Fault::Nobody(format!("the server takes no command: {error}")))
    }

    /// Answers a prompt for a password.
    ///
    /// # Errors
    /// The server takes nothing.
    pub(in crate::app) fn answer(&mut self, password: &Secret) -> Result<(), Fault> {
        // The memory is reserved at once: a buffer that is reallocated leaves copies of the password behind.
        let mut line = Secret::new(Vec::with_capacity(password.as_bytes().len() + 3));
        line.0.extend_from_slice(b"D ");
        line.0.extend_from_slice(password.as_bytes());
        line.0.push(b'\n');
        let mut stream = self.0.get_ref();
        stream
            .write_all(line.as_bytes())
            .map_err(|error| Fault::Nobody(format!("the server takes no password: {error}")))
    }

    /// The next line of the answer.
    ///
    /// # Errors
    /// The server says nothing more, or something that is no answer.
    pub(in crate::app) fn line(&mut self) -> Result<Line, Fault> {
        let mut bytes = Vec::new();
        let read = self.0.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes);
        match read {
            Ok(_) if bytes.ends_with(b"\n") => {}
            Ok(_) => {
                return Err(Fault::Nobody(
                    "the server has closed the connection before its answer was over".to_owned(),
                ));
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(Fault::Nobody(format!("the server has not answered for {} s", PATIENCE.as_secs())));
            }
            Err(error) => return Err(Fault::Nobody(format!("the connection is lost: {error}"))),
        }
        bytes.pop();
        let line = String::from_utf8_lossy(&bytes);
        decode(&line).ok_or_else(|| Fault::Failed(format!("that is no answer of chatd: {line}")))
    }
}

/// Decodes a line of an answer; `None` if it is none.
fn decode(line: &str) -> Option<Line> {
    if let Some(item) = line.strip_prefix(ITEM) {
        return Some(Line::Item(item.to_owned()));
    }
    let (code, text) = line.strip_prefix("C ")?.split_once(' ')?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    let code = if is_code { code.parse().ok()? } else { return None };
    Some(Line::Last { code, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let last = |code, text: &str| Some(Line::Last { code, text: text.to_owned() });
        for (line, expected) in [
            ("C 211-a=1", Some(Line::Item("a=1".to_owned()))),
            ("C 211 1", last(211, "1")),
            ("C 421 shutting down", last(421, "shutting down")),
            ("C 21 x", None),
            ("C 2111 x", None),
            ("D PM a b", None),
            ("SSH-2.0-x", None),
            ("", None),
        ] {
            assert_eq!(decode(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_cut_at_every_byte() {
        for line in ["C 211-a=1", "C 250 done"] {
            for end in 0..line.len() {
                let _ = decode(&line[..end]);
            }
        }
    }
}
