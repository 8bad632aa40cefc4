//! The state shared by all workloads, and Ctrl-C.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatd::signals::heard;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::fleet::Fleet;
use super::progress::Progress;

/// A second in nanoseconds, the unit of all times of a run.
pub(super) const SECOND: u64 = 1_000_000_000;
/// Exit code after a second Ctrl-C: what a shell reports for a program that a signal ended.
const INTERRUPTED: i32 = 130;

/// The state shared by all workloads.
pub(super) struct Run {
    /// The connections.
    pub(super) fleet: Fleet,
    /// Whether the run should end.
    pub(super) stop: Stop,
    /// The progress bar.
    pub(super) progress: Progress,
}

/// Whether the run should end.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Set by INT, TERM and HUP, unless the process was started to ignore them. The second signal ends the process in
    /// the handler; a server started for the run dies with it, but its folder remains.
    ///
    /// # Errors
    /// A handler cannot be set.
    pub(super) fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        for signal in heard(&[SIGINT, SIGTERM, SIGHUP]) {
            // The order matters: handlers run in this order, and this one must find the flag as the first signal left
            // it.
            flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stop.0))?;
            flag::register(signal, Arc::clone(&stop.0))?;
        }
        Ok(stop)
    }

    /// Whether the run should end.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
