//! Tab completion.

use super::command::{COMMANDS, Command, Takes};
use super::session::Known;

/// More candidates would not help on any terminal.
const OFFERED: usize = 200;
/// The signs in front of names and rooms.
const SIGNS: [char; 2] = ['@', '#'];

/// The candidates for the word before the cursor, and the byte of `line` at which the word starts: who spoke last, the
/// latest first, then the others in alphabetical order. The arguments of a command are completed by their kind, words of
/// a text with user names. After `@` there is always a name, in texts and for places, and after `#` a room; the sign
/// stays, except where only a name can stand. `cursor` is in bytes.
///
/// A single candidate comes with what is typed next: a space, or `: ` after a name at the start of a text.
pub fn complete(line: &str, cursor: usize, known: &Known) -> (usize, Vec<String>) {
    let Some(before) = line.get(..cursor) else { return (cursor.min(line.len()), Vec::new()) };
    // Only U+0020 separates arguments, but any space separates words of a text.
    let is_command = before.starts_with('/') && !before.starts_with("//");
    let is_space = |c: char| c == ' ' || (!is_command && c.is_whitespace());
    let start = before.rfind(is_space).map_or(0, |at| before.get(at..).map_or(at, |rest| at + width(rest)));
    let typed = before.get(start..).unwrap_or_default();
    let words: Vec<&str> = before.get(..start).unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    let takes = match words.as_slice() {
        [] if is_command => Takes::Command,
        [first, arguments @ ..] if is_command => {
            let command = Command::find(first.get(1..).unwrap_or_default());
            let takes = command.map_or([Takes::Nothing; 2], |command| command.takes);
            match (takes.get(arguments.len()), takes) {
                (Some(Takes::Text), _) | (None, [_, Takes::Text]) => text(typed),
                (Some(takes), _) => *takes,
                (None, _) => Takes::Nothing,
            }
        }
        _ => text(typed),
    };
    let (start, typed) = signed(start, typed, takes);
    let mut found = candidates(takes, typed, known);
    if let [only] = found.as_mut_slice()
        && !line.get(cursor..).unwrap_or_default().starts_with([' ', ':'])
    {
        let is_addressed = start == 0 && takes == Takes::Text && !typed.starts_with(SIGNS);
        only.push_str(if is_addressed { ": " } else { " " });
    }
    (start, found)
}

/// The kind of a word of a text, if it has been started.
fn text(typed: &str) -> Takes {
    if typed.is_empty() { Takes::Nothing } else { Takes::Text }
}

/// In a text, a sign in front of a name or a room may follow other signs, such as an opening bracket: where the word
/// begins then, and the word.
fn signed(start: usize, typed: &str, takes: Takes) -> (usize, &str) {
    let at = typed
        .find(SIGNS)
        .filter(|at| takes == Takes::Text && !typed.get(..*at).unwrap_or_default().contains(char::is_alphanumeric));
    at.map_or((start, typed), |at| (start + at, typed.get(at..).unwrap_or_default()))
}

fn candidates(takes: Takes, typed: &str, known: &Known) -> Vec<String> {
    let (names, rooms) = (known.names(), known.rooms());
    let sign = typed.chars().next().filter(|c| SIGNS.contains(c));
    let with_sign = |sign: char| move |word: &str| format!("{sign}{word}");
    let mut found: Vec<String> = match (takes, sign) {
        (Takes::Nothing, _) => Vec::new(),
        (Takes::Command, _) => COMMANDS.iter().map(|command| format!("/{}", command.name)).collect(),
        (Takes::Text | Takes::RoomOrName | Takes::PlaceOr(_), Some('@')) => names.map(with_sign('@')).collect(),
        (Takes::Text | Takes::Room | Takes::RoomOrName | Takes::PlaceOr(_), Some('#')) => {
            rooms.map(with_sign('#')).collect()
        }
        (Takes::Name | Takes::Text, _) => names.map(str::to_owned).collect(),
        (Takes::Room, _) => rooms.map(str::to_owned).collect(),
        (Takes::RoomOrName, _) => rooms.chain(names).map(str::to_owned).collect(),
        (Takes::OneOf(words), _) => words.iter().map(|word| (*word).to_owned()).collect(),
        // A place that is not `@name` is a room.
        (Takes::PlaceOr(words), _) => rooms.chain(words.iter().copied()).map(str::to_owned).collect(),
    };
    // Where only a name can stand, it has no sign.
    let bare = if takes == Takes::Name { typed.strip_prefix('@') } else { None };
    let typed = bare.unwrap_or(typed).to_lowercase();
    found.retain(|candidate| candidate.to_lowercase().starts_with(&typed));
    found.sort_by_cached_key(|candidate| {
        let recency = known.recency(candidate.strip_prefix('@').unwrap_or(candidate));
        (recency.unwrap_or(usize::MAX), candidate.to_lowercase())
    });
    found.dedup();
    found.truncate(OFFERED);
    found
}

