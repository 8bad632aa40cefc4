//! Runs a workload: logs all connections in, does the work, and reports the measurements.

use super::args::{Args, Work};
use super::dialogue::{Room, Visitor};
use super::entrance::Entrance;
use super::fleet::Fleet;
use super::handshakes::Visits;
use super::past;
use super::pingpong::PingPong;
use super::process::Threads;
use super::progress::Progress;
use super::report::{Connections, Encryption, Lines, Process, Report, Spread, per_second};
use super::run::{Run, SECOND, Stop};
use super::storm;
use super::talk::{Listening, Pace, Talk};
use super::tally::Tally;
use super::target::{Target, take_descriptors};
use super::turns::{self, Comparison};

/// Connections under way at the same time, by default.
const AT_ONCE: u32 = 256;
/// The pause after the last login before the server's memory is read, in nanoseconds.
const SETTLE: u64 = SECOND / 5;

/// Runs the workload with and without a history in turn, `turns` times each.
///
/// # Errors
/// One of them could not run.
pub(super) fn compare(args: &Args, turns: u32, stop: &Stop) -> Result<Comparison, String> {
    let mut runs = Vec::new();
    for n in 0..2 * turns {
        let report = conduct(&args.with_history(turns::is_on(n)), stop.clone())?;
        let is_over = report.interrupted;
        runs.push(report);
        if is_over {
            break;
        }
    }
    Ok(Comparison::new(turns, runs))
}

/// Runs the workload and returns its results.
///
/// # Errors
/// It could not run: what failed, why, and what would help.
pub(super) fn conduct(args: &Args, stop: Stop) -> Result<Report, String> {
    if let Work::History { past, .. } = &args.work {
        return past::conduct(args, past, stop);
    }
    let connections = args.connections().saturating_add(args.visits());
    take_descriptors(connections)?;
    let mut target = Target::find(args.common(), connections, &stop)?;
    let way = target.way(args)?;
    let fleet = Fleet::new(way, connections as usize).map_err(|error| format!("no poll can be made: {error}"))?;
    let mut run = Run { fleet, stop, progress: Progress::new() };
    // So that lines of another chatload on the same server are recognized.
    let tag = u16::try_from(std::process::id() & 0xffff).unwrap_or_default();
    let mut entrance = Entrance::new(visitors(args, tag), args.speech());
    let mut report = Report {
        work: args.name(),
        what: format!("{}{}", describe(args), by(args)),
        server: target.describe(),
        web: args.common().web,
        irc: args.common().irc,
        history: target.keeps_history().map(|keeps| if keeps { "on" } else { "off" }),
        ..Report::default()
    };
    let mut process = Process::default();

    let outcome = come_in(args, &target, &mut run, &mut entrance, &mut report, &mut process);
    let outcome = outcome.and_then(|()| {
        if run.stop.is_asked() {
            return Ok(());
        }
        let gauge = Gauge::new(&target, &run);
        match &args.work {
            Work::Idle(_) | Work::History { .. } => idle(args, &mut run, &mut entrance, &mut report)?,
            Work::Storm(common) => {
                let at_once = common.at_once.map_or(usize::MAX, |at_once| at_once as usize);
                return storm::storm(&mut run, &mut target, entrance, at_once, &mut report);
            }
            Work::Fanout { .. } | Work::Mesh { .. } => talk(args, tag, &mut run, &mut report)?,
            Work::Pingpong { rate, .. } => pingpong(args, tag, *rate, &mut run, &mut report)?,
            Work::Handshakes { rate, pair_rate, .. } => {
                handshakes(args, tag, *rate, *pair_rate, &mut run, &mut report)?;
            }
        }
        gauge.read(&target, &run, &mut process, &mut report);
        report.server_went_away = run.fleet.open() == 0;
        report.process = target.unknown().is_none().then_some(process);
        Ok(())
    });
    run.progress.clear();
    outcome.map_err(|why| format!("{}: {why}{}", target.addr, hint(&target, &why)))?;
    report.interrupted = run.stop.is_asked();
    report.process_unknown = target.unknown();
    Ok(report)
}

/// The advice if a server cannot be reached.
fn hint(target: &Target, why: &str) -> &'static str {
    match &target.spawned {
        None if why.contains("refused") => "; is there a chatd? chatload … --spawn starts one",
        None | Some(_) => "",
    }
}

