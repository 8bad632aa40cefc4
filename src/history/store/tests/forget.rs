//! Forgetting.

use super::*;
use crate::history::{Counts, Find, Forget, Forgets, Forgotten, Missed, Said, Shown, Term};

const LOBBY: KeptId = KeptId(1);
const DEN: KeptId = KeptId(2);

fn submit(open: &Open, who: &Account, (rooms, owns): (&[u32], &[u32]), what: Forgets) -> u64 {
    let ids = |ids: &[u32]| ids.iter().copied().map(KeptId).collect();
    let mine = Mine { who: who.clone(), rooms: ids(rooms) };
    open.submit(Request::Forget(Forget { mine, owns: ids(owns), what }))
}

#[track_caller]
fn answer(open: &Open, number: u64) -> Forgotten {
    let verdict = open.answer(number);
    let Verdict::Forgotten(forgotten) = verdict else { panic!("{verdict:?}") };
    forgotten
}

#[track_caller]
fn forget(open: &Open, who: &Account, rooms: (&[u32], &[u32]), what: Forgets) -> Forgotten {
    answer(open, submit(open, who, rooms, what))
}

fn one(id: u64, at: Said) -> Forgotten {
    Forgotten::One { id, at, is_erased: true }
}

fn shown(who: &Account, is_gone: bool) -> Shown {
    Shown { name: who.name.clone(), is_gone }
}

fn direct(a: &Account, b: &Account) -> Said {
    Said::Direct(shown(a, false), shown(b, false))
}

fn lobby(id: u32) -> Said {
    Said::Room(RoomName::parse(&format!("lobby{id}")).unwrap())
}

/// Two rooms of alice's with bob in both, and messages of all places.
fn talk(open: &Open) {
    open.keep(vec![
        Record::Account(alice()),
        Record::Account(bob()),
        Record::Account(carol()),
        room(1, 30),
        Record::Member(LOBBY, alice(), at(0)),
        Record::Member(LOBBY, bob(), at(0)),
        room(2, 30),
        row(at(1), Spot::Everybody, &alice(), "alice in public, unmistakable1"),
        row(at(2), Spot::Everybody, &bob(), "bob in public: alice"),
        row(at(3), Spot::Room(LOBBY), &bob(), "bob in the lobby"),
        row(at(4), Spot::Room(DEN), &bob(), "bob in the den"),
        row(at(5), Spot::Direct(bob()), &alice(), "alice to bob"),
        row(at(6), Spot::Direct(alice()), &bob(), "bob to alice"),
        row(at(7), Spot::Direct(bob()), &carol(), "carol to bob"),
        row(at(8), Spot::Room(LOBBY), &alice(), "alice in the lobby"),
    ]);
}

#[test]
fn one_forgets_own_messages_anywhere_and_any_in_own_rooms() {
    let rig = Rig::new();
    let open = rig.open();
    talk(&open);
    let by_bob = |ms| forget(&open, &bob(), (&[1], &[]), Forgets::One(at(ms)));
    assert_eq!([1, 5, 8].map(by_bob), [Forgotten::NotYours, Forgotten::NotYours, Forgotten::NotYours]);
    assert_eq!(by_bob(7), Forgotten::NotYours, "received");
    assert_eq!(by_bob(99), Forgotten::None);
    let by_carol = |ms| forget(&open, &carol(), (&[], &[]), Forgets::One(at(ms)));
    assert_eq!([3, 5, 6, 8].map(by_carol), [const { Forgotten::None }; 4], "no page of carol's has these");
    assert_eq!(open.page(&alice(), &[1, 2], Of::All).len(), 7, "nothing was forgotten");

    assert_eq!(by_bob(2), one(at(2), Said::Everybody));
    assert_eq!(by_bob(4), one(at(4), lobby(2)), "bob is no member there");
    assert_eq!(by_bob(6), one(at(6), direct(&alice(), &bob())));
    assert_eq!(by_bob(6), Forgotten::None, "again");
    assert_eq!(forget(&open, &alice(), (&[1, 2], &[1, 2]), Forgets::One(at(3))), one(at(3), lobby(1)), "an owner");
    assert_eq!(forget(&open, &alice(), (&[1, 2], &[2]), Forgets::One(at(2))), Forgotten::None);
    assert_eq!(
        open.page(&alice(), &[1, 2], Of::All),
        ["* alice: alice in public, unmistakable1", "@bob alice: alice to bob", "lobby1 alice: alice in the lobby"]
    );
    let counts = |table: &str| -> i64 {
        rig.sqlite().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["message", "inbox", "mention", "hole"].map(counts), [4, 4, 0, 0]);
}

