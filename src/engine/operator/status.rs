//! `status`: the server at a glance.

use super::Engine;
use crate::door::Class;
use crate::door::operator::{Last, utc};
use crate::engine::control::Outside;
use crate::engine::id::ConnId;

impl<S> Engine<S> {
    /// Takes the figures that an order asked for.
    pub fn handle_status(&mut self, id: ConnId, outside: &Outside) {
        self.guard(id, |engine| engine.on_status(id, outside));
    }

    fn on_status(&mut self, id: ConnId, outside: &Outside) {
        let connections = self.gate.open(Class::Chat) as u64;
        let (limit, online, rooms) = (self.gate.most_connections, self.hub.accounts_online(), self.hub.rooms());
        let (owed, turn) = (self.pages.owed_bytes(), self.counters.longest_turn_us);
        let history = self.history.queued() as u64;
        let since = utc(self.desk.started_unix_ms);
        let degraded: Vec<&str> = self.degraded().map(|shown| shown.part.name()).collect();
        let of_users = self.metrics.listeners.iter().filter(|listening| !listening.is_for_operators());
        let listeners: Vec<String> = of_users.map(|listening| listening.name.clone()).collect();
        self.answer_item(id, |item| {
            item.text("version", env!("CARGO_PKG_VERSION"))
                .text("since", &since)
                .number("connections", connections)
                .number("limit", limit as u64)
                .number("online", online as u64)
                .number("rooms", rooms as u64)
                .number("owed", owed)
                .number("hashing", outside.hashing as u64)
                .number("history_backlog", history)
                .number("longest_turn_us", turn)
                .list("degraded", &degraded)
                .list("listeners", &listeners)
        });
        self.end_answer(id, &Last::Items(1));
    }
}
