//! What is deleted leaves no byte in any file, wherever SQLite has moved rows before.

use std::collections::HashSet;
use std::os::unix::fs::FileExt as _;

use super::*;
use crate::history::store::fixture::Random;
use crate::history::{Forget, Forgets, Forgotten};

const ROOMS: [u32; 2] = [1, 2];
/// What is in each word of these tests.
const SIGN: &[u8] = b"qz";

/// A word that no other message has. It begins in its own way, because an index keeps only what differs from the word
/// before.
fn word(n: u64) -> String {
    let mut rest = n * 7_919 % 456_976;
    let mut word = String::new();
    for _ in 0..4 {
        word.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    format!("{word}qz{n:08x}")
}

/// The messages of which a word is in a file.
fn traces(rig: &Rig) -> HashSet<u64> {
    let mut found = HashSet::new();
    for entry in std::fs::read_dir(rig.folder()).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        for at in memchr::memmem::find_iter(&content, SIGN) {
            let digits = content.get(at + SIGN.len()..at + SIGN.len() + 8).and_then(|it| std::str::from_utf8(it).ok());
            found.extend(digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
        }
    }
    found
}

/// The messages that there are.
fn living(rig: &Rig) -> HashSet<u64> {
    let db = rig.sqlite();
    let mut find = db.prepare("SELECT id FROM message").unwrap();
    let ids = find.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    ids.map(|id| (id.unwrap() as u64 >> 20) - NOW).collect()
}

#[track_caller]
fn is_sound(rig: &Rig) {
    let sound: String = rig.sqlite().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

fn forget(open: &Open, who: &Account, what: Forgets) -> Forgotten {
    let mine = Mine { who: who.clone(), rooms: ROOMS.map(KeptId).to_vec() };
    let verdict = open.ask(Request::Forget(Forget { mine, owns: ROOMS.map(KeptId).to_vec(), what }));
    let Verdict::Forgotten(forgotten) = verdict else { panic!("{verdict:?}") };
    forgotten
}

/// Alice and bob talk and forget.
struct Talk<'a> {
    rig: &'a Rig,
    open: Open,
    random: Random,
    next: u64,
    /// The messages of which none was deleted by the store itself.
    said: Vec<u64>,
    forgotten: HashSet<u64>,
}

impl<'a> Talk<'a> {
    fn new(rig: &'a Rig, seed: u64) -> Self {
        let open = rig.open();
        let member = |room| Record::Member(KeptId(room), bob(), at(0));
        open.keep(vec![room(1, 30), room(2, 30), member(1), member(2)]);
        Self { rig, open, random: Random(seed), next: 0, said: Vec::new(), forgotten: HashSet::new() }
    }

    fn say(&mut self, count: usize) {
        let rows = (0..count).map(|_| self.row()).collect();
        self.open.keep(rows);
    }

    fn row(&mut self) -> Record {
        let random = &mut self.random;
        self.next += 1 + random.below(3) as u64;
        self.said.push(self.next);
        let spot = match random.below(6) {
            0 | 1 => Spot::Direct(bob()),
            2 => Spot::Room(KeptId(random.one(&ROOMS))),
            _ => Spot::Everybody,
        };
        let more = "lorem ipsum bob ".repeat(random.one(&[0, 0, 0, 1, 3, 20, 60, 250]));
        row(at(self.next), spot, &alice(), &format!("{0} {more}{0}", word(self.next)))
    }

    /// Forgets one of these, and looks for all that were forgotten.
    #[track_caller]
    fn forget(&mut self) {
        if self.said.is_empty() {
            return;
        }
        let n = self.said.swap_remove(self.random.below(self.said.len()));
        match forget(&self.open, &alice(), Forgets::One(at(n))) {
            Forgotten::One { is_erased: true, .. } => drop(self.forgotten.insert(n)),
            Forgotten::None => {} // it was too old
            other @ (Forgotten::NotYours | Forgotten::One { .. } | Forgotten::All { .. }) => panic!("{other:?}"),
        }
        self.check();
    }

    #[track_caller]
    fn check(&self) {
        let traces = traces(self.rig);
        let stale: Vec<_> = traces.intersection(&self.forgotten).collect();
        assert!(stale.is_empty(), "of {} forgotten: {stale:?}", self.forgotten.len());
    }

    /// Nothing that is not a message any more is in a file, once the store has had time.
    #[track_caller]
    fn settle(&self) {
        self.open.wait(|_| traces(self.rig).is_subset(&living(self.rig)));
        is_sound(self.rig);
    }
}

#[track_caller]
fn run(seeds: std::ops::Range<u64>, rounds: usize) -> usize {
    let mut forgotten = 0;
    for seed in seeds {
        let mut rig = Rig::new();
        rig.rules.keep_messages = if seed % 2 == 0 { 400 } else { 100_000 };
        let mut talk = Talk::new(&rig, seed * 77_777);
        for _ in 0..rounds {
            let count = talk.random.below(60) + 1;
            talk.say(count);
            // What SQLite has in memory does not come back with the next change.
            talk.check();
            for _ in 0..talk.random.one(&[0, 1, 2, 12, 30]) {
                talk.forget();
            }
            if talk.random.one_in(15) {
                talk.open.keep(vec![Record::Withdrawn(at(talk.next))]);
            }
        }
        talk.open.keep(vec![Record::RoomGone(KeptId(1))]);
        // What was withdrawn, and what retention has deleted, goes at the latest with the room.
        talk.open.wait(|_| {
            let doomed = "SELECT count(*) FROM place WHERE kind = 3";
            rig.sqlite().query_row(doomed, [], |row| row.get::<_, i64>(0)).unwrap() == 0
        });
        talk.settle();
        let all = forget(&talk.open, &alice(), Forgets::All(u64::MAX));
        assert!(matches!(all, Forgotten::All { is_erased: true, .. }), "{all:?}");
        assert_eq!(traces(&rig), HashSet::new());
        is_sound(&rig);
        forgotten += talk.forgotten.len();
        talk.open.close();
    }
    forgotten
}

#[test]
fn what_was_deleted_leaves_no_trace() {
    assert!(run(1..3, 40) > 100);
}

#[test]
#[ignore = "takes a minute"]
fn what_was_deleted_leaves_no_trace_in_thousands_of_tries() {
    println!("{} forgotten", run(10..40, 60));
}

/// Writes a message into the gap of each page of a tree, as an older version may have left it there. Gives the number of
/// pages.
fn stain(rig: &Rig, n: u64) -> usize {
    stain_some(rig, n, |_| true)
}

/// The same for the pages with these numbers.
fn stain_some(rig: &Rig, n: u64, is_wanted: impl Fn(usize) -> bool) -> usize {
    let (mut file, mut pages) = (std::fs::read(rig.file()).unwrap(), 0);
    for (at, page) in file.chunks_exact_mut(4_096).enumerate().filter(|(at, _)| is_wanted(at + 1)) {
        let start = if at == 0 { 100 } else { 0 };
        let number = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
        let header = match page[start] {
            2 | 5 => 12,
            10 | 13 => 8,
            _ => continue,
        };
        let (from, to) = (start + header + 2 * number(start + 3), number(start + 5));
        let text = word(n);
        if let Some(part) = page[from..to].first_chunk_mut::<14>() {
            part.copy_from_slice(text.as_bytes());
            pages += 1;
        }
    }
    std::fs::write(rig.file(), file).unwrap();
    is_sound(rig);
    pages
}

fn run_sql(rig: &Rig, sql: &str) {
    rig.sqlite().execute_batch(sql).unwrap();
}

/// A closed store with some messages.
fn old() -> Rig {
    let rig = Rig::new();
    let mut talk = Talk::new(&rig, 5);
    talk.say(300);
    talk.open.close();
    rig
}

#[test]
fn a_file_of_an_older_version_is_cleaned_once() {
    let rig = old();
    run_sql(&rig, "DELETE FROM meta WHERE key = 'scrubbed'");
    assert!(stain(&rig, 999_999) > 30);
    let open = rig.open();
    open.wait(|_| !traces(&rig).contains(&999_999));
    open.wait(|_| {
        rig.sqlite().query_row("SELECT value FROM meta WHERE key = 'scrubbed'", [], |row| row.get(0)) == Ok(1)
    });
    open.close();
    is_sound(&rig);
    // Now it counts as clean: nobody looks at it again.
    stain(&rig, 999_998);
    let open = rig.open();
    let kept = rig.sqlite().query_row("SELECT value FROM meta WHERE key = 'scrubbed'", [], |row| row.get::<_, i64>(0));
    assert_eq!(kept, Ok(1));
    open.close();
}

fn root(rig: &Rig, table: &str) -> usize {
    let find = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    rig.sqlite().query_row(find, [table], |row| row.get::<_, i64>(0)).unwrap() as usize
}

#[test]
fn an_answer_waits_until_the_file_is_clean() {
    let rig = old();
    run_sql(
        &rig,
        "DELETE FROM meta WHERE key = 'scrubbed'; CREATE TABLE large(x); INSERT INTO large VALUES(zeroblob(67108864));
         CREATE TABLE last(x);",
    );
    let last = root(&rig, "last");
    assert_eq!((stain_some(&rig, 999_999, |page| page == last), last > 16_384), (1, true));
    let open = rig.open();
    let forgotten = forget(&open, &alice(), Forgets::Newest);
    assert!(matches!(forgotten, Forgotten::One { is_erased: true, .. }), "{forgotten:?}");
    // At once: the rest of the file would be cleaned while it is read.
    let mut page = [0; 4_096];
    std::fs::File::open(rig.file()).unwrap().read_exact_at(&mut page, (last as u64 - 1) * 4_096).unwrap();
    assert!(memchr::memmem::find(&page, word(999_999).as_bytes()).is_none());
}

#[test]
fn pages_in_memory_bring_nothing_back() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![public(at(1), "first")]);
    open.close();
    let root = root(&rig, "message");
    assert_eq!(stain_some(&rig, 999_999, |page| page == root), 1);
    let open = rig.open();
    open.keep(vec![public(at(2), "second")]);
    let forgotten = forget(&open, &alice(), Forgets::Newest);
    assert!(matches!(forgotten, Forgotten::One { is_erased: true, .. }), "{forgotten:?}");
    assert!(!traces(&rig).contains(&999_999), "the page went into the file again");
    open.keep(vec![public(at(3), "third")]);
    assert!(!traces(&rig).contains(&999_999), "it is in the log");
}

