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
    check(" /who", &Intent::Text(" /who"));
    check("grüße 👋", &Intent::Text("grüße 👋"));
}

#[test]
fn the_plain_dialogue() {
    check("PM", &Intent::AskEverybody);
    check("PM  hi", &Intent::Everybody("hi"));
    check("DM", &Intent::AskDirect);
    check("DM bob", &Intent::AskDirectTo("bob"));
    check("DM bob  psst you", &Intent::Direct { to: "bob", text: "psst you" });
    check("EX", &Intent::Quit);
    for text in ["pm", "Dm bob x", "EX machina", "PMs are fun", "WHO", " DM bob hi", "ex"] {
        check(text, &Intent::Text(text));
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
    check_room("/make a pw", Some("a"), Deed::Make(Some("pw")));
    check_room("/leave", None, Deed::Leave);
    check_room("/kick bob", None, Deed::Kick("bob"));
    check_room("/kick a bob", Some("a"), Deed::Kick("bob"));
    check_room("/close a", Some("a"), Deed::Close);
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
        ("/join a b c", "join"),
        ("/kick", "kick"),
        ("/kick a b c", "kick"),
        ("/leave a b", "leave"),
        ("/quit now", "quit"),
        ("/passwd secret", "passwd"),
        ("/make", "make"),
        ("/help a b", "help"),
    ] {
        check_usage(line, name);
    }
}

#[test]
fn the_nearest() {
    for (typed, nearest) in [
        ("/hepl", Some("help")),
        ("/q", Some("quit")),
        ("/jion", Some("join")),
        ("/mak", Some("make")),
        ("/room", Some("rooms")),
        ("/zzz", Some("help")),
        ("/password", Some("passwd")),
        ("/frobnicate", Some("forget")),
        ("/", None),
        ("/pn", Some("pm")),
        ("/exit", Some("quit")),
    ] {
        check(typed, &Intent::Unknown { typed, nearest: nearest.and_then(Command::find) });
    }
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
        ("/create room pw", true),
        ("/enter room pw", true),
        ("/ join a pw", true),
        ("/join\ta\tpw", true),
        ("/join a pw and more", true),
        ("/passwd", false),
        ("/frobnicate", false),
        ("/kick a bob", false),
        ("/names a b", false),
        ("/pm a pw", false),
        ("/help passwd", false),
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
    let page = include_str!("../../../docs/client.md");
    for command in COMMANDS {
        assert!(page.contains(&format!("`{}`", command.usage())), "{}", command.usage());
    }
}

#[test]
fn every_command_is_found_by_its_own_name() {
    for command in COMMANDS {
        assert_eq!(Command::find(&command.name.to_uppercase()), Some(command));
        assert_eq!(nearest(command.name), Some(command));
    }
}
