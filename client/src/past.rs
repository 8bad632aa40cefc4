//! Decoding of replies about what was said: pages (212), unread counts (213), confirmations with an id (250), and the
//! welcome (230).
//!
//! The server is not trusted: a text that makes no sense decodes to `None`, and nothing here allocates more than the
//! text.

use super::action::Place;
use super::alert::Level;

/// A message or a hole in a page: `ID place from flags text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its id. Ids rise within a page.
    pub id: u64,
    /// Where it was said. Of a direct message: with whom.
    pub place: Place,
    /// Who said it, as shown: `alice`, `~guest`, `-alice` for an account that is gone, `server` for a hole.
    pub from: String,
    /// Whether it mentions the reader, or is a direct message to the reader.
    pub is_mention: bool,
    /// Whether it says that something is missing, and no message.
    pub is_hole: bool,
    /// The text.
    pub text: String,
}

/// The last line of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// The number of lines before it.
    pub count: u64,
    /// The bound with which the same command goes on; `None` at the end.
    pub next: Option<u64>,
}

/// What is unread in a place: `place COUNT MENTIONS read=ID last=ID notify=LEVEL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The place.
    pub place: Place,
    /// Unread messages; 1,000 is that many or more.
    pub count: u32,
    /// Those for the reader.
    pub mentions: u32,
    /// Up to where the place is read.
    pub read: u64,
    /// Its newest message; 0 if there is none.
    pub last: u64,
    /// How loud it is, if the server says so in a word that this version knows.
    pub level: Option<Level>,
}

/// The line of a page (212).
pub fn line(text: &str) -> Option<Line> {
    let (id, rest) = text.split_once(' ')?;
    let (spot, rest) = rest.split_once(' ')?;
    let (from, rest) = rest.split_once(' ')?;
    let (flags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_flags = !flags.is_empty() && flags.bytes().all(|b| b == b'-' || b.is_ascii_lowercase());
    if !is_flags || from.is_empty() {
        return None;
    }
    Some(Line {
        id: number(id)?,
        place: place(spot)?,
        from: from.to_owned(),
        is_mention: flags.contains('m'),
        is_hole: flags.contains('g'),
        text: text.to_owned(),
    })
}

/// The last line of a page (212): `50 next=ID`, or `7 end`. Words for people may be between them.
pub fn last(text: &str) -> Option<Last> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let count = number(words.next()?)?;
    let next = match words.next_back()? {
        "end" => None,
        word => Some(number(word.strip_prefix("next=")?)?),
    };
    Some(Last { count, next })
}

/// The line of a place (213).
pub fn unread(text: &str) -> Option<Unread> {
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let place = place(words.next()?)?;
    let (count, mentions) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut unread = Unread { place, count, mentions, read: 0, last: 0, level: None };
    // Fields that this version does not know are skipped.
    for (name, value) in words.filter_map(|word| word.split_once('=')) {
        match name {
            "read" => unread.read = number(value)?,
            "last" => unread.last = number(value)?,
            "notify" => unread.level = Level::parse(value),
            _ => {}
        }
    }
    Some(unread)
}

/// A confirmation (250) without the id of the message, which is its last word if there is one: `sent to 3 id=17`.
pub fn confirmed(text: &str) -> (&str, Option<u64>) {
    let parts = text.rsplit_once(" id=").and_then(|(told, id)| Some((told, number(id)?)));
    parts.map_or((text, None), |(told, id)| (told, Some(id)))
}

/// A confirmation for people: `sent to bob (away: lunch)` says that bob is away.
pub fn told_away(told: &str) -> String {
    let parts = told.split_once(" (away: ").and_then(|(sent, why)| Some((sent, why.strip_suffix(')')?)));
    parts.map_or_else(|| told.to_owned(), |(sent, why)| format!("{sent}, who is away: {why}"))
}

/// The name in a welcome (230), as it was registered: `welcome alice; 3 online`.
pub fn welcomed(text: &str) -> &str {
    text.strip_prefix("welcome ").and_then(|rest| rest.split([';', ' ']).next()).unwrap_or_default()
}

