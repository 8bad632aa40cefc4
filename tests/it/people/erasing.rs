//! FORGET.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use testkit::{Client, Server, eventually};

use super::{begins, delete, files_with, heard, id_of, keep, says, twice};

/// A word that only what is erased has.
const WORD: &str = "xylophone";

/// A client with typed frames that is told of ids and of what is erased.
#[track_caller]
fn wanting(server: &Server, name: &str) -> Client {
    let mut client = server.typed(name);
    says(&mut client, "WANT ids forgets", "C 200 ids forgets");
    client
}

/// The notices of what was erased.
#[track_caller]
fn notices(client: &mut Client) -> Vec<String> {
    heard(client).into_iter().filter(|line| line.starts_with("C 109 ")).collect()
}

/// No way of asking gives anything with the word.
#[track_caller]
fn finds_nothing(client: &mut Client) {
    for command in ["HISTORY 200", "HISTORY after 1 200", "MISSED"] {
        let lines = client.list(command);
        // The hole of a kill is none of what was erased.
        let is_hole = |line: &String| line.contains(" server g ") && !line.ends_with(" did not end properly");
        assert!(!lines.iter().any(|line| line.contains(WORD) || is_hole(line)), "{command}: {lines:?}");
    }
    assert_eq!(client.list(&format!("SEARCH {WORD}")).len(), 1);
}

#[test]
fn a_line_is_gone_for_everybody_and_from_every_file() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut eve) = (wanting(&server, "alice"), wanting(&server, "bob"), wanting(&server, "eve"));
    let (mut plain, mut bare) = (server.typed("bob"), server.bare("bob"));
    server.typed("dave").barrier();
    keep(&mut alice, "lobby");
    begins(&mut bob, "JOIN lobby", "C 227 ");
    let public = id_of(&mut alice, &format!("PM bob, {WORD} everybody"));
    let room = id_of(&mut alice, &format!("RM lobby bob, {WORD} room"));
    let direct = id_of(&mut alice, &format!("DM bob {WORD} direct"));
    let absent = id_of(&mut alice, &format!("DM dave {WORD} kept"));
    eventually("it is on disk", || bob.list(&format!("SEARCH {WORD}")).len() == 4);
    for client in [&mut bob, &mut eve, &mut plain, &mut bare] {
        assert_eq!(notices(client), [""; 0]);
    }
    // The newest, without an id; then by id.
    says(&mut alice, "FORGET", &format!("C 200 forgot {absent} in @dave"));
    for (id, place, shown) in [(&direct, "@bob", "@alice"), (&room, "lobby", "lobby"), (&public, "*", "*")] {
        says(&mut alice, &format!("FORGET {id}"), &format!("C 200 forgot {id} in {place}"));
        assert_eq!(notices(&mut bob), [format!("C 109 {shown} {id}")]);
        let expected = if place == "*" { vec![format!("C 109 * {id}")] } else { Vec::new() };
        assert_eq!(notices(&mut eve), expected);
        begins(&mut alice, &format!("FORGET {id}"), "C 550 ");
    }
    for client in [&mut alice, &mut plain, &mut bare] {
        assert_eq!(notices(client), [""; 0], "the one who asked, and those that do not want it");
    }
    assert_eq!(files_with(&server, WORD), [""; 0]);
    twice(&mut server, |server| {
        for name in ["alice", "bob", "eve", "dave"] {
            let mut client = server.typed(name);
            let counts = client.list("UNREAD");
            assert!(counts.iter().all(|line| line.split(' ').nth(2).is_none_or(|n| n != "1")), "{name}: {counts:?}");
            finds_nothing(&mut client);
        }
        assert_eq!(files_with(server, WORD), [""; 0]);
    });
}

