use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::record::Op;
use super::*;

pub(in crate::auth) const PHC: &str =
    "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The faults of the next calls, and a record of past ones.
#[derive(Default)]
pub(in crate::auth) struct Script {
    pub(in crate::auth) bytes: Vec<u8>,
    /// Bytes that a write still takes; `None` for all.
    pub(in crate::auth) room: Option<usize>,
    pub(in crate::auth) sync_fails: bool,
    pub(in crate::auth) truncate_fails: bool,
    pub(in crate::auth) replace_fails: bool,
    pub(in crate::auth) syncs: usize,
    pub(in crate::auth) replaces: usize,
    pub(in crate::auth) tries: usize,
    /// What is found at the path instead of the file.
    pub(in crate::auth) found: Option<Found>,
    pub(in crate::auth) sync_place_fails: bool,
    pub(in crate::auth) place_syncs: usize,
    pub(in crate::auth) reads: usize,
    /// A sync failed: until the file is replaced, the journal must neither write nor sync it.
    spoilt: bool,
}

/// A file in memory that fails on demand.
#[derive(Clone, Default)]
pub(in crate::auth) struct Fake(Arc<Mutex<Script>>);

impl Fake {
    pub(in crate::auth) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    pub(in crate::auth) fn journal(&self) -> Journal {
        self.script().bytes = HEADER.as_bytes().to_vec();
        let mut loaded = reader::parse(HEADER.as_bytes()).unwrap();
        Journal::new(Box::new(self.clone()), &mut loaded)
    }

    /// The names in the file, which must be intact.
    pub(in crate::auth) fn names(&self) -> Vec<String> {
        let loaded = reader::parse(&self.script().bytes).unwrap();
        assert_eq!(loaded.good, self.script().bytes.len());
        loaded.accounts.keys().map(ToString::to_string).collect()
    }
}

impl Storage for Fake {
    fn look(&mut self) -> io::Result<Found> {
        let script = self.script();
        Ok(script.found.unwrap_or(Found::Ours(script.bytes.len() as u64)))
    }

    fn read(&mut self, len: u64) -> io::Result<Vec<u8>> {
        self.script().reads += 1;
        self.script().bytes.get(..len as usize).map(<[u8]>::to_vec).ok_or(io::ErrorKind::UnexpectedEof.into())
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut script = self.script();
        assert!(!script.spoilt && script.bytes.len() as u64 == offset, "a write must append to a sound file");
        assert_eq!(script.found, None, "a write must go into the file that is in its place");
        let taken = script.room.unwrap_or(usize::MAX).min(bytes.len());
        script.bytes.extend_from_slice(&bytes[..taken]);
        if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut script = self.script();
        assert!(!script.spoilt, "a failed sync is never tried again");
        script.syncs += 1;
        script.spoilt = script.sync_fails;
        if script.sync_fails { Err(io::Error::other("EIO")) } else { Ok(()) }
    }

    fn sync_place(&mut self) -> io::Result<()> {
        let mut script = self.script();
        script.place_syncs += 1;
        if script.sync_place_fails { Err(io::Error::other("EIO")) } else { Ok(()) }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut script = self.script();
        if script.truncate_fails {
            return Err(io::Error::other("EIO"));
        }
        script.bytes.truncate(len as usize);
        Ok(())
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut script = self.script();
        assert_eq!(script.found, None, "what stands in the file's place is somebody's");
        script.tries += 1;
        if script.replace_fails {
            return Err(io::ErrorKind::StorageFull.into());
        }
        script.replaces += 1;
        script.spoilt = false;
        script.bytes = bytes.to_vec();
        Ok(())
    }
}

fn add(name: &str) -> Change {
    Change { op: Op::Add, unix: 1, name: UserName::parse(name).unwrap(), epoch: 1, phc: PHC.into() }
}

#[test]
fn changes_share_a_sync() {
    let fake = Fake::default();
    let mut journal = fake.journal();
    journal.append(&[add("a"), add("b"), add("c")], Instant::now()).unwrap();
    assert_eq!(fake.script().syncs, 1);
    assert_eq!(fake.names(), ["a", "b", "c"]);
}

