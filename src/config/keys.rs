//! The keys of the configuration, and the values that each accepts.

use std::net::IpAddr;
use std::ops::Range;

use strsim::levenshtein;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::address::Address;
use super::irc;
use super::listen::Listen;
use super::source::Document;
use crate::limits::{HASH_MEMORY_MOST_KIB, LINE_BYTES_MOST, NAME_BYTES, PASSWORD_MAX_BYTES};
use crate::network::Network;

/// A year, in seconds: in effect never, and no clock overflows by it.
const YEAR_S: u64 = 365 * 24 * 60 * 60;
const NEVER: &str = "a year is as good as never";
/// The largest count of things that each need a connection.
const MANY: u64 = 1_000_000;
const DESCRIPTORS: &str = "the system gives a process about a million descriptors";
/// The largest size, in bytes, that the kernel or our arithmetic has to handle.
const GIB: u64 = 1 << 30;
const KERNEL_INT: &str = "the kernel counts it twice, in a 32-bit number";

/// The values that a key accepts.
enum Rule {
    /// `true` or `false`.
    Flag,
    /// A whole number from `least` to `most`, and the reason for `most`.
    Number { least: u64, most: u64, why: &'static str },
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// A path, which may be empty if `or_empty`.
    Path { or_empty: bool },
    /// Endpoints: at least one, each once.
    Listen,
    /// An address and a port.
    Address,
    /// Addresses and networks.
    Networks,
    /// Names of accounts.
    Names,
    /// Names of hosts, without ports.
    Hosts,
    /// The name of the server at the IRC door.
    Server,
    /// The name of a network of IRC.
    Network,
}

const fn from_one(most: u64, why: &'static str) -> Rule {
    Rule::Number { least: 1, most, why }
}

const fn from_zero(most: u64, why: &'static str) -> Rule {
    Rule::Number { least: 0, most, why }
}

/// All keys, by dotted path.
const KEYS: &[(&str, Rule)] = &[
    ("listen", Rule::Listen),
    ("datagrams", Rule::Address),
    ("accounts.file", Rule::Path { or_empty: false }),
    ("accounts.registration", Rule::Word(&["open", "closed"])),
    ("accounts.most", from_one(10_000_000, "each takes 300 bytes of memory, and time at every start")),
    ("accounts.password_min_bytes", from_one(PASSWORD_MAX_BYTES as u64, "no password is longer")),
    ("accounts.sessions_per_account", from_one(MANY, DESCRIPTORS)),
    (
        "accounts.argon2.memory_kib",
        Rule::Number {
            least: 8,
            most: HASH_MEMORY_MOST_KIB as u64,
            why: "Argon2 needs 8, and more than 4 GiB for one password is a mistake",
        },
    ),
    ("accounts.argon2.iterations", from_one(100_000, "a login would take hours")),
    ("accounts.argon2.parallelism", from_one(255, "one thread computes all lanes, so more of them gain nothing")),
    ("accounts.queue", from_one(10_000, "the last in the queue would wait for minutes")),
    ("login.deadline_s", from_one(YEAR_S, NEVER)),
    ("login.failures", from_one(MANY, "more is no limit")),
    ("login.failure_delay_ms", from_zero(3_600_000, "nobody waits for more than an hour")),
    ("login.penalties", Rule::Flag),
    ("limits.include_loopback", Rule::Flag),
    ("limits.connections", from_one(MANY, DESCRIPTORS)),
    ("limits.per_address", from_one(MANY, DESCRIPTORS)),
    ("limits.new_per_address", from_one(MANY, "more is no limit")),
    ("limits.silent", from_one(MANY, DESCRIPTORS)),
    ("limits.silent_most", from_one(MANY, DESCRIPTORS)),
    (
        "limits.line_bytes",
        Rule::Number {
            least: 16,
            most: LINE_BYTES_MOST as u64,
            why: "from an operation and a name to half of what is discarded of one line",
        },
    ),
    ("limits.line_s", from_one(YEAR_S, NEVER)),
    ("limits.owed_bytes", from_one(GIB, "nobody reads a gigabyte of chat")),
    ("limits.owed_soft_bytes", from_one(GIB, "nobody reads a gigabyte of chat")),
    ("limits.owed_soft_s", from_one(YEAR_S, NEVER)),
    ("limits.owed_total_bytes", from_one(1 << 40, "no machine has more memory to spare")),
    ("limits.send_buffer_bytes", from_zero(GIB - 1, KERNEL_INT)),
    ("limits.rate_lines_per_s", from_zero(MANY, "0 means no limit")),
    ("limits.rate_burst", from_one(MANY, "rate_lines_per_s = 0 means no limit")),
    ("limits.rate_bytes_per_s", from_zero(GIB, "0 means no limit")),
    ("limits.proxies", Rule::Networks),
    ("limits.list_lines", from_one(MANY, DESCRIPTORS)),
    ("rooms.per_session", from_one(MANY, "more is no limit")),
    ("rooms.members", from_one(MANY, DESCRIPTORS)),
    ("rooms.guest_idle_s", from_one(YEAR_S, NEVER)),
    ("rooms.datagram_idle_s", from_one(YEAR_S, NEVER)),
    ("web.names", Rule::Hosts),
    ("web.ping_s", from_zero(YEAR_S, NEVER)),
    ("irc.name", Rule::Server),
    ("irc.network", Rule::Network),
    ("irc.motd", Rule::Path { or_empty: true }),
    ("irc.names", from_one(MANY, DESCRIPTORS)),
    ("history.file", Rule::Path { or_empty: true }),
    ("history.keep_days", from_one(36_500, "a hundred years are as good as for ever")),
    ("history.keep_messages", from_one(1 << 40, "no disk holds more")),
    (
        "history.max_bytes",
        Rule::Number { least: 1 << 20, most: 1 << 44, why: "SQLite takes a megabyte at least, and no disk holds more" },
    ),
    (
        "history.queue_bytes",
        Rule::Number { least: 1 << 16, most: GIB, why: "a longer queue than this is never written in time" },
    ),
    ("history.commit_ms", from_one(60_000, "a crash would lose more than a minute")),
    ("history.search", Rule::Flag),
    ("tls.cert", Rule::Path { or_empty: true }),
    ("tls.key", Rule::Path { or_empty: true }),
    ("tls.min_version", Rule::Word(&["1.2", "1.3"])),
    ("operator.socket", Rule::Path { or_empty: true }),
    ("operator.accounts", Rule::Names),
    ("log.level", Rule::Word(&["off", "error", "warn", "info", "debug", "trace"])),
    ("log.file", Rule::Path { or_empty: true }),
    ("log.stats_s", from_zero(YEAR_S, NEVER)),
];

/// Everything that is wrong with one document, in the order of the document.
pub(super) fn check(document: &Document<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    check_table(document.table(), "", &mut faults);
    faults.sort_by_key(|fault| fault.at);
    faults.iter().map(|fault| document.fault(&fault.key, fault.at, &fault.what)).collect()
}

struct Fault {
    key: String,
    at: usize,
    what: String,
}

/// Checks the keys of one table. Recurses into known tables only.
fn check_table(table: &DeTable<'_>, prefix: &str, faults: &mut Vec<Fault>) {
    for (name, value) in table {
        let key = format!("{prefix}{}", shown(name.get_ref()));
        let at = value.span();
        let found = if let Some(rule) = rule(&key) {
            accept(rule, value)
        } else if !is_table(&key) {
            Err((name.span(), unknown(prefix, &key)))
        } else if let DeValue::Table(inner) = value.get_ref() {
            check_table(inner, &format!("{key}."), faults);
            Ok(())
        } else {
            Err((at, format!("must be a table, {}", is_a(value.get_ref()))))
        };
        if let Err((span, what)) = found {
            faults.push(Fault { key, at: span.start, what });
        }
    }
}

/// A part of a key as TOML shows it: quoted if necessary, so that `"a.b"` is not taken for `a.b`.
fn shown(part: &str) -> String {
    let bare = !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if bare { part.to_owned() } else { format!("{part:?}") }
}

fn rule(key: &str) -> Option<&'static Rule> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, rule)| rule)
}

