//! Bans that are in the file at the start and at HUP: accounts, names, addresses, networks, guests and datagrams.

use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use testkit::netns::among_many_addresses;
use testkit::rooms::{JOIN, MAKE, Peer, Way, exchange_on, frames, request, token_in, token_of};
use testkit::{Client, PASSWORD, Server, pause, run};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Writes the file of the bans.
fn write(server: &Server, text: &str) {
    fs::write(server.path("bans"), text).unwrap();
    fs::set_permissions(server.path("bans"), Permissions::from_mode(0o600)).unwrap();
}

/// Puts these bans into effect.
#[track_caller]
fn ban(server: &Server, text: &str) {
    write(server, text);
    let before = count(server, "bans re-read");
    server.hup();
    testkit::eventually("the bans are re-read", || count(server, "bans re-read") > before);
}

/// The number of log lines that contain this.
fn count(server: &Server, part: &str) -> usize {
    server.log_text().lines().filter(|line| line.contains(part)).count()
}

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Sends a name and a password, and returns the answer to the password.
#[track_caller]
fn attempt(server: &Server, name: &str, password: &str) -> (Client, String) {
    let mut client = server.greeted();
    client.send(name);
    client.expect("C 331 ");
    client.send(password);
    let answer = client.line();
    (client, answer)
}

#[test]
fn a_banned_account_is_put_out_and_kept_out() {
    let mut server = Server::start();
    let mut mallory = server.bare("mallory");
    let mut alice = server.bare("alice");
    let token = mallory.ask("TOKEN").split(' ').nth(2).unwrap().to_owned();
    ban(&server, "MALLORY - spam, spam\n");
    mallory.expect_421("banned: spam, spam");
    mallory.expect_closed();
    alice.barrier();
    // A wrong password is answered as ever, and so is the name.
    let (mut client, answer) = attempt(&server, "mallory", "not the password");
    assert_eq!(answer, "C 530 wrong password; 2 tries left");
    client.send(PASSWORD);
    client.expect_421("banned: spam, spam");
    client.expect_closed();
    let mut client = server.greeted();
    client.send(&format!("mallory {token}"));
    client.expect_421("banned: spam, spam");
    // It lasts over a restart, and ends with its line.
    server.restart();
    assert_eq!(attempt(&server, "mallory", PASSWORD).1, "C 421 banned: spam, spam");
    ban(&server, "");
    server.returning("mallory").barrier();
}

#[test]
fn a_ban_ends_in_time() {
    let server = Server::start();
    let mut bob = server.bare("bob");
    ban(&server, &format!("bob {} for a moment\n", unix_s() + 2));
    bob.expect_421("banned: for a moment");
    assert_eq!(attempt(&server, "bob", PASSWORD).1, "C 421 banned: for a moment");
    testkit::eventually("it ends", || attempt(&server, "bob", PASSWORD).1.starts_with("C 230 "));
    ban(&server, "bob 1 long ago\n");
    server.returning("bob").barrier();
}

#[test]
fn a_banned_name_cannot_be_registered() {
    let server = Server::start();
    let mut begun = server.greeted();
    begun.send("mallory");
    begun.expect("C 332 ");
    ban(&server, "mallory - no\n");
    // Also if its registration has begun.
    begun.send(PASSWORD);
    begun.expect_exact("C 553 mallory cannot be registered; your name?");
    begun.send("Mallory");
    begun.expect_exact("C 553 Mallory cannot be registered; your name?");
    begun.send("alice");
    begun.expect("C 332 ");
    begun.send(PASSWORD);
    begun.expect("C 230 welcome alice");
    let mut again = server.greeted();
    again.send("mallory");
    again.expect("C 553 ");
}

#[test]
fn closed_registration_does_not_say_who_is_banned() {
    let server = Server::builder().set("accounts.registration", "\"closed\"").start();
    ban(&server, "mallory - no\n");
    let (_client, answer) = attempt(&server, "mallory", PASSWORD);
    assert_eq!(answer, "C 530 wrong password; 2 tries left");
}

#[test]
fn a_bad_line_stops_a_start_and_changes_nothing_at_hup() {
    let mut server = Server::start();
    server.bare("bob").barrier();
    ban(&server, "bob - x\n");
    write(&server, "bob - x\ncarol for ever\n");
    server.hup();
    let line = server.wait_for_log("bans: line 2: ");
    assert!(line.contains("[ERROR]") && line.contains("the old ones stay"), "{line}");
    server.wait_for_log("configuration re-read");
    assert_eq!(attempt(&server, "bob", PASSWORD).1, "C 421 banned: x");
    server.term();
    server.fails_to_start().check(78, &["bans: line 2: ", "correct it or remove it"]);
    let check = run(CHATD, &server.path(""), &["--check"]);
    check.check(78, &["bans: line 2: "]);
    write(&server, &"x".repeat(5 << 20));
    server.fails_to_start().check(78, &["bans: has more than"]);
    write(&server, "bob - x\n");
    run(CHATD, &server.path(""), &["--check"]).check(0, &[]);
    server.restart();
    assert_eq!(attempt(&server, "bob", PASSWORD).1, "C 421 banned: x");
}

#[test]
fn the_configuration_and_the_log_cannot_be_the_file_of_the_bans() {
    let mut server = Server::start();
    server.term();
    server.set("log.file", "\"bans\"");
    server.fails_to_start().check(78, &["log.file"]);
    server.set("log.file", "\"\"");
    server.set("accounts.file", "\"bans\"");
    server.fails_to_start().check(78, &["give accounts.file another name"]);
}

