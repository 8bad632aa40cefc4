//! Messages: PM, DM, ids, order.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use testkit::{Client, Server};

/// Splits a typed message `D KIND ID FROM TEXT` into its id and the rest.
#[track_caller]
fn typed_message(client: &mut Client) -> (u64, String) {
    let line = client.line();
    let (kind, rest) = line.split_at(5);
    let (id, rest) = rest.split_once(' ').expect("an id and more");
    assert!(id.bytes().all(|b| b.is_ascii_digit()), "{line:?}");
    (id.parse().expect("a 64-bit decimal"), format!("{kind}{rest}"))
}

#[test]
fn pm_reaches_every_other_session() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    assert_eq!(alice.ask("PM anybody?"), "C 250 sent to 0");
    let mut alice_again = server.typed("alice");
    let mut bob = server.bare("bob");
    let mut carol = server.typed("carol");
    alice.send("PM hello all");
    alice.expect_exact("C 250 sent to 3");
    bob.expect_exact("D PM alice hello all");
    assert_eq!(typed_message(&mut alice_again).1, "D PM alice hello all");
    assert_eq!(typed_message(&mut carol).1, "D PM alice hello all");
    for client in [&mut alice, &mut alice_again, &mut bob, &mut carol] {
        client.barrier();
    }
}

#[test]
fn pm_in_two_steps() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("PM");
    alice.expect_exact("C 354 your message?");
    alice.send("EX");
    alice.expect_exact("C 250 sent to 1");
    bob.expect_exact("D PM alice EX");
    alice.barrier();
}

#[test]
fn dm_in_one_line_reaches_one_account() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.bare("bob"), server.bare("carol"));
    alice.send("DM bob psst");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice psst");
    alice.send("dm   BOB   more words ");
    alice.expect("C 250 sent to ");
    bob.expect_exact("D DM alice more words ");
    carol.barrier();
    alice.barrier();
}

#[test]
fn dm_reaches_all_sessions_of_an_account() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let (mut one, mut two, mut three) = (server.bare("bob"), server.bare("bob"), server.typed("bob"));
    assert_eq!(alice.ask("DM bob psst"), "C 250 sent to bob");
    one.expect_exact("D DM alice psst");
    two.expect_exact("D DM alice psst");
    assert_eq!(typed_message(&mut three).1, "D DM alice psst");
}

#[test]
fn dm_with_a_name_asks_for_the_message() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("DM bob");
    alice.expect("C 354 ");
    alice.send("two words");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice two words");
}

#[test]
fn dm_alone_lists_who_is_there_and_asks() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("DM");
    alice.expect_all(&["C 211-alice", "C 211-bob", "C 211 2 online", "C 350 name and message?"]);
    alice.send("bob hello there");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice hello there");
    alice.send("DM");
    alice.expect_all(&["C 211-alice", "C 211-bob", "C 211 2 online", "C 350 name and message?"]);
    alice.send("bob");
    alice.expect("C 354 ");
    alice.send("hello again");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice hello again");
}

#[test]
fn dm_alone_in_the_typed_dialect() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    alice.send("C DM");
    alice.expect_all(&["C 211-alice", "C 211-bob", "C 211 2 online", "C 350 name and message?"]);
    alice.send("D bob");
    alice.expect("C 354 ");
    alice.send("D hello");
    alice.expect_exact("C 250 sent to bob");
    assert_eq!(typed_message(&mut bob).1, "D DM alice hello");
}

#[test]
fn dm_to_an_absent_user_ends_the_dialogue() {
    let server = Server::builder().set("history.file", "''").start();
    let mut alice = server.bare("alice");
    let mut gone = server.bare("bob");
    assert_eq!(gone.ask("EX"), "C 221 bye");
    gone.expect_closed();
    for line in ["DM bob", "DM bob psst"] {
        alice.send(line);
        alice.expect_exact("C 550 bob is not online");
        alice.barrier();
    }
    for (answer, last) in [("bob psst", "C 550 bob is not online"), ("bob", "C 550 bob is not online")] {
        alice.send("DM");
        alice.expect_all(&["C 211-alice", "C 211 1 online", "C 350 name and message?"]);
        alice.send(answer);
        alice.expect_exact(last);
        alice.barrier();
    }
}