#[test]
fn what_one_may_not_forget() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut eve) = (wanting(&server, "alice"), wanting(&server, "bob"), wanting(&server, "eve"));
    begins(&mut eve, "FORGET", "C 550 ");
    keep(&mut alice, "lobby");
    begins(&mut bob, "JOIN lobby", "C 227 ");
    let public = id_of(&mut alice, "PM public");
    let host = id_of(&mut alice, "RM lobby of the host");
    let guest = id_of(&mut bob, "RM lobby of a member");
    let direct = id_of(&mut alice, "DM bob direct");
    for (who, id, code) in [
        ("bob", &public, "C 554 "),
        ("eve", &public, "C 554 "),
        ("bob", &host, "C 554 "),
        ("eve", &host, "C 550 "),
        ("bob", &direct, "C 554 "),
        ("eve", &direct, "C 550 "),
    ] {
        let client = if who == "bob" { &mut bob } else { &mut eve };
        begins(client, &format!("FORGET {id}"), code);
        begins(client, &format!("FORGET {id}"), code);
    }
    for id in ["1", "0", "18446744073709551615"] {
        begins(&mut eve, &format!("FORGET {id}"), "C 550 ");
    }
    for command in ["FORGET everything", "FORGET 1 2", "FORGET -1", "FORGET all all"] {
        begins(&mut eve, command, "C 501 ");
    }
    for client in [&mut alice, &mut bob, &mut eve] {
        assert_eq!(notices(client), [""; 0]);
    }
    // The owner of a room may erase any line there, and one's own goes also after one has left.
    let own = id_of(&mut bob, "RM lobby another of a member");
    says(&mut alice, &format!("FORGET {guest}"), &format!("C 200 forgot {guest} in lobby"));
    begins(&mut bob, "LEAVE lobby", "C 200");
    begins(&mut bob, &format!("FORGET {host}"), "C 550 ");
    says(&mut bob, &format!("FORGET {own}"), &format!("C 200 forgot {own} in lobby"));
    assert_eq!(notices(&mut alice), [format!("C 109 lobby {own}")]);
    let lines = alice.list("HISTORY lobby");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with(" of the host"));
}

#[test]
fn all_of_an_account_in_every_place() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut eve) = (wanting(&server, "alice"), wanting(&server, "bob"), wanting(&server, "eve"));
    keep(&mut bob, "lobby");
    begins(&mut alice, "JOIN lobby", "C 227 ");
    for number in 0..150 {
        begins(&mut alice, &format!("PM {WORD} {number}"), "C 250 ");
        begins(&mut alice, &format!("RM lobby {WORD} {number}"), "C 250 ");
    }
    begins(&mut alice, &format!("DM bob {WORD}"), "C 250 ");
    begins(&mut bob, "DM alice an answer", "C 250 ");
    begins(&mut bob, "PM of bob", "C 250 ");
    begins(&mut alice, "LEAVE lobby", "C 200");
    heard(&mut bob);
    heard(&mut eve);
    says(&mut alice, "FORGET all", "C 200 forgot 301 lines");
    let mut told = notices(&mut bob);
    told.sort();
    assert_eq!(told, ["C 109 * all alice", "C 109 @alice all alice", "C 109 lobby all alice"]);
    assert_eq!(notices(&mut eve), ["C 109 * all alice"]);
    assert_eq!(files_with(&server, WORD), [""; 0]);
    begins(&mut alice, "FORGET all", "C 450 ");
    twice(&mut server, |server| {
        for name in ["alice", "bob", "eve"] {
            finds_nothing(&mut server.typed(name));
        }
        let lines = server.typed("bob").list("HISTORY");
        let texts: Vec<&String> = lines.iter().filter(|line| line.contains(" bob - ")).collect();
        assert_eq!(texts.len(), 2, "what bob said is there: {lines:?}");
    });
}

#[test]
fn six_a_minute_are_forgotten() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut twin) = (wanting(&server, "alice"), wanting(&server, "alice"));
    let ids: Vec<String> = (0..8).map(|number| id_of(&mut alice, &format!("PM {number}"))).collect();
    // What is refused costs nothing.
    (0..10).for_each(|_| _ = begins(&mut alice, "FORGET 5", "C 550 "));
    for id in &ids[..6] {
        begins(&mut alice, &format!("FORGET {id}"), "C 200 ");
    }
    begins(&mut alice, &format!("FORGET {}", ids[6]), "C 450 ");
    begins(&mut twin, &format!("FORGET {}", ids[6]), "C 450 ");
    assert_eq!(alice.list("HISTORY").len(), 3);
    begins(&mut server.typed("bob"), "FORGET", "C 550 ");
}

