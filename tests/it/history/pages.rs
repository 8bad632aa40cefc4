//! The properties of what clients have had from live lines and pages together, through cuts and restarts.
//!
//! * **One message, one id.** An id has one place, sender and text for everybody, live and in pages; a text has one id.
//! * **Order.** The ids of live lines rise over the whole life of a client, through restarts of the server. The lines of
//!   a resume rise. The texts of one sender rise with their ids.
//! * **Each once.** A client has had every message of its places that anybody has had, or that was confirmed. It may drop
//!   doubles by id.
//! * **No silent hole.** A message that a client has not had is not in the store at the end either, and the client was
//!   told of a hole in that place: one with an id above the message's, and no message of that place between the two that
//!   is in the store. For a direct message, the hole may be in what was said to everybody: if the first message between
//!   two, or the login of one of them, is in the lost tail, the store knows of no place that has lost it.
//! * **What was acknowledged is kept.** In a run of the server that ended in order, nothing is lost. In one that was
//!   killed, nothing is lost whose id is below that of an acknowledged direct message of that run.
//! * **What was refused is nowhere.**
//! * **Mine.** No line is of a place that is not the client's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A place, the same for all who may read it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Everybody,
    Room(String),
    /// The direct messages of these two, in order.
    Direct(String, String),
}

impl Place {
    /// The place that `word` names to `me`: `*`, a room, or `@name`.
    pub(super) fn of(word: &str, me: &str) -> Self {
        match word.strip_prefix('@') {
            None if word == "*" => Self::Everybody,
            None => Self::Room(word.trim_start_matches('#').to_owned()),
            Some(other) => {
                let (one, two) = if other < me { (other, me) } else { (me, other) };
                Self::Direct(one.to_owned(), two.to_owned())
            }
        }
    }
}

/// A line of a place, live or in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) place: Place,
    pub(super) from: String,
    pub(super) text: String,
    /// Whether it tells of a hole.
    pub(super) is_hole: bool,
}

impl Line {
    /// A live line of a typed session of `me`: `D PM`, `D DM`, `D RM`, or `D TO`, one's own from another session. `None`
    /// for what is no message.
    pub(super) fn live(line: &str, me: &str) -> Option<Self> {
        let mut words = line.strip_prefix("D ")?.splitn(3, ' ');
        let (kind, id, rest) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        let (first, rest) = rest.split_once(' ')?;
        let (place, from, text) = match kind {
            "PM" => (Place::Everybody, first, rest),
            "DM" => (Place::of(&format!("@{first}"), me), first, rest),
            "TO" => (Place::of(&format!("@{first}"), me), me, rest),
            "RM" => {
                let (from, text) = rest.split_once(' ')?;
                (Place::Room(first.to_owned()), from, text)
            }
            _ => return None,
        };
        Some(Self { id, place, from: from.to_owned(), text: text.to_owned(), is_hole: false })
    }

    /// A line of a page, after `C 212-`: `id place from flags text`.
    pub(super) fn paged(line: &str, me: &str) -> Option<Self> {
        let mut words = line.splitn(5, ' ');
        let (id, place, from) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
        let (flags, text) = (words.next()?, words.next()?);
        let is_hole = flags.contains('g');
        Some(Self { id, place: Place::of(place, me), from: from.to_owned(), text: text.to_owned(), is_hole })
    }
}

/// Something that a client has had.
#[derive(Clone, Debug)]
pub(super) enum Had {
    Live(Line),
    /// A resume begins.
    Resume,
    Paged(Line),
    /// Its own message was confirmed.
    Confirmed(Line),
    /// Its own direct message was acknowledged as kept, to somebody who was away.
    Kept(Line),
    /// This text of its own was refused.
    Refused(String),
}

/// All that a client has had, in order, each with the number of the server's run.
pub(super) struct Trace {
    pub(super) account: String,
    pub(super) rooms: BTreeSet<String>,
    pub(super) had: Vec<(usize, Had)>,
    /// What it could read at the end, from the beginning.
    pub(super) stored: Vec<Line>,
}

/// The number of checked items.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) said: usize,
    live: usize,
    paged: usize,
    lost: usize,
    holes: usize,
    /// Direct messages that are lost, and of which a client was told by a hole in `*` alone.
    elsewhere: usize,
    acknowledged: usize,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { said, live, paged, lost, holes, elsewhere, acknowledged } = self;
        write!(f, "{said} messages, had {live} times live and {paged} times in pages; ")?;
        write!(f, "{acknowledged} acknowledged on disk; {lost} lost with a killed server, {holes} holes told, ")?;
        write!(f, "{elsewhere} direct messages known as lost by the hole of all")
    }
}

