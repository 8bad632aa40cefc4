use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::auth::bans::{Ban, What, reason};
use crate::auth::deed::{Deed, Outcome};
use crate::auth::store::bans::BanFile;
use crate::auth::store::journal::tests::Fake;
use crate::auth::store::storage::Found;
use crate::limits::{self, Argon2Cost, DEAD_LINES};
use crate::mailbox::Waker;

/// A worker that works on demand, on a file in memory.
struct Bench {
    worker: Worker,
    mailbox: Arc<Mailbox<Hashing>>,
    accounts: Arc<Accounts>,
    fake: Fake,
    wakes: Arc<AtomicUsize>,
    folder: tempfile::TempDir,
}

fn rules(memory_kib: u32) -> limits::Accounts {
    limits::Accounts { argon2: Argon2Cost { memory_kib, iterations: 1, parallelism: 1 }, ..limits::Accounts::default() }
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn changed(who: &str, epoch: u32) -> Verdict {
    Verdict::Changed { name: name(who), epoch }
}

impl Bench {
    fn new() -> Self {
        let fake = Fake::default();
        let accounts = Arc::new(Accounts::default());
        let wakes = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&wakes);
        let waker = Waker::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let mailbox = Arc::new(Mailbox::new(Queue::new(64), rules(8).argon2, waker));
        let hasher = Hasher::new(rules(8).argon2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        let files = Files { bans: BanFile::open(&file).unwrap(), accounts: file };
        let worker = Worker::new(Arc::clone(&mailbox), Arc::clone(&accounts), fake.journal(), hasher, files);
        Self { worker, mailbox, accounts, fake, wakes, folder }
    }

    fn submit(&self, ticket: u64, request: Request) {
        self.mailbox.submit(None, ticket, request).unwrap();
    }

    fn register(&self, ticket: u64, who: &str) {
        self.submit(ticket, Request::Register { name: name(who), password: secret("password") });
    }

    /// Works until there is nothing left to do. Gives the verdicts by number.
    fn work(&mut self) -> Vec<(u64, Verdict)> {
        let is_compacting = |it: &Self| it.worker.journal.is_compacting(it.accounts.count(), Instant::now());
        while self.mailbox.waiting() > 0
            || !self.worker.batch.is_empty()
            || !self.worker.weak.is_empty()
            || is_compacting(self)
        {
            assert!(self.worker.step());
        }
        self.answers()
    }

    fn answers(&self) -> Vec<(u64, Verdict)> {
        let answers = std::iter::from_fn(|| self.mailbox.poll_answer());
        let mut answers = answers.map(|answer| (answer.ticket.number, answer.verdict)).collect::<Vec<_>>();
        answers.sort_by_key(|(ticket, _)| *ticket);
        answers
    }

    #[track_caller]
    fn check(&mut self, who: &str, password: &str, expected: Verdict) {
        self.submit(1000, Request::Check { name: name(who), password: secret(password) });
        assert_eq!(self.work(), [(1000, expected)], "{who} {password}");
    }

    #[track_caller]
    fn change(&mut self, who: &str, epoch: u32, password: &str, expected: Verdict) {
        self.submit(1000, Request::Change { name: name(who), epoch, password: secret(password) });
        assert_eq!(self.work(), [(1000, expected)], "{who} {password}");
    }
}

#[test]
fn registering_checking_changing() {
    let mut bench = Bench::new();
    bench.check("alice", "password", Verdict::Wrong);
    bench.change("alice", 1, "password", Verdict::Wrong);
    bench.register(1, "Alice");
    assert_eq!(bench.work(), [(1, Verdict::Registered { epoch: 1 })]);
    bench.register(2, "aLICE");
    assert_eq!(bench.work(), [(2, Verdict::Taken)]);
    bench.check("ALICE", "password", Verdict::Right { epoch: 1 });
    bench.check("alice", "Password", Verdict::Wrong);
    bench.change("alice", 1, "another one", changed("alice", 2));
    bench.check("alice", "password", Verdict::Wrong);
    bench.check("alice", "another one", Verdict::Right { epoch: 2 });
    assert_eq!(bench.accounts.epoch(&name("alice")), Some(2));
    assert_eq!(bench.fake.names(), ["Alice"]);
}

#[test]
fn those_who_wait_together_share_the_sync() {
    let mut bench = Bench::new();
    for ticket in 0..40 {
        bench.register(ticket, &format!("user{ticket}"));
    }
    let answers = bench.work();
    assert_eq!(answers.len(), 40);
    assert!(answers.iter().all(|(_, verdict)| *verdict == Verdict::Registered { epoch: 1 }));
    // A hash takes microseconds here, and a batch gathers for 10 ms. How many hashes fit depends on the machine.
    let syncs = bench.fake.script().syncs;
    assert!(syncs < 20, "{syncs} syncs");
    assert_eq!(bench.wakes.load(Ordering::Relaxed), syncs, "one wake-up a batch");
}

#[test]
fn nothing_is_seen_before_it_is_on_disk() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.worker.step();
    assert_eq!((bench.accounts.count(), bench.answers()), (0, vec![]));
    bench.worker.step();
    assert_eq!((bench.accounts.count(), bench.answers()), (1, vec![(1, Verdict::Registered { epoch: 1 })]));
}

