//! Login: requests to the accounts, and their verdicts. Passwords are hashed on another thread; a connection is not
//! read while its password is being checked.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::addresses;
use super::allowances::Allowances;
use super::claim::Proof;
use super::deeds::deleted;
use super::guard::failpoint;
use super::id::ConnId;
use super::log_limit::Subject;
use super::password_change::Changes;
use super::pause::{Asked, Late, Pause};
use super::room_guesses::Guesses;
use super::time::Millis;
use super::{Engine, Settings};
use crate::auth::{Origin, Refused, Request, Verdict};
use crate::close::CloseReason;
use crate::door::Masked;
use crate::door::reply::{GuestRefusal, Reply};
use crate::hub::command::Command;
use crate::hub::names::{GuestName, RoomName, UserName, Who};
use crate::hub::record::{Account, Lock};
use crate::limits::{BUSY_RETRY_S, Registration, TOKEN_WORK};
use crate::own_names::is_own;
use crate::secret::Secret;

/// Looks accounts up. Never waits.
pub trait Roll {
    /// The name as it was registered; `None` if the account does not exist.
    fn lookup(&self, name: &UserName) -> Option<UserName>;
    /// The accounts after `after` in the order of their names, at most `most` of them, each with the time of its
    /// registration in seconds since 1970. `None` begins with the first one. Only operators see the list; a roll without
    /// operators need not have one.
    fn list(&self, after: Option<&UserName>, most: usize) -> Vec<(UserName, u64)> {
        let _ = (after, most);
        Vec::new()
    }
    /// When the account was registered, in seconds since 1970; `None` if it does not exist.
    fn since(&self, name: &UserName) -> Option<u64>;
    /// The account of that name, with the name as it was registered; `None` if it does not exist.
    fn account(&self, name: &UserName) -> Option<Account> {
        let since = self.since(name)?;
        self.lookup(name).map(|name| Account { name, since })
    }
    /// The check of a room's password.
    fn lock(&self, room: &RoomName, password: &str) -> Lock;
    /// True if there is room for another account, besides those that are being registered.
    fn may_register(&self) -> bool;
    /// The account's epoch; `None` if the account does not exist. Credentials of an earlier epoch are void.
    fn epoch(&self, name: &UserName) -> Option<u32>;
    /// A token that resumes `name` in this epoch, and its lifetime in seconds. `None` if the account is in another
    /// epoch. `unix_s` is the time in seconds since 1970.
    fn issue_token(&self, name: &UserName, epoch: u32, unix_s: u64) -> Option<(String, u64)>;
    /// The account's epoch, if `token` resumes `name` at `unix_s`, in seconds since 1970; otherwise `None`.
    fn check_token(&self, name: &UserName, token: &[u8], unix_s: u64) -> Option<u32>;
}

/// A message to the accounts.
#[derive(Debug)]
pub enum ToAccounts {
    /// A request. [`Engine::handle_verdict`] or [`Engine::handle_refused`] takes the answer.
    Ask {
        /// The connection that asks.
        id: ConnId,
        /// The address that it counts against; `None` for an exempt one.
        origin: Option<Origin>,
        /// The request.
        request: Request,
    },
    /// The connection no longer waits for its answer.
    Cancel(ConnId),
}

/// The state of logins in progress, and the messages to the accounts.
pub(super) struct Logins {
    pub(super) roll: Box<dyn Roll>,
    pub(super) guesses: Guesses,
    pub(super) allowances: Allowances,
    pub(super) changes: Changes,
    requests: VecDeque<ToAccounts>,
}

impl Logins {
    pub(super) fn new(roll: Box<dyn Roll>) -> Self {
        Self {
            roll,
            guesses: Guesses::default(),
            allowances: Allowances::default(),
            changes: Changes::default(),
            requests: VecDeque::new(),
        }
    }

    /// Queues a message to the accounts.
    pub(super) fn ask(&mut self, what: ToAccounts) {
        self.requests.push_back(what);
    }
}

