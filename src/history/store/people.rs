//! What accounts say of themselves, whom they ignore, and how loud their places are.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};

use super::base::Base;
use super::changes::{Change, What};
use super::lookup::number_of;
use super::records::given;
use crate::history::request::{Level, Loud, Profile};
use crate::hub::profile::ProfileKey;
use crate::hub::record::{Account, Setting, Whom};

/// `ignore.whom` for all guests.
const GUESTS: i64 = 0;

/// How a level stands in the table `loud`.
const LEVELS: [(i64, Level); 3] = [(0, Level::All), (1, Level::Mentions), (2, Level::None)];

/// The level that this number of the table `loud` is.
pub(super) fn level(stored: i64) -> Option<Level> {
    LEVELS.iter().find(|(number, _)| *number == stored).map(|(_, level)| *level)
}

/// What an account says of itself.
///
/// # Errors
/// Of SQLite, as with all functions here.
pub(super) fn profile(connection: &Connection, account: &Account) -> rusqlite::Result<Profile> {
    let Some(n) = number_of(connection, account)? else { return Ok(Profile::default()) };
    let mut find = connection.prepare_cached("SELECT key, value FROM profile WHERE who = ?1")?;
    let mut values = Vec::new();
    for pair in find.query_map([n], |row| Ok((row.get::<_, Box<str>>(0)?, row.get(1)?)))? {
        let (key, value): (_, Box<str>) = pair?;
        values.extend(ProfileKey::parse(&key).map(|key| (key, value)));
    }
    values.sort_unstable_by_key(|(key, _)| *key);
    let seen = connection.prepare_cached("SELECT seen FROM who WHERE n = ?1")?.query_row([n], |row| row.get(0))?;
    Ok(Profile { values, seen: given(seen) })
}

/// The numbers of the accounts that the account with this number ignores.
pub(super) fn ignored(connection: &Connection, who: Option<i64>) -> rusqlite::Result<HashSet<i64>> {
    let mut find = connection.prepare_cached("SELECT whom FROM ignore WHERE who = ?1 AND whom != ?2")?;
    find.query_map((who, GUESTS), |row| row.get(0))?.collect()
}

/// The places of an account whose levels are not the usual ones.
pub(super) fn levels(connection: &Connection, who: Option<i64>) -> rusqlite::Result<HashMap<i64, Level>> {
    let mut find = connection.prepare_cached("SELECT place, level FROM loud WHERE who = ?1")?;
    let mut all = HashMap::new();
    for pair in find.query_map([who], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))? {
        let (place, level): (i64, i64) = pair?;
        all.extend(self::level(level).map(|level| (place, level)));
    }
    Ok(all)
}

impl Base {
    /// Changes a profile. The old value is held in memory.
    pub(super) fn set_profile(&mut self, setting: &Setting) -> rusqlite::Result<()> {
        let Setting { id, account, key, value } = setting;
        let n = self.who(account)?;
        let old = self.write_value(n, *key, value.as_deref())?;
        self.note(account, What::Key(*key, *id), old);
        Ok(())
    }

    /// Takes a change of a profile back, if it is the newest one of its key.
    pub(super) fn unset(&mut self, id: u64) -> rusqlite::Result<()> {
        match self.changes.newest(id).cloned() {
            Some(change) => self.undo(&change),
            None => Ok(()),
        }
    }

    /// Enters whom an account ignores, or removes that.
    pub(super) fn set_ignored(&mut self, account: &Account, whom: &Whom, is_ignored: bool) -> rusqlite::Result<()> {
        let n = self.who(account)?;
        let other = match whom {
            Whom::Guests => GUESTS,
            Whom::Account(other) => self.who(other)?,
        };
        let was = self.write_ignored(n, other, is_ignored)?;
        self.note(account, What::Whom(whom.clone()), was.then(Box::default));
        Ok(())
    }

    fn note(&mut self, account: &Account, what: What, old: Option<Box<str>>) {
        self.changes.note(Change { account: account.clone(), what, old, at_ms: self.now_ms });
    }

    /// Puts back what was there before a change.
    pub(super) fn undo(&mut self, change: &Change) -> rusqlite::Result<()> {
        let Some(n) = number_of(&self.db, &change.account)? else { return Ok(()) };
        match &change.what {
            What::Key(key, _) => self.write_value(n, *key, change.old.as_deref()).map(drop),
            What::Whom(Whom::Guests) => self.write_ignored(n, GUESTS, change.old.is_some()).map(drop),
            What::Whom(Whom::Account(other)) => match number_of(&self.db, other)? {
                Some(other) => self.write_ignored(n, other, change.old.is_some()).map(drop),
                None => Ok(()),
            },
        }
    }

    /// Sets a value or removes it; gives the one before.
    fn write_value(&mut self, n: i64, key: ProfileKey, value: Option<&str>) -> rusqlite::Result<Option<Box<str>>> {
        let mut find = self.db.prepare_cached("SELECT value FROM profile WHERE who = ?1 AND key = ?2")?;
        let old: Option<Box<str>> = find.query_row((n, key.word()), |row| row.get(0)).optional()?;
        drop(find);
        match value {
            Some(value) => {
                let set = "INSERT INTO profile(who, key, value) VALUES(?1, ?2, ?3)
                     ON CONFLICT(who, key) DO UPDATE SET value = ?3";
                self.run(set, (n, key.word(), value))?
            }
            None => self.run("DELETE FROM profile WHERE who = ?1 AND key = ?2", (n, key.word()))?,
        };
        self.known.must_wipe |= old.is_some() && old.as_deref() != value;
        Ok(old)
    }

    /// Whether it was so before.
    fn write_ignored(&self, n: i64, whom: i64, is_ignored: bool) -> rusqlite::Result<bool> {
        if is_ignored {
            return Ok(self.run("INSERT OR IGNORE INTO ignore(who, whom) VALUES(?1, ?2)", (n, whom))? == 0);
        }
        Ok(self.run("DELETE FROM ignore WHERE who = ?1 AND whom = ?2", (n, whom))? > 0)
    }

    /// Sets how loud a place is, in the open transaction. False if it was so before, or the place is not known.
    pub(super) fn set_loud(&mut self, loud: &Loud) -> rusqlite::Result<bool> {
        let n = self.who(&loud.who)?;
        let Some(at) = self.place(&loud.spot, Some(n))? else { return Ok(false) };
        if loud.level == Level::usual(at.pair.is_some()) {
            return Ok(self.run("DELETE FROM loud WHERE who = ?1 AND place = ?2", (n, at.place))? > 0);
        }
        let level = LEVELS.iter().find(|(_, level)| *level == loud.level).map(|(stored, _)| *stored);
        let set = "INSERT INTO loud(who, place, level) VALUES(?1, ?2, ?3)
             ON CONFLICT(who, place) DO UPDATE SET level = ?3 WHERE level != ?3";
        Ok(self.run(set, (n, at.place, level))? > 0)
    }

    /// Whom accounts ignore, of accounts that exist.
    pub(super) fn ignores(&self, who: &HashMap<i64, (Account, i64)>) -> rusqlite::Result<Vec<(Account, Whom)>> {
        let mut statement = self.db.prepare("SELECT who, whom FROM ignore ORDER BY who, whom")?;
        let living = |n: i64| who.get(&n).filter(|(_, gone)| *gone == 0).map(|(account, _)| account.clone());
        let mut all = Vec::new();
        for pair in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (n, whom) = pair?;
            let whom = if whom == GUESTS { Some(Whom::Guests) } else { living(whom).map(Whom::Account) };
            all.extend(living(n).zip(whom));
        }
        Ok(all)
    }
}
