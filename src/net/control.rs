//! Administration: signals, reload, statistics.

use log::info;

use super::reactor::Reactor;
use super::settings::Reloaded;
use super::sys::{descriptors, signals};

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

    /// Logs the line of statistics.
    pub(super) fn log_stats(&mut self) {
        let outside = self.outside();
        self.engine.log_stats(&outside);
    }
}