impl<S> Engine<S> {
    /// Takes a name. A server without registration replies to every name in the same way, spelled as it came, so that
    /// the reply does not show whether the account exists.
    pub(super) fn on_name(&mut self, id: ConnId, name: UserName) {
        let reply = match (self.logins.roll.lookup(&name), self.settings.accounts.registration) {
            (_, Registration::Closed) => Reply::AskPassword(name),
            (Some(registered), Registration::Open) => Reply::AskPassword(registered),
            (None, Registration::Open) if self.is_kept_back(&name) => Reply::ReservedName(name),
            (None, Registration::Open) if self.ban_of_name(&name).is_some() => Reply::BannedName(name),
            (None, Registration::Open) if self.logins.roll.may_register() => Reply::AskNewPassword(name),
            (None, Registration::Open) => Reply::NoNewAccounts,
        };
        self.reply(id, &reply);
    }

    /// Lets a guest in, who needs no password. It does not get the price of its connection back.
    pub(super) fn on_guest(&mut self, id: ConnId, guest: GuestName) {
        self.let_guest_in(id, guest, None);
    }

    /// The same for a guest who calls itself so, if it does.
    pub(super) fn let_guest_in(&mut self, id: ConnId, guest: GuestName, called: Option<Cow<'_, str>>) {
        let is_own = self.is_own_name(guest.as_str());
        let who = Who::Guest(guest);
        let why = if is_own {
            Some(GuestRefusal::Reserved)
        } else {
            self.hub.is_guest_here(&who).then_some(GuestRefusal::Taken)
        };
        if let Some(why) = why {
            return self.reply(id, &Reply::GuestRefused { why, is_login: true });
        }
        if let Some(from) = self.conns.peek(id).map(|conn| conn.origin) {
            self.log_peer(Subject::Guest, from.ip(), |_| format!("guest {who} from {from} logged in"));
        }
        self.command(id, Command::LogIn { who, since: 0, called });
    }

    /// True if nobody may register this name over the network.
    pub(super) fn is_kept_back(&self, name: &UserName) -> bool {
        name.is_reserved() || self.settings.operators.has(name) || self.is_own_name(name.as_str())
    }

    /// True if this is a name of the server itself.
    pub(super) fn is_own_name(&self, name: &str) -> bool {
        let Settings { irc, web, .. } = &self.settings;
        let certified = self.metrics.listeners.iter().flat_map(|listening| &listening.names);
        is_own(name, &irc.name, web.names.iter().chain(certified).map(String::as_str))
    }

    /// Takes a word that ends the connection if given instead of a name. It is a name if such an account exists.
    pub(super) fn on_name_or_bye(&mut self, id: ConnId, name: UserName) {
        if self.logins.roll.lookup(&name).is_some() { self.on_name(id, name) } else { self.on_bye(id) }
    }

    /// Takes a resume token instead of a password.
    ///
    /// A refused token is a failure, except while the penalty bars all other ways to log in (`is_barred`): it guesses
    /// nothing that a penalty could protect, and other users of the address would wait for it.
    pub(super) fn on_token(&mut self, id: ConnId, name: &UserName, token: &[u8], is_barred: bool) {
        self.turn.work += TOKEN_WORK;
        if let Some(epoch) = self.logins.roll.check_token(name, token, self.unix_ms / 1000) {
            return self.log_in(id, name, epoch, Proof::Token, None);
        }
        if is_barred {
            return self.close(id, CloseReason::TooManyFailures);
        }
        let Some(left) = self.count_failure(id) else { return };
        if left == 0 {
            self.answer_late(id, self.now, Late::TooMany);
        } else {
            self.reply(id, &Reply::TokenRefused);
        }
    }

