//! Who may read what: no page, count, match, mark or notice of a place that is not one's own, and a name that is
//! registered anew or a room that is made anew inherits nothing.

use std::fs;

use testkit::{Client, PASSWORD, Server, run};

use super::pages::Place;
use super::reading::{all, back, texts};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");
/// A word that only what is secret has.
const WORD: &str = "xylophone";

fn start() -> Server {
    Server::builder().no_rates().start()
}

#[track_caller]
fn does(client: &mut Client, command: &str, answer: &str) -> String {
    let told = client.ask(command);
    assert!(told.starts_with(answer), "{command}: {told:?}");
    told
}

/// Makes a kept room, and enters it.
#[track_caller]
fn keep(host: &mut Client, room: &str) {
    does(host, &format!("MAKE {room}"), "C 227 ");
    does(host, &format!("KEEP {room}"), "C 200");
}

/// The items of a reply that may also be a refusal.
#[track_caller]
fn items(client: &mut Client, command: &str) -> Vec<String> {
    client.op(command);
    let first = client.reply();
    if first.starts_with("C 550 ") {
        return Vec::new();
    }
    assert!(first.starts_with("C 21"), "{command}: {first:?}");
    let mut items = client.rest_of_list(&first);
    items.pop();
    items
}

/// This place is not `me`'s: no way of asking gives anything of it.
#[track_caller]
fn sees_nothing(client: &mut Client, me: &str, place: &str) {
    for command in [
        format!("HISTORY {place}"),
        format!("HISTORY {place} after 1 200"),
        format!("HISTORY {place} before 1d"),
        format!("READ {place}"),
    ] {
        does(client, &command, "C 550 ");
    }
    assert_eq!(items(client, &format!("SEARCH {WORD} in:{place}")), Vec::<String>::new());
    for command in ["HISTORY", "HISTORY after 1 200", "MISSED", &format!("SEARCH {WORD}"), "SEARCH xylo*"] {
        let shown = items(client, command);
        assert!(!shown.iter().any(|line| line.contains(WORD)), "{me}: {command}: {shown:?}");
        let shown = shown.iter().find(|line| line.split(' ').nth(1) == Some(place));
        assert!(shown.is_none(), "{me}: {command}: {shown:?}");
    }
    let counts = items(client, "UNREAD");
    let shown = counts.iter().find(|line| line.split(' ').next() == Some(place));
    assert!(shown.is_none(), "{me}: {shown:?}");
}

#[test]
fn a_stranger_sees_nothing_of_a_kept_room() {
    let mut server = start();
    let (mut alice, mut eve) = (server.typed("alice"), server.typed("eve"));
    does(&mut eve, "WANT reads forgets own ids", "C 200");
    keep(&mut alice, "cellar");
    does(&mut alice, &format!("RM cellar eve, {WORD}"), "C 250 ");
    does(&mut alice, &format!("TOPIC cellar {WORD}"), "C 200");
    does(&mut alice, "READ cellar", "C 200");
    assert_eq!(eve.heard(), Vec::<String>::new());
    sees_nothing(&mut eve, "eve", "cellar");
    sees_nothing(&mut eve, "eve", "#cellar");
    assert_eq!(texts(&mut alice, "alice", "cellar"), [format!("eve, {WORD}")]);
    server.kill9();
    server.restart();
    sees_nothing(&mut back(&server, "eve"), "eve", "cellar");
}

