//! The operator's side of the loop: signals, the reload, the shutdown, the line of statistics.

use std::net::IpAddr;
use std::time::Duration;

use log::{info, log, log_enabled, warn};

use super::clock::{NEVER, seconds};
use super::conn::Pause;
use super::descriptors;
use super::log_limit::Subject;
use super::pace::Pace;
use super::reactor::{Ending, Reactor};
use super::signals;
use crate::close::CloseReason;
use crate::hub::Rules;
use crate::hub::session::SessionId;
use crate::limits::{SHUTDOWN_MS, SHUTDOWN_RETRY_S};

impl Reactor {
    /// Signals have come.
    pub(super) fn on_signals(&mut self) {
        let pending: Vec<_> = self.signals.pending().collect();
        for signal in pending {
            if signal == signals::RELOAD {
                self.reload();
            } else {
                info!("stopping: telling everybody");
                self.shut_down();
            }
        }
    }

    /// SIGHUP: what can change without a restart changes.
    fn reload(&mut self) {
        let Some(tuning) = (self.reload)() else { return };
        self.auth.reconfigure(&tuning.accounts);
        self.hub.set_rules(Rules::from(&tuning));
        self.most_connections = descriptors::prepare(&tuning.limits);
        self.tuning = tuning;
        for listener in &self.listeners {
            listener.set_limits(&self.tuning.limits);
        }
        self.relay.ears.rearm(&self.tuning.rooms);
        self.allowances.clear();
        self.plan_stats();
        for id in self.conns.ids() {
            self.renew(id);
        }
        info!("configuration re-read: up to {} connections", self.most_connections);
    }

    /// New limits hold for a connection that is there: its deadlines may have come nearer, and what it has used of an
    /// old rate says nothing of a new one.
    fn renew(&mut self, id: SessionId) {
        self.touched.push(id);
        let Some(conn) = self.conn(id) else { return };
        conn.pace = Pace::default();
        if matches!(conn.pause, Pause::Pace { .. }) {
            self.resume(id);
        }
    }

    /// TERM, INT, too many faults: nobody new, everybody told, and then an end.
    pub(super) fn shut_down(&mut self) {
        if self.ending != Ending::No {
            return;
        }
        self.ending = Ending::Until(self.clock.now + SHUTDOWN_MS);
        self.listeners.clear();
        self.relay.tell_the_end(&mut self.stats);
        self.accept_retry = NEVER;
        for id in self.conns.ids() {
            self.close(id, CloseReason::ShuttingDown(SHUTDOWN_RETRY_S));
        }
    }

    /// Logs a line that a peer can cause (one at `ip`, if it is because of one), unless there were enough of its kind.
    pub(super) fn log_peer(&mut self, subject: Subject, ip: Option<IpAddr>, line: impl FnOnce(&Self) -> String) {
        let level = subject.level();
        if log_enabled!(level) && self.log_limit.admits(subject, ip, self.clock.now) {
            log!(level, "{}", line(self));
        }
    }

    /// Logs how many lines were not written in the minutes that are over.
    pub(super) fn log_sums(&mut self) {
        while let Some(sum) = self.log_limit.poll_sum(self.clock.now) {
            log!(sum.subject.level(), "{sum}");
        }
    }

    /// When the next line of statistics is due.
    pub(super) fn plan_stats(&mut self) {
        let every = seconds(self.tuning.stats_s);
        self.stats_due = if every == 0 { NEVER } else { self.clock.now + every };
    }

    /// The line of statistics.
    pub(super) fn log_stats(&mut self) {
        let dropped = (self.log_lines_dropped)();
        self.stats.datagrams_lost = self.relay.lost();
        info!(
            "stats: connections={} online={} accounts={} rooms={} peers={} hashing={} owed_bytes={} addresses={} log_lines_dropped={dropped} {}",
            self.conns.len(),
            self.hub.accounts_online(),
            self.auth.accounts(),
            self.hub.rooms(),
            self.relay.ears.len(),
            self.auth.waiting(),
            self.pages.owed_bytes(),
            self.addresses.len(),
            self.stats,
        );
        self.stats.longest_turn = Duration::ZERO;
        self.plan_stats();
    }

    /// The end: the account thread finishes what it has begun, and stops.
    pub(super) fn finish(mut self) {
        while let Some(sum) = self.log_limit.poll_rest() {
            log!(sum.subject.level(), "{sum}");
        }
        if !self.conns.is_empty() {
            warn!("{} connections had not heard all when the server ended", self.conns.len());
        }
        self.auth.close();
    }
}
