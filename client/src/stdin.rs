//! Reads standard input line by line, if no lines are edited.

use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatd::prompt::wait_readable;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The longest line that is read; no server accepts one half as long.
const LINE: usize = 64 * 1024;
/// The size of a read.
const CHUNK: usize = 4096;

/// The lines of standard input. Nothing else may read from it.
pub(super) struct Lines {
    /// Bytes that have been read; there is no LF before `searched`.
    buffer: Vec<u8>,
    searched: usize,
    /// The current line is too long, and its start has been discarded.
    is_skipping: bool,
    is_over: bool,
    /// Whether there is no input and the thread waits for it.
    is_waiting: Arc<AtomicBool>,
}

/// The result of reading a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line, without its line end.
    Line(String),
    /// A line that cannot be used, and why.
    Bad(&'static str),
    /// The input has ended.
    End,
    /// The input cannot be read, and why. Nothing follows.
    Failed(String),
    /// There is a byte in `cancel`. Nothing has been lost.
    Cancelled,
}

impl Lines {
    /// Standard input from its current position. While a line is requested, `is_waiting` tells whether everything read
    /// so far has been delivered and more is waited for.
    pub(super) fn new(is_waiting: Arc<AtomicBool>) -> Self {
        Self { buffer: Vec::new(), searched: 0, is_skipping: false, is_over: false, is_waiting }
    }

    /// Waits for the next line. The last one needs no LF. A byte in `cancel` interrupts it.
    pub(super) fn next(&mut self, cancel: &UnixStream) -> Next {
        // The file itself: `Stdin` has a buffer, which `poll` does not know about.
        self.next_of(io::stdin(), |chunk| Ok(rustix::io::read(io::stdin(), chunk)?), cancel)
    }

    /// The next line that is not empty, or its start, of what has been read and not delivered.
    pub(super) fn rest(&self) -> String {
        let mut lines = self.buffer.split(|byte| *byte == b'\n');
        let line = lines.find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    }

    /// Whether something has been read and not delivered.
    pub(super) fn has_rest(&self) -> bool {
        self.is_skipping || !self.buffer.trim_ascii().is_empty()
    }

    fn next_of(
        &mut self,
        input: impl AsFd,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
        cancel: &UnixStream,
    ) -> Next {
        loop {
            if let Some(line) = self.take_line() {
                return self.finish(line);
            }
            if self.is_over {
                return if self.buffer.is_empty() && !self.is_skipping {
                    Next::End
                } else {
                    let line = mem::take(&mut self.buffer);
                    self.finish(line)
                };
            }
            if self.buffer.len() > LINE {
                self.buffer.clear();
                (self.searched, self.is_skipping) = (0, true);
            }
            self.is_waiting.store(self.buffer.is_empty(), Ordering::SeqCst);
            let readable = wait_readable(&input, cancel);
            // Before the read: if the kernel had nothing and then this flag is set, there is no input.
            self.is_waiting.store(false, Ordering::SeqCst);
            match readable {
                Ok(true) => {}
                Ok(false) => return Next::Cancelled,
                Err(error) => return self.fail(&error),
            }
            let mut chunk = [0; CHUNK];
            match read(&mut chunk) {
                Ok(0) => self.is_over = true,
                Ok(n) => self.buffer.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(&error),
            }
        }
    }

    /// The start of a line that was read before is not a line.
    fn fail(&mut self, error: &io::Error) -> Next {
        self.buffer.clear();
        (self.searched, self.is_skipping, self.is_over) = (0, false, true);
        Next::Failed(error.to_string())
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let new = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', new) else {
            self.searched = self.buffer.len();
            return None;
        };
        let rest = self.buffer.split_off(self.searched + at + 1);
        self.searched = 0;
        let mut line = mem::replace(&mut self.buffer, rest);
        line.pop();
        Some(line)
    }

    fn finish(&mut self, mut line: Vec<u8>) -> Next {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if mem::take(&mut self.is_skipping) || line.len() > LINE {
            return Next::Bad("a line of more than 64 KiB was not used");
        }
        match String::from_utf8(line) {
            Ok(line) => Next::Line(line),
            Err(_) => Next::Bad("a line that is not UTF-8 was not used"),
        }
    }
}