#[test]
fn what_is_short_is_taken_back_and_heals() {
    for room in [0, 1, 50] {
        let fake = Fake::default();
        let mut journal = fake.journal();
        journal.append(&[add("a")], Instant::now()).unwrap();
        fake.script().room = Some(room);
        for _ in 0..3 {
            assert!(journal.append(&[add("b")], Instant::now()).is_err());
            assert_eq!(fake.names(), ["a"]);
        }
        fake.script().room = None;
        journal.append(&[add("b")], Instant::now()).unwrap();
        assert_eq!(fake.names(), ["a", "b"]);
        assert_eq!(fake.script().tries, 0, "the file itself is sound");
    }
}

#[test]
fn what_cannot_be_taken_back_is_written_anew() {
    let fake = Fake::default();
    let mut journal = fake.journal();
    (fake.script().room, fake.script().truncate_fails) = (Some(10), true);
    assert!(journal.append(&[add("a")], Instant::now()).is_err());
    fake.script().room = None;
    journal.append(&[add("b")], Instant::now()).unwrap();
    assert_eq!((fake.names(), fake.script().replaces), (vec!["b".to_owned()], 1));
}

#[test]
fn after_a_failed_sync_the_file_is_written_anew() {
    let fake = Fake::default();
    let mut journal = fake.journal();
    let start = Instant::now();
    journal.append(&[add("a")], start).unwrap();
    (fake.script().sync_fails, fake.script().replace_fails) = (true, true);
    assert!(journal.append(&[add("b")], start).is_err());
    assert_eq!(fake.names(), ["a"]);
    for millis in (0..5_000).step_by(10) {
        assert!(journal.append(&[add("b")], start + Duration::from_millis(millis)).is_err());
    }
    assert_eq!(fake.script().tries, 5, "a try a second");
    (fake.script().sync_fails, fake.script().replace_fails) = (false, false);
    journal.append(&[add("c")], start + Duration::from_secs(6)).unwrap();
    assert_eq!((fake.names(), fake.script().replaces), (vec!["a".to_owned(), "c".to_owned()], 1));
    journal.append(&[add("d")], start + Duration::from_secs(6)).unwrap();
    assert_eq!(fake.script().replaces, 1);
}

#[test]
fn a_file_that_lost_its_lines_is_not_copied() {
    let fake = Fake::default();
    let mut journal = fake.journal();
    let start = Instant::now();
    journal.append(&[add("a"), add("b")], start).unwrap();
    fake.script().sync_fails = true;
    assert!(journal.append(&[add("c")], start).is_err());
    fake.script().sync_fails = false;
    fake.script().bytes[30] ^= 1;
    assert!(journal.append(&[add("c")], start + Duration::from_secs(2)).is_err());
    assert_eq!(fake.script().replaces, 0);
}

/// Nothing is written, because of `expected`, and the file is left alone.
#[track_caller]
fn check_refused(fake: &Fake, journal: &mut Journal, expected: &str) {
    let before = fake.script().bytes.clone();
    let text = journal.append(&[add("x")], Instant::now()).unwrap_err().to_string();
    assert!(text.starts_with(expected), "{text}");
    assert!(fake.script().bytes == before, "{text}");
    assert_eq!(fake.script().tries, 0, "{text}");
}

#[test]
fn a_file_out_of_its_place_is_not_written() {
    for (found, expected) in [(Found::Nothing, "the file is gone"), (Found::Other, "another file stands")] {
        let fake = Fake::default();
        let mut journal = fake.journal();
        journal.append(&[add("a")], Instant::now()).unwrap();
        assert_eq!(fake.script().reads, 0, "as long as nothing happens");
        fake.script().found = Some(found);
        check_refused(&fake, &mut journal, expected);
        check_refused(&fake, &mut journal, expected);
        (fake.script().found, fake.script().sync_place_fails) = (None, true);
        check_refused(&fake, &mut journal, "the file cannot be written: EIO");
        fake.script().sync_place_fails = false;
        journal.append(&[add("b")], Instant::now()).unwrap();
        journal.append(&[add("c")], Instant::now()).unwrap();
        // One at the start, the one that failed, and the one that did not.
        assert_eq!((fake.names(), fake.script().place_syncs), (["a", "b", "c"].map(str::to_owned).to_vec(), 3));
    }
}

