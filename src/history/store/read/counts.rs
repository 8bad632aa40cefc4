//! Counts of what is unread.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _};

use super::lines::Lines;
use super::merge::{Kind, is_unread, of_inbox};
use super::places::scope;
use super::reader::Reader;
use super::{LOOKS, from_sql};
use crate::history::request::{Count, Counts, Level, Mine, Missed, Of};
use crate::history::store::people;
use crate::limits::COUNT_MOST;

/// Entries of the inbox that are looked at for places, at most. Accounts with more look up each place.
const INBOX_LOOKS: usize = 50_000;

/// What is unread in each place of an account, the place with the newest message first. The account has said nothing
/// above `own_upto`.
///
/// # Errors
/// Of SQLite.
pub(in crate::history::store) fn counts(
    connection: &Connection,
    counts: &Counts,
    own_upto: i64,
) -> rusqlite::Result<Vec<Count>> {
    let reader = Reader::find(connection, &counts.mine.who)?;
    let mut lines = Lines::new(connection, &reader);
    let most = usize::try_from(counts.most).unwrap_or(usize::MAX);
    let mut places = Vec::new();
    for place in scope(connection, &reader, &counts.mine, &Of::All)?.places {
        places.push((last_of(connection, &reader, place)?, place, false));
    }
    places.extend(direct_places(connection, &reader, most)?.into_iter().map(|(last, place)| (last, place, true)));
    places.sort_unstable_by_key(|(last, place, _)| (Reverse(*last), *place));
    places.truncate(most);
    let (marks, levels) = (reader.marks(connection)?, people::levels(connection, reader.n)?);
    let mut own = Own { upto: own_upto, looks: LOOKS };
    let mut all = Vec::with_capacity(places.len());
    for (last, place, is_direct) in places {
        let Some(shown) = lines.place(place)? else { continue };
        let read = marks.get(&place).copied().unwrap_or(reader.floor);
        let unread = if last > read { unread(connection, &reader, place, read, COUNT_MOST, &mut own)? } else { 0 };
        let mentions = match (is_direct, unread) {
            (true, unread) => unread,
            (false, 0) => 0,
            (false, _) => mentions(connection, &reader, place, read, COUNT_MOST)?,
        };
        all.push(Count {
            place: shown,
            unread,
            mentions,
            read: from_sql(read),
            last: from_sql(last),
            level: levels.get(&place).copied().unwrap_or_else(|| Level::usual(is_direct)),
        });
    }
    Ok(all)
}

/// How much an account has missed. It has said nothing above `own_upto`.
///
/// # Errors
/// Of SQLite.
pub(in crate::history::store) fn missed(
    connection: &Connection,
    mine: &Mine,
    own_upto: i64,
) -> rusqlite::Result<Missed> {
    let reader = Reader::find(connection, &mine.who)?;
    let marks = reader.marks(connection)?;
    let mut own = Own { upto: own_upto, looks: LOOKS };
    let direct = unread_inbox(connection, &reader, &marks)?;
    let mut missed = Missed { count: direct, mentions: direct, floor: from_sql(reader.floor) };
    for place in scope(connection, &reader, mine, &Of::All)?.places {
        let read = marks.get(&place).copied().unwrap_or(reader.floor);
        let room = COUNT_MOST - missed.mentions;
        missed.mentions += mentions(connection, &reader, place, read, room)?;
        missed.count += unread(connection, &reader, place, read, COUNT_MOST - missed.count, &mut own)?;
    }
    Ok(missed)
}

