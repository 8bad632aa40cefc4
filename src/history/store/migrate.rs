//! A file becomes one of this version: an empty one gets tables, an older one goes step by step.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction};

use super::schema::{self, APPLICATION, VERSION};
use crate::files;

/// A step from a version to the next one.
pub(super) type Step = fn(&Transaction<'_>) -> rusqlite::Result<()>;

/// The steps from version 1 on.
pub(super) const STEPS: &[Step] = &[schema::second, schema::third];

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Refused {
    /// SQLite's answer.
    Sqlite(rusqlite::Error),
    /// A line for the operator, without the path.
    Text(String),
}

impl From<rusqlite::Error> for Refused {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}

/// Brings the file to the newest version. Before the first step a copy is made beside it. Gives whether the file was
/// empty.
///
/// # Errors
/// [`Refused`]. Each step is whole or not there.
pub(super) fn migrate(db: &mut Connection, path: &Path, steps: &[Step]) -> Result<bool, Refused> {
    let newest = i64::try_from(steps.len()).unwrap_or(0) + 1;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if (version, application, tables) == (0, 0, 0) {
        let transaction = db.transaction()?;
        schema::create(&transaction)?;
        transaction.commit()?;
        return Ok(true);
    }
    if application != APPLICATION {
        return Err(Refused::Text("is a database of another program; give history.file another name".to_owned()));
    }
    if version > newest {
        return Err(Refused::Text(format!(
            "was written by a newer chatd (version {version}, this one knows {newest}); start that one, or give \
             history.file another name"
        )));
    }
    if version < 1 {
        return Err(Refused::Text("is damaged: it has no version; run 'chatd history repair'".to_owned()));
    }
    let done = usize::try_from(version - 1).unwrap_or(0);
    let to_do = steps.get(done..).unwrap_or_default();
    if !to_do.is_empty() {
        let copy = copy(db, path, version)?;
        log::info!("history: from version {version} to {newest}; a copy is at {}", copy.display());
    }
    for (step, to) in to_do.iter().zip(version + 1..) {
        let transaction = db.transaction()?;
        step(&transaction)?;
        transaction.pragma_update(None, "user_version", to)?;
        transaction.commit()?;
    }
    Ok(false)
}

/// Copies the file as `history.db.v1`, for its version. A copy that a start has begun before is made anew.
fn copy(db: &Connection, path: &Path, version: i64) -> Result<PathBuf, Refused> {
    let copy = files::beside(path, &format!("v{version}"));
    let failed = |e: &dyn std::fmt::Display| {
        Refused::Text(format!("cannot be copied to {} before it is changed: {e}; make room there", copy.display()))
    };
    match std::fs::remove_file(&copy) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(&e)),
        Ok(()) | Err(_) => {}
    }
    let file = files::create_new(&copy, b"").map_err(|e| failed(&e))?;
    let name = copy.to_str().ok_or_else(|| failed(&"its name is not UTF-8"))?;
    db.execute("VACUUM INTO ?1", [name]).map_err(|e| failed(&e))?;
    file.sync_all().and_then(|()| files::sync_folder(&copy)).map_err(|e| failed(&e))?;
    Ok(copy)
}

const _: () = assert!(VERSION as usize == STEPS.len() + 1);
