//! From the first line to the greeting.

use super::*;
use crate::door::recall::Recall;

/// `\0bob\0secret` in base64.
const BOB: &str = "AGJvYgBzZWNyZXQ=";

#[test]
fn sasl_before_the_registration_is_complete() {
    let mut bob = Client::new(Options::default());
    assert!(bob.all("CAP LS 302").contains(" sasl=PLAIN "));
    assert_eq!(bob.all("CAP REQ :sasl nonsense"), ":chatd.local CAP * NAK :sasl nonsense\n");
    assert_eq!(bob.all("CAP REQ sasl"), ":chatd.local CAP * ACK :sasl\n");
    assert_eq!(bob.all("NICK bobby"), "");
    assert_eq!(bob.all("USER b 0 * :Bob B"), "");
    assert_eq!(bob.all("AUTHENTICATE PLAIN"), "AUTHENTICATE +\n");
    let step = bob.first(&format!("AUTHENTICATE {BOB}"));
    assert_eq!(step, "Irc(Prove { name: UserName(bob), password: *** })");
    bob.reply(&Reply::Proved { name: name("Bob") });
    assert!(bob.next().is_none(), "CAP END has not come");
    bob.end();
    let logged_in = ":chatd.local 900 bobby bobby!account@chatd.local Bob :You are now logged in as Bob\n";
    let success = ":chatd.local 903 bobby :SASL authentication successful\n";
    assert_eq!(bob.taken(), format!("{logged_in}{success}"));
    assert_eq!(bob.all("AUTHENTICATE PLAIN").split(' ').nth(1), Some("907"));

    bob.first("CAP END");
    let enters = format!("{:?}", bob.next());
    assert_eq!(enters, "Some(Irc(EnterProved { called: Some(\"Bob B\") }))");
    bob.event(&Event::Welcome { name: who("Bob"), online: 1 });
    assert_eq!(command(bob.next()), Command::Census);
    bob.event(&Event::Counted(CENSUS));
    assert!(matches!(bob.next(), Some(Decoded::Recall(Recall::Unread))), "what waits");
    assert!(bob.next().is_none());
    bob.end();
    let greeting = bob.taken();
    let codes: Vec<&str> = greeting.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    let expected = "001 002 003 004 005 005 251 255 265 266 375 372 376 221 JOIN 353 366";
    assert_eq!(codes.join(" "), expected);
    assert!(greeting.starts_with(":chatd.local 001 Bob :Welcome to chatd, Bob\n"));
    assert!(greeting.contains(":Bob!account@chatd.local JOIN &all\n:chatd.local 353 Bob = &all :Bob\n"));
    assert!(greeting.len() < 2048, "the greeting is under 2 KiB: {}", greeting.len());
}

#[test]
fn the_anteroom() {
    let mut client = Client::new(Options::default());
    assert_eq!(client.all("JOIN :"), ":chatd.local 451 * :You have not registered\n");
    assert_eq!(client.all("JOIN #a"), ":chatd.local 451 * :You have not registered\n");
    client.all("NICK [x]");
    let greeting = client.all("USER x 0 * :x");
    assert!(greeting.contains("001 [x] ") && greeting.contains("NickServ IDENTIFY") && greeting.contains(" 376 "));
    let needs =
        |channel: &str| format!(":chatd.local 477 [x] {channel} :Log in first: /msg NickServ IDENTIFY name password\n");
    assert_eq!(client.all("JOIN #a"), needs("#a"));
    assert_eq!(client.all("JOIN #a,#b key"), needs("#a") + &needs("#b"));
    assert_eq!(client.all("JOIN"), needs("*"));
    assert_eq!(client.all("MODE [x]"), ":chatd.local 221 [x] +i\n");
    assert_eq!(client.all("MODE [X] +iw"), "", "changes are ignored");
    assert!(client.all("MODE bob").contains("FAIL * ACCOUNT_REQUIRED"));
    assert_eq!(client.all("NICK Chatd.Local"), ":chatd.local 432 [x] Chatd.Local :Erroneous nickname\n");
    assert!(client.all("PRIVMSG #a :x").contains("FAIL * ACCOUNT_REQUIRED"));
    assert!(client.all("PRIVMSG NickServ :HELLO").contains("NOTICE [x] :NickServ: IDENTIFY"));
    assert_eq!(client.first("NICKSERV IDENTIFY bob secret"), "Irc(Prove { name: UserName(bob), password: *** })");
    client.reply(&Reply::WrongPassword(2));
    client.end();
    assert_eq!(client.taken(), ":chatd.local NOTICE [x] :NickServ: Wrong password\n");
    client.first("PRIVMSG nickserv :identify bob secret");
    client.reply(&Reply::Proved { name: name("bob") });
    assert!(client.next().is_some());
    client.event(&Event::Welcome { name: who("bob"), online: 1 });
    assert!(matches!(client.next(), Some(Decoded::Recall(Recall::Unread))), "what waits");
    assert!(client.next().is_none());
    client.end();
    let lines = client.taken();
    let codes: Vec<&str> = lines.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(codes.join(" "), "NOTICE 900 903 NICK JOIN 353 366");
}

