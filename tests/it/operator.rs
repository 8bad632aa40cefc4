//! The operator's socket: every command, and what users notice of it.

use std::fs;

use testkit::rooms::{JOIN, MAKE};
use testkit::{Server, eventually};

mod chat;
mod ctl;
mod socket;
mod trace;

/// The value of a key in an item, as it is written.
fn value<'a>(item: &'a str, key: &str) -> &'a str {
    let start = format!("{key}=");
    item.split(' ').find_map(|word| word.strip_prefix(&start)).unwrap_or_else(|| panic!("no {key} in {item:?}"))
}

/// The keys of an item.
fn keys(item: &str) -> Vec<&str> {
    item.split(' ').filter_map(|word| Some(word.split_once('=')?.0)).collect()
}

#[test]
fn the_status() {
    let server = Server::builder().rooms(&[""]).start();
    let mut alice = server.bare("alice");
    alice.send("MAKE den");
    alice.expect("C 227 ");
    let answer = server.desk().ask("status");
    assert_eq!(answer.last, "211 1");
    let item = &answer.items[0];
    let expected = [
        "version",
        "since",
        "connections",
        "limit",
        "online",
        "rooms",
        "owed",
        "hashing",
        "history_backlog",
        "longest_turn_us",
        "degraded",
        "listeners",
    ];
    assert_eq!(keys(item), expected);
    assert_eq!(value(item, "version"), env!("CARGO_PKG_VERSION"));
    assert!(value(item, "since").starts_with("20") && value(item, "since").ends_with('Z'), "{item}");
    for (key, expected) in [("connections", "1"), ("limit", "10000"), ("online", "1"), ("rooms", "1"), ("degraded", "")]
    {
        assert_eq!(value(item, key), expected, "{item}");
    }
    let [line, rooms] = [server.door("line"), server.door("rooms")];
    assert_eq!(value(item, "listeners"), format!("line://{line},rooms://{rooms}"));
}

#[test]
fn who_is_connected() {
    let server = Server::builder().rooms(&[""]).start();
    let mut alice = server.bare("alice");
    let _bob = server.typed("bob");
    let _stranger = server.greeted();
    alice.send("MAKE den\nMAKE attic");
    alice.expect("C 227 ");
    alice.expect("C 227 ");
    let _guest = server.guest(JOIN, "den", "zoe");
    let mut desk = server.desk();
    let all = desk.ask("sessions");
    assert_eq!((all.items.len(), all.last.as_str()), (4, "211 4"), "{all:?}");
    let item = &all.items[0];
    assert_eq!(keys(item), ["id", "name", "door", "tls", "address", "since", "idle", "owed", "rooms"]);
    for (key, expected) in
        [("name", "alice"), ("door", "line"), ("tls", "no"), ("address", "127.0.0.1"), ("rooms", "den,attic")]
    {
        assert_eq!(value(item, key), expected, "{item}");
    }
    assert!(value(item, "idle").parse::<u64>().unwrap() < 60, "{item}");
    let names: Vec<&str> = all.items.iter().map(|item| value(item, "name")).collect();
    assert_eq!(names, ["alice", "bob", "-", "~zoe"]);
    let ids: Vec<u32> = all.items.iter().map(|item| value(item, "id").parse().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    assert_eq!((value(&all.items[3], "door"), value(&all.items[3], "rooms")), ("rooms", "den"));

    let some = |desk: &mut testkit::Desk, command: &str| -> Vec<String> {
        let answer = desk.ask(command);
        assert_eq!(answer.last, format!("211 {}", answer.items.len()));
        answer.items.iter().map(|item| value(item, "name").to_owned()).collect()
    };
    assert_eq!(some(&mut desk, "sessions ALICE"), ["alice"]);
    assert_eq!(some(&mut desk, "sessions ~zoe"), ["~zoe"]);
    assert_eq!(some(&mut desk, "sessions 127.0.0.1").len(), 4);
    assert_eq!(some(&mut desk, "sessions ::ffff:127.0.0.1").len(), 4);
    assert_eq!(some(&mut desk, "sessions 192.0.2.1"), [""; 0]);
    assert_eq!(some(&mut desk, "sessions nobody"), [""; 0]);
    assert_eq!(some(&mut desk, &format!("sessions {}", ids[1])), ["bob"]);
    assert_eq!(some(&mut desk, "sessions --sort since")[..2], ["alice", "bob"]);
}

#[test]
fn the_order_of_the_list() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let mut slow = server.narrow("slow");
    let mut loud = server.bare("loud");
    slow.send_raw("HELP\n".repeat(2_000).as_bytes());
    let mut desk = server.desk();
    eventually("a reader that owes most is first", || {
        loud.barrier();
        let items = desk.ask("sessions --sort owed").items;
        let owed: Vec<u64> = items.iter().map(|item| value(item, "owed").parse().unwrap()).collect();
        owed.is_sorted_by(|one, next| one >= next) && owed[0] > 0 && value(&items[0], "name") == "slow"
    });
    assert_eq!(value(&desk.ask("sessions --sort idle").items[1], "name"), "loud");
}

