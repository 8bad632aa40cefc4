//! Tests of the reading side against a model.

mod figures;
mod simulation;

use rusqlite::Connection;

use super::*;
use crate::history::request::{Count, Counts, End, Flag, Line, Mark, Mine, Missed, Of, Page, Paged};
use crate::history::store::fixture::{World, account, guest};
use crate::hub::names::Who;
use crate::hub::record::{Account, KeptId, Spot};

/// The newest message of an account.
fn own_upto(connection: &Connection, who: &Account) -> i64 {
    let sql =
        "SELECT ifnull(max(message.id), -1) FROM message JOIN who ON who.n = author WHERE name = ?1 AND since = ?2";
    connection.query_row(sql, (who.name.as_str(), i64::try_from(who.since).unwrap()), |row| row.get(0)).unwrap()
}

fn counts(connection: &Connection, counts: &Counts) -> rusqlite::Result<Vec<Count>> {
    let exact = super::counts(connection, counts, own_upto(connection, &counts.mine.who))?;
    assert_eq!(super::counts(connection, counts, i64::MAX)?, exact);
    Ok(exact)
}

fn missed(connection: &Connection, mine: &Mine) -> rusqlite::Result<Missed> {
    let exact = super::missed(connection, mine, own_upto(connection, &mine.who))?;
    assert_eq!(super::missed(connection, mine, i64::MAX)?, exact);
    Ok(exact)
}

fn mine(name: &str, rooms: &[u32]) -> Mine {
    Mine { who: account(name), rooms: rooms.iter().copied().map(KeptId).collect() }
}

fn who(name: &str) -> Who {
    Who::Account(account(name).name)
}

fn direct(name: &str) -> Spot {
    Spot::Direct(account(name))
}

/// The newest 50 of all of mine.
fn newest(mine: &Mine) -> Page {
    let (above, below, most_bytes, is_unread) = (None, None, 0, false);
    Page { mine: mine.clone(), of: Of::All, above, below, end: End::Newest, most: 50, most_bytes, is_unread }
}

/// The lines of a page, each as `place from flag text`.
fn shown(lines: &[Line]) -> Vec<String> {
    let flag = |flag| match flag {
        Flag::Plain => '-',
        Flag::Mention => 'm',
        Flag::Hole => 'g',
    };
    lines.iter().map(|line| format!("{} {} {} {}", line.place, line.from, flag(line.flag), line.text)).collect()
}

/// A world with alice, bob, carol and the rooms 7 (tea) and 8 (den).
fn world() -> World {
    let mut world = World::new();
    for name in ["alice", "bob", "carol"] {
        world.register(&account(name));
    }
    world.keep(KeptId(7), "tea");
    world.keep(KeptId(8), "den");
    world
}

#[test]
fn a_whole_page_of_short_lines() {
    let mut world = world();
    (0..201).for_each(|_| {
        world.say(Spot::Everybody, who("alice"), "short");
    });
    let page = Page { most: 200, most_bytes: crate::limits::HISTORY_PAGE_BYTES, ..newest(&mine("bob", &[])) };
    assert_eq!(super::page(&world.connection, &page).unwrap().lines.len(), 200);
}

#[test]
fn a_page_of_all_of_mine() {
    let mut world = world();
    world.say(Spot::Everybody, who("alice"), "hello bob");
    world.say(Spot::Room(KeptId(7)), guest("dave"), "Bob: tea?");
    world.say(Spot::Room(KeptId(8)), who("alice"), "not for bob");
    world.say(direct("bob"), who("carol"), "psst");
    world.say(direct("carol"), who("bob"), "what, bob?");
    world.say(direct("carol"), who("alice"), "secret");
    world.hole(Spot::Room(KeptId(7)), None, Some(12), "disk full");
    world.hole(direct("bob"), Some(&account("carol")), None, "up to 250 ms may be lost");
    world.delete_account(&account("carol"));
    let paged = page(&world.connection, &newest(&mine("bob", &[7]))).unwrap();
    let expected = [
        "* alice m hello bob",
        "tea ~dave m Bob: tea?",
        "@-carol -carol m psst",
        "@-carol bob - what, bob?",
        "tea server g 12 messages were not kept: disk full",
        "@-carol server g up to 250 ms may be lost",
    ];
    assert_eq!(shown(&paged.lines), expected);
    assert_eq!((paged.next, paged.left), (None, 0));
}

