//! Accounts as the tables have them.

use rusqlite::{Connection, OptionalExtension as _};

use crate::hub::record::Account;

/// The number of an account; `None` if the store does not know it.
///
/// # Errors
/// Of SQLite, as with all functions here.
pub(super) fn number_of(connection: &Connection, who: &Account) -> rusqlite::Result<Option<i64>> {
    Ok(number_and_floor(connection, who)?.map(|(n, _)| n))
}

/// The number of an account, and the id up to which it has read everything.
pub(super) fn number_and_floor(connection: &Connection, who: &Account) -> rusqlite::Result<Option<(i64, i64)>> {
    let since = i64::try_from(who.since).unwrap_or(i64::MAX);
    let mut find = connection.prepare_cached("SELECT n, floor FROM who WHERE name = ?1 AND since = ?2")?;
    find.query_row((who.name.as_str(), since), |row| Ok((row.get(0)?, row.get(1)?))).optional()
}
