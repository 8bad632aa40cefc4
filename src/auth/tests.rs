use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::*;
use crate::limits::Argon2Cost;
use crate::mailbox::Ticket;

const NOW: u64 = 1_760_000_000;

fn settings(folder: &Path) -> Settings {
    let argon2 = Argon2Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    Settings { file: folder.join("accounts"), rules: limits::Accounts { argon2, ..limits::Accounts::default() } }
}

fn open(folder: &Path) -> (Auth, Receiver<()>) {
    let (wake, woken) = channel();
    (Auth::open(&settings(folder), Waker::new(move || wake.send(()).unwrap_or(()))).unwrap(), woken)
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn register(who: &str, password: &str) -> Request {
    Request::Register { name: name(who), password: secret(password) }
}

fn check(who: &str, password: &str) -> Request {
    Request::Check { name: name(who), password: secret(password) }
}

/// The next answer, after as many wake-ups as it takes.
fn answer((auth, woken): &mut (Auth, Receiver<()>)) -> Answer {
    loop {
        if let Some(answer) = auth.poll_answer() {
            return answer;
        }
        woken.recv_timeout(Duration::from_secs(10)).expect("an answer");
    }
}

fn answered(number: u64, asked: Asked, verdict: Verdict) -> Answer {
    Answer { ticket: Ticket { number, asked }, verdict }
}

#[track_caller]
fn ask(both: &mut (Auth, Receiver<()>), request: Request, expected: Verdict) {
    let asked = request.asked();
    both.0.submit(7, None, request).unwrap();
    let answer = answer(both);
    assert_eq!((answer.ticket, answer.verdict), (Ticket { number: 7, asked }, expected));
}

#[test]
fn accounts_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = open(folder.path());
    ask(&mut both, register("Alice", "correct horse"), Verdict::Registered { epoch: 1 });
    ask(&mut both, check("alice", "correct horse"), Verdict::Right { epoch: 1 });
    let (token, life) = both.0.issue_token(&name("alice"), 1, NOW).unwrap();
    assert_eq!(life, 86_400);
    assert_eq!(both.0.issue_token(&name("alice"), 2, NOW), None, "that is no epoch of the account's");
    both.0.close();
    let mut both = open(folder.path());
    assert_eq!(both.0.accounts(), 1);
    assert_eq!(both.0.lookup(&name("ALICE")).unwrap().as_str(), "Alice");
    ask(&mut both, check("alice", "correct horse"), Verdict::Right { epoch: 1 });
    ask(&mut both, check("alice", "correct mule"), Verdict::Wrong);
    ask(&mut both, check("bob", "correct horse"), Verdict::Wrong);
    assert_eq!(both.0.check_token(&name("aLICE"), token.as_bytes(), NOW + 86_399), Some(1));
    assert_eq!(both.0.check_token(&name("alice"), token.as_bytes(), NOW + 86_400), None);
    assert_eq!(both.0.check_token(&name("bob"), token.as_bytes(), NOW), None);
    assert_eq!(both.0.issue_token(&name("bob"), 1, NOW), None);
    let changed = Verdict::Changed { name: name("Alice"), epoch: 2 };
    ask(&mut both, Request::Change { name: name("alice"), epoch: 1, password: secret("a new one") }, changed);
    assert_eq!(both.0.check_token(&name("alice"), token.as_bytes(), NOW), None);
    assert_eq!(both.0.issue_token(&name("alice"), 1, NOW), None, "a session of before gets none for after");
    let (token, _) = both.0.issue_token(&name("alice"), 2, NOW).unwrap();
    assert_eq!(both.0.check_token(&name("alice"), token.as_bytes(), NOW), Some(2));
}

#[test]
fn everything_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let both = open(folder.path());
    both.0.close();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{entry:?}");
        found.push(entry.file_name().into_string().unwrap());
    }
    found.sort();
    assert_eq!(found, ["accounts", "accounts.key", "accounts.lock"]);
    for file in ["accounts", "accounts.key"] {
        let path = folder.path().join(file);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let Err(OpenError::Unusable(text)) = Auth::open(&settings(folder.path()), Waker::new(|| ())) else {
            panic!("{file}")
        };
        assert!(text.ends_with(&format!("run: chmod 600 {}", path.display())), "{text}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn the_second_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let both = open(folder.path());
    let second = Auth::open(&settings(folder.path()), Waker::new(|| ()));
    assert!(matches!(second, Err(OpenError::InUse(_))));
    both.0.close();
    open(folder.path());
}

#[test]
fn impossible_costs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.rules.argon2.memory_kib = u32::MAX;
    assert!(
        matches!(Auth::open(&settings, Waker::new(|| ())), Err(OpenError::Unusable(text)) if text.contains("argon2"))
    );
}

#[test]
fn one_of_two_registers() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = open(folder.path());
    both.0.submit(1, None, register("alice", "password")).unwrap();
    assert_eq!(both.0.submit(2, None, register("ALICE", "password")), Err(Refused::Taken));
    assert_eq!(answer(&mut both), answered(1, Asked::Register, Verdict::Registered { epoch: 1 }));
    assert_eq!(both.0.submit(2, None, register("Alice", "password")), Err(Refused::Taken));
}

