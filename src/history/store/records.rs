//! Records become changes of the tables. Records of rooms and messages that are unknown change nothing: what made them
//! unknown was said before, or follows.

use rusqlite::OptionalExtension as _;

use super::base::Base;
use super::known::{Living, Room, sorted};
use super::schema::{self, EVERYBODY, code, kind};
use crate::hub::record::{Account, Hole, KeptId, KeptRoom, Record, Spot};
use crate::limits::HISTORY_WAIT_MS;

/// Milliseconds after which what was in a room that is no longer kept begins to go: more than it takes until somebody who
/// waited for that has been told that it did not happen.
const REGRET_MS: i64 = if cfg!(test) { 100 } else { 2 * HISTORY_WAIT_MS as i64 };

/// The number of a place, and the accounts whose direct messages it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Where {
    /// `place.n`.
    pub(super) place: i64,
    /// Of direct messages: the two accounts, the smaller number first.
    pub(super) pair: Option<(i64, i64)>,
}

/// An id as SQLite has it. Ids are far below the bound.
pub(super) fn stored(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// An id from SQLite.
pub(super) fn given(id: i64) -> u64 {
    u64::try_from(id).unwrap_or(0)
}

impl Base {
    /// Carries out a record in the open transaction.
    ///
    /// # Errors
    /// Of SQLite, as with all methods here.
    pub(super) fn apply(&mut self, record: &Record) -> rusqlite::Result<()> {
        match record {
            Record::Row(row) => self.keep_row(row),
            Record::Account(account) => self.log_in(account),
            Record::Seen(account, id) => {
                let n = self.who(account)?;
                self.known.used(stored(*id));
                self.run("UPDATE who SET seen = max(seen, ?2), online = 0 WHERE n = ?1", (n, stored(*id))).map(drop)
            }
            Record::Deleted(account) => self.delete(account),
            Record::Room(room) => self.keep_room(room),
            Record::RoomGone(room) => self.doom(*room),
            Record::Member(room, account, id) => self.add_member(*room, account, stored(*id)),
            Record::NoMember(room, account) => self.remove_member(*room, account),
            Record::Floor(account, id) => {
                let n = self.who(account)?;
                self.known.used(stored(*id));
                self.run("UPDATE who SET floor = max(floor, ?2) WHERE n = ?1", (n, stored(*id))).map(drop)
            }
            Record::Hole(hole) => self.keep_hole(hole),
            Record::Withdrawn(id) => self.withdraw(stored(*id)),
            Record::Profile(setting) => self.set_profile(setting),
            Record::Unset(id) => self.unset(*id),
            Record::Ignore(account, whom) => self.set_ignored(account, whom, true),
            Record::NoIgnore(account, whom) => self.set_ignored(account, whom, false),
        }
    }

    fn log_in(&mut self, account: &Account) -> rusqlite::Result<()> {
        if let Some(living) = self.known.living(&account.name)
            && living.since != account.since
        {
            self.set_gone(living.n, &account.name)?;
        }
        let n = self.who(account)?;
        let last = self.known.last_id;
        self.run("UPDATE who SET gone = 0, seen = max(seen, ?2), online = 1 WHERE n = ?1", (n, last))?;
        self.known.add_account(account.name.clone(), Living { n, since: account.since });
        Ok(())
    }

    fn delete(&mut self, account: &Account) -> rusqlite::Result<()> {
        match self.known.account(account) {
            Some(n) => self.set_gone(n, &account.name),
            None => Ok(()),
        }
    }

    fn set_gone(&mut self, n: i64, name: &crate::hub::names::UserName) -> rusqlite::Result<()> {
        self.run("UPDATE who SET gone = ?2, online = 0 WHERE n = ?1", (n, self.now_ms.max(1)))?;
        self.known.remove_account(name);
        Ok(())
    }

    /// The number of an account, which is entered if it is new.
    pub(super) fn who(&mut self, account: &Account) -> rusqlite::Result<i64> {
        if let Some(n) = self.known.account(account) {
            return Ok(n);
        }
        let (name, since) = (account.name.as_str(), stored(account.since));
        if let Some(n) = self.number("SELECT n FROM who WHERE name = ?1 AND since = ?2", (name, since))? {
            return Ok(n);
        }
        // An account of which nothing but this is known is gone if another one has its name.
        let has_other = self.known.living(&account.name).is_some();
        let gone = if has_other { self.now_ms.max(1) } else { 0 };
        let floor = self.birth(since);
        self.run(
            "INSERT INTO who(name, since, gone, floor, seen) VALUES(?1, ?2, ?3, ?4, 0)",
            (name, since, gone, floor),
        )?;
        let n = self.db.last_insert_rowid();
        if !has_other {
            self.known.add_account(account.name.clone(), Living { n, since: account.since });
        }
        Ok(n)
    }

    /// The floor of a new account, registered at this second since 1970: what was said before in that second is from before
    /// its birth.
    fn birth(&self, since: i64) -> i64 {
        let second = |since: i64| schema::id_at(since.saturating_mul(1_000));
        let last = self.known.last_id.min(second(since.saturating_add(1)) - 1);
        last.max(second(since))
    }

    /// The number of the place, which is entered if it is new. `other` is the other account of direct messages. `None`
    /// if the room is unknown.
    pub(super) fn place(&mut self, spot: &Spot, other: Option<i64>) -> rusqlite::Result<Option<Where>> {
        let account = match spot {
            Spot::Everybody => return Ok(Some(Where { place: EVERYBODY, pair: None })),
            Spot::Room(room) => {
                return Ok(self.known.rooms.get(room).map(|room| Where { place: room.place, pair: None }));
            }
            Spot::Direct(account) => self.who(account)?,
        };
        let pair = sorted(account, other.unwrap_or(account));
        if let Some(place) = self.known.pair(pair) {
            return Ok(Some(Where { place, pair: Some(pair) }));
        }
        let find = "SELECT n FROM place WHERE kind = ?1 AND a = ?2 AND b = ?3";
        let place = match self.number(find, (kind::DIRECT, pair.0, pair.1))? {
            Some(place) => place,
            None => self.add_place(kind::DIRECT, pair.0, pair.1)?,
        };
        self.known.remember_pair(pair, place);
        Ok(Some(Where { place, pair: Some(pair) }))
    }

    fn add_place(&self, kind: i64, a: i64, b: i64) -> rusqlite::Result<i64> {
        self.run("INSERT INTO place(kind, a, b) VALUES(?1, ?2, ?3)", (kind, a, b))?;
        Ok(self.db.last_insert_rowid())
    }

    fn keep_room(&mut self, room: &KeptRoom) -> rusqlite::Result<()> {
        let owner = room.owner.as_ref().map(|owner| self.who(owner)).transpose()?;
        let (by, topic) = room.topic.as_ref().map(|topic| (&*topic.by, &*topic.text)).unzip();
        let set_ms = stored(room.topic.as_ref().map_or(0, |topic| topic.set_ms));
        let lock = room.lock.as_ref().map(|lock| lock.0.as_slice());
        self.run(
            "INSERT INTO room(id, name, owner, ownerless_ms, days, topic_by, topic, lock, topic_ms)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(id) DO UPDATE SET
             name = ?2, owner = ?3, ownerless_ms = ?4, days = ?5, topic_by = ?6, topic = ?7, lock = ?8, topic_ms = ?9",
            (room.id.0, room.name.as_str(), owner, stored(room.ownerless_since_ms), room.days, by, topic, lock, set_ms),
        )?;
        if let Some(known) = self.known.rooms.get_mut(&room.id) {
            known.days = room.days;
            return Ok(());
        }
        let place = match self.revive(room.id)? {
            Some(place) => place,
            None => self.add_place(kind::ROOM, room.id.0.into(), 0)?,
        };
        self.known.rooms.insert(room.id, Room { place, days: room.days, members: Default::default() });
        self.known.last_room = self.known.last_room.max(room.id.0);
        self.set_meta("last_room", self.known.last_room.into())
    }

    /// A room that was to go stays after all: its place, if that is still there.
    fn revive(&self, room: KeptId) -> rusqlite::Result<Option<i64>> {
        let find = "UPDATE place SET kind = ?2, a = ?1, b = 0 WHERE kind = ?3 AND b = ?1 RETURNING n";
        self.number(find, (room.0, kind::ROOM, kind::DOOMED))
    }

    /// What is in the room can be read no more; it goes in slices, unless the room comes back before ([`REGRET_MS`]).
    fn doom(&mut self, room: KeptId) -> rusqlite::Result<()> {
        let Some(known) = self.known.rooms.remove(&room) else { return Ok(()) };
        self.run("DELETE FROM room WHERE id = ?1", [room.0])?;
        self.run("DELETE FROM member WHERE room = ?1", [room.0])?;
        self.run("UPDATE place SET kind = ?2, a = n, b = ?3 WHERE n = ?1", (known.place, kind::DOOMED, room.0))?;
        (self.known.has_doomed, self.known.doomed_until_ms) = (true, self.now_ms.saturating_add(REGRET_MS));
        Ok(())
    }

    fn add_member(&mut self, room: KeptId, account: &Account, id: i64) -> rusqlite::Result<()> {
        let n = self.who(account)?;
        let Some(known) = self.known.rooms.get_mut(&room) else { return Ok(()) };
        let place = known.place;
        if known.members.insert(n) {
            self.run("INSERT OR IGNORE INTO member(room, who, since) VALUES(?1, ?2, ?3)", (room.0, n, id))?;
            self.raise_mark(n, place, id)?;
        }
        Ok(())
    }

    fn remove_member(&mut self, room: KeptId, account: &Account) -> rusqlite::Result<()> {
        let n = self.who(account)?;
        let Some(known) = self.known.rooms.get_mut(&room) else { return Ok(()) };
        known.members.remove(&n);
        self.run("DELETE FROM member WHERE room = ?1 AND who = ?2", (room.0, n)).map(drop)
    }

    fn raise_mark(&self, n: i64, place: i64, id: i64) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO mark(who, place, id) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET id = max(id, ?3)",
            (n, place, id),
        )
        .map(drop)
    }

    fn keep_hole(&mut self, hole: &Hole) -> rusqlite::Result<()> {
        let other = hole.with.as_ref().map(|with| self.who(with)).transpose()?;
        self.known.used(stored(hole.id));
        match self.place(&hole.spot, other)? {
            Some(place) => self.add_hole(place, stored(hole.id), hole.count.map(stored), &hole.why),
            None => Ok(()),
        }
    }

    /// Enters a hole.
    pub(super) fn add_hole(&self, at: Where, id: i64, count: Option<i64>, why: &str) -> rusqlite::Result<()> {
        let insert = "INSERT OR REPLACE INTO hole(place, id, count, why) VALUES(?1, ?2, ?3, ?4)";
        self.run(insert, (at.place, id, count, why))?;
        self.add_to_inbox(at, id, code::HOLE, code::HOLE)
    }

    /// Enters something in the direct messages of both accounts, with a code for the smaller number and one for the
    /// other.
    pub(super) fn add_to_inbox(&self, at: Where, id: i64, smaller: i64, larger: i64) -> rusqlite::Result<()> {
        let Some((a, b)) = at.pair else { return Ok(()) };
        let insert = "INSERT OR REPLACE INTO inbox(who, id, code) VALUES(?1, ?2, ?3)";
        self.run(insert, (a, id, at.place * 4 + smaller))?;
        if a != b {
            self.run(insert, (b, id, at.place * 4 + larger))?;
        }
        Ok(())
    }

    /// The place with this number.
    pub(super) fn place_of(&self, place: i64) -> rusqlite::Result<Option<Where>> {
        let mut statement = self.db.prepare_cached("SELECT kind, a, b FROM place WHERE n = ?1")?;
        let found = statement.query_row([place], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        Ok(found.map(|(found, a, b): (i64, i64, i64)| Where { place, pair: (found == kind::DIRECT).then_some((a, b)) }))
    }
}
