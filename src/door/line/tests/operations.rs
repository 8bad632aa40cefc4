//! Operations after login.

use super::*;
use crate::hub::event::Present;

#[test]
fn verbs_and_spaces() {
    check_in(&["> C noop", "< C 200…", "> C nOOp", "< C 200…", "> C   NOOP  ", "< C 200…"]);
    check_in(&["> C pm    hi   there ", "< C 250 sent to 1", "bob< D PM alice hi   there "]);
    check_in(&["> C   dM   BOB   hi   there ", "< C 250 sent to bob", "bob< D DM alice hi   there "]);
    check_in(&["> C PM \thi", "< C 250…", "bob< D PM alice  hi"]);
    check_in(&["> C PM\thi", "< C 502…"]);
    // Only U+0020 separates words.
    for space in ["\t", "\u{a0}", "\u{2003}", "\u{3000}"] {
        check_in(&[&format!("> C PM{space}hi"), "< C 502…"]);
        check_in(&[&format!("> C PM {space}hi{space}"), "< C 250…"]);
        check_in(&[&format!("> C DM bob{space}secret"), "< C 550 no such user"]);
        check_in(&[&format!("> C WHO{space}"), "< C 502…"]);
        check_in(&[&format!("> C WHO b{space}"), "< C 211 0 online"]);
        check_in(&[&format!("> C RM tea{space}hi"), "< C 550 no such room; ROOMS lists all"]);
    }
}

#[test]
fn public_messages() {
    check_in(&["> C PM hello all", "< C 250 sent to 1", "bob< D PM alice hello all"]);
    check_in(&[
        "> C PM",
        "< C 354 your message?",
        "> D  hello all ",
        "< C 250 sent to 1",
        "bob< D PM alice  hello all ",
    ]);
    // Spaces are text at a prompt for a message.
    check_in(&["> C PM   ", "< C 354…", "> D   ", "< C 250 sent to 1", "bob< D PM alice   "]);
    check_in(&["> C BM hello", "< C 250 sent to 1", "bob< D PM alice hello"]);
    check_in(&["> C bm", "< C 354…", "> D hello", "< C 250 sent to 1", "bob< D PM alice hello"]);
    check_in(&["> C PM", "< C 354…", "> D EX", "< C 250 sent to 1", "bob< D PM alice EX"]);
    check_in(&["> C PM grüße 👋 \u{5e9}\u{5dc}", "< C 250…", "bob< D PM alice grüße 👋 \u{5e9}\u{5dc}"]);
}

#[test]
fn direct_messages() {
    check_in(&["> C DM bob hello", "< C 250 sent to bob", "bob< D DM alice hello"]);
    check_in(&["> C DM Bob", "< C 354 your message?", "> D hello", "< C 250 sent to bob", "bob< D DM alice hello"]);
    let list = ["> C DM", "< C 211-alice", "< C 211-bob", "< C 211 2 online", "< C 350 name and message?"];
    let after_list = |script: &[&str]| check_in(&[&list, script].concat());
    after_list(&["> D bob hello", "< C 250 sent to bob", "bob< D DM alice hello"]);
    after_list(&["> D   bob   hello ", "< C 250 sent to bob", "bob< D DM alice   hello "]);
    after_list(&["> D bob   ", "< C 354 your message?", "> D   x", "< C 250 sent to bob", "bob< D DM alice   x"]);
    after_list(&["> D ~zoe hello", "< C 550 ~zoe is not online", "> C NOOP", "< C 200…"]);
    after_list(&["> D BOB", "< C 354 your message?", "> D hello", "< C 250 sent to bob", "bob< D DM alice hello"]);
    after_list(&["> D dora hello", "< C 550 dora is not online", "> C NOOP", "< C 200…"]);
    after_list(&["> D dora", "< C 550 dora is not online", "> C NOOP", "< C 200…"]);
    after_list(&["> D 9 hello", "< C 550…", "> C NOOP", "< C 200…"]);
    after_list(&["> D   ", "< C 501…", "> D bob hello", "< C 250 sent to bob"]);
    check_in(&["> C DM dora", "< C 550 dora is not online", "> C NOOP", "< C 200…"]);
    check_in(&["> C DM dora hi", "< C 550 dora is not online", "> C NOOP", "< C 200…"]);
    for line in ["> C DM alice hi", "> C DM ALICE", "> C DM alice"] {
        check_in(&[line, "< C 550 that is you, and you have no other session", "> C NOOP", "< C 200…"]);
    }
    for line in ["> C DM ~zoe hi", "> C DM ~zoe"] {
        check_in(&[line, "< C 550 ~zoe is not online", "> C NOOP", "< C 200…"]);
    }
    check_in(&["> C DM ~", "< C 550 no such user", "> C NOOP", "< C 200…"]);
    check_in(&["> C DM é hi", "< C 550…", "> C NOOP", "< C 200…"]);
    check_in(&["> C DM who hi", "< C 550 who is not online"]);
}

