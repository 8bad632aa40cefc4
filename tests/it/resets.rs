//! Clients that vanish in the middle of something, and clients that stay after they were closed.

use std::io::Write;
use std::thread;

use testkit::{Canary, Client, PASSWORD, Server, eventually, pause};

/// Two clients that talk during an attack.
struct Pair(Client, Client);

impl Pair {
    fn of(server: &Server) -> Self {
        Self(server.bare("alice"), server.bare("bob"))
    }

    #[track_caller]
    fn talk(&mut self) {
        self.0.send("DM bob hello");
        self.0.expect_exact("C 250 sent to bob");
        self.1.expect_exact("D DM alice hello");
    }
}

/// Brings `count` clients to some point, in crowds of fifty, and resets them there. Their resources are released, the
/// server then uses no time for them, and others never notice.
#[track_caller]
fn check(server: &Server, count: usize, to_the_point: impl Fn(usize) -> Client) {
    let mut pair = Pair::of(server);
    let before = server.descriptors();
    let canary = Canary::start(server);
    for crowd in (0..count).collect::<Vec<_>>().chunks(50) {
        let clients: Vec<Client> = crowd.iter().map(|n| to_the_point(*n)).collect();
        pair.talk();
        clients.into_iter().for_each(Client::reset);
    }
    canary.talks();
    canary.finish("resets");
    eventually("all descriptors are free again", || server.descriptors() == before);
    assert_eq!(pair.0.list("WHO"), ["alice", "bob", "2 online"]);
    pair.talk();
    server.is_idle_for_a_second();
}

#[test]
fn resets_in_the_middle_of_a_login() {
    let server = Server::builder().no_rates().start();
    check(&server, 400, |n| {
        let mut client = server.connect();
        match n % 4 {
            0 => {} // before the greeting is read
            1 => client.send_raw(b"begun"),
            2 => client.send("somebody"),
            _ => {
                client.expect("C 220 ");
                client.send("somebody");
                client.expect("C 332 ");
            }
        }
        client
    });
}

#[test]
fn resets_while_a_password_is_hashed() {
    let cost = "{ memory_kib = 4096, iterations = 1, parallelism = 1 }";
    let server = Server::builder().no_rates().set("accounts.argon2", cost).start();
    drop(server.bare("known"));
    check(&server, 300, |n| {
        let mut client = server.connect();
        let name = if n % 2 == 0 { "known".to_owned() } else { format!("new{n}") };
        client.send(&format!("{name}\n{PASSWORD}"));
        if n % 3 == 0 {
            client.expect("C 220 ");
            client.expect("C 33");
        }
        client
    });
    server.bare("new1").barrier();
}

#[test]
fn resets_with_much_still_to_be_written() {
    let server = Server::builder()
        .no_rates()
        .set("accounts.sessions_per_account", "100")
        .set("limits.send_buffer_bytes", "4096")
        .start();
    check(&server, 300, |_| {
        let mut client = server.bare("reader");
        client.send_raw("HELP\n".repeat(500).as_bytes());
        client
    });
}

#[test]
fn a_closed_client_that_stays_is_cut_off() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let mut pair = Pair::of(&server);
    let before = server.descriptors();
    // One keeps its side open, one keeps sending.
    let mut quiet = server.connect();
    quiet.send("GET / HTTP/1.1");
    let mut talker = server.connect();
    talker.send("GET / HTTP/1.1");
    let talking = thread::spawn(move || {
        let mut stream = talker.stream();
        while stream.write_all(&[b'x'; 1000]).is_ok() {
            pause(1);
        }
    });
    eventually("those who stay are gone", || server.descriptors() == before);
    talking.join().unwrap();
    assert!(quiet.expect_reset_or_closed().ends_with("C 421 not a chat client\n"));
    pair.talk();
    server.is_idle_for_a_second();
}

#[test]
fn a_leaver_that_reads_late_gets_everything() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let mut leaver = server.narrow("leaver");
    leaver.send_raw(format!("{}EX\n", "HELP\n".repeat(100)).as_bytes());
    // Longer than a closed client may take: a client that leaves by itself may use a pager.
    pause(5_500);
    for _ in 0..100 {
        let first = leaver.expect("C 214");
        leaver.rest_of_list(&first);
    }
    leaver.expect("C 221");
    leaver.expect_closed();
}

#[test]
fn a_half_closed_late_reader_gets_everything() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let mut late = server.narrow("late");
    late.send_raw(format!("{}DM nobody x\n", "HELP\n".repeat(2000)).as_bytes());
    late.half_close();
    server.bare("other").barrier();
    server.is_idle_for_a_second();
    for _ in 0..2000 {
        let first = late.expect("C 214");
        late.rest_of_list(&first);
    }
    late.expect_exact("C 550 nobody is not online");
    late.expect_closed();
}