#[test]
fn without_an_id_it_is_the_newest_own_message() {
    let rig = Rig::new();
    let open = rig.open();
    talk(&open);
    let newest = |open: &Open, who: &Account| forget(open, who, (&[], &[]), Forgets::Newest);
    assert_eq!(newest(&open, &alice()), one(at(8), lobby(1)));
    assert_eq!(newest(&open, &carol()), one(at(7), direct(&bob(), &carol())));
    assert_eq!(newest(&open, &carol()), Forgotten::None);
    open.close();
    let open = rig.open();
    assert_eq!(newest(&open, &alice()), one(at(5), direct(&alice(), &bob())));
    assert_eq!(newest(&open, &alice()), one(at(1), Said::Everybody));
    assert_eq!(newest(&open, &alice()), Forgotten::None);
    assert_eq!(newest(&open, &account("nobody", 7)), Forgotten::None);
    open.keep(vec![room(3, 30), row(at(20), Spot::Room(KeptId(3)), &bob(), "x"), Record::RoomGone(KeptId(3))]);
    assert_eq!(newest(&open, &bob()), one(at(6), direct(&alice(), &bob())), "nobody reads the room any more");
}

#[test]
fn a_hole_and_what_a_guest_said_are_nobodys() {
    let rig = Rig::new();
    let open = rig.open();
    let guest = Row { id: at(2), spot: Spot::Room(LOBBY), from: Who::parse("~bob").unwrap(), text: "guest".into() };
    let hole =
        crate::hub::record::Hole { id: at(1), spot: Spot::Everybody, with: None, count: Some(1), why: "x".into() };
    open.keep(vec![room(1, 30), Record::Member(LOBBY, bob(), at(0)), Record::Hole(hole), Record::Row(guest)]);
    assert_eq!(forget(&open, &alice(), (&[1], &[1]), Forgets::One(at(1))), Forgotten::None);
    assert_eq!(forget(&open, &bob(), (&[1], &[]), Forgets::One(at(2))), Forgotten::NotYours);
    assert_eq!(forget(&open, &alice(), (&[1], &[1]), Forgets::One(at(2))), one(at(2), lobby(1)));
}

#[test]
fn an_account_registered_anew_forgets_nothing_of_the_one_before() {
    let rig = Rig::new();
    let open = rig.open();
    talk(&open);
    let second = account("bob", 900);
    open.keep(vec![Record::Deleted(bob()), Record::Account(second.clone())]);
    assert_eq!(forget(&open, &second, (&[], &[]), Forgets::One(at(2))), Forgotten::NotYours);
    assert_eq!(forget(&open, &second, (&[], &[]), Forgets::One(at(6))), Forgotten::None);
    assert_eq!(forget(&open, &second, (&[], &[]), Forgets::Newest), Forgotten::None);
    assert_eq!(forget(&open, &second, (&[], &[]), Forgets::All(at(99))), none_at_all());
    let at_gone = Said::Direct(shown(&alice(), false), shown(&bob(), true));
    assert_eq!(forget(&open, &alice(), (&[], &[]), Forgets::One(at(5))), one(at(5), at_gone));
}

#[test]
fn no_file_has_a_byte_of_what_was_forgotten() {
    let rig = Rig::new();
    let open = rig.open();
    talk(&open);
    let long = "unmistakable2 ".repeat(3_000);
    open.keep(vec![
        row(at(20), Spot::Room(LOBBY), &alice(), &long),
        row(at(21), Spot::Direct(bob()), &alice(), "unmistakable3"),
    ]);
    for (ms, text) in [(1, "unmistakable1"), (20, "unmistakable2"), (21, "unmistakable3")] {
        assert!(rig.has_bytes(text), "{text}");
        let forgotten = forget(&open, &alice(), (&[], &[]), Forgets::One(at(ms)));
        assert!(matches!(forgotten, Forgotten::One { is_erased: true, .. }), "{forgotten:?}");
        assert!(!rig.has_bytes(text), "{text}");
    }
    // Not committed yet when it is forgotten.
    open.tell(vec![row(at(30), Spot::Everybody, &alice(), "unmistakable4")]);
    assert_eq!(forget(&open, &alice(), (&[], &[]), Forgets::Newest), one(at(30), Said::Everybody));
    assert!(!rig.has_bytes("unmistakable4"));
}

