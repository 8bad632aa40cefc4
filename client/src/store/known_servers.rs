//! The keys of servers that the user has accepted: a line for each, `HOST:PORT SHA256:…`.

use super::Store;
use crate::fingerprint::Fingerprint;

/// The file.
const KNOWN_SERVERS: &str = "known_servers";
/// How much of it is read.
const BYTES: u64 = 1024 * 1024;

/// The key that was accepted for the server at this place. Without a folder for state, there is none.
///
/// # Errors
///
/// Why the file is not trusted, and what to do.
pub(crate) fn kept_key(place: &str) -> Result<Option<Fingerprint>, String> {
    Store::open().map_or(Ok(None), |store| store.known_key(place))
}

impl Store {
    /// The key that was accepted for the server at this place (`host:port`), if any.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted, and what to do.
    pub(crate) fn known_key(&self, place: &str) -> Result<Option<Fingerprint>, String> {
        let text = self.known_servers()?;
        Ok(text.lines().filter_map(parse).find(|(known, _)| is_same(known, place)).map(|(_, key)| key))
    }

    /// Stores the key of the server at this place, in place of an older one.
    ///
    /// # Errors
    ///
    /// Why it could not be written.
    pub(crate) fn keep_key(&self, place: &str, key: &Fingerprint) -> Result<(), String> {
        let _lock = self.lock();
        let text = without(&self.known_servers()?, place);
        self.write(KNOWN_SERVERS, format!("{text}{} {key}\n", place.to_ascii_lowercase()).as_bytes())
    }

    /// Removes the key of the server at this place, and returns it. `None` if there is none.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted or could not be written.
    pub(crate) fn forget_key(&self, place: &str) -> Result<Option<Fingerprint>, String> {
        let _lock = self.lock();
        let Some(key) = self.known_key(place)? else { return Ok(None) };
        self.write(KNOWN_SERVERS, without(&self.known_servers()?, place).as_bytes())?;
        Ok(Some(key))
    }

    fn known_servers(&self) -> Result<String, String> {
        let Some((file, length)) = self.open_trusted(KNOWN_SERVERS)? else { return Ok(String::new()) };
        Ok(self.read_newest(&file, length, BYTES)?.to_string())
    }
}

/// A line of the file; `None` if it is a comment, or makes no sense.
fn parse(line: &str) -> Option<(&str, Fingerprint)> {
    let (place, key) = line.split_once(' ')?;
    Some((place, Fingerprint::parse(key)?))
}

/// Host names have no case.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The lines about other servers, and those that make no sense: another version may have written them.
fn without(text: &str, place: &str) -> String {
    let is_kept = |line: &&str| !line.split(' ').next().is_some_and(|known| is_same(known, place));
    text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::super::tests::store;
    use super::*;

    fn key(byte: u8) -> Fingerprint {
        Fingerprint::of_digest(&[byte; 32])
    }

    #[test]
    fn a_key_is_kept_for_its_server() {
        let (_dir, store) = store();
        assert_eq!(store.known_key("a:1"), Ok(None));
        assert_eq!(store.forget_key("a:1"), Ok(None));
        store.keep_key("a:1", &key(1)).unwrap();
        store.keep_key("[::1]:7", &key(2)).unwrap();
        store.keep_key("A:1", &key(3)).unwrap();
        assert_eq!(store.known_key("a:1"), Ok(Some(key(3))));
        assert_eq!(store.known_key("a:11"), Ok(None));
        assert_eq!(store.known_key("[::1]:7"), Ok(Some(key(2))));
        assert_eq!(store.forget_key("A:1"), Ok(Some(key(3))));
        assert_eq!(store.known_key("a:1"), Ok(None));
        assert_eq!(store.known_key("[::1]:7"), Ok(Some(key(2))));
    }

    #[test]
    fn nobody_else_can_read_or_write_the_file() {
        let (_dir, store) = store();
        store.keep_key("a:1", &key(1)).unwrap();
        let file = store.folder.join(KNOWN_SERVERS);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 1, "no temporary file stays");
        fs::set_permissions(&file, Permissions::from_mode(0o620)).unwrap();
        for result in [store.known_key("a:1"), store.forget_key("a:1")] {
            assert!(result.unwrap_err().contains("mode 620"));
        }
        assert!(store.keep_key("a:1", &key(2)).unwrap_err().contains("mode 620"));
    }

    #[test]
    fn lines_that_make_no_sense_stay_and_are_not_used() {
        let (_dir, store) = store();
        let good = format!("a:1 {}", key(1));
        for end in 0..good.len() {
            store.write(KNOWN_SERVERS, &good.as_bytes()[..end]).unwrap();
            assert_eq!(store.known_key("a:1"), Ok(None), "{end}");
        }
        store.write(KNOWN_SERVERS, format!("# mine\nb:2 SHA512:xyz\n{good}").as_bytes()).unwrap();
        assert_eq!(store.known_key("a:1"), Ok(Some(key(1))));
        store.keep_key("c:3", &key(3)).unwrap();
        store.forget_key("a:1").unwrap();
        let text = fs::read_to_string(store.folder.join(KNOWN_SERVERS)).unwrap();
        assert_eq!(text, format!("# mine\nb:2 SHA512:xyz\nc:3 {}\n", key(3)));
    }
}
