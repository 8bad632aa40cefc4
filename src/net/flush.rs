//! The flush phase: everybody who got bytes in this turn is written to once. And the bounds on what one
//! connection may owe.

use std::io::{ErrorKind, Write as _};

use mio::net::TcpStream;

use super::clock::NEVER;
use super::conn::{End, Life, Pause};
use super::kernel;
use super::outbox::Outbox;
use super::pages::Pages;
use super::reactor::Reactor;
use super::token::ConnId;
use crate::close::CloseReason;
use crate::limits::{CROWD_A_TURN, WRITE_WORK};

impl Reactor {
    /// Notes that a connection has something to be sent that only it or a few were told.
    pub(super) fn mark_dirty(&mut self, id: ConnId) {
        if let Some(conn) = self.conn(id)
            && !conn.is_urgent
        {
            conn.is_dirty = true;
            conn.is_urgent = true;
            self.urgent.push(id);
            self.turn_work += WRITE_WORK;
        }
    }

    /// Writes to those who got bytes, once. A crowd takes several turns, lest two who talk to each other wait for ten
    /// thousand writes to others. Who is marked meanwhile has its turn in the next.
    pub(super) fn flush(&mut self) {
        let count = self.urgent.len();
        for place in 0..count {
            if let Some(id) = self.urgent.get(place) {
                self.flush_one(*id);
            }
        }
        self.urgent.drain(..count);
        for _ in 0..self.crowd.len().min(CROWD_A_TURN) {
            if let Some(id) = self.crowd.pop_front() {
                self.flush_one(id);
            }
        }
        self.relay.flush(&mut self.stats);
        if self.crowd.is_empty() {
            self.pages.turn_over(); // till then no more than one turn's frames come from new lines
        }
        self.backpressure.turn_over();
        self.bound_debts();
    }

    fn flush_one(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        conn.is_urgent = false;
        let was_dirty = std::mem::take(&mut conn.is_dirty);
        if conn.is_condemned || !was_dirty {
            return; // what it is told at its end is written then
        }
        if !conn.is_blocked && !conn.outbox.is_empty() {
            let before = conn.outbox.owed();
            let (now, was_lagging) = (self.clock.now, conn.is_lagging());
            match write_out(&mut conn.stream, &mut conn.outbox, &mut self.pages) {
                Written::All => {}
                Written::Some => conn.is_blocked = true,
                Written::Broken => return self.condemn(id, End::Broken),
            }
            let taken = before - conn.outbox.owed();
            self.stats.bytes_out += taken as u64;
            if was_lagging && taken > 0 {
                conn.took_at = now;
            }
            if taken > 0 {
                match &mut conn.life {
                    Life::Draining(farewell) => farewell.prolong(now),
                    Life::Open if conn.watch.begin(now) => self.touched.push(id),
                    Life::Open | Life::Lingering(_) | Life::Gone => {}
                }
            }
        }
        let is_all_done = conn.outbox.is_empty() && conn.soft_since == NEVER && !conn.is_lagging();
        if !is_all_done || conn.pause != Pause::None || conn.life != Life::Open {
            self.after_write(id);
        }
    }

    fn after_write(&mut self, id: ConnId) {
        let now = self.clock.now;
        let limits = &self.tuning.limits;
        let Some(conn) = self.conns.find(id) else { return };
        let owed = conn.outbox.owed();
        if conn.life != Life::Open {
            if owed == 0 {
                self.on_drained(id);
            }
            return;
        }
        if owed > conn.may_owe_at_most(limits) {
            return self.condemn(id, End::Closed(CloseReason::TooSlow));
        }
        if owed > conn.may_owe(limits) {
            conn.in_kernel = kernel::unacknowledged(&conn.stream).unwrap_or_default();
            self.touched.push(id);
        }
        let soft = limits.owed_soft_bytes as usize;
        let lags = owed > conn.lags_from(limits);
        if owed > soft && conn.soft_since == NEVER {
            conn.soft_since = now;
            self.touched.push(id);
        } else if owed <= soft {
            conn.soft_since = NEVER;
            if matches!(conn.pause, Pause::Owing(_)) {
                self.resume(id);
            }
        }
        self.note_lag(id, lags);
    }

    /// A connection that owes more than `limits.owed_bytes` has not been written to for long. Its peer may be reading
    /// all the same: a kernel that still holds much takes no more for a while.
    pub(super) fn on_hard_due(&mut self, id: ConnId) {
        let now = self.clock.now;
        let Some(conn) = self.conns.find(id) else { return };
        let in_kernel = kernel::unacknowledged(&conn.stream).unwrap_or_default();
        if in_kernel >= conn.in_kernel {
            return self.close(id, CloseReason::TooSlow);
        }
        conn.in_kernel = in_kernel;
        conn.took_at = now;
    }
}

enum Written {
    All,
    /// The kernel took less than was offered; the poll will tell when it takes more.
    Some,
    Broken,
}

/// One write of all that is owed (more than one only for more pieces than a write can take).
fn write_out(stream: &mut TcpStream, outbox: &mut Outbox, pages: &mut Pages) -> Written {
    while !outbox.is_empty() {
        let (result, offered) = match outbox.single(pages) {
            Some(bytes) => (stream.write(bytes), bytes.len()),
            None => {
                let slices = outbox.slices(pages);
                (stream.write_vectored(&slices), slices.iter().map(|slice| slice.len()).sum())
            }
        };
        match result {
            Ok(count) => {
                outbox.advance(count, pages);
                if count < offered {
                    return Written::Some;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Written::Some,
            Err(_) => return Written::Broken,
        }
    }
    Written::All
}