#[test]
fn while_another_process_reads_the_bytes_stay_and_go_after_it() {
    let rig = Rig::new();
    let open = rig.open();
    talk(&open);
    let reader = rig.sqlite();
    reader.execute_batch("BEGIN").unwrap();
    let count = || -> i64 { reader.query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap() };
    assert_eq!(count(), 8);
    let forgotten = forget(&open, &alice(), (&[], &[]), Forgets::One(at(1)));
    assert_eq!(forgotten, Forgotten::One { id: at(1), at: Said::Everybody, is_erased: false });
    assert!(rig.has_bytes("unmistakable1"));
    assert_eq!(open.page(&bob(), &[], Of::One(Spot::Everybody)), ["* bob: bob in public: alice"], "at once");
    assert_eq!(count(), 8);
    reader.execute_batch("COMMIT").unwrap();
    open.wait(|_| !rig.has_bytes("unmistakable1"));
}

/// Alice, bob and carol speak in turn, everywhere.
fn talk_much(open: &Open, count: u64) {
    open.keep(vec![room(1, 30), Record::Member(LOBBY, bob(), at(0)), Record::Member(LOBBY, alice(), at(0))]);
    let people = [alice(), bob(), carol()];
    let said = (1..=count).map(|n| {
        let from = &people[n as usize % 3];
        let spot = match n % 7 {
            0..4 => Spot::Everybody,
            4 | 5 => Spot::Room(LOBBY),
            _ => Spot::Direct(bob()),
        };
        row(at(n), spot, from, &format!("{} says {n} bob unmistakable{n}x common", from.name))
    });
    open.keep(said.collect());
}

fn count_of(lines: &[String], who: &str) -> usize {
    lines.iter().filter(|line| line.contains(who)).count()
}

fn find(open: &Open, who: &Account) -> usize {
    let verdict = open.ask(Request::Find(Find {
        mine: Mine { who: who.clone(), rooms: vec![LOBBY] },
        of: Of::All,
        from: Some(Who::Account(alice().name)),
        terms: vec![Term::Word("common".into())],
        above: None,
        below: None,
        most: 200,
        most_bytes: 0,
    }));
    let Verdict::Page(paged) = verdict else { panic!("{verdict:?}") };
    paged.lines.len()
}

/// Waits until all messages of somebody are being forgotten.
#[track_caller]
fn wait_begun(open: &Open, rig: &Rig) {
    let count = || rig.sqlite().query_row("SELECT count(*) FROM forget", [], |row| row.get::<_, i64>(0)).unwrap();
    open.wait(|_| count() > 0);
}

/// What bob counts: unread and mentions of all places, and how much he missed.
fn counted(open: &Open) -> (u32, u32, u32, u32) {
    let mine = || Mine { who: bob(), rooms: vec![LOBBY] };
    let Verdict::Counts(counts) = open.ask(Request::Counts(Counts { mine: mine(), most: 50 })) else { panic!() };
    let Verdict::Missed(Missed { count, mentions, .. }) = open.ask(Request::Missed(mine())) else { panic!() };
    (counts.iter().map(|it| it.unread).sum(), counts.iter().map(|it| it.mentions).sum(), count, mentions)
}

