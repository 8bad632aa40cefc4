//! A connection: its socket, its door, its buffers, and what it waits for.

use std::net::IpAddr;

use mio::net::TcpStream;

use super::clock::{Millis, NEVER, seconds};
use super::outbox::Outbox;
use super::pace::Pace;
use super::token::ConnId;
use super::vanish::Watch;
use crate::close::CloseReason;
use crate::door::Door;
use crate::door::inbox::Inbox;
use crate::limits::{LAG_PART, LEAVE_MS, LOGIN_OWED_BYTES, Limits, Login, OWED_TIMES_MOST, TOOK_RECENTLY_MS};

/// One connection. An idle one owns no heap but what its door keeps.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) stream: TcpStream,
    pub(super) ip: IpAddr,
    pub(super) door: Door,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    pub(super) life: Life,
    pub(super) input: Input,
    pub(super) pause: Pause,
    pub(super) pace: Pace,
    /// When it came.
    pub(super) since: Millis,
    /// When the line was begun that has not ended yet; [`NEVER`] if there is none.
    pub(super) line_since: Millis,
    /// Since when it owes more than it may for long; [`NEVER`] if it does not.
    pub(super) soft_since: Millis,
    /// When it last took bytes, while it lags (see `backpressure.rs`); [`NEVER`] while it does not.
    pub(super) took_at: Millis,
    /// Until when its next line may wait for receivers that lag; [`NEVER`] if it does not wait.
    pub(super) throttled_until: Millis,
    /// Until when its lines would have waited for a crowd that lags; a speaker that says little is past that time.
    pub(super) said_until: Millis,
    /// Bytes that the kernel held for it after the last write, while it owes more than `limits.owed_bytes`.
    pub(super) in_kernel: u32,
    /// The watch over what was written to it.
    pub(super) watch: Watch,
    /// For when its timer is armed; [`NEVER`] if it is not.
    pub(super) armed: Millis,
    /// Lines that counted before login; all its lines, later, do not.
    pub(super) login_lines: u8,
    /// Lines answered 500 or 501.
    pub(super) bad_lines: u8,
    /// Wrong passwords and refused tokens.
    pub(super) failures: u32,
    /// The account's epoch in which its session logged in, or that it has set itself by PASSWD. Before login: 0.
    pub(super) epoch: u32,
    /// The kernel took less than was offered, so the socket will say when it takes more.
    pub(super) is_blocked: bool,
    /// Got bytes and was not flushed since, so it stands among those to be flushed …
    pub(super) is_dirty: bool,
    /// … and among those of this turn.
    pub(super) is_urgent: bool,
    /// Stands in the run queue.
    pub(super) is_queued: bool,
    /// Stands among those that are about to end.
    pub(super) is_condemned: bool,
    /// Counts among those that never sent a line.
    pub(super) is_silent: bool,
    /// Came from an address that had failed too often, and has sent no line yet.
    pub(super) is_penalised: bool,
}

/// Where a connection is between its first and its last moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It talks.
    Open,
    /// It is told what it is still owed; its input is thrown away.
    Draining(Box<Farewell>),
    /// It has been told everything and has our end of stream; its input is thrown away until it ends.
    Lingering(Box<Farewell>),
    /// It is over. Reaping removes it.
    Gone,
}

/// How long a connection may take to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    /// When to look at it again.
    pub(super) due: Millis,
    /// When it ends, whatever is left.
    pub(super) last: Millis,
    /// Whether the client has left by itself: what the kernel holds for it then is still delivered.
    pub(super) is_left: bool,
}

impl Farewell {
    /// Bytes were taken. A client that has left by itself may be as slow at the end as it may be before: it is only
    /// cut off when it stops. One that the server has closed was slow enough.
    pub(super) fn prolong(&mut self, now: Millis) {
        if self.is_left {
            self.last = now + LEAVE_MS;
            self.due = self.last;
        }
    }
}

/// What is known of a socket's input. Polling is edge-triggered: `Ready` and `Ending` are left only by reading all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// All has been read; the poll will tell of more.
    Drained,
    /// There may be more.
    Ready,
    /// There may be more behind what a read gives, however short it is: the client has closed its side, or has sent
    /// urgent data, at which a read stops. Only the end of the stream, or a read that finds nothing, ends the reading.
    Ending,
    /// The end of stream has been read.
    Ended,
}

/// How a connection that is about to end will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is broken: there is nobody to tell.
    Broken,
    /// The server closes it.
    Closed(CloseReason),
}

/// Why a connection is not read although it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is read.
    None,
    /// Its password is being checked; asked for at that time.
    Verdict(Millis),
    /// It talks too fast; read again from `due` on, not since `since`.
    Pace {
        /// From when on.
        due: Millis,
        /// Since when not.
        since: Millis,
    },
    /// It owes so much that its own commands must wait; read again when it has taken some.
    Owing(Millis),
    /// The answer to a wrong password (of an account or a room) is kept back.
    Delay {
        /// Until then.
        due: Millis,
        /// Since when it is not read.
        since: Millis,
        /// What is said then.
        answer: Late,
    },
}

