//! A stolen account: its owner, with the password, ends all other sessions, whatever they hold and whatever is under
//! way.

use std::net::{IpAddr, Ipv4Addr};

use testkit::rooms::{Peer, token_in};
use testkit::{Canary, Client, PASSWORD, Server, pause};

const NEW: &str = "battery staple";
const ENDED: &str = "password was changed";
const REPLACED: &str = "another login took this place";

/// A hash slow enough that others can do something meanwhile.
const DEAR: &str = "{ memory_kib = 19456, iterations = 20, parallelism = 1 }";

/// A resume token of this client's account.
#[track_caller]
fn token_of(client: &mut Client) -> String {
    let reply = client.ask("TOKEN");
    reply.strip_prefix("C 231 ").expect("231").split(' ').next().unwrap().to_owned()
}

/// Answers the name prompt with a token.
#[track_caller]
fn resume(server: &Server, name: &str, token: &str) -> (Client, String) {
    let mut client = server.greeted();
    client.send(&format!("{name} {token}"));
    let answer = client.line();
    (client, answer)
}

#[track_caller]
fn resumed(server: &Server, name: &str, token: &str) -> Client {
    let (client, answer) = resume(server, name, token);
    assert!(answer.starts_with("C 230 "), "{answer:?}");
    client
}

/// Runs PASSWD up to the prompt for the new password.
#[track_caller]
fn ask_to_change(client: &mut Client, old: &str) {
    client.send("PASSWD");
    client.expect("C 331 ");
    client.send(old);
    client.expect("C 332 ");
}

#[track_caller]
fn change(client: &mut Client, old: &str, new: &str) {
    ask_to_change(client, old);
    client.send(new);
    client.expect("C 200 ");
}

/// A login by password, and its answer.
#[track_caller]
fn by_password(server: &Server, name: &str, password: &str) -> (Client, String) {
    let mut client = server.greeted();
    client.send(name);
    client.expect("C 331 ");
    client.send(password);
    let answer = client.line();
    (client, answer)
}

#[test]
fn a_new_password_puts_the_other_sessions_out() {
    let server = Server::builder().no_rates().datagrams().start();
    let canary = Canary::start(&server);
    let mut owner = server.bare("alice");
    let stolen = token_of(&mut owner);
    let mut thieves: Vec<Client> = (0..3).map(|_| resumed(&server, "ALICE", &stolen)).collect();
    let of_thief = token_of(&mut thieves[2]);
    let mut bob = server.bare("bob");
    assert!(bob.ask("MAKE lobby").starts_with("C 227 "));
    let place = thieves[0].ask("JOIN lobby");
    let peer = Peer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), server.door("udp"), &token_in(&place));
    peer.say("I am alice");
    bob.expect_exact("C 103 lobby alice entered");
    bob.expect_exact("D RM lobby alice I am alice");
    // One session, stolen together with its password, is in the middle of a change of its own.
    ask_to_change(&mut thieves[1], PASSWORD);
    change(&mut owner, PASSWORD, NEW);
    for mut thief in thieves {
        thief.expect_421(ENDED);
    }
    assert!(server.wait_for_log(&format!("421 {ENDED}: alice from ")).contains("[INFO]"));
    // They have left their room, and send nothing to it any more.
    bob.expect_exact("C 104 lobby alice left");
    peer.say("I am still alice");
    // No earlier token is valid any more, but the owner stays and gets a valid one.
    for token in [&stolen, &of_thief] {
        assert!(resume(&server, "alice", token).1.starts_with("C 531 "));
    }
    assert_eq!(owner.list("WHO a"), ["alice", "1 online"]);
    resumed(&server, "alice", &token_of(&mut owner)).barrier();
    bob.barrier();
    canary.talks();
    canary.finish("an account that is taken back");
}

#[test]
fn stolen_sessions_do_not_lock_the_owner_out() {
    let server = Server::builder().no_rates().start();
    let canary = Canary::start(&server);
    let mut first = server.bare("alice");
    let stolen = token_of(&mut first);
    assert_eq!(first.ask("EX"), "C 221 bye");
    first.expect_closed();
    let mut thieves: Vec<Client> = (0..4).map(|_| resumed(&server, "alice", &stolen)).collect();
    let refused = |what: &str| {
        let (mut client, answer) = resume(&server, "alice", &stolen);
        assert_eq!(answer, "C 421 logged in 4 times already", "{what}");
        client.expect_closed();
    };
    refused("a token puts nobody out");
    // Each login by password replaces the oldest session.
    let mut owner = server.returning("alice");
    thieves.remove(0).expect_421(REPLACED);
    let second = server.returning("alice");
    thieves.remove(0).expect_421(REPLACED);
    assert!(server.wait_for_log(&format!("421 {REPLACED}: alice from ")).contains("[INFO]"));
    refused("nor does it get a place back");
    thieves.iter_mut().for_each(Client::barrier);
    change(&mut owner, PASSWORD, NEW);
    thieves.into_iter().chain([second]).for_each(|mut other| other.expect_421(ENDED));
    assert!(resume(&server, "alice", &stolen).1.starts_with("C 531 "));
    owner.barrier();
    canary.talks();
    canary.finish("an account that was held by others");
}

#[test]
fn a_wrong_password_puts_nobody_out() {
    let server = Server::start();
    let mut sessions: Vec<Client> = (0..4).map(|_| server.bare("alice")).collect();
    let (_wrong, answer) = by_password(&server, "alice", "not the password");
    assert!(answer.starts_with("C 530 "), "{answer:?}");
    sessions.iter_mut().for_each(Client::barrier);
}

