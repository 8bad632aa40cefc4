//! The arguments of `ban`, `unban` and `accounts`.

/// What `accounts` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts<'a> {
    /// Lists all.
    List,
    /// Adds one of this name. Its password is asked for.
    Add(&'a str),
    /// Sets a new password, which is asked for.
    Passwd(&'a str),
    /// Deletes one.
    Delete(&'a str),
    /// Reads the whole account file.
    Check,
}

impl<'a> Accounts<'a> {
    /// Decodes the arguments. `None` if they are none.
    pub(super) fn parse(rest: &'a str) -> Option<Self> {
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let (verb, name, more) = (words.next()?, words.next(), words.next());
        let found = match (verb.to_ascii_lowercase().as_str(), name) {
            ("list", None) => Self::List,
            ("check", None) => Self::Check,
            ("add", Some(name)) => Self::Add(name),
            ("passwd", Some(name)) => Self::Passwd(name),
            ("delete", Some(name)) => Self::Delete(name),
            (_, _) => return None,
        };
        more.is_none().then_some(found)
    }
}

/// The arguments of `ban`: what, for how long, and why. The time comes before the reason or behind it. `None` if they are
/// none.
pub(super) fn ban(rest: &str) -> Option<(&str, Option<&str>, &str)> {
    let (before, rest) = time_first(rest)?;
    let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (between, reason) = time_first(rest.trim_matches(' '))?;
    let (behind, reason) = time_last(reason)?;
    let mut times = [before, between, behind].into_iter().flatten();
    let (time, other) = (times.next(), times.next());
    let is_good = !what.is_empty() && !what.starts_with('-') && other.is_none() && !has_time(reason);
    is_good.then_some((what, time, reason))
}

fn time_first(rest: &str) -> Option<(Option<&str>, &str)> {
    let Some(after) = rest.strip_prefix(FOR).filter(|after| after.is_empty() || after.starts_with([' ', '='])) else {
        return Some((None, rest));
    };
    let after = after.strip_prefix('=').unwrap_or(after).trim_start_matches(' ');
    let (time, rest) = after.split_once(' ').unwrap_or((after, ""));
    (!time.is_empty()).then_some((Some(time), rest.trim_matches(' ')))
}

fn time_last(reason: &str) -> Option<(Option<&str>, &str)> {
    let Some(at) = reason.rfind(" --for") else { return Some((None, reason)) };
    let (before, option) = reason.split_at(at);
    match time_first(option.trim_start_matches(' '))? {
        (Some(time), "") => Some((Some(time), before.trim_end_matches(' '))),
        (Some(_) | None, _) => Some((None, reason)),
    }
}

fn has_time(reason: &str) -> bool {
    reason.split(' ').any(|word| word == FOR || word.strip_prefix(FOR).is_some_and(|rest| rest.starts_with('=')))
}

const FOR: &str = "--for";
