//! Texts of several lines: `/paste`, and `/edit` with editors of all kinds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;
use testkit::{Client, PASSWORD, Server, Terminal, eventually, program};

/// A client in a terminal whose editor is this script, and whose temporary files are in `home/tmp`. `$1` is the file.
#[track_caller]
fn logged_in(home: &Path, server: &Server, editor: &str) -> Terminal {
    fs::create_dir(home.join("tmp")).unwrap();
    let path = home.join("my editor");
    fs::write(&path, format!("#!/bin/sh\n{editor}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let (temporary, editor) = (home.join("tmp"), format!("'{}' first", path.display()));
    let variables = [("TMPDIR", temporary.to_str().unwrap()), ("VISUAL", &editor), ("EDITOR", "false")];
    start(home, server, &variables)
}

#[track_caller]
fn start(home: &Path, server: &Server, variables: &[(&str, &str)]) -> Terminal {
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let mut alice = Terminal::start_with(24, 80, home, &program("chatclient"), &[&host, &port, "alice"], variables);
    alice.wait_for("choose a password: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("the same password again: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("alice> ");
    alice
}

/// Waits for this, wherever the rows break.
#[track_caller]
fn wait_for_words(alice: &mut Terminal, words: &str) {
    alice.wait(words, |alice| alice.contents().split_whitespace().collect::<Vec<_>>().join(" ").contains(words));
}

/// No file is left over.
#[track_caller]
fn check_clean(home: &Path) {
    eventually("no file is left", || fs::read_dir(home.join("tmp")).unwrap().count() == 0);
}

fn text_of(line: &str) -> &str {
    line.split_once("alice ").unwrap().1
}

#[track_caller]
fn check_lines(bob: &mut Client, lines: &[&str]) {
    for line in lines {
        assert_eq!(text_of(&bob.line()), *line);
    }
}

#[test]
fn lines_are_collected_until_a_dot() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("/paste\rfn main() {\r\r    /quit\r}\r.\r");
    alice.wait_for("send 3 lines? [y/N/1 = as one line]");
    alice.keys("y\r");
    check_lines(&mut bob, &["fn main() {", "    /quit", "}"]);
    alice.wait_for_line("alice> ", 7);
    // Ctrl-C on a line discards it; on an empty one, all lines. Ctrl-D ends them.
    alice.keys("/paste\rone\r");
    alice.wait_for_line("line 2> ", 8);
    alice.keys("two");
    alice.wait_for_line("line 2> two", 11);
    alice.keys("\x03");
    alice.wait_for_line("line 2> ", 8);
    alice.keys("\x03");
    alice.wait_for("not sent; the up arrow brings them back");
    alice.wait_for_line("alice> ", 7);
    alice.keys("/paste\rlast one\r\x04");
    alice.wait_for("send 1 line? [y/N]");
    alice.keys("y\r");
    check_lines(&mut bob, &["last one"]);
    alice.wait_for_line("alice> ", 7);
    alice.keys("\x04");
    alice.expect_exit(0);
}

#[test]
fn an_editor_has_the_terminal_and_the_client_stays_connected() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    let home = tempfile::tempdir().unwrap();
    let editor = "stty -a >modes; stat -c %a \"$2\" \"$(dirname \"$2\")\" >access; cp \"$2\" begun; echo copy >\"$2~\"
        printf 'EDITOR HAS IT\\n'; read word; printf '%s\\n\\n  two\\n' \"$word\" >\"$2\"";
    let mut alice = logged_in(home.path(), &server, &format!("cd '{}'\n{editor}", home.path().display()));
    alice.keys("/edit  begun here\r");
    alice.wait_for("EDITOR HAS IT");
    assert!(alice.is_cooked(), "the terminal is as it was before the client");
    bob.typed("PM meanwhile");
    bob.expect("C 250 ");
    bob.typed("DM alice psst");
    bob.expect("C 250 ");
    alice.pump(std::time::Duration::from_millis(300));
    assert!(!alice.contents().contains("meanwhile"), "the editor has the terminal:\n{}", alice.contents());
    alice.keys("typed\r");
    alice.wait_for("bob -> you: psst");
    alice.wait_for("send 2 lines? [y/N/1 = as one line]");
    let shown = alice.contents();
    assert!(shown.find("meanwhile") < shown.find("psst") && shown.matches("meanwhile").count() == 1, "{shown}");
    assert_eq!(fs::read_to_string(home.path().join("begun")).unwrap(), "begun here\n");
    assert_eq!(fs::read_to_string(home.path().join("access")).unwrap(), "600\n700\n");
    let modes = fs::read_to_string(home.path().join("modes")).unwrap();
    assert!(modes.contains(" icanon") && modes.contains(" echo "), "{modes}");
    alice.keys("y\r");
    check_lines(&mut bob, &["typed", "  two"]);
    check_clean(home.path());
    alice.wait_for_line("alice> ", 7);
    // Editing goes on.
    alice.keys("hello\r");
    check_lines(&mut bob, &["hello"]);
}

#[test]
fn an_editor_that_fails_sends_nothing() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    let home = tempfile::tempdir().unwrap();
    let editor = "case \"$(cat \"$2\")\" in
        fail) echo lost >\"$2\"; exit 3;;
        remove) rm \"$2\";;
        empty) echo >\"$2\";;
        latin) printf 'caf\\351' >\"$2\";;
        dead) kill -9 $$;;
        *) echo kept >\"$2\";;
        esac";
    let mut alice = logged_in(home.path(), &server, editor);
    for (text, told) in [
        ("fail", "has failed (exit status: 3)"),
        ("remove", "has left no file"),
        ("empty", "nothing is sent: the text is empty"),
        ("latin", "is not UTF-8"),
        ("dead", "has failed (signal: 9"),
    ] {
        alice.keys(&format!("/edit {text}\r"));
        wait_for_words(&mut alice, told);
        alice.wait_for_line("alice> ", 7);
        check_clean(home.path());
    }
    // A refused text is there again.
    alice.keys("/edit x\r");
    alice.wait_for("send 1 line? [y/N]");
    alice.keys("n\r");
    alice.wait_for("/edit goes on with the text");
    alice.keys("/edit\r");
    alice.wait("the question again", |alice| alice.contents().matches("send 1 line? [y/N]").count() == 2);
    alice.keys("y\r");
    check_lines(&mut bob, &["kept"]);
    bob.silence(std::time::Duration::from_millis(100));
    check_clean(home.path());
}

