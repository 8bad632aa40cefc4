//! The world: the engine, the virtual sockets, the clients, and virtual time.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;

use testkit::Dice;

use super::accounts::{Accounts, Shared};
use super::audit::{AUDIT_MS, Watch};
use super::clients::{Client, End, Going, Reading};
use super::ledger::{Ledger, Place};
use super::shadow::Shadow;
use super::socket::WebSocket;
use super::store::{Mood, Store};
use super::wire::{Tls, Wire};
use crate::engine::{ConnId, DatagramPlaces, Engine, Millis, NEVER, Random, Ready, Settings};
use crate::hub::record::Restored;
use crate::limits::TURN_WORK_ENDS;

/// Turns that may follow each other at one time.
const TURNS_AT_ONCE: u32 = 20_000;
/// Milliseconds after which no connection may be left when all clients leave: the slowest rate, and all that was sent.
const REST_MS: Millis = 1_800_000;

/// The engine and everything around it.
pub(super) struct World {
    pub(super) engine: Engine<usize>,
    pub(super) now: Millis,
    pub(super) dice: Dice,
    /// The connections and their clients, by the same numbers.
    pub(super) wires: Vec<Wire>,
    pub(super) clients: Vec<Client>,
    pub(super) accounts: Rc<RefCell<Accounts>>,
    pub(super) ledger: Ledger,
    pub(super) shadow: Shadow,
    /// The history, if something is kept.
    pub(super) store: Option<Store>,
    /// Wires with readiness to be reported.
    pub(super) news: Vec<usize>,
    /// Wires that the server has written to or closed in this turn.
    stirred: Vec<usize>,
    /// Clients in the listener's queue.
    pub(super) knocking: VecDeque<usize>,
    /// When clients act next.
    plans: BinaryHeap<Reverse<(Millis, usize)>>,
    /// Datagrams on their way to the server.
    pub(super) datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    /// How many datagrams have come from the server, by address.
    pub(super) datagrams_out: BTreeMap<SocketAddr, u32>,
    /// Addresses that have presented a valid token.
    pub(super) pinned: BTreeSet<SocketAddr>,
    pub(super) datagrams_blocked: bool,
    /// One in this many writes is short; 0 for none.
    pub(super) short_writes: u64,
    /// Every third client comes by TLS.
    pub(super) is_partly_by_tls: bool,
    /// Every fourth client whose lines are typed comes by the web door.
    pub(super) is_partly_by_web: bool,
    /// The engine's turns so far, and those at this moment.
    pub(super) turns: u64,
    turns_now: u32,
    /// Turns in a row after which something was still due.
    turns_due: u32,
    pub(super) next_audit: Millis,
    pub(super) audit_every_ms: Millis,
    /// How many rooms there are, and how many accounts a direct message may be for.
    pub(super) rooms: u64,
    pub(super) names: u64,
    pub(super) watches: Vec<Watch>,
    /// When the engine was told to stop.
    pub(super) stopped_at: Millis,
    pub(super) stale: Option<ConnId>,
    /// A signal that is pending.
    signal: Option<Signal>,
    /// Connections that break, and when.
    resets: Vec<(Millis, usize)>,
}

/// A signal to the server.
enum Signal {
    Stop,
    Reload(Box<Settings>),
}

/// Random bytes from a seed.
struct Seeded(Dice);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        bytes.fill_with(|| self.0.below(256) as u8);
        true
    }
}

impl World {
    pub(super) fn new(seed: u64, settings: Settings, most_connections: usize) -> Self {
        let accounts = Rc::new(RefCell::new(Accounts::default()));
        let places = DatagramPlaces { sockets: 1, line_port: Some(5016) };
        let roll = Box::new(Shared(Rc::clone(&accounts)));
        let random = Box::new(Seeded(Dice::of(seed ^ 0x5eed)));
        let is_kept = settings.history.is_some();
        let mut engine = Engine::new(settings, most_connections, places, roll, random);
        if is_kept {
            engine.restore(Restored::default());
        }
        Self {
            engine,
            now: 0,
            dice: Dice::of(seed),
            wires: Vec::new(),
            clients: Vec::new(),
            accounts,
            ledger: Ledger::default(),
            shadow: Shadow::default(),
            store: is_kept.then(|| Store::new(3)),
            news: Vec::new(),
            stirred: Vec::new(),
            knocking: VecDeque::new(),
            plans: BinaryHeap::new(),
            datagrams: VecDeque::new(),
            datagrams_out: BTreeMap::new(),
            pinned: BTreeSet::new(),
            datagrams_blocked: false,
            short_writes: 0,
            is_partly_by_tls: false,
            is_partly_by_web: false,
            turns: 0,
            turns_now: 0,
            turns_due: 0,
            next_audit: 0,
            audit_every_ms: AUDIT_MS,
            rooms: 6,
            names: 24,
            watches: Vec::new(),
            stopped_at: NEVER,
            stale: None,
            signal: None,
            resets: Vec::new(),
        }
    }

