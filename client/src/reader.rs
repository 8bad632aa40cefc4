//! Whether anybody still reads standard output: a client with nothing to write would not notice.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};

use super::event::Event;
use super::inbox::Doorbell;

/// A thread that reports when the reader of a pipe is gone. Dropping this ends it.
pub(super) struct Watch {
    cancel: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches standard output, if it is a pipe or a socket, and reports to `doorbell`.
    ///
    /// # Errors
    ///
    /// The process is out of threads or descriptors.
    pub(super) fn start(doorbell: Doorbell) -> io::Result<Option<Self>> {
        let kind = fstat(io::stdout()).map(|stat| FileType::from_raw_mode(stat.st_mode));
        if !matches!(kind, Ok(FileType::Fifo | FileType::Socket)) {
            return Ok(None);
        }
        let (cancel, cancelled) = UnixStream::pair()?;
        let body = move || {
            if has_gone(io::stdout(), &cancelled) {
                doorbell.ring(Event::ReaderGone);
            }
        };
        let thread = thread::Builder::new().name("reader".to_owned()).spawn(body)?;
        Ok(Some(Self { cancel: Some(cancel), thread: Some(thread) }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.cancel = None;
        if let Some(thread) = self.thread.take() {
            // It has no result, and a panic has been reported.
            let _ = thread.join();
        }
    }
}

/// Waits until the reader of a pipe or socket is gone. `false` if it was cancelled, or cannot be known.
fn has_gone(output: impl AsFd, cancelled: &UnixStream) -> bool {
    loop {
        // `poll` reports an error even if no event is asked for.
        let mut fds = [PollFd::new(&output, PollFlags::empty()), PollFd::new(cancelled, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return false,
        }
        let [output, cancelled] = fds;
        if !cancelled.revents().is_empty() {
            return false;
        }
        if output.revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_gone_is_noticed_without_a_byte() {
        let (cancelled, cancel) = UnixStream::pair().unwrap();
        let (reader, writer) = io::pipe().unwrap();
        let (end, other) = UnixStream::pair().unwrap();
        drop((reader, other));
        assert!(has_gone(&writer, &cancelled) && has_gone(&end, &cancelled));
        let (_reader, writer) = io::pipe().unwrap();
        drop(cancel);
        assert!(!has_gone(&writer, &cancelled));
    }
}
