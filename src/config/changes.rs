//! The differences between two configurations, for the log.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Config;

/// The keys that differ, as dotted paths in alphabetical order, with the old and the new value as TOML: `limits.line_s
/// from 30 to 60`. A key that is not set has the value `nothing`.
pub fn changes(before: &Config, after: &Config) -> Vec<String> {
    let (before, after) = (leaves(before), leaves(after));
    let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    let mut changes: Vec<String> = keys
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| format!("{key} from {} to {}", shown(before.get(key)), shown(after.get(key))))
        .collect();
    changes.sort();
    changes
}

/// All keys with their values.
fn leaves(config: &Config) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    // Serializing a checked configuration never fails.
    if let Ok(table) = Table::try_from(config) {
        collect(&table, "", &mut leaves);
    }
    leaves
}

/// Recurses as deep as the tables of [`Config`] are nested.
fn collect(table: &Table, prefix: &str, into: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        if let Value::Table(inner) = value {
            collect(inner, &format!("{prefix}{name}."), into);
        } else {
            into.insert(format!("{prefix}{name}"), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_differs_with_both_values() {
        let before = Config::default();
        assert!(changes(&before, &before).is_empty());
        let mut after = before.clone();
        after.limits.line_s = 60;
        after.log.level = log::LevelFilter::Debug;
        after.accounts.rules.argon2.iterations = 3;
        after.datagrams = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 7)).into());
        after.listen.clear();
        let expected = [
            "accounts.argon2.iterations from 2 to 3",
            "datagrams from nothing to \"127.0.0.1:7\"",
            "limits.line_s from 30 to 60",
            "listen from [\"line://127.0.0.1:5015\", \"web://127.0.0.1:8015\"] to []",
            "log.level from \"info\" to \"debug\"",
        ];
        assert_eq!(changes(&before, &after), expected);
    }
}
