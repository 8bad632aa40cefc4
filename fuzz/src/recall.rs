//! The grammar of operations on the past, on kept rooms and on people.

use std::borrow::Cow;

use chatd::door::line::Line;
use chatd::door::operator::utc;
use chatd::door::recall::{Bound, Forgetting, PlaceName, Recall, Wants, When};
use chatd::door::{Decoded, Masked};
use chatd::history::Term;
use chatd::hub::command::{Command, Ignore, Keep, Watch};
use chatd::hub::event::Event;
use chatd::hub::names::UserName;
use chatd::hub::profile::ProfileKey;
use chatd::limits::{AWAY_BYTES, HISTORY_LINES_MOST, SEARCH_TERMS, TOPIC_BYTES};
use chatd::text;

/// The operations, as bytes 0 says.
const VERBS: [&str; 17] = [
    "SEARCH", "HISTORY", "READ", "KEEP", "TOPIC", "LOCK", "WANT", "WHOIS", "SET", "AWAY", "WATCH", "IGNORE", "NOTIFY",
    "FORGET", "INVITE", "HOST", "PUBLIC",
];

/// Operations on the past and on people: what is understood can be said again, within the bounds, in both dialects, and has nothing in
/// it that a terminal obeys.
///
/// Byte 0 says which operation it is; the rest is its arguments.
pub fn recall(data: &[u8]) {
    let Some((which, arguments)) = data.split_first() else { return };
    let verb = VERBS[usize::from(*which) % VERBS.len()];
    let line = [verb.as_bytes(), b" ", arguments].concat();
    let typed = [b"C ", line.as_slice()].concat();
    let found = session(b"C alice").decode(&typed, 8);
    if verb != "WANT" {
        assert_eq!(session(b"alice").decode(&line, 8), found, "the dialects differ");
    }
    let Some(again) = spelled(&found) else { return };
    // What is invisible is taken out of words, which may then be something else.
    if text::check(&typed).is_some_and(|checked| checked.is_clean) {
        let again = format!("C {again}");
        assert_eq!(session(b"C alice").decode(again.as_bytes(), 8), found, "{again:?}");
    }
}

/// A session that has logged in, in the dialect of this name.
fn session(name: &[u8]) -> Line {
    let mut line = Line::default();
    line.decode(name, 8);
    let name = UserName::parse("alice").expect("a name");
    line.encode_event(&Event::Welcome { name: name.into(), online: 1 }, &mut Vec::new());
    line
}

/// An operation, spelled from what was understood; `None` if nothing was. Checks what is understood.
fn spelled(decoded: &Decoded<'_>) -> Option<String> {
    if let Decoded::Recall(recall) = decoded {
        return Some(spelled_recall(recall));
    }
    if let Decoded::Command(command) = decoded {
        return Some(spelled_command(command));
    }
    assert!(matches!(decoded, Decoded::Reply(_)), "{decoded:?}");
    None
}

fn spelled_recall(recall: &Recall<'_>) -> String {
    match recall {
        Recall::Page { place, bound, most } => {
            assert!((1..=HISTORY_LINES_MOST).contains(most));
            let bound = match bound {
                Bound::None => String::new(),
                Bound::Before(when) => format!("before {}", point(*when)),
                Bound::After(when) => format!("after {}", point(*when)),
                Bound::Between { .. } => panic!("{bound:?} is none of the line door's"),
            };
            format!("HISTORY {} {bound} {most}", spot(place.as_ref()))
        }
        Recall::Find { terms, place, from, before, after } => {
            assert!((1..=SEARCH_TERMS).contains(&terms.len()));
            let mut words = vec!["SEARCH".to_owned()];
            words.extend(terms.iter().map(term));
            words.extend(place.iter().map(|place| format!("in:{}", spot(Some(place)))));
            words.extend(from.iter().map(|from| format!("from:{from}")));
            words.extend(before.map(|when| format!("before:{}", point(when))));
            words.extend(after.map(|when| format!("after:{}", point(when))));
            words.join(" ")
        }
        Recall::Read { place, when } => {
            format!("READ {} {}", spot(place.as_ref()), when.map_or_else(String::new, point))
        }
        Recall::Lock { room, password: Some(Masked(words)) } => {
            assert!(text::check(words.as_bytes()).is_some_and(|checked| checked.is_clean), "{words:?}");
            format!("LOCK #{room} {words}")
        }
        Recall::Lock { room, password: None } => format!("LOCK {room} -"),
        Recall::Want(wants) => {
            let words = Wants::ALL.iter().filter(|(_, one)| wants.has(*one)).map(|(word, _)| *word);
            format!("WANT {}", words.collect::<Vec<_>>().join(" "))
        }
        Recall::Whois { who } => format!("WHOIS {}", who.as_ref().map_or_else(String::new, ToString::to_string)),
        Recall::Profile { key } => format!("SET {}", key.map_or("", ProfileKey::word)),
        Recall::Notify { place, level } => format!("NOTIFY {} {}", spot(Some(place)), level.word()),
        Recall::Forget(Forgetting::Newest) => "FORGET".to_owned(),
        Recall::Forget(Forgetting::One(id)) => format!("FORGET {id}"),
        Recall::Forget(Forgetting::All) => "FORGET all".to_owned(),
        Recall::Missed | Recall::Unread => panic!("{recall:?} takes no arguments"),
    }
}

