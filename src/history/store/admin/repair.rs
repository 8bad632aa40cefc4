//! Repairing: what can be read of a damaged history is written to a new file.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Failure;
use super::check::check;
use super::counts;
use super::file::{self, failed};
use super::rewrite::Draft;
use super::salvage::{self, Found};
use super::spans::{self, Span};
use crate::history::store::schema::kind;
use crate::hub::names::{RoomName, UserName};

/// Tables with a whole number as their key.
const NUMBERED: [(&str, &str); 7] = [
    ("who", "n"),
    ("room", "id"),
    ("place", "n"),
    ("member", "n"),
    ("message", "id"),
    ("span", "n"),
    ("forget", "who"),
];
/// Tables with another key.
const ORDERED: [(&str, &[&str]); 8] = [
    ("meta", &["key"]),
    ("inbox", &["who", "id"]),
    ("mention", &["who", "place", "id"]),
    ("mark", &["who", "place"]),
    ("hole", &["place", "id"]),
    ("profile", &["who", "key"]),
    ("ignore", &["who", "whom"]),
    ("loud", &["who", "place"]),
];
/// Tables that version 1 does not have.
const NEWER: [&str; 2] = ["forget", "loud"];
/// What a page says where messages are lost …
const WHY: &str = "the file was damaged";
/// … and where it is not known whether any are.
const WHY_PERHAPS: &str = "messages may be missing: the file was damaged";

/// Rows whose table is damaged, from an index that has their key: the query, and how they are put back.
const FROM_INDEXES: [(&str, &str, &str); 3] = [
    (
        "accounts",
        "SELECT n, name, since FROM who INDEXED BY sqlite_autoindex_who_1",
        "INSERT OR IGNORE INTO who(n, name, since, floor, seen) VALUES(?1, ?2, ?3, 0, 0)",
    ),
    (
        "places",
        "SELECT n, kind, a, b FROM place INDEXED BY sqlite_autoindex_place_1",
        "INSERT OR IGNORE INTO place(n, kind, a, b) VALUES(?1, ?2, ?3, ?4)",
    ),
    (
        "members",
        "SELECT n, room, who FROM member INDEXED BY sqlite_autoindex_member_1",
        "INSERT OR IGNORE INTO member(n, room, who, since) VALUES(?1, ?2, ?3, 0)",
    ),
];

/// Values that a start would refuse, and how they are mended.
const VALUES: [(&str, &str); 4] = [
    ("numbers that are none", "DELETE FROM meta WHERE typeof(value) <> 'integer'"),
    ("passwords of rooms; they have none now", "UPDATE room SET lock = NULL WHERE length(lock) <> 32"),
    ("days of rooms; they are 30 now", "UPDATE room SET days = 30 WHERE days NOT BETWEEN 0 AND 36500"),
    ("rooms whose number is none", "DELETE FROM room WHERE id NOT BETWEEN 1 AND 4294967295"),
];

/// Rows that cannot stay, because what they belong to is lost.
const ORPHANS: [(&str, &str); 12] = [
    ("places of rooms", "DELETE FROM place WHERE kind = 1 AND a NOT IN (SELECT id FROM room)"),
    ("messages whose place is lost", "DELETE FROM message WHERE place NOT IN (SELECT n FROM place)"),
    ("messages whose author is lost", "DELETE FROM message WHERE typeof(author) NOT IN ('integer', 'text')"),
    ("members", "DELETE FROM member WHERE who NOT IN (SELECT n FROM who) OR room NOT IN (SELECT id FROM room)"),
    ("entries of direct messages", "DELETE FROM inbox WHERE code & 3 < 2 AND id NOT IN (SELECT id FROM message)"),
    ("mentions", "DELETE FROM mention WHERE id NOT IN (SELECT id FROM message) OR who NOT IN (SELECT n FROM who)"),
    ("marks", "DELETE FROM mark WHERE who NOT IN (SELECT n FROM who) OR place NOT IN (SELECT n FROM place)"),
    ("holes", "DELETE FROM hole WHERE place NOT IN (SELECT n FROM place)"),
    ("profiles", "DELETE FROM profile WHERE who NOT IN (SELECT n FROM who)"),
    (
        "ignored accounts",
        "DELETE FROM ignore WHERE who NOT IN (SELECT n FROM who) OR whom <> 0 AND whom NOT IN (SELECT n FROM who)",
    ),
    ("levels", "DELETE FROM loud WHERE who NOT IN (SELECT n FROM who) OR place NOT IN (SELECT n FROM place)"),
    ("accounts that forget messages", "DELETE FROM forget WHERE who NOT IN (SELECT n FROM who)"),
];

