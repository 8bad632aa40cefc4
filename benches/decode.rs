//! The cost of a line's input: finding it in the bytes that were read, and decoding it.

#![expect(clippy::expect_used, reason = "a bench that cannot start measures nothing")]

mod settings;

use std::hint::black_box;

use chatd::door::Door;
use chatd::door::inbox::{Cut, Inbox};
use chatd::hub::event::Event;
use chatd::hub::names::UserName;
use chatd::limits::READ_BYTES;
use criterion::{Criterion, Throughput};

/// The least size of a new password in bytes. No line here chooses one.
const PASSWORD_MIN: u32 = 8;
/// The default bound of a line in bytes.
const LINE_BYTES: usize = 4096;

fn main() {
    let mut criterion = settings::short();
    decode(&mut criterion);
    cut(&mut criterion);
    criterion.final_summary();
}

/// A line of each kind, in both dialects.
fn decode(criterion: &mut Criterion) {
    let long = "PM ".to_owned() + &"a word or two ".repeat(70);
    let other = "PM ".to_owned() + &"grüße an alle — ".repeat(60);
    let mut group = criterion.benchmark_group("decode");
    for (name, line) in [
        ("pm", "PM hello everybody, how are you today?"),
        ("dm", "DM bob hello bob, how are you today?"),
        ("pm 1 KiB", long.as_str()),
        ("pm 1 KiB not ASCII", other.as_str()),
        ("noop", "NOOP"),
        ("502", "FROB it"),
    ] {
        for (dialect, prefix) in [("bare", ""), ("typed", "C ")] {
            let line = format!("{prefix}{line}");
            let mut door = logged_in(prefix);
            group.throughput(Throughput::Bytes(line.len() as u64));
            group.bench_function(format!("{dialect} {name}"), |bencher| {
                bencher.iter(|| {
                    black_box(door.decode(black_box(line.as_bytes()), PASSWORD_MIN));
                });
            });
        }
    }
    group.finish();
}

/// The input of one read, cut into lines.
fn cut(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cut 4 KiB");
    group.throughput(Throughput::Bytes(READ_BYTES as u64));
    for length in [16, 64, 512, READ_BYTES] {
        let mut line = vec![b'x'; length - 1];
        line.push(b'\n');
        let segment = line.repeat(READ_BYTES / length);
        let mut inbox = Inbox::default();
        group.bench_function(format!("lines of {length}"), |bencher| {
            bencher.iter(|| black_box(count_lines(&mut inbox, black_box(&segment))));
        });
    }
    // An incomplete line is held until more input comes.
    let segment = vec![b'x'; READ_BYTES / 2];
    group.throughput(Throughput::Bytes(segment.len() as u64));
    let mut scratch = vec![0; READ_BYTES];
    let mut inbox = Inbox::default();
    group.bench_function("half of it held and taken up", |bencher| {
        bencher.iter(|| {
            inbox.hold(black_box(&segment));
            black_box(inbox.unload(&mut scratch))
        });
    });
    group.finish();
}

fn count_lines(inbox: &mut Inbox, mut bytes: &[u8]) -> usize {
    let mut lines = 0;
    while let Cut::Line { next, .. } = inbox.cut(bytes, LINE_BYTES) {
        lines += 1;
        bytes = bytes.get(next..).unwrap_or_default();
    }
    lines
}

/// The door of a logged-in session. `prefix` begins its first line, and decides the dialect.
fn logged_in(prefix: &str) -> Door {
    let mut door = Door::line();
    door.decode(format!("{prefix}alice").as_bytes(), PASSWORD_MIN);
    let name = UserName::parse("alice").expect("alice is a name");
    door.encode_event(&Event::Welcome { name: name.into(), online: 1 }, &mut Vec::new());
    assert!(door.is_logged_in(), "a welcome ends the login");
    door
}
