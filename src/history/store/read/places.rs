//! The places of a request.

use rusqlite::{Connection, OptionalExtension as _};

use super::reader::Reader;
use crate::history::request::{Mine, Of};
use crate::history::store::lookup::number_of;
use crate::history::store::schema::{EVERYBODY, kind};
use crate::hub::record::{Account, KeptId, Spot};

/// The places of a request, as numbers of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::history::store) struct Scope {
    /// The places to everybody and of rooms, and one with direct messages if just that is asked for.
    pub(in crate::history::store) places: Vec<i64>,
    /// Whether all direct messages of the account are asked for.
    pub(in crate::history::store) has_inbox: bool,
}

/// The places that a request is about. Those in which nothing was said yet may be absent.
pub(in crate::history::store) fn scope(
    connection: &Connection,
    reader: &Reader,
    mine: &Mine,
    of: &Of,
) -> rusqlite::Result<Scope> {
    match of {
        Of::One(spot) => {
            let places = place_of(connection, reader, spot)?.into_iter().collect();
            Ok(Scope { places, has_inbox: false })
        }
        Of::All => {
            let mut places = vec![EVERYBODY];
            for room in &mine.rooms {
                places.extend(room_of(connection, *room)?);
            }
            places.sort_unstable();
            places.dedup();
            Ok(Scope { places, has_inbox: reader.n.is_some() })
        }
    }
}

/// The number of a place of the reader's; `None` if the store does not have it.
pub(super) fn place_of(connection: &Connection, reader: &Reader, spot: &Spot) -> rusqlite::Result<Option<i64>> {
    match spot {
        Spot::Everybody => Ok(Some(EVERYBODY)),
        Spot::Room(room) => room_of(connection, *room),
        Spot::Direct(other) => direct_of(connection, reader, other),
    }
}

/// The number of a room's place.
pub(super) fn room_of(connection: &Connection, room: KeptId) -> rusqlite::Result<Option<i64>> {
    find(connection, kind::ROOM, i64::from(room.0), 0)
}

fn direct_of(connection: &Connection, reader: &Reader, other: &Account) -> rusqlite::Result<Option<i64>> {
    let (Some(one), Some(other)) = (reader.n, number_of(connection, other)?) else { return Ok(None) };
    find(connection, kind::DIRECT, one.min(other), one.max(other))
}

fn find(connection: &Connection, kind: i64, a: i64, b: i64) -> rusqlite::Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT n FROM place WHERE kind = ?1 AND a = ?2 AND b = ?3")?;
    find.query_row((kind, a, b), |row| row.get(0)).optional()
}
