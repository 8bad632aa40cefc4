//! Looking for an account's own messages. No index has their authors, so all messages are looked at, in slices.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;

use crate::history::store::base::Base;
use crate::history::store::hidden::Hidden;
use crate::history::store::retention::{MOST_WITH_WORDS, Slice};
use crate::history::store::rows::Words;
use crate::history::store::schema::kind;

/// Messages that are looked at before the clock is.
const FEW: usize = 64;

/// Looking for the newest message of an account, from the newest of all on.
#[derive(Debug)]
pub(super) struct Newest {
    /// The account's number.
    pub(super) n: i64,
    /// Only messages below this id are left to look at …
    pub(super) below: i64,
    /// … and from this one on: the account's birth.
    pub(super) from: i64,
}

impl Newest {
    /// Looks for a slice. Gives the message's id; `Some(None)` if there is none, `None` if that is not known yet.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn look(&mut self, base: &Base, slice: Slice) -> rusqlite::Result<Option<Option<i64>>> {
        let hidden = Hidden::load(&base.db)?;
        let mut find = base
            .db
            .prepare_cached("SELECT id, author, place FROM message WHERE id < ?1 AND id >= ?2 ORDER BY id DESC")?;
        let mut rows = find.query((self.below, self.from))?;
        for count in 1_usize.. {
            let Some(row) = rows.next()? else { return Ok(Some(None)) };
            let (id, author) = (row.get(0)?, row.get_ref(1)?);
            self.below = id;
            if is_of(author, self.n) && !hidden.has(author, id) && !is_doomed(base, row.get(2)?)? {
                return Ok(Some(Some(id)));
            }
            if count.is_multiple_of(FEW) && slice.is_over() {
                break;
            }
        }
        Ok(None)
    }
}

/// Deleting all messages of an account, from the oldest on.
#[derive(Debug)]
pub(super) struct All {
    /// The account's number.
    pub(super) n: i64,
    /// Up to this id …
    pub(super) upto: i64,
    /// … and those up to this one are deleted.
    pub(super) done: i64,
    /// How many were deleted.
    pub(super) count: u64,
    /// The numbers of their places.
    pub(super) places: BTreeSet<i64>,
}

impl All {
    /// Deletes for a slice, in a transaction of its own. True if all are deleted.
    ///
    /// # Errors
    /// Of SQLite.
    pub(super) fn delete(&mut self, base: &mut Base, slice: Slice) -> rusqlite::Result<bool> {
        let (found, seen) = self.find(base, slice)?;
        if !found.is_empty() {
            base.begin()?;
        }
        let (mut done, total) = (seen.unwrap_or(self.upto), found.len());
        for (at, id) in found.into_iter().enumerate() {
            if let Some(place) = base.delete_row(id, Words::Delete)? {
                let is_shown = !is_doomed(base, place.place)?;
                self.count += u64::from(is_shown);
                self.places.extend(is_shown.then_some(place.place));
            }
            if at + 1 < total && slice.is_over() {
                done = id;
                break;
            }
        }
        let is_done = done >= self.upto;
        if is_done {
            base.begin()?;
            base.run("DELETE FROM forget WHERE who = ?1", [self.n])?;
        } else if base.has_begun() {
            base.run("UPDATE forget SET done = ?2 WHERE who = ?1", (self.n, done))?;
        }
        base.known.must_wipe |= base.has_begun();
        base.commit()?;
        self.done = done;
        Ok(is_done)
    }

    /// Some messages, and up to which id all were looked at; `None` if that is all of them. It takes half of the slice.
    fn find(&self, base: &Base, slice: Slice) -> rusqlite::Result<(Vec<i64>, Option<i64>)> {
        let mut find =
            base.db.prepare_cached("SELECT id, author FROM message WHERE id > ?1 AND id <= ?2 ORDER BY id")?;
        let mut rows = find.query((self.done, self.upto))?;
        let mut found = Vec::new();
        for count in 1_usize.. {
            let Some(row) = rows.next()? else { return Ok((found, None)) };
            let id = row.get(0)?;
            if is_of(row.get_ref(1)?, self.n) {
                found.push(id);
            }
            let is_over = count.is_multiple_of(FEW) && slice.is_half_over();
            if found.len() >= MOST_WITH_WORDS || is_over {
                return Ok((found, Some(id)));
            }
        }
        Ok((found, None))
    }
}

fn is_of(author: ValueRef<'_>, n: i64) -> bool {
    matches!(author, ValueRef::Integer(author) if author == n)
}

/// Whether a place is being deleted, and so nobody reads it.
fn is_doomed(base: &Base, place: i64) -> rusqlite::Result<bool> {
    Ok(base.number("SELECT kind FROM place WHERE n = ?1", [place])? == Some(kind::DOOMED))
}