#[test]
fn a_room_that_is_not_kept_leaves_nothing() {
    let server = start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    does(&mut alice, "MAKE porch", "C 227 ");
    does(&mut bob, "JOIN porch", "C 227 ");
    does(&mut alice, &format!("RM porch bob, {WORD}"), "C 250 ");
    sees_nothing(&mut alice, "alice", "porch");
    sees_nothing(&mut bob, "bob", "porch");
    // What was said before it was kept is off the record, too.
    does(&mut alice, "KEEP porch", "C 200");
    assert_eq!(texts(&mut bob, "bob", "porch"), Vec::<String>::new());
    // What was said while it was kept goes when it is not.
    does(&mut alice, &format!("RM porch {WORD}"), "C 250 ");
    assert_eq!(texts(&mut bob, "bob", "porch"), [WORD]);
    does(&mut alice, "KEEP porch off", "C 200");
    sees_nothing(&mut bob, "bob", "porch");
    does(&mut alice, "KEEP porch", "C 200");
    assert_eq!(texts(&mut bob, "bob", "porch"), Vec::<String>::new());
    let found = items(&mut bob, &format!("SEARCH {WORD}"));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn after_a_kick_or_a_leave_nothing_is_left() {
    let mut server = start();
    let mut alice = server.typed("alice");
    let mut others: Vec<Client> = ["bob", "carol", "dave"].iter().map(|name| server.typed(name)).collect();
    keep(&mut alice, "cellar");
    for other in &mut others {
        does(other, "JOIN cellar", "C 227 ");
        does(other, "WANT reads forgets own ids", "C 200");
    }
    does(&mut alice, &format!("RM cellar bob carol dave {WORD}"), "C 250 ");
    for other in &mut others {
        // A search finds what is committed.
        testkit::eventually("it is found", || items(other, &format!("SEARCH {WORD}")).len() == 1);
    }
    let [mut bob, mut carol, dave] = <[Client; 3]>::try_from(others).ok().expect("three");
    // One is put out, one leaves with the last session, one is put out while away.
    does(&mut alice, "KICK cellar bob", "C 200");
    does(&mut carol, "LEAVE cellar", "C 200");
    drop(dave);
    testkit::eventually("dave is away", || !alice.list("WHO").contains(&"dave".to_owned()));
    does(&mut alice, "KICK cellar dave", "C 200");
    let mut dave = back(&server, "dave");
    // Two of them have heard of their own end.
    bob.heard();
    carol.heard();
    does(&mut alice, &format!("RM cellar bob carol dave {WORD} again"), "C 250 ");
    does(&mut alice, &format!("TOPIC cellar {WORD}"), "C 200");
    does(&mut alice, "KEEP cellar 5", "C 200");
    does(&mut alice, "READ cellar", "C 200");
    for (client, name) in [(&mut bob, "bob"), (&mut carol, "carol"), (&mut dave, "dave")] {
        assert_eq!(client.heard(), Vec::<String>::new(), "{name}");
        sees_nothing(client, name, "cellar");
    }
    server.kill9();
    server.restart();
    for name in ["bob", "carol", "dave"] {
        sees_nothing(&mut back(&server, name), name, "cellar");
    }
    assert_eq!(texts(&mut back(&server, "alice"), "alice", "cellar").len(), 2);
}

#[test]
fn a_locked_room_opens_to_members_alone() {
    let mut server = start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    does(&mut alice, "MAKE cellar open sesame", "C 227 ");
    does(&mut alice, "KEEP cellar", "C 200");
    does(&mut bob, "JOIN cellar open sesame", "C 227 ");
    does(&mut alice, &format!("RM cellar {WORD}"), "C 250 ");
    does(&mut alice, "KEEP cellar 20", "C 200"); // on disk, and all that was said and done before
    server.kill9();
    server.restart();
    let (mut bob, mut eve) = (back(&server, "bob"), server.typed("eve"));
    does(&mut bob, "JOIN cellar", "C 227 ");
    does(&mut eve, "JOIN cellar", "C 554 ");
    does(&mut eve, "JOIN cellar wrong", "C 554 ");
    sees_nothing(&mut eve, "eve", "cellar");
    does(&mut eve, "JOIN cellar open sesame", "C 227 ");
    assert_eq!(texts(&mut eve, "eve", "cellar"), [WORD], "a member account reads all of it");
    let everything: Vec<u8> = fs::read_dir(server.path(""))
        .expect("the folder")
        .flat_map(|file| fs::read(file.expect("a file").path()).unwrap_or_default())
        .collect();
    let words = b"open sesame";
    assert!(!everything.windows(words.len()).any(|bytes| bytes == words), "the password is in no file");
}

#[test]
fn direct_messages_are_of_two() {
    let mut server = start();
    server.bare("bob").barrier();
    let (mut alice, mut eve) = (server.typed("alice"), server.typed("eve"));
    does(&mut alice, &format!("DM bob eve, {WORD}"), "C 250 kept for bob");
    assert_eq!(eve.heard(), Vec::<String>::new());
    for (mut eve, alice_place) in [(eve, "@alice"), (back(&server, "eve"), "@bob")] {
        assert_eq!(texts(&mut eve, "eve", alice_place), Vec::<String>::new());
        for command in
            ["HISTORY", "MISSED", &format!("SEARCH {WORD}"), &format!("SEARCH {WORD} from:alice"), "SEARCH eve"]
        {
            assert_eq!(items(&mut eve, command), Vec::<String>::new(), "{command}");
        }
        let counts = items(&mut eve, "UNREAD");
        assert!(!counts.iter().any(|line| line.starts_with('@')), "{counts:?}");
    }
    server.kill9();
    server.restart();
    assert_eq!(texts(&mut back(&server, "bob"), "bob", "@alice"), [format!("eve, {WORD}")]);
    assert_eq!(texts(&mut back(&server, "alice"), "alice", "@bob"), [format!("eve, {WORD}")]);
}

#[test]
fn marks_are_ones_own() {
    let server = start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    let mut twin = back(&server, "bob");
    does(&mut alice, "WANT reads", "C 200");
    does(&mut twin, "WANT reads", "C 200");
    does(&mut alice, "PM hello", "C 250 ");
    does(&mut bob, "READ *", "C 200");
    let told = twin.heard();
    assert!(told.iter().any(|line| line.starts_with("C 108 * ")), "{told:?}");
    let told = alice.heard();
    assert!(!told.iter().any(|line| line.starts_with("C 108 ")), "{told:?}");
}

#[track_caller]
fn delete(server: &Server, name: &str) {
    run(CHATD, &server.path(""), &["accounts", "delete", name]).check(0, &[]);
}

#[test]
fn a_name_that_is_registered_anew_inherits_nothing() {
    let mut server = start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    keep(&mut alice, "cellar");
    keep(&mut bob, "den");
    does(&mut bob, "JOIN cellar", "C 227 ");
    does(&mut alice, &format!("RM cellar bob {WORD}"), "C 250 ");
    does(&mut bob, &format!("RM den {WORD}"), "C 250 ");
    does(&mut alice, &format!("DM bob {WORD}"), "C 250 ");
    does(&mut bob, &format!("DM alice {WORD} too"), "C 250 ");
    does(&mut bob, "PM what bob said", "C 250 ");
    drop(bob);
    does(&mut alice, &format!("DM bob {WORD} kept"), "C 250 ");
    delete(&server, "bob");
    for is_restarted in [false, true] {
        if is_restarted {
            server.kill9();
            server.restart();
        }
        let mut bob = server.typed("bob");
        for room in ["cellar", "den"] {
            sees_nothing(&mut bob, "bob", room);
        }
        assert_eq!(texts(&mut bob, "bob", "@alice"), Vec::<String>::new());
        let counts = items(&mut bob, "UNREAD");
        assert!(!counts.iter().any(|line| line.starts_with('@')), "{counts:?}");
        // What is public is everybody's; the one who said it is gone.
        let public = all(&mut bob, "bob", "*");
        let old = public.iter().find(|line| line.text == "what bob said").expect("a public line");
        assert_eq!(old.from, "-bob");
        assert_eq!(items(&mut bob, "SEARCH what from:bob"), Vec::<String>::new());
        // The other one still has it, of somebody who is gone; no name leads there.
        let mut alice = back(&server, "alice");
        let shown = all(&mut alice, "alice", "");
        let shown: Vec<_> = shown.iter().filter(|line| line.place == Place::of("@-bob", "alice")).collect();
        assert_eq!(shown.iter().filter(|line| line.text.starts_with(WORD)).count(), 3, "{shown:?}");
        assert!(shown.iter().all(|line| ["alice", "-bob"].contains(&line.from.as_str())), "{shown:?}");
        assert_eq!(texts(&mut alice, "alice", "@bob"), Vec::<String>::new());
    }
}

#[test]
fn a_room_that_is_made_anew_inherits_nothing() {
    let mut server = start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    keep(&mut alice, "cellar");
    does(&mut bob, "JOIN cellar", "C 227 ");
    does(&mut alice, &format!("RM cellar {WORD}"), "C 250 ");
    does(&mut alice, "CLOSE cellar", "C 200");
    sees_nothing(&mut alice, "alice", "cellar");
    sees_nothing(&mut bob, "bob", "cellar");
    keep(&mut bob, "cellar");
    does(&mut alice, "JOIN cellar", "C 227 ");
    for _ in 0..2 {
        for name in ["alice", "bob"] {
            let mut client = back(&server, name);
            assert_eq!(texts(&mut client, name, "cellar"), Vec::<String>::new());
            assert_eq!(items(&mut client, &format!("SEARCH {WORD}")), Vec::<String>::new());
        }
        server.restart();
    }
}

#[test]
fn accounts_and_history_of_different_age() {
    let mut server = start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    keep(&mut alice, "cellar");
    does(&mut bob, "JOIN cellar", "C 227 ");
    does(&mut alice, &format!("RM cellar {WORD}"), "C 250 ");
    does(&mut alice, &format!("DM bob {WORD}"), "C 250 ");
    does(&mut alice, "PM said in public", "C 250 ");
    server.term();
    let take = |server: &Server, names: &[&str], to: &str| {
        for name in names {
            let _ = fs::rename(server.path(name), server.path(&format!("{to}{name}")));
        }
    };
    let (accounts, history) = (["accounts"], ["history.db", "history.db-wal"]);
    // Old accounts, no history: a new one begins.
    take(&server, &history, "old-");
    server.restart();
    let mut client = back(&server, "alice");
    assert_eq!(items(&mut client, "HISTORY"), Vec::<String>::new());
    sees_nothing(&mut client, "alice", "cellar");
    does(&mut client, "PM new", "C 250 ");
    assert_eq!(texts(&mut client, "alice", "*"), ["new"]);
    server.term();
    // The old history, no accounts: all of its people are gone, and their names inherit nothing.
    for name in history {
        let _ = fs::remove_file(server.path(name));
        let _ = fs::rename(server.path(&format!("old-{name}")), server.path(name));
    }
    take(&server, &accounts, "old-");
    testkit::pause(1_100); // an account is dated by the second
    server.restart();
    for name in ["alice", "bob"] {
        let (client, answer) = server.register(name);
        assert!(answer.starts_with("C 230 "), "{answer:?}");
        drop(client);
        let mut client = back(&server, name);
        sees_nothing(&mut client, name, "cellar");
        for other in ["@alice", "@bob"] {
            if other[1..] != *name {
                assert_eq!(texts(&mut client, name, other), Vec::<String>::new());
            }
        }
        assert!(all(&mut client, name, "*").iter().any(|line| line.from == "-alice"), "public is public");
    }
    server.term();
    // Both old again: everything is back.
    fs::rename(server.path("old-accounts"), server.path("accounts")).expect("the old accounts");
    server.restart();
    let mut bob = server.greeted();
    bob.login_typed("bob");
    assert_eq!(texts(&mut bob, "bob", "cellar"), [WORD]);
    assert_eq!(texts(&mut bob, "bob", "@alice"), [WORD]);
    assert!(PASSWORD.len() >= 8);
}
