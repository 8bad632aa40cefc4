//! Invariants of the engine between turns.

use std::collections::{BTreeMap, BTreeSet};

use super::clients::{Reading, SLACK_MS, What};
use super::world::World;
use crate::door::Class;
use crate::engine::ConnId;
use crate::engine::conn::Conn;
use crate::engine::life::{Flush, Life, Standing};
use crate::engine::pause::Pause;
use crate::engine::{Millis, NEVER};
use crate::hub::names::RoomName;
use crate::hub::session::SessionId;
use crate::limits::{
    CLOSE_MS, FORGET_WAIT_MS, HISTORY_WAIT_MS, LEAVE_MS, SHUTDOWN_MS, TOOK_RECENTLY_MS, TURN_FRAMES_BYTES,
};

/// Milliseconds between two audits.
pub(super) const AUDIT_MS: Millis = 500;

/// What the audit knows of one connection from earlier audits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    /// Since when it owes more than it may for long.
    pub(super) soft_since: Millis,
    /// Since when it owes more than it may while it takes nothing.
    hard_since: Millis,
    /// When it last took bytes, and how much it had taken by then.
    took: (Millis, u64),
    /// Since when it is closing.
    closing_since: Millis,
}

impl Default for Watch {
    fn default() -> Self {
        Self { soft_since: NEVER, hard_since: NEVER, took: (0, 0), closing_since: NEVER }
    }
}

impl World {
    /// Checks all invariants if an audit is due.
    pub(super) fn audit(&mut self) {
        if self.stopped_at != NEVER {
            let latest = self.stopped_at + SHUTDOWN_MS + SLACK_MS;
            assert!(self.engine.is_over() || self.now <= latest, "the end takes too long");
        }
        if self.now < self.next_audit {
            return;
        }
        self.next_audit = self.now + self.audit_every_ms;
        self.watches.resize_with(self.wires.len(), Watch::default);
        let (mut silent, mut lagging, mut heap, mut owing) = (0, 0, 0, 0);
        for conn in self.engine.conns.iter() {
            silent += u32::from(conn.standing != Standing::Heard);
            lagging += usize::from(conn.is_lagging());
            heap += conn.outbox.heap_bytes() + u64::from(conn.sealed);
            owing += conn.owed() as u64;
            assert_eq!(conn.sealed as usize, self.wires[conn.socket].sealed(), "ciphertext that waits: {conn:?}");
            let written = self.wires[conn.socket].written;
            let mut watch = self.watches[conn.socket];
            self.audit_life(conn, &mut watch, written);
            self.watches[conn.socket] = watch;
            self.audit_queues(conn);
        }
        if self.is_quiet() && !self.engine.is_ending() {
            self.check_shadow();
            self.check_presence();
        }
        let engine = &self.engine;
        assert_eq!(engine.gate.silent, silent, "silent connections");
        assert_eq!(engine.backpressure.lagging, lagging, "connections that lag");
        assert_eq!(engine.pages.heap_bytes, heap, "the heap of all outboxes");
        assert!(engine.closes.len() <= engine.conns.len(), "{} closes are scheduled", engine.closes.len());
        let is_owed = owing > 0 || !engine.public.is_settled();
        assert!(is_owed || engine.pages.owed_bytes() == 0, "nobody owes anything, and pages are held");
        let most = engine.settings.limits.owed_total_bytes + 4 * TURN_FRAMES_BYTES as u64;
        assert!(engine.pages.owed_bytes() <= most, "{} bytes are held", engine.pages.owed_bytes());
    }

    /// A connection was written to: it may owe less than too much now, and again too much at the next audit.
    pub(super) fn note_relief(&mut self, id: ConnId, place: usize) {
        let limits = &self.engine.settings.limits;
        let Some((watch, conn)) = self.watches.get_mut(place).zip(self.engine.conns.peek(id)) else { return };
        if conn.owed() <= limits.owed_soft_bytes as usize {
            watch.soft_since = NEVER;
        }
        if conn.owed() <= conn.may_owe(limits) {
            watch.hard_since = NEVER;
        }
    }

    /// Deadlines and the bounds of one connection.
    fn audit_life(&self, conn: &Conn<usize>, watch: &mut Watch, written: u64) {
        let (now, limits, login) = (self.now, &self.engine.settings.limits, &self.engine.settings.login);
        let seconds = |count: u32| Millis::from(count) * 1000;
        let owed = conn.owed();
        let within = |since: Millis, time: Millis, what: &str| {
            assert!(now <= since.saturating_add(time + SLACK_MS), "{what}, at {now} since {since}: {conn:?}");
        };
        let note = |since: &mut Millis, is_so: bool| *since = if is_so { (*since).min(now) } else { NEVER };
        if watch.took.1 != written || owed == 0 {
            watch.took = (now, written);
        }
        let is_server_s = matches!(&conn.life, Life::Draining(linger) | Life::Lingering(linger) if !linger.is_left);
        note(&mut watch.closing_since, is_server_s);
        within(watch.closing_since, CLOSE_MS, "it lingers");
        match &conn.life {
            Life::Open => {}
            Life::Draining(_) | Life::Lingering(_) => {
                // The time runs from the last byte that it took, as seen by an audit.
                return within(
                    watch.took.0.max(self.clients[conn.socket].over_at_or(now)),
                    LEAVE_MS + CLOSE_MS + self.audit_every_ms,
                    "it leaves",
                );
            }
            Life::Gone(_) => panic!("it is gone and was not reaped: {conn:?}"),
        }
        if !conn.door.is_logged_in() {
            within(conn.since, seconds(login.deadline_s), "a login takes long");
        }
        note(&mut watch.soft_since, owed > limits.owed_soft_bytes as usize);
        within(watch.soft_since, seconds(limits.owed_soft_s), "it owes too much for long");
        note(&mut watch.hard_since, owed > conn.may_owe(limits));
        let hard_since = watch.hard_since.max(watch.took.0);
        within(hard_since, 2 * TOOK_RECENTLY_MS + self.audit_every_ms, "it takes nothing and owes much");
        let most = conn.may_owe_at_most(limits) + TURN_FRAMES_BYTES;
        assert!(owed <= most || conn.end.is_some(), "it owes too much: {conn:?}");
        if conn.line_since != NEVER && conn.pause == Pause::None && conn.door.is_dialogue() {
            within(conn.line_since, seconds(limits.line_s), "a line takes long");
        }
        if let Pause::Until { due, .. } | Pause::Delay { due, .. } = conn.pause {
            within(due, 0, "a pause takes long");
        }
    }

