//! The read phase: bytes in, lines out, one quantum of a connection at a time, in the order of the run queue.
//!
//! The rules of edge-triggered polling live here: a connection whose input is not drained is in the run queue, unless
//! it is paused. The end of a pause puts it back.

use std::collections::VecDeque;

use zeroize::Zeroize as _;

use super::Engine;
use super::id::ConnId;
use super::io::{Read, Ready, ToRead};
use super::life::{End, Input, Life};
use super::pause::{Held, Pause, Until};
use super::stage::{Stage, Unusable};
use super::time::NEVER;
use crate::close::CloseReason;
use crate::door::Class;
use crate::door::inbox::Cut;
use crate::door::reply::Reply;
use crate::limits::{
    self, LINE_WORK, QUANTUM_COMMANDS, QUANTUM_WORK, READ_BYTES, RUN_WORK, TURN_STEPS, TURN_WORK_ENTERING, WORK_BYTES,
};

/// The run queue, and the current quantum.
#[derive(Debug)]
pub(super) struct Reader {
    /// Connections whose input is to be read.
    run_queue: VecDeque<ConnId>,
    /// Connections before their greeting whose input is to be read: see [`Reader::next`].
    entering: VecDeque<ConnId>,
    /// Work of this turn that went into those.
    entering_work: usize,
    /// The buffer of all reads; a connection keeps only bytes that cannot be carried out yet.
    scratch: Box<[u8]>,
    /// Lines and reads of this turn.
    steps: usize,
    /// The quantum that waits for bytes.
    quantum: Option<Quantum>,
}

/// One connection's share of the read phase: `scratch[at..len]` was received and is not carried out yet.
#[derive(Debug)]
struct Quantum {
    id: ConnId,
    at: usize,
    len: usize,
    /// How much of the scratch buffer was used, so that it can be wiped.
    peak: usize,
    steps: usize,
    /// The turn's work at which it ends.
    work_most: usize,
    /// The bytes may contain a password or a token.
    is_secret: bool,
}

/// The progress of a quantum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It continues with more bytes.
    WantsBytes,
    /// It is used up.
    Spent,
    /// There is nothing to do for the connection now: it is drained, paused, or closing.
    Over,
}

/// The next action of a connection.
#[derive(Debug)]
enum Next {
    /// It carries out a message that has waited, unless that must go on waiting.
    Held(Box<Held>),
    /// It goes on with the last line, which is several steps.
    Step,
    /// It takes what it has sent.
    Cut(Cut),
}

impl Default for Reader {
    fn default() -> Self {
        let scratch = vec![0; READ_BYTES.max(limits::LINE_BYTES_MOST) * 2].into_boxed_slice();
        Self {
            run_queue: VecDeque::new(),
            entering: VecDeque::new(),
            entering_work: 0,
            scratch,
            steps: 0,
            quantum: None,
        }
    }
}

impl Reader {
    /// Begins a turn.
    pub(super) fn begin_turn(&mut self) {
        (self.steps, self.entering_work) = (0, 0);
    }

    /// Counts more steps of this turn.
    pub(super) fn note_steps(&mut self, count: usize) {
        self.steps += count;
    }

    /// True if the turn has steps left.
    pub(super) fn has_room(&self) -> bool {
        self.steps < TURN_STEPS
    }

    /// Whether the buffer of all reads holds these bytes.
    #[cfg(test)]
    pub(super) fn has_read(&self, bytes: &[u8]) -> bool {
        memchr::memmem::find(&self.scratch, bytes).is_some()
    }

    /// True if there is nothing to read.
    pub(super) fn is_idle(&self) -> bool {
        self.run_queue.is_empty() && self.entering.is_empty() && self.quantum.is_none()
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        self.run_queue.shrink_to_fit();
        self.entering.shrink_to_fit();
    }

    /// Takes the next connection to read. A handshake costs as much as hundreds of lines, and strangers can begin
    /// thousands at once. So handshakes come after everything else, and have a share of the turn. One in each turn goes
    /// first: they continue even if lines fill every turn.
    fn next(&mut self) -> Option<ConnId> {
        let first = if self.entering_work == 0 { self.entering.pop_front() } else { None };
        let next = first.or_else(|| self.run_queue.pop_front());
        next.or_else(|| if self.entering_work < TURN_WORK_ENTERING { self.entering.pop_front() } else { None })
    }
}

