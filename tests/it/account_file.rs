//! The account file of a running server is moved, replaced, cut or overwritten; and starts that find less than an
//! earlier one left.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use testkit::{PASSWORD, Server};

#[track_caller]
fn check_refused(server: &Server, name: &str) {
    let (_, answer) = server.register(name);
    assert!(answer.starts_with("C 450 "), "{name}: {answer:?}");
}

#[track_caller]
fn check_registers(server: &Server, name: &str) {
    let (_, answer) = server.register(name);
    assert!(answer.starts_with("C 230 "), "{name}: {answer:?}");
}

/// The number of log lines that contain this.
fn count(server: &Server, part: &str) -> usize {
    server.log_text().lines().filter(|line| line.contains(part)).count()
}

#[test]
fn moved_away_and_back_nothing_is_lost() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    let (path, away) = (server.path("accounts"), server.path("elsewhere"));
    fs::rename(&path, &away).unwrap();
    check_refused(&server, "bob");
    check_refused(&server, "bob");
    let line = server.wait_for_log("accounts: the file is gone from its place");
    assert!(line.contains("[ERROR]") && line.contains("put back"), "{line}");
    for (line, code) in [("PASSWD", "C 331 "), (PASSWORD, "C 332 "), ("battery staple", "C 450 ")] {
        alice.send(line);
        alice.expect(code);
    }
    // Login and chat go on.
    let mut again = server.bare("alice");
    assert_eq!(again.ask("DM alice hello"), "C 250 sent to alice");
    assert!(!path.exists());
    fs::rename(&away, &path).unwrap();
    check_registers(&server, "bob");
    server.wait_for_log("accounts: the file can be written again");
    assert_eq!(count(&server, "accounts: the file is gone"), 1, "once per trouble");
    server.kill9();
    server.restart();
    for name in ["alice", "bob"] {
        let mut client = server.greeted();
        client.send(name);
        client.expect("C 331 ");
    }
}

#[test]
fn replaced_it_is_refused_until_a_restart() {
    let mut server = Server::start();
    server.bare("alice").barrier();
    let (path, copy) = (server.path("accounts"), server.path("copy"));
    fs::copy(&path, &copy).unwrap();
    server.bare("bob").barrier();
    fs::rename(&copy, &path).unwrap();
    let backup = fs::read(&path).unwrap();
    check_refused(&server, "carol");
    assert!(server.wait_for_log("accounts: another file stands in its place").contains("[ERROR]"));
    assert_eq!(fs::read(&path).unwrap(), backup, "the new file is left alone");
    server.restart();
    check_registers(&server, "bob");
}

#[test]
fn a_file_changed_outside_is_refused() {
    let mut server = Server::start();
    server.bare("alice").barrier();
    let path = server.path("accounts");
    let whole = fs::read(&path).unwrap();
    let longer = [&whole[..], b"a line of somebody's\n"].concat();
    for other in [&whole[..17], &[], &longer[..], &[b'x'; 7]] {
        fs::write(&path, other).unwrap();
        check_refused(&server, "bob");
        assert_eq!(fs::read(&path).unwrap(), other, "what is there now is left alone");
        // The same length, but different content.
        fs::write(&path, vec![b'x'; whole.len()]).unwrap();
        check_refused(&server, "bob");
    }
    assert!(server.wait_for_log("bytes, and not the").contains("[ERROR]"));
    assert!(server.wait_for_log("accounts: the file holds other lines").contains("[ERROR]"));
    fs::write(&path, &whole[..20]).unwrap();
    check_refused(&server, "bob");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&whole[20..]).unwrap();
    check_registers(&server, "bob");
    server.restart();
    let mut client = server.greeted();
    client.send("bob");
    client.expect("C 331 ");
}

#[test]
fn a_start_without_what_was_there_is_warned_of() {
    let mut server = Server::start();
    server.bare("alice").barrier();
    assert_eq!(count(&server, "[WARN]"), 0, "a first start is nothing to be warned of");
    server.restart();
    assert_eq!(count(&server, "[WARN]"), 0);
    server.term();
    fs::remove_file(server.path("accounts.key")).unwrap();
    server.restart();
    let line = server.wait_for_log("accounts.key is missing");
    assert!(line.contains("[WARN]") && line.contains("tokens"), "{line}");
    server.term();
    fs::write(server.path("accounts"), "").unwrap();
    server.restart();
    let line = server.wait_for_log("all names are free");
    assert!(line.contains("[WARN]") && line.contains("accounts.key"), "{line}");
    // The file is whole again, and nobody has registered in between: nothing is lost.
    server.term();
    server.restart();
    assert_eq!(count(&server, "[WARN]"), 0);
    server.term();
    fs::remove_file(server.path("accounts")).unwrap();
    server.restart();
    server.wait_for_log("all names are free");
    check_registers(&server, "alice");
}
