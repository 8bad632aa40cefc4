//! What is kept, as JSON lines.

use std::io::{self, Write};
use std::path::Path;

use rusqlite::types::Value as Author;
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Failure;
use super::file::{self, failed};
use super::names::{self, Whose};
use crate::history::request::Level;
use crate::history::store::people;
use crate::history::store::schema::{self, kind};

/// Messages that are read at once. Between them the history is not held, so that a reader that is slow holds nobody up.
const MESSAGES_AT_ONCE: i64 = 1_000;

/// A message or a hole as everybody would see it who may: a direct message as its sender does.
const LINES: &str = "
SELECT m.id, p.kind, r.name, m.author, w.name, w.gone, wa.n, wa.name, wa.gone, wb.name, wb.gone, m.text
FROM message m JOIN place p ON p.n = m.place
LEFT JOIN room r ON p.kind = 1 AND r.id = p.a
LEFT JOIN who w ON w.n = m.author AND typeof(m.author) = 'integer'
LEFT JOIN who wa ON p.kind = 2 AND wa.n = p.a
LEFT JOIN who wb ON p.kind = 2 AND wb.n = p.b";

/// Whether nobody has asked to forget a message that is still there.
const KEPT: &str = "NOT EXISTS (SELECT 1 FROM forget WHERE who = m.author AND upto >= m.id)";

/// A message.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Message {
    kind: &'static str,
    /// As text: it is larger than what JSON's readers take for a whole number.
    id: String,
    time: String,
    place: String,
    from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    text: String,
}

/// Writes everything that is kept, or with `name` what belongs to the accounts that it means: what
/// they said and were told, their profile, their marks. A server may use the history meanwhile.
///
/// # Errors
/// [`Failure`] of the history; or of `out`, as the inner error.
pub fn export(
    history: &Path,
    name: Option<&str>,
    existing: Option<&[(String, u64)]>,
    out: &mut dyn Write,
) -> Result<io::Result<()>, Failure> {
    let connection = file::to_read(history)?;
    let whose = name.map(|name| names::accounts(history, (&connection, "main"), name, existing)).transpose()?;
    let mut export = Export { connection: &connection, out, written: Ok(()) };
    export.all(whose.as_ref()).map_err(|error| failed(history, &error))?;
    Ok(export.written.and_then(|()| out.flush()))
}

struct Export<'a> {
    connection: &'a Connection,
    out: &'a mut dyn Write,
    written: io::Result<()>,
}

