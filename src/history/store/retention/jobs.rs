//! The jobs of a pass.

use rusqlite::OptionalExtension as _;

use super::deleting::{Deleting, MOST_WITH_WORDS};
use super::{Slice, room};
use crate::history::store::base::Base;
use crate::history::store::rows::{Words, oldest};
use crate::history::store::schema::{code, id_at, kind};

/// Rows that a job deletes before it looks at the clock.
const FEW: i64 = 16;
/// Pages of a table of words that are deleted before the clock is looked at.
const FEW_PAGES: i64 = 64;
/// Milliseconds between two looks at the accounts that are gone: it reads all of their places.
const GONE_EVERY_MS: i64 = 60 * 60 * 1_000;
/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The jobs in their order.
pub(super) const JOBS: [Job; 9] =
    [Job::Rooms, Job::Days, Job::RoomDays, Job::Messages, Job::Bytes, Job::Spans, Job::Gone, Job::Holes, Job::Wipe];

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Rooms that are no longer kept.
    Rooms,
    /// Messages that are too old.
    Days,
    /// Messages that are too old for their room.
    RoomDays,
    /// Messages of places that have too many.
    Messages,
    /// The oldest messages of the largest places, if the store is too large.
    Bytes,
    /// Tables of words whose messages are all deleted.
    Spans,
    /// What belongs to accounts that are gone.
    Gone,
    /// Old holes.
    Holes,
    /// What was deleted leaves the log.
    Wipe,
}

impl Job {
    /// Works until the slice is over. True if nothing is left to do.
    pub(super) fn run(self, base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
        match self {
            Self::Rooms => rooms(base, slice),
            Self::Days => days(base, slice),
            Self::RoomDays => room_days(base, slice),
            Self::Messages => messages(base, slice),
            Self::Bytes => room::make(base, slice),
            Self::Spans => spans(base, slice),
            Self::Gone => gone(base, slice),
            Self::Holes => holes(base),
            Self::Wipe => wipe(base),
        }
    }
}

fn rooms(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    if base.now_ms < base.known.doomed_until_ms {
        return Ok(true);
    }
    loop {
        let Some(place) = base.number("SELECT n FROM place WHERE kind = ?1 LIMIT 1", [kind::DOOMED])? else {
            base.known.has_doomed = false;
            return Ok(true);
        };
        base.begin()?;
        base.known.must_wipe = true;
        let mut rows = 0;
        loop {
            let ids = oldest(base, place, FEW)?;
            if ids.is_empty() {
                break;
            }
            for id in ids {
                base.delete_row(id, Words::Delete)?;
                rows += 1;
            }
            if slice.is_over() || rows >= MOST_WITH_WORDS {
                return Ok(false);
            }
        }
        base.run("DELETE FROM mention WHERE place = ?1", [place])?;
        base.run("DELETE FROM mark WHERE place = ?1", [place])?;
        base.run("DELETE FROM loud WHERE place = ?1", [place])?;
        base.run("DELETE FROM hole WHERE place = ?1", [place])?;
        base.run("DELETE FROM place WHERE n = ?1", [place])?;
        base.known.tallies.remove(&place);
        base.known.over.remove(&place);
        if slice.is_over() {
            return Ok(false);
        }
    }
}

/// The highest id that is older than this many days, and one more.
fn bound(base: &Base, days: u32) -> i64 {
    id_at(base.now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS)).max(0))
}

fn days(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    let (bound, days) = (bound(base, base.rules.keep_days), base.rules.keep_days);
    let mut deleting = Deleting::default();
    let is_done = loop {
        let mut statement = base.db.prepare_cached("SELECT id FROM message WHERE id < ?1 ORDER BY id LIMIT ?2")?;
        let ids: Vec<i64> = statement.query_map((bound, FEW), |row| row.get(0))?.collect::<Result<_, _>>()?;
        drop(statement);
        if ids.is_empty() {
            break true;
        }
        for id in ids {
            deleting.delete(base, id, Words::Leave)?;
        }
        if deleting.is_over(slice, Words::Leave) {
            break false;
        }
    };
    deleting.end(base, &kept_for(days))?;
    Ok(is_done)
}

