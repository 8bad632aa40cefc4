//! Listeners at paths.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use testkit::{PATIENCE, Server, program, run};

const DOORS: [&str; 2] = ["line://127.0.0.1:0", "line+unix:chat.sock?mode=0660"];

fn server() -> Server {
    Server::builder().listen(&DOORS).start()
}

/// The first line that a server at this path sends.
#[track_caller]
fn greeting(path: &Path) -> String {
    let stream = UnixStream::connect(path).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("in time");
    line
}

#[test]
fn it_is_used_like_an_address() {
    let mut server = server();
    let path = server.path("chat.sock");
    let line = server.wait_for_log("listening on line+unix:");
    assert!(line.ends_with(&format!("listening on line+unix:{}", path.display())), "{line}");
    let about = fs::symlink_metadata(&path).expect("a file");
    assert!(about.file_type().is_socket());
    assert_eq!(about.permissions().mode() & 0o777, 0o660);
    let stream = UnixStream::connect(&path).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut lines = BufReader::new(stream.try_clone().expect("a copy")).lines().map(|line| line.expect("in time"));
    let say = |text: &str| (&stream).write_all(format!("{text}\n").as_bytes()).expect("the server takes it");
    assert!(lines.next().expect("a greeting").starts_with("C 220 "));
    let mut bob = server.bare("bob");
    say("alice");
    assert!(lines.next().expect("a reply").starts_with("C 332 "));
    say("password1");
    assert!(lines.next().expect("a reply").starts_with("C 230 "));
    say("PM by file");
    bob.expect_exact("D PM alice by file");
    assert!(lines.next().expect("a reply").starts_with("C 250 "));
    assert!(server.term().success());
    assert!(lines.next().expect("a reply").starts_with("C 421 shutting down"));
    assert!(!path.exists(), "it is removed at the end");
}

#[test]
fn a_stale_file_is_replaced_and_a_live_server_is_not() {
    let mut server = server();
    let path = server.path("chat.sock");
    server.kill9();
    assert!(path.exists(), "a killed server removes nothing");
    server.restart();
    assert!(greeting(&path).starts_with("C 220 "));
    // A second server, with other accounts.
    let other = tempfile::tempdir().expect("a folder");
    let sets = [format!("listen=[\"line+unix:{}\"]", path.display()), "accounts.file=\"other\"".to_owned()];
    let arguments = ["--set", &sets[0], "--set", &sets[1]];
    let outcome = run(&program("chatd"), other.path(), &arguments);
    outcome.check(75, &["line+unix:", "stop the other server"]);
    let outcome = run(&program("chatd"), other.path(), &[&arguments[..], &["--check"]].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("# in use now, perhaps by a running server: line+unix:"), "{outcome:?}");
    assert!(greeting(&path).starts_with("C 220 "), "it is not disturbed");
}

#[test]
fn what_cannot_be_a_socket_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "precious").expect("a file");
    let long = "x".repeat(100);
    for (path, told) in [
        ("file", "a regular file is there, and no socket"),
        ("no/such/folder/chat.sock", "make its folder"),
        (long.as_str(), "choose another path"),
        (&"x".repeat(108), "at most 107 bytes, not 108"),
    ] {
        // A relative path is relative to the file.
        fs::write(folder.path().join("config.toml"), format!("listen = [\"line+unix:{path}\"]\n")).expect("a file");
        let config = folder.path().join("config.toml");
        let config = config.to_str().expect("text");
        for check in [&[][..], &["--check"]] {
            let outcome = run(&program("chatd"), folder.path(), &[&["--config", config], check].concat());
            outcome.check(78, &[told]);
        }
    }
    assert_eq!(fs::read_to_string(folder.path().join("file")).expect("the file"), "precious");
}

#[test]
fn a_check_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let stale = folder.path().join("chat.sock");
    drop(UnixListener::bind(&stale).expect("a socket"));
    for path in ["chat.sock", "new.sock"] {
        let set = format!("listen=[\"line+unix:{path}\"]");
        let outcome = run(&program("chatd"), folder.path(), &["--set", &set, "--check"]);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    assert!(stale.exists() && !folder.path().join("new.sock").exists());
}

#[test]
fn others_may_connect_as_the_mode_says() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let server = server();
    // The folder of the server is for its user alone.
    let open = tempfile::tempdir_in("/tmp").expect("a folder");
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    for (mode, may) in [("0600", false), ("0666", true)] {
        let path = open.path().join(format!("{mode}.sock"));
        let set = format!("[\"line://127.0.0.1:0\", \"line+unix:{}?mode={mode}\"]", path.display());
        let other = Server::builder().set("listen", &set).start();
        other.wait_for_log("listening on line+unix:");
        let code = format!(
            "import os, socket; os.setgid(65534); os.setuid(65534); socket.socket(socket.AF_UNIX).connect('{}')",
            path.display()
        );
        let Ok(status) =
            std::process::Command::new("python3").args(["-c", &code]).stderr(std::process::Stdio::null()).status()
        else {
            eprintln!("skipped: there is no python3 here");
            return;
        };
        assert_eq!(status.success(), may, "mode {mode}");
    }
    drop(server);
}
