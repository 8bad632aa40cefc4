//! The arguments of the commands about people.

use super::word;
use crate::alert::Level;

/// A request about people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People<'a> {
    /// Who somebody is; `None`: the user.
    Whois(Option<&'a str>),
    /// What the profile of the user says: all of it, or this key.
    Profile(Option<&'a str>),
    /// Sets a key of the profile; `-` removes it.
    Set {
        /// The key.
        key: &'a str,
        /// The value.
        value: &'a str,
    },
    /// The user goes away, for this reason, which may be empty.
    Away(&'a str),
    /// The user is back.
    Back,
    /// Whom the user watches.
    Watch(Turn<'a>),
    /// Whom the user ignores.
    Ignore(Turn<'a>),
    /// Whether the user hears what is said to everybody.
    Public {
        /// True if they do.
        is_on: bool,
    },
    /// Another name for a guest, with `~` or without.
    Nick(&'a str),
    /// How loud this place is, or all places are.
    Levels(Option<&'a str>),
    /// Sets how loud this place is, or the current one.
    Notify {
        /// The place: `*`, a room, `@name`.
        place: Option<&'a str>,
        /// How loud.
        level: Level,
    },
    /// Erases something that was said.
    Erase(Erase<'a>),
}

/// A list of names: it is shown, or one is added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// Shows it.
    Show,
    /// Adds this name.
    On(&'a str),
    /// Removes this name.
    Off(&'a str),
}

/// What is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erase<'a> {
    /// A message that is on the screen.
    Shown {
        /// Who said it; `None`: the user.
        from: Option<&'a str>,
        /// Its number, from 1, counted from the lowest of theirs.
        number: usize,
    },
    /// The message with this id.
    Id(u64),
    /// All messages of the user.
    All,
}

/// The arguments of `/watch` and `/ignore`: `[NAME [off]]`. `None` if they are invalid.
pub(super) fn turn<'a>(arguments: [Option<&'a str>; 3]) -> Option<Turn<'a>> {
    match arguments {
        [None, ..] => Some(Turn::Show),
        [Some(name), None, _] => Some(Turn::On(bare(name))),
        [Some(name), Some(off), None] if off.eq_ignore_ascii_case("off") => Some(Turn::Off(bare(name))),
        [Some(_), Some(_), _] => None,
    }
}

/// The argument of `/public`: `on` or `off`. `None` if it is neither.
pub(super) fn public(word: &str) -> Option<People<'_>> {
    let is_on = word.eq_ignore_ascii_case("on");
    (is_on || word.eq_ignore_ascii_case("off")).then_some(People::Public { is_on })
}

/// The arguments of `/set`: `[KEY [VALUE|-]]`.
pub(super) fn set(rest: &str) -> People<'_> {
    match word(rest.trim_matches(' ')) {
        ("", _) => People::Profile(None),
        (key, "") => People::Profile(Some(key)),
        (key, value) => People::Set { key, value },
    }
}

/// The arguments of `/notify`: `[PLACE] [all|mentions|none]`, where `off` means `none`. A room of such a name has a `#`
/// in front. `None` if they are invalid.
pub(super) fn notify<'a>(arguments: [Option<&'a str>; 3]) -> Option<People<'a>> {
    let level = |word: &str| if word.eq_ignore_ascii_case("off") { Some(Level::None) } else { Level::parse(word) };
    match arguments {
        [None, ..] => Some(People::Levels(None)),
        [Some(first), None, _] => Some(match level(first) {
            Some(level) => People::Notify { place: None, level },
            None => People::Levels(Some(first)),
        }),
        [place, Some(second), None] => level(second).map(|level| People::Notify { place, level }),
        [Some(_), Some(_), Some(_)] => None,
    }
}

/// The arguments of `/erase`: `[NAME] [N]`, an id, or `all`. `None` if they are invalid.
pub(super) fn erase<'a>(arguments: [Option<&'a str>; 3]) -> Option<Erase<'a>> {
    /// A number with more digits than this is an id.
    const DIGITS: usize = 4;
    let number = |word: &str| {
        let is_number = word.len() <= DIGITS && word.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| word.parse().ok()).flatten().filter(|number: &usize| *number > 0)
    };
    match arguments {
        [None, ..] => Some(Erase::Shown { from: None, number: 1 }),
        [Some(all), None, _] if all.eq_ignore_ascii_case("all") => Some(Erase::All),
        [Some(first), None, _] if first.starts_with(|c: char| c.is_ascii_digit()) => match number(first) {
            Some(number) => Some(Erase::Shown { from: None, number }),
            None if first.len() > DIGITS => first.parse().ok().map(Erase::Id),
            None => None,
        },
        [Some(name), None, _] => Some(Erase::Shown { from: Some(bare(name)), number: 1 }),
        [Some(name), Some(second), None] => {
            number(second).map(|number| Erase::Shown { from: Some(bare(name)), number })
        }
        [Some(_), Some(_), Some(_)] => None,
    }
}

