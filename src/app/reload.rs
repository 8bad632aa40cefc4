//! SIGHUP: the configuration is read again, and the log is re-opened.

use super::{endpoints, irc, overrides, target, tuning};
use crate::config::{self, Faults, Listen, Loaded, Place};
use crate::logging;
use crate::net::{Changes, Reloaded};

/// The state that a reload needs.
pub(super) struct Reloader {
    place: Place,
    /// The configuration that is in effect.
    current: Loaded,
    /// The configuration that the server was started with. Some of its settings hold until the next start.
    started: Loaded,
}

impl Reloader {
    /// For a server that was started with `loaded`, which was read from `place`.
    pub(super) fn new(place: Place, loaded: Loaded) -> Self {
        Self { place, current: loaded.clone(), started: loaded }
    }

    /// Reads the configuration again and re-opens the log. Gives the settings for the running server, and what has
    /// changed. If the configuration is bad, its faults are logged, and nothing changes but the log, whose file may have
    /// been moved.
    ///
    /// # Errors
    /// The faults, a line each.
    pub(super) fn reload(&mut self) -> Result<Reloaded, Vec<String>> {
        let read = config::reload(&self.place, &self.current.origin).map_err(Faults::into_lines).and_then(|loaded| {
            let (credentials, tokens) = endpoints::renewed(&self.started.config.listen, &loaded)?;
            let irc = irc::server(&loaded, &self.started).map_err(|why| vec![why])?;
            Ok((loaded, credentials, tokens, irc))
        });
        let before = self.current.config.clone();
        if let Ok((loaded, ..)) = &read {
            self.current = loaded.clone();
        }
        logging::reopen(self.current.config.log.level, target(&self.current, &[self.started.accounts_file()]));
        match read {
            Ok((loaded, credentials, tokens, irc)) => {
                log::info!("reload: configuration: {}{}", loaded.origin, overrides(self.place.set.len()));
                let changes = config::changes(&before, &loaded.config);
                log::info!("reload: {}", changed(&changes));
                let need_restart = self.need_restart();
                for key in &need_restart {
                    log::warn!("reload: {key} has changed; that takes effect when the server is restarted");
                }
                let changes = Changes { keys: changes, need_restart, bad_bans: None };
                Ok(Reloaded { tuning: tuning(&loaded, irc), credentials, tokens, changes })
            }
            Err(lines) => {
                for line in &lines {
                    log::error!("reload: {line}");
                }
                log::error!("reload: the configuration is bad; the old one stays in effect");
                Err(lines)
            }
        }
    }

    /// The changed keys that take effect only after a restart.
    fn need_restart(&self) -> Vec<&'static str> {
        let (now, then) = (&self.current, &self.started);
        let (buffer, buffer_then) = (now.config.limits.send_buffer_bytes, then.config.limits.send_buffer_bytes);
        [
            ("listen", !is_same_listen(&now.config.listen, &then.config.listen)),
            ("datagrams", now.config.datagrams != then.config.datagrams),
            ("accounts.file", now.accounts_file() != then.accounts_file()),
            ("history.file", now.history_file() != then.history_file()),
            ("irc.name", now.config.irc.name != then.config.irc.name),
            ("operator.socket", now.config.operator.socket != then.config.operator.socket),
            // Once a listener's buffer size is set, the choice cannot be given back to the kernel.
            ("limits.send_buffer_bytes", buffer == 0 && buffer_then != 0),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }
}

/// True if two lists name the same endpoints, whatever their certificates.
fn is_same_listen(one: &[Listen], other: &[Listen]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same_place(other))
}

