//! Direct messages: to whoever is online, and for an account that is away.

use super::event::{Audience, Event, Manner, Message};
use super::names::{UserName, Who};
use super::record::{Account, Fate, Record, Row, Spot};
use super::session::SessionId;
use super::waits::Waited;
use super::{Hub, Keeping};

impl Hub {
    /// `Tell`. `account` is the account of that name, online or not.
    pub(super) fn on_tell(&mut self, who: SessionId, to: Who, account: Option<Account>, said: (&str, Manner)) {
        let (name, is_reached) = self.look_up(who, to);
        if let Some(name) = self.peace(who, &name, account.as_ref()) {
            return self.tell(who, Event::TakesNone { name });
        }
        if !is_reached {
            return match self.absent(who, account).filter(|_| said.1 == Manner::Text) {
                Some(account) => self.tell_absent(who, account, said),
                None => self.tell(who, self.nobody_hears(who, name)),
            };
        }
        let fate = self.fate_of_direct(who, &name);
        let Some(message) = self.message(who, said, fate).map(Box::new) else { return };
        let audience = Audience::Person { who: name.clone(), except: who };
        self.events.push_back((audience, Event::Told { to: name.clone(), message: message.clone() }));
        self.copy_to_others(who, &name, &message);
        let away = self.away_of(&name);
        self.tell(who, Event::SentTo { name, message, away });
    }

    /// `CanTell`.
    pub(super) fn on_can_tell(&mut self, who: SessionId, name: Who, account: Option<Account>) {
        let (name, is_reached) = self.look_up(who, name);
        if let Some(name) = self.peace(who, &name, account.as_ref()) {
            return self.tell(who, Event::TakesNone { name });
        }
        let event = match self.absent(who, account) {
            _ if is_reached => Event::CanTell { name },
            Some(Account { name, .. }) => Event::CanTell { name: name.into() },
            None => self.nobody_hears(who, name),
        };
        self.tell(who, event);
    }

    /// The name of the receiver, if it takes no direct messages of `who`.
    pub(super) fn peace(&self, who: SessionId, to: &Who, account: Option<&Account>) -> Option<UserName> {
        if self.takes_all() {
            return None;
        }
        let online = self.sessions_named(to).first().and_then(|session| self.account_of(*session));
        let receiver = online.or(account)?;
        self.takes_none(who, receiver).then(|| receiver.name.clone())
    }

    /// The refusal of a direct message from `who` to `name`.
    fn nobody_hears(&self, who: SessionId, name: Who) -> Event {
        if self.who_is(who).as_ref() == Some(&name) {
            Event::OnlyYou
        } else if self.is_guest_here(&name) {
            Event::HearsOneRoom { name }
        } else {
            Event::NotOnline { name }
        }
    }

    /// The account that a message of `who` is kept for, as no session hears it; `None` if none can be.
    fn absent(&self, who: SessionId, account: Option<Account>) -> Option<Account> {
        let sender = self.account_of(who)?;
        account.filter(|account| self.keeping != Keeping::Off && account.name != sender.name)
    }

    /// Keeps a message for an account that is away. The sender waits until it is on disk.
    fn tell_absent(&mut self, who: SessionId, to: Account, said: (&str, Manner)) {
        let Some(from) = self.account_of(who).cloned() else { return };
        if self.keeping == Keeping::Full || !self.waits.has_room() {
            return self.tell(who, Event::NotKept);
        }
        if !self.waiting.has_room(&to, &from) {
            return self.tell(who, Event::TooManyWaiting { name: to.name });
        }
        let spot = Spot::Direct(to.clone());
        let Some(message) = self.message(who, said, Fate::Kept(spot.clone())) else { return };
        self.waiting.add(&to, &from, message.id);
        self.copy_to_others(who, &to.name.clone().into(), &message);
        let Message { id, from, text, .. } = message.clone();
        self.record(Record::Row(Row { id, spot, from, text }));
        self.await_last(who, Waited::Told { to, message: Box::new(message) });
    }

    /// A message for an account that was away is on disk, or is not. Gives the answer.
    pub(super) fn settle_told(
        &mut self,
        who: SessionId,
        from: &Account,
        to: Account,
        message: Message,
        is_kept: bool,
    ) -> Event {
        if is_kept {
            return Event::KeptFor { name: to.name, message };
        }
        let id = message.id;
        self.waiting.take_back(&to, from, id);
        self.record(Record::Withdrawn(id));
        let others = self.sessions_of(&from.name).iter().filter(|session| **session != who);
        if others.filter_map(|session| self.account_of(*session)).any(|account| account == from) {
            let audience = Audience::Person { who: from.name.clone().into(), except: who };
            self.events.push_back((audience, Event::Withdrawn { to: to.name, id }));
        }
        Event::NotKept
    }

    /// Shows a direct message to the other sessions of its sender, unless they hear it anyway.
    fn copy_to_others(&mut self, who: SessionId, to: &Who, message: &Message) {
        if !self.roster.has_siblings(who) {
            return;
        }
        let Some(me) = self.roster.who_of(who).filter(|me| me != to) else { return };
        let event = Event::OwnTold { to: to.clone(), message: Box::new(message.clone()) };
        self.events.push_back((Audience::Person { who: me, except: who }, event));
    }

    /// What becomes of a direct message to somebody who is online. Those with guests are not kept.
    fn fate_of_direct(&self, who: SessionId, to: &Who) -> Fate {
        if self.keeping == Keeping::Off || self.account_of(who).is_none() {
            return Fate::Unkept;
        }
        let receiver = self.sessions_named(to).first().and_then(|session| self.account_of(*session));
        receiver.map_or(Fate::Unkept, |account| self.fate(|| Spot::Direct(account.clone())))
    }

    /// The name as it is shown if somebody who is online has it, else as it was given; and whether it has a session other
    /// than `who`.
    fn look_up(&self, who: SessionId, name: Who) -> (Who, bool) {
        match self.find_online(&name) {
            Some((shown, sessions)) => (shown, sessions.iter().any(|id| *id != who)),
            None => (name, false),
        }
    }
}