#[test]
fn one_name_is_registered_once() {
    let mut bench = Bench::new();
    for (ticket, who) in [(1, "alice"), (2, "ALICE"), (3, "bob"), (4, "Alice")] {
        bench.register(ticket, who);
    }
    let expected = [
        (1, Verdict::Registered { epoch: 1 }),
        (2, Verdict::Taken),
        (3, Verdict::Registered { epoch: 1 }),
        (4, Verdict::Taken),
    ];
    assert_eq!(bench.work(), expected);
}

#[test]
fn of_two_changes_the_second_loses() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.submit(2, Request::Change { name: name("alice"), epoch: 1, password: secret("one") });
    bench.submit(3, Request::Change { name: name("ALICE"), epoch: 1, password: secret("two") });
    assert_eq!(bench.work(), [(1, Verdict::Registered { epoch: 1 }), (2, changed("alice", 2)), (3, Verdict::Wrong)]);
    bench.check("alice", "one", Verdict::Right { epoch: 2 });
    bench.change("alice", 1, "two", Verdict::Wrong);
    bench.change("alice", 3, "two", Verdict::Wrong);
    bench.change("alice", 2, "two", changed("alice", 3));
    bench.check("alice", "two", Verdict::Right { epoch: 3 });
}

#[test]
fn a_change_that_failed_stands_in_nobodys_way() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    bench.fake.script().room = Some(9);
    bench.submit(2, Request::Change { name: name("alice"), epoch: 1, password: secret("one") });
    bench.worker.step();
    bench.submit(3, Request::Change { name: name("alice"), epoch: 1, password: secret("two") });
    assert_eq!(bench.work(), [(2, Verdict::Unavailable), (3, Verdict::Unavailable)]);
    bench.fake.script().room = None;
    bench.change("alice", 1, "three", changed("alice", 2));
}

#[test]
fn a_failing_disk_stops_changes_only() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    for short in [true, false] {
        (bench.fake.script().room, bench.fake.script().sync_fails) = (short.then_some(9), !short);
        bench.fake.script().replace_fails = true;
        bench.register(2, "bob");
        assert_eq!(bench.work(), [(2, Verdict::Unavailable)]);
        bench.change("alice", 1, "another one", Verdict::Unavailable);
        bench.check("alice", "password", Verdict::Right { epoch: 1 });
        bench.check("bob", "password", Verdict::Wrong);
        assert_eq!((bench.accounts.epoch(&name("alice")), bench.fake.names()), (Some(1), vec!["alice".to_owned()]));
    }
    (bench.fake.script().sync_fails, bench.fake.script().replace_fails) = (false, false);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        bench.register(3, "bob");
        match bench.work().as_slice() {
            [(3, Verdict::Registered { epoch: 1 })] => break,
            _ => assert!(Instant::now() < deadline, "it does not heal"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(bench.fake.names(), ["alice", "bob"]);
}

#[test]
fn weak_hashes_are_made_anew_and_tokens_live() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    let old = bench.accounts.find(&name("alice")).unwrap();
    bench.mailbox.reconfigure(rules(16).argon2, |_| {});
    bench.check("alice", "wrong", Verdict::Wrong);
    assert_eq!(bench.accounts.find(&name("alice")).unwrap(), old);
    bench.check("alice", "password", Verdict::Right { epoch: 1 });
    let new = bench.accounts.find(&name("alice")).unwrap();
    assert!(new.phc.contains("m=16,") && new.epoch == old.epoch, "{new:?}");
    bench.check("alice", "password", Verdict::Right { epoch: 1 });
    assert_eq!(bench.fake.script().syncs, 2, "and once is enough");
}

