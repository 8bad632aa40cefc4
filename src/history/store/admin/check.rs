//! What a history holds, and what is wrong with it.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::Failure;
use super::file::{self, behind, failed};
use crate::history::store::base::Base;
use crate::history::store::schema::{self, code, kind};
use crate::hub::names::{RoomName, UserName};
use crate::limits;

/// Findings of SQLite that are shown; the rest appear when these are gone.
const FINDINGS_MOST: u32 = 20;

/// Tables in which a row must refer to another one: what is counted, and how.
const REFERENCES: [(&str, &str); 16] = [
    ("messages of a place that is not known", "SELECT count(*) FROM message WHERE place NOT IN (SELECT n FROM place)"),
    (
        "messages of an account that is not known",
        "SELECT count(*) FROM message WHERE typeof(author) = 'integer' AND author NOT IN (SELECT n FROM who)",
    ),
    (
        "messages whose author is no name",
        "SELECT count(*) FROM message WHERE typeof(author) <> 'integer' \
         AND (typeof(author) <> 'text' OR author NOT LIKE '~_%' AND author NOT LIKE '-_%')",
    ),
    (
        "direct messages that their readers do not find",
        "SELECT count(*) FROM message m JOIN place p ON p.n = m.place WHERE p.kind = 2 \
         AND (NOT EXISTS (SELECT 1 FROM inbox WHERE who = p.a AND id = m.id AND code >> 2 = p.n) \
         OR NOT EXISTS (SELECT 1 FROM inbox WHERE who = p.b AND id = m.id AND code >> 2 = p.n))",
    ),
    (
        "direct messages that are not there",
        "SELECT count(*) FROM inbox WHERE code & 3 < 2 AND id NOT IN (SELECT id FROM message)",
    ),
    (
        "mentions in messages that are not there",
        "SELECT count(*) FROM mention WHERE id NOT IN (SELECT id FROM message)",
    ),
    (
        "marks of an account or a place that is not known",
        "SELECT count(*) FROM mark WHERE who NOT IN (SELECT n FROM who) OR place NOT IN (SELECT n FROM place)",
    ),
    ("holes of a place that is not known", "SELECT count(*) FROM hole WHERE place NOT IN (SELECT n FROM place)"),
    (
        "rooms whose owner is not known",
        "SELECT count(*) FROM room WHERE owner IS NOT NULL AND owner NOT IN (SELECT n FROM who)",
    ),
    (
        "members of a room or an account that is not known",
        "SELECT count(*) FROM member WHERE who NOT IN (SELECT n FROM who) OR room NOT IN (SELECT id FROM room)",
    ),
    (
        "rooms whose owner is no member",
        "SELECT count(*) FROM room r WHERE owner IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM member WHERE room = r.id AND who = r.owner)",
    ),
    (
        "places of a room that is not known",
        "SELECT count(*) FROM place WHERE kind = 1 AND a NOT IN (SELECT id FROM room)",
    ),
    (
        "places of an account that is not known",
        "SELECT count(*) FROM place WHERE kind = 2 \
         AND (a > b OR a NOT IN (SELECT n FROM who) OR b NOT IN (SELECT n FROM who))",
    ),
    ("places of a kind that is not known", "SELECT count(*) FROM place WHERE kind NOT BETWEEN 0 AND 3"),
    ("profiles of an account that is not known", "SELECT count(*) FROM profile WHERE who NOT IN (SELECT n FROM who)"),
    (
        "ignored accounts that are not known, or whose reader is not",
        "SELECT count(*) FROM ignore WHERE who NOT IN (SELECT n FROM who) \
         OR whom <> 0 AND whom NOT IN (SELECT n FROM who)",
    ),
];

/// The same for tables that version 1 does not have.
const REFERENCES_2: [(&str, &str); 2] = [
    (
        "levels of an account or a place that is not known",
        "SELECT count(*) FROM loud WHERE who NOT IN (SELECT n FROM who) OR place NOT IN (SELECT n FROM place)",
    ),
    (
        "accounts that are not known and forget messages",
        "SELECT count(*) FROM forget WHERE who NOT IN (SELECT n FROM who)",
    ),
];

/// How much a history holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// `user_version` of the file.
    pub version: u64,
    /// Messages.
    pub rows: u64,
    /// Places with messages.
    pub places: u64,
    /// Accounts, those that are deleted among them.
    pub accounts: u64,
    /// Kept rooms.
    pub rooms: u64,
    /// Holes.
    pub holes: u64,
    /// Tables of words.
    pub words: u64,
    /// Bytes on disk, with what is not yet in the file itself.
    pub bytes: u64,
    /// When the oldest message was said, in milliseconds since 1970; `None` without messages.
    pub oldest_ms: Option<u64>,
    /// When the newest message was said.
    pub newest_ms: Option<u64>,
}

