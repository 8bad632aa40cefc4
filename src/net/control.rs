//! Administration: signals, reload, statistics.

use log::{error, info};

use super::reactor::Reactor;
use super::settings::Reloaded;
use super::sys::{descriptors, signals};
use super::systemd::Status;
use crate::engine::Changes;

impl Reactor {
    /// Signals have arrived.
    pub(super) fn on_signals(&mut self) {
        let pending: Vec<_> = self.signals.pending().collect();
        for signal in pending {
            if signal == signals::RELOAD {
                // The log says what came of it.
                let _ = self.reload();
            } else {
                self.engine.handle_stop();
            }
        }
    }

    /// SIGHUP, or an operator's command: reads the configuration and the bans again.
    ///
    /// # Errors
    /// What is wrong with the configuration; nothing of it changes.
    pub(super) fn reload(&mut self) -> Result<Changes, Vec<String>> {
        self.manager.on_reload();
        let result = self.apply();
        self.engine.note_reload(result.as_ref().is_ok_and(|changes| changes.bad_bans.is_none()));
        self.manager.on_reloaded();
        result
    }

    /// Applies the bans, and settings that can change without a restart.
    fn apply(&mut self) -> Result<Changes, Vec<String>> {
        let Reloaded { tuning: settings, credentials, tokens, mut changes } = (self.control.reload)()?;
        changes.bad_bans = self.reread_bans();
        self.listeners.secure(&credentials);
        self.listeners.set_tokens(&tokens);
        self.auth.borrow_mut().reconfigure(&settings.accounts);
        self.listeners.set_limits(&settings.limits);
        let most_connections = descriptors::prepare(&settings.limits);
        if let (Some(history), Some(rules)) = (&self.history, &settings.history) {
            history.reconfigure(rules);
        }
        self.engine.handle_settings(settings, most_connections);
        info!("configuration re-read: up to {most_connections} connections");
        self.engine.handle_listeners(self.listeners.shown());
        Ok(changes)
    }

    /// Tells the service manager at the end of a turn what it is to be told.
    pub(super) fn tell_manager(&mut self) {
        let (online, connections) = self.engine.presence();
        self.manager.end_turn(self.clock.now, Status { online, connections }, self.engine.is_ending());
    }

    /// Reads the bans again. A file with a bad line changes nothing, and what is wrong with it comes back.
    fn reread_bans(&mut self) -> Option<String> {
        let read = self.auth.borrow().reread_bans();
        match read {
            Ok(bans) if *bans == *self.engine.bans() => None,
            Ok(bans) => {
                info!("bans re-read: {} bans", bans.len());
                self.engine.handle_bans(bans);
                None
            }
            Err(why) => {
                error!("{why}; the old ones stay");
                Some(why)
            }
        }
    }

    /// Logs the line of statistics.
    pub(super) fn log_stats(&mut self) {
        let outside = self.outside();
        self.engine.log_stats(&outside);
    }
}
