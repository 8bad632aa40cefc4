//! Administration: new settings, shutdown, log and statistics.

use std::net::IpAddr;
use std::time::Duration;

use log::{info, log, log_enabled, warn};

use super::close::Ending;
use super::counters::Counters;
use super::id::ConnId;
use super::log_limit::Subject;
use super::pause::Pause;
use super::rate::Rate;
use super::time::{NEVER, seconds};
use super::{Engine, Settings};
use crate::close::CloseReason;
use crate::door::Class;
use crate::hub::Rules;
use crate::limits::{DEGRADED_LIST_LINES, SHUTDOWN_MS, SHUTDOWN_RETRY_S};

/// Figures of the statistics that the engine does not know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outside {
    /// Accounts that exist.
    pub accounts: usize,
    /// Passwords that wait to be hashed.
    pub hashing: usize,
    /// Log lines that were dropped.
    pub log_lines_dropped: u64,
    /// Datagrams that the kernel dropped because its queue was full.
    pub datagrams_lost: u64,
}

impl<S> Engine<S> {
    /// Applies new settings. No connection is closed for them. From now on at most `most_connections` are admitted at
    /// once.
    pub fn handle_settings(&mut self, settings: Settings, most_connections: usize) {
        self.gate.most_connections = most_connections;
        let history = self.settings.history.take();
        self.settings = settings;
        self.set_history_rules(history);
        self.hub.set_rules(self.rules());
        self.datagrams.peers.rearm(&self.settings.rooms);
        self.logins.allowances.clear();
        self.plan_stats();
        for id in self.conns.ids() {
            self.renew(id);
        }
    }

    /// The rules of the hub by the settings. On a server that is overloaded, or short of memory, lists are shorter.
    pub(super) fn rules(&self) -> Rules {
        let mut rules = Rules::from(&self.settings);
        if self.has_short_lists() {
            rules.list_lines = rules.list_lines.min(DEGRADED_LIST_LINES);
        }
        rules
    }

    /// The current settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Accounts online, and open connections of users.
    pub fn presence(&self) -> (usize, usize) {
        (self.hub.accounts_online(), self.gate.open(Class::Chat))
    }

    /// The counters since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// New limits hold for a connection that is there: its deadlines may have come nearer, and what it has used of an
    /// old rate says nothing of a new one.
    fn renew(&mut self, id: ConnId) {
        self.touched.push(id);
        let Some(conn) = self.conns.find(id) else { return };
        conn.rate = Rate::default();
        if matches!(conn.pause, Pause::Until { .. }) {
            self.resume(id);
        }
    }

    /// The operator stops the server.
    pub fn handle_stop(&mut self) {
        info!("stopping: telling everybody");
        self.stop();
    }

    /// Sends the closing message to all connections and starts the shutdown. A second call does nothing.
    pub(super) fn stop(&mut self) {
        if self.is_ending() {
            return;
        }
        self.ending = Ending::Until(self.now + SHUTDOWN_MS);
        self.note_all_seen();
        self.datagrams.tell_the_end(&mut self.counters);
        for id in self.conns.ids() {
            self.close_for_shutdown(id);
        }
    }

    /// Monitoring programs are not told: they may ask until everybody else has left, and hear that the server stops.
    fn close_for_shutdown(&mut self, id: ConnId) {
        let class = self.conns.peek(id).map(|conn| conn.door.class());
        match class {
            Some(Class::Chat | Class::Operator) => self.close(id, CloseReason::ShuttingDown(SHUTDOWN_RETRY_S)),
            Some(Class::Metrics) | None => {}
        }
    }

    /// True while the server shuts down. It admits only monitoring programs then.
    pub fn is_ending(&self) -> bool {
        self.ending != Ending::No
    }

    /// True when the shutdown is complete: all connections are closed, or the time for that has passed.
    pub fn is_over(&self) -> bool {
        match self.ending {
            Ending::No => false,
            Ending::Until(due) => {
                let is_alone = self.conns.len() == self.gate.open(Class::Metrics);
                is_alone && self.datagrams.is_quiet() || due <= self.now
            }
        }
    }

    /// True if the server must end because of its own faults.
    pub fn is_broken(&self) -> bool {
        self.faults.is_fatal()
    }

    /// Writes the last lines of the log at the end of a shutdown.
    pub fn log_rest(&mut self) {
        while let Some(sum) = self.log_limit.poll_rest() {
            log!(sum.subject.level(), "{sum}");
        }
        let left = self.conns.len() - self.gate.open(Class::Metrics);
        if left > 0 {
            warn!("{left} connections had not heard all when the server ended");
        }
    }

    /// Logs a line that a peer can cause (the peer at `ip`, if there is one), unless the limit for its subject is
    /// reached.
    pub fn log_peer(&mut self, subject: Subject, ip: Option<IpAddr>, line: impl FnOnce(&Self) -> String) {
        let level = subject.level();
        if log_enabled!(level) && self.log_limit.admits(subject, ip, self.now) {
            log!(level, "{}", line(self));
        }
    }

    /// Logs the number of suppressed lines for each minute that has ended.
    pub(super) fn log_sums(&mut self) {
        while let Some(sum) = self.log_limit.poll_sum(self.now) {
            log!(sum.subject.level(), "{sum}");
        }
    }

    /// Schedules the next line of statistics.
    pub(super) fn plan_stats(&mut self) {
        let every = seconds(self.settings.stats_s);
        self.stats_due = if every == 0 { NEVER } else { self.now + every };
    }

    /// True if a line of statistics is due; [`log_stats`](Self::log_stats) follows.
    pub fn are_stats_due(&self) -> bool {
        self.stats_due <= self.now
    }

    /// Logs the line of statistics. `outside` holds the figures that the engine does not know.
    pub fn log_stats(&mut self, outside: &Outside) {
        self.refresh(outside);
        info!("stats: {}", self.counters);
        self.counters.longest_turn_us = 0;
        self.plan_stats();
    }

    /// Updates the counters that are current values.
    pub(super) fn refresh(&mut self, outside: &Outside) {
        let counters = &mut self.counters;
        counters.connections = self.conns.len() as u64;
        counters.online = self.hub.accounts_online() as u64;
        counters.accounts = outside.accounts as u64;
        counters.rooms = self.hub.rooms() as u64;
        counters.peers = self.datagrams.peers.len() as u64;
        counters.hashing = outside.hashing as u64;
        counters.owed_bytes = self.pages.owed_bytes();
        counters.addresses = self.gate.addresses.len() as u64;
        counters.log_lines_dropped = outside.log_lines_dropped;
        counters.history_backlog_bytes = self.history.queued() as u64;
        counters.datagrams_lost = outside.datagrams_lost;
    }

    /// Notes the duration of a turn.
    pub fn note_turn(&mut self, time: Duration) {
        let us = self.counters.note_turn(time);
        self.note_turn_length(us);
    }
}
