//! Administration: signals, reload, statistics.

use log::{error, info};

use super::reactor::Reactor;
use super::settings::Reloaded;
use super::sys::{descriptors, signals};
use crate::engine::{Changes, Outside};

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

    /// SIGHUP, or an operator's command: applies the bans, and settings that can change without a restart.
    ///
    /// # Errors
    /// What is wrong with the configuration; nothing of it changes.
    pub(super) fn reload(&mut self) -> Result<Changes, Vec<String>> {
        let bad_bans = self.reread_bans();
        let Reloaded { tuning: settings, credentials, mut changes } = (self.control.reload)()?;
        changes.bad_bans = bad_bans;
        self.listeners.secure(&credentials);
        self.auth.borrow_mut().reconfigure(&settings.accounts);
        self.listeners.set_limits(&settings.limits);
        let most_connections = descriptors::prepare(&settings.limits);
        self.engine.handle_settings(settings, most_connections);
        info!("configuration re-read: up to {most_connections} connections");
        Ok(changes)
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

    /// The figures that the engine does not know.
    pub(super) fn outside(&mut self) -> Outside {
        let auth = self.auth.borrow();
        Outside {
            accounts: auth.accounts(),
            hashing: auth.waiting(),
            log_lines_dropped: (self.control.log_lines_dropped)(),
            datagrams_lost: self.datagrams.lost(),
        }
    }
}
