//! Marks: up to where an account has read.

use rusqlite::Connection;

use super::places::place_of;
use super::reader::Reader;
use super::to_sql;
use crate::history::request::{Mark, Of};

/// Raises a mark, in the open transaction. False if it was as high already, or if the account or the place is not known:
/// then there is nothing to read.
///
/// # Errors
/// Of SQLite.
pub(in crate::history::store) fn mark(connection: &Connection, mark: &Mark) -> rusqlite::Result<bool> {
    let reader = Reader::find(connection, &mark.who)?;
    let (Some(who), id) = (reader.n, to_sql(mark.id)) else { return Ok(false) };
    let Of::One(spot) = &mark.of else {
        if id <= reader.floor {
            return Ok(false);
        }
        connection.prepare_cached("UPDATE who SET floor = ?2 WHERE n = ?1")?.execute((who, id))?;
        // The floor counts for these.
        connection.prepare_cached("DELETE FROM mark WHERE who = ?1 AND id <= ?2")?.execute((who, id))?;
        return Ok(true);
    };
    let Some(place) = place_of(connection, &reader, spot)? else { return Ok(false) };
    if id <= reader.read(connection, place)? {
        return Ok(false);
    }
    let set = "INSERT INTO mark(who, place, id) VALUES(?1, ?2, ?3) ON CONFLICT(who, place) DO UPDATE SET id = ?3";
    connection.prepare_cached(set)?.execute((who, place, id))?;
    Ok(true)
}
