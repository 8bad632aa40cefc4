//! What idle conversations cost the server.

use super::*;

const WARM: usize = 200;
const IDLE: usize = 2_000;
/// Logins at once.
const BATCH: usize = 100;

/// A server that is started again with so many accounts, so that sessions are measured alone. `None` if it takes more
/// descriptors than there are.
fn with_accounts(doors: Builder) -> Option<Server> {
    if !crate::crowds::may_open(WARM + IDLE) {
        return None;
    }
    let server = doors.set("history.file", "''").set("accounts.queue", "100").set("limits.connections", "3000");
    let mut server = server.set("limits.silent", "3000").set("limits.silent_most", "3000").start();
    for first in (0..WARM + IDLE).step_by(BATCH) {
        let mut batch: Vec<_> = (first..first + BATCH).map(|_| server.connect()).collect();
        for (client, number) in batch.iter_mut().zip(first..) {
            client.send(&format!("person{number}\n{PASSWORD}"));
        }
        for client in &mut batch {
            client.expect("C 220 ");
            client.expect("C 332 ");
            client.expect("C 230 ");
        }
    }
    server.restart();
    Some(server)
}

/// The bytes of the process's memory for each of the idle ones: before they log in, and after it.
fn cost<S: Read + Write>(server: &Server, connect: impl Fn() -> Browser<S>) -> (u64, u64) {
    let greeted = |count: usize| -> Vec<Browser<S>> { (0..count).map(|_| connect()).collect() };
    let log_in = |clients: &mut [Browser<S>], from: usize| {
        for (number, batch) in (from..).step_by(BATCH).zip(clients.chunks_mut(BATCH)) {
            for (client, number) in batch.iter_mut().zip(number..) {
                client.say(&format!("C person{number}"));
                client.say(&format!("C {PASSWORD}"));
            }
            for client in batch {
                client.expect("C 331 ");
                client.expect("C 230 ");
            }
        }
    };
    let mut warm = greeted(WARM);
    log_in(&mut warm, 0);
    let before = server.own_kib();
    let mut idle = greeted(IDLE);
    let each = || server.own_kib().saturating_sub(before) * 1024 / IDLE as u64;
    let silent = each();
    log_in(&mut idle, WARM);
    let talking = each();
    println!("{IDLE} idle conversations by WebSocket: {silent} bytes each, {talking} after their login");
    (silent, talking)
}

#[test]
fn an_idle_conversation_takes_little_memory() {
    let _turn = crate::crowds::turn();
    let Some(server) = with_accounts(served()) else { return };
    let (silent, talking) = cost(&server, || Browser::greeted(server.door("web")));
    // A new session may bring the process's tables to their next size.
    assert!(silent < 600 && talking < 1024, "{silent} and {talking} bytes");
}

#[cfg(feature = "tls")]
#[test]
fn an_idle_conversation_by_tls_takes_little_memory() {
    let _turn = crate::crowds::turn();
    let Some(server) = with_accounts(tls::listening()) else { return };
    let (silent, talking) = cost(&server, || tls::greeted(&server));
    assert!(silent < 5 * 1024 && talking < 5 * 1024, "{silent} and {talking} bytes");
}
