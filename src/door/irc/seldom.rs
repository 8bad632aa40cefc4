//! Memory that a connection seldom needs.

use std::cell::OnceCell;
use std::ops::{Deref, DerefMut};

/// A value that is made when it is used, and given back when [nothing is left of it](Self::rest).
#[derive(Debug, Default)]
pub(super) struct Seldom<T>(OnceCell<Box<T>>);

/// A value that may be nothing: its default.
pub(super) trait Left: Default {
    /// True if nothing is left of it.
    fn is_nothing(&self) -> bool;
}

impl<T: Left> Seldom<T> {
    /// Looks at it without making it. `None` is its default.
    pub(super) fn get(&self) -> Option<&T> {
        self.0.get().map(Box::as_ref)
    }

    /// Gives the memory back, unless something is left.
    pub(super) fn rest(&mut self) {
        if self.get().is_some_and(T::is_nothing) {
            self.0 = OnceCell::new();
        }
    }
}

impl<T: Left> Deref for Seldom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_or_init(Box::default)
    }
}

impl<T: Left> DerefMut for Seldom<T> {
    #[expect(clippy::expect_used, reason = "it has just been made")]
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_init(Box::default);
        self.0.get_mut().expect("a value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Left for String {
        fn is_nothing(&self) -> bool {
            self.is_empty()
        }
    }

    #[test]
    fn it_is_there_while_something_is_left() {
        let mut text = Seldom::<String>::default();
        text.rest();
        assert!(text.get().is_none());
        assert!(text.is_empty() && text.get().is_some(), "it is made when it is used");
        text.push('x');
        text.rest();
        assert_eq!(text.get().map(String::as_str), Some("x"));
        text.clear();
        text.rest();
        assert!(text.get().is_none());
    }
}
