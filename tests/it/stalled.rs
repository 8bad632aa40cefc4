//! A crowd of a hundred, one of which does not read.

use std::io::Read;
use std::time::Duration;

use testkit::{Client, Server, eventually};

/// Lines that are sent before all of them are read: too few for a limit.
const BATCH: usize = 8;
/// The text of a line, padded to its length and numbered.
fn text(number: usize) -> String {
    format!("{number:x<4000}")
}

/// A hundred sessions of a server with default limits.
struct Crowd {
    server: Server,
    speaker: Client,
    readers: Vec<Client>,
    stalled: Client,
    said: usize,
}

impl Crowd {
    fn gather() -> Self {
        // The store has memory of its own.
        let server =
            Server::builder().no_rates().set("history.file", "''").set("accounts.sessions_per_account", "100").start();
        let speaker = server.bare("speaker");
        let readers = (0..98).map(|_| server.bare("reader")).collect();
        let stalled = server.bare("stalled");
        Self { server, speaker, readers, stalled, said: 0 }
    }

    /// Sends a batch of lines, which all readers read. Returns the answer to the last one.
    #[track_caller]
    fn say(&mut self) -> String {
        let numbers = self.said..self.said + BATCH;
        self.said = numbers.end;
        let lines: String = numbers.clone().map(|number| format!("PM {}\n", text(number))).collect();
        self.speaker.send_raw(lines.as_bytes());
        let answers: Vec<String> = numbers.clone().map(|_| self.speaker.line()).collect();
        let expected: String = numbers.map(|number| format!("D PM speaker {}\n", text(number))).collect();
        let mut heard = vec![0; expected.len()];
        for reader in &mut self.readers {
            // The crowd has read everything before, so the client's own buffer is empty.
            let mut stream = reader.stream();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.read_exact(&mut heard).expect("a batch of lines");
            assert!(heard == expected.as_bytes(), "a line is missing, torn, or in the wrong place");
        }
        answers.into_iter().next_back().unwrap()
    }

    #[track_caller]
    fn say_megabytes(&mut self, megabytes: usize) {
        let end = self.said + megabytes * 1_000_000 / text(0).len();
        while self.said < end {
            self.say();
        }
    }
}

/// Checks that these are the lines in order from the first on; the last may be torn if the connection was reset.
#[track_caller]
fn check_lines(lines: &str) -> usize {
    let mut count = 0;
    for line in lines.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        assert_eq!(line.trim_end(), format!("D PM speaker {}", text(count)));
        count += 1;
    }
    count
}

#[test]
fn a_stalled_reader_is_cut_unnoticed_by_others() {
    let mut crowd = Crowd::gather();
    crowd.say();
    let descriptors = crowd.server.descriptors();
    let before = crowd.server.resident_kib();
    crowd.say_megabytes(20);
    let grown = crowd.server.resident_kib().saturating_sub(before);
    assert!(grown < 4096, "{grown} KiB more for one who does not read");
    assert_eq!(crowd.say(), "C 250 sent to 98");
    let log = crowd.server.wait_for_log("too slow");
    assert!(log.contains("[INFO] 421 too slow: stalled from 127.0.0.1"), "{log}");
    // It has not read the reason for the close either, so the server has cut it off.
    eventually("the stalled one's descriptor is free", || crowd.server.descriptors() == descriptors - 1);
    let heard = crowd.stalled.expect_reset_or_closed();
    assert!(check_lines(&heard) > 10);
    for client in crowd.readers.iter_mut().chain([&mut crowd.speaker]) {
        client.barrier();
    }
}

#[test]
fn who_reads_on_after_being_cut_is_told_why() {
    let mut crowd = Crowd::gather();
    let mut rounds = 0;
    while crowd.say() == "C 250 sent to 99" {
        rounds += 1;
        assert!(rounds < 1000, "nobody is ever too slow");
    }
    let heard = crowd.stalled.expect_reset_or_closed();
    let lines = heard.strip_suffix("C 421 too slow\n").expect("a farewell");
    assert!(lines.ends_with('\n'), "the farewell stands in the middle of a line");
    assert!(check_lines(lines) > 10);
    assert_eq!(crowd.say(), "C 250 sent to 98");
}
