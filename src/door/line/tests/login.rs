//! The login: from the first line to 230.

use super::*;

#[test]
fn greeting() {
    let mut out = Vec::new();
    Line::default().encode_reply(&Reply::Greeting, &mut out);
    assert_eq!(taken(&mut out), [concat!("C 220 chatd ", env!("CARGO_PKG_VERSION"), " ready; your name?")]);
}

#[test]
fn login_and_registration() {
    check_both(&[
        "> C alice",
        "< C 331 alice, your password?",
        "> C password1",
        "< C 230 welcome alice; 2 online; HELP lists what you can do",
    ]);
    check_both(&[
        "> C dora",
        "< C 332 dora is new here; choose a password",
        "> C correct horse",
        "< C 230 welcome dora; 2 online; HELP lists what you can do",
    ]);
}

#[test]
fn before_login_there_are_no_operations() {
    check(&["> C dora", "< C 332…", "> D password1", "< C 230 welcome dora…"]);
    check(&["> C alice", "< C 331…", "> C NOOP", "< C 530…", "> D password1", "< C 230…"]);
    check(&["> C NOOP", "< C 553 NOOP is reserved; your name?", "> C alice", "< C 331…"]);
    check(&["> C HELP", "< C 553…", "> C alice", "< C 331…"]);
    check(&["> C alice", "< C 331…", ">", "< C 200 cancelled; your name?", "> D alice", "< C 331…"]);
}

#[test]
fn names() {
    let longest = "a".repeat(32);
    for good in ["a", "Z", "C", "D", "GET", "Hosts", "SSH", "SSH-fan", "SSH-2", "PROXY", "a_.-9", &longest] {
        check(&[&format!("> {good}"), &format!("< C 332 {good} is new here; choose a password")]);
        check(&[&format!("> C {good}"), &format!("< C 332 {good} is new here; choose a password")]);
        check(&[&format!(">    {good}  "), &format!("< C 332 {good} is new here; choose a password")]);
    }
    let too_long = "a".repeat(33);
    for bad in ["1a", "_a", "-", ".x", "a:b", "a/b", "é", "aé", "a\tb", "\ta", "   ", "a,", &too_long] {
        check(&[&format!("> {bad}"), "< C 553 …", "> alice", "< C 331…"]);
        check(&[&format!("> C {bad}"), "< C 553 …", "> C alice", "< C 331…"]);
    }
    let verbs = "PM BM DM WHO MAKE JOIN LEAVE RM ROOMS NAMES KICK CLOSE TOKEN PASSWD HELP NOOP \
                 HISTORY MISSED SEARCH UNREAD READ NOTIFY FORGET KEEP TOPIC LOCK WHOIS SET AWAY WATCH IGNORE WANT \
                 NICK INVITE HOST PUBLIC OP";
    let kept = "server admin root system chatd nickserv";
    for reserved in verbs.split(' ').chain(kept.split(' ')) {
        for word in [reserved.to_ascii_lowercase(), reserved.to_ascii_uppercase()] {
            check_both(&[&format!("> C {word}"), "< C 553 …", "> C alice", "< C 331…"]);
        }
    }
}

#[test]
fn the_first_accepted_name_decides_the_dialect() {
    let is_bare = ["> password1", "< C 230…", "> NOOP", "< C 200…", "> C NOOP", "< C 502…"];
    let is_typed = ["> C password1", "< C 230…", "> NOOP", "< C 501…", "> C NOOP", "< C 200…"];
    for start in [&[][..], &[">", ">"], &["> 1bad", "< C 553…"], &["> C 1bad", "< C 553…"], &["> \x01", "< C 501…"]]
    {
        check(&[start, &["> alice", "< C 331…"], &is_bare].concat());
        check(&[start, &["> C alice", "< C 331…"], &is_typed].concat());
    }
    // The dialect does not change later in the login.
    check(
        &[&["> C dora", "< C 332…", ">", "< C 200…", "> alice", "< C 501…", "> C alice", "< C 331…"], &is_typed[..]]
            .concat(),
    );
    check(&["> dora", "< C 332…", ">", "< C 200…", "> C alice", "< C 553…", "> C t1.x", "< C 531…"]);
}

