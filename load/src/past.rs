//! `history`: a server with a history of millions of messages, which its accounts read, search and write to.
//!
//! ```text
//! start a server ─▶ all register ─▶ stop it ─▶ fill its history ─▶ start it ─▶ ask one thing after the other
//! ```

mod ask;
mod layout;
mod resume;
mod text;

use std::fs;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chatd::history::fill::{self, Filled, Filling};

use self::ask::{Asking, KINDS, Kind};
use self::layout::Layout;
use self::resume::Resuming;
use self::text::Texts;
use super::args::{Args, Past};
use super::dialogue::Visitor;
use super::entrance::Entrance;
use super::fleet::Fleet;
use super::progress::Progress;
use super::report::{Connections, Process, Question, Report, Store};
use super::run::{Run, SECOND, Stop};
use super::spawn::{Rules, Spawned};
use super::speech::Speech;
use super::target::{Target, take_descriptors};

/// The days over which the messages are spread.
const DAYS: u64 = 20;
/// Milliseconds between the last message and now.
const AGO_MS: u64 = 60_000;
/// A part of all messages is unread: one in this many.
const UNREAD_PART: u64 = 100;
/// Connections that log in at the same time.
const AT_ONCE: usize = 64;
/// Keys of the server: nothing that is put in is deleted again, and everybody may be in all of their rooms.
const KEYS: [&str; 5] = [
    "history.keep_days=36500",
    "history.keep_messages=1000000000",
    "history.max_bytes=1099511627776",
    "accounts.registration=\"open\"",
    "rooms.per_session=1000",
];

/// Runs the workload and returns its results.
///
/// # Errors
/// It could not run: what failed, why, and what would help.
pub(super) fn conduct(args: &Args, past: &Past, stop: Stop) -> Result<Report, String> {
    let layout = Layout::new(args.connections(), past.places);
    take_descriptors(layout.accounts() + layout.readers)?;
    let mut rules = Rules { history: Some(true), ..Rules::of(args.common()) };
    // Those of the command line come last and win.
    rules.sets.splice(0..0, KEYS.map(str::to_owned));
    let server = Spawned::start(2 * layout.accounts(), &rules, &stop)?;
    let mut target = Target::of(server);
    let mut run = begin(args, &target, &layout, stop)?;
    let mut report = Report {
        work: args.name(),
        what: describe(&layout, past, args.size()),
        server: target.describe(),
        web: args.common().web,
        history: Some("on"),
        ..Report::default()
    };
    let outcome = all(args, past, &layout, &mut target, &mut run, &mut report);
    run.progress.clear();
    outcome.map_err(|why| format!("{}: {why}", target.addr))?;
    report.interrupted = run.stop.is_asked();
    report.process_unknown = target.unknown();
    Ok(report)
}

fn describe(layout: &Layout, past: &Past, size: usize) -> String {
    format!(
        "{} messages of {size} bytes at most in {} places; readers have {} places each",
        past.rows,
        past.places,
        layout.places_each()
    )
}

fn begin(args: &Args, target: &Target, layout: &Layout, stop: Stop) -> Result<Run, String> {
    // The last connection is for those who come back.
    let size = layout.accounts() as usize + 1;
    let fleet = Fleet::new(target.way(args)?, size).map_err(|error| format!("no poll can be made: {error}"))?;
    Ok(Run { fleet, stop, progress: Progress::new() })
}

fn all(
    args: &Args,
    past: &Past,
    layout: &Layout,
    target: &mut Target,
    run: &mut Run,
    report: &mut Report,
) -> Result<(), String> {
    let visitors = |count: u32| (0..count).map(|n| visitor(args, n)).collect::<Vec<_>>();
    register(layout, visitors(layout.accounts()), run, report)?;
    let Some(server) = &mut target.spawned else { return Err("history takes a server of its own".to_owned()) };
    if run.stop.is_asked() {
        return Ok(());
    }
    for who in 0..layout.accounts() as usize {
        run.fleet.close(who);
    }
    server.stop()?;
    let names: Vec<String> = (0..layout.accounts()).map(|n| format!("{}{n}", args.common().prefix)).collect();
    let file = server.history();
    let begun = Instant::now();
    let filled = fill_up(args, past, &layout.places(&names), &file, run)?;
    let fill_s = begun.elapsed().as_secs_f64();
    if run.stop.is_asked() {
        return Ok(());
    }
    let begun = Instant::now();
    server.restart(&run.stop)?;
    let start_s = begun.elapsed().as_secs_f64();
    let bytes = size(&file);
    let mut store = Store {
        rows: filled.rows,
        places: u64::from(past.places),
        places_each: u64::from(layout.places_each()),
        bytes,
        bytes_per_row: bytes as f64 / filled.rows.max(1) as f64,
        fill_s,
        rows_per_s: filled.rows as f64 / fill_s.max(1e-9),
        start_s,
        questions: Vec::new(),
    };
    let mut entrance = Entrance::new(visitors(layout.readers), Speech::Typed);
    entrance.bring_in(run, 0..layout.readers as usize, AT_ONCE)?;
    if entrance.arrivals.entered.len() < layout.readers as usize && !run.stop.is_asked() {
        return Err(format!("not everybody came back: {:?}", entrance.arrivals.failed));
    }
    ask_all(args, past, layout, filled, run, &mut store)?;
    let memory = target.memory();
    report.process = memory.map(|memory| Process { rss_bytes: Some(memory.rss), ..Process::default() });
    report.server_went_away = run.fleet.open() == 0;
    report.store = Some(store);
    Ok(())
}

