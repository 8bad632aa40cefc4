use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;

#[track_caller]
fn check(input: &str, expected: &str) {
    assert_eq!(escape(input), expected);
}

#[test]
fn what_a_terminal_obeys_is_escaped() {
    check("plain, ünïcode ✓ \\ 'quoted' \"too\"", "plain, ünïcode ✓ \\ 'quoted' \"too\"");
    check("\x1b[2J", "\\u{1b}[2J");
    check("a\nb\r\tc\0", "a\\nb\\r\\tc\\u{0}");
    check("\x7f\u{80}\u{9b}\u{9f}\u{a0}", "\\u{7f}\\u{80}\\u{9b}\\u{9f}\u{a0}");
    check("\u{2028}\u{2029}", "\\u{2028}\\u{2029}");
    check("\u{202a}\u{202e}\u{2066}\u{2069}\u{200f}\u{61c}", "\\u{202a}\\u{202e}\\u{2066}\\u{2069}\\u{200f}\\u{61c}");
    check("\u{206a}\u{fff9}\u{200b}\u{feff}", "\\u{206a}\\u{fff9}\\u{200b}\\u{feff}");
    check("x\u{e0067}🏴\u{e0067}\u{e0062}\u{e007f}", "x\\u{e0067}🏴\u{e0067}\u{e0062}\u{e007f}");
    check("\u{2027}\u{202f}\u{200c}\u{200d}", "\u{2027}\u{202f}\u{200c}\u{200d}");
}

#[test]
fn a_line_has_time_level_and_message() {
    let text = String::from_utf8(line(Level::Warn, "two\nlines")).unwrap();
    let (time, rest) = text.split_once(' ').unwrap();
    assert_eq!(rest, "[WARN] two\\nlines\n");
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
}

#[test]
fn a_long_message_is_cut() {
    let long = "é".repeat(MESSAGE_BYTES);
    let text = message(&Record::builder().args(format_args!("{long}")).build());
    assert_eq!((text.len(), text.chars().last()), (MESSAGE_BYTES + '…'.len_utf8(), Some('…')));
}

fn to(path: &Path) -> Target {
    Target { file: Some(path.to_owned()), taken: Vec::new() }
}

fn writer(queue: &Queue, sink: impl Write + Send + 'static) -> Writer<'_> {
    Writer { queue, sink: Box::new(sink), torn: false, told: 0 }
}

/// The messages of a log file.
fn messages(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split_once("] ").map_or(line, |(_, message)| message).to_owned()).collect()
}

#[test]
fn a_full_queue_drops_and_counts_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let queue = Queue::new();
    for number in 0..LOG_LINES + 10 {
        queue.push(line(Level::Info, &number.to_string()));
    }
    assert_eq!(queue.lock().dropped, 10);
    let mut writer = writer(&queue, to(&path).open().unwrap());
    writer.turn();
    queue.push(line(Level::Info, "again"));
    writer.turn();
    let messages = messages(&path);
    assert_eq!(messages.len(), LOG_LINES + 2);
    assert_eq!(messages[LOG_LINES - 1], (LOG_LINES - 1).to_string());
    assert!(messages[LOG_LINES].starts_with("10 log lines were dropped: "), "{}", messages[LOG_LINES]);
    assert_eq!(messages[LOG_LINES + 1], "again");
}

#[test]
fn a_file_is_private_and_reopened_between_lines() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
    let queue = Queue::new();
    let mut writer = writer(&queue, to(&path).open().unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::rename(&path, &moved).unwrap();
    queue.push(line(Level::Info, "before"));
    queue.reopen(to(&folder.path().join("stale")));
    queue.reopen(to(&path));
    queue.push(line(Level::Info, "after"));
    writer.turn();
    assert_eq!((messages(&moved), messages(&path)), (vec!["before".to_owned()], vec!["after".to_owned()]));
    assert!(!folder.path().join("stale").exists());
}

#[test]
fn a_file_that_cannot_be_opened_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let queue = Queue::new();
    let mut writer = writer(&queue, to(&path).open().unwrap());
    queue.reopen(to(&folder.path().join("no/log")));
    writer.turn();
    let messages = messages(&path);
    assert!(messages[0].starts_with("log.file: cannot open "), "{messages:?}");
    assert!(messages[0].ends_with("; the log stays where it was"), "{messages:?}");
}

/// A disk with this many bytes free.
struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.0.lock().unwrap();
        let fits = bytes.len().min(disk.1 - disk.0.len());
        if fits == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.0.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_loses_lines_but_never_joins_them() {
    let disk = Arc::new(Mutex::new((Vec::new(), 7)));
    let queue = Queue::new();
    let mut writer = writer(&queue, Disk(disk.clone()));
    for text in ["one\n", "two\n", "three\n"] {
        queue.push(text.into());
    }
    writer.turn();
    assert_eq!((disk.lock().unwrap().0.as_slice(), queue.lock().dropped), (&b"one\ntwo"[..], 2));
    disk.lock().unwrap().1 = 1000;
    queue.push("four\n".into());
    writer.turn();
    let text = String::from_utf8(disk.lock().unwrap().0.clone()).unwrap();
    assert!(text.starts_with("one\ntwo\nfour\n"), "{text}");
    assert!(text.contains("[WARN] 2 log lines were dropped: "), "{text}");
}

#[test]
fn the_end_waits_for_the_writer_but_not_for_ever() {
    static LOCAL: Queue = Queue::new();
    LOCAL.push(line(Level::Info, "last"));
    assert!(!LOCAL.drained(Duration::from_millis(10)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut writer = writer(&LOCAL, to(&path).open().unwrap());
    thread::spawn(move || {
        loop {
            writer.turn();
        }
    });
    assert!(LOCAL.drained(Duration::from_secs(10)));
    assert_eq!(messages(&path), ["last"]);
}