/// Everything that anybody has had.
#[derive(Default)]
struct Said<'a> {
    all: BTreeMap<u64, &'a Line>,
    /// The run of the server in which the message was said, as far as a live line or a confirmation tells.
    runs: BTreeMap<u64, usize>,
    /// The runs in which it was in a page.
    paged: BTreeMap<u64, BTreeSet<usize>>,
    stored: BTreeMap<u64, &'a Line>,
    /// Known by more than a copy to another session of the sender's. Such a copy may go out before the message is on disk;
    /// if the server is killed meanwhile, the sender has no answer.
    told: BTreeSet<u64>,
    /// The highest id of an acknowledged message of each run.
    acknowledged: BTreeMap<usize, u64>,
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Checks all traces. `ended_in_order` has the runs of the server that were not killed.
///
/// # Errors
/// What is wrong.
pub(super) fn check(traces: &[Trace], ended_in_order: &BTreeSet<usize>) -> Result<Totals, String> {
    let mut said = Said::default();
    let mut totals = Totals::default();
    for trace in traces {
        collect(trace, &mut said, &mut totals)?;
        check_order(trace)?;
    }
    check_texts(&said)?;
    check_refused(traces, &said)?;
    said.all.retain(|id, _| said.told.contains(id) || said.stored.contains_key(id));
    totals.said = said.all.len();
    for (id, line) in &said.all {
        if !said.stored.contains_key(id) {
            check_lost(line, &said, ended_in_order)?;
            totals.lost += 1;
        }
    }
    for trace in traces {
        totals.elsewhere += check_whole(trace, &said)?;
    }
    Ok(totals)
}

/// Notes each line; two lines of one id must agree.
fn collect<'a>(trace: &'a Trace, said: &mut Said<'a>, totals: &mut Totals) -> Result<(), String> {
    for (run, had) in &trace.had {
        let line = match had {
            Had::Live(line) => {
                totals.live += 1;
                let is_copy = line.from == trace.account && matches!(line.place, Place::Direct(..));
                if !is_copy {
                    said.told.insert(line.id);
                }
                line
            }
            Had::Paged(line) if line.is_hole => {
                totals.holes += 1;
                mine(trace, line)?;
                continue;
            }
            Had::Paged(line) => {
                totals.paged += 1;
                said.told.insert(line.id);
                said.paged.entry(line.id).or_default().insert(*run);
                note(trace, line, said)?;
                continue;
            }
            Had::Kept(line) => {
                totals.acknowledged += 1;
                let highest = said.acknowledged.entry(*run).or_default();
                *highest = line.id.max(*highest);
                said.told.insert(line.id);
                line
            }
            Had::Confirmed(line) => {
                said.told.insert(line.id);
                line
            }
            Had::Resume | Had::Refused(_) => continue,
        };
        note(trace, line, said)?;
        let known = *said.runs.entry(line.id).or_insert(*run);
        ensure(known == *run, || format!("{line:?} is of runs {known} and {run} of the server"))?;
    }
    for line in trace.stored.iter().filter(|line| !line.is_hole) {
        note(trace, line, said)?;
        said.stored.insert(line.id, line);
    }
    Ok(())
}

fn note<'a>(trace: &Trace, line: &'a Line, said: &mut Said<'a>) -> Result<(), String> {
    mine(trace, line)?;
    let known = *said.all.entry(line.id).or_insert(line);
    ensure(known == line, || format!("{}: {line:?} is {known:?} for others", trace.account))
}

fn mine(trace: &Trace, line: &Line) -> Result<(), String> {
    ensure(trace.may_read(&line.place), || format!("{}: has {line:?}, which is not its own", trace.account))
}

impl Trace {
    fn may_read(&self, place: &Place) -> bool {
        match place {
            Place::Everybody => true,
            Place::Room(name) => self.rooms.contains(name),
            Place::Direct(one, two) => *one == self.account || *two == self.account,
        }
    }
}

