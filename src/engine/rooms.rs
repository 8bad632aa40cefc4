//! Entry into rooms, and the tokens of places in them.

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::log_limit::Subject;
use super::pause::Pause;
use super::peers::Peer;
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::door::rooms::{Operation, Request};
use crate::door::token::RoomToken;
use crate::door::{Door, Masked};
use crate::hub::command::{Command, Entry, HostGoes};
use crate::hub::names::{RoomName, Who};
use crate::hub::record::Topic;
use crate::hub::room::RoomId;
use crate::limits::{NETWORK_TIMES, PLACE_WORK};

impl<S> Engine<S> {
    /// MAKE and JOIN.
    pub(super) fn enter_room(&mut self, id: ConnId, room: RoomName, password: Option<Masked<&str>>, makes: bool) {
        if password.is_some()
            && !makes
            && let Some(seconds) = self.guess_wait_s(id)
        {
            return self.reply(id, &Reply::TooManyGuesses(seconds));
        }
        self.datagrams.drawn = self.draw_token();
        if self.datagrams.drawn.is_none() {
            return self.close(id, CloseReason::Internal);
        }
        let lock = password.map(|Masked(text)| self.logins.roll.lock(&room, text));
        let entry = Entry { room, lock };
        self.command(id, if makes { Command::Make(entry) } else { Command::Join(entry) });
    }

    /// A guest makes or enters a room. The session has the connection's id, and outlives the connection.
    pub(super) fn enter_as_guest(&mut self, id: ConnId, request: Request) {
        if self.datagrams.peers.guests() >= self.gate.most_connections || self.has_too_many_guests(id) {
            return self.leave(id); // refused: no place is left
        }
        if request.password.is_some() && request.operation == Operation::Join && self.guess_wait_s(id).is_some() {
            return self.leave(id); // refused: too many wrong passwords
        }
        if self.is_own_name(request.guest.as_str()) {
            return self.leave(id); // refused, as other reserved names are
        }
        self.datagrams.drawn = self.draw_token();
        if self.datagrams.drawn.is_none() {
            return self.close(id, CloseReason::Internal);
        }
        let Request { operation, room, guest, password, spelling: _ } = request;
        let password = password.as_ref().filter(|Masked(text)| !text.is_empty());
        let lock = password.map(|Masked(text)| self.logins.roll.lock(&room, text.as_str()));
        let who = Who::Guest(guest.clone());
        let where_to = room.clone();
        let entry = Entry { room, lock };
        let makes = (operation == Operation::Make).then_some(HostGoes::Closes);
        self.command(id, Command::EnterAsGuest { guest, makes, entry });
        let verdict = if self.hub.who_is(id.session()).is_some() { "entered" } else { "may not enter" };
        if let Some(from) = self.conns.peek(id).map(|conn| conn.origin) {
            self.log_peer(Subject::Guest, from.ip(), |_| format!("guest {who} from {from} {verdict} {where_to}"));
        }
        if !self.conns.peek(id).is_some_and(|conn| matches!(conn.pause, Pause::Delay { .. })) {
            self.leave(id); // one exchange per connection; a delayed reply ends it itself
        }
    }

    /// True if a connection's address, or network, has as many guests as it may have connections: guests outlive
    /// theirs.
    fn has_too_many_guests(&self, id: ConnId) -> bool {
        let limits = &self.settings.limits;
        let Some(ip) = self.conns.peek(id).and_then(|conn| conn.origin.limited(limits)) else { return false };
        let peers = &self.datagrams.peers;
        peers.guests_of(ip) >= limits.per_address
            || peers.guests_of_network(ip) >= limits.per_address.saturating_mul(NETWORK_TIMES)
    }

    /// A session has its place in a room and receives the token.
    pub(super) fn on_entered(
        &mut self,
        id: ConnId,
        (room, room_id): (&RoomName, RoomId),
        kept: Option<u32>,
        topic: Option<&Topic>,
    ) {
        let port = self.datagrams.line_port;
        let Some(Conn { door, origin, .. }) = self.conns.find(id) else { return };
        let guest = match door {
            Door::Relay(_) => return, // it uses no datagrams
            Door::Line(_) | Door::Metrics(_) | Door::Operator(_) | Door::Web(_) | Door::Irc(_) => None,
            Door::Rooms(door) => Some(door.spelling()),
        };
        let Some(token) = self.datagrams.peers.issue((id.session(), room_id), self.datagrams.drawn.take()) else {
            return self.close(id, CloseReason::Internal);
        };
        if let Some(ip) = origin.ip()
            && !self.datagrams.queues.is_empty()
        {
            let peer = Peer::new(id.session(), (room.clone(), room_id), ip, guest, self.now);
            self.datagrams.peers.insert(token, peer, &self.settings.rooms);
        }
        let topic = topic.cloned().map(Box::new);
        let reply = Reply::Entered { room: room.clone(), token, port, kept, topic };
        self.push_own(id, |door, out| door.encode_reply(&reply, out));
    }

    /// 128 unpredictable bits. `None` if there is no randomness.
    fn draw_token(&mut self) -> Option<RoomToken> {
        self.turn.work += PLACE_WORK;
        let mut bytes = [0; RoomToken::BYTES];
        if self.random.fill(&mut bytes) {
            return Some(RoomToken::new(bytes));
        }
        self.log_peer(Subject::NoRandomness, None, |_| "no randomness for a room's token".to_owned());
        None
    }
}
