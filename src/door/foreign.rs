//! Recognises other protocols by their first bytes, so that such connections are closed with a reason.

use crate::close::CloseReason;

/// The first byte of a TLS handshake record (RFC 8446, 5.1). It is a control character, so one byte is enough.
const TLS_HANDSHAKE: u8 = 0x16;

/// The first bytes of SSH 2 (RFC 4253, 4.2) and of SSH 1.
const SSH: [&[u8]; 2] = [b"SSH-2.0-", b"SSH-1."];

/// The first bytes of a PROXY header in text form (HAProxy's PROXY protocol, 2.1).
const PROXY_TEXT: [&[u8]; 3] = [b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN"];

/// The first bytes of a PROXY header in binary form (2.2 there).
const PROXY_BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The first lines of [`PROXY_BINARY`], without their LF. No other protocol begins with all three.
const PROXY_BINARY_LINES: [&[u8]; 3] = [b"\r", b"\r", b"\0\r"];

/// The reason to close a connection whose first line belongs to another protocol. `is_whole` is false if the line goes on
/// beyond the bound, so that only its beginning is known.
pub(super) fn protocol(line: &[u8], is_whole: bool) -> Option<CloseReason> {
    if PROXY_TEXT.iter().any(|start| line.starts_with(start)) {
        return Some(CloseReason::ProxyHeader);
    }
    let is_foreign = begins_tls(line)
        || SSH.iter().any(|start| line.starts_with(start))
        || line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"host:"))
        || is_http_request(line, is_whole);
    is_foreign.then_some(CloseReason::NotAChatClient)
}

/// Whether the first bytes of a connection are TLS.
pub(super) fn begins_tls(bytes: &[u8]) -> bool {
    bytes.first() == Some(&TLS_HANDSHAKE)
}

/// Whether the first bytes of a connection are a PROXY header, in either form.
pub(super) fn begins_proxy(bytes: &[u8]) -> bool {
    bytes.starts_with(PROXY_BINARY) || PROXY_TEXT.iter().any(|start| bytes.starts_with(start))
}

/// Whether these first bytes of a connection may be the beginning of a PROXY header in binary form.
pub(super) fn may_begin_proxy(bytes: &[u8]) -> bool {
    PROXY_BINARY.starts_with(bytes)
}

/// Looks for the binary PROXY header in the first lines of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ProxyWatch(u8);

impl ProxyWatch {
    /// Takes the connection's next line, without its LF. Returns true once the header is recognised.
    pub(super) fn handle_line(&mut self, line: &[u8]) -> bool {
        let is_next = PROXY_BINARY_LINES.get(usize::from(self.0)).is_some_and(|expected| *expected == line);
        self.0 = if is_next { self.0 + 1 } else { u8::MAX };
        usize::from(self.0) == PROXY_BINARY_LINES.len()
    }
}

/// `METHOD target HTTP/…` (RFC 9112, 3).
fn is_http_request(line: &[u8], is_whole: bool) -> bool {
    let mut words = line.split(|&b| b == b' ');
    let method = words.next().unwrap_or_default();
    let target = words.next();
    let is_method = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
    let has_version = words.next().is_some_and(|version| version.starts_with(b"HTTP/"));
    is_method && (has_version || (!is_whole && target.is_some_and(|path| path.starts_with(b"/"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols() {
        let (foreign, proxy) = (Some(&CloseReason::NotAChatClient), Some(&CloseReason::ProxyHeader));
        for (line, is_whole, expected) in [
            (&b"GET / HTTP/1.1"[..], true, foreign),
            (b"OPTIONS * HTTP/1.0", true, foreign),
            (b"GET", true, None),
            (b"GET /index.html", true, None),
            (b"GET /aaaaaaaaaaaaaaaaaaaa", false, foreign),
            (b"HOST: a", true, foreign),
            (b"hOsT:a", true, foreign),
            (b"host", true, None),
            (b"SSH-2.0-OpenSSH_9.6", true, foreign),
            (b"SSH-1.99-x", true, foreign),
            (b"SSH-1", true, None),
            (b"SSH-2", true, None),
            (b"SSH-fan", true, None),
            (b"ssh-2.0-x", true, None),
            (b"\x16\x03\x01", false, foreign),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r", true, proxy),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r", true, proxy),
            (b"PROXY UNKNOWN\r", true, proxy),
            (b"PROXY", true, None),
            (b"PROXY TCP", true, None),
            (b"proxy tcp4 ", true, None),
            (b"", false, None),
        ] {
            assert_eq!(protocol(line, is_whole).as_ref(), expected, "{line:?}");
        }
    }

    #[test]
    fn binary_proxy_headers() {
        #[track_caller]
        fn check(lines: &[&[u8]], expected: bool) {
            let mut watch = ProxyWatch::default();
            assert_eq!(lines.iter().any(|line| watch.handle_line(line)), expected, "{lines:?}");
        }
        check(&[b"\r", b"\r", b"\0\r"], true);
        check(&[b"\r", b"\r", b"\0\r", b"QUIT"], true);
        check(&[b"\r", b"\0\r"], false);
        check(&[b"", b"\r", b"\r", b"\0\r"], false);
        check(&[b"\r", b"\r", b"\r", b"\0\r"], false);
        check(&[b"\r", b"\r", b"alice\r", b"\0\r"], false);
        let mut lines = PROXY_BINARY.split(|byte| *byte == b'\n');
        assert!(PROXY_BINARY_LINES.iter().all(|line| lines.next() == Some(line)));
    }
}