impl Export<'_> {
    fn all(&mut self, whose: Option<&Whose>) -> rusqlite::Result<()> {
        let numbers = match whose {
            None => None,
            Some(Whose::Guest(guest)) => {
                let guest = guest.replace('\'', "''");
                return self.messages(&format!("typeof(m.author) = 'text' AND m.author = '{guest}' COLLATE NOCASE"));
            }
            Some(Whose::Accounts(found)) => {
                let numbers: Vec<String> = found.iter().map(|found| found.n.to_string()).collect();
                Some(numbers.join(","))
            }
        };
        let of = |column: &str| match &numbers {
            Some(numbers) => format!("{column} IN ({numbers})"),
            None => "1".to_owned(),
        };
        self.accounts(&of("who.n"))?;
        self.rooms(&of("room.owner"))?;
        self.members(&of("member.who"))?;
        self.pairs(
            "profile",
            "SELECT who.name, who.gone, profile.key, profile.value FROM profile JOIN who ON who.n = profile.who",
            &of("who"),
        )?;
        self.pairs(
            "ignored",
            "SELECT who.name, who.gone, 'name', \
             CASE WHEN ignore.whom = 0 THEN '~' WHEN whom.gone > 0 THEN '-' || whom.name ELSE whom.name END \
             FROM ignore JOIN who ON who.n = ignore.who LEFT JOIN who AS whom ON whom.n = ignore.whom",
            &of("ignore.who"),
        )?;
        self.marks(&of("mark.who"))?;
        let is_first = file::is_first(self.connection);
        if !is_first {
            self.levels(&of("loud.who"))?;
        }
        let of = match &numbers {
            Some(n) => format!(
                "(typeof(m.author) = 'integer' AND m.author IN ({n}) OR p.kind = 2 AND (p.a IN ({n}) OR p.b IN ({n})))"
            ),
            None => "1".to_owned(),
        };
        let kept = if is_first { "1" } else { KEPT };
        self.messages(&format!("{of} AND {kept}"))?;
        if whose.is_none() {
            self.holes()?;
        }
        Ok(())
    }

    /// Writes an object for each row of a query.
    fn each(
        &mut self,
        query: &str,
        mut object: impl FnMut(&Row<'_>) -> rusqlite::Result<Value>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let object = object(row)?;
            put(self.out, &mut self.written, &object);
        }
        Ok(())
    }

    fn accounts(&mut self, of: &str) -> rusqlite::Result<()> {
        let query = format!("SELECT name, gone, since, floor, seen FROM who WHERE {of} ORDER BY name, since");
        self.each(&query, |row| {
            Ok(json!({
                "kind": "account",
                "name": shown(row, 0)?,
                "since": seconds(row.get(2)?),
                "read": row.get::<_, i64>(3)?.to_string(),
                "seen": row.get::<_, i64>(4)?.to_string(),
            }))
        })
    }

    fn rooms(&mut self, of: &str) -> rusqlite::Result<()> {
        let query = format!(
            "SELECT who.name, who.gone, room.name, days, topic, topic_by, lock IS NOT NULL FROM room \
             LEFT JOIN who ON who.n = room.owner WHERE {of} ORDER BY room.id"
        );
        self.each(&query, |row| {
            let owner = row.get::<_, Option<String>>(0)?.is_some().then(|| shown(row, 0)).transpose()?;
            Ok(json!({
                "kind": "room",
                "name": row.get::<_, String>(2)?,
                "owner": owner,
                "days": row.get::<_, i64>(3)?,
                "topic": row.get::<_, Option<String>>(4)?,
                "topic_by": row.get::<_, Option<String>>(5)?,
                "locked": row.get::<_, bool>(6)?,
            }))
        })
    }

    fn members(&mut self, of: &str) -> rusqlite::Result<()> {
        let query = format!(
            "SELECT who.name, who.gone, room.name, member.since FROM member JOIN who ON who.n = member.who \
             JOIN room ON room.id = member.room WHERE {of} ORDER BY member.n"
        );
        self.each(&query, |row| {
            let id: i64 = row.get(3)?;
            Ok(json!({
                "kind": "member",
                "name": shown(row, 0)?,
                "room": row.get::<_, String>(2)?,
                "since": id.to_string(),
                "time": time_of(id),
            }))
        })
    }

    /// What an account has set: a key and a value.
    fn pairs(&mut self, kind: &'static str, query: &str, of: &str) -> rusqlite::Result<()> {
        self.each(&format!("{query} WHERE {of}"), |row| {
            let (key, value): (String, String) = (row.get(2)?, row.get(3)?);
            Ok(json!({ "kind": kind, "account": shown(row, 0)?, "key": key, "value": value }))
        })
    }

    fn marks(&mut self, of: &str) -> rusqlite::Result<()> {
        self.each(&of_places("mark", "id", of), |row| {
            let (id, place): (i64, String) = (row.get(4)?, place_of(row)?);
            Ok(json!({ "kind": "mark", "account": shown(row, 0)?, "place": place, "id": id.to_string(), "time": time_of(id) }))
        })
    }

    /// How loud places are, where that is not the usual.
    fn levels(&mut self, of: &str) -> rusqlite::Result<()> {
        self.each(&of_places("loud", "level", of), |row| {
            let (level, place) = (people::level(row.get(4)?).map(Level::word), place_of(row)?);
            Ok(json!({ "kind": "level", "account": shown(row, 0)?, "place": place, "level": level }))
        })
    }

    fn messages(&mut self, of: &str) -> rusqlite::Result<()> {
        let query = format!("{LINES} WHERE m.id > ?1 AND p.kind <= 2 AND {of} ORDER BY m.id LIMIT {MESSAGES_AT_ONCE}");
        let mut statement = self.connection.prepare(&query)?;
        let mut last = i64::MIN;
        while self.written.is_ok() {
            let lines = statement.query_map([last], |row| Ok((row.get(0)?, message(row)?)))?;
            let lines = lines.collect::<rusqlite::Result<Vec<(i64, Message)>>>()?;
            let Some((end, _)) = lines.last() else { break };
            last = *end;
            for (_, line) in &lines {
                put(self.out, &mut self.written, line);
            }
        }
        Ok(())
    }

    fn holes(&mut self) -> rusqlite::Result<()> {
        let query = "SELECT h.id, p.kind, r.name, h.count, h.why, wa.name, wa.gone, wb.name, wb.gone FROM hole h \
                     JOIN place p ON p.n = h.place LEFT JOIN room r ON p.kind = 1 AND r.id = p.a \
                     LEFT JOIN who wa ON p.kind = 2 AND wa.n = p.a LEFT JOIN who wb ON p.kind = 2 AND wb.n = p.b \
                     WHERE p.kind <= 2 ORDER BY h.id";
        self.each(query, |row| {
            let id: i64 = row.get(0)?;
            let place = match row.get::<_, i64>(1)? {
                kind::EVERYBODY => "*".to_owned(),
                kind::DIRECT => format!("@{} @{}", shown(row, 5)?, shown(row, 7)?),
                _ => row.get::<_, Option<String>>(2)?.unwrap_or_else(|| "?".to_owned()),
            };
            Ok(json!({
                "kind": "hole",
                "id": id.to_string(),
                "time": time_of(id),
                "place": place,
                "count": row.get::<_, Option<i64>>(3)?,
                "why": row.get::<_, String>(4)?,
            }))
        })
    }
}

