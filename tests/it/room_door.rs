//! The room door over TCP: answers byte for byte, in each form, however the request arrives.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use testkit::rooms::{Frame, JOIN, MAKE, Way, exchange, exchange_on, frames, header, request, token_of};
use testkit::{Client, PATIENCE, Server, eventually};

/// Replaces any token in an expected answer.
const TOKEN: &str = "TTTTTTTTTTTTTTTTTTTTTTTTTT";
const REFUSED: &str = "refused: a name is bad or in use, the request is bad, or no place is left";

/// A frame of the server, with its size in the last byte.
fn frame(room: &str, operation: u8, state: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [0; 32];
    (bytes[0], bytes[1], bytes[2], bytes[31]) = (room.len() as u8, operation, state, payload.len() as u8);
    [&bytes, room.as_bytes(), payload].concat()
}

/// The answer to a request must be these bytes, with [`TOKEN`] for any token.
#[track_caller]
fn check(addr: SocketAddr, bytes: &[u8], way: Way, expected: &[Vec<u8>]) {
    let mut answer = exchange(addr, bytes, way);
    let expected = expected.concat();
    if let Some(at) = expected.windows(TOKEN.len()).position(|part| part == TOKEN.as_bytes()) {
        let token = answer.get_mut(at..at + TOKEN.len()).expect("a token in the answer");
        assert!(token.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')), "no token: {token:?}");
        token.copy_from_slice(TOKEN.as_bytes());
    }
    assert_eq!(answer, expected, "{way:?} {:?}", String::from_utf8_lossy(bytes));
}

#[test]
fn a_name_as_it_is() {
    for way in Way::ALL {
        let server = Server::builder().rooms(&[""]).start();
        let door = server.door("rooms");
        let byte = |operation, code| [frame("", operation, 1, &[code])];
        let entered = |operation| [frame("", operation, 1, &[0]), frame("", operation, 2, TOKEN.as_bytes())];
        check(door, &request(MAKE, "lobby", b"bob"), way, &entered(MAKE));
        check(door, &request(JOIN, "lobby", b"eve"), way, &entered(JOIN));
        check(door, &request(JOIN, "LOBBY", "Zoë".as_bytes()), way, &entered(JOIN));
        check(door, &request(JOIN, "lobby", b"123"), way, &entered(JOIN));
        check(door, &request(JOIN, "lobby", b"true"), way, &entered(JOIN));
        check(door, &request(MAKE, "東京", b"bob"), way, &entered(MAKE));
        check(door, &request(MAKE, "Lobby", b"tom"), way, &byte(MAKE, 1));
        check(door, &request(JOIN, "nowhere", b"tom"), way, &byte(JOIN, 2));
        check(door, &request(JOIN, "", b"tom"), way, &byte(JOIN, 2));
        check(door, &request(MAKE, "", b"tom"), way, &byte(MAKE, 2));
        check(door, &request(JOIN, "lobby", b"BOB"), way, &byte(JOIN, 4));
        for bad in [
            &b""[..],
            b"to m",
            b"~tom",
            b"server",
            b"nickserv",
            b"Chatd.local",
            b"\xff",
            b"tom\n",
            &[b'x'; 33],
            b"[\"tom\"]",
        ] {
            check(door, &request(JOIN, "lobby", bad), way, &byte(JOIN, 4));
        }
        for bad in ["lob by", "lobby\n", "admin", "\u{1b}[2J"] {
            check(door, &request(MAKE, bad, b"tom"), way, &byte(MAKE, 4));
        }
    }
}

#[test]
fn an_object_with_a_name() {
    for way in Way::ALL {
        let server = Server::builder().rooms(&[""]).start();
        let door = server.door("rooms");
        let byte = |room, operation, code| [frame(room, operation, 1, &[code])];
        let entered = |room, operation| [frame(room, operation, 1, &[0]), frame(room, operation, 2, TOKEN.as_bytes())];
        let bob = br#"{"username": "bob", "password": "sesame"}"#;
        check(door, &request(MAKE, "lobby", bob), way, &entered("lobby", MAKE));
        let eve = |password| format!(r#"{{"user_name":"eve","password":{password}}}"#).into_bytes();
        check(door, &request(JOIN, "LOBBY", &eve("\"other\"")), way, &byte("LOBBY", JOIN, 3));
        check(door, &request(JOIN, "lobby", &eve("null")), way, &byte("lobby", JOIN, 3));
        check(door, &request(JOIN, "lobby", &eve("7")), way, &byte("lobby", JOIN, 4));
        check(door, &request(JOIN, "lobby", b"eve"), way, &[frame("", JOIN, 1, &[3])]);
        check(door, &request(JOIN, "LOBBY", &eve("\"sesame\"")), way, &entered("LOBBY", JOIN));
        check(door, &request(MAKE, "open", &eve("\"\"")), way, &entered("open", MAKE));
        check(door, &request(MAKE, "lobby", &eve("null")), way, &byte("lobby", MAKE, 1));
        check(door, &request(JOIN, "nowhere", &eve("null")), way, &byte("nowhere", JOIN, 2));
        check(door, &request(MAKE, "two", &eve("\"two words\"")), way, &entered("two", MAKE));
        check(door, &request(MAKE, "bell", &eve("\"a\\u0007\"")), way, &byte("bell", MAKE, 4));
        check(door, &request(JOIN, "open", br#"{"username":1}"#), way, &byte("open", JOIN, 4));
        // No byte that a terminal obeys comes back.
        check(door, &request(JOIN, "\u{1b}[2J", &eve("null")), way, &byte("", JOIN, 4));
        check(door, &request(JOIN, "open", br#"{"name":"bob"}"#), way, &byte("", JOIN, 4));
    }
}

#[test]
fn a_json_string() {
    for way in Way::ALL {
        let server = Server::builder().rooms(&[""]).start();
        let door = server.door("rooms");
        let entered = |operation| {
            let token = format!(r#"{{"token":"{TOKEN}"}}"#);
            [frame("", operation, 1, br#"{"success":1}"#), frame("", operation, 2, token.as_bytes())]
        };
        let error = |operation, message: &str| {
            [frame("", operation, 1, format!(r#"{{"success":0,"message":"{message}"}}"#).as_bytes())]
        };
        check(door, &request(MAKE, "lobby", b"\"bob\""), way, &entered(MAKE));
        check(door, &request(JOIN, "lobby", b" \"Zo\\u00eb\" "), way, &entered(JOIN));
        check(door, &request(MAKE, "lobby", b"\"tom\""), way, &error(MAKE, "room exists"));
        check(door, &request(JOIN, "nowhere", b"\"tom\""), way, &error(JOIN, "no such room"));
        check(door, &request(JOIN, "lobby", b"\"bob\""), way, &error(JOIN, REFUSED));
        check(door, &request(JOIN, "lobby", b"\"\""), way, &error(JOIN, REFUSED));
    }
}

#[test]
fn an_object_with_an_address() {
    for way in Way::ALL {
        let server = Server::builder().rooms(&[""]).start();
        let door = server.door("rooms");
        let entered =
            |operation| [frame("", operation, 2, format!(r#"{{"token":"{TOKEN}","message":"entered"}}"#).as_bytes())];
        let error =
            |operation, message: &str| [frame("", operation, 0, format!(r#"{{"message":"{message}"}}"#).as_bytes())];
        let user = |name: &str| format!(r#"{{"user_name":"{name}","user_address":["x",1]}}"#).into_bytes();
        check(door, &request(MAKE, "lobby", &user("bob")), way, &entered(MAKE));
        check(door, &request(JOIN, "lobby", &user("eve")), way, &entered(JOIN));
        check(door, &request(MAKE, "lobby", &user("tom")), way, &error(MAKE, "room exists"));
        check(door, &request(JOIN, "nowhere", &user("tom")), way, &error(JOIN, "no such room"));
        check(door, &request(JOIN, "lobby", &user("bob")), way, &error(JOIN, REFUSED));
        let locked = br#"{"user_name":"lea","user_address":0,"password":"sesame"}"#;
        check(door, &request(MAKE, "locked", locked), way, &entered(MAKE));
        check(door, &request(JOIN, "locked", &user("tom")), way, &error(JOIN, "wrong password"));
    }
}

#[test]
fn words_for_clients_that_send_a_port() {
    for way in Way::ALL {
        let server = Server::builder().rooms(&["&status=ok"]).start();
        let door = server.door("rooms");
        let word = |operation, word: &[u8]| [frame("", operation, 1, word)];
        let entered = |operation| [frame("", operation, 1, b"OK"), frame("", operation, 2, TOKEN.as_bytes())];
        check(door, &request(MAKE, "lobby", b"bob\x1f\x90"), way, &entered(MAKE));
        check(door, &request(JOIN, "lobby", b"eve\x0a\0"), way, &entered(JOIN));
        check(door, &request(MAKE, "lobby", b"tom\0\0"), way, &word(MAKE, b"ROOM_EXISTS"));
        check(door, &request(JOIN, "nowhere", b"tom\0\0"), way, &word(JOIN, b"ROOM_NOT_FOUND"));
        check(door, &request(JOIN, "lobby", b"bob\0\0"), way, &word(JOIN, b"REFUSED"));
        check(door, &request(JOIN, "lobby", b"x"), way, &word(JOIN, b"REFUSED"));
        // Not JSON: these are invalid names.
        check(door, &request(JOIN, "lobby", b"\"tom\"\0\0"), way, &word(JOIN, b"REFUSED"));
        check(door, &header(0, 9, 0, 0), way, &word(9, b"REFUSED"));
        let mut alice = server.bare("alice");
        alice.op("MAKE locked sesame");
        alice.expect("C 227 ");
        check(door, &request(JOIN, "locked", b"tom\0\0"), way, &word(JOIN, b"WRONG_PASSWORD"));
    }
}

#[test]
fn false_sizes_are_refused_at_once() {
    let server = Server::builder().rooms(&[""]).start();
    let door = server.door("rooms");
    check(
        door,
        &request(MAKE, "lobby", b"bob"),
        Way::Whole,
        &[frame("", 1, 1, &[0]), frame("", 1, 2, TOKEN.as_bytes())],
    );
    let before = server.resident_kib();
    let refused = |operation| [frame("", operation, 1, &[4])];
    for _ in 0..20 {
        for most in [0x7f, 0xff] {
            let mut lie = header(5, MAKE, 0, u64::MAX);
            lie[3] = most;
            check(door, &lie, Way::Whole, &refused(MAKE));
        }
        for size in [4096 - 32 - 5 + 1, 65_535, 65_536, 1 << 32, u64::MAX] {
            check(door, &header(5, JOIN, 0, size), Way::Whole, &refused(JOIN));
            check(door, &header(5, JOIN, 0, size), Way::ByteByByte, &refused(JOIN));
        }
        for (operation, state) in [(0, 0), (3, 0), (255, 0), (1, 1), (2, 2), (1, 255)] {
            check(door, &header(0, operation, state, 0), Way::Whole, &refused(operation));
        }
        // With the announced payload under way.
        let whole = [header(5, JOIN, 0, 1 << 20), vec![b'x'; 1 << 16]].concat();
        check(door, &whole, Way::Whole, &refused(JOIN));
    }
    let after = server.resident_kib();
    assert!(after < before + 4096, "{before} KiB before, {after} KiB after");
    // The largest request, which is read to its end: the name is odd, but the request is complete.
    check(door, &request(JOIN, "lobby", &[b'x'; 4096 - 32 - 5]), Way::ByteByByte, &refused(JOIN));
}

#[test]
fn incomplete_requests_are_refused_at_their_end() {
    let server = Server::builder().rooms(&[""]).set("login.deadline_s", "1").start();
    let door = server.door("rooms");
    let whole = request(MAKE, "lobby", b"bob");
    for cut in 0..whole.len() {
        let expected = if cut < 32 { Vec::new() } else { vec![frame("", MAKE, 1, &[4])] };
        check(door, &whole[..cut], Way::HalfClosed, &expected);
    }
    // In parallel, because each waits for a second.
    let began = Instant::now();
    let waiting: Vec<TcpStream> = (0..whole.len()).map(|_| TcpStream::connect(door).expect("a connection")).collect();
    for (cut, mut stream) in waiting.iter().enumerate() {
        stream.write_all(&whole[..cut]).expect("a beginning is taken");
    }
    for (cut, mut stream) in waiting.iter().enumerate() {
        let mut answer = Vec::new();
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        stream.read_to_end(&mut answer).expect("an answer, and the end of the stream");
        assert_eq!(answer, if cut < 32 { Vec::new() } else { frame("", MAKE, 1, &[4]) }, "{cut} bytes");
    }
    assert!(began.elapsed() >= Duration::from_secs(1));
    server.wait_for_log("421 login took too long: nobody from 127.0.0.1");
    check(door, &request(JOIN, "lobby", b"bob"), Way::Whole, &[frame("", JOIN, 1, &[2])]);
    server.expect_counters(&[("rooms", 0), ("peers", 0), ("connections", 0)]);
}

#[test]
fn garbage_is_refused_or_left_alone() {
    let server = Server::builder().rooms(&[""]).start();
    let door = server.door("rooms");
    check(door, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", Way::Whole, &[frame("", b'E', 1, &[4])]);
    check(door, b"C alice\nC correct horse\n", Way::HalfClosed, &[]);
    check(door, &[0xff; 4096], Way::Whole, &[frame("", 0xff, 1, &[4])]);
    check(door, b"", Way::HalfClosed, &[]);
    // Reproducible random numbers: a linear congruence.
    let mut state = 1u32;
    for _ in 0..200 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(64)
        .collect();
        for frame in frames(&exchange(door, &bytes, Way::HalfClosed)) {
            assert_eq!(frame, Frame { room: String::new(), operation: bytes[1], state: 1, payload: vec![4] });
        }
    }
    server.bare("alice").barrier();
}

#[test]
fn one_exchange_a_connection_and_then_it_ends() {
    let server = Server::builder().rooms(&[""]).start();
    let door = server.door("rooms");
    // A second request after the first is ignored.
    let two = [request(MAKE, "lobby", b"bob"), request(MAKE, "other", b"bob")].concat();
    check(door, &two, Way::Whole, &[frame("", MAKE, 1, &[0]), frame("", MAKE, 2, TOKEN.as_bytes())]);
    assert_eq!(server.bare("alice").list("ROOMS").len(), 2);
    // A client that does not close is closed, after about two seconds.
    let mut stream = TcpStream::connect(door).unwrap();
    token_of(&exchange_on(&stream, &request(JOIN, "lobby", b"tom"), Way::Whole));
    eventually("the server has closed", || stream.write_all(b"x").is_err());
    let _ = stream.shutdown(Shutdown::Both); // it may be gone
    server.expect_counters(&[("connections", 0), ("peers", 2)]);
    assert!(!server.log_text().contains("had not heard"));
}

#[test]
fn what_comes_of_clients_that_break_off() {
    let server = Server::builder().rooms(&[""]).start();
    let door = server.door("rooms");
    for _ in 0..50 {
        let mut client = Client::connect(door);
        client.send_raw(&request(MAKE, "lobby", b"bob")[..36]);
        client.reset();
        // This client may have made its room by then, or not.
        let mut client = Client::connect(door);
        client.send_raw(&request(MAKE, "other", b"bob"));
        client.reset();
    }
    check(
        door,
        &request(MAKE, "lobby", b"bob"),
        Way::Whole,
        &[frame("", 1, 1, &[0]), frame("", 1, 2, TOKEN.as_bytes())],
    );
    server.expect_counters(&[("connections", 0)]);
}

#[test]
fn places_are_bounded() {
    let limits = |builder: testkit::Builder| builder.set("rooms.members", "2").set("limits.connections", "3");
    let server = limits(Server::builder().rooms(&[""])).start();
    let door = server.door("rooms");
    let code = |operation, room, name: &str| {
        frames(&exchange(door, &request(operation, room, name.as_bytes()), Way::Whole))[0].payload[0]
    };
    // A connection that was served may count for a moment longer.
    let enter = |operation, room, name: &str, expected| {
        server.expect_counters(&[("connections", 0)]);
        assert_eq!(code(operation, room, name), expected, "{room} {name}");
    };
    enter(MAKE, "lobby", "a", 0);
    enter(JOIN, "lobby", "b", 0);
    enter(JOIN, "lobby", "c", 4); // no more than two in a room
    enter(MAKE, "other", "c", 0);
    enter(MAKE, "third", "d", 4); // no more guests than connections
    enter(JOIN, "other", "d", 4);
    server.expect_counters(&[("peers", 3), ("rooms", 2)]);
}

#[test]
fn a_room_door_that_is_left_out_is_not_there() {
    let server = Server::builder().set("log.stats_s", "1").start();
    assert_eq!(server.udp_sockets(), 0);
    assert!(!server.log_text().contains("udp://"));
    let mut alice = server.bare("alice");
    alice.op("MAKE lobby");
    assert!(!alice.expect("C 227 lobby token=").contains("udp="));
    server.expect_counters(&[("peers", 0), ("rooms", 1), ("datagrams_in", 0)]);
    let with = Server::builder().rooms(&["", "&down=named"]).datagrams().start();
    with.expect_udp_sockets(3);
    server.is_idle_for_a_second();
    with.is_idle_for_a_second();
}

#[test]
fn an_address_has_so_many_guests_at_once() {
    let server = Server::builder()
        .rooms(&[""])
        .set("limits.include_loopback", "true")
        .set("limits.per_address", "2")
        .set("limits.new_per_address", "100")
        .set("log.level", "\"debug\"")
        .start();
    let door = server.door("rooms");
    let idle = server.descriptors();
    let enter = |operation, name: &str, expected| {
        eventually("no connection is open", || server.descriptors() == idle);
        let answer = exchange(door, &request(operation, "lobby", name.as_bytes()), Way::Whole);
        assert_eq!(frames(&answer)[0].payload[0], expected, "{name}");
    };
    enter(MAKE, "a", 0);
    enter(JOIN, "b", 0);
    enter(JOIN, "c", 4);
    server.expect_counters(&[("peers", 2)]);
    server.wait_for_log("guest ~a from 127.0.0.1 entered lobby");
}

#[test]
fn a_refused_client_is_answered_if_it_asked() {
    let server = Server::builder().rooms(&[""]).set("limits.connections", "1").start();
    let door = server.door("rooms");
    let _alice = server.bare("alice");
    server.signal(rustix::process::Signal::STOP); // so that the request is there before the server reads
    let mut whole = TcpStream::connect(door).unwrap();
    whole.write_all(&request(JOIN, "lobby", br#"{"user_name":"bob","user_address":"x"}"#)).unwrap();
    let mut header_only = TcpStream::connect(door).unwrap();
    header_only.write_all(&header(5, MAKE, 0, 3)).unwrap();
    let mut silent = TcpStream::connect(door).unwrap();
    server.signal(rustix::process::Signal::CONT);
    let answer = |stream: &mut TcpStream| {
        let mut bytes = Vec::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let message = format!(r#"{{"message":"{REFUSED}"}}"#);
    assert_eq!(answer(&mut whole), frame("", JOIN, 0, message.as_bytes()));
    assert_eq!(answer(&mut header_only), frame("", MAKE, 1, &[4]));
    assert_eq!(answer(&mut silent), b"");
}
