//! Compaction: the account file without obsolete lines.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::reader::{Deleted, Gone, Loaded};
use super::record::{self, Change, HEADER, Op};
use crate::auth::accounts::Account;
use crate::hub::names::UserName;

/// The complete text of an account file.
#[derive(Debug)]
pub(in crate::auth) struct Compacted {
    /// The header, and a line for each name.
    pub(in crate::auth) lines: String,
    /// The number of the last line.
    pub(in crate::auth) seq: u64,
}

/// A file of the same meaning: a line for each account, dated when it was registered, and one for each deleted account,
/// dated when it was deleted. Epoch and date of deleted accounts are still needed: see
/// [`Deleted`]. `None` if the text does not read as the same accounts; that would be a bug, and must not
/// cost anybody an account.
pub(in crate::auth) fn compacted(accounts: &BTreeMap<UserName, Account>, gone: &Gone) -> Option<Compacted> {
    let mut compaction = Compaction::new(gone);
    compaction.copy(accounts, usize::MAX);
    compaction.finish(accounts, gone)
}

/// A compaction in progress, some lines at a time, while accounts keep changing. Changes are appended after what was
/// copied.
#[derive(Debug)]
pub(in crate::auth) struct Compaction {
    lines: String,
    /// The lines as read back. They are read as they are written, so that finishing takes no more than a comparison.
    read: Loaded,
    /// The last account that was copied.
    copied: Option<UserName>,
    /// Whether every line could be read back.
    is_sound: bool,
}

impl Compaction {
    /// Starts with the header and the deletions.
    pub(in crate::auth) fn new(gone: &Gone) -> Self {
        let mut compaction = Self { lines: HEADER.to_owned(), read: Loaded::default(), copied: None, is_sound: true };
        let mut deleted: Vec<_> = gone.iter().collect();
        deleted.sort();
        for (name, Deleted { epoch, unix }) in deleted {
            let (unix, epoch) = (*unix, *epoch);
            compaction.add(&Change { op: Op::Delete, unix, name: name.clone(), epoch, phc: "".into() });
        }
        compaction
    }

    /// Copies up to `most` accounts. True when all are copied.
    pub(in crate::auth) fn copy(&mut self, accounts: &BTreeMap<UserName, Account>, most: usize) -> bool {
        let from = self.copied.take().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = accounts.range((from, Bound::Unbounded));
        for (name, Account { phc, epoch, since }) in rest.by_ref().take(most) {
            self.copied = Some(name.clone());
            // A change may have added it already.
            if !self.read.accounts.contains_key(name) {
                self.add(&Change { op: Op::Add, unix: *since, name: name.clone(), epoch: *epoch, phc: phc.clone() });
            }
        }
        rest.next().is_none()
    }

    /// Appends a change that was made to the accounts.
    pub(in crate::auth) fn follow(&mut self, change: &Change) {
        let is_there = self.read.accounts.contains_key(&change.name);
        match change.op {
            // It is copied later, with this change.
            Op::Update if !is_there => {}
            Op::Add | Op::Update | Op::Delete => self.add(change),
        }
    }

    /// The complete file, if it reads as these accounts.
    pub(in crate::auth) fn finish(self, accounts: &BTreeMap<UserName, Account>, gone: &Gone) -> Option<Compacted> {
        let is_same = self.is_sound && self.read.accounts == *accounts && self.read.gone == *gone;
        is_same.then_some(Compacted { lines: self.lines, seq: self.read.seq })
    }

