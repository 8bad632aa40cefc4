//! What calls the user: the bell, notifications, the program of `--notify-command`, and the window's title.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use testkit::{Client, PASSWORD, Server, Terminal, eventually, pause};

/// A terminal with these options and variables, logged in as alice under a new name.
#[track_caller]
fn alice(home: &Path, server: SocketAddr, options: &[&str], variables: &[(&str, &str)]) -> Terminal {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    let arguments: Vec<&str> = options.iter().copied().chain([host.as_str(), port.as_str(), "alice"]).collect();
    let variables = [&[("CHATCLIENT_PASSWORD", PASSWORD)], variables].concat();
    let client = env!("CARGO_BIN_EXE_chatclient");
    let mut alice = Terminal::start_with(24, 80, home, client, &arguments, &variables);
    alice.wait_for("alice> ");
    alice
}

/// Sends a direct message to alice.
#[track_caller]
fn tell(from: &mut Client, text: &str) {
    from.typed(&format!("DM alice {text}"));
    from.expect("C 250 ");
}

/// A server without rates, and bob.
fn server_and_bob() -> (Server, Client) {
    let server = Server::builder().no_rates().start();
    let bob = server.typed("bob");
    (server, bob)
}

/// A program in this folder.
fn script(home: &Path, text: &str) -> String {
    let path = home.join("notify.sh");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_string_lossy().into_owned()
}

/// A program that adds its input to a file.
fn recorder(home: &Path) -> (String, PathBuf) {
    let notes = home.join("notes");
    let secret = home.join("secret");
    let text = format!("cat >>'{}'; echo \"$CHATCLIENT_PASSWORD$*\" >>'{}'", notes.display(), secret.display());
    (script(home, &text), notes)
}

fn objects(notes: &Path) -> Vec<Value> {
    let text = fs::read_to_string(notes).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn one_ring_for_a_burst_and_for_all_that_was_missed() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice(home.path(), server.addr(), &[], &[]);
    (0..20).for_each(|n| tell(&mut bob, &format!("burst {n}")));
    alice.wait_for("burst 19");
    assert!((1..=3).contains(&alice.raw().matches('\x07').count()), "{:?}", alice.raw());
    alice.keys("/quit\r");
    alice.expect_exit(0);
    (0..5).for_each(|n| tell(&mut bob, &format!("missed {n}")));
    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("missed 4");
    assert_eq!(alice.raw().matches('\x07').count(), 1, "{:?}", alice.raw());
    // The line that leaves was typed after all that was shown.
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("alice> ");
    bob.typed("PM malice");
    bob.reply();
    alice.wait_for("bob: malice");
    assert!(!alice.raw().contains('\x07'), "{:?}", alice.raw());
}

#[test]
fn ones_name_is_marked() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice(home.path(), server.addr(), &["--notify", "off"], &[]);
    bob.typed("PM look, Alice: alices");
    bob.reply();
    alice.wait_for("alices");
    let raw = alice.raw();
    assert!(raw.contains("\x1b[1mlook, \x1b[0m\x1b[1;7mAlice\x1b[0m\x1b[1m: alices\x1b[0m"), "{raw:?}");
    assert!(!raw.contains('\x07'), "{raw:?}");
}

#[track_caller]
fn check_notification(variables: &[(&str, &str)], expected: &str) {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice(home.path(), server.addr(), &["--notify", "osc9"], variables);
    // No door passes the escape on; a hostile server is in the unit tests.
    tell(&mut bob, "4;1;50 größe");
    alice.wait("a notification", |alice| alice.raw().contains(expected));
    alice.wait_for("bob -> you: 4;1;50 größe");
    assert_eq!(alice.raw().matches('\x07').count(), 1, "{:?}", alice.raw());
}

#[test]
fn notifications_of_the_desktop() {
    check_notification(&[], "\x1b]9;bob to you: 4;1;50 größe\x07");
    check_notification(&[("TMUX", "/tmp/x,1,0")], "\x1bPtmux;\x1b\x1b]9;bob to you: 4;1;50 größe\x07\x1b\\");
}

/// A client that listens, with its output in a file.
struct Listener {
    child: Child,
    output: PathBuf,
}

