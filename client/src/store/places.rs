//! Where a person was: the rooms of each user of each server, and the server that was talked to last.

use std::path::PathBuf;

use super::{Store, key_hash};
use crate::action::Places;
use crate::command::is_room_name;
use crate::fingerprint::Fingerprint;

/// The first lines of the two kinds of file, and the last line of both.
const HEAD: &str = "chatclient-rooms 1";
const LAST_HEAD: &str = "chatclient-last 1";
const END: &str = ".";
/// The file of the last server.
const LAST: &str = "last";
/// More than such a file.
const BYTES: u64 = 256 * 1024;
/// The place that is no room.
const EVERYBODY: &str = "*";

/// Where a person talked last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Last {
    /// The servers as they can be typed, separated by commas.
    pub(crate) servers: String,
    /// The user.
    pub(crate) user: String,
    /// What was trusted besides the usual: a file of certificates, …
    pub(crate) ca: Option<PathBuf>,
    /// … and keys.
    pub(crate) pins: Vec<Fingerprint>,
}

impl Store {
    /// The rooms that this user of this server was in last.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted, and what to do; or that it is damaged. Then it is removed.
    pub(crate) fn places(&self, server: &str, user: &str) -> Result<Option<Places>, String> {
        let name = file_name(server, user);
        let Some(lines) = self.lines(&name)? else { return Ok(None) };
        let [head, kept, owner, here, rooms @ ..] = lines.as_slice() else { return Err(self.forget_damaged(&name)) };
        if head != HEAD
            || !rooms.iter().chain(Some(here).filter(|here| *here != EVERYBODY)).all(|room| is_room_name(room))
        {
            return Err(self.forget_damaged(&name));
        }
        let here = (here != EVERYBODY).then(|| here.clone());
        // Another server with the same hash is a rare accident.
        let is_it = kept == server && *owner == user.to_ascii_lowercase();
        Ok(is_it.then(|| Places { rooms: rooms.to_vec(), here }))
    }

    /// Stores these rooms, in place of older ones.
    ///
    /// # Errors
    ///
    /// Why they could not be written.
    pub(crate) fn keep_places(&self, server: &str, user: &str, places: &Places) -> Result<(), String> {
        let here = places.here.as_deref().unwrap_or(EVERYBODY);
        let rooms: String = places.rooms.iter().map(|room| format!("{room}\n")).collect();
        let text = format!("{HEAD}\n{server}\n{}\n{here}\n{rooms}{END}\n", user.to_ascii_lowercase());
        self.write(&file_name(server, user), text.as_bytes())
    }

    /// Where a person talked last.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted, and what to do; or that it is damaged. Then it is removed.
    pub(crate) fn last(&self) -> Result<Option<Last>, String> {
        let Some(lines) = self.lines(LAST)? else { return Ok(None) };
        let [head, servers, user, options @ ..] = lines.as_slice() else { return Err(self.forget_damaged(LAST)) };
        let mut last = Last { servers: servers.clone(), user: user.clone(), ..Last::default() };
        let mut is_whole = head == LAST_HEAD;
        for option in options {
            match option.split_once(' ') {
                Some(("ca", path)) => last.ca = Some(path.into()),
                Some(("pin", key)) => {
                    let key = Fingerprint::parse(key);
                    // Without it, any key would count.
                    is_whole &= key.is_some();
                    last.pins.extend(key);
                }
                _ => is_whole = false,
            }
        }
        if is_whole { Ok(Some(last)) } else { Err(self.forget_damaged(LAST)) }
    }

    /// Stores that, in place of an older one.
    ///
    /// # Errors
    ///
    /// Why it could not be written.
    pub(crate) fn keep_last(&self, last: &Last) -> Result<(), String> {
        let Last { servers, user, ca, pins } = last;
        let mut text = format!("{LAST_HEAD}\n{servers}\n{user}\n");
        // A path that is no text, or not one line, has to be given again.
        if let Some(path) = ca.as_ref().and_then(|path| path.to_str()).filter(|path| !path.contains(['\n', '\r'])) {
            text.push_str(&format!("ca {path}\n"));
        }
        pins.iter().for_each(|key| text.push_str(&format!("pin {key}\n")));
        self.write(LAST, format!("{text}{END}\n").as_bytes())
    }

