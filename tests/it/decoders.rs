//! The twins of the fuzz targets: the server's decoders on arbitrary bytes. That of `frame` is in `client/tests`.

use std::fs;

use testkit::twin;

#[path = "../../fuzz/src/behind.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod behind;
#[path = "../../fuzz/src/http.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod http;
#[path = "../../fuzz/src/irc.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod irc;
#[path = "../../fuzz/src/operator.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod operator;
#[path = "../../fuzz/src/pieces.rs"]
mod pieces;
#[path = "../../fuzz/src/recall.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod recall;
#[path = "../../fuzz/src/server.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod server;
#[path = "../../fuzz/src/web.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod web;

/// Every fuzz target.
const TARGETS: [&str; 15] = [
    "line", "room", "relay", "http", "datagram", "accounts", "bans", "token", "config", "operator", "recall", "frame",
    "past", "web", "irc",
];

#[test]
fn lines() {
    twin::check("line", server::line);
}

#[test]
fn requests_of_rooms() {
    twin::check("room", server::room);
}

#[test]
fn relayed_messages() {
    twin::check("relay", server::relay);
}

#[test]
fn datagrams() {
    twin::check("datagram", server::datagram);
}

#[test]
fn account_files() {
    twin::check("accounts", server::accounts);
}

#[test]
fn lists_of_bans() {
    twin::check("bans", server::bans);
}

#[test]
fn resume_tokens() {
    twin::check("token", server::token);
}

#[test]
fn configurations() {
    twin::check("config", server::config);
}

#[test]
fn heads_of_http() {
    twin::check("http", http::http);
}

#[test]
fn lines_of_irc() {
    twin::check("irc", irc::irc);
}

#[test]
fn frames_of_browsers() {
    twin::check("web", web::web);
}

#[test]
fn commands_of_operators() {
    twin::check("operator", operator::operator);
}

#[test]
fn operations_on_the_past() {
    twin::check("recall", recall::recall);
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let programs = twin::fuzz().join("fuzz_targets");
    for target in TARGETS {
        assert!(programs.join(format!("{target}.rs")).is_file(), "{target}");
        assert!(twin::corpus(target).len() > 4, "{target}");
    }
    assert_eq!(fs::read_dir(programs).unwrap().count(), TARGETS.len());
}