/// The account names and rooms of a run. The first connections create the rooms, one each.
fn visitors(args: &Args, tag: u16) -> Vec<Visitor> {
    let (common, rooms) = (args.common(), args.rooms());
    let room = |n: u32| Room { name: room_name(tag, n % rooms), is_new: n < rooms };
    (0..args.connections())
        .map(|n| Visitor {
            name: format!("{}{n}", common.prefix),
            password: common.password.clone(),
            token: None,
            wants_token: matches!(args.work, Work::Storm(_)),
            room: (rooms > 0).then(|| room(n)),
        })
        .collect()
}

fn room_name(tag: u16, room: u32) -> String {
    format!("load-{tag:04x}-{room}")
}

fn describe(args: &Args) -> String {
    let (all, senders) = (args.connections(), args.senders());
    let heard = match args.rooms() {
        0 => "everybody hears it".to_owned(),
        1 => "everybody in the room hears it".to_owned(),
        rooms => format!("in {rooms} rooms; all of a room hear it"),
    };
    match &args.work {
        Work::Idle(_) | Work::History { .. } => format!("{all} connections say nothing for {} s", args.seconds()),
        Work::Storm(_) => format!("the server is killed and started again under {all} connections"),
        Work::Handshakes { rate, resumed, pair_rate, .. } => {
            let how = if *resumed { "by a ticket if they have one" } else { "in full" };
            let visits = rate.map_or_else(
                || format!("{} connections at a time shake hands {how} and leave", args.visits()),
                |rate| format!("{rate} connections a second shake hands {how} and leave"),
            );
            format!("{visits}, beside a pair that says {pair_rate} lines a second")
        }
        Work::Pingpong { rate, .. } => {
            let pairs = if senders == 2 { "a pair".to_owned() } else { format!("{} pairs", senders / 2) };
            let rhythm = rate.map_or("at once".to_owned(), |rate| format!("with {rate} lines a second"));
            format!("{pairs} among {all} connections, who answer each other {rhythm}")
        }
        Work::Fanout { .. } | Work::Mesh { .. } => match pace(args) {
            Pace::Open(rate) => format!("{senders} of {all} connections say {rate} lines a second each, {heard}"),
            Pace::Closed(window) => {
                format!("{senders} of {all} connections keep {window} lines on their way, {heard}")
            }
        },
    }
}

/// The way of the connections, if it is not the usual one.
fn by(args: &Args) -> &'static str {
    match (args.common().web, args.common().irc) {
        (true, _) => ", by WebSocket",
        (false, true) => ", by IRC",
        (false, false) => "",
    }
}

fn pace(args: &Args) -> Pace {
    let usual = if matches!(args.work, Work::Fanout { .. }) { 100.0 } else { 10.0 };
    match &args.work {
        Work::Fanout { talk, .. } | Work::Mesh { talk, .. } => {
            talk.window.map_or(Pace::Open(talk.rate.unwrap_or(usual)), Pace::Closed)
        }
        Work::Idle(_) | Work::Storm(_) | Work::Pingpong { .. } | Work::Handshakes { .. } | Work::History { .. } => {
            Pace::Open(usual)
        }
    }
}

/// Logs all connections in, and measures the speed and the memory. The first one logs in alone and does not count: the
/// server sets up its shared state for it.
fn come_in(
    args: &Args,
    target: &Target,
    run: &mut Run,
    entrance: &mut Entrance,
    report: &mut Report,
    process: &mut Process,
) -> Result<(), String> {
    let all = args.connections() as usize;
    let at_once = args.common().at_once.unwrap_or(AT_ONCE) as usize;
    run.progress.stage("logging in", all as u64);
    let mut before = target.memory();
    let (mut begin, mut first) = (run.fleet.now(), (0, 0));
    if all > 1 {
        entrance.bring_in(run, 0..1, at_once)?;
        before = target.memory();
        begin = run.fleet.now();
        first = (entrance.arrivals.greeted, entrance.arrivals.logged_in);
    }
    // Rooms must exist before others can join them.
    let makers = (args.rooms() as usize).clamp(first.0 as usize, all);
    entrance.bring_in(run, first.0 as usize..makers, at_once)?;
    entrance.bring_in(run, makers..all, at_once)?;
    report.connections = Connections::new(all as u64, &entrance.arrivals, begin, first);
    report.tls = args.common().tls.then(|| Encryption::new(run.fleet.handshakes(), begin, first.0));
    if run.stop.is_asked() {
        return Ok(());
    }
    listen(run, entrance, SETTLE)?;
    let more = report.connections.logged_in.saturating_sub(first.1);
    process.set_memory(before, target.memory(), more);
    if entrance.arrivals.entered.is_empty() {
        let why: Vec<String> = entrance.arrivals.failed.keys().cloned().collect();
        return Err(format!("nobody came in: {}", why.join(", ")));
    }
    Ok(())
}

