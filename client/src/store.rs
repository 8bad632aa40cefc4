//! State kept between runs, in the user's state directory: resume tokens, the history of typed lines, how much has been
//! shown, where the user was, and the keys of servers.

mod known_servers;
mod places;
mod seen;

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::action::Secret;

pub(super) use self::known_servers::kept_key;
pub(super) use self::places::Last;

/// The file of the history.
const HISTORY: &str = "history";
/// The most lines in the history.
pub(super) const HISTORY_LINES: usize = 1000;
/// The longest line in the history, in bytes.
const HISTORY_LINE: usize = 4096;
/// How much of the file is read: it holds the most lines of the greatest length.
const HISTORY_BYTES: u64 = 5 * 1024 * 1024;
/// How much is read to find the last line.
const LAST_LINE_BYTES: u64 = 2 * (HISTORY_LINE as u64 + 1);
/// How often a lock that another client holds is tried, and the pauses between.
const LOCK_TRIES: u32 = 250;
const LOCK_PAUSE: Duration = Duration::from_millis(4);
/// More than a token file with its server and name.
const TOKEN_BYTES: u64 = 16 * 1024;
const TOKEN_HEAD: &str = "chatclient-token 1";

/// The folder `chatd` in the user's state directory.
#[derive(Clone, Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the folder given by `XDG_STATE_HOME` and `HOME`, and creates it if needed.
    ///
    /// # Errors
    ///
    /// A sentence that says why no state can be kept: there is no home directory, or the folder cannot be created or is
    /// accessible to others.
    pub(super) fn open() -> Result<Self, String> {
        let home = |name: &str, rest: &str| {
            let path = PathBuf::from(env::var_os(name)?).join(rest);
            path.is_absolute().then_some(path)
        };
        let folder = home("XDG_STATE_HOME", "chatd")
            .or_else(|| home("HOME", ".local/state/chatd"))
            .ok_or("neither XDG_STATE_HOME nor HOME names a folder: nothing is kept for the next run")?;
        Self::at(folder)
    }

    fn at(folder: PathBuf) -> Result<Self, String> {
        let made = folder.parent().map_or(Ok(()), fs::create_dir_all);
        match made.and_then(|()| DirBuilder::new().mode(0o700).create(&folder)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("{}: {error}; nothing is kept for the next run", folder.display())),
        }
        let meta = fs::metadata(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        if !meta.is_dir() {
            return Err(format!("{} is no folder: nothing is kept for the next run", folder.display()));
        }
        match distrust(&meta) {
            None => Ok(Self { folder }),
            Some(why) => {
                Err(format!("{} {why}, so nothing is kept there; to change that: chmod 700 {0}", folder.display()))
            }
        }
    }

    /// The token stored for this user of this server, if any.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted, and what to do.
    pub(super) fn token(&self, server: &str, user: &str) -> Result<Option<Secret>, String> {
        let Some((file, length)) = self.open_trusted(&token_file(server, user))? else { return Ok(None) };
        let text = self.read_newest(&file, length, TOKEN_BYTES)?;
        let mut lines = text.lines();
        let head = (lines.next(), lines.next(), lines.next());
        // Another server with the same hash would be a rare accident, and would refuse the token.
        if head != (Some(TOKEN_HEAD), Some(server), Some(user.to_ascii_lowercase().as_str())) {
            return Ok(None);
        }
        let token = lines.next().filter(|token| !token.is_empty());
        Ok(token.map(|token| Secret(Zeroizing::new(token.to_owned()))))
    }

    /// Stores a token, replacing the one before.
    ///
    /// # Errors
    ///
    /// Why it could not be written.
    pub(super) fn keep_token(&self, server: &str, user: &str, token: &Secret) -> Result<(), String> {
        let user_key = user.to_ascii_lowercase();
        let text = Zeroizing::new(format!("{TOKEN_HEAD}\n{server}\n{user_key}\n{}\n", token.0.as_str()));
        let _lock = self.lock();
        self.write(&token_file(server, user), text.as_bytes())
    }

    /// Removes the token of this user of this server, if it is this one: another client may have stored a newer one.
    pub(super) fn forget_token(&self, server: &str, user: &str, refused: &Secret) {
        let _lock = self.lock();
        if matches!(self.token(server, user), Ok(Some(kept)) if kept == *refused) {
            // If it stays, the server refuses it again, and nothing else happens.
            let _ = fs::remove_file(self.folder.join(token_file(server, user)));
        }
    }

    /// The lines typed in earlier runs, the oldest first. A file that has grown too long is cut on this occasion.
    ///
    /// # Errors
    ///
    /// Why the file is not trusted.
    pub(super) fn history(&self) -> Result<Vec<String>, String> {
        let lock = self.lock();
        let Some((file, length)) = self.open_trusted(HISTORY)? else { return Ok(Vec::new()) };
        let text = self.read_newest(&file, length, HISTORY_BYTES)?;
        let lines = text.lines().filter(|line| !line.is_empty() && line.len() <= HISTORY_LINE);
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        let surplus = lines.len().saturating_sub(HISTORY_LINES);
        lines.drain(..surplus);
        if lock.is_some() && (surplus > 0 || length > HISTORY_BYTES) {
            // If this fails, the file is cut another time.
            let _ = self.write(HISTORY, (lines.join("\n") + "\n").as_bytes());
        }
        Ok(lines)
    }

    /// Adds a line to the history, after lines that another client has added meanwhile. Lines above 4 KiB and errors
    /// are ignored: the history is a convenience.
    pub(super) fn add_history(&self, line: &str) {
        if line.len() <= HISTORY_LINE {
            let _ = self.append_history(line);
        }
    }

    fn append_history(&self, line: &str) -> Result<(), String> {
        // Without the lock too: the line could only be lost if the file is being cut at this moment.
        let _lock = self.lock();
        let mut text = format!("{line}\n");
        if let Some((file, length)) = self.open_trusted(HISTORY)? {
            let last = self.read_newest(&file, length, LAST_LINE_BYTES)?;
            if last.lines().next_back() == Some(line) {
                return Ok(());
            }
            if !last.is_empty() && !last.ends_with('\n') {
                text.insert(0, '\n');
            }
        }
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true).mode(0o600).custom_flags(careful());
        let appended = options.open(self.folder.join(HISTORY)).and_then(|mut file| file.write_all(text.as_bytes()));
        appended.map_err(|error| error.to_string())
    }

    /// The lock for reading and then changing a file. It is the folder's own, so it needs no file. A client holds it
    /// for a moment only, unless it was stopped at that point; then others proceed without it.
    fn lock(&self) -> Option<File> {
        let folder = File::open(&self.folder).ok()?;
        for _ in 0..LOCK_TRIES {
            match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Some(folder),
                Err(Errno::AGAIN | Errno::INTR) => thread::sleep(LOCK_PAUSE),
                Err(_) => return None,
            }
        }
        None
    }

    /// Opens a file that only its owner can have written, and returns its size too. `None` if there is none.
    fn open_trusted(&self, name: &str) -> Result<Option<(File, u64)>, String> {
        let path = self.folder.join(name);
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let file = match OpenOptions::new().read(true).custom_flags(careful()).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let meta = file.metadata().map_err(failed)?;
        let why = if meta.is_file() { distrust(&meta) } else { Some("is no file".to_owned()) };
        match why {
            Some(why) => Err(format!("{} {why} and is not used; to change that: rm {0}", path.display())),
            None => Ok(Some((file, meta.len()))),
        }
    }

    /// The end of a file of this size: at most this many bytes, from the start of a line.
    fn read_newest(&self, mut file: &File, length: u64, most: u64) -> Result<Zeroizing<String>, String> {
        let failed = |error: io::Error| format!("{}: {error}", self.folder.display());
        let from = length.saturating_sub(most);
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(most).read_to_end(&mut bytes).map_err(failed)?;
        let cut = if from == 0 { 0 } else { memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |at| at + 1) };
        Ok(Zeroizing::new(String::from_utf8_lossy(bytes.get(cut..).unwrap_or_default()).into_owned()))
    }

    /// Replaces a file atomically.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let temporary = self.folder.join(format!(".{name}-{}", process::id()));
        let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, self.folder.join(name)));
        written.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            format!("{}: {error}", self.folder.join(name).display())
        })
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A client with the same process number may have left one behind when it was killed.
    let _ = fs::remove_file(path);
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// The flags for opening a file that somebody else may have placed there: do not follow links, do not block.
fn careful() -> i32 {
    i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0)
}

