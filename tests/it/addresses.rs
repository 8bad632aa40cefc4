//! Limits per address. Loopback is exempt by default, but not in these tests.

use std::net::{IpAddr, Ipv4Addr};

mod penalties;

use testkit::{Builder, Client, PASSWORD, Server, eventually};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A server that does not exempt loopback.
fn strict() -> Builder {
    Server::builder().set("limits.include_loopback", "true")
}

/// A client from this address, and its first line.
#[track_caller]
fn knock(server: &Server, from: IpAddr) -> (Client, String) {
    let mut client = Client::connect_from(from, server.addr());
    let first = client.line();
    (client, first)
}

#[track_caller]
fn welcome(server: &Server, from: IpAddr) -> Client {
    let (client, first) = knock(server, from);
    assert!(first.starts_with("C 220 "), "{first:?}");
    client
}

#[track_caller]
fn refused(server: &Server, from: IpAddr, reason: &str) {
    let (mut client, first) = knock(server, from);
    assert_eq!(first, format!("C 421 {reason}"));
    client.expect_closed();
}

/// A penalised address is greeted, and refused at its first line.
#[track_caller]
fn barred(server: &Server, from: IpAddr, line: &str) {
    let mut client = welcome(server, from);
    client.send(line);
    client.expect_421("too many failures");
}

/// Fails at this address until it is penalised for half a minute, on a connection that stays. It may fail further.
#[track_caller]
fn guesser(server: &Server, from: IpAddr, name: &str) -> Client {
    let mut guesser = welcome(server, from);
    guesser.send(name);
    guesser.expect("C 331 ");
    for _ in 0..10 {
        guesser.send("wrong one");
        guesser.expect("C 530 wrong password; ");
    }
    guesser
}

/// A token to resume this account.
#[track_caller]
fn token(client: &mut Client) -> String {
    let told = client.ask("TOKEN");
    let token = told.strip_prefix("C 231 ").and_then(|rest| rest.split(' ').next());
    token.expect("a token").to_owned()
}

#[test]
fn an_address_has_so_many_connections_at_once() {
    let server = strict().set("limits.per_address", "3").set("limits.new_per_address", "1000").start();
    let mut inside: Vec<Client> = (0..3).map(|_| welcome(&server, HOME)).collect();
    for _ in 0..3 {
        refused(&server, HOME, "too many from your address");
    }
    server.wait_for_log("421 too many from your address: 127.0.0.1 was not let in");
    let mut other = welcome(&server, ELSEWHERE);
    other.login_bare("other");
    drop(inside.pop());
    eventually("a place is free", || {
        let (client, first) = knock(&server, HOME);
        inside.push(client);
        first.starts_with("C 220 ")
    });
    refused(&server, HOME, "too many from your address");
    inside[0].login_bare("alice");
    assert_eq!(other.ask("DM alice hello"), "C 250 sent to alice");
}

#[test]
fn an_address_makes_so_many_new_connections() {
    let server = strict().set("limits.new_per_address", "5").start();
    let mut first = welcome(&server, HOME);
    for _ in 0..4 {
        drop(welcome(&server, HOME));
    }
    refused(&server, HOME, "too many from your address");
    refused(&server, HOME, "too many from your address");
    let mut other = welcome(&server, ELSEWHERE);
    other.login_bare("other");
    first.login_bare("alice");
    assert_eq!(first.list("WHO").last().unwrap(), "2 online");
}

#[test]
fn a_login_gives_its_price_back() {
    let server = strict().set("limits.new_per_address", "5").start();
    // By password and by token, far more often than a client without a login may connect.
    let mut alice = welcome(&server, HOME);
    alice.login_bare("alice");
    let token = token(&mut alice);
    for round in 0..20 {
        let mut again = welcome(&server, HOME);
        if round % 4 == 0 {
            again.login_bare("alice");
        } else {
            again.send(&format!("alice {token}"));
            again.expect("C 230 ");
        }
        assert_eq!(again.ask("EX"), "C 221 bye");
    }
    // Nothing has piled up: silent connections count as before.
    for _ in 0..5 {
        welcome(&server, HOME);
    }
    refused(&server, HOME, "too many from your address");
}

#[test]
fn an_address_does_not_make_accounts_without_end() {
    let server = strict().set("limits.new_per_address", "5").start();
    // Five get their cost refunded, and five more connections can use it.
    for n in 0..10 {
        let mut new = welcome(&server, HOME);
        new.login_bare(&format!("new{n}"));
        assert_eq!(new.ask("EX"), "C 221 bye");
    }
    refused(&server, HOME, "too many from your address");
    welcome(&server, ELSEWHERE).login_bare("neighbour");
}

