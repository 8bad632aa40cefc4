//! Lines of a page out of rows: names, places and flags as one reader is shown them.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::from_sql;
use super::reader::Reader;
use crate::history::request::{Flag, Line};
use crate::history::store::schema::kind;
use crate::mention;

/// Who is shown for a hole.
const SERVER: &str = "server";
/// What is shown for an account that the store no longer knows.
const FORGOTTEN: &str = "-";

/// A row of the table `message`.
pub(in crate::history::store) struct Message {
    /// Its id.
    pub(in crate::history::store) id: i64,
    /// The number of its place.
    pub(in crate::history::store) place: i64,
    /// Who said it.
    pub(in crate::history::store) author: Author,
    /// The text.
    pub(in crate::history::store) text: Box<str>,
}

/// Who has said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::history::store) enum Author {
    /// The account with this number.
    Account(i64),
    /// The guest with this name, which begins with `~`.
    Guest(Box<str>),
}

/// The lines that one reader is shown.
pub(in crate::history::store) struct Lines<'a> {
    connection: &'a Connection,
    reader: &'a Reader,
    /// Names of accounts as shown, by their numbers.
    names: HashMap<i64, Box<str>>,
    /// Places as shown, by their numbers; `None` for places that are being deleted or are not the reader's.
    places: HashMap<i64, Option<Box<str>>>,
}

impl<'a> Lines<'a> {
    /// The lines that `reader` is shown.
    pub(in crate::history::store) fn new(connection: &'a Connection, reader: &'a Reader) -> Self {
        Self { connection, reader, names: HashMap::new(), places: HashMap::new() }
    }

