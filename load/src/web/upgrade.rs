//! The request that makes a connection a WebSocket, and its answer.

use memchr::memmem;

/// The longest head of an answer, in bytes.
const HEAD_MOST: usize = 8 * 1024;
/// The key of all requests, and the proof that a server has understood it: those of RFC 6455, section 1.3. The key is
/// there for caches, which must not answer. None is between chatload and what it measures.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The protocol of the chat.
const PROTOCOL: &str = "chatd.v1";
/// How every answer begins.
const HTTP: &[u8] = b"HTTP/1.1 ";
/// The end of a head.
const END: &[u8] = b"\r\n\r\n";

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is not whole.
    Partial,
    /// The connection is a WebSocket behind this many bytes.
    Upgraded { length: usize },
}

/// The request. `host` is the server's name with its port.
pub(crate) fn request(host: &str) -> Vec<u8> {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
    )
    .into_bytes()
}

/// Takes the start of what a server has sent.
///
/// # Errors
/// It is no WebSocket there, in the server's words if it has given any.
pub(super) fn answer(bytes: &[u8]) -> Result<Answer, String> {
    if !bytes.iter().zip(HTTP).all(|(byte, expected)| byte == expected) {
        return Err("the server speaks no HTTP there".to_owned());
    }
    let Some(end) = memmem::find(bytes, END) else {
        return if bytes.len() < HEAD_MOST { Ok(Answer::Partial) } else { Err("its answer never ended".to_owned()) };
    };
    let (head, body) = (bytes.get(HTTP.len()..end).unwrap_or_default(), bytes.get(end + END.len()..));
    let (head, body) = (String::from_utf8_lossy(head), String::from_utf8_lossy(body.unwrap_or_default()));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("101") {
        let why = body.lines().next().map(|why| format!(": {why}")).unwrap_or_default();
        let why = format!("{status}{why}");
        return Err(why.chars().filter(|c| !c.is_control()).take(160).collect());
    }
    let fields = lines.filter_map(|line| line.split_once(':'));
    let is_proven =
        |(name, value): (&str, &str)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT;
    if fields.into_iter().any(is_proven) {
        Ok(Answer::Upgraded { length: end + END.len() })
    } else {
        Err("the server has not understood WebSocket's key".to_owned())
    }
}