#[test]
fn a_reserved_name_does_not_decide_the_dialect() {
    check(&["> C history", "< C 553…", "> alice", "< C 331…", "> password1", "< C 230…", "> NOOP", "< C 200…"]);
    check(&["> history", "< C 553…", "> C alice", "< C 331…", "> C password1", "< C 230…", "> C NOOP", "< C 200…"]);
    check(&["> a b", "< C 553…", "> C alice", "< C 331…", "> C password1", "< C 230…", "> C NOOP", "< C 200…"]);
    // An account keeps a name that was reserved later.
    check_both(&["> C bye", "< C 331 bye, your password?"]);
}

#[test]
fn goodbye_at_the_name_prompt() {
    for word in ["EX", "ex", "quit", "QUIT", "Exit", "  exit  "] {
        check(&[&format!("> {word}"), "< C 221 bye"]);
        check(&[&format!("> C {word}"), "< C 221 bye"]);
    }
    check_both(&["> C alice", "< C 331…", "> C EX", "< C 530…"]);
    check(&["> dora", "< C 332…", ">", "< C 200 cancelled; your name?", "> quit", "< C 221 bye"]);
    check(&["> quit now", "< C 553 a name is one word…"]);
}

#[test]
fn a_name_is_one_word() {
    let told = "< C 553 a name is one word, for example zoe.miller; your name?";
    for line in [
        "Zoe Miller",
        "NICK alice",
        "EHLO x",
        "CONNECT {}",
        "alice nonsense",
        "alice  t1.x y",
        "alice t1.x t1.x",
        "alice t.x",
        "alice t1",
        "alice t1.",
        "alice tx1.x",
        "alice T1.x",
        "1x y",
        "admin x",
        "GET /index.html",
        "alice \u{a0}",
        "é è",
    ] {
        check(&[&format!("> {line}"), told, "> alice", "< C 331 alice, your password?"]);
        check(&[&format!("> C {line}"), told, "> C alice", "< C 331 alice, your password?"]);
    }
    // Only U+0020 separates words.
    for line in ["zoe\tmiller", "zoe\u{a0}miller", "zoe\u{3000}miller", "zoe\u{2003}t1.x"] {
        check(&[&format!("> {line}"), "< C 553 a name is a letter…"]);
    }
}

#[test]
fn a_byte_order_mark_is_dropped() {
    let login = ["< C 331 alice, your password?", "> C password1", "< C 230…"];
    check(&[&["> \u{feff}C alice"], &login[..], &["> C NOOP", "< C 200…", "> NOOP", "< C 501…"]].concat());
    check(&["> \u{feff}alice", login[0], "> password1", "< C 230…", "> NOOP", "< C 200…"]);
    check(&["> \u{feff}", "> \u{feff}alice", login[0]]);
    check(&["> \u{feff}quit", "< C 221 bye"]);
    check(&["> \u{feff}GET / HTTP/1.1", "< C 421 not a chat client"]);
    check(&["> \u{feff}alice t1.T0KEN", "< C 230…"]);
    // Elsewhere it is an invisible character.
    check(&["> alice", login[0], "> \u{feff}password1", "< C 501…", "> password1", "< C 230…"]);
    assert_eq!(Line::default().sniff(b"\xef\xbb\xbf\x16", 16), Some(CloseReason::NotAChatClient));
    assert_eq!(Line::default().sniff(b"\xef\xbb", 16), None);
}