#[test]
fn a_barred_right_password_gets_no_refund() {
    let server = strict().set("limits.new_per_address", "5").set("accounts.sessions_per_account", "1").start();
    let mut alice = welcome(&server, HOME);
    alice.login_bare("alice");
    let token = token(&mut alice);
    for _ in 0..5 {
        let mut again = welcome(&server, HOME);
        again.send(&format!("alice {token}"));
        again.expect_421("logged in 1 times already");
    }
    refused(&server, HOME, "too many from your address");
    alice.barrier();
}

#[test]
fn loopback_is_exempt_by_default() {
    let server = Server::builder().set("limits.per_address", "1").set("limits.new_per_address", "1").start();
    let clients: Vec<Client> = (0..10).map(|_| welcome(&server, HOME)).collect();
    drop(clients);
    welcome(&server, ELSEWHERE).login_bare("alice");
}

#[test]
fn failures_count_for_their_address_only() {
    let server = strict().set("login.failures", "100").start();
    let mut alice = welcome(&server, ELSEWHERE);
    alice.login_bare("alice");
    let mut guesser = guesser(&server, HOME, "alice");
    for _ in 0..3 {
        barred(&server, HOME, "alice");
    }
    server.wait_for_log("421 too many failures: nobody from 127.0.0.1");
    // A logged-in session stays, the account is not locked, and other addresses are not affected.
    guesser.send(PASSWORD);
    guesser.expect("C 230 ");
    welcome(&server, ELSEWHERE).login_bare("alice");
    alice.barrier();
}

#[test]
fn refused_tokens_count_for_their_address_only() {
    let server = strict().set("login.failures", "100").start();
    let mut alice = welcome(&server, ELSEWHERE);
    alice.login_bare("alice");
    let mut guesser = welcome(&server, HOME);
    for _ in 0..5 {
        guesser.send("alice t1.nonsense");
        guesser.expect_exact("C 531 token refused; your password?");
        guesser.send("");
        guesser.expect_exact("C 200 cancelled; your name?");
    }
    for _ in 0..3 {
        barred(&server, HOME, "alice");
    }
    server.wait_for_log("421 too many failures: nobody from 127.0.0.1");
    // Neither the account nor another address is affected.
    let token = token(&mut alice);
    let mut again = welcome(&server, ELSEWHERE);
    again.send(&format!("alice {token}"));
    again.expect("C 230 ");
    alice.barrier();
}

#[test]
fn penalties_can_be_switched_off() {
    let server = strict().set("login.failures", "100").set("login.penalties", "false").start();
    welcome(&server, HOME).login_bare("alice");
    let mut guesser = welcome(&server, HOME);
    guesser.send("alice");
    guesser.expect("C 331 ");
    for _ in 0..5 {
        guesser.send("wrong one");
        guesser.expect("C 530 ");
    }
    welcome(&server, HOME).login_bare("alice");
}

#[test]
fn too_many_silent_ones_are_shed() {
    let server = strict()
        .set("limits.silent", "2")
        .set("limits.silent_most", "4")
        .set("limits.per_address", "1000")
        .set("limits.new_per_address", "10000")
        .start();
    let mut silent = Vec::new();
    // Two are always accepted, a third and a fourth by chance, and none after them.
    for attempt in 0..300 {
        let (mut client, first) = knock(&server, HOME);
        if first.starts_with("C 220 ") {
            silent.push(client);
        } else {
            assert!(attempt >= 2, "a silent one was refused among the first two");
            assert_eq!(first, "C 421 server full");
            client.expect_closed();
        }
    }
    assert_eq!(silent.len(), 4);
    // A client that has sent a line is no longer silent, and makes room for others.
    for client in &mut silent {
        client.send("somebody");
        client.expect("C 332 ");
    }
    let mut more = [welcome(&server, HOME), welcome(&server, HOME)];
    more[1].login_bare("alice");
    silent[0].send(PASSWORD);
    silent[0].expect("C 230 ");
    // A silent one that leaves makes room, too.
    drop(more);
    eventually("room for two", || knock(&server, HOME).1.starts_with("C 220 "));
}

#[test]
fn silent_loopback_connections_do_not_count() {
    let server = Server::builder().set("limits.silent", "1").set("limits.silent_most", "2").start();
    let clients: Vec<Client> = (0..20).map(|_| welcome(&server, HOME)).collect();
    drop(clients);
}