#[test]
fn nobody_moves_the_log_while_the_file_is_cleaned() {
    use crate::history::store::scrub::Held;
    let rig = old();
    run_sql(&rig, "DELETE FROM meta WHERE key = 'scrubbed'");
    stain(&rig, 999_999);
    let other = rig.sqlite();
    other.query_row("SELECT count(*) FROM message", [], |_| Ok(())).unwrap();
    let held = Held::take(&other).unwrap().unwrap();
    let open = rig.open();
    let forgotten = forget(&open, &alice(), Forgets::Newest);
    assert!(matches!(forgotten, Forgotten::One { is_erased: false, .. }), "{forgotten:?}");
    let content = std::fs::read(rig.file()).unwrap();
    assert!(memchr::memmem::find(&content, word(999_999).as_bytes()).is_some(), "it was cleaned");
    drop(held);
    open.wait(|_| !traces(&rig).contains(&999_999));
    open.close();
    is_sound(&rig);
}

#[test]
fn after_a_crash_the_file_is_cleaned_again() {
    let rig = old();
    run_sql(&rig, "UPDATE meta SET value = 0 WHERE key = 'clean'");
    stain(&rig, 999_999);
    let open = rig.open();
    open.wait(|_| !traces(&rig).contains(&999_999));
    open.close();
    is_sound(&rig);
}

#[test]
fn a_backup_that_takes_the_place_of_the_file_is_cleaned() {
    let rig = old();
    let copy = Rig::new();
    super::super::admin::backup(&rig.file(), &copy.file()).unwrap();
    stain(&copy, 999_999);
    let open = copy.open();
    open.wait(|_| !traces(&copy).contains(&999_999));
    open.close();
    is_sound(&copy);
}

#[test]
fn another_process_that_writes_and_moves_the_log_is_no_danger() {
    let rig = old();
    run_sql(&rig, "DELETE FROM meta WHERE key = 'scrubbed'");
    let pages = stain(&rig, 999_999);
    let open = rig.open();
    let other = rig.sqlite();
    other.execute_batch("PRAGMA wal_autocheckpoint = 0; CREATE TABLE other(x)").unwrap();
    for n in 0..pages {
        other.execute("INSERT INTO other VALUES(?1)", [n as i64]).unwrap();
        other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    }
    let count: i64 = other.query_row("SELECT count(*) FROM other", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(count), Ok(pages));
    drop(other);
    open.close();
    is_sound(&rig);
}
