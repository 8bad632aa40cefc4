//! The cost of opening the account file, and of resume tokens.

#![expect(clippy::expect_used, reason = "a bench that cannot start measures nothing")]

mod settings;

use std::hint::black_box;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use chatd::auth::{Auth, Request, Secret, Settings, Verdict};
use chatd::hub::names::UserName;
use chatd::limits::{Accounts, Argon2Cost};
use chatd::mailbox::Waker;
use criterion::{Criterion, Throughput};

/// Accounts in the file.
const ACCOUNTS: u32 = 10_000;
/// The epoch of an account whose password was never changed.
const EPOCH: u32 = 1;
/// Seconds since 1970; any will do.
const NOW: u64 = 1_800_000_000;

fn main() {
    let mut criterion = settings::short();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = cheap(&folder.path().join("accounts"));
    register(&settings);
    load(&mut criterion, &settings);
    token(&mut criterion, &settings);
    criterion.final_summary();
}

/// Opening the accounts: the lock, reading and checking the file, the key, the thread. Closing is not measured.
fn load(criterion: &mut Criterion, settings: &Settings) {
    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Elements(u64::from(ACCOUNTS)));
    group.bench_function(format!("{ACCOUNTS} accounts"), |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let begin = Instant::now();
                let auth = open(settings);
                spent += begin.elapsed();
                assert_eq!(auth.accounts(), ACCOUNTS as usize, "accounts are missing");
            }
            spent
        });
    });
    group.finish();
}

/// Issuing and checking resume tokens, which the event loop does itself.
fn token(criterion: &mut Criterion, settings: &Settings) {
    let auth = open(settings);
    let (owner, stranger) = (name(7654), UserName::parse("nobody").expect("a name"));
    let (good, _) = auth.issue_token(&owner, EPOCH, NOW).expect("a token");
    let (other, _) = auth.issue_token(&name(1), EPOCH, NOW).expect("a token");
    let mut group = criterion.benchmark_group("token");
    group.bench_function("issued", |bencher| {
        bencher.iter(|| auth.issue_token(black_box(&owner), EPOCH, NOW));
    });
    for (what, who, token, expected) in [
        ("good", &owner, &good, true),
        ("of another account", &owner, &other, false),
        ("for no account", &stranger, &good, false),
    ] {
        assert_eq!(auth.check_token(who, token.as_bytes(), NOW).is_some(), expected, "{what}");
        group.bench_function(what, |bencher| {
            bencher.iter(|| auth.check_token(black_box(who), black_box(token.as_bytes()), NOW));
        });
    }
    group.finish();
}

/// Registers the accounts.
fn register(settings: &Settings) {
    let (wake, woken) = mpsc::channel();
    let wake = move || {
        // The receiver is dropped after the last answer.
        let _ = wake.send(());
    };
    let mut auth = Auth::open(settings, Waker::new(wake)).expect("the accounts open");
    for number in 0..ACCOUNTS {
        let request = Request::Register { name: name(number), password: Secret::new(b"correct horse".to_vec()) };
        auth.submit(u64::from(number), None, request).expect("it is queued");
    }
    let mut registered = 0;
    while registered < ACCOUNTS {
        woken.recv_timeout(Duration::from_secs(60)).expect("an answer in time");
        while let Some(answer) = auth.poll_answer() {
            assert_eq!(answer.verdict, Verdict::Registered { epoch: EPOCH }, "an account was not made");
            registered += 1;
        }
    }
}

fn open(settings: &Settings) -> Auth {
    Auth::open(settings, Waker::new(|| {})).expect("the accounts open")
}

/// Settings with a cheap password hash, and a queue that holds all registrations.
fn cheap(file: &Path) -> Settings {
    let argon2 = Argon2Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    Settings { file: file.to_owned(), rules: Accounts { argon2, queue: ACCOUNTS, ..Accounts::default() } }
}

fn name(number: u32) -> UserName {
    UserName::parse(&format!("user{number}")).expect("a name")
}
