//! The command line: arguments, configuration, exit codes, and where the log goes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Client, Server, eventually, run, run_with};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");
const CHATSERVER: &str = env!("CARGO_BIN_EXE_chatserver");

/// Runs chatd in a new folder with this configuration file. It must end with this code and print all of this.
#[track_caller]
fn check(config: &str, args: &[&str], code: i32, told: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let outcome = run(CHATD, folder.path(), args);
    outcome.check(code, told);
    assert!(outcome.stderr.lines().all(|line| !line.is_empty()) || code == 2, "{outcome:?}");
    assert_eq!(files(folder.path()), ["config.toml"], "{outcome:?}");
}

/// The names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A program whose standard error is read by the test, killed when it is dropped.
struct Running {
    child: Child,
    stderr: Option<BufReader<ChildStderr>>,
}

impl Running {
    fn start(binary: &str, folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(binary);
        let command = command.current_dir(folder).args(args).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let stderr = child.stderr.take().map(BufReader::new);
        Self { child, stderr }
    }

    /// Reads the log up to the line that contains this. The end of the log is a failure.
    #[track_caller]
    fn line_with(&mut self, part: &str) -> String {
        let mut all = String::new();
        let stderr = self.stderr.as_mut().unwrap();
        loop {
            let start = all.len();
            assert_ne!(stderr.read_line(&mut all).unwrap(), 0, "no {part:?} in:\n{all}");
            if all[start..].contains(part) {
                return all[start..].trim_end().to_owned();
            }
        }
    }