#[test]
fn a_bare_operation_at_a_prompt_is_text() {
    let bare: Vec<String> = LOGIN.iter().map(|line| undressed(line)).collect();
    let bare: Vec<&str> = bare.iter().map(String::as_str).collect();
    check(&[&bare[..], &["> PM", "< C 354…", "> C NOOP", "< C 250…", "bob< D PM alice C NOOP"]].concat());
    check(&[&bare[..], &["> DM bob", "< C 354…", "> PM hi", "< C 250…", "bob< D DM alice PM hi"]].concat());
}

#[test]
fn data_without_a_prompt() {
    check(&[LOGIN, &["> D hi", "< C 503…", "> C NOOP", "< C 200…"]].concat());
    check(&[LOGIN, &["> C PM", "< C 354…", "> D a", "< C 250…", "bob< D PM alice a", "> D b", "< C 503…"]].concat());
}

#[test]
fn received_messages() {
    let frame = format!("< D PM {} bob hello  all", 1000u64 << 20);
    check(&[LOGIN, &["bob> hello  all", &frame]].concat());
    check(&["> alice", "< C 331…", "> password1", "< C 230…", "bob> hello  all", "< D PM bob hello  all"]);
    // A message may arrive at a prompt, and does not change it.
    check(&[LOGIN, &["> C PM", "< C 354…", "bob> hello  all", &frame, "> D hi", "< C 250 sent to 1"]].concat());
}

#[test]
fn who() {
    check_in(&["> C WHO", "< C 211-alice", "< C 211-bob", "< C 211 2 online"]);
    check_in(&["> C WHO  B ", "< C 211-bob", "< C 211 1 online"]);
    check_in(&["> C WHO x", "< C 211 0 online"]);
    check_in(&["> C WHO a b", "< C 501 usage: WHO…"]);
}

#[test]
fn truncated_list() {
    let names =
        ["a", "B"].map(|name| Present { who: Who::parse(name).unwrap(), is_away: name == "a", called: None }).to_vec();
    let mut out = Vec::new();
    encode(Kind::Bare, &Event::Online { names, matching: 10_482 }, &mut out);
    let [first, second, last] = &taken(&mut out)[..] else { panic!("three lines") };
    assert_eq!((first.as_str(), second.as_str()), ("C 211-a", "C 211-B"));
    assert!(last.starts_with("C 211 2 of 10482 ") && last.ends_with("; WHO prefix narrows it"), "{last}");
}

#[test]
fn operations_without_arguments() {
    check_in(&["> C EX", "< C 221 bye"]);
    check_in(&["> C EX  ", "< C 221 bye"]);
    check_in(&["> C NOOP x", "< C 501 usage: NOOP"]);
    check_in(&["> C EX x", "< C 501 usage: EX", "> C TOKEN x", "< C 501 usage: TOKEN"]);
    check_in(&["> C PASSWD x", "< C 501 usage: PASSWD", "> C NOOP", "< C 200…"]);
    let unknown = "< C 502 unknown operation; PM hello says it to everybody, HELP lists all";
    check_in(&["> C FROB", unknown, "> C FROB x y", unknown, "> C 230 welcome", unknown, "> C /pm hi", unknown]);
    for verb in ["quit", "QUIT", "exit", "Bye"] {
        check_in(&[&format!("> C {verb} x"), "< C 501 usage: EX", &format!("> C {verb}"), "< C 221 bye"]);
    }
}

#[test]
fn help() {
    let mut server = Server::new();
    server.send(b"alice t1.T0KEN");
    server.keep_days = Some(30);
    let told = server.send(b"HELP");
    let (last, lines) = told.split_last().unwrap();
    assert!(last.starts_with("C 214 ") && lines.iter().all(|line| line.starts_with("C 214-")), "{told:?}");
    let verbs = "PM DM EX WHO MAKE JOIN LEAVE RM ROOMS NAMES KICK CLOSE HISTORY MISSED SEARCH UNREAD READ KEEP TOPIC LOCK \
                 WHOIS SET AWAY WATCH IGNORE NOTIFY FORGET WANT TOKEN PASSWD HELP NOOP";
    for verb in verbs.split(' ') {
        assert!(told.iter().any(|line| line[6..].starts_with(verb)), "{verb} is not in {told:?}");
        for line in [format!("HELP {verb}"), format!("help  {} ", verb.to_lowercase())] {
            let told = server.send(line.as_bytes());
            let (last, lines) = told.split_last().unwrap();
            let first = lines.first().unwrap_or(last);
            assert!(first.starts_with("C 214") && first[6..].starts_with(verb), "{first}");
            assert!(last.starts_with("C 214 ") && lines.iter().all(|line| line.starts_with("C 214-")), "{last}");
        }
    }
    for (alias, verb) in [("BM", "PM"), ("quit", "EX"), ("exit", "EX"), ("bye", "EX"), ("?", "HELP")] {
        check_in(&[&format!("> C HELP {alias}"), &format!("< C 214 {verb}…")]);
    }
    assert_eq!(server.send(b"?"), told);
    check_in(&["> C ? PM", "< C 214 PM…"]);
    server.keep_days = None;
    let told = server.send(b"HELP");
    let starts = |start: &str| told.iter().any(|line| line[6..].starts_with(start));
    assert!(starts("AWAY ") && starts("WHOIS ") && !starts("HISTORY ") && !starts("IGNORE "), "{told:?}");
    check_in(&["> C HELP FROB", "< C 502…", "> C HELP PM DM", "< C 501 usage: HELP…"]);
}

