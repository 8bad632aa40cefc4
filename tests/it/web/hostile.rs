//! Clients that mean no good, and those that break the protocol.

use super::*;

#[track_caller]
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut http = http(server);
    http.send(bytes);
    http.end();
    http.rest()
}

#[test]
fn nothing_can_be_smuggled() {
    let server = served().start();
    let hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for head in [
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 45\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\n\n",
        "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /ws HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let told = raw(&server, format!("{head}{hidden}").as_bytes());
        assert!(told.starts_with("HTTP/1.1 400 ") && told.matches("HTTP/1.1 4").count() == 1, "{head:?}: {told}");
    }
    let told = raw(&server, &vec![b'x'; 9_000]);
    assert!(told.starts_with("HTTP/1.1 4"), "{told}");
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(9_000));
    assert!(raw(&server, long.as_bytes()).starts_with("HTTP/1.1 431 "));
    let told = raw(&server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert!(told.starts_with("HTTP/1.1 400 "), "{told}");
}

#[test]
fn bad_handshakes_are_answered() {
    let server = served().start();
    let mut http = http(&server);
    let mut code = |request: &str| http.ask(request).code;
    let answer = raw(&server, HANDSHAKE.replace("Version: 13", "Version: 8").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    for field in ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"] {
        assert!(answer.contains(&format!("\r\n{field}\r\n")), "{answer}");
    }
    assert_eq!(code(&HANDSHAKE.replace("chatd.v1", "chatd.v2")), 400);
    assert_eq!(code(&HANDSHAKE.replace("dGhl", "")), 400);
    assert_eq!(code(&handshake("Origin: http://evil.example\r\n")), 403);
    assert_eq!(code(&handshake("Origin: http://localhost\r\nOrigin: http://evil.example\r\n")), 403);
    assert_eq!(code(&HANDSHAKE.replace("localhost", "evil.example")), 421);
    let mut alice = Browser::upgraded(server.door("web"), &handshake("Origin: http://localhost\r\n"));
    alice.expect("C 220 ");
}

#[test]
fn frames_that_break_the_protocol_end_their_conversation_alone() {
    let server = served().start();
    let canary = Canary::start(&server);
    let long = [&[0x81, 0xff][..], &70_000_u64.to_be_bytes(), &[0; 4]].concat();
    for (bytes, code) in [
        (&b"\x81\x05hello"[..], 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x80\x80\0\0\0\0", 1002),
        (b"\x09\x80\0\0\0\0", 1002),
        (b"\x89\xfe\0\x7e\0\0\0\0", 1002),
        (b"\x81\xfe\0\x05\0\0\0\0", 1002),
        (b"\x88\x81\0\0\0\0x", 1002),
        (b"\x82\x80\0\0\0\0", 1003),
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (&long, 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ] {
        let mut stranger = Browser::greeted(server.door("web"));
        stranger.socket.get_mut().write_all(bytes).unwrap();
        stranger.expect("C 421 ");
        assert_eq!(stranger.closed().0, code, "{bytes:?}");
    }
    canary.finish("broken frames");
}

#[test]
fn every_byte_alone_and_many_frames_at_once() {
    let server = served().start();
    let mut alice = Browser::typed(&server, "alice");
    let frame = |first: u8, text: &str| {
        let mask = [1, 2, 3, 4];
        let masked = text.bytes().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [&[first, 0x80 | text.len() as u8], &mask[..], &masked.collect::<Vec<_>>()].concat()
    };
    let frames =
        [frame(0x01, "C NO"), frame(0x89, "still there?"), frame(0x00, ""), frame(0x80, "OP"), frame(0x81, "C NOOP")];
    for byte in frames.concat() {
        alice.socket.get_mut().write_all(&[byte]).unwrap();
    }
    alice.expect("C 200");
    alice.expect("C 200");
    alice.socket.get_mut().write_all(&frame(0x81, "C NOOP").repeat(1_000)).unwrap();
    for _ in 0..1_000 {
        alice.expect("C 200");
    }
}

#[test]
fn five_hundred_who_dribble_do_not_disturb_those_who_talk() {
    let server = served().set("limits.line_s", "2").start();
    let canary = Canary::start(&server);
    let mut crowd: Vec<_> = (0..500)
        .map(|number| {
            let mut stream = TcpStream::connect(server.door("web")).expect("a connection");
            if number % 2 == 0 {
                stream.write_all(HANDSHAKE.as_bytes()).unwrap();
            }
            stream
        })
        .collect();
    for round in 0..30 {
        for (number, stream) in crowd.iter_mut().enumerate() {
            let byte =
                if number % 2 == 0 { b"\x01\xfe\x0f\0\0\0\0\0"[round.min(7)] } else { HANDSHAKE.as_bytes()[round] };
            let _ = stream.write_all(&[byte]);
        }
        testkit::pause(100);
    }
    for stream in &mut crowd {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        assert!(!told.is_empty());
    }
    canary.finish("500 who dribble");
}

#[test]
fn a_reader_that_stops_in_a_frame_is_cut_between_two() {
    let server = served()
        .set("limits.owed_bytes", "16384")
        .set("limits.owed_soft_bytes", "8192")
        .set("limits.owed_soft_s", "1")
        .set("limits.send_buffer_bytes", "4096")
        .start();
    let mut alice = Browser::typed(&server, "alice");
    let mut bob = Browser::typed(&server, "bob");
    let text = "x".repeat(3_000);
    for _ in 0..2_000 {
        alice.say(&format!("C PM {text}"));
        alice.expect("C 250 ");
        if server.log_text().contains("421 too slow: bob") {
            break;
        }
    }
    server.wait_for_log("421 too slow: bob");
    // What bob still gets are whole frames, and their end, unless he was reset.
    let mut whole = 0;
    let last = loop {
        match bob.socket.read() {
            Ok(Message::Text(line)) if line.as_str().starts_with("D PM ") => {
                assert!(line.as_str().ends_with(&text));
                whole += 1;
            }
            other => break other,
        }
    };
    match last {
        Ok(Message::Text(line)) => {
            assert_eq!(line.as_str(), "C 421 too slow");
            assert_eq!(bob.closed().0, 1013);
        }
        Err(tungstenite::Error::Io(_)) => {}
        other => panic!("{other:?} after {whole} messages"),
    }
}

#[test]
fn an_address_has_so_many_requests_and_conversations() {
    let server = served().set("limits.include_loopback", "true").set("limits.new_per_address", "4").start();
    let mut codes = Vec::new();
    for _ in 0..3 {
        let mut http = http(&server);
        codes.extend((0..99).map(|_| http.get("/nothing").code));
    }
    let found = codes.iter().take_while(|code| **code == 404).count();
    assert!((256..=258).contains(&found) && codes[found..].contains(&429), "{found}");
    let answer = http(&server).ask(HANDSHAKE);
    assert_eq!(answer.code, 429);
    assert!(answer.head.contains("Retry-After: "), "{}", answer.head);
}
