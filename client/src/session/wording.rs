//! Adapts the server's texts to the client.

/// The server's text with the operations that it advises replaced by commands of the client. Only after the first `;`
/// or `:`, because user input may come before it.
pub(super) fn in_our_words(text: &str) -> String {
    const OPERATIONS: [(&str, &str); 33] = [
        ("PM", "/pm"),
        ("BM", "/pm"),
        ("DM", "/dm"),
        ("RM", "/rm"),
        ("EX", "/quit"),
        ("WHO", "/who"),
        ("JOIN", "/join"),
        ("LEAVE", "/leave"),
        ("ROOMS", "/rooms"),
        ("NAMES", "/names"),
        ("MAKE", "/make"),
        ("INVITE", "/invite"),
        ("KICK", "/kick"),
        ("HOST", "/host"),
        ("CLOSE", "/close"),
        ("HELP", "/help"),
        ("PASSWD", "/passwd"),
        ("HISTORY", "/history"),
        ("MISSED", "/missed"),
        ("SEARCH", "/search"),
        ("UNREAD", "/unread"),
        ("KEEP", "/keep"),
        ("TOPIC", "/topic"),
        ("LOCK", "/lock"),
        ("WHOIS", "/whois"),
        ("SET", "/set"),
        ("AWAY", "/away"),
        ("WATCH", "/watch"),
        ("IGNORE", "/ignore"),
        ("PUBLIC", "/public"),
        ("NICK", "/nick"),
        ("NOTIFY", "/notify"),
        ("FORGET", "/erase"),
    ];
    let Some((said, advice)) = text.find([';', ':']).and_then(|at| text.split_at_checked(at)) else {
        return text.to_owned();
    };
    let ours = |word: &str| {
        let bare = word.trim_end_matches([',', '.', ';', ':']);
        let behind = word.get(bare.len()..).unwrap_or_default();
        let found = OPERATIONS.iter().find(|(operation, _)| *operation == bare);
        found.map_or_else(|| word.to_owned(), |(_, command)| format!("{command}{behind}"))
    };
    let words: Vec<String> = advice.split(' ').map(ours).collect();
    format!("{said}{}", words.join(" "))
}

/// A refusal without the question at its end: the client asks in its own words, or not at all.
pub(super) fn statement(text: &str) -> &str {
    match text.rsplit_once(';') {
        Some((statement, question)) if question.trim_end().ends_with('?') => statement,
        Some(_) | None => text,
    }
}

/// The number in `… in N s`.
pub(super) fn seconds_in(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split([' ', ',', ';']).collect();
    words.windows(3).find_map(|window| match window {
        ["in", number, "s"] => number.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_our_commands() {
        for (text, expected) in [
            ("lobby is there already; JOIN lobby enters it", "lobby is there already; /join lobby enters it"),
            ("you are in 8 rooms already; LEAVE one first", "you are in 8 rooms already; /leave one first"),
            ("200 of 10482 online; WHO prefix narrows it", "200 of 10482 online; /who prefix narrows it"),
            ("the room needs a password: JOIN room password", "the room needs a password: /join room password"),
            ("unknown operation; PM hello, HELP, or EX", "unknown operation; /pm hello, /help, or /quit"),
            ("usage: KICK room name", "usage: /kick room name"),
            ("usage: KEEP room [DAYS|off]", "usage: /keep room [DAYS|off]"),
            ("you are not in JOIN", "you are not in JOIN"),
            ("WHO is not online; JOINED", "WHO is not online; JOINED"),
            ("", ""),
        ] {
            assert_eq!(in_our_words(text), expected);
        }
    }

    #[test]
    fn statements() {
        for (text, expected) in [
            ("admin is reserved; your name?", "admin is reserved"),
            ("wrong password; 2 tries left", "wrong password; 2 tries left"),
            ("what; is; this?", "what; is"),
            ("your name?", "your name?"),
            ("", ""),
        ] {
            assert_eq!(statement(text), expected, "{text}");
        }
    }

    #[test]
    fn seconds() {
        for (text, expected) in [
            ("busy, try again in 2 s", Some(2)),
            ("retry in x s", None),
            ("in 99999999999999999999 s", None),
            ("in 5", None),
            ("retry in 7 s; or not", Some(7)),
        ] {
            assert_eq!(seconds_in(text), expected, "{text}");
        }
    }
}
