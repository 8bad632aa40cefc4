//! The tables of words: what is missing in them, and how they are made from the messages.

use rusqlite::{Connection, OptionalExtension as _};

use crate::history::store::schema::{self, kind};
use crate::history::store::words;

/// The ids of a table of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The number of the table.
    pub(super) n: i64,
    /// The first id.
    pub(super) first: i64,
    /// The last one; `None` while the table takes more.
    pub(super) last: Option<i64>,
    /// Messages that were put into it.
    pub(super) rows: i64,
}

impl Span {
    /// The last id, or the highest there is.
    pub(super) fn end(&self) -> i64 {
        self.last.unwrap_or(i64::MAX)
    }
}

/// All tables of words of the schema `of`, the oldest first.
///
/// # Errors
/// Of SQLite.
pub(super) fn all(connection: &Connection, of: &str) -> rusqlite::Result<Vec<Span>> {
    let mut statement = connection.prepare(&format!("SELECT n, first, last, rows FROM {of}.span ORDER BY first"))?;
    let spans = statement
        .query_map([], |row| Ok(Span { n: row.get(0)?, first: row.get(1)?, last: row.get(2)?, rows: row.get(3)? }))?;
    spans.collect()
}

/// Messages whose words cannot be found: a line for each table of words.
///
/// # Errors
/// Of SQLite.
pub(super) fn missing(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut lines = Vec::new();
    for span in all(connection, "main")? {
        let table = format!("word_{}", span.n);
        let is_there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        if connection.query_row(is_there, [&table], |_| Ok(())).optional()?.is_none() {
            lines.push(format!("the words in {table} are not there"));
            continue;
        }
        match missing_in(connection, &table, &span) {
            Ok(0) => {}
            Ok(count) => lines.push(format!("{count} messages have no words in {table}")),
            Err(error) => lines.push(format!("the words in {table} cannot be read: {error}")),
        }
    }
    Ok(lines)
}

fn missing_in(connection: &Connection, table: &str, span: &Span) -> rusqlite::Result<u64> {
    // By place, each of which is a word of all its messages.
    let query = format!(
        "SELECT text FROM message WHERE place = ?1 AND id BETWEEN ?2 AND ?3 \
         AND id NOT IN (SELECT rowid FROM {table} WHERE {table} MATCH ?4)"
    );
    let mut places = connection.prepare("SELECT n, kind, a FROM place WHERE kind <= ?1")?;
    let mut places = places.query([kind::DIRECT])?;
    let mut statement = connection.prepare(&query)?;
    let mut count = 0;
    while let Some(place) = places.next()? {
        let (n, kind, a): (i64, i64, i64) = (place.get(0)?, place.get(1)?, place.get(2)?);
        let word = if kind == kind::DIRECT { schema::account_word(a) } else { schema::place_word(n) };
        let mut missing = statement.query((n, span.first, span.end(), format!("place:\"{word}\"")))?;
        while let Some(row) = missing.next()? {
            // A message without words, such as an emoji, is in no table.
            count += u64::from(!words::of_row(&row.get::<_, String>(0)?).is_empty());
        }
    }
    Ok(count)
}

/// Whether the table of this span in the schema `old` has words of messages that are not there any more.
///
/// # Errors
/// Of SQLite.
pub(super) fn is_stale(connection: &Connection, span: &Span) -> rusqlite::Result<bool> {
    let table = format!("word_{}", span.n);
    // Each message has a word of its place.
    let query = format!(
        "SELECT 1 FROM old.{table} WHERE {table} MATCH 'place:p* OR place:u*' \
         AND rowid NOT IN (SELECT id FROM old.message WHERE id BETWEEN ?1 AND ?2) LIMIT 1"
    );
    Ok(connection.query_row(&query, (span.first, span.end()), |_| Ok(())).optional()?.is_some())
}

/// Makes the table of words of this span from the messages that are there, and its row in `span`. The table must not
/// exist. Gives the number of messages with words.
///
/// # Errors
/// Of SQLite.
pub(super) fn make(connection: &Connection, span: &Span) -> rusqlite::Result<i64> {
    schema::create_words(connection, span.n)?;
    let mut messages = connection.prepare(
        "SELECT m.id, m.text, p.n, p.kind, p.a, p.b FROM message m JOIN place p ON p.n = m.place \
         WHERE m.id BETWEEN ?1 AND ?2 AND p.kind <= 2 ORDER BY m.id",
    )?;
    let mut put = connection.prepare(&format!("INSERT INTO word_{}(rowid, text, place) VALUES(?1, ?2, ?3)", span.n))?;
    let mut rows = messages.query((span.first, span.end()))?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (id, text): (i64, String) = (row.get(0)?, row.get(1)?);
        let (place, kind, a, b): (i64, i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
        let words = words::of_row(&text);
        if !words.is_empty() {
            put.execute((id, words, place_words(place, kind, a, b)))?;
            count += 1;
        }
    }
    connection.execute(
        "INSERT INTO span(n, first, last, rows) VALUES(?1, ?2, ?3, ?4)",
        (span.n, span.first, span.last, count),
    )?;
    Ok(count)
}

/// Copies a table of words of the schema `old` as it is, and its row in `span`.
///
/// # Errors
/// Of SQLite.
pub(super) fn copy(connection: &Connection, span: &Span) -> rusqlite::Result<()> {
    schema::create_words(connection, span.n)?;
    // The tables in which FTS5 keeps it.
    for part in ["data", "idx", "config"] {
        let table = format!("word_{}_{part}", span.n);
        connection
            .execute_batch(&format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM old.{table};"))?;
    }
    connection.execute("INSERT INTO main.span SELECT * FROM old.span WHERE n = ?1", [span.n])?;
    Ok(())
}

/// The words of the column `place`.
fn place_words(place: i64, kind: i64, a: i64, b: i64) -> String {
    if kind == kind::DIRECT {
        format!("{} {}", schema::account_word(a), schema::account_word(b))
    } else {
        schema::place_word(place)
    }
}
