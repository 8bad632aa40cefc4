//! How connections end: told why, drained, then gone; and reaping, the one place where they are removed.

use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::conn::{Conn, End, Farewell, Input, Life, Pause};
use super::kernel;
use super::log_limit::Subject;
use super::reactor::{Ending, Reactor};
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::hub::command::Command;
use crate::hub::session::SessionId;
use crate::limits::{END_WORK, FAREWELL_MS, LEAVE_MS, LINGER_MS, TURN_WORK_ENDS};

impl Reactor {
    /// Notes that a connection is to end. Its rooms hear of that, so a thousand ends at once are a million frames: they
    /// are carried out as the turns allow.
    pub(super) fn condemn(&mut self, id: SessionId, end: End) {
        if let Some(conn) = self.conn(id)
            && !conn.is_condemned
        {
            conn.is_condemned = true;
            self.condemned.push_back((id, end));
        }
    }

    /// Ends those that are condemned, as many as this turn has room for.
    pub(super) fn execute(&mut self) {
        while self.turn_work < TURN_WORK_ENDS
            && let Some((id, end)) = self.condemned.pop_front()
        {
            if let Some(conn) = self.conn(id) {
                conn.is_condemned = false;
            }
            self.guard(id, |reactor| match end {
                End::Broken => reactor.drop_now(id),
                End::Closed(reason) => reactor.close(id, reason),
            });
        }
    }

    /// Ends several connections for one reason: now, as many as this turn has room for, and the others in the next
    /// turns. Those are not read any more.
    pub(super) fn close_all(&mut self, ids: &[SessionId], reason: CloseReason) {
        for id in ids {
            if self.turn_work < TURN_WORK_ENDS {
                self.close(*id, reason);
            } else {
                self.condemn(*id, End::Closed(reason));
            }
        }
    }

    /// Ends a connection for a reason, which its client, the log and the counters are told.
    pub(super) fn close(&mut self, id: SessionId, reason: CloseReason) {
        let Some(conn) = self.conn(id).filter(|conn| conn.life == Life::Open) else { return };
        let ip = conn.ip;
        let subject = match self.hub.name_of(id) {
            Some(_) => Subject::Closed(reason.name()),
            None => Subject::ClosedStranger(reason.name()),
        };
        self.log_peer(subject, Some(ip), |reactor| format!("421 {reason}: {} from {ip}", reactor.known_name(id)));
        self.stats.count_closed(reason);
        self.part(id);
        if let Some(Conn { outbox, door, .. }) = self.conns.find(id) {
            if reason.drops_queue() {
                outbox.drop_all_but_begun(&mut self.pages);
            }
            outbox.push_own(&mut self.pages, |out| door.encode_reply(&Reply::Closing(reason), out));
        }
        self.drain(id, false);
    }

    /// The client has said goodbye, or ended its stream: it gets what it is owed.
    pub(super) fn leave(&mut self, id: SessionId) {
        if self.conn(id).is_none_or(|conn| conn.life != Life::Open) {
            return;
        }
        self.stats.left += 1;
        self.part(id);
        if let Some(Conn { outbox, door, .. }) = self.conns.find(id) {
            outbox.push_own(&mut self.pages, |out| door.end(out));
        }
        self.drain(id, true);
    }

    /// The connection is broken: there is nobody to tell.
    pub(super) fn drop_now(&mut self, id: SessionId) {
        let Some(conn) = self.conn(id) else { return };
        if conn.life == Life::Open {
            self.stats.left += 1;
            self.part(id);
        }
        self.forsake(id);
        self.doom(id);
    }

    /// What a connection was to others ends here; what it is still owed does not.
    fn part(&mut self, id: SessionId) {
        self.turn_work += END_WORK;
        let Some(conn) = self.conn(id) else { return };
        let is_dialogue = conn.door.is_dialogue();
        let waits_for_verdict = matches!(conn.pause, Pause::Verdict(_));
        conn.pause = Pause::None;
        self.note_lag(id, false);
        if waits_for_verdict {
            self.auth.cancel(super::token::ticket(id));
        }
        self.keep_allowance(id);
        // When all go there is nobody to be told who has gone.
        if is_dialogue && self.ending == Ending::No {
            self.command(id, Command::Leave);
        }
    }

