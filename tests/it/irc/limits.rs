//! Many clients, long lists, pipelined input, and clients that speak something else.

use std::io::Write as _;
use std::net::TcpStream;

use testkit::{Canary, Client, Server};

use super::client::{Irc, builder, in_anteroom, logged_in, server};
use crate::crowds;

/// People in one channel.
const PEOPLE: usize = 400;
/// How often all of them are listed.
const LISTS: usize = 100;
const IN_ANTEROOM: usize = 500;

/// Guests who came through the line door, each in the room `crowd`.
#[track_caller]
fn crowd(server: &Server, count: usize) -> Vec<Client> {
    let mut people: Vec<Client> = (0..count).map(|_| server.connect()).collect();
    let enter = |client: &mut Client, number: usize, command: &str| {
        client.send(&format!("~guest-with-a-long-name-{number}\n{command} crowd"));
    };
    let wait = |client: &mut Client| ["C 220 ", "C 230 ", "C 227 "].map(|answer| client.expect(answer));
    let (first, others) = people.split_first_mut().unwrap();
    enter(first, 0, "MAKE");
    wait(first); // the room is there
    for (number, client) in others.iter_mut().enumerate() {
        enter(client, number + 1, "JOIN");
    }
    others.iter_mut().for_each(|client| drop(wait(client)));
    people
}

/// The names in the lines of an answer to NAMES.
fn count(lines: &[String]) -> usize {
    let names = lines.iter().filter(|line| line.contains(" 353 ")).filter_map(|line| line.split_once(" #crowd :"));
    names.map(|(_, names)| names.split(' ').count()).sum()
}

#[test]
fn lists_for_who_reads_nothing_delay_nobody() {
    if !crowds::may_open(PEOPLE) {
        return;
    }
    let _turn = crowds::turn();
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0?guests=yes", "irc://127.0.0.1:0"])
        .set("history.file", "''")
        .set("limits.list_lines", "1000")
        .no_rates()
        .start();
    let people = crowd(&server, PEOPLE);
    let mut reader = logged_in(&server, "reader");
    reader.ask("JOIN #crowd", "366 reader #crowd");
    let canary = Canary::start(&server);
    // Each asks for all names many times at once, and reads nothing.
    let mut stopped = Vec::new();
    for (name, question) in [("one", "NAMES #crowd"), ("two", "WHO #crowd %tcuhnfar,7"), ("three", "WHO *")] {
        server.bare(name).barrier();
        let mut irc = Irc::of(Client::connect_narrow(server.door("irc")));
        irc.send_all(&[&format!("PASS :{name}:{}", testkit::PASSWORD), &format!("NICK {name}"), "USER x 0 * :x"]);
        irc.wait("366");
        irc.send(&format!("JOIN #crowd\r\n{question}\r\n{}", format!("{question}\r\n").repeat(LISTS)));
        stopped.push(irc);
    }
    canary.talks();
    // Who reads gets all of them meanwhile.
    let names = reader.ask("NAMES #crowd", "366 reader #crowd");
    let listed = count(&names);
    assert!(listed > PEOPLE, "{listed} names in {} lines", names.len());
    canary.finish("long lists of IRC");
    drop((people, stopped));
}

#[test]
fn no_more_names_than_configured() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0?guests=yes", "irc://127.0.0.1:0"])
        .set("irc.names", "5")
        .no_rates()
        .start();
    let people = crowd(&server, 9);
    let mut alice = logged_in(&server, "alice");
    alice.ask("JOIN #crowd", "366 alice #crowd");
    alice.heard();
    let lines = alice.ask("NAMES #crowd", "366 alice #crowd");
    assert_eq!(count(&lines), 5, "{lines:?}");
    assert!(lines.contains(&":chatd.local NOTICE alice :5 more are not listed".to_owned()), "{lines:?}");
    drop(people);
}