    /// Takes a password, for an account or for a new one.
    pub(super) fn on_password(&mut self, id: ConnId, name: UserName, new: bool, password: &[u8]) {
        let password = Secret::new(password.to_vec());
        // Registration may have been closed since a new password was asked for.
        let is_open = self.settings.accounts.registration == Registration::Open;
        if new && is_open && self.settings.operators.has(&name) {
            return self.on_taken(id); // it was given to an operator since
        }
        if new && is_open && self.ban_of_name(&name).is_some() {
            return self.reply(id, &Reply::BannedName(name));
        }
        if new && is_open {
            self.ask(id, Asked::Register, Request::Register { name, password });
        } else {
            self.ask(id, Asked::LogIn, Request::Check { name, password });
        }
    }

    /// TOKEN: a resume token for this account, in the epoch of this session's login.
    pub(super) fn issue_token(&mut self, id: ConnId) {
        self.turn.work += TOKEN_WORK;
        let Some(epoch) = self.conns.find(id).map(|conn| conn.epoch) else { return };
        if self.account_of(id).is_none() {
            return self.reply(id, &Reply::NeedsAccount);
        }
        let now = self.unix_ms / 1000;
        let token = self.hub.name_of(id.session()).and_then(|name| self.logins.roll.issue_token(name, epoch, now));
        match token {
            Some((token, seconds)) => self.reply(id, &Reply::Token(Masked(token), seconds)),
            None => self.close(id, CloseReason::PasswordChanged),
        }
    }

    /// Sends a request to the accounts. The connection is not read until it is answered.
    pub(super) fn ask(&mut self, id: ConnId, what: Asked, request: Request) {
        let now = self.now;
        let limits = &self.settings.limits;
        let Some(conn) = self.conns.find(id) else { return };
        let origin = |ip| Origin { address: addresses::party(ip), network: addresses::network(ip) };
        let origin = conn.origin.limited(limits).map(origin);
        conn.pause = Pause::Checking { what, since: now };
        self.logins.ask(ToAccounts::Ask { id, origin, request });
    }

    /// The next message to the accounts.
    pub fn poll_request(&mut self) -> Option<ToAccounts> {
        self.logins.requests.pop_front()
    }

    /// The accounts refused a request.
    pub fn handle_refused(&mut self, id: ConnId, why: Refused) {
        let Some(_) = self.end_check(id) else { return };
        self.guard(id, |engine| match why {
            Refused::Full => engine.reply(id, &Reply::Busy(BUSY_RETRY_S)),
            Refused::Taken => engine.on_taken(id),
            Refused::NoneLeft => engine.reply(id, &Reply::NoNewAccounts),
        });
        self.drop_claim(id);
    }

    /// The accounts have answered a request. An answer for a connection that has ended is dropped; its effect on the
    /// account file remains.
    pub fn handle_verdict(&mut self, id: ConnId, verdict: Verdict) {
        self.counters.registered += u64::from(matches!(verdict, Verdict::Registered { .. }));
        self.guard(id, |engine| engine.on_verdict(id, verdict));
    }

