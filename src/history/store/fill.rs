//! Filling a history with many messages at once, for measurements.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::admin::{Failure, failed, lock, open_to_write};
use super::schema::{self, EVERYBODY, code, kind};
use super::words;

/// Messages between two commits, and two reports of progress.
const AT_ONCE: u64 = 20_000;
/// Messages in a table of words, as the server has them.
const SPAN_ROWS: u64 = 500_000;
/// How much of a table of words is kept in memory before it is written, in bytes; and as SQLite has it.
const HASH_BYTES: (i64, i64) = (32 * 1024 * 1024, 1024 * 1024);
/// The memory for pages, in KiB.
const CACHE_KIB: i64 = 128 * 1024;

/// A place to fill. Names are those of accounts that have logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// What is said to everybody, by these.
    Everybody(Vec<String>),
    /// A new kept room with this name and these members, the first of whom owns it. All of them talk.
    Room(String, Vec<String>),
    /// Direct messages between two accounts.
    Pair(String, String),
}

/// What to put into a history.
pub struct Filling<'a> {
    /// Messages. They go to the places in turn.
    pub rows: u64,
    /// When the first and the last of them were said, in milliseconds since 1970.
    pub between_ms: (u64, u64),
    /// The places.
    pub places: &'a [Place],
    /// The last messages that nobody has read.
    pub unread: u64,
    /// Writes the text of the n-th message.
    pub text: &'a mut dyn FnMut(u64, &mut String),
    /// Is told how many are done; false ends the filling.
    pub go_on: &'a mut dyn FnMut(u64) -> bool,
}

/// The ids of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The id of the first one.
    pub first: u64,
    /// The difference between the ids of two messages.
    pub step: u64,
    /// Messages that were put in.
    pub rows: u64,
}

impl Filled {
    /// The id of the n-th message.
    pub fn id(&self, n: u64) -> u64 {
        self.first + n * self.step
    }
}

/// Puts messages into the history of a server that is stopped. A crash meanwhile leaves a damaged file.
///
/// # Errors
/// [`Failure`].
pub fn fill(history: &Path, filling: &mut Filling<'_>) -> Result<Filled, Failure> {
    let _lock = lock(history)?;
    let connection = open_to_write(history)?;
    let filled = Fill::new(&connection, filling).and_then(Fill::all).map_err(|error| failed(history, &error))?;
    connection.close().map_err(|(_, error)| failed(history, &error))?;
    Ok(filled)
}

/// A place that is filled.
struct Filler {
    place: i64,
    authors: Vec<i64>,
    words: String,
    pair: Option<(i64, i64)>,
    rows: i64,
    bytes: i64,
}

struct Fill<'a, 'b> {
    connection: &'a Connection,
    filling: &'a mut Filling<'b>,
    ids: Filled,
}

impl<'a, 'b> Fill<'a, 'b> {
    fn new(connection: &'a Connection, filling: &'a mut Filling<'b>) -> rusqlite::Result<Self> {
        let (first, last) = filling.between_ms;
        let id = |ms: u64| schema::id_at(i64::try_from(ms).unwrap_or(i64::MAX)).unsigned_abs();
        let step = (id(last).saturating_sub(id(first)) / filling.rows.max(1)).max(1);
        Ok(Self { connection, filling, ids: Filled { first: id(first), step, rows: 0 } })
    }

    fn all(mut self) -> rusqlite::Result<Filled> {
        self.connection.execute_batch(&format!(
            "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA cache_size = -{CACHE_KIB}; DROP INDEX message_place; BEGIN;"
        ))?;
        let mut fillers = self.fillers()?;
        let end = self.messages(&mut fillers)?;
        self.ids.rows = end;
        for filler in &fillers {
            let add = "UPDATE place SET rows = rows + ?2, bytes = bytes + ?3 WHERE n = ?1";
            self.connection.execute(add, (filler.place, filler.rows, filler.bytes))?;
        }
        let last = sql(self.ids.id(end.saturating_sub(1)));
        for key in ["counted", "last"] {
            let raise =
                "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = max(value, ?2)";
            self.connection.execute(raise, (key, last))?;
        }
        // Everybody has read what comes before.
        let floor = sql(self.ids.id(end.saturating_sub(self.filling.unread)));
        self.connection.execute("UPDATE who SET floor = ?1, seen = ?2", (floor, last))?;
        self.connection.execute_batch("CREATE INDEX message_place ON message(place); COMMIT;")?;
        self.connection.execute_batch("PRAGMA synchronous = FULL; BEGIN; UPDATE meta SET value = value; COMMIT;")?;
        Ok(self.ids)
    }

