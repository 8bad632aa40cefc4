//! The account file and the files beside it: torn, damaged, in use, or open to others.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use testkit::{Client, PASSWORD, Server};

/// A stopped server that has these accounts.
fn stopped_with(names: &[&str]) -> Server {
    let mut server = Server::start();
    names.iter().for_each(|name| server.bare(name).barrier());
    server.term();
    server
}

/// Writes these bytes to the account file.
fn write_accounts(server: &Server, bytes: &[u8]) {
    fs::write(server.path("accounts"), bytes).unwrap();
    fs::set_permissions(server.path("accounts"), Permissions::from_mode(0o600)).unwrap();
}

/// Saved torn ends.
fn torn(server: &Server) -> Vec<PathBuf> {
    let folder = server.path("accounts");
    let files = fs::read_dir(folder.parent().unwrap()).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.to_string_lossy().contains("accounts.torn-")).collect()
}

/// The prompt for a name: `C 331` for a known one, `C 332` for a new one.
#[track_caller]
fn asked(server: &Server, name: &str) -> (Client, String) {
    let mut client = server.greeted();
    client.send(name);
    let code = client.expect("C 33")[..5].to_owned();
    (client, code)
}

#[track_caller]
fn check_known(server: &Server, name: &str) {
    let (mut client, code) = asked(server, name);
    assert_eq!(code, "C 331", "{name}");
    client.send(PASSWORD);
    client.expect("C 230 ");
}

#[test]
fn a_torn_last_line_is_mended() {
    let mut server = stopped_with(&["alice", "bob", "carol"]);
    let whole = fs::read(server.path("accounts")).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    for cut in last..whole.len() {
        write_accounts(&server, &whole[..cut]);
        server.restart();
        check_known(&server, "alice");
        check_known(&server, "bob");
        let lacks_its_end_alone = cut == whole.len() - 1;
        let code = if lacks_its_end_alone { "C 331" } else { "C 332" };
        assert_eq!(asked(&server, "carol").1, code, "cut at {cut}");
        let copies = torn(&server);
        assert_eq!(copies.len(), usize::from(cut > last && !lacks_its_end_alone), "cut at {cut}");
        for copy in copies {
            assert_eq!(fs::read(&copy).unwrap(), &whole[last..cut]);
            assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
            let name = copy.file_name().unwrap().to_str().unwrap().to_owned();
            server.wait_for_log(&name);
            fs::remove_file(copy).unwrap();
        }
        server.kill9();
    }
    // A mended file works like any other.
    server.restart();
    server.bare("carol").barrier();
    server.restart();
    ["alice", "bob", "carol"].iter().for_each(|name| check_known(&server, name));
}

#[test]
fn a_flipped_bit_stops_the_start() {
    let mut server = stopped_with(&["alice", "bob", "carol", "dave"]);
    let whole = fs::read(server.path("accounts")).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    let path = server.path("accounts").display().to_string();
    for at in (0..last).step_by(5) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        write_accounts(&server, &damaged);
        let line = 1 + whole[..at].iter().filter(|b| **b == b'\n').count();
        server.fails_to_start().check(78, &[&path, &format!("line {line}:")]);
        assert_eq!(fs::read(server.path("accounts")).unwrap(), damaged, "a damaged file is not touched");
    }
    write_accounts(&server, &whole);
    server.restart();
    check_known(&server, "dave");
}

#[test]
fn a_missing_line_and_a_doubled_one_are_damage() {
    let mut server = stopped_with(&["alice", "bob", "carol"]);
    let text = fs::read_to_string(server.path("accounts")).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let missing = [lines[0], lines[1], lines[3]].concat();
    let doubled = [lines[0], lines[1], lines[1], lines[2], lines[3]].concat();
    for damaged in [missing, doubled] {
        write_accounts(&server, damaged.as_bytes());
        server.fails_to_start().check(78, &["line 3:"]);
    }
}

#[test]
fn crlf_and_a_byte_order_mark_are_accepted() {
    let mut server = stopped_with(&["alice", "bob"]);
    let whole = fs::read_to_string(server.path("accounts")).unwrap();
    let of_windows = whole.replace('\n', "\r\n");
    for text in [of_windows.as_str(), &format!("\u{feff}{whole}"), of_windows.trim_end()] {
        write_accounts(&server, text.as_bytes());
        server.restart();
        check_known(&server, "alice");
        check_known(&server, "bob");
        server.wait_for_log("it was written anew");
        assert_eq!(fs::read_to_string(server.path("accounts")).unwrap(), whole);
        assert_eq!(torn(&server).len(), 0);
        server.term();
    }
    server.restart();
    server.bare("carol").barrier();
    server.kill9();
    server.restart();
    ["alice", "bob", "carol"].iter().for_each(|name| check_known(&server, name));
}

#[test]
fn a_second_server_on_the_same_file_ends_at_once() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    let holder = format!("process {}", server.pid());
    server.fails_to_start().check(75, &["in use by", &holder, "accounts.file"]);
    alice.barrier();
    server.bare("bob").barrier();
    // The lock dies with its process, however that ends.
    server.kill9();
    server.restart();
    check_known(&server, "bob");
}

#[test]
fn files_that_others_may_read_stop_the_start() {
    let mut server = stopped_with(&["alice"]);
    for name in ["accounts", "accounts.key"] {
        for mode in [0o644, 0o660, 0o604] {
            fs::set_permissions(server.path(name), Permissions::from_mode(mode)).unwrap();
            let fix = format!("chmod 600 {}", server.path(name).display());
            server.fails_to_start().check(78, &[&fix]);
        }
        fs::set_permissions(server.path(name), Permissions::from_mode(0o600)).unwrap();
    }
    server.restart();
    check_known(&server, "alice");
}

#[test]
fn an_empty_file_or_partial_header_is_a_new_file() {
    let mut server = stopped_with(&["alice"]);
    for bytes in [&b""[..], b"chatd-acc"] {
        write_accounts(&server, bytes);
        server.restart();
        assert_eq!(asked(&server, "alice").1, "C 332");
        server.bare("bob").barrier();
        server.restart();
        check_known(&server, "bob");
        server.term();
    }
    write_accounts(&server, b"something else\n");
    server.fails_to_start().check(78, &["line 1:"]);
}
