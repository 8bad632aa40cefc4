//! A connection: its socket, its door, its buffers and its deadlines.

use super::Settings;
use super::claim::Claim;
use super::history::past::Past;
use super::id::ConnId;
use super::io::Read;
use super::life::{End, Flush, Input, Life, Standing};
use super::liveness::Liveness;
use super::origin::Origin;
use super::outbox::Outbox;
use super::pages::Pages;
use super::pause::{Held, Pause};
use super::public_log::place::Attendance;
use super::rate::Rate;
use super::stage::{Shaken, Stage};
use super::time::{Millis, NEVER, seconds};
use crate::door::inbox::Inbox;
use crate::door::{Class, Door};
use crate::limits::{
    KEEP_ALIVE_MS, LAG_PART, LOGIN_OWED_BYTES, Limits, Login, OWED_TIMES_MOST, TOOK_RECENTLY_MS, WEB_ANSWER_MS, Web,
};

/// One connection. While idle it owns no heap except for its door's state.
#[derive(Debug)]
pub(super) struct Conn<S> {
    pub(super) id: ConnId,
    /// Opaque to the engine.
    pub(super) socket: S,
    pub(super) origin: Origin,
    pub(super) door: Door,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    pub(super) life: Life,
    pub(super) stage: Stage,
    pub(super) standing: Standing,
    pub(super) input: Input,
    pub(super) pause: Pause,
    pub(super) flush: Flush,
    /// How it will end; set while it is among the scheduled closes.
    pub(super) end: Option<Box<End>>,
    /// Whether it receives public messages, and its place in their log.
    pub(super) public: Attendance,
    pub(super) rate: Rate,
    /// When it was accepted.
    pub(super) since: Millis,
    /// When its last line came, or it was accepted.
    pub(super) heard_at: Millis,
    /// When the incomplete line began; [`NEVER`] if there is none.
    pub(super) line_since: Millis,
    /// Since when it owes more than `limits.owed_soft_bytes`; [`NEVER`] if it does not.
    pub(super) soft_since: Millis,
    /// When it last took bytes, while it lags (see `backpressure`); [`NEVER`] while it does not.
    pub(super) took_at: Millis,
    /// The message that waits for receivers that lag. Nothing is read or decoded before it is carried out.
    pub(super) held: Option<Box<Held>>,
    /// What its session has of the past, while there is a store.
    pub(super) past: Option<Box<Past>>,
    /// At the IRC door: the account whose password is checked, or was right before its session begins.
    pub(super) claim: Option<Box<Claim>>,
    /// Until when its lines would have waited for lagging receivers; in the past for a speaker that says little.
    pub(super) said_until: Millis,
    /// Bytes of output that its socket has taken, modulo 2³².
    pub(super) written: u32,
    /// Bytes of ciphertext that wait for the socket; 0 unless it [is by TLS](Self::is_tls).
    pub(super) sealed: u32,
    /// Bytes that the kernel held for it after the last write, while it owes more than `limits.owed_bytes`.
    pub(super) in_kernel: u32,
    /// Whether the peer still acknowledges what is written to it.
    pub(super) liveness: Liveness,
    /// When its timer fires; [`NEVER`] if it has none.
    pub(super) armed: Millis,
    /// Lines before login.
    pub(super) login_lines: u8,
    /// Lines answered 500 or 501.
    pub(super) bad_lines: u8,
    /// Wrong passwords and refused tokens.
    pub(super) failures: u16,
    /// The account's epoch at the login of its session, or after its own PASSWD. 0 before login.
    pub(super) epoch: u32,
    /// Its bytes are TLS records.
    pub(super) is_tls: bool,
    /// The socket accepted fewer bytes than offered; the poll reports when it accepts more.
    pub(super) is_blocked: bool,
    /// It is in the run queue.
    pub(super) is_queued: bool,
}

impl<S> Conn<S> {
    /// A connection that was just accepted.
    pub(super) fn new(
        id: ConnId,
        socket: S,
        origin: Origin,
        door: Door,
        stage: Stage,
        standing: Standing,
        now: Millis,
    ) -> Self {
        Self {
            id,
            socket,
            origin,
            door,
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            life: Life::Open,
            stage,
            standing,
            input: Input::Drained,
            pause: Pause::None,
            flush: Flush::Idle,
            end: None,
            public: Attendance::No,
            rate: Rate::default(),
            since: now,
            heard_at: now,
            line_since: NEVER,
            soft_since: NEVER,
            took_at: NEVER,
            held: None,
            past: None,
            claim: None,
            said_until: 0,
            written: 0,
            sealed: 0,
            in_kernel: 0,
            liveness: Liveness::default(),
            armed: NEVER,
            login_lines: 0,
            bad_lines: 0,
            failures: 0,
            epoch: 0,
            is_tls: stage.is_tls(),
            is_blocked: false,
            is_queued: false,
        }
    }

