//! `[irc]`, and what is accepted there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::limits::{IRC_NAMES, IRC_NETWORK_BYTES, IRC_SERVER_BYTES};

/// `[irc]`: what all IRC doors share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Irc {
    /// The server's name: parts of a host's name with dots between them, at most [`IRC_SERVER_BYTES`] in all.
    pub name: String,
    /// The name of the network: one word, at most [`IRC_NETWORK_BYTES`].
    pub network: String,
    /// The file of the message of the day as written; empty for the built-in one.
    pub motd: PathBuf,
    /// The most names in an answer to NAMES or WHO.
    pub names: u32,
}

impl Default for Irc {
    fn default() -> Self {
        Self { name: "chatd.local".to_owned(), network: "chatd".to_owned(), motd: PathBuf::new(), names: IRC_NAMES }
    }
}

/// Checks the server's name.
///
/// # Errors
/// What would be accepted.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_part = |part: &str| {
        let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(is_inside) && !part.starts_with('-') && !part.ends_with('-')
    };
    if !name.contains('.') {
        return Err(format!(
            "must hold a dot, which tells a server from a user, such as \"chat.example\", not {name:?}"
        ));
    }
    if !name.split('.').all(is_part) {
        return Err(format!(
            "must be like a host's name, letters, digits, '-' and '.', such as \"chat.example\", not {name:?}"
        ));
    }
    if name.len() > IRC_SERVER_BYTES {
        return Err(format!("has at most {IRC_SERVER_BYTES} bytes, not {}", name.len()));
    }
    Ok(())
}

/// Checks the network's name.
///
/// # Errors
/// What would be accepted.
pub(super) fn check_network(name: &str) -> Result<(), String> {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if (1..=IRC_NETWORK_BYTES).contains(&name.len()) && name.bytes().all(is_inside) {
        return Ok(());
    }
    Err(format!("must be one word, 1 to {IRC_NETWORK_BYTES} letters, digits, '-', '_' and '.', not {name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers() {
        let long = format!("{}.x", "a".repeat(61));
        for good in ["chatd.local", "a.b", "1.2.3.4", "irc.Example.org", "x-1.y", &long] {
            assert_eq!(check_name(good), Ok(()), "{good:?}");
        }
        for (bad, part) in [
            ("chatd", "must hold a dot"),
            ("", "must hold a dot"),
            (".", "like a host's name"),
            ("a..b", "like a host's name"),
            ("a.b.", "like a host's name"),
            ("-a.b", "like a host's name"),
            ("a b.c", "like a host's name"),
            ("a!b.c", "like a host's name"),
            ("a_b.c", "like a host's name"),
            ("é.c", "like a host's name"),
            (&format!("a{long}"), "at most 63 bytes, not 64"),
        ] {
            let fault = check_name(bad).unwrap_err();
            assert!(fault.contains(part), "{bad:?}: {fault}");
        }
    }

    #[test]
    fn names_of_networks() {
        for good in ["chatd", "Libera.Chat", "a-b_c", &"x".repeat(32)] {
            assert_eq!(check_network(good), Ok(()), "{good:?}");
        }
        for bad in ["", "a b", "a=b", "é", ":a", "a\n", &"x".repeat(33)] {
            assert!(check_network(bad).is_err(), "{bad:?}");
        }
    }
}