/// What `table` has for accounts and places: the account, the place for [`place_of`], and a number.
fn of_places(table: &str, number: &str, of: &str) -> String {
    format!(
        "SELECT who.name, who.gone, p.kind, r.name, {table}.{number}, \
                CASE WHEN p.a = {table}.who THEN wb.name ELSE wa.name END, \
                CASE WHEN p.a = {table}.who THEN wb.gone ELSE wa.gone END \
         FROM {table} JOIN who ON who.n = {table}.who JOIN place p ON p.n = {table}.place \
         LEFT JOIN room r ON p.kind = 1 AND r.id = p.a LEFT JOIN who wa ON p.kind = 2 AND wa.n = p.a \
         LEFT JOIN who wb ON p.kind = 2 AND wb.n = p.b WHERE {of}"
    )
}

fn place_of(row: &Row<'_>) -> rusqlite::Result<String> {
    Ok(match row.get::<_, i64>(2)? {
        kind::EVERYBODY => "*".to_owned(),
        kind::DIRECT => format!("@{}", shown(row, 5)?),
        _ => row.get::<_, Option<String>>(3)?.unwrap_or_else(|| "?".to_owned()),
    })
}

/// Writes one object and its LF, unless writing has failed before.
fn put(out: &mut dyn Write, written: &mut io::Result<()>, object: &impl Serialize) {
    if written.is_ok() {
        *written =
            serde_json::to_writer(&mut *out, object).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"));
    }
}

/// A row of [`LINES`].
fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let id: i64 = row.get(0)?;
    let author: Author = row.get(3)?;
    let from = match &author {
        Author::Text(guest) => guest.clone(),
        Author::Integer(_) => shown(row, 4)?,
        Author::Null | Author::Real(_) | Author::Blob(_) => "?".to_owned(),
    };
    let (place, to) = match row.get::<_, i64>(1)? {
        kind::EVERYBODY => ("*".to_owned(), None),
        kind::DIRECT => {
            let is_first = row.get::<_, Option<i64>>(6)?.is_some_and(|first| author == Author::Integer(first));
            let to = shown(row, if is_first { 9 } else { 7 })?;
            (format!("@{to}"), Some(to))
        }
        _ => (row.get::<_, Option<String>>(2)?.unwrap_or_else(|| "?".to_owned()), None),
    };
    Ok(Message { kind: "message", id: id.to_string(), time: time_of(id), place, from, to, text: row.get(11)? })
}

/// The name in a column and whether it is gone in the next one, as pages show it.
fn shown(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let name = row.get::<_, Option<String>>(column)?.unwrap_or_else(|| "?".to_owned());
    let is_gone = row.get::<_, Option<i64>>(column + 1)?.is_some_and(|gone| gone != 0);
    Ok(if is_gone { format!("-{name}") } else { name })
}

/// The time of an id, in UTC with milliseconds.
fn time_of(id: i64) -> String {
    let ms = schema::ms_of(id);
    match OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000) {
        Ok(at) => format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        ),
        Err(_) => "?".to_owned(),
    }
}

/// Seconds since 1970 as a time in UTC; `None` for 0, which a server whose clock was not set may have stored.
fn seconds(unix: i64) -> Option<String> {
    let ms = unix.checked_mul(1000).filter(|ms| *ms > 0)?;
    time_of(schema::id_at(ms)).split_once('.').map(|(time, _)| format!("{time}Z"))
}
