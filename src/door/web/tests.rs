//! Requests and their answers, the handshake, and conversations.

use super::frame::Sent;
use super::*;
use crate::door::http::{self, Parsed};
use crate::door::web::files::Files;

/// Feeds a request. Gives what is asked for.
#[track_caller]
fn fetch(request: &str) -> String {
    let mut door = WebDoor::new(0);
    let mut bytes = request.as_bytes().to_vec();
    for end in 0..bytes.len() {
        let mut begun = bytes[..end].to_vec();
        let cut = door.cut(&mut begun, 9_000);
        assert!(matches!(cut, Cut::Partial { keep: 0 } | Cut::Line { .. }), "{cut:?}");
    }
    let Cut::Line { end, .. } = door.cut(&mut bytes, 9_000) else { panic!("{request:?} is not whole") };
    let Decoded::Fetch(fetch) = door.decode(&bytes[..end], 8) else { panic!("{request:?}") };
    let what = match &fetch.what {
        What::Page { is_known } => format!("page {is_known}"),
        What::File(file) => format!("file {}", file.media_type),
        What::Upgrade(Upgrade { accept, names_protocol }) => format!("upgrade {accept} {names_protocol}"),
        What::Wrong(status, _) => format!("wrong {}", status.code()),
        What::Refused(status, _) => format!("refused {}", status.code()),
    };
    format!("{what} {}", fetch.is_from_here)
}

fn get(path: &str, fields: &str) -> String {
    fetch(&format!("GET {path} HTTP/1.1\r\nHost: Chat.example:8015\r\n{fields}\r\n"))
}

