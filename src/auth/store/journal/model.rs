//! The journal on a model of a disk that loses power at every moment. Whatever the disk has kept of the unsynced
//! writes, everything acknowledged is there, and nothing is there in part. The same holds if first only the process
//! ends, another one starts on what the kernel has, and the power fails at any moment of that start.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::record::Op;
use super::super::repair::recover;
use super::tests::PHC;
use super::*;
use crate::auth::accounts::apply;

/// Bytes that the disk keeps or loses as a unit. Real disks have 512 and more, which would test fewer cases.
const SECTOR: usize = 100;
/// With more unsynced operations than this, only the subsets are tried in which one operation is kept or lost.
const SUBSETS_OF: usize = 9;

/// An unsynced change of a file.
#[derive(Clone, Debug, Hash)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Cut(usize),
}

impl Pending {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*offset..end].copy_from_slice(bytes);
            }
            Self::Cut(len) => file.resize(*len, 0),
        }
    }
}

/// A file, under any name.
#[derive(Clone, Debug, Default, Hash)]
struct Inode {
    on_disk: Vec<u8>,
    pending: Vec<Pending>,
    /// A sync has failed: the kernel has forgotten the pending changes, and later syncs lie.
    is_spoilt: bool,
}

impl Inode {
    /// What a reader sees.
    fn seen(&self) -> Vec<u8> {
        let mut file = self.on_disk.clone();
        self.pending.iter().for_each(|pending| pending.apply(&mut file));
        file
    }

    /// What may be there after a crash.
    fn after_a_crash(&self, every_byte: bool) -> Vec<Vec<u8>> {
        let count = self.pending.len();
        let subsets: Vec<u64> = if count <= SUBSETS_OF {
            (0..1 << count).collect()
        } else {
            let all = (1 << count) - 1;
            (0..count).flat_map(|at| [1 << at, all & !(1 << at), (1 << at) - 1]).chain([0, all]).collect()
        };
        let mut files = Vec::new();
        for subset in subsets {
            let mut file = self.on_disk.clone();
            let kept = self.pending.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1);
            kept.for_each(|(_, pending)| pending.apply(&mut file));
            // The length may reach the disk before the content, which then reads as zeros.
            let mut longer = file.clone();
            longer.resize(file.len().max(self.seen().len()), 0);
            files.extend([file, longer]);
        }
        if every_byte {
            let (from, seen) = (self.on_disk.len(), self.seen());
            for cut in from..seen.len() {
                let mut zeros = seen[..cut].to_vec();
                zeros.resize(seen.len(), 0);
                files.extend([seen[..cut].to_vec(), zeros]);
            }
        }
        files
    }
}

/// A fault in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The call fails and does nothing.
    Fails,
    /// A write takes this many bytes; a sync writes a part, fails, and forgets the rest.
    Short(usize),
}

/// The folder with the account file, and what is known of the accounts.
#[derive(Default)]
struct Drive {
    inodes: Vec<Inode>,
    /// The index of the file that is at the path now, which is the journal's.
    ours: usize,
    /// The indices of the files that may be at the path after a crash.
    may_stand: Vec<usize>,
    /// The faults, by the number of the call.
    faults: BTreeMap<usize, Fault>,
    calls: usize,
    every_byte: bool,
    /// This is the start after a crash. It can crash too, but what follows that is not tried.
    is_second: bool,
    /// The epochs of acknowledged changes, and of attempted ones.
    acknowledged: BTreeMap<String, u32>,
    tried: BTreeMap<String, u32>,
}

thread_local! {
    /// States and crashes that were tried already. Many runs begin the same way.
    static SEEN: std::cell::RefCell<HashSet<u64>> = std::cell::RefCell::default();
}

impl Drive {
    /// A folder with this file in it, synced.
    fn with(file: &[u8]) -> Self {
        let inode = Inode { on_disk: file.to_vec(), ..Inode::default() };
        Self { inodes: vec![inode], may_stand: vec![0], ..Self::default() }
    }

    /// The state for the start after a crash of this one.
    fn second(&self, inodes: &[Inode], ours: usize, may_stand: &[usize]) -> Self {
        let (inodes, may_stand) = (inodes.to_vec(), may_stand.to_vec());
        let (acknowledged, tried) = (self.acknowledged.clone(), self.tried.clone());
        Self { inodes, ours, may_stand, acknowledged, tried, is_second: true, ..Self::default() }
    }

    fn ours(&mut self) -> &mut Inode {
        &mut self.inodes[self.ours]
    }

