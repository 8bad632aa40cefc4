//! Names of accounts.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{NameError, is_reserved_for_accounts};
use crate::limits::NAME_BYTES;

/// An account's name as it was registered: `[A-Za-z][A-Za-z0-9_.-]{0,31}`.
///
/// Comparison, order and hash ignore ASCII case. A clone shares the text.
#[derive(Clone)]
pub struct UserName(Arc<str>);

impl UserName {
    /// Parses the name of a new account. Surrounding spaces are not removed.
    ///
    /// # Errors
    /// [`NameError::Shape`] if the text has another form, [`NameError::Reserved`] if no new account may have the name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = Self::from_record(text)?;
        if name.is_reserved() { Err(NameError::Reserved) } else { Ok(name) }
    }

    /// True if no new account may have this name. An account that had it before it was reserved keeps it.
    pub fn is_reserved(&self) -> bool {
        is_reserved_for_accounts(&self.0)
    }

    /// Parses the name of an account that may exist already. Reserved names are accepted, because they may have been
    /// registered before they were reserved.
    ///
    /// # Errors
    /// [`NameError::Shape`] if the text has another form.
    pub fn from_record(text: &str) -> Result<Self, NameError> {
        let mut bytes = text.bytes();
        let starts_well = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
        let goes_on_well = bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if starts_well && goes_on_well && text.len() <= NAME_BYTES {
            Ok(Self(Arc::from(text)))
        } else {
            Err(NameError::Shape)
        }
    }

    /// The least name that begins with `prefix`: the start of a search by prefix, and the argument of
    /// [`begins_with`](Self::begins_with). The result is not always a valid name, so it must not leave the hub.
    pub(in crate::hub) fn least_with(prefix: &str) -> Self {
        Self(Arc::from(prefix))
    }

    /// Whether this name begins with the prefix from which `least` was made, in any case.
    pub(in crate::hub) fn begins_with(&self, least: &Self) -> bool {
        let prefix = least.0.as_bytes();
        self.0.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }

    /// The name as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, without another copy of it.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|b| b.to_ascii_lowercase())
    }
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for UserName {}

impl PartialOrd for UserName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for UserName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.folded() {
            state.write_u8(byte);
        }
        state.write_u8(0xff);
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({})", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NameError>) {
        assert_eq!(UserName::parse(text).as_ref().map(UserName::as_str).map_err(|e| *e), expected, "{text:?}");
    }

    #[test]
    fn shape() {
        check("a", Ok("a"));
        check("Alice_1.b-c", Ok("Alice_1.b-c"));
        check("GET", Ok("GET"));
        check(&"a".repeat(32), Ok(&"a".repeat(32)));
        for bad in ["", "1a", "_a", "a b", "a:b", "é", "aé", "~bob", &"a".repeat(33)] {
            check(bad, Err(NameError::Shape));
        }
    }

    #[test]
    fn reserved_in_any_case() {
        for word in [
            "server", "Admin", "ROOT", "system", "chatD", "pm", "Dm", "passwd", "NOOP", "NickServ", "OP", "bm", "Quit",
            "exit", "bye", "history", "Topic", "invite", "PUBLIC",
        ] {
            check(word, Err(NameError::Reserved));
            assert!(
                UserName::from_record(word).unwrap().is_reserved(),
                "an account that exists keeps its name: {word}"
            );
        }
        check("quitter", Ok("quitter"));
    }

    #[test]
    fn names_ignore_case() {
        let (a, b) = (UserName::parse("Alice").unwrap(), UserName::parse("aLICE").unwrap());
        assert_eq!(a, b);
        assert_eq!(std::collections::HashSet::from([a, b]).len(), 1);
        assert!(UserName::parse("alice").unwrap() < UserName::parse("BOB").unwrap());
        assert!(UserName::parse("Bob").unwrap().begins_with(&UserName::least_with("bO")));
        assert!(!UserName::parse("Bo").unwrap().begins_with(&UserName::least_with("bob")));
    }
}
