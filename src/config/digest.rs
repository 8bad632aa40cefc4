//! From sources to one configuration: each source is checked, all are merged, and the result is checked.

use std::fmt::Display;

use super::source::{Document, Source};
use super::{Config, Listen, keys};
use crate::limits::{Argon2Cost, HASH_WORK_MOST_KIB};

/// Checks all sources, merges them in order, and checks the rules between keys.
pub(super) fn digest(sources: &[Source]) -> Result<Config, Vec<String>> {
    let mut faults = Vec::new();
    let mut documents = Vec::new();
    for source in sources {
        match source.parse() {
            Ok(document) => {
                faults.extend(keys::check(&document));
                documents.push(document);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut config = merge(sources).map_err(|fault| vec![fault])?;
    let faults = agree(&mut config, &documents);
    if faults.is_empty() { Ok(config) } else { Err(faults) }
}

fn merge(sources: &[Source]) -> Result<Config, String> {
    let mut whole = toml::Table::new();
    for source in sources {
        lay_over(&mut whole, source.table()?);
    }
    keys::spell_words(&mut whole);
    whole.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

/// Merges a table into another, key by key. Both were checked against the known keys, which bounds the depth.
fn lay_over(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => lay_over(old, new),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// Checks the rules between keys.
fn agree(config: &mut Config, documents: &[Document<'_>]) -> Vec<String> {
    let limits = &mut config.limits;
    let soft = lower(
        documents,
        ("limits.owed_soft_bytes", &mut limits.owed_soft_bytes),
        ("limits.owed_bytes", limits.owed_bytes),
    );
    let silent = lower(documents, ("limits.silent", &mut limits.silent), ("limits.silent_most", limits.silent_most));
    let mut faults: Vec<String> = soft.into_iter().chain(silent).collect();
    faults.extend(pair_is_whole(config, documents));
    faults.extend(hash_fits(config.accounts.rules.argon2, documents));
    faults.extend(datagrams_fit(config, documents));
    faults
}

/// A certificate is nothing without its key.
fn pair_is_whole(config: &Config, documents: &[Document<'_>]) -> Option<String> {
    let (has_cert, has_key) = (!config.tls.cert.as_os_str().is_empty(), !config.tls.key.as_os_str().is_empty());
    let (given, missing) = match (has_cert, has_key) {
        (true, false) => ("tls.cert", "tls.key"),
        (false, true) => ("tls.key", "tls.cert"),
        (true, true) | (false, false) => return None,
    };
    let what = format!("is given without {missing}; give both or neither");
    let document = documents.iter().rev().find_map(|document| Some((document, document.find(given)?)));
    document.map(|(document, at)| document.fault(given, at, &what))
}

/// Lowers a soft bound to its hard bound, so that an operator who wants a low bound has to set only one key. It is a
/// fault if the soft bound was set last, or in the same source as the hard one: then it was meant.
fn lower<T: PartialOrd + Copy + Display>(
    documents: &[Document<'_>],
    (soft_key, soft): (&str, &mut T),
    (hard_key, hard): (&str, T),
) -> Option<String> {
    if *soft <= hard {
        return None;
    }
    let what = format!("must be at most {hard_key}, which is {hard}, not {soft}");
    *soft = hard;
    let last =
        documents.iter().rev().find(|document| [soft_key, hard_key].iter().any(|key| document.find(key).is_some()))?;
    last.find(soft_key).map(|at| last.fault(soft_key, at, &what))
}

/// The faults of a hash cost that Argon2 or the server does not accept.
fn hash_fits(cost: Argon2Cost, documents: &[Document<'_>]) -> Vec<String> {
    let (memory, lanes) = ("accounts.argon2.memory_kib", "accounts.argon2.parallelism");
    let iterations = "accounts.argon2.iterations";
    let least = cost.parallelism.saturating_mul(8);
    let mut faults = Vec::new();
    if cost.memory_kib < least {
        let what = format!("must be at least 8 times {lanes}, which makes {least}, not {}", cost.memory_kib);
        faults.push(last_said(documents, memory, lanes, &what));
    }
    let most = HASH_WORK_MOST_KIB / u64::from(cost.memory_kib.max(1));
    if u64::from(cost.iterations) > most {
        let what = format!("must be at most {most} with the {memory} that is set, not {}", cost.iterations);
        faults.push(last_said(documents, iterations, memory, &what));
    }
    faults
}

/// The datagram socket must be the same as that of a room door, or not collide with it.
fn datagrams_fit(config: &Config, documents: &[Document<'_>]) -> Option<String> {
    let ours = config.datagrams.as_ref()?;
    let stands_in_the_way = |listen: &&Listen| {
        listen.datagrams().is_some_and(|theirs| theirs.socket() != ours.socket() && theirs.collides(ours))
    };
    let other = config.listen.iter().find(stands_in_the_way)?;
    let what =
        format!("{ours} and {other} want the same UDP port at different addresses; name one address, or two ports");
    Some(last_said(documents, "datagrams", "listen", &what))
}

/// The fault of two keys that do not agree, located at the one that was set last. The message names `key`.
fn last_said(documents: &[Document<'_>], key: &str, other: &str, what: &str) -> String {
    documents
        .iter()
        .rev()
        .find_map(|document| {
            document.find(key).or_else(|| document.find(other)).map(|at| document.fault(key, at, what))
        })
        .unwrap_or_else(|| format!("{key}: {what}"))
}
