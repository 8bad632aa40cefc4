//! Clients that try to be somebody else, to write lines of the server, or to learn who has an account.

use testkit::{Client, PASSWORD, Server, eventually};

use super::client::{Irc, builder, in_anteroom, logged_in, logged_in_with, server, tag};

/// The base64 of SASL PLAIN.
fn plain(name: &str, password: &str) -> String {
    data_encoding::BASE64.encode(format!("\0{name}\0{password}").as_bytes())
}

/// Alice, who has made the room `tea`, Bob, who is in it, and Carol, who is in it through the line door.
#[track_caller]
fn in_a_room(server: &Server) -> (Irc, Irc, Client) {
    let (mut alice, mut bob) = (logged_in(server, "alice"), logged_in(server, "bob"));
    alice.ask("JOIN #tea", "366 alice #tea");
    bob.ask("JOIN #tea", "366 bob #tea");
    let mut carol = server.bare("carol");
    assert!(carol.ask("JOIN tea").starts_with("C 227 "));
    alice.heard();
    bob.heard();
    (alice, bob, carol)
}

#[test]
fn no_field_makes_a_second_line() {
    let server = server();
    let (mut alice, mut bob, mut carol) = in_a_room(&server);
    let lines = [
        "PRIVMSG #tea :a\rPRIVMSG #tea :b",
        "PRIVMSG bob,carol :a\0b",
        "NOTICE #tea :a\rb",
        "TOPIC #tea :a\rb",
        "AWAY :a\rb",
        "SETNAME :a\0b",
        "KICK #tea bob :a\rb",
        "PART #tea :a\0b",
        "QUIT :a\rb",
        "MODE #tea +k a\rb",
        "@label=a\rb PRIVMSG #tea :c",
        "@+tag=a\0b PRIVMSG #tea :c",
        "PRIVMSG #tea\r :c",
        "JOIN #a\r#b",
    ];
    for line in lines {
        alice.send(line);
        alice.expect_exact(":chatd.local FAIL * INVALID_TEXT :A line holds no control characters");
    }
    alice.barrier();
    bob.barrier();
    carol.barrier();
    // The LF begins a line of the client's own, and no other.
    alice.send("TOPIC #tea :a\nQUIT");
    bob.expect_exact(":alice!account@chatd.local TOPIC #tea :a");
    carol.expect_exact("C 105 tea by alice: a");
    // Nor before the login.
    let mut newcomer = Irc::connect(server.door("irc"));
    for line in ["NICK a\rb", "USER a 0 * :a\0b", "CAP REQ :a\rb", "PASS a\rb", "AUTHENTICATE PL\rAIN"] {
        newcomer.send(line);
        newcomer.expect_exact(":chatd.local FAIL * INVALID_TEXT :A line holds no control characters");
    }
}

#[test]
fn what_other_doors_say_is_one_line_or_several_whole_ones() {
    let server = server();
    let (mut alice, _bob, mut carol) = in_a_room(&server);
    let long = "word ".repeat(700);
    carol.send(&format!("RM tea {long}"));
    let mut said = String::new();
    while said.len() < long.len() - 1 {
        let line = alice.line();
        said.push_str(line.strip_prefix(":carol!account@chatd.local PRIVMSG #tea :").expect("a part"));
    }
    assert_eq!(said.trim_end(), long.trim_end());
    // What looks like a line of IRC is a text.
    for text in [":chatd.local 001 alice :hi", "@time=x :bob QUIT :x", "ERROR :Closing link"] {
        carol.send(&format!("RM tea {text}"));
        alice.expect_exact(&format!(":carol!account@chatd.local PRIVMSG #tea :{text}"));
    }
}

#[test]
fn texts_are_plain() {
    let server = server();
    let (mut alice, mut bob, mut carol) = in_a_room(&server);
    for (said, heard) in [
        ("\x02bold\x02 \x1ditalic\x0f \x0304,12red\x03 \x04ff0000hex", "bold italic red hex"),
        ("a\u{200b}b\u{feff}c", "abc"),
        (
            "Zoë 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "Zoë 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ),
    ] {
        alice.send(&format!("PRIVMSG #tea :{said}"));
        bob.expect_exact(&format!(":alice!account@chatd.local PRIVMSG #tea :{heard}"));
        carol.expect_exact(&format!("D RM tea alice {heard}"));
    }
    alice.send("PRIVMSG #tea :\u{1}ACTION waves\u{1}");
    bob.expect_exact(":alice!account@chatd.local PRIVMSG #tea :\u{1}ACTION waves\u{1}");
    carol.expect_exact("D RM tea alice /me waves");
    // Other CTCP goes to nobody, and a NOTICE is not answered.
    for target in ["#tea", "bob", "&all"] {
        alice.send(&format!("PRIVMSG {target} :\u{1}VERSION\u{1}"));
        alice.expect_exact(&format!(":chatd.local 404 alice {target} :no CTCP here"));
        alice.send(&format!("NOTICE {target} :\u{1}VERSION x\u{1}"));
    }
    alice.send("PRIVMSG bob :\u{1}DCC SEND x 2130706433 1 1\u{1}");
    alice.expect("404 alice bob");
    alice.barrier();
    bob.barrier();
    carol.barrier();
}

