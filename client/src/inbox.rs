//! The queue of events to the main thread, and how it waits for them.

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

/// The capacity of the queue. A thread with another event blocks, and in the end so does the server.
const EVENTS: usize = 32;

/// The main thread's end of the queue. It waits on one socket pair, into which threads and signals write a byte each.
pub(super) struct Inbox {
    events: Receiver<Event>,
    wake: UnixStream,
    /// SIGTERM or SIGHUP has arrived.
    terminated: Arc<AtomicBool>,
    /// SIGINT has arrived.
    interrupted: Arc<AtomicBool>,
    doorbell: Doorbell,
    alarm: Arc<Alarm>,
}

/// A thread's end of the [`Inbox`].
#[derive(Clone)]
pub(super) struct Doorbell {
    events: SyncSender<Event>,
    wake: Arc<UnixStream>,
}

impl Inbox {
    /// Creates the inbox, and handles SIGTERM, SIGHUP and SIGINT, except those that were ignored at the start of the
    /// process. If lines are edited (`is_edited`), SIGINT is Ctrl-C and does not raise the alarm.
    pub(super) fn new(is_edited: bool) -> io::Result<Self> {
        let (sender, events) = mpsc::sync_channel(EVENTS);
        let (wake, ring) = UnixStream::pair()?;
        ring.set_nonblocking(true)?;
        let (terminated, interrupted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        // The editor's thread is interrupted with SIGINT even if the shell ignores it.
        let is_heard = |signal: c_int| (is_edited && signal == SIGINT) || !is_ignored(signal);
        let wanted = [(SIGTERM, &terminated), (SIGHUP, &terminated), (SIGINT, &interrupted)];
        let wanted: Vec<_> = wanted.into_iter().filter(|(signal, _)| is_heard(*signal)).collect();
        for (signal, flag) in &wanted {
            // The flag first: it must be set when the byte is read.
            signal_hook::flag::register(*signal, Arc::clone(flag))?;
            signal_hook::low_level::pipe::register(*signal, ring.try_clone()?)?;
        }
        let alarms: Vec<_> = wanted.iter().map(|(signal, _)| *signal).collect();
        let alarm = Alarm::new(alarms.iter().filter(|signal| !is_edited || **signal != SIGINT))?;
        let doorbell = Doorbell { events: sender, wake: Arc::new(ring) };
        Ok(Self { events, wake, terminated, interrupted, doorbell, alarm: Arc::new(alarm) })
    }

    /// A handle with which a thread can wake the main thread.
    pub(super) fn doorbell(&self) -> Doorbell {
        self.doorbell.clone()
    }

    /// The alarm that these signals raise.
    pub(super) fn alarm(&self) -> Arc<Alarm> {
        Arc::clone(&self.alarm)
    }

    /// Whether SIGTERM or SIGHUP has arrived since the last call.
    pub(super) fn is_terminated(&self) -> bool {
        self.terminated.swap(false, Ordering::SeqCst)
    }

    /// Whether SIGINT has arrived since the last call.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.swap(false, Ordering::SeqCst)
    }

    /// The next event, if there is one within this time (`None`: no limit). May return `None` early when a signal has
    /// arrived.
    pub(super) fn next(&mut self, within: Option<Duration>) -> Option<Event> {
        if let Ok(event) = self.events.try_recv() {
            return Some(event);
        }
        // A timeout of zero is an error, or means no timeout.
        let within = within.map(|time| time.max(Duration::from_millis(1)));
        if self.wake.set_read_timeout(within).is_ok() {
            // Whatever the result, the queue is checked next; the bytes have no meaning.
            let _ = self.wake.read(&mut [0; 256]);
        }
        self.events.try_recv().ok()
    }

    /// Closes the inbox: threads that are blocked on it get an error.
    pub(super) fn close(self) {
        drop(self.events);
    }
}

impl Doorbell {
    /// Adds an event and wakes the main thread; blocks while the inbox is full. `false` if the inbox is closed.
    pub(super) fn ring(&self, event: Event) -> bool {
        let is_open = self.events.send(event).is_ok();
        // If the socket is full, the main thread has been woken already.
        let _ = (&*self.wake).write(b".");
        is_open
    }
}
