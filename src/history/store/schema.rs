//! The tables of the store, and the steps from older versions to this one.
//!
//! * An **id** is that of a message: milliseconds since 1970 times 2²⁰, and a number.
//! * `who`: accounts. `gone` is when the account was found to be gone, in milliseconds since 1970; 0 while it exists.
//!   Everything up to the id `floor` is read, in all places. `seen` is the newest id at its last login
//!   or at the end of its last session, and `online` is 1 between these two.
//! * `place`: `*` has number 1; a room is `(1, its kept id, 0)`; direct messages are one place a pair of accounts,
//!   `(2, the smaller who.n, the larger who.n)`, which are equal for messages to oneself. A place of kind 3 is being
//!   deleted and is read by nobody; `b` is the kept id that its room had. `rows` and `bytes` count its messages up to the id `counted` of `meta`. Nothing up
//!   to the id `cleaned` is kept any more; the hole of that id says why.
//! * `message`: `author` is a `who.n`, or the text `~name` of a guest.
//! * `inbox`: each direct message, and each hole among them, once for each of the two accounts. `code` is the place's
//!   number times 4, plus 0 if the account has received the message, 1 if it has sent it, 2 for a hole.
//! * `mention`: who is mentioned in a message to everybody or in a room. A direct message is for its receiver anyway.
//! * `mark`: up to which id an account has read a place. Its floor may be higher.
//! * `hole`: messages that were not kept; `count` is their number if it is known, otherwise `why` is the whole text.
//! * `span`: the ids whose words are in the table `word_N`; `last` is null while the table takes more. Ids between two
//!   spans have no words. A word table is FTS5 without content: its rowid is the message's id, `text` has the message's
//!   words, separated by spaces, and `place` has [`place_word`] or two of [`account_word`]. It may have words of messages
//!   that are deleted; `message` decides.
//! * `profile`: what an account says of itself, by the words of the keys.
//! * `ignore`: whom an account ignores: a `who.n`, or 0 for all guests.
//! * `loud`: how loud a place is for an account, if that is not the usual: 0 all, 1 mentions, 2 none.
//! * `forget`: accounts whose messages up to the id `upto` are being deleted. Those up to `done` are; nobody reads the
//!   others.

use rusqlite::{Connection, Transaction};

/// The version of the tables, `user_version` of the file.
pub(super) const VERSION: i64 = 3;
/// `application_id` of the file: "chat".
pub(super) const APPLICATION: i64 = 0x6368_6174;

/// The number of the place of what is said to everybody.
pub(super) const EVERYBODY: i64 = 1;

/// `place.kind`.
pub(super) mod kind {
    /// What is said to everybody.
    pub(in crate::history::store) const EVERYBODY: i64 = 0;
    /// A kept room: `a` is its [`KeptId`](crate::hub::record::KeptId).
    pub(in crate::history::store) const ROOM: i64 = 1;
    /// Direct messages: `a` and `b` are the accounts' numbers, the smaller one first.
    pub(in crate::history::store) const DIRECT: i64 = 2;
    /// It is being deleted: `a` is its own number, `b` the [`KeptId`](crate::hub::record::KeptId) that it had.
    pub(in crate::history::store) const DOOMED: i64 = 3;
}

/// What an entry of `inbox` is, the lowest two bits of its `code`.
pub(super) mod code {
    /// The account has received this message.
    pub(in crate::history::store) const RECEIVED: i64 = 0;
    /// The account has sent this message.
    pub(in crate::history::store) const SENT: i64 = 1;
    /// A hole.
    pub(in crate::history::store) const HOLE: i64 = 2;
}

/// The word of the column `place` for this place: everybody, or a room.
pub(super) fn place_word(place: i64) -> String {
    format!("p{place}")
}

/// A word of the column `place` for direct messages of this account.
pub(super) fn account_word(who: i64) -> String {
    format!("u{who}")
}

/// The milliseconds since 1970 of a message's id.
pub(super) const fn ms_of(id: i64) -> i64 {
    id >> ID_TIME_SHIFT
}

/// The least id of a message of this millisecond since 1970; the highest id there is for times that have none.
pub(super) fn id_at(ms: i64) -> i64 {
    ms.checked_mul(1 << ID_TIME_SHIFT).unwrap_or(i64::MAX)
}

/// The bits of an id below its milliseconds, as in the hub.
const ID_TIME_SHIFT: u32 = 20;