    /// True if the read phase has something to do for it.
    pub(super) fn wants_run(&self) -> bool {
        match self.life {
            Life::Open => self.pause == Pause::None && self.input.may_have_more(),
            Life::Draining(_) | Life::Lingering(_) => self.input.may_have_more(),
            Life::Gone(_) => false,
        }
    }

    /// True between two requests: nothing has begun, waits or is owed.
    pub(super) fn rests(&self) -> bool {
        self.life == Life::Open
            && self.pause == Pause::None
            && self.line_since == NEVER
            && self.owed() == 0
            && !self.input.may_have_more()
    }

    /// Bytes that it has not taken: queued output, and ciphertext.
    pub(super) fn owed(&self) -> usize {
        self.outbox.owed() + self.sealed as usize
    }

    /// Notes how much ciphertext waits, in bytes. It counts as memory behind the outboxes.
    pub(super) fn note_sealed(&mut self, sealed: usize, pages: &mut Pages) {
        let before = std::mem::replace(&mut self.sealed, u32::try_from(sealed).unwrap_or(u32::MAX));
        pages.heap_bytes = pages.heap_bytes - u64::from(before) + u64::from(self.sealed);
    }

    /// True if a write would find something: after its last stage queued output, and ciphertext at any time.
    pub(super) fn has_output(&self) -> bool {
        !self.outbox.is_empty() && self.stage == Stage::Open || self.sealed > 0
    }

    /// Updates the state of the input after a read.
    pub(super) fn note_read(&mut self, read: Read) {
        match read {
            // A short read has drained the socket, unless the poll reported an end or urgent data.
            Read::Bytes { is_short: true, .. }
            | Read::Records { is_short: true, .. }
            | Read::Shaken(Shaken { is_short: true, .. })
                if self.input == Input::Ready =>
            {
                self.input = Input::Drained;
            }
            Read::Bytes { .. } | Read::Records { .. } | Read::Shaken(_) => {}
            Read::Named(_) | Read::Unusable(_) | Read::Broken => {}
            Read::Nothing => self.input = Input::Drained,
            Read::End => self.input = Input::Ended,
        }
    }

    /// Ends its pause at `now`. The deadline of an incomplete line moves by the length of the pause.
    pub(super) fn resume(&mut self, now: Millis) {
        let since = match std::mem::replace(&mut self.pause, Pause::None) {
            Pause::None => return,
            Pause::Checking { since, .. }
            | Pause::Owing { since }
            | Pause::Answering { since }
            | Pause::Recalling { since, .. }
            | Pause::Until { since, .. }
            | Pause::Delay { since, .. } => since,
        };
        if self.line_since != NEVER {
            self.line_since += now.saturating_sub(since);
        }
    }

    /// Its earliest deadline.
    pub(super) fn next_due(&self, settings: &Settings) -> Millis {
        let Settings { login, limits, web, .. } = settings;
        match &self.life {
            Life::Gone(_) => NEVER,
            Life::Draining(linger) | Life::Lingering(linger) => linger.due,
            Life::Open => {
                let pause = match self.pause {
                    Pause::Until { due, .. } | Pause::Delay { due, .. } => due,
                    Pause::None
                    | Pause::Checking { .. }
                    | Pause::Owing { .. }
                    | Pause::Answering { .. }
                    | Pause::Recalling { .. } => NEVER,
                };
                let login = if self.door.is_logged_in() { NEVER } else { self.login_due(login) };
                let owing = self.soft_due(limits).min(self.hard_due(limits));
                let door = self.write_due().min(self.web_due(web));
                login.min(pause).min(self.line_due(limits)).min(owing).min(self.liveness.due()).min(door)
            }
        }
    }

    /// Deadline of its login, and of the stage that it is in.
    pub(super) fn login_due(&self, login: &Login) -> Millis {
        let due = match self.door.class() {
            Class::Chat if self.door.is_fetching() => NEVER, // it logs in after its upgrade
            Class::Chat => self.since.saturating_add(seconds(login.deadline_s)),
            Class::Metrics | Class::Operator => NEVER, // nobody logs in there
        };
        self.stage.due(self.since).unwrap_or(NEVER).min(due)
    }

