//! Attacks on readers that keep up: no sender, and no number of senders, gets them closed.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use testkit::rooms::{JOIN, MAKE, Peer};
use testkit::{Builder, Canary, Client, Server, eventually, pause};

/// The longest text of a message in a line that starts with `DM victim `.
const LONGEST: usize = 4080;
/// A connection of 20 Mbit/s, in bytes per millisecond …
const SLOW_LINE: usize = 2500;
/// … and one of 6 Mbit/s.
const SLOWER_LINE: usize = 750;

/// A client that reads all the time, in a thread of its own.
struct Reader {
    heard: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<u8>>,
}

impl Reader {
    /// Reads this many bytes per millisecond, or as fast as it can.
    fn start(client: &Client, bytes_a_ms: Option<usize>) -> Self {
        let (heard, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let stream = client.stream().try_clone().expect("another handle");
        let (count, flag) = (Arc::clone(&heard), Arc::clone(&is_over));
        let thread = thread::spawn(move || read(stream, bytes_a_ms, &count, &flag));
        Self { heard, is_over, thread }
    }

    /// How many of the long lines have been read.
    fn lines(&self) -> usize {
        self.heard.load(Relaxed)
    }

    /// Everything that was read.
    #[track_caller]
    fn finish(self) -> String {
        self.is_over.store(true, Relaxed);
        String::from_utf8(self.thread.join().expect("the reader lives")).expect("UTF-8")
    }
}

fn read(mut stream: TcpStream, bytes_a_ms: Option<usize>, heard: &AtomicUsize, is_over: &AtomicBool) -> Vec<u8> {
    let (begun, mut all, mut bytes) = (Instant::now(), Vec::new(), vec![0; 16 * 1024]);
    stream.set_read_timeout(Some(Duration::from_millis(10))).expect("a read timeout");
    while !is_over.load(Relaxed) {
        let may = bytes_a_ms.map_or(usize::MAX, |rate| begun.elapsed().as_millis() as usize * rate);
        if all.len() >= may {
            pause(1);
            continue;
        }
        let room = bytes.len().min(may - all.len());
        match stream.read(&mut bytes[..room]) {
            Ok(0) => break,
            Ok(count) => {
                let from = all.len().saturating_sub(1);
                all.extend_from_slice(&bytes[..count]);
                let ends = all[from..].windows(2).filter(|pair| *pair == b"x\n").count();
                heard.fetch_add(ends, Relaxed);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    all
}

/// This many sessions, four for each account.
fn attackers(server: &Server, count: usize) -> Vec<Client> {
    (0..count).map(|n| server.bare(&format!("eve{}", n / 4))).collect()
}

/// Each of them sends this many of the longest lines at once. Returns the number of lines in all.
#[track_caller]
fn burst(attackers: &mut [Client], operation: &str, lines: usize) -> usize {
    let texts = format!("{operation} {}\n", "x".repeat(LONGEST)).repeat(lines);
    for attacker in attackers.iter_mut() {
        attacker.send_raw(texts.as_bytes());
    }
    attackers.len() * lines
}

/// Every received line is whole, and this many are of the longest.
#[track_caller]
fn check_all(heard: &str, kind: &str, expected: usize) {
    let long = heard.lines().filter(|line| line.len() > LONGEST);
    let whole = long.filter(|line| line.starts_with(&format!("D {kind} eve")) && line.ends_with(&"x".repeat(LONGEST)));
    assert!(!heard.contains("421"), "closed: {}", heard.lines().last().unwrap_or_default());
    assert_eq!(whole.count(), expected, "lines heard");
}

/// With the default limits.
fn open() -> Builder {
    Server::builder().set("accounts.queue", "200").set("log.stats_s", "1")
}

#[test]
fn many_direct_messages_cut_no_reader() {
    let server = open().start();
    let canary = Canary::start_within_rates(&server);
    let mut eves = attackers(&server, 22);
    let victim = server.bare("victim");
    let reader = Reader::start(&victim, None);
    let mut said = 0;
    for _ in 0..3 {
        said += burst(&mut eves, "DM victim", 5);
        eventually("the victim has heard all", || reader.lines() >= said);
    }
    check_all(&reader.finish(), "DM", 3 * 22 * 5);
    canary.finish("22 sessions who each send one reader five long messages at once");
}

#[test]
fn many_public_messages_cut_no_slow_reader() {
    let server = open().start();
    let mut eves = attackers(&server, 60);
    let readers: Vec<_> = (0..8).map(|n| server.narrow(&format!("reader{n}"))).collect();
    let reading: Vec<_> = readers.iter().map(|client| Reader::start(client, Some(SLOWER_LINE))).collect();
    let drains: Vec<_> = eves.iter().map(|client| Reader::start(client, None)).collect();
    let mut said = 0;
    for _ in 0..2 {
        said += burst(&mut eves, "PM", 5);
        eventually("all have heard all", || reading.iter().all(|reader| reader.lines() >= said));
    }
    for reader in reading {
        check_all(&reader.finish(), "PM", 2 * 60 * 5);
    }
    for drain in drains {
        drain.finish();
    }
}

#[test]
fn a_flooded_reader_on_a_slow_line_is_not_cut() {
    let server = open().start();
    let mut eves = attackers(&server, 152);
    let victim = server.narrow("victim");
    let canary = Canary::start_within_rates(&server);
    let reader = Reader::start(&victim, Some(SLOW_LINE));
    // 3.1 MB at once, three times the limit of a connection.
    let said = burst(&mut eves, "DM victim", 5);
    eventually("the victim has heard all", || reader.lines() >= said);
    check_all(&reader.finish(), "DM", 152 * 5);
    assert!(server.counter("throttled") > 0, "nobody was slowed");
    canary.finish("152 sessions who flood one reader on a line of 20 Mbit/s");
}

#[test]
fn lagging_members_slow_their_room_s_speakers() {
    let server = open().start();
    // Many more are online than are in the room.
    let idle: Vec<_> = (0..100).map(|n| server.bare(&format!("idle{}", n / 4))).collect();
    let mut eves = attackers(&server, 60);
    let mut members: Vec<_> = (0..4).map(|n| server.narrow(&format!("reader{n}"))).collect();
    assert!(eves[0].ask("MAKE hall").starts_with("C 227 "));
    for client in eves[1..].iter_mut().chain(&mut members) {
        assert!(client.ask("JOIN hall").starts_with("C 227 "));
    }
    let reading: Vec<_> = members.iter().map(|client| Reader::start(client, Some(SLOWER_LINE))).collect();
    let drains: Vec<_> = eves.iter().map(|client| Reader::start(client, None)).collect();
    let said = burst(&mut eves, "RM hall", 5);
    eventually("all members have heard all", || reading.iter().all(|reader| reader.lines() >= said));
    for reader in reading {
        check_all(&reader.finish(), "RM hall", 60 * 5);
    }
    for drain in drains {
        drain.finish();
    }
    drop(idle);
}

#[test]
fn deliberate_lag_does_not_slow_quiet_speakers() {
    let server = open().set("limits.send_buffer_bytes", "4096").set("limits.owed_soft_s", "1000").start();
    let mut honest = (server.bare("alice"), server.bare("bob"));
    let eves: Vec<_> = (0..8).map(|n| server.narrow(&format!("eve{n}"))).collect();
    // They request more than they read, and read a little all the time.
    let reading: Vec<_> = eves.iter().map(|client| Reader::start(client, Some(5))).collect();
    for mut eve in eves {
        eve.send_raw("HELP\n".repeat(10_000).as_bytes());
        drop(eve); // its reader has a handle of its own
    }
    eventually("they lag", || server.counter("owed_bytes") > 8 * 32 * 1024);
    let text = "y".repeat(1000);
    let mut longest = Duration::ZERO;
    for n in 0..8 {
        let begun = Instant::now();
        honest.0.send(&format!("PM {n} {text}"));
        honest.1.expect(&format!("D PM alice {n} y"));
        longest = longest.max(begun.elapsed());
        honest.0.expect("C 250 ");
        pause(300);
    }
    println!("the longest of eight messages to all took {longest:?}");
    assert!(server.counter("owed_bytes") > 8 * 16 * 1024, "they do not lag any more");
    assert_eq!(server.counter("throttled"), 0, "somebody had to wait for them");
    // A client that sends much goes as fast as they read.
    eventually("who says much is slowed", || {
        honest.0.send_raw(format!("PM {text}\n").repeat(8).as_bytes());
        server.counter("throttled") > 0
    });
    for reader in reading {
        assert!(!reader.finish().contains("421 "));
    }
}

#[test]
fn a_reader_far_too_slow_is_cut_at_the_bound() {
    let server = Server::builder()
        .no_rates()
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_bytes", "16384")
        .set("limits.owed_soft_bytes", "16384")
        .set("limits.owed_soft_s", "1000")
        .set("history.file", "''")
        .start();
    let mut eves = attackers(&server, 16);
    let victim = server.narrow("victim");
    let reader = Reader::start(&victim, Some(5));
    // Sixteen senders that wait half a second for each line still send more than 5 kB a second.
    burst(&mut eves, "DM victim", 20);
    server.wait_for_log("421 too slow: victim from");
    reader.finish();
    for eve in &mut eves {
        while eve.line() != "C 550 victim is not online" {}
    }
}

#[test]
fn a_guest_s_datagrams_cut_no_lagging_reader() {
    let server = open().rooms(&[""]).set("limits.send_buffer_bytes", "4096").start();
    let mut host = server.bare("hostess");
    let mut stopped = server.narrow("stopped");
    assert!(host.ask("MAKE hall").starts_with("C 227 "));
    assert!(stopped.ask("JOIN hall").starts_with("C 227 "));
    let hearing = Reader::start(&host, None);
    let guests: Vec<Peer> = (0..16).map(|n| server.guest(JOIN, "hall", &format!("guest{n}"))).collect();
    let (text, begun) = ("x".repeat(4000), Instant::now());
    for _ in 0..25 {
        for guest in &guests {
            guest.say(&text);
        }
    }
    eventually("the datagrams are taken", || server.counter("datagrams_in") >= 400 + 16);
    assert!(server.counter("datagrams_unheard") > 0, "nothing was lost for who lags");
    // A second's worth of bytes each (four datagrams and part of one), and the refill meanwhile; and the hellos.
    let most = 16 * (1 + 5 + 5 * (begun.elapsed().as_secs() + 1));
    let through = server.counter("datagrams_in") - server.counter("datagrams_too_fast");
    assert!((16 * 4..=most).contains(&through), "{through} datagrams of 400 had an effect, {most} at most");
    assert!(server.counter("owed_bytes") < 256 * 1024, "{}", server.counter("owed_bytes"));
    // The member that did not read is still there, and has lost nothing that came by lines.
    let heard = hearing.finish();
    assert!(!server.log_text().contains("421 too slow"), "{heard:.200}");
    host.send("RM hall still there?");
    loop {
        let line = stopped.line();
        if line == "D RM hall hostess still there?" {
            break;
        }
        assert!(line.starts_with("C 103 hall ~guest") || line.starts_with("D RM hall ~guest"), "{line:.80}");
    }
    stopped.barrier();
}

#[test]
fn datagrams_and_lines_share_one_allowance() {
    let server = open().rooms(&[""]).datagrams().set("limits.rate_bytes_per_s", "4000").start();
    let mut alice = server.bare("alice");
    let bob = server.guest(MAKE, "hall", "bob");
    let entered = alice.ask("JOIN hall");
    let token = entered.split_once("token=").expect("a token").1.split(' ').next().expect("a word");
    let by_udp = Peer::new(std::net::Ipv4Addr::LOCALHOST.into(), server.door("udp"), token);
    by_udp.hello();
    for n in 0..10 {
        by_udp.say(&format!("{n:x<1900}"));
    }
    // So a line of alice's is delayed as well.
    let begun = Instant::now();
    assert_eq!(alice.ask("NOOP"), "C 200 done");
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    assert!(server.counter("datagrams_too_fast") >= 6, "{}", server.counter("datagrams_too_fast"));
    drop(bob);
}

#[test]
fn a_few_bytes_of_many_pages_pin_no_memory() {
    const BOUND: u64 = 4 << 20;
    let server = Server::builder()
        .no_rates()
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_total_bytes", &BOUND.to_string())
        .set("accounts.sessions_per_account", "100")
        .set("log.stats_s", "1")
        .start();
    let (mut talker, mut small, mut loud) = (server.bare("talker"), server.bare("small"), server.bare("loud"));
    assert!(talker.ask("MAKE large").starts_with("C 227 "));
    assert!(small.ask("MAKE little").starts_with("C 227 "));
    assert!(loud.ask("MAKE waits").starts_with("C 227 "));
    let mut others: Vec<Client> = (0..20).map(|_| server.bare("hearer")).collect();
    let mut pins: Vec<Client> = (0..12).map(|n| server.narrow(&format!("pin{n}"))).collect();
    let mut waiting: Vec<Client> = (0..30).map(|n| server.narrow(&format!("waits{n}"))).collect();
    for (clients, room) in [(&mut others, "large"), (&mut pins, "little"), (&mut waiting, "waits")] {
        for client in clients.iter_mut() {
            assert!(client.ask(&format!("JOIN {room}")).starts_with("C 227 "));
        }
    }
    let drains: Vec<_> =
        others.iter().chain([&small, &loud, &talker]).map(|client| Reader::start(client, None)).collect();
    // The thirty that only wait have 48 KB of one room's messages queued.
    loud.send_raw(format!("RM waits {}\n", "w".repeat(4000)).repeat(12).as_bytes());
    // The twelve that pin pages receive little, often enough to hold a part of each page.
    let (large, little) =
        (format!("RM large {}\n", "x".repeat(4000)).repeat(8), format!("RM little {}\n", "y".repeat(600)));
    for _ in 0..160 {
        let before = drains[0].lines();
        talker.send_raw(large.as_bytes());
        small.send_raw(little.as_bytes());
        eventually("the large room has heard it", || drains[0].lines() >= before + 8);
    }
    // 5 MB of pages; twelve receivers hold 1.2 KB of each.
    let owed = server.counter("owed_bytes");
    assert!(owed < BOUND, "{owed} bytes are held");
    assert!(!server.log_text().contains("421 too slow"), "somebody was cut");
    for client in waiting.iter_mut().chain(&mut pins) {
        client.send("NOOP");
        while client.line() != "C 200 done" {}
    }
    for drain in drains {
        drain.finish();
    }
}
