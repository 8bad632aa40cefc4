//! Room tokens: the credential of one member of one room for datagrams.

use std::fmt;

use data_encoding::BASE32_NOPAD;

/// A member's token for a room: 128 random bits. It authenticates the member, so it prints as `***`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomToken([u8; Self::BYTES]);

impl RoomToken {
    /// The size of a token in bytes.
    pub const BYTES: usize = 16;
    /// The size of an encoded token in bytes.
    pub const TEXT_BYTES: usize = 26;

    /// A token of these bytes, which must be random.
    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Encodes the token in base32 (RFC 4648): 26 upper-case characters without padding.
    pub fn encode(self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// Decodes what [`encode`](Self::encode) returns. `None` for all other bytes, including other spellings of the same
    /// token: lower case, padding, or a last character with unused bits set.
    pub fn decode(text: &[u8]) -> Option<Self> {
        if text.len() != Self::TEXT_BYTES {
            return None;
        }
        let mut bytes = [0; Self::BYTES];
        BASE32_NOPAD.decode_mut(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Debug for RoomToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<[u8; 16]>) {
        assert_eq!(RoomToken::decode(text.as_bytes()).map(|token| token.0), expected, "{text:?}");
    }

    #[test]
    fn base32() {
        check("AAAAAAAAAAAAAAAAAAAAAAAAAA", Some([0; 16]));
        check("77777777777777777777777774", Some([0xff; 16]));
        check("MNUGC5DEEBZG633NEB2G623FNY", Some(*b"chatd room token"));
        assert_eq!(RoomToken::new(*b"chatd room token").encode(), "MNUGC5DEEBZG633NEB2G623FNY");
    }

    #[test]
    fn other_spellings_are_refused() {
        check("", None);
        check("77777777777777777777777777", None); // unused bits are set
        check("AAAAAAAAAAAAAAAAAAAAAAAAAB", None);
        check("mnugc5deebzg633neb2g623fny", None);
        check("MNUGC5DEEBZG633NEB2G623FN", None);
        check("MNUGC5DEEBZG633NEB2G623FNYA", None);
        check("MNUGC5DEEBZG633NEB2G623FNY======", None);
        check("MNUGC5DEEBZG633NEB2G623FN=", None);
        check("MNUGC5DEEBZG633NEB2G623F\r\n", None);
        check("MNUGC5DEEBZG633NEB2G623F01", None);
        check("chatd room token", None);
    }

    #[test]
    fn tokens_are_not_printed() {
        assert_eq!(format!("{:?}", RoomToken::new([7; 16])), "***");
    }

    proptest! {
        #[test]
        fn decode_reverts_encode(bytes: [u8; 16], bit in 0..26 * 8usize) {
            let token = RoomToken::new(bytes);
            let text = token.encode();
            prop_assert_eq!(text.len(), RoomToken::TEXT_BYTES);
            prop_assert_eq!(RoomToken::decode(text.as_bytes()), Some(token));
            let mut other = text.into_bytes();
            other[bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(RoomToken::decode(&other), Some(token));
        }

        #[test]
        fn each_token_has_one_spelling(bytes: Vec<u8>) {
            if let Some(token) = RoomToken::decode(&bytes) {
                prop_assert_eq!(token.encode().into_bytes(), bytes);
            }
        }
    }
}