    /// Adds a client, which acts first at `at`.
    pub(super) fn add(&mut self, client: Client, capacity: usize, at: Millis) -> usize {
        let place = self.clients.len();
        self.clients.push(client);
        let mut wire = Wire::new(capacity);
        wire.tls = (self.is_partly_by_tls && place % 3 == 1).then(Tls::default);
        let comes_by_web = self.is_partly_by_web && place % 4 == 2 && self.clients[place].may_come_by_web();
        wire.web = comes_by_web.then(WebSocket::default);
        self.wires.push(wire);
        self.plan(place, at);
        place
    }

    /// The client acts at `at`.
    pub(super) fn plan(&mut self, client: usize, at: Millis) {
        self.plans.push(Reverse((at, client)));
    }

    /// The client connects.
    pub(super) fn knock(&mut self, client: usize) {
        self.knocking.push_back(client);
    }

    /// Puts a wire with news into the list of news.
    pub(super) fn report(&mut self, place: usize) {
        let wire = &mut self.wires[place];
        if wire.id.is_some() && wire.news != Ready::default() && !wire.has_news {
            wire.has_news = true;
            self.news.push(place);
        }
    }

    /// Runs until `until`, or until the server has ended.
    pub(super) fn run(&mut self, until: Millis) {
        while self.now <= until && !self.engine.is_over() {
            self.wake_clients();
            self.run_resets();
            self.turn();
            self.let_clients_read();
            self.audit();
            if !self.engine.is_over() {
                self.pass_time(until);
            }
        }
    }

    pub(super) fn wake_clients(&mut self) {
        while let Some(Reverse((at, client))) = self.plans.peek().copied()
            && at <= self.now
        {
            self.plans.pop();
            self.act(client);
        }
    }

    pub(super) fn let_clients_read(&mut self) {
        for place in std::mem::take(&mut self.stirred) {
            self.clients[place].is_stirred = false;
            self.hear(place);
        }
    }

    pub(super) fn stir(&mut self, place: usize) {
        if !std::mem::replace(&mut self.clients[place].is_stirred, true) {
            self.stirred.push(place);
        }
    }

    /// Sleeps until something happens or is due.
    pub(super) fn pass_time(&mut self, until: Millis) {
        let engine_due = self.engine.next_due();
        let is_busy = self.engine.is_busy();
        // One timer may serve several deadlines at one time; each takes a turn.
        let is_due = !is_busy && engine_due <= self.now && self.engine.turn.work < TURN_WORK_ENDS;
        self.turns_due = if is_due { self.turns_due + 1 } else { 0 };
        assert!(self.turns_due < 4, "due at {engine_due}, at {}: {}", self.now, self.what_is_due());
        let others = self.plans.peek().map_or(NEVER, |Reverse((at, _))| *at);
        let others = others.min(self.accounts.borrow().next_due());
        let others = others.min(self.store.as_ref().map_or(NEVER, Store::next_due));
        let others = self.resets.iter().fold(others, |least, (at, _)| least.min(*at));
        let has_news = !(self.news.is_empty() && self.knocking.is_empty() && self.datagrams.is_empty());
        let before = self.now;
        if is_busy || has_news {
            self.now += self.dice.below(2);
        } else {
            // The clock counts whole milliseconds, so the poll may wake one late.
            let due = engine_due.saturating_add(self.dice.below(2));
            self.now = due.min(others).max(self.now).min(until + 1);
        }
        self.turns_now = if self.now == before { self.turns_now + 1 } else { 0 };
        assert!(self.turns_now < TURNS_AT_ONCE, "the engine spins at {}", self.now);
    }

    pub(super) fn what_is_due(&self) -> String {
        let engine = &self.engine;
        let due = engine.conns.iter().filter(|conn| conn.armed <= self.now);
        let conns: Vec<_> = due.map(|conn| (conn.id, &conn.life, &conn.pause, &conn.liveness, conn.armed)).collect();
        let peers = engine.datagrams.peers.next_due();
        let (stats, trim, ending) = (engine.stats_due, engine.high_water.due, engine.ending.due());
        format!("peers {peers:?}, statistics {stats}, a trim {trim}, the end {ending}, connections {conns:?}")
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        !self.engine.is_busy() && self.news.is_empty() && self.datagrams.is_empty()
    }