#[test]
fn loopback_can_be_banned() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    ban(&server, "127.0.0.0/8 - nobody from here\n");
    alice.expect_421("banned: nobody from here");
    let mut other = server.connect();
    other.expect_421("banned: nobody from here");
    other.expect_closed();
    assert!(server.wait_for_log("127.0.0.1 was not let in").contains("421 banned: nobody from here"));
    ban(&server, "");
    server.returning("alice").barrier();
}

/// The listeners of these servers, in networks without other hosts.
const DOORS: [&str; 2] = ["line://10.255.255.1:0", "line://[2001:db8:ffff::1]:0"];

/// An address of a /64 of the /48 with this number.
fn v6(site: u16, subnet: u16, host: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, site, subnet, 0, 0, 0, host).into()
}

/// The listener for an address's family.
fn door(server: &Server, from: IpAddr) -> SocketAddr {
    *server.addrs().iter().find(|addr| addr.is_ipv4() == from.is_ipv4()).expect("a listener of this family")
}

#[track_caller]
fn check_knock(server: &Server, from: IpAddr, expected: &str) {
    let mut client = Client::connect_from(from, door(server, from));
    let first = client.line();
    assert!(first.starts_with(expected), "{from}: {first:?}");
}

#[test]
fn addresses_and_networks_are_refused_before_the_greeting() {
    among_many_addresses(|| {
        let server = Server::builder().listen(&DOORS).start();
        let enter = |from: IpAddr, name: &str| {
            let mut client = Client::connect_from(from, door(&server, from));
            client.expect("C 220 ");
            client.login_bare(name);
            client
        };
        let mut one = enter([10, 1, 1, 1].into(), "one");
        let mut same_64 = enter(v6(1, 1, 8), "two");
        let mut other_64 = enter(v6(1, 2, 8), "three");
        let mut neighbour = enter([10, 1, 1, 2].into(), "four");
        ban(&server, "10.1.1.1 - one\n2001:db8:1:1::7 - its subscriber\n10.2.0.0/16 - a net\n");
        one.expect_421("banned: one");
        same_64.expect_421("banned: its subscriber");
        other_64.barrier();
        neighbour.barrier();
        for (from, expected) in [
            ([10, 1, 1, 1].into(), "C 421 banned: one"),
            ([10, 1, 1, 2].into(), "C 220 "),
            ([10, 2, 3, 4].into(), "C 421 banned: a net"),
            ([10, 3, 3, 4].into(), "C 220 "),
            (v6(1, 1, 9), "C 421 banned: its subscriber"),
            (v6(1, 2, 9), "C 220 "),
        ] {
            check_knock(&server, from, expected);
        }
    });
}

#[test]
fn guests_of_a_banned_address_leave_and_are_not_heard() {
    among_many_addresses(|| {
        let doors = ["line://10.255.255.1:0", "rooms://10.255.255.1:0?udp=0"];
        let server = Server::builder().listen(&doors).sockets(3).set("log.stats_s", "1").start();
        let mut alice = server.bare("alice");
        let enter = |operation, from: IpAddr, name: &str| {
            let client = Client::connect_from(from, server.door("rooms"));
            exchange_on(client.stream(), &request(operation, "lobby", name.as_bytes()), Way::Whole)
        };
        let (there, elsewhere) = (IpAddr::from([10, 1, 1, 1]), IpAddr::from([10, 1, 1, 2]));
        let host = token_of(&enter(MAKE, elsewhere, "host"));
        let guest = token_of(&enter(JOIN, there, "mallory"));
        alice.send("JOIN lobby");
        let _ = token_in(&alice.expect("C 227 "));
        let udp = server.door("udp");
        let (host, guest) = (Peer::new(elsewhere, udp, &host), Peer::new(there, udp, &guest));
        host.hello();
        guest.say("hello");
        alice.expect("D RM lobby ~mallory hello");
        ban(&server, "10.1.1.1 - spam\n");
        guest.expect("server: banned: spam");
        alice.expect_exact("C 104 lobby ~mallory left");
        guest.say("still there");
        host.say("good");
        alice.expect("D RM lobby ~host good");
        // The door's own refusal: a response of one byte, without a token; none if the request comes later than the end.
        let refused = enter(JOIN, there, "mallory");
        assert!(frames(&refused).first().is_none_or(|frame| frame.payload != [0]), "it enters");
        ban(&server, "");
        assert_eq!(frames(&enter(JOIN, there, "mallory"))[0].payload, [0]);
        alice.expect_exact("C 103 lobby ~mallory entered");
        pause(1);
    });
}

#[test]
fn ten_thousand_bans_hold_nobody_up() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.bare("alice");
    let mut list = String::from("192.0.2.0/24 - x\n");
    for n in 1..10_000 {
        list.push_str(&match n % 4 {
            0 => format!("n{n} - {}\n", "x".repeat(200)),
            1 => format!("10.{}.{}.0/24 - x\n", n / 256, n % 256),
            2 => format!("2001:db8:{n:x}::/{} - x\n", 48 + n % 64),
            _ => format!("172.16.{}.{}/{} - x\n", n / 256, n % 256, 32),
        });
    }
    ban(&server, &list);
    server.wait_for_log("bans re-read: 10000 bans");
    for _ in 0..200 {
        server.greeted();
    }
    alice.barrier();
    write(&server, &format!("{list}one.more - x\n"));
    server.hup();
    server.wait_for_log("bans: line 10001: more than 10,000 bans");
}