    /// The address of the next listener.
    #[track_caller]
    fn addr(&mut self) -> SocketAddr {
        let line = self.line_with("listening on line://");
        line.rsplit("line://").next().unwrap().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that is logged in there.
#[track_caller]
fn enter(addr: SocketAddr, name: &str) -> Client {
    let mut client = Client::connect(addr);
    client.expect("C 220 ");
    client.login_bare(name);
    client
}

#[test]
fn a_bad_configuration_is_named_with_its_place() {
    check("# one\n[limits]\nconections = 5\n", &[], 78, &["config.toml:3:1", "did you mean limits.connections?"]);
    check("[limits]\nline_s = 0\n", &[], 78, &["config.toml:2:10", "limits.line_s", "at least 1"]);
    check("[limits]\nline_s = \"x\"\n", &[], 78, &["config.toml:2:10", "whole number"]);
    check("listen = [\n", &[], 78, &["config.toml:"]);
    check("datagrams = \"5015\"\n", &[], 78, &["config.toml:1:13", "datagrams"]);
    check("", &["--set", "limits.conections=5"], 78, &["--set", "limits.connections"]);
    check("", &["--set", "limits.connections=many"], 78, &["--set"]);
    check("", &["--config", "gone.toml"], 78, &["gone.toml"]);
    check("", &["gone.toml"], 78, &["gone.toml"]);
    check("", &["--config=~/chatd.toml"], 78, &["~/chatd.toml", "write --config ~/FILE"]);
    check("accounts.file = \"~/accounts\"\n", &[], 78, &["config.toml:1:17", "~/accounts", "write the whole path"]);
    check("listen = [\"localhost:5015\"]\n", &[], 78, &["config.toml:1:11", "line://127.0.0.1:5015"]);
    check("listen = [\"line://127.0.0.1\"]\n", &[], 78, &["config.toml:1:11", "has no port"]);
    check("listen = [\"line://[fe80::1]:5015\"]\n", &[], 78, &["config.toml:1:11", "[fe80::1%eth0]:5015"]);
    check("listen = [\"line://[fe80::1%nowhere0]:5015\"]\n", &[], 78, &["config.toml:1:11", "\"nowhere0\""]);
    check("[accounts]\nfile = \"no/such/folder/accounts\"\nlisten = 1\n", &[], 78, &["config.toml:3:1"]);
}

#[test]
fn wrong_arguments_are_a_matter_of_usage() {
    check("", &["--port", "5015"], 2, &["--port"]);
    check("", &["extra"], 2, &["extra", "--config FILE"]);
    check("", &["--set", "no value"], 2, &["KEY=VALUE"]);
    let folder = tempfile::tempdir().unwrap();
    for args in [&[][..], &["many"], &["70000"], &["config.toml"]] {
        run(CHATSERVER, folder.path(), args).check(2, &["PORT"]);
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn check_prints_the_settings_and_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "[limits]\nline_s = 7\n[log]\nfile = \"chatd.log\"\n").unwrap();
    let outcome = run(CHATD, folder.path(), &["--check", "--set", "limits.connections=123"]);
    outcome.check(0, &[]);
    assert_eq!(outcome.stderr, "");
    for part in [
        "line_s = 7\n",
        "connections = 123\n",
        "rate_burst = 40\n",
        "listen = [\"line://127.0.0.1:5015\", \"web://127.0.0.1:8015\"]\n",
    ] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {outcome:?}");
    }
    assert_eq!(files(folder.path()), ["config.toml"]);
    // Its output is a configuration: checked again, it gives the same output.
    fs::write(folder.path().join("again.toml"), &outcome.stdout).unwrap();
    let again = run(CHATD, folder.path(), &["--check", "--config", "again.toml"]);
    let body = |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    assert_eq!(body(&again.stdout), body(&outcome.stdout));
    assert!(outcome.stdout.ends_with("\n# config.toml: good\n"), "{outcome:?}");
    assert!(again.stdout.ends_with("\n# again.toml: good\n"), "{again:?}");
    check("[limits]\nline_s = 0\n", &["--check"], 78, &["config.toml:2:10"]);
    let without = tempfile::tempdir().unwrap();
    let outcome = run(CHATD, without.path(), &["--check"]);
    assert!(outcome.stdout.ends_with("\n# built-in defaults (there is no ./config.toml): good\n"), "{outcome:?}");
    assert!(files(without.path()).is_empty());
}

#[test]
fn check_tries_what_a_start_would() {
    check("accounts.file = \"no/accounts\"\n", &["--check"], 78, &["no: accounts.file", "create it"]);
    check(
        "log.file = \"no/chatd.log\"\n",
        &["--check"],
        78,
        &["log.file: cannot open no/chatd.log", "create its folder"],
    );
    check("log.file = \"config.toml\"\n", &["--check"], 78, &["log.file: config.toml is the configuration"]);
    check("log.file = \"accounts.key\"\n", &["--check"], 78, &["log.file: accounts.key is a file of the accounts"]);
    check("listen = [\"line://192.0.2.1:5015\"]\n", &["--check"], 78, &["line://192.0.2.1:5015", "`listen`"]);
    check("listen = [\"rooms://192.0.2.1:1?udp=2\"]\n", &["--check"], 78, &["udp://192.0.2.1:2", "`listen`"]);
    check("datagrams = \"192.0.2.1:5015\"\n", &["--check"], 78, &["udp://192.0.2.1:5015", "`datagrams`"]);
    let soft = "[limits]\nowed_bytes = 100000\nowed_soft_bytes = 200000\n";
    check(soft, &["--check"], 78, &["config.toml:3:19", "limits.owed_soft_bytes", "limits.owed_bytes"]);
    check("limits.silent = 5000\n", &["--check"], 78, &["config.toml:1:17", "limits.silent_most"]);
    // All errors at once.
    let many = "accounts.file = \"no/accounts\"\nlog.file = \"no/log\"\ndatagrams = \"192.0.2.1:1\"\n";
    check(many, &["--check"], 78, &["accounts.file", "log.file", "`datagrams`"]);
}

#[test]
fn two_listeners_on_one_port_are_both_named() {
    for check_only in [&[][..], &["--check"]] {
        let both = "listen = [\"line://0.0.0.0:7015\", \"line://127.0.0.1:7015\"]\n";
        check(both, check_only, 78, &["config.toml:1:34", "line://0.0.0.0:7015", "line://127.0.0.1:7015"]);
        let doors = "listen = [\"line://127.0.0.1:7015\", \"rooms://127.0.0.1:7015?udp=7016\"]\n";
        check(doors, check_only, 78, &["line://127.0.0.1:7015", "rooms://127.0.0.1:7015"]);
        let datagrams = "listen = [\"rooms://127.0.0.1:7015?udp=7016\"]\ndatagrams = \"0.0.0.0:7016\"\n";
        check(datagrams, check_only, 78, &["0.0.0.0:7016", "rooms://127.0.0.1:7015?udp=7016"]);
    }
}

#[test]
fn the_configuration_may_be_a_bare_name_or_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen = [\"line://127.0.0.1:0\"]\nlog.level = \"INFO\"\n";
    fs::write(folder.path().join("chatd.toml"), text).unwrap();
    enter(Running::start(CHATD, folder.path(), &["chatd.toml"]).addr(), "alice").barrier();
    let outcome = run_with(CHATD, folder.path(), &["--check", "--config", "/dev/stdin"], "limits.line_s = 7\n");
    outcome.check(0, &[]);
    assert!(outcome.stdout.contains("line_s = 7\n"), "{outcome:?}");
    assert!(outcome.stdout.ends_with("# /dev/stdin: good\n"), "{outcome:?}");
}

#[test]
fn a_zone_may_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(CHATD, folder.path(), &["--check", "--set", "datagrams=\"[fe80::1%lo]:5016\""]);
    // No interface has that address, but its zone is understood.
    assert!(outcome.code == Some(78) && outcome.stderr.contains("udp://[fe80::1%1]:5016"), "{outcome:?}");
}