    fn on_verdict(&mut self, id: ConnId, verdict: Verdict) {
        if let Verdict::Done(outcome) = verdict {
            return self.on_done(id, outcome);
        }
        if let Verdict::Changed { name, epoch } = &verdict {
            self.on_new_epoch(id, name, *epoch);
        }
        let Some((what, since)) = self.end_check(id) else { return };
        let claimed = self.claimed_name(id).cloned();
        match (what, verdict) {
            (_, Verdict::Busy) => self.refuse_for_now(id, &Reply::Busy(BUSY_RETRY_S)),
            (_, Verdict::Unavailable) => self.refuse_for_now(id, &Reply::CannotSave),
            (Asked::Register, Verdict::Taken) => self.on_taken(id),
            (Asked::Register, Verdict::Banned) => self.on_unregistrable(id),
            (Asked::Register, Verdict::Registered { epoch }) => self.on_proof(id, claimed, epoch, Proof::Registration),
            (Asked::LogIn, Verdict::Right { epoch }) => self.on_proof(id, claimed, epoch, Proof::Password),
            (Asked::LogIn, Verdict::Wrong) => self.on_wrong(id, since, Late::Wrong),
            (Asked::OldPassword, Verdict::Right { epoch }) => self.on_right_old(id, epoch),
            (Asked::OldPassword | Asked::NewPassword, Verdict::Wrong) => self.on_wrong(id, since, |_| Late::WrongOld),
            (Asked::NewPassword, Verdict::Changed { .. }) => self.reply(id, &Reply::PasswordChanged),
            (Asked::Register, Verdict::Right { .. } | Verdict::Wrong | Verdict::Changed { .. })
            | (Asked::LogIn | Asked::OldPassword, Verdict::Changed { .. })
            | (Asked::NewPassword, Verdict::Right { .. })
            | (
                Asked::LogIn | Asked::OldPassword | Asked::NewPassword,
                Verdict::Registered { .. } | Verdict::Taken | Verdict::Banned,
            )
            | (Asked::Deed, _)
            | (_, Verdict::Done(_)) => {
                self.close(id, CloseReason::Internal); // the answer does not fit the request
            }
        }
    }

    fn refuse_for_now(&mut self, id: ConnId, reply: &Reply) {
        self.drop_claim(id);
        self.reply(id, reply);
    }

    /// Ends the pause of a connection that waits for the accounts. Returns what was asked, and when.
    pub(super) fn end_check(&mut self, id: ConnId) -> Option<(Asked, Millis)> {
        let Pause::Checking { what, since } = self.conns.peek(id)?.pause else { return None };
        self.resume(id);
        Some((what, since))
    }

    /// The name was banned while it was being registered.
    fn on_unregistrable(&mut self, id: ConnId) {
        if let Some(name) = self.claimed_name(id).cloned() {
            self.drop_claim(id);
            self.reply(id, &Reply::BannedName(name));
        }
    }

    fn on_taken(&mut self, id: ConnId) {
        if let Some(name) = self.claimed_name(id).cloned() {
            self.drop_claim(id);
            self.reply(id, &Reply::NameTaken(name));
        }
    }

    /// A client has authenticated. At the IRC door it may not be complete yet, and enters later.
    fn on_proof(&mut self, id: ConnId, claimed: Option<UserName>, epoch: u32, proof: Proof) {
        match claimed {
            Some(_) if self.note_proof(id, epoch, proof) => {}
            Some(name) => self.log_in(id, &name, epoch, proof, None),
            None => self.close(id, CloseReason::Internal),
        }
    }

    /// Logs a client in that has authenticated in this epoch of the account. With the account's password it may replace
    /// the oldest session: otherwise a stranger who holds all of an account's sessions could keep its owner out.
    pub(super) fn log_in(&mut self, id: ConnId, name: &UserName, epoch: u32, proof: Proof, called: Option<Box<str>>) {
        failpoint("enter", name.as_str().as_bytes());
        let Some(name) = self.logins.roll.lookup(name) else { return self.close(id, deleted()) };
        if self.logins.roll.epoch(&name) != Some(epoch) {
            return self.close(id, CloseReason::PasswordChanged); // since it was checked
        }
        if let Some(banned) = self.ban_of_name(&name) {
            return self.close(id, banned);
        }
        if proof != Proof::Token {
            for oldest in self.hub.surplus_of(&name).to_vec() {
                self.close(ConnId::of(oldest), CloseReason::Replaced);
            }
        }
        let since = self.logins.roll.since(&name).unwrap_or_default();
        let Some(conn) = self.conns.find(id) else { return };
        conn.failures = 0;
        conn.epoch = epoch;
        let from = conn.origin;
        self.log_peer(Subject::LoggedIn, from.ip(), |_| format!("{name} logged in from {from}"));
        let called = called.map(|called| Cow::Owned(called.into()));
        self.command(id, Command::LogIn { who: name.into(), since, called });
        self.on_logged_in(id, from, proof);
    }