    /// What the account has used of its rates holds for whoever logs in as it next.
    fn keep_allowance(&mut self, id: SessionId) {
        let Some(name) = self.hub.name_of(id) else { return };
        if let Some(conn) = self.conns.find(id) {
            self.allowances.keep(name, std::mem::take(&mut conn.pace), self.clock.now);
        }
    }

    /// The farewell begins: the flush sends what is owed, the read phase throws away what still comes, the timer ends
    /// both.
    fn drain(&mut self, id: SessionId, is_left: bool) {
        let last = self.clock.now + if is_left { LEAVE_MS } else { FAREWELL_MS };
        if let Some(conn) = self.conn(id) {
            conn.life = Life::Draining(Box::new(Farewell { due: last, last, is_left }));
        }
        self.mark_dirty(id);
        self.enqueue(id);
        self.touched.push(id);
    }

    /// All that a closing connection was owed is with the kernel: our side of the stream ends.
    pub(super) fn on_drained(&mut self, id: SessionId) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id) else { return };
        let Life::Draining(farewell) = &conn.life else { return };
        let farewell = **farewell;
        if conn.input == Input::Ended || conn.stream.shutdown(Shutdown::Write).is_err() {
            return self.doom(id);
        }
        let last = farewell.last.min(now + FAREWELL_MS);
        conn.life = Life::Lingering(Box::new(Farewell { due: last.min(now + LINGER_MS), last, ..farewell }));
        self.touched.push(id);
    }

    /// A closing client has ended its stream.
    pub(super) fn on_end_while_closing(&mut self, id: SessionId) {
        if self.conn(id).is_some_and(|conn| matches!(conn.life, Life::Lingering(_))) {
            self.doom(id);
        }
    }

    /// A farewell has taken long. A client that has got all and does not close its side is reset, upon which clients
    /// that wait for their user (`nc` does) end. One that has not got all is given until the last moment; then it is
    /// cut off, unless it left by itself: to that one the kernel goes on delivering what it holds, for as long as the
    /// client acknowledges any.
    pub(super) fn end_farewell(&mut self, id: SessionId) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id) else { return };
        if let Life::Lingering(farewell) = &mut conn.life {
            let has_all = kernel::unacknowledged(&conn.stream) == Some(0);
            if !has_all && now < farewell.last {
                farewell.due = farewell.last.min(now + LINGER_MS);
                return;
            }
            if farewell.is_left && (!has_all || !conn.door.is_dialogue()) {
                return self.doom(id);
            }
        }
        self.cut_off(id);
    }

    /// Ends a connection at once, whatever it is owed.
    pub(super) fn cut_off(&mut self, id: SessionId) {
        self.forsake(id);
        let Some(conn) = self.conns.find(id) else { return };
        // Without this the kernel would go on trying to deliver for minutes. A socket that refuses is gone.
        let _ = SockRef::from(&conn.stream).set_linger(Some(Duration::ZERO));
        conn.outbox.clear(&mut self.pages);
        self.doom(id);
    }

    fn doom(&mut self, id: SessionId) {
        if let Some(conn) = self.conn(id) {
            conn.life = Life::Gone;
            self.doomed.push(id);
        }
    }

    /// Removes what is over. Nowhere else is a slot set free, so none is used again within a batch of events.
    pub(super) fn reap(&mut self) {
        if self.doomed.is_empty() {
            return;
        }
        while let Some(id) = self.doomed.pop() {
            let Some(mut conn) = self.conns.remove(id) else { continue };
            conn.outbox.clear(&mut self.pages);
            self.timers.disarm(id, &mut conn.armed);
            self.addresses.release(conn.ip);
            self.silent -= u32::from(conn.is_silent);
        }
        self.note_crest();
    }
}