impl Listener {
    fn start(home: &Path, server: SocketAddr, options: &[&str]) -> Self {
        let output = home.join("output");
        let child = Command::new(env!("CARGO_BIN_EXE_chatclient"))
            .args(["--listen", "--json", "--register"])
            .args(options)
            .args([&server.to_string(), "alice"])
            .env("HOME", home)
            .env_remove("XDG_STATE_HOME")
            .env("CHATCLIENT_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&output).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let listener = Self { child, output };
        eventually("the listener is in", || listener.text().contains("\"connected\""));
        listener
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// Ends it with SIGTERM, in time, and returns its output.
    #[track_caller]
    fn end(mut self) -> String {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        eventually("the listener ends", || self.child.try_wait().unwrap().is_some());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        self.text()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_program_is_told_in_json_and_at_most_once_a_second() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let (command, notes) = recorder(home.path());
    let listener = Listener::start(home.path(), server.addr(), &["--notify-command", &format!("'{command}'")]);
    let began = Instant::now();
    let pwned = home.path().join("pwned");
    for n in 0..30 {
        tell(&mut bob, &format!("text {n} $(touch {})", pwned.display()));
        // Longer than a run takes.
        pause(if n < 10 { 100 } else { 0 });
    }
    let told = || objects(&notes).iter().map(|object| object["count"].as_u64().unwrap()).sum::<u64>();
    eventually("all is told", || told() == 30);
    let objects = objects(&notes);
    assert!(objects.len() as u64 <= 2 + began.elapsed().as_secs(), "{objects:?}");
    let last = &objects[objects.len() - 1];
    for (key, expected) in [("kind", "direct"), ("from", "bob"), ("place", "@bob"), ("user", "alice")] {
        assert_eq!(last[key], expected, "{last}");
    }
    assert!(last["text"].as_str().unwrap().starts_with("text 29 $(touch "), "{last}");
    assert!(last["id"].as_str().unwrap().parse::<u64>().is_ok() && last["time"].as_str().unwrap().ends_with('Z'));
    assert!(!pwned.exists());
    for text in ["nothing for her", "hi alice"] {
        bob.typed(&format!("PM {text}"));
        bob.reply();
    }
    eventually("a mention is told", || told() == 31);
    assert!(fs::read_to_string(&notes).unwrap().contains(r#"{"kind":"mention","count":1,"for_you":1,"#));
    let output = listener.end();
    assert!(!output.contains("\"notify\""), "{output}");
    assert_eq!(fs::read_to_string(home.path().join("secret")).unwrap().trim(), "", "no password, no argument");
}

#[test]
fn a_program_is_told_once_of_all_that_was_missed() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let (command, notes) = recorder(home.path());
    let options = ["--notify-command", &format!("'{command}'")];
    let listener = Listener::start(home.path(), server.addr(), &options);
    tell(&mut bob, "first");
    eventually("the first is told", || objects(&notes).len() == 1);
    eventually("it is shown", || listener.text().contains("first"));
    listener.end();
    (0..5).for_each(|n| tell(&mut bob, &format!("missed {n}")));
    let listener = Listener::start(home.path(), server.addr(), &options);
    eventually("the rest is told", || objects(&notes).len() == 2);
    let missed = &objects(&notes)[1];
    for (key, expected) in [("kind", "missed"), ("from", "bob"), ("text", "missed 4")] {
        assert_eq!(missed[key], expected, "{missed}");
    }
    assert_eq!((missed["count"].as_u64(), missed["for_you"].as_u64()), (Some(5), Some(5)), "{missed}");
    listener.end();
}

/// Sends messages to a listener with this program, which fails in some way: all are shown, and this is said once.
#[track_caller]
fn check_bad_program(text: Option<&str>, messages: usize, told: Option<&str>) {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let command = text
        .map_or_else(|| home.path().join("nowhere").to_string_lossy().into_owned(), |text| script(home.path(), text));
    let listener = Listener::start(home.path(), server.addr(), &["--notify-command", &format!("'{command}'")]);
    let began = Instant::now();
    for n in 0..messages {
        tell(&mut bob, &format!("text {n} {}", "x".repeat(3_000)));
        eventually("it is shown at once", || listener.text().contains(&format!("text {n} ")));
        assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
        pause(300);
    }
    if let Some(told) = told {
        eventually("the failure is told", || listener.text().contains(told));
    }
    let output = listener.end();
    assert_eq!(output.matches("\"status\":\"notify\"").count(), usize::from(told.is_some()), "{output}");
}

#[test]
fn a_program_that_does_not_exist_or_fails_is_told_of_once() {
    check_bad_program(None, 6, Some("No such file"));
    check_bad_program(Some("exit 3"), 6, Some("exit status: 3"));
}

#[test]
fn a_program_that_hangs_or_writes_much_or_leaves_a_child_costs_nothing() {
    check_bad_program(Some("exec sleep 60"), 3, None);
    check_bad_program(Some("exec cat /dev/zero"), 3, None);
    check_bad_program(Some("sleep 60 & exit 0"), 3, None);
    check_bad_program(Some("exec 0<&-; exit 0"), 3, None);
}

#[test]
fn a_program_that_hangs_is_ended_after_ten_seconds_with_its_children() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let pids = home.path().join("pids");
    let command = script(home.path(), &format!("sleep 1000 & echo $! $$ >>'{}'; wait", pids.display()));
    let listener = Listener::start(home.path(), server.addr(), &["--notify-command", &format!("'{command}'")]);
    tell(&mut bob, "one");
    eventually("it runs", || fs::read_to_string(&pids).is_ok_and(|text| text.ends_with('\n')));
    tell(&mut bob, "two");
    // Longer than others wait.
    let deadline = Instant::now() + Duration::from_secs(30);
    while !listener.text().contains("longer than 10 s") {
        assert!(Instant::now() < deadline, "it is not ended: {}", listener.text());
        pause(50);
    }
    let first = fs::read_to_string(&pids).unwrap();
    let numbers = first.lines().next().unwrap().split(' ');
    for pid in numbers {
        let is_alive = || {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            state.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
        };
        eventually("all of it is ended", || !is_alive());
    }
    eventually("it runs again", || fs::read_to_string(&pids).unwrap().lines().count() == 2);
    listener.end();
    let text = fs::read_to_string(&pids).unwrap();
    let last = text.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    eventually("nothing is left behind", || !Path::new(&format!("/proc/{last}")).exists());
}

#[test]
fn the_title_says_where_one_is_and_what_is_unread() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice(home.path(), server.addr(), &["--title"], &[]);
    let title = |alice: &mut Terminal, text: &str| {
        let sequence = format!("\x1b]2;{text}\x07");
        alice.wait(text, |alice| alice.raw().contains(&sequence));
    };
    title(&mut alice, "alice@127.0.0.1");
    assert_eq!(alice.raw().matches("\x1b[22;0t").count(), 1, "{:?}", alice.raw());
    for text in ["one", "two", "three"] {
        bob.typed(&format!("PM {text}"));
        bob.reply();
    }
    title(&mut alice, "(3) alice@127.0.0.1");
    alice.keys("/make den\r");
    title(&mut alice, "alice@127.0.0.1: den");
    assert!(alice.raw().matches("\x1b]2;").count() < 12, "{:?}", alice.raw());
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let raw = alice.raw();
    assert_eq!(raw.matches("\x1b[23;0t").count(), 1, "{raw:?}");
    assert!(raw.rfind("\x1b]2;") < raw.find("\x1b[23;0t"), "{raw:?}");
}

#[test]
fn scripts_get_no_escapes() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let address = server.addr().to_string();
    let client = env!("CARGO_BIN_EXE_chatclient");
    for (user, form) in [("carol", "--plain"), ("dave", "--json")] {
        let arguments = [form, "--register", "--title", "--notify", "osc9", &address, user];
        let variables = [("CHATCLIENT_PASSWORD", PASSWORD)];
        let mut terminal = Terminal::start_with(24, 80, home.path(), client, &arguments, &variables);
        terminal.wait_for("welcome");
        bob.typed(&format!("DM {user} psst"));
        bob.expect("C 250 ");
        terminal.wait_for("psst");
        assert!(!terminal.raw().contains(['\x1b', '\x07']), "{:?}", terminal.raw());
    }
}
