//! The target of the log, and files that it must not be.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat, fcntl_getfl, fcntl_setfl};

use crate::place;

/// The target of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The file; `None` for standard error.
    pub file: Option<PathBuf>,
    /// Files that the log would damage.
    pub taken: Vec<Taken>,
}

/// A file that must not be the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its path; it need not exist.
    pub path: PathBuf,
    /// What it is, such as `the account file`.
    pub what: &'static str,
}

impl Target {
    /// Checks whether the log could be opened, without opening or creating anything.
    ///
    /// # Errors
    /// The message of a start that fails.
    pub fn check(&self) -> Result<(), String> {
        let Some(path) = &self.file else { return Ok(()) };
        self.look(path)?;
        let (path_to_write, access) = match fs::metadata(path) {
            Ok(_) => (path.as_path(), Access::WRITE_OK),
            Err(_) => (folder(path), Access::WRITE_OK | Access::EXEC_OK),
        };
        accessat(CWD, path_to_write, access, AtFlags::EACCESS).map_err(|error| cannot(path, &error.into()))
    }

    /// A note on what [`check`](Self::check) cannot test: it would have to open the pipe, which ends the reader's
    /// input.
    pub fn untried(&self) -> Option<String> {
        let path = self.file.as_deref().filter(|path| is_pipe(path))?;
        Some(format!("log.file: {} is a pipe; the start needs somebody who reads it", path.display()))
    }

    /// Opens the target. Never waits for the reader of a pipe.
    pub(super) fn open(&self) -> Result<Box<dyn Write + Send>, String> {
        let Some(path) = &self.file else { return Ok(Box::new(io::stderr())) };
        // Check first: opening creates the file, and a taken file that does not exist yet would then be the log.
        self.look(path)?;
        let file = open(path).map_err(|error| cannot(path, &error))?;
        let about = file.metadata().map_err(|error| cannot(path, &error))?;
        suits(path, &about)?;
        if !about.is_file() {
            // From here on the writing thread may wait for a slow reader, because the queue is bounded.
            let flags = fcntl_getfl(&file).map_err(|error| cannot(path, &error.into()))?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(|error| cannot(path, &error.into()))?;
        }
        Ok(Box::new(file))
    }

    fn look(&self, path: &Path) -> Result<(), String> {
        if let Some(Taken { what, .. }) = self.taken.iter().find(|taken| place::is_one_file(path, &taken.path)) {
            return Err(format!("log.file: {} is {what}; give the log a file of its own", path.display()));
        }
        fs::metadata(path).map_or(Ok(()), |about| suits(path, &about))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)
}

/// Checks that this kind of file can take a log.
fn suits(path: &Path, about: &Metadata) -> Result<(), String> {
    let kind = about.file_type();
    if kind.is_file() || kind.is_char_device() || kind.is_fifo() {
        return Ok(());
    }
    let next = if kind.is_socket() { "leave it empty for standard error, or name a file" } else { "name a file" };
    Err(format!("log.file: {} is {}, which takes no log; {next}", path.display(), place::kind(kind)))
}

fn cannot(path: &Path, error: &io::Error) -> String {
    let next = match error.raw_os_error() {
        Some(libc::ENXIO) if is_pipe(path) => "nobody reads from this pipe: start its reader first, or name a file",
        Some(libc::ENXIO) => "there is no device behind it; name a file",
        Some(libc::ENOENT) => "make its folder, or name another file",
        _ => "make its folder writable, or name another file",
    };
    format!("log.file: cannot open {}: {error}; {next}", path.display())
}

fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{FileType, mknodat};

    use super::*;

    fn target(path: &Path, taken: &[&Path]) -> Target {
        let taken = taken.iter().map(|path| Taken { path: path.to_path_buf(), what: "the account file" }).collect();
        Target { file: Some(path.to_owned()), taken }
    }

    /// A start and a check refuse this target with the same message.
    #[track_caller]
    fn check(target: &Target, expected: &str) {
        for result in [target.check(), target.open().map(drop)] {
            let text = result.unwrap_err();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn what_takes_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        check(&target(folder.path(), &[]), "is a folder, which takes no log");
        let _listener = UnixListener::bind(at("socket")).unwrap();
        check(&target(&at("socket"), &[]), "is a socket, which takes no log; leave it empty for standard error");
        check(&target(&at("no/log"), &[]), "make its folder, or name another file");
        if mknodat(CWD, at("block"), FileType::BlockDevice, 0o600.into(), 0).is_ok() {
            check(&target(&at("block"), &[]), "is a block device, which takes no log");
        }
    }

    #[test]
    fn a_pipe_takes_a_log_if_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
        let text = target(&pipe, &[]).open().map(drop).unwrap_err();
        assert!(text.contains("nobody reads from this pipe"), "{text}");
        assert!(target(&pipe, &[]).untried().is_some_and(|note| note.contains("is a pipe")));
        assert_eq!(target(Path::new("/dev/null"), &[]).untried(), None);
        let text = cannot(Path::new("/dev/tty"), &io::Error::from_raw_os_error(libc::ENXIO));
        assert!(text.contains("there is no device behind it; name a file"), "{text}");
        let mut reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
        target(&pipe, &[]).check().unwrap();
        let mut log = target(&pipe, &[]).open().unwrap();
        log.write_all(b"a line\n").unwrap();
        let mut line = [0; 7];
        reader.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"a line\n");
        target(Path::new("/dev/null"), &[Path::new("/dev/null")]).open().unwrap();
    }

    #[test]
    fn files_that_are_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("accounts"), "x").unwrap();
        fs::hard_link(at("accounts"), at("hard")).unwrap();
        symlink("accounts", at("link")).unwrap();
        symlink(at("accounts.key"), at("dangling")).unwrap();
        let (accounts, key) = (at("accounts"), at("accounts.key"));
        for name in ["accounts", "hard", "link", "accounts.key", "dangling"] {
            check(&target(&at(name), &[&accounts, &key]), "is the account file; give the log a file of its own");
        }
        assert_eq!((fs::read(&accounts).unwrap(), key.exists()), (b"x".to_vec(), false));
        target(&at("log"), &[&accounts, &key]).check().unwrap();
        assert!(!at("log").exists());
        target(&at("log"), &[&accounts, &key]).open().unwrap();
    }
}
