//! The engine: the whole server without sockets. Time is an argument; randomness is given to it; it has no threads.
//!
//! Its owner reports what happened (`handle_*`) and asks what to do (`poll_*`), in turns:
//!
//! ```text
//! begin_turn ─▶ handle_ready, handle_verdict … ─▶ run_timers ─▶ run_closes ─▶ admit, handle_accept ─▶ handle_datagram
//!      ▲                                                                                                    │
//!      └── rearm ◀─ poll_gone ◀─ end_flush ◀─ poll_datagrams ◀─ poll_write, handle_wrote ◀─ poll_read, handle_read
//! ```
//!
//! [`Engine::handle_read`] takes a line (`read`). The door decodes it, the engine carries it out (`dispatch`), the hub
//! answers with events, the events become frames in outboxes (`deliver`), and [`Engine::poll_write`] sends them
//! (`flush`). A password becomes a request ([`Engine::poll_request`]), and [`Engine::handle_verdict`] takes the answer
//! (`login`). What was said goes to the store, and comes back as answers (`history`). [`Engine::handle_datagram`] takes a datagram, and [`Engine::poll_datagrams`] sends some.
//!
//! `S` is a socket, which is opaque to the engine: it is stored with its connection and handed out to be read, written
//! and closed.

mod time;
mod id;
mod origin;
mod io;

mod life;
mod pause;
mod conn;
mod table;
mod session;

mod turn;
mod web;
mod web_room;
mod timers;

mod accept;
mod stage;
mod addresses;

mod read;
mod dispatch;
mod bucket;
mod rate;
mod allowances;
mod backpressure;

mod bans;
mod deeds;
mod irc;
mod claim;
mod login;
mod password_change;
mod room_guesses;

mod rooms;
mod relay;
mod datagrams;
mod peers;
mod send_queue;

mod deliver;
mod fan;
mod public_log;
mod history;
pub mod outbox;
pub mod pages;
mod debts;
mod flush;

mod close;
mod cuts;
mod liveness;
mod guard;
mod high_water;

mod control;
mod operator;
mod counters;
mod log_limit;
mod metrics;
mod metrics_connz;
mod metrics_exchange;
mod metrics_exposition;
mod degraded;
mod checkup;

use std::collections::VecDeque;
use std::sync::Arc;

pub use accept::{Admitted, Refusal};
pub use control::Outside;
pub use counters::{
    ANSWERS, BUCKETS, BUILD_INFO, ByDoor, CLOSED, Counters, DEGRADED, HANDSHAKES, Histogram, METRICS, MORE, Metric,
    MetricKind, NOT_AFTER, PROCESS, RELOAD_OK, TURNS,
};
pub use degraded::{Degradation, Part, State};
pub use history::{LastLook, ToHistory};
pub use id::ConnId;
pub use io::{Finished, Frames, Gone, InFlight, Path, Probe, Read, Ready, ToRead, ToWrite, Why, Wrote};
pub use log_limit::Subject;
pub use login::{Roll, ToAccounts};
pub use metrics::{Listening, Process};
pub use operator::{Changes, Operators, Order};
pub use origin::Origin;
pub use send_queue::{SendQueue, Sent, ToSend, Written};
pub use stage::{Entrance, Handshake, Shaken, Unusable};
pub use time::{Millis, NEVER};
pub use turn::Phase;

use accept::Gate;
use backpressure::Backpressure;
use bans::Banned;
use checkup::Checkup;
use close::Ending;
use cuts::Cuts;
use datagrams::Datagrams;
use degraded::Degraded;
use flush::Writer;
use guard::Faults;
use high_water::HighWater;
use history::History;
use irc::IrcConnections;
use log_limit::LogLimit;
use login::Logins;
use metrics::Metrics;
use operator::Desk;
use pages::Pages;
use public_log::PublicLog;
use read::Reader;
use relay::Relay;
use table::Table;
use timers::Timers;
use turn::Turn;

use crate::door::irc as irc_door;
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
    history: History,
    bans: Banned,
    datagrams: Datagrams,
    relay: Relay,
    irc: IrcConnections,
    /// What operators have asked for.
    desk: Desk,

    timers: Timers<ConnId>,
    /// Connections whose deadlines may have changed in this turn.
    touched: Vec<ConnId>,
    /// Connections whose end is scheduled.
    closes: VecDeque<ConnId>,
    /// Accounts whose last connection was cut.
    cuts: Cuts,
    /// Connections to reap.
    gone: Vec<ConnId>,
    /// Questions to the kernel about sockets.
    probes: VecDeque<Probe>,

    counters: Counters,
    stats_due: Millis,
    log_limit: LogLimit,
    metrics: Metrics,
    degraded: Degraded,
    checkup: Checkup,
    faults: Faults,
    high_water: HighWater,
    ending: Ending,
    random: Box<dyn Random>,
}

/// The settings that a reload may change. By default nothing is kept, and there are no statistics.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Limits of connections, lines, rates and outboxes.
    pub limits: Limits,
    /// Deadline and number of attempts of a login.
    pub login: Login,
    /// Registration, and the cost of passwords.
    pub accounts: limits::Accounts,
    /// Number and size of rooms.
    pub rooms: limits::Rooms,
    /// Names of the web door, and its pings.
    pub web: limits::Web,
    /// What all IRC doors share.
    pub irc: Arc<irc_door::Server>,
    /// What is kept, and for how long; `None` for nothing.
    pub history: Option<limits::History>,
    /// The accounts that may send `OP`.
    pub operators: Operators,
    /// Seconds between two lines of statistics; 0 turns them off.
    pub stats_s: u32,
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self {
            sessions_per_account: settings.accounts.sessions_per_account,
            list_lines: settings.limits.list_lines,
            rooms_per_session: settings.rooms.per_session,
            room_members: settings.rooms.members,
            keep_days: settings.history.as_ref().map_or(0, |history| history.keep_days),
        }
    }
}

/// A source of random bytes: the kernel, or a seed.
pub trait Random {
    /// Fills `bytes`. False if there is no randomness.
    fn fill(&mut self, bytes: &mut [u8]) -> bool;
}

/// The datagram sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatagramPlaces {
    /// Number of sockets.
    pub sockets: usize,
    /// The port that reply 227 names to members from the line door.
    pub line_port: Option<u16>,
}

impl<S> Engine<S> {
    /// A server without connections, at time 0. It admits at most `most_connections` at once.
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
            public: PublicLog::new(),
            pages: Pages::default(),
            hub: Hub::new(Rules::from(&settings)),
            logins: Logins::new(roll),
            history: History::default(),
            bans: Banned::default(),
            datagrams: Datagrams::new(datagrams),
            relay: Relay::default(),
            irc: IrcConnections::default(),
            desk: Desk::default(),
            timers: Timers::default(),
            touched: Vec::new(),
            closes: VecDeque::new(),
            cuts: Cuts::default(),
            gone: Vec::new(),
            probes: VecDeque::new(),
            counters: Counters::default(),
            stats_due: NEVER,
            log_limit: LogLimit::default(),
            metrics: Metrics::new(),
            degraded: Degraded::new(),
            checkup: Checkup::new(),
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
