//! Admission: which connections are accepted, and the reply to the others.

use super::addresses::{self, Addresses, Admission, network_name};
use super::conn::Conn;
use super::id::ConnId;
use super::life::Standing;
use super::log_limit::Subject;
use super::origin::Origin;
use super::stage::{Arrival, Entrance, Stage};
use super::web_room::GivingWay;
use super::{Engine, Random};
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::door::{Class, Door};
use crate::limits::{ACCEPT_WORK, METRICS_CONNECTIONS, OPERATOR_CONNECTIONS, SHUTDOWN_RETRY_S};

/// The state that decides on admission.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) addresses: Addresses,
    /// The most connections of users at once.
    pub(super) most_connections: usize,
    /// Open connections of each class, by its number.
    open: [usize; Class::COUNT],
    /// Connections that have not sent a line yet.
    pub(super) silent: u32,
    /// Connections that make room when there are as many as may be.
    pub(super) giving_way: GivingWay,
    /// The generation of the last connection.
    generation: u32,
}

/// An admitted connection. Its address is counted, so [`Engine::handle_accept`] or [`Engine::handle_unwatched`] must
/// follow.
#[derive(Debug)]
#[must_use]
pub struct Admitted {
    id: ConnId,
    origin: Origin,
    door: Door,
    stage: Stage,
    standing: Standing,
}

impl Admitted {
    /// The id that the connection will have.
    pub fn id(&self) -> ConnId {
        self.id
    }
}

/// Why a peer is refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub(super) reason: CloseReason,
    /// True if the reason is its network, which the address alone does not show.
    is_for_network: bool,
}

impl Refusal {
    /// A refusal because the server is full.
    pub const FULL: Self = Self::new(CloseReason::ServerFull);
    const ADDRESS: Self = Self::new(CloseReason::TooManyFromAddress);
    const NETWORK: Self = Self { reason: CloseReason::TooManyFromAddress, is_for_network: true };
    /// A refusal because the server stops.
    pub(super) const STOPPING: Self = Self::new(CloseReason::ShuttingDown(SHUTDOWN_RETRY_S));
    const NO_PROXY: Self = Self::new(CloseReason::NoProxyHeader);

    const fn new(reason: CloseReason) -> Self {
        Self { reason, is_for_network: false }
    }
}

impl Gate {
    pub(super) fn new(most_connections: usize) -> Self {
        let (addresses, giving_way) = (Addresses::new(), GivingWay::default());
        Self { addresses, most_connections, open: [0; Class::COUNT], silent: 0, giving_way, generation: 0 }
    }

    /// True if there are as many connections of a class as may be.
    pub(super) fn is_full(&self, class: Class) -> bool {
        let most = match class {
            Class::Chat => self.most_connections,
            Class::Metrics => METRICS_CONNECTIONS,
            Class::Operator => OPERATOR_CONNECTIONS,
        };
        self.open.get(class as usize).is_none_or(|open| *open >= most)
    }

    /// How many connections of a class are open, and not reaped yet.
    pub(super) fn open(&self, class: Class) -> usize {
        self.open.get(class as usize).copied().unwrap_or_default()
    }

    /// How many connections of a class are open.
    fn count(&mut self, class: Class) -> Option<&mut usize> {
        self.open.get_mut(class as usize)
    }

    /// A connection has this standing from now on.
    pub(super) fn count_silent(&mut self, standing: Standing) {
        match standing {
            Standing::Silent | Standing::Penalised => self.silent += 1,
            Standing::Heard | Standing::Uncounted => {}
        }
    }

    /// A connection of this standing has sent its first line.
    pub(super) fn count_heard(&mut self, was: Standing) {
        match was {
            Standing::Silent | Standing::Penalised => self.silent -= 1,
            Standing::Heard | Standing::Uncounted => {}
        }
    }

    /// A connection has ended.
    pub(super) fn release(&mut self, class: Class, origin: Origin, standing: Standing) {
        if let Some(open) = self.count(class) {
            *open -= 1;
        }
        if standing != Standing::Uncounted {
            self.addresses.release(origin);
        }
        self.count_heard(standing);
    }

    /// A generation that no connection had before; never 0.
    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1).max(1);
        self.generation
    }
}

impl<S> Engine<S> {
    /// Decides on a connection from `origin` through `door`.
    ///
    /// # Errors
    /// Why it is refused; [`refuse`](Self::refuse) gives the reply.
    pub fn admit(&mut self, origin: impl Into<Origin>, door: Door, entrance: Entrance) -> Result<Admitted, Refusal> {
        let origin = origin.into();
        self.turn.work += ACCEPT_WORK;
        let class = door.class();
        let is_full = self.gate.is_full(class);
        if is_full && !self.may_make_room(class) {
            self.check_places();
            return Err(Refusal::FULL);
        }
        if door.relay_room().is_some() && self.relay.is_full(self.gate.most_connections) {
            return Err(Refusal::FULL);
        }
        let standing = match class {
            // Each of its requests names a client.
            Class::Chat if door.is_fetching() && !entrance.takes_proxy && self.is_proxy(origin) => Standing::Uncounted,
            Class::Chat if !entrance.takes_proxy => self.judge_address(origin, Arrival::at(&door))?,
            Class::Chat if !self.is_proxy(origin) => return Err(Refusal::NO_PROXY),
            Class::Chat | Class::Metrics | Class::Operator => Standing::Uncounted,
        };
        if is_full && !self.make_room(class) {
            self.uncount(origin, standing);
            self.check_places();
            return Err(Refusal::FULL);
        }
        let id = ConnId { slot: self.conns.vacant_slot(), generation: self.gate.next_generation() };
        Ok(Admitted { id, origin, door, stage: Stage::first(entrance), standing })
    }