    /// Completes a login, if the hub has accepted it: the connection takes over what its account has used of the rates,
    /// and no longer counts as new.
    fn on_logged_in(&mut self, id: ConnId, from: super::Origin, proof: Proof) {
        let (now, limits) = (self.now, &self.settings.limits);
        let Some(name) = self.hub.name_of(id.session()) else { return };
        let used = self.logins.allowances.take(name);
        if proof != Proof::Registration || self.gate.addresses.register(from, now, limits) {
            self.gate.addresses.refund(from, limits);
        }
        if let Some((conn, rate)) = self.conns.find(id).zip(used) {
            conn.rate = rate;
        }
        self.begin_past(id);
    }

    fn on_wrong(&mut self, id: ConnId, asked: Millis, answer: impl FnOnce(u32) -> Late) {
        let Some(left) = self.count_failure(id) else { return };
        let answer = if left == 0 { Late::TooMany } else { answer(left) };
        self.answer_late(id, asked, answer);
    }

    /// True if the address of a connection has failed too often.
    pub(super) fn is_penalised(&self, id: ConnId) -> bool {
        let Some(conn) = self.conns.peek(id) else { return false };
        let login = &self.settings.login;
        login.penalties && self.gate.addresses.is_penalised(conn.origin, self.now, &self.settings.limits)
    }

    /// Counts a failure against the connection and its address. Returns the number of tries left.
    fn count_failure(&mut self, id: ConnId) -> Option<u32> {
        let now = self.now;
        let conn = self.conns.find(id)?;
        conn.failures = conn.failures.saturating_add(1);
        let (from, failures) = (conn.origin, conn.failures);
        let line = |engine: &Self| format!("wrong password or token for {} from {from}", engine.known_name(id));
        self.log_peer(Subject::WrongPassword, from.ip(), line);
        if self.settings.login.penalties {
            self.gate.addresses.failure(from, now, &self.settings.limits);
        }
        Some(self.settings.login.failures.saturating_sub(failures.into()))
    }

    /// The name of a session for the log. Before the login only names of accounts may be logged: users type their password
    /// where their name is asked for.
    pub(super) fn known_name(&self, id: ConnId) -> String {
        let claimed = || self.logins.roll.lookup(self.claimed_name(id)?).map(Who::from);
        let who = self.hub.who_is(id.session()).or_else(claimed);
        who.map_or_else(|| "nobody".to_owned(), |who| who.to_string())
    }

    /// Schedules a reply for `login.failure_delay_ms` after `asked`, so that guessing is slow.
    pub(super) fn answer_late(&mut self, id: ConnId, asked: Millis, answer: Late) {
        let now = self.now;
        let due = asked + u64::from(self.settings.login.failure_delay_ms);
        if due <= now {
            return self.on_late(id, answer);
        }
        if let Some(conn) = self.conns.find(id) {
            conn.pause = Pause::Delay { due, since: now, answer };
            self.touched.push(id);
        }
    }

    /// Sends a delayed reply.
    pub(super) fn on_late(&mut self, id: ConnId, answer: Late) {
        match answer {
            Late::Wrong(left) => {
                self.drop_claim(id);
                self.reply(id, &Reply::WrongPassword(left));
            }
            Late::WrongOld => {
                self.drop_claim(id);
                self.reply(id, &Reply::WrongOldPassword);
            }
            Late::WrongRoom => {
                self.reply(id, &Reply::WrongRoomPassword);
                if self.conns.find(id).is_some_and(|conn| !conn.door.is_dialogue()) {
                    self.leave(id); // one exchange per connection
                }
            }
            Late::TooMany => {
                if self.conns.find(id).is_some_and(|conn| conn.door.as_irc().is_some()) {
                    self.reply(id, &Reply::WrongPassword(0)); // a client waits for the verdict
                }
                self.close(id, CloseReason::TooManyFailures);
            }
        }
    }
}
