//! `sessions`: who is connected, also guests that have no connection any more.

use std::cmp::Reverse;
use std::net::IpAddr;

use super::Engine;
use super::entry::Entry;
use super::listing::Rest;
use crate::door::Class;
use crate::door::operator::{Sort, Whom, utc};
use crate::engine::conn::Conn;
use crate::engine::id::ConnId;
use crate::engine::life::Life;
use crate::engine::time::Millis;
use crate::hub::names::Who;
use crate::hub::session::SessionId;

impl<S> Engine<S> {
    /// `sessions`.
    pub(super) fn list_sessions(&mut self, id: ConnId, of: Option<&Whom>, sort: Sort) {
        let now = self.now;
        let mut entries = self.entries(of);
        match sort {
            Sort::Id => entries.sort_unstable_by_key(|entry| entry.number()),
            Sort::Owed => {
                entries.sort_by_cached_key(|entry| Reverse(self.conn_of(*entry).map_or(0, |conn| conn.owed())))
            }
            Sort::Since => entries.sort_by_cached_key(|entry| self.conn_of(*entry).map_or(now, |conn| conn.since)),
            Sort::Idle => entries.sort_by_cached_key(|entry| self.heard_at(*entry)),
        }
        self.turn.work += entries.len();
        self.list(id, Rest::Sessions(entries.into_iter()));
    }

    /// The connections and guests of a name, an id or an address; all of them for `None`. Operators at the socket and
    /// monitoring programs are not among them, unless they are asked for by id.
    pub(super) fn entries(&self, of: Option<&Whom>) -> Vec<Entry> {
        let is_open = |conn: &Conn<S>| conn.life == Life::Open && conn.end.is_none();
        match of {
            Some(Whom::Name(Who::Account(name))) => {
                let conns = self.hub.sessions_of(name).iter().map(|session| ConnId::of(*session));
                conns.filter(|id| self.conns.peek(*id).is_some_and(is_open)).map(Entry::Conn).collect()
            }
            Some(Whom::Name(who @ Who::Guest(name))) => {
                let of_rooms = self.hub.guests().filter(|(_, guest)| *guest == name).map(|(session, _)| session);
                let online = self.hub.sessions_named(who).iter().copied();
                of_rooms.chain(online).map(|session| self.guest(session)).collect()
            }
            Some(Whom::Id(_) | Whom::Address(_)) | None => {
                let is_of_users = |conn: &Conn<S>| conn.door.class() == Class::Chat;
                let is_from = |conn: &Conn<S>, ip| conn.origin.ip().is_some_and(|from| from.to_canonical() == ip);
                let is_meant = |conn: &&Conn<S>| match of {
                    Some(Whom::Id(number)) => conn.id.generation == *number,
                    Some(Whom::Address(ip)) => is_of_users(conn) && is_from(conn, *ip),
                    Some(Whom::Name(_)) | None => is_of_users(conn),
                };
                let open = self.conns.iter().filter(|conn| is_open(conn)).filter(is_meant);
                let guests = self.hub.guests().map(|(session, _)| session).filter(|session| match of {
                    Some(Whom::Id(number)) => session.generation == *number,
                    Some(Whom::Address(ip)) => self.guest_peer(*session).is_some_and(|(from, _)| from == *ip),
                    Some(Whom::Name(_)) | None => true,
                });
                let mut entries: Vec<Entry> = guests.map(|session| self.guest(session)).collect();
                entries.extend(open.map(|conn| Entry::Conn(conn.id)));
                entries.sort_unstable();
                entries.dedup();
                entries
            }
        }
    }

    /// A guest's entry: its connection, as long as its session lives there.
    fn guest(&self, session: SessionId) -> Entry {
        let id = ConnId::of(session);
        let lives_here = self.conns.peek(id).is_some_and(|conn| conn.door.is_dialogue() && conn.life == Life::Open);
        if lives_here { Entry::Conn(id) } else { Entry::Guest(session) }
    }

    /// Sends one item of the list. False if it has ended meanwhile.
    pub(super) fn answer_session(&mut self, id: ConnId, entry: Entry) -> bool {
        let session = match entry {
            Entry::Conn(conn) => conn.session(),
            Entry::Guest(session) => session,
        };
        let who = self.hub.who_is(session);
        if self.conn_of(entry).is_none() && who.is_none() {
            return false;
        }
        let (now, unix_ms) = (self.now, self.unix_ms);
        let name = who.map(|who| who.to_string());
        let rooms: Vec<String> = self.hub.rooms_of(session).iter().map(|(_, room)| room.as_str().to_owned()).collect();
        let conn = self.conn_of(entry);
        let door = conn.map_or("rooms", |conn| conn.door.name());
        let address = match conn {
            Some(conn) => conn.origin.to_string(),
            None => self.guest_peer(session).map_or_else(|| "udp".to_owned(), |(ip, _)| ip.to_string()),
        };
        let since = conn.map(|conn| utc(unix_ms.saturating_sub(now.saturating_sub(conn.since))));
        let (is_tls, owed) = conn.map_or((false, 0), |conn| (conn.is_tls, conn.owed()));
        let idle = now.saturating_sub(self.heard_at(entry)) / 1000;
        self.answer_item(id, |item| {
            item.number("id", entry.number().into())
                .maybe("name", name.as_deref())
                .text("door", door)
                .flag("tls", is_tls)
                .text("address", &address)
                .maybe("since", since.as_deref())
                .number("idle", idle)
                .number("owed", owed as u64)
                .list("rooms", rooms)
        });
        true
    }

    fn conn_of(&self, entry: Entry) -> Option<&Conn<S>> {
        match entry {
            Entry::Conn(id) => self.conns.peek(id),
            Entry::Guest(_) => None,
        }
    }

    /// When it last sent a line or a datagram, or was accepted.
    fn heard_at(&self, entry: Entry) -> Millis {
        match entry {
            Entry::Conn(id) => self.conns.peek(id).map_or(self.now, |conn| conn.heard_at),
            Entry::Guest(session) => self.guest_peer(session).map_or(self.now, |(_, heard_at)| heard_at),
        }
    }

    /// The address of a guest, and when it was last heard.
    fn guest_peer(&self, session: SessionId) -> Option<(IpAddr, Millis)> {
        let (room, _) = self.hub.rooms_of(session).into_iter().next()?;
        self.datagrams.peers.view((session, room))
    }
}
