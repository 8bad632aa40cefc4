//! Who may forget which message, and where it was said.

use rusqlite::OptionalExtension as _;
use rusqlite::types::Value;

use crate::history::request::{Forget, Said, Shown};
use crate::history::store::base::Base;
use crate::history::store::hidden::Hidden;
use crate::history::store::restore::invalid;
use crate::history::store::schema::kind;
use crate::hub::names::{RoomName, UserName};

/// What an account may do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// No page of the account has it.
    None,
    /// The account reads it.
    Read,
    /// The account may forget it.
    Forget,
}

impl Base {
    /// What the account with the number `me` may do with the message with this id.
    ///
    /// # Errors
    /// Of SQLite, as with all functions here.
    pub(super) fn right(&self, forget: &Forget, me: i64, id: i64) -> rusqlite::Result<Right> {
        let find = "SELECT author, kind, a, b FROM message JOIN place ON place.n = message.place WHERE id = ?1";
        let mut find = self.db.prepare_cached(find)?;
        let found = find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).optional()?;
        let Some((author, of, a, b)): Option<(Value, i64, i64, i64)> = found else { return Ok(Right::None) };
        if of == kind::DOOMED || Hidden::load(&self.db)?.has((&author).into(), id) {
            return Ok(Right::None);
        }
        let is_among = |rooms: &[crate::hub::record::KeptId]| rooms.iter().any(|room| i64::from(room.0) == a);
        let is_owner = of == kind::ROOM && is_among(&forget.owns);
        if author == Value::Integer(me) || is_owner {
            return Ok(Right::Forget);
        }
        let is_read = match of {
            kind::EVERYBODY => true,
            kind::ROOM => is_among(&forget.mine.rooms),
            _ => me == a || me == b,
        };
        Ok(if is_read { Right::Read } else { Right::None })
    }

    /// Where something was said; `None` for a place that is no longer there.
    pub(super) fn said_at(&self, place: i64) -> rusqlite::Result<Option<Said>> {
        let mut find = self.db.prepare_cached("SELECT kind, a, b FROM place WHERE n = ?1")?;
        let found = find.query_row([place], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((of, a, b)): Option<(i64, i64, i64)> = found else { return Ok(None) };
        match of {
            kind::EVERYBODY => Ok(Some(Said::Everybody)),
            kind::ROOM => {
                let mut find = self.db.prepare_cached("SELECT name FROM room WHERE id = ?1")?;
                let name = find.query_row([a], |row| row.get::<_, String>(0)).optional()?;
                let parse = |name: String| RoomName::parse(&name).map_err(|_| invalid("a room has no name"));
                Ok(name.map(parse).transpose()?.map(Said::Room))
            }
            kind::DIRECT => Ok(self.shown(a)?.zip(self.shown(b)?).map(|(a, b)| Said::Direct(a, b))),
            _ => Ok(None),
        }
    }

    fn shown(&self, n: i64) -> rusqlite::Result<Option<Shown>> {
        let mut find = self.db.prepare_cached("SELECT name, gone FROM who WHERE n = ?1")?;
        let found = find.query_row([n], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((name, gone)): Option<(String, i64)> = found else { return Ok(None) };
        let name = UserName::from_record(&name).map_err(|_| invalid("an account has no name"))?;
        Ok(Some(Shown { name, is_gone: gone != 0 }))
    }
}
