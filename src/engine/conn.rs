//! A connection: its socket, its door, its buffers, and what it waits for.

use std::net::IpAddr;

use super::id::ConnId;
use super::io::Read;
use super::life::{End, Flush, Input, Life, Standing};
use super::liveness::Liveness;
use super::outbox::Outbox;
use super::pause::{Held, Pause};
use super::public::place::Place;
use super::rate::Rate;
use super::time::{Millis, NEVER, seconds};
use crate::door::Door;
use crate::door::inbox::Inbox;
use crate::limits::{LAG_PART, LOGIN_OWED_BYTES, Limits, Login, OWED_TIMES_MOST, TOOK_RECENTLY_MS};

/// One connection. An idle one owns no heap but what its door keeps.
#[derive(Debug)]
pub(super) struct Conn<S> {
    pub(super) id: ConnId,
    /// Nothing to the engine, which hands it out.
    pub(super) socket: S,
    pub(super) ip: IpAddr,
    pub(super) door: Door,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    pub(super) life: Life,
    pub(super) standing: Standing,
    pub(super) input: Input,
    pub(super) pause: Pause,
    pub(super) flush: Flush,
    /// How it is about to end; it stands among the scheduled closes then.
    pub(super) end: Option<End>,
    /// Its place in the log of public messages.
    pub(super) public: Place,
    pub(super) rate: Rate,
    /// When it came.
    pub(super) since: Millis,
    /// When the line was begun that has not ended yet; [`NEVER`] if there is none.
    pub(super) line_since: Millis,
    /// Since when it owes more than `limits.owed_soft_bytes`; [`NEVER`] if it does not.
    pub(super) soft_since: Millis,
    /// When it last took bytes, while it lags (see `backpressure`); [`NEVER`] while it does not.
    pub(super) took_at: Millis,
    /// The message that waits for receivers that lag. Nothing is read or decoded before it is carried out.
    pub(super) held: Option<Box<Held>>,
    /// Until when its lines would have waited for a crowd that lags; a speaker that says little is past that time.
    pub(super) said_until: Millis,
    /// Bytes that the kernel held for it after the last write, while it owes more than `limits.owed_bytes`.
    pub(super) in_kernel: u32,
    /// Whether the peer still answers what was written to it.
    pub(super) liveness: Liveness,
    /// For when its timer is armed; [`NEVER`] if it is not.
    pub(super) armed: Millis,
    /// Lines before login.
    pub(super) login_lines: u8,
    /// Lines answered 500 or 501.
    pub(super) bad_lines: u8,
    /// Wrong passwords and refused tokens.
    pub(super) failures: u32,
    /// The account's epoch in which its session logged in, or that it has set itself by PASSWD. Before login: 0.
    pub(super) epoch: u32,
    /// The socket took less than was offered; the poll reports when it takes more.
    pub(super) is_blocked: bool,
    /// It stands in the run queue.
    pub(super) is_queued: bool,
}

impl<S> Conn<S> {
    /// A connection that has just come in.
    pub(super) fn new(id: ConnId, socket: S, ip: IpAddr, door: Door, standing: Standing, now: Millis) -> Self {
        Self {
            id,
            socket,
            ip,
            door,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            life: Life::Open,
            standing,
            input: Input::Drained,
            pause: Pause::None,
            flush: Flush::Idle,
            end: None,
            public: Place::default(),
            rate: Rate::default(),
            since: now,
            line_since: NEVER,
            soft_since: NEVER,
            took_at: NEVER,
            held: None,
            said_until: 0,
            in_kernel: 0,
            liveness: Liveness::default(),
            armed: NEVER,
            login_lines: 0,
            bad_lines: 0,
            failures: 0,
            epoch: 0,
            is_blocked: false,
            is_queued: false,
        }
    }

    /// Whether there is something to do for it in the read phase.
    pub(super) fn wants_run(&self) -> bool {
        match self.life {
            Life::Open => self.pause == Pause::None && self.input.may_have_more(),
            Life::Draining(_) | Life::Lingering(_) => self.input.may_have_more(),
            Life::Gone(_) => false,
        }
    }

    /// Notes what a read shows of the input.
    pub(super) fn note_read(&mut self, read: Read) {
        match read {
            // A short read has drained the socket, unless something special waits behind.
            Read::Bytes { is_short: true, .. } if self.input == Input::Ready => self.input = Input::Drained,
            Read::Bytes { .. } | Read::Broken => {}
            Read::Nothing => self.input = Input::Drained,
            Read::End => self.input = Input::Ended,
        }
    }

    /// Ends its pause at `now`. The clock of a begun line has stood meanwhile.
    pub(super) fn resume(&mut self, now: Millis) {
        let since = match std::mem::replace(&mut self.pause, Pause::None) {
            Pause::None => return,
            Pause::Checking { since, .. }
            | Pause::Owing { since }
            | Pause::Until { since, .. }
            | Pause::Delay { since, .. } => since,
        };
        if self.line_since != NEVER {
            self.line_since += now.saturating_sub(since);
        }
    }

    /// What becomes due first, and when.
    pub(super) fn next_due(&self, login: &Login, limits: &Limits) -> Millis {
        match &self.life {
            Life::Gone(_) => NEVER,
            Life::Draining(linger) | Life::Lingering(linger) => linger.due,
            Life::Open => {
                let pause = match self.pause {
                    Pause::Until { due, .. } | Pause::Delay { due, .. } => due,
                    Pause::None | Pause::Checking { .. } | Pause::Owing { .. } => NEVER,
                };
                let login = if self.door.is_logged_in() { NEVER } else { self.login_due(login) };
                let owing = self.soft_due(limits).min(self.hard_due(limits));
                login.min(pause).min(self.line_due(limits)).min(owing).min(self.liveness.due())
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
            Pause::Checking { .. } | Pause::Owing { .. } | Pause::Until { .. } | Pause::Delay { .. } => NEVER,
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
        self.paused_from(limits) / LAG_PART
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
    pub(super) fn paused_from(&self, limits: &Limits) -> usize {
        self.may_owe(limits).min(limits.owed_soft_bytes as usize)
    }

    /// When it has owed more than it may for too long.
    pub(super) fn soft_due(&self, limits: &Limits) -> Millis {
        self.soft_since.saturating_add(seconds(limits.owed_soft_s))
    }
}
