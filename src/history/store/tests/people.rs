//! Profiles, ignored accounts, levels.

use super::*;
use crate::history::{Counts, Flag, Level, Loud, Missed, Profile};
use crate::hub::profile::ProfileKey;
use crate::hub::record::{Setting, Whom};

const FULL: &str = "CREATE TRIGGER refuse BEFORE INSERT ON message WHEN NEW.text LIKE '%poison%'
     BEGIN SELECT RAISE(ABORT, 'refused'); END";

fn set(id: u64, who: &Account, key: ProfileKey, value: &str) -> Record {
    let value = (value != "-").then(|| value.into());
    Record::Profile(Setting { id, account: who.clone(), key, value })
}

#[track_caller]
fn profile(open: &Open, who: &Account) -> Profile {
    let verdict = open.ask(Request::Profile(who.clone()));
    let Verdict::Profile(profile) = verdict else { panic!("{verdict:?}") };
    profile
}

#[track_caller]
fn values(open: &Open, who: &Account) -> String {
    let pairs = profile(open, who).values;
    pairs.iter().map(|(key, value)| format!("{}={value}", key.word())).collect::<Vec<_>>().join(" ")
}

fn run(rig: &Rig, sql: &str) {
    let db = rig.sqlite();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.execute_batch(sql).unwrap();
}

fn counts(open: &Open, who: &Account, rooms: &[u32]) -> Vec<String> {
    let mine = Mine { who: who.clone(), rooms: rooms.iter().copied().map(KeptId).collect() };
    let verdict = open.ask(Request::Counts(Counts { mine, most: 50 }));
    let Verdict::Counts(counts) = verdict else { panic!("{verdict:?}") };
    counts.iter().map(|it| format!("{} {} {} {}", it.place, it.unread, it.mentions, it.level.word())).collect()
}

fn missed(open: &Open, who: &Account) -> (u32, u32) {
    let verdict = open.ask(Request::Missed(Mine { who: who.clone(), rooms: Vec::new() }));
    let Verdict::Missed(Missed { count, mentions, .. }) = verdict else { panic!("{verdict:?}") };
    (count, mentions)
}

#[test]
fn a_profile_is_kept_in_the_order_of_its_keys() {
    let rig = Rig::new();
    let open = rig.open();
    assert_eq!(profile(&open, &account("nobody", 5)), Profile::default());
    open.keep(vec![
        Record::Account(alice()),
        set(1, &alice(), ProfileKey::About, "collects stamps"),
        set(2, &alice(), ProfileKey::Name, "Alice Liddell"),
        set(3, &bob(), ProfileKey::Seen, "none"),
        Record::Seen(alice(), at(7)),
    ]);
    open.keep(vec![set(4, &alice(), ProfileKey::Name, "Alice")]);
    assert_eq!(values(&open, &alice()), "name=Alice about=collects stamps");
    open.close();
    let open = rig.open();
    assert_eq!(profile(&open, &alice()).seen, at(7));
    assert_eq!(
        (values(&open, &alice()), values(&open, &bob())),
        ("name=Alice about=collects stamps".into(), "seen=none".into())
    );
    open.keep(vec![set(5, &alice(), ProfileKey::Name, "-"), set(6, &alice(), ProfileKey::Zone, "-")]);
    assert_eq!(values(&open, &alice()), "about=collects stamps");
    assert_eq!(values(&open, &carol()), "");
}

#[test]
fn a_change_that_took_too_long_is_taken_back() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![set(1, &alice(), ProfileKey::Name, "first"), set(2, &alice(), ProfileKey::Zone, "UTC")]);
    open.keep(vec![set(3, &alice(), ProfileKey::Name, "late"), Record::Unset(3)]);
    assert_eq!(values(&open, &alice()), "name=first zone=UTC");
    open.keep(vec![set(4, &alice(), ProfileKey::Name, "late again")]);
    open.tell(vec![Record::Unset(4)]);
    assert_eq!(values(&open, &alice()), "name=first zone=UTC", "also once it was on disk");
    open.keep(vec![set(5, &alice(), ProfileKey::About, "new"), Record::Unset(5), Record::Unset(77)]);
    assert_eq!(values(&open, &alice()), "name=first zone=UTC");
    open.keep(vec![
        set(6, &alice(), ProfileKey::Name, "-"),
        set(7, &alice(), ProfileKey::Name, "newest"),
        Record::Unset(6),
    ]);
    assert_eq!(values(&open, &alice()), "name=newest zone=UTC", "a later change stays");
}

