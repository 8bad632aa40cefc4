//! Messages that nobody reads any more although they are not deleted yet.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Accounts whose messages up to an id are being forgotten; mostly none.
#[derive(Debug, Default)]
pub(in crate::history::store) struct Hidden(HashMap<i64, i64>);

impl Hidden {
    /// As the tables say.
    ///
    /// # Errors
    /// Of SQLite.
    pub(in crate::history::store) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut find = connection.prepare_cached("SELECT who, upto FROM forget")?;
        find.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>().map(Self)
    }

    /// Whether nothing is being forgotten.
    pub(in crate::history::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether nobody reads the message with this id and this `message.author`.
    pub(in crate::history::store) fn has(&self, author: ValueRef<'_>, id: i64) -> bool {
        match author {
            ValueRef::Integer(n) => self.0.get(&n).is_some_and(|upto| id <= *upto),
            ValueRef::Text(_) | ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => false,
        }
    }
}
