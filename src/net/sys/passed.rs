//! Descriptors that the service manager has passed, out of the environment.

use std::env;
use std::os::fd::{FromRawFd as _, OwnedFd};

/// The variables that say which descriptors were passed. A process that this one starts must not find them.
const VARIABLES: [&str; 4] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

/// The descriptors that were passed to this process, and the variables that say so are removed. An error text if they say
/// nothing that can be true.
///
/// To be called first of all in the program: before it starts a thread, and before it opens a file.
#[expect(unsafe_code, reason = "the environment and the descriptors have no safe form")]
pub(crate) fn take() -> Result<Vec<OwnedFd>, String> {
    let numbers = sd_notify::listen_fds().map(Vec::from_iter).map_err(|error| format!("LISTEN_FDS: {error}"));
    for variable in VARIABLES {
        // SAFETY: there is one thread, so nobody else reads or changes the environment.
        unsafe { env::remove_var(variable) };
    }
    // SAFETY: `listen_fds` has set a flag of each of these descriptors, so they are open. They were passed to this process
    // for its own use, and nothing has opened or taken any descriptor of it yet.
    Ok(numbers?.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect())
}
