//! What a start reads from the tables, and what it changes: accounts that came and went, the end of the run before.

use std::collections::HashMap;

use rusqlite::config::DbConfig;

use super::base::Base;
use super::known::{Known, Living, Room, Span};
use super::records::{Where, given};
use super::schema::{EVERYBODY, code, kind};
use super::scrub;
use crate::hub::names::{RoomName, UserName};
use crate::hub::record::{Account, KeptId, KeptRoom, Lock, Restored, RestoredRoom, Topic, Waiting};
use crate::limits;

/// The ids of one second.
const SECOND: i64 = 1_000 << 20;
/// The name of an account with a number that is not in `who`.
const NOBODY: &str = "nobody";

impl Base {
    /// Reads what is known of the tables.
    ///
    /// # Errors
    /// Of SQLite, as with all methods here. What cannot be is [an error](invalid) too.
    pub(super) fn load(&mut self) -> rusqlite::Result<()> {
        let is_there = "SELECT count(*) FROM place WHERE n = ?1 AND kind = ?2";
        if self.number(is_there, (EVERYBODY, kind::EVERYBODY))? != Some(1) {
            return Err(invalid("the place of what is said to everybody is missing"));
        }
        let mut known = Known::default();
        // What was deleted before a crash or a fault may be in the log.
        known.must_wipe = true;
        known.unscrubbed = (self.meta(scrub::KEY)? != Some(1)).then_some(0);
        (known.rooms, known.spans) = (self.load_rooms()?, self.load_spans()?);
        self.load_accounts(&mut known)?;
        known.last_id = self.last_id()?;
        known.forget_said();
        known.last_room = self.last_room(&known)?;
        known.has_doomed = self.number("SELECT 1 FROM place WHERE kind = ?1", [kind::DOOMED])?.is_some();
        self.known = known;
        self.find_over()?;
        let counted = self.meta("counted")?.unwrap_or(0);
        self.count_untold(counted)
    }