#[test]
fn rehashing_waits_for_those_who_wait_and_heeds_a_change() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    bench.mailbox.reconfigure(rules(16).argon2, |_| {});
    bench.submit(2, Request::Check { name: name("alice"), password: secret("password") });
    bench.submit(3, Request::Change { name: name("alice"), epoch: 1, password: secret("another one") });
    assert_eq!(bench.work(), [(2, Verdict::Right { epoch: 1 }), (3, changed("alice", 2))]);
    bench.check("alice", "another one", Verdict::Right { epoch: 2 });
    bench.check("alice", "password", Verdict::Wrong);
}

#[test]
fn rehashing_is_bounded() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    bench.mailbox.reconfigure(rules(16).argon2, |_| {});
    for ticket in 0..2 * REHASHES as u64 {
        bench.submit(ticket, Request::Check { name: name("alice"), password: secret("password") });
    }
    while bench.mailbox.waiting() > 0 {
        bench.worker.step();
    }
    assert_eq!(bench.worker.weak.len(), REHASHES);
    bench.work();
    assert_eq!(bench.fake.script().syncs, 2);
}

/// Changes alice's password until there are this many obsolete lines. Gives her epoch.
fn waste(bench: &mut Bench, lines: u64) -> u32 {
    bench.register(1, "alice");
    bench.work();
    for epoch in 1..=lines as u32 {
        bench.change("alice", epoch, "password", changed("alice", epoch + 1));
    }
    lines as u32 + 1
}

/// The number of lines in the file, with the header.
fn lines(bench: &Bench) -> usize {
    bench.fake.script().bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn lines_that_no_longer_count_are_written_away_while_it_works() {
    let mut bench = Bench::new();
    let epoch = waste(&mut bench, DEAD_LINES);
    assert_eq!((lines(&bench), bench.fake.script().replaces), (DEAD_LINES as usize + 2, 0), "so few stay");
    bench.change("alice", epoch, "another one", changed("alice", epoch + 1));
    bench.check("alice", "another one", Verdict::Right { epoch: epoch + 1 });
    assert_eq!((lines(&bench), bench.fake.script().replaces), (2, 1));
    // Appending continues after the lines of the new file.
    bench.register(2, "bob");
    assert_eq!(bench.work(), [(2, Verdict::Registered { epoch: 1 })]);
    bench.change("alice", epoch + 1, "a third one", changed("alice", epoch + 2));
    assert_eq!((bench.fake.names(), lines(&bench)), (vec!["alice".to_owned(), "bob".to_owned()], 4));
}

#[test]
fn a_compaction_that_fails_changes_nothing_and_is_not_tried_all_the_time() {
    let mut bench = Bench::new();
    bench.fake.script().replace_fails = true;
    let epoch = waste(&mut bench, DEAD_LINES + 100);
    bench.register(2, "bob");
    assert_eq!(bench.work(), [(2, Verdict::Registered { epoch: 1 })]);
    bench.check("alice", "password", Verdict::Right { epoch });
    assert_eq!((lines(&bench), bench.fake.script().tries), (DEAD_LINES as usize + 103, 1));
    assert_eq!(bench.fake.names(), ["alice", "bob"]);
}

#[test]
fn a_file_that_is_not_in_its_place_is_not_compacted_over_another() {
    let mut bench = Bench::new();
    let epoch = waste(&mut bench, DEAD_LINES);
    bench.submit(2, Request::Change { name: name("alice"), epoch, password: secret("another one") });
    bench.worker.step();
    bench.worker.commit();
    bench.fake.script().found = Some(Found::Other);
    // The file at the path is somebody else's: the file in memory panics if it is replaced.
    bench.work();
    assert_eq!((lines(&bench), bench.fake.script().tries), (DEAD_LINES as usize + 3, 0));
}

#[test]
fn closing_brings_the_batch_to_disk() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.register(2, "bob");
    bench.worker.step();
    bench.mailbox.close();
    assert!(!bench.worker.step());
    assert_eq!(bench.fake.names(), ["alice"]);
    assert!(bench.mailbox.submit(None, 3, Request::Check { name: name("a"), password: secret("") }).is_err());
}

