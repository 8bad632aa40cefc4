//! The model against the smallest store that keeps the same promise: what was acknowledged is there after a power cut.
//! Stores that break it on purpose must be found out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::ffi::{SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE};
use rusqlite::{Connection, params};
use testkit::Dice;

use super::model::{Disk, Fault, How, Replay, Rest, folder, lay_out};

/// What a toy store does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// It syncs at checkpoints only.
    Unsynced,
    /// It acknowledges before it commits.
    Early,
    /// After a failed sync it takes what it can read for what is on disk.
    Trusting,
}

struct Toy {
    disk: Arc<Disk>,
    connection: Option<Connection>,
    flaw: Flaw,
    next: i64,
    /// The rows that were acknowledged, each with the number of steps by then.
    kept: BTreeMap<i64, usize>,
    /// The rows that were refused.
    refused: BTreeSet<i64>,
    /// The refused rows that the file may hold.
    doubtful: BTreeSet<i64>,
    /// The numbers of steps between which there was no doubtful row.
    sound_since: Option<usize>,
}

const TEXT: &str =
    "a text that is long enough for some rows to fill a page of the file, and a few of them several pages";

fn open(folder: &Path, flaw: Flaw) -> rusqlite::Result<Connection> {
    let connection = Connection::open(folder.join("toy.db"))?;
    // A close after a failed sync must not touch the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", if flaw == Flaw::Unsynced { "normal" } else { "full" })?;
    connection.pragma_update(None, "secure_delete", "on")?;
    connection.pragma_update(None, "wal_autocheckpoint", "12")?;
    connection.execute_batch("create table if not exists row(id integer primary key, text text not null) strict")?;
    Ok(connection)
}

impl Toy {
    fn new(folder: &Path, flaw: Flaw) -> Self {
        std::fs::write(folder.join("toy.db"), "").expect("an empty file");
        let disk = Disk::of(folder);
        let connection = Some(open(folder, flaw).expect("a new store"));
        let sound_since = Some(disk.len());
        let (kept, refused, doubtful) = Default::default();
        Self { disk, connection, flaw, next: 1, kept, refused, doubtful, sound_since }
    }

    /// Commits some rows, and answers.
    fn keep(&mut self, count: i64) {
        let ids: Vec<i64> = (self.next..self.next + count).collect();
        self.next += count;
        if self.flaw == Flaw::Early {
            self.answer(&ids, true);
        }
        let is_kept = self.heal() && self.commit(&ids).is_ok();
        if self.flaw != Flaw::Early {
            self.answer(&ids, is_kept);
        }
    }

    fn answer(&mut self, ids: &[i64], is_kept: bool) {
        let steps = self.disk.len();
        if is_kept {
            self.kept.extend(ids.iter().map(|id| (*id, steps)));
        } else {
            self.refused.extend(ids);
            self.doubtful.extend(ids);
            self.connection = None;
            self.sound_since = None;
        }
    }

    fn commit(&mut self, ids: &[i64]) -> rusqlite::Result<()> {
        let transaction = self.connection.as_mut().expect("healed").transaction()?;
        for id in ids {
            transaction.execute("insert into row values(?, ?)", params![id, TEXT])?;
        }
        // Something goes now and then, as by retention.
        if let Some(old) = ids.first().filter(|id| *id % 7 == 0) {
            transaction.execute("update row set text = 'short' where id < ?", params![old - 20])?;
        }
        transaction.commit()
    }

    /// Opens the file again if it is not open, deletes what was refused, and checkpoints.
    fn heal(&mut self) -> bool {
        if self.connection.is_some() {
            return true;
        }
        if self.flaw != Flaw::Trusting {
            write_log_again(&self.disk.folder().join("toy.db-wal"));
        }
        let healed = open(self.disk.folder(), self.flaw).and_then(|connection| {
            for id in &self.doubtful {
                connection.execute("delete from row where id = ?", params![id])?;
            }
            let busy: i64 = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
            assert_eq!(busy, 0);
            Ok(connection)
        });
        self.connection = healed.ok();
        if self.connection.is_some() {
            self.doubtful.clear();
            self.sound_since = Some(self.disk.len());
        }
        self.connection.is_some()
    }
}

/// After a failed sync, the kernel shows bytes that are not on disk, and no later sync writes them. A checkpoint that
/// copies them into the file and is cut short would leave a file whose log has not what the file lacks. Written over
/// itself, the log is there again.
fn write_log_again(log: &Path) {
    let Ok(bytes) = std::fs::read(log) else { return };
    let mut file = std::fs::OpenOptions::new().write(true).open(log).expect("the log");
    file.write_all(&bytes).expect("a disk that works");
}