/// Live lines rise for ever, and the lines of a resume and of the last reading from line to line.
fn check_order(trace: &Trace) -> Result<(), String> {
    let falls = |line: &Line, last: u64| format!("{}: {line:?} comes after {last}", trace.account);
    let (mut live, mut page) = (0, 0);
    for (_, had) in &trace.had {
        match had {
            Had::Live(line) => {
                ensure(line.id > live, || falls(line, live))?;
                live = line.id;
            }
            Had::Resume => page = 0,
            Had::Paged(line) => {
                ensure(line.id > page, || falls(line, page))?;
                page = line.id;
            }
            Had::Confirmed(_) | Had::Kept(_) | Had::Refused(_) => {}
        }
    }
    let mut last = 0;
    for line in &trace.stored {
        ensure(line.id > last, || falls(line, last))?;
        last = line.id;
    }
    Ok(())
}

/// A text is `pCLIENT.NUMBER`: it has one id, and the numbers of a client rise with the ids.
fn check_texts(said: &Said<'_>) -> Result<(), String> {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for line in said.all.values() {
        let number = line.text.split_once('.').and_then(|(client, number)| Some((client, number.parse::<u64>().ok()?)));
        let (client, number) = number.ok_or_else(|| format!("nobody has said {line:?}"))?;
        let before = last.insert(client, number).unwrap_or(0);
        ensure(before < number, || format!("{line:?} comes after number {before} of the same sender"))?;
    }
    Ok(())
}

fn check_refused(traces: &[Trace], said: &Said<'_>) -> Result<(), String> {
    let texts: BTreeMap<&str, &Line> = said.all.values().map(|line| (line.text.as_str(), *line)).collect();
    for trace in traces {
        for (_, had) in &trace.had {
            if let Had::Refused(text) = had {
                let found = texts.get(text.as_str());
                ensure(found.is_none(), || format!("{}: {text} was refused, and is there: {found:?}", trace.account))?;
            }
        }
    }
    Ok(())
}

/// A message that is not in the store at the end: it may have been lost with a killed server. A page of that run may show
/// it, for pages show what is not on disk yet; no later one may.
fn check_lost(line: &Line, said: &Said<'_>, ended_in_order: &BTreeSet<usize>) -> Result<(), String> {
    let pages = said.paged.get(&line.id);
    let run = said.runs.get(&line.id).or_else(|| pages.and_then(BTreeSet::first));
    let run = run.ok_or_else(|| format!("nobody has had {line:?}"))?;
    let was_kept = pages.is_some_and(|pages| pages.iter().any(|page| page != run));
    ensure(!was_kept, || format!("{line:?} is lost, and was in a page of another run than {run}"))?;
    ensure(!ended_in_order.contains(run), || format!("{line:?} is lost, and run {run} ended in order"))?;
    let acknowledged = said.acknowledged.get(run).copied().unwrap_or(0);
    ensure(line.id > acknowledged, || format!("{line:?} is lost, and {acknowledged} was acknowledged after it"))
}

/// The client has had each message of its places, or was told of a hole. Gives the number of direct messages of which
/// it was told by a hole in `*`.
fn check_whole(trace: &Trace, said: &Said<'_>) -> Result<usize, String> {
    let (mut had, mut holes) = (BTreeSet::new(), Vec::new());
    for (_, event) in &trace.had {
        match event {
            Had::Paged(line) if line.is_hole => holes.push(line),
            Had::Live(line) | Had::Paged(line) | Had::Confirmed(line) | Had::Kept(line) => _ = had.insert(line.id),
            Had::Resume | Had::Refused(_) => {}
        }
    }
    let mut elsewhere = 0;
    for (id, line) in said.all.iter().filter(|(id, line)| trace.may_read(&line.place) && !had.contains(id)) {
        ensure(!said.stored.contains_key(id), || format!("{}: has not had {line:?}, which is stored", trace.account))?;
        let is_told = |place: &Place| {
            let between = |hole: &Line| said.stored.range(id..&hole.id).any(|(_, stored)| stored.place == *place);
            holes.iter().any(|hole| hole.place == *place && hole.id > *id && !between(hole))
        };
        if is_told(&line.place) {
            continue;
        }
        let is_direct = matches!(line.place, Place::Direct(..));
        let what = || format!("{}: has not had {line:?}, and was told of no hole there", trace.account);
        ensure(is_direct && is_told(&Place::Everybody), what)?;
        elsewhere += 1;
    }
    Ok(elsewhere)
}

mod tests {
    use super::*;

