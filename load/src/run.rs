//! What every work runs with, and Ctrl-C.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatd::signals::heard;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::fleet::Fleet;
use super::progress::Progress;

/// A second in nanoseconds, which all times of a run are counted in.
pub(super) const SECOND: u64 = 1_000_000_000;
/// Exit code after a second Ctrl-C: what a shell gives to a program that a signal ended.
const INTERRUPTED: i32 = 130;

/// What every work runs with.
pub(super) struct Run {
    /// The connections.
    pub(super) fleet: Fleet,
    /// Whether somebody wants it to end.
    pub(super) stop: Stop,
    /// What the terminal shows meanwhile.
    pub(super) progress: Progress,
}

/// Whether somebody wants the run to end.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asked by INT, TERM and HUP, unless the process was started to ignore them. The second one ends the process in the handler; a server that was started for
    /// the run dies with it, but its folder stays behind.
    ///
    /// # Errors
    /// A handler cannot be set.
    pub(super) fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        for signal in heard(&[SIGINT, SIGTERM, SIGHUP]) {
            // The order matters: what was registered first runs first, and finds the flag as the first signal left it.
            flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stop.0))?;
            flag::register(signal, Arc::clone(&stop.0))?;
        }
        Ok(stop)
    }

    /// Whether it was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
