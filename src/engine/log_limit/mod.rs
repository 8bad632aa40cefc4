//! A limit for log lines that a peer can cause: the first ones are written, and one line per minute gives the number of
//! the others. Otherwise a single address could fill the disk with refused connections.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;

use log::Level;

use super::addresses::{network, network_name, party};
use super::time::Millis;
use crate::limits::{LOG_LINES_EACH, LOG_LINES_EACH_DEBUG, LOG_OF_NETWORK, LOG_WINDOW_MS, LOG_WINDOWS};

/// The subject of a line. Each subject has its own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A peer was refused, for the reason with this [`name`](crate::close::CloseReason::name).
    Refused(&'static str),
    /// A connection without a login was closed.
    ClosedStranger(&'static str),
    /// A connection of an account was closed.
    Closed(&'static str),
    /// A connection's TLS failed. Scanners cause it all the time.
    TlsFailed,
    /// A wrong password, or a refused token.
    WrongPassword,
    /// The first wrong password for a room in a while, or the one after which its guesser must wait …
    RoomPassword,
    /// … and each between them.
    RoomPasswordAgain,
    /// A peer has vanished.
    Vanished,
    /// An account has logged in.
    LoggedIn,
    /// A guest entered a room, or tried to.
    Guest,
    /// There were no descriptors, or there was no memory, for another connection …
    CannotAccept,
    /// … and there are again.
    AcceptsAgain,
    /// The poll could not register a connection.
    CannotWatch,
    /// The kernel gave no randomness.
    NoRandomness,
}

impl Subject {
    /// The level of its lines.
    pub(super) fn level(self) -> Level {
        match self {
            Self::TlsFailed | Self::RoomPasswordAgain | Self::LoggedIn | Self::Guest => Level::Debug,
            Self::CannotAccept | Self::CannotWatch | Self::NoRandomness => Level::Warn,
            Self::Refused(_)
            | Self::ClosedStranger(_)
            | Self::Closed(_)
            | Self::WrongPassword
            | Self::RoomPassword
            | Self::Vanished
            | Self::AcceptsAgain => Level::Info,
        }
    }

    /// Number of lines that are written before the others are only counted.
    fn lines(self) -> u32 {
        match self {
            // Each has a name, which a count does not.
            Self::Closed(_) | Self::RoomPassword | Self::Vanished => LOG_LINES_EACH,
            // These two alternate.
            Self::CannotAccept | Self::AcceptsAgain => LOG_LINES_EACH,
            Self::TlsFailed | Self::RoomPasswordAgain | Self::LoggedIn | Self::Guest => LOG_LINES_EACH_DEBUG,
            Self::Refused(_)
            | Self::ClosedStranger(_)
            | Self::WrongPassword
            | Self::CannotWatch
            | Self::NoRandomness => 1,
        }
    }
}

/// The peers whose lines are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// One address (see [`party`]).
    Party(IpAddr),
    /// A network (see [`network`]) in which several addresses already have windows of their own.
    Network(IpAddr),
    /// All others: those without a free window, and lines without an address.
    Others,
}

type Key = (Subject, Whose);

/// A minute in which lines of one kind are counted.
#[derive(Debug, Default)]
struct Window {
    written: u32,
    held_back: u64,
    /// The address of the last suppressed line.
    ip: Option<IpAddr>,
}

/// The windows of the current minute. Bounded: [`LOG_WINDOWS`] windows, and one more per subject. So the lines per
/// minute are at most twice the number of windows, times the lines that a subject writes before it counts.
#[derive(Debug, Default)]
pub(super) struct LogLimit {
    windows: HashMap<Key, Window>,
    /// When each window ends, in order: all have the same length.
    ends: VecDeque<(Millis, Key)>,
    /// Number of windows of single addresses, by network.
    of_network: HashMap<(Subject, IpAddr), usize>,
}

impl LogLimit {
    /// Decides on a line about `subject` at `now`, caused by a peer at `ip` if there is one. True if it is to be
    /// written; otherwise it is counted.
    pub(super) fn admits(&mut self, subject: Subject, ip: Option<IpAddr>, now: Millis) -> bool {
        let key = (subject, ip.map_or(Whose::Others, |ip| self.whose(subject, ip)));
        let window = match self.windows.get_mut(&key) {
            Some(window) => window,
            None => self.open(key, now),
        };
        if window.written < subject.lines() {
            window.written += 1;
            return true;
        }
        window.held_back += 1;
        window.ip = ip;
        false
    }

    /// When the next window ends.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// The suppressed lines of a window that has ended; call it until there is none. A window that suppressed nothing
    /// is forgotten. Otherwise it starts again, and only its sums are written until a minute passes without a line.
    pub(super) fn poll_sum(&mut self, now: Millis) -> Option<Sum> {
        while let Some((_, key)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            if let Some(sum) = self.sum(key) {
                self.ends.push_back((now + LOG_WINDOW_MS, key));
                return Some(sum);
            }
            self.forget(key);
        }
        None
    }

    /// The lines suppressed so far, for the end of the server; call it until there is none.
    pub(super) fn poll_rest(&mut self) -> Option<Sum> {
        while let Some((_, key)) = self.ends.pop_front() {
            let sum = self.sum(key);
            self.forget(key);
            if sum.is_some() {
                return sum;
            }
        }
        None
    }

    fn whose(&self, subject: Subject, ip: IpAddr) -> Whose {
        let (party, network) = (Whose::Party(party(ip)), network(ip));
        let has = |whose| self.windows.contains_key(&(subject, whose));
        let is_full = self.windows.len() >= LOG_WINDOWS;
        let is_crowded = self.of_network.get(&(subject, network)).is_some_and(|count| *count >= LOG_OF_NETWORK);
        if has(party) || !is_full && !is_crowded {
            party
        } else if has(Whose::Network(network)) || !is_full {
            Whose::Network(network)
        } else {
            Whose::Others
        }
    }

    fn open(&mut self, key: Key, now: Millis) -> &mut Window {
        self.ends.push_back((now + LOG_WINDOW_MS, key));
        if let (subject, Whose::Party(party)) = key {
            *self.of_network.entry((subject, network(party))).or_default() += 1;
        }
        self.windows.entry(key).or_default()
    }

    fn sum(&mut self, key: Key) -> Option<Sum> {
        let window = self.windows.get_mut(&key).filter(|window| window.held_back > 0)?;
        let count = std::mem::take(&mut window.held_back);
        Some(Sum { subject: key.0, whose: key.1, ip: window.ip, count })
    }

    fn forget(&mut self, key: Key) {
        self.windows.remove(&key);
        let (subject, Whose::Party(party)) = key else { return };
        let of_network = (subject, network(party));
        if let Some(count) = self.of_network.get_mut(&of_network) {
            *count -= 1;
            if *count == 0 {
                self.of_network.remove(&of_network);
            }
        }
    }
}

/// The lines that a window suppressed. Displayed as a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// The subject of the lines.
    pub(super) subject: Subject,
    whose: Whose,
    ip: Option<IpAddr>,
    count: u64,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, whose, count, .. } = self;
        let within = format_args!("in {} s", LOG_WINDOW_MS / 1000);
        match subject {
            Subject::Refused(reason) if *whose == Whose::Others => {
                write!(f, "421 {reason}: others were not let in, {count} times more {within}")
            }
            Subject::Refused(reason) => {
                write!(f, "421 {reason}: {} was not let in, {count} times more {within}", self.from())
            }
            Subject::ClosedStranger(reason) | Subject::Closed(reason) => {
                write!(f, "421 {reason}: {count} more from {} {within}", self.from())
            }
            Subject::TlsFailed => write!(f, "421 TLS failed: {count} more from {} {within}", self.from()),
            Subject::WrongPassword => write!(f, "wrong password or token: {count} more from {} {within}", self.from()),
            Subject::RoomPassword | Subject::RoomPasswordAgain => {
                write!(f, "wrong password for a room: {count} more from {} {within}", self.from())
            }
            Subject::Vanished => write!(f, "{count} more from {} have vanished {within}", self.from()),
            Subject::LoggedIn => write!(f, "{count} more logged in from {} {within}", self.from()),
            Subject::Guest => write!(f, "{count} more guests from {} {within}", self.from()),
            Subject::CannotAccept => write!(f, "cannot accept connections: {count} times more {within}"),
            Subject::AcceptsAgain => write!(f, "connections are accepted again: {count} times more {within}"),
            Subject::CannotWatch => write!(f, "cannot watch a connection: {count} times more {within}"),
            Subject::NoRandomness => write!(f, "no randomness for a room's token: {count} times more {within}"),
        }
    }
}

impl Sum {
    /// The peers of a sum: if it is an address, the last one, complete.
    fn from(&self) -> String {
        match (self.whose, self.ip) {
            (Whose::Party(party), ip) => ip.unwrap_or(party).to_string(),
            (Whose::Network(network), _) => network_name(network),
            (Whose::Others, _) => "others".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
