//! Rooms over the wire: who receives what, to the byte, and in which order.

use std::collections::BTreeMap;
use std::thread;

use testkit::{Client, Server};

mod entering;
mod inviting;
mod membership;

/// Makes or joins a room, and returns the token.
#[track_caller]
fn enter(client: &mut Client, operation: &str, room: &str) -> String {
    let reply = client.ask(&format!("{operation} {room}"));
    let token = reply.strip_prefix(&format!("C 227 {room} token=")).unwrap_or_else(|| panic!("{reply:?}"));
    let is_base32 = token.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
    assert!(token.len() == 26 && is_base32, "{reply:?}");
    token.to_owned()
}

/// The first makes the lobby and the others join it. Then all notices of that have been read.
#[track_caller]
fn gather(clients: &mut [(&str, &mut Client)]) {
    for n in 0..clients.len() {
        let (name, client) = &mut clients[n];
        enter(client, if n == 0 { "MAKE" } else { "JOIN" }, "lobby");
        let notice = format!("C 103 lobby {name} entered");
        for (_, earlier) in &mut clients[..n] {
            earlier.expect_exact(&notice);
        }
    }
}

/// `D RM id room from text` without the id, and the id.
#[track_caller]
fn typed_message(client: &mut Client) -> (u64, String) {
    let line = client.line();
    let (id, rest) = line.strip_prefix("D RM ").unwrap_or_else(|| panic!("{line:?}")).split_once(' ').unwrap();
    (id.parse().expect("an id"), format!("D RM {rest}"))
}

#[test]
fn three_people_in_a_room() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    let mut dave = server.bare("dave");
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    alice.send("RM lobby hello  room ");
    alice.expect_exact("C 250 sent to 2");
    assert_eq!(typed_message(&mut bob).1, "D RM lobby alice hello  room ");
    carol.expect_exact("D RM lobby alice hello  room ");
    bob.send("C rm LOBBY hi");
    bob.expect_exact("C 250 sent to 2");
    alice.expect_exact("D RM lobby bob hi");
    carol.expect_exact("D RM lobby bob hi");
    carol.send_raw(b"RM lobby\nEX\n");
    carol.expect_all(&["C 354 your message?", "C 250 sent to 2"]);
    alice.expect_exact("D RM lobby carol EX");
    assert_eq!(typed_message(&mut bob).1, "D RM lobby carol EX");
    bob.send("C RM lobby");
    bob.expect_exact("C 354 your message?");
    bob.send("D C 250 sent to 9");
    bob.expect_exact("C 250 sent to 2");
    for client in [&mut alice, &mut carol] {
        client.expect_exact("D RM lobby bob C 250 sent to 9");
    }
    for (line, reply) in [
        ("RM lobby hi", "C 550 you are not in lobby"),
        ("RM lobby", "C 550 you are not in lobby"),
        ("RM tea hi", "C 550 no such room; ROOMS lists all"),
    ] {
        dave.send(line);
        dave.expect_exact(reply);
    }
    for client in [&mut alice, &mut bob, &mut carol, &mut dave] {
        client.barrier();
    }
}

#[test]
fn people_with_nc_in_a_room() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE", "lobby");
    let mut nc = server.connect();
    nc.send_raw(b"bob\ncorrect horse\nJOIN lobby\nRM lobby hi all\nNAMES lobby\nLEAVE lobby\nEX\n");
    nc.half_close();
    for code in ["C 220 ", "C 332 ", "C 230 ", "C 227 lobby token="] {
        nc.expect(code);
    }
    nc.expect_all(&["C 250 sent to 1", "C 211-alice host", "C 211-bob", "C 211 2 in lobby", "C 200 done", "C 221 bye"]);
    nc.expect_closed();
    alice.expect_all(&["C 103 lobby bob entered", "D RM lobby bob hi all", "C 104 lobby bob left"]);
    alice.barrier();
}

#[test]
fn notices_of_coming_going_kicking_and_closing() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    carol.send("LEAVE Lobby");
    carol.expect_exact("C 200 done");
    for client in [&mut alice, &mut bob] {
        client.expect_exact("C 104 lobby carol left");
    }
    enter(&mut carol, "JOIN", "lobby");
    for client in [&mut alice, &mut bob] {
        client.expect_exact("C 103 lobby carol entered");
    }
    bob.send("C KICK lobby carol");
    bob.expect_exact("C 554 you are not the host of lobby");
    alice.send("KICK lobby CAROL");
    alice.expect_all(&["C 104 lobby carol left: kicked", "C 200 done"]);
    for client in [&mut bob, &mut carol] {
        client.expect_exact("C 104 lobby carol left: kicked");
    }
    carol.send("RM lobby why?");
    carol.expect_exact("C 550 you are not in lobby");
    alice.send("KICK lobby carol");
    alice.expect_exact("C 550 carol is not in that room");
    alice.send("LEAVE lobby");
    alice.expect_exact("C 200 done");
    bob.expect_all(&["C 104 lobby alice left", "C 107 lobby bob is host now"]);
    enter(&mut alice, "JOIN", "lobby");
    bob.expect_exact("C 103 lobby alice entered");
    bob.send("C CLOSE lobby");
    bob.expect_all(&["C 106 lobby closed: by its host", "C 200 done"]);
    alice.expect_exact("C 106 lobby closed: by its host");
    alice.send("RM lobby anybody?");
    alice.expect_exact("C 550 no such room; ROOMS lists all");
    assert_eq!(alice.list("ROOMS"), ["0 rooms"]);
    for client in [&mut alice, &mut bob, &mut carol] {
        client.barrier();
    }
}