fn changed(changes: &[String]) -> String {
    if changes.is_empty() {
        "the configuration has not changed".to_owned()
    } else {
        format!("changed: {}", changes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_reload_gives_what_may_change_and_keeps_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[limits]\nline_s = 5\n").unwrap();
        let place = Place { config: Some(path.clone()), set: vec!["log.stats_s=9".to_owned()] };
        let loaded = config::load(&place).unwrap();
        let mut reloader = Reloader::new(place, loaded);

        fs::write(&path, "listen = ['line://[::1]:1']\n[limits]\nline_s = 6\n").unwrap();
        let Reloaded { tuning, changes, .. } = reloader.reload().unwrap();
        assert_eq!(changes.need_restart, ["listen"]);
        assert_eq!((tuning.limits.line_s, tuning.stats_s), (6, 9));
        assert_eq!(reloader.need_restart(), ["listen"]);

        fs::write(&path, "[limits]\nline_s = 0\n").unwrap();
        assert!(reloader.reload().unwrap_err()[0].contains("limits.line_s"));
        fs::remove_file(&path).unwrap();
        assert!(reloader.reload().is_err());
        assert_eq!(reloader.current.config.limits.line_s, 6);

        fs::write(&path, "accounts.file = 'elsewhere'").unwrap();
        assert_eq!(reloader.reload().unwrap().tuning.limits.line_s, 30);
        assert_eq!(reloader.need_restart(), ["accounts.file"]);
        fs::write(&path, "limits.send_buffer_bytes = 9999").unwrap();
        assert!(reloader.reload().is_ok() && reloader.need_restart().is_empty());
        fs::write(&path, "limits.send_buffer_bytes = 0").unwrap();
        assert!(reloader.reload().is_ok());
        assert_eq!(reloader.need_restart(), ["limits.send_buffer_bytes"]);
    }

    #[test]
    fn the_irc_door_keeps_its_name_until_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (path, motd) = (folder.path().join("config.toml"), folder.path().join("motd"));
        fs::write(&path, "irc.motd = 'motd'\nlisten = ['irc://127.0.0.1:1?guests=bare']").unwrap();
        fs::write(&motd, "one\n").unwrap();
        let place = Place { config: Some(path.clone()), set: Vec::new() };
        let loaded = config::load(&place).unwrap();
        let mut reloader = Reloader::new(place, loaded);

        fs::write(&motd, "two\nlines\n").unwrap();
        let Reloaded { tuning, changes, .. } = reloader.reload().unwrap();
        assert_eq!(tuning.irc.motd.iter().map(|line| &**line).collect::<Vec<_>>(), ["two", "lines"]);
        assert!(changes.keys.is_empty() && changes.need_restart.is_empty());

        let changed =
            "irc = { name = 'new.example', network = 'New' }\nlisten = ['irc://127.0.0.1:1']\nhistory.file = ''";
        fs::write(&path, changed).unwrap();
        let Reloaded { tuning, changes, .. } = reloader.reload().unwrap();
        assert_eq!(changes.need_restart, ["listen", "history.file", "irc.name"]);
        let irc = tuning.irc;
        assert_eq!((&*irc.name, &*irc.network, irc.motd.len()), ("chatd.local", "New", 0));
        assert_eq!((irc.guests, irc.keeps), (crate::net::IrcMark::Bare, cfg!(feature = "history")));

        fs::write(&path, "irc.motd = 'none'").unwrap();
        assert!(reloader.reload().unwrap_err()[0].starts_with("irc.motd: "));
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_listener_that_is_no_longer_listed_keeps_its_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&cert, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let pair = "[tls]\ncert = 'cert.pem'\nkey = 'key.pem'\n";
        fs::write(&path, format!("listen = ['line+tls://127.0.0.1:1']\n{pair}")).unwrap();
        let place = Place { config: Some(path.clone()), set: Vec::new() };
        let loaded = config::load(&place).unwrap();
        let mut reloader = Reloader::new(place, loaded);
        assert!(matches!(reloader.reload().unwrap().credentials[..], [Some(_)]));

        // It is open until the restart, and gets a new certificate as long as there is one.
        fs::write(&path, format!("listen = ['line://127.0.0.1:1']\n{pair}")).unwrap();
        assert!(matches!(reloader.reload().unwrap().credentials[..], [Some(_)]));
        fs::remove_file(&cert).unwrap();
        assert!(matches!(reloader.reload().unwrap().credentials[..], [None]));

        // A configuration with which no server would start is a bad one.
        fs::write(&path, "listen = ['line://127.0.0.1:1', 'line+tls://127.0.0.1:2?cert=no.pem&key=no.pem']").unwrap();
        let faults = reloader.reload().unwrap_err();
        assert!(faults[0].contains("no.pem: cannot be read"), "{faults:?}");
    }
}
