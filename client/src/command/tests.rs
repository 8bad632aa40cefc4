use super::*;

#[track_caller]
fn check(line: &str, expected: &Intent<'_>) {
    assert_eq!(parse(line), *expected, "{line:?}");
}

#[track_caller]
fn check_room(line: &str, room: Option<&str>, deed: Deed<'_>) {
    check(line, &Intent::Room { room, deed });
}

#[track_caller]
fn check_usage(line: &str, name: &str) {
    check(line, &Intent::Usage(Command::find(name).unwrap()));
}

#[test]
fn texts() {
    check("", &Intent::Empty);
    check("  \t", &Intent::Empty);
    check("hello all", &Intent::Text("hello all"));
    check("//etc/passwd", &Intent::Text("/etc/passwd"));
    check("  / is a slash", &Intent::Text("  / is a slash"));
    check(" /whoever", &Intent::Text(" /whoever"));
    check(" //who", &Intent::Text(" //who"));
    check(" DM bob x", &Intent::Text(" DM bob x"));
    check("    if x:  ", &Intent::Text("    if x:  "));
    check("/say /who  there", &Intent::Text("/who  there"));
    check("grüße 👋", &Intent::Text("grüße 👋"));
}

#[test]
fn the_plain_dialogue() {
    for spaces in ["", " ", "   "] {
        check(&format!("PM{spaces}"), &Intent::AskEverybody);
        check(&format!("BM{spaces}"), &Intent::AskEverybody);
        check(&format!("DM{spaces}"), &Intent::AskDirect);
        check(&format!("EX{spaces}"), &Intent::Quit);
    }
    for text in ["pm", "Dm bob x", "EX machina", "PMs are fun", "WHO", " DM bob hi", "ex", " EX", "QUIT"] {
        check(text, &Intent::Text(text));
    }
}

#[test]
fn a_verb_with_words_behind_it_is_text() {
    for verb in ["PM", "BM", "DM", "EX"] {
        for behind in
            [" me the root password", " bob", "  bob  x", "\tbob x", "\u{a0}", "\u{3000}bob x", "\u{2003}bob x"]
        {
            let line = format!("{verb}{behind}");
            check(&line, &Intent::Text(&line));
        }
    }
}

#[test]
fn words_are_separated_by_spaces_alone() {
    check("/rm lobby\u{3000}hello world", &Intent::InRoom { room: "lobby\u{3000}hello", text: "world" });
    check("/dm bob\u{a0}secret", &Intent::AskDirectTo("bob\u{a0}secret"));
    check("/pm \u{3000}x", &Intent::Everybody("\u{3000}x"));
    check("/who\u{2003}al", &Intent::Unknown { typed: "who\u{2003}al", nearest: None });
    check("/who a\tb", &Intent::Who(Some("a\tb")));
    check_room("/join a\u{a0}pw", Some("a\u{a0}pw"), Deed::Join(None));
    check_room("/kick  a   b ", Some("a"), Deed::Kick("b"));
}

#[test]
fn a_command_after_space_is_refused() {
    for lead in [" ", "   ", "\t", " \t ", "\u{a0}", "\u{3000}", " \u{feff}", "\u{200b} \u{200b}"] {
        for command in ["/dm bob secret", "/DM\tbob secret", "/who", "/say x", "/msg bob x", "/login secret", "/quit"] {
            check(&format!("{lead}{command}"), &Intent::Indented);
        }
    }
}

