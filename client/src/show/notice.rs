//! Notices about people, rooms and messages that are kept, in sentences; and their parts, for programs.

/// A notice as a sentence, if it is terse; its text otherwise. `minute` is the local time of an id.
pub(super) fn sentence(code: u16, text: &str, minute: impl Fn(u64) -> String) -> String {
    let sentence = match code {
        101 => presence(text).map(|Presence { name, state, why }| match (state, why) {
            ("away", "") => format!("{name} is away"),
            ("away", why) => format!("{name} is away: {why}"),
            (state, _) => format!("{name} is {state}"),
        }),
        105 => topic(text),
        109 => told_erased(text, minute),
        111 => invitation(text).map(|Invitation { room, from }| format!("{from} invites you: /join {room}")),
        112 => kept(text),
        _ => None,
    };
    sentence.unwrap_or_else(|| text.to_owned())
}

/// Whether somebody is there.
pub(super) struct Presence<'a> {
    pub(super) name: &'a str,
    /// `online`, `offline`, `away` or `back`.
    pub(super) state: &'a str,
    /// Why they are away.
    pub(super) why: &'a str,
}

/// `name online`, `name offline`, `name away TEXT` or `name back`
pub(super) fn presence(text: &str) -> Option<Presence<'_>> {
    let (name, rest) = text.split_once(' ')?;
    let (state, why) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_known = match state {
        "online" | "offline" | "back" => why.is_empty(),
        "away" => true,
        _ => false,
    };
    is_known.then_some(Presence { name, state, why })
}

/// Somebody asks the user into a room.
pub(super) struct Invitation<'a> {
    pub(super) room: &'a str,
    pub(super) from: &'a str,
}

/// `room NAME invites you`
pub(super) fn invitation(text: &str) -> Option<Invitation<'_>> {
    let (room, rest) = text.split_once(' ')?;
    let from = rest.strip_suffix(" invites you").filter(|from| !from.is_empty() && !from.contains(' '))?;
    Some(Invitation { room, from })
}

/// What is erased.
pub(super) struct Erased<'a> {
    pub(super) place: &'a str,
    /// The message; `None`: all messages of somebody.
    pub(super) id: Option<u64>,
    /// Who said it, if that is known.
    pub(super) from: Option<&'a str>,
}

/// `place ID`, `place ID NAME` from the session, or `place all NAME`
pub(super) fn erased(text: &str) -> Option<Erased<'_>> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let (place, what, from) = (words.next()?, words.next()?, words.next());
    let id = if what == "all" { None } else { Some(what.parse().ok()?) };
    (words.next().is_none() && (id.is_some() || from.is_some())).then_some(Erased { place, id, from })
}

/// `room by NAME: TOPIC`
fn topic(text: &str) -> Option<String> {
    let (room, rest) = text.split_once(" by ")?;
    let (name, topic) = rest.split_once(':')?;
    Some(match topic.trim_start() {
        "" => format!("{room} has no topic any more, by {name}"),
        topic => format!("the topic of {room}, by {name}: {topic}"),
    })
}

/// What is erased, and where.
fn told_erased(text: &str, minute: impl Fn(u64) -> String) -> Option<String> {
    let Erased { place, id, from } = erased(text)?;
    let place = match place.strip_prefix('@') {
        Some(name) => format!("with {name}"),
        None if place == "*" => "to everybody".to_owned(),
        None => format!("in {place}"),
    };
    Some(match (id, from) {
        (Some(id), Some(name)) => format!("erased: {name}'s message of {} {place}", minute(id)),
        (Some(id), None) => format!("erased: the message of {} {place}", minute(id)),
        (None, name) => format!("erased: all messages of {} {place}", name.unwrap_or_default()),
    })
}

/// `room kept DAYS`, or `room not kept`
fn kept(text: &str) -> Option<String> {
    let (room, rest) = text.split_once(' ')?;
    match rest.trim_end() {
        "not kept" => Some(format!("{room} is not kept any more")),
        "kept 0" => Some(format!("{room} is kept, but nothing of what is said there")),
        "kept 1" => Some(format!("{room} is kept, and what is said there for a day")),
        rest => {
            let days = rest.strip_prefix("kept ").filter(|days| days.bytes().all(|b| b.is_ascii_digit()))?;
            Some(format!("{room} is kept, and what is said there for {days} days"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        for (code, text, expected) in [
            (105, "lobby by bob: tea: at five", "the topic of lobby, by bob: tea: at five"),
            (105, "lobby by bob:", "lobby has no topic any more, by bob"),
            (109, "lobby 17", "erased: the message of 17 in lobby"),
            (109, "@bob 17", "erased: the message of 17 with bob"),
            (109, "@bob 17 carol", "erased: carol's message of 17 with bob"),
            (109, "lobby 17 carol x", "lobby 17 carol x"),
            (109, "lobby all", "lobby all"),
            (101, "bob online", "bob is online"),
            (101, "bob offline", "bob is offline"),
            (101, "bob back", "bob is back"),
            (101, "bob away to lunch", "bob is away: to lunch"),
            (101, "bob away", "bob is away"),
            (101, "bob online x", "bob online x"),
            (101, "bob", "bob"),
            (109, "* all bob", "erased: all messages of bob to everybody"),
            (112, "den kept 30", "den is kept, and what is said there for 30 days"),
            (112, "den kept 0", "den is kept, but nothing of what is said there"),
            (112, "den not kept", "den is not kept any more"),
            (105, "what?", "what?"),
            (109, "lobby x", "lobby x"),
            (111, "den bob invites you", "bob invites you: /join den"),
            (111, "größe ~zoe invites you", "~zoe invites you: /join größe"),
            (111, "den bob invites", "den bob invites"),
            (111, "den invites you", "den invites you"),
            (112, "den kept x", "den kept x"),
            (112, "", ""),
            (102, "~bob is ~rob now", "~bob is ~rob now"),
            (103, "den bob entered", "den bob entered"),
        ] {
            assert_eq!(sentence(code, text, |id| id.to_string()), expected);
        }
    }

    #[test]
    fn cut_at_every_character() {
        for text in [
            "bob away größe  x",
            "bob online",
            "größe 18446744073709551615 carol",
            "* all bob",
            "den kept 30",
            "größe ~bob invites you",
        ] {
            for (at, _) in text.char_indices() {
                for part in [&text[..at], &text[at..]] {
                    for code in [101, 105, 109, 111, 112] {
                        assert!(sentence(code, part, |id| id.to_string()).len() <= part.len() + 60);
                    }
                    let known = presence(part).is_none_or(|found| part.starts_with(found.name));
                    assert!(known && erased(part).is_none_or(|found| part.contains(found.place)));
                    assert!(crate::action::act_of(part).is_none());
                }
            }
        }
    }
}
