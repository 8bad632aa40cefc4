//! PASSWD: how often it is allowed, and what a new password does to the account's sessions.
//!
//! A connection keeps the epoch of the account at the login of its session. Each new password raises the epoch, and
//! ends the sessions of earlier epochs. Verdicts arrive in the order in which the account thread gave them: a login
//! whose password was checked before the change completes before the loop processes the change, and its session ends
//! with the others.

use std::collections::{HashMap, VecDeque};

use super::Engine;
use super::id::ConnId;
use super::pause::Asked;
use super::time::{Millis, seconds};
use crate::auth::Request;
use crate::close::CloseReason;
use crate::door::reply::Reply;
use crate::hub::names::UserName;
use crate::limits::{PASSWORD_CHANGES, PASSWORD_CHANGES_REMEMBERED, PASSWORD_WINDOW_S};
use crate::secret::Secret;

/// The changes of passwords of the last [`PASSWORD_WINDOW_S`], the last [`PASSWORD_CHANGES_REMEMBERED`] of them.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Time and account, oldest first.
    all: VecDeque<(Millis, UserName)>,
    /// Times by account, oldest first.
    by_name: HashMap<UserName, VecDeque<Millis>>,
}

impl Changes {
    /// When `name` may change its password again; `None` if it may at `now`.
    fn free_at(&mut self, name: &UserName, now: Millis) -> Option<Millis> {
        self.forget(now);
        let times = self.by_name.get(name).filter(|times| times.len() >= PASSWORD_CHANGES)?;
        times.front().map(|first| first + seconds(PASSWORD_WINDOW_S))
    }

    /// Records that `name` changed its password at `now`.
    fn note(&mut self, name: UserName, now: Millis) {
        self.forget(now);
        self.by_name.entry(name.clone()).or_default().push_back(now);
        self.all.push_back((now, name));
    }

    /// Forgets changes that are too old, or too many.
    fn forget(&mut self, now: Millis) {
        while self.all.len() >= PASSWORD_CHANGES_REMEMBERED
            || self.all.front().is_some_and(|(first, _)| first + seconds(PASSWORD_WINDOW_S) <= now)
        {
            let Some((_, name)) = self.all.pop_front() else { return };
            let Some(times) = self.by_name.get_mut(&name) else { continue };
            times.pop_front();
            if times.is_empty() {
                self.by_name.remove(&name);
            }
        }
        if self.all.is_empty() {
            (self.all, self.by_name) = Default::default(); // memory left over from a peak
        }
    }
}

impl<S> Engine<S> {
    /// PASSWD: asks for the current password, unless the account has changed it too often recently.
    pub(super) fn on_passwd(&mut self, id: ConnId) {
        let Some(name) = self.hub.name_of(id.session()) else { return self.reply(id, &Reply::NeedsAccount) };
        let name = name.clone();
        let reply = self.change_wait_s(&name).map_or(Reply::AskOldPassword, Reply::TooManyChanges);
        self.reply(id, &reply);
    }

    /// How many seconds an account has to wait before it may change its password again; `None` if it need not wait.
    pub(super) fn change_wait_s(&mut self, name: &UserName) -> Option<u64> {
        let due = self.logins.changes.free_at(name, self.now)?;
        Some((due - self.now).div_ceil(1000))
    }

    /// PASSWD: takes the current password.
    pub(super) fn on_old_password(&mut self, id: ConnId, password: &[u8]) {
        let Some(name) = self.hub.name_of(id.session()).cloned() else { return };
        self.ask(id, Asked::OldPassword, Request::Check { name, password: Secret::new(password.to_vec()) });
    }

    /// PASSWD: the current password was right, in this epoch of the account.
    pub(super) fn on_right_old(&mut self, id: ConnId, epoch: u32) {
        if self.conns.find(id).is_some_and(|conn| conn.epoch != epoch) {
            return self.close(id, CloseReason::PasswordChanged);
        }
        match self.take_new_password(id) {
            Some(new) => self.on_new_password(id, new.as_bytes()),
            None => self.reply(id, &Reply::AskNextPassword),
        }
    }

    /// PASSWD: takes the new password.
    pub(super) fn on_new_password(&mut self, id: ConnId, password: &[u8]) {
        let Some(name) = self.hub.name_of(id.session()).cloned() else { return };
        let Some(epoch) = self.conns.find(id).map(|conn| conn.epoch) else { return };
        self.ask(id, Asked::NewPassword, Request::Change { name, epoch, password: Secret::new(password.to_vec()) });
    }

    /// The password of an account was changed. Ends all its sessions except the one that changed it, which may have
    /// ended.
    pub(super) fn on_new_epoch(&mut self, asked_by: ConnId, name: &UserName, epoch: u32) {
        self.logins.changes.note(name.clone(), self.now);
        if let Some(conn) = self.conns.find(asked_by) {
            conn.epoch = epoch;
        }
        let is_stale = |id: &ConnId| self.conns.peek(*id).is_none_or(|conn| conn.epoch != epoch);
        let sessions = self.hub.sessions_of(name).iter();
        let stale: Vec<ConnId> = sessions.map(|session| ConnId::of(*session)).filter(is_stale).collect();
        self.close_all(&stale, &CloseReason::PasswordChanged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Millis = PASSWORD_WINDOW_S as Millis * 1000;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    #[track_caller]
    fn check(changes: &mut Changes, who: &str, now: Millis, expected: Option<Millis>) {
        assert_eq!(changes.free_at(&name(who), now), expected, "{who} at {now}");
    }

    #[test]
    fn three_in_any_ten_minutes() {
        let mut changes = Changes::default();
        for now in [1_000, 2_000, 3_000] {
            check(&mut changes, "alice", now, None);
            changes.note(name("alice"), now);
        }
        check(&mut changes, "ALICE", 3_000, Some(1_000 + WINDOW));
        check(&mut changes, "bob", 3_000, None);
        check(&mut changes, "alice", 999 + WINDOW, Some(1_000 + WINDOW));
        check(&mut changes, "alice", 1_000 + WINDOW, None);
        changes.note(name("Alice"), 1_000 + WINDOW);
        check(&mut changes, "alice", 1_999 + WINDOW, Some(2_000 + WINDOW));
        check(&mut changes, "alice", 9_000 + 2 * WINDOW, None);
        assert_eq!((changes.all.len(), changes.by_name.len()), (0, 0), "what is over is forgotten");
    }

    #[test]
    fn it_remembers_so_many() {
        let mut changes = Changes::default();
        for n in 0..PASSWORD_CHANGES_REMEMBERED + 10 {
            changes.note(name(&format!("n{n}")), 5);
        }
        assert_eq!(changes.all.len(), PASSWORD_CHANGES_REMEMBERED);
        assert_eq!(changes.by_name.len(), PASSWORD_CHANGES_REMEMBERED);
    }
}
