//! Messages go in and out: the row, its words, the entries that lead to it.

use rusqlite::OptionalExtension as _;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::base::Base;
use super::known::Span;
use super::records::{Where, stored};
use super::schema::{self, code};
use super::words;
use crate::failpoint::failpoint;
use crate::hub::names::Who;
use crate::hub::record::{Row, Spot};

/// Rows after which a new table of words is begun …
const SPAN_ROWS: i64 = 500_000;
/// … and the milliseconds.
const SPAN_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Who has said something, as `message.author` has it.
enum Author {
    Account(i64),
    Other(String),
}

impl rusqlite::ToSql for Author {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Account(n) => ToSqlOutput::Owned(Value::Integer(*n)),
            Self::Other(name) => ToSqlOutput::Borrowed(ValueRef::Text(name.as_bytes())),
        })
    }
}

/// What becomes of the words of a deleted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// They are deleted.
    Delete,
    /// They go with their table, which is about to go.
    Leave,
}

impl Base {
    /// Keeps a message. One that is kept already stays as it is.
    ///
    /// # Errors
    /// Of SQLite, as with all methods here.
    pub(super) fn keep_row(&mut self, row: &Row) -> rusqlite::Result<()> {
        let id = stored(row.id);
        let author = match &row.from {
            Who::Account(name) => match self.known.living(name) {
                Some(living) => Author::Account(living.n),
                None => Author::Other(format!("-{name}")),
            },
            Who::Guest(_) => Author::Other(row.from.to_string()),
        };
        let n = match author {
            Author::Account(n) => Some(n),
            Author::Other(_) => None,
        };
        self.known.used(id);
        let Some(at) = self.place(&row.spot, n)? else { return Ok(()) };
        let insert = "INSERT OR IGNORE INTO message(id, place, author, text) VALUES(?1, ?2, ?3, ?4)";
        if self.run(insert, (id, at.place, &author, &*row.text))? == 0 {
            return Ok(());
        }
        failpoint("keep", row.text.as_bytes());
        self.known.count(at.place, 1, row.text.len().try_into().unwrap_or(0));
        if let Some(n) = n {
            self.known.note_said(n, id);
        }
        self.add_words(at, id, &row.text)?;
        if let Some((a, _)) = at.pair {
            let [sent, received] = [code::SENT, code::RECEIVED];
            let (smaller, larger) = if n == Some(a) { (sent, received) } else { (received, sent) };
            return self.add_to_inbox(at, id, smaller, larger);
        }
        self.add_mentions(row, at, n)
    }

    fn add_mentions(&mut self, row: &Row, at: Where, author: Option<i64>) -> rusqlite::Result<()> {
        let mut mentioned = self.known.mentioned(&row.text);
        mentioned.retain(|n| Some(*n) != author);
        if let Spot::Room(room) = &row.spot {
            mentioned.retain(|n| self.known.rooms.get(room).is_some_and(|room| room.members.contains(n)));
        }
        for n in mentioned {
            let insert = "INSERT OR IGNORE INTO mention(who, place, id) VALUES(?1, ?2, ?3)";
            self.run(insert, (n, at.place, stored(row.id)))?;
        }
        Ok(())
    }

    fn add_words(&mut self, at: Where, id: i64, text: &str) -> rusqlite::Result<()> {
        if !self.rules.search {
            return self.end_span();
        }
        let words = words::of_row(text);
        if words.is_empty() {
            return Ok(());
        }
        let n = self.span_for(id)?;
        let insert = format!("INSERT INTO word_{n}(rowid, text, place) VALUES(?1, ?2, ?3)");
        self.run(&insert, (id, words, place_words(at)))?;
        if let Some(span) = self.known.spans.last_mut() {
            span.rows += 1;
        }
        Ok(())
    }

