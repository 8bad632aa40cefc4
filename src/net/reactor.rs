//! The reactor: one thread that owns the poll, the listeners and the datagram sockets. The sockets of connections are
//! in the engine's slab, indexed by token.

use std::cell::RefCell;
use std::rc::Rc;

use mio::Poll;
use signal_hook_mio::v1_0::Signals;

use super::accept::Listeners;
use super::conn::Stream;
use super::settings::Reload;
use super::sys::clock::Clock;
use super::systemd::Manager;
use super::tls::Buffers;
use super::udp::Sockets;
use crate::auth::Auth;
use crate::engine::Engine;
use crate::history::History;

/// The state of the loop.
pub(super) struct Reactor {
    pub(super) poll: Poll,
    pub(super) clock: Clock,
    pub(super) engine: Engine<Stream>,
    pub(super) listeners: Listeners,
    /// The buffers that all connections by TLS share.
    pub(super) buffers: Buffers,
    pub(super) datagrams: Sockets,
    pub(super) auth: Rc<RefCell<Auth>>,
    /// What was said; `None` if nothing is kept.
    pub(super) history: Option<History>,
    /// It may have answers that were not taken.
    pub(super) has_history: bool,
    pub(super) signals: Signals,
    pub(super) control: Control,
    pub(super) manager: Manager,
}

/// Functions for administration.
pub(super) struct Control {
    /// Called on SIGHUP.
    pub(super) reload: Reload,
    /// Returns the number of dropped log lines, for the statistics.
    pub(super) log_lines_dropped: fn() -> u64,
}

impl Reactor {
    /// The end: the history writes everything that was said, and the account thread completes its current work.
    pub(super) fn finish(mut self) {
        self.engine.log_rest();
        self.engine.end_history();
        self.pass_to_history();
        if let Some(history) = self.history.take() {
            history.close();
        }
    }
}
