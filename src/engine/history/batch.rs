//! The current batch: records gather until somebody waits for one, or there are many, or the first one is old.

use crate::engine::time::{Millis, NEVER};
use crate::history::{Batch, row_bytes};
use crate::hub::record::{Record, Row};
use crate::limits::HISTORY_BATCH_BYTES;

/// The records that the store has not got yet.
#[derive(Debug)]
pub(super) struct Gathering {
    batch: Batch,
    /// The tickets of the awaited records, in their order.
    tickets: Vec<u64>,
    /// When the first record came; [`NEVER`] if there is none.
    since: Millis,
}

impl Default for Gathering {
    fn default() -> Self {
        Self { batch: Batch::default(), tickets: Vec::new(), since: NEVER }
    }
}

impl Gathering {
    /// Adds a message.
    pub(super) fn add_row(&mut self, row: Row, now: Millis) {
        self.batch.bytes += row_bytes(row.text.len());
        self.push(Record::Row(row), now);
    }

    /// Adds a record; `ticket` is that of the wait for it, if somebody waits.
    pub(super) fn add(&mut self, record: Record, ticket: Option<u64>, now: Millis) {
        if let Some(ticket) = ticket {
            self.batch.awaited.push(self.batch.records.len() as u32);
            self.tickets.push(ticket);
        }
        match record {
            Record::Row(row) => self.add_row(row, now),
            record => self.push(record, now),
        }
    }

    fn push(&mut self, record: Record, now: Millis) {
        self.since = self.since.min(now);
        self.batch.records.push(record);
    }

    /// Bytes of its rows.
    pub(super) fn bytes(&self) -> usize {
        self.batch.bytes
    }

    /// True if it goes out now: a record waits for at most `commit_ms`.
    pub(super) fn is_due(&self, now: Millis, commit_ms: Millis) -> bool {
        !self.tickets.is_empty() || self.batch.bytes >= HISTORY_BATCH_BYTES || self.due(commit_ms) <= now
    }

    /// When it goes out at the latest; [`NEVER`] if it is empty.
    pub(super) fn due(&self, commit_ms: Millis) -> Millis {
        self.since.saturating_add(commit_ms)
    }

    /// Takes the batch, with the tickets of its awaited records; `None` if it is empty.
    pub(super) fn take(&mut self) -> Option<(Batch, Vec<u64>)> {
        if self.batch.records.is_empty() {
            return None;
        }
        let Self { batch, tickets, .. } = std::mem::take(self);
        Some((batch, tickets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::names::{UserName, Who};
    use crate::hub::record::{KeptId, Spot};

    fn row(id: u64, text: &str) -> Row {
        let from = Who::Account(UserName::parse("alice").unwrap());
        Row { id, spot: Spot::Everybody, from, text: text.into() }
    }

    #[test]
    fn it_goes_out_when_its_first_record_is_old() {
        let mut gathering = Gathering::default();
        assert_eq!((gathering.due(250), gathering.is_due(9_999, 250), gathering.take()), (NEVER, false, None));
        gathering.add_row(row(1, "one"), 100);
        gathering.add(Record::RoomGone(KeptId(7)), None, 300);
        assert_eq!((gathering.due(250), gathering.is_due(349, 250), gathering.is_due(350, 250)), (350, false, true));
        let (batch, tickets) = gathering.take().unwrap();
        assert_eq!((batch.records.len(), batch.bytes, tickets.len()), (2, row_bytes(3), 0));
        assert_eq!((gathering.due(250), gathering.bytes()), (NEVER, 0));
    }

    #[test]
    fn it_goes_out_at_once_if_somebody_waits_or_it_is_large() {
        let mut gathering = Gathering::default();
        gathering.add_row(row(1, "one"), 100);
        gathering.add(Record::Row(row(2, "two")), Some(77), 100);
        assert!(gathering.is_due(100, 250));
        let (batch, tickets) = gathering.take().unwrap();
        assert_eq!((batch.awaited, tickets, batch.bytes), (vec![1], vec![77], 2 * row_bytes(3)));
        gathering.add_row(row(3, &"x".repeat(HISTORY_BATCH_BYTES)), 100);
        assert!(gathering.is_due(100, 250));
    }
}
