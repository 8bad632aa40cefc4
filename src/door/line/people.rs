//! Decodes what is asked of people, and what they say of themselves. `None` if the arguments are wrong.

use std::borrow::Cow;

use super::recall::words;
use super::word;
use crate::door::decoded::Decoded;
use crate::door::recall::{Recall, Recalled};
use crate::door::reply::Reply;
use crate::hub::command::{Command, Ignore, Watch};
use crate::hub::names::{GuestName, NameError, Who};
use crate::hub::profile::ProfileKey;
use crate::limits::AWAY_BYTES;
use crate::text;

/// `WHOIS [name]`
pub(super) fn on_whois(argument: &str) -> Option<Decoded<'_>> {
    if argument.is_empty() {
        return Some(Decoded::Recall(Recall::Whois { who: None }));
    }
    let no_such_user = || Decoded::Reply(Reply::Recalled(Box::new(Recalled::NoSuchUser)));
    let whois = |who| Decoded::Recall(Recall::Whois { who: Some(who) });
    (!argument.contains(' ')).then(|| Who::parse(argument).map_or_else(no_such_user, whois))
}

/// `SET [key [value|-]]`. The value extends to the end of the line.
pub(super) fn on_set(argument: &str) -> Option<Decoded<'_>> {
    let (key, value) = word(argument);
    if key.is_empty() {
        return Some(Decoded::Recall(Recall::Profile { key: None }));
    }
    let key = ProfileKey::parse(key)?;
    if value.is_empty() {
        return Some(Decoded::Recall(Recall::Profile { key: Some(key) }));
    }
    let value = match shown(value) {
        Err(refusal) => return Some(Decoded::Reply(refusal)),
        Ok(value) if value == "-" => None,
        Ok(value) if !fits(key, &value) => return Some(Decoded::Reply(Reply::BadValue(key))),
        Ok(_) if key == ProfileKey::Seen => Some(Cow::Borrowed(SEEN_NONE)),
        Ok(value) => Some(value),
    };
    Some(Decoded::Command(Command::Set { key, value }))
}

/// The only value of [`ProfileKey::Seen`].
const SEEN_NONE: &str = "none";

/// Whether a key takes a value.
fn fits(key: ProfileKey, value: &str) -> bool {
    let has_form = match key {
        ProfileKey::Name | ProfileKey::Status | ProfileKey::Pronouns | ProfileKey::Zone | ProfileKey::About => true,
        ProfileKey::Url => is_url(value),
        ProfileKey::Seen => value.eq_ignore_ascii_case(SEEN_NONE),
    };
    has_form && value.len() <= key.most_bytes()
}

/// Whether a text is the address of a page: the scheme, and no space of any kind.
fn is_url(text: &str) -> bool {
    let behind = |scheme: &str| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        (start.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
    };
    (behind("http://").or_else(|| behind("https://"))).is_some_and(|rest| !rest.contains(char::is_whitespace))
}

/// `NICK ~name`
pub(super) fn on_nick(argument: &str) -> Option<Decoded<'_>> {
    let guest = argument.strip_prefix('~').filter(|guest| !guest.contains(' '))?;
    let refused = |why: NameError| Decoded::Reply(Reply::GuestRefused { why: why.into(), is_login: false });
    Some(GuestName::parse(guest).map_or_else(refused, |guest| Decoded::Command(Command::Rename { guest })))
}

/// `AWAY [text]`
pub(super) fn on_away(argument: &str) -> Decoded<'_> {
    if argument.is_empty() {
        return Decoded::Command(Command::Away { text: None });
    }
    match shown(argument) {
        Ok(text) if text.len() > AWAY_BYTES => Decoded::Reply(Reply::AwaySize),
        Ok(text) => Decoded::Command(Command::Away { text: Some(text) }),
        Err(refusal) => Decoded::Reply(refusal),
    }
}

/// `PUBLIC on|off`
pub(super) fn on_public(argument: &str) -> Option<Decoded<'_>> {
    let public = match argument {
        word if word.eq_ignore_ascii_case("on") => true,
        word if word.eq_ignore_ascii_case("off") => false,
        _ => return None,
    };
    Some(Decoded::Command(Command::Attend { public }))
}

/// `WATCH [name [off]]`
pub(super) fn on_watch(argument: &str) -> Option<Decoded<'_>> {
    let watch = match name_and_off(argument)? {
        None => Watch::List,
        Some((name, is_on)) => {
            let name = Who::parse(name)?;
            if is_on { Watch::On(name) } else { Watch::Off(name) }
        }
    };
    Some(Decoded::Command(Command::Watch(watch)))
}

/// `IGNORE [name [off]]` and `IGNORE ~ [off]`. The caller looks up the account.
pub(super) fn on_ignore(argument: &str) -> Option<Decoded<'_>> {
    let ignore = match name_and_off(argument)? {
        None => Ignore::List,
        Some(("~", is_on)) => Ignore::Guests { is_on },
        Some((name, is_on)) => match Who::parse(name) {
            Some(Who::Account(name)) => Ignore::Name { name, account: None, is_on },
            Some(Who::Guest(_)) => return Some(Decoded::Reply(Reply::GuestsAreIgnoredTogether)),
            None => return Some(Decoded::Reply(Reply::NoSuchUser)),
        },
    };
    Some(Decoded::Command(Command::Ignore(ignore)))
}

/// `[name [off]]`: the name, and false for `off`.
fn name_and_off(argument: &str) -> Option<Option<(&str, bool)>> {
    let mut words = words(argument);
    let name = words.next();
    let is_on = match words.next() {
        None => true,
        Some(word) if word.eq_ignore_ascii_case("off") => false,
        Some(_) => return None,
    };
    words.next().is_none().then(|| name.map(|name| (name, is_on)))
}

/// A text without its invisible characters and the spaces around it, or the refusal of a text of nothing else.
fn shown(text: &str) -> Result<Cow<'_, str>, Reply> {
    let shown = match text::without_taken_out(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(' ')),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(' ').to_owned()),
    };
    if shown.trim().is_empty() { Err(Reply::BadBytes) } else { Ok(shown) }
}
