//! The operator's commands, from the operator's socket and from operators in the chat.
//!
//! A command is answered at once, or as its reader reads (`listing`), or when the owner of the engine has carried out an
//! [`Order`]. The connection is not read before its answer is over, so answers keep their order.

mod rights;
mod entry;
mod listing;
mod accounts;
mod bans;
mod sessions;
mod rooms;
mod announce;
mod kick;
mod status;
pub(super) mod trace;

use std::collections::VecDeque;

use log::{LevelFilter, info};

pub use rights::Operators;

use super::Engine;
use super::id::ConnId;
use super::pause::Pause;
use crate::door::operator::{Command, Last};
use crate::door::reply::Reply;
use accounts::Awaited;
use listing::Listing;
use rights::Right;
use trace::Traces;

/// What an operator asks of the owner of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The figures that the engine does not know; [`Engine::handle_status`] takes them.
    Status(ConnId),
    /// To read the configuration again; [`Engine::handle_reloaded`] takes the result.
    Reload(ConnId),
    /// To change the level of the log until the next reload.
    Log(LevelFilter),
    /// To stop the server, as SIGTERM does.
    Stop,
}

/// The result of reading the configuration again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The keys that have changed, each with its old and its new value.
    pub keys: Vec<String>,
    /// Changed keys that take effect only after a restart.
    pub need_restart: Vec<&'static str>,
    /// What is wrong with the list of bans; then the old one stays in effect.
    pub bad_bans: Option<String>,
}

/// The state of the operators' commands.
#[derive(Debug, Default)]
pub(super) struct Desk {
    orders: VecDeque<Order>,
    /// Long answers that are under way, at most one for each connection.
    listings: Vec<(ConnId, Listing)>,
    /// Operators who are asked for the password of an account.
    awaited: Vec<(ConnId, Awaited)>,
    pub(super) traces: Traces,
    /// When the server was started, in milliseconds since 1970.
    started_unix_ms: u64,
}

impl<S> Engine<S> {
    /// Notes the time of the server's start, in milliseconds since 1970.
    pub fn handle_started(&mut self, unix_ms: u64) {
        self.desk.started_unix_ms = unix_ms;
    }

    /// The next order to the owner of the engine.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.desk.orders.pop_front()
    }

    /// The configuration was read again.
    ///
    /// An error holds what is wrong with it; the old one stays in effect.
    pub fn handle_reloaded(&mut self, id: ConnId, result: Result<Changes, Vec<String>>) {
        self.guard(id, |engine| engine.on_reloaded(id, result));
    }

    /// Takes a command. Only an operator learns more than that there is no such operation.
    pub(super) fn on_operate(&mut self, id: ConnId, text: &str) {
        let right = self.right(id);
        if right == Right::None {
            return self.reply(id, &Reply::UnknownOperation);
        }
        self.end_trace_for(id, Last::Items);
        let _ = self.take_awaited(id);
        if right == Right::InTheClear {
            return self.answer_last(id, &Last::Forbidden("OP needs TLS".to_owned()));
        }
        let command = match Command::parse(text, right == Right::Chat) {
            Ok(command) => command,
            Err(fault) => return self.answer_last(id, &fault.into()),
        };
        if right == Right::Chat || !command.is_look() {
            info!("operator {}: {text}", self.known_place(id));
        }
        self.carry_out(id, command);
    }

    fn carry_out(&mut self, id: ConnId, command: Command<'_>) {
        match command {
            Command::Status => self.order(id, Order::Status(id)),
            Command::Sessions { of, sort } => self.list_sessions(id, of.as_ref(), sort),
            Command::Rooms { room: None } => self.list_rooms(id),
            Command::Rooms { room: Some(room) } => self.list_members(id, &room),
            Command::Kick { whom, reason } => self.kick(id, &whom, reason),
            Command::Ban { what, for_s, reason } => self.ban_for(id, what, for_s, reason),
            Command::Unban { what } => self.unban_for(id, what),
            Command::Bans => self.list_bans(id),
            Command::Accounts(what) => self.accounts_for(id, what),
            Command::Announce { text } => self.announce_for(id, text),
            Command::Close { room, reason } => self.close_room_for(id, &room, reason),
            Command::Reload => self.order(id, Order::Reload(id)),
            Command::Log { level } => {
                self.desk.orders.push_back(Order::Log(level));
                let level = level.as_str().to_ascii_lowercase();
                self.answer_last(id, &Last::Done(format!("the log has level {level} until the next reload")));
            }
            Command::Stop => {
                self.answer_last(id, &Last::Done("stopping".to_owned()));
                self.desk.orders.push_back(Order::Stop);
            }
            Command::Trace { whom, for_s } => self.begin_trace(id, &whom, for_s),
        }
    }

    /// Gives an order whose result is the answer. The connection is not read until then.
    fn order(&mut self, id: ConnId, order: Order) {
        self.begin_answer(id);
        self.desk.orders.push_back(order);
    }

    fn on_reloaded(&mut self, id: ConnId, result: Result<Changes, Vec<String>>) {
        let last = match result {
            Ok(Changes { keys, need_restart, bad_bans }) => {
                for change in &keys {
                    self.answer_item(id, |item| item.text("changed", change));
                }
                for key in need_restart {
                    self.answer_item(id, |item| item.text("needs_restart", key));
                }
                match bad_bans {
                    None => Last::Done("configuration re-read".to_owned()),
                    Some(fault) => {
                        self.answer_item(id, |item| item.text("fault", &fault));
                        Last::NotNow(
                            "configuration re-read, except for the bans; the old ones stay in effect".to_owned(),
                        )
                    }
                }
            }
            Err(faults) => {
                for fault in &faults {
                    self.answer_item(id, |item| item.text("fault", fault));
                }
                Last::NotNow("the configuration is bad; the old one stays in effect".to_owned())
            }
        };
        self.end_answer(id, &last);
    }

    /// A long answer begins, or one that needs more than the engine knows: the connection is not read until it is over.
    pub(super) fn begin_answer(&mut self, id: ConnId) {
        let now = self.now;
        if let Some(conn) = self.conns.find(id) {
            conn.pause = Pause::Answering { since: now };
        }
    }

    /// Ends an answer that [`begin_answer`](Self::begin_answer) began.
    fn end_answer(&mut self, id: ConnId, last: &Last) {
        self.answer_last(id, last);
        if self.conns.peek(id).is_some_and(|conn| matches!(conn.pause, Pause::Answering { .. })) {
            self.resume(id);
        }
    }

    /// Sends the last line of an answer.
    pub(super) fn answer_last(&mut self, id: ConnId, last: &Last) {
        self.push_own(id, |_, out| last.encode(out));
    }

    /// A connection's session ends: so do its answers and traces.
    pub(super) fn leave_desk(&mut self, id: ConnId) {
        self.desk.listings.retain(|(of, _)| *of != id);
        self.desk.awaited.retain(|(of, _)| *of != id);
        self.desk.traces.forget_caller(id);
    }
}

#[cfg(test)]
mod tests;