#[test]
fn a_login_applies_a_lowered_session_bound() {
    let mut server = Server::start();
    let mut sessions: Vec<Client> = (0..4).map(|_| server.bare("alice")).collect();
    let config = std::fs::read_to_string(server.path("config.toml")).unwrap();
    let config = config.replace("[accounts]", "[accounts]\nsessions_per_account = 2");
    std::fs::write(server.path("config.toml"), config).unwrap();
    server.hup();
    server.wait_for_log("configuration re-read");
    // The reload itself closes no session.
    sessions.iter_mut().for_each(Client::barrier);
    let mut fifth = server.returning("alice");
    let mut last = sessions.pop().unwrap();
    sessions.into_iter().for_each(|mut older| older.expect_421(REPLACED));
    last.barrier();
    fifth.barrier();
    server.term();
}

/// A client that logs in with an old password or token while the new password is being hashed is logged out afterwards.
#[test]
fn logins_during_a_password_change_end_with_it() {
    let server = Server::builder().no_rates().set("accounts.argon2", DEAR).start();
    let canary = Canary::start(&server);
    let mut owner = server.bare("alice");
    let stolen = token_of(&mut owner);
    ask_to_change(&mut owner, PASSWORD);
    let mut witness = server.bare("bob");
    let ask = || {
        let mut client = server.greeted();
        client.send("alice");
        client.expect("C 331 ");
        client
    };
    let (mut before, mut behind) = (ask(), ask());
    for (client, line) in [(&mut before, PASSWORD), (&mut owner, NEW), (&mut behind, PASSWORD)] {
        client.send(line);
        witness.barrier(); // by then the server has read it
    }
    let (mut resumed, answer) = resume(&server, "alice", &stolen);
    owner.expect("C 200 ");
    if answer.starts_with("C 230 ") {
        resumed.expect_421(ENDED);
    } else {
        assert!(answer.starts_with("C 531 "), "{answer:?}");
    }
    before.expect("C 230 ");
    before.expect_421(ENDED);
    behind.expect("C 530 wrong password; ");
    assert_eq!(owner.list("WHO a"), ["alice", "1 online"]);
    canary.talks();
    canary.finish("a password that changes while others come in");
}

#[test]
fn of_two_who_change_it_at_once_one_stays() {
    let server = Server::builder().set("accounts.argon2", DEAR).start();
    let (mut quick, mut slow, mut witness) = (server.bare("alice"), server.bare("alice"), server.bare("bob"));
    for client in [&mut quick, &mut slow] {
        ask_to_change(client, PASSWORD);
    }
    quick.send(NEW);
    witness.barrier(); // by then the server has read the earlier lines
    slow.send("stolen staple");
    quick.expect("C 200 ");
    slow.expect_421(ENDED);
    assert!(by_password(&server, "alice", "stolen staple").1.starts_with("C 530 "));
    assert!(by_password(&server, "alice", NEW).1.starts_with("C 230 "));
    quick.barrier();
}

/// The change is made, and ends the other sessions, even though the session that asked for it is gone.
#[test]
fn a_change_holds_though_its_session_is_gone() {
    let server = Server::builder().set("accounts.argon2", DEAR).start();
    let mut thief = server.bare("alice");
    let mut tries = 0;
    loop {
        let mut owner = server.returning("alice");
        ask_to_change(&mut owner, PASSWORD);
        owner.send(NEW);
        pause(20);
        owner.reset();
        // It is answered after the change, unless the change had not begun when its session was gone: then there is
        // none.
        let (_again, answer) = by_password(&server, "alice", NEW);
        if answer.starts_with("C 230 ") {
            break;
        }
        tries += 1;
        assert!(tries < 20 && answer.starts_with("C 530 "), "{answer:?}");
        thief.barrier();
    }
    thief.expect_421(ENDED);
}

/// Each change adds a line to the account file, and costs two hashes.
#[test]
fn three_password_changes_in_ten_minutes() {
    let server = Server::builder().no_rates().start();
    let canary = Canary::start(&server);
    let mut alice = server.typed("alice");
    let passwords = [PASSWORD, "the second", "the third one", "the fourth one"];
    for pair in passwords.windows(2) {
        alice.send_raw(format!("C PASSWD\nD {}\nD {}\n", pair[0], pair[1]).as_bytes());
        alice.expect("C 331 ");
        alice.expect("C 332 ");
        alice.expect("C 200 ");
    }
    // Not in this session, nor in another one or from elsewhere; and there is no prompt.
    let mut again = by_password(&server, "ALICE", passwords[3]).0;
    for client in [&mut alice, &mut again] {
        let before = std::fs::read(server.path("accounts")).unwrap();
        for _ in 0..100 {
            let answer = client.ask("PASSWD");
            let (_, wait) = answer.strip_prefix("C 450 ").unwrap().split_once("try again in ").expect("how long");
            let seconds: u32 = wait.strip_suffix(" s").unwrap().parse().unwrap();
            assert!((500..=600).contains(&seconds), "{answer:?}");
        }
        client.barrier();
        assert!(std::fs::read(server.path("accounts")).unwrap() == before);
    }
    // A refused, wrong or cancelled change does not count, and other accounts are not affected.
    let mut bob = server.bare("bob");
    for _ in 0..5 {
        ask_to_change(&mut bob, PASSWORD);
        bob.send("");
        bob.expect_exact("C 200 cancelled");
    }
    change(&mut bob, PASSWORD, NEW);
    canary.talks();
    canary.finish("a password that is changed all the time");
}
