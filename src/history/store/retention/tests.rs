//! Retention, on temporary files, with the time as a number.

use super::*;
use crate::history::store::files::{Role, Site};
use crate::history::store::migrate::{STEPS, migrate};
use crate::history::store::records::stored;
use crate::history::store::schema::id_at;
use crate::history::store::tests::{NOW, Rig, account, alice, at, bob, carol, public, room, row};
use crate::hub::record::{Account, KeptId, Record, Spot};

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// An open store without threads.
struct Still {
    rig: Rig,
    base: Base,
    cleaner: Cleaner,
}

impl Still {
    fn new(change: impl FnOnce(&mut crate::limits::History)) -> Self {
        let mut rig = Rig::new();
        change(&mut rig.rules);
        let site = Site::take(&rig.file(), None).unwrap();
        let mut db = site.connect(Role::Writer).unwrap();
        migrate(&mut db, site.path(), STEPS).unwrap();
        let mut base = Base::new(db, rig.rules.clone(), stored(NOW));
        base.load().unwrap();
        base.reconcile(rig.accounts.clone()).unwrap();
        base.begin_run().unwrap();
        base.commit().unwrap();
        Self { rig, base, cleaner: Cleaner::new() }
    }

    fn keep(&mut self, records: impl IntoIterator<Item = Record>) {
        self.base.begin().unwrap();
        records.into_iter().for_each(|record| self.base.apply(&record).unwrap());
        self.base.commit().unwrap();
    }

    /// A whole pass, this many milliseconds after [`NOW`]. Gives the number of slices.
    fn pass(&mut self, ms: u64) -> usize {
        self.base.now_ms = stored(NOW + ms);
        self.base.tell().unwrap();
        self.base.commit().unwrap();
        let mut slices = 0;
        loop {
            self.cleaner.step(&mut self.base).unwrap();
            slices += 1;
            if self.cleaner.at.is_none() {
                return slices;
            }
        }
    }

    fn count(&self, table: &str) -> i64 {
        self.base.number(&format!("SELECT count(*) FROM {table}"), []).unwrap().unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let mut statement = self.base.db.prepare("SELECT text FROM message ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn holes(&self) -> Vec<(i64, i64, String)> {
        let mut statement = self.base.db.prepare("SELECT place, id, why FROM hole ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The counts of places are those of the rows.
    #[track_caller]
    fn check_counts(&mut self) {
        self.base.tell().unwrap();
        self.base.commit().unwrap();
        let wrong = "SELECT n, rows, bytes, (SELECT count(*) FROM message WHERE place = n),
             (SELECT ifnull(sum(length(CAST(text AS BLOB))), 0) FROM message WHERE place = n) FROM place";
        let mut statement = self.base.db.prepare(wrong).unwrap();
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, [row.get::<_, i64>(1)?, row.get(2)?], [row.get::<_, i64>(3)?, row.get(4)?]))
        });
        for row in rows.unwrap() {
            let (place, told, found) = row.unwrap();
            assert_eq!(told, found, "place {place}");
        }
    }
}

fn direct(id: u64, to: &Account, from: &Account, text: &str) -> Record {
    row(id, Spot::Direct(to.clone()), from, text)
}

#[test]
fn messages_are_kept_for_so_many_days() {
    let mut still = Still::new(|rules| rules.keep_days = 2);
    still.keep([public(at(0), "old bob"), direct(at(1), &bob(), &alice(), "old too"), public(at(DAY), "young")]);
    still.pass(2 * DAY);
    assert_eq!(still.texts(), ["old bob", "old too", "young"]);
    still.pass(2 * DAY + 2);
    assert_eq!(still.texts(), ["young"]);
    let why = "older messages are no longer kept: they are kept for 2 days";
    let holes = still.holes();
    assert_eq!(holes.iter().map(|(_, id, _)| *id).collect::<Vec<_>>(), [stored(at(0)), stored(at(1))]);
    assert!(holes.iter().all(|(_, _, text)| text == why), "{holes:?}");
    // The hole among the direct messages, for both; the mention is gone.
    assert_eq!((still.count("inbox"), still.count("mention")), (2, 0));
    still.check_counts();
    still.pass(4 * DAY);
    assert_eq!((still.texts().len(), still.holes().len()), (0, 2), "one a place, which moves up");
    assert_eq!(still.holes()[1].1, stored(at(DAY)));
}