#[test]
fn resources() {
    let hash = &Files::of_page().hash;
    assert_eq!(get("/", ""), "page false true");
    assert_eq!(get("/?a=b", ""), "page false true");
    assert_eq!(get("/", &format!("If-None-Match: \"x\", W/\"{hash}\"\r\n")), "page true true");
    assert_eq!(get(&format!("/a/{hash}/main.js"), ""), "file text/javascript; charset=utf-8 true");
    for path in ["/a/0/main.js", "/main.js", "/a/", "//", "/index.html", "/a/../main.js", "/ws/"] {
        assert_eq!(get(path, ""), "wrong 404 true", "{path}");
    }
    assert_eq!(fetch("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), "wrong 405 true");
    assert_eq!(fetch("HEAD /ws HTTP/1.1\r\nHost: a\r\n\r\n"), "wrong 426 true");
    assert_eq!(fetch("GET / HTTP/1.1\r\n\r\n"), "refused 400 true");
}

#[test]
fn only_this_site_is_at_home() {
    for (origin, is_from_here) in [
        ("http://chat.example:8015", true),
        ("https://CHAT.example:8015", true),
        ("http://chat.example", false),
        ("http://chat.example:80150", false),
        ("http://evil.example", false),
        ("null", false),
        ("", false),
        ("chat.example:8015", false),
        ("http://chat.example:8015, http://evil.example", false),
        ("http://chat.example:8015\r\nOrigin: http://evil.example", false),
        ("http://evil.example\r\nOrigin: http://evil.example", false),
    ] {
        assert_eq!(get("/", &format!("Origin: {origin}\r\n")), format!("page false {is_from_here}"), "{origin}");
    }
}

/// The handshake of RFC 6455, section 1.3, with these fields instead of its own ones.
fn handshake(replaced: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("Upgrade", "websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    for (name, value) in replaced {
        fields.retain(|(other, _)| other != name);
        fields.push((name, value));
    }
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    get("/ws", &fields)
}

#[test]
fn handshakes() {
    let accepted = "upgrade s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    assert_eq!(handshake(&[]), format!("{accepted} false true"));
    assert_eq!(handshake(&[("Sec-WebSocket-Protocol", "a, chatd.v1")]), format!("{accepted} true true"));
    assert_eq!(
        handshake(&[("Upgrade", "h2c, WebSocket"), ("Connection", "upgrade")]),
        format!("{accepted} false true")
    );
    assert_eq!(handshake(&[("Sec-WebSocket-Protocol", "chatd.v2")]), "wrong 400 true");
    assert_eq!(handshake(&[("Sec-WebSocket-Version", "8")]), "wrong 426 true");
    assert_eq!(handshake(&[("Upgrade", "h2c")]), "wrong 426 true");
    assert_eq!(handshake(&[("Connection", "close")]), "wrong 426 true");
    for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZR==", "!"] {
        assert_eq!(handshake(&[("Sec-WebSocket-Key", key)]), "wrong 400 true", "{key}");
    }
}

#[test]
fn the_client_is_the_rightmost_that_is_no_proxy() {
    let client = |fields: &str| {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let Parsed::Whole(head, _) = http::parse(head.as_bytes()) else { panic!("{fields}") };
        let is_proxy = |ip: std::net::IpAddr| ip.to_string().starts_with("10.");
        Fetch::of(&head).forwarded.client(is_proxy).map(|ip| ip.to_string()).ok()
    };
    assert_eq!(client("X-Forwarded-For: 203.0.113.9\r\n"), Some("203.0.113.9".to_owned()));
    assert_eq!(client("X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2\r\n"), Some("203.0.113.9".to_owned()));
    assert_eq!(
        client("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 2001:db8::1,10.1.1.1\r\n"),
        Some("2001:db8::1".to_owned())
    );
    assert_eq!(client("X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n"), Some("10.0.0.1".to_owned()));
    for wrong in
        ["", "X-Forwarded-For: unknown\r\n", "X-Forwarded-For: 1.2.3.4:80\r\n", "X-Forwarded-For: 1.2.3.4,\r\n"]
    {
        assert_eq!(client(wrong), None, "{wrong}");
    }
}

/// A door after its upgrade.
fn talking() -> WebDoor {
    let mut door = WebDoor::new(0);
    let upgrade = Upgrade { accept: String::new(), names_protocol: false };
    door.encode_answer(&Fetched::Upgraded(&upgrade), &mut Vec::new());
    door
}

#[test]
fn a_page_and_its_guards() {
    let mut out = Vec::new();
    WebDoor::new(0).encode_answer(&Fetched::Page { authority: "chat.example:8015" }, &mut out);
    let text = String::from_utf8(out).unwrap();
    for field in [
        "HTTP/1.1 200 OK\r\n",
        "connect-src 'self' ws://chat.example:8015 wss://chat.example:8015;",
        "require-trusted-types-for 'script'",
        "Cache-Control: no-cache\r\n",
        &format!("ETag: \"{}\"\r\n", Files::of_page().hash),
        "X-Content-Type-Options: nosniff\r\n",
    ] {
        assert!(text.contains(field), "{text}");
    }
    assert!(text.ends_with("\r\n\r\n"));
}

/// A masked frame; the mask is 0, which is as good as any.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat()
}

/// Feeds a frame to a conversation. Gives the decoded request, spelled.
fn hear(door: &mut WebDoor, mut bytes: Vec<u8>) -> String {
    let content = match door.cut(&mut bytes, 512) {
        Cut::Frame { start, end, next } => {
            assert_eq!(next, bytes.len());
            bytes[start..end].to_vec()
        }
        Cut::Gathered { .. } => door.take_gathered(),
        cut @ (Cut::Line { .. } | Cut::TooLong { .. } | Cut::Partial { .. } | Cut::NeverEnds) => {
            return format!("{cut:?}");
        }
    };
    format!("{:?}", door.decode(&content, 8))
}

