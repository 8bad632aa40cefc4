//! An external editor for a text of several lines, on the terminal of the client.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};

use super::program::SECRET as VARIABLE;
use super::session::INPUT_BYTES;

/// The variables that may name an editor, and the editors that are tried if neither does.
const VARIABLES: [&str; 2] = ["VISUAL", "EDITOR"];
const EDITORS: [&str; 2] = ["vi", "nano"];
/// How often a name is tried for the folder of the file.
const NAMES: u32 = 16;
/// How long an editor has to end when the client does.
const GRACE: Duration = Duration::from_secs(1);
/// The longest pause between two looks at the editor.
const LOOK: Duration = Duration::from_millis(50);

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The client ends.
    Interrupted,
    /// The sentence says why.
    Because(String),
}

impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

/// Lets the user edit this text, and returns the result. The terminal must be as the editor expects it. A byte in
/// `cancel` ends the editor. The file is removed in any case.
///
/// # Errors
///
/// The client ends, or there is no text, such as after an editor that failed.
pub(super) fn edit(text: &str, cancel: &UnixStream) -> Result<String, Refusal> {
    let candidates = editors(|name| env::var(name).ok())?;
    let sheet = Sheet::new(&env::temp_dir(), text).map_err(|error| format!("no file to edit: {error}"))?;
    for words in &candidates {
        let Some((program, arguments)) = words.split_first() else { continue };
        let spawned = Command::new(program).args(arguments).arg(sheet.path()).env_remove(VARIABLE).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound && candidates.len() > 1 => continue,
            Err(error) => return Err(format!("the editor {program} does not start: {error}").into()),
        };
        return match wait(&mut child, cancel) {
            Ok(Some(status)) if status.success() => Ok(sheet.read(program)?),
            Ok(Some(status)) => Err(format!("the editor {program} has failed ({status})").into()),
            Ok(None) => Err(Refusal::Interrupted),
            Err(error) => Err(format!("the editor {program}: {error}").into()),
        };
    }
    Err(format!("there is no editor ({}): set EDITOR, for example to nano", EDITORS.join(", ")).into())
}