#[test]
fn nothing_removed_stays_in_a_file() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![
        set(1, &alice(), ProfileKey::Name, "unmistakable1"),
        set(2, &alice(), ProfileKey::Url, "unmistakable2"),
    ]);
    open.keep(vec![set(3, &alice(), ProfileKey::Name, "other"), set(4, &alice(), ProfileKey::Url, "-")]);
    open.keep(vec![set(5, &alice(), ProfileKey::About, "unmistakable3")]);
    open.tell(vec![Record::Unset(5)]);
    open.close();
    for text in ["unmistakable1", "unmistakable2", "unmistakable3"] {
        assert!(!rig.has_bytes(text), "{text}");
    }
}

#[test]
fn what_a_failed_commit_was_to_change_is_as_it_was() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![set(1, &alice(), ProfileKey::Name, "before"), Record::Ignore(alice(), Whom::Account(bob()))]);
    run(&rig, FULL);
    let records = vec![
        set(2, &alice(), ProfileKey::Name, "denied"),
        set(3, &alice(), ProfileKey::Zone, "denied"),
        Record::Ignore(alice(), Whom::Guests),
        Record::NoIgnore(alice(), Whom::Account(bob())),
        set(4, &bob(), ProfileKey::Name, "not awaited"),
        public(at(1), "poison"),
    ];
    assert_eq!(open.ask(Request::Keep(batch(records, &[0, 1, 2, 3]))), Verdict::NotKept);
    assert_eq!(
        open.ask(Request::Keep(batch(vec![set(5, &carol(), ProfileKey::Name, "denied")], &[0]))),
        Verdict::NotKept
    );
    assert_eq!(open.ask(Request::Profile(alice())), Verdict::Unavailable);
    open.tell([2, 3, 5].map(Record::Unset).into());
    // As if the failed commit were whole in the file after all.
    run(
        &rig,
        "UPDATE profile SET value = 'denied'; INSERT INTO profile VALUES(1, 'zone', 'denied');
         DELETE FROM ignore; INSERT INTO ignore VALUES(1, 0); DROP TRIGGER refuse",
    );
    open.wait(|history| history.trouble().broken.is_none() && history.backlog() == 0);
    assert_eq!(values(&open, &alice()), "name=before");
    assert_eq!((values(&open, &bob()), values(&open, &carol())), ("name=not awaited".into(), String::new()));
    open.close();
    assert_eq!(rig.open().restored.ignores, [(alice(), Whom::Account(bob()))]);
}

#[test]
fn a_change_on_disk_is_taken_back_after_another_one_failed() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![set(1, &alice(), ProfileKey::Name, "before")]);
    open.keep(vec![set(2, &alice(), ProfileKey::Name, "too late")]);
    run(&rig, FULL);
    open.tell(vec![Record::Unset(2), public(at(1), "poison")]);
    open.wait(|history| history.trouble().broken.is_some());
    run(&rig, "DROP TRIGGER refuse");
    open.wait(|history| history.trouble().broken.is_none());
    assert_eq!(values(&open, &alice()), "name=before");
}

