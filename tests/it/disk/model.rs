//! A model of a disk: what was done to the files of a folder, and what may be left of it after a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;
use testkit::Dice;

/// A disk keeps or loses bytes in units of this many.
const SECTOR: usize = 512;

/// A step that changes something.
#[derive(Clone)]
pub(super) enum Step {
    /// A file exists and is on disk. The tests' own files, and those that the program has made without SQLite.
    Import {
        name: String,
        content: Vec<u8>,
    },
    /// A file is made. SQLite syncs the folder with the first sync of a journal.
    Create {
        name: String,
        is_journal: bool,
    },
    Write {
        name: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        name: String,
        len: usize,
    },
    Sync {
        name: String,
        is_done: bool,
    },
    Delete {
        name: String,
        is_synced: bool,
    },
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import { name, content } => write!(f, "import {name} of {}", content.len()),
            Self::Create { name, .. } => write!(f, "create {name}"),
            Self::Write { name, at, bytes } => write!(f, "write {name} at {at}, {}", bytes.len()),
            Self::Truncate { name, len } => write!(f, "truncate {name} to {len}"),
            Self::Sync { name, is_done: true } => write!(f, "sync {name}"),
            Self::Sync { name, .. } => write!(f, "failed sync {name}"),
            Self::Delete { name, .. } => write!(f, "delete {name}"),
        }
    }
}

/// The time of the last change of a file whose sync has failed, in seconds since 1970.
pub(super) const FAILED: i64 = 1;

/// A file, apart from its name.
#[derive(Clone, Copy)]
pub(super) struct FileId {
    /// Its number in the file system.
    pub(super) number: u64,
    /// When its content was changed, in seconds since 1970.
    pub(super) changed_s: i64,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// The call fails and does nothing.
    Error(i32),
    /// A write does half of its work and fails. Other calls fail.
    Short(i32),
}

/// Which steps go wrong. Steps are counted from the moment at which the fault is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) from: usize,
    pub(super) count: usize,
    pub(super) how: How,
}

/// The notes of one folder.
pub(super) struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    steps: Vec<Step>,
    /// The files that are known, each with its number in the file system.
    known: BTreeMap<String, u64>,
    /// Files of which a sync has failed, and which SQLite has not written to since. They carry [`FAILED`] as the time of
    /// their last change, so that it shows when the program writes to one by itself.
    failed: BTreeSet<String>,
    fault: Option<Fault>,
    /// Calls since the fault was set.
    calls: usize,
    is_hit: bool,
}

impl Disk {
    /// Notes what SQLite does to the files of this folder from now on.
    pub(super) fn of(folder: &Path) -> Arc<Self> {
        let folder = folder.canonicalize().expect("a folder");
        let disk = Arc::new(Self { folder, state: Mutex::default() });
        super::vfs::watch(&disk);
        disk
    }

    /// The folder, without symbolic links.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Sets the steps that go wrong from now on.
    pub(super) fn fail(&self, fault: Option<Fault>) {
        let mut state = self.lock();
        (state.fault, state.calls, state.is_hit) = (fault, 0, false);
    }

    /// Whether the fault that was set last has met a call.
    pub(super) fn is_hit(&self) -> bool {
        self.lock().is_hit
    }

    /// The number of steps so far.
    pub(super) fn len(&self) -> usize {
        self.lock().steps.len()
    }

    /// All steps so far.
    pub(super) fn steps(&self) -> Vec<Step> {
        self.lock().steps.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A file is opened. `existed`: its content before, if there was such a file. What the program has put there without
    /// SQLite counts as on disk.
    pub(super) fn on_open(&mut self, name: &str, file: FileId, existed: Option<Vec<u8>>, is_journal: bool) {
        let is_written_again = file.changed_s != FAILED && self.failed.remove(name);
        if self.known.insert(name.to_owned(), file.number) != Some(file.number) || is_written_again {
            let name = name.to_owned();
            self.steps.push(match existed {
                Some(content) => Step::Import { name, content },
                None => Step::Create { name, is_journal },
            });
        }
    }

    /// Notes a step that has happened.
    pub(super) fn on_step(&mut self, step: Step) {
        match &step {
            Step::Delete { name, .. } => {
                self.known.remove(name);
                self.failed.remove(name);
            }
            Step::Sync { name, is_done: false } => _ = self.failed.insert(name.clone()),
            Step::Write { name, .. } | Step::Truncate { name, .. } => _ = self.failed.remove(name),
            Step::Import { .. } | Step::Create { .. } | Step::Sync { .. } => {}
        }
        self.steps.push(step);
    }

    /// What goes wrong with the next call, if anything.
    pub(super) fn next_fault(&mut self) -> Option<How> {
        let fault = self.fault?;
        let call = self.calls;
        self.calls += 1;
        let is_now = call >= fault.from && call - fault.from < fault.count;
        self.is_hit |= is_now;
        is_now.then_some(fault.how)
    }
}

/// What is left of unsynced bytes after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    Everything,
    /// Any sectors of any writes, and any beginning of the changes of the folder.
    Some,
}

