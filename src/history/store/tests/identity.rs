//! An account is its name and when it was registered.

use super::*;

fn waiting(open: &Open) -> usize {
    open.restored.waiting.len()
}

#[test]
fn an_account_that_registers_a_deleted_name_inherits_nothing() {
    let mut rig = Rig::new();
    let open = rig.open();
    open.keep(vec![
        Record::Account(bob()),
        room(1, 30),
        Record::Member(KeptId(1), bob(), at(0)),
        row(at(1), Spot::Direct(bob()), &alice(), "for the first bob"),
        row(at(2), Spot::Direct(alice()), &bob(), "from the first bob"),
        row(at(3), Spot::Everybody, &bob(), "in public"),
        Record::Floor(bob(), at(3)),
    ]);
    let second = account("Bob", 900);
    open.keep(vec![Record::Deleted(bob()), Record::Account(second.clone()), public(at(4), "hello bob")]);
    let page = open.page(&second, &[], Of::All);
    assert_eq!(page, ["* -bob: in public", "* alice: hello bob"]);
    assert_eq!(
        open.page(&alice(), &[], Of::All),
        ["@-bob alice: for the first bob", "@-bob -bob: from the first bob", "* -bob: in public", "* alice: hello bob"]
    );
    open.close();

    rig.accounts = vec![alice(), second.clone(), carol()];
    let open = rig.open();
    assert_eq!((waiting(&open), &open.restored.rooms[0].members), (0, &vec![alice()]));
    assert_eq!(open.page(&second, &[], Of::All), page);
    open.close();
    // The account file is put back as it was.
    rig.accounts = vec![alice(), bob(), carol()];
    let open = rig.open();
    assert!(open.restored.rooms[0].members.contains(&bob()));
    assert!(open.page(&bob(), &[], Of::All).contains(&"@alice alice: for the first bob".to_owned()));
    assert!(open.page(&bob(), &[], Of::All).contains(&"* bob: in public".to_owned()));
}

#[test]
fn a_login_with_another_time_of_birth_makes_the_older_account_gone() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![row(at(1), Spot::Direct(bob()), &alice(), "for the first bob")]);
    let second = account("bob", 900);
    open.keep(vec![Record::Account(second.clone())]);
    assert!(open.page(&second, &[], Of::All).is_empty());
    open.keep(vec![row(at(2), Spot::Everybody, &second, "I am another")]);
    assert_eq!(open.page(&alice(), &[], Of::All), ["@-bob alice: for the first bob", "* bob: I am another"]);
}

#[test]
fn an_account_that_is_gone_owns_no_room() {
    let mut rig = Rig::new();
    let open = rig.open();
    open.keep(vec![room(1, 30), Record::Member(KeptId(1), alice(), at(0)), Record::Member(KeptId(1), carol(), at(0))]);
    open.close();
    rig.accounts = vec![bob(), carol()];
    let open = rig.open_at(NOW + 5);
    let found = &open.restored.rooms[0];
    assert_eq!((&found.room.owner, &found.members), (&None, &vec![carol()]));
    let since = found.room.ownerless_since_ms;
    assert!((NOW + 5..NOW + 60_000).contains(&since), "{since}");
}

#[test]
fn a_room_made_anew_inherits_nothing() {
    let rig = Rig::new();
    let open = rig.open();
    let old = row(at(2), Spot::Room(KeptId(1)), &bob(), "hello alice, unmistakable2");
    open.keep(vec![
        room(1, 30),
        Record::Member(KeptId(1), bob(), at(0)),
        Record::Member(KeptId(1), alice(), at(0)),
        old,
    ]);
    assert_eq!(open.page(&bob(), &[1], Of::All).len(), 1);
    open.submit(Request::Keep(batch(vec![Record::RoomGone(KeptId(1)), room(2, 30)], &[])));
    assert!(open.page(&bob(), &[1, 2], Of::All).is_empty(), "at once");
    open.keep(vec![
        row(at(3), Spot::Room(KeptId(1)), &bob(), "too late"),
        row(at(4), Spot::Room(KeptId(2)), &bob(), "anew"),
    ]);
    assert_eq!(open.page(&bob(), &[1, 2], Of::All), ["lobby2 bob: anew"]);
    open.wait(|_| !rig.has_bytes("unmistakable2"));
    let count = |table: &str| -> i64 {
        rig.sqlite().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("mention"), count("message"), count("place")), (0, 1, 2));
}

#[test]
fn a_room_that_stays_after_all_has_what_was_said_in_it() {
    let rig = Rig::new();
    let open = rig.open();
    let lobby = KeptId(1);
    let said = |id, text: &str| row(at(id), Spot::Room(lobby), &alice(), text);
    open.keep(vec![room(1, 30), Record::Member(lobby, bob(), at(0)), said(1, "before")]);
    // Somebody has waited for its end for too long, and is told that it stays.
    let stays = vec![Record::RoomGone(lobby), room(1, 30), Record::Member(lobby, bob(), at(0)), said(2, "after")];
    open.keep(stays);
    let expected = ["lobby1 alice: before", "lobby1 alice: after"];
    assert_eq!(open.page(&bob(), &[1], Of::All), expected);
    open.close();
    assert_eq!(rig.open().page(&bob(), &[1], Of::All), expected);
}

#[test]
fn guests_and_unknown_authors_are_shown_and_own_nothing() {
    let rig = Rig::new();
    let open = rig.open();
    let guest =
        Row { id: at(1), spot: Spot::Everybody, from: Who::parse("~bob").unwrap(), text: "I am a guest".into() };
    let zoe = account("zoe", 5);
    open.keep(vec![Record::Row(guest), row(at(2), Spot::Everybody, &zoe, "who am I?")]);
    assert_eq!(open.page(&bob(), &[], Of::All), ["* ~bob: I am a guest", "* -zoe: who am I?"]);
}
