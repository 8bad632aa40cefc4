//! The net: the only place that knows sockets. It owns them all, reads, decides, flushes, reaps.
//!
//! [`serve`] is the server. The turn of the loop stands in `reactor.rs`; its phases each have a file.

mod addresses;
mod admit;
mod allowances;
mod arm;
mod backpressure;
mod clock;
mod conn;
mod debts;
mod decide;
mod descriptors;
mod ears;
mod fanout;
mod farewell;
mod fault;
mod flush;
mod guesses;
mod kernel;
mod listen;
mod log_limit;
mod login;
mod operate;
pub mod outbox;
mod pace;
pub mod pages;
mod parcels;
mod passwd;
mod reactor;
mod read;
mod rooms;
mod session;
mod signals;
mod slim;
mod stats;
mod table;
mod timers;
mod token;
mod udp;
mod vanish;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use log::{info, warn};
use mio::{Interest, Poll, Waker};

use crate::auth::{self, Auth, OpenError};
use crate::door::{Door, rooms as rooms_door};
use crate::hub::{Hub, Rules};
use crate::limits::{self, Limits, Login, READ_BYTES};
use addresses::Addresses;
use clock::{Clock, NEVER};
use descriptors::Spare;
use fault::Faults;
use guesses::Guesses;
use listen::Listener;
pub use listen::{Trial, try_places};
use log_limit::LogLimit;
use pages::Pages;
use passwd::Changes;
use reactor::{Ending, Reactor};
use rooms::Relay;
use slim::Crest;
use stats::Stats;
use table::Table;
use timers::Timers;
use token::{Generations, Source};

/// What the server is started with.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: Vec<Endpoint>,
    /// Where members of rooms who came through the line door send datagrams.
    pub datagrams: Option<SocketAddr>,
    /// The account file; its companions stand beside it.
    pub accounts_file: PathBuf,
    /// How many log lines have been dropped, for the statistics.
    pub stats_log_lines_dropped: fn() -> u64,
    /// What may change while it runs.
    pub tuning: Tuning,
}

/// One place to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Address and port; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether a machine without this address family is no reason not to start.
    pub optional: bool,
    /// What is spoken there.
    pub service: Service,
}

/// What is spoken at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Lines of text.
    Line,
    /// Rooms over TCP and UDP.
    Rooms {
        /// The port for datagrams, at the same address; port 0 takes a free one.
        udp: u16,
        /// Requests carry a port, and are answered by words.
        status_ok: bool,
        /// Datagrams tell the name by its size.
        down_named: bool,
    },
}

impl Endpoint {
    /// Where its members send datagrams: at the same address, in the same zone.
    fn datagrams(&self) -> Option<SocketAddr> {
        let Service::Rooms { udp, .. } = self.service else { return None };
        let mut addr = self.addr;
        addr.set_port(udp);
        Some(addr)
    }
}

impl Service {
    /// The name of its door.
    fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Rooms { .. } => "rooms",
        }
    }

    /// Whether the passwords of accounts can be tried here: only there are addresses kept out for wrong ones.
    fn asks_for_passwords(self) -> bool {
        match self {
            Self::Line => true,
            Self::Rooms { .. } => false,
        }
    }

    /// The door of a connection that comes in here.
    fn door(self) -> Door {
        match self {
            Self::Line => Door::line(),
            Self::Rooms { status_ok, down_named, .. } => Door::rooms(rooms_door::Options { status_ok, down_named }),
        }
    }
}

/// What SIGHUP may change.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Connections, lines, rates, what may be owed.
    pub limits: Limits,
    /// How long and how often somebody may try to log in.
    pub login: Login,
    /// Who may have an account, and what a password costs.
    pub accounts: limits::Accounts,
    /// How many rooms, and how large.
    pub rooms: limits::Rooms,
    /// Seconds between two lines of statistics; 0 for none.
    pub stats_s: u32,
}

impl From<&Tuning> for Rules {
    fn from(tuning: &Tuning) -> Self {
        Self {
            sessions_per_account: tuning.accounts.sessions_per_account,
            list_lines: tuning.limits.list_lines,
            rooms_per_session: tuning.rooms.per_session,
            room_members: tuning.rooms.members,
        }
    }
}

/// Why the server did not start, or did not go on. Each holds a whole message: what, why, and the next step.
#[derive(Debug)]
pub enum StartError {
    /// The port or the account file is another server's.
    InUse(String),
    /// What is configured cannot be used.
    Config(String),
    /// Anything else.
    Failed(String),
}