/// The editors to try, each as its name and arguments.
fn editors(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Vec<String>>, String> {
    let named = VARIABLES.iter().find_map(|name| Some((name, variable(name).filter(|text| !text.trim().is_empty())?)));
    match named {
        Some((name, text)) => match shell_words::split(&text) {
            Ok(words) if !words.is_empty() => Ok(vec![words]),
            Ok(_) | Err(_) => Err(format!("{name} names no program: a quote is not closed in {text}")),
        },
        None => Ok(EDITORS.iter().map(|name| vec![(*name).to_owned()]).collect()),
    }
}

/// Waits for the end of the editor; `None` if the client ends, and has ended the editor.
fn wait(child: &mut Child, cancel: &UnixStream) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    let mut ends: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(ends.is_none().then_some(status));
        }
        if ends.is_some_and(|end| Instant::now() >= end) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        let mut fds = [PollFd::new(cancel, PollFlags::IN)];
        // Once that is readable, it stays so.
        let watched: &mut [PollFd<'_>] = if ends.is_none() { &mut fds } else { &mut [] };
        match poll(watched, Timespec::try_from(pause).ok().as_ref()) {
            Ok(1..) => {
                let _ = kill_process(Pid::from_child(child), Signal::TERM);
                ends = Some(Instant::now() + GRACE);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        pause = (pause * 2).min(LOOK);
    }
}

/// A file with a text (0600), in a folder of its own (0700), where the editor may put other files beside it.
struct Sheet(PathBuf);

impl Sheet {
    fn new(parent: &Path, text: &str) -> io::Result<Self> {
        let mut made = Err(ErrorKind::AlreadyExists.into());
        for _ in 0..NAMES {
            // A hasher of the standard library starts with a random state.
            let folder = parent.join(format!("chatclient-{:016x}", RandomState::new().build_hasher().finish()));
            made = DirBuilder::new().mode(0o700).create(&folder).map(|()| Self(folder));
            if !matches!(&made, Err(error) if error.kind() == ErrorKind::AlreadyExists) {
                break;
            }
        }
        let sheet = made?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(sheet.path())?;
        if !text.is_empty() {
            file.write_all(format!("{text}\n").as_bytes())?;
        }
        Ok(sheet)
    }

    fn path(&self) -> PathBuf {
        self.0.join("message.txt")
    }

    /// What the editor has left.
    fn read(&self, editor: &str) -> Result<String, String> {
        let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
        let opened: io::Result<File> = OpenOptions::new().read(true).custom_flags(flags).open(self.path());
        let mut text = String::new();
        let most = u64::try_from(INPUT_BYTES).unwrap_or(u64::MAX);
        match opened.and_then(|file| file.take(most).read_to_string(&mut text)) {
            Ok(_) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("the editor {editor} has left no file")),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                Err(format!("what the editor {editor} has left is not UTF-8"))
            }
            Err(error) => Err(format!("what the editor {editor} has left cannot be read: {error}")),
        }
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        // If it cannot be removed, only its owner can read it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[track_caller]
    fn check_editors(variables: [&str; 2], expected: &[&[&str]]) {
        let value = |name: &str| VARIABLES.iter().position(|known| *known == name).map(|at| variables[at].to_owned());
        assert_eq!(editors(value).unwrap(), expected);
    }

    #[test]
    fn which_editor() {
        check_editors(["code --wait", "vi"], &[&["code", "--wait"]]);
        check_editors(["  ", "'my editor' -x"], &[&["my editor", "-x"]]);
        check_editors(["", ""], &[&["vi"], &["nano"]]);
        let why = editors(|name| (name == "EDITOR").then(|| "vi 'x".to_owned())).unwrap_err();
        assert!(why.contains("EDITOR") && why.contains("quote"), "{why}");
    }

    #[test]
    fn the_file_is_its_owners_and_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let sheet = Sheet::new(dir.path(), "").unwrap();
        assert_eq!(sheet.read("vi").unwrap(), "");
        assert_eq!(fs::metadata(sheet.path()).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&sheet.0).unwrap().mode() & 0o777, 0o700);
        fs::write(sheet.0.join("message.txt~"), "a copy").unwrap();
        drop(sheet);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(Sheet::new(dir.path(), "a\nb").unwrap().read("vi").unwrap(), "a\nb\n");
    }

    #[test]
    fn what_is_left_may_be_anything() {
        let dir = tempfile::tempdir().unwrap();
        let sheet = Sheet::new(dir.path(), "").unwrap();
        fs::write(sheet.path(), b"caf\xe9").unwrap();
        assert!(sheet.read("vi").unwrap_err().contains("not UTF-8"));
        fs::remove_file(sheet.path()).unwrap();
        assert!(sheet.read("vi").unwrap_err().contains("no file"));
        symlink("/etc/passwd", sheet.path()).unwrap();
        assert!(sheet.read("vi").unwrap_err().contains("cannot be read"));
        fs::remove_file(sheet.path()).unwrap();
        fs::create_dir(sheet.path()).unwrap();
        assert!(sheet.read("vi").unwrap_err().contains("cannot be read"));
        fs::remove_dir(sheet.path()).unwrap();
        fs::write(sheet.path(), vec![b'x'; 3 * INPUT_BYTES]).unwrap();
        assert_eq!(sheet.read("vi").unwrap().len(), INPUT_BYTES, "enough to be refused");
    }

    #[test]
    fn an_editor_ends_with_the_client() {
        for script in ["exec sleep 60", "trap '' TERM; exec sleep 60"] {
            let (cancel, mut ending) = UnixStream::pair().unwrap();
            let mut command = Command::new("sh");
            let mut child = command.args(["-c", script]).spawn().unwrap();
            let name = || fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap();
            testkit::eventually("the editor", || name() == "sleep\n");
            ending.write_all(b".").unwrap();
            let begun = Instant::now();
            assert_eq!(wait(&mut child, &cancel).unwrap(), None);
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not wait for the editor");
            assert!(child.try_wait().unwrap().is_some(), "it is gone");
        }
    }
}
