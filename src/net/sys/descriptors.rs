//! Descriptors: their limit, the size of the kernel's table, and a spare one.

use std::fs::File;
use std::os::fd::RawFd;

use log::warn;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::{Limits, SPARE_DESCRIPTORS};

/// A file that exists on every machine and costs nothing to open.
const NOTHING: &str = "/dev/null";

/// Raises the limit of descriptors as far as the machine allows without privileges.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            warn!("cannot raise the descriptor limit: {error}");
        }
    }
}

/// Prepares for the configured number of connections. Returns the number that is possible.
pub(crate) fn prepare(limits: &Limits) -> usize {
    let most = most_connections(limits);
    make_room(most);
    most
}

/// Number of connections: the configured one, as far as the descriptors allow.
fn most_connections(limits: &Limits) -> usize {
    let wanted = u64::from(limits.connections);
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let possible = descriptors.saturating_sub(SPARE_DESCRIPTORS).max(1);
    if possible < wanted {
        warn!("{wanted} connections are configured, {descriptors} descriptors allow {possible}: raise `ulimit -n`");
    }
    wanted.min(possible) as usize
}

/// Makes the kernel's table of our descriptors large enough for this many connections. Otherwise it doubles whenever it
/// is full; in a process with several threads the kernel then waits until no processor uses the old table
/// (`expand_fdtable` and its `synchronize_rcu` in Linux's fs/file.c), and the loop stops for 10 to 20 ms in the middle
/// of a connection storm.
fn make_room(connections: usize) {
    let last = connections.saturating_add(SPARE_DESCRIPTORS as usize - 1);
    // Opens the highest number for a moment. If that fails, the table grows later.
    if let (Ok(file), Ok(last)) = (File::open(NOTHING), RawFd::try_from(last)) {
        drop(fcntl_dupfd_cloexec(file, last));
    }
}

/// A spare descriptor, used to refuse a peer when all others are in use.
#[derive(Debug)]
pub(crate) struct Spare(Option<File>);

impl Spare {
    /// Opens one, if possible.
    pub(crate) fn new() -> Self {
        Self(File::open(NOTHING).ok())
    }

    /// Opens it again, unless it is open.
    pub(crate) fn refill(&mut self) {
        if self.0.is_none() {
            *self = Self::new();
        }
    }

    /// Closes it, so that a peer can be accepted and refused.
    pub(crate) fn lend(&mut self) {
        self.0 = None;
    }
}
