//! What a reader may owe, for how long, and all of them together.

use std::time::{Duration, Instant};

use crate::util::{Canary, Client, PASSWORD, PATIENCE, Server, eventually, pause};

/// The text of line `number`, of 2,000 bytes.
fn text(number: usize) -> String {
    format!("{number:x<2000}")
}

/// A server that bears no more than so many KiB of debts in all.
fn poor(kib: u64) -> Server {
    Server::builder()
        .no_rates()
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_total_bytes", &(kib * 1024).to_string())
        .start()
}

/// Has so many numbered lines said, and waits until the server has dealt with all.
#[track_caller]
fn say(client: &mut Client, operation: &str, count: usize) {
    let lines: String = (0..count).map(|number| format!("{operation} {}\n", text(number))).collect();
    client.send_raw(lines.as_bytes());
    for _ in 0..count {
        client.expect("C 250 ");
    }
}

/// The next lines, numbered from 0 up to the first that is something else; gives how many, and that one.
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
    // More than the soft bound, less than the hard one, the kernel's buffers included.
    say(&mut alice, "PM", 100);
    server.wait_for_log("421 too slow: slow from");
    let (heard, last) = numbered(&mut slow, "PM", 100);
    assert!(heard < 100, "{heard}");
    assert_eq!(last, "C 421 too slow");
    slow.expect_closed();
    assert_eq!(alice.ask("PM anybody?"), "C 250 sent to 0");
}

#[test]
fn who_has_read_all_in_time_may_owe_as_much_again() {
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
    // Nobody has owed more than a connection may, and nobody for long: it is the sum. What is said to somebody by
    // name is said until it is too much.
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
    // Less than either of the others owes.
    say(&mut alice, "DM late", 24);
    assert_eq!(numbered(&mut late, "DM", 24).0, 24);
    late.barrier();
}

#[test]
fn who_is_not_logged_in_may_owe_four_kib() {
    const BOUND: usize = 4096;
    const BUSY: &str = "C 450 busy, try again in 2 s";
    // One password takes a minute, one waits, and no more may: who sends another is told so, as often as it likes. The
    // lines that are counted before login have answers of less than 4 KiB in all.
    let server = Server::builder()
        .set("accounts.argon2", "{ memory_kib = 4096, iterations = 16384, parallelism = 1 }")
        .set("accounts.queue", "1")
        .set("limits.send_buffer_bytes", "4096")
        .set("log.stats_s", "1")
        .start();
    let [mut first, mut second, mut witness] = [(); 3].map(|()| server.greeted());
    first.send(&format!("first\n{PASSWORD}"));
    server.expect_counters(&[("lines", 2), ("hashing", 0)]);
    second.send(&format!("second\n{PASSWORD}"));
    second.expect("C 332 ");
    let mut stranger = Client::connect_narrow(server.addr());
    stranger.send(&format!("stranger\n{PASSWORD}"));
    stranger.expect("C 220 ");
    stranger.expect("C 332 ");
    stranger.expect_exact(BUSY);
    // From here on the stranger does not read. It asks for as much as it may owe, until the kernel takes no more of
    // that.
    let (sent_before, mut said, mut owed) = (server.counter("bytes_out") as usize, 0, 0);
    let deadline = Instant::now() + PATIENCE;
    while owed <= BOUND {
        assert!(!server.log_text().contains("421 "), "cut though it owes {owed} bytes");
        assert!(Instant::now() < deadline, "the kernel takes all of {said} bytes");
        let lines = ((BOUND - owed) / (BUSY.len() + 1)).max(1);
        stranger.send_raw(format!("{PASSWORD}\n").repeat(lines).as_bytes());
        witness.send("1bad");
        let last = witness.expect("C 553 ");
        said += lines * (BUSY.len() + 1) + last.len() + 1;
        owed = sent_before + said - server.counter("bytes_out") as usize;
    }
    server.wait_for_log("421 too slow: nobody from");
    let heard = stranger.expect_reset_or_closed();
    let answers = heard.strip_suffix("C 421 too slow\n").expect("a farewell");
    assert!(answers.lines().all(|line| line == BUSY), "{answers}");
}

#[test]
fn who_asks_for_much_and_does_not_read_yet_is_held_back_and_not_cut() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let (mut eager, canary) = (server.narrow("eager"), Canary::start(&server));
    let asked: String = (0..3000).map(|number| format!("HELP\nDM nobody{number} x\n")).collect();
    eager.send_raw(asked.as_bytes());
    // Time for a server that would not hold it back to answer more than anybody may owe.
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
fn a_server_that_answers_nobody_who_does_not_read_keeps_little_for_many_of_them() {
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
    // Each owes the soft bound and one answer at most; buffers double as they grow.
    assert!(grown < 20 * 256 + 2048, "{grown} KiB more");
    canary.finish("twenty who ask for much and do not read");
    eventually("all others are still there", || other.list("WHO").len() == 22);
}
