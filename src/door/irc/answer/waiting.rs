//! Direct messages that wait for an account, for clients that do not fetch them.

use crate::door::decoded::Decoded;
use crate::door::irc::caps::Caps;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::step::{Asked, What};
use crate::door::recall::{PlaceName, Recall, When};
use crate::history::{Count, Line};
use crate::hub::names::UserName;
use crate::limits::{COUNT_MOST, IRC_HISTORY_MESSAGES};

/// Names in the notice, at most.
const NAMES: usize = 3;
/// Messages that the command in the notice shows, at least.
const SHOWN: u32 = 20;

impl IrcDoor {
    /// The session of an account has begun: its client is told what waits for it, unless it fetches that by itself.
    pub(super) fn ask_what_waits(&mut self) {
        if self.is_account() && self.server.keeps && !self.caps.has(Caps::CHATHISTORY) {
            self.then(Asked::plain(What::Waiting), Decoded::Recall(Recall::Unread), false);
        }
    }

    pub(super) fn say_waiting(&mut self, counts: &[Count]) {
        if let Some(words) = waiting(counts) {
            self.voice().notice(words);
        }
    }

    /// True for a client that neither sets marks nor fetches pages: what it has taken is read, as at the line door.
    pub fn reads_what_comes(&self) -> bool {
        !self.caps.has(Caps::READ_MARKER) && !self.caps.has(Caps::CHATHISTORY)
    }

    /// A page was shown up to the newest message. Direct messages are read with that by clients that set no marks.
    pub(super) fn note_shown(&mut self, lines: &[Line]) {
        if !self.reads_what_comes() || !self.is_account() {
            return;
        }
        let Some(Line { id, place, .. }) = lines.last() else { return };
        let Some(name) = sender(place).and_then(|name| UserName::parse(name).ok()) else { return };
        let recall = Recall::Read { place: Some(PlaceName::Direct(name)), when: Some(When::Id(*id)) };
        self.next(Asked::plain(What::SetMark), Decoded::Recall(recall));
    }
}

/// The account with which direct messages are, unless it is gone: nobody asks for those by name.
fn sender(place: &str) -> Option<&str> {
    place.strip_prefix('@').filter(|name| !name.starts_with('-'))
}

/// Who has sent the direct messages that are unread, and how to read them. `None` if there are none.
fn waiting(counts: &[Count]) -> Option<String> {
    let of = |count: &Count| sender(&count.place).filter(|_| count.unread > 0).map(str::to_owned);
    let senders: Vec<(String, u32)> = counts.iter().filter_map(|count| Some((of(count)?, count.unread))).collect();
    let (newest, unread) = senders.first()?;
    let total: u64 = senders.iter().map(|(_, unread)| u64::from(*unread)).sum();
    let more = if senders.iter().any(|(_, unread)| *unread >= COUNT_MOST) { " or more" } else { "" };
    let are = if total == 1 { "message waits" } else { "messages wait" };
    let mut names: Vec<String> = senders.iter().take(NAMES).map(|(name, _)| name.clone()).collect();
    match senders.len().saturating_sub(NAMES) {
        0 => {}
        1 => names.push("1 other".to_owned()),
        others => names.push(format!("{others} others")),
    }
    let last = names.pop()?;
    let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
    let shown = (*unread).clamp(SHOWN, IRC_HISTORY_MESSAGES);
    let what = match (total, senders.len()) {
        (1, _) => "it".to_owned(),
        _ if shown < *unread => format!("the newest of {newest}"),
        (_, 1) => "them".to_owned(),
        _ => format!("those of {newest}"),
    };
    let command = format!("/quote CHATHISTORY LATEST {newest} * {shown}");
    Some(format!("{total}{more} {are} for you, from {names}: {command} shows {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Level;
    use crate::limits::IRC_LINE_BYTES;

    fn count((place, unread): &(&str, u32)) -> Count {
        let level = Level::All;
        Count { place: (*place).into(), unread: *unread, mentions: *unread, read: 0, last: 7, level }
    }

    #[track_caller]
    fn check(unread: &[(&str, u32)], expected: Option<&str>) {
        let counts: Vec<Count> = unread.iter().map(count).collect();
        assert_eq!(waiting(&counts).as_deref(), expected);
    }

    #[test]
    fn what_waits_and_how_to_read_it() {
        check(&[], None);
        check(&[("*", 5), ("tea", 5), ("@bob", 0), ("@-carol", 2)], None);
        check(&[("@bob", 1)], Some("1 message waits for you, from bob: /quote CHATHISTORY LATEST bob * 20 shows it"));
        check(
            &[("*", 9), ("@bob", 30)],
            Some("30 messages wait for you, from bob: /quote CHATHISTORY LATEST bob * 30 shows them"),
        );
        check(
            &[("@bob", 1), ("@Carol", 2)],
            Some("3 messages wait for you, from bob and Carol: /quote CHATHISTORY LATEST bob * 20 shows those of bob"),
        );
        let many = [("@a", COUNT_MOST), ("@b", 1), ("@c", 1), ("@d", 1)];
        let expected = "1003 or more messages wait for you, from a, b, c and 1 other: \
            /quote CHATHISTORY LATEST a * 50 shows the newest of a";
        check(&many, Some(expected));
    }

    #[test]
    fn it_fits_into_a_line() {
        let long = format!("@{}", "n".repeat(crate::limits::NAME_BYTES));
        let counts = vec![count(&(&*long, COUNT_MOST)); 200];
        let words = waiting(&counts).unwrap();
        // The source, NOTICE and the nick.
        assert!(words.len() + 63 + 32 + 15 <= IRC_LINE_BYTES, "{} bytes", words.len());
    }
}