const TABLES: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE who(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL COLLATE NOCASE,
  since INTEGER NOT NULL,
  gone INTEGER NOT NULL DEFAULT 0,
  floor INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  online INTEGER NOT NULL DEFAULT 0,
  UNIQUE(name, since)
) STRICT;
CREATE INDEX who_gone ON who(gone) WHERE gone > 0;
CREATE TABLE place(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL,
  a INTEGER NOT NULL,
  b INTEGER NOT NULL,
  rows INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  cleaned INTEGER NOT NULL DEFAULT 0,
  UNIQUE(kind, a, b)
) STRICT;
CREATE INDEX place_b ON place(b) WHERE kind = 2;
CREATE TABLE room(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  owner INTEGER,
  ownerless_ms INTEGER NOT NULL,
  days INTEGER NOT NULL,
  topic_by TEXT,
  topic TEXT,
  lock BLOB
) STRICT;
CREATE TABLE member(
  n INTEGER PRIMARY KEY,
  room INTEGER NOT NULL,
  who INTEGER NOT NULL,
  since INTEGER NOT NULL,
  UNIQUE(room, who)
) STRICT;
CREATE TABLE message(
  id INTEGER PRIMARY KEY,
  place INTEGER NOT NULL,
  author ANY NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX message_place ON message(place);
CREATE TABLE inbox(
  who INTEGER NOT NULL,
  id INTEGER NOT NULL,
  code INTEGER NOT NULL,
  PRIMARY KEY(who, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE mention(
  who INTEGER NOT NULL,
  place INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY(who, place, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_id ON mention(id);
CREATE TABLE mark(
  who INTEGER NOT NULL,
  place INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY(who, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE hole(
  place INTEGER NOT NULL,
  id INTEGER NOT NULL,
  count INTEGER,
  why TEXT NOT NULL,
  PRIMARY KEY(place, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE span(
  n INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  last INTEGER,
  rows INTEGER NOT NULL
) STRICT;
CREATE TABLE profile(who INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(who, key))
STRICT, WITHOUT ROWID;
CREATE TABLE ignore(who INTEGER NOT NULL, whom INTEGER NOT NULL, PRIMARY KEY(who, whom)) STRICT, WITHOUT ROWID;
INSERT INTO place(n, kind, a, b) VALUES(1, 0, 0, 0);
";

/// The tables that version 2 has in addition.
const TABLES_2: &str = "
CREATE TABLE loud(who INTEGER NOT NULL, place INTEGER NOT NULL, level INTEGER NOT NULL, PRIMARY KEY(who, place))
STRICT, WITHOUT ROWID;
CREATE TABLE forget(who INTEGER PRIMARY KEY, upto INTEGER NOT NULL, done INTEGER NOT NULL) STRICT;
";

/// What version 3 has in addition: when a room's topic was set, in milliseconds since 1970; 0 if that is not known.
const TABLES_3: &str = "ALTER TABLE room ADD COLUMN topic_ms INTEGER NOT NULL DEFAULT 0;";

/// Makes the tables in an empty file.
///
/// # Errors
/// Of SQLite.
pub(super) fn create(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES)?;
    second(transaction)?;
    third(transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)
}

/// The step from version 1 to 2.
///
/// # Errors
/// Of SQLite.
pub(super) fn second(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES_2)
}

/// The step from version 2 to 3.
///
/// # Errors
/// Of SQLite.
pub(super) fn third(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES_3)
}

/// The tables of version 1 in an empty file.
#[cfg(test)]
pub(super) fn create_first(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", 1)
}

/// Makes the table `word_N`.
///
/// # Errors
/// Of SQLite.
pub(super) fn create_words(connection: &Connection, n: i64) -> rusqlite::Result<()> {
    // `ascii` separates words at the spaces that `words` puts there, and costs least.
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE word_{n} USING fts5(text, place, content='', columnsize=0, detail=column, tokenize='ascii');
         INSERT INTO word_{n}(word_{n}, rank) VALUES('secure-delete', 1);"
    ))
}

/// A store in memory with its tables and one table of words, `word_1`.
#[cfg(test)]
pub(super) fn scratch() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    let transaction = connection.transaction().unwrap();
    create(&transaction).unwrap();
    create_words(&transaction, 1).unwrap();
    transaction.execute("INSERT INTO span(n, first, last, rows) VALUES(1, 0, NULL, 0)", []).unwrap();
    transaction.commit().unwrap();
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_made() {
        let connection = scratch();
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, VERSION);
        let add = "INSERT INTO word_1(rowid, text, place) VALUES(?1, ?2, ?3)";
        connection.execute(add, (5, "上海 hello", place_word(EVERYBODY))).unwrap();
        connection.execute(add, (6, "hello", format!("{} {}", account_word(1), account_word(2)))).unwrap();
        let find = "SELECT count(*) FROM word_1 WHERE word_1 MATCH ?1";
        let count = |query: &str| connection.query_row(find, [query], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("text:\"hello\""), 2);
        assert_eq!(count("text:\"上海\" AND place:\"p1\""), 1);
        assert_eq!(count("text:\"hello\" AND place:\"u2\""), 1);
        assert_eq!((ms_of(id_at(5)), id_at(i64::MAX)), (5, i64::MAX));
    }
}
