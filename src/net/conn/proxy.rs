//! PROXY headers, versions 1 and 2 (HAProxy's PROXY protocol specification): how a proxy names its client.
//!
//! A header is looked at in the kernel's buffer until it is whole, and then read to its last byte: nothing is stored, and
//! what follows belongs to TLS or to the door.

use std::io::ErrorKind;
use std::net::IpAddr;

use ppp::{v1, v2};

use super::socket::Socket;
use crate::engine::{Read, Unusable};

/// The longest header of version 1, in bytes with its CRLF (2.1 of the specification).
const TEXT_BYTES: usize = 107;
/// The longest header of version 2 that is accepted, in bytes: addresses, and 500 bytes of extensions.
const BINARY_BYTES: usize = 536;
/// Signature, version and command, family, and length (2.2 there).
const BINARY_START: usize = 16;

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    /// The beginning of a header.
    Partial,
    /// No header, or one that names no address in its form.
    Bad,
    /// A header of this many bytes. The client is `None` if the proxy speaks for itself.
    Whole { bytes: usize, client: Option<IpAddr> },
}

/// Reads the header at the start of a connection: [`Read::Named`] once it is whole.
pub(super) fn read(socket: &mut Socket) -> Read {
    let mut room = [0; BINARY_BYTES];
    let count = match socket.peek(&mut room) {
        Ok(0) => return Read::End,
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Read::Nothing,
        Err(_) => return Read::Broken,
    };
    match parse(room.get(..count).unwrap_or_default()) {
        Header::Partial => Read::Nothing,
        Header::Bad => Read::Unusable(Unusable::NoProxyHeader),
        Header::Whole { bytes, client } => match socket.read(room.get_mut(..bytes).unwrap_or_default()) {
            Ok(count) if count == bytes => Read::Named(client),
            Ok(_) | Err(_) => Read::Broken,
        },
    }
}

/// Looks for a header at the start of `bytes`, of which at most [`BINARY_BYTES`] matter.
fn parse(bytes: &[u8]) -> Header {
    let prefix = v2::PROTOCOL_PREFIX;
    let common = prefix.len().min(bytes.len());
    if bytes.get(..common) == prefix.get(..common) { parse_binary(bytes) } else { parse_text(bytes) }
}

fn parse_text(bytes: &[u8]) -> Header {
    let start = v1::PROTOCOL_PREFIX.as_bytes();
    let common = start.len().min(bytes.len());
    if bytes.get(..common) != start.get(..common) {
        return Header::Bad;
    }
    let Some(end) = bytes.iter().take(TEXT_BYTES).position(|byte| *byte == b'\n') else {
        return if bytes.len() < TEXT_BYTES { Header::Partial } else { Header::Bad };
    };
    let client = match bytes.get(..=end).map(v1::Header::try_from) {
        Some(Ok(header)) => match header.addresses {
            v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Unknown => None,
        },
        Some(Err(_)) | None => return Header::Bad,
    };
    Header::Whole { bytes: end + 1, client }
}

