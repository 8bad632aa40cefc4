//! Encodes what was said before, and what is known of it.
//!
//! All texts here come from a file, so nothing is taken for granted: what no line may contain is left out.

use std::fmt::{self, Write as _};

use super::spell::{encode_spaced, salvaged, salvaged_word};
use super::whois;
use crate::door::decoded::Kind;
use crate::door::operator::utc;
use crate::door::recall::{Notice, Recalled, Wants, time_of};
use crate::door::reply::{Days, NEEDS_ACCOUNT};
use crate::door::wire::Wire;
use crate::history::{Count, Flag, Line, Missed, Paged};
use crate::limits::COUNT_MOST;

/// Appends an answer to `out` as whole lines, in the spelling `kind`.
pub(super) fn encode(kind: Kind, recalled: &Recalled, out: &mut Vec<u8>) {
    let out = &mut Wire(out);
    let result = match recalled {
        Recalled::Page { page, is_unread } => encode_page(kind, page, *is_unread, out),
        Recalled::Counts { counts, keep_days } => encode_counts(counts, *keep_days, out),
        Recalled::Read => writeln!(out, "C 200 read"),
        Recalled::Wants(wants) => encode_wants(*wants, out),
        Recalled::Whois(whois) => whois::encode(kind, whois, out),
        Recalled::Profile { name, values } => whois::encode_profile(kind, name, values, out),
        Recalled::Loud { place, level } => writeln!(out, "C 200 {} notify={}", salvaged_word(place), level.word()),
        Recalled::Forgot { is_erased: false, .. } | Recalled::ForgotAll { is_erased: false, .. } => {
            writeln!(out, "C 200 forgotten; on disk until a reader has ended")
        }
        Recalled::Forgot { id, place, is_erased: true } => {
            writeln!(out, "C 200 forgot {id} in {}", salvaged_word(place))
        }
        Recalled::ForgotAll { count, is_erased: true } => {
            writeln!(out, "C 200 forgot {count} line{}", if *count == 1 { "" } else { "s" })
        }
        Recalled::NeedsAccount => writeln!(out, "C 554 {NEEDS_ACCOUNT}"),
        Recalled::NoSuchUser => writeln!(out, "C 550 no such user; WHO lists who is online"),
        Recalled::NoSuchMessage => {
            writeln!(out, "C 550 no page of yours has that message; HISTORY shows what is kept")
        }
        Recalled::NotYourMessage => {
            writeln!(out, "C 554 you can forget your own messages, and all messages in rooms that you own")
        }
        Recalled::ForgotTooMuch { retry_s } => writeln!(out, "C 450 too much forgotten, try again in {retry_s} s"),
        Recalled::NotForgotten => {
            writeln!(out, "C 450 it is not forgotten yet, or not all of it; try FORGET again in some seconds")
        }
        Recalled::NothingKept => writeln!(out, "C 554 nothing is kept here"),
        Recalled::SearchOff => writeln!(out, "C 554 search is off"),
        Recalled::WantsAreTyped => writeln!(out, "C 554 WANT is for programs, which begin with C before their name"),
        Recalled::NotYours => {
            writeln!(out, "C 550 that place is not yours, or nothing is kept of it; UNREAD lists yours")
        }
        Recalled::Unavailable => writeln!(out, "C 450 the history does not answer now, try again in some seconds"),
        Recalled::Busy => writeln!(out, "C 450 too many searches, try again in some seconds"),
    };
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

/// Appends a notice to `out` as a whole line.
pub fn encode_notice(notice: &Notice, out: &mut Vec<u8>) {
    let out = &mut Wire(out);
    let result = match notice {
        Notice::Read { place, id } => {
            let place = place.as_deref().unwrap_or("-");
            writeln!(out, "C 108 {} {id}", salvaged_word(place))
        }
        Notice::Missed(Missed { count, mentions, .. }) => {
            writeln!(out, "C 110 {} missed, {} for you; MISSED shows them", AtLeast(*count), AtLeast(*mentions))
        }
        Notice::Forgotten { place, id } => writeln!(out, "C 109 {} {id}", salvaged_word(place)),
        Notice::ForgottenAll { place, name } => {
            writeln!(out, "C 109 {} all {}", salvaged_word(place), salvaged_word(name))
        }
    };
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

/// A line for each message, and the last one, which says how to go on.
fn encode_page(kind: Kind, page: &Paged, is_unread: bool, out: &mut Wire<'_>) -> fmt::Result {
    let mut day = String::new();
    for line in &page.lines {
        match kind {
            Kind::Bare => encode_bare(line, &mut day, out)?,
            Kind::Typed | Kind::Web | Kind::RelayLf | Kind::RelayCrLf | Kind::Irc(_) => encode_typed(line, out)?,
        }
    }
    let count = page.lines.len();
    match page.next {
        _ if is_unread && kind == Kind::Bare => {
            write!(out, "C 212 {count} message{}", if count == 1 { "" } else { "s" })?;
            match page.left {
                0 if page.next.is_some() => writeln!(out, "; MISSED shows more"),
                0 => writeln!(out),
                left if left < COUNT_MOST => writeln!(out, "; MISSED shows {left} more"),
                left => writeln!(out, "; MISSED shows {}", AtLeast(left)),
            }
        }
        Some(next) => writeln!(out, "C 212 {count} next={next}"),
        None => writeln!(out, "C 212 {count} end"),
    }
}

/// `C 212-id place from flags text`
fn encode_typed(line: &Line, out: &mut Wire<'_>) -> fmt::Result {
    let Line { id, place, from, flag, text } = line;
    let flag = match flag {
        Flag::Plain => '-',
        Flag::Mention => 'm',
        Flag::Hole => 'g',
    };
    let (place, from) = (salvaged_word(place), salvaged_word(from));
    writeln!(out, "C 212-{id} {place} {from} {flag} {}", salvaged(text))
}

/// `C 212-09:41 place from: text`, after `C 212-2026-11-26` if that is another day than `day`. Both are in UTC.
fn encode_bare(line: &Line, day: &mut String, out: &mut Wire<'_>) -> fmt::Result {
    let time = utc(time_of(line.id));
    let (date, minute) = (time.get(..10).unwrap_or_default(), time.get(11..16).unwrap_or_default());
    if day != date {
        date.clone_into(day);
        writeln!(out, "C 212-{date}")?;
    }
    let (place, from) = (salvaged_word(&line.place), salvaged_word(&line.from));
    write!(out, "C 212-{minute} {place} {from}: ")?;
    encode_spaced(&salvaged(&line.text), out)?;
    out.write_str("\n")
}

/// `C 213-place COUNT MENTIONS read=ID last=ID notify=LEVEL`
fn encode_counts(counts: &[Count], keep_days: u32, out: &mut Wire<'_>) -> fmt::Result {
    for Count { place, unread, mentions, read, last, level } in counts {
        let place = salvaged_word(place);
        writeln!(out, "C 213-{place} {unread} {mentions} read={read} last={last} notify={}", level.word())?;
    }
    let (count, plural) = (counts.len(), if counts.len() == 1 { "" } else { "s" });
    writeln!(out, "C 213 {count} place{plural}; what is said there is kept for {}", Days(keep_days))
}

fn encode_wants(wants: Wants, out: &mut Wire<'_>) -> fmt::Result {
    out.write_str("C 200")?;
    if wants == Wants::default() {
        out.write_str(" none")?;
    }
    for (word, _) in Wants::ALL.iter().filter(|(_, one)| wants.has(*one)) {
        write!(out, " {word}")?;
    }
    out.write_str("\n")
}

/// A count for people: from [`COUNT_MOST`] on it means that many or more.
struct AtLeast(u32);

impl fmt::Display for AtLeast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, if self.0 < COUNT_MOST { "" } else { " or more" })
    }
}