#[test]
fn commands() {
    check("/pm", &Intent::GoPublic);
    check("/PM hi  there", &Intent::Everybody("hi  there"));
    check("/dm", &Intent::AskDirect);
    check("/dm bob", &Intent::AskDirectTo("bob"));
    check("/dm bob hi", &Intent::Direct { to: "bob", text: "hi" });
    check("/rm lobby  hi you", &Intent::InRoom { room: "lobby", text: "hi you" });
    check("/who", &Intent::Who(None));
    check("/who al ", &Intent::Who(Some("al")));
    check("/rooms x", &Intent::Rooms(Some("x")));
    check_room("/names", None, Deed::Names(None));
    check_room("/names a b", Some("a"), Deed::Names(Some("b")));
    check_room("/join a", Some("a"), Deed::Join(None));
    check_room("/join a pw", Some("a"), Deed::Join(Some("pw")));
    check_room("/join a  two  words ", Some("a"), Deed::Join(Some("two  words ")));
    check_room("/join a  ", Some("a"), Deed::Join(None));
    check_room("/make a pw", Some("a"), Deed::Make(Some("pw")));
    check_room("/leave", None, Deed::Leave);
    check_room("/kick bob", None, Deed::Kick("bob"));
    check_room("/kick a bob", Some("a"), Deed::Kick("bob"));
    check_room("/close a", Some("a"), Deed::Close);
    check_room("/invite bob", None, Deed::Invite("bob"));
    check_room("/invite a @bob", Some("a"), Deed::Invite("bob"));
    check_room("/host bob", None, Deed::HandOn("bob"));
    check_room("/host a bob", Some("a"), Deed::HandOn("bob"));
    check("/history", &Intent::Look(Look::History { place: None, rest: "" }));
    check("/history lobby before 3d 20", &Intent::Look(Look::History { place: Some("lobby"), rest: "before 3d 20" }));
    check("/missed", &Intent::Look(Look::Missed));
    check("/unread", &Intent::Look(Look::Unread));
    check("/search wor* \"two words\"", &Intent::Look(Look::Search("wor* \"two words\"")));
    check("/next", &Intent::Next);
    check("/topic lobby  what it is", &Intent::Topic("lobby  what it is"));
    check("/lock lobby two words", &Intent::Lock("lobby two words"));
    check_room("/keep lobby 7", Some("lobby"), Deed::Keep(Keeping::Days(Some("7"))));
    check_room("/keep to bob", None, Deed::Keep(Keeping::To("bob")));
    check("/passwd", &Intent::Passwd);
    check("/resend", &Intent::Resend);
    check("/forget", &Intent::Forget);
    check("/help", &Intent::Help);
    check("/help /dm", &Intent::HelpOn(Command::find("dm").unwrap()));
    check("/quit ", &Intent::Quit);
}

#[test]
fn wrong_arguments() {
    for (line, name) in [
        ("/rm", "rm"),
        ("/rm lobby", "rm"),
        ("/who a b", "who"),
        ("/join", "join"),
        ("/kick", "kick"),
        ("/kick a b c", "kick"),
        ("/leave a b", "leave"),
        ("/quit now", "quit"),
        ("/passwd secret", "passwd"),
        ("/make", "make"),
        ("/help a b", "help"),
        ("/history lobby den", "history"),
        ("/missed 5", "missed"),
        ("/search", "search"),
        ("/keep lobby x", "keep"),
        ("/next lobby", "next"),
        ("/lock", "lock"),
    ] {
        check_usage(line, name);
    }
}

#[test]
fn the_nearest() {
    for (typed, nearest) in [
        ("/hepl", Some("help")),
        ("/jion", Some("join")),
        ("/mak", Some("make")),
        ("/room", Some("rooms")),
        ("/wo", Some("who")),
        ("/pn", Some("pm")),
        ("/mgs", Some("msg")),
        ("/exti", Some("exit")),
        ("/pasword", Some("password")),
        // Several candidates, or none.
        ("/im", None),
        ("/pa", None),
        ("/zzz", None),
        ("/frobnicate", None),
        ("/kill", None),
        ("/test", None),
        ("/ls", None),
        ("/x", None),
        ("/", None),
        ("/usr/bin/env", None),
    ] {
        check(typed, &Intent::Unknown { typed: &typed[1..], nearest });
        check(
            &format!("/help {typed}x{typed}"),
            &Intent::Unknown { typed: &format!("{}x{typed}", &typed[1..]), nearest: None },
        );
    }
}

#[test]
fn habits_of_other_programs() {
    check("/msg bob hi", &Intent::Direct { to: "bob", text: "hi" });
    check("/query bob", &Intent::AskDirectTo("bob"));
    check("/bm hi", &Intent::Everybody("hi"));
    check_room("/j a pw", Some("a"), Deed::Join(Some("pw")));
    check_room("/part", None, Deed::Leave);
    check("/list", &Intent::Rooms(None));
    check("/EXIT", &Intent::Quit);
    check("/help msg", &Intent::HelpOn(Command::find("dm").unwrap()));
    for name in ["mute", "dnd", "status", "ban", "op", "mode", "clear"] {
        for line in [format!("/{name}"), format!("/{name} a b"), format!("/help {name}"), format!("/help /{name}")] {
            assert!(matches!(parse(&line), Intent::Absent(_)), "{line}");
        }
    }
}