    /// Counts a call and gives its fault.
    fn call(&mut self) -> Option<Fault> {
        self.crash();
        self.calls += 1;
        self.faults.get(&(self.calls - 1)).copied()
    }

    /// Tries every state in which a power failure may leave the disk now, and the end of the process alone.
    fn crash(&self) {
        // Equal states lead to equal crashes, and to list the crashes of a state costs more than to try them.
        let disk = (&self.inodes, self.ours, &self.may_stand, self.every_byte, self.is_second);
        if !is_new(&(disk, &self.acknowledged, &self.tried)) {
            return;
        }
        for at in &self.may_stand {
            for file in self.inodes[*at].after_a_crash(self.every_byte) {
                if is_new(&(&file, &self.acknowledged, &self.tried, self.is_second)) {
                    self.check(&file);
                }
            }
        }
        // A new process does not know that a sync failed, and a journal cannot detect a file that lies.
        if !self.is_second && !self.inodes[self.ours].is_spoilt {
            self.second(&self.inodes, self.ours, &self.may_stand).start();
        }
    }

    /// Checks that a start finds what it must in this file.
    #[track_caller]
    fn check(&self, file: &[u8]) {
        let shown = String::from_utf8_lossy(file);
        let accounts = match reader::parse(file) {
            Ok(loaded) => {
                if !self.is_second {
                    let inode = Inode { on_disk: file.to_vec(), ..Inode::default() };
                    self.second(&[inode], 0, &[0]).start();
                }
                loaded.accounts
            }
            Err(damage) => {
                // The start is refused, but nothing is lost: the error names the line, and a repair recovers everything
                // acknowledged.
                let sound = self.acknowledged.len();
                assert!(damage.line > 1 + sound, "{damage}, but {sound} accounts are on disk:\n{shown}");
                recover(file).accounts
            }
        };
        for (name, account) in &accounts {
            assert!(&*account.phc == PHC, "{name} is half there:\n{shown}");
            let tried = self.tried.get(name.as_str());
            assert!(tried.is_some_and(|most| account.epoch <= *most), "nobody has tried {name}:\n{shown}");
        }
        for (name, least) in &self.acknowledged {
            let found = accounts.get(&UserName::parse(name).unwrap()).map(|account| account.epoch);
            assert!(found.is_some_and(|epoch| epoch >= *least), "{name} was acknowledged, found {found:?}:\n{shown}");
        }
    }

    /// A start cuts off a torn tail and appends after it.
    #[track_caller]
    fn start(self) {
        let mut model = Model(Arc::new(Mutex::new(self)));
        let file = model.drive().ours().seen();
        let mut loaded = reader::parse(&file).unwrap();
        if loaded.good == 0 {
            model.replace(HEADER.as_bytes()).and_then(|()| model.sync_place()).unwrap();
            loaded.good = HEADER.len();
        } else if loaded.good < file.len() {
            model.truncate(loaded.good as u64).and_then(|()| model.sync()).unwrap();
        }
        let mut journal = Journal::new(Box::new(model.clone()), &mut loaded);
        let before = loaded.accounts.len();
        model.drive().tried.insert("late".to_owned(), 1);
        journal.append(&[change("late", 1)], Instant::now()).unwrap();
        model.drive().acknowledged.insert("late".to_owned(), 1);
        model.drive().crash();
        let after = reader::parse(&model.drive().ours().on_disk).unwrap();
        assert_eq!((after.accounts.len(), after.good), (before + 1, model.drive().ours().on_disk.len()));
    }
}

/// Whether this state is new.
fn is_new(state: &impl Hash) -> bool {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    SEEN.with_borrow_mut(|seen| seen.insert(hasher.finish()))
}

/// The journal's side of a [`Drive`].
#[derive(Clone)]
struct Model(Arc<Mutex<Drive>>);

impl Model {
    fn drive(&self) -> MutexGuard<'_, Drive> {
        self.0.lock().unwrap()
    }
}

fn failed<T>() -> io::Result<T> {
    Err(io::Error::other("the model's disk fails"))
}

impl Storage for Model {
    fn look(&mut self) -> io::Result<Found> {
        Ok(Found::Ours(self.drive().ours().seen().len() as u64))
    }

