//! What a client may do before it is in, how fast, and how its connection ends.

use super::{Irc, USER, commands};
use crate::door::irc::IrcDoor;
use crate::door::irc::Options;
use crate::engine::Settings;
use crate::engine::conn::Conn;
use crate::limits::{BAD_LINES, LOGIN_LINES, LOGIN_OWED_BYTES, Limits};

#[test]
fn a_minute_to_log_in() {
    let mut irc = Irc::new();
    let (silent, waiting) = (irc.connect(), irc.connect());
    irc.ask(waiting, &format!("NICK al\n{USER}"));
    irc.pass(50_000);
    assert_eq!(irc.ask(waiting, "PING 1\n"), ":chatd.local PONG chatd.local :1\n");
    irc.pass(10_000);
    for place in [silent, waiting] {
        assert_eq!(irc.take(place), "ERROR :Closing link: login took too long\n");
    }
    let mut irc = Irc::with_guests();
    let bob = irc.guest("bob");
    irc.pass(120_000);
    assert_eq!(irc.ask(bob, "PING 1\n"), ":chatd.local PONG chatd.local :1\n");
}

#[test]
fn so_many_lines_before_the_login() {
    let mut irc = Irc::new();
    let place = irc.connect();
    irc.say(place, &format!("NICK al\n{USER}"));
    for line in 2..LOGIN_LINES {
        irc.say(place, "MODE al\n");
        assert!(!irc.is_over(place), "line {line}");
    }
    irc.take(place);
    irc.say(place, "MODE al\n");
    assert!(irc.take(place).ends_with("ERROR :Closing link: too many failures\n"));
}

#[test]
fn the_burst_fits_what_a_stranger_may_owe() {
    let mut irc = Irc::new();
    irc.account("alice");
    let place = irc.connect();
    irc.let_take(place, 0);
    irc.say(place, &format!("CAP LS 302\nPASS alice:password\nNICK {}\n{USER}CAP END\n", "x".repeat(32)));
    irc.pass(500);
    let id = irc.wires[place].id;
    let owed = irc.engine.conns.find(id).unwrap().owed();
    assert!((1_000..LOGIN_OWED_BYTES).contains(&owed), "{owed}");
    // A stranger that reads nothing is not read.
    let place = irc.connect();
    irc.let_take(place, 0);
    irc.say(place, &format!("NICK al\n{USER}{}", "MOTD\n".repeat(25)));
    irc.pass(500);
    let id = irc.wires[place].id;
    let owed = irc.engine.conns.find(id).unwrap().owed();
    assert!(owed < LOGIN_OWED_BYTES + 1_024, "{owed}");
}

#[test]
fn long_lines() {
    let mut irc = Irc::new();
    let place = irc.connect();
    let line = |bytes: usize| format!("PING :{}\r\n", "x".repeat(bytes - 8));
    irc.send(place, line(512));
    assert_eq!(commands(&irc.take(place)), ["PONG"]);
    irc.send(place, line(513));
    assert_eq!(irc.take(place), ":chatd.local 417 * :Input line was too long\n");
    let alice = irc.person("alice");
    irc.send(alice, line(513));
    assert_eq!(irc.take(alice), ":chatd.local 417 alice :Input line was too long\n");
    irc.send(alice, format!("@x={} {}", "y".repeat(4_000), line(512)));
    assert_eq!(commands(&irc.take(alice)), ["PONG"]);
    irc.send(alice, "x".repeat(20_000));
    irc.send(alice, "\r\nPING 1\r\n");
    assert_eq!(commands(&irc.take(alice)), ["417", "PONG"]);
}

#[test]
fn bad_lines_are_counted() {
    let mut irc = Irc::new();
    let alice = irc.person("alice");
    irc.take(alice);
    for _ in 1..BAD_LINES {
        irc.send(alice, b"PING \xff\r\n");
        irc.pass(100);
        assert_eq!(irc.take(alice), ":chatd.local FAIL * INVALID_UTF8 :A line is UTF-8\n");
    }
    irc.send(alice, "PRIVMSG &all :a\x07b\r\n");
    irc.pass(100);
    assert!(irc.take(alice).ends_with("\nERROR :Closing link: too many bad lines\n"));
}

#[test]
fn each_target_counts_as_a_line() {
    let limits = Limits { rate_lines_per_s: 1, rate_burst: 8, ..Limits::default() };
    let mut irc = Irc::with(Settings { limits, ..Settings::default() }, Options::default());
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    irc.pass(20_000);
    irc.take(bob);
    irc.say(alice, &"PRIVMSG bob,bob,bob,bob :hi\n".repeat(4));
    irc.pass(10);
    assert_eq!(irc.take(bob).lines().count(), 8);
    irc.pass(8_000);
    assert_eq!(irc.take(bob).lines().count(), 8);
    // The end of a line costs nothing, and waits for no rate.
    let mut irc = Irc::with(
        Settings { limits: Limits { rate_lines_per_s: 1, rate_burst: 8, ..Limits::default() }, ..Settings::default() },
        Options::default(),
    );
    let alice = irc.person_with("alice", "labeled-response batch");
    irc.pass(20_000);
    irc.take(alice);
    irc.say(alice, &"@label=x PING 1\n".repeat(8));
    assert_eq!(irc.take(alice).lines().count(), 8);
}

