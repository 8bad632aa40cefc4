//! Logging in: what the door asks of the accounts, and what becomes of the verdicts. Hashing is done elsewhere; a
//! connection is not read while its password is under way.

use std::net::IpAddr;

use super::addresses;
use super::clock::Millis;
use super::conn::{Late, Pause};
use super::fault;
use super::log_limit::Subject;
use super::reactor::Reactor;
use super::token::{from_ticket, ticket};
use crate::auth::{Origin, Refused, Request, Secret, Verdict};
use crate::close::CloseReason;
use crate::door::Masked;
use crate::door::reply::Reply;
use crate::hub::command::Command;
use crate::hub::names::UserName;
use crate::hub::session::SessionId;
use crate::limits::{BUSY_RETRY_S, Registration, TOKEN_WORK};

/// How somebody has proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// By the account's password.
    Password,
    /// By a password that was just chosen: the account is new.
    Registration,
    /// By a resume token.
    Token,
}

impl Reactor {
    /// Somebody says who they are. A server that takes no new accounts answers every name in one way, spelled as it came:
    /// who has an account there is nobody's business.
    pub(super) fn on_name(&mut self, id: SessionId, name: UserName) {
        let reply = match (self.auth.lookup(&name), self.tuning.accounts.registration) {
            (_, Registration::Closed) => Reply::AskPassword(name),
            (Some(registered), Registration::Open) => Reply::AskPassword(registered),
            (None, Registration::Open) if name.is_reserved() => Reply::ReservedName(name),
            (None, Registration::Open) if self.auth.may_register() => Reply::AskNewPassword(name),
            (None, Registration::Open) => Reply::NoNewAccounts,
        };
        self.reply(id, &reply);
    }

    /// Somebody gives a word by which people leave, where a name is asked for. It is a name if an account has it.
    pub(super) fn on_name_or_bye(&mut self, id: SessionId, name: UserName) {
        if self.auth.lookup(&name).is_some() { self.on_name(id, name) } else { self.on_bye(id) }
    }

    /// Somebody shows a resume token instead of a password.
    ///
    /// One that is refused is a failure, but not where no other way in is open (`is_barred`): it guesses nothing that a
    /// penalty could keep from being guessed, and neighbours of the same address would wait for it.
    pub(super) fn on_token(&mut self, id: SessionId, name: &UserName, token: &[u8], is_barred: bool) {
        self.turn_work += TOKEN_WORK;
        if let Some(epoch) = self.auth.check_token(name, token, self.clock.unix_ms / 1000) {
            return self.enter(id, name, epoch, Proof::Token);
        }
        if is_barred {
            return self.close(id, CloseReason::TooManyFailures);
        }
        let Some(left) = self.count_failure(id) else { return };
        if left == 0 {
            self.answer_late(id, self.clock.now, Late::TooMany);
        } else {
            self.reply(id, &Reply::TokenRefused);
        }
    }

    /// Somebody gives a password, for an account or for a new one.
    pub(super) fn on_password(&mut self, id: SessionId, name: UserName, new: bool, password: &[u8]) {
        let password = Secret::new(password.to_vec());
        // Registration may have been closed since a new one was asked for.
        let is_open = self.tuning.accounts.registration == Registration::Open;
        let request =
            if new && is_open { Request::Register { name, password } } else { Request::Check { name, password } };
        self.submit(id, request);
    }

    /// TOKEN: a resume token for this account, as of when this session logged in.
    pub(super) fn issue_token(&mut self, id: SessionId) {
        self.turn_work += TOKEN_WORK;
        let Some(epoch) = self.conn(id).map(|conn| conn.epoch) else { return };
        let now = self.clock.unix_ms / 1000;
        let token = self.hub.name_of(id).and_then(|name| self.auth.issue_token(name, epoch, now));
        match token {
            Some((token, seconds)) => self.reply(id, &Reply::Token(Masked(token), seconds)),
            None => self.close(id, CloseReason::PasswordChanged),
        }
    }