/// Called on SIGHUP: gives what is to change, or `None` if everything stays.
pub type Reload = Box<dyn FnMut() -> Option<Tuning>>;

/// Opens the accounts, binds, and serves until a signal ends it. `reload` is called on SIGHUP.
///
/// # Errors
/// See [`StartError`]. Once it serves, only these are: the poll itself fails; too many faults of the server's own, or
/// one that is not confined to one connection, or one of the account thread's.
pub fn serve(settings: Settings, reload: Reload) -> Result<(), StartError> {
    let mut reactor = start(settings, reload)?;
    info!("serving up to {} connections", reactor.most_connections);
    // After a panic nothing is done with the reactor but what ends it: the account thread brings to disk what it has.
    let result = catch_unwind(AssertUnwindSafe(|| reactor.serve()))
        .unwrap_or_else(|_| Err(io::Error::other("an internal error, see the log")));
    if reactor.tuning.stats_s > 0 {
        reactor.log_stats();
    }
    reactor.finish();
    result.map_err(|error| StartError::Failed(format!("the event loop: {error}")))
}

fn start(settings: Settings, reload: Reload) -> Result<Reactor, StartError> {
    let Settings { listen, datagrams, accounts_file, stats_log_lines_dropped, tuning } = settings;
    let failed = |what: &str, error: io::Error| StartError::Failed(format!("{what}: {error}"));
    let poll = Poll::new().map_err(|error| failed("make a poll", error))?;
    let mut signals = signals::listen().map_err(|error| failed("listen to signals", error))?;
    let registry = poll.registry();
    registry
        .register(&mut signals, Source::Signals.token(), Interest::READABLE)
        .map_err(|error| failed("watch for signals", error))?;
    descriptors::raise();
    let most_connections = descriptors::prepare(&tuning.limits);
    // The accounts first: their lock tells two servers apart before either has taken a port.
    let auth = open_accounts(accounts_file, &tuning, registry)?;
    let mut listeners = Vec::new();
    for endpoint in &listen {
        listeners.extend(Listener::open(endpoint, listeners.len(), &tuning.limits, registry)?);
    }
    let relay = Relay::open(&listen, datagrams, registry)?;
    let scratch_bytes = READ_BYTES.max(limits::LINE_BYTES_MOST) * 2;
    let mut reactor = Reactor {
        poll,
        signals,
        clock: Clock::new(),
        reload,
        log_lines_dropped: stats_log_lines_dropped,
        listeners,
        first_listener: 0,
        accept_retry: NEVER,
        is_accept_failing: false,
        spare: Spare::new(),
        most_connections,
        conns: Table::default(),
        generations: Generations::default(),
        addresses: Addresses::new(),
        guesses: Guesses::default(),
        silent: 0,
        log_limit: LogLimit::default(),
        hub: Hub::new(Rules::from(&tuning)),
        allowances: Default::default(),
        auth,
        changes: Changes::default(),
        relay,
        pages: Pages::default(),
        timers: Timers::default(),
        scratch: vec![0; scratch_bytes].into_boxed_slice(),
        run_queue: Default::default(),
        urgent: Vec::new(),
        crowd: VecDeque::new(),
        backpressure: Default::default(),
        touched: Vec::new(),
        condemned: VecDeque::new(),
        doomed: Vec::new(),
        turn_work: 0,
        stats: Stats::default(),
        faults: Faults::default(),
        crest: Crest::new(),
        stats_due: NEVER,
        ending: Ending::No,
        tuning,
    };
    reactor.plan_stats();
    Ok(reactor)
}

fn open_accounts(file: PathBuf, tuning: &Tuning, registry: &mio::Registry) -> Result<Auth, StartError> {
    let waker = Waker::new(registry, Source::Waker.token())
        .map_err(|error| StartError::Failed(format!("make a waker: {error}")))?;
    let wake = move || {
        if let Err(error) = waker.wake() {
            warn!("cannot wake the loop: {error}");
        }
    };
    let settings = auth::Settings { file, rules: tuning.accounts.clone() };
    Auth::open(&settings, wake).map_err(|error| match error {
        OpenError::InUse(_) => StartError::InUse(error.to_string()),
        OpenError::Unusable(text) => StartError::Config(text),
    })
}