#[test]
fn ignored_accounts_come_back_and_their_mentions_do_not_count() {
    let mut rig = Rig::new();
    let open = rig.open();
    open.keep(vec![
        Record::Ignore(bob(), Whom::Account(carol())),
        Record::Ignore(bob(), Whom::Account(carol())),
        Record::Ignore(bob(), Whom::Guests),
        Record::Ignore(alice(), Whom::Account(bob())),
        Record::NoIgnore(alice(), Whom::Account(bob())),
        Record::NoIgnore(alice(), Whom::Guests),
    ]);
    open.keep(vec![row(at(1), Spot::Everybody, &carol(), "bob, listen"), public(at(2), "hello bob")]);
    assert_eq!(missed(&open, &bob()), (2, 1));
    assert_eq!(counts(&open, &bob(), &[]), ["* 2 1 mentions"]);
    let flags = |open: &Open| open.paged(&bob(), &[], Of::All).lines.iter().map(|line| line.flag).collect::<Vec<_>>();
    assert_eq!(flags(&open), [Flag::Plain, Flag::Mention]);
    open.close();
    let open = rig.open();
    let expected = [(bob(), Whom::Guests), (bob(), Whom::Account(carol()))];
    assert_eq!(open.restored.ignores, expected);
    open.keep(vec![Record::NoIgnore(bob(), Whom::Account(carol()))]);
    assert_eq!((missed(&open, &bob()), flags(&open)), ((2, 2), vec![Flag::Mention, Flag::Mention]));
    open.keep(vec![Record::Ignore(bob(), Whom::Account(carol()))]);
    open.close();
    // Accounts that are gone, on either side.
    for (who, left) in [(bob(), vec![]), (carol(), vec![(bob(), Whom::Guests)])] {
        rig.accounts = [alice(), bob(), carol()].into_iter().filter(|account| *account != who).collect();
        let open = rig.open();
        assert_eq!(open.restored.ignores, left);
        open.close();
    }
    rig.accounts = vec![alice(), bob(), carol()];
    assert_eq!(rig.open().restored.ignores, expected, "they are back");
}

#[test]
fn an_account_registered_anew_has_no_profile_and_neither_ignores_nor_is_ignored() {
    let mut rig = Rig::new();
    let open = rig.open();
    open.keep(vec![
        set(1, &bob(), ProfileKey::Name, "the first"),
        Record::Ignore(bob(), Whom::Account(alice())),
        Record::Ignore(carol(), Whom::Account(bob())),
    ]);
    assert_eq!(
        open.ask(Request::Loud(Loud { who: bob(), spot: Spot::Everybody, level: Level::None })),
        Verdict::Marked { rose: true }
    );
    let second = account("bob", 900);
    open.keep(vec![Record::Deleted(bob()), Record::Account(second.clone()), public(at(1), "bob: hello")]);
    open.keep(vec![row(at(2), Spot::Everybody, &second, "carol: hello")]);
    assert_eq!((values(&open, &second), missed(&open, &second).1), (String::new(), 1));
    assert_eq!((missed(&open, &carol()).1, counts(&open, &second, &[])), (1, vec!["* 1 1 mentions".to_owned()]));
    open.close();
    rig.accounts = vec![alice(), second, carol()];
    assert_eq!(rig.open().restored.ignores, []);
}

#[test]
fn levels_are_kept_and_the_usual_ones_take_no_row() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![room(1, 30), Record::Member(KeptId(1), bob(), at(0)), public(at(1), "x")]);
    open.keep(vec![row(at(2), Spot::Room(KeptId(1)), &alice(), "x"), row(at(3), Spot::Direct(bob()), &alice(), "x")]);
    let usual = ["@alice 1 1 all", "lobby1 1 0 mentions", "* 1 0 mentions"];
    assert_eq!(counts(&open, &bob(), &[1]), usual);
    let set = |spot: Spot, level| open.ask(Request::Loud(Loud { who: bob(), spot, level }));
    let rose = |rose| Verdict::Marked { rose };
    let direct = || Spot::Direct(alice());
    assert_eq!([set(direct(), Level::None), set(direct(), Level::None)], [rose(true), rose(false)]);
    assert_eq!([set(Spot::Room(KeptId(1)), Level::All), set(Spot::Everybody, Level::None)], [rose(true), rose(true)]);
    assert_eq!([set(Spot::Everybody, Level::All), set(Spot::Room(KeptId(9)), Level::All)], [rose(true), rose(false)]);
    assert_eq!(set(Spot::Direct(carol()), Level::None), rose(true), "before anything was said");
    open.close();
    let open = rig.open();
    assert_eq!(counts(&open, &bob(), &[1]), ["@alice 1 1 none", "lobby1 1 0 all", "* 1 0 all"]);
    let set = |spot: Spot, level| open.ask(Request::Loud(Loud { who: bob(), spot, level }));
    assert_eq!([set(direct(), Level::All), set(Spot::Everybody, Level::Mentions)], [rose(true), rose(true)]);
    assert_eq!(set(Spot::Room(KeptId(1)), Level::Mentions), rose(true));
    assert_eq!(counts(&open, &bob(), &[1]), usual);
    open.close();
    let left: i64 = rig.sqlite().query_row("SELECT count(*) FROM loud", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1, "of carol");
}