    /// The trace of a client from lines: `D …` live, `212-…` of a page, `resume`, `said …` confirmed and `kept …`
    /// acknowledged, both as a live line of its own would look, `450 TEXT` refused, `run N`; after `end`, `212-…` are
    /// what is stored.
    fn trace(account: &str, script: &[&str]) -> Trace {
        let (mut had, mut stored, mut run, mut is_over) = (Vec::new(), Vec::new(), 0, false);
        for line in script {
            let (word, rest) = line.split_once([' ', '-']).unwrap_or((line, ""));
            let own = || Line::live(rest, account).map(|line| Line { from: account.to_owned(), ..line }).unwrap();
            match word {
                "D" => had.push((run, Had::Live(Line::live(line, account).unwrap()))),
                "212" if is_over => stored.push(Line::paged(rest, account).unwrap()),
                "212" => had.push((run, Had::Paged(Line::paged(rest, account).unwrap()))),
                "resume" => had.push((run, Had::Resume)),
                "said" => had.push((run, Had::Confirmed(own()))),
                "kept" => had.push((run, Had::Kept(own()))),
                "450" => had.push((run, Had::Refused(rest.to_owned()))),
                "run" => run = rest.parse().unwrap(),
                "end" => is_over = true,
                _ => panic!("{line}"),
            }
        }
        Trace { account: account.to_owned(), rooms: BTreeSet::from(["r".to_owned()]), had, stored }
    }

    fn checked(scripts: &[(&str, &[&str])]) -> Result<Totals, String> {
        let traces: Vec<Trace> = scripts.iter().map(|(account, script)| trace(account, script)).collect();
        check(&traces, &BTreeSet::from([7]))
    }

    #[track_caller]
    fn faulty(expected: &str, scripts: &[(&str, &[&str])]) {
        let fault = checked(scripts).expect_err("a fault");
        assert!(fault.contains(expected), "{fault}");
    }

    const A: [&str; 5] = ["said D PM 1 a p0.1", "said D PM 2 a p0.2", "end", "212-1 * a - p0.1", "212-2 * a - p0.2"];

    #[test]
    fn a_sound_trace_passes() {
        // Two is had live and in a page; it counts once.
        let b = ["D PM 1 a p0.1", "D PM 2 a p0.2", "resume", "212-2 * a - p0.2", "end", A[3], A[4]];
        let totals = checked(&[("a", &A), ("b", &b)]).unwrap();
        assert_eq!((totals.said, totals.live, totals.paged, totals.lost), (2, 2, 1, 0));
    }

    #[test]
    fn direct_messages_are_of_two() {
        let a = ["said D TO 1 b p0.1", "kept D TO 2 b p0.2", "end", "212-1 @b a - p0.1", "212-2 @b a - p0.2"];
        let b = ["D DM 1 a p0.1", "resume", "212-2 @a a m p0.2", "end", "212-1 @a a m p0.1", "212-2 @a a m p0.2"];
        checked(&[("a", &a), ("b", &b), ("c", &["end"])]).unwrap();
        faulty("not its own", &[("a", &a), ("b", &b), ("c", &["resume", "212-2 a a m p0.2"])]);
        faulty("has not had", &[("a", &a), ("b", &[b[0], b[3], b[4], b[5]])]);
        // Another session of a's has its own copy.
        faulty("has not had", &[("a", &a), ("b", &b), ("a", &["D TO 2 b p0.2"])]);
        checked(&[("a", &a), ("b", &b), ("a", &["D TO 1 b p0.1", "D TO 2 b p0.2"])]).unwrap();
        // One that was killed with the server before it was answered.
        let copies = ["D TO 1 b p0.1", "D TO 2 b p0.2", "D TO 3 b p0.3"];
        checked(&[("a", &a), ("b", &b), ("a", &copies)]).unwrap();
        let b = [&b[..1], &["D DM 3 a p0.3"], &b[1..]].concat();
        faulty("no hole", &[("a", &a), ("b", &b), ("a", &copies[..2])]);
        let told = |hole| [&copies[..2], &["resume", hole]].concat();
        faulty("no hole", &[("a", &a), ("b", &b), ("a", &told("212-4 r server g up to 250 ms"))]);
        // The sender's own sessions have no answer, and are told, too.
        let own = [&["resume", "212-4 * server g up to 250 ms"], &a[..]].concat();
        let totals = checked(&[("a", &own), ("b", &b), ("a", &told("212-4 * server g up to 250 ms"))]).unwrap();
        assert_eq!(totals.elsewhere, 2);
    }