fn is_table(key: &str) -> bool {
    KEYS.iter().any(|(known, _)| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

type Refusal = (Range<usize>, String);

/// Checks a value against a rule. An error has the place and what would be accepted.
fn accept(rule: &Rule, value: &Spanned<DeValue<'_>>) -> Result<(), Refusal> {
    let given = value.get_ref();
    let no = |what: String| Err((value.span(), what));
    match (rule, given) {
        (Rule::Flag, DeValue::Boolean(_)) => Ok(()),
        (Rule::Flag, other) => no(format!("must be true or false, {}", is_a(other))),
        (Rule::Number { least, most, why }, DeValue::Integer(number)) => {
            match i128::from_str_radix(number.as_str(), number.radix()) {
                Ok(n) if n < i128::from(*least) => no(format!("must be at least {least}, not {n}")),
                Ok(n) if n <= i128::from(*most) => Ok(()),
                Ok(_) | Err(_) => no(format!("must be {least} to {most}, not {number} ({why})")),
            }
        }
        (Rule::Number { least, most, .. }, other) => {
            no(format!("must be a whole number from {least} to {most}, {}", is_a(other)))
        }
        (Rule::Word(words), DeValue::String(word)) if words.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
            Ok(())
        }
        (Rule::Word(words), DeValue::String(word)) => no(format!("must be one of {}, not {word:?}", quoted(words))),
        (Rule::Word(words), other) => no(format!("must be one of {}, {}", quoted(words), is_a(other))),
        (Rule::Path { or_empty: false }, DeValue::String(path)) if path.is_empty() => {
            no("must be the path of a file, not empty".to_owned())
        }
        (Rule::Path { .. }, DeValue::String(path)) if path.contains('\0') || path.ends_with('/') => {
            no(format!("must be the path of a file, not {path:?}"))
        }
        (Rule::Path { .. }, DeValue::String(path)) if is_for_a_shell(path) => {
            no(format!("{path:?} would need a shell to expand it; write the whole path"))
        }
        (Rule::Path { .. }, DeValue::String(_)) => Ok(()),
        (Rule::Path { .. }, other) => no(format!("must be the path of a file, in quotes, {}", is_a(other))),
        (Rule::Listen, DeValue::Array(endpoints)) => accept_listen(endpoints, value.span()),
        (Rule::Listen, other) => no(format!("must be an array, such as [\"{}\"], {}", Listen::local(), is_a(other))),
        (Rule::Networks, DeValue::Array(networks)) => accept_networks(networks),
        (Rule::Networks, other) => no(format!("must be an array, such as [\"192.0.2.7\"], {}", is_a(other))),
        (Rule::Names, DeValue::Array(names)) => accept_names(names),
        (Rule::Names, other) => no(format!("must be an array of names, such as [\"alice\"], {}", is_a(other))),
        (Rule::Hosts, DeValue::Array(hosts)) => accept_hosts(hosts),
        (Rule::Hosts, other) => no(format!("must be an array, such as [\"chat.example.org\"], {}", is_a(other))),
        (Rule::Server, DeValue::String(name)) => irc::check_name(name).or_else(no),
        (Rule::Server, other) => no(format!("must be a name with a dot, in quotes, {}", is_a(other))),
        (Rule::Network, DeValue::String(name)) => irc::check_network(name).or_else(no),
        (Rule::Network, other) => no(format!("must be one word, in quotes, {}", is_a(other))),
        (Rule::Address, DeValue::String(address)) => Address::parse(address, "").map(drop).or_else(no),
        (Rule::Address, other) => no(format!("must be ADDRESS:PORT, in quotes, {}", is_a(other))),
    }
}

fn accept_listen(endpoints: &DeArray<'_>, whole: Range<usize>) -> Result<(), Refusal> {
    if endpoints.is_empty() {
        return Err((whole, format!("must name at least one endpoint, such as [\"{}\"]", Listen::local())));
    }
    let mut seen: Vec<Listen> = Vec::new();
    for endpoint in endpoints.iter() {
        let no = |what: String| Err((endpoint.span(), what));
        let DeValue::String(text) = endpoint.get_ref() else {
            return no(format!("must contain strings, such as \"{}\", {}", Listen::local(), is_a(endpoint.get_ref())));
        };
        match Listen::parse(text) {
            Ok(listen) => match seen.iter().find_map(|other| listen.conflict(other)) {
                Some(what) => return no(what),
                None => seen.push(listen),
            },
            Err(what) => return no(what),
        }
    }
    Ok(())
}

fn accept_networks(networks: &DeArray<'_>) -> Result<(), Refusal> {
    for network in networks.iter() {
        let no = |what: String| Err((network.span(), what));
        let DeValue::String(text) = network.get_ref() else {
            return no(format!("must contain strings, such as \"192.0.2.7\", {}", is_a(network.get_ref())));
        };
        if let Err(what) = text.parse::<Network>() {
            return no(what);
        }
    }
    Ok(())
}

fn accept_names(names: &DeArray<'_>) -> Result<(), Refusal> {
    for name in names.iter() {
        let no = |what: String| Err((name.span(), format!("must contain names of accounts, {what}")));
        let DeValue::String(text) = name.get_ref() else { return no(is_a(name.get_ref())) };
        if !is_name(text) {
            return no(format!("not {text:?}"));
        }
    }
    Ok(())
}

fn accept_hosts(hosts: &DeArray<'_>) -> Result<(), Refusal> {
    for host in hosts.iter() {
        let no = |what: String| {
            Err((
                host.span(),
                format!("must contain names of hosts without ports, such as \"chat.example.org\", {what}"),
            ))
        };
        let DeValue::String(text) = host.get_ref() else { return no(is_a(host.get_ref())) };
        if !is_host(text) {
            return no(format!("not {text:?}"));
        }
    }
    Ok(())
}

/// Whether this is the name of a host, without a port. An address needs no entry.
fn is_host(text: &str) -> bool {
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.bytes().all(is_of_host) && text.parse::<IpAddr>().is_err()
}

/// Whether an account may have this name.
fn is_name(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.len() <= NAME_BYTES && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_of_name)
}