    /// SIGHUP: new settings, in the next turn.
    pub(super) fn reload(&mut self, settings: Settings) {
        self.signal = Some(Signal::Reload(Box::new(settings)));
    }

    /// SIGTERM, in the next turn.
    pub(super) fn stop(&mut self) {
        self.signal = Some(Signal::Stop);
    }

    pub(super) fn take_signal(&mut self) {
        match self.signal.take() {
            Some(Signal::Stop) => {
                self.stopped_at = self.now;
                self.engine.handle_stop();
            }
            Some(Signal::Reload(settings)) => {
                self.engine.handle_settings(*settings, 10_000);
                self.clients.iter_mut().for_each(|client| (client.rate_clear_us, client.bytes_clear_us) = (0, 0));
                self.next_audit = self.now + 10; // a turn for what is due by the new settings
            }
            None => {}
        }
    }

    /// Plans a reset of the client's connection.
    pub(super) fn reset_at(&mut self, client: usize, at: Millis) {
        self.resets.push((at, client));
    }

    pub(super) fn run_resets(&mut self) {
        let now = self.now;
        let due: Vec<_> = self.resets.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, client) in due {
            if self.clients[client].is_connected && !self.clients[client].is_over() {
                self.clients[client].going = Going::Reset;
                self.go(client);
            }
        }
    }

    /// Stops the server. All clients that read must be told.
    pub(super) fn finish_by_stop(&mut self) {
        let is_there = |client: &Client| client.is_in() && client.is_fair && !client.is_going && !client.is_guest();
        let there: Vec<_> = (0..self.clients.len()).filter(|i| is_there(&self.clients[*i])).collect();
        let was_quiet = self.is_quiet();
        self.stop();
        self.run(self.now + 60_000);
        assert!(self.engine.is_over(), "it goes on at {}", self.now);
        for i in there {
            let client = &self.clients[i];
            let is_told = matches!(&client.end, Some(End::Told(reason)) if reason.starts_with("shutting down"));
            assert!(is_told || !was_quiet || client.reading != Reading::All, "client {i} is not told: {client:?}");
        }
        self.ledger.check(&self.clients);
        self.end_history();
    }

    /// Changes what the store does.
    pub(super) fn set_mood(&mut self, mood: Mood) {
        if let Some(store) = &mut self.store {
            store.mood = mood;
        }
    }

    /// The end of the process: what was said goes to the store, which then has all that was heard.
    pub(super) fn end_history(&mut self) {
        self.engine.end_history();
        self.pass_to_history();
        let Some(store) = &mut self.store else { return };
        store.mood = Mood::Well;
        store.close();
        let ids = store.ids();
        assert!(ids.is_disjoint(&store.refused), "something that was answered 450 is kept");
        assert!(store.kept.is_subset(&ids), "something that was acknowledged is not kept");
        if self.engine.counters.history_dropped == 0 {
            // Direct messages of guests are not kept.
            let is_kept = |place: Place, from: usize| match place {
                Place::All => true,
                Place::Account(_) => !self.clients[from].is_irc_guest(),
                Place::Room(_) => false,
            };
            let said = self.ledger.ids(is_kept);
            let missing: Vec<_> = said.difference(&ids).filter(|id| !store.forgotten.contains(id)).collect();
            assert!(missing.is_empty(), "these were heard and are not kept: {missing:?}");
        }
    }

    /// All clients leave. Nothing may be left.
    pub(super) fn finish(&mut self) {
        for i in 0..self.clients.len() {
            if self.wires[i].vanished_at != NEVER {
                self.clients[i].going = Going::Reset;
                self.go(i);
                continue;
            }
            if self.clients[i].reading != Reading::All && self.clients[i].stops.is_none() {
                self.clients[i].reading = Reading::All;
                self.hear(i);
            }
            self.clients[i].operations = 0;
            if !self.clients[i].is_over() && !self.clients[i].is_going && self.clients[i].is_connected {
                self.clients[i].going = Going::End;
                if !self.clients[i].is_in() && !self.clients[i].expected.is_empty() {
                    self.clients[i].going = Going::Reset; // in the middle of its login
                }
                self.go(i);
            }
        }
        let end = self.now + REST_MS;
        self.run(end);
        self.ledger.check(&self.clients);
        self.end_history();
        self.check_empty();
    }
}
