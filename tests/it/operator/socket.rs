//! The socket's file: its mode, who may connect, and what is in its place.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;
use testkit::{Desk, Server, run};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn only_its_user_may_use_it_and_it_is_removed() {
    let mut server = Server::start();
    let path = server.path("chatd.sock");
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(mode(&path), 0o600);
    server.wait_for_log(&format!("operator socket {}", path.display()));
    assert_eq!(server.term().code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_stale_one_is_replaced() {
    let mut server = Server::start();
    server.kill9();
    assert!(server.path("chatd.sock").exists(), "nobody removed it");
    server.restart();
    assert_eq!(server.desk().ask("status").last, "211 1");
}

#[test]
fn a_live_one_is_in_use() {
    let mut server = Server::start();
    assert_eq!(server.term().code(), Some(0));
    let path = server.path("chatd.sock");
    let _other = UnixListener::bind(&path).unwrap();
    server.fails_to_start().check(75, &["operator socket", "a server answers there", "operator.socket"]);
    assert!(path.exists(), "the other server's socket stays");
}

#[test]
fn two_servers_in_one_folder_do_not_share_it() {
    let mut server = Server::start();
    server.set("accounts.file", "\"others\"");
    server.fails_to_start().check(75, &["history.db: in use", "history.file"]);
    server.set("history.file", "\"others.db\"");
    server.fails_to_start().check(75, &["operator socket", "a server answers there"]);
    assert_eq!(server.desk().ask("status").last, "211 1");
}

#[test]
fn what_is_no_socket_stays() {
    let mut server = Server::start();
    assert_eq!(server.term().code(), Some(0));
    let path = server.path("chatd.sock");
    fs::write(&path, "precious").unwrap();
    server.restart();
    server.wait_for_log("[WARN] operator socket");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    server.term();
    server.set("operator.socket", "\"chatd.sock\"");
    server.fails_to_start().check(78, &["operator.socket", "cannot be made"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
    symlink("elsewhere", &path).unwrap();
    server.fails_to_start().check(78, &["operator.socket"]);
}

#[test]
fn a_path_that_is_too_long() {
    let mut server = Server::start();
    server.term();
    let long = server.path(&"x".repeat(120));
    server.set("operator.socket", &format!("{long:?}"));
    server.fails_to_start().check(78, &["operator.socket", "at most 107 bytes"]);
    let folder = server.path(&"y".repeat(120));
    fs::create_dir(&folder).unwrap();
    server.set("operator.socket", "\"chatd.sock\"");
    server.restart();
    server.term();
    // Nobody asked for this one, so the server goes on without it.
    let mut server = Server::start();
    let folder = server.path(&"y".repeat(120));
    fs::create_dir(&folder).unwrap();
    server.set("accounts.file", &format!("{:?}", folder.join("accounts")));
    server.restart();
    server.wait_for_log("[WARN] operator socket");
    server.bare("alice").barrier();
}

#[test]
fn it_can_be_elsewhere_or_nowhere() {
    let server = Server::builder().set("operator.socket", "\"hand\"").start();
    let path = server.path("hand");
    let mut desk = Desk::connect(&path);
    assert!(desk.line().starts_with("C 220 chatd "));
    assert!(!server.path("chatd.sock").exists());
    let server = Server::builder().set("operator.socket", "\"\"").start();
    assert!(!server.path("chatd.sock").exists());
    assert!(!server.log_text().contains("operator socket"));
}

#[test]
fn a_check_leaves_it_alone() {
    let server = Server::start();
    let outcome = run(CHATD, &server.path(""), &["--check"]);
    outcome.check(0, &[]);
    assert_eq!(server.desk().ask("status").last, "211 1");
    let folder = tempfile::tempdir().unwrap();
    run(CHATD, folder.path(), &["--check"]).check(0, &[]);
    assert!(!folder.path().join("chatd.sock").exists());
}

#[test]
fn eight_at_once_outside_of_the_limits() {
    let server = Server::builder().set("limits.connections", "1").start();
    let mut alice = server.bare("alice");
    let mut desks: Vec<Desk> = (0..8).map(|_| server.desk()).collect();
    let mut ninth = Desk::connect(&server.path("chatd.sock"));
    assert_eq!(ninth.line(), "C 421 server full");
    ninth.expect_closed();
    for desk in &mut desks {
        let answer = desk.ask("status");
        assert_eq!((answer.value(0, "connections"), answer.value(0, "limit")), ("1", "1"));
    }
    alice.barrier();
    desks.pop();
    testkit::eventually("a place is free again", || {
        let mut desk = Desk::connect(&server.path("chatd.sock"));
        desk.line().starts_with("C 220 ")
    });
}

/// Another user comes to a socket whose mode somebody has changed: the kernel says who it is.
#[test]
fn another_user_is_refused() {
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can become another user");
    }
    let server = Server::start();
    let path = server.path("chatd.sock");
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != Path::new("/tmp")) {
        let _ = fs::set_permissions(folder, Permissions::from_mode(0o755));
    }
    let script = format!(
        "import os, socket, sys\nos.setgid(65534)\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\n\
         s.settimeout(20)\ns.connect({:?})\nsys.stdout.write(s.makefile().readline())\n",
        path.display().to_string()
    );
    let ask = || Command::new("python3").arg("-c").arg(&script).output();
    let Ok(refused) = ask() else { return eprintln!("skipped: there is no python3") };
    assert!(String::from_utf8_lossy(&refused.stderr).contains("PermissionError"), "{refused:?}");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let told = String::from_utf8(ask().unwrap().stdout).unwrap();
    assert_eq!(told, "C 554 only root and the server's own user may connect here\n");
    server.wait_for_log("another user at the operator's socket");
    assert_eq!(server.desk().ask("status").last, "211 1");
}