#[test]
fn a_room_may_keep_less() {
    let mut still = Still::new(|_| ());
    let said = |id, at_room| row(at(id), Spot::Room(KeptId(at_room)), &bob(), "hello");
    still.keep([room(1, 1), room(2, 30), room(3, 0), said(1, 1), said(2, 2), said(3, 3), said(DAY, 1)]);
    still.pass(DAY + 10);
    let left: Vec<i64> = {
        let mut statement = still.base.db.prepare("SELECT id FROM message ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(left, [stored(at(2)), stored(at(DAY))]);
    assert_eq!(still.holes()[0].2, "older messages are no longer kept: they are kept for 1 day");
}

#[test]
fn a_place_keeps_so_many_messages() {
    let mut still = Still::new(|rules| rules.keep_messages = 100);
    still.keep((0..1_000).map(|n| public(at(n), &format!("word{n} common"))));
    still.keep((0..50).map(|n| direct(at(2_000 + n), &bob(), &alice(), "common")));
    let slices = still.pass(DAY);
    assert!(slices > 1, "900 rows are more than a slice");
    let texts = still.texts();
    assert_eq!((texts.len(), texts[0].as_str()), (150, "word900 common"));
    assert_eq!(
        still.holes(),
        [(1, stored(at(899)), "older messages are no longer kept: a place keeps 100".to_owned())]
    );
    let find = |query: &str| still.base.number("SELECT count(*) FROM word_1 WHERE word_1 MATCH ?1", [query]).unwrap();
    assert_eq!((find("common"), find("word899"), find("word900")), (Some(150), Some(0), Some(1)));
    still.check_counts();
}

#[test]
fn nothing_of_what_was_deleted_is_in_a_file() {
    let mut still = Still::new(|rules| rules.keep_messages = 10);
    let texts: Vec<String> =
        (0..400_u64).map(|n| format!("zq{:016x}", (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    for (chunk, first) in texts.chunks(40).zip((0..).step_by(40)) {
        still.keep(chunk.iter().zip(first..).map(|(text, n)| public(at(n), text)));
    }
    assert!(still.rig.has_bytes(&texts[0]));
    still.pass(DAY);
    let left: Vec<&String> = texts.iter().take(390).filter(|text| still.rig.has_bytes(text)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(texts[390..].iter().all(|text| still.rig.has_bytes(text)));
    // Not a piece of a word either, whatever the words beside it were.
    let piece = |text: &String| text[..12].to_owned();
    let pieces: Vec<String> = texts.iter().take(390).map(piece).filter(|text| still.rig.has_bytes(text)).collect();
    assert!(pieces.is_empty(), "{pieces:?}");
    let check = "INSERT INTO word_1(word_1) VALUES('integrity-check')";
    still.base.db.execute(check, []).unwrap();
}

#[test]
fn words_go_with_their_table() {
    let mut still = Still::new(|rules| rules.keep_days = 3);
    still.keep([public(at(0), "unmistakable3"), public(at(8 * DAY), "young")]);
    assert_eq!(still.count("span"), 2);
    still.pass(9 * DAY);
    assert_eq!((still.texts(), still.count("span")), (vec!["young".to_owned()], 1));
    assert!(!still.rig.has_bytes("unmistakable3"));
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'word\\_1%' ESCAPE '\\'";
    assert_eq!(still.base.number(tables, []).unwrap(), Some(0));
    still.base.known.spans.clear();
    still.base.load().unwrap();
    assert_eq!(still.base.known.spans.len(), 1);
}

#[test]
fn a_table_of_words_that_has_begun_to_go_goes_after_another_start() {
    let mut still = Still::new(|rules| rules.keep_days = 3);
    let long = (0..3_000).map(|n| public(at(n), &format!("unmistakable{n} {n}x {n}y {n}z")));
    still.keep(long.chain([public(at(8 * DAY), "young")]));
    still.base.now_ms = stored(NOW + 12 * DAY);
    let over = Slice { until: Instant::now() };
    while !Job::Days.run(&mut still.base, Slice::new()).unwrap() {
        still.base.commit().unwrap();
    }
    assert!(!Job::Spans.run(&mut still.base, over).unwrap(), "it takes more than a slice");
    still.base.commit().unwrap();
    still.base.load().unwrap();
    let is_there = |still: &Still| still.base.number("SELECT 1 FROM sqlite_schema WHERE name = 'word_1'", []).unwrap();
    assert_eq!(is_there(&still), Some(1));
    still.pass(12 * DAY);
    assert_eq!(is_there(&still), None);
}

#[test]
fn the_largest_place_makes_room_and_waiting_messages_go_last() {
    let mut still = Still::new(|rules| rules.max_bytes = 1_000_000);
    let text = "x".repeat(500);
    // The largest place for long, with most messages still waiting for bob.
    still.keep((0..800).map(|n| direct(at(n), &bob(), &alice(), &text)));
    still.keep([Record::Seen(bob(), at(99))]);
    for n in 0..24_u64 {
        still.keep((0..100).map(|m| public(at(1_000 + n * 100 + m), &text)));
        still.cleaner.make_room(&mut still.base).unwrap();
        let used = still.base.used_bytes().unwrap();
        assert!(used <= 1_000_000, "{used}");
    }
    assert!(still.cleaner.is_full);
    let newest = still.base.number("SELECT max(id) FROM message", []).unwrap();
    assert_eq!(newest, Some(stored(at(1_000 + 2_399))));
    let waits = "SELECT count(*) FROM message WHERE place = 2 AND id > ?1";
    assert_eq!(still.base.number(waits, [stored(at(99))]).unwrap(), Some(700));
    assert_eq!(still.holes()[0].2, "older messages are no longer kept: the store is full");
    still.check_counts();
    // Nothing but waiting messages is left: they go too.
    still.base.rules.max_bytes = 150_000;
    still.pass(DAY);
    assert!(still.count("message") < 200, "{}", still.count("message"));
    still.base.rules.max_bytes = 100_000_000;
    still.pass(DAY);
    assert!(!still.cleaner.is_full);
}

#[test]
fn what_an_account_had_goes_when_it_is_gone_for_long() {
    let mut still = Still::new(|rules| rules.keep_days = 10);
    still.keep([
        room(1, 10),
        Record::Member(KeptId(1), bob(), at(1)),
        direct(at(1), &bob(), &carol(), "both will be gone"),
        direct(at(2), &alice(), &bob(), "alice stays"),
        Record::Deleted(bob()),
        Record::Deleted(carol()),
        Record::Account(account("bob", 999)),
    ]);
    still.pass(9 * DAY);
    assert_eq!((still.count("message"), still.count("mark"), still.count("member")), (2, 1, 1));
    // Both would be too old as messages: look at what goes because the accounts are gone.
    still.base.rules.keep_days = 10;
    still.base.now_ms = stored(NOW + 10 * DAY + 1_000);
    while !Job::Gone.run(&mut still.base, Slice::new()).unwrap() {}
    still.base.commit().unwrap();
    assert_eq!(still.texts(), ["alice stays"]);
    assert_eq!((still.count("mark"), still.count("member"), still.count("inbox")), (0, 0, 2));
    still.check_counts();
}

#[test]
fn a_slice_is_short() {
    let mut still = Still::new(|rules| rules.keep_days = 1);
    still.keep((0..5_000).map(|n| public(at(n), &format!("some text with words {n}"))));
    still.base.now_ms = stored(NOW + 5 * DAY);
    let mut left = 5_000;
    let mut slices = 0;
    while left > 0 {
        // A slice that is over at once still deletes something.
        let is_done = Job::Days.run(&mut still.base, Slice { until: Instant::now() }).unwrap();
        still.base.commit().unwrap();
        let now = still.count("message");
        assert!(is_done || now < left && left - now <= 16, "{left} -> {now}");
        (left, slices) = (now, slices + 1);
    }
    assert!(slices > 100);
}

#[test]
fn search_may_be_off_for_a_time() {
    let mut still = Still::new(|_| ());
    still.keep([public(at(1), "first")]);
    still.base.rules.search = false;
    still.keep([public(at(2), "second")]);
    still.base.rules.search = true;
    still.keep([public(at(3), "third")]);
    let spans: Vec<_> = still.base.known.spans.iter().map(|span| (span.n, span.first, span.last)).collect();
    assert_eq!(spans, [(1, stored(at(1)), Some(stored(at(2)) - 1)), (2, stored(at(3)), None)]);
    still.keep([Record::Withdrawn(at(2)), Record::Withdrawn(at(3)), Record::Withdrawn(at(1))]);
    for n in [1, 2] {
        still.base.db.execute(&format!("INSERT INTO word_{n}(word_{n}) VALUES('integrity-check')"), []).unwrap();
    }
    assert_eq!(still.count("message"), 0);
    assert_eq!(id_at(0), 0);
}
