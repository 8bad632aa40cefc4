//! Which accounts and rooms of a history the operator means.

use std::path::Path;

use rusqlite::Connection;

use super::Failure;
use super::file::failed;
use crate::history::store::schema::{EVERYBODY, kind};
use crate::hub::names::RoomName;

/// Whose messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Those of these accounts.
    Accounts(Vec<Found>),
    /// Those of guests of this name, with its `~`.
    Guest(String),
}

/// An account of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its number in the table `who`.
    pub(super) n: i64,
    /// Its name as registered.
    pub(super) name: String,
    /// When it was registered, in seconds since 1970.
    pub(super) since: u64,
    /// Whether it is deleted.
    pub(super) is_gone: bool,
}

impl Found {
    /// The account for the operator.
    pub(super) fn describe(&self) -> String {
        let Self { name, since, is_gone, .. } = self;
        let deleted = if *is_gone { ", deleted" } else { "" };
        let since = i64::try_from(*since).ok().filter(|since| *since > 0);
        match since.and_then(|since| time::OffsetDateTime::from_unix_timestamp(since).ok()) {
            Some(at) => {
                let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
                format!("{name}, registered {year:04}-{month:02}-{day:02}{deleted}")
            }
            None => format!("{name}{deleted}"),
        }
    }
}

/// The accounts that `name` means, in any case: the one that exists, otherwise those of that name that are deleted. With
/// `-` before it: those that are deleted. With `~`: guests. `existing` are the accounts of the account file, each with the time of
/// its registration in seconds since 1970, if that could be read. `of` is the schema of the connection in which the history is.
///
/// # Errors
/// [`Failure::Refused`] if there is none.
pub(super) fn accounts(
    history: &Path,
    (connection, of): (&Connection, &str),
    name: &str,
    existing: Option<&[(String, u64)]>,
) -> Result<Whose, Failure> {
    if name.starts_with('~') {
        return Ok(Whose::Guest(name.to_owned()));
    }
    let (bare, is_gone_wanted) = match name.strip_prefix('-') {
        Some(bare) => (bare, true),
        None => (name, false),
    };
    let mut all = of_name(connection, of, bare).map_err(|error| failed(history, &error))?;
    for found in &mut all {
        if let Some(existing) = existing {
            let is_it = |(name, since): &(String, u64)| *since == found.since && name.eq_ignore_ascii_case(&found.name);
            found.is_gone = !existing.iter().any(is_it);
        }
    }
    let (gone, there): (Vec<Found>, Vec<Found>) = all.into_iter().partition(|found| found.is_gone);
    let meant = if is_gone_wanted || there.is_empty() { gone } else { there };
    if meant.is_empty() {
        let what = if is_gone_wanted { "a deleted account" } else { "an account" };
        return Err(Failure::Refused(format!("{}: knows nothing of {what} '{bare}'", history.display())));
    }
    Ok(Whose::Accounts(meant))
}

fn of_name(connection: &Connection, of: &str, name: &str) -> rusqlite::Result<Vec<Found>> {
    let mut statement = connection
        .prepare(&format!("SELECT n, name, since, gone FROM {of}.who WHERE name = ?1 COLLATE NOCASE ORDER BY since"))?;
    let found = statement.query_map([name], |row| {
        Ok(Found {
            n: row.get(0)?,
            name: row.get(1)?,
            since: u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default(),
            is_gone: row.get::<_, i64>(3)? != 0,
        })
    })?;
    found.collect()
}

/// The numbers of the places that `room` means, in any case, with or without `#`; `*` is what was said to everybody.
///
/// # Errors
/// [`Failure::Refused`] if there is none.
pub(super) fn room(history: &Path, (connection, of): (&Connection, &str), room: &str) -> Result<Vec<i64>, Failure> {
    if room == "*" {
        return Ok(vec![EVERYBODY]);
    }
    let name = room.strip_prefix('#').unwrap_or(room);
    let find = || {
        let mut statement = connection.prepare(&format!("SELECT id, name FROM {of}.room"))?;
        let rooms = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        let rooms = rooms.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut places = Vec::new();
        for (id, _) in rooms.into_iter().filter(|(_, found)| is_one_name(found, name)) {
            let mut statement = connection.prepare(&format!("SELECT n FROM {of}.place WHERE kind = ?1 AND a = ?2"))?;
            let found = statement.query_map([kind::ROOM, id], |row| row.get(0))?;
            places.extend(found.collect::<rusqlite::Result<Vec<i64>>>()?);
        }
        Ok(places)
    };
    let places = find().map_err(|error: rusqlite::Error| failed(history, &error))?;
    if places.is_empty() {
        return Err(Failure::Refused(format!("{}: nothing was said in a kept room '{name}'", history.display())));
    }
    Ok(places)
}

/// Whether two names of rooms are equal.
fn is_one_name(found: &str, asked: &str) -> bool {
    match (RoomName::parse(found), RoomName::parse(asked)) {
        (Ok(found), Ok(asked)) => found == asked,
        (Err(_), _) | (_, Err(_)) => found == asked,
    }
}