#[test]
fn no_name_has_two_meanings() {
    let mut names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    names.extend(ALIASES.iter().map(|(alias, _)| *alias));
    names.extend(ABSENT.iter().map(|(absent, _)| *absent));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(ABSENT.iter().all(|(_, sentence)| !sentence.ends_with('.') && !sentence.is_empty()));
}

#[test]
fn lines_that_hold_a_password() {
    for (line, expected) in [
        ("/join a pw", true),
        ("/JOIN a  pw", true),
        ("/make a pw", true),
        ("/jion a pw", true),
        ("/passwd old new", true),
        ("/PASSWD x", true),
        ("/pass x", true),
        ("/password x", true),
        ("/login x", true),
        ("/enter room pw", true),
        ("/ join a pw", true),
        ("/join\ta\tpw", true),
        ("/join a pw and more", true),
        ("/join a\u{a0}pw", true),
        ("/make a\u{3000}pw", true),
        ("/j a pw", true),
        ("/create a pw", true),
        ("/identify pw", true),
        ("/register alice pw", true),
        ("/part a", false),
        ("/msg bob hi", false),
        (" /join a pw", true),
        ("\t/join a pw", true),
        ("\u{feff}/join a pw", true),
        (" \u{feff} /join a pw", true),
        ("/lock a pw", true),
        ("/lock pw", true),
        ("/lock", false),
        ("/topic a text", false),
        ("/passwd", false),
        ("/frobnicate", false),
        ("/kick a bob", false),
        ("/names a b", false),
        ("/pm a pw", false),
        ("/help passwd", false),
        ("/help foo", false),
        ("/foo bar", true),
        ("/join a", false),
        ("join a pw", false),
        ("/dm a pw", false),
        ("hello to you", false),
        ("//join a pw", false),
        ("/rm lobby hi", false),
        ("", false),
    ] {
        assert_eq!(holds_secret(line), expected, "{line}");
    }
}

#[test]
fn answers() {
    for yes in ["y", "Y", " yes ", "YES\n", "\u{feff}y"] {
        assert_eq!(answer(yes), Some(Answer::Each), "{yes:?}");
    }
    for one in ["1", " 1 "] {
        assert_eq!(answer(one), Some(Answer::AsOne), "{one:?}");
    }
    for no in ["", " ", "n", "N", "no", "No ", "\n"] {
        assert_eq!(answer(no), Some(Answer::No), "{no:?}");
    }
    for other in ["yes please", "what?", "y\ny", "/pm", "2", "11", "nope"] {
        assert_eq!(answer(other), None, "{other:?}");
    }
}

#[test]
fn names() {
    for (name, expected) in [("alice", true), ("a-1_.", true), ("", false), ("1a", false), ("a b", false)] {
        assert_eq!(is_user_name(name), expected, "{name}");
    }
    assert!(is_user_name(&"a".repeat(32)) && !is_user_name(&"a".repeat(33)));
    for (name, expected) in [("lobby", true), ("größe", true), ("", false), ("a b", false), ("a\u{202e}", false)] {
        assert_eq!(is_room_name(name), expected, "{name}");
    }
}

#[test]
fn every_command_is_documented() {
    let page = include_str!("../../../docs/client.md").replace("\\|", "|"); // in tables
    for command in COMMANDS {
        assert!(page.contains(&format!("`{}`", command.usage())), "{}", command.usage());
    }
    for name in ALIASES.iter().map(|(alias, _)| *alias).chain(ABSENT.iter().map(|(absent, _)| *absent)) {
        assert!(page.contains(&format!("`/{name}`")), "{name}");
    }
}

#[test]
fn every_command_is_found_by_its_own_name() {
    for command in COMMANDS {
        assert_eq!(Command::find(&command.name.to_uppercase()), Some(command));
        assert_eq!(nearest(command.name), Some(command.name));
    }
}
