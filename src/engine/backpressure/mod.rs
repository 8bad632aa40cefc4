//! Backpressure between users: a line waits while its receivers lag and still read. Otherwise speakers as fast as the
//! server would cause every listener of average speed to be closed.
//!
//! A line waits before it is carried out, so the bytes queued for a lagging receiver do not depend on the number of
//! speakers. A speaker that sends no more than these waits allow does not wait for a lagging audience. One listener
//! that is slower than all others delays nobody, until it owes so much that it would be closed; listeners that have
//! stopped reading delay nobody at all.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::pause::{Held, Pause, Until};
use super::time::{Millis, NEVER};
use crate::hub::command::Command;
use crate::hub::names::{RoomName, Who};
use crate::hub::session::SessionId;
use crate::limits::{LAG_SHARE, Limits, THROTTLE_BYTES_PER_S, THROTTLE_LEAST_MS, THROTTLE_MS};

/// The receivers that lag, and the time at which the next speaker continues.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    /// Number of connections that lag.
    pub(super) lagging: usize,
    /// The lag of the public audience; computed at the first use in a turn.
    everybody: Option<Lag>,
    /// When the last of the waiting speakers continues.
    next: Millis,
}

impl Backpressure {
    /// Ends a turn's flush: receivers have taken bytes.
    pub(super) fn turn_over(&mut self) {
        self.everybody = None;
    }
}

/// The lag of a line's receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lag {
    /// Nobody lags.
    Nobody,
    /// Many of them lag. Only speakers that have just sent much wait for these; otherwise connections that lag on
    /// purpose would slow down everybody.
    Many,
    /// One lags so far that it would be closed if it took nothing, or the receiver of a direct message lags.
    One,
}

/// The receivers of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receivers<'a> {
    /// All logged-in sessions.
    Everybody,
    /// The members of a room.
    Room(&'a RoomName),
    /// All sessions of an account, or that of a guest.
    Person(&'a Who),
    /// The sessions that watch the speaker.
    Watchers,
}

/// Counts of the receivers of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Audience {
    receivers: usize,
    /// Those that lag and took bytes within the last [`TOOK_RECENTLY_MS`](crate::limits::TOOK_RECENTLY_MS) …
    lagging: usize,
    /// … and those of them that would be closed if they took nothing.
    endangered: usize,
}

impl Audience {
    fn add<S>(&mut self, conn: &Conn<S>, now: Millis, limits: &Limits) {
        self.receivers += 1;
        if conn.is_lagging() && conn.took_recently(now) {
            self.lagging += 1;
            self.endangered += usize::from(conn.owed() > limits.owed_bytes as usize);
        }
    }

    /// The lag of these receivers: at least one in [`LAG_SHARE`] of them must lag, and more than one unless there is
    /// only one.
    fn lag(self) -> Lag {
        let is_share = self.lagging * LAG_SHARE > self.receivers;
        if self.endangered > 0 {
            Lag::One
        } else if is_share && (self.lagging > 1 || self.receivers == 1) {
            Lag::Many
        } else {
            Lag::Nobody
        }
    }
}

