//! Signals: TERM and INT end the server, a second one at once; HUP re-reads the configuration. INT and HUP that were
//! ignored at the start stay ignored. PIPE is ignored by Rust's own start-up code.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook_mio::v1_0::Signals;

use crate::signals::heard;

/// The signal that re-reads the configuration.
pub(crate) const RELOAD: i32 = SIGHUP;

/// Signals as a source for the poll. A second TERM or INT does not wait for the loop: the process ends in the
/// handler, with exit code 0, for the operator has asked for an end and what was acknowledged is on disk.
///
/// # Errors
/// A handler cannot be set.
pub(crate) fn listen() -> io::Result<Signals> {
    let asked_before = Arc::new(AtomicBool::new(false));
    // TERM is always heard: nothing else ends a server orderly whose starter ignored it by accident.
    let optional = heard(&[SIGINT, RELOAD]);
    let ending = [SIGTERM].into_iter().chain(optional.iter().copied().filter(|signal| *signal == SIGINT));
    for signal in ending {
        // The order matters: what was registered first runs first, and finds the flag as the first signal left it.
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&asked_before))?;
        flag::register(signal, Arc::clone(&asked_before))?;
    }
    // Under a file size limit the kernel would end the process at a write that it could as well fail.
    flag::register(libc::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Signals::new(optional.into_iter().chain([SIGTERM]))
}