    /// Makes the places.
    fn fillers(&self) -> rusqlite::Result<Vec<Filler>> {
        let mut numbers = HashMap::new();
        let mut statement = self.connection.prepare("SELECT lower(name), n FROM who WHERE gone = 0")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            numbers.insert(row.get::<_, String>(0)?, row.get::<_, i64>(1)?);
        }
        let number = |name: &String| numbers.get(&name.to_ascii_lowercase()).copied();
        let mut fillers = Vec::new();
        for place in self.filling.places {
            let filler = match place {
                Place::Everybody(names) => Filler::new(EVERYBODY, names.iter().filter_map(number).collect(), None),
                Place::Room(name, names) => self.room(name, names.iter().filter_map(number).collect())?,
                Place::Pair(one, other) => match (number(one), number(other)) {
                    (Some(one), Some(other)) => self.pair(one, other)?,
                    (None, _) | (_, None) => continue,
                },
            };
            if !filler.authors.is_empty() {
                fillers.push(filler);
            }
        }
        Ok(fillers)
    }

    fn room(&self, name: &str, members: Vec<i64>) -> rusqlite::Result<Filler> {
        let last = "SELECT max(coalesce((SELECT max(id) FROM room), 0), \
                    coalesce((SELECT value FROM meta WHERE key = 'last_room'), 0))";
        let id = self.connection.query_row(last, [], |row| row.get::<_, i64>(0))? + 1;
        let insert = "INSERT INTO room(id, name, owner, ownerless_ms, days) VALUES(?1, ?2, ?3, 0, 36500)";
        self.connection.execute(insert, (id, name, members.first()))?;
        let insert = "INSERT INTO place(kind, a, b) VALUES(?1, ?2, 0)";
        self.connection.execute(insert, (kind::ROOM, id))?;
        let place = self.connection.last_insert_rowid();
        for member in &members {
            let insert = "INSERT OR IGNORE INTO member(room, who, since) VALUES(?1, ?2, ?3)";
            self.connection.execute(insert, (id, member, sql(self.ids.first)))?;
        }
        let raise = "INSERT INTO meta(key, value) VALUES('last_room', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1";
        self.connection.execute(raise, [id])?;
        Ok(Filler::new(place, members, None))
    }

    fn pair(&self, one: i64, other: i64) -> rusqlite::Result<Filler> {
        let (a, b) = (one.min(other), one.max(other));
        let find = "SELECT n FROM place WHERE kind = ?1 AND a = ?2 AND b = ?3";
        let found = self.connection.query_row(find, (kind::DIRECT, a, b), |row| row.get(0)).optional()?;
        let place = match found {
            Some(place) => place,
            None => {
                let insert = "INSERT INTO place(kind, a, b) VALUES(?1, ?2, ?3)";
                self.connection.execute(insert, (kind::DIRECT, a, b))?;
                self.connection.last_insert_rowid()
            }
        };
        Ok(Filler::new(place, vec![a, b], Some((a, b))))
    }

    /// Puts the messages in. Gives their number.
    fn messages(&mut self, fillers: &mut [Filler]) -> rusqlite::Result<u64> {
        let mut n = 0;
        let mut text = String::new();
        while n < self.filling.rows && !fillers.is_empty() {
            let span = self.begin_span(n)?;
            let mut put =
                self.connection.prepare("INSERT INTO message(id, place, author, text) VALUES(?1, ?2, ?3, ?4)")?;
            let mut find =
                self.connection.prepare(&format!("INSERT INTO word_{span}(rowid, text, place) VALUES(?1, ?2, ?3)"))?;
            let mut inbox = self.connection.prepare("INSERT INTO inbox(who, id, code) VALUES(?1, ?2, ?3)")?;
            let end = self.filling.rows.min(n + SPAN_ROWS);
            let mut goes_on = true;
            while n < end && goes_on {
                let count = fillers.len() as u64;
                let Some(filler) = fillers.get_mut((n % count) as usize) else { break };
                text.clear();
                (self.filling.text)(n, &mut text);
                let (id, author) = (sql(self.ids.id(n)), filler.author(n / count));
                put.execute((id, filler.place, author, &text))?;
                find.execute((id, words::of_row(&text), &filler.words))?;
                for who in filler.pair.iter().flat_map(|(a, b)| [a, b]) {
                    let what = if *who == author { code::SENT } else { code::RECEIVED };
                    inbox.execute((who, id, filler.place * 4 + what))?;
                }
                filler.rows += 1;
                filler.bytes += i64::try_from(text.len()).unwrap_or_default();
                n += 1;
                if n % AT_ONCE == 0 {
                    self.connection.execute_batch("COMMIT; BEGIN;")?;
                    goes_on = (self.filling.go_on)(n);
                }
            }
            self.end_span(span, n, end == self.filling.rows)?;
            if !goes_on {
                break;
            }
        }
        Ok(n)
    }

    /// Begins a table of words with the n-th message; the one before ends.
    fn begin_span(&self, n: u64) -> rusqlite::Result<i64> {
        let last = "SELECT max(coalesce((SELECT max(n) FROM span), 0), \
                    coalesce((SELECT value FROM meta WHERE key = 'last_span'), 0))";
        let span = self.connection.query_row(last, [], |row| row.get::<_, i64>(0))? + 1;
        let first = sql(self.ids.id(n));
        self.connection.execute("UPDATE span SET last = max(first, ?1 - 1) WHERE last IS NULL", [first])?;
        schema::create_words(self.connection, span)?;
        self.set_hash(span, HASH_BYTES.0)?;
        self.connection.execute("INSERT INTO span(n, first, last, rows) VALUES(?1, ?2, NULL, 0)", (span, first))?;
        let raise = "INSERT INTO meta(key, value) VALUES('last_span', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1";
        self.connection.execute(raise, [span])?;
        Ok(span)
    }

    fn end_span(&self, span: i64, n: u64, is_last: bool) -> rusqlite::Result<()> {
        self.set_hash(span, HASH_BYTES.1)?;
        let last = (!is_last).then(|| sql(self.ids.id(n.saturating_sub(1))));
        let rows = "UPDATE span SET last = ?2, rows = (SELECT count(*) FROM message WHERE id >= first) WHERE n = ?1";
        self.connection.execute(rows, (span, last)).map(drop)
    }

    fn set_hash(&self, span: i64, bytes: i64) -> rusqlite::Result<()> {
        let set = format!("INSERT INTO word_{span}(word_{span}, rank) VALUES('hashsize', ?1)");
        self.connection.execute(&set, [bytes]).map(drop)
    }
}

