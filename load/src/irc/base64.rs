//! Base64 with its padding (RFC 4648), for SASL.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// These bytes in base64.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0_u32, |number, at| number << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = DIGITS.get((number >> (18 - 6 * at) & 0x3f) as usize).copied().unwrap_or(b'=');
            // Three bytes are four digits, two are three, one is two.
            text.push(char::from(if at <= three.len() { digit } else { b'=' }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let examples = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (size, expected) in examples.into_iter().enumerate() {
            assert_eq!(encode(&b"foobar"[..size]), expected);
        }
        assert_eq!(encode(b"\xfb\xff\xfe"), "+//+");
    }
}