/// The text of a hole.
fn kept_for(days: u32) -> String {
    match days {
        1 => "older messages are no longer kept: they are kept for 1 day".to_owned(),
        days => format!("older messages are no longer kept: they are kept for {days} days"),
    }
}

fn room_days(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    let most = base.rules.keep_days;
    let rooms: Vec<(i64, u32)> = base.known.rooms.values().map(|room| (room.place, room.days)).collect();
    for (place, days) in rooms.into_iter().filter(|(_, days)| *days < most) {
        let bound = bound(base, days);
        let mut deleting = Deleting::default();
        let is_done = loop {
            let mut ids = oldest(base, place, FEW)?;
            ids.retain(|id| *id < bound);
            if ids.is_empty() {
                break true;
            }
            for id in ids {
                deleting.delete(base, id, Words::Delete)?;
            }
            if deleting.is_over(slice, Words::Delete) {
                break false;
            }
        };
        deleting.end(base, &kept_for(days))?;
        if !is_done {
            return Ok(false);
        }
    }
    Ok(true)
}

fn messages(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    let most = i64::try_from(base.rules.keep_messages).unwrap_or(i64::MAX);
    let why = format!("older messages are no longer kept: a place keeps {most}");
    while let Some(place) = base.known.over.iter().next().copied() {
        base.tell()?;
        let rows = base.number("SELECT rows FROM place WHERE n = ?1", [place])?.unwrap_or(0);
        let over = usize::try_from(rows.saturating_sub(most)).unwrap_or(0);
        let mut deleting = Deleting::default();
        for id in oldest(base, place, i64::try_from(over.min(MOST_WITH_WORDS)).unwrap_or(0))? {
            deleting.delete(base, id, Words::Delete)?;
            if slice.is_over() {
                break;
            }
        }
        let is_done = deleting.rows >= over || deleting.rows == 0;
        deleting.end(base, &why)?;
        if !is_done {
            return Ok(false);
        }
        base.known.over.remove(&place);
    }
    Ok(true)
}

fn spans(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    // A table that has begun to go is found by its number in `meta`.
    while let Some(n) = doomed_span(base)? {
        base.begin()?;
        let delete =
            format!("DELETE FROM word_{n}_data WHERE id IN (SELECT id FROM word_{n}_data WHERE id > 10 LIMIT ?1)");
        while base.run(&delete, [FEW_PAGES])? > 0 {
            if slice.is_over() {
                return Ok(false);
            }
        }
        base.db.flush_prepared_statement_cache();
        base.db.execute_batch(&format!("DROP TABLE word_{n}"))?;
        base.run("DELETE FROM meta WHERE key = 'doomed_span'", [])?;
        base.known.must_wipe = true;
    }
    Ok(true)
}

/// The table of words that goes, which is out of `span` from then on.
fn doomed_span(base: &mut Base) -> rusqlite::Result<Option<i64>> {
    if let Some(n) = base.meta("doomed_span")? {
        return Ok(Some(n));
    }
    let Some((at, span)) = base.known.spans.first().map(|span| (0, *span)) else { return Ok(None) };
    let Some(last) = span.last else { return Ok(None) };
    let is_used = "SELECT 1 FROM message WHERE id BETWEEN ?1 AND ?2 LIMIT 1";
    if base.number(is_used, (span.first, last))?.is_some() {
        return Ok(None);
    }
    base.begin()?;
    base.run("DELETE FROM span WHERE n = ?1", [span.n])?;
    base.set_meta("doomed_span", span.n)?;
    base.known.spans.remove(at);
    Ok(Some(span.n))
}

