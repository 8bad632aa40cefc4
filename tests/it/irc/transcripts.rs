//! Clients that no test can start: what they send, line by line.

use testkit::Server;

use crate::irc::client::{Irc, tag};

/// `alice\0alice\0correct horse`, in base64.
const ALICE: &str = "YWxpY2UAYWxpY2UAY29ycmVjdCBob3JzZQ==";

/// What senpai asks for before it knows what there is: each alone, and not all of it exists here.
const SENPAI_ASKS: [(&str, bool); 15] = [
    ("batch", true),
    ("cap-notify", true),
    ("echo-message", true),
    ("labeled-response", true),
    ("message-tags", true),
    ("multi-prefix", true),
    ("sasl", true),
    ("server-time", true),
    ("standard-replies", true),
    ("draft/chathistory", true),
    ("draft/event-playback", false),
    ("draft/metadata-2", false),
    ("draft/read-marker", true),
    ("soju.im/bouncer-networks-notify", false),
    ("soju.im/bouncer-networks", false),
];

/// A kept room in which alice has said something, and its server. The rates are those of the defaults.
#[track_caller]
fn place() -> Server {
    let server = Server::builder().listen(&["line://127.0.0.1:0", "irc://127.0.0.1:0"]).start();
    let mut alice = server.bare("alice");
    for command in ["MAKE lobby", "KEEP lobby", "TOPIC lobby tea", "RM lobby one", "RM lobby two", "LEAVE lobby"] {
        assert!(alice.ask(command).starts_with("C 2"), "{command}");
    }
    server
}

/// senpai sends all of this at once, before it has read anything.
#[test]
fn senpai() {
    let server = place();
    let mut senpai = Irc::connect(server.door("irc"));
    let mut lines = vec!["CAP LS 302".to_owned()];
    lines.extend(SENPAI_ASKS.iter().map(|(name, _)| format!("CAP REQ {name}")));
    let rest = ["NICK alice", "USER alice 0 * :alice", "AUTHENTICATE PLAIN"].map(str::to_owned);
    lines.extend(rest);
    lines.push(format!("AUTHENTICATE {ALICE}"));
    lines.extend(["METADATA * SUB soju.im/pinned soju.im/muted", "CAP END", "BOUNCER LISTNETWORKS"].map(str::to_owned));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    senpai.send_all(&lines);
    while senpai.expect("CAP * LS").contains(" LS * ") {}
    for (name, exists) in SENPAI_ASKS {
        let verb = if exists { "ACK" } else { "NAK" };
        senpai.expect(&format!("CAP * {verb} :{name}"));
    }
    senpai.expect("AUTHENTICATE +");
    senpai.expect("900 alice");
    senpai.expect("903 alice");
    senpai.expect("451 alice");
    senpai.expect("001 alice");
    senpai.wait("366 alice &all");
    senpai.expect("421 alice BOUNCER");
    // Its settings say to join; what it asks next it asks at the echo of that.
    senpai.send("JOIN #lobby");
    senpai.expect(":alice!account@* JOIN #lobby");
    senpai.send_all(&["WHO #lobby %uhnf", "MARKREAD #lobby", "CHATHISTORY LATEST #lobby * 50"]);
    senpai.wait("332 alice #lobby :tea");
    senpai.wait("366 alice #lobby");
    senpai.wait("354 alice account * alice H@");
    senpai.expect("315 alice #lobby");
    senpai.wait("MARKREAD #lobby");
    let batch = senpai.expect("BATCH * chathistory #lobby");
    let reference = batch.rsplit(' ').nth(2).expect("a reference").trim_start_matches('+').to_owned();
    for text in ["one", "two"] {
        let line = senpai.expect(&format!(":alice!account@* PRIVMSG #lobby :{text}"));
        assert_eq!(tag(&line, "batch"), Some(reference.as_str()), "{line}");
        assert!(tag(&line, "time").is_some() && tag(&line, "msgid").is_some(), "{line}");
    }
    senpai.expect(&format!("BATCH -{reference}"));
    senpai.send("CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 50");
    senpai.expect("BATCH * draft/chathistory-targets");
    senpai.expect("CHATHISTORY TARGETS #lobby");
    senpai.wait("BATCH");
    senpai.send("@label=1 PRIVMSG #lobby three");
    let echo = senpai.expect(":alice!account@* PRIVMSG #lobby :three");
    assert_eq!(tag(&echo, "label"), Some("1"));
    senpai.barrier();
}

/// The old kind of client: PASS, NICK, USER, and not a word of capabilities.
#[test]
fn clients_that_know_no_capability() {
    let server = place();
    for pass in ["PASS :correct horse", "PASS :alice:correct horse"] {
        let mut old = Irc::connect(server.door("irc"));
        old.send_all(&[pass, "NICK alice", "USER alice localhost 127.0.0.1 :Alice", "JOIN #lobby"]);
        old.expect("001 alice");
        old.wait("376 alice");
        let lines = old.until("366 alice #lobby");
        assert!(lines.iter().all(|line| !line.starts_with('@')), "no tags: {lines:?}");
        old.send("QUIT :bye");
        old.expect_end("bye");
    }
}
