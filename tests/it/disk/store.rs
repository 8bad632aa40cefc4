//! The store on the model disk: after a cut at each step, what was acknowledged is there, what was refused is not, ids do
//! not go back, and what is lost is told.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use chatd::limits;
use rusqlite::ffi::{SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE};
use testkit::{Dice, pause};

use super::model::{Disk, Fault, How, Replay, Rest, folder, lay_out};
use super::script::{DEN, Ledger, Load, MARKER, Store};

/// How soon the store is promised to work again.
const HEALED: Duration = Duration::from_secs(30);

/// Opens what a cut has left, and checks it.
fn check_left(
    files: &BTreeMap<String, Vec<u8>>,
    ledger: &Ledger,
    steps: usize,
    is_sound: bool,
    rules: &limits::History,
) -> Result<(), String> {
    let folder = folder();
    ledger.check_bytes(steps, files)?;
    lay_out(folder.path(), files);
    let (mut store, restored) = Store::open(folder.path(), rules)?;
    let lines = store.read(&[DEN])?;
    ledger.check(steps, is_sound, &restored, &lines)?;
    if is_sound {
        ledger.check_person(steps, &store.person(&restored)?)?;
    }
    store.close();
    let file = rusqlite::Connection::open(folder.path().join("history.db")).map_err(|e| e.to_string())?;
    let sound: String = file.query_row("pragma integrity_check", [], |row| row.get(0)).map_err(|e| e.to_string())?;
    if sound == "ok" { Ok(()) } else { Err(format!("it is damaged: {sound}")) }
}

/// Where the power is cut.
struct Cuts {
    /// From this step on …
    from: usize,
    /// … after one step in so many …
    stride: usize,
    /// … and after every other one of these.
    dense: Range<usize>,
    /// From this step on, what was refused must not be there.
    sound_from: usize,
}

impl Cuts {
    fn is_at(&self, done: usize) -> bool {
        done >= self.from && (done.is_multiple_of(self.stride) || self.dense.contains(&done) && done.is_multiple_of(2))
    }
}

/// Cuts the power, and checks what is left.
fn check_cuts(
    disk: &Disk,
    ledger: &Ledger,
    wanted: &Cuts,
    rules: &limits::History,
    dice: &mut Dice,
) -> Result<usize, String> {
    let (mut replay, mut cuts) = (Replay::default(), 0);
    let steps = disk.steps();
    for (at, step) in steps.iter().enumerate() {
        replay.play(step);
        let done = at + 1;
        if !wanted.is_at(done) && done != steps.len() {
            continue;
        }
        for rest in [Rest::Nothing, Rest::Everything, Rest::Some] {
            let left = replay.cut(rest, dice);
            check_left(&left, ledger, done, done >= wanted.sound_from, rules)
                .map_err(|fault| format!("after step {done} of {}, {step:?}, {rest:?}: {fault}", steps.len()))?;
            cuts += 1;
        }
    }
    Ok(cuts)
}

fn silent(_: u64) {}