#[test]
fn user_names_somebody() {
    let mut bob = Client::new(Options::default());
    bob.all("NICK bob");
    for line in ["USER", "USER b 0 *", "USER b 0 * :", "USER :"] {
        assert_eq!(bob.all(line), ":chatd.local 461 bob USER :Not enough parameters\n", "{line}");
    }
    assert!(bob.all("USER b 0 * :B").starts_with(":chatd.local 001 bob "));
}

#[test]
fn nothing_comes_before_001_of_pass() {
    let mut bob = Client::new(Options::default());
    bob.all("PASS secret");
    bob.all("NICK bob");
    bob.first("USER b 0 * :B");
    assert!(bob.next().is_some());
    bob.reply(&Reply::Proved { name: name("Bob") });
    assert_eq!(bob.taken(), "");
    assert!(matches!(bob.next(), Some(Decoded::Irc(request)) if matches!(*request, Request::EnterProved { .. })));
    bob.event(&Event::Welcome { name: who("Bob"), online: 1 });
    assert!(bob.taken().starts_with(":chatd.local 001 Bob "));
}

#[test]
fn pass_logs_in_and_never_registers() {
    for (pass, nick, expected) in
        [("PASS secret", "bob", "bob"), ("PASS bob:secret", "x", "bob"), ("PASS :1:secret", "bob", "bob")]
    {
        let mut client = Client::new(Options { guests: true, sts: None });
        client.all(pass);
        client.all(&format!("NICK {nick}"));
        client.first("USER x 0 * :x");
        let step = format!("{:?}", client.next());
        assert_eq!(step, format!("Some(Irc(Prove {{ name: UserName({expected}), password: *** }}))"));
        client.reply(&Reply::WrongPassword(2));
        assert_eq!(client.taken(), format!(":chatd.local 464 {nick} :Password incorrect\n"));
        assert!(matches!(client.next(), Some(Decoded::Refuse(_))), "it closes");
    }
}

#[test]
fn guests() {
    let mut bob = Client::new(Options { guests: true, sts: None });
    bob.all("USER b 0 * :Bob");
    bob.first("NICK [b]");
    assert!(bob.next().is_none());
    bob.end();
    assert_eq!(bob.taken(), ":chatd.local 432 [b] [b] :Erroneous nickname\n");
    bob.first("NICK bob");
    let step = format!("{:?}", bob.next());
    assert_eq!(step, "Some(Irc(EnterAsGuest { guest: GuestName(bob), called: Some(\"Bob\") }))");
    bob.event(&Event::GuestNameTaken);
    assert!(bob.next().is_none());
    bob.end();
    assert_eq!(bob.taken(), ":chatd.local 433 bob bob :Nickname is already in use\n");
    bob.first("NICK rob");
    assert!(bob.next().is_some());
    bob.event(&Event::Welcome { name: who("~rob"), online: 1 });
    assert!(bob.taken().starts_with(":chatd.local 001 ^rob :Welcome to chatd, ^rob\n"));
    assert_eq!(command(bob.next()), Command::Census);
    bob.event(&Event::Counted(CENSUS));
    assert!(bob.taken().contains(":^rob!guest@chatd.local JOIN &all\n"));
    for nick in ["1", "Chatd.local", "a|b", "~bob"] {
        assert_eq!(bob.all(&format!("NICK {nick}")), format!(":chatd.local 432 ^rob {nick} :Erroneous nickname\n"));
    }
    assert!(bob.first("NICK ^bob").contains("Rename"));
    bob.event(&Event::YouAre { was: who("~rob"), now: who("~bob") });
    assert_eq!(bob.taken(), ":^rob!guest@chatd.local NICK ^bob\n");
}

