//! One turn of the loop: the calls that `net/turn/` makes, in the same order.

use std::sync::Arc;

use super::world::World;
use crate::door::{Door, irc, rooms};
use crate::engine::{Entrance, Outside, Phase, Ready, Sent, ToAccounts, Why};
use crate::limits::{ACCEPTS_A_TURN, DATAGRAMS_A_TURN};

/// Unix time at the start, in milliseconds.
const UNIX_MS: u64 = 1_700_000_000_000;

impl World {
    /// One turn, as in `net/turn/mod.rs`.
    pub(super) fn turn(&mut self) {
        self.turns += 1;
        self.wait();
        self.engine.run_timers();
        self.engine.run_closes();
        self.probe();
        self.accept();
        self.take_datagrams();
        self.read();
        self.pass_requests();
        self.pass_to_history();
        self.flush();
        self.reap();
        self.engine.rearm();
    }

    pub(super) fn wait(&mut self) {
        self.engine.begin_turn(self.now, UNIX_MS + self.now);
        loop {
            let answer = self.accounts.borrow_mut().poll_answer(self.now, &mut self.dice);
            let Some((id, verdict)) = answer else { break };
            self.engine.handle_verdict(id, verdict);
        }
        self.take_history();
        for place in std::mem::take(&mut self.news) {
            let wire = &mut self.wires[place];
            let news = std::mem::take(&mut wire.news);
            wire.has_news = false;
            if let Some(id) = wire.id {
                self.engine.handle_ready(id, news);
            }
        }
        self.take_signal();
        if let Some(id) = self.stale.take() {
            let all = Ready { is_readable: true, is_ending: true, is_writable: true, is_broken: true };
            self.engine.handle_ready(id, all);
        }
        if self.datagrams_blocked {
            self.datagrams_blocked = false;
            self.engine.handle_datagrams_writable(0);
        }
        if self.engine.are_stats_due() {
            self.engine.log_stats(&Outside::default());
        }
    }

    /// The answers of the history, and how much waits there.
    fn take_history(&mut self) {
        let Some(store) = &mut self.store else { return };
        store.work(self.now, &mut self.dice);
        self.engine.handle_backlog(store.backlog());
        while let Some((number, verdict)) = store.poll_answer() {
            self.engine.handle_history(number, verdict);
        }
    }

    pub(super) fn pass_to_history(&mut self) {
        let Some(store) = &mut self.store else { return };
        while let Some(message) = self.engine.poll_history() {
            store.take(message);
        }
        store.work(self.now, &mut self.dice);
    }

    pub(super) fn probe(&mut self) {
        while let Some((probe, socket)) = self.engine.poll_probe() {
            let in_flight = self.wires[*socket].in_flight(probe.why, self.now);
            self.engine.handle_probe(probe, in_flight);
        }
    }

    pub(super) fn accept(&mut self) {
        self.engine.begin_phase(Phase::Accepts);
        if self.engine.is_ending() {
            for place in std::mem::take(&mut self.knocking) {
                self.wires[place].is_broken = true;
                self.stir(place);
            }
        }
        for _ in 0..ACCEPTS_A_TURN {
            if !self.engine.has_share_left() {
                break;
            }
            let Some(place) = self.knocking.pop_front() else { break };
            self.admit(place);
        }
    }

    pub(super) fn admit(&mut self, place: usize) {
        let client = &self.clients[place];
        let is_web = self.wires[place].web.is_some();
        let irc = Arc::clone(&self.engine.settings.irc);
        let door = || match (client.is_guest(), is_web) {
            _ if client.irc.is_some() => {
                Door::irc(Arc::clone(&irc), irc::Options { guests: client.is_irc_guest(), sts: None })
            }
            (true, _) => Door::rooms(rooms::Options::default()),
            (false, true) => Door::web(0),
            (false, false) => Door::line(),
        };
        let ip = client.addr.ip();
        let entrance = Entrance { is_tls: self.wires[place].tls.is_some(), ..Entrance::default() };
        match self.engine.admit(ip, door(), entrance) {
            Ok(admitted) => {
                let wire = &mut self.wires[place];
                wire.id = Some(admitted.id());
                self.clients[place].session = wire.id;
                wire.news.is_writable = true;
                wire.news.is_readable |= wire.tls.is_some(); // the handshake
                self.engine.handle_accept(admitted, place);
                self.report(place);
            }
            Err(refusal) => {
                let answer = self.engine.refuse(ip, door(), refusal, self.wires[place].heard());
                self.wires[place].refuse(&answer);
                self.stir(place);
            }
        }
    }