/// Only receives, for this many nanoseconds, or until the run is stopped or all connections are gone.
fn listen(run: &mut Run, entrance: &mut Entrance, time: u64) -> Result<(), String> {
    let begin = run.fleet.now();
    while run.fleet.now() < begin + time && !run.stop.is_asked() && run.fleet.open() > 0 {
        run.fleet.turn(begin + time, entrance).map_err(|error| format!("the poll failed: {error}"))?;
        run.progress.set((run.fleet.now() - begin) / SECOND, "s");
    }
    Ok(())
}

fn idle(args: &Args, run: &mut Run, entrance: &mut Entrance, report: &mut Report) -> Result<(), String> {
    run.progress.stage("silence", u64::from(args.seconds()));
    listen(run, entrance, u64::from(args.seconds()) * SECOND)?;
    report.connections.ended = entrance.arrivals.ended.clone();
    Ok(())
}

fn talk(args: &Args, tag: u16, run: &mut Run, report: &mut Report) -> Result<(), String> {
    let rooms = args.rooms().max(1) as usize;
    let all = args.connections() as usize;
    let receivers: Vec<(usize, bool)> = (0..all).map(|who| (who % rooms, run.fleet.is_open(who))).collect();
    let senders: Vec<usize> = (0..all).filter(|who| run.fleet.is_open(*who)).take(args.senders() as usize).collect();
    let speech = args.speech();
    let heads = senders.iter().map(|who| match args.rooms() {
        0 => speech.to_everybody(),
        rooms => speech.to_room(&room_name(tag, *who as u32 % rooms)),
    });
    let heads = heads.collect();
    let mut tally = Tally::new(tag, &receivers, &senders, args.speech());
    let (pace, size) = (pace(args), args.size());
    run.progress.stage("talking", u64::from(args.seconds()));
    let begin = run.fleet.now();
    let end = begin + u64::from(args.seconds()) * SECOND;
    let mut talk = Talk::new(pace, heads, size, begin);
    let mut handler = Listening { tally: &mut tally, ended: &mut report.connections.ended };
    talk.go_on(run, &mut handler, end)?;
    let unsaid = talk.unsaid(&tally);
    let pace = match pace {
        Pace::Open(_) => "open",
        Pace::Closed(_) => "closed",
    };
    note(&tally, Lines { pace, size_bytes: size, unsaid, ..Lines::default() }, begin, report);
    Ok(())
}

fn pingpong(args: &Args, tag: u16, rate: Option<f64>, run: &mut Run, report: &mut Report) -> Result<(), String> {
    let players = args.senders() as usize;
    let (all, time) = (args.connections() as usize, measured(args, run));
    // The silent connections form a group of their own.
    let receivers: Vec<(usize, bool)> = (0..all).map(|who| (who.min(players) / 2, run.fleet.is_open(who))).collect();
    let senders: Vec<usize> = (0..players).collect();
    let heads: Vec<String> = senders.iter().map(|n| head_to_partner(args, *n)).collect();
    let mut tally = Tally::new(tag, &receivers, &senders, args.speech());
    let size = args.size();
    let listening = Listening { tally: &mut tally, ended: &mut report.connections.ended };
    PingPong::new(listening, &heads, size, rate, time).go_on(run)?;
    let pace = if rate.is_some() { "open" } else { "closed" };
    note(&tally, Lines { pace, size_bytes: size, ..Lines::default() }, time.0, report);
    Ok(())
}

/// The start of a player's lines to its partner.
fn head_to_partner(args: &Args, player: usize) -> String {
    args.speech().to_somebody(&format!("{}{}", args.common().prefix, player ^ 1))
}

/// The time of the measurement, from now on, in nanoseconds of the run.
fn measured(args: &Args, run: &mut Run) -> (u64, u64) {
    run.progress.stage("talking", u64::from(args.seconds()));
    let begin = run.fleet.now();
    (begin, begin + u64::from(args.seconds()) * SECOND)
}

