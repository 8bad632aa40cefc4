//! Tokens of places in rooms, and the members that use datagrams: their addresses and their times of silence.
//!
//! A member's place in a room has a peer as long as it lasts, if there is a datagram socket. A peer is unbound until
//! the first valid datagram shows its address; from then on it is pinned to that address.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};

use super::addresses::{network, party};
use super::bucket::{Bucket, Quota};
use super::time::{Millis, NEVER, nanos, seconds};
use super::timers::Timers;
use crate::door::datagram::{Spelling, Up};
use crate::door::token::RoomToken;
use crate::hub::names::RoomName;
use crate::hub::room::RoomId;
use crate::hub::session::SessionId;
use crate::limits::{DATAGRAM_BURST, DATAGRAM_EVERY_MS, Rooms};

/// A place in a room: its session and its room.
pub(super) type Membership = (SessionId, RoomId);

/// One member's peer for one room.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its session.
    pub(super) session: SessionId,
    /// Its room …
    pub(super) room: RoomName,
    /// … and the room's id.
    pub(super) room_id: RoomId,
    /// The address that received the token.
    pub(super) ip: IpAddr,
    /// True for a guest, which has no other channel.
    pub(super) is_guest: bool,
    /// The spelling of datagrams to it.
    pub(super) spelling: Spelling,
    /// Its address; `None` until its first datagram, and again when an account has been silent for long.
    place: Option<Place>,
    /// When its last datagram arrived.
    heard_at: Millis,
    datagrams: Bucket,
    /// Bytes that a guest sends; those of an account count with its lines.
    bytes: Bucket,
    armed: Millis,
}

impl Peer {
    pub(super) fn new(
        session: SessionId,
        room: (RoomName, RoomId),
        ip: IpAddr,
        guest: Option<Spelling>,
        now: Millis,
    ) -> Self {
        let (room, room_id) = room;
        Self {
            session,
            room,
            room_id,
            ip: ip.to_canonical(),
            is_guest: guest.is_some(),
            spelling: guest.unwrap_or(Spelling::Text),
            place: None,
            heard_at: now,
            datagrams: Bucket::default(),
            bytes: Bucket::default(),
            armed: NEVER,
        }
    }

    fn due(&self, rooms: &Rooms) -> Millis {
        match (self.is_guest, self.place) {
            (true, _) => self.heard_at.saturating_add(seconds(rooms.guest_idle_s)),
            (false, Some(_)) => self.heard_at.saturating_add(seconds(rooms.datagram_idle_s)),
            (false, None) => NEVER,
        }
    }

    /// Takes one datagram from its rate. False if the rate is exceeded.
    fn may_speak(&mut self, now: Millis) -> bool {
        let quota = Quota::by_one(1, nanos(DATAGRAM_EVERY_MS), DATAGRAM_BURST);
        quota.is_some_and(|quota| self.datagrams.take(1, now, &quota))
    }
}

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the socket that it used last, from which it receives.
    pub(super) socket: usize,
    /// Its address.
    pub(super) addr: SocketAddr,
}

/// Why a datagram has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// The token, the room or the address is wrong.
    Invalid,
    /// The member exceeds its rate.
    TooFast,
}

/// The sender of a valid datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) session: SessionId,
    pub(super) room: RoomName,
    pub(super) is_guest: bool,
    /// True if it receives datagrams from now on, and did not before.
    pub(super) is_new: bool,
}

/// The result of a silence that may be too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing: it was not that long.
    Broken,
    /// An account receives its room over TCP again.
    Unbound,
    /// A guest must leave.
    Over(SessionId),
}

/// All tokens, and all peers.
#[derive(Debug, Default)]
pub(super) struct Peers {
    /// The token of each place, also of places without a peer.
    tokens: HashMap<Membership, RoomToken>,
    /// The peers, by the key that delivery knows …
    peers: HashMap<Membership, Peer>,
    /// … and by the token in a datagram.
    by_token: HashMap<RoomToken, Membership>,
    /// Number of bound peers by room. Delivery need not look for peers of other rooms.
    hearing: HashMap<RoomId, u32>,
    timers: Timers<Membership>,
    /// Number of guests' peers …
    guests: usize,
    /// … by the address of their party (see [`party`]) …
    guests_of: HashMap<IpAddr, u32>,
    /// … and by their network (see [`network`]).
    guests_of_network: HashMap<IpAddr, u32>,
}

impl Peers {
    /// The token of a place: the one that it has already (the member has entered again), else `drawn`.
    pub(super) fn issue(&mut self, place: Membership, drawn: Option<RoomToken>) -> Option<RoomToken> {
        match self.tokens.get(&place) {
            Some(token) => Some(*token),
            None => {
                self.tokens.insert(place, drawn?);
                drawn
            }
        }
    }

    /// Adds a peer for a place with this token. An existing one stays as it is.
    pub(super) fn insert(&mut self, token: RoomToken, peer: Peer, rooms: &Rooms) {
        let place = (peer.session, peer.room_id);
        let peer = self.peers.entry(place).or_insert_with(|| {
            self.by_token.insert(token, place);
            if peer.is_guest {
                self.guests += 1;
                *self.guests_of.entry(party(peer.ip)).or_default() += 1;
                *self.guests_of_network.entry(network(peer.ip)).or_default() += 1;
            }
            peer
        });
        let due = peer.due(rooms);
        self.timers.arm(place, &mut peer.armed, due);
    }