/// Whether a change has reached the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Cached,
    Synced,
    /// A sync failed: the kernel forgets that these bytes are not on disk, and no later sync writes them.
    Doubtful,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

/// A file apart from its name.
#[derive(Clone, Debug, Default)]
struct Inode {
    base: Vec<u8>,
    changes: Vec<(Change, Fate)>,
    /// The next sync also syncs the folder.
    syncs_folder: bool,
}

#[derive(Clone, Debug)]
enum Naming {
    Link(String, usize),
    Unlink(String),
}

/// Plays the steps of a disk again.
#[derive(Default)]
pub(super) struct Replay {
    inodes: Vec<Inode>,
    /// The names as programs see them.
    names: BTreeMap<String, usize>,
    /// The names on disk …
    durable: BTreeMap<String, usize>,
    /// … and the changes to them that are not.
    pending: Vec<Naming>,
}

impl Replay {
    /// Plays one step.
    pub(super) fn play(&mut self, step: &Step) {
        match step {
            Step::Import { name, content } => {
                let number = self.link(name, Inode { base: content.clone(), ..Inode::default() });
                self.durable.insert(name.clone(), number);
            }
            Step::Create { name, is_journal } => {
                let number = self.link(name, Inode { syncs_folder: *is_journal, ..Inode::default() });
                self.pending.push(Naming::Link(name.clone(), number));
            }
            Step::Write { name, at, bytes } => {
                self.file(name).changes.push((Change::Write { at: *at, bytes: bytes.clone() }, Fate::Cached));
            }
            Step::Truncate { name, len } => {
                self.file(name).changes.push((Change::Truncate { len: *len }, Fate::Cached));
            }
            Step::Sync { name, is_done } => {
                let file = self.file(name);
                file.sync(*is_done);
                if *is_done && std::mem::take(&mut file.syncs_folder) {
                    self.sync_folder();
                }
            }
            Step::Delete { name, is_synced } => {
                self.names.remove(name);
                self.pending.push(Naming::Unlink(name.clone()));
                if *is_synced {
                    self.sync_folder();
                }
            }
        }
    }

    /// What the folder may hold if the power is cut now.
    pub(super) fn cut(&self, rest: Rest, dice: &mut Dice) -> BTreeMap<String, Vec<u8>> {
        let mut names = self.durable.clone();
        let kept = match rest {
            Rest::Nothing => 0,
            Rest::Everything => self.pending.len(),
            Rest::Some => dice.below(self.pending.len() as u64 + 1) as usize,
        };
        self.pending.iter().take(kept).for_each(|change| rename(&mut names, change));
        names.into_iter().map(|(name, number)| (name, self.inodes[number].left(rest, dice))).collect()
    }

    fn link(&mut self, name: &str, inode: Inode) -> usize {
        self.inodes.push(inode);
        let number = self.inodes.len() - 1;
        self.names.insert(name.to_owned(), number);
        number
    }

    fn file(&mut self, name: &str) -> &mut Inode {
        let number = self.names[name];
        &mut self.inodes[number]
    }

    fn sync_folder(&mut self) {
        for change in self.pending.drain(..) {
            rename(&mut self.durable, &change);
        }
    }
}

fn rename(names: &mut BTreeMap<String, usize>, change: &Naming) {
    match change {
        Naming::Link(name, number) => _ = names.insert(name.clone(), *number),
        Naming::Unlink(name) => _ = names.remove(name),
    }
}

impl Inode {
    fn sync(&mut self, is_done: bool) {
        let fate = if is_done { Fate::Synced } else { Fate::Doubtful };
        self.changes.iter_mut().filter(|(_, old)| *old == Fate::Cached).for_each(|(_, old)| *old = fate);
        let safe = self.changes.iter().take_while(|(_, fate)| *fate == Fate::Synced).count();
        for (change, _) in self.changes.drain(..safe) {
            apply(&mut self.base, &change, |_| true);
        }
    }

    fn left(&self, rest: Rest, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = self.base.clone();
        // Of 16 sectors, some disks lose one and some all but one.
        let kept_of_16 = 1 + dice.below(15);
        for (change, fate) in &self.changes {
            apply(&mut bytes, change, |_| match (fate, rest) {
                (Fate::Synced, _) | (_, Rest::Everything) => true,
                (_, Rest::Nothing) => false,
                (_, Rest::Some) => dice.below(16) < kept_of_16,
            });
        }
        bytes
    }
}