/// A command whose reader closes the pipe early ends as if all was read.
#[test]
fn a_reader_who_has_enough_is_no_fault() {
    let mut server = Server::start();
    server.bare("alice").barrier();
    let folder = server.path("accounts").parent().unwrap().to_owned();
    for args in ["accounts list", "accounts check", "--check", "--help", "accounts --help"] {
        // The sleep lets the reader be gone when the first byte is written.
        let script = format!("{{ sleep 0.2; '{CHATD}' {args}; echo $? >&2; }} | true");
        let outcome = run("sh", &folder, &["-c", &script]);
        assert_eq!(outcome.stderr, "0\n", "{args}: {outcome:?}");
    }
    server.term();
}

#[test]
fn the_log_goes_into_no_file_of_ours() {
    let started = |log_file: &str, told: &[&str]| {
        let config = format!("listen = [\"line://127.0.0.1:0\"]\nlog.file = {log_file:?}\n");
        check(&config, &[], 78, told);
        check(&config, &["--check"], 78, told);
    };
    for name in [
        "accounts",
        "accounts.lock",
        "accounts.key",
        "accounts.new",
        "accounts.key.new",
        "accounts.torn-1",
        "config.toml",
    ] {
        started(name, &["log.file: ", name, "give the log a file of its own"]);
    }
    started("../", &["log.file"]);
    started(".", &["log.file: ", "is a folder"]);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("config.toml"), "listen = [\"line://127.0.0.1:0\"]\n").unwrap();
    fs::hard_link(at("config.toml"), at("hard")).unwrap();
    std::os::unix::fs::symlink("accounts.key", at("dangling")).unwrap();
    let pipe = at("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for (name, told) in [
        ("hard", "is the configuration"),
        ("dangling", "is a file of the accounts"),
        ("pipe", "nothing reads from this pipe"),
        ("socket", "is a socket"),
    ] {
        run(CHATD, folder.path(), &["--set", &format!("log.file={name:?}")]).check(78, &["log.file: ", told]);
    }
    assert!(!at("accounts").exists() && !at("accounts.key").exists());
}

#[test]
fn check_needs_neither_port_nor_lock() {
    let server = Server::builder().start();
    let listen = format!("listen=[\"line://{}\"]", server.addr());
    let folder = server.path("config.toml").parent().unwrap().to_owned();
    run(CHATD, &folder, &["--check", "--set", &listen]).check(0, &[]);
    server.bare("alice").barrier();
}

