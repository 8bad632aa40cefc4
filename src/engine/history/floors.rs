//! The floors of bare sessions, which send no READ, and of IRC sessions that set no marks: written every 30 s and at
//! their end, up to the last line that TCP has acknowledged. What was missed at the login counts when MISSED has shown
//! it; by IRC, when nothing is left of it that was for the account itself.

use super::past::{LastLook, Past};
use crate::engine::Engine;
use crate::engine::conn::Conn;
use crate::engine::id::ConnId;
use crate::engine::io::{InFlight, Probe, Why};
use crate::engine::life::Life;
use crate::hub::record::Record;
use crate::limits::{FLOOR_EVERY_MS, TIMER_WORK, TURN_WORK_ENDS};

impl<S> Conn<S> {
    /// Bytes of output that the kernel has taken, modulo 2³². By TLS that is a lower bound, since ciphertext is longer.
    fn taken(&self) -> u32 {
        self.written.wrapping_sub(self.sealed)
    }

    /// Everything is in the output, or was: up to `newest`, or up to where MISSED has come.
    pub(super) fn note_point(&mut self, newest: u64) {
        let at = self.written.wrapping_add(self.outbox.owed() as u32);
        if let Some(past) = self.past.as_mut().filter(|past| past.is_bare)
            && let Some(id) = past.point(newest)
        {
            past.note(id, at);
        }
    }

    /// Takes what is left to look at after its end.
    pub(in crate::engine) fn last_look(&mut self) -> Option<LastLook> {
        let written = self.taken();
        let past = self.past.take().filter(|past| past.is_bare && past.has_points())?;
        Some(LastLook { past, written })
    }
}

impl<S> Engine<S> {
    /// Looks at the bare sessions whose floors are due, as many as this turn has room for.
    pub(super) fn look_at_floors(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some((_, id)) = self.history.looks.pop_front_if(|(due, _)| *due <= self.now)
        {
            self.turn.work += TIMER_WORK;
            self.bring_up(id);
            let newest = self.hub.last_id();
            let Some(conn) = self.conns.find(id).filter(|conn| conn.life == Life::Open) else { continue };
            let Some(past) = &conn.past else { continue };
            let is_unknown = past.floor.is_none();
            conn.note_point(newest);
            self.history.looks.push_back((self.now + FLOOR_EVERY_MS, id));
            self.probes.push_back(Probe { id, why: Why::Floor });
            if is_unknown {
                self.ask_missed(id, false);
            }
        }
    }

    /// The session of a connection ends: what it was sent until now may still be acknowledged.
    pub(in crate::engine) fn end_past(&mut self, id: ConnId) {
        let newest = self.hub.last_id();
        if let Some(conn) = self.conns.find(id) {
            conn.note_point(newest);
        }
    }

    /// Takes what the kernel holds for a bare session.
    pub(in crate::engine) fn on_floor(&mut self, id: ConnId, in_flight: InFlight) {
        let Some(conn) = self.conns.find(id) else { return };
        let taken = conn.taken();
        let Some(past) = &mut conn.past else { return };
        let floor = acknowledged(past, taken, in_flight);
        self.write_floor(floor);
    }

    /// The same, when the connection has ended.
    pub fn handle_last_look(&mut self, look: LastLook, in_flight: InFlight) {
        let LastLook { mut past, written } = look;
        let floor = acknowledged(&mut past, written, in_flight);
        self.write_floor(floor);
    }

    fn write_floor(&mut self, floor: Option<Record>) {
        if let Some(record) = floor {
            self.history.gathering.add(record, None, self.now);
        }
    }
}

/// The floor to write, if the peer has acknowledged more than before.
fn acknowledged(past: &mut Past, taken: u32, in_flight: InFlight) -> Option<Record> {
    let id = past.acknowledge(taken.wrapping_sub(in_flight.unacknowledged?))?;
    Some(Record::Floor(past.account.clone(), id))
}