#[test]
fn rooms_and_their_members() {
    let server = Server::builder().rooms(&[""]).start();
    let mut alice = server.bare("alice");
    let mut bob = server.typed("bob");
    alice.send("MAKE Den secret");
    alice.expect("C 227 ");
    bob.typed("MAKE attic");
    bob.expect("C 227 ");
    bob.typed("JOIN den secret");
    bob.expect("C 227 ");
    let _guest = server.guest(MAKE, "cellar", "zoe");
    let mut desk = server.desk();
    let all = desk.ask("rooms");
    let expected = [
        "name=attic members=1 host=bob kept=no locked=no",
        "name=cellar members=1 host=~zoe kept=no locked=no",
        "name=Den members=2 host=alice kept=no locked=yes",
    ];
    assert_eq!((all.items, all.last.as_str()), (expected.map(str::to_owned).to_vec(), "211 3"));
    let members = desk.ask("rooms DEN");
    assert_eq!(members.items, ["name=alice host=yes", "name=bob host=no"]);
    assert_eq!(members.last, "211 2");
    assert_eq!(desk.ask("rooms nowhere").last, "550 there is no room nowhere");
}

#[test]
fn who_is_put_out_is_told_why() {
    let server = Server::builder().rooms(&[""]).start();
    let mut desk = server.desk();
    let mut alice = server.bare("alice");
    let mut again = server.returning("alice");
    let mut bob = server.typed("bob");
    assert_eq!(desk.ask("kick Alice be nice").last, "250 2 put out");
    alice.expect_421("put out by the operator: be nice");
    again.expect_421("put out by the operator: be nice");
    let id = value(&desk.ask("sessions bob").items[0], "id").to_owned();
    assert_eq!(desk.ask(&format!("kick {id}")).last, "250 1 put out");
    bob.expect_421("put out by the operator");
    let mut stranger = server.greeted();
    let mut carol = server.bare("carol");
    assert_eq!(desk.ask("kick 127.0.0.1 everybody out").last, "250 2 put out");
    stranger.expect_421("put out by the operator: everybody out");
    carol.expect_421("put out by the operator: everybody out");
    for nobody in ["kick alice", "kick 4000000000", "kick 192.0.2.1", "kick ~zoe"] {
        assert!(desk.ask(nobody).last.starts_with("550 "), "{nobody}");
    }
    server.wait_for_log("421 put out by the operator: be nice: alice from 127.0.0.1");
    server.wait_for_log("operator at the socket: kick Alice be nice");
    // A guest without a connection is told by datagram, and its room knows.
    let mut hugo = server.bare("hugo");
    hugo.send("MAKE den");
    hugo.expect("C 227 ");
    let guest = server.guest(JOIN, "den", "zoe");
    hugo.expect("C 103 den ~zoe");
    assert_eq!(desk.ask("kick ~ZOE bye").last, "250 1 put out");
    guest.expect("server: put out by the operator: bye");
    hugo.expect_exact("C 104 den ~zoe left");
}

#[test]
fn everybody_hears_an_announcement() {
    let server = Server::builder().rooms(&[""]).start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    let mut stranger = server.greeted();
    let guest = server.guest(MAKE, "den", "zoe");
    let mut desk = server.desk();
    bob.typed("PM before");
    alice.expect("D PM bob before");
    bob.expect("C 250 ");
    assert_eq!(desk.ask("announce down at  noon\tsharp").last, "250 sent to 3");
    bob.typed("PM after");
    alice.expect_exact("C 100 down at  noon sharp");
    alice.expect_exact("D PM bob after");
    bob.expect_exact("C 100 down at  noon\tsharp");
    bob.expect("C 250 ");
    guest.expect("server: down at  noon sharp");
    stranger.silence(std::time::Duration::from_millis(100));
    assert!(desk.ask("announce").last.starts_with("501 usage: announce TEXT"));
}

