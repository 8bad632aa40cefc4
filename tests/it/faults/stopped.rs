//! A room of a thousand members, nearly all of which are stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Client, PASSWORD, Server, pause};

use super::{Watch, may_open};

/// The number of stopped members.
const STOPPED: usize = 999;
/// The environment variables that tell the members' process the server's address and their number.
const ADDR: &str = "CHATD_TEST_MEMBERS_OF";
const COUNT: &str = "CHATD_TEST_MEMBERS";

/// Not a test: the members, in a process of their own, which the test below starts and stops.
#[test]
#[ignore = "another test runs this, as a process that it can stop"]
fn members() {
    let Ok(addr) = std::env::var(ADDR) else { return };
    let addr = addr.parse().expect("an address");
    let count: usize = std::env::var(COUNT).expect("how many").parse().expect("a number");
    let mut members: Vec<Client> = Vec::new();
    while members.len() < count {
        let mut some: Vec<Client> = (members.len()..count).take(50).map(|_| Client::connect(addr)).collect();
        for client in &mut some {
            client.send_raw(format!("crowd\n{PASSWORD}\nJOIN hall\n").as_bytes());
        }
        for client in &mut some {
            while !client.line().starts_with("C 227 ") {}
        }
        members.append(&mut some);
    }
    println!("\nall are in");
    std::io::stdin().read_line(&mut String::new()).expect("the end of input");
}

/// A process that ends with its test.
struct Held(Child);

impl Held {
    #[track_caller]
    fn start(server: &Server, count: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["faults::stopped::members", "--exact", "--ignored", "--nocapture"]);
        command
            .env(ADDR, server.addr().to_string())
            .env(COUNT, count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program again");
        let told = BufReader::new(child.stdout.take().expect("its output"));
        let held = Self(child);
        assert!(told.lines().map_while(Result::ok).any(|line| line == "all are in"), "they do not come in");
        held
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.0.id().cast_signed()).expect("a pid"), signal).expect("it is there");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Stops this many members of a room while two others talk, until the server closes the stopped ones.
#[track_caller]
fn stop(server: &Server, count: usize) {
    let (mut host, mut other) = (server.bare("hostess"), server.bare("other"));
    host.send("MAKE hall");
    host.expect("C 227 ");
    let held = Held::start(server, count);
    other.send("JOIN hall");
    while !other.line().starts_with("C 227 ") {}
    while host.line() != "C 103 hall other entered" {}
    held.signal(Signal::STOP);
    let text = "x".repeat(4000);
    let mut said = 0;
    loop {
        host.send(&format!("RM hall {text}"));
        let answer = loop {
            let line = host.line();
            if line.starts_with("C 250 ") {
                break line;
            }
        };
        while !other.line().starts_with("D RM hall hostess ") {}
        said += 1;
        if answer == "C 250 sent to 1" {
            break;
        }
        assert!(said < 2_000, "they are never cut: {answer}");
    }
    println!("{count} stopped members were cut after {said} lines of 4,000 bytes");
}

#[test]
fn nearly_all_members_of_a_room_are_stopped() {
    if !may_open(STOPPED) {
        return;
    }
    let builder = Server::builder().set("accounts.sessions_per_account", "1000");
    let watch = Watch::start(builder, |server| {
        server.bare("crowd").barrier();
        stop(server, 100);
        pause(1_500); // until their memory is released
    });
    stop(&watch.server, STOPPED);
    watch.end("999 stopped members of a room of 1,001");
}