    /// Hands a password to the account thread. The connection is not read until it is answered.
    pub(super) fn submit(&mut self, id: SessionId, request: Request) {
        let now = self.clock.now;
        let limits = &self.tuning.limits;
        let Some(conn) = self.conns.find(id) else { return };
        let origin = || Origin { address: addresses::party(conn.ip), network: addresses::network(conn.ip) };
        let origin = (!addresses::exempt(conn.ip, limits)).then(origin);
        match self.auth.submit(ticket(id), origin, request) {
            Ok(()) => conn.pause = Pause::Verdict(now),
            Err(Refused::Full) => self.reply(id, &Reply::Busy(BUSY_RETRY_S)),
            Err(Refused::Taken) => self.on_taken(id),
            Err(Refused::NoneLeft) => self.reply(id, &Reply::NoNewAccounts),
        }
    }

    fn on_taken(&mut self, id: SessionId) {
        if let Some(name) = self.conn(id).and_then(|conn| conn.door.claimed_name().cloned()) {
            self.reply(id, &Reply::NameTaken(name));
        }
    }

    /// Hands out the verdicts that have come. Those for connections that are gone are dropped: what they did to
    /// the account file stays done.
    pub(super) fn take_verdicts(&mut self) {
        while let Some(answer) = self.auth.poll_answer() {
            self.stats.registered += u64::from(matches!(answer.verdict, Verdict::Registered { .. }));
            let id = from_ticket(answer.ticket);
            self.guard(id, |reactor| reactor.on_verdict(id, answer.verdict));
        }
        if self.auth.poll_loss() {
            self.on_accounts_lost();
        }
    }

    fn on_verdict(&mut self, id: SessionId, verdict: Verdict) {
        if let Verdict::Changed { name, epoch } = &verdict {
            self.on_new_epoch(id, name, *epoch);
        }
        let Some(conn) = self.conn(id) else { return };
        let Pause::Verdict(asked) = conn.pause else { return };
        let is_in = conn.door.is_logged_in();
        let claimed = conn.door.claimed_name().cloned();
        self.resume(id);
        match (verdict, claimed) {
            (Verdict::Registered { epoch }, Some(name)) => self.enter(id, &name, epoch, Proof::Registration),
            (Verdict::Right { epoch }, Some(name)) => self.enter(id, &name, epoch, Proof::Password),
            (Verdict::Wrong, Some(_)) => self.on_wrong(id, asked, Late::Wrong),
            (Verdict::Right { epoch }, None) if is_in => self.on_right_old(id, epoch),
            (Verdict::Changed { .. }, None) if is_in => self.reply(id, &Reply::PasswordChanged),
            (Verdict::Wrong, None) if is_in => self.on_wrong(id, asked, |_| Late::WrongOld),
            (Verdict::Taken, _) => self.on_taken(id),
            (Verdict::Busy, _) => self.reply(id, &Reply::Busy(BUSY_RETRY_S)),
            (Verdict::Unavailable, _) => self.reply(id, &Reply::CannotSave),
            (Verdict::Registered { .. } | Verdict::Right { .. } | Verdict::Wrong | Verdict::Changed { .. }, _) => {
                self.close(id, CloseReason::Internal); // a verdict that nobody here has asked for
            }
        }
    }

    /// Somebody has proved who they are, in this epoch of the account. Whoever knows the password comes in, if need be
    /// in the place of the oldest session: else whoever holds that account's sessions could keep its owner out.
    fn enter(&mut self, id: SessionId, name: &UserName, epoch: u32, proof: Proof) {
        fault::trip("enter", name.as_str().as_bytes());
        let Some(name) = self.auth.lookup(name) else { return self.close(id, CloseReason::Internal) };
        if self.auth.epoch(&name) != Some(epoch) {
            return self.close(id, CloseReason::PasswordChanged); // since it was checked
        }
        if proof != Proof::Token {
            for oldest in self.hub.surplus_of(&name).to_vec() {
                self.close(oldest, CloseReason::Replaced);
            }
        }
        let Some(conn) = self.conn(id) else { return };
        conn.failures = 0;
        conn.epoch = epoch;
        let ip = conn.ip;
        self.log_peer(Subject::LoggedIn, Some(ip), |_| format!("{name} logged in from {ip}"));
        self.command(id, Command::LogIn { name });
        self.on_entered_account(id, ip, proof);
    }