/// The newest message of a place; 0 if there is none.
fn last_of(connection: &Connection, reader: &Reader, place: i64) -> rusqlite::Result<i64> {
    if !reader.hidden.is_empty() {
        let mut find = connection.prepare_cached("SELECT id, author FROM message WHERE place = ?1 ORDER BY id DESC")?;
        let mut rows = find.query([place])?;
        for _ in 0..LOOKS {
            let Some(row) = rows.next()? else { return Ok(0) };
            if !reader.hidden.has(row.get_ref(1)?, row.get(0)?) {
                return row.get(0);
            }
        }
        return Ok(0);
    }
    let mut find = connection.prepare_cached("SELECT id FROM message WHERE place = ?1 ORDER BY id DESC LIMIT 1")?;
    Ok(find.query_row([place], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// The reader's own messages, which are not counted.
struct Own {
    /// None has an id above this one, so the index is enough for those.
    upto: i64,
    /// How many the request may still pass over, in all its places.
    looks: usize,
}

/// Messages of others in a place above an id, up to `most`.
fn unread(
    connection: &Connection,
    reader: &Reader,
    place: i64,
    above: i64,
    most: u32,
    own: &mut Own,
) -> rusqlite::Result<u32> {
    let mut count = 0;
    if !reader.hidden.is_empty() {
        own.upto = i64::MAX;
    }
    if above < own.upto {
        let sql = "SELECT author, id FROM message WHERE place = ?1 AND id > ?2 AND id <= ?3 ORDER BY id";
        let mut find = connection.prepare_cached(sql)?;
        let mut rows = find.query((place, above, own.upto))?;
        while count < most
            && own.looks > 0
            && let Some(row) = rows.next()?
        {
            let author = row.get_ref(0)?;
            let is_own = matches!(author, ValueRef::Integer(n) if reader.n == Some(n));
            let is_passed = is_own || reader.hidden.has(author, row.get(1)?);
            count += u32::from(!is_passed);
            own.looks -= usize::from(is_passed);
        }
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM message WHERE place = ?1 AND id > ?2 LIMIT ?3)";
    let mut rest = connection.prepare_cached(sql)?;
    let rest: u32 = rest.query_row((place, above.max(own.upto), most - count), |row| row.get(0))?;
    Ok(count + rest)
}

/// Messages in a place above an id that mention the reader, up to `most`.
fn mentions(connection: &Connection, reader: &Reader, place: i64, above: i64, most: u32) -> rusqlite::Result<u32> {
    if reader.hidden.is_empty() && reader.ignored(connection)?.is_empty() {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM mention WHERE who = ?1 AND place = ?2 AND id > ?3 LIMIT ?4)";
        return connection.prepare_cached(sql)?.query_row((reader.n, place, above, most), |row| row.get(0));
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM
         (SELECT id FROM mention WHERE who = ?1 AND place = ?2 AND id > ?3 ORDER BY id DESC LIMIT ?5) AS it
         CROSS JOIN message ON message.id = it.id
         WHERE message.author NOT IN (SELECT whom FROM ignore WHERE who = ?1) AND NOT EXISTS
           (SELECT 1 FROM forget WHERE forget.who = message.author AND forget.upto >= message.id) LIMIT ?4)";
    let looks = i64::try_from(LOOKS).unwrap_or(i64::MAX);
    connection.prepare_cached(sql)?.query_row((reader.n, place, above, most, looks), |row| row.get(0))
}

/// Whether nobody reads the message with this id any more.
fn is_hidden(connection: &Connection, reader: &Reader, id: i64) -> rusqlite::Result<bool> {
    if reader.hidden.is_empty() {
        return Ok(false);
    }
    let mut find = connection.prepare_cached("SELECT author FROM message WHERE id = ?1")?;
    let is_hidden = |row: &rusqlite::Row<'_>| Ok(reader.hidden.has(row.get_ref(0)?, id));
    Ok(find.query_row([id], is_hidden).optional()?.unwrap_or(true))
}

/// Unread direct messages of an account, up to [`COUNT_MOST`].
fn unread_inbox(connection: &Connection, reader: &Reader, marks: &HashMap<i64, i64>) -> rusqlite::Result<u32> {
    let mut find =
        connection.prepare_cached("SELECT id, code FROM inbox WHERE who = ?1 AND id > ?2 ORDER BY id DESC")?;
    let mut rows = find.query((reader.n, reader.floor))?;
    let (mut count, mut looks) = (0, 0);
    while count < COUNT_MOST
        && looks < INBOX_LOOKS
        && let Some(row) = rows.next()?
    {
        let entry = of_inbox(row.get(0)?, row.get(1)?);
        let is_new = entry.kind == Kind::Received && is_unread(entry, marks);
        count += u32::from(is_new && !is_hidden(connection, reader, entry.id)?);
        looks += 1;
    }
    Ok(count)
}

/// The newest message and the number of the places with direct messages of an account, at least of the `most` newest.
fn direct_places(connection: &Connection, reader: &Reader, most: usize) -> rusqlite::Result<Vec<(i64, i64)>> {
    let mut find = connection.prepare_cached("SELECT id, code FROM inbox WHERE who = ?1 ORDER BY id DESC")?;
    let mut rows = find.query([reader.n])?;
    let (mut places, mut seen) = (Vec::new(), HashSet::new());
    for _ in 0..INBOX_LOOKS {
        let Some(row) = rows.next()? else { return Ok(places) };
        let entry = of_inbox(row.get(0)?, row.get(1)?);
        let is_message = entry.kind != Kind::Hole && !is_hidden(connection, reader, entry.id)?;
        if is_message && seen.insert(entry.place) {
            places.push((entry.id, entry.place));
        }
        if places.len() >= most {
            return Ok(places);
        }
    }
    each_direct_place(connection, reader)
}

/// As [`direct_places`], from the list of places.
fn each_direct_place(connection: &Connection, reader: &Reader) -> rusqlite::Result<Vec<(i64, i64)>> {
    let sql = "SELECT n FROM place WHERE kind = 2 AND a = ?1 UNION SELECT n FROM place WHERE kind = 2 AND b = ?1";
    let mut find = connection.prepare_cached(sql)?;
    let mut places = Vec::new();
    for place in find.query_map([reader.n], |row| row.get(0))? {
        let place = place?;
        places.push((last_of(connection, reader, place)?, place));
    }
    places.retain(|(last, _)| *last > 0);
    Ok(places)
}