    /// The lines of such a file but the last, which shows that it is whole.
    fn lines(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        let Some((file, length)) = self.open_trusted(name)? else { return Ok(None) };
        let text = if length <= BYTES { self.read_newest(&file, length, BYTES)?.to_string() } else { String::new() };
        let Some(body) = text.strip_suffix(&format!("\n{END}\n")) else { return Err(self.forget_damaged(name)) };
        Ok(Some(body.split('\n').map(str::to_owned).collect()))
    }

    /// Removes a file that makes no sense. Returns what to say.
    fn forget_damaged(&self, name: &str) -> String {
        let path = self.folder.join(name);
        // If it stays, it is replaced when there is something to keep.
        let _ = std::fs::remove_file(&path);
        format!("{} is damaged and is forgotten: join the rooms again", path.display())
    }
}

fn file_name(server: &str, user: &str) -> String {
    format!("rooms-{}", key_hash(server, user))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::super::tests::store;
    use super::*;

    fn places(rooms: &[&str], here: Option<&str>) -> Places {
        Places { rooms: rooms.iter().map(|room| (*room).to_owned()).collect(), here: here.map(str::to_owned) }
    }

    #[test]
    fn kept_for_its_server_and_its_user() {
        let (_dir, store) = store();
        assert_eq!(store.places("a:1", "alice"), Ok(None));
        let (one, two) = (places(&["größe", "lobby"], Some("größe")), places(&[], None));
        store.keep_places("a:1", "Alice", &one).unwrap();
        store.keep_places("tls://a:1", "alice", &two).unwrap();
        assert_eq!(store.places("a:1", "ALICE"), Ok(Some(one)));
        assert_eq!(store.places("tls://a:1", "alice"), Ok(Some(two)));
        assert_eq!(store.places("a:1", "bob"), Ok(None));
        assert_eq!(store.last(), Ok(None));
        let pins = vec![Fingerprint::of_digest(&[1; 32]), Fingerprint::of_digest(&[2; 32])];
        for (ca, pins) in [(None, Vec::new()), (Some("/etc/my ca.pem".into()), pins)] {
            let last = Last { servers: "tls://a:1,[::1]:2".to_owned(), user: "Alice".to_owned(), ca, pins };
            store.keep_last(&last).unwrap();
            assert_eq!(store.last(), Ok(Some(last)));
        }
        let modes = fs::read_dir(&store.folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().mode() & 0o777);
        assert_eq!(modes.collect::<Vec<_>>(), [0o600; 3]);
    }

    #[test]
    fn a_damaged_file_is_forgotten_with_a_warning() {
        let (_dir, store) = store();
        let pins = vec![Fingerprint::of_digest(&[1; 32])];
        let pins_line = format!("pin {}", pins[0]);
        let last = Last { servers: "a:1".to_owned(), user: "alice".to_owned(), ca: None, pins };
        store.keep_last(&last).unwrap();
        store.keep_places("a:1", "alice", &places(&["lobby", "den"], Some("den"))).unwrap();
        let (path, half) = (store.folder.join(LAST), &pins_line[..pins_line.len() - 2]);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.replace(&pins_line, half)).unwrap();
        assert!(store.last().is_err(), "any key would count");
        store.keep_last(&last).unwrap();
        for name in [LAST.to_owned(), file_name("a:1", "alice")] {
            let read = || if name == LAST { store.last().map(drop) } else { store.places("a:1", "alice").map(drop) };
            let path = store.folder.join(&name);
            let whole = fs::read(&path).unwrap();
            let cut = (0..whole.len()).map(|end| whole[..end].to_vec());
            let strange = [b"\xff\n.\n".to_vec(), [&[b'x'; 300_000][..], &whole].concat(), [b"x", &whole[..]].concat()];
            for bytes in cut.chain(strange) {
                fs::write(&path, &bytes).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                let why = read().unwrap_err();
                assert!(why.contains("is damaged and is forgotten") && !path.exists(), "{why}");
            }
            fs::write(&path, &whole).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
            assert!(read().unwrap_err().contains("mode 620"));
        }
    }
}
