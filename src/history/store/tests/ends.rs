//! The end of a run: clean or not; ids that never go back; holes.

use super::*;
use crate::history::Flag;
use crate::hub::record::Hole;

fn holes(open: &Open, who: &Account, rooms: &[u32]) -> Vec<String> {
    let lines = open.paged(who, rooms, Of::All).lines;
    let holes = lines.iter().filter(|line| line.flag == Flag::Hole);
    holes.map(|line| format!("{} {}: {}", line.place, line.from, line.text)).collect()
}

#[test]
fn after_a_kill_each_place_that_may_have_lost_something_says_so() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![
        room(1, 30),
        Record::Account(alice()),
        Record::Account(bob()),
        row(at(1), Spot::Direct(bob()), &alice(), "both are there"),
        row(at(2), Spot::Direct(carol()), &alice(), "carol is away"),
        public(at(3), "to all"),
    ]);
    let killed = open.copy_of(&rig);
    let again = killed.open_at(NOW + 60_000);
    let lost = "server: up to 250 ms of messages were not kept: the server did not end properly";
    let expected = [format!("* {lost}"), format!("lobby1 {lost}"), format!("@bob {lost}")];
    assert_eq!(holes(&again, &alice(), &[1]), expected);
    assert_eq!(holes(&again, &carol(), &[]), [format!("* {lost}")]);
    let lines = again.paged(&alice(), &[1], Of::All).lines;
    let first = lines.iter().find(|line| line.flag == Flag::Hole).unwrap();
    assert!(first.id >= at(60_000), "after everything that was lost");
    assert_eq!(again.restored.last_id, lines.last().unwrap().id, "and before everything that comes");
    assert_eq!(lines.len(), 6);
    // Nothing was said since: the next kill makes no further hole.
    let killed = again.copy_of(&killed);
    let third = killed.open_at(NOW + 120_000);
    assert_eq!(holes(&third, &alice(), &[1]).len(), 3);
    assert!(third.restored.last_id > again.restored.last_id);
    third.close();
    assert_eq!(holes(&killed.open_at(NOW + 180_000), &alice(), &[1]).len(), 3, "a clean end loses nothing");
}

#[test]
fn after_a_kill_nothing_waits_for_who_was_there() {
    let rig = Rig::new();
    let open = rig.open();
    let told = |id, to: &Account| row(at(id), Spot::Direct(to.clone()), &alice(), "psst");
    open.keep(vec![Record::Account(alice()), Record::Account(bob()), told(1, &bob()), told(2, &carol())]);
    let again = open.copy_of(&rig).open_at(NOW + 60_000);
    let waiting: Vec<_> = again.restored.waiting.iter().map(|waiting| (&waiting.to, waiting.count)).collect();
    assert_eq!(waiting, [(&carol(), 1)]);
}

#[test]
fn a_hole_is_where_the_hub_says() {
    let rig = Rig::new();
    let open = rig.open();
    let hole =
        |id, spot, with, count| Record::Hole(Hole { id: at(id), spot, with, count, why: "the queue was full".into() });
    open.keep(vec![
        public(at(1), "before"),
        hole(2, Spot::Everybody, None, Some(12)),
        hole(3, Spot::Direct(bob()), Some(alice()), Some(1)),
        hole(4, Spot::Room(KeptId(9)), None, None),
        public(at(5), "after"),
    ]);
    let page = open.page(&bob(), &[9], Of::All);
    assert_eq!(page.len(), 4, "{page:?}");
    assert!(page[1].starts_with("* server: 12 messages were not kept: the queue was full"), "{page:?}");
    assert!(page[2].starts_with("@alice server: 1 message"), "{page:?}");
}

#[test]
fn ids_never_go_back_although_everything_is_deleted() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![public(at(5_000), "x"), Record::Seen(bob(), at(6_000)), Record::Withdrawn(at(5_000))]);
    let killed = open.copy_of(&rig);
    open.close();
    assert!(rig.open().restored.last_id >= at(6_000));
    assert!(killed.open().restored.last_id >= at(6_000));
}

#[test]
fn what_is_queued_at_the_end_is_written() {
    let rig = Rig::new();
    let open = rig.open();
    for n in 0..2_000 {
        open.submit(Request::Keep(batch(vec![public(at(n), "x")], &[])));
    }
    open.close();
    let count: i64 = rig.sqlite().query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2_000);
    let open = rig.open();
    assert!(holes(&open, &alice(), &[]).is_empty());
}

#[test]
fn what_is_kept_survives_a_kill_at_once() {
    let rig = Rig::new();
    let open = rig.open();
    for n in 0..20 {
        open.keep(vec![public(at(n), &format!("number {n}"))]);
        let killed = rig.copy().open();
        let page = killed.page(&bob(), &[], Of::All);
        assert!(page.contains(&format!("* alice: number {n}")), "{page:?}");
    }
}
