//! The flush phase: each connection with new output is written to once per turn. Also the bounds on what one connection
//! may owe.
//!
//! There are two queues. Direct output is written in the same turn. A broadcast is written over several turns, so that
//! two users who talk to each other do not wait for ten thousand writes to others.

use std::collections::VecDeque;

use super::Engine;
use super::id::ConnId;
use super::io::{Frames, InFlight, Probe, ToWrite, Why, Wrote};
use super::life::{End, Flush, Life};
use super::pause::Pause;
use super::public_log::PublicLog;
use super::public_log::place::Attendance;
use super::stage::Stage;
use super::time::NEVER;
use crate::close::CloseReason;
use crate::limits::{BROADCAST_BYTES_A_TURN, BROADCASTS_A_TURN, WRITE_WORK};

/// The connections to write to.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// Connections with output for them or for few; all are flushed in this turn.
    direct: VecDeque<ConnId>,
    /// Connections with broadcast output only.
    broadcast: VecDeque<ConnId>,
    /// How many are still to be flushed in this turn. Connections marked during the flush wait for the next.
    left: Left,
    /// Bytes that broadcasts took in this turn; `None` until the first is taken from its queue.
    bytes: Option<usize>,
    /// The connection that is written to again, because one write did not take all its pieces.
    again: Option<ConnId>,
    /// Closing connections whose output is written: our side of their streams is to end.
    finished: VecDeque<ConnId>,
}

/// How many of each queue are still to be flushed in a turn.
#[derive(Clone, Copy, Debug, Default)]
struct Left {
    direct: usize,
    broadcast: usize,
    public: usize,
}

/// Which queue a connection was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// The queues of connections that got bytes.
    Marked,
    /// The receivers of public messages that are behind.
    Public,
}

impl Writer {
    /// True if there is nothing to write.
    pub(super) fn is_idle(&self) -> bool {
        self.direct.is_empty() && self.broadcast.is_empty() && self.finished.is_empty()
    }

    /// Adds a connection with broadcast output that is in neither queue.
    pub(super) fn push_broadcast(&mut self, id: ConnId) {
        self.broadcast.push_back(id);
    }

    /// The flush begins: as many as wait now, and of the receivers of broadcasts as many as a turn takes. `behind` of
    /// those wait for public messages.
    pub(super) fn begin(&mut self, behind: usize) {
        let rooms = self.broadcast.len().min(BROADCASTS_A_TURN);
        let public = behind.min(BROADCASTS_A_TURN);
        // Neither starves the other.
        let public = public.min((BROADCASTS_A_TURN - rooms).max(BROADCASTS_A_TURN / 2));
        self.left = Left { direct: self.direct.len(), broadcast: rooms.min(BROADCASTS_A_TURN - public), public };
        self.bytes = None;
    }

    /// A socket took bytes. Long frames make a turn's share of broadcasts smaller. Direct output, which is written first,
    /// takes nothing from that share, so broadcasts progress in every turn.
    fn count(&mut self, bytes: usize) {
        let Some(written) = &mut self.bytes else { return };
        *written += bytes;
        if *written >= BROADCAST_BYTES_A_TURN {
            (self.left.broadcast, self.left.public) = (0, 0);
        }
    }

    /// True if all broadcasts are written, as far as the sockets accepted them.
    pub(super) fn has_told_everybody(&self) -> bool {
        self.broadcast.is_empty()
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        for queue in [&mut self.direct, &mut self.broadcast, &mut self.finished] {
            queue.shrink_to_fit();
        }
    }

    fn next(&mut self, public: &mut PublicLog) -> Option<(ConnId, From)> {
        if let Some(id) = self.again.take() {
            return Some((id, From::Marked));
        }
        let Left { direct, broadcast, public: behind } = &mut self.left;
        if *direct > 0 {
            *direct -= 1;
            self.direct.pop_front().map(|id| (id, From::Marked))
        } else if *broadcast > 0 {
            *broadcast -= 1;
            self.bytes.get_or_insert_default();
            self.broadcast.pop_front().map(|id| (id, From::Marked))
        } else if *behind > 0 {
            *behind -= 1;
            self.bytes.get_or_insert_default();
            public.pop_behind().map(|id| (id, From::Public))
        } else {
            None
        }
    }
}