#[test]
fn invisible_characters_in_secrets_are_refused() {
    for hidden in ["\u{200b}", "\u{feff}", "\u{200e}", "\u{61c}", "\u{2064}"] {
        let password = format!("> C password1{hidden}");
        check_both(&["> C alice", "< C 331…", &password, "< C 501 bad bytes…", "> C password1", "< C 230…"]);
        check_both(&["> C dora", "< C 332…", &password, "< C 501 bad bytes…", "> C password1", "< C 230…"]);
        check_both(&[&format!("> C alice t1.T0KEN{hidden}"), "< C 501…", "> C alice t1.T0KEN", "< C 230…"]);
        check_both(&[&format!("> C al{hidden}ice"), "< C 553 a name is a letter…", "> C alice", "< C 331…"]);
    }
    // Joiners are accepted: some scripts need them.
    check_both(&["> C dora", "< C 332…", "> C می\u{200c}خواهم", "< C 230…"]);
}

#[test]
fn new_passwords() {
    let (longest, too_long) = ("p".repeat(128), "p".repeat(129));
    for good in ["8letters", "        ", " p p p p", "grüße12", "\tpassword", &longest] {
        check_both(&["> C dora", "< C 332…", &format!("> C {good}"), "< C 230…"]);
    }
    for bad in ["7letter", "p", " ", "üüü", &too_long] {
        check_both(&[
            "> C dora",
            "< C 332…",
            &format!("> C {bad}"),
            "< C 501…",
            "> C password1",
            "< C 230 welcome dora…",
        ]);
    }
}

#[test]
fn known_passwords() {
    // There is no least size: the password may be older than the current rule.
    let too_long = "p".repeat(129);
    check_both(&[
        "> C alice",
        "< C 331…",
        "> C p",
        "< C 530 wrong password; 2 tries left",
        "> C password1",
        "< C 230…",
    ]);
    check_both(&["> C alice", "< C 331…", &format!("> C {too_long}"), "< C 501…", "> C password1", "< C 230…"]);
    // Passwords are compared byte for byte, including spaces.
    for wrong in ["password1 ", " password1", "Password1", "C password1"] {
        check_both(&["> C alice", "< C 331…", &format!("> C {wrong}"), "< C 530…"]);
    }
}

#[test]
fn a_bare_password_may_look_typed() {
    check(&["> dora", "< C 332…", "> C pass", "< C 501…", "> C password", "< C 230…"]);
    check(&["> alice", "< C 331…", "> C password1", "< C 530…", "> D password1", "< C 530…"]);
}

#[test]
fn three_failures() {
    let wrong = "> C wrong";
    check_both(&[
        "> C alice",
        "< C 331…",
        wrong,
        "< C 530 wrong password; 2 tries left",
        wrong,
        "< C 530 wrong password; 1 tr…",
        wrong,
        "< C 421 too many failures",
    ]);
    check_both(&[
        "> C alice t1.x",
        "< C 531 token refused; your password?",
        wrong,
        "< C 530 wrong password; 1 tr…",
        wrong,
        "< C 421 too many failures",
    ]);
}

#[test]
fn a_name_taken_meanwhile() {
    check_both(&[
        "> C taken",
        "< C 332…",
        "> C password1",
        "< C 553 taken was just taken; your name?",
        "> C alice",
        "< C 331…",
    ]);
}

#[test]
fn busy_keeps_the_password_prompt() {
    check_both(&[
        "> C alice",
        "< C 331…",
        "> C busybusy",
        "< C 450 busy, try again in 2 s",
        "> C password1",
        "< C 230…",
    ]);
    check_both(&["> C dora", "< C 332…", "> C busybusy", "< C 450 busy…", "> C password1", "< C 230…"]);
    check_both(&["> C dora", "< C 332…", "> C fulldisk", "< C 450…", "> C password1", "< C 230 welcome dora…"]);
}

#[test]
fn no_new_accounts() {
    let full = "< C 450 no new accounts; your name?";
    check_both(&["> C toomany", full, "> C toomany", full, "> C alice", "< C 331…", "> C password1", "< C 230…"]);
    check_both(&["> C dora", "< C 332…", "> C toolate!", full, "> C alice", "< C 331…", "> C password1", "< C 230…"]);
}