/// Runs the load once, and cuts the power at one step of it in `stride`.
#[track_caller]
fn run(stride: usize, rules: &limits::History, newest: Option<usize>, more: impl FnOnce(&mut Load<'_>)) {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    let folder = folder();
    let disk = Disk::of(folder.path());
    let steps = || disk.len();
    let (store, _) = Store::open(folder.path(), rules).expect("a new store");
    let mut load = Load::new(store, seed, &steps, &silent);
    load.ledger.newest = newest;
    load.run();
    more(&mut load);
    let Load { store, ledger, mut dice, .. } = load;
    store.close();
    let cuts = Cuts { from: 1, stride, dense: 0..0, sound_from: 0 };
    let cuts = check_cuts(&disk, &ledger, &cuts, rules, &mut dice);
    let cuts = cuts.unwrap_or_else(|fault| panic!("CHATD_SEED={seed}: {fault}"));
    println!("{} steps, {cuts} cuts, {} messages acknowledged", disk.len(), ledger.kept());
}

fn run_retention(stride: usize) {
    let rules = limits::History { keep_messages: 20, ..limits::History::default() };
    run(stride, &rules, Some(15), |load| {
        for _ in 0..3 {
            load.talk(30);
            load.tell();
            pause(100); // slices are for times when nothing is to be done
        }
    });
}

#[test]
fn it_survives_a_cut() {
    run(3, &limits::History::default(), None, |_| {});
}

#[test]
#[ignore = "a cut at every step takes a minute"]
fn it_survives_a_cut_at_every_step() {
    run(1, &limits::History::default(), None, |_| {});
}

#[test]
fn it_survives_a_cut_in_a_retention() {
    run_retention(7);
}

#[test]
#[ignore = "a cut at every step takes a minute"]
fn it_survives_a_cut_at_every_step_of_a_retention() {
    run_retention(1);
}

/// Quick restarts put the ids ahead of the clock: a run begins a second after the last id on disk.
#[test]
fn a_hole_is_after_what_was_lost_even_if_ids_are_ahead_of_the_clock() {
    const SECOND: u64 = 1_000 << 20;
    let (first, second, rules) = (folder(), folder(), limits::History::default());
    let disk = Disk::of(first.path());
    let steps = || disk.len();
    let (store, _) = Store::open(first.path(), &rules).expect("a new store");
    let mut load = Load::new(store, 1, &steps, &silent);
    load.set_ahead(60 * SECOND);
    load.run();
    let (mut replay, mut dice) = (Replay::default(), Dice::of(1));
    disk.steps().iter().for_each(|step| replay.play(step));
    lay_out(second.path(), &replay.cut(Rest::Everything, &mut dice));
    load.store.close();
    let disk = Disk::of(second.path());
    let steps = || disk.len();
    let (store, restored) = Store::open(second.path(), &rules).expect("a store after a cut");
    let from = disk.len();
    let mut load = Load::new(store, 2, &steps, &silent);
    load.set_id(restored.last_id + SECOND);
    load.talk(20);
    load.tell();
    let Load { store, ledger, .. } = load;
    let cuts = Cuts { from, stride: 1, dense: 0..0, sound_from: 0 };
    check_cuts(&disk, &ledger, &cuts, &rules, &mut dice).unwrap_or_else(|fault| panic!("{fault}"));
    store.close();
}

#[test]
fn a_closed_store_tells_of_no_hole_and_holds_no_byte_of_a_closed_room() {
    let folder = folder();
    let rules = limits::History::default();
    let (store, _) = Store::open(folder.path(), &rules).expect("a new store");
    let steps = || 0;
    let mut load = Load::new(store, 1, &steps, &silent);
    load.run();
    let has_marker = || {
        let files = std::fs::read_dir(folder.path()).expect("the folder").map(|file| file.expect("a file").path());
        files
            .filter_map(|path| std::fs::read(path).ok())
            .any(|bytes| bytes.windows(MARKER.len()).any(|part| part.eq_ignore_ascii_case(MARKER.as_bytes())))
    };
    let deadline = Instant::now() + HEALED;
    load.store.close();
    let (mut store, restored) = Store::open(folder.path(), &rules).expect("a closed store");
    let lines = store.read(&[DEN]).expect("a page");
    let holes: Vec<_> = lines.iter().filter(|line| line.flag == chatd::history::Flag::Hole).collect();
    assert!(holes.is_empty(), "{holes:?}");
    load.ledger.check(usize::MAX - 1, true, &restored, &lines).unwrap_or_else(|fault| panic!("{fault}"));
    while has_marker() {
        assert!(Instant::now() < deadline, "a word of a closed room is still in a file");
        pause(50);
    }
    store.close();
    assert!(!has_marker());
}

/// A store in which these steps fail, which heals, and then a cut. `None` if the fault has met nothing.
fn run_failing(fault: Fault, stride: usize, seed: u64) -> Result<Option<(usize, usize)>, String> {
    let folder = folder();
    let disk = Disk::of(folder.path());
    let steps = || disk.len();
    let rules = limits::History::default();
    let (store, _) = Store::open(folder.path(), &rules).expect("a new store");
    let mut load = Load::new(store, seed, &steps, &silent);
    load.begin();
    load.talk(20);
    load.tell();
    let from = disk.len();
    disk.fail(Some(fault));
    load.talk(10);
    load.tell();
    load.set(Some("busy"));
    load.say_and_forget();
    load.ignore(true);
    load.talk(10);
    load.tell();
    if !disk.is_hit() {
        return Ok(None);
    }
    disk.fail(None);
    let failed_to = disk.len();
    let begun = Instant::now();
    let was_broken = load.ledger.refused() > 0;
    while !load.tell() {
        if begun.elapsed() > HEALED {
            return Err(format!("it does not heal: {:?}", load.store.trouble()));
        }
        pause(300);
    }
    let sound_from = disk.len();
    load.talk(5);
    load.set(Some("free"));
    load.tell();
    load.say_and_forget();
    let lines = load.store.read(&[DEN])?;
    let Load { store, ledger, mut dice, .. } = load;
    // While it lives, pages show what was acknowledged and nothing that was refused.
    let unrestored = chatd::hub::record::Restored {
        last_id: u64::MAX,
        rooms: vec![chatd::hub::record::RestoredRoom {
            room: super::script::den(),
            members: vec![super::script::account("alice")],
        }],
        ..Default::default()
    };
    ledger.check(disk.len(), true, &unrestored, &lines).map_err(|fault| format!("live: {fault}"))?;
    let cuts = Cuts { from, stride, dense: failed_to..sound_from, sound_from };
    let cuts = check_cuts(&disk, &ledger, &cuts, &rules, &mut dice)?;
    store.close();
    Ok(Some((cuts, usize::from(was_broken))))
}

/// How many steps are looked at: one in `faults` fails, and the power is cut after one in `cuts`.
#[derive(Clone, Copy)]
struct Pace {
    faults: usize,
    cuts: usize,
}

const QUICK: Pace = Pace { faults: 7, cuts: 17 };
const THOROUGH: Pace = Pace { faults: 1, cuts: 3 };

/// Faults at steps in turn, many at once: each waits for the store to try again.
#[track_caller]
fn fail(how: How, count: usize, pace: Pace) {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    let (mut cuts, mut broken, mut next) = (0, 0, 0);
    loop {
        let batch: Vec<_> = (0..16)
            .map(|number| {
                let fault = Fault { from: next + number * pace.faults, count, how };
                (fault, thread::spawn(move || run_failing(fault, pace.cuts, seed)))
            })
            .collect();
        next += 16 * pace.faults;
        let mut is_over = false;
        for (fault, thread) in batch {
            match thread.join().expect("a run that ends") {
                Ok(Some((more, was_broken))) => {
                    cuts += more;
                    broken += was_broken;
                }
                Ok(None) => is_over = true,
                Err(told) => panic!("CHATD_SEED={seed}, {fault:?}: {told}"),
            }
        }
        if is_over {
            break;
        }
    }
    println!("{cuts} cuts, {broken} runs in which it was broken");
    assert!(broken > 0, "no fault was noticed");
}

#[test]
fn it_survives_a_failed_sync_and_then_a_cut() {
    fail(How::Error(SQLITE_IOERR_FSYNC), 1, QUICK);
}

#[test]
#[ignore = "a fault at every step takes minutes"]
fn it_survives_a_fault_at_every_step_and_then_a_cut() {
    fail(How::Error(SQLITE_IOERR_FSYNC), 1, THOROUGH);
    fail(How::Error(SQLITE_IOERR_WRITE), 3, THOROUGH);
    fail(How::Short(SQLITE_FULL), 1, THOROUGH);
}

#[test]
fn it_survives_failed_writes_and_then_a_cut() {
    fail(How::Error(SQLITE_IOERR_WRITE), 3, QUICK);
}

#[test]
fn it_survives_a_short_write_on_a_full_disk_and_then_a_cut() {
    fail(How::Short(SQLITE_FULL), 1, QUICK);
}