fn spelled_command(command: &Command<'_>) -> String {
    if let Command::Topic { room, text } = command {
        let text = text.as_ref().map_or("", |text: &Cow<'_, str>| if text.is_empty() { "-" } else { text });
        check_text(text, TOPIC_BYTES);
        return format!("TOPIC {room} {text}");
    }
    if let Command::Keep { room, how } = command {
        return match how {
            Keep::Days(None) => format!("KEEP {room}"),
            Keep::Days(Some(days)) => format!("KEEP #{room} {days}"),
            Keep::Off => format!("KEEP {room} off"),
            Keep::To(name) => format!("KEEP {room} TO {name}"),
        };
    }
    if let Command::Invite { room, name } = command {
        return format!("INVITE #{room} {name}");
    }
    if let Command::HandOn { room, name } = command {
        return format!("HOST {room} {name}");
    }
    spelled_of_people(command)
}

fn spelled_of_people(command: &Command<'_>) -> String {
    if let Command::Away { text } = command {
        let text = text.as_deref().inspect(|text| check_shown(text, AWAY_BYTES));
        return format!("AWAY {}", text.unwrap_or_default());
    }
    if let Command::Set { key, value } = command {
        let value = value.as_deref().inspect(|value| {
            check_shown(value, key.most_bytes());
            assert_ne!(*value, "-");
            assert!(*key != ProfileKey::Seen || *value == "none", "{value:?}");
            assert!(*key != ProfileKey::Url || !value.contains([' ', '\t']) && value.contains("://"), "{value:?}");
        });
        return format!("SET {} {}", key.word(), value.unwrap_or("-"));
    }
    if let Command::Attend { public } = command {
        return format!("PUBLIC {}", if *public { "on" } else { "off" });
    }
    if let Command::Watch(watch) = command {
        return match watch {
            Watch::List => "WATCH".to_owned(),
            Watch::On(name) => format!("WATCH {name}"),
            Watch::Off(name) => format!("WATCH {name} off"),
        };
    }
    let Command::Ignore(ignore) = command else { panic!("{command:?}") };
    match ignore {
        Ignore::List => "IGNORE".to_owned(),
        Ignore::Guests { is_on } => format!("IGNORE ~{}", off(*is_on)),
        Ignore::Name { name, account, is_on } => {
            assert!(account.is_none(), "a door knows no accounts");
            format!("IGNORE {name}{}", off(*is_on))
        }
    }
}

/// The end of an operation that begins or ends something.
fn off(is_on: bool) -> &'static str {
    if is_on { "" } else { " off" }
}

/// A text that is shown is not blank.
fn check_shown(text: &str, most: usize) {
    check_text(text, most);
    assert!(!text.trim().is_empty(), "{text:?}");
}

/// A text that is passed on has nothing in it that a terminal obeys or that cannot be seen, and its bound.
fn check_text(text: &str, most: usize) {
    assert!(text.len() <= most && text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean), "{text:?}");
}

fn spot(place: Option<&PlaceName>) -> String {
    match place {
        None => String::new(),
        Some(PlaceName::Everybody) => "*".to_owned(),
        Some(PlaceName::Room(room)) => format!("#{room}"),
        Some(PlaceName::Direct(name)) => format!("@{name}"),
    }
}

fn point(when: When) -> String {
    // No bound overflows, whatever time it is now.
    for now in [0, 1_795_651_200_000, u64::MAX] {
        assert!(when.above(now) <= when.below(now));
    }
    match when {
        When::Id(id) => id.to_string(),
        When::At(ms) => {
            assert!(ms <= When::MOST_MS && ms % 60_000 == 0);
            utc(ms).get(..16).expect("a minute").to_owned()
        }
        When::Ago(ms) => format!("{}m", ms / 60_000),
    }
}

fn term(term: &Term) -> String {
    let (Term::Word(text) | Term::Prefix(text) | Term::Exact(text)) = term;
    assert!(!text.is_empty() && text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean), "{term:?}");
    match term {
        Term::Word(text) => text.to_string(),
        Term::Prefix(text) => {
            assert!(text.chars().count() >= 2);
            format!("{text}*")
        }
        Term::Exact(text) => format!("\"{text}\""),
    }
}
