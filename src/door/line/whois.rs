//! Encodes who somebody is, and what an account says of itself.

use std::fmt::{self, Display, Write as _};

use super::spell::{encode_text, salvaged};
use crate::door::decoded::Kind;
use crate::door::operator::utc;
use crate::door::recall::{Known, Whois};
use crate::door::wire::Wire;
use crate::hub::names::UserName;
use crate::hub::profile::ProfileKey;

/// `C 215-key value` for all that is known, and `C 215 name`.
pub(super) fn encode(kind: Kind, whois: &Whois, out: &mut Wire<'_>) -> fmt::Result {
    match whois {
        Whois::Guest { name, away, called, rooms: _ } => {
            writeln!(out, "C 215-guest")?;
            if let Some(text) = away {
                encode_value(kind, "away", text, out)?;
            }
            if let Some(text) = called {
                encode_value(kind, ProfileKey::Name.word(), text, out)?;
            }
            writeln!(out, "C 215 {name}")
        }
        Whois::Account(known) => encode_known(kind, known, out),
    }
}

fn encode_known(kind: Kind, known: &Known, out: &mut Wire<'_>) -> fmt::Result {
    let Known { name, sessions, since, idle_s, away, called: _, rooms: _, seen_ms, profile } = known;
    let since = utc(since.saturating_mul(1000));
    encode_item("sessions", sessions, out)?;
    encode_item("since", since.get(..DATE_BYTES).unwrap_or_default(), out)?;
    if let Some(seconds) = idle_s {
        encode_item("idle", seconds, out)?;
    }
    if let Some(text) = away {
        encode_value(kind, "away", text, out)?;
    }
    if let Some(ms) = seen_ms {
        encode_item("seen", utc(*ms).get(..MINUTE_BYTES).unwrap_or_default(), out)?;
    }
    encode_profile(kind, name, profile, out)
}

/// `C 215-key value` for what an account has set, and `C 215 name`.
pub(super) fn encode_profile(
    kind: Kind,
    name: &UserName,
    values: &[(ProfileKey, Box<str>)],
    out: &mut Wire<'_>,
) -> fmt::Result {
    for (key, value) in values {
        encode_value(kind, key.word(), value, out)?;
    }
    writeln!(out, "C 215 {name}")
}

/// The length of `2026-11-26`.
const DATE_BYTES: usize = 10;
/// The length of `2026-11-26T09:41`.
const MINUTE_BYTES: usize = 16;

fn encode_item(key: &str, value: impl Display, out: &mut Wire<'_>) -> fmt::Result {
    writeln!(out, "C 215-{key} {value}")
}

/// A text that somebody wrote. It may come from a file, so what no line may contain is left out.
fn encode_value(kind: Kind, key: &str, value: &str, out: &mut Wire<'_>) -> fmt::Result {
    write!(out, "C 215-{key} ")?;
    encode_text(kind, &salvaged(value), out)?;
    out.write_str("\n")
}