impl<S> Engine<S> {
    /// Records whether a connection lags.
    pub(super) fn note_lag(&mut self, id: ConnId, lags: bool) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        if lags == conn.is_lagging() {
            return;
        }
        if lags {
            conn.took_at = now;
            self.backpressure.lagging += 1;
        } else {
            conn.took_at = NEVER;
            self.backpressure.lagging -= 1;
        }
    }

    /// Whether a command has to wait because it is a message and its receivers lag. If so it is held, and its connection
    /// is paused. `bytes` is the size of its line.
    pub(super) fn throttle(&mut self, id: ConnId, command: &Command<'_>, bytes: usize) -> bool {
        if !self.must_wait(id, command) {
            return false;
        }
        let Some(message) = owned(command) else { return false };
        self.counters.throttled += 1;
        let until = self.now + longest_wait(bytes);
        self.hold(id, Box::new(Held { message, bytes, until }));
        true
    }

    /// The pause of a held message is over: it is carried out, unless its receivers still lag and it has not waited for
    /// long.
    pub(super) fn on_held(&mut self, id: ConnId, held: Box<Held>) {
        if self.now < held.until && self.must_wait(id, &held.message) {
            return self.hold(id, held);
        }
        let Held { message, bytes, .. } = *held;
        if self.count_line(id, bytes).is_some() {
            self.command(id, message);
            self.end_if_answered(id);
        }
    }

    fn hold(&mut self, id: ConnId, held: Box<Held>) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        // Speakers go on one after the other, a millisecond apart, as far as the bounds allow.
        let due = (self.backpressure.next + 1).max(now + THROTTLE_LEAST_MS).min(held.until);
        conn.pause = Pause::Until { why: Until::Backpressure, due, since: now };
        conn.held = Some(held);
        conn.line_since = NEVER; // its line has ended
        self.backpressure.next = due;
    }

    fn must_wait(&mut self, id: ConnId, command: &Command<'_>) -> bool {
        if self.backpressure.lagging == 0 {
            return false;
        }
        let Some(is_quiet) = self.conns.peek(id).map(|conn| conn.said_until <= self.now) else { return false };
        match receivers(command).map_or(Lag::Nobody, |receivers| self.lag(id, &receivers)) {
            Lag::Nobody => false,
            Lag::Many => !is_quiet,
            Lag::One => true,
        }
    }

    /// Whether the receivers of a message of `id` lag.
    fn lag(&mut self, id: ConnId, receivers: &Receivers<'_>) -> Lag {
        let speaker = id.session();
        let hearers: &mut dyn Iterator<Item = SessionId> = match receivers {
            Receivers::Everybody => {
                if let Some(lag) = self.backpressure.everybody {
                    return lag;
                }
                let hub = &self.hub;
                let all_attend = hub.attending() == hub.everyone().len();
                &mut hub.everyone().iter().copied().filter(move |hearer| all_attend || hub.attends(*hearer))
            }
            Receivers::Room(room) => {
                let Some(room) = self.hub.find_room(room) else { return Lag::Nobody };
                &mut self.hub.members_of(room).iter().map(|member| member.session).filter(|hearer| *hearer != speaker)
            }
            Receivers::Person(who) => {
                &mut self.hub.sessions_named(who).iter().copied().filter(|hearer| *hearer != speaker)
            }
            Receivers::Watchers => {
                let Some(name) = self.hub.who_is(speaker) else { return Lag::Nobody };
                &mut self.hub.watchers_of(&name).iter().copied().filter(|hearer| *hearer != speaker)
            }
        };
        let (now, limits) = (self.now, &self.settings.limits);
        let mut audience = Audience::default();
        for conn in hearers.filter_map(|hearer| self.conns.peek(ConnId::of(hearer))) {
            audience.add(conn, now, limits);
        }
        self.turn.work += audience.receivers;
        match receivers {
            Receivers::Everybody => *self.backpressure.everybody.insert(audience.lag()),
            Receivers::Room(_) | Receivers::Watchers => audience.lag(),
            Receivers::Person(_) if audience.lagging > 0 => Lag::One, // each session of it is owed the message
            Receivers::Person(_) => Lag::Nobody,
        }
    }
}

/// The receivers of a message; `None` for other commands.
fn receivers<'a>(command: &'a Command<'_>) -> Option<Receivers<'a>> {
    if let Command::SayIn { room, .. } = command {
        Some(Receivers::Room(room))
    } else if let Command::Tell { to, .. } | Command::Invite { name: to, .. } = command {
        Some(Receivers::Person(to))
    } else if let Command::Away { .. } = command {
        Some(Receivers::Watchers)
    } else {
        matches!(command, Command::Say { .. }).then_some(Receivers::Everybody)
    }
}

/// A copy of a message that borrows nothing; `None` for other commands.
fn owned(command: &Command<'_>) -> Option<Command<'static>> {
    let owned = |text: &str| Cow::Owned(text.to_owned());
    if let Command::Say { text, manner } = command {
        Some(Command::Say { text: owned(text), manner: *manner })
    } else if let Command::SayIn { room, text, manner } = command {
        Some(Command::SayIn { room: room.clone(), text: owned(text), manner: *manner })
    } else if let Command::Invite { room, name } = command {
        Some(Command::Invite { room: room.clone(), name: name.clone() })
    } else if let Command::Tell { to, text, manner, account } = command {
        Some(Command::Tell { to: to.clone(), text: owned(text), manner: *manner, account: account.clone() })
    } else if let Command::Away { text } = command {
        Some(Command::Away { text: text.as_deref().map(owned) })
    } else {
        None
    }
}

/// How long a line of `bytes` bytes waits at most, in milliseconds: as long as it takes at
/// [`THROTTLE_BYTES_PER_S`], and not less than [`THROTTLE_MS`].
pub(super) fn longest_wait(bytes: usize) -> Millis {
    (bytes as u64 * 1000 / THROTTLE_BYTES_PER_S).max(THROTTLE_MS)
}