fn parse_binary(bytes: &[u8]) -> Header {
    let Some((_, [high, low])) = bytes.get(..BINARY_START).and_then(|start| start.split_last_chunk()) else {
        return Header::Partial;
    };
    let whole = BINARY_START + usize::from(u16::from_be_bytes([*high, *low]));
    if whole > BINARY_BYTES {
        return Header::Bad;
    }
    let Some(header) = bytes.get(..whole) else { return Header::Partial };
    let client = match v2::Header::try_from(header) {
        Ok(header) => match (header.command, header.addresses) {
            (v2::Command::Local, _) => None,
            (v2::Command::Proxy, v2::Addresses::IPv4(addresses)) => Some(addresses.source_address.into()),
            (v2::Command::Proxy, v2::Addresses::IPv6(addresses)) => Some(addresses.source_address.into()),
            (v2::Command::Proxy, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => None,
        },
        Err(_) => return Header::Bad,
    };
    Header::Whole { bytes: whole, client }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP4: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x04\xd2\x13\x97";
    const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

    /// Checks a header with bytes behind it, cut at every byte.
    #[track_caller]
    fn check(header: &[u8], client: Option<&str>) {
        let client = client.map(|ip| ip.parse().unwrap());
        let whole = Header::Whole { bytes: header.len(), client };
        for end in 0..header.len() {
            assert_eq!(parse(&header[..end]), Header::Partial, "{end} of {header:?}");
        }
        assert_eq!(parse(header), whole);
        for behind in [&b"\x16\x03\x01"[..], b"\n", b"\r\n", b"alice\n", &[0; 9000]] {
            assert_eq!(parse(&[header, behind].concat()), whole);
        }
    }

    #[track_caller]
    fn refuse(bytes: &[u8]) {
        assert_eq!(parse(bytes), Header::Bad, "{bytes:?}");
    }

    /// A binary header of family `family`, with `rest` behind the length.
    fn binary(family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&LOCAL[..12], &[0x21, family], &length, rest].concat()
    }

    #[test]
    fn text() {
        check(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 5015\r\n", Some("192.0.2.7"));
        check(b"PROXY TCP6 2001:db8::7 ::1 1234 5015\r\n", Some("2001:db8::7"));
        check(b"PROXY UNKNOWN\r\n", None);
        check(b"PROXY UNKNOWN 192.0.2.7 127.0.0.1 1 2\r\n", None);
        refuse(b"alice\n");
        refuse(b"\x16\x03\x01");
        refuse(b"proxy TCP4 192.0.2.7 127.0.0.1 1234 5015\r\n");
        refuse(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 5015\n");
        refuse(b"PROXY TCP4 192.0.2.777 127.0.0.1 1234 5015\r\n");
        refuse(b"PROXY TCP6 192.0.2.7 127.0.0.1 1234 5015\r\n");
        refuse(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234\r\n");
        refuse(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 99999\r\n");
        refuse(b"PROXY TCP4\r\n");
        refuse(b"PROXY TCP4 \xff\r\n");
    }

    #[test]
    fn the_longest_text() {
        let tcp6 = |fill: usize| {
            let ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
            format!("PROXY UNKNOWN {ip} {ip} 65535 {}\r\n", "5".repeat(fill)).into_bytes()
        };
        let longest = tcp6(TEXT_BYTES - tcp6(0).len());
        assert_eq!(longest.len(), TEXT_BYTES);
        check(&longest, None);
        refuse(&tcp6(TEXT_BYTES + 1 - tcp6(0).len()));
        refuse(&[b"PROXY UNKNOWN ", &[b'a'; 200][..]].concat());
    }

    #[test]
    fn binary_forms() {
        check(TCP4, Some("192.0.2.7"));
        check(LOCAL, None);
        let mut v6 = [0; 36];
        v6[..2].copy_from_slice(&[0x20, 1]);
        check(&binary(0x21, &v6), Some("2001::"));
        check(&binary(0, &[]), None);
        check(&binary(0x31, &[0; 216]), None);
        check(&binary(0x11, &[&TCP4[16..], &[4, 0, 2, 0, 0][..]].concat()), Some("192.0.2.7"));
        refuse(&binary(0x11, &[0; 11]));
        refuse(&binary(0x71, &[0; 12]));
        refuse(&[&LOCAL[..12], &[0x31, 0, 0, 0]].concat());
        refuse(&[&LOCAL[..12], &[0x2f, 0, 0, 0]].concat());
    }

    #[test]
    fn the_longest_binary() {
        let extension = |bytes: usize| {
            let length = u16::try_from(bytes).unwrap().to_be_bytes();
            binary(0x11, &[&TCP4[16..], &[4, length[0], length[1]], &vec![0; bytes]].concat())
        };
        let most = BINARY_BYTES - BINARY_START - 12 - 3;
        check(&extension(most), Some("192.0.2.7"));
        refuse(&extension(most + 1));
    }
}