#[test]
fn five_hundred_in_the_anteroom_are_nobody() {
    if !crowds::may_open(IN_ANTEROOM) {
        return;
    }
    let _turn = crowds::turn();
    let server = server();
    let canary = Canary::start(&server);
    let mut waiting: Vec<Irc> = (0..IN_ANTEROOM).map(|_| Irc::connect(server.door("irc"))).collect();
    for (number, irc) in waiting.iter_mut().enumerate() {
        irc.greet(&format!("eve{number}"));
    }
    for irc in &mut waiting {
        irc.wait("221");
    }
    let mut alice = server.bare("alice");
    assert_eq!(alice.list("WHO"), ["alice", "canary1", "canary2", "3 online"]);
    let status = server.desk().ask("status");
    assert_eq!(status.value(0, "online"), "3");
    canary.talks();
    // Each may still come in.
    waiting[IN_ANTEROOM - 1].send("NS REGISTER correct-horse");
    waiting[IN_ANTEROOM - 1].wait(&format!(":eve{}!account@chatd.local JOIN &all", IN_ANTEROOM - 1));
    canary.finish("500 in the anteroom");
}

#[test]
fn who_does_not_log_in_is_closed() {
    let server = builder("irc://127.0.0.1:0").set("login.deadline_s", "1").start();
    let mut alice = logged_in(&server, "alice");
    let mut silent = Irc::connect(server.door("irc"));
    let mut waiting = in_anteroom(server.door("irc"), "eve");
    silent.expect_end("login took too long");
    waiting.expect_end("login took too long");
    alice.barrier();
}

#[test]
fn the_thirty_third_line_before_the_login() {
    let server = server();
    let mut eve = in_anteroom(server.door("irc"), "eve");
    for number in 3..=32 {
        eve.send(&format!("PING {number}"));
        eve.expect(&format!("PONG * :{number}"));
    }
    eve.send("PING 33");
    eve.expect_end("too many failures");
    // All at once.
    let mut eve = Irc::connect(server.door("irc"));
    eve.send_raw(&b"PING 1\r\n".repeat(40));
    for _ in 0..32 {
        eve.expect("PONG");
    }
    eve.expect_end("too many failures");
}

#[test]
fn answers_come_in_the_order_of_pipelined_lines() {
    let server = server();
    server.bare("alice").barrier();
    let mut irc = Irc::connect(server.door("irc"));
    // As senpai does it, and everything behind the password waits for its verdict.
    irc.send_raw(
        format!(
            "CAP LS 302\nCAP REQ :server-time\nCAP REQ :no-such\nCAP REQ :echo-message message-tags\nNICK alice\nUSER a 0 * :a\n\
             AUTHENTICATE PLAIN\nAUTHENTICATE {}\nCAP END\nJOIN #tea\nMODE #tea\nWHO #tea\nPRIVMSG #tea :hi\nPING end\n",
            data_encoding::BASE64.encode(format!("\0alice\0{}", testkit::PASSWORD).as_bytes())
        )
        .as_bytes(),
    );
    for pattern in [
        "CAP * LS",
        "CAP * ACK :server-time",
        "CAP * NAK :no-such",
        "CAP * ACK :echo-message message-tags",
        "AUTHENTICATE +",
        "900",
        "903",
        "001",
        "376",
        "221",
        "JOIN &all",
        "366 alice &all",
        "JOIN #tea",
        "353",
        "366 alice #tea",
        "324 alice #tea",
        "352",
        "315",
        "PRIVMSG #tea :hi",
        "PONG * :end",
    ] {
        irc.wait(pattern);
    }
    // A thousand lines in one write.
    let lines: String = (0..1_000).map(|number| format!("PING {number}\r\n")).collect();
    irc.send_raw(lines.as_bytes());
    for number in 0..1_000 {
        irc.expect(&format!("PONG * :{number}"));
    }
}

#[test]
fn what_is_no_client_of_irc_is_told_so() {
    let server = server();
    for hello in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"POST /x HTTP/1.0\r\n\r\n",
        b"CONNECT x:25 HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
    ] {
        let mut client = Client::connect(server.door("irc"));
        client.send_raw(hello);
        let told = client.expect_reset_or_closed();
        assert_eq!(told, "ERROR :Closing link: not a chat client\r\n", "{:?}", String::from_utf8_lossy(hello));
    }
    let mut client = Client::connect(server.door("irc"));
    client.send_raw(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
    assert_eq!(client.expect_reset_or_closed(), "ERROR :Closing link: not a chat client: a PROXY header\r\n");
    // Who comes to the line door with IRC is not told a channel.
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.write_all(b"NICK x\r\nUSER x 0 * :x\r\n").unwrap();
    let mut client = Client::from_stream(stream);
    client.expect("C 220 ");
    client.expect("C 553 ");
}
