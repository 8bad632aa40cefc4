//! Data that never enters the log, at any level, and data that does.

use testkit::Server;

#[test]
fn secrets_and_messages_are_not_logged() {
    let mut server = Server::builder().set("log.level", "\"trace\"").set("log.stats_s", "1").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    let secrets =
        ["ein langer Abend", "zum zweiten Mal", "nur fuer dich", "DM ohne Ziel", "was ist das", "neues Kennwort"];
    assert_eq!(alice.ask(&format!("PM {}", secrets[0])), "C 250 sent to 1");
    bob.line();
    alice.send(&format!("PM\n{}", secrets[1]));
    alice.expect("C 354 ");
    alice.expect("C 250 ");
    bob.line();
    assert_eq!(bob.ask(&format!("DM alice {}", secrets[2])), "C 250 sent to alice");
    alice.line();
    bob.typed(&format!("DM nobody {}", secrets[3]));
    bob.expect("C 550 ");
    alice.send(secrets[4]);
    alice.expect("C 502 ");
    alice.send(&format!("PASSWD\nnot the old one\nPASSWD\n{}\n{}", testkit::PASSWORD, secrets[5]));
    for code in ["C 331", "C 530", "C 331", "C 332", "C 200"] {
        alice.expect(code);
    }
    let mut guesser = server.greeted();
    guesser.send_raw(b"alice\nnot hers\nnot hers\nnot hers\n");
    while guesser.line() != "C 421 too many failures" {}
    server.wait_for_log("stats: ");
    drop((alice, bob, guesser));
    server.term();
    let log = server.log_text();
    for said in secrets.iter().chain(&[testkit::PASSWORD, "not the old one", "not hers", "nobody"]) {
        assert!(!log.contains(said), "{said:?} is in the log:\n{log}");
    }
    for name in ["alice", "bob"] {
        assert!(log.contains(name), "{name:?} is not in the log:\n{log}");
    }
}

#[test]
fn no_byte_that_a_terminal_obeys_enters_the_log() {
    let mut server = Server::builder().no_rates().set("log.level", "\"trace\"").start();
    let mut alice = server.bare("alice");
    let bad: [&[u8]; 7] = [
        b"\x1b[2J",
        b"\x07\x08\x0b\x0c",
        b"\x7f",
        b"\xff\xfe",
        b"a\rb",
        "\u{9b}31m".as_bytes(),
        "\u{202e}\u{2028}\u{2066}".as_bytes(),
    ];
    for bytes in bad {
        let mut guest = server.greeted();
        guest.send_raw(&[bytes, b"\n", b"carol\n", bytes, b"\n"].concat());
        for code in ["C 501 ", "C 332 ", "C 501 "] {
            guest.expect(code);
        }
        for line in [&[b"PM ", bytes, b"\n"].concat(), &[bytes, b"\n"].concat(), &[b"DM alice ", bytes, b"\n"].concat()]
        {
            alice.send_raw(line);
            alice.expect("C 501 ");
        }
    }
    while {
        alice.send_raw(b"\x1b]0;title\x07\n");
        alice.line() != "C 421 too many bad lines"
    } {}
    drop(alice);
    server.term();
    let log = std::fs::read(server.path("stderr")).unwrap();
    let text = String::from_utf8(log).expect("a log of UTF-8");
    assert!(text.contains("421 too many bad lines: alice from"), "{text}");
    let obeyed = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(text.find(obeyed), None, "{text:?}");
    assert!(text.lines().all(|line| line.as_bytes()[0].is_ascii_digit()), "a line that is not the server's:\n{text}");
}
