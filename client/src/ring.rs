//! The sound or notification of a terminal that calls the user.

use super::action::Call;
use super::show::call;

/// One ring stands for all that calls within this time after it.
const BURST_MS: u64 = 1_000;
/// The most characters of a notification.
const NOTIFICATION: usize = 160;

/// How a terminal calls the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// By its bell.
    #[default]
    Bell,
    /// By a notification of the desktop: the escape sequence `OSC 9`.
    Osc9,
    /// Not at all.
    Off,
}

impl Notify {
    /// The way of this name: `bell`, `osc9` or `off`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "bell" => Some(Self::Bell),
            "osc9" => Some(Self::Osc9),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// Rings at a terminal, once for a burst.
#[derive(Debug)]
pub struct Ring {
    how: Notify,
    in_tmux: bool,
    /// Until when nothing more rings, in monotonic milliseconds.
    quiet_until: u64,
}

impl Ring {
    /// A ring for a terminal, which may be tmux (`in_tmux`).
    pub fn new(how: Notify, in_tmux: bool) -> Self {
        Self { how, in_tmux, quiet_until: 0 }
    }

    /// What is written to the terminal to call the user; nothing within a second after the last time. `now_ms` is
    /// monotonic.
    pub fn ring(&mut self, why: &Call, now_ms: u64) -> String {
        if self.how == Notify::Off || now_ms < self.quiet_until {
            return String::new();
        }
        self.quiet_until = now_ms.saturating_add(BURST_MS);
        match self.how {
            Notify::Off => String::new(),
            Notify::Bell => "\x07".to_owned(),
            Notify::Osc9 => {
                let sequence = format!("\x1b]9;{}\x07", call::sentence(why, NOTIFICATION));
                if self.in_tmux { passed_on(&sequence) } else { sequence }
            }
        }
    }
}

/// A sequence that tmux passes on to its own terminal, if its option `allow-passthrough` is on.
fn passed_on(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Message, Place};

    fn said(from: &str, place: Place, text: &str) -> Call {
        Call::Said(Message {
            place,
            from: from.to_owned(),
            text: text.to_owned(),
            id: Some(7 << 20),
            unix_ms: 7,
            confirmed: None,
            stands_out: true,
            is_own: false,
            is_past: false,
        })
    }

    fn direct(text: &str) -> Call {
        said("bob", Place::Direct { with: "bob".to_owned() }, text)
    }

    #[test]
    fn a_burst_rings_once() {
        let mut ring = Ring::new(Notify::Bell, false);
        let rung: Vec<u64> =
            (0..40).map(|n| n * 100).filter(|now| !ring.ring(&direct("hi"), *now).is_empty()).collect();
        assert_eq!(rung, [0, 1_000, 2_000, 3_000]);
        assert_eq!(ring.ring(&direct("hi"), 9_000), "\x07");
        assert_eq!(Ring::new(Notify::Off, false).ring(&direct("hi"), 0), "");
    }

    #[test]
    fn notifications() {
        let told = |call: &Call, in_tmux| Ring::new(Notify::Osc9, in_tmux).ring(call, 0);
        assert_eq!(told(&direct("hi"), false), "\x1b]9;bob to you: hi\x07");
        assert_eq!(told(&direct("hi"), true), "\x1bPtmux;\x1b\x1b]9;bob to you: hi\x07\x1b\\");
        assert_eq!(told(&said("bob", Place::Public, "hi"), false), "\x1b]9;bob to all: hi\x07");
        assert_eq!(told(&said("bob", Place::Room("den".to_owned()), "hi"), false), "\x1b]9;bob in den: hi\x07");
        let waves = |place| told(&said("bob", place, "/me waves"), false);
        assert_eq!(waves(Place::Room("den".to_owned())), "\x1b]9;in den: * bob waves\x07");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_gets_into_a_notification() {
        let all: String = (0..=0x2fff).chain(0xe0000..=0xe0200).filter_map(char::from_u32).collect();
        let chunks: Vec<String> =
            all.chars().collect::<Vec<_>>().chunks(50).map(|part| part.iter().collect()).collect();
        let hostile = [
            "\x07\x1b]0;pwned\x07",
            "\x1b\\\x1bPtmux;\x1b\x1b[2J",
            "\u{9c}\u{9d}0;x\u{9c}",
            "a\r\nb\tc\u{202e}d\u{7f}",
        ];
        for text in chunks.iter().map(String::as_str).chain(hostile) {
            for in_tmux in [false, true] {
                let call = said(text, Place::Room(text.to_owned()), text);
                let told = Ring::new(Notify::Osc9, in_tmux).ring(&call, 0);
                let (start, end) = if in_tmux { ("\x1bPtmux;\x1b\x1b]9;", "\x07\x1b\\") } else { ("\x1b]9;", "\x07") };
                let inside = told.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).unwrap();
                assert!(!inside.chars().any(char::is_control), "{told:?}");
                assert!(inside.chars().count() <= NOTIFICATION, "{told:?}");
            }
        }
        assert_eq!(
            Ring::new(Notify::Osc9, false).ring(&direct("a\r\nb\tc\u{202e}d"), 0),
            "\x1b]9;bob to you: ab cd\x07"
        );
    }

    #[test]
    fn a_notification_is_never_a_number_that_a_terminal_obeys() {
        // `OSC 9 ; 4 ; 1 ; 50` is a progress bar in some terminals.
        for from in ["4;1;50", "9;1", "12"] {
            let told = Ring::new(Notify::Osc9, false).ring(&said(from, Place::Public, "x"), 0);
            let text = told.strip_prefix("\x1b]9;").unwrap();
            assert!(!text.starts_with(|c: char| c.is_ascii_digit()), "{told:?}");
        }
    }
}