/// What a repair has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// What was found and what is lost, one line each.
    pub findings: Vec<String>,
    /// Messages that are there now.
    pub rows: u64,
    /// Where the damaged history is kept; `None` if it was sound, and nothing was changed.
    pub kept: Option<PathBuf>,
}

/// Replaces a damaged history by what can be read of it, and keeps the damaged one. Where messages are lost, pages say so.
/// A sound history stays as it is.
///
/// # Errors
/// [`Failure`]; the damaged history is still there.
pub fn repair(history: &Path) -> Result<Repaired, Failure> {
    file::find(history)?;
    let _lock = file::lock(history)?;
    let mut is_blank = false;
    let (old, found) = match check(history) {
        Ok(report) if report.findings.is_empty() => {
            return Ok(Repaired { findings: Vec::new(), rows: report.overview.rows, kept: None });
        }
        Ok(report) => (file::to_write(history)?, report.findings),
        // An empty one takes its place.
        Err(Failure::Damaged(why)) => {
            is_blank = true;
            (Connection::open_in_memory().map_err(|error| failed(history, &error))?, vec![why])
        }
        Err(failure) => return Err(failure),
    };
    // Brings the log into the file, if that works.
    let _ = old.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
    let draft = Draft::begin(history)?;
    let mut repair = Repair { old: &old, new: &draft.connection, is_blank, findings: found, gaps: Vec::new() };
    let done = repair.all().and_then(|()| count(&draft.connection));
    let findings = repair.findings;
    let rows = match done {
        Ok(rows) => rows,
        Err(error) => {
            draft.give_up();
            return Err(failed(history, &error));
        }
    };
    drop(old);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default();
    let kept = file::kept(history, now);
    draft.finish(Some(&kept))?;
    Ok(Repaired { findings, rows, kept: Some(kept) })
}

fn count(connection: &Connection) -> rusqlite::Result<u64> {
    let rows = connection.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(rows).unwrap_or_default())
}

struct Repair<'a> {
    old: &'a Connection,
    new: &'a Connection,
    /// Whether nothing of the old file can be read.
    is_blank: bool,
    findings: Vec<String>,
    /// Ranges of ids in which messages may be lost.
    gaps: Vec<(i64, i64)>,
}

