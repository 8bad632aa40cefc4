//! What the configuration decides about the IRC doors.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, Door, IrcDoor, IrcGuests, Loaded};
use crate::limits::{IRC_MOTD_LINE_BYTES, IRC_MOTD_LINES, Registration};
use crate::net::{IrcMark, IrcServer};
use crate::text;

/// The longest file: all lines with CR and LF, and a byte-order mark.
const FILE_BYTES: usize = IRC_MOTD_LINES * (IRC_MOTD_LINE_BYTES + 2) + text::BYTE_ORDER_MARK.len();

/// What all IRC doors share, by this configuration. What no reload changes is as in `started`: the server's name, which
/// is in every line, and what its listeners and its store are.
///
/// # Errors
/// What is wrong with the message of the day.
pub(super) fn server(loaded: &Loaded, started: &Loaded) -> Result<Arc<IrcServer>, String> {
    let config = &loaded.config;
    Ok(Arc::new(IrcServer {
        name: started.config.irc.name.as_str().into(),
        network: config.irc.network.as_str().into(),
        motd: motd(loaded)?,
        guests: guests(&started.config),
        registers: config.accounts.rules.registration == Registration::Open,
        keeps: started.history_file().is_some(),
        rooms: config.rooms.per_session,
        names: config.irc.names,
        password_min: config.accounts.rules.password_min_bytes,
    }))
}

/// How guests are spelled.
fn guests(config: &Config) -> IrcMark {
    let is_bare = |door: &Door| matches!(door, Door::Irc(IrcDoor { guests: IrcGuests::Bare, .. }));
    if config.listen.iter().any(|listen| is_bare(&listen.door)) { IrcMark::Bare } else { IrcMark::Marked }
}

/// The lines of the message of the day; none for the built-in one. Never blocks.
///
/// # Errors
/// What is wrong with the file.
fn motd(loaded: &Loaded) -> Result<Vec<Box<str>>, String> {
    let Some(path) = loaded.motd_file() else { return Ok(Vec::new()) };
    read(&path).and_then(|bytes| lines(&bytes)).map_err(|why| format!("irc.motd: {}: {why}", path.display()))
}

/// The bytes of a regular file, as many as may be right and one more.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |why: &dyn Display| format!("cannot be read: {why}");
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = file.map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        if is_missing { cannot(&format_args!("{error}; write it, or set irc.motd = \"\"")) } else { cannot(&error) }
    })?;
    if !file.metadata().map_err(|error| cannot(&error))?.is_file() {
        return Err(cannot(&"it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    Ok(bytes)
}

/// The lines of a text, each of which fits a line of IRC. A TAB becomes a space.
fn lines(bytes: &[u8]) -> Result<Vec<Box<str>>, String> {
    let bytes = text::without_mark(bytes);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut lines = Vec::new();
    // One more than may be there is enough to detect a text that is too long.
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')).take(IRC_MOTD_LINES + 1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if number > IRC_MOTD_LINES {
            return Err(format!("has more than {IRC_MOTD_LINES} lines"));
        }
        if line.len() > IRC_MOTD_LINE_BYTES {
            return Err(format!("line {number} has {} bytes, and at most {IRC_MOTD_LINE_BYTES} fit", line.len()));
        }
        let checked = text::check(line).ok_or_else(|| {
            let what = if std::str::from_utf8(line).is_err() { "is not UTF-8" } else { "holds a control character" };
            format!("line {number} {what}")
        })?;
        lines.push(text::without_taken_out(checked.text).replace('\t', " ").into());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: Result<&[&str], &str>) {
        match (lines(text), expected) {
            (Ok(lines), Ok(expected)) => {
                assert!(lines.iter().map(|line| &**line).eq(expected.iter().copied()), "{lines:?}")
            }
            (Err(fault), Err(expected)) => assert_eq!(fault, expected),
            (got, _) => panic!("{text:?}: {got:?}"),
        }
    }

    #[test]
    fn lines_of_a_text() {
        check(b"hello\n", Ok(&["hello"]));
        check("\u{feff}hello\r\n\r\n  Zoë\tis here\r\n".as_bytes(), Ok(&["hello", "", "  Zoë is here"]));
        check(b"no end", Ok(&["no end"]));
        check("a\u{200b}b".as_bytes(), Ok(&["ab"]));
        check(b"a\nb\x1b[2J\n", Err("line 2 holds a control character"));
        check(b"a\rb\n", Err("line 1 holds a control character"));
        check(b"a\0", Err("line 1 holds a control character"));
        check("a\u{202e}".as_bytes(), Err("line 1 holds a control character"));
        check(b"\xff\n", Err("line 1 is not UTF-8"));
        check("x".repeat(257).as_bytes(), Err("line 1 has 257 bytes, and at most 256 fit"));
        check("x\n".repeat(65).as_bytes(), Err("has more than 64 lines"));
        assert_eq!(lines(&[&*"x".repeat(256), "\r\n"].concat().repeat(64).into_bytes()).unwrap().len(), 64);
    }

    #[test]
    fn a_regular_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("motd");
        assert!(read(&path).unwrap_err().contains("irc.motd = \"\""));
        fs::write(&path, "x".repeat(FILE_BYTES * 2)).unwrap();
        assert_eq!(read(&path).unwrap().len(), FILE_BYTES + 1);
        assert!(read(folder.path()).unwrap_err().contains("not a regular file"));
    }
}