    /// The number of the table that takes the words of a new message with this id.
    fn span_for(&mut self, id: i64) -> rusqlite::Result<i64> {
        if let Some(span) = self.known.spans.last()
            && span.last.is_none()
            && id >= span.first
        {
            let is_young = schema::ms_of(id) - schema::ms_of(span.first) < SPAN_MS;
            if is_young && span.rows < SPAN_ROWS {
                return Ok(span.n);
            }
        }
        self.end_span()?;
        let last = self.known.spans.last().and_then(|span| span.last).unwrap_or(0);
        let n = self.meta("last_span")?.unwrap_or(0) + 1;
        let first = id.max(last + 1);
        schema::create_words(&self.db, n)?;
        self.set_meta("last_span", n)?;
        self.run("INSERT INTO span(n, first, last, rows) VALUES(?1, ?2, NULL, 0)", (n, first))?;
        self.known.spans.push(Span { n, first, last: None, rows: 0 });
        Ok(n)
    }

    /// The newest table of words takes no more.
    fn end_span(&mut self) -> rusqlite::Result<()> {
        let last_id = self.known.last_id;
        let Some(span) = self.known.spans.last_mut().filter(|span| span.last.is_none()) else { return Ok(()) };
        // The id of the message that is being kept is the highest one.
        let last = (last_id - 1).max(span.first);
        span.last = Some(last);
        let (n, rows) = (span.n, span.rows);
        self.run("UPDATE span SET last = ?2, rows = ?3 WHERE n = ?1", (n, last, rows)).map(drop)
    }

    /// Deletes a message that was not to be kept.
    pub(super) fn withdraw(&mut self, id: i64) -> rusqlite::Result<()> {
        self.delete_row(id, Words::Delete)?;
        self.known.must_wipe = true;
        Ok(())
    }

    /// Deletes a message with everything that leads to it. Gives its place, if there was such a message.
    pub(super) fn delete_row(&mut self, id: i64, words: Words) -> rusqlite::Result<Option<Where>> {
        let mut statement = self.db.prepare_cached("SELECT place, text FROM message WHERE id = ?1")?;
        let found = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        drop(statement);
        let Some((place, text)): Option<(i64, String)> = found else { return Ok(None) };
        let at = self.place_of(place)?.unwrap_or(Where { place, pair: None });
        if words == Words::Delete {
            self.delete_words(at, id, &text)?;
        }
        match at.pair {
            Some((a, b)) => {
                self.run("DELETE FROM inbox WHERE who IN (?1, ?2) AND id = ?3", (a, b, id))?;
            }
            None => {
                self.run("DELETE FROM mention WHERE id = ?1", [id])?;
            }
        }
        self.run("DELETE FROM message WHERE id = ?1", [id])?;
        self.known.count(place, -1, -text.len().try_into().unwrap_or(0));
        Ok(Some(at))
    }

    fn delete_words(&self, at: Where, id: i64, text: &str) -> rusqlite::Result<()> {
        let (Some(span), words) = (self.known.span_of(id), words::of_row(text)) else { return Ok(()) };
        if words.is_empty() {
            return Ok(());
        }
        let n = span.n;
        let delete = format!("INSERT INTO word_{n}(word_{n}, rowid, text, place) VALUES('delete', ?1, ?2, ?3)");
        self.run(&delete, (id, words, place_words(at))).map(drop)
    }

    /// Counts the messages that were said after the counts were written.
    pub(super) fn count_untold(&mut self, counted: i64) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare("SELECT place, length(CAST(text AS BLOB)) FROM message WHERE id > ?1")?;
        let rows = statement.query_map([counted], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            let (place, bytes) = row?;
            self.known.count(place, 1, bytes);
        }
        Ok(())
    }
}

/// The words of the column `place`.
fn place_words(at: Where) -> String {
    match at.pair {
        Some((a, b)) => format!("{} {}", schema::account_word(a), schema::account_word(b)),
        None => schema::place_word(at.place),
    }
}

/// The ids of a place's oldest messages.
pub(super) fn oldest(base: &Base, place: i64, most: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = base.db.prepare_cached("SELECT id FROM message WHERE place = ?1 ORDER BY id LIMIT ?2")?;
    statement.query_map((place, most), |row| row.get(0))?.collect()
}
