//! Which bytes may stand in a line.

/// The line as text, if it is UTF-8 without anything that a terminal obeys: C0 controls but TAB, DEL, C1, the line
/// and paragraph separators, and the bidi controls (Trojan Source, CVE-2021-42574).
pub(super) fn checked(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?;
    // Everything forbidden begins with one of these bytes, and few texts hold one: the common case is one pass.
    let suspicious = |&b: &u8| b < 0x20 || matches!(b, 0x7f | 0xc2 | 0xe2);
    if line.iter().any(suspicious) && text.chars().any(is_forbidden) { None } else { Some(text) }
}

fn is_forbidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{a}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a first line is plainly another protocol's. `whole` says that the line ended here; of one that goes on
/// beyond the bound, only the beginning is known.
pub(super) fn is_foreign(line: &[u8], whole: bool) -> bool {
    line.first() == Some(&TLS_HANDSHAKE)
        || line.starts_with(b"SSH-")
        || line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"host:"))
        || is_http_request(line, whole)
}

/// The first byte of a TLS record that carries a handshake (RFC 8446, 5.1). It is no text, so one byte is enough.
pub(super) const TLS_HANDSHAKE: u8 = 0x16;

/// `METHOD target HTTP/…` (RFC 9112, 3).
fn is_http_request(line: &[u8], whole: bool) -> bool {
    let mut words = line.split(|&b| b == b' ');
    let method = words.next().unwrap_or_default();
    let target = words.next();
    let is_method = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
    let has_version = words.next().is_some_and(|version| version.starts_with(b"HTTP/"));
    is_method && (has_version || (!whole && target.is_some_and(|path| path.starts_with(b"/"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[u8], expected: bool) {
        assert_eq!(checked(line).is_some(), expected, "{line:?}");
    }

    #[test]
    fn every_character_once() {
        for c in (0..=0x10ffff).filter_map(char::from_u32) {
            let forbidden = (c.is_control() && c != '\t')
                || ['\u{2028}', '\u{2029}'].contains(&c)
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c);
            check(format!("a{c}b").as_bytes(), !forbidden);
        }
    }

    #[test]
    fn no_utf8() {
        for bad in [&b"\xff"[..], b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80"] {
            check(bad, false);
        }
        check("grüße 👋 \u{301}\t".as_bytes(), true);
    }

    #[test]
    fn other_protocols() {
        for (line, whole, expected) in [
            (&b"GET / HTTP/1.1"[..], true, true),
            (b"OPTIONS * HTTP/1.0", true, true),
            (b"GET", true, false),
            (b"GET /index.html", true, false),
            (b"GET /aaaaaaaaaaaaaaaaaaaa", false, true),
            (b"HOST: a", true, true),
            (b"hOsT:a", true, true),
            (b"host", true, false),
            (b"SSH-2.0-OpenSSH_9.6", true, true),
            (b"ssh-me", true, false),
            (b"\x16\x03\x01", false, true),
            (b"", false, false),
        ] {
            assert_eq!(is_foreign(line, whole), expected, "{line:?}");
        }
    }
}
