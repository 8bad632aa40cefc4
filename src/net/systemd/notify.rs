//! Messages to the service manager (sd_notify(3)): that the server is ready, reloads or stops, what it is doing, and that
//! the loop turns. Without a manager that asks for them nothing is sent.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use log::{info, warn};
use sd_notify::NotifyState;

use crate::engine::{Millis, NEVER};
use crate::limits::STATUS_EVERY_MS;

/// The environment variable that names the manager's socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// The manager, and what it knows.
#[derive(Debug)]
pub(in crate::net) struct Manager {
    /// `None` if there is no manager to be told.
    socket: Option<UnixDatagram>,
    /// Milliseconds between two messages that the loop turns: half of the watchdog's time. `None` without a watchdog.
    feed_every: Option<Millis>,
    feed_due: Millis,
    told: Status,
    told_at: Millis,
    status_due: Millis,
    is_stopping: bool,
}

/// What the server is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::net) struct Status {
    /// Accounts online.
    pub(in crate::net) online: usize,
    /// Connections.
    pub(in crate::net) connections: usize,
}

impl Status {
    fn text(self) -> String {
        format!("{} online, {} connections", self.online, self.connections)
    }
}

impl Manager {
    /// The manager that the environment names.
    pub(in crate::net) fn from_environment() -> Self {
        let socket = std::env::var_os(SOCKET).filter(|name| !name.is_empty()).and_then(|name| {
            reach(&name)
                .inspect_err(|error| warn!("cannot tell the service manager at {}: {error}", name.display()))
                .ok()
        });
        let watchdog = sd_notify::watchdog_enabled().filter(|time| socket.is_some() && !time.is_zero());
        let feed_every = watchdog.map(|time| Millis::try_from(time.as_millis() / 2).unwrap_or(NEVER).max(1));
        if let Some(every) = feed_every {
            info!("the service manager is told every {every} ms that the loop turns");
        }
        Self {
            socket,
            feed_every,
            feed_due: NEVER,
            told: Status::default(),
            told_at: 0,
            status_due: NEVER,
            is_stopping: false,
        }
    }

    /// The server listens.
    pub(in crate::net) fn on_ready(&mut self, now: Millis) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(&self.told.text())]);
        self.told_at = now;
        self.feed_due = if self.feed_every.is_some() { now } else { NEVER };
    }

    /// The server begins to read its configuration again.
    pub(in crate::net) fn on_reload(&self) {
        if self.socket.is_some() {
            match NotifyState::monotonic_usec_now() {
                Ok(time) => self.tell(&[NotifyState::Reloading, time]),
                Err(error) => warn!("cannot tell the service manager of the reload: {error}"),
            }
        }
    }

    /// It has read it.
    pub(in crate::net) fn on_reloaded(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// A turn of the loop ends: tells what is due.
    pub(in crate::net) fn end_turn(&mut self, now: Millis, status: Status, is_stopping: bool) {
        if self.socket.is_none() {
            return;
        }
        if is_stopping && !std::mem::replace(&mut self.is_stopping, true) {
            self.tell(&[NotifyState::Stopping]);
        }
        if self.feed_due <= now {
            self.tell(&[NotifyState::Watchdog]);
            self.feed_due = self.feed_every.map_or(NEVER, |every| now.saturating_add(every));
        }
        self.status_due = if status == self.told { NEVER } else { self.told_at + STATUS_EVERY_MS };
        if self.status_due <= now {
            self.tell(&[NotifyState::Status(&status.text())]);
            (self.told, self.told_at, self.status_due) = (status, now, NEVER);
        }
    }

    /// When the next turn must end even without events; [`NEVER`] if nothing is due.
    pub(in crate::net) fn due(&self) -> Millis {
        self.feed_due.min(self.status_due)
    }

    /// Sends a message. The loop does not wait for a manager that does not read, and a failure has no other effect: the
    /// watchdog is told again, and the other messages inform people.
    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else { return };
        let mut message = String::new();
        for state in states {
            let result = writeln!(message, "{state}");
            debug_assert!(result.is_ok(), "formatting into a string cannot fail");
        }
        if let Err(error) = socket.send(message.as_bytes()) {
            log::debug!("the service manager was not told {message:?}: {error}");
        }
    }
}

/// A socket to the manager at this name: a path, or `@` and a name in the abstract namespace.
fn reach(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(name)?,
        _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "it is neither a path nor an abstract name")),
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A manager that receives what it is told.
    fn manager(feed_every: Option<Millis>) -> (Manager, UnixDatagram) {
        let (socket, manager) = UnixDatagram::pair().unwrap();
        for socket in [&socket, &manager] {
            socket.set_nonblocking(true).unwrap();
        }
        let (told, due) = (Status::default(), NEVER);
        let ours = Manager {
            socket: Some(socket),
            feed_every,
            feed_due: due,
            told,
            told_at: 0,
            status_due: due,
            is_stopping: false,
        };
        (ours, manager)
    }

    #[track_caller]
    fn check_told(manager: &UnixDatagram, expected: &[&str]) {
        let mut bytes = [0; 1000];
        let told = std::iter::from_fn(|| manager.recv(&mut bytes).ok().map(|count| bytes[..count].to_vec()));
        let told: Vec<_> = told.map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn ready_reload_and_stop() {
        let (mut ours, manager) = manager(None);
        ours.on_ready(5);
        check_told(&manager, &["READY=1\nSTATUS=0 online, 0 connections\n"]);
        ours.on_reload();
        ours.on_reloaded();
        let mut bytes = [0; 1000];
        let count = manager.recv(&mut bytes).unwrap();
        let told = String::from_utf8(bytes[..count].to_vec()).unwrap();
        let time = told.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|rest| rest.strip_suffix('\n'));
        assert!(time.is_some_and(|time| time.parse::<u64>().is_ok()), "{told}");
        check_told(&manager, &["READY=1\n"]);
        for _ in 0..3 {
            ours.end_turn(6, Status::default(), true);
        }
        check_told(&manager, &["STOPPING=1\n"]);
    }

    #[test]
    fn the_status_is_told_now_and_then() {
        let (mut ours, manager) = manager(None);
        ours.on_ready(1_000);
        check_told(&manager, &["READY=1\nSTATUS=0 online, 0 connections\n"]);
        let status = Status { online: 2, connections: 3 };
        ours.end_turn(1_001, status, false);
        assert_eq!(ours.due(), 1_000 + STATUS_EVERY_MS);
        ours.end_turn(1_002, Status::default(), false);
        assert_eq!(ours.due(), NEVER);
        ours.end_turn(1_003, status, false);
        check_told(&manager, &[]);
        ours.end_turn(1_000 + STATUS_EVERY_MS, status, false);
        check_told(&manager, &["STATUS=2 online, 3 connections\n"]);
        assert_eq!(ours.due(), NEVER);
    }

    #[test]
    fn the_watchdog_is_told_when_a_turn_ends() {
        let (mut ours, manager) = manager(Some(50));
        assert_eq!(ours.due(), NEVER);
        ours.on_ready(10);
        check_told(&manager, &["READY=1\nSTATUS=0 online, 0 connections\n"]);
        for (now, expected, due) in [(10, &["WATCHDOG=1\n"][..], 60), (59, &[], 60), (75, &["WATCHDOG=1\n"], 125)] {
            ours.end_turn(now, Status::default(), false);
            check_told(&manager, expected);
            assert_eq!(ours.due(), due);
        }
        // A manager that reads nothing stops nobody.
        for now in 1..10_000 {
            ours.end_turn(now * 1_000, Status::default(), false);
        }
    }
}
