//! The file of the bans: read whole, and replaced whole.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files;
use crate::auth::bans::{Ban, Bans, Full, What, decode, encode};
use crate::limits::BANS_FILE_BYTES;

/// The name of the file, in the folder of the account file.
const NAME: &str = "bans";
/// Bits of the mode that let other users change the file.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// The file, and the list that it holds.
#[derive(Debug)]
pub(in crate::auth) struct BanFile {
    path: PathBuf,
    bans: Arc<Bans>,
    /// What the file held when it was last read or written; `None` if there was no file.
    held: Option<Vec<u8>>,
}

/// Why a change was not made. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Unchanged {
    /// The list is full.
    Full,
    /// There is no such ban.
    Missing,
    /// The file cannot be read or written; a line for the operator.
    Failed(String),
}

/// The file of the bans beside this account file, and its temporary file.
pub(in crate::auth) fn companions(account_file: &Path) -> [PathBuf; 2] {
    let path = place(account_file);
    let temporary = files::beside(&path, "new");
    [path, temporary]
}

fn place(account_file: &Path) -> PathBuf {
    match files::folder(account_file) {
        folder if folder == Path::new(".") => PathBuf::from(NAME),
        folder => folder.join(NAME),
    }
}

impl BanFile {
    /// Reads the file beside this account file. A missing one holds no bans.
    ///
    /// # Errors
    /// A line for the operator: the file cannot be read, or a line of it is no ban.
    pub(in crate::auth) fn open(account_file: &Path) -> Result<Self, String> {
        let path = place(account_file);
        if account_file.file_name() == path.file_name() {
            return Err(format!(
                "{}: this is the name of the list of bans; give accounts.file another name",
                path.display()
            ));
        }
        let (held, bans) = read(&path)?;
        Ok(Self { path, bans, held })
    }

    /// The list.
    pub(in crate::auth) fn bans(&self) -> &Arc<Bans> {
        &self.bans
    }

    /// Adds a ban, and forgets those that are over at `unix_s`. The new list is on disk when this returns.
    ///
    /// # Errors
    /// [`Unchanged`].
    pub(in crate::auth) fn add(&mut self, ban: Ban, unix_s: u64) -> Result<&Arc<Bans>, Unchanged> {
        self.change(unix_s, |bans| bans.add(ban).map_err(|Full| Unchanged::Full))
    }

    /// Removes a ban, and forgets those that are over at `unix_s`. The new list is on disk when this returns.
    ///
    /// # Errors
    /// [`Unchanged`].
    pub(in crate::auth) fn remove(&mut self, what: &What, unix_s: u64) -> Result<&Arc<Bans>, Unchanged> {
        self.change(unix_s, |bans| bans.remove(what).map(drop).ok_or(Unchanged::Missing))
    }

    /// Changes the list that is on disk now: somebody may have edited the file.
    fn change(
        &mut self,
        unix_s: u64,
        change: impl FnOnce(&mut Bans) -> Result<(), Unchanged>,
    ) -> Result<&Arc<Bans>, Unchanged> {
        let held = read_bytes(&self.path).map_err(Unchanged::Failed)?;
        let mut bans = if held == self.held {
            Bans::clone(&self.bans)
        } else {
            parse(&self.path, held.as_deref()).map_err(Unchanged::Failed)?
        };
        bans.forget(unix_s);
        change(&mut bans)?;
        let text = encode(&bans).into_bytes();
        if let Err(error) = files::create_whole(&self.path, &text) {
            self.restore(held.as_deref());
            let path = self.path.display();
            let why = format!("{path}: cannot be written: {error}; check that its disk has room, and try again");
            return Err(Unchanged::Failed(why));
        }
        (self.bans, self.held) = (Arc::new(bans), Some(text));
        Ok(&self.bans)
    }

    /// Puts the old list back if the new one is in its place and only the sync of the folder failed: nobody was told of
    /// the new one. A disk that fails here too may keep either.
    fn restore(&self, held: Option<&[u8]>) {
        if read_bytes(&self.path).is_ok_and(|now| now.as_deref() == held) {
            return;
        }
        let result = match held {
            Some(bytes) => put_back(&self.path, bytes),
            None => fs::remove_file(&self.path),
        };
        if let Err(error) = result {
            log::error!("{}: the old bans cannot be put back: {error}", self.path.display());
        }
    }
}

/// Replaces the file without a sync, which the disk has just refused.
fn put_back(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = files::beside(path, "new");
    fs::write(&temporary, bytes)?;
    fs::set_permissions(&temporary, Permissions::from_mode(0o600))?;
    fs::rename(&temporary, path)
}

/// Reads the list beside this account file without keeping it.
///
/// # Errors
/// Those of [`BanFile::open`].
pub(in crate::auth) fn reread(account_file: &Path) -> Result<Arc<Bans>, String> {
    read(&place(account_file)).map(|(_, bans)| bans)
}

