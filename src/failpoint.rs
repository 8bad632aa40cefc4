//! Places at which a test can have the server panic, to see what becomes of it.

use std::sync::OnceLock;

/// Panics in a debug build if `bytes` end in the word of the environment variable `CHATD_TEST_PANIC`, a `-`, and
/// `place`. No release has it: there is no such place then, whatever the environment says.
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
