//! What pages, counts and searches cost in a file of a million messages. Run alone, with a release build:
//! `cargo test --release --lib history::store::read::tests::figures -- --ignored --nocapture`

use std::time::{Duration, Instant};

use super::*;
use crate::history::request::{Find, Term};
use crate::history::store::fixture::Random;
use crate::history::store::schema::{self, account_word, place_word};
use crate::history::store::{search, words};

const ROWS: u64 = 1_000_000;
const PLACES: usize = 500;
const PARTNERS: i64 = 10_000;
const SPAN_ROWS: u64 = 500_000;

/// Words of texts: rank `n` is said once in `n` words, about.
fn text(random: &mut Random) -> String {
    let mut word = || {
        let (low, high) = (random.below(200), random.below(200));
        format!("w{}", low.min(high) * (1 + random.below(20)))
    };
    (0..6).map(|_| word()).collect::<Vec<_>>().join(" ")
}

fn id_of(n: u64) -> i64 {
    to_sql((2_000 << 20) + (n << 12))
}

/// alice (1) is a member of 32 of 500 rooms. hub (2) has direct messages with 10,000 accounts.
fn fill(connection: &mut Connection) {
    let transaction = connection.transaction().unwrap();
    schema::create(&transaction).unwrap();
    let who = "INSERT INTO who(name, since, floor, seen) VALUES(?1, 1, 0, 0)";
    for name in ["alice".to_owned(), "hub".to_owned()].into_iter().chain((0..PARTNERS).map(|n| format!("p{n}"))) {
        transaction.prepare_cached(who).unwrap().execute([name]).unwrap();
    }
    for room in 1..=PLACES as i64 {
        let sql = "INSERT INTO room(id, name, ownerless_ms, days) VALUES(?1, ?2, 0, 30)";
        transaction.execute(sql, (room, format!("room-{room}"))).unwrap();
        transaction.execute("INSERT INTO place(kind, a, b) VALUES(1, ?1, 0)", [room]).unwrap();
    }
    for n in 0..PARTNERS {
        transaction.prepare_cached("INSERT INTO place(kind, a, b) VALUES(2, 2, ?1)").unwrap().execute([n + 3]).unwrap();
    }
    let mut random = Random(7);
    let message = "INSERT INTO message(id, place, author, text) VALUES(?1, ?2, ?3, ?4)";
    let inbox = "INSERT INTO inbox(who, id, code) VALUES(?1, ?2, ?3)";
    for n in 0..ROWS {
        if n % SPAN_ROWS == 0 {
            let span = (n / SPAN_ROWS) as i64 + 1;
            transaction.execute("UPDATE span SET last = ?1 WHERE last IS NULL", [id_of(n) - 1]).unwrap();
            transaction.execute("INSERT INTO span VALUES(?1, ?2, NULL, 0)", (span, id_of(n))).unwrap();
            schema::create_words(&transaction, span).unwrap();
        }
        let (id, text) = (id_of(n), text(&mut random));
        let (place, author, shown) = if n % 20 == 0 {
            let other = random.below(PARTNERS as usize) as i64;
            let place = PLACES as i64 + 2 + other;
            for (who, code) in [(2, 0), (other + 3, 1)] {
                transaction.prepare_cached(inbox).unwrap().execute((who, id, place * 4 + code)).unwrap();
            }
            (place, other + 3, format!("{} {}", account_word(2), account_word(other + 3)))
        } else {
            let place = 1 + random.below(PLACES + 1) as i64;
            (place, 3 + random.below(500) as i64, place_word(place))
        };
        transaction.prepare_cached(message).unwrap().execute((id, place, author, &text)).unwrap();
        let words = format!("INSERT INTO word_{}(rowid, text, place) VALUES(?1, ?2, ?3)", n / SPAN_ROWS + 1);
        transaction.prepare_cached(&words).unwrap().execute((id, words::of_row(&text), shown)).unwrap();
    }
    transaction.commit().unwrap();
}

/// Prints the median and the 99th percentile of `rounds` calls.
fn time(what: &str, rounds: usize, mut call: impl FnMut() -> usize) {
    let mut found = 0;
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            found += call();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let (middle, high) = (times[rounds / 2], times[rounds * 99 / 100]);
    println!("{what}: p50 {middle:.1?}, p99 {high:.1?}, max {:.1?}, {} lines each", times[rounds - 1], found / rounds);
}

