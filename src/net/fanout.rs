//! Who hears what: the hub's events become frames, encoded once a spelling, in the outboxes of those who hear them.

use super::conn::Conn;
use super::pages::Piece;
use super::reactor::Reactor;
use crate::close::CloseReason;
use crate::door::{self, Kind};
use crate::hub::event::{Audience, Event};
use crate::hub::session::SessionId;

impl Reactor {
    /// Drains the hub's events to the end, in their order.
    pub(super) fn deliver(&mut self) {
        while let Some((audience, event)) = self.hub.poll_event() {
            match audience {
                Audience::One(id) => self.answer(id, &event),
                Audience::Others(except) => self.fan_out(except, &event),
                Audience::Account { name, except } => {
                    let hearers: Vec<_> =
                        self.hub.sessions_of(&name).iter().filter(|id| **id != except).copied().collect();
                    for id in hearers {
                        self.tell_own(id, &event);
                    }
                }
            }
        }
    }

    /// What the hub answers to a connection's own command.
    fn answer(&mut self, id: SessionId, event: &Event) {
        if let Event::SessionsFull { sessions } = event {
            return self.close(id, CloseReason::LoggedInAlready(*sessions));
        }
        if let Event::Online { matching, .. } = event {
            self.turn_work += matching;
        }
        if matches!(event, Event::Welcome { .. }) {
            self.stats.logins += 1;
            self.touched.push(id);
        }
        let Some(conn) = self.conns.find(id) else { return };
        let Conn { outbox, door, .. } = conn;
        outbox.push_own(&mut self.pages, |out| door.hear(event, out));
        self.mark_dirty(id);
    }

    /// Few hear it: each gets bytes of its own, so that nobody's slowness keeps a page of others' words alive.
    fn tell_own(&mut self, id: SessionId, event: &Event) {
        let Some(conn) = self.conns.find(id) else { return };
        let kind = conn.door.kind();
        conn.outbox.push_own(&mut self.pages, |out| door::encode(kind, event, out));
        self.stats.deliveries += 1;
        self.mark_dirty(id);
    }

    /// Everybody hears it: the frame is encoded once a spelling, and each outbox refers to it.
    fn fan_out(&mut self, except: SessionId, event: &Event) {
        let mut frames: [Option<Piece>; Kind::ALL.len()] = [None; Kind::ALL.len()];
        self.turn_work += self.hub.everyone().len();
        for &id in self.hub.everyone().iter().filter(|id| **id != except) {
            let Some(conn) = self.conns.find(id) else { continue };
            let kind = conn.door.kind();
            let Some(frame) = frames.get_mut(kind as usize) else { continue };
            let piece = *frame.get_or_insert_with(|| self.pages.write(kind, |out| door::encode(kind, event, out)));
            conn.outbox.push_shared(piece, &mut self.pages);
            self.stats.deliveries += 1;
            if !conn.is_dirty {
                conn.is_dirty = true;
                self.dirty.push(id);
            }
        }
    }
}
