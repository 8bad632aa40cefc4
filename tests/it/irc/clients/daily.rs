//! What people do every day, with each of the clients.

use testkit::{Client, Server};

use super::irssi::Irssi;
use super::weechat::Weechat;
use super::{Chat, served};

/// A server, and an account for the client: it logs in, it does not register.
#[track_caller]
fn place() -> (Server, Client) {
    let server = served().no_rates().start();
    server.bare("eve").op("EX");
    let mut bob = server.bare("bob");
    bob.op("MAKE lobby");
    bob.expect("C 227 lobby ");
    assert!(bob.ask("KEEP lobby").starts_with("C 2"));
    assert!(bob.ask("TOPIC lobby tea at four").starts_with("C 2"));
    (server, bob)
}

/// Reads lines up to this one.
#[track_caller]
fn reads(client: &mut Client, expected: &str) {
    while client.line() != expected {}
}

/// The client has connected and joins the lobby by its settings.
#[track_caller]
fn a_day<C: Chat>(server: &Server, mut bob: Client, mut client: C) {
    client.wait_entered("&all");
    client.wait_entered("#lobby");
    client.wait_shown("#lobby", "tea at four");
    reads(&mut bob, "C 103 lobby eve entered");

    // Talking.
    client.say("#lobby", "good morning");
    reads(&mut bob, "D RM lobby eve good morning");
    bob.op("RM lobby morning, eve");
    client.wait_shown("#lobby", "morning, eve");
    client.run("/msg bob psst");
    reads(&mut bob, "D DM eve psst");
    bob.op("DM eve what is it?");
    client.wait_shown("bob", "what is it?");
    client.say("#lobby", "/me waves");
    reads(&mut bob, "D RM lobby eve /me waves");
    bob.op("PM to everybody");
    client.wait_shown("&all", "to everybody");

    // Looking and being looked at.
    client.run("/away at lunch");
    testkit::eventually("she is away", || {
        client.attend();
        bob.list("WHOIS eve").iter().any(|line| line.contains("at lunch"))
    });
    client.run("/away");
    client.run("/whois bob");
    client.wait_shown("", "chatd.local");
    assert!(bob.ask("TOPIC lobby coffee at five").starts_with("C 2"));
    client.wait_shown("#lobby", "coffee at five");

    // A room of one's own.
    client.run("/join #den");
    client.wait_entered("#den");
    client.run("/topic #den the lair");
    client.run("/mode #den +k mellon");
    client.wait_shown("#den", "+k");
    client.run("/invite bob #den");
    reads(&mut bob, "C 111 den eve invites you");
    assert!(bob.ask("JOIN den").starts_with("C 5"), "it has a password");
    assert!(bob.ask("JOIN den mellon").starts_with("C 227 den "));
    client.run("/kick #den bob away with you");
    reads(&mut bob, "C 104 den bob left: kicked");
    client.wait_shown("#den", "away with you");
    client.run("/mode #den -k mellon");
    client.wait_shown("#den", "-k");
    assert!(bob.ask("JOIN den").starts_with("C 227 den "));
    client.run("/mode #den +o bob");
    reads(&mut bob, "C 107 den bob is host now");
    client.run("/part #den");
    reads(&mut bob, "C 104 den eve left");

    client.run("/quit good night");
    reads(&mut bob, "C 104 lobby eve left");
    client.expect_end();
    drop(server.returning("eve"));
}

#[test]
fn a_day_with_irssi() {
    let (server, bob) = place();
    let Some(irssi) = Irssi::connect(&server, "eve") else { return };
    a_day(&server, bob, irssi);
}

#[test]
fn a_day_with_weechat() {
    let (server, bob) = place();
    let Some(weechat) = Weechat::connect(&server, "eve") else { return };
    a_day(&server, bob, weechat);
}
