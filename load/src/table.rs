//! The table at the end of a run, for people: one figure a line, and the meaning of each word.

use std::fmt::Write as _;

use super::report::{Encryption, Handshaken, Lines, Process, Report, Spread, Storm};

/// Above this share of busy time, chatload has probably measured itself.
const BUSY: f64 = 0.9;

/// A run as a table, with an explanation of each word that needs one.
pub(super) fn render(report: &Report) -> String {
    let mut table = Table::default();
    connections(report, &mut table);
    if let Some(tls) = &report.tls {
        encryption(tls, &mut table);
    }
    if let Some(handshakes) = &report.handshakes {
        handshakes_of(handshakes, &mut table);
    }
    if let Some(lines) = &report.lines {
        lines_of(lines, &mut table);
    }
    if let Some(spread) = &report.latency_us {
        latency(spread, report.lines.as_ref(), &mut table);
    }
    if let Some(storm) = &report.storm {
        storm_of(storm, &mut table);
    }
    match (&report.process, &report.process_unknown) {
        (Some(process), _) => process_of(process, &mut table),
        (None, Some(why)) => table.row("server's CPU, memory", "not known", why),
        (None, None) => {}
    }
    if let Some(busy) = report.chatload_busy {
        let note = if busy > BUSY { "it was the limit itself: the server may be faster than this" } else { "" };
        table.row("chatload busy", &percent(busy), note);
        table.word("chatload busy", "part of the time in which this program itself had work to do");
    }
    let mut text = format!("\n{}: {}\nserver: {}\n\n{}", report.work, report.what, report.server, table.text());
    if report.interrupted {
        text.push_str("\nended early by a signal: these are the figures up to then\n");
    }
    text
}

/// Rows, and the words explained below them.
#[derive(Default)]
struct Table {
    rows: Vec<[String; 3]>,
    words: Vec<(&'static str, &'static str)>,
}

impl Table {
    fn row(&mut self, label: &str, value: &str, note: &str) {
        self.rows.push([label.to_owned(), value.to_owned(), note.to_owned()]);
    }

    fn word(&mut self, word: &'static str, meaning: &'static str) {
        self.words.push((word, meaning));
    }

