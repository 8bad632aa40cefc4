//! The world: the owner of the virtual sockets. It drives the engine by the calls that the net makes, in the same order.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;

use testkit::Dice;

use super::accounts::{Accounts, Shared};
use super::audit::{AUDIT_MS, Watch};
use super::clients::{Client, End, Going, Reading};
use super::ledger::Ledger;
use super::wire::Wire;
use crate::door::{Door, rooms};
use crate::engine::{
    ConnId, DatagramPlaces, Engine, Millis, NEVER, Outside, Phase, Random, Ready, Sent, Settings, ToAccounts,
};
use crate::limits::{ACCEPTS_A_TURN, DATAGRAMS_A_TURN, TURN_WORK_ENDS};

/// So many turns may follow each other at one moment.
const TURNS_AT_ONCE: u32 = 20_000;
/// So long after the last client has been told to go nobody may be left.
const REST_MS: Millis = 720_000;
/// Unix time at the start, in milliseconds.
const UNIX_MS: u64 = 1_700_000_000_000;

/// The engine and all that surrounds it.
pub(super) struct World {
    pub(super) engine: Engine<usize>,
    pub(super) now: Millis,
    pub(super) dice: Dice,
    /// The connections, and the clients at their other ends, by the same numbers.
    pub(super) wires: Vec<Wire>,
    pub(super) clients: Vec<Client>,
    pub(super) accounts: Rc<RefCell<Accounts>>,
    pub(super) ledger: Ledger,
    /// Wires of which the poll has news.
    news: Vec<usize>,
    /// Wires that were written to or closed in this turn.
    stirred: Vec<usize>,
    /// Clients that wait to be accepted.
    knocking: VecDeque<usize>,
    /// When clients act next.
    plans: BinaryHeap<Reverse<(Millis, usize)>>,
    /// Datagrams on their way to the server.
    pub(super) datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    /// How many datagrams have come from the server, by address.
    pub(super) datagrams_out: BTreeMap<SocketAddr, u32>,
    /// The addresses that have shown a valid token.
    pub(super) pinned: BTreeSet<SocketAddr>,
    datagrams_blocked: bool,
    /// Writes are cut at random lengths, one in so many; 0 for none.
    pub(super) short_writes: u64,
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
    stale: Option<ConnId>,
    /// What the operator wants.
    signal: Option<Signal>,
    /// Connections that break, and when.
    resets: Vec<(Millis, usize)>,
}

