//! Who is let in, and who is told why not.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Shutdown};

use mio::Interest;
use mio::net::TcpStream;

use super::Service;
use super::addresses::{self, Admission, network_name};
use super::conn::Conn;
use super::log_limit::Subject;
use super::reactor::Reactor;
use super::token::ConnId;
use super::token::Source;
use crate::close::CloseReason;
use crate::door::reply::Reply;

/// Why a peer is not let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    reason: CloseReason,
    /// Whether it is for its network, of which the address alone says nothing.
    is_for_network: bool,
}

impl Refusal {
    /// There is no room, whoever comes.
    pub(super) const FULL: Self = Self { reason: CloseReason::ServerFull, is_for_network: false };
    const ADDRESS: Self = Self { reason: CloseReason::TooManyFromAddress, is_for_network: false };
    const NETWORK: Self = Self { is_for_network: true, ..Self::ADDRESS };
}

impl Reactor {
    /// A connection has come.
    pub(super) fn admit(&mut self, stream: TcpStream, ip: IpAddr, service: Service) {
        match self.judge(ip, service) {
            Ok(is_penalised) => self.welcome(stream, ip, service, is_penalised),
            Err(refusal) => self.refuse(stream, ip, service, refusal),
        }
    }

    /// Whether a peer is let in, and its address has been counted; and then, whether the address is penalised.
    fn judge(&mut self, ip: IpAddr, service: Service) -> Result<bool, Refusal> {
        let limits = &self.tuning.limits;
        if self.conns.len() >= self.most_connections {
            return Err(Refusal::FULL);
        }
        if !addresses::exempt(ip, limits) && addresses::sheds_silent(self.silent, dice, limits) {
            return Err(Refusal::FULL);
        }
        let penalties = self.tuning.login.penalties && service.asks_for_passwords();
        match self.addresses.admit(ip, self.clock.now, limits, penalties) {
            Admission::Welcome => Ok(false),
            Admission::Penalised => Ok(true),
            Admission::TooMany => Err(Refusal::ADDRESS),
            Admission::TooManyOfNetwork => Err(Refusal::NETWORK),
        }
    }

    fn welcome(&mut self, stream: TcpStream, ip: IpAddr, service: Service, is_penalised: bool) {
        let generation = self.generations.next();
        let entry = self.conns.vacant_entry();
        let id = ConnId { slot: entry.key() as u32, generation };
        let mut conn = Conn::new(id, stream, ip, service.door(), self.clock.now);
        // Nobody needs urgent data, but a read that stops at it must not be taken for one that has drained the socket.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        let token = Source::Connection(id).token();
        if let Err(error) = self.poll.registry().register(&mut conn.stream, token, interest) {
            self.addresses.release(ip);
            return self.log_peer(Subject::CannotWatch, None, |_| format!("cannot watch a connection: {error}"));
        }
        conn.is_silent = !addresses::exempt(ip, &self.tuning.limits);
        conn.is_penalised = is_penalised;
        self.silent += u32::from(conn.is_silent);
        entry.insert(conn);
        self.stats.accepted += 1;
        self.note_crest();
        self.reply(id, &Reply::Greeting);
        self.touched.push(id);
    }

    /// Tells a peer that it is not let in, as far as it can be told at once, and closes.
    pub(super) fn refuse(&mut self, mut stream: TcpStream, ip: IpAddr, service: Service, refusal: Refusal) {
        let Refusal { reason, is_for_network } = refusal;
        self.stats.count_closed(reason);
        self.log_peer(Subject::Refused(reason.name()), Some(ip), |_| {
            let why = if is_for_network { format!(": too many from {}", network_name(ip)) } else { String::new() };
            format!("421 {reason}: {ip} was not let in{why}")
        });
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
