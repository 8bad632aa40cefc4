//! Bans: who is kept out, and the end of those who are in when a ban comes.
//!
//! A ban of an address holds for every connection that has one, also for loopback: an operator who bans it means it.
//! It holds for the client that a proxy names, and not for the proxy. Connections of operators and of monitoring
//! programs are never banned. The end of a ban is in Unix time, so that it outlasts a restart; the time is that of the
//! turn.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use super::Engine;
use super::datagrams::Spoken;
use super::id::ConnId;
use super::life::{End, Life, Standing};
use super::origin::Origin;
use super::stage::Stage;
use crate::auth::bans::Bans;
use crate::close::{CloseReason, Note};
use crate::door::Class;
use crate::door::datagram::Speaker;
use crate::hub::command::Command;
use crate::hub::names::UserName;
use crate::hub::session::SessionId;
use crate::limits::TURN_WORK_ENDS;

/// The bans that are in effect.
#[derive(Debug, Default)]
pub(super) struct Banned {
    all: Arc<Bans>,
    /// Guests of the room door that are put out and have yet to leave, and why: each end is announced to a room, so they
    /// are spread over several turns.
    leaving: VecDeque<(SessionId, CloseReason)>,
}

impl Banned {
    /// True if guests have yet to leave.
    pub(super) fn is_busy(&self) -> bool {
        !self.leaving.is_empty()
    }
}

impl<S> Engine<S> {
    /// Puts these bans into effect, instead of the earlier ones, and puts out all whom they concern.
    pub fn handle_bans(&mut self, bans: Arc<Bans>) {
        self.bans.all = bans;
        self.bans.leaving.retain(|(_, reason)| !matches!(reason, CloseReason::Banned(_)));
        if self.bans.all.is_empty() {
            return;
        }
        self.turn.work += self.conns.len();
        let banned: Vec<_> = self.conns.ids().into_iter().filter_map(|id| Some((id, self.ban_of(id)?))).collect();
        for (id, reason) in banned {
            if self.turn.work < TURN_WORK_ENDS {
                self.close(id, reason);
            } else {
                self.schedule_close(id, End::Closed(reason));
            }
        }
        let guests: Vec<_> = self.datagrams.peers.guest_addresses().collect();
        let banned = guests.into_iter().filter_map(|(guest, ip)| Some((guest, self.ban_of_origin(ip.into())?)));
        let banned: Vec<_> = banned.collect();
        self.put_out_guests(banned);
    }

    /// The bans that are in effect. Some may be over.
    pub fn bans(&self) -> &Bans {
        &self.bans.all
    }

    /// The reason to close the connections of an account; `None` if it is not banned.
    pub(super) fn ban_of_name(&self, name: &UserName) -> Option<CloseReason> {
        self.bans.all.of_name(name, self.unix_ms / 1000).map(|reason| CloseReason::Banned(Note::new(reason)))
    }

    /// The reason to refuse clients from here; `None` if they are not banned.
    pub(super) fn ban_of_origin(&self, origin: Origin) -> Option<CloseReason> {
        let reason = self.bans.all.of_address(origin.ip()?, self.unix_ms / 1000)?;
        Some(CloseReason::Banned(Note::new(reason)))
    }

    /// True if datagrams from this address are dropped.
    pub(super) fn is_banned(&self, ip: IpAddr) -> bool {
        self.bans.all.of_address(ip, self.unix_ms / 1000).is_some()
    }

    /// Puts guests of the room door out: they are told why by datagram, and leave.
    pub(super) fn put_out_guests(&mut self, guests: impl IntoIterator<Item = (SessionId, CloseReason)>) {
        self.bans.leaving.extend(guests);
        self.run_leaves();
    }

    /// Lets guests leave that are put out, as many as this turn has room for.
    pub(super) fn run_leaves(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some((guest, reason)) = self.bans.leaving.pop_front()
        {
            self.guard_unanswered(|engine| engine.put_out_guest(guest, &reason.to_string()));
        }
    }

    fn put_out_guest(&mut self, guest: SessionId, why: &str) {
        let mut spoken = Spoken::new(Speaker::Server, why);
        for (room, _) in self.hub.rooms_of(guest) {
            self.datagrams.tell((guest, room), &mut spoken, &mut self.counters);
        }
        self.command_unanswered(guest, Command::Leave { text: None });
    }

    /// The reason to close an open connection; `None` if it is not banned.
    fn ban_of(&self, id: ConnId) -> Option<CloseReason> {
        let conn = self.conns.peek(id).filter(|conn| conn.life == Life::Open)?;
        match (conn.door.class(), conn.stage) {
            (Class::Operator | Class::Metrics, _) => return None,
            (Class::Chat, Stage::Header { .. }) => return None, // the address is the proxy's
            (Class::Chat, _) if conn.door.is_fetching() && conn.standing == Standing::Uncounted => return None, // too
            (Class::Chat, Stage::Handshake | Stage::Open) => {}
        }
        let by_origin = self.ban_of_origin(conn.origin);
        by_origin.or_else(|| self.account_of(id).and_then(|name| self.ban_of_name(name)))
    }
}
