//! The beginning and the end of sessions.

use super::Hub;
use super::command::Command;
use super::event::{Event, Leaving, News};
use super::names::{GuestName, UserName, Who};
use super::people::Parting;
use super::record::{Account, Record};
use super::session::{Owner, SessionId};

impl Hub {
    /// Whether a command lets a guest who has logged in become an account.
    pub(super) fn becomes_account(&self, who: SessionId, command: &Command<'_>) -> bool {
        matches!(command, Command::LogIn { who: Who::Account(_), .. }) && self.roster.guest_of(who).is_some()
    }

    /// `LogIn`.
    pub(super) fn on_log_in(&mut self, who: SessionId, name: Who, since: u64, called: Option<&str>) {
        match name {
            Who::Account(name) => self.log_in(who, Account { name, since }, called),
            Who::Guest(name) => self.let_guest_in(who, name, called),
        }
    }

    fn log_in(&mut self, who: SessionId, account: Account, called: Option<&str>) {
        let name = account.name.clone();
        let sessions = self.sessions_of(&name).len();
        if sessions >= self.rules.sessions_per_account as usize {
            let sessions = sessions as u32;
            return self.tell(who, Event::SessionsFull { sessions });
        }
        if sessions == 0 {
            self.come_online(&account);
        }
        let was = self.roster.guest_of(who).cloned();
        self.online.add(name.clone(), who);
        match &was {
            Some(guest) => {
                self.guests_online.remove(guest, who);
                self.roster.hand_over(who, Owner::Account(account.clone()));
            }
            None => self.roster.insert(who, Owner::Account(account.clone()), self.now_ms),
        }
        self.note_siblings(&name);
        let now = Who::Account(name.clone());
        self.begin_called(&now, called);
        self.tell(who, Event::Welcome { name: now.clone(), online: self.online() });
        if let Some(guest) = was {
            self.become_account(who, Who::Guest(guest), &now);
            self.become_member_everywhere(who, &account);
        }
        if sessions == 0 {
            self.announce_coming(&name);
        }
    }

    /// A guest logs in. Nothing happens but a refusal if another guest has its name.
    fn let_guest_in(&mut self, who: SessionId, name: GuestName, called: Option<&str>) {
        let me = Who::Guest(name.clone());
        if self.is_guest_here(&me) {
            return self.tell(who, Event::GuestNameTaken);
        }
        self.guests_online.add(name.clone(), who);
        self.roster.insert(who, Owner::Guest(Box::new(name)), self.now_ms);
        self.begin_called(&me, called);
        self.tell(who, Event::Welcome { name: me.clone(), online: self.online() });
        self.announce_guest(&me);
    }

    /// The first session of an account logs in.
    fn come_online(&mut self, account: &Account) {
        for older in self.olders(account) {
            self.forget_account(&older);
        }
        self.waiting.clear(&account.name);
        self.record(Record::Account(account.clone()));
    }

    /// `Leave` and `Cut`. Those who share a room with somebody whose last session this is are told before its places end.
    pub(super) fn end_session(&mut self, who: SessionId, parting: Parting, text: Option<&str>) {
        let last = self.roster.who_of(who).filter(|name| self.sessions_named(name).len() == 1);
        let why = if last.is_some() { Leaving::Offline } else { Leaving::Left };
        if let Some(name) = last {
            self.tell_neighbours_of(&name, News::Offline { text: text.map(Into::into) });
        }
        self.leave_all(who, &why, text);
        match self.roster.remove(who) {
            Some(Owner::Account(account)) => self.end_session_of(who, account, parting),
            Some(Owner::Guest(name)) => self.end_guest(who, &name),
            None => {}
        }
    }

    fn end_session_of(&mut self, who: SessionId, account: Account, parting: Parting) {
        self.online.remove(&account.name, who);
        self.end_watches(who);
        self.note_siblings(&account.name);
        if self.sessions_of(&account.name).is_empty() {
            self.announce_going(&account, parting);
            let id = self.next_id(self.now_ms);
            self.record(Record::Seen(account, id));
        }
    }

    fn end_guest(&mut self, who: SessionId, name: &GuestName) {
        self.guests_online.remove(name, who);
        self.end_watches(who);
        self.announce_guest_going(&Who::Guest(name.clone()));
    }

    pub(super) fn note_siblings(&mut self, name: &UserName) {
        if let Some((_, sessions)) = self.online.find(name) {
            self.roster.note_siblings(sessions);
        }
    }
}

/// A text that an event owns.
pub(super) fn owned(text: Option<&str>) -> Option<Box<str>> {
    text.map(Into::into)
}
