//! The wait phase: sleeps until an event or a deadline, and reports events to the engine.

use std::io;
use std::time::Duration;

use mio::Events;
use mio::event::Event;

use crate::engine::{Millis, Ready};
use crate::net::reactor::Reactor;
use crate::net::sys::token::Source;

impl Reactor {
    /// Polls, begins a turn, and reports the events.
    ///
    /// # Errors
    /// The poll fails.
    pub(super) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.patience()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            result => result?,
        }
        self.clock.read();
        self.engine.begin_turn(self.clock.now, self.clock.unix_ms);
        for event in events.iter() {
            match Source::from(event.token()) {
                Source::Listener(place) => self.listeners.mark_ready(place),
                Source::Waker => self.take_answers(),
                Source::Signals => self.on_signals(),
                Source::Datagrams(place) => self.on_datagram_event(place, event),
                Source::Connection(id) => self.engine.handle_ready(id, readiness(event)),
            }
        }
        self.look_at_clocks();
        Ok(())
    }

    /// How long the poll may sleep; `None` for no limit.
    fn patience(&self) -> Option<Duration> {
        if self.engine.is_busy() || self.listeners.is_ready() || self.datagrams.is_ready() {
            return Some(Duration::ZERO);
        }
        let due: Millis = self.engine.next_due().min(self.listeners.retry_at());
        // The clock counts whole milliseconds: one more, so that it does not wake before the deadline.
        (due != Millis::MAX).then(|| Duration::from_millis((due + 1).saturating_sub(self.clock.now)))
    }

    /// Handles the deadlines outside of the engine.
    fn look_at_clocks(&mut self) {
        self.listeners.retry(self.clock.now);
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
