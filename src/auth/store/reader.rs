//! Reading the account file: its accounts, a tail that was torn by a crash, and damage.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::record::{self, Change, Fault, HEADER, Op};
use crate::auth::accounts::{Account, apply};
use crate::hub::names::UserName;
use crate::text::BYTE_ORDER_MARK;

/// NULs that may follow a partial header: a crash can leave the first block of a file like this. A longer run of them
/// means that there were accounts.
const NULS_AFTER_HEADER: usize = 4096;

/// The deleted accounts whose names are free.
pub(in crate::auth) type Gone = HashMap<UserName, Deleted>;

/// What is left of a deleted account. The next account of its name differs from it in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::auth) struct Deleted {
    /// Its last epoch. The next account has a higher one, so that old tokens stay void.
    pub(in crate::auth) epoch: u32,
    /// When it was deleted, in seconds since 1970, and not before it was registered. The next account is registered
    /// later, also if the clock was set back: a name and a time of registration are one account for ever.
    pub(in crate::auth) unix: u64,
}

impl Deleted {
    /// What is left after this deletion.
    pub(in crate::auth) fn by(change: &Change) -> Self {
        Self { epoch: change.epoch, unix: change.unix }
    }
}

/// The content of an account file.
#[derive(Debug, Default)]
pub(in crate::auth) struct Loaded {
    /// The accounts that exist.
    pub(in crate::auth) accounts: BTreeMap<UserName, Account>,
    /// Those that were deleted.
    pub(in crate::auth) gone: Gone,
    /// The number of the last line; 0 if there is none.
    pub(in crate::auth) seq: u64,
    /// Bytes of the complete lines; anything after them is torn. 0 for an empty file.
    pub(in crate::auth) good: usize,
    /// Whether this start created the file: it was missing, or its header was incomplete.
    pub(in crate::auth) is_begun: bool,
}

/// A line that cannot be the result of a crash.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::auth) struct Damage {
    /// The line's number, counted from 1 with the header.
    pub(in crate::auth) line: usize,
    pub(in crate::auth) fault: Fault,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

/// Reads an account file that the operator may have edited: normalized by [`plain`], and with an intact last line that
/// lost its LF. Also gives the file as the server would have written it; [`Loaded::good`] is an offset in that.
///
/// # Errors
/// Those of [`parse`].
pub(in crate::auth) fn read(bytes: &[u8]) -> Result<(Loaded, Cow<'_, [u8]>), Damage> {
    let mut text = plain(bytes);
    let mut loaded = parse(&text)?;
    let rest = text.get(loaded.good..).unwrap_or_default();
    let last = rest.strip_suffix(b"\r").unwrap_or(rest);
    if loaded.good > 0 && loaded.take(last).is_ok() {
        let end = loaded.good + last.len();
        let text = text.to_mut();
        text.truncate(end);
        text.push(b'\n');
        loaded.good = text.len();
    }
    Ok((loaded, text))
}

/// The file without a byte-order mark and with LF as line end. Editors and copies between systems add the mark and turn
/// LF into CR LF, which loses nothing.
pub(in crate::auth) fn plain(bytes: &[u8]) -> Cow<'_, [u8]> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if !text.windows(2).any(|pair| pair == b"\r\n") {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&b| b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => plain.extend(line.iter().chain(b"\n")),
            None => plain.extend(line),
        }
    }
    Cow::Owned(plain)
}

/// Reads an account file as the server writes it.
///
/// # Errors
/// The first damaged line. A last line without LF is not damaged but torn, whatever it contains: it was never
/// acknowledged, because that waits until the line and its LF are on disk.
pub(in crate::auth) fn parse(bytes: &[u8]) -> Result<Loaded, Damage> {
    if is_begun_header(bytes) {
        return Ok(Loaded::default());
    }
    let mut rest = bytes.strip_prefix(HEADER.as_bytes()).ok_or(Damage { line: 1, fault: Fault::Header })?;
    let mut loaded = Loaded { good: HEADER.len(), ..Loaded::default() };
    let mut line_number = 2;
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let (line, after) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
        loaded.take(line).map_err(|fault| Damage { line: line_number, fault })?;
        loaded.good += end + 1;
        line_number += 1;
        rest = after;
    }
    Ok(loaded)
}

/// Whether the file has no content yet: it is empty, or has a partial header.
fn is_begun_header(bytes: &[u8]) -> bool {
    let text = bytes.iter().position(|&b| b == 0).and_then(|end| bytes.get(..end)).unwrap_or(bytes);
    let nuls = bytes.get(text.len()..).unwrap_or_default();
    let begun = text.len() < HEADER.len() && HEADER.as_bytes().starts_with(text);
    begun && (nuls.is_empty() || !text.is_empty() && nuls.len() <= NULS_AFTER_HEADER && nuls.iter().all(|&b| b == 0))
}

