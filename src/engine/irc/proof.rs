//! Passwords at the IRC door: by one queue, with one delay and one penalty, as at the other doors.
//!
//! A right password logs nobody in by itself: SASL is over before the registration is. The connection keeps what was
//! proved, and the door asks to enter with it.

use crate::auth::Request;
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::engine::Engine;
use crate::engine::claim::{Claim, Proof};
use crate::engine::id::ConnId;
use crate::engine::pause::Asked;
use crate::hub::names::UserName;
use crate::limits::Registration;
use crate::secret::Secret;

impl<S> Engine<S> {
    /// AUTHENTICATE, PASS and IDENTIFY.
    pub(super) fn prove(&mut self, id: ConnId, name: UserName, password: Secret<Vec<u8>>) {
        self.claim(id, Claim::Asked(name.clone()));
        self.ask(id, Asked::LogIn, Request::Check { name, password });
    }

    /// REGISTER.
    pub(super) fn register(&mut self, id: ConnId, name: UserName, password: Secret<Vec<u8>>) {
        let refusal = match self.settings.accounts.registration {
            Registration::Closed => Reply::NoNewAccounts,
            Registration::Open if self.logins.roll.lookup(&name).is_some() => Reply::NameTaken(name),
            Registration::Open if self.is_kept_back(&name) => Reply::ReservedName(name),
            Registration::Open if self.ban_of_name(&name).is_some() => Reply::BannedName(name),
            Registration::Open if self.logins.roll.may_register() => {
                self.claim(id, Claim::Asked(name.clone()));
                return self.ask(id, Asked::Register, Request::Register { name, password });
            }
            Registration::Open => Reply::NoNewAccounts,
        };
        self.reply(id, &refusal);
    }

    /// The password was right, or the account was made, in this epoch of it. True if the connection is at the IRC door.
    pub(in crate::engine) fn note_proof(&mut self, id: ConnId, epoch: u32, proof: Proof) -> bool {
        let Some(conn) = self.conns.find(id).filter(|conn| conn.door.as_irc().is_some()) else { return false };
        let Some(Claim::Asked(name)) = conn.claim.take().map(|claim| *claim) else { return true };
        let name = self.logins.roll.lookup(&name).unwrap_or(name);
        if let Some(banned) = self.ban_of_name(&name) {
            self.close(id, banned);
            return true;
        }
        self.claim(id, Claim::Proved { name: name.clone(), epoch, proof });
        self.reply(id, &Reply::Proved { name });
        true
    }

    /// Starts the session of the account that was proved.
    pub(super) fn enter_proved(&mut self, id: ConnId, called: Option<Box<str>>) {
        let Some(conn) = self.conns.find(id) else { return };
        match conn.claim.take().map(|claim| *claim) {
            Some(Claim::Proved { name, epoch, proof }) => self.log_in(id, &name, epoch, proof, called),
            // The door would ask for ever.
            Some(Claim::Asked(_) | Claim::NewPassword(_)) | None => self.close(id, CloseReason::Internal),
        }
    }

    /// PASSWD of NickServ: both passwords come at once, and are looked at one after the other.
    pub(super) fn change_password(&mut self, id: ConnId, old: &Secret<Vec<u8>>, new: Secret<Vec<u8>>) {
        let Some(name) = self.account_of(id).cloned() else { return self.reply(id, &Reply::NeedsAccount) };
        if let Some(seconds) = self.change_wait_s(&name) {
            return self.reply(id, &Reply::TooManyChanges(seconds));
        }
        self.claim(id, Claim::NewPassword(new));
        self.on_old_password(id, old.as_bytes());
    }

    /// The new password that a connection has given together with the old one, which was right.
    pub(in crate::engine) fn take_new_password(&mut self, id: ConnId) -> Option<Secret<Vec<u8>>> {
        match *self.conns.find(id)?.claim.take()? {
            Claim::NewPassword(new) => Some(new),
            Claim::Asked(_) | Claim::Proved { .. } => None,
        }
    }

    /// The name for which a connection has given a password, or has to give one.
    pub(in crate::engine) fn claimed_name(&self, id: ConnId) -> Option<&UserName> {
        let conn = self.conns.peek(id)?;
        conn.door.claimed_name().or_else(|| conn.claim.as_ref().and_then(|claim| claim.name()))
    }

    /// An account was refused, or a password was wrong: what was given with it is forgotten.
    pub(in crate::engine) fn drop_claim(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.find(id) {
            conn.claim = None;
        }
    }

    fn claim(&mut self, id: ConnId, claim: Claim) {
        if let Some(conn) = self.conns.find(id) {
            conn.claim = Some(Box::new(claim));
        }
    }
}