    fn read(&mut self, len: u64) -> io::Result<Vec<u8>> {
        let mut drive = self.drive();
        match drive.call() {
            None => Ok(drive.ours().seen()[..len as usize].to_vec()),
            Some(Fault::Fails | Fault::Short(_)) => failed(),
        }
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut drive = self.drive();
        let taken = match drive.call() {
            None => bytes.len(),
            Some(Fault::Short(most)) => most.min(bytes.len()),
            Some(Fault::Fails) => return failed(),
        };
        for (at, sector) in bytes[..taken].chunks(SECTOR).enumerate() {
            let pending = Pending::Write { offset: offset as usize + at * SECTOR, bytes: sector.to_vec() };
            drive.ours().pending.push(pending);
        }
        drive.crash();
        Ok(taken)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut drive = self.drive();
        let fault = drive.call();
        let ours = drive.ours();
        match fault {
            None if ours.is_spoilt => Ok(()),
            None => {
                ours.on_disk = ours.seen();
                ours.pending.clear();
                drive.crash();
                Ok(())
            }
            // The pending changes are on disk or lost for good, and no later sync changes that.
            Some(Fault::Fails | Fault::Short(_)) => {
                ours.is_spoilt = true;
                failed()
            }
        }
    }

    fn sync_place(&mut self) -> io::Result<()> {
        let mut drive = self.drive();
        if drive.call().is_some() {
            return failed();
        }
        drive.may_stand = vec![drive.ours];
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut drive = self.drive();
        if drive.call().is_some() {
            return failed();
        }
        drive.ours().pending.push(Pending::Cut(len as usize));
        Ok(())
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut drive = self.drive();
        if drive.call().is_some() {
            return failed();
        }
        drive.inodes.push(Inode { on_disk: dated_alike(bytes), ..Inode::default() });
        drive.ours = drive.inodes.len() - 1;
        let ours = drive.ours;
        drive.may_stand.push(ours);
        drive.crash();
        Ok(())
    }
}

/// The file with one date for what the journal dates by the clock: the deletions that it keeps. Otherwise equal states
/// would differ by the second in which they were reached.
fn dated_alike(file: &[u8]) -> Vec<u8> {
    let mut text = HEADER.to_owned();
    for line in file.split_inclusive(|&b| b == b'\n').skip(1) {
        let (seq, mut change) = record::decode(line.strip_suffix(b"\n").unwrap()).unwrap();
        if change.unix > 1 {
            change.unix = 1_000_000_000; // as many digits as the clock gives
        }
        record::encode(&change, seq, &mut text);
    }
    assert_eq!(text.len(), file.len());
    text.into_bytes()
}

/// The first change of a name adds it; later ones raise its epoch.
fn change(name: &str, epoch: u32) -> Change {
    let op = if epoch == 1 { Op::Add } else { Op::Update };
    Change { op, unix: 1, name: UserName::parse(name).unwrap(), epoch, phc: PHC.into() }
}

/// When a run compacts the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compacts {
    Never,
    /// Completely, before the first batch, as a start does.
    AtTheStart,
    /// From this batch on, some accounts before each further one, as a running server does.
    From {
        batch: usize,
        lines: usize,
    },
}

/// Users register, alone and together, and change their passwords, with these faults. Gives the number of calls.
fn run(mut drive: Drive, faults: &[(usize, Fault)], compacts: Compacts) -> usize {
    drive.faults = faults.iter().copied().collect();
    let file = drive.ours().seen();
    let mut loaded = reader::parse(&file).unwrap();
    drive.acknowledged = loaded.accounts.iter().map(|(name, account)| (name.to_string(), account.epoch)).collect();
    drive.tried = drive.acknowledged.clone();
    let model = Model(Arc::new(Mutex::new(drive)));
    let mut journal = Journal::new(Box::new(model.clone()), &mut loaded);
    if compacts == Compacts::AtTheStart {
        journal.compact(&mut loaded);
    }
    let mut accounts = loaded.accounts;
    let mut now = Instant::now();
    let batches = [&["ann"][..], &["bob", "carol", "ann"], &["dave"], &["bob", "erin"], &["ann"], &["fred"]];
    for (number, batch) in batches.into_iter().enumerate() {
        if let Compacts::From { batch, lines } = compacts
            && (number == batch || matches!(journal.compacting, Compacting::Copies(_)))
            && journal.rewrite_from.is_none()
        {
            journal.compact_some(&accounts, lines, now);
            model.drive().crash();
        }
        let epoch = |known: &BTreeMap<String, u32>, name: &str| known.get(name).map_or(1, |epoch| epoch + 1);
        let known = model.drive().acknowledged.clone();
        let changes: Vec<_> = batch.iter().map(|name| change(name, epoch(&known, name))).collect();
        for change in &changes {
            let (name, epoch) = (change.name.to_string(), change.epoch);
            let mut drive = model.drive();
            let most = drive.tried.get(&name).copied().unwrap_or(0);
            drive.tried.insert(name, epoch.max(most));
        }
        if journal.append(&changes, now).is_ok() {
            let done = changes.iter().map(|change| (change.name.to_string(), change.epoch));
            model.drive().acknowledged.extend(done);
            changes.into_iter().for_each(|change| apply(&mut accounts, change));
        }
        model.drive().crash();
        now += REWRITE_EVERY;
    }
    // Without further faults the file heals within the promised time.
    model.drive().faults.clear();
    model.drive().tried.insert("last".to_owned(), 1);
    journal.append(&[change("last", 1)], now + REWRITE_EVERY).expect("healed");
    model.drive().acknowledged.insert("last".to_owned(), 1);
    model.drive().crash();
    let calls = model.drive().calls;
    let read = reader::parse(&model.drive().ours().seen()).unwrap();
    assert_eq!(read.accounts.len(), model.drive().acknowledged.len(), "what was refused is not there");
    calls
}