#[test]
fn tokens() {
    check_both(&["> C alice t1.T0KEN", "< C 230 welcome alice…", "> C NOOP", "< C 200…"]);
    check_both(&["> C   alice    t1.T0KEN  ", "< C 230 welcome alice…"]);
    check_both(&["> C alice t1.t0ken", "< C 531 token refused; your password?", "> C password1", "< C 230…"]);
    check_both(&[
        "> C alice t1.t0ken",
        "< C 531…",
        ">",
        "< C 200 cancelled; your name?",
        "> C alice t1.T0KEN",
        "< C 230…",
    ]);
    // An unknown name gets the same prompt as a known one, and no password is right.
    check_both(&["> C dora t1.T0KEN", "< C 531 token refused; your password?", "> C password1", "< C 530…"]);
    check_both(&["> C admin t1.T0KEN", "< C 531…", "> C password1", "< C 530…"]);
    check_both(&["> C 1x t1.T0KEN", "< C 553 a name is a letter…", "> C alice", "< C 331…"]);
    check_both(&["> C alice t1.T0KEN x", "< C 553…", "> C alice", "< C 331…"]);
    // The longest name and token fit into a line.
    let (name, token) = ("a".repeat(32), format!("t1.{}", "x".repeat(467)));
    check_both(&[&format!("> C {name} {token}"), "< C 531…"]);
}

#[test]
fn too_many_sessions() {
    let mut server = Server::new();
    for slot in [7, 8] {
        let name = UserName::parse("alice").unwrap();
        server.hub.handle(
            SessionId { slot, generation: 0 },
            Command::LogIn { who: name.into(), since: 1, called: None },
            1,
        );
        server.hub.poll_event();
    }
    server.send(b"alice");
    assert_eq!(server.send(b"password1"), ["C 421 logged in 2 times already"]);
}

#[test]
fn other_protocols() {
    let not_a_chat_client = "< C 421 not a chat client";
    for line in [
        "GET / HTTP/1.1",
        "POST /x HTTP/1.0",
        "PRI * HTTP/2.0",
        "Host: x",
        "hOST:x",
        "SSH-2.0-x",
        "SSH-1.5-x",
        "\x16\x03\x01",
    ] {
        check(&[&format!("> {line}"), not_a_chat_client]);
        check(&[">", &format!("> {line}"), not_a_chat_client]);
    }
    let proxy = "< C 421 not a chat client: a PROXY header";
    for line in ["PROXY TCP4 192.0.2.1 192.0.2.2 5 6", "PROXY TCP6 2001:db8::1 2001:db8::2 5 6", "PROXY UNKNOWN"] {
        check(&[&format!("> {line}"), proxy]);
    }
    play(&["> \r", "> \r", "> \0\r", proxy], "");
    play(&["> \r", "> \r", "> alice\r", "< C 331…"], "");
    play(&["> ", "> \r", "> \r", "> \0\r", "< C 501…"], "");
    check(&["> GET", "< C 332 GET is new here…"]);
    check(&["> GET", "< C 332…", "> GET / HTTP/1.1", "< C 230…", "> GET / HTTP/1.1", "< C 502…"]);
    check(&["> C alice", "< C 331…", "> SSH-2.0-x", "< C 501…"]);
}

#[test]
fn other_protocols_before_the_line_end() {
    #[track_caller]
    fn check(bytes: &[u8], expected: bool) {
        assert_eq!(Line::default().sniff(bytes, 16).is_some(), expected, "{bytes:?}");
    }
    check(b"\x16", true);
    check(b"\x16\x03\x01\x02\x00\n", true);
    check(b"GET /", false);
    check(b"GET /index.html?and=so&on=1", true);
    check(b"GET / HTTP/1.1\nHost: x\n", false); // `decode` handles a whole line
    check(b"alice", false);
    check(b"alice\npassword1\nPM hi\nEX\n", false);
    check(b"aliceisnotsolonganame", false);
    check(b"", false);
}
