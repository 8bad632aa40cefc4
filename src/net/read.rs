//! The read phase: bytes in, lines out, one quantum a connection at a time, in the order of the run queue.
//!
//! The rules of edge-triggered polling live here: a connection whose input is not drained stands in the run queue,
//! unless it is paused; whoever ends a pause puts it back.

use std::io::{ErrorKind, Read as _};

use zeroize::Zeroize as _;

use super::clock::NEVER;
use super::conn::{Conn, Input, Life, Pause};
use super::reactor::Reactor;
use crate::close::CloseReason;
use crate::door::inbox::Cut;
use crate::door::reply::Reply;
use crate::hub::session::SessionId;
use crate::limits::{
    LINE_WORK, QUANTUM_COMMANDS, QUANTUM_WORK, READ_BYTES, RUN_WORK, TURN_FRAMES_BYTES, TURN_STEPS, TURN_WORK,
    TURN_WORK_LINES, WORK_BYTES,
};

impl Reactor {
    /// Gives connections their quanta until the run queue is empty, or the turn is full.
    pub(super) fn read(&mut self) {
        let mut steps = 0;
        self.turn_work = self.turn_work.min(TURN_WORK - TURN_WORK_LINES); // whatever timers, ends and datagrams have cost
        while steps < TURN_STEPS && !self.is_turn_full() {
            let Some(id) = self.run_queue.pop_front() else { break };
            self.turn_work += RUN_WORK;
            let Some(conn) = self.conn(id) else { continue };
            conn.is_queued = false;
            steps += match conn.life {
                Life::Open => self.run(id),
                Life::Draining(_) | Life::Lingering(_) => self.discard_input(id),
                Life::Gone => 0,
            };
        }
    }

    /// Whether the turn has done so much, or queued so much for others, that it is time to flush.
    fn is_turn_full(&self) -> bool {
        self.pages.turn_bytes() >= TURN_FRAMES_BYTES || self.turn_work >= TURN_WORK
    }

    /// Puts a connection into the run queue, once.
    pub(super) fn enqueue(&mut self, id: SessionId) {
        if let Some(conn) = self.conn(id)
            && !conn.is_queued
        {
            conn.is_queued = true;
            self.run_queue.push_back(id);
        }
    }

    /// One quantum of a connection that talks. Gives how many steps it took.
    fn run(&mut self, id: SessionId) -> usize {
        // The scratch buffer is taken for the time, so that lines can be carried out where they were read.
        let mut scratch = std::mem::take(&mut self.scratch);
        let steps = self.guard(id, |reactor| reactor.run_quantum(id, &mut scratch));
        if steps.is_none() {
            scratch.zeroize(); // a password may have been in what broke
        }
        self.scratch = scratch;
        self.touched.push(id);
        steps.unwrap_or(QUANTUM_COMMANDS)
    }

    fn run_quantum(&mut self, id: SessionId, scratch: &mut [u8]) -> usize {
        let Some(conn) = self.conn(id) else { return 0 };
        let (mut at, mut len, mut steps) = (0, conn.inbox.unload(scratch), 0);
        let (mut most, mut is_secret) = (len, conn.door.expects_secret());
        let work_most = self.turn_work + QUANTUM_WORK;
        let mut is_spent = false;
        while !is_spent {
            let bytes = scratch.get(at..len).unwrap_or_default();
            match self.next_line(id, bytes) {
                Some(Cut::Line { end, next }) => {
                    let line = bytes.get(..end).unwrap_or_default();
                    if self.throttle(id, line) {
                        break;
                    }
                    self.on_line(id, line, next);
                    is_secret |= self.conn(id).is_some_and(|conn| conn.door.expects_secret());
                    at += next;
                }
                Some(Cut::TooLong { next }) => {
                    self.on_too_long(id, next);
                    at += next;
                }
                Some(Cut::Partial { keep }) => {
                    scratch.copy_within(at + keep..len, 0);
                    (at, len) = (0, len - at - keep);
                    match self.receive(id, scratch, len) {
                        Some(count) => len += count,
                        None => break,
                    }
                    most = most.max(len);
                }
                Some(Cut::NeverEnds) => self.close(id, CloseReason::LineNeverEnded),
                None => break,
            }
            steps += 1;
            is_spent = steps >= QUANTUM_COMMANDS || self.turn_work >= work_most || self.is_turn_full();
        }
        self.put_back(id, scratch.get(at..len).unwrap_or_default(), is_spent);
        if is_secret && let Some(used) = scratch.get_mut(..most) {
            used.zeroize(); // whole lines, begun ones, and what was left behind when those were moved
        }
        steps
    }