    #[test]
    fn gaps_doubles_and_disorder_are_found() {
        faulty("has not had", &[("a", &A), ("b", &["D PM 1 a p0.1"])]);
        faulty("has not had", &[("a", &A), ("b", &["D PM 1 a p0.1", "resume"])]);
        faulty("comes after 2", &[("a", &A), ("b", &["D PM 2 a p0.2", "D PM 1 a p0.1"])]);
        faulty("comes after 9", &[("a", &A), ("b", &["D PM 9 c p2.1", "run 1", "D PM 8 c p2.2"])]);
        faulty("of runs 0 and 1", &[("a", &A), ("b", &["run 1", "D PM 1 a p0.1"])]);
        faulty("comes after 1", &[("a", &A), ("b", &["resume", "212-1 * a - p0.1", "212-1 * a - p0.1"])]);
        faulty("comes after 2", &[("a", &A), ("b", &["resume", "212-2 * a - p0.2", "212-1 * a - p0.1"])]);
        faulty("comes after number 2", &[("a", &A), ("b", &["D PM 3 a p0.2"])]);
        faulty("for others", &[("a", &A), ("b", &["D PM 1 a p0.9"])]);
        faulty("for others", &[("a", &A), ("b", &["resume", "212-1 r a - p0.1"])]);
        faulty("nobody has said", &[("a", &A), ("b", &["D PM 3 a something"])]);
    }

    #[test]
    fn what_is_not_mine_is_found() {
        faulty("not its own", &[("a", &["D RM 1 other b p1.1"])]);
        faulty("not its own", &[("a", &["resume", "212-1 other b - p1.1"])]);
        faulty("not its own", &[("a", &["resume", "212-1 other server g 3 messages were not kept"])]);
        faulty("not its own", &[("a", &["end", "212-1 other b - p1.1"])]);
    }

    #[test]
    fn what_was_acknowledged_or_ended_in_order_is_kept() {
        let lost = ["said D PM 1 a p0.1", "said D PM 2 a p0.2"];
        let told = ["resume", "212-3 * server g up to 250 ms were lost"];
        checked(&[("a", &lost)]).unwrap();
        faulty(
            "acknowledged after it",
            &[("a", &[lost[0], lost[1], "kept D TO 3 b p0.3", "end", "212-3 @b a - p0.3"])],
        );
        faulty("is lost", &[("a", &["kept D TO 3 b p0.3"])]);
        // An acknowledged message of another run says nothing of this one.
        checked(&[("a", &[lost[0], lost[1], "run 1", "kept D TO 3 b p0.3", "end", "212-3 @b a - p0.3"])]).unwrap();
        faulty("ended in order", &[("a", &["run 7", lost[0]])]);
        // A page may show what is not on disk yet.
        checked(&[("a", &["said D PM 1 a p0.1", "resume", "212-1 * a - p0.1"])]).unwrap();
        faulty("another run", &[("a", &["said D PM 1 a p0.1", "run 1", "resume", "212-1 * a - p0.1"])]);
        faulty("ended in order", &[("a", &["run 7", "resume", "212-1 * a - p0.1"])]);
        // One who has not heard it is told.
        faulty("no hole", &[("a", &lost), ("b", &["D PM 1 a p0.1", "resume"])]);
        checked(&[("a", &lost), ("b", &["D PM 1 a p0.1", told[0], told[1]])]).unwrap();
        // In that place, after the message, and before the next one.
        faulty("no hole", &[("a", &lost), ("b", &["D PM 1 a p0.1", "resume", "212-3 r server g 1"])]);
        faulty("no hole", &[("a", &lost), ("b", &["D PM 1 a p0.1", "resume", "212-1 * server g 1"])]);
        let next = ["said D PM 3 a p0.3", "end", "212-3 * a - p0.3"];
        let b = ["D PM 1 a p0.1", "resume", "212-3 * a - p0.3", "212-4 * server g 1"];
        faulty("no hole", &[("a", &[&lost[..], &next].concat()), ("b", &b)]);
        let b = ["D PM 1 a p0.1", "D PM 4 a p0.4", "resume", "212-3 * server g 1"];
        let next = ["said D PM 4 a p0.4", "end", "212-3 * server g 1", "212-4 * a - p0.4"];
        checked(&[("a", &[&lost[..], &next].concat()), ("b", &b)]).unwrap();
    }

    #[test]
    fn what_was_refused_is_nowhere() {
        faulty(
            "was refused",
            &[("a", &["450 p0.1", "said D PM 2 a p0.2"]), ("b", &["D PM 1 a p0.1", "D PM 2 a p0.2"])],
        );
        checked(&[("a", &["450 p0.1", "said D PM 2 a p0.2"]), ("b", &["D PM 2 a p0.2"])]).unwrap();
    }
}