/// Whether there is input that has not been read; with `may_come`, also whether more could still arrive.
pub(super) fn has_more(input: impl AsFd, may_come: bool) -> bool {
    // Other files, such as /dev/null, do not support this, and hold nothing.
    let is_there = rustix::io::ioctl_fionread(&input).is_ok_and(|bytes| bytes > 0);
    // A readable file without bytes is at its end.
    let mut fds = [PollFd::new(&input, PollFlags::IN)];
    let is_silent = may_come && poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready == 0);
    is_there || is_silent
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::thread;

    use super::*;

    /// All results for these bytes.
    fn lines(bytes: &[u8]) -> Vec<Next> {
        let (input, mut writer) = UnixStream::pair().unwrap();
        let (cancel, _canceller) = UnixStream::pair().unwrap();
        let bytes = bytes.to_vec();
        let writing = thread::spawn(move || writer.write_all(&bytes).unwrap());
        let mut lines = Lines::new(Arc::default());
        let mut found = Vec::new();
        loop {
            match lines.next_of(&input, |chunk| (&input).read(chunk), &cancel) {
                Next::End => break,
                next @ (Next::Line(_) | Next::Bad(_) | Next::Failed(_) | Next::Cancelled) => found.push(next),
            }
        }
        writing.join().unwrap();
        found
    }

    fn line(text: &str) -> Next {
        Next::Line(text.to_owned())
    }

    #[test]
    fn lines_end_as_they_like() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"one\ntwo\r\n\nlast"), [line("one"), line("two"), line(""), line("last")]);
    }

    #[test]
    fn bad_lines_are_told_and_skipped() {
        let mut bytes = vec![b'x'; 3 * LINE];
        bytes.extend_from_slice(b"\ngood\n\xff\xfe\ngood again\n");
        let found = lines(&bytes);
        assert!(matches!(found.as_slice(), [Next::Bad(_), Next::Line(_), Next::Bad(_), Next::Line(_)]), "{found:?}");
        let found = lines(&vec![b'x'; 2 * LINE]);
        assert!(matches!(found.as_slice(), [Next::Bad(_)]), "{found:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_once() {
        let (input, writer) = UnixStream::pair().unwrap();
        let (cancel, _canceller) = UnixStream::pair().unwrap();
        let mut lines = Lines::new(Arc::default());
        (&writer).write_all(b"x").unwrap();
        let mut next = || lines.next_of(&input, |_| Err(io::ErrorKind::IsADirectory.into()), &cancel);
        assert_eq!(next(), Next::Failed("is a directory".to_owned()));
        assert_eq!(next(), Next::End);
    }

    #[test]
    fn a_byte_interrupts_and_loses_nothing() {
        let (input, mut writer) = UnixStream::pair().unwrap();
        let (cancel, mut canceller) = UnixStream::pair().unwrap();
        let mut lines = Lines::new(Arc::default());
        writer.write_all(b"hel").unwrap();
        let next = |lines: &mut Lines| lines.next_of(&input, |chunk| (&input).read(chunk), &cancel);
        canceller.write_all(b".").unwrap();
        assert_eq!(next(&mut lines), Next::Cancelled);
        (&cancel).read_exact(&mut [0]).unwrap();
        writer.write_all(b"lo\nrest").unwrap();
        assert_eq!(next(&mut lines), line("hello"));
        assert_eq!(lines.rest(), "rest");
    }

    #[test]
    fn what_has_not_been_read() {
        let (input, mut other) = io::pipe().unwrap();
        assert_eq!((has_more(&input, false), has_more(&input, true)), (false, true), "it may still come");
        other.write_all(b"x").unwrap();
        drop(other);
        assert!(has_more(&input, false) && has_more(&input, true));
        let (input, _) = io::pipe().unwrap();
        let nothing = std::fs::File::open("/dev/null").unwrap();
        for may_come in [false, true] {
            assert!(!has_more(&input, may_come) && !has_more(&nothing, may_come));
        }
    }
}
