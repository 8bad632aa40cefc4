//! Erasing for good. What remains is written to a new file, which takes the place of the old one, so that no byte of
//! what was erased stays in a file of the server's.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use super::Failure;
use super::counts;
use super::file::{self, failed};
use super::names::{self, Found, Whose};
use super::rewrite::Draft;
use super::spans;
use crate::history::store::schema;

/// Tables that are copied as they are, but for the rows that the second part excludes.
const TABLES: [(&str, &str); 12] = [
    ("meta", "1"),
    ("who", "n NOT IN (SELECT n FROM temp.gone)"),
    ("place", "n NOT IN (SELECT n FROM temp.place_gone)"),
    ("room", "1"),
    ("member", "who NOT IN (SELECT n FROM temp.gone)"),
    ("inbox", "id NOT IN (SELECT id FROM temp.doomed) AND code >> 2 NOT IN (SELECT n FROM temp.place_gone)"),
    ("mention", "id NOT IN (SELECT id FROM temp.doomed) AND who NOT IN (SELECT n FROM temp.whose)"),
    ("mark", "who NOT IN (SELECT n FROM temp.whose) AND place NOT IN (SELECT n FROM temp.place_gone)"),
    ("loud", "who NOT IN (SELECT n FROM temp.whose) AND place NOT IN (SELECT n FROM temp.place_gone)"),
    ("forget", "who NOT IN (SELECT n FROM temp.whose)"),
    ("hole", "place NOT IN (SELECT n FROM temp.place_gone)"),
    ("message", "id NOT IN (SELECT id FROM temp.doomed)"),
];

/// What to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What these said anywhere, their direct messages in both directions, their marks and their profile; of a deleted
    /// account everything. A name as pages show it: `alice`, `-alice` for deleted accounts, `~alice` for guests.
    Account(String),
    /// What was said in this room, or for `*` to everybody. The room stays.
    Room(String),
    /// Everything that was said before this time, in milliseconds since 1970.
    Before(u64),
}

/// What an erasure concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doomed {
    /// The accounts, as lines for the operator; empty unless an account is erased.
    pub accounts: Vec<String>,
    /// Messages.
    pub rows: u64,
    /// … direct ones among them.
    pub direct: u64,
    /// Copies beside the history that may hold the same, and are not touched.
    pub copies: Vec<PathBuf>,
}

/// An erasure that has begun: the history is locked, and nothing is changed yet.
pub struct Eraser {
    history: PathBuf,
    draft: Draft,
    doomed: Doomed,
    _lock: File,
}

impl Eraser {
    /// Finds what is to be erased. `existing` are the accounts of the account file with the times of their
    /// registration, in seconds since 1970, if that could be read.
    ///
    /// # Errors
    /// [`Failure`]; nothing was changed. [`Failure::InUse`] while a server, or anybody else, uses the history.
    pub fn begin(history: &Path, what: &What, existing: Option<&[(String, u64)]>) -> Result<Self, Failure> {
        file::find(history)?;
        let lock = file::lock(history)?;
        // Checks kind, owner and version.
        drop(file::to_write(history)?);
        let draft = Draft::begin(history)?;
        match find(history, &draft.connection, what, existing) {
            Ok(doomed) => Ok(Self { history: history.to_owned(), draft, doomed, _lock: lock }),
            Err(failure) => {
                draft.give_up();
                Err(failure)
            }
        }
    }

    /// What is to be erased.
    pub fn doomed(&self) -> &Doomed {
        &self.doomed
    }

    /// Erases it. Gives the size of the history in bytes.
    ///
    /// # Errors
    /// [`Failure`]; nothing was changed.
    pub fn erase(self) -> Result<u64, Failure> {
        let Self { history, draft, .. } = &self;
        if let Err(error) = copy(&draft.connection) {
            let failure = failed(history, &error);
            self.draft.give_up();
            return Err(failure);
        }
        self.draft.finish(None)
    }

    /// Leaves everything as it is.
    pub fn give_up(self) {
        self.draft.give_up();
    }
}

/// Takes the old file for this connection alone, and writes down what is to go: ids in `temp.doomed`, accounts whose data
/// goes in `temp.whose`, those that go whole in `temp.gone`, places that go whole in `temp.place_gone`.
fn find(
    history: &Path,
    connection: &Connection,
    what: &What,
    existing: Option<&[(String, u64)]>,
) -> Result<Doomed, Failure> {
    take(history, connection)?;
    let whose = match what {
        What::Account(name) => Some(names::accounts(history, (connection, "old"), name, existing)?),
        What::Room(_) | What::Before(_) => None,
    };
    let places = match what {
        What::Room(room) => names::room(history, (connection, "old"), room)?,
        What::Account(_) | What::Before(_) => Vec::new(),
    };
    let mark = || {
        connection.execute_batch(
            "CREATE TEMP TABLE doomed(id INTEGER PRIMARY KEY);
             CREATE TEMP TABLE whose(n INTEGER PRIMARY KEY);
             CREATE TEMP TABLE gone(n INTEGER PRIMARY KEY);
             CREATE TEMP TABLE place_gone(n INTEGER PRIMARY KEY);",
        )?;
        match what {
            What::Account(_) => whose.iter().try_for_each(|whose| doom_account(connection, whose))?,
            What::Room(_) => {
                for place in &places {
                    let doom = "INSERT INTO temp.doomed SELECT id FROM old.message WHERE place = ?1";
                    connection.execute(doom, [place])?;
                }
            }
            What::Before(ms) => {
                let id = i64::try_from(*ms).map_or(i64::MAX, schema::id_at);
                connection.execute("INSERT INTO temp.doomed SELECT id FROM old.message WHERE id < ?1", [id])?;
            }
        }
        let count = |query: &str| {
            let found = connection.query_row(query, [], |row| row.get::<_, i64>(0));
            found.map(|count| u64::try_from(count).unwrap_or_default())
        };
        let rows = count("SELECT count(*) FROM temp.doomed")?;
        let direct = count(
            "SELECT count(*) FROM temp.doomed d JOIN old.message m ON m.id = d.id JOIN old.place p ON p.n = m.place \
             WHERE p.kind = 2",
        )?;
        // What a server was already deleting; the place of a direct message no longer says whose it was.
        connection.execute_batch(
            "INSERT INTO temp.place_gone SELECT n FROM old.place WHERE kind = 3;
             INSERT OR IGNORE INTO temp.doomed SELECT id FROM old.message
               WHERE place IN (SELECT n FROM temp.place_gone);",
        )?;
        Ok((rows, direct))
    };
    let (rows, direct) = mark().map_err(|error: rusqlite::Error| failed(history, &error))?;
    let accounts = match &whose {
        Some(Whose::Accounts(found)) => found.iter().map(Found::describe).collect(),
        Some(Whose::Guest(guest)) => vec![format!("{guest}, a guest")],
        None => Vec::new(),
    };
    Ok(Doomed { accounts, rows, direct, copies: file::copies(history) })
}