    /// Timers are armed, and pending work is in its queue.
    fn audit_queues(&self, conn: &Conn<usize>) {
        let engine = &self.engine;
        let due = conn.next_due(&engine.settings);
        assert!(conn.armed <= due, "its timer is not armed for {due}: {conn:?}");
        assert!(conn.is_queued || !conn.wants_run(), "it has input and is not read: {conn:?}");
        let is_waiting = !conn.has_output() || conn.is_blocked || conn.end.is_some();
        assert!(is_waiting || conn.flush != Flush::Idle, "it is owed something and not written to: {conn:?}");
        match conn.pause {
            Pause::Checking { .. } => {
                assert!(self.accounts.borrow().is_checking(conn.id), "its password is not with the accounts: {conn:?}");
            }
            Pause::Owing { .. } => assert!(conn.owed() > 0, "it waits to owe less than nothing: {conn:?}"),
            Pause::Answering { .. } if conn.door.class() == Class::Metrics => {
                assert!(engine.wants_figures(), "nobody will answer it: {conn:?}");
            }
            Pause::Recalling { since, .. } => {
                // It may not have read the answers to the lines before.
                let mut expected = self.clients[conn.socket].expected.iter();
                let forgets = expected.any(|expect| expect.what == What::Forget);
                let most = if forgets { FORGET_WAIT_MS } else { HISTORY_WAIT_MS } + SLACK_MS;
                assert!(self.now <= since + most, "it waits for the history for long: {conn:?}");
            }
            Pause::None | Pause::Answering { .. } | Pause::Until { .. } | Pause::Delay { .. } => {}
        }
    }

    /// Compares the hub's sessions and rooms with what the clients know from their replies. Nothing may be under way.
    fn check_shadow(&self) {
        let hub = &self.engine.hub;
        let mut places: BTreeMap<SessionId, BTreeSet<u8>> = BTreeMap::new();
        for room in 0..self.rooms as u8 {
            let name = RoomName::parse(&format!("r{room}")).expect("a name");
            let members = hub.find_room(&name).map_or(&[][..], |id| hub.members_of(id));
            for member in members {
                places.entry(member.session).or_default().insert(room);
            }
        }
        for (i, (client, wire)) in self.clients.iter().zip(&self.wires).enumerate() {
            let Some(session) = wire.id.map(ConnId::session) else { continue };
            let is_up_to_date = client.reading == Reading::All && wire.held() == 0 && !wire.is_blocked();
            if client.is_guest() || !is_up_to_date {
                continue;
            }
            assert_eq!(hub.who_is(session).is_some(), client.is_in(), "at {}: {i} {client:?}", self.now);
            let rooms = places.remove(&session).unwrap_or_default();
            assert!(!client.is_in() || rooms == client.rooms, "in {rooms:?}, at {}: {i} {client:?}", self.now);
        }
        self.check_guests();
    }

    /// A silent guest is removed in time.
    fn check_guests(&self) {
        let idle_ms = Millis::from(self.engine.settings.rooms.guest_idle_s) * 1000;
        for client in self.clients.iter().filter(|client| client.is_guest()) {
            let Some(session) = client.session else { continue };
            let is_there = self.engine.hub.who_is(session.session()).is_some();
            let is_late = self.now > client.spoke_at.saturating_add(idle_ms + SLACK_MS);
            assert!(!(is_there && is_late), "a silent guest is there, at {}: {client:?}", self.now);
        }
    }

    /// Checks that nothing is left when all clients have gone.
    pub(super) fn check_empty(&mut self) {
        let engine = &mut self.engine;
        let left: Vec<_> = engine.conns.iter().map(|conn| (conn, &self.clients[conn.socket])).collect();
        assert!(left.is_empty(), "at {}, these are left: {left:?}", self.now);
        assert_eq!((engine.pages.owed_bytes(), engine.pages.heap_bytes), (0, 0), "memory");
        assert_eq!((engine.gate.silent, engine.backpressure.lagging), (0, 0), "silent ones, and those that lag");
        assert_eq!(engine.timers.next_due(), None, "timers");
        assert_eq!(engine.hub.everyone(), [], "sessions");
        let kept = self.store.as_ref().map_or(0, |store| store.rooms.len());
        assert_eq!((engine.hub.rooms(), engine.datagrams.peers.len()), (kept, 0), "rooms, and peers");
        assert!(!engine.is_busy() && engine.poll_request().is_none(), "work");
        assert_eq!(engine.gate.addresses.open(), 0, "addresses with connections open");
    }
}