#[test]
fn all_are_forgotten_and_nothing_of_others() {
    let rig = Rig::new();
    let open = rig.open();
    talk_much(&open, 300);
    assert_eq!((find(&open, &bob()), counted(&open)), (100, (200, 200, 200, 200)));
    let forgotten = forget(&open, &alice(), (&[], &[]), Forgets::All(at(298)));
    let Forgotten::All { count, at: places, is_erased: true } = forgotten else { panic!("{forgotten:?}") };
    assert_eq!(count, 99);
    assert_eq!(places, [Said::Everybody, lobby(1), direct(&alice(), &bob())]);
    for n in (1..=300).filter(|n| *n != 300) {
        assert_eq!(rig.has_bytes(&format!("unmistakable{n}x")), n % 3 != 0, "{n}");
    }
    let page = open.page(&bob(), &[1], Of::All);
    assert_eq!((count_of(&page, "alice:"), count_of(&page, "server:")), (1, 0));
    assert_eq!((find(&open, &bob()), counted(&open)), (1, (101, 101, 101, 101)));
    assert_eq!(
        forget(&open, &alice(), (&[], &[]), Forgets::All(u64::MAX)),
        Forgotten::All {
            count: 1,
            at: vec![Said::Direct(shown(&alice(), false), shown(&bob(), false))],
            is_erased: true
        }
    );
    assert_eq!(forget(&open, &alice(), (&[], &[]), Forgets::All(u64::MAX)), none_at_all());
    open.keep(vec![row(at(400), Spot::Everybody, &alice(), "later")]);
    assert_eq!(open.page(&bob(), &[], Of::One(Spot::Everybody)).last().unwrap(), "* alice: later");
    open.close();
    let report = super::super::admin::check(&rig.file()).unwrap();
    assert_eq!((report.findings, report.overview.rows), (Vec::<String>::new(), 201));
}

