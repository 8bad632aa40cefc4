//! The signals that end the client, noticed even while a thread waits to write.

use std::ffi::c_int;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long in all a thread may go on waiting to write after such a signal.
const GRACE: Duration = Duration::from_millis(300);

/// Raised by the first signal, and never reset.
pub(super) struct Alarm {
    /// Readable from the first signal on. It is never read from.
    heard: UnixStream,
    /// The other end. It must stay open even if there are no signals.
    #[cfg_attr(not(test), expect(dead_code, reason = "kept, not used"))]
    ring: UnixStream,
    /// When a thread first noticed the alarm.
    noticed: OnceLock<Instant>,
}

impl Alarm {
    /// An alarm raised by these signals.
    ///
    /// # Errors
    ///
    /// The process is out of descriptors.
    pub(super) fn new<'a>(signals: impl IntoIterator<Item = &'a c_int>) -> io::Result<Self> {
        let (heard, ring) = UnixStream::pair()?;
        ring.set_nonblocking(true)?;
        for signal in signals {
            signal_hook::low_level::pipe::register(*signal, ring.try_clone()?)?;
        }
        Ok(Self { heard, ring, noticed: OnceLock::new() })
    }

    /// Waits until `file` is writable or broken (the write then reports that). `false` if the deadline has passed, or
    /// if the alarm was raised and the remaining time is used up.
    ///
    /// # Errors
    ///
    /// Errors of `poll`.
    pub(super) fn wait_writable(&self, file: impl AsFd, deadline: Option<Instant>) -> io::Result<bool> {
        loop {
            let grace = self.noticed.get().map(|noticed| *noticed + GRACE);
            let limit = grace.into_iter().chain(deadline).min();
            let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
            // Seconds always fit.
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            // Once noticed, the alarm would wake this loop without end.
            let wanted = if grace.is_some() { PollFlags::empty() } else { PollFlags::IN };
            let mut fds = [PollFd::new(&file, PollFlags::OUT), PollFd::new(&self.heard, wanted)];
            match poll(&mut fds, timeout.as_ref()) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [file, heard] = fds;
            if !file.revents().is_empty() {
                return Ok(true);
            }
            if !heard.revents().is_empty() {
                self.noticed.get_or_init(Instant::now);
            }
        }
    }

    /// Raises it without a signal.
    #[cfg(test)]
    pub(super) fn raise(&self) {
        use std::io::Write;
        (&self.ring).write_all(b".").unwrap();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;
    use std::thread;

    use super::*;

    /// A socket whose buffer is full, and its other end.
    fn full() -> (UnixStream, UnixStream) {
        let (mut full, other) = UnixStream::pair().unwrap();
        full.set_nonblocking(true).unwrap();
        while full.write(&[0; 4096]).is_ok() {}
        (full, other)
    }

    #[test]
    fn the_alarm_ends_a_wait_that_would_not_end() {
        let alarm = Arc::new(Alarm::new(&[]).unwrap());
        let raising = Arc::clone(&alarm);
        let (full, _other) = full();
        let waiting = thread::spawn(move || alarm.wait_writable(&full, None).unwrap());
        raising.raise();
        assert!(!waiting.join().unwrap());
        let (ready, _other) = UnixStream::pair().unwrap();
        assert!(raising.wait_writable(&ready, None).unwrap(), "what can be written still is");
    }

    #[test]
    fn so_does_a_deadline() {
        let alarm = Alarm::new(&[]).unwrap();
        let (full, _other) = full();
        assert!(!alarm.wait_writable(&full, Some(Instant::now() + Duration::from_millis(10))).unwrap());
        assert!(!alarm.wait_writable(&full, Some(Instant::now())).unwrap());
    }
}