/// Attaches the old file as `old`, for this connection alone.
fn take(history: &Path, connection: &Connection) -> Result<(), Failure> {
    let Some(path) = history.to_str() else {
        return Err(Failure::Refused(format!("{}: its name must be UTF-8", history.display())));
    };
    let attach = || {
        connection.execute("ATTACH ?1 AS old", [path])?;
        // Needs the file for itself, and brings its log into it.
        connection.query_row("PRAGMA old.journal_mode = DELETE", [], |row| row.get::<_, String>(0))
    };
    match attach() {
        Ok(mode) if mode.eq_ignore_ascii_case("delete") => {}
        Ok(_) => return Err(in_use(history)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => return Err(in_use(history)),
        Err(error) => return Err(failed(history, &error)),
    }
    let version = connection.query_row("PRAGMA old.user_version", [], |row| row.get::<_, i64>(0));
    match version.map_err(|error| failed(history, &error))? {
        schema::VERSION => Ok(()),
        version => {
            let what = format!("has the older version {version}; start this server once, and stop it again");
            Err(Failure::Refused(format!("{}: {what}", history.display())))
        }
    }
}

fn in_use(history: &Path) -> Failure {
    let what = "another process reads it; end that first, for what it reads would stay on disk";
    Failure::InUse(format!("{}: {what}", history.display()))
}

fn doom_account(connection: &Connection, whose: &Whose) -> rusqlite::Result<()> {
    let found = match whose {
        Whose::Accounts(found) => found,
        Whose::Guest(guest) => {
            let doom = "INSERT INTO temp.doomed SELECT id FROM old.message WHERE typeof(author) = 'text' \
                        AND author = ?1 COLLATE NOCASE";
            return connection.execute(doom, [guest]).map(drop);
        }
    };
    for found in found {
        connection.execute("INSERT INTO temp.whose VALUES(?1)", [found.n])?;
        if found.is_gone {
            connection.execute("INSERT INTO temp.gone VALUES(?1)", [found.n])?;
        }
    }
    connection.execute_batch(
        "INSERT INTO temp.place_gone SELECT n FROM old.place
           WHERE kind = 2 AND (a IN (SELECT n FROM temp.whose) OR b IN (SELECT n FROM temp.whose));
         INSERT INTO temp.doomed SELECT id FROM old.message
           WHERE typeof(author) = 'integer' AND author IN (SELECT n FROM temp.whose)
              OR typeof(author) = 'text' AND author COLLATE NOCASE IN
                (SELECT '-' || name FROM old.who WHERE n IN (SELECT n FROM temp.gone))
              OR place IN (SELECT n FROM temp.place_gone);",
    )
}

/// Copies what remains.
fn copy(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN")?;
    for (table, remains) in TABLES {
        connection.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM old.{table} WHERE {remains}"))?;
    }
    connection.execute_batch(
        "INSERT INTO main.profile SELECT * FROM old.profile WHERE who NOT IN (SELECT n FROM temp.whose);
         INSERT INTO main.ignore SELECT * FROM old.ignore
           WHERE who NOT IN (SELECT n FROM temp.whose) AND whom NOT IN (SELECT n FROM temp.gone);
         UPDATE main.room SET topic = NULL, topic_by = NULL WHERE topic_by COLLATE NOCASE IN
           (SELECT name FROM old.who WHERE n IN (SELECT n FROM temp.whose));
         UPDATE main.room SET owner = NULL, ownerless_ms = CAST(unixepoch('subsec') * 1000 AS INTEGER)
           WHERE owner IN (SELECT n FROM temp.gone);
         DELETE FROM main.sqlite_sequence;
         INSERT INTO main.sqlite_sequence SELECT * FROM old.sqlite_sequence;",
    )?;
    counts::set(connection)?;
    for span in spans::all(connection, "old")? {
        let is_touched = "SELECT 1 FROM temp.doomed WHERE id BETWEEN ?1 AND ?2 LIMIT 1";
        let is_touched = connection.query_row(is_touched, (span.first, span.end()), |_| Ok(())).optional()?.is_some();
        // A table may still have the words of messages that were deleted before, perhaps some of these.
        if is_touched || spans::is_stale(connection, &span)? {
            spans::make(connection, &span)?;
        } else {
            spans::copy(connection, &span)?;
        }
    }
    connection.execute_batch("COMMIT; DETACH old;")
}
