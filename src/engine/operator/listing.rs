//! Long answers: produced as their reader reads, a part at a time.

use std::vec::IntoIter;

use super::Engine;
use super::entry::Entry;
use super::rights::Right;
use crate::auth::bans::Ban;
use crate::door::operator::{Item, Last, utc};
use crate::engine::id::ConnId;
use crate::hub::names::{RoomName, UserName, Who};
use crate::limits::{ITEMS_A_TURN, LIST_LINE_WORK};

/// The rest of a long answer. What has ended meanwhile is left out.
#[derive(Debug)]
pub(in crate::engine) struct Listing {
    rest: Rest,
    /// How many items were sent.
    count: u64,
}

/// What is still to be listed.
#[derive(Debug)]
pub(super) enum Rest {
    /// Connections and guests.
    Sessions(IntoIter<Entry>),
    /// Rooms.
    Rooms(IntoIter<RoomName>),
    /// Members of a room; true marks the host.
    Members(IntoIter<(Who, bool)>),
    /// Bans.
    Bans(IntoIter<Ban>),
    /// Accounts: a page of them, and the name after which the next page begins.
    Accounts(IntoIter<(UserName, u64)>, Option<UserName>),
}

impl Rest {
    fn len(&self) -> usize {
        match self {
            Self::Sessions(entries) => entries.len(),
            Self::Rooms(names) => names.len(),
            Self::Members(members) => members.len(),
            Self::Bans(bans) => bans.len(),
            Self::Accounts(page, _) => page.len(),
        }
    }
}

impl<S> Engine<S> {
    /// Begins a long answer, and sends its first part. In the chat, where no message may come within an answer, it is
    /// sent at once, and no longer than other lists.
    pub(super) fn list(&mut self, id: ConnId, rest: Rest) {
        if self.right(id) != Right::Socket {
            return self.list_at_once(id, rest);
        }
        self.begin_answer(id);
        self.desk.listings.push((id, Listing { rest, count: 0 }));
        self.list_on(id);
    }

    fn list_at_once(&mut self, id: ConnId, mut rest: Rest) {
        let (all, most) = (rest.len() as u64, u64::from(self.settings.limits.list_lines));
        let mut count = 0;
        while count < most
            && let Some(is_sent) = self.list_one(id, &mut rest)
        {
            count += u64::from(is_sent);
            self.turn.work += LIST_LINE_WORK;
        }
        let last = if rest.len() == 0 { Last::Items(count) } else { Last::Part { shown: count, all } };
        self.answer_last(id, &last);
    }

    /// The connection was written to: sends the next part of a long answer, if there is one and its reader has taken
    /// most of the part before.
    pub(in crate::engine) fn list_on(&mut self, id: ConnId) {
        let Some(place) = self.desk.listings.iter().position(|(of, _)| *of == id) else { return };
        if !self.takes_items(id) {
            return;
        }
        let (_, mut listing) = self.desk.listings.swap_remove(place);
        self.turn.work += ITEMS_A_TURN * LIST_LINE_WORK;
        for _ in 0..ITEMS_A_TURN {
            match self.list_one(id, &mut listing.rest) {
                Some(is_sent) => listing.count += u64::from(is_sent),
                None => return self.end_answer(id, &Last::Items(listing.count)),
            }
            if !self.takes_items(id) {
                break;
            }
        }
        self.desk.listings.push((id, listing));
        self.mark_direct(id); // the flush calls again
    }

    /// Sends the next item. `None` if there is none left; false if it has ended meanwhile.
    fn list_one(&mut self, id: ConnId, rest: &mut Rest) -> Option<bool> {
        Some(match rest {
            Rest::Sessions(entries) => {
                let entry = entries.next()?;
                self.answer_session(id, entry)
            }
            Rest::Rooms(names) => {
                let name = names.next()?;
                self.answer_room(id, &name)
            }
            Rest::Members(members) => {
                let (who, is_host) = members.next()?;
                self.answer_item(id, |item| item.text("name", &who.to_string()).flag("host", is_host));
                true
            }
            Rest::Bans(bans) => {
                let ban = bans.next()?;
                self.answer_ban(id, &ban);
                true
            }
            Rest::Accounts(page, last) => {
                let (name, since) = self.next_account(page, last)?;
                // A server whose clock was not set may have stored 0.
                let since = (since > 0).then(|| utc(since.saturating_mul(1000)));
                self.answer_item(id, |item| item.text("name", name.as_str()).maybe("since", since.as_deref()));
                true
            }
        })
    }

    /// The next account of a list, which reads the accounts by pages: they may be many, and the account thread may be
    /// adding some.
    fn next_account(
        &self,
        page: &mut IntoIter<(UserName, u64)>,
        last: &mut Option<UserName>,
    ) -> Option<(UserName, u64)> {
        let next = page.next().or_else(|| {
            *page = self.logins.roll.list(last.as_ref(), ITEMS_A_TURN).into_iter();
            page.next()
        })?;
        *last = Some(next.0.clone());
        Some(next)
    }

    /// Sends one item.
    pub(super) fn answer_item(&mut self, id: ConnId, fill: impl FnOnce(Item<'_>) -> Item<'_>) {
        self.push_own(id, |_, out| fill(Item::begin(out)).end());
    }

    /// Whether a connection has so little unread that more items may be sent.
    pub(super) fn takes_items(&self, id: ConnId) -> bool {
        let limits = &self.settings.limits;
        self.conns.peek(id).is_some_and(|conn| conn.owed() <= conn.paused_from(limits) / 2)
    }
}