/// Whether a path begins with `~`, `~user` or an environment variable.
fn is_for_a_shell(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    path == "~" || path.starts_with('$') || first.starts_with('~') && first.len() < path.len()
}

/// Normalizes the words of checked values to the spelling in [`KEYS`].
pub(super) fn spell_words(table: &mut toml::Table) {
    for (key, rule) in KEYS {
        let Rule::Word(_) = rule else { continue };
        if let Some(toml::Value::String(word)) = at_path(table, key) {
            word.make_ascii_lowercase();
        }
    }
}

fn at_path<'a>(table: &'a mut toml::Table, key: &str) -> Option<&'a mut toml::Value> {
    match key.split_once('.') {
        Some((name, rest)) => at_path(table.get_mut(name)?.as_table_mut()?, rest),
        None => table.get_mut(key),
    }
}

fn is_a(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("not {article} {kind}")
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// The error message for an unknown key: the key that was probably meant, or the known ones.
fn unknown(prefix: &str, key: &str) -> String {
    if let Some(meant) = nearest(key) {
        return format!("unknown key; did you mean {meant}?");
    }
    let mut here: Vec<&str> =
        KEYS.iter().filter_map(|(known, _)| known.strip_prefix(prefix)?.split('.').next()).collect();
    here.dedup();
    let place =
        if prefix.is_empty() { "at the top".to_owned() } else { format!("under {}", prefix.trim_end_matches('.')) };
    format!("unknown key; {place} there are {}", here.join(", "))
}

/// The known key that differs from this one in its table only, or else by a typing error.
fn nearest(key: &str) -> Option<&'static str> {
    let plain = key.replace('"', "");
    let last = |path: &str| path.rsplit('.').next().map(str::to_owned);
    let known = || KEYS.iter().map(|(known, _)| *known);
    known().find(|known| *known == plain || last(known) == last(&plain)).or_else(|| {
        // A key that is much longer or shorter is no typing error. This also bounds the work.
        let near = |known: &&str| known.len().abs_diff(plain.len()) <= 2;
        known()
            .filter(near)
            .map(|known| (levenshtein(known, &plain), known))
            .filter(|(d, _)| *d <= 2)
            .min()
            .map(|(_, known)| known)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    /// The dotted paths of a table's leaves.
    fn leaves(table: &toml::Table, prefix: &str, into: &mut Vec<String>) {
        for (name, value) in table {
            match value.as_table() {
                Some(inner) => leaves(inner, &format!("{prefix}{name}."), into),
                None => into.push(format!("{prefix}{name}")),
            }
        }
    }

    #[track_caller]
    fn sorted(text: &str) -> Vec<String> {
        let mut keys = Vec::new();
        leaves(&toml::from_str(text).unwrap(), "", &mut keys);
        keys.sort();
        keys
    }

    #[test]
    fn types_rules_and_the_shipped_file_have_the_same_keys() {
        let mut rules: Vec<_> = KEYS
            .iter()
            .map(|(key, _)| (*key).to_owned())
            .filter(|key| key != "datagrams" && key != "operator.socket")
            .collect();
        rules.sort();
        assert_eq!(rules, sorted(&super::super::to_toml(&Config::default()).unwrap()));
        assert_eq!(rules, sorted(include_str!("../../config.toml")));
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("silent", "slient", 2), ("line_s", "lines", 1)]
        {
            assert_eq!(levenshtein(a, b), expected, "{a} {b}");
        }
    }
}
