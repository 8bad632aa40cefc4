//! Lines of the past on the screen.

use chatd::text::without_taken_out;

use super::intents::counted;
use super::requests::Unconfirmed;
use super::unread::is_same_place;
use super::{Resumes, Session};
use crate::action::{Hole, Message, Shown};
use crate::past::Line;

/// The confirmation of a message that was found in the past.
const ARRIVED: &str = "arrived";

impl Session {
    /// Whether this is the user.
    pub(super) fn is_me(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.name)
    }

    /// Shows what was missed; with `is_cut`, there was more before it.
    pub(super) fn show_missed(&mut self, lines: Vec<Line>, is_cut: bool) {
        let shown: Vec<(Line, bool)> = lines.into_iter().filter_map(|line| self.missed(line)).collect();
        self.tell_missed(&shown, is_cut);
        let is_new = |session: &Self, line: &Line| {
            !line.is_hole && !session.is_me(&line.from) && line.id > session.news.mark(&line.place)
        };
        let first_new = shown.iter().position(|(line, _)| is_new(self, line));
        let is_loud = shown.iter().any(|(line, _)| line.is_mention && is_new(self, line));
        for (at, (line, has_arrived)) in shown.into_iter().enumerate() {
            if first_new == Some(at) && self.settings.people {
                self.show(Shown::New { is_loud });
            }
            if is_new(self, &line) {
                self.news.hear(&line.place, line.id, line.is_mention);
            }
            self.show_past(line, has_arrived);
        }
    }

    /// Shows a line of the past.
    pub(super) fn show_past(&mut self, line: Line, has_arrived: bool) {
        let is_own = self.is_me(&line.from);
        let Line { id, place, from, is_mention, is_hole, text } = line;
        if is_hole {
            return self.show(Shown::Hole(Hole { place, id, text }));
        }
        self.known.see_name(&from);
        self.people.recent.note(id, &place, &from, &text);
        self.show(Shown::Message(Message {
            place,
            from,
            text,
            id: Some(id),
            unix_ms: id >> 20,
            confirmed: has_arrived.then(|| ARRIVED.to_owned()),
            stands_out: is_mention && !is_own,
            is_own,
            is_past: true,
        }));
    }

    /// The unconfirmed message that this line of the past is, by its index.
    pub(super) fn find_unconfirmed(&self, line: &Line) -> Option<usize> {
        if line.is_hole || !self.is_me(&line.from) {
            return None;
        }
        let server = self.retry.server();
        if self.seen.get(server).is_some_and(|seen| seen.has_own(line.id)) {
            return None;
        }
        let is_it = |Unconfirmed { words, was_sent, .. }: &Unconfirmed| {
            let is_after = words.sent.is_some_and(|sent| sent.server == server && sent.top < Some(line.id));
            let is_text = without_taken_out(&words.text) == line.text;
            *was_sent && is_after && is_text && is_same_place(&words.place, &line.place)
        };
        self.unconfirmed.iter().position(is_it)
    }

    /// A line of the past if it is to be shown, and whether it is a message that was unconfirmed.
    fn missed(&mut self, line: Line) -> Option<(Line, bool)> {
        if line.is_hole {
            let is_new = self.seen().is_some_and(|seen| seen.note_hole(line.id));
            return is_new.then_some((line, false));
        }
        if !self.is_me(&line.from) {
            return Some((line, false));
        }
        if let Some(at) = self.find_unconfirmed(&line) {
            self.unconfirmed.remove(at);
            return Some((line, true));
        }
        // A script has not been told the ids of what it has sent.
        let has_been = self.seen().is_some_and(|seen| seen.has_own(line.id));
        (!has_been && self.settings.resumes == Resumes::Always).then_some((line, false))
    }

    /// Tells how long the user was away, and how much was said meanwhile.
    fn tell_missed(&mut self, shown: &[(Line, bool)], is_cut: bool) {
        let of_others = shown.iter().filter(|(line, _)| !line.is_hole && !self.is_me(&line.from)).count();
        let what = match of_others {
            _ if is_cut => format!(
                "more than 1000 messages were said meanwhile; these are the last {}, /history shows older ones",
                shown.len()
            ),
            0 if shown.is_empty() => "nothing that is kept was said meanwhile".to_owned(),
            0 => "this is kept of the time".to_owned(),
            1 => "1 message was said meanwhile".to_owned(),
            count => format!("{} were said meanwhile", counted(count, "message")),
        };
        match self.away_s.take() {
            Some(seconds) => self.note("missed", format!("you were away for {seconds} s; {what}")),
            None if is_cut || of_others > 0 => self.note("missed", format!("since you left: {what}")),
            None => {}
        }
    }
}