#[test]
fn who_talks_to_itself_hears_it() {
    let server = server();
    let mut alice = logged_in(&server, "alice");
    alice.send_all(&["PRIVMSG ALICE :one", "NOTICE alice :two", "PRIVMSG alice :\u{1}ACTION waves\u{1}"]);
    alice.expect_exact(":alice!account@chatd.local PRIVMSG alice :one");
    alice.expect_exact(":alice!account@chatd.local NOTICE alice :two");
    alice.expect_exact(":alice!account@chatd.local PRIVMSG alice :\u{1}ACTION waves\u{1}");
    let mut phone = server.bare("alice");
    alice.send("PRIVMSG alice :three");
    phone.expect_exact("D DM alice three");
    alice.barrier();
}

#[test]
fn what_a_terminal_obeys_is_refused() {
    let server = server();
    let (mut alice, mut bob, mut carol) = in_a_room(&server);
    for bad in
        ["\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9b}31m", "\u{202e}x", "\u{2066}x", "\u{2028}", "\u{e0041}", "a\u{7}"]
    {
        for (command, line) in [
            ("PRIVMSG", format!("PRIVMSG #tea :x{bad}")),
            ("NOTICE", format!("NOTICE bob :{bad}x")),
            ("TOPIC", format!("TOPIC #tea :{bad}")),
            ("AWAY", format!("AWAY :{bad}")),
        ] {
            alice.send(&line);
            alice
                .expect_exact(&format!(":chatd.local FAIL {command} INVALID_TEXT :A text holds no control characters"));
        }
        alice.send(&format!("SETNAME :{bad}"));
        alice.expect("FAIL SETNAME INVALID_REALNAME");
    }
    alice.barrier();
    // A reason is no more than an ornament: a bad one is none.
    alice.send("PART #tea :\u{1b}[2J");
    bob.expect_exact(":alice!account@chatd.local PART #tea");
    carol.expect("C 104 tea alice left");
    bob.send_raw(b"PRIVMSG #tea :caf\xe9\r\n");
    bob.until("FAIL * INVALID_UTF8");
    bob.barrier();
    carol.expect("C 107 ");
    carol.barrier();
}

#[test]
fn who_sends_bad_lines_alone_is_closed() {
    let server = server();
    let mut alice = logged_in(&server, "alice");
    alice.send_raw(&b"PRIVMSG #tea :\xff\r\n".repeat(100));
    for _ in 1..100 {
        alice.expect("FAIL * INVALID_UTF8");
    }
    alice.expect_end("too many bad lines");
}

#[test]
fn long_tags_and_long_lines() {
    let server = server();
    let (mut alice, mut bob, _carol) = in_a_room(&server);
    let too_long = ":chatd.local 417 alice :Input line was too long";
    for bytes in [4_095, 8_192, 60_000] {
        alice.send(&format!("@+x={} PRIVMSG #tea :lost", "y".repeat(bytes)));
        alice.expect_exact(too_long);
    }
    alice.send(&format!("@+x={} PRIVMSG #tea :{}", "y".repeat(4_000), "z".repeat(490)));
    alice.expect_exact(too_long);
    // It fits as a line, and not behind its source.
    alice.send(&format!("PRIVMSG #tea :{}", "z".repeat(480)));
    alice.expect_exact(too_long);
    let fits = "z".repeat(510 - ":alice!account@chatd.local PRIVMSG #tea :".len());
    alice.send(&format!("@+x={} PRIVMSG #tea :{fits}", "y".repeat(4_000)));
    bob.expect_exact(&format!(":alice!account@chatd.local PRIVMSG #tea :{fits}"));
    alice.barrier();
    let mut newcomer = Irc::connect(server.door("irc"));
    newcomer.send(&format!("@+x={} NICK x", "y".repeat(600)));
    newcomer.expect("417 *");
    newcomer.send(&format!("NICK {}", "x".repeat(600)));
    newcomer.expect("417 *");
}

