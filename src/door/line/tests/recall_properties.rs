//! Properties of what is asked of the past, and of what is told of it, for any input; and models of its grammars.

use proptest::prelude::*;

use super::*;
use crate::door::recall::{Notice, Recall, Recalled, When};
use crate::history::Level;
use crate::history::{Count, Flag, Line as Told, Missed, Paged, Term};
use crate::hub::record::Topic;

/// What a bare session asks by a line, or the reply.
#[track_caller]
fn asked(line: &str) -> Result<Recall<'_>, Reply> {
    let mut session = Line { dialect: Some(Dialect::Bare), dialogue: Dialogue::Ready, ..Line::default() };
    let decoded = session.decode(line.as_bytes(), PASSWORD_MIN);
    if let Decoded::Recall(recall) = decoded {
        return Ok(recall);
    }
    let Decoded::Reply(reply) = decoded else { panic!("{decoded:?}") };
    Err(reply)
}

/// The point that `READ` takes from a word; `None` if it is refused.
fn read_to(word: &str) -> Option<When> {
    let line = format!("READ * {word}");
    if let Ok(Recall::Read { when, .. }) = asked(&line) { when } else { None }
}

/// The calendar, a day at a time: the number of days from 1970 to a day, if there is such a day.
fn model_days(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = |year, month| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if year < 1970 || !(1..=length(year, month)).contains(&day) {
        return None;
    }
    let of_years: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
    let of_months: u64 = (1..month).map(|month| length(year, month)).sum();
    Some(of_years + of_months + day - 1)
}

/// Texts as a file may hold them: anything.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,20}",
        1 => prop::sample::select(vec!["\n", "\r\n", "\t", "\u{1b}[2J", "\u{202e}", "\u{200b}", "C 212-7 ", "\0", " "])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn any_told() -> impl Strategy<Value = Told> {
    let flag = prop::sample::select(vec![Flag::Plain, Flag::Mention, Flag::Hole]);
    (any::<u64>(), any_text(), any_text(), flag, any_text()).prop_map(|(id, place, from, flag, text)| Told {
        id,
        place: place.into(),
        from: from.into(),
        flag,
        text: text.into(),
    })
}

fn any_recalled() -> impl Strategy<Value = Recalled> {
    let page = (prop::collection::vec(any_told(), 0..5), any::<Option<u64>>(), any::<u32>(), any::<bool>());
    let count = (any_text(), any::<u32>(), any::<u32>(), any::<u64>(), any::<u64>());
    let count = count.prop_map(|(place, unread, mentions, read, last)| {
        let place = place.into();
        Count { place, unread, mentions, read, last, level: Level::Mentions }
    });
    let counts = (prop::collection::vec(count, 0..5), any::<u32>());
    prop_oneof![
        4 => page.prop_map(|(lines, next, left, is_unread)| Recalled::Page { page: Paged { lines, next, left }, is_unread }),
        2 => counts.prop_map(|(counts, keep_days)| Recalled::Counts { counts, keep_days }),
        1 => prop::sample::select(vec![
            Recalled::Read,
            Recalled::NothingKept,
            Recalled::SearchOff,
            Recalled::WantsAreTyped,
            Recalled::NotYours,
            Recalled::Unavailable,
            Recalled::Busy,
        ]),
        1 => prop::sample::subsequence(Wants::ALL.to_vec(), 0..=4)
            .prop_map(|some| Recalled::Wants(some.into_iter().fold(Wants::default(), |all, (_, one)| all.and(one)))),
    ]
}

/// Checks that `out` is one reply of `lines` lines at most: whole lines of the same code, and of nothing that a terminal
/// obeys.
pub(super) fn check_lines(kind: Kind, mut out: Vec<u8>, most: usize) -> Result<(), TestCaseError> {
    let has_tab = out.contains(&b'\t');
    prop_assert!(kind == Kind::Typed || !has_tab, "a TAB for people");
    let lines = taken(&mut out);
    let Some((last, items)) = lines.split_last() else { return Err(TestCaseError::fail("no line")) };
    prop_assert!(lines.len() <= most, "{:?}", lines);
    let (code, after) = (&last[..5], &last[5..6]);
    prop_assert!(code.starts_with("C ") && after == " ", "{:?}", last);
    for item in items {
        prop_assert!(item.starts_with(code) && &item[5..6] == "-", "{:?} of {:?}", item, code);
    }
    Ok(())
}