/// What the operator may want.
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
        Self {
            engine: Engine::new(settings, most_connections, places, roll, random),
            now: 0,
            dice: Dice::of(seed),
            wires: Vec::new(),
            clients: Vec::new(),
            accounts,
            ledger: Ledger::default(),
            news: Vec::new(),
            stirred: Vec::new(),
            knocking: VecDeque::new(),
            plans: BinaryHeap::new(),
            datagrams: VecDeque::new(),
            datagrams_out: BTreeMap::new(),
            pinned: BTreeSet::new(),
            datagrams_blocked: false,
            short_writes: 0,
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
        self.wires.push(Wire::new(capacity));
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

    /// The poll has news of a wire, which the wire has noted.
    pub(super) fn report(&mut self, place: usize) {
        let wire = &mut self.wires[place];
        if wire.id.is_some() && wire.news != Ready::default() && !wire.has_news {
            wire.has_news = true;
            self.news.push(place);
        }
    }

    /// Lets time pass until `until`, or until the server is over.
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

    fn wake_clients(&mut self) {
        while let Some(Reverse((at, client))) = self.plans.peek().copied()
            && at <= self.now
        {
            self.plans.pop();
            self.act(client);
        }
    }

    fn let_clients_read(&mut self) {
        for place in std::mem::take(&mut self.stirred) {
            self.clients[place].is_stirred = false;
            self.hear(place);
        }
    }

    fn stir(&mut self, place: usize) {
        if !std::mem::replace(&mut self.clients[place].is_stirred, true) {
            self.stirred.push(place);
        }
    }

    /// The loop sleeps until something happens or is due.
    fn pass_time(&mut self, until: Millis) {
        let engine_due = self.engine.next_due();
        let is_busy = self.engine.is_busy();
        // One timer may stand for two things that are due at once; the second has its turn at once.
        let is_due = !is_busy && engine_due <= self.now && self.engine.turn.work < TURN_WORK_ENDS;
        self.turns_due = if is_due { self.turns_due + 1 } else { 0 };
        assert!(self.turns_due < 4, "due at {engine_due}, at {}: {}", self.now, self.what_is_due());
        let others = self.plans.peek().map_or(NEVER, |Reverse((at, _))| *at);
        let others = others.min(self.accounts.borrow().next_due());
        let others = self.resets.iter().fold(others, |least, (at, _)| least.min(*at));
        let has_news = !(self.news.is_empty() && self.knocking.is_empty() && self.datagrams.is_empty());
        let before = self.now;
        if is_busy || has_news {
            self.now += self.dice.below(2);
        } else {
            // The clock counts whole milliseconds: the poll may wake one late.
            let due = engine_due.saturating_add(self.dice.below(2));
            self.now = due.min(others).max(self.now).min(until + 1);
        }
        self.turns_now = if self.now == before { self.turns_now + 1 } else { 0 };
        assert!(self.turns_now < TURNS_AT_ONCE, "the engine spins at {}", self.now);
    }

    fn what_is_due(&self) -> String {
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

    /// The operator has the settings read again.
    pub(super) fn reload(&mut self, settings: Settings) {
        self.signal = Some(Signal::Reload(Box::new(settings)));
    }

    /// The operator ends the server.
    pub(super) fn stop(&mut self) {
        self.signal = Some(Signal::Stop);
    }

    fn take_signal(&mut self) {
        match self.signal.take() {
            Some(Signal::Stop) => {
                self.stopped_at = self.now;
                self.engine.handle_stop();
            }
            Some(Signal::Reload(settings)) => {
                self.engine.handle_settings(*settings, 10_000);
                self.clients.iter_mut().for_each(|client| client.rate_clear_us = 0);
                self.next_audit = self.now + 10; // what is due by the new ones has a turn
            }
            None => {}
        }
    }

    /// The client breaks its connection at that time, if it has one then.
    pub(super) fn reset_at(&mut self, client: usize, at: Millis) {
        self.resets.push((at, client));
    }

    fn run_resets(&mut self) {
        let now = self.now;
        let due: Vec<_> = self.resets.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, client) in due {
            if self.clients[client].is_connected && !self.clients[client].is_over() {
                self.clients[client].going = Going::Reset;
                self.go(client);
            }
        }
    }

    /// The server is stopped, and everybody who reads is told.
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
    }

    /// Everybody goes, and nothing is left.
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
        self.check_empty();
    }

    /// One turn, as in `net/turn/mod.rs`.
    fn turn(&mut self) {
        self.turns += 1;
        self.wait();
        self.engine.run_timers();
        self.engine.run_closes();
        self.probe();
        self.accept();
        self.take_datagrams();
        self.read();
        self.pass_requests();
        self.flush();
        self.reap();
        self.engine.rearm();
    }

    fn wait(&mut self) {
        self.engine.begin_turn(self.now, UNIX_MS + self.now);
        loop {
            let answer = self.accounts.borrow_mut().poll_answer(self.now, &mut self.dice);
            let Some((id, verdict)) = answer else { break };
            self.engine.handle_verdict(id, verdict);
        }
        for place in std::mem::take(&mut self.news) {
            let wire = &mut self.wires[place];
            let news = std::mem::take(&mut wire.news);
            wire.has_news = false;
            if let Some(id) = wire.id {
                self.engine.handle_ready(id, news);
            }
        }
        self.take_signal();
        if let Some(id) = self.stale.take() {
            let all = Ready { is_readable: true, is_ending: true, is_writable: true, is_broken: true };
            self.engine.handle_ready(id, all);
        }
        if self.datagrams_blocked {
            self.datagrams_blocked = false;
            self.engine.handle_datagrams_writable(0);
        }
        if self.engine.are_stats_due() {
            self.engine.log_stats(&Outside::default());
        }
    }

    fn probe(&mut self) {
        while let Some((probe, socket)) = self.engine.poll_probe() {
            let in_flight = self.wires[*socket].in_flight(probe.why, self.now);
            self.engine.handle_probe(probe, in_flight);
        }
    }

    fn accept(&mut self) {
        self.engine.begin_phase(Phase::Accepts);
        if self.engine.is_ending() {
            for place in std::mem::take(&mut self.knocking) {
                self.wires[place].is_broken = true;
                self.stir(place);
            }
        }
        for _ in 0..ACCEPTS_A_TURN {
            if !self.engine.has_share_left() {
                break;
            }
            let Some(place) = self.knocking.pop_front() else { break };
            self.admit(place);
        }
    }

    fn admit(&mut self, place: usize) {
        let client = &self.clients[place];
        let door = || if client.is_guest() { Door::rooms(rooms::Options::default()) } else { Door::line() };
        let ip = client.addr.ip();
        match self.engine.admit(ip, door()) {
            Ok(admitted) => {
                let wire = &mut self.wires[place];
                wire.id = Some(admitted.id());
                self.clients[place].session = wire.id;
                wire.news.is_writable = true;
                self.engine.handle_accept(admitted, place);
                self.report(place);
            }
            Err(refusal) => {
                let answer = self.engine.refuse(ip, door(), refusal, self.wires[place].heard());
                self.wires[place].refuse(&answer);
                self.stir(place);
            }
        }
    }

    fn take_datagrams(&mut self) {
        self.engine.begin_phase(Phase::Datagrams);
        for _ in 0..DATAGRAMS_A_TURN {
            if !self.engine.has_share_left() {
                break;
            }
            let Some((from, bytes)) = self.datagrams.pop_front() else { break };
            self.engine.handle_datagram(0, from, &bytes);
        }
    }

    fn read(&mut self) {
        self.engine.begin_phase(Phase::Reads);
        while let Some(to_read) = self.engine.poll_read() {
            let (id, read) = (to_read.id, self.wires[*to_read.socket].read(to_read.room));
            self.engine.handle_read(id, read);
        }
    }

    fn pass_requests(&mut self) {
        while let Some(request) = self.engine.poll_request() {
            match request {
                ToAccounts::Ask { id, origin: _, request } => {
                    let result = self.accounts.borrow_mut().submit(id, request, self.now, &mut self.dice);
                    if let Err(refused) = result {
                        self.engine.handle_refused(id, refused);
                    }
                }
                ToAccounts::Cancel(id) => self.accounts.borrow_mut().cancel(id, self.now),
            }
        }
    }

    fn flush(&mut self) {
        self.engine.begin_phase(Phase::Writes);
        while let Some(to_write) = self.engine.poll_write() {
            let (id, place) = (to_write.id, *to_write.socket);
            let is_short = self.short_writes > 0 && self.dice.below(self.short_writes) == 0;
            let most = if is_short { self.dice.below(200) as usize } else { usize::MAX };
            let wire = &mut self.wires[place];
            let wrote = wire.write(&to_write.frames, most, self.now);
            if is_short {
                wire.take_up_slack();
            }
            self.engine.handle_wrote(id, wrote);
            self.report(place);
            self.stir(place);
        }
        while let Some((id, socket)) = self.engine.poll_finish() {
            let place = *socket;
            let is_done = self.wires[place].finish();
            self.engine.handle_finished(id, is_done);
            self.stir(place);
        }
        self.flush_datagrams();
        self.engine.end_flush();
    }

    fn flush_datagrams(&mut self) {
        while let Some((place, queue)) = self.engine.poll_datagrams() {
            let waiting: Vec<_> = queue.iter().map(|item| (item.to, queue.contents(item).to_vec())).collect();
            let is_short = self.short_writes > 0 && self.dice.below(self.short_writes) == 0;
            let count = if is_short { self.dice.below(waiting.len() as u64) as usize } else { waiting.len() };
            queue.sent(count);
            queue.set_blocked(count < waiting.len());
            self.datagrams_blocked |= count < waiting.len();
            self.engine.handle_sent(place, Sent { count: count as u64, failed: 0 });
            for (to, _) in waiting.into_iter().take(count) {
                assert!(self.pinned.contains(&to), "a datagram goes to {to}, which has shown no token");
                *self.datagrams_out.entry(to).or_default() += 1;
            }
        }
    }

    fn reap(&mut self) {
        while let Some(gone) = self.engine.poll_gone() {
            let place = gone.socket;
            let wire = &mut self.wires[place];
            assert!(wire.closed.is_none(), "a socket is closed twice");
            self.stale = wire.id.take();
            wire.closed = Some(gone.is_reset);
            if gone.is_reset {
                wire.drop_down();
            }
            self.stir(place);
        }
        self.engine.poll_trimmed();
    }
}
