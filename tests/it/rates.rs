//! A client that sends too fast is read more slowly, and loses nothing.

use std::time::{Duration, Instant};

use testkit::{PASSWORD, Server, eventually, pause};

/// The deadline of a line in tests of a stopped clock, and how long the clock must stand to show it.
const LINE_S: u64 = 2;
const STANDS: Duration = Duration::from_millis(LINE_S * 1000 + 500);

#[test]
fn lines_beyond_the_burst_are_slowed() {
    let server = Server::builder().set("limits.rate_burst", "5").set("limits.rate_lines_per_s", "20").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let begun = Instant::now();
    alice.send_raw((0..40).map(|n| format!("PM {n}\n")).collect::<String>().as_bytes());
    for n in 0..40 {
        bob.expect_exact(&format!("D PM alice {n}"));
    }
    // 35 lines at 20 a second; half of that is lenient enough for any clock.
    assert!(begun.elapsed() > Duration::from_millis(875), "{:?}", begun.elapsed());
    for _ in 0..40 {
        alice.expect_exact("C 250 sent to 1");
    }
    bob.barrier();
}

#[test]
fn who_is_slowed_holds_up_nobody_else() {
    let server = Server::builder().set("limits.rate_burst", "1").set("limits.rate_lines_per_s", "1").start();
    let mut loud: Vec<_> = (0..10).map(|n| server.bare(&format!("loud{n}"))).collect();
    for client in &mut loud {
        client.send_raw("NOOP\n".repeat(1000).as_bytes());
    }
    let mut late = server.bare("late");
    late.barrier();
    server.is_idle_for_a_second();
}

#[test]
fn a_line_beyond_the_byte_rate_gets_through() {
    let server = Server::builder().set("limits.rate_bytes_per_s", "2000").set("limits.line_s", "1").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let texts: Vec<String> = (0..3).map(|n| format!("{n:x<2500}")).collect();
    let begun = Instant::now();
    for text in &texts {
        alice.send(&format!("PM {text}"));
    }
    for text in &texts {
        bob.expect_exact(&format!("D PM alice {text}"));
    }
    // 7.5 kB at 2 kB a second, the first of it at once.
    assert!(begun.elapsed() > Duration::from_millis(1000), "{:?}", begun.elapsed());
    // The debt of the last line delays the next one.
    alice.expect_all(&["C 250 sent to 1"; 3]);
    alice.barrier();
}

#[test]
fn a_new_login_does_not_reset_the_rate() {
    const ROUNDS: usize = 10;
    let server = Server::builder().set("limits.rate_bytes_per_s", "40000").start();
    let mut eve = server.bare("eve");
    let token = eve.ask("TOKEN").split(' ').nth(2).expect("a token").to_owned();
    let with_eve = server.descriptors();
    drop(eve);
    let begun = Instant::now();
    let burst = format!("RM hall {}\n", "x".repeat(4000)).repeat(4);
    for _ in 0..ROUNDS {
        eventually("the last session is over", || server.descriptors() < with_eve);
        let mut eve = server.greeted();
        eve.send(&format!("eve {token}"));
        eve.expect("C 230 ");
        eve.send_raw(format!("MAKE hall\n{burst}").as_bytes());
        eve.expect("C 227 ");
        eve.expect_all(&["C 250 sent to 0"; 4]);
    }
    // 160 kB at 40 kB a second, a second's worth at once; half of that is lenient enough for any clock.
    assert!(begun.elapsed() > Duration::from_millis(1500), "{:?}", begun.elapsed());
    // Another session of the same account, at the same time, has an allowance of its own.
    server.returning("eve").barrier();
}

#[test]
fn the_line_clock_stops_while_rate_limited() {
    let server = Server::builder()
        .set("limits.rate_burst", "1")
        .set("limits.rate_lines_per_s", "2")
        .set("limits.line_s", "1")
        .start();
    let mut alice = server.bare("alice");
    // The fourth line begins at once, and ends when the first three have been answered, about 1.5 s later.
    alice.send_raw(b"NOOP\nNOOP\nNOOP\nNOO");
    for _ in 0..3 {
        alice.expect("C 200");
    }
    alice.send_raw(b"P\n");
    alice.expect("C 200");
    // Without a delay, the clock runs.
    pause(600);
    alice.send_raw(b"NOO");
    alice.expect_421("line never ended");
}

#[test]
fn the_line_clock_stops_during_a_failure_delay() {
    let delay = STANDS.as_millis().to_string();
    let builder = Server::builder().set("limits.line_s", &LINE_S.to_string());
    let server = builder.set("login.failure_delay_ms", &delay).start();
    drop(server.bare("alice"));
    let mut alice = server.greeted();
    alice.send_raw(b"alice\nwrong one\ncorrect");
    alice.expect("C 331 ");
    alice.expect("C 530 ");
    alice.send_raw(b" horse\n");
    alice.expect("C 230 ");
    // PASSWD is answered as late.
    alice.send_raw(b"PASSWD\nwrong one\nNOO");
    alice.expect("C 331 ");
    alice.expect("C 530 ");
    alice.send_raw(b"P\n");
    alice.expect("C 200");
}

/// Ends a line that was begun before a hash of this cost. False if that was too quick to prove anything.
#[track_caller]
fn stands_while_a_hash_takes(iterations: u32) -> bool {
    let cost = format!("{{ memory_kib = 4096, iterations = {iterations}, parallelism = 1 }}");
    let server = Server::builder().set("limits.line_s", "1").set("accounts.argon2", &cost).start();
    let mut alice = server.greeted();
    let begun = Instant::now();
    alice.send_raw(format!("alice\n{PASSWORD}\nNOO").as_bytes());
    alice.expect("C 332 ");
    alice.expect("C 230 ");
    let took = begun.elapsed();
    println!("{iterations} iterations took {took:?}");
    alice.send_raw(b"P\n");
    alice.expect("C 200");
    took > Duration::from_millis(1200)
}

#[test]
fn the_line_clock_stops_during_a_hash() {
    // Machines and their load differ.
    assert!([1024, 2048, 4096, 8192, 16384].into_iter().any(stands_while_a_hash_takes), "no hash takes a second here");
}

#[test]
fn the_line_clock_stops_while_output_is_unread() {
    const LINES: usize = 60;
    let server = Server::builder()
        .no_rates()
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_soft_bytes", "1024")
        .set("limits.line_s", &LINE_S.to_string())
        .start();
    let (mut alice, mut bob) = (server.bare("alice"), server.narrow("bob"));
    bob.send_raw(b"NO");
    alice.barrier();
    let lines: Vec<String> = (0..LINES).map(|n| format!("{n:x<1000}")).collect();
    alice.send_raw(lines.iter().map(|text| format!("DM bob {text}\n")).collect::<String>().as_bytes());
    alice.expect_all(&["C 250 sent to bob"; LINES]);
    // At this event the server sees how much is queued for him, and does not read it.
    bob.send_raw(b"O");
    pause(STANDS.as_millis() as u64);
    for text in &lines {
        bob.expect_exact(&format!("D DM alice {text}"));
    }
    bob.send_raw(b"P\n");
    bob.expect("C 200");
}

#[test]
fn a_slowed_half_closed_client_is_served() {
    let server = Server::builder().set("limits.rate_burst", "1").set("limits.rate_lines_per_s", "20").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send_raw((0..20).map(|n| format!("PM {n}\n")).collect::<String>().as_bytes());
    alice.half_close();
    for n in 0..20 {
        alice.expect_exact("C 250 sent to 1");
        bob.expect_exact(&format!("D PM alice {n}"));
    }
    alice.expect_closed();
    bob.barrier();
}