    /// Removes the token and the peer of a place that has ended.
    pub(super) fn remove(&mut self, place: Membership) {
        if let Some(token) = self.tokens.remove(&place) {
            self.by_token.remove(&token);
        }
        if let Some(mut peer) = self.peers.remove(&place) {
            self.timers.disarm(place, &mut peer.armed);
            if peer.is_guest {
                self.guests -= 1;
                take_one(&mut self.guests_of, &party(peer.ip));
                take_one(&mut self.guests_of_network, &network(peer.ip));
            }
            if peer.place.is_some() {
                self.forget_place(peer.room_id);
            }
        }
    }

    /// Number of peers.
    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Number of guests' peers; each guest has one.
    pub(super) fn guests(&self) -> usize {
        self.guests
    }

    /// Number of guests of an address's party.
    pub(super) fn guests_of(&self, ip: IpAddr) -> u32 {
        self.guests_of.get(&party(ip)).copied().unwrap_or_default()
    }

    /// Number of guests of an address's network.
    pub(super) fn guests_of_network(&self, ip: IpAddr) -> u32 {
        self.guests_of_network.get(&network(ip)).copied().unwrap_or_default()
    }

    /// True if a member of this room receives datagrams.
    pub(super) fn hears(&self, room: RoomId) -> bool {
        self.hearing.contains_key(&room)
    }

    /// Where a member receives datagrams, and in which spelling; `None` if it does not.
    pub(super) fn place(&self, member: Membership) -> Option<(Place, Spelling)> {
        let peer = self.peers.get(&member)?;
        Some((peer.place?, peer.spelling))
    }

    /// The address that received a member's token, and when the member was last heard; `None` without a peer.
    pub(super) fn view(&self, member: Membership) -> Option<(IpAddr, Millis)> {
        self.peers.get(&member).map(|peer| (peer.ip, peer.heard_at))
    }

    /// All members that receive datagrams.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Spelling)> + '_ {
        self.peers.values().filter_map(|peer| Some((peer.place?, peer.spelling)))
    }

    /// The guests, each with the address that received its token.
    pub(super) fn guest_addresses(&self) -> impl Iterator<Item = (SessionId, IpAddr)> + '_ {
        self.peers.values().filter(|peer| peer.is_guest).map(|peer| (peer.session, peer.ip))
    }

    /// Takes a datagram from `place`, and returns its sender. An error if it is invalid or exceeds the sender's rate.
    pub(super) fn hear(&mut self, up: &Up<'_>, place: Place, now: Millis, rooms: &Rooms) -> Result<Heard, Unheard> {
        let member = *self.by_token.get(&up.token).ok_or(Unheard::Invalid)?;
        let peer = self.peers.get_mut(&member).ok_or(Unheard::Invalid)?;
        let is_its_room = up.room.is_none_or(|room| peer.room.is(room));
        let is_its_place = match peer.place {
            Some(known) => known.addr == place.addr,
            None => peer.ip == place.addr.ip().to_canonical(),
        };
        if !is_its_room || !is_its_place {
            return Err(Unheard::Invalid);
        }
        peer.heard_at = now;
        if !peer.may_speak(now) {
            return Err(Unheard::TooFast);
        }
        let is_new = peer.place.replace(place).is_none();
        if is_new {
            *self.hearing.entry(peer.room_id).or_default() += 1;
        }
        let due = peer.due(rooms);
        self.timers.arm(member, &mut peer.armed, due);
        Ok(Heard { session: peer.session, room: peer.room.clone(), is_guest: peer.is_guest, is_new })
    }

    /// The bucket of bytes of the guest with this token.
    pub(super) fn bytes_of(&mut self, token: RoomToken) -> Option<&mut Bucket> {
        self.peers.get_mut(self.by_token.get(&token)?).map(|peer| &mut peer.bytes)
    }

    /// When the next silence may be too long.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.timers.next_due()
    }

    /// Checks a silence that may be too long. `None` if none is due.
    pub(super) fn poll_silence(&mut self, now: Millis, rooms: &Rooms) -> Option<Silence> {
        let member = self.timers.pop_due(now)?;
        let Some(peer) = self.peers.get_mut(&member) else { return Some(Silence::Broken) };
        peer.armed = NEVER;
        let due = peer.due(rooms);
        if due > now {
            self.timers.arm(member, &mut peer.armed, due);
            return Some(Silence::Broken);
        }
        if peer.is_guest {
            return Some(Silence::Over(peer.session));
        }
        let room = peer.room_id;
        if peer.place.take().is_some() {
            self.forget_place(room);
        }
        Some(Silence::Unbound)
    }

    /// Rearms all timers, for new settings.
    pub(super) fn rearm(&mut self, rooms: &Rooms) {
        for (member, peer) in &mut self.peers {
            let due = peer.due(rooms);
            self.timers.arm(*member, &mut peer.armed, due);
        }
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        self.tokens.shrink_to_fit();
        self.peers.shrink_to_fit();
        self.by_token.shrink_to_fit();
        self.hearing.shrink_to_fit();
        self.guests_of.shrink_to_fit();
        self.guests_of_network.shrink_to_fit();
    }

    fn forget_place(&mut self, room: RoomId) {
        take_one(&mut self.hearing, &room);
    }
}

/// Subtracts one from the count of a key, and forgets a count of 0.
fn take_one<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