impl Loaded {
    /// Applies the next line, given without its LF.
    ///
    /// # Errors
    /// What is wrong with the line. It has no effect then.
    pub(in crate::auth) fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        let (found, change) = record::decode(line)?;
        let expected = self.seq + 1;
        if found != expected {
            return Err(Fault::Sequence { expected, found });
        }
        self.check(&change)?;
        match change.op {
            Op::Add => {
                self.gone.remove(&change.name);
            }
            Op::Update => {}
            Op::Delete => {
                self.gone.insert(change.name.clone(), Deleted::by(&change));
            }
        }
        apply(&mut self.accounts, change);
        self.seq = found;
        Ok(())
    }

    /// Checks that `change` may follow the lines before it. An epoch never falls. A name that is added again gets a
    /// higher epoch, so that tokens of the earlier account stay void. A deletion may be the first line of a name: that
    /// is what compaction keeps of a deleted account.
    fn check(&self, change: &Change) -> Result<(), Fault> {
        let exists = self.accounts.get(&change.name);
        match (change.op, exists) {
            (Op::Add, Some(_)) => Err(Fault::Exists),
            (Op::Add, None) if self.gone.get(&change.name).is_some_and(|last| change.epoch <= last.epoch) => {
                Err(Fault::EpochFell)
            }
            (Op::Delete, None) if !self.gone.contains_key(&change.name) => Ok(()),
            (Op::Update | Op::Delete, None) => Err(Fault::Missing),
            (Op::Update | Op::Delete, Some(account)) if change.epoch < account.epoch => Err(Fault::EpochFell),
            (Op::Add, None) | (Op::Update | Op::Delete, Some(_)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHC: &str = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    /// A file with these changes, `(op, seq, name, epoch)`.
    fn file(lines: &[(Op, u64, &str, u32)]) -> String {
        let mut text = HEADER.to_owned();
        for &(op, seq, name, epoch) in lines {
            let phc = if op == Delete { "" } else { PHC };
            let name = UserName::parse(name).unwrap();
            record::encode(&Change { op, unix: 1, name, epoch, phc: phc.into() }, seq, &mut text);
        }
        text
    }

    #[track_caller]
    fn check(lines: &[(Op, u64, &str, u32)], expected: Result<&[(&str, u32)], (usize, Fault)>) {
        let found = parse(file(lines).as_bytes());
        let found = found.as_ref().map(|loaded| {
            loaded.accounts.iter().map(|(name, account)| (name.as_str(), account.epoch)).collect::<Vec<_>>()
        });
        assert_eq!(found.map_err(|d| (d.line, d.fault.clone())), expected.map(<[_]>::to_vec), "{lines:?}");
    }

    use Op::{Add, Delete, Update};

    #[test]
    fn the_last_line_of_a_name_wins() {
        check(&[], Ok(&[]));
        check(&[(Add, 1, "bob", 1), (Add, 2, "Alice", 1)], Ok(&[("Alice", 1), ("bob", 1)]));
        check(&[(Add, 1, "bob", 1), (Update, 2, "Bob", 2)], Ok(&[("Bob", 2)]));
        check(&[(Add, 1, "bob", 1), (Delete, 2, "bob", 1)], Ok(&[]));
        check(&[(Add, 1, "bob", 1), (Delete, 2, "bob", 1), (Add, 3, "BOB", 2)], Ok(&[("BOB", 2)]));
        check(&[(Delete, 1, "bob", 4), (Add, 2, "bob", 5)], Ok(&[("bob", 5)]));
    }

    #[test]
    fn a_deleted_name_keeps_its_epoch() {
        let text = file(&[(Add, 1, "bob", 1), (Update, 2, "bob", 5), (Delete, 3, "bob", 5)]);
        let loaded = parse(text.as_bytes()).unwrap();
        assert_eq!(loaded.gone.get(&UserName::parse("Bob").unwrap()).map(|last| last.epoch), Some(5));
    }

    #[test]
    fn what_cannot_follow_is_damage() {
        check(&[(Add, 2, "bob", 1)], Err((2, Fault::Sequence { expected: 1, found: 2 })));
        check(&[(Add, 1, "a", 1), (Add, 1, "a", 1)], Err((3, Fault::Sequence { expected: 2, found: 1 })));
        check(&[(Add, 1, "a", 1), (Add, 3, "b", 1)], Err((3, Fault::Sequence { expected: 2, found: 3 })));
        check(&[(Add, 1, "a", 1), (Add, 2, "A", 2)], Err((3, Fault::Exists)));
        check(&[(Update, 1, "a", 1)], Err((2, Fault::Missing)));
        check(&[(Delete, 1, "a", 1), (Delete, 2, "a", 1)], Err((3, Fault::Missing)));
        check(&[(Delete, 1, "a", 2), (Add, 2, "a", 2)], Err((3, Fault::EpochFell)));
        check(&[(Add, 1, "a", 2), (Update, 2, "a", 1)], Err((3, Fault::EpochFell)));
        check(&[(Add, 1, "a", 2), (Delete, 2, "a", 2), (Add, 3, "a", 2)], Err((4, Fault::EpochFell)));
    }

    #[test]
    fn cut_at_every_byte_it_loads() {
        let text = file(&[(Add, 1, "bob", 1), (Add, 2, "alice", 1)]);
        let ends = text.match_indices('\n').map(|(at, _)| at + 1).collect::<Vec<_>>();
        for cut in 0..=text.len() {
            for nuls in [0, 1, 300] {
                if cut == 0 && nuls > 0 {
                    continue; // not the beginning of a header
                }
                let mut bytes = text.as_bytes()[..cut].to_vec();
                bytes.resize(cut + nuls, 0);
                let loaded = parse(&bytes).unwrap_or_else(|damage| panic!("cut at {cut}, {nuls} NULs: {damage}"));
                let whole = ends.iter().filter(|end| **end <= cut).count();
                assert_eq!(loaded.good, whole.checked_sub(1).map_or(0, |last| ends[last]), "cut at {cut}");
                assert_eq!(loaded.accounts.len(), whole.saturating_sub(1), "cut at {cut}");
            }
        }
    }

    /// Checks what [`read`] gives: the number of accounts, and the file as the server would have written it.
    #[track_caller]
    fn check_read(bytes: &[u8], accounts: usize, expected: &str) {
        let (loaded, text) = read(bytes).unwrap();
        assert_eq!((loaded.accounts.len(), loaded.good), (accounts, expected.len()));
        assert_eq!(text.get(..loaded.good).unwrap(), expected.as_bytes());
    }

    #[test]
    fn what_editors_and_copies_do_takes_nothing_away() {
        let text = file(&[(Add, 1, "bob", 1), (Add, 2, "alice", 1)]);
        let of_windows = text.replace('\n', "\r\n");
        let marked = format!("\u{feff}{of_windows}");
        for whole in [&text, &of_windows, &marked] {
            check_read(whole.as_bytes(), 2, &text);
            check_read(whole.trim_end_matches('\n').as_bytes(), 2, &text);
            check_read(whole.trim_end().as_bytes(), 2, &text);
            check_read(format!("{whole}A:3:").as_bytes(), 2, &text);
            // With one byte less, the line is torn.
            let last = text.trim_end().rfind('\n').unwrap() + 1;
            check_read(&whole.trim_end().as_bytes()[..whole.trim_end().len() - 1], 1, &text[..last]);
        }
        // A complete line whose number is not due was not left by an editor.
        let stale = format!("{text}{}", file(&[(Add, 2, "carol", 1)]).lines().nth(1).unwrap());
        check_read(stale.as_bytes(), 2, &text);
        assert_eq!(
            read(text.replacen('\n', "\r\r\n", 1).as_bytes()).map(drop),
            Err(Damage { line: 1, fault: Fault::Header })
        );
        assert!(read(b"chatd-accounts 1\r\n").unwrap().0.accounts.is_empty());
        assert_eq!(read(b"").unwrap().0.good, 0);
        assert_eq!(read(b"\xef\xbb\xbf").unwrap().0.good, 0);
    }

    #[test]
    fn any_flipped_bit_before_the_last_line_is_damage() {
        let text = file(&[(Add, 1, "bob", 1), (Update, 2, "bob", 2), (Add, 3, "alice", 1)]);
        let last = text.trim_end().rfind('\n').unwrap();
        for at in 0..(last + 1) * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            assert!(parse(&bytes).is_err(), "bit {at}");
        }
    }

    #[test]
    fn a_terminated_last_line_is_never_torn() {
        let text = file(&[(Add, 1, "bob", 1), (Add, 2, "alice", 1)]);
        let last = text.trim_end().rfind('\n').unwrap() + 1;
        for at in last..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(parse(&bytes).map_err(|d| d.line).err(), Some(3), "byte {at}");
        }
        assert!(parse(format!("{text}\n").as_bytes()).is_err());
    }

    #[test]
    fn other_files_are_not_taken_for_fresh_ones() {
        for bytes in [&b"x"[..], b"chatd-accounts 2\n", b"root:x:0:0\n", b"\0", &[0; 4096], b"chatd\0\0x"] {
            assert_eq!(parse(bytes).map_err(|d| d.line).err(), Some(1), "{bytes:?}");
        }
    }
}
