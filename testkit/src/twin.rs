//! Runs the twins of the fuzz targets: on the corpus, on the corpus cut at every byte, and on mutations by proptest.
//! `PROPTEST_RNG_SEED=…` replays a run; proptest prints the seed with a failure.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// The number of cases of proptest for each decoder.
const CASES: u32 = 600;
/// Files of the corpus are cut at every byte up to here; the rest is more of the same.
const CUTS: usize = 600;

/// A change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Double(Index, usize),
    /// From here on, another file.
    Splice(Index, Index, Index),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        2 => (place(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, 1 << bit)),
        2 => (place(), prop::sample::select(&b"\0\n\r :.\"\\=0A\x7f\x80\xc2\xe2\xff"[..])).prop_map(|(at, to)| Edit::Set(at, to)),
        2 => (place(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, what)| Edit::Insert(at, what)),
        2 => (place(), 1..64usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        1 => (place(), 1..5000usize).prop_map(|(at, count)| Edit::Double(at, count)),
        2 => (place(), place(), place()).prop_map(|(at, file, from)| Edit::Splice(at, file, from)),
    ]
}

fn apply(edit: &Edit, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let place = |at: &Index, length: usize| at.index(length.max(1)).min(length);
    match edit {
        Edit::Flip(at, bits) => {
            let at = place(at, bytes.len());
            bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bits);
        }
        Edit::Set(at, to) => {
            let at = place(at, bytes.len());
            bytes.get_mut(at).into_iter().for_each(|byte| *byte = *to);
        }
        Edit::Insert(at, what) => {
            let at = place(at, bytes.len());
            bytes.splice(at..at, what.iter().copied());
        }
        Edit::Remove(at, count) => {
            let at = place(at, bytes.len());
            bytes.drain(at..(at + count).min(bytes.len()));
        }
        Edit::Double(at, count) => {
            let at = place(at, bytes.len());
            let piece = bytes[at..(at + count).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        Edit::Splice(at, file, from) => {
            let other = &corpus[file.index(corpus.len())];
            bytes.truncate(place(at, bytes.len()));
            bytes.extend(&other[place(from, other.len())..]);
        }
    }
}

/// The folder of the fuzz targets.
pub fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// The files of a target's corpus, in the order of their names.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).expect("a corpus").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs a target on its corpus, on the corpus cut at every byte, and on mutations by proptest.
#[track_caller]
pub fn check(target: &str, run: fn(&[u8])) {
    let corpus = corpus(target);
    for bytes in &corpus {
        run(bytes);
        (0..bytes.len().min(CUTS)).for_each(|end| run(&bytes[..end]));
    }
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let inputs = (any::<Index>(), prop::collection::vec(any_edit(), 1..6));
    let result = TestRunner::new(config).run(&inputs, |(file, edits)| {
        let mut bytes = corpus[file.index(corpus.len())].clone();
        edits.iter().for_each(|edit| apply(edit, &mut bytes, &corpus));
        run(&bytes);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{target}: {error}"));
}
