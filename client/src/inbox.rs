//! What the threads tell the main one, and how it sleeps until they do.

use std::ffi::c_int;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use chatd::signals::is_ignored;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::alarm::Alarm;
use super::event::Event;

/// Events that may wait. A thread that has one more waits with it, and so in the end does the server.
const EVENTS: usize = 32;

/// Where the main thread finds what has happened. It sleeps on one socket pair, into which the threads and the
/// signals write a byte each.
pub(super) struct Inbox {
    events: Receiver<Event>,
    wake: UnixStream,
    /// SIGTERM or SIGHUP has come.
    terminated: Arc<AtomicBool>,
    /// SIGINT has come.
    interrupted: Arc<AtomicBool>,
    doorbell: Doorbell,
    alarm: Arc<Alarm>,
}

/// A thread's way into the [`Inbox`].
#[derive(Clone)]
pub(super) struct Doorbell {
    events: SyncSender<Event>,
    wake: Arc<UnixStream>,
}

impl Inbox {
    /// Makes the inbox, and handles SIGTERM, SIGHUP and SIGINT, except those that were ignored when the process was
    /// started. Where lines are edited (`is_edited`) SIGINT is Ctrl-C, and does not raise the alarm.
    pub(super) fn new(is_edited: bool) -> io::Result<Self> {
        let (sender, events) = mpsc::sync_channel(EVENTS);
        let (wake, ring) = UnixStream::pair()?;
        ring.set_nonblocking(true)?;
        let (terminated, interrupted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        // The editor's thread is interrupted with SIGINT, whatever a shell wants.
        let is_heard = |signal: c_int| (is_edited && signal == SIGINT) || !is_ignored(signal);
        let wanted = [(SIGTERM, &terminated), (SIGHUP, &terminated), (SIGINT, &interrupted)];
        let wanted: Vec<_> = wanted.into_iter().filter(|(signal, _)| is_heard(*signal)).collect();
        for (signal, flag) in &wanted {
            // The flag first: when the byte is read it must be up.
            signal_hook::flag::register(*signal, Arc::clone(flag))?;
            signal_hook::low_level::pipe::register(*signal, ring.try_clone()?)?;
        }
        let alarms: Vec<_> = wanted.iter().map(|(signal, _)| *signal).collect();
        let alarm = Alarm::new(alarms.iter().filter(|signal| !is_edited || **signal != SIGINT))?;
        let doorbell = Doorbell { events: sender, wake: Arc::new(ring) };
        Ok(Self { events, wake, terminated, interrupted, doorbell, alarm: Arc::new(alarm) })
    }

    /// A way in, for a thread.
    pub(super) fn doorbell(&self) -> Doorbell {
        self.doorbell.clone()
    }

    /// What such a signal raises, for those who wait to write.
    pub(super) fn alarm(&self) -> Arc<Alarm> {
        Arc::clone(&self.alarm)
    }

    /// Whether SIGTERM or SIGHUP has come since this was asked last.
    pub(super) fn is_terminated(&self) -> bool {
        self.terminated.swap(false, Ordering::SeqCst)
    }

    /// Whether SIGINT has come since this was asked last.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.swap(false, Ordering::SeqCst)
    }

    /// The next event, if there is one within this time (`None`: without end). Gives nothing early when a signal has
    /// come.
    pub(super) fn next(&mut self, within: Option<Duration>) -> Option<Event> {
        if let Ok(event) = self.events.try_recv() {
            return Some(event);
        }
        // A timeout of nothing is an error, and stands for "none" besides.
        let within = within.map(|time| time.max(Duration::from_millis(1)));
        if self.wake.set_read_timeout(within).is_ok() {
            // However it ends, what there is now is looked at; the bytes mean nothing.
            let _ = self.wake.read(&mut [0; 256]);
        }
        self.events.try_recv().ok()
    }

    /// Closes the inbox: threads that wait to put something in are told that nobody wants it.
    pub(super) fn close(self) {
        drop(self.events);
    }
}

impl Doorbell {
    /// Puts an event in and wakes the main thread; waits while the inbox is full. `false`: the inbox is closed.
    pub(super) fn ring(&self, event: Event) -> bool {
        let is_open = self.events.send(event).is_ok();
        // When it is full the main thread has been woken already.
        let _ = (&*self.wake).write(b".");
        is_open
    }
}