#[test]
fn there_are_so_many_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = open(folder.path());
    let rules = |most| limits::Accounts { most, ..settings(folder.path()).rules };
    both.0.reconfigure(&rules(2));
    both.0.submit(1, None, register("alice", "password")).unwrap();
    both.0.submit(2, None, register("bob", "password")).unwrap();
    assert!(!both.0.may_register());
    assert_eq!(both.0.submit(3, None, register("carol", "password")), Err(Refused::NoneLeft));
    assert_eq!([answer(&mut both).ticket.number, answer(&mut both).ticket.number], [1, 2]);
    assert_eq!(both.0.submit(3, None, register("carol", "password")), Err(Refused::NoneLeft));
    assert_eq!(both.0.submit(3, None, register("bob", "password")), Err(Refused::Taken));
    ask(&mut both, check("alice", "password"), Verdict::Right { epoch: 1 });
    // A lower bound does not affect existing accounts, and a higher one makes room.
    both.0.reconfigure(&rules(1));
    ask(&mut both, check("bob", "password"), Verdict::Right { epoch: 1 });
    both.0.reconfigure(&rules(3));
    ask(&mut both, register("carol", "password"), Verdict::Registered { epoch: 1 });
    assert!(!both.0.may_register());
}

#[test]
fn an_account_that_was_made_and_not_told_of_yet_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = open(folder.path());
    both.0.reconfigure(&limits::Accounts { most: 2, ..settings(folder.path()).rules });
    both.0.submit(1, None, register("alice", "password")).unwrap();
    while both.0.accounts() == 0 {
        thread::yield_now();
    }
    assert!(both.0.registering.has(&name("alice")) && both.0.may_register());
    assert_eq!(answer(&mut both).ticket.number, 1);
}

#[test]
fn a_failed_registration_leaves_the_name_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut both = open(folder.path());
    both.0.registering.add(1, name("alice"));
    assert_eq!(both.0.submit(2, None, register("alice", "password")), Err(Refused::Taken));
    both.0.mailbox.answer([answered(1, Asked::Register, Verdict::Unavailable)]);
    assert_eq!(answer(&mut both).ticket.number, 1);
    ask(&mut both, register("alice", "password"), Verdict::Registered { epoch: 1 });
}

#[test]
fn what_waits_can_be_cancelled_and_what_is_full_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    // So slow that the second request still waits.
    settings.rules.argon2 = Argon2Cost { memory_kib: 8 * 1024, iterations: 10, parallelism: 1 };
    settings.rules.queue = 3;
    let (wake, woken) = channel();
    let mut both = (Auth::open(&settings, Waker::new(move || wake.send(()).unwrap_or(()))).unwrap(), woken);
    both.0.submit(1, None, check("nobody", "password")).unwrap();
    while both.0.waiting() > 0 {
        thread::yield_now();
    }
    both.0.submit(2, None, register("alice", "password")).unwrap();
    both.0.submit(3, None, check("bob", "password")).unwrap();
    both.0.submit(4, None, check("carol", "password")).unwrap();
    assert_eq!(both.0.submit(5, None, check("dave", "password")), Err(Refused::Full));
    assert_eq!(both.0.submit(6, None, register("erin", "password")), Err(Refused::Full));
    assert!(!both.0.registering.has(&name("erin")));
    both.0.cancel(1); // in progress, so it is answered
    both.0.cancel(2);
    both.0.cancel(3);
    both.0.cancel(99);
    assert_eq!(both.0.waiting(), 1);
    assert!(!both.0.registering.has(&name("alice")));
    assert_eq!([answer(&mut both).ticket.number, answer(&mut both).ticket.number], [1, 4]);
    assert!(both.0.poll_answer().is_none());
    assert_eq!(both.0.accounts(), 0);
}

#[test]
fn who_makes_room_is_told_and_its_name_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.rules.argon2 = Argon2Cost { memory_kib: 8 * 1024, iterations: 10, parallelism: 1 };
    settings.rules.queue = 2;
    let (wake, woken) = channel();
    let mut both = (Auth::open(&settings, Waker::new(move || wake.send(()).unwrap_or(()))).unwrap(), woken);
    let origin = |last| {
        let address = [192, 0, 2, last].into();
        Some(Origin { address, network: address })
    };
    both.0.submit(1, origin(1), check("nobody", "password")).unwrap();
    while both.0.waiting() > 0 {
        thread::yield_now();
    }
    both.0.submit(2, origin(1), check("nobody", "password")).unwrap();
    both.0.submit(3, origin(1), register("alice", "password")).unwrap();
    both.0.submit(4, origin(2), register("bob", "password")).unwrap();
    assert_eq!(answer(&mut both), answered(3, Asked::Register, Verdict::Busy));
    assert!(!both.0.registering.has(&name("alice")) && both.0.registering.has(&name("bob")));
    assert_eq!(both.0.submit(5, origin(2), register("alice", "password")), Err(Refused::Full));
    assert_eq!(
        [answer(&mut both).ticket.number, answer(&mut both).ticket.number, answer(&mut both).ticket.number],
        [1, 2, 4]
    );
}

#[test]
fn a_worker_that_panics_takes_nobody_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let woken = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&woken);
    // The first wake-up panics, the next one reports it.
    let wake = move || assert!(flag.swap(true, Ordering::Relaxed), "for the test");
    let mut auth = Auth::open(&settings(folder.path()), Waker::new(wake)).unwrap();
    auth.submit(1, None, check("nobody", "password")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !auth.poll_loss() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(auth.poll_answer().map(|answer| answer.ticket.number), Some(1));
    assert_eq!(auth.submit(2, None, check("nobody", "password")), Err(Refused::Full));
    assert!(!auth.poll_loss(), "told once");
    assert_eq!(auth.ended.recv_timeout(Duration::from_secs(10)), Err(RecvTimeoutError::Disconnected));
    assert_eq!(Arc::strong_count(&woken), 2, "what wakes the loop is kept, so that it hears the last call");
    auth.close();
}
