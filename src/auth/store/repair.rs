//! Recovery of a damaged account file.

use std::collections::BTreeMap;
use std::fmt;

use super::reader::{Deleted, Gone};
use super::record::{self, Change, Fault, HEADER, Op};
use crate::auth::accounts::{Account, apply};
use crate::hub::names::UserName;

/// What could be recovered of a damaged file, and what is wrong with it.
#[derive(Debug, Default)]
pub(in crate::auth) struct Recovered {
    /// The accounts according to the intact lines.
    pub(in crate::auth) accounts: BTreeMap<UserName, Account>,
    /// The last epochs of deleted accounts.
    pub(in crate::auth) gone: Gone,
    /// What is wrong, in the order of the file.
    pub(in crate::auth) findings: Vec<Finding>,
}

/// One thing that is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Finding {
    /// The first line is not the header.
    Header,
    /// A line that cannot be read. Lines are counted from 1 with the header. `name` is the name that it seems to
    /// contain.
    Lost { line: usize, fault: Fault, name: Option<UserName> },
    /// A line with the number of an earlier one. It has the same content or, if `differs`, is applied as the newer one.
    Doubled { line: usize, seq: u64, differs: bool },
    /// `count` lines with numbers from `first` to `last` are missing.
    Missing { count: u64, first: u64, last: u64 },
    /// An intact line that does not follow from those before it. It is applied anyway.
    Misfit { line: usize, fault: Fault },
    /// The file ends with a partial line, which was never acknowledged.
    Torn { bytes: usize },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "line 1: {}", Fault::Header),
            Self::Lost { line, fault, name: Some(name) } => {
                write!(f, "line {line}: {fault}; a change of an account that seems to be {name} is lost")
            }
            Self::Lost { line, fault, name: None } => {
                write!(f, "line {line}: {fault}; a change of an unknown account is lost")
            }
            Self::Doubled { line, seq, differs: false } => write!(f, "line {line}: number {seq} for the second time"),
            Self::Doubled { line, seq, differs: true } => {
                write!(f, "line {line}: number {seq} for the second time, and not the same; both are carried out")
            }
            Self::Missing { count: 1, first, last } if first == last => {
                write!(f, "the line with number {first} is lost")
            }
            Self::Missing { count, first, last } => {
                write!(f, "{count} of the lines with numbers {first} to {last} are lost")
            }
            Self::Misfit { line, fault } => write!(f, "line {line}: {fault}; it holds all the same"),
            Self::Torn { bytes } => {
                write!(f, "the last line is not finished: {bytes} bytes that were never acknowledged")
            }
        }
    }
}

/// An intact line.
struct Good {
    seq: u64,
    line: usize,
    change: Change,
}

/// Applies the intact lines in the order of their numbers, and reports what is wrong with the others. Lines without a
/// valid checksum are not used.
pub(in crate::auth) fn recover(bytes: &[u8]) -> Recovered {
    let mut recovered = Recovered::default();
    let (mut good, mut lost) = (Vec::new(), Vec::new());
    let mut whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    // A last line that only lacks its LF is intact.
    if record::decode(bytes.get(whole..).unwrap_or_default()).is_ok() {
        whole = bytes.len();
    }
    let lines = bytes.get(..whole).unwrap_or_default().split_inclusive(|&b| b == b'\n');
    for (line, text) in (1..).zip(lines) {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let is_header = text == HEADER.trim_end().as_bytes();
        // Accept CR LF, which editors of other systems write.
        let decoded = record::decode(text.strip_suffix(b"\r").unwrap_or(text));
        match decoded {
            Ok((seq, change)) => good.push(Good { seq, line, change }),
            Err(_) if is_header && line == 1 => {}
            Err(_) if line == 1 => {}
            Err(fault) => {
                lost.push(line);
                recovered.findings.push(Finding::Lost { line, fault, name: seeming_name(text) });
            }
        }
        if line == 1 && !is_header {
            recovered.findings.push(Finding::Header);
        }
    }
    // The sort is stable: lines with the same number stay in the order of the file.
    good.sort_by_key(|good| good.seq);
    recovered.find_missing(&good, &lost);
    recovered.take(good);
    if whole < bytes.len() {
        recovered.findings.push(Finding::Torn { bytes: bytes.len() - whole });
    }
    recovered
}

impl Recovered {
    /// Finds numbers that no line has, less the unreadable lines between their neighbours.
    fn find_missing(&mut self, good: &[Good], lost: &[usize]) {
        let (mut seq, mut line) = (0, 0);
        for next in good {
            let unreadable = lost.iter().filter(|at| (line.min(next.line)..line.max(next.line)).contains(at)).count();
            let absent = next.seq.saturating_sub(seq).saturating_sub(1);
            let count = absent.saturating_sub(unreadable as u64);
            if count > 0 {
                self.findings.push(Finding::Missing { count, first: seq + 1, last: next.seq - 1 });
            }
            (seq, line) = (next.seq, next.line);
        }
    }

    fn take(&mut self, good: Vec<Good>) {
        let mut before: Option<(u64, Change)> = None;
        for Good { seq, line, change } in good {
            if let Some((_, same)) = before.as_ref().filter(|(last, _)| *last == seq) {
                let differs = *same != change;
                self.findings.push(Finding::Doubled { line, seq, differs });
                if !differs {
                    continue;
                }
            }
            before = Some((seq, change.clone()));
            if let Some(fault) = self.carry_out(change) {
                self.findings.push(Finding::Misfit { line, fault });
            }
        }
    }

    /// Applies a change as far as possible, since what it builds on may be lost. An epoch never falls.
    fn carry_out(&mut self, mut change: Change) -> Option<Fault> {
        let exists = self.accounts.get(&change.name).map(|account| account.epoch);
        let least = match (change.op, exists, self.gone.get(&change.name)) {
            (Op::Add, Some(epoch), _) => epoch.saturating_add(1),
            (Op::Update | Op::Delete, Some(epoch), _) => epoch,
            (Op::Add | Op::Update, None, gone) => gone.map_or(0, |last| last.epoch.saturating_add(1)),
            (Op::Delete, None, gone) => gone.map_or(0, |last| last.epoch),
        };
        let fault = match (change.op, exists) {
            (Op::Add, Some(_)) => Some(Fault::Exists),
            (Op::Update, None) => Some(Fault::Missing),
            (Op::Delete, None) if self.gone.contains_key(&change.name) => Some(Fault::Missing),
            _ if change.epoch < least => Some(Fault::EpochFell),
            (Op::Add | Op::Delete, None) | (Op::Update | Op::Delete, Some(_)) => None,
        };
        change.epoch = change.epoch.max(least);
        match change.op {
            Op::Add | Op::Update => self.gone.remove(&change.name),
            Op::Delete => self.gone.insert(change.name.clone(), Deleted::by(&change)),
        };
        apply(&mut self.accounts, change);
        fault
    }
}

/// The name that an unreadable line seems to contain. It is only shown to the operator.
fn seeming_name(line: &[u8]) -> Option<UserName> {
    let field = line.split(|&b| b == b':').nth(3)?;
    UserName::from_record(std::str::from_utf8(field).ok()?).ok()
}