fn visitor(args: &Args, n: u32) -> Visitor {
    let common = args.common();
    Visitor {
        name: format!("{}{n}", common.prefix),
        password: common.password.clone(),
        token: None,
        wants_token: false,
        room: None,
    }
}

/// Makes the accounts, of which the history has to know.
fn register(layout: &Layout, visitors: Vec<Visitor>, run: &mut Run, report: &mut Report) -> Result<(), String> {
    let all = layout.accounts() as usize;
    run.progress.stage("registering", all as u64);
    let begin = run.fleet.now();
    let mut entrance = Entrance::new(visitors, Speech::Typed);
    entrance.bring_in(run, 0..all, AT_ONCE)?;
    report.connections = Connections::new(all as u64, &entrance.arrivals, begin, (0, 0));
    if entrance.arrivals.entered.len() < all && !run.stop.is_asked() {
        return Err(format!("not everybody came in: {:?}", entrance.arrivals.failed));
    }
    Ok(())
}

fn fill_up(args: &Args, past: &Past, places: &[fill::Place], file: &Path, run: &mut Run) -> Result<Filled, String> {
    run.progress.stage("filling", past.rows);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or_default();
    let last_ms = now_ms.saturating_sub(AGO_MS);
    let mut texts = Texts::new(args.size());
    let (stop, progress) = (run.stop.clone(), &mut run.progress);
    let mut filling = Filling {
        rows: past.rows,
        between_ms: (last_ms.saturating_sub(DAYS * 24 * 60 * 60 * 1000), last_ms),
        places,
        unread: past.rows / UNREAD_PART,
        text: &mut |n, text| texts.write(n, text),
        go_on: &mut |done| {
            progress.set(done, "messages");
            !stop.is_asked()
        },
    };
    fill::fill(file, &mut filling).map_err(|failure| failure.to_string())
}

/// The size of a history on disk.
fn size(file: &Path) -> u64 {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    [file, Path::new(&log)].iter().filter_map(|path| fs::metadata(path).ok()).map(|about| about.len()).sum()
}

/// Asks one thing after the other.
fn ask_all(
    args: &Args,
    past: &Past,
    layout: &Layout,
    filled: Filled,
    run: &mut Run,
    store: &mut Store,
) -> Result<(), String> {
    let time = u64::from(args.seconds()) * SECOND;
    for kind in KINDS {
        if run.stop.is_asked() || run.fleet.open() == 0 {
            break;
        }
        run.progress.stage(kind.name(), u64::from(past.asks));
        let mut asking = Asking::new(kind, layout, filled, &args.common().prefix);
        asking.go_on(run, args.connections(), past.asks, time)?;
        store.questions.push(asking.question());
    }
    if !run.stop.is_asked() && run.fleet.open() > 0 {
        store.questions.push(resume(args, past, layout, filled, run, time)?);
    }
    Ok(())
}

/// Comes back as one reader after the other.
fn resume(
    args: &Args,
    past: &Past,
    layout: &Layout,
    filled: Filled,
    run: &mut Run,
    time: u64,
) -> Result<Question, String> {
    run.progress.stage("resume", u64::from(past.asks));
    let mut resuming = Resuming::new(layout.accounts() as usize);
    let end = run.fleet.now() + time;
    for n in 0..past.asks {
        if run.fleet.now() >= end || run.stop.is_asked() {
            break;
        }
        let reader = n % layout.readers;
        let missed = Kind::missed(layout, filled);
        resuming.go_on(
            run,
            visitor(args, reader),
            &layout.rooms_of(reader),
            filled.id(filled.rows.saturating_sub(missed)),
        )?;
        run.progress.set(u64::from(n), "");
    }
    Ok(resuming.question())
}
