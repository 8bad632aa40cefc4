//! Who is let in, and who is told why not.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Shutdown};

use log::{info, warn};
use mio::Interest;
use mio::net::TcpStream;

use super::Service;
use super::addresses::{self, Admission};
use super::conn::Conn;
use super::reactor::Reactor;
use super::token::Source;
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::hub::session::SessionId;

impl Reactor {
    /// A connection has come.
    pub(super) fn admit(&mut self, stream: TcpStream, ip: IpAddr, service: Service) {
        match self.refusal(ip) {
            Some(reason) => self.refuse(stream, ip, service, reason),
            None => self.welcome(stream, ip, service),
        }
    }

    /// Why a peer is not let in; if it is, its address has been counted.
    fn refusal(&mut self, ip: IpAddr) -> Option<CloseReason> {
        let limits = &self.tuning.limits;
        if self.conns.len() >= self.most_connections {
            return Some(CloseReason::ServerFull);
        }
        if !addresses::exempt(ip, limits) && addresses::sheds_silent(self.silent, dice, limits) {
            return Some(CloseReason::ServerFull);
        }
        match self.addresses.admit(ip, self.clock.now, &self.tuning.limits, self.tuning.login.penalties) {
            Admission::Welcome => None,
            Admission::TooMany => Some(CloseReason::TooManyFromAddress),
            Admission::Penalised => Some(CloseReason::TooManyFailures),
        }
    }

    fn welcome(&mut self, stream: TcpStream, ip: IpAddr, service: Service) {
        let generation = self.generations.next();
        let entry = self.conns.vacant_entry();
        let id = SessionId { slot: entry.key() as u32, generation };
        let mut conn = Conn::new(id, stream, ip, service.door(), self.clock.now);
        // Nobody needs urgent data, but a read that stops at it must not be taken for one that has drained the socket.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        let token = Source::Connection(id).token();
        if let Err(error) = self.poll.registry().register(&mut conn.stream, token, interest) {
            warn!("cannot watch a connection: {error}");
            self.addresses.release(ip);
            return;
        }
        conn.is_silent = !addresses::exempt(ip, &self.tuning.limits);
        self.silent += u32::from(conn.is_silent);
        entry.insert(conn);
        self.stats.accepted += 1;
        self.note_crest();
        self.reply(id, &Reply::Greeting);
        self.touched.push(id);
    }

    /// Tells a peer that it is not let in, as far as it can be told at once, and closes.
    pub(super) fn refuse(&mut self, mut stream: TcpStream, ip: IpAddr, service: Service, reason: CloseReason) {
        self.stats.count_closed(reason);
        info!("421 {reason}: {ip} was not let in");
        // Whatever it has said already is read away: unread input would turn the close into a reset, which can
        // overtake the answer. Nothing waits for the peer, and nobody can be told if these calls fail.
        let count = stream.read(&mut self.scratch).unwrap_or(0);
        let mut answer = Vec::new();
        service.door().refuse(self.scratch.get(..count).unwrap_or_default(), reason, &mut answer);
        let _ = stream.write(&answer);
        let _ = stream.shutdown(Shutdown::Write);
    }
}

/// A number that nobody can foresee.
fn dice() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness the die shows its highest number: nobody is dropped who need not be.
    if getrandom::fill(&mut bytes).is_err() { u32::MAX } else { u32::from_le_bytes(bytes) }
}