#[test]
fn a_place_that_a_start_could_not_bring_to_disk_is_not_written() {
    let fake = Fake::default();
    fake.script().sync_place_fails = true;
    let mut journal = fake.journal();
    check_refused(&fake, &mut journal, "the file cannot be written: EIO");
    fake.script().sync_place_fails = false;
    journal.append(&[add("a")], Instant::now()).unwrap();
    assert_eq!(fake.names(), ["a"]);
}

#[test]
fn a_file_of_another_length_or_with_other_lines_is_not_written() {
    let fake = Fake::default();
    let mut journal = fake.journal();
    journal.append(&[add("a"), add("b")], Instant::now()).unwrap();
    let whole = fake.script().bytes.clone();
    for len in [0, 1, HEADER.len(), whole.len() - 1, whole.len() + 1] {
        fake.script().bytes.resize(len, b'\n');
        check_refused(&fake, &mut journal, &format!("the file has {len} bytes, and not the {}", whole.len()));
        fake.script().bytes = vec![b'x'; whole.len()];
        check_refused(&fake, &mut journal, "the file holds other lines");
        check_refused(&fake, &mut journal, "the file holds other lines");
    }
    fake.script().bytes = whole;
    journal.append(&[add("c")], Instant::now()).unwrap();
    assert_eq!(fake.names(), ["a", "b", "c"]);
}

#[test]
fn a_file_out_of_its_place_is_not_written_anew() {
    let fake = Fake::default();
    let mut journal = fake.journal();
    let start = Instant::now();
    journal.append(&[add("a")], start).unwrap();
    (fake.script().room, fake.script().truncate_fails) = (Some(10), true);
    assert!(journal.append(&[add("b")], start).is_err());
    fake.script().room = None;
    for (found, second) in [(Some(Found::Other), 2), (Some(Found::Nothing), 4)] {
        fake.script().found = found;
        assert!(journal.append(&[add("b")], start + Duration::from_secs(second)).is_err());
        assert_eq!(fake.script().tries, 0);
    }
    fake.script().found = None;
    journal.append(&[add("c")], start + Duration::from_secs(6)).unwrap();
    assert_eq!((fake.names(), fake.script().replaces), (vec!["a".to_owned(), "c".to_owned()], 1));
}

/// A file with two accounts in a folder of its own.
fn two_accounts() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let (mut journal, loaded) = Journal::open(&path).unwrap();
    assert_eq!((loaded.accounts.len(), loaded.good), (0, HEADER.len()));
    journal.append(&[add("alice")], Instant::now()).unwrap();
    journal.append(&[add("bob")], Instant::now()).unwrap();
    (folder, path)
}

#[test]
fn cut_at_every_byte_it_opens_and_goes_on() {
    let (folder, path) = two_accounts();
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    // In the last line at every byte, before it at some.
    for cut in (last..=whole.len()).chain((0..last).step_by(13)) {
        for nuls in [0, 5] {
            fs::write(&path, &whole[..cut]).unwrap();
            if nuls > 0 && cut > 0 {
                fs::write(&path, [&whole[..cut], &[0; 5]].concat()).unwrap();
            }
            let before = fs::read(&path).unwrap();
            let (mut journal, loaded) = Journal::open(&path).unwrap();
            let good = if loaded.good == HEADER.len() && cut < HEADER.len() { 0 } else { loaded.good };
            // A line that only lacks its LF is accepted and gets one.
            let torn = before.len().saturating_sub(good);
            let kept = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let kept = kept.filter(|p| p.to_string_lossy().contains("accounts.torn-")).collect::<Vec<_>>();
            assert_eq!(kept.len(), usize::from(torn > 0), "cut at {cut}, {nuls} NULs");
            for copy in kept {
                assert_eq!(fs::read(&copy).unwrap(), before[before.len() - torn..]);
                fs::remove_file(copy).unwrap();
            }
            journal.append(&[add("carol")], Instant::now()).unwrap();
            drop(journal);
            let (_, again) = Journal::open(&path).unwrap();
            assert_eq!(again.accounts.len(), loaded.accounts.len() + 1, "cut at {cut}, {nuls} NULs");
        }
    }
}

