//! What the store costs. Run alone, with a release build:
//! `cargo test --release --lib history::store::tests::figures -- --ignored --nocapture`

use super::*;

/// Words of which the texts are made.
const WORDS: [&str; 16] = [
    "the", "build", "server", "is", "green", "again", "lunch", "at", "noon", "who", "has", "seen", "Bob", "today",
    "thanks", "merging",
];

/// A text of about 29 bytes.
fn text(n: u64) -> String {
    let word = |at: u32| WORDS[usize::try_from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (at * 4 + 8) & 15).unwrap()];
    format!("{} {} {} {} {}", word(0), word(1), word(2), word(3), n % 10_000)
}

fn said(n: u64) -> Record {
    let spot =
        if n.is_multiple_of(3) { Spot::Everybody } else { Spot::Room(KeptId(u32::try_from(n % 200).unwrap() + 1)) };
    row(at(0) + (n << 12), spot, &alice(), &text(n))
}

/// Milliseconds of processor time that the thread `history` has used.
fn thread_ms() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    for task in tasks.map(|task| task.unwrap().path()) {
        if std::fs::read_to_string(task.join("comm")).unwrap().trim() == "history" {
            let text = std::fs::read_to_string(task.join("schedstat")).unwrap();
            return text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6;
        }
    }
    panic!("no thread")
}

fn memory_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn disk(rig: &Rig) -> i64 {
    ["", "-wal"]
        .map(|suffix| {
            std::fs::metadata(rig.folder().join(format!("history.db{suffix}"))).map_or(0, |it| it.len().cast_signed())
        })
        .iter()
        .sum()
}

#[test]
#[ignore = "takes long"]
fn figures() {
    let mut rig = Rig::new();
    rig.rules.max_bytes = 1 << 40;
    rig.rules.keep_messages = 100_000_000;
    let open = rig.open();
    open.keep((1..=200).map(|n| room(n, 30)).collect());
    open.keep((0..1_000).map(said).collect());
    let mut next = 1_000;
    let mut take = |most: u64| -> Vec<Record> {
        next += most;
        (next - most..next).map(said).collect()
    };

    let before = memory_kib();
    let (start, cpu) = (Instant::now(), thread_ms());
    let batches: Vec<_> = (0..64).map(|_| take(1_563)).collect();
    let made = start.elapsed();
    let start = Instant::now();
    for records in batches {
        open.submit(Request::Keep(batch(records, &[])));
    }
    open.wait(|history| history.backlog() == 0);
    let (wall, used) = (start.elapsed(), thread_ms() - cpu);
    println!(
        "100,032 rows at once: {:.0} rows/s, {:.1} us of processor a row (made in {made:?})",
        100_032.0 / wall.as_secs_f64(),
        used / 100.032
    );

    let cpu = thread_ms();
    for _ in 0..2_000 {
        open.keep(take(25));
    }
    println!("commits of 25 rows: {:.1} us of processor a row", (thread_ms() - cpu) / 50.0);
    for _ in 0..400 {
        open.tell(take(1_563));
        open.wait(|history| history.backlog() < 4 << 20);
    }
    open.wait(|history| history.backlog() == 0);
    let mut latencies: Vec<Duration> = (0..1_000)
        .map(|_| {
            let start = Instant::now();
            open.keep(take(1));
            start.elapsed()
        })
        .collect();
    latencies.sort_unstable();
    println!("kept alone: p50 {:?}, p99 {:?}", latencies[500], latencies[990]);
    println!("memory: {} KiB more than at the start", memory_kib().saturating_sub(before));
    let rows: i64 = rig.sqlite().query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
    let bytes: i64 = rig.sqlite().query_row("SELECT sum(length(text)) FROM message", [], |row| row.get(0)).unwrap();
    open.close();
    let size = disk(&rig);
    println!("{rows} rows: {} bytes a message besides {} of text", (size - bytes) / rows, bytes / rows);
    let mut cleaned = rig.copy();
    cleaned.rules.keep_messages = 100;
    let open = cleaned.open();
    let (start, cpu) = (Instant::now(), thread_ms());
    std::thread::sleep(Duration::from_secs(10));
    let left: i64 = cleaned.sqlite().query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
    println!(
        "cleaning: {} rows in {:?}, {:.1} us of processor a row",
        rows - left,
        start.elapsed(),
        (thread_ms() - cpu) * 1_000.0 / (rows - left) as f64
    );
    open.close();
}