#[test]
fn a_worker_that_gives_up_leaves_nobody_waiting() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.register(2, "bob");
    bench.worker.step();
    bench.worker.give_up();
    assert_eq!(bench.answers(), [(1, Verdict::Unavailable), (2, Verdict::Unavailable)]);
}

#[test]
fn a_file_that_can_be_written_again_is_noticed_though_nobody_registers() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    let (before, trouble) = (bench.fake.script().bytes.clone(), |it: &Bench| it.accounts.trouble());
    bench.fake.script().room = Some(10);
    bench.register(2, "bob");
    assert_eq!(bench.work(), [(2, Verdict::Unavailable)]);
    assert!(trouble(&bench).is_some_and(|why| why.starts_with("the file cannot be written: ")));
    let wakes = bench.wakes.load(Ordering::Relaxed);
    let probe = |it: &mut Bench, seconds: u64| {
        it.worker.journal.probe(Instant::now() + Duration::from_secs(seconds));
        if it.worker.report() {
            it.mailbox.wake();
        }
        assert_eq!(it.fake.script().bytes, before, "nothing is left of a try");
        trouble(it).is_some()
    };
    bench.fake.script().room = Some(10);
    assert!(probe(&mut bench, 6), "still no room");
    bench.fake.script().room = None;
    assert!(probe(&mut bench, 7), "not tried again yet");
    assert!(!probe(&mut bench, 12));
    assert_eq!(bench.wakes.load(Ordering::Relaxed), wakes + 1);
    bench.register(3, "bob");
    assert_eq!(bench.work(), [(3, Verdict::Registered { epoch: 1 })]);
}

#[test]
fn a_try_that_cannot_be_synced_leads_to_a_rewrite() {
    let mut bench = Bench::new();
    bench.fake.script().sync_fails = true;
    bench.register(1, "alice");
    assert_eq!(bench.work(), [(1, Verdict::Unavailable)]);
    bench.fake.script().sync_fails = false;
    bench.worker.journal.probe(Instant::now() + Duration::from_secs(6));
    assert_eq!((bench.worker.journal.trouble(), bench.fake.script().replaces), (None, 1));
    bench.fake.script().room = Some(10);
    bench.register(2, "alice");
    assert_eq!(bench.work(), [(2, Verdict::Unavailable)]);
    (bench.fake.script().room, bench.fake.script().sync_fails) = (None, true);
    bench.worker.journal.probe(Instant::now() + Duration::from_secs(6));
    assert!(bench.worker.journal.trouble().is_some());
    bench.fake.script().sync_fails = false;
    bench.worker.journal.probe(Instant::now() + Duration::from_secs(20));
    assert_eq!((bench.worker.journal.trouble(), bench.fake.script().replaces), (None, 2));
}

impl Bench {
    #[track_caller]
    fn deed(&mut self, deed: Deed) -> Outcome {
        self.submit(1000, Request::Deed(deed));
        match self.work().as_slice() {
            [(1000, Verdict::Done(outcome))] => outcome.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn ban_file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("bans")).unwrap_or_default()
    }
}

