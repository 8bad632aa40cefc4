//! One turn of the loop: its phases in order, a file each.
//!
//! `wait → timers → closes → probe → accept → receive datagrams → read → figures → requests → history requests → orders →
//! flush → send datagrams → reap → rearm`. Timers, closes and rearm are the engine's own; the others move bytes between the engine and
//! the sockets.

mod wait;
mod probe;
mod accept;
mod receive_datagrams;
mod read;
mod figures;
mod requests;
mod history_requests;
mod orders;
mod answers;
mod history_answers;
mod flush;
mod send_datagrams;
mod reap;

use std::io;

use mio::Events;

use super::reactor::Reactor;

/// The most events that one poll returns.
const EVENTS: usize = 1024;

impl Reactor {
    /// Runs turns until the engine says that it is over.
    ///
    /// # Errors
    /// The poll fails, or there were too many faults of the server, or one that ended the account thread.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        self.manager.on_ready(self.clock.now);
        while !self.engine.is_over() {
            self.wait(&mut events)?;
            self.engine.run_timers();
            self.engine.run_closes();
            self.probe();
            self.accept();
            self.receive_datagrams();
            self.read(&mut events)?;
            self.answer_figures();
            self.pass_requests();
            self.pass_to_history();
            self.carry_out_orders();
            self.flush();
            self.send_datagrams();
            self.engine.end_flush();
            self.reap();
            self.engine.rearm();
            self.tell_manager();
            self.engine.note_turn(self.clock.in_turn());
        }
        if self.engine.is_broken() {
            return Err(io::Error::other("internal errors, see the log; start it again, and report them"));
        }
        Ok(())
    }
}