    /// The message with this id; `None` if it was deleted or is being forgotten.
    pub(in crate::history::store) fn message(&self, id: i64) -> rusqlite::Result<Option<Message>> {
        let mut find = self.connection.prepare_cached("SELECT place, author, text FROM message WHERE id = ?1")?;
        let message = |row: &Row<'_>| {
            if self.reader.hidden.has(row.get_ref(1)?, id) {
                return Ok(None);
            }
            let text = row.get_ref(2)?.as_str().unwrap_or_default().into();
            Ok(Some(Message { id, place: row.get(0)?, author: author(row.get_ref(1)?), text }))
        };
        Ok(find.query_row([id], message).optional()?.flatten())
    }

    /// Whether the message with this id may be read, and somebody else has said it.
    pub(super) fn is_of_others(&self, id: i64) -> rusqlite::Result<bool> {
        let mut find = self.connection.prepare_cached("SELECT author FROM message WHERE id = ?1")?;
        let is_of_others = |row: &Row<'_>| {
            let value = row.get_ref(0)?;
            Ok(!self.is_own(&author(value)) && !self.reader.hidden.has(value, id))
        };
        Ok(find.query_row([id], is_of_others).optional()?.unwrap_or(false))
    }

    /// Whether messages that are there may not be read.
    pub(super) fn has_hidden(&self) -> bool {
        !self.reader.hidden.is_empty()
    }

    /// Whether the reader is the author.
    pub(in crate::history::store) fn is_own(&self, author: &Author) -> bool {
        matches!(author, Author::Account(n) if self.reader.n == Some(*n))
    }

    /// Whether the reader ignores the author.
    fn is_ignored(&self, author: &Author) -> rusqlite::Result<bool> {
        match author {
            Author::Account(n) => Ok(self.reader.ignored(self.connection)?.contains(n)),
            Author::Guest(_) => Ok(false),
        }
    }

    /// The line of a message; `None` if its place is not the reader's or is being deleted.
    pub(in crate::history::store) fn line(&mut self, message: Message) -> rusqlite::Result<Option<Line>> {
        let Some(place) = self.place(message.place)? else { return Ok(None) };
        let is_direct = place.starts_with('@');
        // A mention of an earlier account with the same name is not for this one.
        let is_named = || message.id >= self.reader.birth && mention::is_in(&message.text, self.reader.name.as_str());
        let is_for_reader =
            !self.is_own(&message.author) && (is_direct || is_named() && !self.is_ignored(&message.author)?);
        let flag = if is_for_reader { Flag::Mention } else { Flag::Plain };
        let from = match message.author {
            Author::Account(n) => self.name(n)?,
            Author::Guest(name) => name,
        };
        Ok(Some(Line { id: from_sql(message.id), place, from, flag, text: message.text }))
    }

    /// The line of a hole; `None` if it has gone, or its place is not the reader's.
    pub(super) fn hole(&mut self, place: i64, id: i64) -> rusqlite::Result<Option<Line>> {
        let Some(shown) = self.place(place)? else { return Ok(None) };
        let mut find = self.connection.prepare_cached("SELECT count, why FROM hole WHERE place = ?1 AND id = ?2")?;
        let text = |row: &Row<'_>| Ok(hole_text(row.get(0)?, row.get_ref(1)?.as_str().unwrap_or_default()));
        let text = find.query_row((place, id), text).optional()?;
        Ok(text.map(|text| Line { id: from_sql(id), place: shown, from: SERVER.into(), flag: Flag::Hole, text }))
    }

    /// A place as it is shown; `None` if it is not the reader's or is being deleted.
    pub(in crate::history::store) fn place(&mut self, n: i64) -> rusqlite::Result<Option<Box<str>>> {
        if let Some(known) = self.places.get(&n) {
            return Ok(known.clone());
        }
        let shown = self.look_place_up(n)?;
        self.places.insert(n, shown.clone());
        Ok(shown)
    }

    fn look_place_up(&mut self, n: i64) -> rusqlite::Result<Option<Box<str>>> {
        let mut find = self.connection.prepare_cached("SELECT kind, a, b FROM place WHERE n = ?1")?;
        let parts = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let Some((of, a, b)) = find.query_row([n], parts).optional()? else { return Ok(None) };
        match of {
            kind::EVERYBODY => Ok(Some("*".into())),
            kind::ROOM => {
                let mut find = self.connection.prepare_cached("SELECT name FROM room WHERE id = ?1")?;
                find.query_row([a], |row| row.get(0)).optional()
            }
            kind::DIRECT => match self.reader.n {
                Some(me) if me == a || me == b => Ok(Some(format!("@{}", self.name(a + b - me)?).into())),
                Some(_) | None => Ok(None),
            },
            _ => Ok(None), // being deleted
        }
    }

    /// An account's name as it is shown.
    fn name(&mut self, n: i64) -> rusqlite::Result<Box<str>> {
        if let Some(known) = self.names.get(&n) {
            return Ok(known.clone());
        }
        let mut find = self.connection.prepare_cached("SELECT name, gone FROM who WHERE n = ?1")?;
        let shown = |row: &Row<'_>| {
            let (name, gone): (Box<str>, i64) = (row.get(0)?, row.get(1)?);
            Ok(if gone == 0 { name } else { format!("-{name}").into() })
        };
        let shown = find.query_row([n], shown).optional()?.unwrap_or_else(|| FORGOTTEN.into());
        self.names.insert(n, shown.clone());
        Ok(shown)
    }
}

/// The author of a row.
pub(super) fn author(value: ValueRef<'_>) -> Author {
    match value {
        ValueRef::Integer(n) => Author::Account(n),
        ValueRef::Text(name) => Author::Guest(String::from_utf8_lossy(name).into()),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Author::Account(0),
    }
}

/// What a hole says.
fn hole_text(count: Option<i64>, why: &str) -> Box<str> {
    match count {
        Some(1) => format!("1 message was not kept: {why}").into(),
        Some(count) => format!("{count} messages were not kept: {why}").into(),
        None => why.into(),
    }
}

/// The bounds of a page: lines and bytes.
pub(in crate::history::store) struct Cost {
    lines: usize,
    bytes: usize,
}

impl Cost {
    /// Room for this many lines, at least one, and bytes; 0 bytes for no bound.
    pub(in crate::history::store) fn new(lines: u32, bytes: usize) -> Self {
        let bytes = if bytes == 0 { usize::MAX } else { bytes };
        Self { lines: usize::try_from(lines).unwrap_or(usize::MAX).max(1), bytes }
    }

    /// The most lines.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Whether there is room for one more line, which is then counted. There is always room for the first one.
    pub(in crate::history::store) fn takes(&mut self, page: &[Line], line: &Line) -> bool {
        let cost = line.bytes();
        let fits = page.is_empty() || page.len() < self.lines && cost <= self.bytes;
        if fits {
            self.bytes = self.bytes.saturating_sub(cost);
        }
        fits
    }
}
