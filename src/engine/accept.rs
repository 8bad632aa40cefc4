//! Admission: which connections are accepted, and the reply to the others.

use std::net::IpAddr;

use super::addresses::{self, Addresses, Admission, network_name};
use super::conn::Conn;
use super::id::ConnId;
use super::life::Standing;
use super::log_limit::Subject;
use super::{Engine, Random};
use crate::close::CloseReason;
use crate::door::Door;
use crate::door::reply::Reply;
use crate::limits::ACCEPT_WORK;

/// The state that decides on admission.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) addresses: Addresses,
    /// The most connections at once.
    pub(super) most_connections: usize,
    /// Connections that have not sent a line yet.
    pub(super) silent: u32,
    /// The generation of the last connection.
    generation: u32,
}

/// An admitted connection. Its address is counted, so [`Engine::handle_accept`] or [`Engine::handle_unwatched`] must
/// follow.
#[derive(Debug)]
#[must_use]
pub struct Admitted {
    id: ConnId,
    ip: IpAddr,
    door: Door,
    standing: Standing,
}

impl Admitted {
    /// The id that the connection will have.
    pub fn id(&self) -> ConnId {
        self.id
    }
}

/// Why a peer is refused.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    reason: CloseReason,
    /// True if the reason is its network, which the address alone does not show.
    is_for_network: bool,
}

impl Refusal {
    /// A refusal because the server is full.
    pub const FULL: Self = Self { reason: CloseReason::ServerFull, is_for_network: false };
    const ADDRESS: Self = Self { reason: CloseReason::TooManyFromAddress, is_for_network: false };
    const NETWORK: Self = Self { is_for_network: true, ..Self::ADDRESS };
}

impl Gate {
    pub(super) fn new(most_connections: usize) -> Self {
        Self { addresses: Addresses::new(), most_connections, silent: 0, generation: 0 }
    }

    /// A connection of this standing has sent its first line.
    pub(super) fn count_heard(&mut self, was: Standing) {
        match was {
            Standing::Silent | Standing::Penalised => self.silent -= 1,
            Standing::Heard => {}
        }
    }

    /// A connection has ended.
    pub(super) fn release(&mut self, ip: IpAddr, standing: Standing) {
        self.addresses.release(ip);
        self.count_heard(standing);
    }

    /// A generation that no connection had before; never 0.
    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1).max(1);
        self.generation
    }
}

impl<S> Engine<S> {
    /// Decides on a connection from `ip` through `door`.
    ///
    /// # Errors
    /// Why it is refused; [`refuse`](Self::refuse) gives the reply.
    pub fn admit(&mut self, ip: IpAddr, door: Door) -> Result<Admitted, Refusal> {
        self.turn.work += ACCEPT_WORK;
        let standing = self.judge(ip, &door)?;
        let id = ConnId { slot: self.conns.vacant_slot(), generation: self.gate.next_generation() };
        Ok(Admitted { id, ip, door, standing })
    }

    fn judge(&mut self, ip: IpAddr, door: &Door) -> Result<Standing, Refusal> {
        let limits = &self.settings.limits;
        if self.conns.len() >= self.gate.most_connections {
            return Err(Refusal::FULL);
        }
        let is_exempt = addresses::exempt(ip, limits);
        let dice = || throw_dice(&mut *self.random);
        if !is_exempt && addresses::sheds_silent(self.gate.silent, dice, limits) {
            return Err(Refusal::FULL);
        }
        let penalties = self.settings.login.penalties && door.asks_for_passwords();
        match self.gate.addresses.admit(ip, self.now, limits, penalties) {
            Admission::Welcome if is_exempt => Ok(Standing::Heard),
            Admission::Welcome => Ok(Standing::Silent),
            Admission::Penalised => Ok(Standing::Penalised),
            Admission::TooMany => Err(Refusal::ADDRESS),
            Admission::TooManyOfNetwork => Err(Refusal::NETWORK),
        }
    }

    /// Adds an admitted connection and greets it.
    pub fn handle_accept(&mut self, admitted: Admitted, socket: S) {
        let Admitted { id, ip, door, standing } = admitted;
        self.conns.insert(Conn::new(id, socket, ip, door, standing, self.now));
        match standing {
            Standing::Silent | Standing::Penalised => self.gate.silent += 1,
            Standing::Heard => {}
        }
        self.counters.accepted += 1;
        self.note_peers();
        self.reply(id, &Reply::Greeting);
        self.touched.push(id);
    }

    /// The poll could not register the connection, for this reason.
    pub fn handle_unwatched(&mut self, admitted: Admitted, error: &dyn std::fmt::Display) {
        self.gate.addresses.release(admitted.ip);
        self.log_peer(Subject::CannotWatch, None, |_| format!("cannot watch a connection: {error}"));
    }

    /// The reply to a refused peer. `heard` holds the bytes that it has sent so far.
    pub fn refuse(&mut self, ip: IpAddr, mut door: Door, refusal: Refusal, heard: &[u8]) -> Vec<u8> {
        let Refusal { reason, is_for_network } = refusal;
        self.counters.count_closed(reason);
        self.log_peer(Subject::Refused(reason.name()), Some(ip), |_| {
            let why = if is_for_network { format!(": too many from {}", network_name(ip)) } else { String::new() };
            format!("421 {reason}: {ip} was not let in{why}")
        });
        let mut answer = Vec::new();
        door.refuse(heard, reason, &mut answer);
        answer
    }
}

/// An unpredictable number.
fn throw_dice(random: &mut dyn Random) -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the number is the highest: no connection is shed that need not be.
    if random.fill(&mut bytes) { u32::from_le_bytes(bytes) } else { u32::MAX }
}