impl<S> Engine<S> {
    /// Takes an event of the poll for a connection. A stale id is ignored.
    pub fn handle_ready(&mut self, id: ConnId, ready: Ready) {
        let Some(conn) = self.conns.find(id) else { return };
        if ready.is_broken {
            return self.schedule_close(id, End::Broken);
        }
        if ready.is_ending && conn.input != Input::Ended {
            conn.input = Input::Ending;
        } else if ready.is_readable && conn.input == Input::Drained {
            conn.input = Input::Ready;
        }
        let is_writable = ready.is_writable && std::mem::take(&mut conn.is_blocked);
        if conn.wants_run() {
            self.enqueue(id);
        }
        if is_writable {
            self.mark_direct(id);
        }
    }

    /// Puts a connection into the run queue, once.
    pub(super) fn enqueue(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.find(id)
            && !conn.is_queued
        {
            conn.is_queued = true;
            let is_entering = conn.stage != Stage::Open && conn.life == Life::Open;
            let queue = if is_entering { &mut self.reader.entering } else { &mut self.reader.run_queue };
            queue.push_back(id);
        }
    }

    /// The next connection to read; `None` if the run queue is empty or the turn is full. On the way it carries out
    /// lines that were received before.
    pub fn poll_read(&mut self) -> Option<ToRead<'_, S>> {
        let id = loop {
            if let Some(quantum) = &self.reader.quantum {
                break quantum.id;
            }
            self.start_quantum()?;
        };
        let line_bytes = self.settings.limits.line_bytes;
        let Reader { scratch, quantum, .. } = &mut self.reader;
        let start = quantum.as_ref()?.len;
        let conn = self.conns.find(id)?;
        let end = match conn.life {
            // A TLS record is read as a whole.
            Life::Open if !conn.is_tls => READ_BYTES.max(conn.door.frame_limit(line_bytes)),
            Life::Open | Life::Draining(_) | Life::Lingering(_) | Life::Gone(_) => scratch.len(),
        };
        let is_discarded = conn.life != Life::Open;
        Some(ToRead { id, socket: &mut conn.socket, room: scratch.get_mut(start..end)?, is_discarded })
    }

    /// Takes the result of the read that [`poll_read`](Self::poll_read) asked for.
    pub fn handle_read(&mut self, id: ConnId, read: Read) {
        let Some(quantum) = self.reader.quantum.take_if(|quantum| quantum.id == id) else { return };
        let Some(conn) = self.conns.find(id) else { return };
        conn.note_read(read);
        let entering_work = read.entering_work();
        self.turn.work += entering_work;
        self.reader.entering_work += entering_work;
        if conn.life != Life::Open {
            self.reader.steps += 1;
            return self.on_discarded(id, read);
        }
        match read {
            Read::Bytes { count, .. } => {
                if conn.door.gap_ms().is_some() {
                    conn.line_since = NEVER; // its silence begins anew
                }
                self.on_bytes(quantum, count);
            }
            Read::Records { count, work, .. } => {
                self.turn.work += work;
                self.on_bytes(quantum, count);
            }
            Read::Named(client) => {
                self.guard(id, |engine| engine.on_named(id, client));
                self.end_quantum(quantum, Progress::Spent);
            }
            Read::Shaken(step) => {
                self.guard(id, |engine| engine.on_shaken(id, step));
                self.on_bytes(quantum, step.count);
            }
            Read::Unusable(why) => {
                let count = if let Unusable::NotTls { count } = why { count } else { 0 };
                // Taken out meanwhile, as for lines.
                let scratch = std::mem::take(&mut self.reader.scratch);
                let heard = scratch.get(quantum.len..quantum.len + count).unwrap_or_default();
                self.guard(id, |engine| engine.on_unusable(id, why, heard));
                self.reader.scratch = scratch;
                self.end_quantum(quantum, Progress::Over);
            }
            Read::Nothing => self.end_quantum(quantum, Progress::Over),
            Read::End if quantum.at < quantum.len && conn.door.handle_end() => self.run(quantum),
            Read::End => {
                self.guard(id, |engine| engine.leave(id));
                self.end_quantum(quantum, Progress::Over);
            }
            Read::Broken => {
                self.guard(id, |engine| engine.drop_now(id));
                self.end_quantum(quantum, Progress::Over);
            }
        }
    }

    /// `count` more bytes were read in a quantum.
    fn on_bytes(&mut self, mut quantum: Quantum, count: usize) {
        self.counters.bytes_in += count as u64;
        quantum.len += count;
        quantum.peak = quantum.peak.max(quantum.len);
        quantum.steps += 1;
        if quantum.is_spent(self.turn.work) || self.is_turn_full() {
            self.end_quantum(quantum, Progress::Spent);
        } else {
            self.run(quantum);
        }
    }

    /// Takes the next connection from the run queue. `None` if there is none, or the turn is full.
    fn start_quantum(&mut self) -> Option<()> {
        if !self.reader.has_room() || self.is_turn_full() {
            return None;
        }
        let id = self.reader.next()?;
        self.turn.work += RUN_WORK;
        let Some(conn) = self.conns.find(id) else { return Some(()) };
        if conn.stage != Stage::Open {
            self.reader.entering_work += RUN_WORK;
        }
        conn.is_queued = false;
        let mut quantum = Quantum::new(id, self.turn.work);
        if conn.life != Life::Open {
            self.reader.quantum = Some(quantum); // its input is read and discarded
            return Some(());
        }
        quantum.len = conn.inbox.unload(&mut self.reader.scratch);
        quantum.peak = quantum.len;
        quantum.is_secret = conn.door.expects_secret();
        self.run(quantum);
        Some(())
    }

    /// Carries out the received lines, as far as the quantum allows.
    fn run(&mut self, mut quantum: Quantum) {
        // The scratch buffer is taken out meanwhile, so that lines are carried out where they were read.
        let mut scratch = std::mem::take(&mut self.reader.scratch);
        let progress = self.guard(quantum.id, |engine| engine.run_lines(&mut quantum, &mut scratch));
        if progress.is_none() {
            scratch.zeroize(); // the line that panicked may contain a password
        }
        self.reader.scratch = scratch;
        match progress {
            Some(Progress::WantsBytes) => self.reader.quantum = Some(quantum),
            Some(progress) => self.end_quantum(quantum, progress),
            None => {
                self.reader.steps += QUANTUM_COMMANDS;
                self.touched.push(quantum.id);
            }
        }
    }

    fn run_lines(&mut self, quantum: &mut Quantum, scratch: &mut [u8]) -> Progress {
        let id = quantum.id;
        loop {
            let bytes = scratch.get_mut(quantum.at..quantum.len).unwrap_or_default();
            match self.next_line(id, bytes) {
                Some(Next::Held(held)) => self.on_held(id, held),
                Some(Next::Step) => self.on_step(id),
                Some(Next::Cut(Cut::Line { end, next })) => {
                    let line = bytes.get(..end).unwrap_or_default();
                    quantum.is_secret |= self.conns.find(id).is_some_and(|conn| conn.door.has_secret(line));
                    self.on_line(id, line, next);
                    quantum.is_secret |= self.conns.find(id).is_some_and(|conn| conn.door.expects_secret());
                    quantum.at += next;
                }
                Some(Next::Cut(Cut::Frame { start, end, next })) => {
                    self.on_line(id, bytes.get(start..end).unwrap_or_default(), next);
                    quantum.is_secret |= self.conns.find(id).is_some_and(|conn| conn.door.expects_secret());
                    quantum.at += next;
                }
                Some(Next::Cut(Cut::Gathered { next })) => {
                    let message = self.conns.find(id).map(|conn| conn.door.take_gathered()).unwrap_or_default();
                    let message = zeroize::Zeroizing::new(message); // it may contain a password
                    self.on_line(id, &message, next);
                    quantum.at += next;
                }
                Some(Next::Cut(Cut::TooLong { next })) => {
                    self.on_too_long(id, next);
                    quantum.at += next;
                }
                Some(Next::Cut(Cut::Partial { keep })) => {
                    let begun = bytes.get(keep..).unwrap_or_default();
                    quantum.is_secret |= self.conns.find(id).is_some_and(|conn| conn.door.has_secret(begun));
                    scratch.copy_within(quantum.at + keep..quantum.len, 0);
                    (quantum.at, quantum.len) = (0, quantum.len - quantum.at - keep);
                    let line_bytes = self.settings.limits.line_bytes;
                    let wants_bytes = self.conns.find(id).is_some_and(|conn| {
                        let room = READ_BYTES.max(conn.door.frame_limit(line_bytes));
                        conn.input.may_have_more() && quantum.len < room
                    });
                    return if wants_bytes { Progress::WantsBytes } else { Progress::Over };
                }
                Some(Next::Cut(Cut::NeverEnds)) => self.close(id, CloseReason::LineNeverEnded),
                None => return Progress::Over,
            }
            quantum.steps += 1;
            if quantum.is_spent(self.turn.work) || self.is_turn_full() {
                return Progress::Spent;
            }
        }
    }

    /// The message that has waited, or else the frame at the start of `bytes`; `None` when the connection is not to be
    /// read now.
    fn next_line(&mut self, id: ConnId, bytes: &mut [u8]) -> Option<Next> {
        let now = self.now;
        let limits = &self.settings.limits;
        let conn = self.conns.find(id)?;
        if conn.life != Life::Open || conn.pause != Pause::None || conn.end.is_some() {
            return None;
        }
        let limit = conn.door.frame_limit(limits.line_bytes);
        if !conn.inbox.is_discarding()
            && let Some(reason) = conn.door.sniff(bytes, limit)
        {
            self.close(id, reason);
            return None;
        }
        if conn.owed() > conn.paused_from(limits) {
            conn.pause = Pause::Owing { since: now };
            self.mark_direct(id); // the flush ends the pause, or waits for the socket
            return None;
        }
        let door = conn.door.as_irc().filter(|door| door.is_answering());
        let is_step = door.is_some();
        let is_counted = conn.held.is_some() || door.map_or(!bytes.is_empty(), |door| door.counts_next());
        if conn.door.is_logged_in() && is_counted {
            let due = conn.rate.free_at(limits);
            if due > now && conn.door.class() == Class::Chat {
                conn.pause = Pause::Until { why: Until::Rate, due, since: now };
                self.counters.rate_paused += 1;
                return None;
            }
        }
        if let Some(held) = conn.held.take() {
            return Some(Next::Held(held));
        }
        if is_step {
            return Some(Next::Step);
        }
        Some(Next::Cut(conn.door.cut(&mut conn.inbox, bytes, limit)))
    }

    /// Ends a quantum: keeps the remaining bytes, and decides when the connection has its next one.
    fn end_quantum(&mut self, quantum: Quantum, progress: Progress) {
        let (id, now) = (quantum.id, self.now);
        self.reader.steps += quantum.steps;
        self.touched.push(id);
        if let Some(conn) = self.conns.find(id).filter(|conn| conn.life == Life::Open) {
            conn.inbox.hold(self.reader.scratch.get(quantum.at..quantum.len).unwrap_or_default());
            if !conn.inbox.has_begun() && !conn.door.has_begun() {
                conn.line_since = NEVER;
            } else if conn.line_since == NEVER {
                conn.line_since = now;
            }
            if progress == Progress::Spent && conn.pause == Pause::None {
                self.enqueue(id);
            }
        }
        // Wipes complete lines, incomplete ones, and the copies left behind when those were moved.
        if quantum.is_secret
            && let Some(used) = self.reader.scratch.get_mut(..quantum.peak)
        {
            used.zeroize();
        }
    }

    /// Discards the input of a closing connection.
    fn on_discarded(&mut self, id: ConnId, read: Read) {
        match read {
            Read::Bytes { .. } | Read::Records { .. } | Read::Shaken(_) | Read::Named(_) => self.enqueue(id),
            Read::Unusable(_) => self.drop_now(id),
            Read::End => self.on_end_while_closing(id),
            Read::Broken => self.drop_now(id),
            Read::Nothing => {}
        }
    }

    fn on_too_long(&mut self, id: ConnId, bytes: usize) {
        let line_bytes = self.settings.limits.line_bytes;
        let Some(conn) = self.conns.find(id) else { return };
        let limit = conn.door.line_limit(line_bytes);
        self.turn.work += LINE_WORK + bytes / WORK_BYTES;
        let Some(is_barred) = self.count_line(id, bytes) else { return };
        if is_barred {
            self.close(id, CloseReason::TooManyFailures);
        } else {
            self.reply(id, &Reply::LineTooLong(limit));
        }
    }
}

impl Quantum {
    fn new(id: ConnId, work: usize) -> Self {
        Self { id, at: 0, len: 0, peak: 0, steps: 0, work_most: work + QUANTUM_WORK, is_secret: false }
    }

    fn is_spent(&self, work: usize) -> bool {
        self.steps >= QUANTUM_COMMANDS || work >= self.work_most
    }
}