#[test]
#[ignore = "takes long"]
fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536")
        .unwrap();
    let start = Instant::now();
    fill(&mut connection);
    drop(connection);
    println!("{ROWS} messages in {:.1?}, {} bytes", start.elapsed(), std::fs::metadata(&path).unwrap().len());

    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA mmap_size = 0; PRAGMA cache_size = -8192").unwrap();
    connection.set_prepared_statement_cache_capacity(128);
    let rooms: Vec<u32> = (1..=32).map(|n| n * 15).collect();
    let (alice, hub, mut random) = (mine("alice", &rooms), mine("hub", &[]), Random(9));
    let mut any = |share: u64| from_sql(id_of(random.below((ROWS / share) as usize) as u64 + ROWS - ROWS / share));
    let lines = |asked: &Page| page(&connection, asked).unwrap().lines.len();
    let one = |room: u32| Of::One(Spot::Room(KeptId(room)));
    time("page of 50 of a room", 2_000, || lines(&Page { of: one(15), below: Some(any(1)), ..newest(&alice) }));
    time("page of 50 of 33 places", 2_000, || lines(&Page { below: Some(any(1)), ..newest(&alice) }));
    let after = |above| Page { above: Some(above), end: End::Oldest, most: 200, most_bytes: 65_536, ..newest(&alice) };
    time("200 of 33 places after C", 2_000, || lines(&after(any(50))));
    time("200 of 33 places after an old C", 2_000, || lines(&after(any(1))));
    time("200 of 10,000 partners after C", 1_000, || lines(&Page { mine: hub.clone(), ..after(any(1)) }));
    let unread = |mine: &Mine| Page { is_unread: true, end: End::Oldest, ..newest(mine) };
    time("MISSED of 33 places, all unread", 50, || lines(&unread(&alice)));
    time("MISSED of 10,000 partners, all unread", 50, || lines(&unread(&hub)));
    let counted = |mine: &Mine| counts(&connection, &Counts { mine: mine.clone(), most: 200 }).unwrap().len();
    time("UNREAD of 33 places, all unread", 50, || counted(&alice));
    time("UNREAD of 10,000 partners, all unread", 50, || counted(&hub));
    let missed = |mine: &Mine| missed(&connection, mine).unwrap().count as usize;
    time("missed in 33 places, all unread", 50, || missed(&alice));
    for (mine, share) in [(&alice, 20), (&hub, 2)] {
        let id = any(share);
        assert!(mark(&connection, &Mark { who: mine.who.clone(), of: Of::All, id }).unwrap());
    }
    time("UNREAD of 33 places, some unread", 200, || counted(&alice));
    time("missed in 33 places, some unread", 200, || missed(&alice));
    time("missed from 10,000 partners, half unread", 200, || missed(&hub));
    searches(&connection, &alice, &hub);
}

fn searches(connection: &Connection, alice: &Mine, hub: &Mine) {
    let mut random = Random(11);
    let find = |mine: &Mine, terms: Vec<Term>, from| {
        let (above, below, most, most_bytes) = (None, None, 50, 65_536);
        let asked = Find { mine: mine.clone(), of: Of::All, from, terms, above, below, most, most_bytes };
        let deadline = Instant::now() + Duration::from_millis(crate::limits::SEARCH_MS);
        search::find::find(connection, &asked, &mut || Instant::now() >= deadline).unwrap().lines.len()
    };
    let word = |n: usize| Term::Word(format!("w{n}").into());
    let mut rare = || random.below(200) * (5 + random.below(15));
    time("SEARCH of a word in 33 places", 500, || find(alice, vec![word(rare())], None));
    time("SEARCH of two words in 33 places", 500, || find(alice, vec![word(rare()), word(rare())], None));
    time("SEARCH of a word that many have", 100, || find(alice, vec![word(0)], None));
    time("SEARCH of a word that nobody has", 100, || find(alice, vec![word(99_999)], None));
    time("SEARCH of a beginning that all have", 100, || find(alice, vec![Term::Prefix("w1".into())], None));
    time("SEARCH of exact words", 100, || find(alice, vec![Term::Exact("w1 w2".into())], None));
    let nobody = || Some(Who::Account(account("hub").name));
    time("SEARCH of a word that many have, from one who says nothing", 20, || find(alice, vec![word(0)], nobody()));
    time("SEARCH of a word with 10,000 partners", 100, || find(hub, vec![word(rare())], None));
}
