//! A typed client that may lose its server at any moment: its ends are values and no panics.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};

use socket2::SockRef;
use testkit::{PASSWORD, PATIENCE};

/// A connection to a line door.
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    /// Connects and logs in, and registers if the name is new. `None` if the server is not there, or goes meanwhile.
    pub(super) fn log_in(addr: SocketAddr, name: &str) -> Option<Self> {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut wire = Self { reader: BufReader::new(stream) };
        wire.line()?.starts_with("C 220 ").then_some(())?;
        wire.send(&format!("C {name}"));
        let asked = wire.line()?;
        (asked.starts_with("C 331 ") || asked.starts_with("C 332 ")).then_some(())?;
        wire.send(&format!("C {PASSWORD}"));
        wire.line()?.starts_with("C 230 ").then_some(wire)
    }

    /// Sends lines, each with its LF. A connection that has ended takes them in silence; reading tells.
    pub(super) fn send(&mut self, lines: &str) {
        let _ = self.reader.get_mut().write_all(format!("{lines}\n").as_bytes());
    }

    /// The next line; `None` at the end of the connection and in place of the `421` before it.
    #[track_caller]
    pub(super) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(_) if line.ends_with('\n') && !line.starts_with("C 421 ") => {
                line.pop();
                Some(line)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("no line within {PATIENCE:?}; {line:?} so far")
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Ends it by a reset: lines under way are lost.
    pub(super) fn reset(self) {
        let _ = SockRef::from(self.reader.get_ref()).set_linger(Some(std::time::Duration::ZERO));
    }
}