/// The size of the first character in bytes.
fn width(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known() -> Known {
        let mut known = Known::default();
        ["alice", "Albert", "bob"].iter().for_each(|name| known.see_name(name));
        ["lobby", "größe", "Alpha"].iter().for_each(|room| known.see_room(room));
        known
    }

    /// `|` in the line marks the cursor.
    #[track_caller]
    fn check(line: &str, start: usize, expected: &[&str]) {
        let cursor = line.find('|').unwrap();
        let (at, found) = complete(&line.replace('|', ""), cursor, &known());
        assert_eq!((at, found.iter().map(String::as_str).collect()), (start, expected.to_vec()), "{line}");
    }

    #[test]
    fn commands() {
        check("/h|", 0, &["/help", "/history", "/host"]);
        check("/J|", 0, &["/join "]);
        check("/r|", 0, &["/resend", "/rm", "/rooms"]);
        check("//r|", 0, &[]);
        check("/help /re|", 6, &["/resend "]);
        check("a /h|", 2, &[]);
    }

    #[test]
    fn arguments() {
        check("/dm al|", 4, &["Albert", "alice"]);
        check("/dm |", 4, &["Albert", "alice", "bob"]);
        check("/msg b|", 5, &["bob "]);
        check("/dm bob\u{3000}al|", 4, &[]);
        check("DM b|", 3, &["bob "]);
        check("/dm bob al|", 8, &["Albert", "alice"]);
        check("/dm bob or bo|", 11, &["bob "]);
        check("/dm bob |", 8, &[]);
        check("/pm bo|", 4, &["bob "]);
        check("/pm hi bo|", 7, &["bob "]);
        check("/rm lobby hi bo|", 13, &["bob "]);
        check("PM hi bo|", 6, &["bob "]);
        check("DM bob hi bo|", 10, &["bob "]);
        check("/join lobby b|", 12, &[]);
        check("/names lobby bob b|", 17, &[]);
        check("/join al|", 6, &["Alpha "]);
        check("/join gr|", 6, &["größe "]);
        check("/kick al|", 6, &["Albert", "alice", "Alpha"]);
        check("/kick lobby al|", 12, &["Albert", "alice"]);
        check("/names lobby b|", 13, &["bob "]);
        check("/make lo|", 6, &[]);
        check("/nonsense a|", 10, &[]);
        check("/set st|", 5, &["status "]);
        check("/set status bo|", 12, &["bob "]);
        check("/notify l|", 8, &["lobby "]);
        check("/notify n|", 8, &["none "]);
        check("/notify @b|", 8, &["@bob "]);
        check("/notify #lobby m|", 15, &["mentions "]);
        check("/watch bob o|", 11, &["off "]);
        check("/ignore bob o|", 12, &["off "]);
    }

    #[test]
    fn in_a_text() {
        check("hi al|", 3, &["Albert", "alice"]);
        check("al|", 0, &["Albert", "alice"]);
        check("über al| und mehr", 6, &["Albert", "alice"]);
        check("hi |", 3, &[]);
        check("|", 0, &[]);
        check("a\u{3000}bo|", 4, &["bob "]);
        check("bo|", 0, &["bob: "]);
        check("bo|: hi", 0, &["bob"]);
        check("hi bo| there", 3, &["bob"]);
    }

    #[test]
    fn after_a_sign() {
        check("ask @bo|", 4, &["@bob "]);
        check("@bo|", 0, &["@bob "]);
        check("@|", 0, &["@Albert", "@alice", "@bob"]);
        check("ask @al| and", 4, &["@Albert", "@alice"]);
        check("ask @bo| and", 4, &["@bob"]);
        check("(@bo|", 1, &["@bob "]);
        check("mail@bo|", 0, &[]);
        check("see #gr|", 4, &["#größe "]);
        check("#gr|", 0, &["#größe "]);
        check("#|", 0, &["#Alpha", "#größe", "#lobby"]);
        check("/pm hi @bo|", 7, &["@bob "]);
        check("/join #gr|", 6, &["#größe "]);
        check("/join @bo|", 6, &[]);
        check("/dm @bo|", 4, &["bob "]);
        check("/history @bo|", 9, &["@bob "]);
        check("/history #lo|", 9, &["#lobby "]);
    }

    #[test]
    fn what_is_completed_mentions() {
        for text in ["@alice ", "hey (@alice ", "alice: "] {
            assert!(chatd::mention::is_in(text, "alice"), "{text}");
        }
    }

    #[test]
    fn who_spoke_last_comes_first() {
        let mut known = known();
        ["bob", "Albert", "alice"].iter().for_each(|name| known.hear(name));
        for (line, expected) in [
            ("hi al", vec!["alice", "Albert"]),
            ("hi @", vec!["@alice", "@Albert", "@bob"]),
            ("/dm ", vec!["alice", "Albert", "bob"]),
            ("/kick a", vec!["alice", "Albert", "Alpha"]),
        ] {
            assert_eq!(complete(line, line.len(), &known).1, expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_and_any_cursor(line in "\\PC{0,20}", cursor in 0..100usize) {
            let (start, _) = complete(&line, cursor, &known());
            prop_assert!(start <= line.len());
        }
    }
}
