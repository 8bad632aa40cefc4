//! How much of each server has been shown to each reader: a file for each, with the highest message id.

use super::{Store, key_hash};

/// The first line of such a file.
const HEAD: &str = "chatclient-seen 1";
/// More than such a file with its server and name.
const BYTES: u64 = 16 * 1024;

impl Store {
    /// The highest id up to which everything of this server has been shown to this reader, if that is known.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted, and what to do; or that it is damaged. Then it is removed.
    pub(crate) fn seen(&self, server: &str, reader: &str) -> Result<Option<u64>, String> {
        let name = file_name(server, reader);
        let Some((file, length)) = self.open_trusted(&name)? else { return Ok(None) };
        let text = if length <= BYTES { self.read_newest(&file, length, BYTES)?.to_string() } else { String::new() };
        let mut lines = text.lines();
        let head = (lines.next(), lines.next(), lines.next());
        let id = lines.next().and_then(|id| id.parse().ok());
        let is_whole = text.ends_with('\n') && lines.next().is_none();
        match (head, id) {
            ((Some(HEAD), Some(kept), Some(name)), Some(id)) if is_whole => {
                // Another server with the same hash is a rare accident.
                Ok((kept == server && name == reader.to_ascii_lowercase()).then_some(id))
            }
            _ => {
                let path = self.folder.join(&name);
                // If it stays, it is replaced when there is something to keep.
                let _ = std::fs::remove_file(&path);
                let lost = "what was said while you were away is shown only as far as you have not read it";
                Err(format!("{} is damaged and is forgotten: {lost}", path.display()))
            }
        }
    }

    /// Stores that id, in place of an older one.
    ///
    /// # Errors
    ///
    /// Why it could not be written.
    pub(crate) fn keep_seen(&self, server: &str, reader: &str, id: u64) -> Result<(), String> {
        let text = format!("{HEAD}\n{server}\n{}\n{id}\n", reader.to_ascii_lowercase());
        self.write(&file_name(server, reader), text.as_bytes())
    }
}

fn file_name(server: &str, reader: &str) -> String {
    format!("seen-{}", key_hash(server, reader))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::super::tests::store;
    use super::*;

    #[test]
    fn kept_for_its_server_and_its_reader() {
        let (_dir, store) = store();
        assert_eq!(store.seen("a:1", "alice"), Ok(None));
        store.keep_seen("a:1", "Alice", 17).unwrap();
        store.keep_seen("a:1", "alice", u64::MAX).unwrap();
        store.keep_seen("tls://a:1", "alice", 5).unwrap();
        store.keep_seen("a:1", "alice --listen", 6).unwrap();
        assert_eq!(store.seen("a:1", "ALICE"), Ok(Some(u64::MAX)));
        assert_eq!(store.seen("tls://a:1", "alice"), Ok(Some(5)));
        assert_eq!(store.seen("a:1", "alice --listen"), Ok(Some(6)));
        assert_eq!(store.seen("a:1", "bob"), Ok(None));
        let modes = fs::read_dir(&store.folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().mode() & 0o777);
        assert_eq!(modes.collect::<Vec<_>>(), [0o600; 3]);
    }

    #[test]
    fn a_damaged_file_is_forgotten_with_a_warning() {
        let (_dir, store) = store();
        let path = store.folder.join(file_name("a:1", "alice"));
        store.keep_seen("a:1", "alice", 17).unwrap();
        let whole = fs::read(&path).unwrap();
        let longer = [&whole[..], &[b'x'; 20_000], b"\n"].concat();
        let cut = (0..whole.len()).map(|end| whole[..end].to_vec());
        for bytes in cut.chain([b"\xff\xfe\n".to_vec(), longer, [&whole[..], b"x\n"].concat()]) {
            fs::write(&path, &bytes).unwrap();
            let why = store.seen("a:1", "alice").unwrap_err();
            assert!(why.contains("is damaged and is forgotten"), "{why}");
            assert_eq!(store.seen("a:1", "alice"), Ok(None));
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(store.seen("a:1", "alice").unwrap_err().contains("mode 644"));
    }
}
