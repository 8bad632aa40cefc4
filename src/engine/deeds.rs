//! What operators ask of the account thread, and what its answers do to everybody.

use super::Engine;
use super::id::ConnId;
use super::pause::Asked;
use crate::auth::{Deed, Outcome, Request};
use crate::close::{CloseReason, Note};
use crate::hub::names::UserName;
use crate::hub::record::Account;

impl<S> Engine<S> {
    /// Asks for a deed. The connection is not read until it is answered.
    pub(super) fn ask_deed(&mut self, id: ConnId, deed: Deed) {
        self.ask(id, Asked::Deed, Request::Deed(deed));
    }

    /// A deed was done, or refused. It takes effect even if the connection that asked for it has ended. That is told
    /// first: the operator may be put out too.
    pub(super) fn on_done(&mut self, id: ConnId, outcome: Outcome) {
        if self.end_check(id).is_some() {
            self.answer_done(id, &outcome);
        }
        match outcome {
            Outcome::Banned { bans, .. } | Outcome::Unbanned(bans) => self.handle_bans(bans),
            Outcome::PasswordSet { name, epoch } => self.on_password_set(&name, epoch),
            Outcome::Deleted { name, since } => self.on_deleted(Account { name, since }),
            Outcome::Added(_)
            | Outcome::Exists(_)
            | Outcome::NoAccount
            | Outcome::Checked { .. }
            | Outcome::NoSuchBan
            | Outcome::TooManyBans
            | Outcome::Failed(_) => {}
        }
    }

    /// An operator has set a password: all sessions of earlier epochs end.
    fn on_password_set(&mut self, name: &UserName, epoch: u32) {
        let is_stale = |id: &ConnId| self.conns.peek(*id).is_none_or(|conn| conn.epoch != epoch);
        let sessions = self.hub.sessions_of(name).iter();
        let stale: Vec<ConnId> = sessions.map(|session| ConnId::of(*session)).filter(is_stale).collect();
        self.close_all(&stale, &CloseReason::PasswordChanged);
    }

    /// An operator has deleted an account: all its sessions end.
    fn on_deleted(&mut self, account: Account) {
        let sessions = self.hub.sessions_of(&account.name).iter();
        let sessions: Vec<ConnId> = sessions.map(|session| ConnId::of(*session)).collect();
        self.close_all(&sessions, &deleted());
        self.history.deleted.push(account);
        self.forget_deleted();
    }
}

/// The reason to close the sessions of an account that was deleted.
pub(super) fn deleted() -> CloseReason {
    CloseReason::PutOut(Note::new("account deleted"))
}
