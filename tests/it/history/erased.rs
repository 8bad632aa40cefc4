//! kill -9 in the middle of `chatd history erase`: the file opens, nothing else is lost, and the next try erases.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use testkit::{Server, run, strace};

use super::reading::{back, texts};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");
/// A word of what is erased.
const WORD: &str = "quicksilver";
/// The store's files, some of which may not be there.
const FILES: [&str; 3] = ["history.db", "history.db-wal", "history.db-shm"];

/// Whether a file of the server's has the word.
fn has_word(server: &Server) -> bool {
    let files = FILES.iter().filter_map(|name| fs::read(server.path(name)).ok());
    files.flatten().collect::<Vec<u8>>().windows(WORD.len()).any(|bytes| bytes.eq_ignore_ascii_case(WORD.as_bytes()))
}

#[test]
fn a_killed_erasure_loses_nothing_else_and_can_be_repeated() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, _bob) = (server.typed("alice"), server.typed("bob"));
    for command in ["MAKE cellar", "KEEP cellar"] {
        alice.ask(command);
    }
    let public: Vec<String> = (0..30).map(|number| format!("public {number}")).collect();
    for text in &public {
        alice.ask(&format!("PM {text}"));
        alice.ask(&format!("RM cellar {WORD} {text} {}", "x".repeat(1_000)));
        alice.ask(&format!("DM bob {text}"));
    }
    server.term();
    let base = FILES.map(|name| fs::read(server.path(name)).ok());
    let mut kills = 0;
    for call in ["pwrite64", "fsync,fdatasync", "ftruncate", "/^unlink", "openat"] {
        for when in [1, 3, 9, 27, 81] {
            for (name, content) in FILES.iter().zip(&base) {
                let _ = fs::remove_file(server.path(name));
                if let Some(content) = content {
                    fs::write(server.path(name), content).expect("a copy");
                    fs::set_permissions(server.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600))
                        .expect("rights");
                }
            }
            let kill = format!("{call}:signal=KILL:when={when}");
            let Some(mut command) = strace(&[&kill]) else { return };
            FILES.iter().for_each(|name| _ = command.arg("-P").arg(server.path(name)));
            command.arg(CHATD).args(["history", "erase", "--room", "cellar"]).current_dir(server.path(""));
            let output = command.output().expect("strace");
            if output.status.signal() != Some(9) {
                assert!(output.status.success() && when > 1 || call == "openat", "{kill}: {output:?}");
                break;
            }
            kills += 1;
            server.restart();
            let (mut alice, mut bob) = (back(&server, "alice"), back(&server, "bob"));
            assert_eq!(texts(&mut alice, "alice", "*"), public, "{kill}");
            assert_eq!(texts(&mut bob, "bob", "@alice"), public, "{kill}");
            drop((alice, bob));
            server.term();
            run(CHATD, &server.path(""), &["history", "erase", "--room", "cellar"]).check(0, &[]);
            assert!(!has_word(&server), "{kill}: a file has a byte of it");
            server.restart();
            assert_eq!(texts(&mut back(&server, "alice"), "alice", "cellar"), Vec::<String>::new(), "{kill}");
            server.term();
        }
    }
    println!("killed at {kills} calls");
    assert!(kills > 4, "{kills}");
}