    fn text(&self) -> String {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let (labels, values) = (width(0), width(1));
        let mut text = String::new();
        for [label, value, note] in &self.rows {
            let line = format!("  {label:<labels$}  {value:>values$}  {note}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text.push('\n');
        let words = self.words.iter().map(|(word, _)| word.chars().count()).max().unwrap_or(0);
        for (word, meaning) in &self.words {
            let _ = writeln!(text, "  {word:<words$}  {meaning}");
        }
        text
    }
}

fn connections(report: &Report, table: &mut Table) {
    let found = &report.connections;
    let note = if found.logged_in == found.asked { String::new() } else { format!("of {}", count(found.asked as f64)) };
    table.row("connections", &count(found.logged_in as f64), &note);
    for (why, times) in &found.failed {
        table.row("  not let in", &count(*times as f64), why);
    }
    for (why, times) in &found.ended {
        table.row("  ended", &count(*times as f64), why);
    }
    table.row("connected", &format!("{}/s", count(found.connections_per_s)), "");
    let note =
        if found.registered > 0 { format!("{} new accounts", count(found.registered as f64)) } else { String::new() };
    table.row("logged in", &format!("{}/s", count(found.logins_per_s)), &note);
    table.word("connected", "connections that got the server's greeting, in each second of logging in");
    table.word("logged in", "logins in each second; each checks a password, a new account is also brought to disk");
}

fn encryption(tls: &Encryption, table: &mut Table) {
    let note = if tls.resumed > 0 { format!("{} of them resumed", count(tls.resumed as f64)) } else { String::new() };
    table.row("TLS handshakes", &format!("{}/s", count(tls.handshakes_per_s)), &note);
    table.word("TLS handshakes", "handshakes in each second of logging in");
}

fn handshakes_of(found: &Handshaken, table: &mut Table) {
    table.row("handshakes, full", &count(found.full as f64), "");
    table.row("  resumed", &count(found.resumed as f64), "");
    table.row("", &format!("{}/s", count(found.per_s)), "");
    if found.not_begun > 0 {
        table.row(
            "  not begun",
            &count(found.not_begun as f64),
            "they were due, and the server had not done the others",
        );
    }
    for (why, times) in &found.failed {
        table.row("  failed", &count(*times as f64), why);
    }
    if let Some(spread) = found.until_greeting_us {
        for (label, value) in [("greeting p50", spread.p50), ("greeting p99", spread.p99), ("greeting max", spread.max)]
        {
            table.row(label, &time(value), "");
        }
    }
    table.word("handshake", "a connection that sets TLS up, reads the greeting and leaves; resumed: by a ticket");
    table.word("greeting", "from when a connection was due until its greeting had come");
}

fn lines_of(lines: &Lines, table: &mut Table) {
    let note = format!("in {:.1} s, {} loop, {} bytes each", lines.seconds, lines.pace, lines.size_bytes);
    table.row("lines said", &count(lines.said as f64), &note);
    table.row("", &format!("{}/s", count(lines.said_per_s)), "");
    for (times, label, note) in [
        (lines.refused, "  refused", "the server answered with something else than 250"),
        (lines.unanswered, "  unanswered", "the server said nothing to them"),
        (lines.unsaid, "  not said", "they were due, and the server did not take them in time"),
    ] {
        if times > 0 {
            table.row(label, &count(times as f64), note);
        }
    }
    table.row("deliveries", &count(lines.deliveries as f64), "");
    table.row("", &format!("{}/s", count(lines.deliveries_per_s)), "");
    table.row("lost", &count(lines.lost as f64), "");
    table.row("out of order", &count(lines.out_of_order as f64), "");
    if lines.strays > 0 {
        table.row("strays", &count(lines.strays as f64), "lines heard by somebody whom they were not for");
    }
    table.word("delivery", "a line that has reached one receiver: a line with 99 receivers counts as 99 deliveries");
    table.word("lost", "deliveries that never came, by the number in each line, on connections that stayed open");
    table.word("out of order", "lines that came after a later one of the same sender, or twice");
}

fn latency(spread: &Spread, lines: Option<&Lines>, table: &mut Table) {
    for (label, value) in [
        ("latency p50", spread.p50),
        ("latency p99", spread.p99),
        ("latency p99.9", spread.p999),
        ("latency max", spread.max),
    ] {
        table.row(label, &time(value), "");
    }
    if lines.is_some_and(|lines| lines.pace == "closed") {
        table.word("latency", "from when a line was sent until a receiver had read it");
        table.word(
            "closed loop",
            "a line waits until earlier ones have come: this shows what the server can do, and its latency under that",
        );
    } else {
        table.word("latency", "from when a line was due, not sent, until a receiver had read it");
        table.word("open loop", "lines are due at fixed times, whatever the server does: what is late counts as late");
    }
    table.word("p99", "99 of 100 deliveries were at least as fast as this; p50: half of them");
}

fn storm_of(storm: &Storm, table: &mut Table) {
    table.row("down for", &time(storm.down_s * 1e6), "killed, started again, listening");
    table.row("resumed", &count(storm.resumed as f64), "");
    table.row("  half of them within", &time(storm.half_resumed_s * 1e6), "");
    table.row("  all of them within", &time(storm.all_resumed_s * 1e6), "");
    table.word("resumed", "connections that came back by their token, without a password");
    table.word("within", "from when the server listened again until those were logged in");
}

fn process_of(process: &Process, table: &mut Table) {
    table.row("server's CPU", &percent(process.cpu_share), "of one processor while it was measured");
    if let Some(each) = process.cpu_us_per_delivery {
        table.row("  for each delivery", &time(each), "");
    }
    if let Some(each) = process.cpu_us_per_handshake {
        table.row("  for each handshake", &time(each), "with all else that its connection costs, and the pair");
    }
    match (process.rss_bytes, process.rss_bytes_per_connection) {
        (Some(whole), each) => {
            table.row("server's memory", &size(whole as f64), "");
            if let Some(each) = each {
                table.row("  for each connection", &size(each), "");
            }
            table.word("memory", "resident memory of the process; the kernel's socket buffers are not in it");
        }
        (None, _) => table.row("server's memory", "not known", "only its own user and root may read it"),
    }
    table.word("server's CPU", "processor time of the server's process, all threads, in the program and in the kernel");
}

/// A number with separated thousands.
fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time, given in microseconds, in the usual unit.
fn time(us: f64) -> String {
    match us {
        _ if us < 1.0 => format!("{us:.3} µs"),
        _ if us < 100.0 => format!("{us:.1} µs"),
        _ if us < 1e3 => format!("{us:.0} µs"),
        _ if us < 1e5 => format!("{:.1} ms", us / 1e3),
        _ if us < 1e6 => format!("{:.0} ms", us / 1e3),
        _ => format!("{:.2} s", us / 1e6),
    }
}

fn size(bytes: f64) -> String {
    match bytes {
        _ if bytes < 10_000.0 => format!("{bytes:.0} bytes"),
        _ if bytes < 10.0 * 1024.0 * 1024.0 => format!("{:.0} KiB", bytes / 1024.0),
        _ => format!("{:.1} MiB", bytes / (1024.0 * 1024.0)),
    }
}

fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Connections;

    #[track_caller]
    fn check(found: &str, expected: &str) {
        assert_eq!(found, expected);
    }

    #[test]
    fn numbers_as_people_write_them() {
        check(&count(0.0), "0");
        check(&count(999.4), "999");
        check(&count(1_000.0), "1,000");
        check(&count(1_234_567.0), "1,234,567");
        check(&time(0.0552), "0.055 µs");
        check(&time(22.34), "22.3 µs");
        check(&time(999.0), "999 µs");
        check(&time(1_234.0), "1.2 ms");
        check(&time(250_000.0), "250 ms");
        check(&time(1_940_000.0), "1.94 s");
        check(&size(778.4), "778 bytes");
        check(&size(20_480.0), "20 KiB");
        check(&size(20_971_520.0), "20.0 MiB");
        check(&percent(0.973), "97.3 %");
    }

    fn report() -> Report {
        let connections = Connections { asked: 100, logged_in: 98, ..Connections::default() };
        Report {
            work: "mesh",
            what: "100 talk".to_owned(),
            server: "here".to_owned(),
            connections,
            ..Report::default()
        }
    }

    #[test]
    fn every_word_of_a_talk_is_explained() {
        let mut talk = report();
        talk.connections.failed.insert("server full".to_owned(), 2);
        talk.lines = Some(Lines { pace: "open", deliveries: 9_702, unsaid: 3, ..Lines::default() });
        talk.latency_us = Some(Spread { p50: 22.0, p99: 30.0, p999: 40.0, max: 50.0 });
        talk.process =
            Some(Process { rss_bytes: Some(1), rss_bytes_per_connection: Some(500.0), ..Process::default() });
        talk.chatload_busy = Some(0.95);
        let text = render(&talk);
        for part in [
            "mesh: 100 talk",
            "98  of 100",
            "2  server full",
            "9,702",
            "not said",
            "500 bytes",
            "30.0 µs",
            "it was the limit",
        ] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        for word in ["delivery", "lost", "out of order", "latency", "open loop", "p99", "memory", "server's CPU"] {
            assert!(text.lines().any(|line| line.starts_with(&format!("  {word}  "))), "no {word:?} in {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 120 && line.trim_end() == line), "{text}");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut idle = report();
        idle.process_unknown = Some("the server is on another machine".to_owned());
        idle.interrupted = true;
        let text = render(&idle);
        assert!(text.contains("not known  the server is on another machine") && text.contains("ended early"), "{text}");
        assert!(!text.contains("latency"), "{text}");
        idle.process_unknown = None;
        idle.process = Some(Process::default());
        assert!(render(&idle).contains("not known  only its own user"));
    }
}