#[test]
fn dm_to_a_user_who_leaves_meanwhile() {
    let server = Server::builder().set("history.file", "''").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("DM bob");
    alice.expect("C 354 ");
    assert_eq!(bob.ask("EX"), "C 221 bye");
    bob.expect_closed();
    alice.send("are you there?");
    alice.expect_exact("C 550 bob is not online");
    alice.barrier();
}

#[test]
fn dm_to_oneself_goes_to_ones_other_sessions() {
    let server = Server::start();
    let mut here = server.bare("alice");
    here.send("DM alice note");
    here.expect("C 550 ");
    let mut there = server.bare("alice");
    here.send("DM alice note");
    here.expect_exact("C 250 sent to alice");
    there.expect_exact("D DM alice note");
    here.barrier();
}

#[test]
fn text_is_kept_as_it_is() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    for text in [
        "a  b",
        "trailing  \u{a0} ",
        "\u{3000}indented",
        "C 250 sent to 9",
        "D PM bob forged",
        "äöü 漢字 👩‍👩‍👧 \u{200d}",
        ".",
    ] {
        alice.send(&format!("PM    {text}"));
        alice.expect_exact("C 250 sent to 1");
        assert_eq!(typed_message(&mut bob).1, format!("D PM alice {text}"));
        bob.send(&format!("C pM  {text}"));
        bob.expect_exact("C 250 sent to 1");
        alice.expect_exact(&format!("D PM bob {text}"));
        bob.send("C PM");
        bob.expect("C 354 ");
        bob.send(&format!("D {text}"));
        bob.expect_exact("C 250 sent to 1");
        alice.expect_exact(&format!("D PM bob {text}"));
    }
}

#[test]
fn ids_rise_and_tell_the_time() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut carol) = (server.typed("alice"), server.typed("bob"), server.typed("carol"));
    let mut last = 0;
    for n in 0..50 {
        alice.typed(&format!("PM {n}"));
        let (id, text) = typed_message(&mut bob);
        assert_eq!(text, format!("D PM alice {n}"));
        assert_eq!(typed_message(&mut carol), (id, text));
        assert!(id > last, "{id} after {last}");
        bob.typed(&format!("DM carol {n}"));
        let (dm, _) = typed_message(&mut carol);
        assert!(dm > id, "{dm} after {id}");
        last = dm;
        bob.expect_exact("C 250 sent to carol");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let told = u128::from(last >> 20);
    assert!(told.abs_diff(now) < 60_000, "id says {told}, the clock {now}");
}

#[test]
fn one_senders_lines_keep_their_order() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.bare("bob");
    // They stay until all is sent: an earlier end would change the other's count.
    let mut senders = ["alice", "carol"].map(|name| server.bare(name));
    let said: String = (0..200).map(|n| format!("PM {n}\n")).collect();
    thread::scope(|scope| {
        for client in &mut senders {
            let said = said.as_bytes();
            scope.spawn(move || {
                client.send_raw(said);
                for _ in 0..200 {
                    assert_eq!(client.reply(), "C 250 sent to 2");
                }
            });
        }
        let mut heard = [0, 0];
        for _ in 0..400 {
            let line = bob.line();
            let (name, n) = line.strip_prefix("D PM ").unwrap().split_once(' ').unwrap();
            let count = &mut heard[usize::from(name == "carol")];
            assert_eq!(n.parse::<i32>().unwrap(), *count, "of {name}");
            *count += 1;
        }
        assert_eq!(heard, [200, 200]);
    });
}
