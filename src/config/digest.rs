//! From sources to one configuration: each checked, all merged, and the whole checked again.

use super::source::{Document, Source};
use super::{Config, keys};
use crate::limits::HASH_WORK_MOST_KIB;

/// Checks all sources, merges them in order, and checks what only the whole can show.
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
    whole.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

/// Lays a table over another, key by key. As deep as the keys go: both were checked against them.
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

/// Rules between keys. A soft bound above its hard one says nothing that the hard one does not: it is brought down to
/// it, so that who wants little has to say so only once. A password that cannot be hashed is a fault.
fn agree(config: &mut Config, documents: &[Document<'_>]) -> Vec<String> {
    let limits = &mut config.limits;
    limits.owed_soft_bytes = limits.owed_soft_bytes.min(limits.owed_bytes);
    limits.silent = limits.silent.min(limits.silent_most);
    let cost = config.accounts.rules.argon2;
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

/// The fault of two keys that do not agree, at the place of the one that was said last; it names the first.
fn last_said(documents: &[Document<'_>], key: &str, other: &str, what: &str) -> String {
    documents
        .iter()
        .rev()
        .find_map(|document| {
            document.find(key).or_else(|| document.find(other)).map(|at| document.fault(key, at, what))
        })
        .unwrap_or_else(|| format!("{key}: {what}"))
}
