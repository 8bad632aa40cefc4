//! Room on disk: the bound `max_bytes`, and what goes when it is reached.

use super::Slice;
use super::deleting::Deleting;
use crate::history::store::base::Base;
use crate::history::store::records::Where;
use crate::history::store::rows::Words;
use crate::history::store::schema::kind;
use crate::limits;

/// The part of its oldest messages that the largest place loses at once: one of this many.
const SHARE: i64 = 20;

/// The size at which old messages begin to go: the log and one commit fit above it.
pub(super) fn bound(rules: &limits::History) -> u64 {
    rules.max_bytes - rules.max_bytes / 8
}

/// The size at which nothing is kept before old messages are deleted.
pub(super) fn hard_bound(rules: &limits::History) -> u64 {
    rules.max_bytes - rules.max_bytes / 16
}

/// The size below which a store that was full is not full any more.
pub(super) fn calm(rules: &limits::History) -> u64 {
    rules.max_bytes - rules.max_bytes / 4
}

/// Deletes the oldest messages of the largest places until the store is small enough. True if it is, or nothing is
/// left that may go.
pub(super) fn make(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    if base.used_bytes()? <= bound(&base.rules) {
        return Ok(true);
    }
    base.tell()?;
    let spare_waiting = largest(base, true)?;
    let found = match spare_waiting {
        Some(found) => Some(found),
        None => largest(base, false)?,
    };
    let Some((at, ids)) = found else { return Ok(true) };
    let mut deleting = Deleting::default();
    for id in ids {
        deleting.delete(base, id, Words::Delete)?;
        if deleting.is_over(slice, Words::Delete) {
            break;
        }
    }
    debug_assert!(at.place > 0);
    deleting.end(base, "older messages are no longer kept: the store is full")?;
    Ok(false)
}

/// The largest place that has something to lose, and the ids that it loses. With `spares` direct messages that their
/// receiver has not come for do not go.
fn largest(base: &Base, spares: bool) -> rusqlite::Result<Option<(Where, Vec<i64>)>> {
    let mut statement = base.db.prepare_cached(
        "SELECT n, kind, a, b, rows FROM place WHERE rows > 0 AND kind != ?1 ORDER BY bytes + rows * 100 DESC LIMIT 100",
    )?;
    let mut rows = statement.query([kind::DOOMED])?;
    while let Some(row) = rows.next()? {
        let (place, found): (i64, i64) = (row.get(0)?, row.get(1)?);
        let pair: (i64, i64) = (row.get(2)?, row.get(3)?);
        let pair = (found == kind::DIRECT).then_some(pair);
        let most = (row.get::<_, i64>(4)? / SHARE).clamp(1, 1_000);
        let below = match pair {
            Some(pair) if spares => first_waiting(base, place, pair)?.unwrap_or(i64::MAX),
            Some(_) | None => i64::MAX,
        };
        let mut oldest =
            base.db.prepare_cached("SELECT id FROM message WHERE place = ?1 AND id < ?2 ORDER BY id LIMIT ?3")?;
        let ids: Vec<i64> = oldest.query_map((place, below, most), |row| row.get(0))?.collect::<Result<_, _>>()?;
        if !ids.is_empty() {
            return Ok(Some((Where { place, pair }, ids)));
        }
    }
    Ok(None)
}

/// The first message of a pair that its receiver was not online for.
fn first_waiting(base: &Base, place: i64, (a, b): (i64, i64)) -> rusqlite::Result<Option<i64>> {
    let mut first: Option<i64> = None;
    for n in [a, b] {
        let find = "SELECT min(id) FROM inbox JOIN who ON who.n = inbox.who
             WHERE inbox.who = ?1 AND inbox.id > who.seen AND inbox.code = ?2";
        let mut statement = base.db.prepare_cached(find)?;
        let found: Option<i64> = statement.query_row((n, place * 4), |row| row.get(0))?;
        first = match (first, found) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(first)
}
