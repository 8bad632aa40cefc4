//! How connections end: told why, drained, then gone; and reaping, the one place where they are removed.

use std::net::Shutdown;
use std::time::Duration;

use log::info;
use socket2::SockRef;

use super::clock::Millis;
use super::conn::{Conn, Input, Life, Pause};
use super::reactor::Reactor;
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::hub::command::Command;
use crate::hub::names::UserName;
use crate::hub::session::SessionId;
use crate::limits::{FAREWELL_MS, LINGER_MS};

impl Reactor {
    /// Ends a connection for a reason, which its client, the log and the counters are told.
    pub(super) fn close(&mut self, id: SessionId, reason: CloseReason) {
        let Some(conn) = self.conn(id).filter(|conn| conn.life == Life::Open) else { return };
        let ip = conn.ip;
        let name = self.hub.name_of(id).or_else(|| self.conns.get(id.slot as usize)?.door.claimed_name());
        info!("421 {reason}: {} from {ip}", name.map_or("nobody", UserName::as_str));
        self.stats.count_closed(reason);
        self.part(id);
        let due = self.farewell_due();
        if let Some(conn) = self.conns.get_mut(id.slot as usize) {
            let Conn { outbox, door, .. } = conn;
            if reason.drops_queue() {
                outbox.drop_all_but_begun(&mut self.pages);
            }
            outbox.push_own(&mut self.pages, |out| door.tell(&Reply::Closing(reason), out));
            conn.life = Life::Draining(due);
        }
        self.after_part(id);
    }

    /// The client has said goodbye, or ended its stream: it gets what it is owed.
    pub(super) fn leave(&mut self, id: SessionId) {
        if self.conn(id).is_none_or(|conn| conn.life != Life::Open) {
            return;
        }
        self.stats.left += 1;
        self.part(id);
        let due = self.farewell_due();
        if let Some(conn) = self.conn(id) {
            conn.life = Life::Draining(due);
        }
        self.after_part(id);
    }

    /// The connection is broken: there is nobody to tell.
    pub(super) fn drop_now(&mut self, id: SessionId) {
        let Some(conn) = self.conn(id) else { return };
        if conn.life == Life::Open {
            self.stats.left += 1;
            self.part(id);
        }
        self.doom(id);
    }

    /// What a connection was to others ends here; what it is still owed does not.
    fn part(&mut self, id: SessionId) {
        let Some(conn) = self.conn(id) else { return };
        let waits_for_verdict = matches!(conn.pause, Pause::Verdict(_));
        conn.pause = Pause::None;
        if waits_for_verdict {
            self.auth.cancel(super::token::ticket(id));
        }
        self.command(id, Command::Leave);
    }

    /// The flush sends what is owed, the read phase throws away what still comes, the timer ends both.
    fn after_part(&mut self, id: SessionId) {
        self.mark_dirty(id);
        self.enqueue(id);
        self.touched.push(id);
    }

    fn farewell_due(&self) -> Millis {
        self.clock.now + FAREWELL_MS
    }

    /// All that a closing connection was owed is with the kernel: our side of the stream ends.
    pub(super) fn on_drained(&mut self, id: SessionId) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id) else { return };
        let Life::Draining(due) = conn.life else { return };
        if conn.input == Input::Ended || conn.stream.shutdown(Shutdown::Write).is_err() {
            return self.doom(id);
        }
        conn.life = Life::Lingering(due.min(now + LINGER_MS));
        self.touched.push(id);
    }

    /// A closing client has ended its stream.
    pub(super) fn on_end_while_closing(&mut self, id: SessionId) {
        if self.conn(id).is_some_and(|conn| matches!(conn.life, Life::Lingering(_))) {
            self.doom(id);
        }
    }

    /// The time for a farewell is over: whatever is left of the connection is cut off.
    pub(super) fn reset(&mut self, id: SessionId) {
        if let Some(conn) = self.conn(id) {
            // Without this the kernel would go on trying to deliver for minutes. A socket that refuses is gone.
            let _ = SockRef::from(&conn.stream).set_linger(Some(Duration::ZERO));
            self.doom(id);
        }
    }

    fn doom(&mut self, id: SessionId) {
        if let Some(conn) = self.conn(id)
            && conn.life != Life::Gone
        {
            conn.life = Life::Gone;
            self.doomed.push(id);
        }
    }

    /// Removes what is over. Nowhere else is a slot set free, so none is used again within a batch of events.
    pub(super) fn reap(&mut self) {
        while let Some(id) = self.doomed.pop() {
            let Some(mut conn) = self.conns.try_remove(id.slot as usize) else { continue };
            debug_assert_eq!(conn.id, id, "a slot was used again before it was reaped");
            conn.outbox.clear(&mut self.pages);
            self.timers.disarm(id, &mut conn.armed);
            self.addresses.release(conn.ip);
            self.silent -= u32::from(conn.is_silent);
        }
    }
}
