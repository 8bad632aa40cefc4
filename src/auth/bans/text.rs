//! The list of bans as text: `WHAT UNTIL|- REASON`, a line each.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::{Ban, Bans, Full, What};
use crate::limits::{BANS, REASON_BYTES};
use crate::text;

/// A line that is no ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, counted from 1.
    pub line: usize,
    what: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A reason as it is kept: without spaces around it and invisible characters, its tabs replaced by spaces. `None` if it
/// is longer than [`REASON_BYTES`], or is no text that may be shown.
pub fn reason(bytes: &[u8]) -> Option<Arc<str>> {
    let checked = text::check(bytes)?;
    let plain = text::without_taken_out(checked.text).replace('\t', " ");
    let plain = plain.trim();
    (plain.len() <= REASON_BYTES).then(|| plain.into())
}

/// Reads a list. Lines may end in CRLF, empty ones are skipped, and the last one needs no end; of two lines about the
/// same, the later one counts.
///
/// # Errors
/// The first line that is no ban.
pub(in crate::auth) fn decode(bytes: &[u8]) -> Result<Bans, BadLine> {
    let mut bans = Bans::default();
    for (at, line) in text::without_mark(bytes).split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            let added = decode_line(line).and_then(|ban| bans.add(ban).map_err(|Full| TOO_MANY.to_owned()));
            added.map_err(|what| BadLine { line: at + 1, what })?;
        }
    }
    Ok(bans)
}

const TOO_MANY: &str = "more than 10,000 bans";

fn decode_line(line: &[u8]) -> Result<Ban, String> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let mut word = || words.next().unwrap_or_default();
    let (what, until, why) = (word(), word(), word());
    let what = std::str::from_utf8(what).map_err(|_| "it is not UTF-8".to_owned())?;
    let what = What::parse(what).map_err(|why| format!("its first word {why}"))?;
    let until = match until {
        b"-" => None,
        digits => Some(decode_seconds(digits).ok_or("its second word must be - or a time in seconds since 1970")?),
    };
    let reason = reason(why).ok_or("its reason has more than 200 bytes, or control characters")?;
    Ok(Ban { what, until, reason })
}

fn decode_seconds(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// Writes a list.
pub(in crate::auth) fn encode(bans: &Bans) -> String {
    let mut out = String::new();
    for Ban { what, until, reason } in bans.iter() {
        let until = until.map_or_else(|| "-".to_owned(), |until| until.to_string());
        let line = format!("{what} {until} {reason}");
        // Formatting into a string cannot fail.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

const _: () = assert!(BANS == 10_000 && REASON_BYTES == 200, "the texts of this file name these numbers");
