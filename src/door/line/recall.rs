//! Decodes what is asked of the past, and of kept rooms. `None` if the arguments are wrong.

use std::borrow::Cow;

use super::Line;
use super::place::{in_place, in_room, place};
use super::when::{is_number, number};
use super::word;
use crate::door::decoded::{Decoded, Kind};
use crate::door::recall::{Bound, Forgetting, Recall, Recalled, Wants, When};
use crate::door::reply::Reply;
use crate::history::Level;
use crate::hub::command::{Command, Keep};
use crate::hub::names::UserName;
use crate::limits::{HISTORY_LINES, HISTORY_LINES_MOST, PASSWORD_MAX_BYTES, TOPIC_BYTES};
use crate::secret::Masked;
use crate::text;

/// Names of rooms that must be written with `#` where a place can be left out.
const WORDS: [&str; 4] = ["before", "after", "all", "off"];

impl Line {
    /// `WANT [word]…`. Words that this version does not know are not wanted; the answer says which are.
    pub(super) fn on_want(&self, argument: &str) -> Decoded<'static> {
        if self.kind() == Kind::Bare {
            return Decoded::Reply(Reply::Recalled(Box::new(Recalled::WantsAreTyped)));
        }
        let known = |word: &str| Wants::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let wants = words(argument).filter_map(known).fold(Wants::default(), |all, (_, one)| all.and(*one));
        Decoded::Recall(Recall::Want(wants))
    }
}

/// `HISTORY [place] [before WHEN|after WHEN] [N]`
pub(super) fn on_history(argument: &str) -> Option<Decoded<'_>> {
    let mut words = words(argument).peekable();
    let place = words.next_if(|word| is_place(word)).map(place);
    let is = |word: &&str, keyword: &str| word.eq_ignore_ascii_case(keyword);
    let bound = if words.next_if(|word| is(word, "before")).is_some() {
        Bound::Before(When::parse(words.next()?)?)
    } else if words.next_if(|word| is(word, "after")).is_some() {
        Bound::After(When::parse(words.next()?)?)
    } else {
        Bound::None
    };
    let most = words.next().map_or(Some(HISTORY_LINES), number)?;
    let is_whole = words.next().is_none() && (1..=HISTORY_LINES_MOST).contains(&most);
    is_whole.then(|| in_place(place, |place| Decoded::Recall(Recall::Page { place, bound, most })))
}

/// `READ [place] [WHEN]`
pub(super) fn on_read(argument: &str) -> Option<Decoded<'_>> {
    let mut words = words(argument).peekable();
    let place = words.next_if(|word| is_place(word)).map(place);
    let when = match words.next() {
        Some(word) => Some(When::parse(word)?),
        None => None,
    };
    words.next().is_none().then(|| in_place(place, |place| Decoded::Recall(Recall::Read { place, when })))
}

/// `KEEP room [DAYS|off]` and `KEEP room TO name`
pub(super) fn on_keep(argument: &str) -> Option<Decoded<'_>> {
    let mut words = words(argument);
    let room = words.next()?;
    let how = match words.next() {
        None => Keep::Days(None),
        Some(word) if word.eq_ignore_ascii_case("off") => Keep::Off,
        Some(word) if word.eq_ignore_ascii_case("to") => match UserName::from_record(words.next()?) {
            Ok(name) => Keep::To(name),
            Err(_) => return words.next().is_none().then_some(Decoded::Reply(Reply::NoSuchUser)),
        },
        // More days than can be counted are more than the server keeps anything.
        Some(word) if is_number(word) => Keep::Days(Some(number(word).unwrap_or(u32::MAX))),
        Some(_) => return None,
    };
    words.next().is_none().then(|| in_room(room, |room| Decoded::Command(Command::Keep { room, how })))
}

/// `NOTIFY place all|mentions|none`
pub(super) fn on_notify(argument: &str) -> Option<Decoded<'_>> {
    let mut words = words(argument);
    let place = words.next().filter(|word| is_place(word)).map(place)?;
    let level = words.next().and_then(Level::parse)?;
    let decoded = place.map_or_else(Decoded::Reply, |place| Decoded::Recall(Recall::Notify { place, level }));
    words.next().is_none().then_some(decoded)
}

/// `FORGET [ID|all]`
pub(super) fn on_forget(argument: &str) -> Option<Decoded<'_>> {
    let mut words = words(argument);
    let what = match words.next() {
        None => Forgetting::Newest,
        Some(word) if word.eq_ignore_ascii_case("all") => Forgetting::All,
        Some(word) => Forgetting::One(number(word)?),
    };
    words.next().is_none().then_some(Decoded::Recall(Recall::Forget(what)))
}

/// `TOPIC room [text|-]`. Invisible characters are removed from the text, as they are from messages.
pub(super) fn on_topic(argument: &str) -> Option<Decoded<'_>> {
    let (room, text) = word(argument);
    if room.is_empty() {
        return None;
    }
    let shown = text::without_taken_out(text);
    if shown.is_empty() && !text.is_empty() {
        return Some(Decoded::Reply(Reply::BadBytes));
    }
    if shown.len() > TOPIC_BYTES {
        return Some(Decoded::Reply(Reply::TopicSize));
    }
    let text = match &*shown {
        "" => None,
        "-" => Some(Cow::Borrowed("")),
        _ => Some(shown),
    };
    Some(in_room(room, |room| Decoded::Command(Command::Topic { room, text })))
}

/// `LOCK room [words|-]`. The password extends to the end of the line, as in `MAKE`; no words remove it too.
pub(super) fn on_lock(argument: &str) -> Option<Decoded<'_>> {
    let (room, words) = word(argument);
    if room.is_empty() {
        return None;
    }
    if words.len() > PASSWORD_MAX_BYTES {
        return Some(Decoded::Reply(Reply::RoomPasswordSize));
    }
    let is_removed = matches!(words.trim_end_matches(' '), "" | "-");
    let password = (!is_removed).then_some(Masked(words));
    Some(in_room(room, |room| Decoded::Recall(Recall::Lock { room, password })))
}

/// Whether a word at the beginning of the arguments is a place.
fn is_place(word: &str) -> bool {
    !word.starts_with(|first: char| first.is_ascii_digit())
        && !WORDS.iter().any(|other| word.eq_ignore_ascii_case(other))
}

/// The words of a text, between spaces.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}
