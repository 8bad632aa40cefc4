//! Descriptors: how many there may be, a table that has room for them all, and one kept back.

use std::fs::File;
use std::os::fd::RawFd;

use log::warn;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::{Limits, SPARE_DESCRIPTORS};

/// A file that is on every machine, and free.
const NOTHING: &str = "/dev/null";

/// Takes as many descriptors as the machine allows without asking.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            warn!("cannot raise the descriptor limit: {error}");
        }
    }
}

/// Makes room for as many connections as there may be, and gives how many these are.
pub(crate) fn prepare(limits: &Limits) -> usize {
    let most = most_connections(limits);
    make_room(most);
    most
}

/// How many connections there may be: as configured, as far as descriptors go.
fn most_connections(limits: &Limits) -> usize {
    let wanted = u64::from(limits.connections);
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let possible = descriptors.saturating_sub(SPARE_DESCRIPTORS).max(1);
    if possible < wanted {
        warn!("{wanted} connections are configured, {descriptors} descriptors allow {possible}: raise `ulimit -n`");
    }
    wanted.min(possible) as usize
}

/// Makes the kernel's table of our descriptors as large as so many connections will need it. Left alone, it grows to
/// twice its size whenever it is full; in a process of several threads the kernel waits each time until no processor
/// looks at the old one (`expand_fdtable` and its `synchronize_rcu` in Linux's fs/file.c), and the loop stands for
/// 10 to 20 ms in the middle of a storm.
fn make_room(connections: usize) {
    let last = connections.saturating_add(SPARE_DESCRIPTORS as usize - 1);
    // The highest number of all is taken for a moment. Whoever cannot have it has the growth later.
    if let (Ok(file), Ok(last)) = (File::open(NOTHING), RawFd::try_from(last)) {
        drop(fcntl_dupfd_cloexec(file, last));
    }
}

/// A descriptor that is kept so that there is one to refuse a peer with when all others are in use.
#[derive(Debug)]
pub(crate) struct Spare(Option<File>);

impl Spare {
    /// Takes one, if there is one.
    pub(crate) fn new() -> Self {
        Self(File::open(NOTHING).ok())
    }

    /// Takes one again if there was none to be had the last time.
    pub(crate) fn refill(&mut self) {
        if self.0.is_none() {
            *self = Self::new();
        }
    }

    /// Lets it go, for somebody to be refused with.
    pub(crate) fn lend(&mut self) {
        self.0 = None;
    }
}