#[test]
fn a_label_is_what_it_was_or_none() {
    let server = server();
    let mut alice = logged_in_with(&server, "alice", "labeled-response batch message-tags");
    let most = "x".repeat(64);
    for label in ["a", "a\\:b", most.as_str(), "é"] {
        alice.send(&format!("@label={label} PING 1"));
        assert_eq!(tag(&alice.expect("PONG"), "label"), Some(label));
    }
    for bad in [format!("label={most}x"), "label=".to_owned(), "label".to_owned(), "+label=x".to_owned()] {
        alice.send(&format!("@{bad} PING 1"));
        assert_eq!(tag(&alice.expect("PONG"), "label"), None, "{bad}");
    }
    // The last one counts, and a `;` ends it.
    alice.send("@label=a;label=b;x=label=c PING 1");
    assert_eq!(tag(&alice.expect("PONG"), "label"), Some("b"));
    // A control character makes it none.
    alice.send("@label=a\u{202e} PING 1");
    assert_eq!(tag(&alice.expect("PONG"), "label"), None);
}

#[test]
fn nicks_that_nobody_can_have() {
    let server = builder("irc://127.0.0.1:0?guests=yes").start();
    logged_in(&server, "alice").barrier();
    let mut rob = Irc::connect(server.door("irc"));
    for bad in [
        "a!b",
        "a@b",
        "a:b",
        "a,b",
        "a*",
        "~rob",
        "#a",
        "&all",
        "1a",
        "-a",
        "a\u{a0}b",
        "a\u{200b}",
        "\u{202e}a",
        "+v",
        "@op",
        "%h",
        "a\u{7}",
        "$x",
        "a.\u{1}",
    ] {
        rob.send(&format!("NICK {bad}"));
        assert!(rob.line().contains(" 432 * "), "{bad:?}");
    }
    rob.send_all(&["NICK :", "NICK", "NICK :a b"]);
    rob.expect("431");
    rob.expect("431");
    rob.expect("432");
    // Names of the server and of its service; a guest called alice is `^alice`, and no account.
    for reserved in ["chatd.local", "CHATD.Local", "NickServ", "^nickserv", "server"] {
        let mut eve = Irc::connect(server.door("irc"));
        eve.greet(reserved);
        eve.expect("432");
    }
    rob.greet("alice");
    rob.wait(":^alice!guest@chatd.local JOIN &all");
    rob.wait("366 ^alice &all");
    rob.send("NICK ALICE");
    rob.expect(":^alice!guest@chatd.local NICK ^ALICE");
    for (bad, code) in [("chatd.local", "432"), ("NickServ", "432"), ("a!b", "432"), ("~x", "432")] {
        rob.send(&format!("NICK {bad}"));
        rob.expect(code);
    }
    let mut other = Irc::connect(server.door("irc"));
    other.greet("^Alice");
    other.expect("433 ^Alice ^Alice");
    // An account keeps its name.
    let mut alice = logged_in(&server, "alice");
    for nick in ["bob", "^alice", "chatd.local"] {
        alice.send(&format!("NICK {nick}"));
        alice.expect("447 alice");
    }
    // A whisper to `~alice` is for the guest alone.
    alice.send_all(&["PRIVMSG ~alice :one", "PRIVMSG ^ALICE :two", "PRIVMSG alice :three"]);
    rob.expect_exact(":alice!account@chatd.local PRIVMSG ^ALICE :one");
    rob.expect_exact(":alice!account@chatd.local PRIVMSG ^ALICE :two");
    assert!(alice.heard().iter().all(|line| !line.contains("one") && !line.contains("two")));
    rob.barrier();
}

