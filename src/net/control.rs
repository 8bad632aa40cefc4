//! Administration: signals, reload, statistics.

use log::info;

use super::reactor::Reactor;
use super::settings::Reloaded;
use super::sys::{descriptors, signals};
use super::systemd::Status;

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

    /// SIGHUP: reads the configuration again.
    fn reload(&mut self) {
        self.manager.on_reload();
        self.apply();
        self.manager.on_reloaded();
    }

    /// Applies settings that can change without a restart.
    fn apply(&mut self) {
        let Some(Reloaded { tuning: settings, credentials, tokens }) = (self.control.reload)() else {
            return self.engine.note_reload(false);
        };
        self.listeners.secure(&credentials);
        self.listeners.set_tokens(&tokens);
        self.auth.borrow_mut().reconfigure(&settings.accounts);
        self.listeners.set_limits(&settings.limits);
        let most_connections = descriptors::prepare(&settings.limits);
        self.engine.handle_settings(settings, most_connections);
        info!("configuration re-read: up to {most_connections} connections");
        self.engine.handle_listeners(self.listeners.shown());
        self.engine.note_reload(true);
    }

    /// Tells the service manager at the end of a turn what it is to be told.
    pub(super) fn tell_manager(&mut self) {
        let (online, connections) = self.engine.presence();
        self.manager.end_turn(self.clock.now, Status { online, connections }, self.engine.is_ending());
    }

    /// Logs the line of statistics.
    pub(super) fn log_stats(&mut self) {
        let outside = self.outside();
        self.engine.log_stats(&outside);
    }
}
