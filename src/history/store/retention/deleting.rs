//! Deletion of messages, and the holes that it leaves.

use std::collections::BTreeMap;

use super::Slice;
use crate::history::store::base::Base;
use crate::history::store::records::Where;
use crate::history::store::rows::Words;

/// Rows that a transaction deletes with their words, whose deletion costs most at its end.
pub(in crate::history::store) const MOST_WITH_WORDS: usize = 64;

/// Deletes messages and remembers up to where their places were cleaned.
#[derive(Debug, Default)]
pub(super) struct Deleting {
    /// Each place, and up to which id it was cleaned.
    pub(super) cleaned: BTreeMap<i64, (Where, i64)>,
    /// Rows that were deleted.
    pub(super) rows: usize,
}

impl Deleting {
    /// Deletes a message.
    pub(super) fn delete(&mut self, base: &mut Base, id: i64, words: Words) -> rusqlite::Result<()> {
        base.begin()?;
        if let Some(at) = base.delete_row(id, words)? {
            let entry = self.cleaned.entry(at.place).or_insert((at, id));
            entry.1 = entry.1.max(id);
            self.rows += 1;
        }
        Ok(())
    }

    /// Whether the transaction should end.
    pub(super) fn is_over(&self, slice: Slice, words: Words) -> bool {
        slice.is_over() || words == Words::Delete && self.rows >= MOST_WITH_WORDS
    }

    /// Leaves a hole in each place, instead of the one that was there before.
    pub(super) fn end(self, base: &mut Base, why: &str) -> rusqlite::Result<()> {
        base.known.must_wipe |= self.rows > 0;
        for (at, id) in self.cleaned.into_values() {
            let old = "SELECT id FROM hole WHERE place = ?1 AND id <= ?2";
            let mut statement = base.db.prepare_cached(old)?;
            let ids: Vec<i64> = statement.query_map((at.place, id), |row| row.get(0))?.collect::<Result<_, _>>()?;
            drop(statement);
            for hole in ids {
                base.remove_hole(at, hole)?;
            }
            base.add_hole(at, id, None, why)?;
            base.run("UPDATE place SET cleaned = ?2 WHERE n = ?1", (at.place, id))?;
        }
        Ok(())
    }
}