impl Repair<'_> {
    fn all(&mut self) -> rusqlite::Result<()> {
        self.new.execute_batch("BEGIN")?;
        if !self.is_blank {
            self.tables()?;
        }
        self.mend()?;
        self.tell_holes()?;
        self.words()?;
        self.sequences()?;
        counts::set(self.new)?;
        self.new.execute_batch("COMMIT")
    }

    fn tables(&mut self) -> rusqlite::Result<()> {
        let is_first = file::is_first(self.old);
        let is_there = |table: &str| !is_first || !NEWER.contains(&table);
        for (table, key) in NUMBERED.into_iter().filter(|(table, _)| is_there(table)) {
            self.table(table, |old, take| salvage::numbered(old, table, key, take))?;
        }
        for (table, key) in ORDERED.into_iter().filter(|(table, _)| is_there(table)) {
            self.table(table, |old, take| salvage::ordered(old, table, key, take))?;
        }
        Ok(())
    }

    /// Copies what can be read of a table.
    fn table(
        &mut self,
        table: &str,
        read: impl FnOnce(&Connection, &mut dyn FnMut(Vec<Value>) -> rusqlite::Result<()>) -> rusqlite::Result<Found>,
    ) -> rusqlite::Result<()> {
        let mut columns = self.new.prepare(&format!("SELECT count(*) FROM pragma_table_info('{table}')"))?;
        let columns: usize =
            columns.query_row([], |row| row.get::<_, i64>(0)).map(|n| usize::try_from(n).unwrap_or(0))?;
        let marks: Vec<String> = (1..=columns).map(|n| format!("?{n}")).collect();
        let mut put = self.new.prepare(&format!("INSERT OR IGNORE INTO {table} VALUES({})", marks.join(", ")))?;
        let mut refused = 0;
        let found = read(self.old, &mut |mut values| {
            // Before version 3 the last column of rooms was not there.
            if table == "room" && values.len() + 1 == columns {
                values.push(Value::Integer(0));
            }
            // A row that the table does not take is one that was not read as it was written.
            if values.len() != columns || put.execute(params_from_iter(values)).is_err() {
                refused += 1;
            }
            Ok(())
        })?;
        if table == "message" {
            self.gaps.clone_from(&found.gaps);
        }
        if found.is_cut || !found.gaps.is_empty() {
            self.findings.push(format!("{table}: {} rows were read, and not all", found.rows));
        }
        if refused > 0 {
            self.findings.push(format!("{table}: {refused} rows make no sense and are lost"));
        }
        Ok(())
    }

    /// Makes the tables agree with each other again.
    fn mend(&mut self) -> rusqlite::Result<()> {
        self.new.execute_batch(
            "INSERT OR IGNORE INTO place(n, kind, a, b) VALUES(1, 0, 0, 0);
             UPDATE place SET cleaned = max(cleaned, 0);",
        )?;
        self.indexes()?;
        self.places()?;
        self.stand_ins()?;
        self.values()?;
        for (what, delete) in ORPHANS {
            let count = self.new.execute(delete, [])?;
            if count > 0 {
                self.findings.push(format!("lost: {count} {what}"));
            }
        }
        self.new.execute_batch(
            "INSERT OR IGNORE INTO member(room, who, since) SELECT id, owner, 0 FROM room WHERE owner IS NOT NULL;
             INSERT OR IGNORE INTO inbox(who, id, code) SELECT m.author, m.id, p.n * 4 + 1
               FROM message m JOIN place p ON p.n = m.place WHERE p.kind = 2;
             INSERT OR IGNORE INTO inbox(who, id, code) SELECT CASE WHEN m.author = p.a THEN p.b ELSE p.a END, m.id, p.n * 4
               FROM message m JOIN place p ON p.n = m.place WHERE p.kind = 2;",
        )
    }

    /// Puts back what an index knows of rows that are lost.
    fn indexes(&mut self) -> rusqlite::Result<()> {
        for (what, query, put) in FROM_INDEXES {
            let mut put = self.new.prepare(put)?;
            let mut count = 0;
            // Up to the first damage.
            let Ok(mut statement) = self.old.prepare(query) else { continue };
            let columns = statement.column_count();
            let Ok(mut rows) = statement.query([]) else { continue };
            while let Ok(Some(row)) = rows.next() {
                let values: rusqlite::Result<Vec<Value>> = (0..columns).map(|column| row.get(column)).collect();
                count += values.map_or(0, |values| put.execute(params_from_iter(values)).unwrap_or(0));
            }
            if count > 0 {
                self.findings.push(format!("{count} {what} were found again by an index"));
            }
        }
        Ok(())
    }

    /// Accounts and rooms of which only the number is left. They get new names; such an account counts as deleted.
    fn stand_ins(&mut self) -> rusqlite::Result<()> {
        let found = self.new.execute(
            "INSERT INTO who(n, name, since, gone, floor, seen) \
             SELECT DISTINCT n, 'lost-' || n, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER), 0, 0 FROM \
               (SELECT author AS n FROM message WHERE typeof(author) = 'integer' UNION SELECT a FROM place WHERE kind = 2 \
                UNION SELECT b FROM place WHERE kind = 2) \
             WHERE n NOT IN (SELECT n FROM who)",
            [],
        )?;
        if found > 0 {
            self.findings.push(format!("lost: the names of {found} accounts; they are now lost-NUMBER, and deleted"));
        }
        let found = self.new.execute(
            "INSERT INTO room(id, name, owner, ownerless_ms, days) \
             SELECT a, 'lost-' || a, NULL, CAST(unixepoch('subsec') * 1000 AS INTEGER), 30 FROM place \
             WHERE kind = 1 AND a NOT IN (SELECT id FROM room)",
            [],
        )?;
        if found > 0 {
            self.findings.push(format!("lost: the names of {found} rooms; they are now lost-NUMBER, without an owner"));
        }
        self.new.execute_batch(
            "UPDATE room SET owner = NULL, ownerless_ms = CAST(unixepoch('subsec') * 1000 AS INTEGER)
               WHERE owner NOT IN (SELECT n FROM who);",
        )
    }

    /// Values that a start would refuse.
    fn values(&mut self) -> rusqlite::Result<()> {
        for (what, mend) in VALUES {
            let count = self.new.execute(mend, [])?;
            if count > 0 {
                self.findings.push(format!("lost: {count} {what}"));
            }
        }
        for (table, key, others) in
            [("who", "n", ", gone = CAST(unixepoch('subsec') * 1000 AS INTEGER)"), ("room", "id", "")]
        {
            let mut statement = self.new.prepare(&format!("SELECT {key}, name FROM {table}"))?;
            let all = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            for (n, name) in all.collect::<rusqlite::Result<Vec<_>>>()? {
                let is_name =
                    if table == "who" { UserName::from_record(&name).is_ok() } else { RoomName::parse(&name).is_ok() };
                if !is_name {
                    let rename = format!("UPDATE {table} SET name = 'lost-' || {key}{others} WHERE {key} = ?1");
                    self.new.execute(&rename, [n])?;
                    self.findings.push(format!("lost: the name of {table} {n}; it is now lost-{n}"));
                }
            }
        }
        Ok(())
    }

    /// Places of direct messages whose row is lost, as their entries in `inbox` tell them.
    fn places(&mut self) -> rusqlite::Result<()> {
        let found = self.new.execute(
            "INSERT OR IGNORE INTO place(n, kind, a, b) SELECT code >> 2, ?1, min(who), max(who) FROM inbox \
             WHERE code >> 2 NOT IN (SELECT n FROM place) AND code & 3 < 2 GROUP BY code >> 2",
            [kind::DIRECT],
        )?;
        if found > 0 {
            self.findings.push(format!("{found} places of direct messages were found again by their messages"));
        }
        // If one room has no place, and one place has no row, they belong together.
        let found = self.new.execute(
            "INSERT INTO place(n, kind, a, b) SELECT m.place, ?1, r.id, 0 FROM \
               (SELECT DISTINCT place FROM message WHERE place NOT IN (SELECT n FROM place)) m, \
               (SELECT id FROM room WHERE id NOT IN (SELECT a FROM place WHERE kind = ?1)) r \
             WHERE (SELECT count(DISTINCT place) FROM message WHERE place NOT IN (SELECT n FROM place)) = 1 \
               AND (SELECT count(*) FROM room WHERE id NOT IN (SELECT a FROM place WHERE kind = ?1)) = 1",
            [kind::ROOM],
        )?;
        if found > 0 {
            self.findings.push("the place of a room was found again by its messages".to_owned());
        }
        let made = "INSERT INTO place(kind, a, b) SELECT ?1, id, 0 FROM room \
                    WHERE id NOT IN (SELECT a FROM place WHERE kind = ?1)";
        self.new.execute(made, [kind::ROOM]).map(drop)
    }

    /// Says in the places that have lost messages how many, if the index of the damaged file knows it.
    fn tell_holes(&mut self) -> rusqlite::Result<()> {
        for (low, high) in std::mem::take(&mut self.gaps) {
            let mut places = self.new.prepare("SELECT n FROM place WHERE kind <= ?1")?;
            let places = places.query_map([kind::DIRECT], |row| row.get::<_, i64>(0))?;
            let mut lost = 0;
            for place in places.collect::<rusqlite::Result<Vec<_>>>()? {
                match self.lost(place, low, high) {
                    Ok((0, _)) => {}
                    Ok((count, last)) => {
                        lost += count;
                        self.hole(place, last.saturating_add(1), Some(count), WHY)?;
                    }
                    // Perhaps none.
                    Err(_) => {
                        let end = if high == i64::MAX { self.last_id()? } else { high - 1 };
                        self.hole(place, end, None, WHY_PERHAPS)?;
                    }
                }
            }
            if lost > 0 {
                self.findings.push(format!("lost: {lost} messages that were said one after the other"));
            }
        }
        Ok(())
    }

    /// Messages of a place that the index has and the table has not, and the last of them.
    fn lost(&self, place: i64, low: i64, high: i64) -> rusqlite::Result<(i64, i64)> {
        let query = "SELECT id FROM message INDEXED BY message_place WHERE place = ?1 AND id > ?2 AND id < ?3";
        let mut statement = self.old.prepare(query)?;
        let mut rows = statement.query((place, low, high))?;
        let mut is_there = self.new.prepare("SELECT 1 FROM message WHERE id = ?1")?;
        let (mut count, mut last) = (0, 0);
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if !is_there.exists([id])? {
                count += 1;
                last = last.max(id);
            }
        }
        Ok((count, last))
    }

    fn last_id(&self) -> rusqlite::Result<i64> {
        self.new.query_row("SELECT coalesce(max(id), 0) + 1 FROM message", [], |row| row.get(0))
    }

    fn hole(&self, place: i64, id: i64, count: Option<i64>, why: &str) -> rusqlite::Result<()> {
        let hole = "INSERT OR IGNORE INTO hole(place, id, count, why) VALUES(?1, ?2, ?3, ?4)";
        self.new.execute(hole, (place, id, count, why))?;
        let entry =
            "INSERT OR IGNORE INTO inbox(who, id, code) SELECT ?3, ?2, n * 4 + 2 FROM place WHERE n = ?1 AND kind = 2";
        for side in ["a", "b"] {
            let query = format!("SELECT {side} FROM place WHERE n = ?1");
            let who: i64 = self.new.query_row(&query, [place], |row| row.get(0))?;
            self.new.execute(entry, (place, id, who))?;
        }
        Ok(())
    }

    /// Makes all tables of words anew.
    fn words(&mut self) -> rusqlite::Result<()> {
        let mut spans = spans::all(self.new, "main")?;
        self.new.execute_batch("DELETE FROM span")?;
        let mut end = i64::MIN;
        spans.retain(|span| {
            let is_sound = span.first > end && span.end() >= span.first;
            end = if is_sound { span.end() } else { end };
            is_sound
        });
        if spans.is_empty() {
            spans.push(Span { n: 1, first: 0, last: None, rows: 0 });
        }
        self.new.execute(
            "INSERT INTO meta(key, value) VALUES('last_span', ?1) ON CONFLICT(key) DO UPDATE SET value = max(value, ?1)",
            [spans.iter().map(|span| span.n).max()],
        )?;
        let mut count = 0;
        for span in &spans {
            count += spans::make(self.new, span)?;
        }
        if count > 0 {
            let plural = if count == 1 { " was" } else { "s were" };
            self.findings.push(format!("{count} message{plural} indexed anew"));
        }
        Ok(())
    }

    /// Numbers of accounts and places are never used again.
    fn sequences(&self) -> rusqlite::Result<()> {
        let Ok(mut statement) = self.old.prepare("SELECT name, seq FROM sqlite_sequence") else { return Ok(()) };
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        for (name, seq) in rows.into_iter().flatten().flatten() {
            let raise = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
            self.new.execute(raise, (name, seq))?;
        }
        Ok(())
    }
}