#[test]
fn a_conversation_is_typed_from_its_first_line() {
    let mut door = talking();
    let mut out = Vec::new();
    door.encode_reply(&Reply::Greeting, &mut out);
    assert!(out.starts_with(b"\x81\x23C 220 chatd") && !out.contains(&b'\n'), "{out:?}");
    assert!(hear(&mut door, frame(0x81, b"C alice")).starts_with("Name("));
    assert!(hear(&mut door, frame(0x81, b"alice")).contains("NeitherCommandNorData"));
    assert!(hear(&mut door, frame(0x81, b"GET / HTTP/1.1")).contains("NeitherCommandNorData"));
    assert_eq!(hear(&mut door, frame(0x81, b"")), "Nothing");
    assert_eq!(hear(&mut door, frame(0x01, b"C al")), "Nothing");
    assert!(hear(&mut door, frame(0x80, b"ice")).starts_with("Name("));
    assert!(hear(&mut door, frame(0x89, b"x")).contains("Pong"));
    assert_eq!(hear(&mut door, frame(0x8a, b"")), "Nothing");
    assert_eq!(hear(&mut door, frame(0x88, b"")), "Over");
}

/// [`CloseReason::BadWebSocketFrame`] has the code of the frame.
#[test]
fn every_other_reason_has_a_code_and_a_status() {
    let note = || crate::close::Note::new("for a while");
    for (reason, code, status) in [
        (CloseReason::LoginTooLong, 1008, 503),
        (CloseReason::TooManyFailures, 1008, 503),
        (CloseReason::TooManyBadLines, 1008, 400),
        (CloseReason::TooManyFromAddress, 1008, 429),
        (CloseReason::LoggedInAlready(4), 1008, 503),
        (CloseReason::Replaced, 1008, 503),
        (CloseReason::PasswordChanged, 1008, 503),
        (CloseReason::PutOut(note()), 1008, 403),
        (CloseReason::Banned(note()), 1008, 403),
        (CloseReason::ShuttingDown(5), 1001, 503),
        (CloseReason::LineNeverEnded, 1009, 400),
        (CloseReason::Internal, 1011, 503),
        (CloseReason::ServerFull, 1013, 503),
        (CloseReason::TooSlow, 1013, 503),
        // Before the upgrade alone.
        (CloseReason::NotAChatClient, 1008, 400),
        (CloseReason::ProxyHeader, 1008, 400),
        (CloseReason::NoProxyHeader, 1008, 400),
        (CloseReason::NotTls, 1008, 400),
        (CloseReason::TlsFailed, 1008, 400),
    ] {
        let mut out = Vec::new();
        talking().encode_reply(&Reply::Closing(reason.clone()), &mut out);
        let (last, length) = Sent::read(&out).expect("a line");
        assert_eq!(last, Sent::Text(format!("C 421 {reason}").as_bytes()));
        let close = Sent::read(&out[length..]).expect("a close").0;
        assert_eq!(close, Sent::Close(code, reason.to_string().as_bytes()), "{reason}");
        assert_eq!(status_of(&reason).code(), status, "{reason}");
    }
}

#[test]
fn conversations_close_with_a_code() {
    let closed = |door: &mut WebDoor, reply: &Reply| {
        let mut out = Vec::new();
        door.encode_reply(reply, &mut out);
        door.end(&mut out);
        let at = out.len() - out.iter().rev().position(|byte| *byte == 0x88).unwrap() - 1;
        u16::from_be_bytes([out[at + 2], out[at + 3]])
    };
    assert_eq!(closed(&mut talking(), &Reply::Bye), 1000);
    assert_eq!(closed(&mut talking(), &Reply::Closing(CloseReason::ShuttingDown(1))), 1001);
    assert_eq!(closed(&mut talking(), &Reply::Closing(CloseReason::TooSlow)), 1013);
    assert_eq!(closed(&mut talking(), &Reply::Closing(CloseReason::TooManyFailures)), 1008);
    for (bytes, code) in [(frame(0x82, b""), 1003), (frame(0x81, b"\xff"), 1007), (frame(0x83, b""), 1002)] {
        let mut door = talking();
        assert!(hear(&mut door, bytes).contains("BadWebSocketFrame"));
        assert_eq!(closed(&mut door, &Reply::Closing(CloseReason::BadWebSocketFrame)), code);
    }
}

#[test]
fn a_conversation_takes_little() {
    // Of each of ten thousand that rest.
    assert!(size_of::<WebDoor>() <= 56, "{} bytes", size_of::<WebDoor>());
}
