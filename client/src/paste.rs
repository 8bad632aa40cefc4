//! Bracketed pastes, assembled here.
//!
//! rustyline reads a bracketed paste to its end and handles nothing else meanwhile. If its end were lost, it would
//! swallow every key, even Ctrl-C. Here the keys of a paste arrive one by one, with messages and signals between them,
//! and a paste without an end is over after a while.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, KeyCode, KeyEvent, Modifiers, RepeatCount};

use super::session::INPUT_BYTES;

/// A paste is over if its next key comes later than this: its end was lost. Short pauses of a slow connection must not
/// end it, because the rest would count as typed, and each line would be sent.
const LOST: Duration = Duration::from_secs(5);
/// The bytes of a paste that are kept. Of a longer one enough is kept that the session refuses it, even if its line
/// ends are one byte each: a part of a paste is never sent.
const BYTES: usize = 2 * INPUT_BYTES;

/// The handler of each key for rustyline.
#[derive(Clone, Default)]
pub(super) struct Pastes(Arc<Mutex<Paste>>);

impl Pastes {
    /// Discards a paste whose end is lost.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Paste::default();
    }
}

#[derive(Default)]
struct Paste {
    text: String,
    /// The time of the last key; `None` if there is no paste.
    last: Option<Instant>,
}

impl ConditionalEventHandler for Pastes {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let mut paste = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paste.on_key(*event.get(0)?, Instant::now(), context.line().is_empty())
    }
}

impl Paste {
    /// The meaning of a key; `None` for the usual one.
    fn on_key(&mut self, key: KeyEvent, now: Instant, is_line_empty: bool) -> Option<Cmd> {
        let Some(last) = self.last else {
            let is_start = key.0 == KeyCode::BracketedPasteStart;
            self.last = is_start.then_some(now);
            // The end of a paste that is over already.
            return (is_start || key.0 == KeyCode::BracketedPasteEnd).then_some(Cmd::Noop);
        };
        let is_lost = now.saturating_duration_since(last) > LOST;
        self.last = Some(now);
        match key {
            KeyEvent(KeyCode::BracketedPasteEnd, _) => Some(self.end()),
            // Ctrl-C discards what is typed. If that is only the paste, it does not leave.
            KeyEvent(KeyCode::Char('C'), Modifiers::CTRL) => {
                let is_all = is_line_empty && !self.text.is_empty();
                let _thrown_away = self.end();
                is_all.then_some(Cmd::Noop)
            }
            KeyEvent(code, modifiers) => {
                match (code, modifiers) {
                    (KeyCode::Char(c), Modifiers::NONE | Modifiers::SHIFT) => self.push(c),
                    // After a paste that lost its end, Enter does not send it, so that the user can look at it first.
                    (KeyCode::Enter, _) if is_lost => {}
                    (KeyCode::Enter, _) => self.push('\r'),
                    (KeyCode::Char('J'), Modifiers::CTRL) => self.push('\n'),
                    (KeyCode::Tab, _) => self.push('\t'),
                    _ => {}
                }
                Some(if is_lost { self.end() } else { Cmd::Noop })
            }
        }
    }

    fn push(&mut self, c: char) {
        if self.text.len() < BYTES {
            self.text.push(c);
        }
    }

    /// The paste is complete: it is inserted.
    fn end(&mut self) -> Cmd {
        self.last = None;
        let text = mem::take(&mut self.text).replace("\r\n", "\n").replace('\r', "\n");
        if text.is_empty() { Cmd::Noop } else { Cmd::Insert(1, text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: KeyEvent = KeyEvent(KeyCode::BracketedPasteStart, Modifiers::NONE);
    const END: KeyEvent = KeyEvent(KeyCode::BracketedPasteEnd, Modifiers::NONE);

    /// Presses these keys, the last one after this time.
    fn press(keys: &[KeyEvent], last_after: Duration, is_line_empty: bool) -> (Paste, Option<Cmd>) {
        let (mut paste, now) = (Paste::default(), Instant::now());
        let Some((last, first)) = keys.split_last() else { return (paste, None) };
        for key in first {
            assert_eq!(paste.on_key(*key, now, is_line_empty), Some(Cmd::Noop), "{key:?}");
        }
        let cmd = paste.on_key(*last, now + last_after, is_line_empty);
        (paste, cmd)
    }

    fn typed(text: &str) -> Vec<KeyEvent> {
        text.chars().map(KeyEvent::from).collect()
    }

    #[track_caller]
    fn check(text: &str, last: KeyEvent, after: Duration, expected: Option<&str>) {
        let keys = [vec![START], typed(text), vec![last]].concat();
        let (paste, cmd) = press(&keys, after, true);
        let expected = expected.map(|text| Cmd::Insert(1, text.to_owned()));
        assert_eq!(cmd, Some(expected.unwrap_or(Cmd::Noop)));
        assert!(paste.last.is_none() && paste.text.is_empty());
    }

    #[test]
    fn a_paste_is_inserted_as_a_whole() {
        check("one\r\ntwo\rthree\n\tfour", END, Duration::ZERO, Some("one\ntwo\nthree\n\tfour"));
        check("grüße\u{4}\u{1a}", END, Duration::from_secs(60), Some("grüße"));
        check("", END, Duration::ZERO, None);
    }

    #[test]
    fn other_keys_are_rustylines() {
        for key in typed("a\r\t\u{3}\u{4}") {
            assert_eq!(press(&[key], Duration::ZERO, true).1, None, "{key:?}");
        }
        assert_eq!(press(&[END], Duration::ZERO, true).1, Some(Cmd::Noop));
    }

    #[test]
    fn a_paste_without_an_end_is_over_after_a_while() {
        let later = LOST + Duration::from_millis(1);
        check("one", KeyEvent::from('x'), later, Some("onex"));
        check("one", KeyEvent::from('\r'), later, Some("one"));
        check("one", KeyEvent(KeyCode::Left, Modifiers::NONE), later, Some("one"));
        let keys = [vec![START], typed("one\r")].concat();
        assert!(press(&keys, LOST, true).0.last.is_some(), "it goes on");
    }

    #[test]
    fn ctrl_c_always_works() {
        let ctrl_c = KeyEvent::from('\u{3}');
        for (text, is_line_empty, expected) in
            [("one", true, Some(Cmd::Noop)), ("one", false, None), ("", true, None), ("", false, None)]
        {
            let keys = [vec![START], typed(text), vec![ctrl_c]].concat();
            let (paste, cmd) = press(&keys, Duration::ZERO, is_line_empty);
            assert_eq!(cmd, expected);
            assert!(paste.last.is_none() && paste.text.is_empty());
        }
    }

    #[test]
    fn a_paste_is_bounded() {
        let (mut paste, now) = (Paste::default(), Instant::now());
        paste.on_key(START, now, true);
        for _ in 0..BYTES + 10 {
            paste.on_key(KeyEvent::from('x'), now, true);
        }
        assert_eq!(paste.text.len(), BYTES);
        let lines = "x\r\n".repeat(BYTES);
        lines.chars().for_each(|c| paste.push(c));
        let Cmd::Insert(1, text) = paste.end() else { panic!("a paste is inserted") };
        assert!(text.len() >= INPUT_BYTES);
        "\r\n".repeat(BYTES).chars().for_each(|c| paste.push(c));
        let Cmd::Insert(1, text) = paste.end() else { panic!("a paste is inserted") };
        assert!(text.len() >= INPUT_BYTES);
    }
}
