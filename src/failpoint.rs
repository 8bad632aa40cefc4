//! Points in the code at which a test can make the server panic.

use std::sync::OnceLock;

/// Panics in a debug build if `bytes` end in the value of the environment variable `CHATD_TEST_PANIC`, a `-`, and
/// `place`. Does nothing in a release build.
#[track_caller]
pub fn failpoint(place: &str, bytes: &[u8]) {
    static WORD: OnceLock<Option<String>> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return;
    }
    if let Some(word) = WORD.get_or_init(|| std::env::var("CHATD_TEST_PANIC").ok().filter(|word| !word.is_empty())) {
        let before = bytes.strip_suffix(place.as_bytes()).and_then(|rest| rest.strip_suffix(b"-"));
        assert!(!before.is_some_and(|before| before.ends_with(word.as_bytes())), "a test wants this panic");
    }
}
