//! Secrets that must not stay in the server's memory.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use testkit::{Server, eventually};

/// How often `what` occurs in the writable memory of a process. `None` if the system does not allow reading it.
pub(crate) fn count(pid: u32, what: &[u8]) -> Option<usize> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = 0;
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (from, to) = map.split_once(' ')?.0.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(to - from).ok()?];
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found += bytes.windows(what.len()).filter(|window| *window == what).count();
        }
    }
    Some(found)
}

#[test]
fn a_begun_password_is_forgotten() {
    const BEGUN: &str = "beginning of a password that is long enough to be found";
    let secret = &BEGUN.as_bytes()[20..];
    let server = Server::start();
    let mut alice = server.greeted();
    alice.send_raw(format!("alice\n{BEGUN}").as_bytes());
    alice.expect("C 332 ");
    if count(server.pid(), secret).is_none() {
        return eprintln!("skipped: the memory of another process cannot be read here");
    }
    eventually("it is held once", || count(server.pid(), secret) == Some(1));
    alice.half_close();
    alice.expect_closed();
    assert_eq!(count(server.pid(), secret), Some(0));
}