/// The lines of a client that gives this password, up to its end or to the answer.
#[track_caller]
fn refused(server: &Server, name: &str, lines: &[String], last: &str) -> Vec<String> {
    let mut irc = Irc::connect(server.door("irc"));
    irc.send_all(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let told = irc.until(last);
    told.iter().map(|line| line.to_lowercase().replace(name, "NAME")).collect()
}

#[test]
fn nothing_tells_who_has_an_account() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0", "irc://127.0.0.1:0"])
        .set("accounts.registration", "\"open\"")
        .start();
    server.bare("alice").barrier();
    let ways: [fn(&str) -> Vec<String>; 3] = [
        |name| {
            vec![
                format!("NICK {name}"),
                "AUTHENTICATE PLAIN".to_owned(),
                format!("AUTHENTICATE {}", plain(name, "wrong one")),
            ]
        },
        |name| vec![format!("PASS {name}:wrong-one"), format!("NICK {name}"), "USER u 0 * :r".to_owned()],
        |name| vec![format!("NICK {name}"), "USER u 0 * :r".to_owned(), format!("NS IDENTIFY {name} wrong-one")],
    ];
    for (way, last) in ways.iter().zip(["904", "ERROR", "NOTICE * :NickServ: Wrong password"]) {
        assert_eq!(refused(&server, "alice", &way("alice"), last), refused(&server, "nobod", &way("nobod"), last));
    }
    // Who is told of presence is told of those who are here.
    let mut bob = logged_in(&server, "bob");
    for name in ["alice", "nobod"] {
        bob.send(&format!("MONITOR + {name}"));
        bob.expect_exact(&format!(":chatd.local 731 bob :{name}"));
    }
    bob.send("ISON alice nobod");
    bob.expect_exact(":chatd.local 303 bob :");
}

#[test]
fn a_closed_server_says_the_same_of_every_name() {
    let mut server = server();
    server.bare("alice").barrier();
    server.set("accounts.registration", "\"closed\"");
    server.restart();
    let told = |name: &str| {
        let lines = [format!("NICK {name}"), "CAP LS 302".to_owned(), format!("REGISTER * * {PASSWORD}")];
        refused(&server, name, &lines, "FAIL REGISTER")
    };
    assert_eq!(told("alice"), told("nobod"));
    assert!(told("nobod").iter().all(|line| !line.contains("account-registration")));
}

