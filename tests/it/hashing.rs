//! A separate thread hashes passwords: the chat goes on meanwhile.

use std::time::{Duration, Instant};

use testkit::{Client, PASSWORD, Server, Thread, pause};

/// How many messages two clients exchange while passwords are hashed.
const ROUNDS: usize = 200;

/// Processor time of the loop and of the hashing thread.
fn loop_and_worker(server: &Server) -> (u64, u64) {
    let threads = server.threads();
    let ticks = |is_it: &dyn Fn(&&Thread) -> bool| threads.iter().find(is_it).expect("such a thread").ticks;
    (ticks(&|thread| thread.is_main), ticks(&|thread| thread.name == "accounts"))
}

#[test]
fn people_talk_while_twenty_passwords_are_hashed() {
    let cost = "{ memory_kib = 19456, iterations = 20, parallelism = 1 }";
    let server = Server::builder().no_rates().set("accounts.argon2", cost).start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let (loop_before, worker_before) = loop_and_worker(&server);
    let mut newcomers: Vec<Client> = (0..20).map(|_| server.greeted()).collect();
    for (n, client) in newcomers.iter_mut().enumerate() {
        client.send(&format!("new{n}\n{PASSWORD}"));
        client.expect("C 332 ");
    }
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        let begun = Instant::now();
        alice.send(&format!("DM bob {n}"));
        bob.expect_exact(&format!("D DM alice {n}"));
        bob.send(&format!("DM alice {n}"));
        alice.expect_exact("C 250 sent to bob");
        alice.expect_exact(&format!("D DM bob {n}"));
        bob.expect_exact("C 250 sent to alice");
        times.push(begun.elapsed());
    }
    times.sort();
    println!("two messages and their replies while 20 passwords wait: p99 {:?}", times[ROUNDS * 99 / 100]);
    for client in &mut newcomers {
        let answer = client.line_within(Duration::from_secs(120));
        assert!(answer.starts_with("C 230 "), "{answer:?}");
    }
    let (loop_after, worker_after) = loop_and_worker(&server);
    let (in_loop, in_worker) = (loop_after - loop_before, worker_after - worker_before);
    println!("ticks: loop {in_loop}, worker {in_worker}");
    assert!(in_worker > 20, "20 hashes cost the worker {in_worker} ticks: too little to prove anything");
    assert!(in_loop * 10 < in_worker, "the loop used {in_loop} ticks, the worker {in_worker}");
}

#[test]
fn who_is_gone_is_not_hashed_for() {
    const CROWD: u64 = 40;
    let cost = "{ memory_kib = 19456, iterations = 20, parallelism = 1 }";
    let server = Server::builder().set("accounts.argon2", cost).start();
    let worker = || loop_and_worker(&server).1;
    // The thread has done nothing else yet.
    let known = server.bare("known");
    let one = worker();
    let mut crowd: Vec<Client> = (0..CROWD).map(|_| server.greeted()).collect();
    for (n, client) in crowd.iter_mut().enumerate() {
        client.send(&format!("new{n}\n{PASSWORD}"));
        client.expect("C 332 ");
    }
    crowd.into_iter().for_each(Client::reset);
    // This one waits behind the passwords that the crowd has left.
    let begun = Instant::now();
    server.returning("known").barrier();
    let spent = worker() - one;
    println!("one hash: {one} ticks; {CROWD} who went: {spent} ticks; the next was in after {:?}", begun.elapsed());
    assert!(one > 2, "a hash costs the worker {one} ticks: too little to prove anything");
    assert!(spent < one * CROWD / 2, "{spent} ticks for those who are gone, {one} for each hash");
    drop(known);
}

/// This many log in at once, and register if they are new.
#[track_caller]
fn log_in_at_once(server: &Server, count: usize) {
    let mut crowd: Vec<Client> = (0..count).map(|_| server.greeted()).collect();
    for (n, client) in crowd.iter_mut().enumerate() {
        client.send(&format!("member{n}\n{PASSWORD}"));
    }
    for client in &mut crowd {
        client.expect("C 33");
        client.expect("C 230 ");
    }
}

#[test]
fn hashing_has_its_memory_once_and_keeps_it() {
    /// The memory of one hash with the default cost.
    const HASH_KIB: u64 = 19_456;
    /// All other memory may grow by less than half of that.
    const ELSE_KIB: u64 = 8 * 1024;
    let server = Server::builder().config("listen = [\"line://127.0.0.1:0\"]").start();
    let most_at_first = server.most_resident_kib();
    let check = |when: &str| {
        let (now, most) = (server.own_kib(), server.most_resident_kib());
        println!("{when}: {now} KiB; resident at most {most} KiB, at first {most_at_first} KiB");
        assert!((HASH_KIB..HASH_KIB + ELSE_KIB).contains(&now), "{when}: {now} KiB");
        assert!(most < most_at_first + ELSE_KIB, "{when}: {most} KiB at some time, {most_at_first} KiB at first");
    };
    check("before the first login");
    for round in ["registering", "coming again"] {
        for n in 0..4 {
            server.bare(&format!("person{n}"));
            check(&format!("one after the other, {round}"));
        }
        log_in_at_once(&server, 8);
        check(&format!("at once, {round}"));
    }
}

#[test]
fn one_address_does_not_fill_the_queue() {
    let cost = "{ memory_kib = 19456, iterations = 10, parallelism = 1 }";
    let server = Server::builder().set("limits.include_loopback", "true").set("accounts.argon2", cost).start();
    let mut crowd: Vec<Client> = (0..12).map(|_| server.greeted()).collect();
    for (n, client) in crowd.iter_mut().enumerate() {
        client.send(&format!("new{n}"));
        client.expect("C 332 ");
    }
    let mut other = Client::connect_from([127, 0, 0, 2].into(), server.addr());
    other.expect("C 220 ");
    other.send("other");
    other.expect("C 332 ");
    for client in &mut crowd {
        client.send(PASSWORD);
    }
    other.send(PASSWORD);
    let first: Vec<String> = crowd.iter_mut().map(Client::line).collect();
    let (busy, welcome): (Vec<_>, Vec<_>) = first.iter().partition(|line| line.starts_with("C 450 "));
    assert!(busy.len() >= 4, "too many of one address wait: {first:?}");
    assert!(welcome.len() >= 4 && welcome.iter().all(|line| line.starts_with("C 230 ")), "{first:?}");
    other.expect("C 230 ");
    // It is not a failure: a refused client may try again more often than the limit of failures.
    let refused = first.iter().position(|line| line.starts_with("C 450 ")).unwrap();
    let client = &mut crowd[refused];
    for _ in 0..4 {
        client.send(PASSWORD);
        let answer = client.line();
        if answer.starts_with("C 230 ") {
            return;
        }
        assert!(answer.starts_with("C 450 "), "{answer:?}");
    }
    panic!("busy although nobody waits any more");
}

#[test]
fn the_loop_sleeps_after_a_password_with_a_history_and_without_one() {
    for history in ["\"history.db\"", "\"\""] {
        let server = Server::builder().set("history.file", history).start();
        let _alice = server.bare("alice");
        let (before, _) = loop_and_worker(&server);
        pause(2_000);
        let (after, _) = loop_and_worker(&server);
        assert!(after - before <= 5, "{} ticks of the loop in two silent seconds: {history}", after - before);
    }
}