#[test]
fn tokens_are_issued() {
    check_in(&["> C TOKEN", "< C 231 t1.T0KEN expires=86400", "> C NOOP", "< C 200…"]);
}

#[test]
fn changing_the_password() {
    let too_long = format!("> D {}", "p".repeat(129));
    let old = ["> C PASSWD", "< C 331 …", "> D password1", "< C 332 …"];
    let after_old = |script: &[&str]| check_in(&[&old, script].concat());
    after_old(&["> D password2", "< C 200 …", "> C NOOP", "< C 200…"]);
    after_old(&["> D 7letter", "< C 501…", "> D 8letters", "< C 200 …", "> C NOOP", "< C 200…"]);
    after_old(&[&too_long, "< C 501…", "> D  8 lett ", "< C 200 …", "> C NOOP", "< C 200…"]);
    check_in(&["> C PASSWD", "< C 331 …", "> D wrong", "< C 530…", "> C NOOP", "< C 200…"]);
    check_in(&["> C PASSWD", "< C 331 …", "> D  password1", "< C 530…"]);
    check_in(&["> C PASSWD", "< C 331 …", &too_long, "< C 501…", "> D password1", "< C 332…"]);
}

#[test]
fn busy_ends_the_change_of_a_password() {
    // Only the refusals 500 and 501 keep a prompt.
    check_in(&["> C PASSWD", "< C 331 …", "> D busybusy", "< C 450…", "> C NOOP", "< C 200…"]);
    for busy in ["> D busybusy", "> D fulldisk"] {
        let script =
            ["> C PASSWD", "< C 331 …", "> D password1", "< C 332 …", busy, "< C 450…", "> C NOOP", "< C 200…"];
        check_in(&script);
        check(&[LOGIN, &script, &["> D password2", "< C 503…"]].concat());
    }
}

#[test]
fn invisible_characters_are_removed_from_messages() {
    let hidden = "\u{feff}a\u{200b}b\u{200e}\u{200f}\u{61c}c\u{2060}\u{2064}";
    check_in(&[&format!("> C PM {hidden}"), "< C 250…", "bob< D PM alice abc"]);
    check_in(&[&format!("> C DM bob {hidden}"), "< C 250…", "bob< D DM alice abc"]);
    check_in(&["> C PM", "< C 354…", &format!("> D {hidden}"), "< C 250…", "bob< D PM alice abc"]);
    check_in(&["> C DM bob", "< C 354…", &format!("> D  {hidden}"), "< C 250…", "bob< D DM alice  abc"]);
    // A message of nothing else is refused, and the prompt stays.
    check_in(&["> C PM \u{200b}", "< C 501 bad bytes…"]);
    check_in(&["> C DM bob \u{200b}", "< C 501 bad bytes…"]);
    check_in(&["> C PM", "< C 354…", "> D \u{200b}", "< C 501 bad bytes…", "> D hi", "< C 250 sent to 1"]);
    check_in(&["> C DM bob", "< C 354…", "> D \u{feff}\u{200f}", "< C 501…", "> D hi", "< C 250 sent to bob"]);
    // They are not removed from names and verbs, which are then unknown.
    check_in(&["> C P\u{200b}M hi", "< C 502…", "> C DM b\u{200b}ob hi", "< C 550 no such user"]);
    // A new password with one is refused.
    check_in(&["> C PASSWD", "< C 331…", "> D password1", "< C 332…", "> D pass\u{200b}word", "< C 501 bad bytes…"]);
    // Texts in Khmer, Hebrew and Persian and an emoji sequence are not changed.
    for text in ["ខ្មែរ", "שָׁלוֹם", "می\u{200c}خواهم", "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}"]
    {
        check_in(&[&format!("> C PM {text}"), "< C 250…", &format!("bob< D PM alice {text}")]);
    }
}

#[test]
fn tabs() {
    let typed = format!("< D PM {} bob a\t\tb", 1000u64 << 20);
    check(&[LOGIN, &["bob> a\t\tb", &typed]].concat());
    check(&["> alice", "< C 331…", "> password1", "< C 230…", "bob> a\t\tb\t", "< D PM bob a  b "]);
    check_in(&["> C PM", "< C 354…", "> D \t", "< C 250…", "bob< D PM alice  "]);
}