impl<S> Engine<S> {
    /// Marks a connection that has direct output.
    pub(super) fn mark_direct(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.find(id)
            && conn.flush != Flush::Direct
        {
            conn.flush = Flush::Direct;
            self.writer.direct.push_back(id);
            self.turn.work += WRITE_WORK;
        }
    }

    /// The next connection to write to; `None` if there is none, or the turn's share is used up.
    pub fn poll_write(&mut self) -> Option<ToWrite<'_, S>> {
        let id = loop {
            let (id, from) = self.writer.next(&mut self.public)?;
            if self.wants_write(id, from) {
                break id;
            }
        };
        let conn = self.conns.find(id)?;
        let frames = match conn.outbox.single(&self.pages) {
            _ if conn.stage != Stage::Open => Frames::One(&[]),
            _ if conn.door.ends_with_nul() => Frames::Many(conn.outbox.slices_to_nul(&self.pages)),
            Some(bytes) => Frames::One(bytes),
            None => Frames::Many(conn.outbox.slices(&self.pages)),
        };
        Some(ToWrite { id, socket: &mut conn.socket, frames })
    }

    /// Takes a connection from the flush queues: whether there is something to be written to it now.
    fn wants_write(&mut self, id: ConnId, from: From) -> bool {
        let Some(conn) = self.conns.find(id) else { return false };
        let mut count = 0;
        if conn.life == Life::Open {
            count = self.public.bring_up(conn, &mut self.pages);
            self.counters.deliveries += count as u64;
            match conn.public {
                Attendance::Yes(_) if from == From::Public => self.public.push_caught_up(id),
                Attendance::Leaving if from == From::Public => conn.public = Attendance::No,
                Attendance::Yes(_) | Attendance::Leaving | Attendance::No => {}
            }
        }
        let was = std::mem::replace(&mut conn.flush, Flush::Idle);
        if was == Flush::Idle && count == 0 || conn.end.is_some() {
            return false; // what it is told at its end is written then
        }
        if conn.rests_until().is_some_and(|until| until > self.now) {
            self.touched.push(id);
            return false;
        }
        if !conn.is_blocked && conn.has_output() {
            return true;
        }
        self.after_write(id);
        false
    }

    /// Takes the result of the write that [`poll_write`](Self::poll_write) asked for.
    pub fn handle_wrote(&mut self, id: ConnId, wrote: Wrote) {
        let now = self.now;
        let (count, is_short, sealed) = match wrote {
            Wrote::Bytes { count, is_short } => (count, is_short, 0),
            Wrote::Sealed { count, sealed } => (count, true, sealed),
            Wrote::Broken => return self.schedule_close(id, End::Broken),
        };
        if !self.desk.traces.is_off() {
            self.trace_written(id, count);
        }
        let Some(conn) = self.conns.find(id) else { return };
        conn.is_blocked = is_short;
        let has_taken = count > 0 || sealed < conn.sealed as usize;
        if sealed != conn.sealed as usize {
            conn.note_sealed(sealed, &mut self.pages);
        }
        if has_taken {
            conn.outbox.advance(count, &mut self.pages);
            conn.written = conn.written.wrapping_add(count as u32);
            if conn.outbox.is_empty() {
                conn.door.on_all_sent(now);
            }
            self.writer.count(count);
            self.counters.bytes_out += count as u64;
            if conn.is_lagging() {
                conn.took_at = now;
            }
            match &mut conn.life {
                Life::Draining(_) if conn.door.is_fetching() => {} // it has the time of one answer
                Life::Draining(linger) => linger.prolong(now),
                Life::Open if conn.liveness.begin(now) => self.touched.push(id),
                Life::Open | Life::Lingering(_) | Life::Gone(_) => {}
            }
        }
        if !is_short && conn.has_output() {
            conn.flush = Flush::Broadcast;
            self.writer.again = Some(id);
            return;
        }
        let is_settled = conn.owed() == 0 && conn.soft_since == NEVER && !conn.is_lagging();
        if !is_settled || conn.pause != Pause::None || conn.life != Life::Open {
            self.after_write(id);
        }
    }

    /// Notes how much ciphertext of a connection waits, in bytes.
    pub(super) fn note_sealed(&mut self, id: ConnId, sealed: usize) {
        if let Some(conn) = self.conns.find(id) {
            conn.note_sealed(sealed, &mut self.pages);
        }
    }

    /// Checks what a connection owes after a flush: closes it, notes since when it owes too much, or ends its pause.
    fn after_write(&mut self, id: ConnId) {
        let now = self.now;
        let limits = &self.settings.limits;
        let Some(conn) = self.conns.find(id) else { return };
        let owed = conn.owed();
        if conn.life != Life::Open {
            if owed == 0 {
                self.on_drained(id);
            }
            return;
        }
        if conn.door.is_fetching() {
            // An answer is bound by its time alone.
            if owed == 0 && matches!(conn.pause, Pause::Owing { .. }) {
                self.resume(id);
            }
            return;
        }
        if owed > conn.may_owe_at_most(limits) {
            return self.schedule_close(id, End::Closed(CloseReason::TooSlow));
        }
        if owed > conn.may_owe(limits) {
            self.probes.push_back(Probe { id, why: Why::Owing });
            self.touched.push(id);
        }
        let is_answered = matches!(conn.pause, Pause::Answering { .. });
        let soft = limits.owed_soft_bytes as usize;
        let lags = owed > conn.lags_from(limits);
        if owed > soft && conn.soft_since == NEVER {
            conn.soft_since = now;
            self.touched.push(id);
        } else if owed <= soft {
            conn.soft_since = NEVER;
            if matches!(conn.pause, Pause::Owing { .. }) {
                self.resume(id);
            }
        }
        self.note_lag(id, lags);
        if is_answered {
            self.guard(id, |engine| engine.list_on(id));
        }
    }

    /// Schedules the end of our side of a stream whose output is written.
    pub(super) fn finish_stream(&mut self, id: ConnId) {
        self.writer.finished.push_back(id);
    }

    /// The next connection whose sending side is to be shut down; [`handle_finished`](Self::handle_finished) follows.
    pub fn poll_finish(&mut self) -> Option<(ConnId, &mut S)> {
        let id = loop {
            let id = self.writer.finished.pop_front()?;
            if self.conns.find(id).is_some() {
                break id;
            }
        };
        let conn = self.conns.find(id)?;
        Some((id, &mut conn.socket))
    }

    /// A connection that owes more than `limits.owed_bytes` has accepted no bytes for long. Its peer may be reading
    /// nevertheless: a kernel that still holds much accepts no more for a while.
    pub(super) fn on_hard_due(&mut self, id: ConnId) {
        self.probes.push_back(Probe { id, why: Why::Stopped });
    }

    /// Takes the state of a connection that has accepted no bytes for long: closed unless the kernel delivers to it.
    pub(super) fn on_stopped(&mut self, id: ConnId, in_flight: InFlight) {
        let (now, limits) = (self.now, &self.settings.limits);
        let Some(conn) = self.conns.find(id).filter(|conn| conn.hard_due(limits) <= now) else { return };
        let in_kernel = in_flight.unacknowledged.unwrap_or_default();
        self.touched.push(id);
        if in_kernel >= conn.in_kernel {
            return self.close(id, CloseReason::TooSlow);
        }
        conn.in_kernel = in_kernel;
        conn.took_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u32) -> ConnId {
        ConnId { slot, generation: 1 }
    }

    #[test]
    fn direct_output_takes_nothing_from_broadcasts() {
        let (mut writer, mut public) = (Writer::default(), PublicLog::default());
        writer.direct.extend([id(1), id(2)]);
        (3..9).for_each(|slot| writer.push_broadcast(id(slot)));
        writer.begin(0);
        for expected in 1..=3 {
            assert_eq!(writer.next(&mut public), Some((id(expected), From::Marked)));
            writer.count(BROADCAST_BYTES_A_TURN);
        }
        assert_eq!(writer.next(&mut public), None, "one broadcast has used up the turn's share");
        writer.begin(0);
        for expected in 4..=5 {
            assert_eq!(writer.next(&mut public), Some((id(expected), From::Marked)));
            writer.count(BROADCAST_BYTES_A_TURN / 2);
        }
        assert_eq!(writer.next(&mut public), None);
    }
}