/// Why somebody else could have read or written a file.
fn distrust(meta: &fs::Metadata) -> Option<String> {
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return Some(format!("belongs to user {}, not to you ({me})", meta.uid()));
    }
    let mode = meta.mode() & 0o777;
    (mode & 0o077 != 0).then(|| format!("is open to others (mode {mode:o})"))
}

/// The name of a token's file.
fn token_file(server: &str, user: &str) -> String {
    format!("token-{}", key_hash(server, user))
}

/// A hash of a server and a name (FNV-1a), short and plain for the name of a file.
fn key_hash(server: &str, user: &str) -> String {
    let key = format!("{server}\n{}", user.to_ascii_lowercase());
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", key.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    pub(super) fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path().join("state/chatd")).unwrap();
        (dir, store)
    }

    fn secret(text: &str) -> Secret {
        Secret(Zeroizing::new(text.to_owned()))
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_token_is_kept_for_its_server_and_its_user() {
        let (_dir, store) = store();
        assert_eq!(store.token("b:2", "alice"), Ok(None));
        store.keep_token("b:2", "alice", &secret("one")).unwrap();
        store.keep_token("b:2", "Alice", &secret("two")).unwrap();
        store.keep_token("a:1", "alice", &secret("three")).unwrap();
        assert_eq!(store.token("b:2", "ALICE"), Ok(Some(secret("two"))));
        store.forget_token("b:2", "alice", &secret("one"));
        assert_eq!(store.token("b:2", "alice"), Ok(Some(secret("two"))), "another client has kept this one");
        store.forget_token("b:2", "alice", &secret("two"));
        assert_eq!(store.token("b:2", "alice"), Ok(None));
        assert_eq!(store.token("a:1", "alice"), Ok(Some(secret("three"))));
        assert_eq!(store.token("a:1", "bob"), Ok(None));
    }

    #[test]
    fn nobody_else_can_read_what_is_kept() {
        let (_dir, store) = store();
        store.keep_token("a:1", "alice", &secret("one")).unwrap();
        store.add_history("hello");
        assert_eq!(mode(&store.folder), 0o700);
        for entry in fs::read_dir(&store.folder).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 2, "no temporary file stays");
    }

    #[test]
    fn files_others_can_write_are_not_trusted() {
        let (dir, store) = store();
        store.keep_token("a:1", "alice", &secret("one")).unwrap();
        let file = store.folder.join(token_file("a:1", "alice"));
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert!(store.token("a:1", "alice").unwrap_err().contains("mode 640"));
        fs::rename(&file, dir.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &file).unwrap();
        assert!(store.token("a:1", "alice").is_err());
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(store.token("a:1", "alice").unwrap_err().contains("is no file"));

        fs::set_permissions(&store.folder, Permissions::from_mode(0o755)).unwrap();
        assert!(Store::at(store.folder).unwrap_err().contains("chmod 700"));
    }

    #[test]
    fn a_strange_token_file_is_no_token() {
        let (_dir, store) = store();
        for text in
            ["", "chatclient-token 1\n", "chatclient-token 1\na:1\nbob\nT\n", "chatclient-token 1\na:1\nalice\n\n"]
        {
            store.write(&token_file("a:1", "alice"), text.as_bytes()).unwrap();
            assert_eq!(store.token("a:1", "alice"), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn history_is_bounded_and_shared() {
        let (_dir, store) = store();
        let other = store.clone();
        store.add_history("one");
        other.add_history("two");
        store.add_history("two");
        assert_eq!(store.history().unwrap(), ["one", "two"]);
        let many: Vec<String> = (0..HISTORY_LINES + 5).map(|n| format!("line {n}")).collect();
        store.write("history", many.join("\n").as_bytes()).unwrap();
        store.add_history("last");
        let lines = store.history().unwrap();
        assert_eq!((lines.len(), lines[0].as_str(), lines[999].as_str()), (HISTORY_LINES, "line 6", "last"));
        let (_, length) = store.open_trusted(HISTORY).unwrap().unwrap();
        assert!(length < (HISTORY_LINES * 10) as u64, "it has been cut");
    }

    #[test]
    fn long_lines_are_not_kept_and_the_newest_are() {
        let (_dir, store) = store();
        store.add_history(&"x".repeat(HISTORY_LINE + 1));
        assert_eq!(store.history().unwrap(), [""; 0]);
        let long = "y".repeat(1 << 20) + "\n";
        let text = format!("old\n{}new\n{}", long.repeat(8), "z".repeat(HISTORY_LINE));
        store.write(HISTORY, text.as_bytes()).unwrap();
        store.add_history("newest");
        assert_eq!(store.history().unwrap(), ["new", &"z".repeat(HISTORY_LINE), "newest"]);
    }

    #[test]
    fn two_clients_lose_nothing_of_each_other() {
        let (_dir, store) = store();
        // So that the file is cut in the meantime.
        (0..HISTORY_LINES).for_each(|n| store.add_history(&format!("old {n}")));
        let adding: Vec<_> = (0..4)
            .map(|who| {
                let store = store.clone();
                thread::spawn(move || {
                    for n in 0..100 {
                        store.add_history(&format!("{who} {n}"));
                        if n % 10 == 0 {
                            store.history().unwrap();
                        }
                    }
                })
            })
            .collect();
        adding.into_iter().for_each(|thread| thread.join().unwrap());
        let lines = store.history().unwrap();
        assert_eq!(lines.iter().filter(|line| !line.starts_with("old")).count(), 400);
    }
}
