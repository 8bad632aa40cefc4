//! `chatd ctl`.

use std::fs::{Permissions, set_permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};

use rustix::process::geteuid;
use testkit::{Outcome, Server, run};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

#[track_caller]
fn ctl(server: &Server, args: &[&str]) -> Outcome {
    run(CHATD, &server.path(""), &[&["ctl"], args].concat())
}

#[test]
fn answers_and_exit_codes() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let sessions = ctl(&server, &["sessions"]);
    sessions.check(0, &[]);
    assert_eq!(sessions.stdout.lines().count(), 1, "{sessions:?}");
    assert!(sessions.stdout.contains(" name=alice door=line tls=no address=127.0.0.1 "), "{sessions:?}");
    let done = ctl(&server, &["announce", "hello  there", "all"]);
    done.check(0, &[]);
    assert_eq!(done.stdout, "sent to 1\n");
    alice.expect_exact("C 100 hello  there all");
    ctl(&server, &["kick", "bob"]).check(1, &["chatd: nobody is connected"]);
    ctl(&server, &["kick"]).check(1, &["chatd: usage: kick NAME|ID|ADDRESS [reason]"]);
    ctl(&server, &["sessions", "--sort", "owed", "alice"]).check(0, &[]);
    for unknown in [&["nonsense"][..], &[], &["--no-such"], &["status\nstop"], &[""]] {
        let outcome = ctl(&server, unknown);
        outcome.check(2, &["sessions [NAME|ADDRESS|ID]", "stop the server"]);
        assert!(outcome.stdout.is_empty(), "{outcome:?}");
    }
    let help = ctl(&server, &["help"]);
    help.check(0, &[]);
    assert!(help.stdout.contains("trace ID|NAME"), "{help:?}");
    alice.barrier();
}

#[test]
fn objects_for_programs() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    alice.send("MAKE den\nMAKE attic");
    alice.expect("C 227 ");
    alice.expect("C 227 ");
    let objects = |args: &[&str]| -> Vec<serde_json::Value> {
        let outcome = ctl(&server, args);
        outcome.check(0, &[]);
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let status = &objects(&["--json", "status"])[0];
    assert_eq!((&status["online"], &status["rooms"], &status["limit"]), (&1.into(), &2.into(), &10_000.into()));
    assert_eq!(status["listeners"], serde_json::json!([format!("line://{}", server.addr())]));
    assert_eq!(status["degraded"], serde_json::json!([]));
    let session = &objects(&["sessions", "--json"])[0];
    assert_eq!(session["rooms"], serde_json::json!(["den", "attic"]));
    assert!(session["id"].is_u64() && session["owed"].is_u64() && session["idle"].is_u64(), "{session}");
    assert_eq!((&session["tls"], &session["name"]), (&false.into(), &"alice".into()));
    let rooms = objects(&["rooms", "--json"]);
    assert_eq!(
        (&rooms[0]["members"], &rooms[0]["locked"], &rooms[0]["host"]),
        (&1.into(), &false.into(), &"alice".into())
    );
    assert_eq!(objects(&["--json", "rooms", "den"])[0]["host"], true);
    assert_eq!(objects(&["--json", "announce", "hi"])[0]["code"], 250);
}

#[test]
fn where_the_server_is() {
    let server = Server::builder().set("operator.socket", "\"hand\"").start();
    ctl(&server, &["--set", "operator.socket=\"hand\"", "status"]).check(0, &[]);
    let socket = server.path("hand");
    ctl(&server, &["--socket", socket.to_str().unwrap(), "status"]).check(0, &[]);
    ctl(&server, &["status"]).check(75, &["no server answers", "chatd.sock", "start it, or name"]);
    ctl(&server, &["--set", "operator.socket=\"\"", "status"]).check(75, &["operator.socket is empty"]);
    ctl(&server, &["--set", "operator.socket=1", "status"]).check(78, &["operator.socket"]);
    ctl(&server, &["--config", "gone.toml", "status"]).check(78, &["gone.toml"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let config = server.path("config.toml");
    let args = ["ctl", "--config", config.to_str().unwrap(), "--set", "operator.socket='hand'", "rooms"];
    run(CHATD, elsewhere.path(), &args).check(0, &[]);
    run(CHATD, elsewhere.path(), &["ctl", "status"]).check(75, &["no server answers"]);
}

#[test]
fn a_trace_is_seen_as_it_comes() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let mut command = Command::new(CHATD);
    command.current_dir(server.path("")).args(["ctl", "trace", "alice", "--for", "60s"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("name=alice"));
    alice.send("PM one");
    alice.expect("C 250 ");
    assert!(lines.next().unwrap().unwrap().contains(" from=client frame=\"PM one\""));
    assert!(lines.next().unwrap().unwrap().contains(" from=server frame=\"C 250 sent to 0\""));
    child.kill().unwrap();
    child.wait().unwrap();
    // Its end ends the trace: the server has nothing left to tell.
    let mut desk = server.desk();
    testkit::eventually("the trace has ended", || desk.ask("status").value(0, "owed") == "0");
    alice.barrier();
}

#[test]
fn an_answer_that_breaks_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fake.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let fake = std::thread::spawn(move || {
        for answer in [&b"C 220 chatd operator\nC 211-a=1\n"[..], b"SSH-2.0-x\r\n", b"", b"C 421 server full\n"] {
            let (mut stream, _) = listener.accept().unwrap();
            std::io::Write::write_all(&mut stream, answer).unwrap();
            let mut line = String::new();
            if answer.starts_with(b"C 220") {
                let _ = BufReader::new(&stream).read_line(&mut line);
            }
        }
    });
    let ask = || run(CHATD, folder.path(), &["ctl", "--socket", "fake.sock", "status"]);
    let cut = ask();
    cut.check(75, &["closed the connection before its answer was over"]);
    assert_eq!(cut.stdout, "a=1\n");
    ask().check(1, &["no answer of chatd"]);
    ask().check(75, &["closed the connection"]);
    ask().check(1, &["server full"]);
    fake.join().unwrap();
}

/// A process of another user has put itself behind a socket of root's.
#[test]
fn an_impostor_is_told_nothing() {
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can become another user");
    }
    let folder = tempfile::tempdir().unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().join("chatd.sock");
    let script = "import os, socket, sys
os.setgid(65534)
os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(9)
print('there', flush=True)
while True:
    c, _ = s.accept()
    heard = b''
    try:
        c.sendall(b'C 220 chatd operator\\n')
        heard = c.recv(99)
    except OSError:
        pass
    print('heard', heard, flush=True)
    c.close()
";
    let mut python = Command::new("python3");
    let Ok(mut impostor) = python.arg("-c").arg(script).arg(&path).stdout(Stdio::piped()).spawn() else {
        return eprintln!("skipped: there is no python3");
    };
    let mut heard = BufReader::new(impostor.stdout.take().unwrap()).lines();
    assert_eq!(heard.next().unwrap().unwrap(), "there");
    let ask = || run(CHATD, folder.path(), &["ctl", "--socket", "chatd.sock", "announce", "secret"]);
    chown(&path, Some(0), Some(0)).unwrap();
    ask().check(1, &["belongs to user 65534", "not to root or the socket's owner"]);
    assert_eq!(heard.next().unwrap().unwrap(), "heard b''");
    // It may be a server of its own.
    chown(&path, Some(65534), Some(65534)).unwrap();
    ask().check(75, &["closed the connection"]);
    assert_eq!(heard.next().unwrap().unwrap(), "heard b'C announce secret\\n'");
    impostor.kill().unwrap();
    impostor.wait().unwrap();
}
