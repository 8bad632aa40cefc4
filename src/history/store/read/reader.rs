//! The account that reads, and up to where it has read.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};

use crate::history::store::hidden::Hidden;
use crate::history::store::lookup::number_and_floor;
use crate::history::store::people;
use crate::history::store::schema::id_at;
use crate::hub::names::UserName;
use crate::hub::record::Account;

/// The account that reads.
pub(in crate::history::store) struct Reader {
    /// Its number; `None` if the store does not know it.
    pub(in crate::history::store) n: Option<i64>,
    /// Its name.
    pub(in crate::history::store) name: UserName,
    /// The least id since it exists.
    pub(in crate::history::store) birth: i64,
    /// Everything up to this id is read, in all places.
    pub(in crate::history::store) floor: i64,
    /// What nobody reads any more.
    pub(in crate::history::store) hidden: Hidden,
    /// The accounts that it ignores, once they were read.
    ignored: OnceCell<HashSet<i64>>,
}

impl Reader {
    /// The account, as the store knows it.
    pub(in crate::history::store) fn find(connection: &Connection, who: &Account) -> rusqlite::Result<Self> {
        let birth = start_of(who.since);
        let (name, found) = (who.name.clone(), number_and_floor(connection, who)?);
        let floor = found.map_or(birth, |(_, floor)| floor.max(birth));
        Ok(Self {
            n: found.map(|(n, _)| n),
            name,
            birth,
            floor,
            hidden: Hidden::load(connection)?,
            ignored: OnceCell::new(),
        })
    }

    /// Up to which id the account has read a place: the place's mark or the floor, whichever is higher.
    pub(in crate::history::store) fn read(&self, connection: &Connection, place: i64) -> rusqlite::Result<i64> {
        let mut find = connection.prepare_cached("SELECT id FROM mark WHERE who = ?1 AND place = ?2")?;
        let mark = find.query_row((self.n, place), |row| row.get(0)).optional()?;
        Ok(mark.unwrap_or(self.floor).max(self.floor))
    }

    /// The numbers of the accounts that it ignores.
    pub(in crate::history::store) fn ignored(&self, connection: &Connection) -> rusqlite::Result<&HashSet<i64>> {
        if let Some(ignored) = self.ignored.get() {
            return Ok(ignored);
        }
        let ignored = people::ignored(connection, self.n)?;
        Ok(self.ignored.get_or_init(|| ignored))
    }

    /// All marks of the account above its floor, by place.
    pub(in crate::history::store) fn marks(&self, connection: &Connection) -> rusqlite::Result<HashMap<i64, i64>> {
        let mut find = connection.prepare_cached("SELECT place, id FROM mark WHERE who = ?1 AND id > ?2")?;
        find.query_map((self.n, self.floor), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

/// The floor of a new account, which was registered at this time in seconds since 1970.
pub(in crate::history::store) fn start_of(since: u64) -> i64 {
    id_at(i64::try_from(since).unwrap_or(i64::MAX).saturating_mul(1_000))
}
