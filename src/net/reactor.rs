//! The reactor: one thread that owns every socket, and the turn of its loop.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use mio::{Events, Poll};
use signal_hook_mio::v1_0::Signals;

use super::addresses::Addresses;
use super::allowances::Allowances;
use super::backpressure::Backpressure;
use super::clock::{Clock, Millis, NEVER};
use super::conn::{Conn, End, Input};
use super::descriptors::Spare;
use super::fault::Faults;
use super::guesses::Guesses;
use super::listen::Listener;
use super::log_limit::LogLimit;
use super::pages::Pages;
use super::passwd::Changes;
use super::rooms::Relay;
use super::slim::Crest;
use super::stats::Stats;
use super::table::Table;
use super::timers::Timers;
use super::token::ConnId;
use super::token::{Generations, Source};
use super::{Reload, Tuning};
use crate::auth::Auth;
use crate::hub::Hub;

/// All there is, in one place, with one owner.
pub(super) struct Reactor {
    pub(super) poll: Poll,
    pub(super) signals: Signals,
    pub(super) clock: Clock,
    pub(super) tuning: Tuning,
    pub(super) reload: Reload,
    pub(super) log_lines_dropped: fn() -> u64,

    pub(super) listeners: Vec<Listener>,
    /// Which of them is looked at first in this turn, so that a storm at one keeps no other waiting.
    pub(super) first_listener: usize,
    /// When the listeners are looked at again that ran out of descriptors.
    pub(super) accept_retry: Millis,
    /// Whether accepting failed the last time.
    pub(super) is_accept_failing: bool,
    pub(super) spare: Spare,
    pub(super) most_connections: usize,

    pub(super) conns: Table,
    pub(super) generations: Generations,
    pub(super) addresses: Addresses,
    pub(super) guesses: Guesses,
    /// How many connections have not sent a line yet.
    pub(super) silent: u32,
    /// Which of the log lines that peers can cause are written.
    pub(super) log_limit: LogLimit,

    pub(super) hub: Hub,
    pub(super) allowances: Allowances,
    pub(super) auth: Auth,
    /// Who has changed a password of late.
    pub(super) changes: Changes,
    pub(super) relay: Relay,

    pub(super) pages: Pages,
    pub(super) timers: Timers<ConnId>,
    /// What one read goes into; a connection keeps only what cannot be carried out yet.
    pub(super) scratch: Box<[u8]>,
    /// Those whose input is to be read.
    pub(super) run_queue: VecDeque<ConnId>,
    /// Those who got bytes that are for them or a few; flushed in this turn.
    pub(super) urgent: Vec<ConnId>,
    /// Those who got what many hear; flushed in this turn and, if they are very many, the next ones.
    pub(super) crowd: VecDeque<ConnId>,
    pub(super) backpressure: Backpressure,
    /// Those whose deadlines may have changed in this turn.
    pub(super) touched: Vec<ConnId>,
    /// Those that are about to end, and how.
    pub(super) condemned: VecDeque<(ConnId, End)>,
    /// Those that are over.
    pub(super) doomed: Vec<ConnId>,

    /// What this turn has cost so far; see [`crate::limits::TURN_WORK`].
    pub(super) turn_work: usize,
    pub(super) stats: Stats,
    pub(super) stats_due: Millis,
    pub(super) faults: Faults,
    /// How many connections there were, so that what they needed is given back.
    pub(super) crest: Crest,
    pub(super) ending: Ending,
}

/// Whether the server is going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is not.
    No,
    /// Everybody has been told; whoever has not heard by then is reset.
    Until(Millis),
}

impl Reactor {
    /// Turns until a signal has ended the server and everybody has been told.
    ///
    /// # Errors
    /// The poll itself fails, or there were too many faults of the server's own, or one that cost it the account
    /// thread.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !self.is_over() {
            self.wait(&mut events)?;
            self.expire();
            self.execute();
            self.accept();
            self.hear();
            self.read(); // … and decide, line by line
            self.flush();
            self.reap();
            self.arm();
            self.stats.note_turn(self.clock.in_turn());
        }
        if self.faults.is_fatal() {
            return Err(io::Error::other("internal errors, see the log; start it again, and report them"));
        }
        Ok(())
    }

    /// Sleeps until something happens or is due, and notes what.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.patience()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            result => result?,
        }
        self.clock.read();
        self.turn_work = 0;
        for event in events.iter() {
            match Source::from(event.token()) {
                Source::Listener(place) => {
                    if let Some(listener) = self.listeners.get_mut(place) {
                        listener.is_ready = true;
                    }
                }
                Source::Waker => self.take_verdicts(),
                Source::Signals => self.on_signals(),
                Source::Datagrams(place) => self.relay.on_event(place, event),
                Source::Connection(id) => self.on_event(id, event),
            }
        }
        Ok(())
    }

    /// How long the poll may sleep.
    fn patience(&self) -> Option<Duration> {
        let is_busy = !self.run_queue.is_empty()
            || !self.condemned.is_empty()
            || !self.urgent.is_empty()
            || !self.crowd.is_empty()
            || self.relay.is_ready()
            || self.listeners.iter().any(|listener| listener.is_ready);
        if is_busy {
            return Some(Duration::ZERO);
        }
        let ending = if let Ending::Until(due) = self.ending { due } else { NEVER };
        let timer = self.timers.next_due().unwrap_or(NEVER);
        let silence = self.relay.ears.next_due().unwrap_or(NEVER);
        let sums = self.log_limit.next_due().unwrap_or(NEVER);
        let due = timer.min(silence).min(self.accept_retry).min(self.stats_due).min(self.crest.due);
        let due = due.min(sums).min(ending);
        // The clock counts whole milliseconds: one more, lest it wake before its time.
        (due != NEVER).then(|| Duration::from_millis((due + 1).saturating_sub(self.clock.now)))
    }

    fn on_event(&mut self, id: ConnId, event: &mio::event::Event) {
        let Some(conn) = self.conn(id) else { return };
        if event.is_error() {
            return self.condemn(id, End::Broken);
        }
        if (event.is_read_closed() || event.is_priority()) && conn.input != Input::Ended {
            conn.input = Input::Ending;
        } else if event.is_readable() && conn.input == Input::Drained {
            conn.input = Input::Ready;
        }
        let is_writable = event.is_writable() && std::mem::take(&mut conn.is_blocked);
        if conn.wants_run() {
            self.enqueue(id);
        }
        if is_writable {
            self.mark_dirty(id);
        }
    }

    /// The connection of an id, unless it is gone.
    pub(super) fn conn(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.conns.find(id)
    }

    fn is_over(&self) -> bool {
        match self.ending {
            Ending::No => false,
            Ending::Until(due) => self.conns.is_empty() && self.relay.is_quiet() || due <= self.clock.now,
        }
    }
}