#[test]
fn sasl_by_the_byte_and_in_pieces() {
    let server = server();
    server.bare("alice").barrier();
    let mut irc = Irc::connect(server.door("irc"));
    let good = plain("alice", PASSWORD);
    let lines = format!(
        "CAP LS 302\r\nNICK alice\r\nUSER a 0 * :a\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {good}\r\nCAP END\r\n"
    );
    for byte in lines.as_bytes() {
        irc.send_raw(&[*byte]);
    }
    irc.wait("903");
    irc.wait(":alice!account@chatd.local JOIN &all");
    // A message of 400 bytes goes on in another chunk.
    let mut irc = Irc::connect(server.door("irc"));
    irc.send_all(&["NICK alice", "AUTHENTICATE PLAIN"]);
    irc.expect_exact("AUTHENTICATE +");
    let chunk = "A".repeat(400);
    irc.send_all(&[&format!("AUTHENTICATE {chunk}"), "AUTHENTICATE +"]);
    irc.expect("904");
    for (lines, answer) in [
        (vec![format!("AUTHENTICATE {chunk}A")], "905"),
        (vec![format!("AUTHENTICATE {chunk}"); 3], "904"),
        (vec!["AUTHENTICATE *".to_owned()], "906"),
        (vec!["AUTHENTICATE !!!".to_owned()], "904"),
        (vec![format!("AUTHENTICATE {}", plain("alice", ""))], "904"),
        (vec![format!("AUTHENTICATE {}", data_encoding::BASE64.encode(b"bob\0alice\0correct horse"))], "904"),
        (vec![format!("AUTHENTICATE {}", data_encoding::BASE64.encode(b"\0alice\0correct horse\0"))], "904"),
        (vec!["AUTHENTICATE +".to_owned()], "904"),
    ] {
        irc.send("AUTHENTICATE PLAIN");
        irc.expect_exact("AUTHENTICATE +");
        irc.send_all(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        irc.expect(answer);
    }
    irc.send("AUTHENTICATE EXTERNAL");
    irc.expect("908 alice PLAIN");
    irc.expect("904");
    // The rest of an aborted exchange is no part of the next one.
    irc.send_all(&["AUTHENTICATE PLAIN", &format!("AUTHENTICATE {good}"), "USER a 0 * :a"]);
    irc.expect_exact("AUTHENTICATE +");
    irc.expect("900");
    irc.expect("903");
    irc.wait(":alice!account@chatd.local JOIN &all");
    irc.wait("366");
    irc.send("AUTHENTICATE PLAIN");
    irc.expect("907 alice");
}

#[test]
fn who_goes_in_the_middle_of_a_password_leaves_nothing() {
    let server = server();
    server.bare("alice").barrier();
    for lines in ["AUTHENTICATE PLAIN\r\n", "AUTHENTICATE PLAIN\r\nAUTHENTICATE ", "PASS alice:corr", "REGISTER * * wo"]
    {
        let mut irc = Irc::connect(server.door("irc"));
        irc.send_raw(format!("NICK alice\r\n{lines}").as_bytes());
        irc.raw().half_close();
        irc.raw().expect_reset_or_closed();
    }
    let mut desk = server.desk();
    eventually("all are gone", || desk.ask("sessions").items.is_empty());
    assert!(!server.log_text().contains("corr"), "{}", server.log_text());
}

#[test]
fn the_anteroom_leads_nowhere() {
    let server = server();
    let (mut alice, mut bob, mut carol) = in_a_room(&server);
    let mut eve = in_anteroom(server.door("irc"), "alice");
    for line in [
        "PRIVMSG #tea :hi",
        "PRIVMSG bob :hi",
        "NOTICE bob :hi",
        "PRIVMSG &all :hi",
        "TOPIC #tea :x",
        "KICK #tea bob",
        "NAMES #tea",
        "WHO *",
        "WHOIS bob",
        "LIST",
        "INVITE bob #tea",
        "MODE #tea",
        "AWAY :x",
        "SETNAME :x",
        "MONITOR + bob",
        "ISON bob",
        "USERHOST bob",
        "LUSERS",
        "CHATHISTORY LATEST &all * 5",
        "MARKREAD &all",
        "PART #tea",
        "WHOWAS bob",
    ] {
        eve.send(line);
        eve.expect("FAIL * ACCOUNT_REQUIRED :Log in first:");
    }
    eve.send("JOIN #tea,#cake");
    eve.expect("477 alice");
    alice.barrier();
    bob.barrier();
    carol.barrier();
    assert_eq!(carol.list("WHO"), ["alice", "bob", "carol", "3 online"]);
}

#[test]
fn what_the_operator_does_is_told() {
    let server = server();
    let (mut alice, mut bob, mut carol) = in_a_room(&server);
    let mut desk = server.desk();
    assert!(desk.ask("announce the server \u{2764} you").last.starts_with("250 "));
    for irc in [&mut alice, &mut bob] {
        irc.expect_exact(":chatd.local NOTICE * :the server \u{2764} you");
    }
    carol.expect("C 100 ");
    let sessions = desk.ask("sessions bob");
    assert_eq!((sessions.value(0, "door"), sessions.value(0, "tls"), sessions.value(0, "name")), ("irc", "no", "bob"));
    assert!(desk.ask("kick bob be nice").last.starts_with("250 1 "));
    bob.expect_end("put out by the operator: be nice");
    alice.expect(":bob!account@chatd.local QUIT");
    assert!(desk.ask("ban bob spam").last.starts_with("250 "));
    let mut banned = Irc::connect(server.door("irc"));
    banned.send_all(&["NICK bob", &format!("PASS :bob:{PASSWORD}"), "USER b 0 * :b"]);
    banned.expect_end("banned: spam");
    let mut banned = Irc::connect(server.door("irc"));
    banned.send_all(&["NICK bob", "AUTHENTICATE PLAIN", &format!("AUTHENTICATE {}", plain("bob", PASSWORD))]);
    banned.expect_end("banned: spam");
    // The host of a room puts somebody out of it.
    let mut dave = logged_in(&server, "dave");
    dave.ask("JOIN #tea", "366");
    alice.expect(":dave!account@chatd.local JOIN #tea");
    alice.send("KICK #tea dave,carol :enough");
    dave.expect_exact(":alice!account@chatd.local KICK #tea dave :enough");
    alice.expect_exact(":alice!account@chatd.local KICK #tea dave :enough");
    alice.expect_exact(":alice!account@chatd.local KICK #tea carol :enough");
    let heard = carol.heard();
    assert!(heard.last().is_some_and(|line| line == "C 104 tea carol left: kicked"), "{heard:?}");
}

#[test]
fn a_trace_shows_no_secret() {
    let server = server();
    let (mut alice, _bob, _carol) = in_a_room(&server);
    let mut desk = server.desk();
    desk.send("C trace alice");
    desk.item();
    for line in [
        "@label=1 JOIN #den hunter9",
        "MODE #tea +k hunter9",
        "NS IDENTIFY hunter9",
        "PRIVMSG nickserv :passwd a hunter9",
    ] {
        alice.send(line);
    }
    alice.send("PRIVMSG #tea :the end");
    let items = desk.items_until("the end").join("\n");
    assert!(!items.contains("hunter9"), "{items}");
    assert!(items.contains("JOIN #den ***") && items.contains("MODE #tea +k ***"), "{items}");
    assert!(!items.contains("\\r"), "{items}");
}