#[test]
fn an_editor_that_does_not_exist() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(home.path(), &server, &[("EDITOR", "/nosuch/editor -x"), ("VISUAL", " ")]);
    alice.keys("/edit\r");
    wait_for_words(&mut alice, "not sent: the editor /nosuch/editor does not start: No such file");
    alice.wait_for_line("alice> ", 7);
    let home = tempfile::tempdir().unwrap();
    let server = Server::start();
    let mut alice = start(home.path(), &server, &[("PATH", "/nosuch")]);
    alice.keys("/edit\r");
    wait_for_words(&mut alice, "there is no editor (vi, nano): set EDITOR");
    alice.wait_for_line("alice> ", 7);
}

#[test]
fn a_client_that_ends_ends_its_editor() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let editor = format!("echo $$ >'{0}/pid'; exec sleep 600", home.path().display());
    let mut alice = logged_in(home.path(), &server, &editor);
    alice.keys("/edit\r");
    let pid = || fs::read_to_string(home.path().join("pid")).unwrap_or_default().trim().to_owned();
    eventually("the editor", || {
        fs::read_to_string(format!("/proc/{}/comm", pid())).is_ok_and(|name| name == "sleep\n")
    });
    alice.signal(Signal::TERM);
    alice.expect_exit(0);
    assert!(!Path::new(&format!("/proc/{}", pid())).exists(), "the editor is gone");
    assert!(alice.is_restored());
    check_clean(home.path());
}
