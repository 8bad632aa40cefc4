//! The fingerprint of a server's key, as people compare it.

use std::fmt;

const HEAD: &str = "SHA256:";
/// The characters of base64 (RFC 4648, 4), in the order of their values.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The characters of a SHA-256 digest in base64 without padding.
const LENGTH: usize = 43;

/// `SHA256:` and the unpadded base64 of the SHA-256 of a public key (the SubjectPublicKeyInfo of its certificate).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint with this digest.
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        let mut text = HEAD.to_owned();
        for group in digest.chunks(3) {
            let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
            let digits = (0..=group.len()).map(|n| (bits >> (18 - 6 * n)) as usize & 63);
            text.extend(digits.filter_map(|digit| BASE64.get(digit)).map(|byte| char::from(*byte)));
        }
        Self(text)
    }

    /// Parses the form in which a fingerprint is shown; padding at its end is dropped. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (head, digits) = text.trim().split_at_checked(HEAD.len())?;
        let digits = digits.strip_suffix('=').unwrap_or(digits);
        let value = |byte: u8| BASE64.iter().position(|known| *known == byte);
        // 43 characters hold two bits more than 32 bytes; those are 0.
        let is_whole = digits.bytes().next_back().and_then(value).is_some_and(|last| last % 4 == 0);
        let is_good = digits.len() == LENGTH && is_whole && digits.bytes().all(|byte| value(byte).is_some());
        (head.eq_ignore_ascii_case(HEAD) && is_good).then(|| Self(format!("{HEAD}{digits}")))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_as_openssl_and_base64_write_them() {
        let all = |byte| Fingerprint::of_digest(&[byte; 32]).to_string();
        assert_eq!(all(0), format!("SHA256:{}", "A".repeat(43)));
        assert_eq!(all(0xff), format!("SHA256:{}8", "/".repeat(42)));
        let mut digest = [0; 32];
        digest.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
        assert_eq!(Fingerprint::of_digest(&digest).to_string(), "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    }

    #[test]
    fn only_whole_fingerprints_are_read() {
        let good = "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for text in [good, &format!("{good}="), &format!(" {good} "), &good.replace("SHA256", "sha256")] {
            assert_eq!(Fingerprint::parse(text).unwrap().to_string(), good);
        }
        for end in 0..good.len() {
            assert_eq!(Fingerprint::parse(&good[..end]), None, "{end}");
        }
        // Too long, another alphabet, bits behind the end, no head, another digest.
        for text in [
            format!("{good}A"),
            good.replace('8', "_"),
            good.replace('8', "9"),
            good["SHA256:".len()..].to_owned(),
            good.replace("SHA256", "SHA512"),
            "é".repeat(25),
        ] {
            assert_eq!(Fingerprint::parse(&text), None, "{text}");
        }
    }
}