#[test]
fn a_port_in_use_is_told_and_is_not_for_ever() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("listen=[\"line://{addr}\"]");
    run(CHATD, folder.path(), &["--set", &listen]).check(75, &[&addr, "`listen`"]);
    drop(taken);
    let mut chatd = Running::start(CHATD, folder.path(), &["--set", &listen]);
    assert_eq!(chatd.addr().to_string(), addr);
}

#[test]
fn a_foreign_listen_address_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    run(CHATD, folder.path(), &["--set", "listen=[\"line://192.0.2.1:0\"]"]).check(1, &["192.0.2.1", "`listen`"]);
}

#[test]
fn without_a_file_the_defaults_apply() {
    let folder = tempfile::tempdir().unwrap();
    let mut chatd = Running::start(CHATD, folder.path(), &["--set", "listen=[\"line://127.0.0.1:0\"]"]);
    let line = chatd.line_with("configuration: ");
    assert!(line.contains("built-in defaults") && line.ends_with("1 key by --set"), "{line}");
    let addr = chatd.addr();
    enter(addr, "alice").barrier();
    let mut expected = vec!["accounts", "accounts.key", "accounts.lock", "chatd.sock"];
    if cfg!(feature = "history") {
        expected.extend(["history.db", "history.db-shm", "history.db-wal", "history.db.lock"]);
    }
    assert_eq!(files(folder.path()), expected);
}

#[test]
fn chatserver_listens_on_all_interfaces() {
    let folder = tempfile::tempdir().unwrap();
    let has_v6 = TcpListener::bind("[::1]:0").is_ok();
    let mut chatserver = Running::start(CHATSERVER, folder.path(), &["0"]);
    let v4 = chatserver.addr();
    assert!(v4.ip().is_unspecified() && v4.is_ipv4(), "{v4}");
    let mut alice = enter(SocketAddr::from(([127, 0, 0, 1], v4.port())), "alice");
    assert!(folder.path().join("accounts").exists());
    if has_v6 {
        let v6 = chatserver.addr();
        assert!(v6.ip().is_unspecified() && v6.is_ipv6(), "{v6}");
        let mut bob = enter(format!("[::1]:{}", v6.port()).parse().unwrap(), "bob");
        assert_eq!(bob.ask("DM alice hello"), "C 250 sent to alice");
        alice.expect_exact("D DM bob hello");
    }
    let port = v4.port().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    run(CHATSERVER, elsewhere.path(), &[&port]).check(75, &[&port]);
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--set", "listen=[\"line://127.0.0.1:0\"]", "--set", "log.level=\"trace\""];
    let mut chatd = Running::start(CHATD, folder.path(), &args);
    let addr = chatd.addr();
    // The reading end of the pipe is closed: from here on, each line of the log fails with EPIPE.
    drop(chatd.stderr.take());
    enter(addr, "alice").barrier();
    enter(addr, "bob").barrier();
    assert!(chatd.child.try_wait().unwrap().is_none());
}

#[test]
fn a_log_that_takes_no_more_lines_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut chatd = Running::start(CHATD, folder.path(), &["--set", "listen=[\"line://127.0.0.1:0\"]"]);
    let addr = chatd.addr();
    let mut alice = enter(addr, "alice");
    // More lines than the pipe and the queue take, each about a client of another protocol.
    for _ in 0..60 {
        let mut guests: Vec<Client> = (0..100).map(|_| Client::connect(addr)).collect();
        guests.iter_mut().for_each(|guest| guest.send("GET / HTTP/1.1"));
        guests.into_iter().for_each(Client::reset);
        alice.barrier();
    }
    let pid = Pid::from_raw(chatd.child.id().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    alice.expect_421("shutting down, retry in 2 s");
    drop(alice);
    let mut status = None;
    eventually("it ends", || {
        status = chatd.child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(0));
}