#[test]
fn an_account_that_is_gone_ignores_nobody_and_is_not_ignored() {
    let mut rig = Rig::new();
    let open = rig.open();
    open.keep(vec![
        room(1, 30),
        Record::Member(KeptId(1), bob(), at(0)),
        Record::Ignore(alice(), Whom::Account(bob())),
        Record::Ignore(alice(), Whom::Account(carol())),
        Record::Ignore(bob(), Whom::Account(carol())),
    ]);
    open.close();
    // It was deleted while the server did not run, and may come back with the account file.
    let all = std::mem::replace(&mut rig.accounts, vec![alice(), carol()]);
    let open = rig.open();
    assert_eq!(open.restored.ignores, [(alice(), Whom::Account(carol()))]);
    open.close();
    rig.accounts = all;
    assert_eq!(rig.open().restored.ignores.len(), 3);
}

#[test]
fn a_file_of_version_1_becomes_one_of_this_version() {
    use super::super::files::{Role, Site};
    use super::super::schema;
    let rig = Rig::new();
    let site = Site::take(&rig.file(), None).unwrap();
    let mut db = site.connect(Role::Writer).unwrap();
    let transaction = db.transaction().unwrap();
    schema::create_first(&transaction).unwrap();
    transaction
        .execute_batch(
            "INSERT INTO who(name, since, floor, seen) VALUES('alice', 100, 0, 0);
             INSERT INTO message VALUES(1882193920001048576, 1, 1, 'of old'); INSERT INTO profile VALUES(1, 'about', 'of old');",
        )
        .unwrap();
    transaction.commit().unwrap();
    drop((db, site));
    let report = super::super::admin::check(&rig.file()).unwrap();
    assert_eq!((report.findings, report.overview.version), (Vec::<String>::new(), 1));
    let mut out = Vec::new();
    super::super::admin::export(&rig.file(), Some("alice"), None, &mut out).unwrap().unwrap();
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 3);
    let open = rig.open();
    assert_eq!(open.page(&alice(), &[], Of::All), ["* alice: of old"]);
    assert_eq!(values(&open, &alice()), "about=of old");
    open.ask(Request::Loud(Loud { who: alice(), spot: Spot::Everybody, level: Level::None }));
    open.close();
    let report = super::super::admin::check(&rig.file()).unwrap();
    assert_eq!((report.findings, report.overview.version), (Vec::<String>::new(), schema::VERSION.unsigned_abs()));
    let copy = rusqlite::Connection::open(rig.folder().join("history.db.v1")).unwrap();
    let version: i64 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}

#[test]
fn a_file_of_version_2_keeps_its_rooms_and_topics() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![room(1, 30), Record::Member(KeptId(1), alice(), at(0)), public(at(1), "x")]);
    open.close();
    rig.sqlite().execute_batch("ALTER TABLE room DROP COLUMN topic_ms; PRAGMA user_version = 2").unwrap();
    let report = super::super::admin::check(&rig.file()).unwrap();
    assert_eq!((report.findings, report.overview.version), (Vec::<String>::new(), 2));
    let topic = |open: &Open| {
        let topic = open.restored.rooms[0].room.topic.clone().unwrap();
        (topic.by.to_string(), topic.text.to_string(), topic.set_ms)
    };
    let open = rig.open();
    assert_eq!(topic(&open), ("alice".to_owned(), "tea".to_owned(), 0), "when it was set is not known");
    open.keep(vec![room(1, 30)]);
    open.close();
    assert_eq!(topic(&rig.open()), ("alice".to_owned(), "tea".to_owned(), 1_795_714_284_250));
    let copy = rusqlite::Connection::open(rig.folder().join("history.db.v2")).unwrap();
    let columns = "SELECT count(*) FROM pragma_table_info('room') WHERE name = 'topic_ms'";
    assert_eq!(copy.query_row(columns, [], |row| row.get::<_, i64>(0)).unwrap(), 0, "the copy is the old file");
}