#[test]
fn a_room_is_closed() {
    let server = Server::builder().rooms(&[""]).start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    alice.send("MAKE den\nMAKE attic");
    alice.expect("C 227 ");
    alice.expect("C 227 ");
    bob.typed("JOIN den");
    bob.expect("C 227 ");
    alice.expect("C 103 ");
    let guest = server.guest(JOIN, "den", "zoe");
    alice.expect("C 103 ");
    bob.expect("C 103 ");
    let mut desk = server.desk();
    assert_eq!(desk.ask("close DEN too loud").last, "250 DEN is closed");
    alice.expect_exact("C 106 den closed: by the operator: too loud");
    bob.expect_exact("C 106 den closed: by the operator: too loud");
    guest.expect("server: room closed");
    assert_eq!(desk.ask("close attic").last, "250 attic is closed");
    alice.expect_exact("C 106 attic closed: by the operator");
    assert_eq!(desk.ask("close den").last, "550 there is no room den");
    assert_eq!(alice.ask("JOIN den"), "C 550 no such room; ROOMS lists all");
}

#[test]
fn a_reload_says_what_came_of_it() {
    let server = Server::start();
    let mut desk = server.desk();
    let text = fs::read_to_string(server.path("config.toml")).unwrap();
    fs::write(server.path("config.toml"), format!("{text}[limits]\nline_s = 7\n")).unwrap();
    let answer = desk.ask("reload");
    assert_eq!(answer.items, ["changed=\"limits.line_s from 30 to 7\""]);
    assert_eq!(answer.last, "250 configuration re-read");
    fs::write(server.path("config.toml"), format!("{text}[limits]\nline_s = 0\nlin_s = 1\n")).unwrap();
    let answer = desk.ask("reload");
    assert_eq!(answer.items.len(), 2, "{answer:?}");
    assert!(answer.items[0].contains("limits.line_s: must be at least 1, not 0"), "{answer:?}");
    assert_eq!(answer.last, "450 the configuration is bad; the old one stays in effect");
    fs::write(server.path("config.toml"), text.replace("127.0.0.1:0", "127.0.0.1:1")).unwrap();
    let answer = desk.ask("reload");
    assert!(answer.items.contains(&"needs_restart=listen".to_owned()), "{answer:?}");
    assert_eq!(desk.ask("status").last, "211 1");
}

#[test]
fn the_level_of_the_log_holds_until_the_next_reload() {
    let server = Server::start();
    let mut desk = server.desk();
    let _alice = server.bare("alice");
    assert_eq!(desk.ask("log debug").last, "250 the log has level debug until the next reload");
    let _bob = server.bare("bob");
    server.wait_for_log("bob logged in from");
    assert_eq!(desk.ask("reload").last, "250 configuration re-read");
    let _carol = server.bare("carol");
    assert_eq!(desk.ask("announce done").last, "250 sent to 3");
    server.wait_for_log("operator at the socket: announce done");
    let log = server.log_text();
    assert!(!log.contains("alice logged in") && !log.contains("carol logged in"), "{log}");
    assert!(desk.ask("log loud").last.starts_with("501 the level is"));
}

#[test]
fn a_stop_is_a_stop() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    let mut desk = server.desk();
    assert_eq!(desk.ask("stop").last, "250 stopping");
    assert!(desk.line().starts_with("C 421 shutting down"));
    alice.expect("C 421 shutting down");
    drop((alice, desk));
    assert_eq!(server.wait_exit().code(), Some(0));
    assert!(!server.path("chatd.sock").exists());
}

#[test]
fn answers_keep_their_order() {
    let server = Server::start();
    let _alice = server.bare("alice");
    let mut desk = server.desk();
    desk.send("C rooms\nC status\nC sessions\nC nonsense\nC reload\nC kick nobody");
    let lasts: Vec<String> = (0..6).map(|_| desk.answer().last).collect();
    assert_eq!(lasts[..3], ["211 0", "211 1", "211 1"]);
    assert!(lasts[3].starts_with("502 unknown command; there are status sessions"), "{lasts:?}");
    assert_eq!(lasts[4], "250 configuration re-read");
    assert!(lasts[5].starts_with("550 "), "{lasts:?}");
}

#[test]
fn lines_that_are_no_commands() {
    let server = Server::start();
    let mut desk = server.desk();
    for (line, code) in [
        ("status", "501"),
        ("D x", "503"),
        ("C \u{1b}[2J", "501"),
        ("C kick", "501"),
        ("C status now", "501"),
        (&format!("C announce {}", "x".repeat(5_000)), "500"),
    ] {
        desk.send(line);
        let last = desk.answer().last;
        assert!(last.starts_with(code), "{line:?}: {last}");
    }
    desk.send("\n\r\nC \n");
    assert_eq!(desk.ask("status").last, "211 1");
}

#[test]
fn an_operator_has_no_rate() {
    let server = Server::builder().set("limits.rate_lines_per_s", "1").set("limits.rate_burst", "1").start();
    let mut desk = server.desk();
    desk.send(&"C rooms\n".repeat(200));
    for _ in 0..200 {
        assert_eq!(desk.answer().last, "211 0");
    }
}