#[test]
fn new_accounts() {
    let mut bob = Client::new(Options::default());
    assert!(bob.all("REGISTER * * secret").contains("FAIL REGISTER NEED_NICK *"));
    bob.all("NICK bob");
    assert!(bob.all("REGISTER alice * secret123").contains("FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK alice"));
    assert!(bob.all("REGISTER * * short").contains("FAIL REGISTER WEAK_PASSWORD bob"));
    let long = "x".repeat(129);
    assert!(bob.all(&format!("REGISTER * * {long}")).contains("FAIL REGISTER UNACCEPTABLE_PASSWORD bob"));
    let step = bob.first("REGISTER * * secret123");
    assert_eq!(step, "Irc(Register { name: UserName(bob), password: *** })");
    bob.reply(&Reply::NameTaken(name("bob")));
    assert!(bob.taken().contains("FAIL REGISTER ACCOUNT_EXISTS bob"));
    bob.first("REGISTER bob * secret123");
    bob.reply(&Reply::Proved { name: name("bob") });
    assert!(bob.taken().starts_with(":chatd.local REGISTER SUCCESS bob :"));
    assert!(bob.all("REGISTER * * secret123").contains("ALREADY_AUTHENTICATED"));
}

#[test]
fn a_closed_registration_is_closed_for_every_name() {
    let mut client = Client::of(Server { registers: false, ..Server::default() }, Options::default());
    let closed = |name: &str| format!(":chatd.local FAIL REGISTER TEMPORARILY_UNAVAILABLE {name} :No new accounts\n");
    assert_eq!(client.all("REGISTER * * secret123"), closed("*"));
    for nick in ["bob", "admin"] {
        client.all(&format!("NICK {nick}"));
        assert_eq!(client.all("REGISTER alice * secret123"), closed("alice"));
        assert_eq!(client.all(&format!("REGISTER {nick} * short")), closed(nick));
    }
    assert!(client.all("REGISTER * * secret123").contains(" TEMPORARILY_UNAVAILABLE "));
    assert!(!client.all("CAP LS").contains("account-registration"));
}

#[test]
fn new_accounts_by_nickserv() {
    let mut bob = Client::new(Options::default());
    bob.all("NICK bob");
    bob.all("USER b 0 * :Bob");
    assert_eq!(bob.all("NS REGISTER short"), ":chatd.local NOTICE bob :NickServ: A password has 8 bytes or more\n");
    for password in ["correct horse", "correcthorse battery", "my secret password", "secret123 bob@example.org x"] {
        let refused = ":chatd.local NOTICE bob :NickServ: A password has no spaces here: REGISTER password\n";
        assert_eq!(bob.all(&format!("PRIVMSG NickServ :REGISTER {password}")), refused, "{password}");
    }
    let refused = ":chatd.local NOTICE bob :NickServ: A password has no spaces here: IDENTIFY name password\n";
    assert_eq!(bob.all("NS IDENTIFY bob correct horse"), refused);
    let refused = ":chatd.local NOTICE bob :NickServ: A password has no spaces here: PASSWD old new\n";
    assert_eq!(bob.all("NS PASSWD correct horse secret123"), refused);
    let step = bob.first("PRIVMSG NickServ :REGISTER secret123 bob@example.org");
    assert_eq!(step, "Irc(Register { name: UserName(bob), password: *** })");
    bob.reply(&Reply::NameTaken(name("bob")));
    bob.end();
    assert_eq!(bob.taken(), ":chatd.local NOTICE bob :NickServ: Another account has this name\n");
    bob.first("PRIVMSG NickServ :REGISTER secret123");
    bob.reply(&Reply::Proved { name: name("bob") });
    let answer = bob.taken();
    assert!(answer.contains(" 900 bob ") && answer.contains("NOTICE bob :NickServ: You are bob now"), "{answer}");
    assert!(!answer.contains("REGISTER"), "{answer}");
}

#[test]
fn bad_lines_before_the_registration() {
    let mut client = Client::new(Options::default());
    client.first("NICK a\rb");
    assert!(client.end(), "it counts as a bad line");
    assert!(client.taken().contains("FAIL * INVALID_TEXT"));
    assert_eq!(client.door.decode(b"NICK \xff"), Decoded::Nothing);
    assert!(client.end());
    assert!(client.taken().contains("FAIL * INVALID_UTF8"));
    assert_eq!(client.all("USER a"), ":chatd.local 461 * USER :Not enough parameters\n");
    assert_eq!(client.all("NICK"), ":chatd.local 431 * :No nickname given\n");
    assert_eq!(client.all("NICK ~bob"), ":chatd.local 432 * ~bob :Erroneous nickname\n");
    assert_eq!(client.all("PING a b"), ":chatd.local PONG chatd.local :a\n");
    assert_eq!(client.all("PING"), ":chatd.local 409 * :No origin specified\n");
    assert_eq!(client.all("CAP FOO"), ":chatd.local 410 * FOO :Invalid CAP command\n");
    assert!(matches!(client.door.decode(b"GET / HTTP/1.1\r"), Decoded::Refuse(_)));
    let mut out = Vec::new();
    client.door.refuse(&crate::close::CloseReason::ServerFull, &mut out);
    assert_eq!(out, b"ERROR :Closing link: server full\r\n");
}