impl Filler {
    fn new(place: i64, authors: Vec<i64>, pair: Option<(i64, i64)>) -> Self {
        let words = match pair {
            Some((a, b)) => format!("{} {}", schema::account_word(a), schema::account_word(b)),
            None => schema::place_word(place),
        };
        Self { place, authors, words, pair, rows: 0, bytes: 0 }
    }

    /// Who says the n-th message in this place.
    fn author(&self, n: u64) -> i64 {
        let index = (n % self.authors.len().max(1) as u64) as usize;
        self.authors.get(index).copied().unwrap_or_default()
    }
}

/// A number as SQLite has it.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;
    use crate::history::store::admin;

    #[test]
    fn a_filled_history_is_sound() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file).unwrap();
        let mut db = Connection::open(&file).unwrap();
        let transaction = db.transaction().unwrap();
        schema::create(&transaction).unwrap();
        for name in ["ann", "Bob", "cyd"] {
            transaction.execute("INSERT INTO who(name, since, floor, seen) VALUES(?1, 5, 0, 0)", [name]).unwrap();
        }
        transaction.commit().unwrap();
        drop(db);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let places = [
            Place::Everybody(names(&["ann", "bob"])),
            Place::Room("lobby".to_owned(), names(&["cyd", "ann"])),
            Place::Pair("bob".to_owned(), "ann".to_owned()),
            Place::Pair("bob".to_owned(), "nobody".to_owned()),
        ];
        let mut told = 0;
        let filled = fill(
            &file,
            &mut Filling {
                rows: 3_000,
                between_ms: (1_000_000, 2_000_000),
                places: &places,
                unread: 30,
                text: &mut |n, text| text.push_str(&format!("word{n} common")),
                go_on: &mut |done| {
                    told = done;
                    true
                },
            },
        )
        .unwrap();
        assert_eq!((filled.rows, filled.first, told), (3_000, 1_000_000 << 20, 0));
        let report = admin::check(&file).unwrap();
        assert_eq!(report.findings, [""; 0]);
        let overview = report.overview;
        assert_eq!((overview.rows, overview.places, overview.rooms, overview.words), (3_000, 3, 1, 1));
        assert_eq!((overview.oldest_ms, overview.newest_ms), (Some(1_000_000), Some(1_999_666)));
        let db = Connection::open(&file).unwrap();
        let count = |query: &str| db.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM word_1 WHERE word_1 MATCH 'text:\"word7\" AND place:\"p2\"'"), 1);
        assert_eq!(count("SELECT sum(rows) FROM place"), 3_000);
        assert_eq!(count("SELECT count(*) FROM message WHERE id >= (SELECT floor FROM who LIMIT 1)"), 30);
        assert_eq!(count("SELECT count(*) FROM inbox"), 2_000);
    }
}