    /// What stands at the start of `bytes`; `None` when the connection is not to be read now.
    fn next_line(&mut self, id: SessionId, bytes: &[u8]) -> Option<Cut> {
        let now = self.clock.now;
        let limits = &self.tuning.limits;
        let conn = self.conns.find(id)?;
        if conn.life != Life::Open || conn.pause != Pause::None || conn.is_condemned {
            return None;
        }
        let limit = conn.door.frame_limit(limits.line_bytes);
        if !conn.inbox.is_discarding()
            && let Some(reason) = conn.door.sniff(bytes, limit)
        {
            self.close(id, reason);
            return None;
        }
        if conn.outbox.owed() > conn.held_back_from(limits) {
            conn.pause = Pause::Owing(now);
            self.mark_dirty(id); // the flush ends the pause, or waits for the socket
            return None;
        }
        if conn.door.is_logged_in() && !bytes.is_empty() {
            let due = conn.pace.free_at(limits);
            if due > now {
                conn.pause = Pause::Pace { due, since: now };
                self.stats.rate_paused += 1;
                return None;
            }
        }
        Some(conn.door.cut(&mut conn.inbox, bytes, limit))
    }

    /// Reads more behind the `len` bytes that `scratch` holds. `None` when there is no more for now.
    fn receive(&mut self, id: SessionId, scratch: &mut [u8], len: usize) -> Option<usize> {
        let line_bytes = self.tuning.limits.line_bytes as usize;
        let conn = self.conn(id)?;
        if matches!(conn.input, Input::Drained | Input::Ended) {
            return None;
        }
        let room = scratch.get_mut(len..READ_BYTES.max(line_bytes))?;
        match read_some(conn, room) {
            Received::Bytes(count) => {
                self.stats.bytes_in += count as u64;
                Some(count)
            }
            Received::Nothing => None,
            Received::End => {
                self.leave(id);
                None
            }
            Received::Broken => {
                self.drop_now(id);
                None
            }
        }
    }

    /// After a quantum: keeps what was read and not carried out, and sees when the connection has its next go.
    fn put_back(&mut self, id: SessionId, rest: &[u8], is_spent: bool) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id).filter(|conn| conn.life == Life::Open) else { return };
        conn.inbox.hold(rest);
        if !conn.inbox.has_begun() {
            conn.line_since = NEVER;
        } else if conn.line_since == NEVER {
            conn.line_since = now;
        }
        if is_spent && conn.pause == Pause::None {
            self.enqueue(id);
        }
    }

    /// Reads and throws away what a closing connection still sends. Gives how many steps it took.
    fn discard_input(&mut self, id: SessionId) -> usize {
        let mut scratch = std::mem::take(&mut self.scratch);
        let received = self.conn(id).map(|conn| read_some(conn, &mut scratch));
        self.scratch = scratch;
        match received {
            Some(Received::Bytes(_)) => self.enqueue(id),
            Some(Received::End) => self.on_end_while_closing(id),
            Some(Received::Broken) => self.drop_now(id),
            Some(Received::Nothing) | None => {}
        }
        1
    }

    /// Ends a pause: what was held is carried out, and reading goes on.
    pub(super) fn resume(&mut self, id: SessionId) {
        let now = self.clock.now;
        if let Some(conn) = self.conn(id) {
            conn.resume(now);
            self.enqueue(id);
            self.touched.push(id);
        }
    }

    fn on_too_long(&mut self, id: SessionId, bytes: usize) {
        let line_bytes = self.tuning.limits.line_bytes;
        let Some(conn) = self.conn(id) else { return };
        let limit = conn.door.frame_limit(line_bytes);
        self.turn_work += LINE_WORK + bytes / WORK_BYTES;
        if !self.count_line(id, bytes) {
            return;
        }
        if self.is_barred(id) {
            self.close(id, CloseReason::TooManyFailures);
        } else {
            self.reply(id, &Reply::LineTooLong(limit));
        }
    }
}

enum Received {
    Bytes(usize),
    /// Nothing for now; the poll will tell.
    Nothing,
    /// The client has ended its stream.
    End,
    /// The connection is broken.
    Broken,
}

/// One read. What it shows of the input is noted with the connection.
fn read_some(conn: &mut Conn, room: &mut [u8]) -> Received {
    loop {
        match conn.stream.read(room) {
            Ok(0) => {
                conn.input = Input::Ended;
                return Received::End;
            }
            Ok(count) => {
                // A read that came back short has drained the socket, unless something special waits behind.
                if count < room.len() && conn.input == Input::Ready {
                    conn.input = Input::Drained;
                }
                return Received::Bytes(count);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                conn.input = Input::Drained;
                return Received::Nothing;
            }
            Err(_) => return Received::Broken,
        }
    }
}
