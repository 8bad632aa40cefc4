//! How many connections there may be, where they come in, and how many may connect at once.

use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::{Client, Server, eventually};

/// Whether a new client is accepted; one that is not must be told that the server is full.
#[track_caller]
pub(crate) fn is_let_in(server: &Server) -> Option<Client> {
    let mut client = server.connect();
    let first = client.line();
    if first.starts_with("C 220 ") {
        return Some(client);
    }
    assert_eq!(first, "C 421 server full");
    client.expect_closed();
    None
}

#[test]
fn one_connection_too_many_is_refused() {
    let server = Server::builder().set("limits.connections", "20").start();
    let mut clients: Vec<Client> = (0..20).map(|n| server.bare(&format!("user{n}"))).collect();
    for round in 0..5 {
        assert!(is_let_in(&server).is_none());
        clients[0].send(&format!("PM {round}"));
        clients[0].expect_exact("C 250 sent to 19");
        for client in &mut clients[1..] {
            client.expect_exact(&format!("D PM user0 {round}"));
        }
    }
    server.wait_for_log("421 server full: 127.0.0.1 was not let in");
    for _ in 0..3 {
        let mut leaver = clients.remove(1);
        assert_eq!(leaver.ask("EX"), "C 221 bye");
        leaver.expect_closed();
        drop(leaver);
        eventually("a place is free", || is_let_in(&server).map(|client| clients.push(client)).is_some());
        assert!(is_let_in(&server).is_none());
    }
}

#[test]
fn a_client_let_in_later_is_like_any_other() {
    let server = Server::builder().set("limits.connections", "2").start();
    let mut alice = server.bare("alice");
    let bob = server.bare("bob");
    assert!(is_let_in(&server).is_none());
    bob.reset();
    let mut carol = None;
    eventually("a place is free", || {
        carol = is_let_in(&server);
        carol.is_some()
    });
    let mut carol = carol.unwrap();
    carol.login_bare("carol");
    assert_eq!(alice.list("WHO"), ["alice", "carol", "2 online"]);
    assert_eq!(carol.ask("DM alice hello"), "C 250 sent to alice");
    alice.expect_exact("D DM carol hello");
}

#[test]
fn one_server_listens_at_several_places() {
    let mut doors = vec!["line://127.0.0.1:0", "line://127.0.0.1:0", "line://127.0.0.2:0"];
    let has_v6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    if has_v6 {
        doors.push("line://[::1]:0");
    } else {
        eprintln!("not tried: there is no [::1] here");
    }
    let server = Server::builder().listen(&doors).start();
    let mut clients: Vec<Client> = server
        .addrs()
        .into_iter()
        .enumerate()
        .map(|(n, addr)| {
            let mut client = Client::connect(addr);
            client.expect("C 220 ");
            client.login_bare(&format!("user{n}"));
            client
        })
        .collect();
    assert_eq!(clients.len(), doors.len());
    for speaker in 0..clients.len() {
        clients[speaker].send("PM hello");
        clients[speaker].expect_exact(&format!("C 250 sent to {}", doors.len() - 1));
        for (_, client) in clients.iter_mut().enumerate().filter(|(n, _)| *n != speaker) {
            client.expect_exact(&format!("D PM user{speaker} hello"));
        }
    }
}

/// Raises the limit of the test itself; false if the machine does not allow it.
fn have_descriptors(wanted: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let may = limit.maximum.is_none_or(|most| most >= wanted);
    if may && limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        return setrlimit(Resource::Nofile, raised).is_ok();
    }
    may
}

#[test]
fn fifteen_hundred_at_once_are_all_greeted() {
    if !have_descriptors(8192) {
        return eprintln!("skipped: no 8,192 descriptors for the clients");
    }
    let server = Server::start();
    let addr = server.addr();
    let crowd = |count: usize| -> Vec<TcpStream> {
        (0..count).map(|_| TcpStream::connect_timeout(&addr, Duration::from_secs(10)).unwrap()).collect()
    };
    let streams: Vec<TcpStream> = std::thread::scope(|scope| {
        let crowds: Vec<_> = (0..6).map(|_| scope.spawn(|| crowd(250))).collect();
        crowds.into_iter().flat_map(|crowd| crowd.join().unwrap()).collect()
    });
    let mut clients: Vec<Client> = streams.into_iter().map(Client::from_stream).collect();
    assert_eq!(clients.len(), 1500);
    for client in &mut clients {
        client.expect("C 220 ");
    }
    let (first, rest) = clients.split_at_mut(1);
    first[0].login_bare("first");
    rest[1498].login_bare("last");
    assert_eq!(first[0].list("WHO"), ["first", "last", "2 online"]);
}
