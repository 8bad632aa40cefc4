//! A client of the web door: its lines are WebSocket messages.

/// The request that comes before them.
pub(super) const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost:8015\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// The mask of all frames. Any will do.
const MASK: [u8; 4] = [0x5a, 0, 0xff, 0x0a];

/// What a client has read and not taken apart.
#[derive(Debug, Default)]
pub(super) struct WebSocket {
    raw: Vec<u8>,
    is_upgraded: bool,
    /// The code with which the server has closed the conversation.
    pub(super) code: Option<u16>,
    /// Pings that have come.
    pub(super) pings: u32,
}

/// A frame of a client: `first` is its first byte.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0xfe);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A line as a text message.
pub(super) fn message(line: &str) -> Vec<u8> {
    frame(0x81, line.as_bytes())
}

impl WebSocket {
    /// Takes bytes of the server apart, and appends the lines in them to `lines`. A refusal by HTTP is one.
    pub(super) fn read(&mut self, bytes: &[u8], lines: &mut Vec<u8>) {
        self.raw.extend_from_slice(bytes);
        if !self.is_upgraded {
            let Some(end) = self.raw.windows(4).position(|window| window == b"\r\n\r\n") else { return };
            if !self.raw.starts_with(b"HTTP/1.1 101 ") {
                let refusal = self.raw.split_off(end + 4);
                assert!(self.raw.starts_with(b"HTTP/1.1 "), "{:?}", String::from_utf8_lossy(&self.raw));
                self.raw.clear();
                lines.extend_from_slice(b"C 421 ");
                lines.extend_from_slice(&refusal);
                return;
            }
            self.raw.drain(..end + 4);
            self.is_upgraded = true;
        }
        while let Some((first, payload, next)) = whole(&self.raw) {
            assert_eq!(self.code, None, "a frame after the close");
            match first {
                0x81 => {
                    assert!(!payload.contains(&b'\n'), "two lines in one message");
                    lines.extend_from_slice(payload);
                    lines.push(b'\n');
                }
                0x88 => self.code = Some(u16::from_be_bytes([payload[0], payload[1]])),
                0x89 => self.pings += 1,
                0x8a => {}
                other => panic!("a frame that begins with {other:#x}"),
            }
            self.raw.drain(..next);
        }
    }

    /// True if the server has sent whole frames only.
    pub(super) fn is_whole(&self) -> bool {
        self.raw.is_empty()
    }
}

/// The frame of a server at the start of `bytes`: its first byte, its payload, and where the next one begins.
fn whole(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (length, start) = match *bytes.get(1)? {
        short @ 0..126 => (usize::from(short), 2),
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        other => panic!("a length of {other:#x}"),
    };
    Some((bytes[0], bytes.get(start..start + length)?, start + length))
}