#[test]
fn notices_never_interrupt_a_reply() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob)]);
    alice.send("RM lobby");
    alice.expect_exact("C 354 your message?");
    bob.send("C LEAVE lobby");
    bob.expect_exact("C 200 done");
    alice.expect_exact("C 104 lobby bob left");
    alice.send("still here");
    alice.expect_exact("C 250 sent to 0");
    // `list` panics when anything interrupts a reply.
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                assert!(bob.ask("JOIN lobby").starts_with("C 227"));
                bob.ask("LEAVE lobby");
            }
        });
        for _ in 0..200 {
            assert!(alice.list("HELP").len() > 10);
            assert!(alice.list("NAMES lobby").last().unwrap().ends_with(" in lobby"));
        }
    });
}

#[test]
fn ids_rise_over_all_kinds_of_messages() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut carol) = (server.typed("alice"), server.typed("bob"), server.typed("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    let mut last = 0;
    for n in 0..50 {
        let (operation, heard) =
            [("RM lobby", "RM"), ("PM", "PM"), ("DM bob", "DM")].get(n % 3).copied().expect("one of three");
        alice.ask(&format!("{operation} {n}"));
        let line = bob.line();
        let (id, _) = line.strip_prefix(&format!("D {heard} ")).expect("such a message").split_once(' ').unwrap();
        let id: u64 = id.parse().expect("an id");
        assert!(id > last, "{id} after {last}");
        if heard != "DM" {
            assert_eq!(carol.line(), line, "the same for all who hear it");
        }
        last = id;
    }
}

/// The messages that a member received, in order: `NAME N`, with the id if there is one.
type History = Vec<(Option<u64>, String)>;

/// Sends `count` messages as fast as possible, and returns what the member received until it has all messages of each
/// of the `others`.
fn speak(name: &str, client: &mut Client, others: usize, count: usize) -> History {
    let said: Vec<String> = (0..count).map(|n| format!("RM lobby {name} {n}")).collect();
    let dress = if client.is_typed() { "C " } else { "" };
    client.send_raw(said.iter().map(|line| format!("{dress}{line}\n")).collect::<String>().as_bytes());
    let (mut history, mut replies) = (History::new(), 0);
    while replies < count || history.len() < others * count {
        let line = client.line();
        let Some(message) = line.strip_prefix("D RM ") else {
            assert_eq!(line, format!("C 250 sent to {others}"));
            replies += 1;
            continue;
        };
        let (id, message) = match message.strip_prefix("lobby ") {
            Some(message) => (None, message),
            None => {
                let (id, message) = message.split_once(" lobby ").expect("an id and the room");
                (Some(id.parse().expect("an id")), message)
            }
        };
        let (from, text) = message.split_once(' ').expect("a sender");
        assert!(text.starts_with(from), "{line:?}");
        history.push((id, text.to_owned()));
    }
    history
}

#[test]
fn all_members_see_one_order() {
    const COUNT: usize = 200;
    let server = Server::builder().no_rates().start();
    let names = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let mut clients = names.map(|name| if name < "dave" { server.typed(name) } else { server.bare(name) });
    let mut members: Vec<(&str, &mut Client)> = names.into_iter().zip(&mut clients).collect();
    gather(&mut members);
    let others = names.len() - 1;
    let histories: Vec<History> = thread::scope(|scope| {
        let speakers: Vec<_> =
            members.into_iter().map(|(name, client)| scope.spawn(move || speak(name, client, others, COUNT))).collect();
        speakers.into_iter().map(|speaker| speaker.join().expect("a history")).collect()
    });
    // The one order is that of the ids, and each member has received all messages but its own.
    let with_ids = histories.iter().flatten().filter_map(|(id, text)| Some(((*id)?, text.as_str())));
    let all: BTreeMap<u64, &str> = with_ids.collect();
    assert_eq!(all.len(), names.len() * COUNT, "an id for each message");
    for (name, history) in names.iter().zip(&histories) {
        let expected = all.values().copied().filter(|text| !text.starts_with(name));
        assert!(history.iter().map(|(_, text)| text.as_str()).eq(expected), "{name} has seen another order");
        assert!(history.iter().all(|(id, text)| id.is_none_or(|id| all[&id] == text)), "{name} has seen other ids");
        let own = all.values().filter_map(|text| text.strip_prefix(name)?.trim().parse::<usize>().ok());
        assert!(own.eq(0..COUNT), "the lines of {name} are out of order");
    }
}
