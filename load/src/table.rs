//! The table at the end of a run, for people: one figure a line, and the meaning of each word.

use std::fmt::Write as _;

use super::report::{Encryption, Handshaken, Lines, Process, Report, Spread, Store, Storm};
use super::turns::Comparison;

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
    if let Some(store) = &report.store {
        store_of(store, &mut table);
    }
    match (&report.process, &report.process_unknown) {
        (Some(process), _) => process_of(process, report.store.is_none(), &mut table),
        (None, Some(why)) => table.row("server's CPU, memory", "not known", why),
        (None, None) => {}
    }
    if let Some(busy) = report.chatload_busy {
        let note = if busy > BUSY { "it was the limit itself: the server may be faster than this" } else { "" };
        table.row("chatload busy", &percent(busy), note);
        table.word("chatload busy", "part of the time in which this program itself had work to do");
    }
    let history = report.history.map(|history| format!(", history {history}")).unwrap_or_default();
    let Report { work, what, server, .. } = report;
    let mut text = format!("\n{work}: {what}\nserver: {server}{history}\n\n{}", table.text());
    if report.interrupted {
        text.push_str("\nended early by a signal: these are the figures up to then\n");
    }
    text
}

/// Runs with and without a history, side by side.
pub(super) fn render_comparison(comparison: &Comparison) -> String {
    let Comparison { work, what, turns, compared, runs } = comparison;
    let plural = if *turns == 1 { "" } else { "s" };
    let mut text = format!("\n{work}: {what}\n{turns} run{plural} with a history and as many without one, in turn\n\n");
    let width = compared.iter().map(|figure| figure.what.len()).max().unwrap_or(0);
    let _ = writeln!(text, "  {:<width$}  {:>12}  {:>12}  {:>6}", "median", "on", "off", "on/off");
    for figure in compared {
        let (on, off) = (short(figure.on), short(figure.off));
        let _ = writeln!(text, "  {:<width$}  {on:>12}  {off:>12}  {:>6.3}", figure.what, figure.ratio);
    }
    let each: Vec<f64> = runs
        .iter()
        .filter_map(|run| run.process.as_ref()?.history_cpu_us_per_line)
        .filter(|each| *each > 0.0)
        .collect();
    if !each.is_empty() {
        let mean = each.iter().sum::<f64>() / each.len() as f64;
        let _ = writeln!(text, "\n  the history's threads took {} for each line said", time(mean));
    }
    let not_kept: u64 = runs.iter().filter_map(|run| run.lines.as_ref()).map(|lines| lines.not_kept).sum();
    if not_kept > 0 {
        let _ = writeln!(text, "  {} lines were delivered and not kept", count(not_kept as f64));
    }
    if runs.iter().any(|run| run.interrupted) {
        text.push_str("\nended early by a signal: these are the figures up to then\n");
    }
    text
}

/// A number with three digits, or as a whole number with separated thousands.
fn short(number: f64) -> String {
    match number {
        _ if number < 10.0 => format!("{number:.3}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => count(number),
    }
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
        (lines.not_kept, "  not kept", "the server delivered them and had no room to keep them"),
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
    if lines.bad_ids > 0 {
        table.row("bad ids", &count(lines.bad_ids as f64), "messages without an id, or not with a later one");
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

fn store_of(store: &Store, table: &mut Table) {
    table.row("messages", &count(store.rows as f64), &format!("in {} places", store.places));
    table.row("on disk", &size(store.bytes as f64), &format!("{:.0} bytes each", store.bytes_per_row));
    let note = format!("{}/s, by chatload", count(store.rows_per_s));
    table.row("filled in", &time(store.fill_s * 1e6), &note);
    table.row("started in", &time(store.start_s * 1e6), "");
    for question in &store.questions {
        let asked = format!("{} asked", count(question.answered as f64));
        let (p50, rest) = match question.latency_us {
            Some(Spread { p50, p99, max, .. }) => (time(p50), format!("p99 {}, max {}", time(p99), time(max))),
            None => ("-".to_owned(), "no answer".to_owned()),
        };
        let lines =
            if question.lines_each > 0.0 { format!(", {:.0} lines each", question.lines_each) } else { String::new() };
        table.row(question.what, &p50, &format!("{rest}; {asked}{lines}"));
        for (why, times) in &question.refused {
            table.row("  refused", &count(*times as f64), why);
        }
    }
    table.word("started in", "from the start of the server on this history until it listened");
    table.word("page of 50", "HISTORY of one room before some message: the median, as in all lines below it");
    table.word("200 after an id", "HISTORY of all places of a reader after some message");
    table.word(
        "search",
        "SEARCH in all places of a reader; usual: words in one of some hundred messages; rare: in one of 500,000",
    );
    table.word("250 kept", "a direct message to somebody who is away, until it is on disk");
    table.word("resume", "log in, JOIN all rooms, HISTORY after the last message before 1,000 others, to the end");
}

fn process_of(process: &Process, has_cpu: bool, table: &mut Table) {
    if has_cpu {
        table.row("server's CPU", &percent(process.cpu_share), "of one processor while it was measured");
    }
    if let Some(each) = process.cpu_us_per_delivery {
        table.row("  for each delivery", &time(each), "");
    }
    if let Some(each) = process.loop_cpu_us_per_delivery {
        table.row(
            "  in the loop",
            &time(each),
            "for each delivery, without the threads of passwords and of the history",
        );
    }
    if let Some(each) = process.history_cpu_us_per_line {
        table.row("  in the history", &time(each), "for each line said");
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
    if has_cpu {
        table.word(
            "server's CPU",
            "processor time of the server's process, all threads, in the program and in the kernel",
        );
    }
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