proptest! {
    #[test]
    fn days_and_minutes(year in 1960..2540_u64, month in 0..14_u64, day in 0..33_u64, hour in 0..26_u64, minute in 0..62_u64) {
        let days = model_days(year, month, day).map(|days| days * 24 * 60);
        let fits = |minutes: &u64| minutes * 60_000 <= When::MOST_MS;
        let found = read_to(&format!("{year:04}-{month:02}-{day:02}"));
        prop_assert_eq!(found, days.filter(fits).map(|minutes| When::At(minutes * 60_000)));
        let minutes = days.filter(|_| hour < 24 && minute < 60).map(|minutes| minutes + hour * 60 + minute);
        let found = read_to(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}"));
        prop_assert_eq!(found, minutes.filter(fits).map(|minutes| When::At(minutes * 60_000)));
    }

    #[test]
    fn ids_and_times_ago(count in "[0-9]{1,22}", unit in "[mhd]?", unix_ms: u64) {
        let value: Option<u128> = count.parse().ok();
        let unit_ms = match unit.as_str() { "m" => 60_000, "h" => 3_600_000, "d" => 86_400_000, _ => 1 };
        let expected = value.and_then(|value| u64::try_from(value * unit_ms).ok());
        let expected = expected.map(|value| if unit.is_empty() { When::Id(value) } else { When::Ago(value) });
        let found = read_to(&format!("{count}{unit}"));
        prop_assert_eq!(found, expected);
        if let Some(when) = found {
            prop_assert!(when.above(unix_ms) <= when.below(unix_ms));
        }
    }

    /// A WHEN that is understood has one of the four forms, and is refused when anything is added to it or taken away, or
    /// is another one.
    #[test]
    fn any_word_is_a_point_or_not(word in "[0-9T:mhd+-]{0,18}") {
        let is_form = |form: &str| word.len() == form.len()
            && word.bytes().zip(form.bytes()).all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
        let (start, unit) = word.split_at(word.len().saturating_sub(1));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match read_to(&word) {
            Some(When::Id(id)) => prop_assert_eq!(word.parse(), Ok(id)),
            Some(When::Ago(_)) => prop_assert!(is_number(start) && ["m", "h", "d"].contains(&unit)),
            Some(When::At(_)) => prop_assert!(is_form("0000-00-00") || is_form("0000-00-00T00:00")),
            None => prop_assert!(!is_number(&word) || word.parse::<u64>().is_err()),
        }
    }

    /// What is put together from terms and filters, in any order and with any spaces, is taken apart into them.
    #[test]
    fn searches(
        terms in prop::collection::vec(prop_oneof![
            "[a-z\u{e4}\u{4e0a}(]{1,6}".prop_map(|text| Term::Word(text.into())),
            "[a-z\u{e4}\u{4e0a}]{2,6}".prop_map(|text| Term::Prefix(text.into())),
            "[a-z:* ]{0,3}[a-z][a-z:* ]{0,6}".prop_map(|text| Term::Exact(text.into())),
        ], 1..34),
        filters in prop::sample::subsequence(vec!["in:Tea", "from:Bob", "before:7", "after:3d"], 0..=4),
        seed in prop::collection::vec(any::<prop::sample::Index>(), 4),
        gap in " {1,3}",
    ) {
        let mut words: Vec<String> = terms.iter().map(|term| match term {
            Term::Word(text) => text.to_string(),
            Term::Prefix(text) => format!("{text}*"),
            Term::Exact(text) => format!("\"{text}\""),
        }).collect();
        for (filter, at) in filters.iter().zip(&seed) {
            words.insert(at.index(words.len() + 1), (*filter).to_owned());
        }
        let line = format!("SEARCH {}", words.join(&gap));
        let expected = if terms.len() > 32 {
            Err(Reply::Usage(Operation::Search.usage()))
        } else {
            let has = |filter| filters.contains(&filter);
            let room = crate::door::recall::PlaceName::Room(RoomName::parse("tea").unwrap());
            let bob = UserName::parse("bob").unwrap().into();
            Ok(Recall::Find {
                terms,
                place: has("in:Tea").then_some(room),
                from: has("from:Bob").then_some(bob),
                before: has("before:7").then_some(When::Id(7)),
                after: has("after:3d").then_some(When::Ago(3 * 86_400_000)),
            })
        };
        prop_assert_eq!(asked(&line), expected);
    }

    /// Whatever is searched for, no term is empty, has a quotation mark of its syntax, or something that no line holds.
    #[test]
    fn any_search(text in "[ab\u{e9}\"* :\t\u{200b}-]{0,30}|\\PC{0,40}") {
        prop_assume!(text::check(text.as_bytes()).is_some());
        let line = format!("SEARCH {text}");
        let terms = match asked(&line) {
            Ok(Recall::Find { terms, .. }) => terms,
            Err(Reply::Usage(_) | Reply::NoSuchRoom | Reply::NoSuchUser) => return Ok(()),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        prop_assert!((1..=32).contains(&terms.len()));
        for term in terms {
            let (Term::Word(text) | Term::Prefix(text) | Term::Exact(text)) = &term;
            let least = if matches!(term, Term::Prefix(_)) { 2 } else { 1 };
            prop_assert!(text.chars().count() >= least, "{:?}", term);
            prop_assert!(text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean), "{:?}", term);
            let is_quoted = matches!(term, Term::Exact(_));
            prop_assert!(is_quoted || !text.contains(' ') && !text.starts_with('"'), "{:?}", term);
            prop_assert!(!is_quoted || !text.contains('"'), "{:?}", term);
        }
    }

    #[test]
    fn any_answer_is_whole_lines(recalled in any_recalled()) {
        let most = if let Recalled::Page { page, .. } = &recalled {
            page.lines.len() * 2 + 1
        } else if let Recalled::Counts { counts, .. } = &recalled {
            counts.len() + 1
        } else {
            1
        };
        for (dialect, kind) in [(Dialect::Bare, Kind::Bare), (Dialect::Typed, Kind::Typed)] {
            let mut session = Line { dialect: Some(dialect), dialogue: Dialogue::Ready, ..Line::default() };
            let mut out = Vec::new();
            session.encode_reply(&Reply::Recalled(Box::new(recalled.clone())), &mut out);
            check_lines(kind, out, most)?;
        }
    }

    #[test]
    fn any_notice_is_one_line(place in prop::option::of(any_text()), id: u64, count: u32, mentions: u32) {
        let missed = Notice::Missed(Missed { count, mentions, floor: id });
        let shown: Box<str> = place.clone().unwrap_or_default().into();
        let forgotten = Notice::Forgotten { place: shown.clone(), id };
        let all = Notice::ForgottenAll { place: shown.clone(), name: shown };
        for notice in [Notice::Read { place: place.map(Into::into), id }, missed, forgotten, all] {
            let mut out = Vec::new();
            Line::default().encode_reply(&Reply::Notice(notice), &mut out);
            check_lines(Kind::Bare, out, 1)?;
        }
    }

    #[test]
    fn any_topic_is_one_line(by in any_text(), text in any_text()) {
        let room = RoomName::parse("tea").unwrap();
        let (by, text): (Box<str>, Box<str>) = (by.into(), text.into());
        let topic = Some(Topic { by: by.clone(), text: text.clone(), set_ms: 0 });
        for event in [Event::TopicIs { room: room.clone(), by, text }, Event::TopicShown { room, topic }] {
            for kind in [Kind::Bare, Kind::Typed] {
                let mut out = Vec::new();
                encode(kind, &event, &mut out);
                check_lines(kind, out, 1)?;
            }
        }
    }

    /// A line of a page, taken apart, is what was put in.
    #[test]
    fn typed_lines_say_what_was_said(
        id: u64, place in "[*]|[@a-z\u{e4}]{1,9}", from in "[~-]?[a-z]{1,9}", text in "\\PC*[\t x]\\PC*",
        flag in prop::sample::select(vec![(Flag::Plain, "-"), (Flag::Mention, "m"), (Flag::Hole, "g")]),
    ) {
        prop_assume!(text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean));
        let line = Told { id, place: place.as_str().into(), from: from.as_str().into(), flag: flag.0, text: text.as_str().into() };
        let page = Paged { lines: vec![line], next: None, left: 0 };
        let mut session = Line { dialect: Some(Dialect::Typed), ..Line::default() };
        let mut out = Vec::new();
        session.encode_reply(&Reply::Recalled(Box::new(Recalled::Page { page, is_unread: false })), &mut out);
        let lines = taken(&mut out);
        let fields: Vec<&str> = lines[0].strip_prefix("C 212-").unwrap().splitn(5, ' ').collect();
        let id = id.to_string();
        prop_assert_eq!(fields, [id.as_str(), &place, &from, flag.1, &text]);
        prop_assert_eq!(lines[1].as_str(), "C 212 1 end");
    }
}

/// A line that was cut anywhere is decoded without a panic, and never as a password that it is not.
#[test]
fn operations_cut_at_every_byte() {
    for whole in [
        "HISTORY #tea before 2026-11-26T09:41 200",
        "SEARCH \"exact wörds\" wor* in:@bob from:~zoe before:90m after:1882416070839500802",
        "READ @bob 2026-02-29",
        "KEEP tea TO bob",
        "TOPIC tea grüner Tee\u{200b}",
        "LOCK tea two words",
        "WANT ids reads forgets own",
    ] {
        for end in 0..=whole.len() {
            for (dialect, prefix) in [(Dialect::Bare, ""), (Dialect::Typed, "C ")] {
                let line = [prefix.as_bytes(), &whole.as_bytes()[..end]].concat();
                let mut session = Line { dialect: Some(dialect), dialogue: Dialogue::Ready, ..Line::default() };
                let before = session.dialogue.clone();
                let decoded = session.decode(&line, PASSWORD_MIN);
                assert!(!matches!(decoded, Decoded::Refuse(_) | Decoded::Password { .. }), "{decoded:?}");
                assert_eq!(session.dialogue, before, "{decoded:?}");
            }
        }
    }
}
