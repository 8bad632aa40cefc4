//! Lines: which are refused, how long one may be, and how a connection ends.

use rustix::process::Signal;
use socket2::{Domain, SockRef, Socket, Type};
use testkit::{Client, PASSWORD, Server, pause};

/// Fewer than 100, because the hundredth refused line closes.
fn forbidden() -> Vec<Vec<u8>> {
    let controls = (0..0x20).filter(|b| ![b'\t', b'\n', b'\r'].contains(b)).chain([0x7f]).map(|b| vec![b]);
    let c1 = ['\u{80}', '\u{85}', '\u{9b}', '\u{9f}'];
    let separators = ['\u{2028}', '\u{2029}'];
    let bidi = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    let characters = c1.into_iter().chain(separators).chain(bidi).map(|c| c.to_string().into_bytes());
    let invalid: [&[u8]; 8] =
        [b"\x80", b"\xff", b"\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xc3("];
    let returns: [&[u8]; 3] = [b"\r", b"\rEX", b"\r\r"];
    let rest = invalid.into_iter().chain(returns).map(<[u8]>::to_vec);
    controls.chain(characters).chain(rest).collect()
}

#[test]
fn forbidden_bytes_are_refused_and_never_relayed() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.bare("bob");
    for start in ["PM ", "C PM "] {
        let mut client = if start == "PM " { server.bare("alice") } else { server.typed("carol") };
        for bytes in forbidden() {
            client.send_raw(&[start.as_bytes(), b"x", &bytes, b"y\n"].concat());
            let reply = client.line();
            assert!(reply.starts_with("C 501"), "{bytes:?} got {reply:?}");
        }
        // Also at the end of the line, and alone.
        client.send_raw(b"PM x\x1b\n\x07\nPM x\r\r\n");
        for _ in 0..3 {
            client.expect("C 501");
        }
        client.op("PM that was all");
        client.expect("C 250 ");
        bob.expect("D PM ");
        client.op("EX");
        client.expect("C 221 ");
        client.expect_closed();
    }
    bob.barrier();
}

#[test]
fn the_neighbours_of_forbidden_characters_pass() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let text = "\u{7e} \u{a0} \u{2027} \u{202f} \u{2065} \u{2070} \u{200d} \u{fff8} \u{fffc} \u{fffd} \u{dffff} \u{e0080} \u{10ffff}";
    alice.send(&format!("PM {text}"));
    alice.expect_exact("C 250 sent to 1");
    bob.expect_exact(&format!("D PM alice {text}"));
}

#[test]
fn a_line_has_at_most_4096_bytes() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.bare("bob");
    let mut alice = server.bare("alice");
    for (bytes, end) in [(4095, "\n"), (4094, "\r\n")] {
        let text = "x".repeat(bytes - 3);
        alice.send_raw(format!("PM {text}{end}").as_bytes());
        alice.expect_exact("C 250 sent to 1");
        bob.expect_exact(&format!("D PM alice {text}"));
        alice.send_raw(format!("PM {text}x{end}").as_bytes());
        alice.expect("C 500");
        alice.barrier();
    }
    bob.barrier();
}

#[test]
fn an_overlong_line_is_only_too_long() {
    let server = Server::builder().no_rates().start();
    let (mut bare, mut typed) = (server.bare("alice"), server.typed("bob"));
    for client in [&mut bare, &mut typed] {
        for bytes in [&b"\x00"[..], b"\xff", b"\r", "\u{202e}".as_bytes(), b"x"] {
            client.send_raw(&[&bytes.repeat(5000), &b"\n"[..]].concat());
            client.expect("C 500");
        }
        client.barrier();
    }
}

#[test]
fn the_bound_on_a_line_is_configurable() {
    let server = Server::builder().set("limits.line_bytes", "600").start();
    let mut alice = server.bare("alice");
    alice.send(&format!("PM {}", "x".repeat(596)));
    alice.expect("C 250 ");
    alice.send(&format!("PM {}", "x".repeat(597)));
    alice.expect("C 500");
}

#[test]
fn a_line_that_never_ends_closes() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.bare("alice");
    let mut long = vec![b'x'; 60_000];
    long.push(b'\n');
    alice.send_raw(&long);
    alice.expect("C 500");
    alice.send_raw(&vec![b'x'; 80 * 1024]);
    alice.expect_421("line never ended");
    let mut stranger = server.greeted();
    stranger.send_raw(&vec![b'x'; 80 * 1024]);
    stranger.expect_421("line never ended");
}

#[test]
fn a_begun_line_must_end_in_time() {
    let server = Server::builder().set("limits.line_s", "1").start();
    let mut idle = server.bare("bob");
    let mut halfway = server.bare("alice");
    halfway.send_raw(b"PM half");
    halfway.expect_421("line never ended");
    let mut stranger = server.greeted();
    stranger.send_raw(b"al");
    stranger.expect_421("line never ended");
    idle.barrier();
}

#[test]
fn dribbling_does_not_extend_a_line_s_deadline() {
    let server = Server::builder().set("limits.line_s", "1").start();
    let mut alice = server.bare("alice");
    let sender = alice.stream().try_clone().unwrap();
    let dribble = std::thread::spawn(move || {
        use std::io::Write as _;
        // Ends with an error once the server has reset the connection, after 3 s at most.
        (0..30).all(|_| {
            pause(100);
            (&sender).write_all(b"x").is_ok()
        })
    });
    alice.expect("C 421 line never ended");
    dribble.join().unwrap();
}

