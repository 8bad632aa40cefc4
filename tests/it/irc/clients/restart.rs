//! Clients come back by themselves when the server is back.

use testkit::Server;

use super::irssi::Irssi;
use super::weechat::Weechat;
use super::{Chat, served, stop};

#[track_caller]
fn comes_back<C: Chat>(connect: impl FnOnce(&Server) -> Option<C>) {
    let mut server = served().no_rates().start();
    server.bare("eve").op("EX");
    let mut bob = server.bare("bob");
    bob.op("MAKE lobby");
    bob.expect("C 227 lobby ");
    assert!(bob.ask("KEEP lobby").starts_with("C 2"));
    let Some(mut client) = connect(&server) else { return };
    client.wait_entered("#lobby");
    stop(&mut server);
    client.wait_shown("", "shutting down");
    server.restart();
    let mut bob = server.returning("bob");
    assert!(bob.ask("JOIN lobby").starts_with("C 227 "));
    testkit::eventually("it is in the room again", || {
        client.attend();
        bob.ask("RM lobby welcome back") == "C 250 sent to 1"
    });
    client.wait_shown("#lobby", "welcome back");
    client.say("#lobby", "thanks");
    while bob.line() != "D RM lobby eve thanks" {}
}

#[test]
fn irssi_comes_back() {
    comes_back(|server| Irssi::connect(server, "eve"));
}

#[test]
fn weechat_comes_back() {
    comes_back(|server| Weechat::connect(server, "eve"));
}
