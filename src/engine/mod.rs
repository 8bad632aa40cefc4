//! The engine: the whole server without sockets. It knows neither the clock nor randomness nor threads: time is an
//! argument, the others are given to it.
//!
//! Its owner reports what happens (`handle_*`) and asks what is to be done (`poll_*`), in turns:
//!
//! ```text
//! begin_turn ─▶ handle_ready, handle_verdict … ─▶ run_timers ─▶ run_closes ─▶ admit, handle_accept ─▶ handle_datagram
//!      ▲                                                                                                    │
//!      └── rearm ◀─ poll_gone ◀─ end_flush ◀─ poll_datagrams ◀─ poll_write, handle_wrote ◀─ poll_read, handle_read
//! ```
//!
//! A line comes in by [`Engine::handle_read`] (`read`), is decoded by its door and carried out (`dispatch`), becomes
//! events of the hub, which become frames in outboxes (`deliver`), and goes out by [`Engine::poll_write`] (`flush`). A
//! password becomes a request ([`Engine::poll_request`]) and its answer comes back ([`Engine::handle_verdict`],
//! `login`). A datagram comes in by [`Engine::handle_datagram`] and goes out by [`Engine::poll_datagrams`].
//!
//! `S` is a socket, of which the engine knows nothing: it keeps it beside its connection and hands it out to be read
//! from, written to and closed.

mod time;
mod id;
mod io;

mod life;
mod pause;
mod conn;
mod table;
mod session;

mod turn;
mod timers;

mod accept;
mod addresses;

mod read;
mod dispatch;
mod bucket;
mod rate;
mod allowances;
mod backpressure;

mod login;
mod passwords;
mod guesses;

mod rooms;
mod datagrams;
mod peers;
mod send_queue;

mod deliver;
mod public;
pub mod outbox;
pub mod pages;
mod debts;
mod flush;

mod close;
mod liveness;
mod guard;
mod high_water;

mod control;
mod counters;
mod log_limit;

use std::collections::VecDeque;

pub use accept::{Admitted, Refusal};
pub use control::Outside;
pub use counters::{CLOSED, Counters, METRICS, Metric, MetricKind};
pub use id::ConnId;
pub use io::{Frames, Gone, InFlight, Path, Probe, Read, Ready, ToRead, ToWrite, Why, Wrote};
pub use log_limit::Subject;
pub use login::{Roll, ToAccounts};
pub use send_queue::{SendQueue, Sent, ToSend, Written};
pub use time::{Millis, NEVER};
pub use turn::Phase;

use accept::Gate;
use backpressure::Backpressure;
use close::Ending;
use datagrams::Datagrams;
use flush::Writer;
use guard::Faults;
use high_water::HighWater;
use log_limit::LogLimit;
use login::Logins;
use pages::Pages;
use public::PublicLog;
use read::Reader;
use table::Table;
use timers::Timers;
use turn::Turn;

use crate::hub::{Hub, Rules};
use crate::limits::{self, Limits, Login};

/// The server without sockets. See the [module](self).
pub struct Engine<S> {
    settings: Settings,
    now: Millis,
    unix_ms: u64,
    turn: Turn,

    gate: Gate,
    conns: Table<S>,
    reader: Reader,
    writer: Writer,
    backpressure: Backpressure,
    public: PublicLog,
    /// The memory behind all outboxes.
    pages: Pages,

    hub: Hub,
    logins: Logins,
    datagrams: Datagrams,

    timers: Timers<ConnId>,
    /// Connections whose deadlines may have changed in this turn.
    touched: Vec<ConnId>,
    /// Connections that are about to end.
    closes: VecDeque<ConnId>,
    /// Connections that are over.
    gone: Vec<ConnId>,
    /// Questions about sockets.
    probes: VecDeque<Probe>,

    counters: Counters,
    stats_due: Millis,
    log_limit: LogLimit,
    faults: Faults,
    high_water: HighWater,
    ending: Ending,
    random: Box<dyn Random>,
}

/// What a reload may change.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections, lines, rates, outboxes.
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

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self {
            sessions_per_account: settings.accounts.sessions_per_account,
            list_lines: settings.limits.list_lines,
            rooms_per_session: settings.rooms.per_session,
            room_members: settings.rooms.members,
        }
    }
}

/// Where random bytes come from: the kernel, or a seed.
pub trait Random {
    /// Fills `bytes`. False if there is no randomness to be had.
    fn fill(&mut self, bytes: &mut [u8]) -> bool;
}

/// Where datagrams come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatagramPlaces {
    /// How many sockets there are.
    pub sockets: usize,
    /// The port that members who came through the line door are told (reply 227).
    pub line_port: Option<u16>,
}

impl<S> Engine<S> {
    /// A server that nobody is connected to, at time 0. At most `most_connections` are let in at once.
    pub fn new(
        settings: Settings,
        most_connections: usize,
        datagrams: DatagramPlaces,
        roll: Box<dyn Roll>,
        random: Box<dyn Random>,
    ) -> Self {
        let mut engine = Self {
            now: 0,
            unix_ms: 0,
            turn: Turn::default(),
            gate: Gate::new(most_connections),
            conns: Table::default(),
            reader: Reader::default(),
            writer: Writer::default(),
            backpressure: Backpressure::default(),
            public: PublicLog::default(),
            pages: Pages::default(),
            hub: Hub::new(Rules::from(&settings)),
            logins: Logins::new(roll),
            datagrams: Datagrams::new(datagrams),
            timers: Timers::default(),
            touched: Vec::new(),
            closes: VecDeque::new(),
            gone: Vec::new(),
            probes: VecDeque::new(),
            counters: Counters::default(),
            stats_due: NEVER,
            log_limit: LogLimit::default(),
            faults: Faults::default(),
            high_water: HighWater::new(),
            ending: Ending::No,
            random,
            settings,
        };
        engine.plan_stats();
        engine
    }
}

#[cfg(test)]
mod tests;