fn handshakes(
    args: &Args,
    tag: u16,
    rate: Option<f64>,
    pair_rate: f64,
    run: &mut Run,
    report: &mut Report,
) -> Result<(), String> {
    let mut tally = Tally::new(tag, &[(0, true), (0, true)], &[0, 1], args.speech());
    let heads = [0, 1].map(|n| head_to_partner(args, n));
    let (size, time) = (args.size(), measured(args, run));
    let before = run.fleet.handshakes();
    let listening = Listening { tally: &mut tally, ended: &mut report.connections.ended };
    let game = PingPong::new(listening, &heads, size, Some(pair_rate), time);
    let visits = Visits::new(game, heads.len(), args.visits() as usize, rate, time).go_on(run)?;
    note(&tally, Lines { pace: "open", size_bytes: size, ..Lines::default() }, time.0, report);
    report.handshakes = Some(visits.report(before, run.fleet.handshakes(), time.0));
    Ok(())
}

/// Adds the counts to the report.
fn note(tally: &Tally, lines: Lines, begin: u64, report: &mut Report) {
    let (counts, end) = (tally.counts(), tally.last_heard());
    report.lines = Some(Lines {
        seconds: end.saturating_sub(begin) as f64 / SECOND as f64,
        said: counts.said,
        said_per_s: per_second(counts.said, begin, end),
        refused: counts.refused,
        not_kept: counts.not_kept,
        unanswered: counts.unanswered,
        deliveries: counts.heard,
        deliveries_per_s: per_second(counts.heard, begin, end),
        lost: counts.lost,
        out_of_order: counts.out_of_order,
        strays: counts.strays,
        bad_ids: counts.bad_ids,
        ..lines
    });
    report.latency_us = Spread::new(tally.latency());
}

/// Readings before and after the work.
struct Gauge {
    cpu: Option<f64>,
    threads: Option<Threads>,
    at: u64,
    slept: u64,
}

impl Gauge {
    fn new(target: &Target, run: &Run) -> Self {
        Self { cpu: target.cpu_seconds(), threads: target.threads(), at: run.fleet.now(), slept: run.fleet.slept() }
    }

    fn read(&self, target: &Target, run: &Run, process: &mut Process, report: &mut Report) {
        let seconds = run.fleet.now().saturating_sub(self.at) as f64 / SECOND as f64;
        let slept = run.fleet.slept().saturating_sub(self.slept) as f64 / SECOND as f64;
        report.chatload_busy = Some((1.0 - slept / seconds).clamp(0.0, 1.0));
        let (Some(before), Some(after)) = (self.cpu, target.cpu_seconds()) else { return };
        process.cpu_s = (after - before).max(0.0);
        process.cpu_share = process.cpu_s / seconds;
        let deliveries = report.lines.as_ref().map_or(0, |lines| lines.deliveries);
        process.cpu_us_per_delivery = (deliveries > 0).then(|| process.cpu_s * 1e6 / deliveries as f64);
        if let (Some(before), Some(after)) = (self.threads, target.threads()) {
            set_threads(before, after, report.lines.as_ref(), process);
        }
        // Nearly all of it is theirs, and not the pair's.
        let visits = report.handshakes.as_ref().map_or(0, |handshakes| handshakes.full + handshakes.resumed);
        process.cpu_us_per_handshake = (visits > 0).then(|| process.cpu_s * 1e6 / visits as f64);
        if visits > 0 {
            process.cpu_us_per_delivery = None;
        }
    }
}

/// The processor time of the loop and of the history.
fn set_threads(before: Threads, after: Threads, lines: Option<&Lines>, process: &mut Process) {
    let each = |seconds: f64, count: u64| (count > 0).then(|| seconds * 1e6 / count as f64);
    let event_loop = (after.event_loop - before.event_loop).max(0.0);
    process.loop_cpu_s = Some(event_loop);
    process.loop_cpu_us_per_delivery = lines.and_then(|lines| each(event_loop, lines.deliveries));
    if after.history > 0.0 {
        let history = (after.history - before.history).max(0.0);
        process.history_cpu_s = Some(history);
        process.history_cpu_us_per_line = lines.and_then(|lines| each(history, lines.said));
    }
}
