//! An engine whose virtual sockets are written to by hand, in virtual time.

use std::cell::RefCell;
use std::rc::Rc;

use super::accounts::{Accounts, Shared};
use crate::door::Door;
use crate::engine::{
    ConnId, DatagramPlaces, Engine, Entrance, InFlight, Listening, Millis, Origin, Outside, Phase, Process, Random,
    Read, Ready, Settings, ToAccounts, ToHistory, Wrote,
};

/// A virtual socket, seen from the client.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) id: ConnId,
    sent: Vec<u8>,
    heard: Vec<u8>,
    /// Bytes that the client still takes.
    pub(super) takes: usize,
    pub(super) is_finished: bool,
    /// Closed by the server; true if by a reset.
    pub(super) closed: Option<bool>,
}

/// An engine, its sockets and its accounts.
pub(super) struct ByHand {
    pub(super) engine: Engine<usize>,
    pub(super) wires: Vec<Wire>,
    pub(super) accounts: Rc<RefCell<Accounts>>,
    pub(super) now: Millis,
    /// What the engine has for the history.
    pub(super) to_history: Vec<ToHistory>,
}

/// Throws the same dice always.
struct Same(u8);

impl Random for Same {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        bytes.fill(self.0);
        true
    }
}

impl ByHand {
    /// A server with one listener. Each byte of its randomness is `dice`.
    pub(super) fn new(settings: Settings, listening: Listening, dice: u8) -> Self {
        let accounts = Rc::new(RefCell::new(Accounts::default()));
        let roll = Box::new(Shared(Rc::clone(&accounts)));
        let most = settings.limits.connections as usize;
        let mut engine = Engine::new(settings, most, DatagramPlaces::default(), roll, Box::new(Same(dice)));
        engine.handle_listeners(vec![listening]);
        Self { engine, wires: Vec::new(), accounts, now: 1_000, to_history: Vec::new() }
    }

    /// The place of a new connection, or the answer to one that is refused through the door that `refuses` gives.
    pub(super) fn arrive(
        &mut self,
        origin: Origin,
        door: Door,
        entrance: Entrance,
        refuses: fn() -> Door,
    ) -> Result<usize, String> {
        self.begin();
        let place = self.wires.len();
        let admitted = self.engine.admit(origin, door, entrance).map_err(|refusal| {
            let answer = self.engine.refuse(origin, refuses(), refusal, b"");
            String::from_utf8(answer).expect("text")
        })?;
        let id = admitted.id();
        self.wires.push(Wire { id, sent: vec![], heard: vec![], takes: usize::MAX, is_finished: false, closed: None });
        self.engine.handle_accept(admitted, place);
        self.engine.handle_ready(id, Ready { is_writable: true, ..Ready::default() });
        self.end();
        Ok(place)
    }

    pub(super) fn send(&mut self, place: usize, bytes: impl AsRef<[u8]>) {
        self.wires[place].sent.extend_from_slice(bytes.as_ref());
        let id = self.wires[place].id;
        self.begin();
        self.engine.handle_ready(id, Ready { is_readable: true, ..Ready::default() });
        self.end();
        self.settle();
    }

    /// The client has sent bytes, of which the server has not heard yet.
    pub(super) fn lay_out(&mut self, place: usize, bytes: impl AsRef<[u8]>) {
        self.wires[place].sent.extend_from_slice(bytes.as_ref());
    }

    /// The client takes so many more bytes.
    pub(super) fn let_take(&mut self, place: usize, bytes: usize) {
        self.wires[place].takes = bytes;
        let id = self.wires[place].id;
        self.begin();
        self.engine.handle_ready(id, Ready { is_writable: true, ..Ready::default() });
        self.end();
        self.settle();
    }

    pub(super) fn settle(&mut self) {
        for turn in 0.. {
            if !self.engine.is_busy() {
                break;
            }
            assert!(turn < 1_000, "the engine spins");
            self.begin();
            self.end();
        }
    }

    /// Lets time pass, with a turn whenever something is due.
    pub(super) fn pass(&mut self, time: Millis) {
        let until = self.now + time;
        loop {
            self.begin();
            self.end();
            self.settle();
            let due = self.engine.next_due().min(self.accounts.borrow().next_due());
            if due > until {
                break;
            }
            self.now = due.max(self.now);
        }
        self.now = until;
        self.begin();
        self.end();
    }

    pub(super) fn begin(&mut self) {
        self.engine.begin_turn(self.now, 1_700_000_000_000 + self.now);
        let mut dice = testkit::Dice::of(1);
        loop {
            let answer = self.accounts.borrow_mut().poll_answer(self.now, &mut dice);
            let Some((id, verdict)) = answer else { break };
            self.engine.handle_verdict(id, verdict);
        }
        self.engine.run_timers();
        self.engine.run_closes();
        while let Some((probe, _)) = self.engine.poll_probe() {
            self.engine.handle_probe(probe, InFlight { unacknowledged: Some(0), path: None });
        }
    }

    pub(super) fn end(&mut self) {
        self.engine.begin_phase(Phase::Reads);
        while let Some(to_read) = self.engine.poll_read() {
            let (id, sent) = (to_read.id, &mut self.wires[*to_read.socket].sent);
            let count = sent.len().min(to_read.room.len());
            to_read.room[..count].copy_from_slice(&sent[..count]);
            sent.drain(..count);
            let is_short = count < to_read.room.len();
            self.engine.handle_read(id, if count == 0 { Read::Nothing } else { Read::Bytes { count, is_short } });
        }
        while let Some(request) = self.engine.poll_request() {
            if let ToAccounts::Ask { id, request, .. } = request {
                let mut dice = testkit::Dice::of(1);
                let submitted = self.accounts.borrow_mut().submit(id, request, self.now, &mut dice);
                if let Err(why) = submitted {
                    self.engine.handle_refused(id, why);
                }
            }
        }
        while let Some(message) = self.engine.poll_history() {
            self.to_history.push(message);
        }
        if self.engine.wants_figures() {
            self.engine.handle_figures(&Outside::default(), Some(&Process::default()));
        }
        self.engine.begin_phase(Phase::Writes);
        while let Some(to_write) = self.engine.poll_write() {
            let (id, wire) = (to_write.id, &mut self.wires[*to_write.socket]);
            let bytes = match to_write.frames {
                crate::engine::Frames::One(bytes) => bytes.to_vec(),
                crate::engine::Frames::Many(slices) => slices.iter().flat_map(|slice| slice.to_vec()).collect(),
            };
            let count = bytes.len().min(wire.takes);
            wire.heard.extend_from_slice(&bytes[..count]);
            wire.takes -= if wire.takes == usize::MAX { 0 } else { count };
            self.engine.handle_wrote(id, Wrote::Bytes { count, is_short: count < bytes.len() });
        }
        while let Some((id, place)) = self.engine.poll_finish() {
            self.wires[*place].is_finished = true;
            self.engine.handle_finished(id, crate::engine::Finished::Done);
        }
        self.engine.end_flush();
        while let Some(gone) = self.engine.poll_gone() {
            self.wires[gone.socket].closed = Some(gone.is_reset);
        }
        self.engine.rearm();
    }

    /// The bytes that a client has heard since the last time.
    pub(super) fn heard(&mut self, place: usize) -> Vec<u8> {
        std::mem::take(&mut self.wires[place].heard)
    }

    pub(super) fn is_over(&self, place: usize) -> bool {
        self.wires[place].is_finished || self.wires[place].closed.is_some()
    }
}
