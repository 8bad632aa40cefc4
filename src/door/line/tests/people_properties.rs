//! Properties of operations on people, for any input.

use proptest::prelude::*;

use super::recall_properties::{any_text, check_lines};
use super::*;
use crate::door::recall::{Known, Recall, Recalled, Whois};
use crate::history::Level;
use crate::hub::event::{Change, Whereabouts};
use crate::hub::names::Who;
use crate::hub::profile::ProfileKey;
use crate::limits::AWAY_BYTES;

/// A bare or a typed session that has logged in.
fn ready(dialect: Dialect) -> Line {
    Line { dialect: Some(dialect), dialogue: Dialogue::Ready, ..Line::default() }
}

fn any_key() -> impl Strategy<Value = ProfileKey> {
    prop::sample::select(ProfileKey::ALL.to_vec())
}

/// Arguments: words with a meaning, and any text.
fn any_arguments() -> impl Strategy<Value = String> {
    let words = vec![
        "name", "status", "url", "seen", "none", "-", "off", "all", "mentions", "http://x", "bob", "~", "~zoe", "7",
        "*", "#tea", "@bob", "\u{200b}", "\t", "  ",
    ];
    let piece = prop_oneof![3 => prop::sample::select(words).prop_map(str::to_owned), 1 => any_text()];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.join(" "))
}

/// Checks what is understood: no text holds what a line may not, and each has its bound.
fn check_decoded(decoded: &Decoded<'_>) -> Result<(), TestCaseError> {
    let check = |text: &str, most: usize| {
        let is_clean = text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean);
        prop_assert!(is_clean && !text.trim().is_empty() && text.len() <= most, "{:?}", text);
        Ok(())
    };
    if let Decoded::Command(Command::Away { text }) = decoded {
        return text.as_deref().map_or(Ok(()), |text| check(text, AWAY_BYTES));
    }
    if let Decoded::Command(Command::Set { key, value: Some(value) }) = decoded {
        prop_assert!(*key != ProfileKey::Seen || value == "none");
        let is_link = value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http"));
        prop_assert!(*key != ProfileKey::Url || is_link && !value.contains(' '));
        prop_assert!(value != "-");
        return check(value, key.most_bytes());
    }
    let is_of_people = matches!(
        decoded,
        Decoded::Reply(_)
            | Decoded::Command(Command::Set { .. } | Command::Watch(_) | Command::Ignore(_))
            | Decoded::Recall(
                Recall::Whois { .. } | Recall::Profile { .. } | Recall::Notify { .. } | Recall::Forget(_)
            )
    );
    prop_assert!(is_of_people, "{:?}", decoded);
    Ok(())
}

