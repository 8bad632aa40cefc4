//! SASL PLAIN (RFC 4616) in the chunks of AUTHENTICATE.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::hub::names::UserName;
use crate::limits::{IRC_SASL_BYTES, IRC_SASL_CHUNK_BYTES, PASSWORD_MAX_BYTES};
use crate::secret::Secret;

/// The message as far as it has come, in base64.
#[derive(Debug)]
pub(super) struct Sasl(Secret<String>);

/// What a chunk leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More follows.
    Goes,
    /// The message is whole: a name and a password to check.
    Whole(UserName, Secret<Vec<u8>>),
    /// The chunk is too long.
    TooLong,
    /// The message is no good.
    Bad,
}

impl Default for Sasl {
    /// It has room for the longest message: it never moves, so no copy of a password stays behind.
    fn default() -> Self {
        Self(Secret::new(String::with_capacity(IRC_SASL_BYTES)))
    }
}

impl Sasl {
    /// Takes a chunk. After all but [`Progress::Goes`] the exchange is over.
    pub(super) fn handle_chunk(&mut self, chunk: &str) -> Progress {
        if chunk.len() > IRC_SASL_CHUNK_BYTES {
            return Progress::TooLong;
        }
        let more = if chunk == "+" { "" } else { chunk };
        if self.0.0.len() + more.len() > IRC_SASL_BYTES {
            return Progress::Bad;
        }
        self.0.0.push_str(more);
        if chunk.len() == IRC_SASL_CHUNK_BYTES {
            return Progress::Goes;
        }
        decoded(self.0.as_bytes()).and_then(|message| plain(&message)).unwrap_or(Progress::Bad)
    }
}

/// The message behind the base64. What was decoded is wiped, also if the rest is bad.
fn decoded(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut message = Zeroizing::new(vec![0; BASE64.decode_len(base64.len()).ok()?]);
    let len = BASE64.decode_mut(base64, &mut message).ok()?;
    message.truncate(len);
    Some(message)
}

/// `authzid NUL authcid NUL password`. An authzid must be the name itself.
fn plain(message: &[u8]) -> Option<Progress> {
    let mut parts = message.split(|byte| *byte == 0);
    let (authzid, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let name = UserName::from_record(std::str::from_utf8(name).ok()?).ok()?;
    let is_own = authzid.is_empty() || authzid.eq_ignore_ascii_case(name.as_str().as_bytes());
    let is_sized = (1..=PASSWORD_MAX_BYTES).contains(&password.len());
    let is_good = parts.next().is_none() && is_own && is_sized;
    is_good.then(|| Progress::Whole(name, Secret::new(password.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(message: &[u8]) -> String {
        BASE64.encode(message)
    }

    #[track_caller]
    fn check(message: &[u8], expected: Option<(&str, &[u8])>) {
        let expected = expected.map_or(Progress::Bad, |(name, password)| {
            Progress::Whole(UserName::from_record(name).unwrap(), Secret::new(password.to_vec()))
        });
        assert_eq!(Sasl::default().handle_chunk(&encoded(message)), expected);
    }

    #[test]
    fn messages() {
        check(b"\0bob\0secret", Some(("bob", b"secret")));
        check(b"BOB\0bob\0secret", Some(("bob", b"secret")));
        check(b"alice\0bob\0secret", None);
        check(b"\0bob\0", None);
        check(b"\0\0secret", None);
        check(b"\0bob\0se\0cret", None);
        check(b"\0bob", None);
        check(b"\0b b\0secret", None);
        check(b"", None);
        check(&[b"\0bob\0".as_slice(), &[b'x'; 128]].concat(), Some(("bob", &[b'x'; 128])));
        check(&[b"\0bob\0".as_slice(), &[b'x'; 129]].concat(), None);
        assert_eq!(Sasl::default().handle_chunk("!"), Progress::Bad);
        assert_eq!(Sasl::default().handle_chunk("+"), Progress::Bad);
    }

    #[test]
    fn chunks() {
        let mut sasl = Sasl::default();
        assert_eq!(sasl.handle_chunk(&"A".repeat(401)), Progress::TooLong);
        let mut sasl = Sasl::default();
        assert_eq!(sasl.handle_chunk(&"A".repeat(400)), Progress::Goes);
        assert_eq!(sasl.handle_chunk("+"), Progress::Bad);
        let mut sasl = Sasl::default();
        for _ in 0..2 {
            assert_eq!(sasl.handle_chunk(&"A".repeat(400)), Progress::Goes);
        }
        assert_eq!(sasl.handle_chunk(&"A".repeat(400)), Progress::Bad, "more than 1,024 in all");
        assert_eq!(format!("{sasl:?}"), "Sasl(***)");
    }
}