fn read(path: &Path) -> Result<(Option<Vec<u8>>, Arc<Bans>), String> {
    let bytes = read_bytes(path)?;
    let bans = parse(path, bytes.as_deref())?;
    Ok((bytes, Arc::new(bans)))
}

fn parse(path: &Path, bytes: Option<&[u8]>) -> Result<Bans, String> {
    let bad = |bad| format!("{}: {bad}; a line is WHAT UNTIL|- REASON; correct it or remove it", path.display());
    decode(bytes.unwrap_or_default()).map_err(bad)
}

/// The content of the file; `None` if there is none.
fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let unusable = |what: &str| format!("{}: {what}", path.display());
    let file = match open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.raw_os_error() == Some(libc::ELOOP) => {
            return Err(unusable("is a symbolic link, which chatd does not follow; put the file itself there"));
        }
        Err(e) => return Err(unusable(&format!("cannot be opened: {e}; chatd must be able to read it"))),
    };
    let about = file.metadata().map_err(|e| unusable(&format!("cannot be examined: {e}")))?;
    if !about.is_file() {
        return Err(unusable("is not a regular file; move it away"));
    }
    let is_foreign = ![0, rustix::process::geteuid().as_raw()].contains(&about.uid());
    if is_foreign || about.mode() & OTHERS_MAY_WRITE != 0 {
        return Err(unusable("other users may change it; give it to the server's user, with chmod 600"));
    }
    let mut bytes = Vec::new();
    let most = BANS_FILE_BYTES as u64;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| unusable(&format!("cannot be read: {e}")))?;
    if bytes.len() > BANS_FILE_BYTES {
        return Err(unusable(&format!("has more than {BANS_FILE_BYTES} bytes; remove some bans")));
    }
    Ok(Some(bytes))
}

fn open(path: &Path) -> io::Result<File> {
    // A path that is a link is not followed, and a pipe is not waited for.
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::auth::bans::reason;
    use crate::hub::names::UserName;

    fn ban(what: &str, until: Option<u64>, why: &str) -> Ban {
        Ban { what: What::parse(what).unwrap(), until, reason: reason(why.as_bytes()).unwrap() }
    }

    /// The file beside an account file, with this text.
    fn folder_with(text: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            fs::write(folder.path().join("bans"), text).unwrap();
        }
        folder
    }

    fn open(folder: &Path) -> Result<BanFile, String> {
        BanFile::open(&folder.join("accounts"))
    }

    #[test]
    fn changes_are_written_whole_and_what_is_over_goes() {
        let folder = folder_with(None);
        let mut file = open(folder.path()).unwrap();
        assert!(file.bans().is_empty());
        file.add(ban("bob", Some(100), "x"), 50).unwrap();
        file.add(ban("192.0.2.0/24", None, "two words"), 50).unwrap();
        let path = folder.path().join("bans");
        assert_eq!(fs::read_to_string(&path).unwrap(), "bob 100 x\n192.0.2.0/24 - two words\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(open(folder.path()).unwrap().bans(), file.bans());
        assert_eq!(file.remove(&What::parse("carol").unwrap(), 100), Err(Unchanged::Missing));
        file.add(ban("carol", None, ""), 100).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "carol -\n192.0.2.0/24 - two words\n");
        file.remove(&What::parse("carol").unwrap(), 100).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn an_edited_file_is_not_overwritten() {
        let folder = folder_with(Some("bob - x\n"));
        let path = folder.path().join("bans");
        let mut file = open(folder.path()).unwrap();
        fs::write(&path, "bob - x\nmallory - by hand\n").unwrap();
        let bans = Arc::clone(file.add(ban("carol", None, "y"), 1).unwrap());
        let mallory = UserName::parse("mallory").unwrap();
        assert_eq!(bans.of_name(&mallory, 1).map(|why| &**why), Some("by hand"));
        assert_eq!(reread(&folder.path().join("accounts")).unwrap(), bans);
        fs::write(&path, "bob - x\nmallory by hand\n").unwrap();
        let Err(Unchanged::Failed(why)) = file.add(ban("dave", None, "y"), 1) else { panic!("it is overwritten") };
        assert!(why.contains("line 2: ") && why.contains("correct it"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "bob - x\nmallory by hand\n");
        assert_eq!(file.bans(), &bans);
    }

    #[test]
    fn what_is_no_file_of_ours_is_refused() {
        let folder = folder_with(Some("bob - x\n"));
        let path = folder.path().join("bans");
        let check = |expected: &str| {
            let why = open(folder.path()).unwrap_err();
            assert!(why.contains(expected) && why.contains("bans: "), "{why}");
        };
        fs::set_permissions(&path, Permissions::from_mode(0o646)).unwrap();
        check("other users may change it");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        open(folder.path()).unwrap();
        fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        symlink("elsewhere", &path).unwrap();
        check("is a symbolic link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        check("is not a regular file");
        let why = BanFile::open(&folder.path().join("bans")).unwrap_err();
        assert!(why.contains("give accounts.file another name"), "{why}");
    }
}
