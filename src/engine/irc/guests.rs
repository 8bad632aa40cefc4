//! Guests at the IRC door. Where they have no mark, a name that no account has is a guest's.

use std::borrow::Cow;

use crate::door::Decoded;
use crate::door::irc::Guests;
use crate::door::recall::Recall;
use crate::door::reply::{GuestRefusal, Reply};
use crate::engine::Engine;
use crate::engine::id::ConnId;
use crate::hub::command::{Command, Watch};
use crate::hub::names::{GuestName, UserName, Who};

/// The service that takes passwords: no guest without a mark looks like it.
const NICKSERV: &str = "nickserv";

impl<S> Engine<S> {
    /// Lets a guest in who has completed its registration.
    pub(super) fn enter_irc_guest(&mut self, id: ConnId, guest: GuestName, called: Option<Box<str>>) {
        if self.is_bare() && self.is_account_name(&guest) {
            return self.reply(id, &Reply::GuestRefused { why: GuestRefusal::Taken, is_login: true });
        }
        self.let_guest_in(id, guest, called.map(|called| Cow::Owned(called.into())));
    }

    /// Gives the receivers of a request the names that they have: without a mark, nobody can tell a guest's from an
    /// account's. A guest cannot take the name of an account then.
    pub(in crate::engine) fn name_guests(&mut self, id: ConnId, decoded: &mut Decoded<'_>) {
        let is_irc = || self.conns.peek(id).is_some_and(|conn| conn.door.as_irc().is_some());
        if !self.is_bare() || !is_irc() {
            return;
        }
        if let Decoded::Command(Command::Rename { guest }) = decoded
            && self.is_account_name(guest)
        {
            *decoded = Decoded::Reply(Reply::GuestRefused { why: GuestRefusal::Taken, is_login: false });
        } else if let Some(who) = receiver_of(decoded)
            && let Who::Account(name) = &*who
            && self.logins.roll.lookup(name).is_none()
            && let Ok(guest) = GuestName::parse(name.as_str())
        {
            *who = Who::Guest(guest);
        }
    }

    fn is_bare(&self) -> bool {
        self.settings.irc.guests == Guests::Bare
    }

    fn is_account_name(&self, guest: &GuestName) -> bool {
        let is_account =
            |name: UserName| self.logins.roll.lookup(&name).is_some() || self.settings.operators.has(&name);
        guest.as_str().eq_ignore_ascii_case(NICKSERV) || UserName::from_record(guest.as_str()).is_ok_and(is_account)
    }
}

/// Whom a request is about, of those that can be about a guest.
#[allow(clippy::wildcard_enum_match_arm, reason = "other requests are about nobody")]
fn receiver_of<'a>(decoded: &'a mut Decoded<'_>) -> Option<&'a mut Who> {
    match decoded {
        Decoded::Recall(Recall::Whois { who }) => who.as_mut(),
        Decoded::Command(
            Command::Tell { to: who, .. }
            | Command::CanTell { name: who, .. }
            | Command::Kick { name: who, .. }
            | Command::Invite { name: who, .. }
            | Command::HandOn { name: who, .. }
            | Command::Watch(Watch::On(who) | Watch::Off(who)),
        ) => Some(who),
        _ => None,
    }
}