#[test]
fn lines_that_end_in_time_may_go_on_for_ever() {
    let server = Server::builder().set("limits.line_s", "2").start();
    let mut alice = server.bare("alice");
    alice.send_raw(b"NO");
    for _ in 0..15 {
        pause(200);
        // Each piece ends one line and begins the next, so that a line is always incomplete.
        alice.send_raw(b"OP\nNO");
        alice.expect("C 200");
    }
}

#[test]
fn characters_may_come_in_pieces() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    for byte in "PM 漢字 👋\r\n".bytes() {
        alice.send_raw(&[byte]);
    }
    alice.expect_exact("C 250 sent to 1");
    bob.expect_exact("D PM alice 漢字 👋");
}

#[test]
fn a_typed_session_takes_typed_lines_only() {
    let server = Server::start();
    let mut alice = server.typed("alice");
    for line in ["PM hi", "hello", "X PM hi", "c NOOP", "CNOOP", "Dhi", " C NOOP", "D "] {
        alice.send(line);
        let reply = alice.line();
        assert!(reply.starts_with("C 501"), "{line:?} got {reply:?}");
    }
    alice.send("C PM");
    alice.expect("C 354 ");
    alice.send("D ");
    alice.expect("C 501");
    alice.send("D still asked for");
    alice.expect_exact("C 250 sent to 0");
}

#[test]
fn a_bare_session_stays_bare() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("C NOOP");
    alice.expect("C 502");
    alice.send("PM");
    alice.expect("C 354 ");
    alice.send("C NOOP");
    alice.expect_exact("C 250 sent to 1");
    bob.expect_exact("D PM alice C NOOP");
}

#[test]
fn a_bad_first_line_does_not_set_the_dialect() {
    let server = Server::start();
    let long = "x".repeat(600);
    for (n, first) in ["", "\r", "bad \u{7} byte", long.as_str()].into_iter().enumerate() {
        for typed in [false, true] {
            let mut client = server.greeted();
            client.send(first);
            match n {
                0 | 1 => {}
                2 => drop(client.expect("C 501")),
                _ => drop(client.expect("C 500")),
            }
            let name = format!("user{n}{typed}");
            if typed {
                client.login_typed(&name)
            } else {
                client.login_bare(&name)
            }
            client.barrier();
        }
    }
}

#[test]
fn urgent_data_does_not_hide_what_follows() {
    let server = Server::start();
    let mut alice = server.greeted();
    server.signal(Signal::STOP); // so that all of it is there before the first byte is read
    alice.send_raw(b"ali");
    SockRef::from(alice.stream()).send_out_of_band(b"!").unwrap();
    alice.send_raw(b"ce\n");
    server.signal(Signal::CONT);
    alice.expect_exact("C 332 alice is new here; choose a password");
}

#[test]
fn an_unterminated_last_line_is_dropped() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send_raw(b"NOOP\nPM lost");
    alice.half_close();
    alice.expect("C 200");
    alice.expect_closed();
    bob.barrier();
}

#[test]
fn half_closing_executes_all_that_was_sent() {
    let server = Server::start();
    let mut bob = server.bare("bob");
    let mut alice = server.connect();
    alice.send_raw(b"alice\npassword1\nPM one\nPM\ntwo\nDM bob three\nNOOP\n");
    alice.half_close();
    alice.expect("C 220 ");
    alice.expect("C 332 ");
    alice.expect("C 230 welcome alice;");
    alice.expect_all(&["C 250 sent to 1", "C 354 your message?", "C 250 sent to 1", "C 250 sent to bob"]);
    alice.expect("C 200");
    alice.expect_closed();
    bob.expect_all(&["D PM alice one", "D PM alice two", "D DM alice three"]);
    assert_eq!(bob.list("WHO"), ["bob", "1 online"]);
}

#[test]
fn half_closing_waits_for_a_delayed_answer() {
    let server = Server::builder().set("login.failure_delay_ms", "300").start();
    let _alice = server.bare("alice");
    let mut guesser = server.greeted();
    guesser.send_raw(b"alice\nwrong one\ncorrect horse\nNOOP\n");
    guesser.half_close();
    guesser.expect("C 331 ");
    guesser.expect_exact("C 530 wrong password; 2 tries left");
    guesser.expect("C 230 ");
    guesser.expect("C 200");
    guesser.expect_closed();
}

#[test]
fn half_closing_is_no_reason_to_read_faster() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.addr().into()).unwrap();
    let mut alice = Client::from_stream(socket.into());
    alice.send_raw(format!("alice\n{PASSWORD}\n{}EX\n", "HELP\n".repeat(150)).as_bytes());
    alice.half_close();
    for code in ["C 220", "C 332", "C 230"] {
        alice.expect(code);
    }
    for _ in 0..150 {
        let first = alice.line();
        alice.rest_of_list(&first);
        pause(60); // 9 s in all, much longer than the time to read what is left at a close
    }
    alice.expect_exact("C 221 bye");
    alice.expect_closed();
}