/// Opens what a cut has left and looks for what must and what may not be there.
fn check_left(files: &BTreeMap<String, Vec<u8>>, kept: &[i64], refused: &[i64]) -> Result<(), String> {
    let folder = folder();
    lay_out(folder.path(), files);
    let rows = Connection::open(folder.path().join("toy.db")).and_then(|connection| {
        let sound: String = connection.query_row("pragma integrity_check", [], |row| row.get(0))?;
        let mut rows = connection.prepare("select id from row")?;
        let rows = rows.query_map([], |row| row.get(0))?.collect::<Result<BTreeSet<i64>, _>>()?;
        Ok((sound, rows))
    });
    let (sound, rows) = rows.map_err(|e| format!("it does not open: {e}"))?;
    if sound != "ok" {
        return Err(format!("it is damaged: {sound}"));
    }
    let lost = kept.iter().find(|id| !rows.contains(id));
    let back = refused.iter().find(|id| rows.contains(id));
    match (lost, back) {
        (Some(id), _) => Err(format!("row {id} was acknowledged and is lost")),
        (_, Some(id)) => Err(format!("row {id} was refused and is there")),
        (None, None) => Ok(()),
    }
}

/// Cuts the power after each step from `from` on.
fn check_cuts(toy: &Toy, from: usize, dice: &mut Dice) -> Result<usize, String> {
    let (mut replay, mut cuts) = (Replay::default(), 0);
    for (at, step) in toy.disk.steps().iter().enumerate() {
        replay.play(step);
        if at + 1 < from {
            continue;
        }
        let kept: Vec<i64> = toy.kept.iter().filter(|(_, steps)| **steps <= at + 1).map(|(id, _)| *id).collect();
        let is_sound = toy.sound_since.is_some_and(|since| since <= at + 1);
        let refused: Vec<i64> = if is_sound { toy.refused.iter().copied().collect() } else { Vec::new() };
        for rest in [Rest::Nothing, Rest::Everything, Rest::Some, Rest::Some] {
            check_left(&replay.cut(rest, dice), &kept, &refused)
                .map_err(|fault| format!("{step:?}, {rest:?}: {fault}"))?;
            cuts += 1;
        }
    }
    Ok(cuts)
}

fn run(flaw: Flaw, seed: u64) -> Result<usize, String> {
    let folder = folder();
    let (mut toy, mut dice) = (Toy::new(folder.path(), flaw), Dice::of(seed));
    let from = toy.disk.len();
    (0..12).for_each(|_| toy.keep(1 + dice.below(30) as i64));
    toy.connection
        .take()
        .expect("open")
        .query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
        .expect("a checkpoint");
    check_cuts(&toy, from, &mut dice)
}

#[test]
fn a_store_that_syncs_survives_every_cut() {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    let cuts = run(Flaw::None, seed).unwrap_or_else(|fault| panic!("CHATD_SEED={seed}: {fault}"));
    println!("{cuts} cuts");
}

#[test]
fn stores_that_do_not_sync_are_found() {
    for flaw in [Flaw::Unsynced, Flaw::Early] {
        let fault = run(flaw, 1).expect_err("a fault");
        assert!(fault.contains("acknowledged and is lost") || fault.contains("no such table"), "{fault}");
    }
}

/// A store in which these steps fail, and which then works again.
fn run_failing(flaw: Flaw, fault: Fault, seed: u64) -> Result<Option<usize>, String> {
    let folder = folder();
    let (mut toy, mut dice) = (Toy::new(folder.path(), flaw), Dice::of(seed));
    (0..2).for_each(|_| toy.keep(20));
    let from = toy.disk.len();
    toy.disk.fail(Some(fault));
    (0..4).for_each(|_| toy.keep(15));
    if !toy.disk.is_hit() {
        return Ok(None);
    }
    toy.disk.fail(None);
    (0..2).for_each(|_| toy.keep(5));
    check_cuts(&toy, from, &mut dice).map(Some)
}

/// A fault at each step in turn.
fn at_every_step(flaw: Flaw, seed: u64) -> Result<usize, String> {
    let mut cuts = 0;
    for (how, count) in
        [(How::Error(SQLITE_IOERR_FSYNC), 1), (How::Error(SQLITE_IOERR_WRITE), 3), (How::Short(SQLITE_FULL), 1)]
    {
        for from in 0.. {
            let fault = Fault { from, count, how };
            match run_failing(flaw, fault, seed).map_err(|told| format!("CHATD_SEED={seed}, {fault:?}: {told}"))? {
                Some(more) => cuts += more,
                None => break,
            }
        }
    }
    Ok(cuts)
}

#[test]
fn a_store_survives_a_fault_at_every_step_and_then_a_cut() {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    println!("{} cuts", at_every_step(Flaw::None, seed).unwrap_or_else(|fault| panic!("{fault}")));
}

#[test]
fn a_store_that_trusts_a_failed_sync_is_found() {
    let fault = at_every_step(Flaw::Trusting, 1).expect_err("a fault");
    assert!(fault.contains("damaged") || fault.contains("is lost"), "{fault}");
}