#[test]
fn while_all_are_being_forgotten_nobody_reads_them_and_others_are_answered() {
    let rig = Rig::new();
    let open = rig.open();
    talk_much(&open, 6_000);
    let number = submit(&open, &alice(), (&[], &[]), Forgets::All(at(6_000)));
    let again = submit(&open, &alice(), (&[], &[]), Forgets::All(at(6_000)));
    wait_begun(&open, &rig);
    let left = || -> i64 {
        let sql = "SELECT count(*) FROM message WHERE author = (SELECT n FROM who WHERE name = 'alice')";
        rig.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let (expected, mut seen) = (counted(&open), 0);
    assert_eq!(find(&open, &bob()), 0);
    while left() > seen {
        let page = open.page(&bob(), &[1], Of::All);
        assert_eq!((page.len(), count_of(&page, "alice:")), (200, 0));
        assert_eq!(counted(&open), expected);
        assert_eq!(forget(&open, &alice(), (&[], &[]), Forgets::One(at(3))), Forgotten::None);
        seen += 1;
        open.keep(vec![row(at(10_000 + seen as u64), Spot::Direct(alice()), &alice(), "to myself")]);
    }
    assert!(seen > 1, "it did not take long enough to be seen: {seen}");
    for number in [number, again] {
        let forgotten = answer(&open, number);
        assert!(matches!(forgotten, Forgotten::All { count: 2_000, is_erased: true, .. }), "{forgotten:?}");
    }
}

#[test]
fn a_crash_does_not_bring_back_what_was_being_forgotten() {
    let rig = Rig::new();
    let open = rig.open();
    talk_much(&open, 3_000);
    submit(&open, &alice(), (&[], &[]), Forgets::All(at(3_000)));
    wait_begun(&open, &rig);
    assert_eq!(count_of(&open.page(&bob(), &[1], Of::All), "alice:"), 0);
    let copy = rig.copy();
    let left: i64 = copy.sqlite().query_row("SELECT count(*) FROM forget", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1, "it was done already");
    let mut out = Vec::new();
    super::super::admin::export(&copy.file(), Some("alice"), None, &mut out).unwrap().unwrap();
    assert!(!String::from_utf8(out).unwrap().contains("alice says"));
    let open = copy.open();
    assert_eq!(open.restored.waiting.iter().filter(|it| it.from == alice()).count(), 0);
    assert_eq!(count_of(&open.page(&bob(), &[1], Of::All), "alice:"), 0);
    open.wait(|_| !(1..=1_000).any(|n| copy.has_bytes(&format!("unmistakable{}x", 3 * n))));
    open.close();
    let left: i64 = copy.sqlite().query_row("SELECT count(*) FROM forget", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_broken_store_forgets_nothing_and_says_so() {
    let rig = Rig::new();
    let open = rig.open();
    talk(&open);
    let run = |sql: &str| {
        let db = rig.sqlite();
        db.busy_timeout(Duration::from_secs(10)).unwrap();
        db.execute_batch(sql).unwrap();
    };
    run("CREATE TRIGGER refuse BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'refused'); END");
    let unavailable = |what| {
        let number = submit(&open, &alice(), (&[], &[]), what);
        assert_eq!(open.answer(number), Verdict::Unavailable);
    };
    unavailable(Forgets::One(at(1)));
    unavailable(Forgets::Newest);
    open.wait(|history| history.trouble().broken.is_none());
    assert_eq!(count_of(&open.page(&bob(), &[1], Of::All), "alice:"), 3);
    unavailable(Forgets::All(at(99)));
    open.wait(|history| history.trouble().broken.is_some());
    run("DROP TRIGGER refuse");
    open.wait(|history| history.trouble().broken.is_none());
    // What had begun goes on, and nobody reads it meanwhile.
    assert_eq!(count_of(&open.page(&bob(), &[1], Of::All), "alice:"), 0);
    open.wait(|_| !rig.has_bytes("unmistakable1"));
    assert_eq!(forget(&open, &alice(), (&[], &[]), Forgets::Newest), Forgotten::None);
}

/// SQLite moves rows between pages now and then, and does not overwrite the unused part of a page that it builds anew. Few
/// messages leave a trace there.
#[test]
#[ignore = "takes long"]
fn traces() {
    use crate::history::store::fixture::Random;
    let (mut stale, mut forgotten_count) = (Vec::new(), 0);
    for seed in 1..=4_u64 {
        let rig = Rig::new();
        let open = rig.open();
        let mut random = Random(seed * 77_777);
        let mut next = 1_u64;
        let (mut live, mut gone): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        open.keep(vec![room(1, 30), Record::Member(LOBBY, bob(), at(0)), Record::Member(LOBBY, alice(), at(0))]);
        for _ in 0..40 {
            let rows = (0..random.below(60) + 1)
                .map(|_| {
                    let spot = if random.one_in(3) { Spot::Direct(bob()) } else { Spot::Everybody };
                    next += 1 + random.below(3) as u64;
                    live.push(next);
                    let more = "lorem ipsum dolor ".repeat(random.one(&[0, 0, 1, 3, 20, 60]));
                    row(at(next), spot, &alice(), &format!("unmistakable{next}x {more} mark{next}y"))
                })
                .collect();
            open.keep(rows);
            for _ in 0..random.one(&[0, 1, 2, 12]) {
                if live.len() > 1 {
                    let n = live.swap_remove(random.below(live.len()));
                    forget(&open, &alice(), (&[], &[]), Forgets::One(at(n)));
                    gone.push(n);
                }
            }
        }
        forgotten_count += gone.len();
        for n in gone {
            for word in [format!("unmistakable{n}x"), format!("mark{n}y")] {
                if rig.has_bytes(&word) {
                    stale.push((seed, word));
                }
            }
        }
    }
    println!("{forgotten_count} forgotten, traces: {stale:?}");
    assert!(stale.len() * 100 < forgotten_count, "{stale:?}");
}

#[test]
#[ignore = "takes long"]
fn figures() {
    let rig = Rig::new();
    let open = rig.open();
    talk_much(&open, 15_000);
    let begun = Instant::now();
    let number = submit(&open, &alice(), (&[], &[]), Forgets::All(at(15_000)));
    wait_begun(&open, &rig);
    let left = || rig.sqlite().query_row("SELECT count(*) FROM forget", [], |row| row.get::<_, i64>(0)).unwrap();
    let (mut waits, mut kept) = (Vec::new(), Vec::new());
    while left() > 0 {
        let asked = Instant::now();
        open.page(&bob(), &[], Of::One(Spot::Room(LOBBY)));
        waits.push(asked.elapsed());
        let asked = Instant::now();
        open.keep(vec![row(at(100_000 + waits.len() as u64), Spot::Everybody, &bob(), "meanwhile")]);
        kept.push(asked.elapsed());
    }
    let forgotten = answer(&open, number);
    let Forgotten::All { count, .. } = forgotten else { panic!("{forgotten:?}") };
    waits.sort_unstable();
    kept.sort_unstable();
    let at = |all: &[Duration], part: usize| all[(all.len() - 1) * part / 100];
    println!("{count} forgotten in {:?}", begun.elapsed());
    println!("pages: p50 {:?}, p99 {:?}, {} of them", at(&waits, 50), at(&waits, 99), waits.len());
    println!("kept: p50 {:?}, p99 {:?}", at(&kept, 50), at(&kept, 99));
}

/// The answer to an account that forgets all and has said nothing.
fn none_at_all() -> Forgotten {
    Forgotten::All { count: 0, at: Vec::new(), is_erased: true }
}