#[test]
fn damage_is_told_with_file_and_line() {
    let (_folder, path) = two_accounts();
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replace(":alice:", ":alicf:")).unwrap();
    let text = Journal::open(&path).err().unwrap().to_string();
    assert!(text.starts_with(&format!("{}: line 2: its checksum does not fit", path.display())), "{text}");
    let lines = whole.lines().collect::<Vec<_>>();
    fs::write(&path, format!("{}\n{}\n", lines[0], lines[2])).unwrap();
    let text = Journal::open(&path).err().unwrap().to_string();
    assert!(text.contains("line 2: it is number 2 where 1 is due"), "{text}");
}

/// A file with `dead` obsolete lines of three names: one exists, one is deleted, one was deleted and came back.
fn with_dead_lines(path: &Path, dead: u64) {
    let mut text = HEADER.to_owned();
    let mut seq = 0;
    let mut line = |op, name: &str, epoch| {
        seq += 1;
        let phc = if op == Op::Delete { "" } else { PHC };
        let name = UserName::parse(name).unwrap();
        record::encode(&Change { op, unix: 1000 + seq, name, epoch, phc: phc.into() }, seq, &mut text);
    };
    for (op, name, epoch) in
        [(Op::Add, "gone", 1), (Op::Delete, "gone", 1), (Op::Add, "back", 1), (Op::Delete, "back", 1)]
    {
        line(op, name, epoch);
    }
    line(Op::Add, "Back", 2);
    line(Op::Add, "alice", 1);
    // Three of the six lines above are obsolete.
    (3..dead).for_each(|n| line(Op::Update, "Alice", n as u32));
    drop(files::create_whole(path, text.as_bytes()).unwrap());
}

#[test]
fn a_file_of_dead_lines_is_compacted_at_its_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    with_dead_lines(&path, DEAD_LINES);
    let before = fs::read(&path).unwrap();
    drop(Journal::open(&path).unwrap());
    assert!(fs::read(&path).unwrap() == before, "so few stay");
    with_dead_lines(&path, DEAD_LINES + 1);
    let old = reader::parse(&fs::read(&path).unwrap()).unwrap();
    let (mut journal, loaded) = Journal::open(&path).unwrap();
    let lines = fs::read_to_string(&path).unwrap();
    assert_eq!((lines.lines().count(), loaded.good, loaded.seq), (4, lines.len(), 3));
    assert_eq!(loaded.accounts, old.accounts);
    assert_eq!(reader::parse(lines.as_bytes()).unwrap().gone, old.gone);
    let addition = journal.addition(UserName::parse("gone").unwrap(), PHC.into(), 7);
    assert_eq!((addition.epoch, addition.unix), (2, 1003), "the name was deleted at 1002");
    journal.append(&[add("bob")], Instant::now()).unwrap();
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().1.accounts.len(), 3);
}

#[test]
fn what_cannot_be_compacted_stays_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    with_dead_lines(&path, DEAD_LINES + 1);
    let before = fs::read(&path).unwrap();
    // No file can be created at the path of a folder.
    fs::create_dir(files::beside(&path, "new")).unwrap();
    let (mut journal, loaded) = Journal::open(&path).unwrap();
    assert_eq!(loaded.good, before.len());
    journal.append(&[add("bob")], Instant::now()).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(&before));
    assert_eq!(reader::parse(&fs::read(&path).unwrap()).unwrap().accounts.len(), 3);
}