#[test]
fn other_protocols() {
    for (bytes, heard) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], "not a chat client"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not a chat client"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "not a chat client"),
    ] {
        let mut irc = Irc::new();
        let place = irc.connect();
        irc.send(place, bytes);
        assert_eq!(irc.take(place), format!("ERROR :Closing link: {heard}\n"));
        assert!(irc.is_over(place));
        // The same, cut at every byte.
        let place = irc.connect();
        for byte in bytes {
            irc.send(place, [*byte]);
        }
        assert_eq!(irc.take(place), format!("ERROR :Closing link: {heard}\n"));
    }
}

#[test]
fn ends() {
    let mut irc = Irc::new();
    let bob = irc.person("bob");
    let quits = [("QUIT\n", "bye", "gone"), ("QUIT :so long\n", "so long", "so long"), ("QUIT so\n", "so", "so")];
    irc.ask(bob, "JOIN #tea\n");
    for (line, heard, told) in quits {
        let alice = irc.person("alice");
        irc.ask(alice, "JOIN #tea\n");
        irc.take(bob);
        assert_eq!(irc.ask(alice, line), format!("ERROR :Closing link: {heard}\n"));
        assert!(irc.is_over(alice));
        assert_eq!(irc.take(bob), format!(":alice!account@chatd.local QUIT :{told}\n"));
    }
    let place = irc.connect();
    assert_eq!(irc.ask(place, "QUIT\n"), "ERROR :Closing link: bye\n");
    irc.say(bob, "PRIVMSG #tea :half a l");
    irc.send(bob, "PING");
    irc.pass(30_000);
    assert_eq!(irc.take(bob), "ERROR :Closing link: line never ended\n");
    let carol = irc.person_with("carol", "labeled-response batch");
    assert_eq!(irc.ask(carol, "@label=1 QUIT :x\n"), "@label=1 :chatd.local ACK\nERROR :Closing link: x\n");
    let dave = irc.person("dave");
    irc.engine.handle_stop();
    irc.pass(100);
    assert_eq!(irc.take(dave), "ERROR :Closing link: shutting down, retry in 2 s\n");
}

#[test]
fn who_does_not_read_is_closed() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    irc.let_take(bob, 0);
    for _ in 0..20_000 {
        irc.say(alice, &format!("PRIVMSG bob :{}\n", "x".repeat(400)));
        irc.pass(100);
        if irc.is_over(bob) || irc.wires[bob].closed.is_some() {
            break;
        }
    }
    let text = String::from_utf8(irc.heard(bob)).unwrap();
    assert!(irc.wires[bob].closed.is_some(), "{text:?}");
}

#[test]
fn an_idle_client_is_small() {
    let sizes = (size_of::<Conn<usize>>(), size_of::<IrcDoor>());
    assert!(sizes.0 + sizes.1 <= 700, "{sizes:?}");
    let mut irc = Irc::new();
    let alice = irc.person("alice");
    irc.ask(alice, "JOIN #tea,#milk,#juice\nPRIVMSG #tea,#milk :hi\n@label=1 NAMES #tea\n");
    let id = irc.wires[alice].id;
    let conn = irc.engine.conns.find(id).unwrap();
    let door = conn.door.as_irc().unwrap();
    assert!(!door.is_answering() && !door.keeps_an_answer(), "{door:?}");
    assert!(conn.claim.is_none() && conn.held.is_none() && conn.past.is_none());
}

#[test]
fn a_trace_shows_no_password() {
    let mut irc = Irc::with_guests();
    irc.account("alice");
    let bob = irc.guest("bob");
    let id = irc.wires[bob].id;
    for line in [
        "NS IDENTIFY alice hunter2",
        "PRIVMSG NickServ :IDENTIFY alice hunter2",
        "@label=1 :x!y@z privmsg nickserv :passwd hunter2 hunter2",
        "AUTHENTICATE hunter2",
        "REGISTER * * hunter2",
        "PASS hunter2",
    ] {
        let door = &irc.engine.conns.find(id).unwrap().door;
        assert!(door.has_secret(line.as_bytes()), "{line}");
        assert!(!door.traced(line.as_bytes()).unwrap().contains("hunter2"), "{line}");
    }
    let door = &irc.engine.conns.find(id).unwrap().door;
    assert!(!door.has_secret(b"PRIVMSG #tea :hi") && door.traced(b"PRIVMSG #tea :hi").unwrap().contains("hi"));
    let stranger = irc.connect();
    let id = irc.wires[stranger].id;
    let door = &irc.engine.conns.find(id).unwrap().door;
    assert!(!door.traced(b"hunter2").unwrap().contains("hunter2"));
    // What was read is wiped, also when it came in pieces.
    for piece in ["PRIVMSG Nick", "Serv :IDENTIFY al", "ice hunter2", "\r\nPING 1\r\n"] {
        irc.send(bob, piece);
    }
    irc.pass(3_000);
    assert!(!irc.engine.reader.has_read(b"hunter2"));
    // A line that has only begun was moved to the front, behind which its end was left.
    for piece in ["PING 1\r\nPING 2\r\nPING 3\r\nPRIVMSG NickServ :IDENTIFY alice hunter2", "\r\n"] {
        irc.send(bob, piece);
    }
    irc.pass(3_000);
    assert!(!irc.engine.reader.has_read(b"hunter2"));
}

#[test]
fn a_line_that_is_too_long_leaves_nothing_behind() {
    let mut irc = Irc::with_guests();
    let bob = irc.guest("bob");
    irc.send(bob, "x".repeat(6_000));
    irc.send(bob, "\r\n");
    assert_eq!(commands(&irc.take(bob)), ["417"]);
    let id = irc.wires[bob].id;
    let door = irc.engine.conns.find(id).unwrap().door.as_irc().unwrap();
    assert!(!door.keeps_an_answer(), "{door:?}");
}