    /// Deadline of its incomplete line, or when that is complete if nothing follows it; none while it is not read.
    pub(super) fn line_due(&self, limits: &Limits) -> Millis {
        match self.pause {
            Pause::None if !self.door.is_dialogue() => NEVER, // one exchange, and its deadline is that of the login
            Pause::None => match self.door.gap_ms() {
                None => self.line_since.saturating_add(seconds(limits.line_s)),
                Some(gap_ms) => self.line_since.saturating_add(gap_ms.into()),
            },
            Pause::Checking { .. }
            | Pause::Owing { .. }
            | Pause::Answering { .. }
            | Pause::Recalling { .. }
            | Pause::Until { .. }
            | Pause::Delay { .. } => NEVER,
        }
    }

    /// When the web door ends a rest between two requests, or an answer that is not taken; in a conversation, when it
    /// sends a ping.
    pub(super) fn web_due(&self, web: &Web) -> Millis {
        let Some(door) = self.door.as_web() else { return NEVER };
        let ms = match door.line() {
            Some(_) if web.ping_s == 0 => return NEVER,
            Some(_) => seconds(web.ping_s),
            None if self.owed() > 0 => WEB_ANSWER_MS,
            None if self.line_since != NEVER => return NEVER, // the deadline of its head holds
            None => KEEP_ALIVE_MS,
        };
        door.since().saturating_add(ms)
    }

    /// True unless it is a stranger's.
    fn may_owe_much(&self) -> bool {
        match self.door.class() {
            Class::Chat => self.door.is_logged_in(),
            Class::Metrics | Class::Operator => true,
        }
    }

    /// When it is written to again, if that waits for a time.
    pub(super) fn write_due(&self) -> Millis {
        if self.flush == Flush::Idle && !self.is_blocked { self.rests_until().unwrap_or(NEVER) } else { NEVER }
    }

    /// Until when it is not written to, if it owes something.
    pub(super) fn rests_until(&self) -> Option<Millis> {
        self.door.rests_until().filter(|_| self.life == Life::Open && !self.outbox.is_empty())
    }

    /// How much it may owe while it takes no bytes, in bytes.
    pub(super) fn may_owe(&self, limits: &Limits) -> usize {
        match self.stage {
            Stage::Open | Stage::Header { .. } if self.may_owe_much() => limits.owed_bytes as usize,
            Stage::Open | Stage::Header { .. } => LOGIN_OWED_BYTES,
            // The server's part of a handshake is as long as its certificates.
            Stage::Handshake => LOGIN_OWED_BYTES + self.sealed as usize,
        }
    }

    /// How much it may owe at all, in bytes.
    pub(super) fn may_owe_at_most(&self, limits: &Limits) -> usize {
        let times = if self.may_owe_much() { OWED_TIMES_MOST } else { 1 };
        self.may_owe(limits).saturating_mul(times)
    }

    /// It lags while it owes more than this, in bytes.
    pub(super) fn lags_from(&self, limits: &Limits) -> usize {
        self.paused_from(limits) / LAG_PART
    }

    /// True if it lags.
    pub(super) fn is_lagging(&self) -> bool {
        self.took_at != NEVER
    }

    /// True if it took bytes within the last [`TOOK_RECENTLY_MS`]. Only for a connection that lags.
    pub(super) fn took_recently(&self, now: Millis) -> bool {
        self.took_at.saturating_add(TOOK_RECENTLY_MS) > now
    }

    /// When it must have taken bytes, while it owes more than `limits.owed_bytes`.
    pub(super) fn hard_due(&self, limits: &Limits) -> Millis {
        let is_over = self.owed() > self.may_owe(limits);
        if is_over { self.took_at.saturating_add(TOOK_RECENTLY_MS) } else { NEVER }
    }

    /// It is not read while it owes more than this, in bytes, so that replies to its own commands never close a
    /// connection that reads.
    pub(super) fn paused_from(&self, limits: &Limits) -> usize {
        if self.door.is_fetching() {
            return 0; // one answer at a time
        }
        self.may_owe(limits).min(limits.owed_soft_bytes as usize)
    }

    /// When it must owe less than `limits.owed_soft_bytes` again.
    pub(super) fn soft_due(&self, limits: &Limits) -> Millis {
        self.soft_since.saturating_add(seconds(limits.owed_soft_s))
    }
}