/// Carries out the sectors of a change that are kept.
fn apply(file: &mut Vec<u8>, change: &Change, mut is_kept: impl FnMut(usize) -> bool) {
    match change {
        Change::Truncate { len } => {
            if is_kept(0) {
                file.resize(*len, 0);
            }
        }
        Change::Write { at, bytes } => {
            let mut done = 0;
            while done < bytes.len() {
                let place = at + done;
                let len = (SECTOR - place % SECTOR).min(bytes.len() - done);
                if is_kept(place / SECTOR) {
                    if file.len() < place + len {
                        file.resize(place + len, 0);
                    }
                    file[place..place + len].copy_from_slice(&bytes[done..done + len]);
                }
                done += len;
            }
        }
    }
}

/// A folder in memory, if there is one: the tests of this module need no real disk.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// Writes the files that a cut has left into an empty folder, with the rights of a store.
pub(super) fn lay_out(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("rights");
    for (name, content) in files {
        let path = folder.join(name);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path).expect("a new file");
        std::io::Write::write_all(&mut file, content).expect("its content");
    }
}

mod tests {
    use super::*;

    fn played(steps: &[Step]) -> Replay {
        let mut replay = Replay::default();
        steps.iter().for_each(|step| replay.play(step));
        replay
    }

    fn write(at: usize, byte: u8, len: usize) -> Step {
        Step::Write { name: "a".to_owned(), at, bytes: vec![byte; len] }
    }

    fn sync(is_done: bool) -> Step {
        Step::Sync { name: "a".to_owned(), is_done }
    }

    fn import() -> Step {
        Step::Import { name: "a".to_owned(), content: vec![0; 4] }
    }

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let replay = played(&[import(), write(0, 1, 4), sync(true), write(0, 2, 2)]);
        let dice = &mut Dice::of(1);
        assert_eq!(replay.cut(Rest::Nothing, dice)["a"], [1, 1, 1, 1]);
        assert_eq!(replay.cut(Rest::Everything, dice)["a"], [2, 2, 1, 1]);
        let seen: BTreeSet<u8> = (0..100).map(|_| replay.cut(Rest::Some, dice)["a"][0]).collect();
        assert_eq!(Vec::from_iter(seen), [1, 2]);
    }

    #[test]
    fn writes_are_torn_between_sectors_only() {
        let replay = played(&[import(), write(100, 7, 2000)]);
        let dice = &mut Dice::of(1);
        let mut torn = 0;
        for _ in 0..100 {
            let file = &replay.cut(Rest::Some, dice)["a"];
            let kept: Vec<bool> = file.iter().map(|byte| *byte == 7).collect();
            assert!(kept.windows(2).enumerate().all(|(at, two)| two[0] == two[1] || at == 99 || (at + 1) % 512 == 0));
            torn += usize::from(kept.iter().skip(100).any(|kept| !kept) && kept.contains(&true));
        }
        assert!(torn > 30, "{torn}");
    }

    #[test]
    fn a_failed_sync_loses_for_ever_what_it_should_have_written() {
        let replay = played(&[import(), write(0, 1, 2), sync(false), write(1, 2, 1), sync(true)]);
        let dice = &mut Dice::of(1);
        assert_eq!(replay.cut(Rest::Nothing, dice)["a"], [0, 2, 0, 0]);
        assert_eq!(replay.cut(Rest::Everything, dice)["a"], [1, 2, 0, 0]);
    }

    #[test]
    fn names_are_synced_with_the_first_sync_of_a_journal() {
        let create = |is_journal| Step::Create { name: "a".to_owned(), is_journal };
        let dice = &mut Dice::of(1);
        assert!(played(&[create(true), write(0, 1, 1)]).cut(Rest::Nothing, dice).is_empty());
        assert!(played(&[create(false), write(0, 1, 1), sync(true)]).cut(Rest::Nothing, dice).is_empty());
        let made = [create(true), write(0, 1, 1), sync(true)];
        assert_eq!(played(&made).cut(Rest::Nothing, dice)["a"], [1]);
        let delete = |is_synced| Step::Delete { name: "a".to_owned(), is_synced };
        assert_eq!(played(&[&made[..], &[delete(false)]].concat()).cut(Rest::Nothing, dice)["a"], [1]);
        assert!(played(&[&made[..], &[delete(false)]].concat()).cut(Rest::Everything, dice).is_empty());
        assert!(played(&[&made[..], &[delete(true)]].concat()).cut(Rest::Nothing, dice).is_empty());
    }
}
