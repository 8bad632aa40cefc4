//! Signals: TERM and INT end the server, a second one at once; HUP re-reads the configuration. INT and HUP that were
//! ignored at the start stay ignored. Rust's start-up code ignores PIPE.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook_mio::v1_0::Signals;

use crate::signals::heard;

/// The signal that re-reads the configuration.
pub(crate) const RELOAD: i32 = SIGHUP;

/// Registers signals as a source of the poll. A second TERM or INT does not wait for the loop: the process ends in the
/// handler with exit code 0, since the operator has asked for an end and acknowledged changes are on disk.
///
/// # Errors
/// A handler cannot be registered.
pub(crate) fn listen() -> io::Result<Signals> {
    let asked_before = Arc::new(AtomicBool::new(false));
    // TERM is always handled: otherwise a server whose parent ignored it by accident could not be stopped cleanly.
    let optional = heard(&[SIGINT, RELOAD]);
    let ending = [SIGTERM].into_iter().chain(optional.iter().copied().filter(|signal| *signal == SIGINT));
    for signal in ending {
        // The order matters: handlers run in the order of registration, and the first one finds the flag as the
        // previous signal left it.
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&asked_before))?;
        flag::register(signal, Arc::clone(&asked_before))?;
    }
    // Otherwise the kernel would end the process at a write beyond a file size limit. The write fails instead.
    flag::register(libc::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Signals::new(optional.into_iter().chain([SIGTERM]))
}
