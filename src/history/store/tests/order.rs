//! Order, pages, marks, rooms.

use super::*;
use crate::history::Mark;

#[test]
fn what_was_kept_is_there_in_order_after_another_start() {
    let rig = Rig::new();
    let open = rig.open();
    assert_eq!(open.restored, Restored { last_id: open.restored.last_id, ..Restored::default() });
    open.tell((0..300).map(|n| public(at(n), &format!("number {n}"))).collect());
    open.keep(vec![row(at(300), Spot::Direct(bob()), &alice(), "for bob alone")]);
    assert_eq!(open.history().backlog(), 0);
    open.close();
    assert!(!rig.file().with_file_name("history.db-wal").exists(), "a clean end leaves one file");

    let open = rig.open();
    assert_eq!(open.restored.last_id, at(300));
    let page = open.page(&bob(), &[], Of::All);
    let expected: Vec<String> = (101..300).map(|n| format!("* alice: number {n}")).collect();
    assert_eq!((&page[..199], page[199].as_str()), (&expected[..], "@alice alice: for bob alone"));
    assert_eq!(open.page(&carol(), &[], Of::All).last().unwrap(), "* alice: number 299");
    let waiting = &open.restored.waiting;
    assert_eq!(
        waiting.iter().map(|it| (it.to.clone(), it.from.clone(), it.count)).collect::<Vec<_>>(),
        [(bob(), alice(), 1)]
    );
}

#[test]
fn a_page_has_what_was_said_before_it_and_is_not_on_disk_yet() {
    let rig = Rig::new();
    let open = rig.open();
    let numbers: Vec<u64> = (0..50)
        .map(|n| {
            open.submit(Request::Keep(batch(vec![public(at(n), &format!("number {n}"))], &[])));
            open.submit(Request::Counts(crate::history::Counts {
                mine: Mine { who: bob(), rooms: Vec::new() },
                most: 10,
            }))
        })
        .collect();
    for (number, unread) in numbers.into_iter().zip(1..) {
        let Verdict::Counts(counts) = open.answer(number) else { panic!() };
        assert!(counts.len() == 1 && counts[0].unread >= unread, "{counts:?}");
    }
}

#[test]
fn the_same_id_is_kept_once() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![public(at(1), "once"), public(at(1), "twice")]);
    open.keep(vec![public(at(1), "thrice")]);
    assert_eq!(open.page(&bob(), &[], Of::All), ["* alice: once"]);
}

#[test]
fn who_is_away_has_as_many_messages_as_came_since_the_last_session() {
    let rig = Rig::new();
    let open = rig.open();
    let to = |id, who: &Account| row(at(id), Spot::Direct(who.clone()), &alice(), "are you there?");
    open.keep(vec![Record::Account(bob()), to(1, &bob()), Record::Seen(bob(), at(2)), to(3, &bob()), to(4, &carol())]);
    open.keep(vec![
        row(at(5), Spot::Direct(alice()), &bob(), "to alice"),
        row(at(6), Spot::Direct(alice()), &alice(), "to me"),
    ]);
    open.close();
    let waiting = |open: &Open| {
        let all = open.restored.waiting.iter();
        all.map(|it| format!("{} {} {}", it.to.name, it.from.name, it.count)).collect::<Vec<_>>()
    };
    let open = rig.open();
    assert_eq!(waiting(&open), ["alice bob 1", "bob alice 1", "carol alice 1"]);
    open.keep(vec![Record::Account(bob())]);
    open.close();
    assert_eq!(waiting(&rig.open()), ["alice bob 1", "carol alice 1"]);
}

#[test]
fn marks_and_floors_rise_and_stay() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep((0..10).map(|n| public(at(n), "x")).collect());
    let mark = |open: &Open, of: Of, id| open.ask(Request::Mark(Mark { who: bob(), of, id }));
    assert_eq!(mark(&open, Of::One(Spot::Everybody), at(3)), Verdict::Marked { rose: true });
    assert_eq!(mark(&open, Of::One(Spot::Everybody), at(2)), Verdict::Marked { rose: false });
    let missed = |open: &Open| {
        let Verdict::Missed(missed) = open.ask(Request::Missed(Mine { who: bob(), rooms: Vec::new() })) else {
            panic!()
        };
        missed.count
    };
    assert_eq!(missed(&open), 6);
    open.tell(vec![Record::Floor(bob(), at(5)), Record::Floor(bob(), at(4))]);
    assert_eq!(missed(&open), 4);
    open.close();
    assert_eq!(missed(&rig.open()), 4);
}

#[test]
fn rooms_come_back_with_their_members_the_longest_standing_first() {
    let rig = Rig::new();
    let open = rig.open();
    let lobby = KeptId(3);
    let member = |who, id| Record::Member(lobby, who, at(id));
    open.keep(vec![public(at(1), "x"), room(3, 7), member(carol(), 1), member(alice(), 1), member(bob(), 2)]);
    open.keep(vec![member(carol(), 3), row(at(4), Spot::Room(lobby), &bob(), "hello carol and alice")]);
    open.keep(vec![Record::NoMember(lobby, bob()), room(4, 1), Record::RoomGone(KeptId(4))]);
    open.close();
    let open = rig.open();
    assert_eq!((open.restored.last_room, open.restored.rooms.len()), (4, 1));
    let found = &open.restored.rooms[0];
    assert_eq!(Record::Room(Box::new(found.room.clone())), room(3, 7));
    assert_eq!(found.members, [carol(), alice()]);
    let Verdict::Counts(counts) =
        open.ask(Request::Counts(crate::history::Counts { mine: Mine { who: carol(), rooms: vec![lobby] }, most: 10 }))
    else {
        panic!()
    };
    let lobby = counts.iter().find(|count| &*count.place == "lobby3").unwrap();
    assert_eq!((lobby.unread, lobby.mentions, lobby.read), (1, 1, at(1)));
}

#[test]
fn a_message_is_withdrawn_with_everything_that_leads_to_it() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![public(at(1), "hello bob"), row(at(2), Spot::Direct(bob()), &alice(), "unmistakable1")]);
    open.keep(vec![Record::Withdrawn(at(2)), Record::Withdrawn(at(1)), Record::Withdrawn(at(77))]);
    assert!(open.page(&bob(), &[], Of::All).is_empty());
    for table in ["message", "inbox", "mention"] {
        let count: i64 =
            rig.sqlite().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{table}");
    }
    open.close();
    assert!(!rig.has_bytes("unmistakable1"));
}