/// The place that a word names: `*`, `@name`, a room, perhaps after `#`.
pub fn place(word: &str) -> Option<Place> {
    let room = word.strip_prefix('#').unwrap_or(word);
    match word.strip_prefix('@') {
        _ if word == "*" => Some(Place::Public),
        Some("") => None,
        Some(name) => Some(Place::Direct { with: name.to_owned() }),
        None => (!room.is_empty() && !room.starts_with(['#', '@', '*'])).then(|| Place::Room(room.to_owned())),
    }
}

/// The word that names a place in a command. A room whose name could be something else there has a `#` in front.
pub fn word(place: &Place) -> String {
    const OTHERS: [&str; 5] = ["before", "after", "all", "off", "to"];
    match place {
        Place::Public => "*".to_owned(),
        Place::Direct { with } => format!("@{with}"),
        Place::Room(room) => {
            let is_other = OTHERS.iter().any(|other| other.eq_ignore_ascii_case(room));
            let is_marked = is_other || room.starts_with(|c: char| c.is_numeric() || c == '-');
            format!("{}{room}", if is_marked { "#" } else { "" })
        }
    }
}

/// A decimal number, of digits alone.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn room(name: &str) -> Place {
        Place::Room(name.to_owned())
    }

    fn with(name: &str) -> Place {
        Place::Direct { with: name.to_owned() }
    }

    fn said(id: u64, place: Place, from: &str, flags: &str, text: &str) -> Line {
        let (is_mention, is_hole) = (flags.contains('m'), flags.contains('g'));
        Line { id, place, from: from.to_owned(), is_mention, is_hole, text: text.to_owned() }
    }

    #[test]
    fn lines_of_a_page() {
        for (text, expected) in [
            ("17 lobby erin m are you there, bob?", said(17, room("lobby"), "erin", "m", "are you there, bob?")),
            ("18 @dave bob - on my way", said(18, with("dave"), "bob", "", "on my way")),
            ("19 * -eve -   three spaces", said(19, Place::Public, "-eve", "", "  three spaces")),
            ("20 lobby server g 12 messages", said(20, room("lobby"), "server", "g", "12 messages")),
            ("21 @-eve ~gast mx x", said(21, with("-eve"), "~gast", "m", "x")),
            ("18446744073709551615 #5 a - ", said(u64::MAX, room("5"), "a", "", "")),
            ("22 * a -", said(22, Place::Public, "a", "", "")),
        ] {
            assert_eq!(line(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "17",
            "17 lobby",
            "17 lobby erin",
            "x * a - t",
            "-1 * a - t",
            "18446744073709551616 * a - t",
            "+1 * a - t",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
        for text in [
            "17  erin - t",
            "17 @ a - t",
            "17 # a - t",
            "17 #@b a - t",
            "17 ##b a - t",
            "17 *  - t",
            "17 * a  t",
            "17 * a M t",
            "17 * a 1 t",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn ends_of_a_page() {
        for (text, expected) in [
            ("50 next=17", Some((50, Some(17)))),
            ("7 end", Some((7, None))),
            ("0 end", Some((0, None))),
            ("50 messages next=18446744073709551615", Some((50, Some(u64::MAX)))),
            ("", None),
            ("7", None),
            ("end", None),
            ("7 next=", Some((7, None))),
            ("7 next=x", None),
            ("x end", None),
            ("50 messages; MISSED shows 31 more", None),
        ] {
            let expected = if text == "7 next=" { None } else { expected };
            assert_eq!(last(text).map(|last| (last.count, last.next)), expected, "{text}");
        }
    }

    #[test]
    fn unread_places() {
        for (text, place, level) in [
            ("* 3 1 read=17 last=19 notify=mentions", Place::Public, Some(Level::Mentions)),
            ("lobby 3 1 new=5 last=19 read=17", room("lobby"), None),
            ("den 3 1 last=19 read=17 notify=whispers", room("den"), None),
            ("@dave 3 1 read=17 last=19 notify=all", with("dave"), Some(Level::All)),
        ] {
            let expected = Unread { place, count: 3, mentions: 1, read: 17, last: 19, level };
            assert_eq!(unread(text), Some(expected), "{text}");
        }
        for text in ["", "*", "* 3", "* x 1", "* 3 -1", "* 3 1 read=x", "* 4294967296 0", "@ 1 1"] {
            assert_eq!(unread(text), None, "{text}");
        }
    }

    #[test]
    fn confirmations() {
        for (text, expected) in [
            ("sent to 3 id=17", ("sent to 3", Some(17))),
            ("sent to 3", ("sent to 3", None)),
            ("kept for bob id=x", ("kept for bob id=x", None)),
            ("sent to bob (away: my id=5) id=6", ("sent to bob (away: my id=5)", Some(6))),
            ("sent to bob (away: my id=5)", ("sent to bob (away: my id=5)", None)),
            ("id=5", ("id=5", None)),
        ] {
            assert_eq!(confirmed(text), expected, "{text}");
        }
        assert_eq!(told_away("sent to bob (away: (a) lunch)"), "sent to bob, who is away: (a) lunch");
        assert_eq!(told_away("sent to bob (away: x"), "sent to bob (away: x");
        assert_eq!(told_away("sent to 3"), "sent to 3");
        assert_eq!(welcomed("welcome Alice; 3 online"), "Alice");
        assert_eq!(welcomed("hello"), "");
    }

    #[test]
    fn places_as_words() {
        for (place, expected) in [
            (Place::Public, "*"),
            (with("bob"), "@bob"),
            (room("lobby"), "lobby"),
            (room("5"), "#5"),
            (room("Before"), "#Before"),
            (room("offen"), "offen"),
        ] {
            assert_eq!(word(&place), expected);
            assert_eq!(super::place(expected), Some(place));
        }
    }

    /// The decoders, on one text: whatever decodes is within the text.
    fn decode_all(text: &str) {
        if let Some(line) = line(text) {
            assert!(text.ends_with(&line.text) && line.text.len() < text.len());
        }
        let (told, _) = confirmed(text);
        assert!(text.starts_with(told));
        assert!(told_away(text).len() <= text.len() + ", who is away: ".len());
        let _ = (last(text), unread(text), welcomed(text), place(text));
    }

    #[test]
    fn cut_at_every_character() {
        for text in [
            "18446744073709551615 #größe erin mg are you there, bob?",
            "50 next=18446744073709551615",
            "größe 1000 12 read=18446744073709551615 last=18446744073709551615 notify=mentions",
            "sent to 3 id=18446744073709551615",
            "sent to bob (away: größe) id=18446744073709551615",
            "welcome alice; 3 online",
        ] {
            for (at, _) in text.char_indices() {
                decode_all(&text[..at]);
                decode_all(&text[at..]);
            }
        }
    }

    proptest! {
        #[test]
        fn a_page_is_read_as_it_was_written(
            id in any::<u64>(), spot in "[*]|@-?[a-z]{1,9}|[a-zé]{1,9}", from in "[-~]?[a-z]{1,9}", flags in "-|m|g", text in "\\PC{0,30}",
        ) {
            let read = line(&format!("{id} {spot} {from} {flags} {text}")).unwrap();
            let named = word(&read.place);
            prop_assert_eq!(named.trim_start_matches('#'), spot);
            prop_assert_eq!((read.id, read.from, read.text), (id, from, text));
            prop_assert_eq!((read.is_mention, read.is_hole), (flags == "m", flags == "g"));
        }

        #[test]
        fn counts_are_read_as_they_were_written(
            spot in "[*]|@[a-z]{1,9}|[a-z]{1,9}", count in 0..=1000u32, mentions in 0..=1000u32, read in any::<u64>(), last in any::<u64>(),
        ) {
            let text = format!("{spot} {count} {mentions} read={read} last={last} notify=all");
            let found = unread(&text).unwrap();
            prop_assert_eq!((found.count, found.mentions, found.read, found.last), (count, mentions, read, last));
        }

        #[test]
        fn any_text(text in "([0-9]{1,20} )?([*@#]|\\PC{0,4} ){0,4}(next=|id=|read=|end)?\\PC{0,20}") {
            decode_all(&text);
        }
    }
}