fn ban(what: &str, until: Option<u64>) -> Ban {
    Ban { what: What::parse(what).unwrap(), until, reason: reason(b"spam").unwrap() }
}

#[test]
fn operators_add_change_and_delete_accounts() {
    let mut bench = Bench::new();
    let add = |who: &str| Deed::Add { name: name(who), password: secret("password") };
    let set = |who: &str| Deed::SetPassword { name: name(who), password: secret("another one") };
    assert_eq!(bench.deed(add("Alice")), Outcome::Added(name("Alice")));
    let Outcome::Exists(found) = bench.deed(add("aLICE")) else { panic!("added twice") };
    assert_eq!(found.as_str(), "Alice");
    bench.check("alice", "password", Verdict::Right { epoch: 1 });
    assert_eq!(bench.deed(set("bob")), Outcome::NoAccount);
    assert_eq!(bench.deed(set("ALICE")), Outcome::PasswordSet { name: name("alice"), epoch: 2 });
    bench.check("alice", "another one", Verdict::Right { epoch: 2 });
    let deleted = bench.deed(Deed::Delete { name: name("ALICE") });
    assert!(matches!(&deleted, Outcome::Deleted { name: gone, .. } if *gone == name("alice")), "{deleted:?}");
    assert_eq!(bench.deed(Deed::Delete { name: name("ALICE") }), Outcome::NoAccount);
    bench.check("alice", "another one", Verdict::Wrong);
    // Its tokens stay void if the name is used again.
    assert_eq!(bench.deed(add("alice")), Outcome::Added(name("alice")));
    assert_eq!(bench.accounts.epoch(&name("alice")), Some(3));
}

#[test]
fn operators_are_told_of_a_disk_that_fails() {
    let mut bench = Bench::new();
    bench.register(1, "alice");
    bench.work();
    bench.fake.script().room = Some(0);
    for deed in [
        Deed::Add { name: name("bob"), password: secret("password") },
        Deed::SetPassword { name: name("alice"), password: secret("another one") },
        Deed::Delete { name: name("alice") },
    ] {
        bench.submit(7, Request::Deed(deed));
        assert_eq!(bench.work(), [(7, Verdict::Unavailable)]);
    }
    bench.check("alice", "password", Verdict::Right { epoch: 1 });
}

#[test]
fn a_ban_is_on_disk_and_bars_registrations() {
    let mut bench = Bench::new();
    bench.submit(1, Request::Deed(Deed::Ban(ban("bob", None))));
    bench.register(2, "BOB");
    let answers = bench.work();
    assert_eq!(answers[1], (2, Verdict::Banned));
    let (_, Verdict::Done(Outcome::Banned { ban: kept, bans })) = &answers[0] else { panic!("{answers:?}") };
    assert_eq!((kept, &bench.accounts.bans()), (&ban("bob", None), bans));
    assert_eq!(bench.ban_file(), "bob - spam\n");
    assert_eq!(bench.deed(Deed::Unban(What::parse("carol").unwrap())), Outcome::NoSuchBan);
    assert!(matches!(bench.deed(Deed::Unban(What::parse("bob").unwrap())), Outcome::Unbanned(_)));
    assert_eq!((bench.ban_file().as_str(), bench.accounts.bans().len()), ("", 0));
    bench.register(3, "bob");
    assert_eq!(bench.work(), [(3, Verdict::Registered { epoch: 1 })]);
}

#[test]
fn a_ban_that_cannot_be_written_changes_nothing() {
    let mut bench = Bench::new();
    bench.deed(Deed::Ban(ban("bob", None)));
    // A folder where the temporary file would be cannot be replaced.
    std::fs::create_dir(bench.folder.path().join("bans.new")).unwrap();
    for deed in [Deed::Ban(ban("carol", None)), Deed::Unban(What::parse("bob").unwrap())] {
        let outcome = bench.deed(deed);
        assert!(matches!(&outcome, Outcome::Failed(why) if why.contains("bans: cannot be written")), "{outcome:?}");
    }
    assert_eq!(bench.ban_file(), "bob - spam\n");
    assert_eq!(bench.accounts.bans().len(), 1);
}