    /// False if [`make_room`](Self::make_room) would find nothing now.
    fn may_make_room(&self, class: Class) -> bool {
        match class {
            Class::Chat => self.gate.giving_way.may_have(self.now),
            Class::Metrics => true,
            Class::Operator => false,
        }
    }

    /// Resets a connection of this class that rests, or, for users, only fetches. False if there is none.
    fn make_room(&mut self, class: Class) -> bool {
        match class {
            Class::Chat => self.displace_fetching(),
            Class::Metrics => self.displace_monitor(),
            Class::Operator => false,
        }
    }

    /// Decides by the address. An address that is accepted is counted.
    pub(super) fn judge_address(&mut self, origin: Origin, arrival: Arrival) -> Result<Standing, Refusal> {
        if let Some(banned) = self.ban_of_origin(origin) {
            return Err(Refusal::new(banned));
        }
        let limits = &self.settings.limits;
        let is_exempt = origin.limited(limits).is_none();
        let dice = || throw_dice(&mut *self.random);
        if !is_exempt && addresses::sheds_silent(self.gate.silent, dice, limits) {
            return Err(Refusal::FULL);
        }
        let penalties = self.settings.login.penalties && arrival.asks_for_passwords;
        match self.gate.addresses.admit(origin, self.now, limits, arrival.charge, penalties) {
            Admission::Welcome if is_exempt => Ok(Standing::Heard),
            Admission::Welcome => Ok(Standing::Silent),
            Admission::Penalised => Ok(Standing::Penalised),
            Admission::TooMany => Err(Refusal::ADDRESS),
            Admission::TooManyOfNetwork => Err(Refusal::NETWORK),
        }
    }

    /// True if the address of a client may be learnt from this peer: it is in `limits.proxies`, or at a Unix socket,
    /// whose mode says who may connect.
    pub(super) fn is_proxy(&self, origin: Origin) -> bool {
        match origin {
            Origin::Address(ip) => self.settings.limits.proxies.iter().any(|network| network.contains(ip)),
            Origin::Learnt(_) => false,
            Origin::Unix => true,
        }
    }

    /// Adds an admitted connection, and greets it unless a PROXY header comes first.
    pub fn handle_accept(&mut self, admitted: Admitted, socket: S) {
        let Admitted { id, origin, mut door, stage, standing } = admitted;
        door.note_time(self.now);
        if let Some(open) = self.gate.count(door.class()) {
            *open += 1;
        }
        self.gate.count_silent(standing);
        self.relay.count(&door);
        self.irc.count(&door);
        self.conns.insert(Conn::new(id, socket, origin, door, stage, standing, self.now));
        self.counters.accepted += 1;
        self.note_accepted(id);
        self.note_peers();
        match stage {
            Stage::Header { .. } => {}
            Stage::Handshake | Stage::Open => self.greet(id),
        }
        self.touched.push(id);
    }

    /// The door of a connection greets it, or enters its guest into a room.
    pub(super) fn greet(&mut self, id: ConnId) {
        self.reply(id, &Reply::Greeting);
        self.guard(id, |engine| engine.enter_relay(id));
    }

    /// The poll could not register the connection, for this reason.
    pub fn handle_unwatched(&mut self, admitted: Admitted, error: &dyn std::fmt::Display) {
        self.uncount(admitted.origin, admitted.standing);
        self.log_peer(Subject::CannotWatch, None, |_| format!("cannot watch a connection: {error}"));
    }

    /// An address that was counted has no connection after all.
    fn uncount(&mut self, origin: Origin, standing: Standing) {
        if standing != Standing::Uncounted {
            self.gate.addresses.release(origin);
        }
    }

    /// The reply to a refused peer. `heard` holds the bytes that it has sent so far.
    pub fn refuse(&mut self, origin: impl Into<Origin>, mut door: Door, refusal: Refusal, heard: &[u8]) -> Vec<u8> {
        let reason = self.note_refusal(origin.into(), &refusal);
        let mut answer = Vec::new();
        door.refuse(heard, reason, &mut answer);
        answer
    }

    /// Counts and logs that a peer is refused. Gives the reason.
    pub(super) fn note_refusal(&mut self, origin: Origin, refusal: &Refusal) -> CloseReason {
        let Refusal { reason, is_for_network } = refusal.clone();
        self.counters.count_closed(&reason);
        self.log_peer(Subject::Refused(reason.name()), origin.ip(), |_| {
            let network = origin.ip().filter(|_| is_for_network).map(network_name);
            let why = network.map_or_else(String::new, |network| format!(": too many from {network}"));
            format!("421 {reason}: {origin} was not let in{why}")
        });
        reason
    }
}

/// An unpredictable number.
fn throw_dice(random: &mut dyn Random) -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the number is the highest: no connection is shed that need not be.
    if random.fill(&mut bytes) { u32::from_le_bytes(bytes) } else { u32::MAX }
}