/// A name without the `@` in front, which no name has.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix('@').filter(|name| !name.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Intent, parse};

    #[track_caller]
    fn check(line: &str, expected: People<'_>) {
        assert_eq!(parse(line), Intent::People(expected), "{line}");
    }

    #[test]
    fn a_name_may_have_a_sign() {
        check("/whois @bob", People::Whois(Some("bob")));
        check("/watch @bob", People::Watch(Turn::On("bob")));
        check("/watch @bob off", People::Watch(Turn::Off("bob")));
        check("/ignore @bob", People::Ignore(Turn::On("bob")));
        check("/unignore @bob", People::Ignore(Turn::Off("bob")));
        check("/whois @", People::Whois(Some("@")));
    }

    #[track_caller]
    fn check_usage(line: &str) {
        assert!(matches!(parse(line), Intent::Usage(_)), "{line}: {:?}", parse(line));
    }

    #[test]
    fn profiles() {
        check("/whois", People::Whois(None));
        check("/WHOIS ~bob ", People::Whois(Some("~bob")));
        check_usage("/whois a b");
        check("/set", People::Profile(None));
        check("/set name ", People::Profile(Some("name")));
        check("/set about  I build  bridges ", People::Set { key: "about", value: "I build  bridges" });
        check("/set name -", People::Set { key: "name", value: "-" });
    }

    #[test]
    fn presence() {
        check("/away", People::Away(""));
        check("/away  to lunch", People::Away("to lunch"));
        check("/afk", People::Away(""));
        check("/back", People::Back);
        check_usage("/back now");
        check("/watch", People::Watch(Turn::Show));
        check("/watch bob", People::Watch(Turn::On("bob")));
        check("/watch bob OFF", People::Watch(Turn::Off("bob")));
        check_usage("/watch bob carol");
        check_usage("/watch bob off off");
    }

    #[test]
    fn peace() {
        check("/ignore", People::Ignore(Turn::Show));
        check("/ignore ~", People::Ignore(Turn::On("~")));
        check("/block bob", People::Ignore(Turn::On("bob")));
        check("/ignore ~ off", People::Ignore(Turn::Off("~")));
        check("/unignore bob", People::Ignore(Turn::Off("bob")));
        check("/unblock bob", People::Ignore(Turn::Off("bob")));
        check_usage("/unignore");
        check("/notify", People::Levels(None));
        check("/notify den", People::Levels(Some("den")));
        check("/notify NONE", People::Notify { place: None, level: Level::None });
        check("/notify off", People::Notify { place: None, level: Level::None });
        check("/notify * all", People::Notify { place: Some("*"), level: Level::All });
        check("/notify #all mentions", People::Notify { place: Some("#all"), level: Level::Mentions });
        check_usage("/notify den loud");
        check_usage("/notify den all all");
    }

    #[test]
    fn attending() {
        check("/public on", People::Public { is_on: true });
        check("/PUBLIC Off", People::Public { is_on: false });
        for line in ["/public", "/public maybe", "/public on off"] {
            check_usage(line);
        }
    }

    #[test]
    fn names_of_guests() {
        check("/nick ~rob", People::Nick("~rob"));
        check("/nick rob", People::Nick("rob"));
        for line in ["/nick", "/nick a b"] {
            check_usage(line);
        }
    }

    #[test]
    fn erasing() {
        let shown = |from, number| People::Erase(Erase::Shown { from, number });
        check("/erase", shown(None, 1));
        check("/erase 12", shown(None, 12));
        check("/erase bob", shown(Some("bob"), 1));
        check("/erase @bob 3", shown(Some("bob"), 3));
        check("/delete ALL", People::Erase(Erase::All));
        check("/erase 1882416070839500802", People::Erase(Erase::Id(1_882_416_070_839_500_802)));
        for line in
            ["/erase 0", "/erase 0000", "/erase 12x", "/erase 99999999999999999999", "/erase bob x", "/erase a 1 2"]
        {
            check_usage(line);
        }
    }

    #[test]
    fn actions() {
        assert_eq!(parse("/me waves  at bob "), Intent::Act("waves  at bob "));
        assert_eq!(parse("/ME waves"), Intent::Act("waves"));
        check_usage("/me");
        check_usage("/me  ");
    }
}
