//! The bot of docs/irc.md, run unchanged.

use std::fs;

use testkit::Client;

use super::talker::Talker;
use super::{manual, served, stop};
use crate::room_client::program;

/// The next text that the bot says in the room or to this client.
#[track_caller]
fn answer(client: &mut Client) -> String {
    loop {
        let line = client.line();
        if line.starts_with("D ") && line.contains(" helper ") {
            return line;
        }
    }
}

#[test]
fn it_answers_and_comes_back() {
    let mut server = served().no_rates().start();
    let path = server.path("bot.py");
    fs::write(&path, program(&manual(), "### Bots\n")).expect("a file");
    server.bare("helper").op("EX");
    let mut alice = server.bare("alice");
    alice.op("MAKE lobby");
    alice.expect("C 227 lobby ");
    let cert = server.path("cert.pem");
    let Some(_bot) = Talker::run(&path, server.door("irc+tls"), ["helper", "#lobby"], &cert) else { return };
    alice.expect_exact("C 103 lobby helper entered");
    assert_eq!(alice.ask("RM lobby ping"), "C 250 sent to 1");
    assert_eq!(answer(&mut alice), "D RM lobby helper alice: pong");
    assert_eq!(alice.ask("DM helper ping"), "C 250 sent to helper");
    assert_eq!(answer(&mut alice), "D DM helper pong");
    stop(&mut server);
    server.restart();
    let mut alice = server.returning("alice");
    // Either of them makes the room.
    while !alice.ask("JOIN lobby").starts_with("C 227 ") {
        testkit::pause(50);
    }
    testkit::eventually("the bot is back", || alice.list("NAMES lobby").iter().any(|line| line.contains("helper")));
    alice.op("RM lobby ping");
    assert_eq!(answer(&mut alice), "D RM lobby helper alice: pong");
}