#[test]
fn nothing_is_kept_and_so_nothing_is_set() {
    let server = Server::builder().set("history.file", "\"\"").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    for command in ["SET", "SET name x", "IGNORE", "IGNORE bob", "NOTIFY * all", "FORGET", "FORGET all"] {
        says(&mut alice, command, "C 554 nothing is kept here");
    }
    says(&mut alice, "WATCH bob", "C 200 bob is online");
    says(&mut bob, "AWAY lunch", "C 200 you are away: lunch");
    alice.expect_exact("C 101 bob away lunch");
    let lines = alice.list("WHOIS bob");
    assert_eq!((lines.len(), &lines[0][..], &lines[4][..]), (5, "sessions 1", "bob"), "{lines:?}");
    assert_eq!(lines[3], "away lunch");
}

#[test]
fn an_account_registered_anew_erases_nothing_of_the_one_before() {
    let mut server = Server::builder().no_rates().start();
    let mut alice = wanting(&server, "alice");
    keep(&mut alice, "lobby");
    let (public, room) = (id_of(&mut alice, "PM of the first"), id_of(&mut alice, "RM lobby of the first"));
    drop(alice);
    delete(&server, "alice");
    server.typed("alice").barrier();
    twice(&mut server, |server| {
        let mut alice = wanting(server, "alice");
        begins(&mut alice, "FORGET", "C 550 ");
        begins(&mut alice, &format!("FORGET {public}"), "C 554 ");
        begins(&mut alice, &format!("FORGET {room}"), "C 550 ");
    });
    let (mut alice, mut bob) = (wanting(&server, "alice"), wanting(&server, "bob"));
    begins(&mut alice, "FORGET all", "C 200 forgot 0 lines");
    assert!(bob.list("HISTORY").iter().any(|line| line.ends_with(" of the first")));
    // What is said afterwards is there.
    begins(&mut alice, "PM of the second", "C 250 ");
    assert!(bob.list("HISTORY").iter().any(|line| line.ends_with(" alice - of the second")));
}

#[test]
fn a_reader_of_the_file_is_told_of_and_waited_for() {
    let server = Server::builder().no_rates().start();
    let mut alice = wanting(&server, "alice");
    let id = id_of(&mut alice, &format!("PM {WORD}"));
    eventually("it is on disk", || alice.list(&format!("SEARCH {WORD}")).len() == 2);
    let code = "import sqlite3, sys\n\
                db = sqlite3.connect('history.db', isolation_level=None)\n\
                db.execute('BEGIN')\n\
                print(db.execute('SELECT count(*) FROM message').fetchone()[0], flush=True)\n\
                sys.stdin.read()";
    let mut python = Command::new("python3");
    let python = python.args(["-c", code]).current_dir(server.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut reader) = python.spawn() else { return eprintln!("skipped: there is no python3 here") };
    let mut count = String::new();
    BufReader::new(reader.stdout.take().expect("its output")).read_line(&mut count).expect("a line");
    assert_eq!(count, "1\n");
    let told = alice.ask(&format!("FORGET {id}"));
    drop(reader.stdin.take());
    reader.wait().expect("it ends");
    assert_eq!(told, "C 200 forgotten; on disk until a reader has ended");
    finds_nothing(&mut alice);
    eventually("no file has it", || files_with(&server, WORD).is_empty());
}

#[test]
fn somebody_who_was_away_has_missed_nothing_of_it() {
    let server = Server::builder().no_rates().start();
    let (mut alice, dave) = (wanting(&server, "alice"), server.bare("dave"));
    drop(dave);
    eventually("dave is away", || !alice.list("WHO").contains(&"dave".to_owned()));
    let kept = id_of(&mut alice, &format!("DM dave {WORD}"));
    let public = id_of(&mut alice, &format!("PM dave, {WORD}"));
    for id in [kept, public] {
        begins(&mut alice, &format!("FORGET {id}"), "C 200 forgot ");
    }
    let mut dave = server.bare("dave");
    assert_eq!(heard(&mut dave), [""; 0], "no 110");
    assert_eq!(dave.list("MISSED"), ["0 messages"]);
    finds_nothing(&mut dave);
    // It does not count towards what may wait for him.
    assert!(begins(&mut alice, "DM dave hello", "C 250 sent to dave").contains(" id="));
    dave.expect_exact("D DM alice hello");
}
