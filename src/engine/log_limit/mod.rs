//! Log lines that a peer can cause: the first ones are written, of the others one line a minute says how many there
//! were. Without this a single address could fill the disk by being refused.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;

use log::Level;

use super::addresses::{network, network_name, party};
use super::time::Millis;
use crate::limits::{LOG_LINES_EACH, LOG_LINES_EACH_DEBUG, LOG_OF_NETWORK, LOG_WINDOW_MS, LOG_WINDOWS};

/// What a line is about. Each subject is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A peer was not let in, for a reason by its [`name`](crate::close::CloseReason::name).
    Refused(&'static str),
    /// A connection of somebody without a name was closed.
    ClosedStranger(&'static str),
    /// A connection of an account was closed.
    Closed(&'static str),
    /// A wrong password, or a refused token.
    WrongPassword,
    /// The first wrong password for a room in a while, or one after which whoever gave it must wait …
    RoomPassword,
    /// … and each between them.
    RoomPasswordAgain,
    /// A peer has vanished.
    Vanished,
    /// Somebody has logged in.
    LoggedIn,
    /// Somebody without an account was in a room, or would be.
    Guest,
    /// There are no descriptors, or there is no memory, for another connection …
    CannotAccept,
    /// … and there are again.
    AcceptsAgain,
    /// The poll takes no connection.
    CannotWatch,
    /// The kernel gives no randomness.
    NoRandomness,
}

impl Subject {
    /// The level of its lines.
    pub(super) fn level(self) -> Level {
        match self {
            Self::RoomPasswordAgain | Self::LoggedIn | Self::Guest => Level::Debug,
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

    /// How many lines are written before they are only counted.
    fn lines(self) -> u32 {
        match self {
            // Each names somebody, which no count does.
            Self::Closed(_) | Self::RoomPassword | Self::Vanished => LOG_LINES_EACH,
            // These come and go.
            Self::CannotAccept | Self::AcceptsAgain => LOG_LINES_EACH,
            Self::RoomPasswordAgain | Self::LoggedIn | Self::Guest => LOG_LINES_EACH_DEBUG,
            Self::Refused(_)
            | Self::ClosedStranger(_)
            | Self::WrongPassword
            | Self::CannotWatch
            | Self::NoRandomness => 1,
        }
    }
}

/// Whose lines are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// Those of one address (see [`party`]).
    Party(IpAddr),
    /// Those of a network (see [`network`]) of which several addresses have windows of their own already.
    Network(IpAddr),
    /// Those of all for whom there is no window left; and those that are of no address.
    Others,
}

type Key = (Subject, Whose);

/// A minute in which lines of one kind are counted.
#[derive(Debug, Default)]
struct Window {
    written: u32,
    held_back: u64,
    /// The last address of those whose lines were held back.
    ip: Option<IpAddr>,
}

/// Which lines are written, and what is to be said of the others. Bounded: [`LOG_WINDOWS`] windows, and one more for
/// each subject. So no more than twice as many lines a minute are written as there are windows, times
/// the lines that a subject writes before it counts.
#[derive(Debug, Default)]
pub(super) struct LogLimit {
    windows: HashMap<Key, Window>,
    /// When each window ends, the first one first: all are of one length.
    ends: VecDeque<(Millis, Key)>,
    /// How many windows the single addresses of a network have.
    of_network: HashMap<(Subject, IpAddr), usize>,
}

/// What was held back in a window. Its text is a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// What it is about.
    pub(super) subject: Subject,
    whose: Whose,
    ip: Option<IpAddr>,
    count: u64,
}

impl LogLimit {
    /// A line about `subject` is due at `now`, because of a peer at `ip` if it is because of one. Gives whether it is
    /// to be written; otherwise it is counted.
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

    /// The lines that a window held back which has ended; to be called until there is none. A window that held nothing
    /// back is forgotten. One that did starts again, and only its sums are written until a minute passes without a line.
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

    /// The lines held back so far, for the end of the server; to be called until there is none.
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
    /// Where those come from who are counted: an address is the last one of them, whole.
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
