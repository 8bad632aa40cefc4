//! Who somebody is, who is there, peace, and what is erased: each verb through the wire, and attacks on it.

use std::fs;

use testkit::{Client, Server, run};

mod attending;
mod erasing;
mod levels;
mod peace;
mod presence;
mod profiles;

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Sends an operation, whose answer must be this, and returns nothing of it.
#[track_caller]
fn says(client: &mut Client, command: &str, expected: &str) {
    let told = client.ask(command);
    assert_eq!(told, expected, "{command}");
}

/// The same for the start of an answer, which is returned.
#[track_caller]
fn begins(client: &mut Client, command: &str, expected: &str) -> String {
    let told = client.ask(command);
    assert!(told.starts_with(expected), "{command}: {told:?}, expected {expected:?}…");
    told
}

/// Sends a message with `WANT ids`, and returns its id.
#[track_caller]
fn id_of(client: &mut Client, command: &str) -> String {
    let told = begins(client, command, "C 250 ");
    told.rsplit_once(" id=").unwrap_or_else(|| panic!("{command}: {told:?} has no id")).1.to_owned()
}

#[track_caller]
fn delete(server: &Server, name: &str) {
    run(CHATD, &server.path(""), &["accounts", "delete", name]).check(0, &[]);
}

/// The files of the server's folder that have these bytes.
fn files_with(server: &Server, text: &str) -> Vec<String> {
    let entries = fs::read_dir(server.path("")).expect("the folder").map(|entry| entry.expect("a file"));
    let has = |path: &std::path::Path| {
        // A socket cannot be read.
        let bytes = fs::read(path).unwrap_or_default().to_ascii_lowercase();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let found = entries.filter(|entry| has(&entry.path()));
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A kept room of this client's.
#[track_caller]
fn keep(host: &mut Client, room: &str) {
    begins(host, &format!("MAKE {room}"), "C 227 ");
    begins(host, &format!("KEEP {room}"), "C 200");
}

/// Does something as the server runs, and again after a kill and a restart.
fn twice(server: &mut Server, check: impl Fn(&Server)) {
    check(server);
    server.kill9();
    server.restart();
    check(server);
}