/// What is said to a wrong password, late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Try again; so many tries are left.
    Wrong(u32),
    /// The old password, within PASSWD, was wrong.
    WrongOld,
    /// The room has another password.
    WrongRoom,
    /// That was the last try.
    TooMany,
}

impl Conn {
    pub(super) fn new(id: ConnId, stream: TcpStream, ip: IpAddr, door: Door, now: Millis) -> Self {
        Self {
            id,
            stream,
            ip,
            door,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            life: Life::Open,
            input: Input::Drained,
            pause: Pause::None,
            pace: Pace::default(),
            since: now,
            line_since: NEVER,
            soft_since: NEVER,
            took_at: NEVER,
            throttled_until: NEVER,
            said_until: 0,
            in_kernel: 0,
            watch: Watch::default(),
            armed: NEVER,
            login_lines: 0,
            bad_lines: 0,
            failures: 0,
            epoch: 0,
            is_blocked: false,
            is_dirty: false,
            is_urgent: false,
            is_queued: false,
            is_condemned: false,
            is_silent: false,
            is_penalised: false,
        }
    }

    /// Whether there is something to do for it in the read phase.
    pub(super) fn wants_run(&self) -> bool {
        let has_input = matches!(self.input, Input::Ready | Input::Ending);
        match self.life {
            Life::Open => self.pause == Pause::None && has_input,
            Life::Draining(_) | Life::Lingering(_) => has_input,
            Life::Gone => false,
        }
    }

    /// Read again from `now` on. The clock of a begun line has stood meanwhile.
    pub(super) fn resume(&mut self, now: Millis) {
        let since = match std::mem::replace(&mut self.pause, Pause::None) {
            Pause::None => return,
            Pause::Verdict(since) | Pause::Owing(since) | Pause::Pace { since, .. } | Pause::Delay { since, .. } => {
                since
            }
        };
        if self.line_since != NEVER {
            self.line_since += now.saturating_sub(since);
        }
    }

    /// What becomes due first, and when.
    pub(super) fn next_due(&self, login: &Login, limits: &Limits) -> Millis {
        match &self.life {
            Life::Gone => NEVER,
            Life::Draining(farewell) | Life::Lingering(farewell) => farewell.due,
            Life::Open => {
                let pause = match self.pause {
                    Pause::Pace { due, .. } | Pause::Delay { due, .. } => due,
                    Pause::None | Pause::Verdict(_) | Pause::Owing(_) => NEVER,
                };
                let login = if self.door.is_logged_in() { NEVER } else { self.login_due(login) };
                let owing = self.soft_due(limits).min(self.hard_due(limits));
                login.min(pause).min(self.line_due(limits)).min(owing).min(self.watch.due())
            }
        }
    }

    /// When it must be logged in.
    pub(super) fn login_due(&self, login: &Login) -> Millis {
        self.since.saturating_add(seconds(login.deadline_s))
    }

    /// When its begun line must end; the clock stands while it is not read.
    pub(super) fn line_due(&self, limits: &Limits) -> Millis {
        match self.pause {
            Pause::None if !self.door.is_dialogue() => NEVER, // one exchange, and its deadline is that of the login
            Pause::None => self.line_since.saturating_add(seconds(limits.line_s)),
            Pause::Verdict(_) | Pause::Owing(_) | Pause::Pace { .. } | Pause::Delay { .. } => NEVER,
        }
    }

    /// What it may owe while it takes no bytes, in bytes.
    pub(super) fn may_owe(&self, limits: &Limits) -> usize {
        if self.door.is_logged_in() { limits.owed_bytes as usize } else { LOGIN_OWED_BYTES }
    }

    /// What it may owe in any case, in bytes.
    pub(super) fn may_owe_at_most(&self, limits: &Limits) -> usize {
        let times = if self.door.is_logged_in() { OWED_TIMES_MOST } else { 1 };
        self.may_owe(limits).saturating_mul(times)
    }

    /// It lags while it owes more than this, in bytes.
    pub(super) fn lags_from(&self, limits: &Limits) -> usize {
        self.held_back_from(limits) / LAG_PART
    }

    /// Whether it lags.
    pub(super) fn is_lagging(&self) -> bool {
        self.took_at != NEVER
    }

    /// Whether a connection that lags has taken bytes within the last moments.
    pub(super) fn took_recently(&self, now: Millis) -> bool {
        self.took_at.saturating_add(TOOK_RECENTLY_MS) > now
    }

    /// When it has taken no byte for too long, while it owes more than `limits.owed_bytes`.
    pub(super) fn hard_due(&self, limits: &Limits) -> Millis {
        let is_over = self.outbox.owed() > self.may_owe(limits);
        if is_over { self.took_at.saturating_add(TOOK_RECENTLY_MS) } else { NEVER }
    }

    /// It is not read while it owes more than this, so that what it asks for itself never gets it cut while it reads.
    pub(super) fn held_back_from(&self, limits: &Limits) -> usize {
        self.may_owe(limits).min(limits.owed_soft_bytes as usize)
    }

    /// When it has owed more than it may for too long.
    pub(super) fn soft_due(&self, limits: &Limits) -> Millis {
        self.soft_since.saturating_add(seconds(limits.owed_soft_s))
    }
}
