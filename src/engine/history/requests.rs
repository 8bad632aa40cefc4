//! HISTORY, MISSED, SEARCH, UNREAD, READ, NOTIFY, LOCK and WANT become requests, or are answered at once. WHOIS, SET and
//! FORGET are in files of their own.

use super::waits::{Goal, Showing};
use super::when;
use crate::door::Kind;
use crate::door::Masked;
use crate::door::recall::{PlaceName, Recall, Recalled, When};
use crate::door::reply::Reply;
use crate::engine::Engine;
use crate::engine::id::ConnId;
use crate::engine::pause::{Pause, Recalling};
use crate::history::{Counts, End, Find, Loud, Mark, Mine, Of, Page, Request};
use crate::hub::command::Command;
use crate::hub::names::RoomName;
use crate::hub::record::{Account, Spot};
use crate::limits::{HISTORY_LINES, HISTORY_LINES_MOST, HISTORY_PAGE_BYTES};

impl<S> Engine<S> {
    /// Takes a request for what was said before, or about it.
    pub(in crate::engine) fn on_recall(&mut self, id: ConnId, recall: Recall<'_>) {
        let asked = match recall {
            Recall::Lock { room, password } => return self.lock_room(id, room, password),
            Recall::Want(wants) => {
                let is_typed =
                    self.conns.peek(id).is_some_and(|conn| matches!(conn.door.kind(), Some(Kind::Typed | Kind::Web)));
                let answer = if is_typed { Recalled::Wants(wants) } else { Recalled::WantsAreTyped };
                return self.answer_recall(id, answer);
            }
            Recall::Whois { who } => return self.on_whois(id, who),
            Recall::Profile { .. } if self.account_of(id).is_none() => return self.on_whois(id, None),
            _ if self.account_of(id).is_none() => Err(Recalled::NeedsAccount),
            _ if !self.history.is_on => Err(Recalled::NothingKept),
            Recall::Find { .. } if !self.may_search() => Err(Recalled::SearchOff),
            Recall::Page { .. } | Recall::Find { .. } if self.has_short_lists() => Err(Recalled::Unavailable),
            Recall::Forget(what) => return self.on_forget(id, what),
            Recall::Page { .. }
            | Recall::Missed
            | Recall::Find { .. }
            | Recall::Unread
            | Recall::Read { .. }
            | Recall::Profile { .. }
            | Recall::Notify { .. } => self.request(id, recall),
        };
        match asked {
            Ok((request, goal)) => self.ask_history(id, request, goal),
            Err(answer) => self.answer_recall(id, answer),
        }
    }

    fn lock_room(&mut self, id: ConnId, room: RoomName, password: Option<Masked<&str>>) {
        let lock = password.map(|Masked(text)| self.logins.roll.lock(&room, text));
        self.command(id, Command::LockRoom { room, lock });
    }

    fn may_search(&self) -> bool {
        self.settings.history.as_ref().is_some_and(|rules| rules.search)
    }

    /// Sends a request. The connection is not read until it is answered.
    pub(super) fn ask_history(&mut self, id: ConnId, request: Request, goal: Goal) {
        let now = self.now;
        let number = self.history.ask(request, goal, now);
        if let Some(conn) = self.conns.find(id) {
            conn.pause = Pause::Recalling { what: Recalling::Answer(number), since: now };
        }
    }