    /// A connection is in, if the hub has let it in. It goes on with what its account has used of the rates, and no
    /// longer counts as a new one.
    fn on_entered_account(&mut self, id: SessionId, ip: IpAddr, proof: Proof) {
        let (now, limits) = (self.clock.now, &self.tuning.limits);
        let Some(name) = self.hub.name_of(id) else { return };
        let used = self.allowances.take(name);
        if proof != Proof::Registration || self.addresses.register(ip, now, limits) {
            self.addresses.refund(ip, limits);
        }
        if let Some((conn, pace)) = self.conns.find(id).zip(used) {
            conn.pace = pace;
        }
    }

    fn on_wrong(&mut self, id: SessionId, asked: Millis, answer: impl FnOnce(u32) -> Late) {
        let Some(left) = self.count_failure(id) else { return };
        let answer = if left == 0 { Late::TooMany } else { answer(left) };
        self.answer_late(id, asked, answer);
    }

    /// Whether a connection's address had failed too often when it came, and has still; asked at its first line, and
    /// false ever after. Then only a good token lets it in.
    pub(super) fn is_barred(&mut self, id: SessionId) -> bool {
        let now = self.clock.now;
        let Some(conn) = self.conns.find(id) else { return false };
        let (was_penalised, ip) = (std::mem::take(&mut conn.is_penalised), conn.ip);
        was_penalised && self.tuning.login.penalties && self.addresses.is_penalised(ip, now, &self.tuning.limits)
    }

    /// Counts a failure against the connection and its address. Gives the tries that are left.
    fn count_failure(&mut self, id: SessionId) -> Option<u32> {
        let now = self.clock.now;
        let conn = self.conn(id)?;
        conn.failures += 1;
        let (ip, failures) = (conn.ip, conn.failures);
        let line = |reactor: &Self| format!("wrong password or token for {} from {ip}", reactor.known_name(id));
        self.log_peer(Subject::WrongPassword, Some(ip), line);
        if self.tuning.login.penalties {
            self.addresses.failure(ip, now, &self.tuning.limits);
        }
        Some(self.tuning.login.failures.saturating_sub(failures))
    }

    /// The name under which somebody is known here, for the log. Only an account's name may be logged: people type
    /// their password where their name is asked for.
    pub(super) fn known_name(&self, id: SessionId) -> String {
        let claimed = || self.auth.lookup(self.conns.peek(id)?.door.claimed_name()?);
        self.hub.name_of(id).cloned().or_else(claimed).map_or_else(|| "nobody".to_owned(), |name| name.to_string())
    }

    /// Says something `login.failure_delay_ms` after `asked`, by a timer, so that guessing is slow and nobody waits.
    pub(super) fn answer_late(&mut self, id: SessionId, asked: Millis, answer: Late) {
        let now = self.clock.now;
        let due = asked + u64::from(self.tuning.login.failure_delay_ms);
        if due <= now {
            return self.on_late(id, answer);
        }
        if let Some(conn) = self.conn(id) {
            conn.pause = Pause::Delay { due, since: now, answer };
            self.touched.push(id);
        }
    }

    /// Now it is said.
    pub(super) fn on_late(&mut self, id: SessionId, answer: Late) {
        match answer {
            Late::Wrong(left) => self.reply(id, &Reply::WrongPassword(left)),
            Late::WrongOld => self.reply(id, &Reply::WrongOldPassword),
            Late::WrongRoom => {
                self.reply(id, &Reply::WrongRoomPassword);
                if self.conn(id).is_some_and(|conn| !conn.door.is_dialogue()) {
                    self.leave(id); // one exchange a connection
                }
            }
            Late::TooMany => self.close(id, CloseReason::TooManyFailures),
        }
    }
}