    fn load_accounts(&self, known: &mut Known) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare("SELECT n, name, since FROM who WHERE gone = 0")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name = user_name(&row.get::<_, String>(1)?)?;
            known.add_account(name, Living { n: row.get(0)?, since: given(row.get(2)?) });
        }
        Ok(())
    }

    fn load_rooms(&self) -> rusqlite::Result<HashMap<KeptId, Room>> {
        let all = "SELECT room.id, place.n, room.days FROM room LEFT JOIN place ON kind = ?1 AND a = room.id AND b = 0";
        let mut statement = self.db.prepare(all)?;
        let mut rows = statement.query([kind::ROOM])?;
        let mut rooms = HashMap::new();
        while let Some(row) = rows.next()? {
            let room = Room { place: row.get(1)?, days: row.get(2)?, ..Room::default() };
            rooms.insert(KeptId(row.get(0)?), room);
        }
        let mut statement = self.db.prepare("SELECT room, who FROM member")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Some(room) = rooms.get_mut(&KeptId(row.get(0)?)) {
                room.members.insert(row.get(1)?);
            }
        }
        Ok(rooms)
    }

    fn load_spans(&self) -> rusqlite::Result<Vec<Span>> {
        let mut statement = self.db.prepare("SELECT n, first, last, rows FROM span ORDER BY n")?;
        let span = |row: &rusqlite::Row<'_>| {
            Ok(Span { n: row.get(0)?, first: row.get(1)?, last: row.get(2)?, rows: row.get(3)? })
        };
        statement.query_map([], span)?.collect()
    }

    /// Finds the places that have more messages than are kept.
    pub(super) fn find_over(&mut self) -> rusqlite::Result<()> {
        let most = i64::try_from(self.rules.keep_messages).unwrap_or(i64::MAX);
        let mut statement = self.db.prepare_cached("SELECT n FROM place WHERE rows > ?1 AND kind != ?2")?;
        let over = statement.query_map((most, kind::DOOMED), |row| row.get(0))?;
        self.known.over = over.collect::<Result<_, _>>()?;
        Ok(())
    }

    fn last_id(&self) -> rusqlite::Result<i64> {
        let mut last = self.meta("last")?.unwrap_or(0);
        for query in [
            "SELECT max(id) FROM message",
            "SELECT max(id) FROM hole",
            "SELECT max(id) FROM mark",
            "SELECT max(since) FROM member",
            "SELECT max(seen) FROM who",
        ] {
            let max: Option<i64> = self.db.query_row(query, [], |row| row.get(0))?;
            last = last.max(max.unwrap_or(0));
        }
        Ok(last)
    }

    fn last_room(&self, known: &Known) -> rusqlite::Result<u32> {
        let kept = known.rooms.keys().map(|room| room.0).max().unwrap_or(0);
        let used = self.meta("last_room")?.unwrap_or(0);
        Ok(u32::try_from(used).map_err(|_| invalid("the highest number of a room is none"))?.max(kept))
    }

    /// Compares the accounts with those that exist now.
    pub(super) fn reconcile(&mut self, accounts: Vec<Account>) -> rusqlite::Result<()> {
        self.begin()?;
        let mut missing: HashMap<(UserName, u64), Account> =
            accounts.into_iter().map(|account| ((account.name.clone(), account.since), account)).collect();
        for (n, gone) in self.come_and_gone(&mut missing)? {
            self.run("UPDATE who SET gone = ?2, online = 0 WHERE n = ?1", (n, gone))?;
        }
        self.load()?;
        let mut new: Vec<Account> = missing.into_values().collect();
        new.sort_unstable();
        for account in new {
            self.who(&account)?;
        }
        Ok(())
    }

    /// The accounts whose `gone` changes, with its new value. Those that are known are taken out of `accounts`.
    fn come_and_gone(&self, accounts: &mut HashMap<(UserName, u64), Account>) -> rusqlite::Result<Vec<(i64, i64)>> {
        let mut statement = self.db.prepare("SELECT n, name, since, gone FROM who")?;
        let mut rows = statement.query([])?;
        let mut changed = Vec::new();
        while let Some(row) = rows.next()? {
            let key = (user_name(&row.get::<_, String>(1)?)?, given(row.get(2)?));
            let is_gone = row.get::<_, i64>(3)? != 0;
            match (accounts.remove(&key), is_gone) {
                (Some(_), true) => changed.push((row.get(0)?, 0)),
                (None, false) => changed.push((row.get(0)?, self.now_ms.max(1))),
                (Some(_), false) | (None, true) => {}
            }
        }
        Ok(changed)
    }

    /// Begins a run: where the run before may have lost messages, it leaves holes.
    pub(super) fn begin_run(&mut self) -> rusqlite::Result<()> {
        // The first run notes that it is not clean when it begins.
        let (is_clean, last) = (self.meta("clean")?.unwrap_or(1) == 1, self.known.last_id);
        if !is_clean {
            let lost = self.meta("commit_ms")?.unwrap_or(limits::History::default().commit_ms.into());
            self.mark_losses(&format!("up to {lost} ms of messages were not kept: the server did not end properly"))?;
            // Another program may have moved the log into the file.
            self.known.unscrubbed = Some(0);
        }
        self.set_meta(scrub::KEY, i64::from(self.known.unscrubbed.is_none()))?;
        // Who was online has heard what was said until then.
        self.run("UPDATE who SET online = 0, seen = max(seen, ?1) WHERE online != 0", [last])?;
        self.set_meta("words", super::words::VERSION.into())?;
        self.set_meta("clean", 0)?;
        self.tell()
    }

    /// A hole in each place that may have lost something: everybody, the rooms, and the direct messages between two
    /// accounts that were both online. (One to an account that was away was on disk before its sender was told.)
    fn mark_losses(&mut self, why: &str) -> rusqlite::Result<()> {
        let places = "SELECT n FROM place WHERE kind IN (?1, ?2) UNION ALL
             SELECT place.n FROM place JOIN who AS one ON one.n = a JOIN who AS other ON other.n = b
             WHERE kind = ?3 AND one.online AND other.online";
        let mut statement = self.db.prepare(places)?;
        let found = statement.query_map((kind::EVERYBODY, kind::ROOM, kind::DIRECT), |row| row.get(0))?;
        let found: Vec<i64> = found.collect::<Result<_, _>>()?;
        drop(statement);
        // A run begins a second after the last id that is known, or at the present if that is later. What it has lost has
        // ids from there on, up to the present or some more than the first.
        let mut id = (self.known.last_id + 2 * SECOND).max(super::schema::id_at(self.now_ms));
        for place in found {
            let Some(at) = self.place_of(place)? else { continue };
            self.join_loss(at, why)?;
            self.add_hole(at, id, None, why)?;
            self.known.used(id);
            id += 1;
        }
        Ok(())
    }

    /// If nothing was kept in a place since a loss of the same kind, the two become one.
    fn join_loss(&self, at: Where, why: &str) -> rusqlite::Result<()> {
        let last = "SELECT id FROM hole WHERE place = ?1 AND why = ?2 AND count IS NULL
             AND id > (SELECT ifnull(max(id), 0) FROM message WHERE place = ?1) ORDER BY id DESC LIMIT 1";
        match self.number(last, (at.place, why))? {
            Some(id) => self.remove_hole(at, id),
            None => Ok(()),
        }
    }

    /// Removes a hole.
    pub(super) fn remove_hole(&self, at: Where, id: i64) -> rusqlite::Result<()> {
        self.run("DELETE FROM hole WHERE place = ?1 AND id = ?2", (at.place, id))?;
        if let Some((a, b)) = at.pair {
            let delete = "DELETE FROM inbox WHERE who IN (?1, ?2) AND id = ?3 AND code = ?4";
            self.run(delete, (a, b, id, at.place * 4 + code::HOLE))?;
        }
        Ok(())
    }

    /// What the hub gets at a start.
    pub(super) fn restored(&self) -> rusqlite::Result<Restored> {
        let who = self.all_accounts()?;
        Ok(Restored {
            ignores: self.ignores(&who)?,
            last_id: given(self.known.last_id),
            last_room: self.known.last_room,
            rooms: self.restored_rooms(&who)?,
            waiting: self.waiting(&who)?,
        })
    }

    /// All accounts by their numbers, with the time since which they are gone, 0 if they are not.
    fn all_accounts(&self) -> rusqlite::Result<HashMap<i64, (Account, i64)>> {
        let mut statement = self.db.prepare(
            "SELECT n, name, since, gone FROM who WHERE n IN (SELECT who FROM member UNION SELECT owner FROM room)
             OR gone = 0",
        )?;
        let mut rows = statement.query([])?;
        let mut all = HashMap::new();
        while let Some(row) = rows.next()? {
            let account = Account { name: user_name(&row.get::<_, String>(1)?)?, since: given(row.get(2)?) };
            all.insert(row.get(0)?, (account, row.get(3)?));
        }
        Ok(all)
    }

    fn restored_rooms(&self, who: &HashMap<i64, (Account, i64)>) -> rusqlite::Result<Vec<RestoredRoom>> {
        let mut statement = self.db.prepare(
            "SELECT id, name, owner, ownerless_ms, days, topic_by, topic, lock, topic_ms FROM room ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut rooms = Vec::new();
        while let Some(row) = rows.next()? {
            let owner = row.get::<_, Option<i64>>(2)?.and_then(|n| who.get(&n));
            let since = given(row.get(3)?);
            let (owner, ownerless_since_ms) = match owner {
                Some((account, 0)) => (Some(account.clone()), 0),
                Some((_, gone)) => (None, if since == 0 { given(*gone) } else { since }),
                None => (None, if since == 0 { given(self.now_ms) } else { since }),
            };
            let topic = row.get::<_, Option<Box<str>>>(6)?.filter(|text| !text.is_empty());
            let by = row.get::<_, Option<Box<str>>>(5)?.unwrap_or_else(|| NOBODY.into());
            let set_ms = given(row.get(8)?);
            let lock = row.get::<_, Option<Vec<u8>>>(7)?.map(<[u8; Lock::BYTES]>::try_from).transpose();
            let room = KeptRoom {
                id: KeptId(row.get(0)?),
                name: RoomName::parse(&row.get::<_, String>(1)?).map_err(|_| invalid("a room has no name"))?,
                owner,
                ownerless_since_ms,
                days: row.get(4)?,
                topic: topic.map(|text| Topic { by, text, set_ms }),
                lock: lock.map_err(|_| invalid("the check of a room's password has another length"))?.map(Lock),
            };
            let members = self.members(room.id, who)?;
            rooms.push(RestoredRoom { room, members });
        }
        rooms.iter_mut().for_each(add_owner);
        Ok(rooms)
    }

    fn members(&self, room: KeptId, who: &HashMap<i64, (Account, i64)>) -> rusqlite::Result<Vec<Account>> {
        let mut statement = self.db.prepare_cached("SELECT who FROM member WHERE room = ?1 ORDER BY since, n")?;
        let members: Vec<i64> = statement.query_map([room.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let living = |n: &i64| who.get(n).filter(|(_, gone)| *gone == 0).map(|(account, _)| account.clone());
        Ok(members.iter().filter_map(living).collect())
    }

    fn waiting(&self, who: &HashMap<i64, (Account, i64)>) -> rusqlite::Result<Vec<Waiting>> {
        let mut statement = self.db.prepare(
            "SELECT who.n, message.author, count(*) FROM who
             JOIN inbox ON inbox.who = who.n AND inbox.id > who.seen AND inbox.code & 3 = ?1
             JOIN message ON message.id = inbox.id AND typeof(message.author) = 'integer'
             WHERE who.gone = 0 AND NOT EXISTS (SELECT 1 FROM forget WHERE forget.who = author AND upto >= message.id)
             GROUP BY who.n, message.author",
        )?;
        let mut rows = statement.query([code::RECEIVED])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let (to, from) = (who.get(&row.get(0)?), who.get(&row.get(1)?));
            if let (Some((to, 0)), Some((from, 0))) = (to, from) {
                all.push(Waiting { to: to.clone(), from: from.clone(), count: row.get(2)? });
            }
        }
        Ok(all)
    }

    /// Ends a run: the next start knows that nothing was lost.
    pub(super) fn end_run(&mut self) -> rusqlite::Result<()> {
        self.tell()?;
        self.set_meta("clean", 1)?;
        self.commit()?;
        if self.wipe_log()? {
            // Now the close may remove the log.
            self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        }
        Ok(())
    }
}

fn add_owner(restored: &mut RestoredRoom) {
    if let Some(owner) = &restored.room.owner
        && !restored.members.contains(owner)
    {
        restored.members.insert(0, owner.clone());
    }
}

fn user_name(text: &str) -> rusqlite::Result<UserName> {
    UserName::from_record(text).map_err(|_| invalid("an account has no name"))
}

/// An error about the content of a table.
pub(super) fn invalid(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Null, what.into())
}