    pub(super) fn take_datagrams(&mut self) {
        self.engine.begin_phase(Phase::Datagrams);
        for _ in 0..DATAGRAMS_A_TURN {
            if !self.engine.has_share_left() {
                break;
            }
            let Some((from, bytes)) = self.datagrams.pop_front() else { break };
            self.engine.handle_datagram(0, from, &bytes);
        }
    }

    pub(super) fn read(&mut self) {
        self.engine.begin_phase(Phase::Reads);
        self.read_all();
    }

    pub(super) fn read_all(&mut self) {
        while let Some(to_read) = self.engine.poll_read() {
            let (id, read) = (to_read.id, self.wires[*to_read.socket].read(to_read.room));
            self.engine.handle_read(id, read);
        }
    }

    pub(super) fn pass_requests(&mut self) {
        while let Some(request) = self.engine.poll_request() {
            match request {
                ToAccounts::Ask { id, origin: _, request } => {
                    let result = self.accounts.borrow_mut().submit(id, request, self.now, &mut self.dice);
                    if let Err(refused) = result {
                        self.engine.handle_refused(id, refused);
                    }
                }
                ToAccounts::Cancel(id) => self.accounts.borrow_mut().cancel(id, self.now),
            }
        }
    }

    pub(super) fn flush(&mut self) {
        self.engine.begin_phase(Phase::Writes);
        while let Some(to_write) = self.engine.poll_write() {
            let (id, place) = (to_write.id, *to_write.socket);
            let is_short = self.short_writes > 0 && self.dice.below(self.short_writes) == 0;
            let most = if is_short { self.dice.below(200) as usize } else { usize::MAX };
            let wire = &mut self.wires[place];
            let wrote = wire.write(&to_write.frames, most, self.now);
            if is_short {
                wire.take_up_slack();
            }
            self.engine.handle_wrote(id, wrote);
            self.note_relief(id, place);
            self.report(place);
            self.stir(place);
        }
        while let Some((id, socket)) = self.engine.poll_finish() {
            let place = *socket;
            let finished = self.wires[place].finish();
            self.engine.handle_finished(id, finished);
            self.stir(place);
        }
        self.flush_datagrams();
        self.engine.end_flush();
    }

    pub(super) fn flush_datagrams(&mut self) {
        while let Some((place, queue)) = self.engine.poll_datagrams() {
            let waiting: Vec<_> = queue.iter().map(|item| (item.to, queue.contents(item).to_vec())).collect();
            let is_short = self.short_writes > 0 && self.dice.below(self.short_writes) == 0;
            let count = if is_short { self.dice.below(waiting.len() as u64) as usize } else { waiting.len() };
            queue.sent(count);
            queue.set_blocked(count < waiting.len());
            self.datagrams_blocked |= count < waiting.len();
            self.engine.handle_sent(place, Sent { count: count as u64, failed: 0 });
            for (to, _) in waiting.into_iter().take(count) {
                assert!(self.pinned.contains(&to), "a datagram goes to {to}, which has shown no token");
                *self.datagrams_out.entry(to).or_default() += 1;
            }
        }
    }

    pub(super) fn reap(&mut self) {
        while let Some(mut gone) = self.engine.poll_gone() {
            let place = gone.socket;
            if let Some(look) = gone.last_look.take() {
                self.engine.handle_last_look(look, self.wires[place].in_flight(Why::Floor, self.now));
            }
            let wire = &mut self.wires[place];
            assert!(wire.closed.is_none(), "a socket is closed twice");
            self.stale = wire.id.take();
            wire.closed = Some(gone.is_reset);
            if gone.is_reset {
                wire.drop_down();
            }
            self.stir(place);
        }
        self.engine.poll_trimmed();
    }
}
