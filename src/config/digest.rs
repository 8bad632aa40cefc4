//! From sources to one configuration: each checked, all merged, and the whole checked again.

use super::source::{Document, Source};
use super::{Config, keys};

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

/// Rules between two keys. A soft bound that nobody set follows its hard one down, so that who wants little has to
/// say so only once.
fn agree(config: &mut Config, documents: &[Document<'_>]) -> Vec<String> {
    let mut faults = Vec::new();
    let limits = &mut config.limits;
    let pairs = [
        ("limits.owed_soft_bytes", &mut limits.owed_soft_bytes, "limits.owed_bytes", limits.owed_bytes),
        ("limits.silent", &mut limits.silent, "limits.silent_most", limits.silent_most),
    ];
    for (soft_key, soft, hard_key, hard) in pairs {
        if *soft <= hard {
            continue;
        }
        if documents.iter().any(|document| document.find(soft_key).is_some()) {
            let what = format!("must be at most {hard_key}, which is {hard}, not {soft}");
            faults.push(last_said(documents, soft_key, hard_key, &what));
        } else {
            *soft = hard;
        }
    }
    let cost = config.accounts.rules.argon2;
    let least = cost.parallelism.saturating_mul(8);
    if cost.memory_kib < least {
        let (key, lanes) = ("accounts.argon2.memory_kib", "accounts.argon2.parallelism");
        let what = format!("must be at least 8 times {lanes}, which makes {least}, not {}", cost.memory_kib);
        faults.push(last_said(documents, key, lanes, &what));
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
