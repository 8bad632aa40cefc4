//! The filter of fail2ban in `docs/fail2ban.conf`, on real lines of the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::{Client, Server, eventually, finish};

/// A log of guesses: a wrong password for an account three times, and one for a room.
fn guesses() -> Server {
    let server = Server::builder().set("limits.include_loopback", "true").start();
    let mut alice = server.bare("alice");
    alice.send("MAKE tea secret");
    alice.expect("C 227 ");
    let mut bob = server.bare("bob");
    bob.send("JOIN tea sword");
    bob.expect("C 554 ");
    let mut eve = Client::connect_from([127, 0, 0, 9].into(), server.addr());
    eve.expect("C 220 ");
    eve.send("alice");
    eve.expect("C 331 ");
    for _ in 0..3 {
        eve.send("guessing");
        eve.line();
    }
    eventually("the guesses are logged", || server.log_text().contains("421 too many failures"));
    server
}

fn filter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fail2ban.conf")
}

/// Reads the filter as fail2ban does, as far as it is used, and prints the addresses that it finds in the lines.
const READ: &str = r#"
import configparser, re, sys
filter = configparser.ConfigParser(interpolation=configparser.BasicInterpolation())
filter.read(sys.argv[1])
expressions = filter["Definition"]["failregex"].strip().splitlines()
expressions = [re.compile(line.strip().replace("<ADDR>", r"(?P<address>[0-9a-fA-F.:]+)")) for line in expressions]
for line in open(sys.argv[2]):
    # fail2ban cuts the time out.
    line = re.sub(r"^\S+Z", "", line.rstrip("\n"))
    for expression in expressions:
        found = expression.search(line)
        if found:
            print(found.group("address"), line.strip())
"#;

#[test]
fn guesses_are_found_and_nothing_else() {
    let server = guesses();
    // Lines that a log has after a minute, or when there are bans.
    let more = "\
2026-11-26T18:02:58.769Z [INFO] wrong password or token: 7 more from 192.0.2.1 in 60 s
2026-11-26T18:02:58.769Z [INFO] 421 too many failures: 3 more from 2001:db8::1 in 60 s
2026-11-26T18:02:58.769Z [INFO] 421 banned: spam from 10.0.0.1: alice from 192.0.2.2
2026-11-26T18:02:58.769Z [INFO] 421 banned: 192.0.2.3 was not let in, 5 times more in 60 s
2026-11-26T18:02:58.769Z [INFO] wrong password or token: 7 more from others in 60 s
2026-11-26T18:02:58.769Z [INFO] wrong password or token for alice from unix
2026-11-26T18:02:58.769Z [INFO] 421 too slow: alice from 192.0.2.4
2026-11-26T18:02:58.769Z [INFO] 421 server full: 192.0.2.4 was not let in
";
    let log = server.path("log");
    fs::write(&log, server.log_text() + more).expect("a file");
    let mut command = Command::new("python3");
    command.args(["-c", READ]).arg(filter()).arg(&log);
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no python3 here");
        return;
    }
    let outcome = finish(command);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let found: Vec<_> = outcome.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected = ["127.0.0.1", "127.0.0.9", "127.0.0.9", "192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"];
    assert_eq!(found, expected, "{}", outcome.stdout);
}

#[test]
fn fail2ban_understands_it() {
    let name = "fail2ban-regex";
    if Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no {name} here");
        return;
    }
    let server = guesses();
    let log = server.path("log");
    fs::write(&log, server.log_text()).expect("a file");
    let mut command = Command::new(name);
    command.arg(&log).arg(filter());
    let outcome = finish(command);
    assert!(outcome.stdout.contains(" 3 matched,"), "{outcome:?}");
}