    fn add(&mut self, change: &Change) {
        let start = self.lines.len();
        record::encode(change, self.read.seq + 1, &mut self.lines);
        let line = self.lines.get(start..).and_then(|line| line.strip_suffix('\n')).unwrap_or_default();
        self.is_sound &= self.read.take(line.as_bytes()).is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader;
    use super::*;
    use crate::auth::accounts::apply;

    const PHC: &str = super::super::journal::tests::PHC;

    #[test]
    fn what_counts_is_kept_and_nothing_else() {
        let mut text = HEADER.to_owned();
        let lines = [
            (Op::Add, "Zoe", 1),
            (Op::Update, "zoe", 2),
            (Op::Add, "bob", 1),
            (Op::Delete, "bob", 3),
            (Op::Add, "ann", 1),
            (Op::Delete, "ann", 1),
            (Op::Add, "Ann", 2),
            (Op::Update, "zoe", 7),
        ];
        for (n, (op, name, epoch)) in lines.into_iter().enumerate() {
            let phc = if op == Op::Delete { "" } else { PHC };
            let name = UserName::parse(name).unwrap();
            record::encode(&Change { op, unix: 100 + n as u64, name, epoch, phc: phc.into() }, n as u64 + 1, &mut text);
        }
        let loaded = reader::parse(text.as_bytes()).unwrap();
        assert_eq!((loaded.seq, loaded.accounts.len(), loaded.gone.len()), (8, 2, 1));
        let compacted = compacted(&loaded.accounts, &loaded.gone).unwrap();
        let heads: Vec<_> = compacted.lines.lines().map(|line| line.split(":$").next().unwrap()).collect();
        assert_eq!(heads[0], HEADER.trim_end());
        assert!(heads[1].starts_with("D:1:103:bob:3::"), "{}", heads[1]);
        assert_eq!(heads[2..], ["A:2:106:Ann:2", "A:3:100:zoe:7"]);
        let again = reader::parse(compacted.lines.as_bytes()).unwrap();
        assert_eq!((again.accounts, again.gone, again.seq, compacted.seq), (loaded.accounts, loaded.gone, 3, 3));
    }

    fn change(op: Op, name: &str, epoch: u32) -> Change {
        let phc = if op == Op::Delete { "" } else { PHC };
        Change { op, unix: 7, name: UserName::parse(name).unwrap(), epoch, phc: phc.into() }
    }

    /// Whatever changes while the accounts are copied, the result reads as the accounts at the end.
    #[test]
    fn what_changes_meanwhile_is_in_it() {
        let changes = [
            change(Op::Update, "a", 2), // copied already, or later, or at this moment …
            change(Op::Update, "m", 3),
            change(Op::Delete, "m", 3),
            change(Op::Add, "m", 4),
            change(Op::Update, "m", 5),
            change(Op::Add, "b", 1),
            change(Op::Delete, "z", 1),
            change(Op::Add, "gone", 9),
            change(Op::Delete, "gone", 9),
            change(Op::Add, "z", 2),
            change(Op::Delete, "b", 1),
        ];
        // … since at each of these moments another account is copied.
        for moments in 0..1 << changes.len() {
            let mut accounts = BTreeMap::new();
            ["a", "m", "z"].iter().for_each(|name| apply(&mut accounts, change(Op::Add, name, 1)));
            let mut gone = Gone::from([(UserName::parse("gone").unwrap(), Deleted { epoch: 8, unix: 7 })]);
            let mut compaction = Compaction::new(&gone);
            for (n, change) in changes.iter().enumerate() {
                if moments >> n & 1 == 1 {
                    compaction.copy(&accounts, 1);
                }
                match change.op {
                    Op::Delete => gone.insert(change.name.clone(), Deleted::by(change)),
                    Op::Add | Op::Update => gone.remove(&change.name),
                };
                apply(&mut accounts, change.clone());
                compaction.follow(change);
            }
            while !compaction.copy(&accounts, 1) {}
            let compacted = compaction.finish(&accounts, &gone).unwrap_or_else(|| panic!("{moments:b}"));
            let again = reader::parse(compacted.lines.as_bytes()).unwrap();
            assert_eq!((again.accounts, again.gone, again.seq), (accounts, gone, compacted.seq), "{moments:b}");
        }
    }

    #[test]
    fn a_file_that_would_say_something_else_is_none() {
        let mut accounts = BTreeMap::new();
        apply(&mut accounts, change(Op::Add, "a", 1));
        let mut compaction = Compaction::new(&Gone::new());
        assert!(compaction.copy(&accounts, 1));
        // A change that the compaction was not told of, one of an unknown account, and a deletion that is not in the
        // list.
        apply(&mut accounts, change(Op::Update, "a", 2));
        assert!(compaction.finish(&accounts, &Gone::new()).is_none());
        let mut compaction = Compaction::new(&Gone::new());
        compaction.copy(&accounts, 1);
        compaction.follow(&change(Op::Add, "a", 3));
        assert!(compaction.finish(&accounts, &Gone::new()).is_none());
        let compaction =
            Compaction::new(&Gone::from([(UserName::parse("gone").unwrap(), Deleted { epoch: 8, unix: 7 })]));
        assert!(compaction.finish(&BTreeMap::new(), &Gone::new()).is_none());
    }
}
