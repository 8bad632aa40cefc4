//! The network: the only layer that knows sockets. It owns them and moves bytes between them and the engine. It does
//! not know what a line means.
//!
//! [`serve`] runs the server. `reactor.rs` holds the state of the loop; `turn/` has a file for each phase.

mod settings;
mod reactor;
mod turn;

mod accept;
mod conn;
pub mod tls;
mod udp;

mod accounts;
mod control;
mod figures;
mod history;
mod token;
mod sys;
mod systemd;

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::rc::Rc;

use log::{info, warn};
use mio::{Interest, Poll, Waker};

pub use accept::{Trial, try_places};
pub use history::try_history;
pub use settings::{
    Changes, Endpoint, Entrance, IrcMark, IrcOptions, IrcServer, OperatorSocket, Operators, RelayOptions, Reload,
    Reloaded, Service, Settings, Site, StartError, Tuning,
};
pub use token::read_token;

use crate::auth::{self, Auth, OpenError};
use crate::engine::Engine;
use crate::mailbox;
use accept::Listeners;
use accounts::Shared;
use reactor::{Control, Reactor};
use sys::clock::Clock;
use sys::random::Kernel;
use sys::token::Source;
use sys::{descriptors, signals};
use systemd::Manager;
pub use systemd::Passed;
use tls::Buffers;
use udp::Sockets;

/// Opens the accounts and the history, binds, and serves until a signal ends it. `reload` is called on SIGHUP.
///
/// # Errors
/// See [`StartError`]. After the start it fails only if the poll fails, if there are too many faults of the server, or
/// if a fault is not limited to one connection or is one of the account thread.
pub fn serve(settings: Settings, reload: Reload) -> Result<(), StartError> {
    let mut reactor = start(settings, reload)?;
    // After a panic the reactor is only used to end it: the account thread writes its pending changes to disk.
    let result = catch_unwind(AssertUnwindSafe(|| reactor.serve()))
        .unwrap_or_else(|_| Err(io::Error::other("an internal error, see the log")));
    if reactor.engine.settings().stats_s > 0 {
        reactor.log_stats();
    }
    reactor.finish();
    result.map_err(|error| StartError::Failed(format!("the event loop: {error}")))
}

fn start(settings: Settings, reload: Reload) -> Result<Reactor, StartError> {
    let Settings {
        listen,
        datagrams,
        operator_socket,
        accounts_file,
        history_file,
        stats_log_lines_dropped,
        tuning,
        mut passed,
    } = settings;
    let failed = |what: &str, error: io::Error| StartError::Failed(format!("{what}: {error}"));
    let poll = Poll::new().map_err(|error| failed("make a poll", error))?;
    let mut signals = signals::listen().map_err(|error| failed("listen to signals", error))?;
    let registry = poll.registry();
    registry
        .register(&mut signals, Source::Signals.token(), Interest::READABLE)
        .map_err(|error| failed("watch for signals", error))?;
    descriptors::raise();
    let most_connections = descriptors::prepare(&tuning.limits);
    // The accounts come first: their lock tells two servers apart before either has bound a port.
    let waker = make_waker(registry)?;
    let auth = Rc::new(RefCell::new(open_accounts(accounts_file, &tuning, waker.clone())?));
    let clock = Clock::new();
    let opened = history::open(history_file, tuning.history.as_ref(), &auth.borrow(), clock.unix_ms, waker)?;
    let (history, restored) = opened.unzip();
    let tuning = Tuning { history: tuning.history.filter(|_| history.is_some()), ..tuning };
    let listeners = Listeners::open(&listen, operator_socket.as_ref(), &tuning.limits, registry, &mut passed)?;
    let datagrams = Sockets::open(&listen, datagrams, registry, &mut passed)?;
    passed.close_rest();
    let roll = Box::new(Shared(Rc::clone(&auth)));
    let bans = auth.borrow().bans();
    let mut engine = Engine::new(tuning, most_connections, datagrams.as_places(), roll, Box::new(Kernel));
    engine.handle_started(clock.unix_ms);
    engine.handle_bans(bans);
    if let Some(restored) = restored {
        engine.restore(restored);
    }
    let control = Control { reload, log_lines_dropped: stats_log_lines_dropped };
    engine.handle_listeners(listeners.shown());
    info!("serving up to {most_connections} connections");
    let (buffers, manager) = (Buffers::default(), Manager::from_environment());
    Ok(Reactor {
        poll,
        clock,
        engine,
        listeners,
        buffers,
        datagrams,
        auth,
        history,
        has_history: false,
        signals,
        control,
        manager,
    })
}

/// What wakes the loop: all services share it.
fn make_waker(registry: &mio::Registry) -> Result<mailbox::Waker, StartError> {
    let waker = Waker::new(registry, Source::Waker.token())
        .map_err(|error| StartError::Failed(format!("make a waker: {error}")))?;
    let wake = move || {
        if let Err(error) = waker.wake() {
            warn!("cannot wake the loop: {error}");
        }
    };
    Ok(mailbox::Waker::new(wake))
}

fn open_accounts(file: PathBuf, tuning: &Tuning, waker: mailbox::Waker) -> Result<Auth, StartError> {
    let settings = auth::Settings { file, rules: tuning.accounts.clone() };
    Auth::open(&settings, waker).map_err(|error| match error {
        OpenError::InUse(_) => StartError::InUse(error.to_string()),
        OpenError::Unusable(text) => StartError::Config(text),
    })
}