    /// The request for an account; or the answer, if it may not ask that.
    fn request(&self, id: ConnId, recall: Recall<'_>) -> Result<(Request, Goal), Recalled> {
        let mine = self.mine(id).ok_or(Recalled::NotYours)?;
        let unix_ms = self.unix_ms;
        let most_bytes = self.conns.peek(id).map_or(HISTORY_PAGE_BYTES, |conn| conn.door.page_bytes());
        match recall {
            Recall::Page { place, bound, most } => {
                let (above, below, end) = when::bounds(bound, unix_ms);
                let below = Some(self.until_now(below));
                let of = self.resolve(&mine.who, place)?;
                let most = most.min(HISTORY_LINES_MOST);
                let page = Page { mine, of, above, below, end, most, most_bytes, is_unread: false };
                Ok((Request::Page(page), Goal::Page { id, is_unread: false }))
            }
            Recall::Missed => {
                let (above, below) = self.missed_bounds(id);
                let (of, end, most) = (Of::All, End::Oldest, HISTORY_LINES);
                let page = Page { mine, of, above, below, end, most, most_bytes, is_unread: true };
                Ok((Request::Page(page), Goal::Page { id, is_unread: true }))
            }
            Recall::Find { terms, place, from, before, after } => {
                let above = after.map(|when| when::above(when, unix_ms));
                let below = Some(self.until_now(before.map(|when| when::below(when, unix_ms))));
                let of = self.resolve(&mine.who, place)?;
                let find = Find { mine, of, from, terms, above, below, most: HISTORY_LINES, most_bytes };
                Ok((Request::Find(find), Goal::Page { id, is_unread: false }))
            }
            Recall::Unread => {
                let most = self.rules().list_lines;
                Ok((Request::Counts(Counts { mine, most }), Goal::Counts(id)))
            }
            Recall::Read { place, when } => {
                let of = self.resolve(&mine.who, place)?;
                let shown = self.shown(&of);
                let upto = self.upto(when);
                let mark = Mark { who: mine.who, of, id: upto };
                Ok((Request::Mark(mark), Goal::Mark { id, place: shown, upto }))
            }
            Recall::Profile { key } => {
                let (account, showing) = (mine.who, Showing::Set(key));
                Ok((Request::Profile(account.clone()), Goal::Profile { id, account, showing }))
            }
            Recall::Notify { place, level } => {
                let of = self.resolve(&mine.who, Some(place))?;
                let place = self.shown(&of).ok_or(Recalled::NotYours)?;
                let Of::One(spot) = of else { return Err(Recalled::NotYours) };
                Ok((Request::Loud(Loud { who: mine.who, spot, level }), Goal::Loud { id, place, level }))
            }
            // `on_recall` has taken these.
            Recall::Whois { .. } | Recall::Forget(_) | Recall::Lock { .. } | Recall::Want(_) => Err(Recalled::NotYours),
        }
    }

    /// The account of a connection, and its kept rooms; `None` for a guest.
    pub(super) fn mine(&self, id: ConnId) -> Option<Mine> {
        let who = self.hub.account_of(id.session())?.clone();
        let rooms = self.hub.kept_rooms_of(&who.name);
        Some(Mine { who, rooms })
    }

    /// The places that an account names, if they are its own.
    fn resolve(&self, me: &Account, place: Option<PlaceName>) -> Result<Of, Recalled> {
        let spot = match place {
            None => return Ok(Of::All),
            Some(PlaceName::Everybody) => Spot::Everybody,
            Some(PlaceName::Room(room)) => {
                Spot::Room(self.hub.kept_room_of(&me.name, &room).ok_or(Recalled::NotYours)?)
            }
            // An account that is gone is found by no name.
            Some(PlaceName::Direct(name)) => Spot::Direct(self.logins.roll.account(&name).ok_or(Recalled::NotYours)?),
        };
        Ok(Of::One(spot))
    }

    /// A place as it is shown; `None` for all.
    fn shown(&self, of: &Of) -> Option<Box<str>> {
        match of {
            Of::All => None,
            Of::One(Spot::Everybody) => Some("*".into()),
            Of::One(Spot::Room(room)) => self.hub.name_of_kept(*room).map(|name| name.to_string().into()),
            Of::One(Spot::Direct(account)) => Some(format!("@{}", account.name).into()),
        }
    }

    /// The id up to which something is read; none is higher than the newest.
    fn upto(&self, when: Option<When>) -> u64 {
        let newest = self.hub.last_id();
        when.map_or(newest, |when| when::above(when, self.unix_ms).min(newest))
    }

    /// A bound above which nothing is shown that is said from now on: an account that waits for a page may lose the right to
    /// read a place meanwhile.
    fn until_now(&self, below: Option<u64>) -> u64 {
        below.unwrap_or(u64::MAX).min(self.hub.last_id() + 1)
    }

    /// The bounds of the next page of what was missed: from the floor at the login, or where the last page ended, up to
    /// the newest message at the login.
    fn missed_bounds(&self, id: ConnId) -> (Option<u64>, Option<u64>) {
        let Some(past) = self.conns.peek(id).and_then(|conn| conn.past.as_ref()) else { return (None, None) };
        (past.cursor.or(past.floor), Some(past.newest + 1))
    }

    /// Answers a request.
    pub(super) fn answer_recall(&mut self, id: ConnId, answer: Recalled) {
        self.reply(id, &Reply::Recalled(Box::new(answer)));
    }
}