/// Prints how many states this test has tried.
fn note() {
    println!("{} states were tried", SEEN.with_borrow(HashSet::len));
}

fn fresh() -> Drive {
    Drive::with(HEADER.as_bytes())
}

#[test]
fn cut_off_at_every_moment_and_byte() {
    run(Drive { every_byte: true, ..fresh() }, &[], Compacts::Never);
    note();
}

#[test]
fn with_any_call_failing_or_any_two() {
    let kinds = [Fault::Fails, Fault::Short(0), Fault::Short(50), Fault::Short(133), Fault::Short(300)];
    let calls = run(fresh(), &[], Compacts::Never);
    assert!(calls >= 12, "{calls}");
    for first in 0..calls {
        for kind in kinds {
            let calls = run(fresh(), &[(first, kind)], Compacts::Never);
            for second in first + 1..calls {
                for other in [Fault::Fails, Fault::Short(50)] {
                    run(fresh(), &[(first, kind), (second, other)], Compacts::Never);
                }
            }
        }
    }
    note();
}

/// From some call on all calls fail for a while, as with a full or failing disk.
#[test]
fn with_a_disk_that_is_out_for_a_while() {
    let calls = run(fresh(), &[], Compacts::Never);
    for from in 0..calls {
        for length in 2..12 {
            let faults: Vec<_> = (from..from + length).map(|call| (call, Fault::Fails)).collect();
            run(fresh(), &faults, Compacts::Never);
        }
    }
    note();
}

/// A file with obsolete lines: changes of three accounts, one of which is deleted.
fn with_dead_lines() -> Drive {
    let mut text = HEADER.to_owned();
    let gone = Change { op: Op::Delete, phc: "".into(), ..change("gone", 2) };
    let lines = [change("gone", 1), gone, change("ann", 1), change("ann", 2), change("zoe", 1), change("ann", 3)];
    for (change, seq) in lines.iter().zip(1..) {
        record::encode(change, seq, &mut text);
    }
    Drive::with(text.as_bytes())
}

#[test]
fn a_compaction_loses_nothing_whatever_fails() {
    let calls = check_compaction(Compacts::AtTheStart);
    for first in 0..calls {
        for second in first + 1..calls + 4 {
            for other in [Fault::Fails, Fault::Short(50)] {
                run(with_dead_lines(), &[(first, Fault::Fails), (second, other)], Compacts::AtTheStart);
            }
        }
    }
    note();
}

/// Accounts are also added and changed before, between and after those that are copied.
#[test]
fn a_compaction_of_a_running_server_loses_nothing_whatever_fails() {
    for (batch, lines) in [(0, 1), (3, 9)] {
        check_compaction(Compacts::From { batch, lines });
    }
    let in_three_parts = Compacts::From { batch: 2, lines: 2 };
    let calls = check_compaction(in_three_parts);
    for first in 0..calls {
        run(with_dead_lines(), &[(first, Fault::Fails), (first + 1, Fault::Fails)], in_three_parts);
        run(with_dead_lines(), &[(first, Fault::Fails), (first + 2, Fault::Short(50))], in_three_parts);
    }
    note();
}

/// With each call failing once. Gives the number of calls.
fn check_compaction(compacts: Compacts) -> usize {
    let calls = run(Drive { every_byte: true, ..with_dead_lines() }, &[], compacts);
    assert!(calls > run(with_dead_lines(), &[], Compacts::Never), "it is put in place: {compacts:?}");
    for first in 0..calls {
        run(with_dead_lines(), &[(first, Fault::Fails)], compacts);
    }
    calls
}
