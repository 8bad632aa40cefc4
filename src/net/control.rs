//! Administration: signals, reload, statistics.

use log::info;

use super::reactor::Reactor;
use super::settings::Reloaded;
use super::sys::{descriptors, signals};
use crate::engine::Outside;

impl Reactor {
    /// Signals have arrived.
    pub(super) fn on_signals(&mut self) {
        let pending: Vec<_> = self.signals.pending().collect();
        for signal in pending {
            if signal == signals::RELOAD {
                self.reload();
            } else {
                self.engine.handle_stop();
            }
        }
    }

    /// SIGHUP: applies settings that can change without a restart.
    fn reload(&mut self) {
        let Some(Reloaded { tuning: settings, credentials }) = (self.control.reload)() else { return };
        self.listeners.secure(&credentials);
        self.auth.borrow_mut().reconfigure(&settings.accounts);
        self.listeners.set_limits(&settings.limits);
        let most_connections = descriptors::prepare(&settings.limits);
        self.engine.handle_settings(settings, most_connections);
        info!("configuration re-read: up to {most_connections} connections");
    }

    /// Logs the line of statistics.
    pub(super) fn log_stats(&mut self) {
        let auth = self.auth.borrow();
        let outside = Outside {
            accounts: auth.accounts(),
            hashing: auth.waiting(),
            log_lines_dropped: (self.control.log_lines_dropped)(),
            datagrams_lost: self.datagrams.lost(),
        };
        drop(auth);
        self.engine.log_stats(&outside);
    }
}
