//! The wait phase: sleeps until an event or a deadline, and reports events to the engine.

use std::io;
use std::time::{Duration, Instant};

use mio::Events;
use mio::event::Event;

use crate::engine::{Millis, Ready};
use crate::net::reactor::Reactor;
use crate::net::sys::token::Source;

/// The loop polls for this long before it sleeps, if the last silence was shorter: a wake-up costs a message 10 µs or
/// more, and the processor more than the polling. Traffic that is slower than this never makes it poll.
const SPIN: Duration = Duration::from_micros(30);

impl Reactor {
    /// Polls, begins a turn, and reports the events.
    ///
    /// # Errors
    /// The poll fails.
    pub(super) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        match self.patience() {
            Some(Duration::ZERO) => self.look(events)?,
            patience => self.sleep(events, patience)?,
        }
        self.clock.read();
        self.engine.begin_turn(self.clock.now, self.clock.unix_ms);
        self.report_backlog();
        self.hand_out(events);
        if self.has_history {
            self.take_history();
        }
        self.look_at_clocks();
        Ok(())
    }

    /// Polls without waiting.
    ///
    /// # Errors
    /// The poll fails.
    pub(super) fn look(&mut self, events: &mut Events) -> io::Result<()> {
        self.poll_for(events, Some(Duration::ZERO))
    }

    /// Waits until something happens, at most for `patience`. If the last silence was short, the next one may be too:
    /// then it polls for a moment before it sleeps.
    fn sleep(&mut self, events: &mut Events, patience: Option<Duration>) -> io::Result<()> {
        let began = Instant::now();
        if self.clock.silence < SPIN {
            while began.elapsed() < SPIN {
                self.look(events)?;
                if !events.is_empty() {
                    self.clock.silence = began.elapsed();
                    return Ok(());
                }
            }
        }
        self.poll_for(events, patience)?;
        self.clock.silence = began.elapsed();
        Ok(())
    }

    fn poll_for(&mut self, events: &mut Events, patience: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            result => result,
        }
    }

    /// Tells everybody what has happened.
    pub(super) fn hand_out(&mut self, events: &Events) {
        for event in events.iter() {
            match Source::from(event.token()) {
                Source::Listener(place) => self.listeners.mark_ready(place),
                Source::Waker => {
                    self.take_answers();
                    self.has_history = true;
                }
                Source::Signals => self.on_signals(),
                Source::Datagrams(place) => self.on_datagram_event(place, event),
                Source::Connection(id) => self.engine.handle_ready(id, readiness(event)),
            }
        }
    }

    /// How long the poll may sleep; `None` for no limit.
    fn patience(&self) -> Option<Duration> {
        if self.has_history || self.engine.is_busy() || self.listeners.is_ready() || self.datagrams.is_ready() {
            return Some(Duration::ZERO);
        }
        let listeners = self.listeners.retry_at().min(self.listeners.expiry_at());
        let due: Millis = self.engine.next_due().min(listeners).min(self.manager.due());
        // The clock counts whole milliseconds: one more, so that it does not wake before the deadline.
        (due != Millis::MAX).then(|| Duration::from_millis((due + 1).saturating_sub(self.clock.now)))
    }

    /// Handles the deadlines outside of the engine.
    fn look_at_clocks(&mut self) {
        self.listeners.retry(self.clock.now);
        self.listeners.warn_of_expiry(self.clock.now);
        if self.engine.is_checkup_due() {
            self.engine.note_log((self.control.log_lines_dropped)());
            self.report_history();
        }
        if self.engine.are_stats_due() {
            self.log_stats();
        }
    }

    fn on_datagram_event(&mut self, place: usize, event: &Event) {
        self.datagrams.mark_ready(place, event.is_readable() || event.is_error());
        if event.is_writable() {
            self.engine.handle_datagrams_writable(place);
        }
    }
}

fn readiness(event: &Event) -> Ready {
    Ready {
        is_readable: event.is_readable(),
        is_ending: event.is_read_closed() || event.is_priority(),
        is_writable: event.is_writable(),
        is_broken: event.is_error(),
    }
}
