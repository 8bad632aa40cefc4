//! Lines of a client as a trace shows them.

use crate::door::operator::{MASK, from_client};

/// A client's line as a trace shows it, without its end. `is_secret` is true if it may hold a password; keys of channels
/// are hidden in the others too.
pub(super) fn traced(line: &[u8], is_secret: bool) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if is_secret {
        return MASK.to_owned();
    }
    let (head, rest) = line.split_at(line.len() - behind_head(line).len());
    let mut words = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (verb, letters) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
    let shown_words = match verb.to_ascii_uppercase().as_slice() {
        b"MODE" if letters.contains(&b'k') => 3,
        b"OPER" => 1,
        _ => usize::MAX,
    };
    let (shown, hidden) = rest.split_at(end_of_words(rest, shown_words));
    let mask = if hidden.is_empty() { String::new() } else { format!(" {MASK}") };
    from_client_behind(head) + &from_client(shown, false) + &mask
}

/// Tags and a source, which a client may send, hide no secret and no verb.
fn from_client_behind(head: &[u8]) -> String {
    if head.is_empty() { String::new() } else { from_client(head, false) }
}

/// The line behind its tags and its source.
fn behind_head(mut line: &[u8]) -> &[u8] {
    for sign in [b'@', b':'] {
        if line.first() == Some(&sign) {
            let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
            line = line.get(end..).unwrap_or_default().trim_ascii_start();
        }
    }
    line
}

/// Where so many words end; the whole length if there are no more.
fn end_of_words(text: &[u8], most: usize) -> usize {
    let (mut words, mut is_within) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        let is_space = *byte == b' ';
        if is_space && is_within && words == most {
            return at;
        }
        words += usize::from(!is_space && !is_within);
        is_within = !is_space;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passwords_are_hidden() {
        for (line, expected) in [
            (&b"PRIVMSG #tea :hello there\r"[..], "PRIVMSG #tea :hello there"),
            (b"JOIN #a,#b k1,k2\r", "JOIN #a,#b ***"),
            (b"@label=7 JOIN #a key", "@label=7 JOIN #a ***"),
            (b"@label=7 :me  JOIN  #a  key", "@label=7 :me  JOIN  #a ***"),
            (b"MODE #a +k word", "MODE #a +k ***"),
            (b"mode  #a  -o+k  bob  word", "mode  #a  -o+k ***"),
            (b"@a :me MODE #a +k :two words", "@a :me MODE #a +k ***"),
            (b"MODE #a +o bob", "MODE #a +o bob"),
            (b"MODE #a k", "MODE #a k"),
            (b"OPER me hunter2", "OPER ***"),
            (b"@x", "@x"),
            (b"", ""),
            (b"TOPIC #a :\x1b[2J", "TOPIC #a :\\u{1b}[2J"),
        ] {
            assert_eq!(traced(line, false), expected, "{}", String::from_utf8_lossy(line));
            assert_eq!(traced(line, true), MASK);
        }
    }

    #[test]
    fn no_cut_shows_a_key() {
        for line in ["@l=7 JOIN #a hunter9", "MODE #a +k hunter9", ":x OPER me hunter9"] {
            for end in 0..line.len() {
                assert!(!traced(&line.as_bytes()[..=end], false).contains('9'), "{line} {end}");
            }
        }
    }
}
