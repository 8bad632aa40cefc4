//! Notices about rooms and messages that are kept, in sentences.

/// A notice as a sentence, if it is terse; its text otherwise. `minute` is the local time of an id.
pub(super) fn sentence(code: u16, text: &str, minute: impl Fn(u64) -> String) -> String {
    let sentence = match code {
        105 => topic(text),
        109 => erased(text, minute),
        112 => kept(text),
        _ => None,
    };
    sentence.unwrap_or_else(|| text.to_owned())
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

/// `place ID`, or `place all NAME`
fn erased(text: &str, minute: impl Fn(u64) -> String) -> Option<String> {
    let (place, rest) = text.split_once(' ')?;
    let place = match place.strip_prefix('@') {
        Some(name) => format!("with {name}"),
        None if place == "*" => "to everybody".to_owned(),
        None => format!("in {place}"),
    };
    match rest.strip_prefix("all ") {
        Some(name) => Some(format!("erased: all messages of {name} {place}")),
        None => Some(format!("erased: the message of {} {place}", minute(rest.trim_end().parse().ok()?))),
    }
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
            (109, "* all bob", "erased: all messages of bob to everybody"),
            (112, "den kept 30", "den is kept, and what is said there for 30 days"),
            (112, "den kept 0", "den is kept, but nothing of what is said there"),
            (112, "den not kept", "den is not kept any more"),
            (105, "what?", "what?"),
            (109, "lobby x", "lobby x"),
            (112, "den kept x", "den kept x"),
            (112, "", ""),
            (103, "den bob entered", "den bob entered"),
        ] {
            assert_eq!(sentence(code, text, |id| id.to_string()), expected);
        }
    }
}