#[test]
fn an_account_that_the_store_does_not_know_reads_what_is_public() {
    let mut world = world();
    world.say(Spot::Everybody, who("alice"), "hello zoe");
    world.say(direct("bob"), who("alice"), "psst");
    let zoe = Mine { who: Account { since: 9_000, ..account("zoe") }, rooms: Vec::new() };
    let paged = page(&world.connection, &newest(&zoe)).unwrap();
    // It was not this zoe: she has registered since.
    assert_eq!(shown(&paged.lines), ["* alice - hello zoe"]);
    let counted = counts(&world.connection, &Counts { mine: zoe.clone(), most: 9 }).unwrap();
    assert_eq!((counted.len(), counted[0].unread, counted[0].read), (1, 0, 9_000_000 << 20));
    assert_eq!(missed(&world.connection, &zoe).unwrap().count, 0);
    let all = Mark { who: zoe.who, of: Of::All, id: u64::MAX };
    assert!(!mark(&world.connection, &all).unwrap());
}

#[test]
fn a_name_that_was_registered_anew_inherits_nothing() {
    let mut world = world();
    world.say(direct("bob"), who("alice"), "psst");
    world.say(direct("alice"), who("bob"), "yes?");
    world.delete_account(&account("bob"));
    let bob = Account { since: 5, ..account("bob") };
    world.register(&bob);
    let bob = Mine { who: bob, rooms: Vec::new() };
    assert_eq!(page(&world.connection, &newest(&bob)).unwrap(), Paged::default());
    let with_alice = Page { of: Of::One(direct("alice")), ..newest(&bob) };
    assert_eq!(page(&world.connection, &with_alice).unwrap(), Paged::default());
    let with_new_bob = Page { of: Of::One(Spot::Direct(bob.who)), ..newest(&mine("alice", &[])) };
    assert_eq!(page(&world.connection, &with_new_bob).unwrap(), Paged::default());
    let paged = page(&world.connection, &newest(&mine("alice", &[]))).unwrap();
    assert_eq!(shown(&paged.lines), ["@-bob alice - psst", "@-bob -bob m yes?"]);
}

#[test]
fn a_page_has_one_line_at_least() {
    let mut world = world();
    for _ in 0..3 {
        world.say(Spot::Everybody, who("alice"), &"x".repeat(4_000));
    }
    for most_bytes in [1, 4_045, 4_046, 8_091] {
        let paged = page(&world.connection, &Page { most_bytes, ..newest(&mine("bob", &[])) }).unwrap();
        assert_eq!(paged.lines.len(), 1, "{most_bytes}");
        assert_eq!(paged.next, Some(paged.lines[0].id));
    }
    let paged = page(&world.connection, &Page { most_bytes: 8_092, ..newest(&mine("bob", &[])) }).unwrap();
    assert_eq!(paged.lines.len(), 2);
}

#[test]
fn bounds_out_of_range() {
    let mut world = world();
    let id = world.say(Spot::Everybody, who("alice"), "x");
    let ids = [0, 1, id - 1, id, id + 1, 1 << 62, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX];
    for above in ids {
        for below in ids {
            for end in [End::Newest, End::Oldest] {
                let bounds = Page { above: Some(above), below: Some(below), end, ..newest(&mine("bob", &[])) };
                let paged = page(&world.connection, &bounds).unwrap();
                assert_eq!(paged.lines.len(), usize::from(above < id && id < below), "{above} {below}");
            }
        }
    }
}