/// The state of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is wrong with it, one line each; empty if it is sound.
    pub findings: Vec<String>,
    /// How much it holds. What could not be read is 0.
    pub overview: Overview,
}

/// Reads the whole history and reports what is wrong with it. A server may use it meanwhile. Nothing is changed.
///
/// # Errors
/// [`Failure`]: it cannot be opened. Damage is not an error but is in the report.
pub fn check(history: &Path) -> Result<Report, Failure> {
    let mut connection = file::to_read(history)?;
    // One moment of a file that a server may be changing.
    let moment = connection.transaction().map_err(|error| failed(history, &error))?;
    let mut findings = Findings { history, lines: Vec::new() };
    findings.take("the file", integrity(&moment));
    findings.take("the names", names(&moment));
    let is_first = file::is_first(&moment);
    let newer = if is_first { &[][..] } else { &REFERENCES_2 };
    for (what, count) in REFERENCES.iter().chain(newer) {
        match moment.query_row(count, [], |row| row.get::<_, i64>(0)) {
            Ok(0) => {}
            Ok(count) => findings.say(&format!("{count} {what}")),
            Err(error) => findings.say(&format!("{what} cannot be counted: {error}")),
        }
    }
    findings.take("the words", super::spans::missing(&moment));
    if moment.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).is_ok_and(|version| version < 1) {
        findings.say("it has no version");
    }
    let overview = overview(history, &moment);
    drop(moment);
    let is_older = file::is_older(&connection);
    if let Some(why) = refused(connection, is_older) {
        findings.say(&format!("a server would not start with it: {why}"));
    }
    Ok(Report { findings: findings.lines, overview })
}

/// Why a start would refuse the tables; `None` if it would not.
fn refused(connection: Connection, is_older: bool) -> Option<String> {
    let mut base = Base::new(connection, limits::History::default(), 0);
    // A start gives an older file what its tables lack, and reads the rest then.
    base.load()
        .and_then(|()| if is_older { Ok(()) } else { base.restored().map(drop) })
        .err()
        .map(|error| error.to_string())
}

/// The lines of a report.
struct Findings<'a> {
    history: &'a Path,
    lines: Vec<String>,
}

impl Findings<'_> {
    fn say(&mut self, what: &str) {
        let line = format!("{}: {what}", self.history.display());
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    fn take(&mut self, part: &str, found: rusqlite::Result<Vec<String>>) {
        match found {
            Ok(lines) => lines.iter().for_each(|line| self.say(line)),
            Err(error) => self.say(&format!("{part} cannot be read: {error}")),
        }
    }
}

/// What SQLite finds: pages, order, indexes, tables of words.
fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MOST})"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.into_iter().flat_map(lines).filter(|line| line != "ok").collect())
}

fn lines(text: String) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Names that a start would refuse.
fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut statement = connection.prepare("SELECT n, name FROM who")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (n, name): (i64, String) = (row.get(0)?, row.get(1)?);
        if UserName::from_record(&name).is_err() {
            wrong.push(format!("account {n} has a name that is none"));
        }
    }
    let mut statement = connection.prepare("SELECT id, name, lock FROM room")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, name, lock): (i64, String, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if RoomName::parse(&name).is_err() {
            wrong.push(format!("room {id} has a name that is none"));
        }
        if lock.is_some_and(|lock| lock.len() != crate::hub::record::Lock::BYTES) {
            wrong.push(format!("room {id} has a password that cannot be checked"));
        }
    }
    Ok(wrong)
}

fn overview(history: &Path, connection: &Connection) -> Overview {
    let number = |query: &str| {
        let found = connection.query_row(query, [], |row| row.get::<_, Option<i64>>(0));
        found.ok().flatten().and_then(|number| u64::try_from(number).ok())
    };
    let count = |query: &str| number(query).unwrap_or_default();
    let ms = |query: &str| number(query).and_then(|id| u64::try_from(schema::ms_of(i64::try_from(id).ok()?)).ok());
    let size = |suffix: &str| fs::metadata(behind(history, suffix)).map(|about| about.len()).unwrap_or_default();
    Overview {
        version: count("SELECT user_version FROM pragma_user_version"),
        rows: count("SELECT count(*) FROM message"),
        places: count("SELECT count(DISTINCT place) FROM message"),
        accounts: count("SELECT count(*) FROM who"),
        rooms: count("SELECT count(*) FROM room"),
        holes: count("SELECT count(*) FROM hole"),
        words: count("SELECT count(*) FROM span"),
        bytes: size("") + size("-wal"),
        oldest_ms: ms("SELECT min(id) FROM message"),
        newest_ms: ms("SELECT max(id) FROM message"),
    }
}

/// The numbers that stand in the queries above are those of the schema.
const _: () = assert!(
    kind::EVERYBODY == 0
        && kind::ROOM == 1
        && kind::DIRECT == 2
        && kind::DOOMED == 3
        && code::RECEIVED == 0
        && code::SENT == 1
);
