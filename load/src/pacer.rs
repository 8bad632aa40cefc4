//! A timer that wakes a poll with microsecond precision. The poll's own timeout counts in milliseconds, and latencies
//! here are shorter.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use rustix::time::{timerfd_create, timerfd_settime};

/// The timer.
pub(super) struct Pacer {
    timer: OwnedFd,
}

impl Pacer {
    /// A timer that makes `token` readable when it fires.
    ///
    /// # Errors
    /// System errors.
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer })
    }

    /// Fires once after `wait` nanoseconds, instead of at the time set before. It is never read: setting it clears it,
    /// and the poll reports edges.
    ///
    /// # Errors
    /// System errors.
    pub(super) fn arm(&self, wait: u64) -> io::Result<()> {
        // Zero would disarm it.
        let wait = i64::try_from(wait.max(1)).unwrap_or(i64::MAX);
        let it_value = Timespec { tv_sec: wait / 1_000_000_000, tv_nsec: wait % 1_000_000_000 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
