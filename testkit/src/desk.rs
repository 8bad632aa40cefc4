//! A client of the operator's socket.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::{PATIENCE, Server};

/// One connection to the operator's socket.
pub struct Desk(BufReader<UnixStream>);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The items, without `C 211-`.
    pub items: Vec<String>,
    /// The last line, without `C `.
    pub last: String,
}

impl Answer {
    /// The value of a key in an item, as it is written.
    #[track_caller]
    pub fn value(&self, item: usize, key: &str) -> &str {
        let start = format!("{key}=");
        let words = self.items[item].split(' ');
        let value = words.filter_map(|word| word.strip_prefix(&start)).next();
        value.unwrap_or_else(|| panic!("no {key} in {:?}", self.items[item]))
    }
}

impl Server {
    /// A connection to the operator's socket in the server's folder, after its greeting.
    #[track_caller]
    pub fn desk(&self) -> Desk {
        let mut desk = Desk::connect(&self.path("chatd.sock"));
        let greeting = desk.line();
        assert!(greeting.starts_with("C 220 chatd ") && greeting.ends_with(" operator"), "{greeting}");
        desk
    }
}

impl Desk {
    /// Connects, and reads nothing yet.
    #[track_caller]
    pub fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a write timeout");
        Self(BufReader::new(stream))
    }

    /// Sends a line; its LF is added.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).expect("the server takes what is sent");
    }

    /// The next line, without its LF.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "expected a line, got the end after {line:?}");
        line.pop();
        line
    }

    /// Sends a command and reads its answer.
    #[track_caller]
    pub fn ask(&mut self, command: &str) -> Answer {
        self.send(&format!("C {command}"));
        self.answer()
    }

    /// Reads an answer to its end.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        let mut items = Vec::new();
        loop {
            let line = self.line();
            match line.strip_prefix("C 211-") {
                Some(item) => items.push(item.to_owned()),
                None => {
                    let last = line.strip_prefix("C ").unwrap_or_else(|| panic!("{line:?} ends no answer")).to_owned();
                    return Answer { items, last };
                }
            }
        }
    }

    /// Reads an item, which must come next.
    #[track_caller]
    pub fn item(&mut self) -> String {
        let line = self.line();
        line.strip_prefix("C 211-").unwrap_or_else(|| panic!("{line:?} is no item")).to_owned()
    }

    /// Reads items up to the first one that contains this. Gives them all.
    #[track_caller]
    pub fn items_until(&mut self, part: &str) -> Vec<String> {
        let mut items = vec![self.item()];
        while items.last().is_some_and(|item| !item.contains(part)) {
            items.push(self.item());
        }
        items
    }

    /// The end of the stream must come next.
    #[track_caller]
    pub fn expect_closed(&mut self) {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(count) => assert_eq!(count, 0, "expected the end of the stream, got {line:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
    }

    /// Nothing may arrive for this long.
    #[track_caller]
    pub fn silence(&mut self, time: Duration) {
        self.0.get_ref().set_read_timeout(Some(time)).expect("a read timeout");
        let mut line = String::new();
        let read = self.0.read_line(&mut line);
        assert!(read.is_err() && line.is_empty(), "expected silence, got {line:?}");
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).expect("a read timeout");
    }
}
