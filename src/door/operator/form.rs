//! The forms of values in items, for programs that want numbers as numbers.

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A whole number.
    Number,
    /// `yes` or `no`.
    Flag,
    /// Elements with commas between them.
    List,
    /// Anything else.
    Text,
}

/// The form of a key's value in the answer to a command, given without its first spaces.
pub fn form(command: &str, key: &str) -> Form {
    let mut words = command.split(' ').filter(|word| !word.is_empty());
    let word = words.next().unwrap_or_default().to_ascii_lowercase();
    let is_about_one = words.next().is_some();
    match (word.as_str(), key) {
        ("status", "connections" | "limit" | "online" | "rooms" | "owed" | "hashing" | "history_backlog" | "longest_turn_us") => {
            Form::Number
        }
        ("status", "degraded" | "listeners") | ("sessions", "rooms") => Form::List,
        ("sessions", "id" | "idle" | "owed")
        | ("rooms", "members")
        | ("trace", "id" | "dropped")
        | ("bans", "until") => Form::Number,
        ("sessions", "tls") | ("rooms", "kept" | "locked") => Form::Flag,
        ("rooms", "host") if is_about_one => Form::Flag,
        (_, _) => Form::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (command, key, expected) in [
            ("status", "rooms", Form::Number),
            ("sessions alice", "rooms", Form::List),
            ("Sessions", "id", Form::Number),
            ("trace 7", "id", Form::Number),
            ("trace alice --for 9s", "id", Form::Number),
            ("rooms", "name", Form::Text),
            ("rooms", "host", Form::Text),
            ("rooms den", "host", Form::Flag),
            ("", "", Form::Text),
        ] {
            assert_eq!(form(command, key), expected, "{command} {key}");
        }
    }
}