#[test]
fn those_who_talk_to_themselves_make_no_request_last() {
    let world = world();
    let sql = "INSERT INTO message(id, place, author, text)
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
               SELECT i + (2000 << 20), 1, ?2, 'x' FROM n";
    let alice = world.number(&account("alice"));
    world.connection.execute(sql, (3 * LOOKS as i64 / 2, alice)).unwrap();
    let last = (2_000 << 20) + 3 * LOOKS as u64 / 2;
    world.connection.execute("INSERT INTO message VALUES(?1, 1, 99, 'y')", [last as i64 + 1]).unwrap();
    let unread = Page { end: End::Oldest, is_unread: true, ..newest(&mine("alice", &[])) };
    let first = page(&world.connection, &unread).unwrap();
    assert_eq!((first.lines.len(), first.next), (0, Some((2_000 << 20) + LOOKS as u64)));
    let second = page(&world.connection, &Page { above: first.next, ..unread }).unwrap();
    assert_eq!((second.lines.len(), second.next), (1, None));
    let all = Counts { mine: mine("alice", &[]), most: 5 };
    let unread = |own_upto| super::counts(&world.connection, &all, own_upto).unwrap()[0].unread;
    assert!(unread(i64::MAX) <= 1);
    assert_eq!(unread(last as i64), 1);
}

#[test]
fn a_long_run_that_is_being_forgotten_hides_nothing_that_was_said_after_it() {
    let mut world = world();
    world.say(Spot::Room(KeptId(7)), who("carol"), "alice, upstairs");
    let [alice, bob] = ["alice", "bob"].map(|name| world.number(&account(name)));
    let sql = "INSERT INTO message(id, place, author, text)
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
               SELECT i + (3000 << 20), ?2, ?3, 'x' FROM n";
    world.connection.execute(sql, (3 * LOOKS as i64 / 2, 1, bob)).unwrap();
    let upto = (3_000 << 20) + 3 * LOOKS as i64 / 2;
    let after = "INSERT INTO message VALUES(?1, ?2, ?3, 'alice: y')";
    world.connection.execute(after, (upto + 1, 1, bob)).unwrap();
    world.connection.execute("INSERT INTO mention(who, place, id) VALUES(?1, 1, ?2)", (alice, upto + 1)).unwrap();
    world.connection.execute("INSERT INTO forget VALUES(?1, ?2, 0)", (bob, upto)).unwrap();
    let mine = mine("alice", &[7]);
    let all = super::counts(&world.connection, &Counts { mine: mine.clone(), most: 5 }, i64::MAX).unwrap();
    let all: Vec<_> = all.iter().map(|count| (&*count.place, count.unread, count.mentions)).collect();
    assert_eq!(all, [("*", 1, 1), ("tea", 1, 1)]);
    let missed = super::missed(&world.connection, &mine, i64::MAX).unwrap();
    assert_eq!((missed.count, missed.mentions), (2, 2));
}

#[test]
fn what_was_missed_goes_on_though_the_floor_has_risen() {
    let mut world = world();
    let first = world.say(Spot::Everybody, who("alice"), "1");
    world.say(Spot::Everybody, who("alice"), "2");
    let last = world.say(Spot::Everybody, who("alice"), "3");
    mark(&world.connection, &Mark { who: account("bob"), of: Of::All, id: last }).unwrap();
    let unread = Page { end: End::Oldest, is_unread: true, ..newest(&mine("bob", &[])) };
    assert_eq!(page(&world.connection, &unread).unwrap().lines.len(), 0);
    let rest = page(&world.connection, &Page { above: Some(first), ..unread }).unwrap();
    assert_eq!(rest.lines.len(), 2);
}

#[test]
fn marks_only_rise() {
    let mut world = world();
    let id = world.say(direct("bob"), who("alice"), "1");
    world.say(Spot::Everybody, who("alice"), "2");
    let bob = account("bob");
    let set = |of: Of, id| mark(&world.connection, &Mark { who: bob.clone(), of, id }).unwrap();
    let alice = || Of::One(direct("alice"));
    assert!(set(alice(), id));
    assert!(!set(alice(), id) && !set(alice(), id - 1));
    assert!(!set(Of::One(direct("carol")), id), "no such place");
    assert!(!set(Of::One(Spot::Room(KeptId(99))), id), "no such place");
    assert!(set(Of::All, id + 1));
    assert!(!set(Of::All, id + 1) && !set(alice(), id + 1) && !set(Of::All, 3));
    assert!(set(alice(), id + 2));
    assert!(set(Of::All, u64::MAX));
    let marks: i64 = world.connection.query_row("SELECT count(*) FROM mark", [], |row| row.get(0)).unwrap();
    assert_eq!(marks, 0, "the floor counts for them");
}
