//! The names of the server itself, which no user may have.

/// Whether a user's name is one of the server's: `irc`, its name at the IRC door, or a name with a dot among those of the
/// `hosts` that it is.
pub fn is_own<'a>(name: &str, irc: &str, hosts: impl IntoIterator<Item = &'a str>) -> bool {
    name.eq_ignore_ascii_case(irc) || name.contains('.') && hosts.into_iter().any(|host| is_host(host, name))
}

/// Whether `name` is the known host. A known one may begin with `*.`, which means one more label.
pub fn is_host(known: &str, name: &str) -> bool {
    let Some(domain) = known.strip_prefix("*.") else { return known.eq_ignore_ascii_case(name) };
    name.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_any_case_and_a_star_is_one_label() {
        for (known, name, expected) in [
            ("chat.example", "Chat.Example", true),
            ("chat.example", "a.chat.example", false),
            ("*.example", "chat.example", true),
            ("*.example", "a.chat.example", false),
            ("*.example", ".example", false),
            ("*.example", "example", false),
        ] {
            assert_eq!(is_host(known, name), expected, "{known} {name}");
        }
    }

    #[test]
    fn own_names_of_the_server() {
        let hosts = ["localhost", "Chat.example", "*.example.org"];
        for (name, expected) in [
            ("chatd.local", true),
            ("CHATD.Local", true),
            ("chat.EXAMPLE", true),
            ("bob.example.org", true),
            ("localhost", false), // no dot
            ("chatd", false),
            ("bob.example.com", false),
        ] {
            assert_eq!(is_own(name, "chatd.local", hosts), expected, "{name}");
        }
    }
}