proptest! {
    #[test]
    fn any_arguments_are_understood_or_refused(
        verb in prop::sample::select(vec!["WHOIS", "SET", "AWAY", "WATCH", "IGNORE", "NOTIFY", "FORGET"]),
        arguments in any_arguments(),
    ) {
        let (bare, typed) = (format!("{verb} {arguments}"), format!("C {verb} {arguments}"));
        let mut session = ready(Dialect::Bare);
        let decoded = session.decode(bare.as_bytes(), PASSWORD_MIN);
        prop_assert_eq!(&session.dialogue, &Dialogue::Ready);
        prop_assert_eq!(&ready(Dialect::Typed).decode(typed.as_bytes(), PASSWORD_MIN), &decoded);
        if text::check(bare.as_bytes()).is_none() {
            prop_assert_eq!(&decoded, &Decoded::Reply(Reply::BadBytes));
        }
        check_decoded(&decoded)?;
    }

    /// What is set is what was typed, without its invisible characters and the spaces around it.
    #[test]
    fn texts_are_kept_as_they_are(key in any_key(), text in "[^ \\pC]\\PC{0,30}[^ \\pC]") {
        prop_assume!(text::check(text.as_bytes()).is_some());
        prop_assume!(key != ProfileKey::Seen && key != ProfileKey::Url);
        let expected = text::without_taken_out(&text);
        prop_assume!(expected.len() <= key.most_bytes() && !expected.trim().is_empty());
        let line = format!("SET {} {text} ", key.word());
        let set = Command::Set { key, value: Some(expected.clone()) };
        prop_assert_eq!(ready(Dialect::Bare).decode(line.as_bytes(), PASSWORD_MIN), Decoded::Command(set));
        let line = format!("AWAY   {text}  ");
        let away = Command::Away { text: Some(expected.clone()) };
        prop_assert_eq!(ready(Dialect::Bare).decode(line.as_bytes(), PASSWORD_MIN), Decoded::Command(away));
    }

    /// Whatever the store holds, an answer is whole lines of the same code.
    #[test]
    fn any_answer_about_people_is_whole_lines(
        key in any_key(), text in any_text(), number: u64, seconds: Option<u64>, is_erased: bool, count: u64,
    ) {
        let (name, value): (_, Box<str>) = (UserName::parse("bob").unwrap(), text.into());
        let profile = vec![(key, value.clone()), (ProfileKey::About, value.clone())];
        let away = seconds.map(|_| value.clone());
        let known = Known {
            name: name.clone(), sessions: 3, since: number, idle_s: seconds, away, called: None, rooms: Vec::new(), seen_ms: seconds, profile: profile.clone(),
        };
        for (recalled, most) in [
            (Recalled::Whois(Whois::Account(Box::new(known))), 8),
            (Recalled::Whois(Whois::Guest { name: Who::parse("~zoë").unwrap(), away: None, called: None, rooms: Vec::new() }), 2),
            (Recalled::Profile { name, values: profile }, 3),
            (Recalled::Loud { place: value.clone(), level: Level::All }, 1),
            (Recalled::Forgot { id: number, place: value, is_erased }, 1),
            (Recalled::ForgotAll { count, is_erased }, 1),
            (Recalled::ForgotTooMuch { retry_s: number }, 1),
        ] {
            for (dialect, kind) in [(Dialect::Bare, Kind::Bare), (Dialect::Typed, Kind::Typed)] {
                let mut out = Vec::new();
                ready(dialect).encode_reply(&Reply::Recalled(Box::new(recalled.clone())), &mut out);
                check_lines(kind, out, most)?;
            }
        }
    }

    /// A text that AWAY takes is one line to everybody who is told.
    #[test]
    fn any_reason_to_be_away_is_one_line(text in any_text()) {
        let line = format!("AWAY {text}");
        let Decoded::Command(Command::Away { text: Some(text) }) = ready(Dialect::Bare).decode(line.as_bytes(), PASSWORD_MIN)
        else { return Ok(()) };
        let (name, text): (_, Box<str>) = (Who::parse("bob").unwrap(), text.into());
        for event in [
            Event::AwayIs { text: Some(text.clone()) },
            Event::Presence { name: name.clone(), change: Change::Away(text.clone()) },
            Event::Watched { name: name.clone(), presence: Whereabouts::Away(text.clone()) },
            Event::SentTo { name, message: from_bob(7, true).into(), away: Some(text) },
        ] {
            for kind in [Kind::Bare, Kind::Typed] {
                let mut out = Vec::new();
                encode(kind, &event, &mut out);
                check_lines(kind, out, 1)?;
            }
        }
    }
}

/// A line that was cut anywhere is understood or refused, and opens no prompt.
#[test]
fn operations_on_people_cut_at_every_byte() {
    for whole in [
        "WHOIS ~zoë",
        "SET about grüner Tee\u{200b} 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "SET url https://example.net/ü",
        "SET seen none",
        "AWAY beim Zahnarzt\u{feff}ü",
        "WATCH bob off",
        "IGNORE ~ off",
        "NOTIFY #tée mentions",
        "FORGET 1882416070839500802",
        "FORGET all",
    ] {
        for end in 0..=whole.len() {
            for (dialect, prefix) in [(Dialect::Bare, ""), (Dialect::Typed, "C ")] {
                let line = [prefix.as_bytes(), &whole.as_bytes()[..end]].concat();
                let mut session = ready(dialect);
                let decoded = session.decode(&line, PASSWORD_MIN);
                assert_eq!(session.dialogue, Dialogue::Ready, "{decoded:?}");
                let has_verb = line.get(prefix.len()..).is_some_and(|rest| rest.contains(&b' '));
                assert!(!has_verb || check_decoded(&decoded).is_ok(), "{decoded:?}");
            }
        }
    }
}
