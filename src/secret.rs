//! Passwords and tokens in memory: wiped when they are dropped, printed as `***`.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

/// An owned secret. Its memory is wiped when it is dropped, and its `Debug` is `***`.
///
/// Two secrets are compared in a time that depends on their lengths alone.
#[derive(Clone)]
pub struct Secret<T: Zeroize = String>(pub Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the value over. Copies that exist elsewhere are not wiped.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        (*self.0).as_ref()
    }

    /// Whether the bytes are UTF-8 text that `accepts`.
    pub fn is_text(&self, accepts: impl Fn(&str) -> bool) -> bool {
        std::str::from_utf8(self.as_bytes()).is_ok_and(accepts)
    }
}

impl From<Secret<String>> for Secret<Vec<u8>> {
    /// The same memory, as bytes.
    fn from(mut text: Secret<String>) -> Self {
        Self::new(std::mem::take(&mut *text.0).into_bytes())
    }
}

impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl<T: Zeroize + AsRef<[u8]>> Eq for Secret<T> {}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A secret that somebody else owns, or that is on its way into a buffer. Its `Debug` is `***`; nothing is wiped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Masked<T>(pub T);

impl<T> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let text = format!("{:?} {:?}", Secret::new("correct horse".to_owned()), Masked("correct horse"));
        assert_eq!(text, "*** ***");
    }

    #[test]
    fn secrets_are_compared_by_their_bytes() {
        let secret = |text: &str| Secret::new(text.to_owned());
        assert!(secret("correct") == secret("correct") && secret("correct") != secret("correc"));
        assert!(secret("grüße").is_text(|text| text == "grüße"));
        assert!(!Secret::new(b"\xff".to_vec()).is_text(|_| true));
    }
}
