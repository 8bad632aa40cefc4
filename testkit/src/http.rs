//! A client that speaks HTTP.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::PATIENCE;

/// A connection by HTTP/1.1.
#[derive(Debug)]
pub struct Http {
    stream: TcpStream,
    held: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// The head, without its last line end.
    pub head: String,
    /// The body; empty for an answer to HEAD.
    pub body: String,
}

impl Http {
    /// Connects.
    #[track_caller]
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time limit");
        Self { stream, held: Vec::new() }
    }

    /// Sends bytes. The server may have closed the connection.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Ends the input.
    pub fn end(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Asks for a path on `localhost`, and reads the answer.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub fn ask(&mut self, request: &str) -> Answer {
        self.send(request.as_bytes());
        self.answer(request.starts_with("HEAD ")).unwrap_or_else(|| panic!("no answer to {request:?}"))
    }

    /// Reads an answer; `None` if the connection ends before one begins.
    #[track_caller]
    pub fn answer(&mut self, is_to_head: bool) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.held.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.read() {
                assert!(self.held.is_empty(), "half an answer: {:?}", String::from_utf8_lossy(&self.held));
                return None;
            }
        };
        let head = String::from_utf8(self.held.drain(..end).collect()).expect("text");
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
        let length = if is_to_head { 0 } else { length.parse().expect("a number") };
        while self.held.len() < length {
            assert!(self.read(), "half a body: {:?}", String::from_utf8_lossy(&self.held));
        }
        let body = String::from_utf8(self.held.drain(..length).collect()).expect("text");
        let code = head.get(9..12).and_then(|code| code.parse().ok()).expect("a status code");
        Some(Answer { code, head: head.trim_end().to_owned(), body })
    }

    /// Waits until the server ends the connection, and gives what it said.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        while self.read() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }

    /// Reads once. False at the end.
    #[track_caller]
    fn read(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(count) => {
                self.held.extend_from_slice(&bytes[..count]);
                count > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("the server says nothing more: {error}"),
        }
    }
}