/// What an account had goes after as many days as messages are kept; direct messages when both accounts are gone.
fn gone(base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
    if base.now_ms < base.known.gone_due_ms {
        return Ok(true);
    }
    let before = base.now_ms.saturating_sub(i64::from(base.rules.keep_days).saturating_mul(DAY_MS));
    let find =
        "SELECT a.n, b.n, place.n FROM who AS a JOIN place ON place.kind = ?2 AND (place.a = a.n OR place.b = a.n)
         JOIN who AS b ON b.n = place.a + place.b - a.n
         WHERE a.gone > 0 AND a.gone < ?1 AND b.gone > 0 AND b.gone < ?1 LIMIT 1";
    loop {
        let mut statement = base.db.prepare_cached(find)?;
        let found = statement.query_row((before, kind::DIRECT), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let found: Option<(i64, i64, i64)> = found.optional()?;
        drop(statement);
        let Some((a, b, place)) = found else { break };
        base.begin()?;
        base.known.must_wipe = true;
        for id in oldest(base, place, i64::try_from(MOST_WITH_WORDS).unwrap_or(0))? {
            base.delete_row(id, Words::Delete)?;
        }
        if !oldest(base, place, 1)?.is_empty() {
            return Ok(false);
        }
        let delete = "DELETE FROM inbox WHERE who IN (?1, ?2) AND code = ?3";
        base.run(delete, (a, b, place * 4 + code::HOLE))?;
        base.run("DELETE FROM hole WHERE place = ?1", [place])?;
        base.run("DELETE FROM mark WHERE place = ?1", [place])?;
        base.run("DELETE FROM loud WHERE place = ?1", [place])?;
        base.run("DELETE FROM place WHERE n = ?1", [place])?;
        base.known.tallies.remove(&place);
        base.known.over.remove(&place);
        base.known.forget_pairs();
        if slice.is_over() {
            return Ok(false);
        }
    }
    let is_done = forget_accounts(base, before, slice)?;
    if is_done {
        base.known.gone_due_ms = base.now_ms.saturating_add(GONE_EVERY_MS);
    }
    Ok(is_done)
}

/// Marks and the like of accounts that are gone. Each account is looked at once in a run.
fn forget_accounts(base: &mut Base, before: i64, slice: Slice) -> rusqlite::Result<bool> {
    let mut statement = base.db.prepare_cached("SELECT n FROM who WHERE gone > 0 AND gone < ?1")?;
    let all: Vec<i64> = statement.query_map([before], |row| row.get(0))?.collect::<Result<_, _>>()?;
    drop(statement);
    for n in all {
        if !base.known.forgotten.insert(n) {
            continue;
        }
        base.begin()?;
        for table in ["mark", "mention", "profile", "ignore", "loud", "member"] {
            base.run(&format!("DELETE FROM {table} WHERE who = ?1"), [n])?;
        }
        base.run("DELETE FROM ignore WHERE whom = ?1", [n])?;
        base.known.must_wipe = true;
        for room in base.known.rooms.values_mut() {
            room.members.remove(&n);
        }
        if slice.is_over() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Holes that are older than everything that is kept, but for the one that says so.
fn holes(base: &mut Base) -> rusqlite::Result<bool> {
    let bound = bound(base, base.rules.keep_days);
    let find = "SELECT hole.place, hole.id FROM hole JOIN place ON place.n = hole.place
         WHERE hole.id < ?1 AND hole.id != place.cleaned LIMIT 500";
    let mut statement = base.db.prepare_cached(find)?;
    let old = statement.query_map([bound], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let old: Vec<(i64, i64)> = old.collect::<Result<_, _>>()?;
    drop(statement);
    for (place, id) in old {
        base.begin()?;
        if let Some(at) = base.place_of(place)? {
            let mut deleting = Deleting::default();
            deleting.cleaned.insert(place, (at, id));
            deleting.end(base, &kept_for(base.rules.keep_days))?;
        }
    }
    Ok(true)
}

/// Empties the log, so that no deleted text is left there. A reader may be in the way; then the next pass does it.
fn wipe(base: &mut Base) -> rusqlite::Result<bool> {
    if base.known.must_wipe {
        base.commit()?;
        base.known.must_wipe = !base.wipe_log()?;
    }
    Ok(true)
}
