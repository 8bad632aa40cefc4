//! The account file without the lines that no longer count.

use std::collections::BTreeMap;

use super::accounts::Account;
use super::load::{self, Gone};
use super::record::{self, Change, HEADER, Op};
use crate::hub::names::UserName;

/// The whole text of an account file.
#[derive(Debug)]
pub(super) struct Compacted {
    /// The header, and a line for each name.
    pub(super) lines: String,
    /// The number of the last line.
    pub(super) seq: u64,
}

/// A file that says the same with one line for each account, dated when it was registered, and one for each account
/// that was deleted: the epochs of those are still needed, lest an old token fit who takes the name next. `unix` is
/// what the deletions are dated, in seconds since 1970. `None` if it would not read as the same accounts, which would
/// be a fault of ours: nobody's account shall be lost to it.
pub(super) fn compacted(accounts: &BTreeMap<UserName, Account>, gone: &Gone, unix: u64) -> Option<Compacted> {
    let mut seq = 0;
    let mut lines = HEADER.to_owned();
    let mut add = |change: Change| {
        seq += 1;
        record::encode(&change, seq, &mut lines);
    };
    let mut deleted: Vec<_> = gone.iter().collect();
    deleted.sort();
    for (name, epoch) in deleted {
        add(Change { op: Op::Delete, unix, name: name.clone(), epoch: *epoch, phc: "".into() });
    }
    for (name, Account { phc, epoch, since }) in accounts {
        add(Change { op: Op::Add, unix: *since, name: name.clone(), epoch: *epoch, phc: phc.clone() });
    }
    let read = load::parse(lines.as_bytes()).ok()?;
    let is_same = read.accounts == *accounts && read.gone == *gone && read.good == lines.len();
    is_same.then_some(Compacted { lines, seq })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_kept_and_nothing_else() {
        let phc = super::super::journal::tests::PHC;
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
            let phc = if op == Op::Delete { "" } else { phc };
            let name = UserName::parse(name).unwrap();
            record::encode(&Change { op, unix: 100 + n as u64, name, epoch, phc: phc.into() }, n as u64 + 1, &mut text);
        }
        let loaded = load::parse(text.as_bytes()).unwrap();
        assert_eq!(loaded.dead(), 5);
        let compacted = compacted(&loaded.accounts, &loaded.gone, 500).unwrap();
        let heads: Vec<_> = compacted.lines.lines().map(|line| line.split(":$").next().unwrap()).collect();
        assert_eq!(heads[0], HEADER.trim_end());
        assert!(heads[1].starts_with("D:1:500:bob:3::"), "{}", heads[1]);
        assert_eq!(heads[2..], ["A:2:106:Ann:2", "A:3:100:zoe:7"]);
        let again = load::parse(compacted.lines.as_bytes()).unwrap();
        assert_eq!((again.dead(), again.seq, compacted.seq), (0, 3, 3));
    }
}
