//! A disk that refuses. A trigger, which another connection makes, refuses a row as a full disk would.

use super::*;

const BREAK: &str = "CREATE TRIGGER refuse BEFORE INSERT ON message WHEN NEW.text LIKE '%poison%'
     BEGIN SELECT RAISE(ABORT, 'refused'); END";

fn run(rig: &Rig, sql: &str) {
    let db = rig.sqlite();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.execute_batch(sql).unwrap();
}

fn verdict(open: &Open, records: Vec<Record>, awaited: &[u32]) -> Verdict {
    open.ask(Request::Keep(batch(records, awaited)))
}

#[test]
fn those_who_wait_are_told_and_the_others_are_kept_later() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![public(at(1), "before")]);
    run(&rig, BREAK);
    let records = vec![
        public(at(2), "in the same commit"),
        public(at(3), "not awaited"),
        public(at(4), "poison, awaited"),
        public(at(5), "awaited"),
    ];
    assert_eq!(verdict(&open, records, &[2, 3]), Verdict::NotKept);
    open.tell(vec![public(at(6), "poison, not awaited")]);
    open.wait(|history| history.trouble().broken.is_some());
    assert_eq!(verdict(&open, vec![public(at(7), "while broken")], &[0]), Verdict::NotKept);
    open.tell(vec![public(at(8), "queued"), Record::Withdrawn(at(4))]);
    let expected = ["not awaited", "in the same commit", "poison, not awaited", "queued"];
    let bytes: usize = expected.iter().map(|text| row_bytes(text.len())).sum();
    assert_eq!(open.history().backlog(), bytes);
    let mine = Mine { who: bob(), rooms: Vec::new() };
    assert_eq!(open.ask(Request::Missed(mine)), Verdict::Unavailable);
    assert!(open.history().trouble().broken.is_some());

    run(&rig, "DROP TRIGGER refuse");
    open.wait(|history| history.trouble().broken.is_none() && history.backlog() == 0);
    let page = open.page(&bob(), &[], Of::All);
    let expected = ["before", "in the same commit", "not awaited", "poison, not awaited", "queued"];
    assert_eq!(page, expected.map(|text| format!("* alice: {text}")));
    open.keep(vec![public(at(9), "after")]);
    open.close();
    let page = rig.open().page(&bob(), &[], Of::All);
    assert_eq!(page.len(), 6, "{page:?}");
}

#[test]
fn another_process_that_writes_breaks_the_store_for_so_long() {
    let rig = Rig::new();
    let open = rig.open();
    let other = rig.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(verdict(&open, vec![public(at(1), "awaited")], &[0]), Verdict::NotKept);
    open.tell(vec![public(at(2), "queued")]);
    open.wait(|history| history.trouble().broken.is_some_and(|why| why.contains("another process writes to the file")));
    other.execute_batch("COMMIT").unwrap();
    open.wait(|history| history.trouble().broken.is_none());
    assert_eq!(open.page(&bob(), &[], Of::All), ["* alice: queued"]);
}

#[test]
fn a_message_that_was_denied_is_gone_although_it_reached_the_disk() {
    let rig = Rig::new();
    let open = rig.open();
    let other = rig.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(verdict(&open, vec![public(at(1), "denied")], &[0]), Verdict::NotKept);
    // As if the failed commit were whole in the log after all.
    other.execute_batch(&format!("INSERT INTO message VALUES({}, 1, 1, 'denied'); COMMIT", at(1))).unwrap();
    open.wait(|history| history.trouble().broken.is_none());
    assert!(open.page(&bob(), &[], Of::All).is_empty());
}

#[test]
fn a_file_that_vanished_is_not_made_anew() {
    let rig = Rig::new();
    let open = rig.open();
    run(&rig, BREAK);
    assert_eq!(verdict(&open, vec![public(at(1), "poison")], &[0]), Verdict::NotKept);
    let aside = rig.folder().join("aside");
    std::fs::rename(rig.file(), &aside).unwrap();
    open.wait(|history| history.trouble().broken.is_some_and(|why| why.contains("No such file")));
    assert!(!rig.file().exists());
    std::fs::rename(&aside, rig.file()).unwrap();
    open.wait(|history| history.trouble().broken.is_none());
    open.close();
}

#[test]
fn a_broken_store_ends_and_the_next_start_says_that_something_is_missing() {
    let rig = Rig::new();
    let open = rig.open();
    run(&rig, BREAK);
    open.tell(vec![public(at(1), "poison"), public(at(2), "lost")]);
    open.close();
    let page = rig.open().page(&bob(), &[], Of::All);
    assert_eq!(page.len(), 1, "{page:?}");
    assert!(page[0].starts_with("* server: up to"), "{page:?}");
}

#[test]
fn logins_do_not_fill_the_queue_of_a_broken_store() {
    let rig = Rig::new();
    let open = rig.open();
    run(&rig, BREAK);
    open.tell(vec![public(at(1), "poison")]);
    open.wait(|history| history.trouble().broken.is_some());
    for n in 0..30 {
        let both = (0..5_000).flat_map(|_| [Record::Account(bob()), Record::Seen(bob(), at(n))]);
        open.tell(both.collect());
    }
    run(&rig, "DROP TRIGGER refuse");
    open.wait(|history| history.trouble().broken.is_none());
    open.close();
    let seen: i64 = rig.sqlite().query_row("SELECT seen FROM who WHERE name = 'bob'", [], |row| row.get(0)).unwrap();
    assert_eq!(u64::try_from(seen).unwrap(), at(29));
}
