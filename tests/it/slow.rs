//! How much output may be queued, for how long, and for all connections together.

use std::time::{Duration, Instant};

use testkit::{Canary, Client, PATIENCE, Server, eventually, pause};

/// The text of line `number`, of 2,000 bytes.
fn text(number: usize) -> String {
    format!("{number:x<2000}")
}

/// A server whose queued output is limited to this many KiB in all.
fn poor(kib: u64) -> Server {
    Server::builder()
        .no_rates()
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_total_bytes", &(kib * 1024).to_string())
        .start()
}

/// Sends this many numbered lines, and waits until the server has executed all.
#[track_caller]
fn say(client: &mut Client, operation: &str, count: usize) {
    let lines: String = (0..count).map(|number| format!("{operation} {}\n", text(number))).collect();
    client.send_raw(lines.as_bytes());
    for _ in 0..count {
        client.expect("C 250 ");
    }
}

/// Reads lines numbered from 0, up to the first that is something else. Returns their number, and that line.
#[track_caller]
fn numbered(client: &mut Client, kind: &str, most: usize) -> (usize, String) {
    for number in 0..most {
        let line = client.line();
        if line != format!("D {kind} alice {}", text(number)) {
            return (number, line);
        }
    }
    (most, String::new())
}

#[test]
fn who_owes_for_too_long_is_cut() {
    let server =
        Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").set("limits.owed_soft_s", "1").start();
    let (mut alice, mut slow) = (server.bare("alice"), server.narrow("slow"));
    // More than the soft limit, and less than the hard one, including the kernel's buffers.
    say(&mut alice, "PM", 100);
    server.wait_for_log("421 too slow: slow from");
    let (heard, last) = numbered(&mut slow, "PM", 100);
    assert!(heard < 100, "{heard}");
    assert_eq!(last, "C 421 too slow");
    slow.expect_closed();
    assert_eq!(alice.ask("PM anybody?"), "C 250 sent to 0");
}

#[test]
fn catching_up_in_time_resets_the_soft_bound() {
    let server = Server::builder()
        .no_rates()
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_soft_bytes", "16384")
        .set("limits.owed_soft_s", "2")
        .start();
    let (mut alice, mut bob) = (server.bare("alice"), server.narrow("bob"));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2500) {
        say(&mut alice, "PM", 50);
        assert_eq!(numbered(&mut bob, "PM", 50).0, 50);
    }
    bob.barrier();
}

#[test]
fn when_all_owe_too_much_the_largest_debtor_goes() {
    let server = poor(256);
    let mut alice = server.bare("alice");
    let canary = Canary::start(&server);
    let (mut some, mut most) = (server.narrow("some"), server.narrow("most"));
    say(&mut alice, "DM some", 30);
    say(&mut alice, "DM most", 60);
    // No connection exceeds its own limits: it is the sum. Direct messages are sent until it is too much.
    let deadline = Instant::now() + PATIENCE;
    while !server.log_text().contains("421 too slow") {
        assert!(Instant::now() < deadline, "nobody is cut:\n{}", server.log_text());
        alice.op(&format!("DM most {}", text(0)));
        alice.line();
    }
    server.wait_for_log("421 too slow: most from");
    assert!(!server.log_text().contains("too slow: some"));
    assert_eq!(numbered(&mut some, "DM", 30).0, 30);
    some.barrier();
    assert!(most.expect_reset_or_closed().ends_with("C 421 too slow\n"));
    canary.talks();
    canary.finish("a server that bears no more debts");
}

#[test]
fn who_has_left_with_much_unread_is_a_debtor_too() {
    let server = poor(128);
    let mut alice = server.bare("alice");
    let mut leavers: Vec<Client> = (0..2).map(|n| server.narrow(&format!("leaver{n}"))).collect();
    let mut late = server.narrow("late");
    for (n, leaver) in leavers.iter_mut().enumerate() {
        say(&mut alice, &format!("DM leaver{n}"), 30);
        leaver.half_close();
    }
    eventually("both have left", || alice.list("WHO").len() == 3);
    // Less than is queued for either of the others.
    say(&mut alice, "DM late", 24);
    assert_eq!(numbered(&mut late, "DM", 24).0, 24);
    late.barrier();
}

#[test]
fn who_is_not_logged_in_may_owe_four_kib() {
    // The answers to the counted lines before login have less than 4 KiB in all, and further lines are answered once a
    // second: so no client comes near the limit, however much it sends without reading.
    let server = Server::builder()
        .set("accounts.most", "1")
        .set("limits.send_buffer_bytes", "4096")
        .set("log.stats_s", "1")
        .start();
    let _owner = server.bare("owner");
    let before = server.counter("lines");
    let mut strangers: Vec<_> = (0..10).map(|_| Client::connect_narrow(server.addr())).collect();
    for stranger in &mut strangers {
        stranger.send_raw("stranger\n".repeat(2000).as_bytes());
    }
    pause(3000);
    let (said, owed) = (server.counter("lines") - before, server.counter("owed_bytes"));
    assert!((10 * 3..10 * 8).contains(&said), "{said} lines of ten strangers were carried out");
    assert!(owed < 10 * 4096, "they owe {owed} bytes");
    assert!(!server.log_text().contains("421 "));
    for mut stranger in strangers {
        stranger.expect("C 220 ");
        for _ in 0..3 {
            stranger.expect("C 450 no new accounts");
        }
    }
}

#[test]
fn unread_replies_hold_back_but_do_not_cut() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let (mut eager, canary) = (server.narrow("eager"), Canary::start(&server));
    let asked: String = (0..3000).map(|number| format!("HELP\nDM nobody{number} x\n")).collect();
    eager.send_raw(asked.as_bytes());
    // Enough time for a server without backpressure to answer more than the limit.
    pause(500);
    canary.talks();
    let first = eager.line();
    let help = eager.rest_of_list(&first);
    eager.expect_exact("C 550 nobody0 is not online");
    for number in 1..3000 {
        let first = eager.line();
        assert_eq!(eager.rest_of_list(&first), help);
        eager.expect_exact(&format!("C 550 nobody{number} is not online"));
    }
    assert!(help.iter().map(String::len).sum::<usize>() * 3000 > 2 * 256 * 1024, "too little to prove anything");
    eager.barrier();
    canary.finish("one who asks for 3,000 lists");
}

#[test]
fn unread_replies_take_little_memory() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let mut other = server.bare("other");
    let mut eager: Vec<Client> = (0..20).map(|n| server.narrow(&format!("eager{n}"))).collect();
    let canary = Canary::start(&server);
    let before = server.resident_kib();
    for client in &mut eager {
        client.send_raw("HELP\n".repeat(2000).as_bytes());
    }
    pause(500);
    canary.talks();
    let grown = server.resident_kib().saturating_sub(before);
    // For each, the soft limit and one answer are queued at most; buffers double as they grow.
    assert!(grown < 20 * 256 + 2048, "{grown} KiB more");
    canary.finish("twenty who ask for much and do not read");
    eventually("all others are still there", || other.list("WHO").len() == 22);
}
