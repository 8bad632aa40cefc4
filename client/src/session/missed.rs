//! Lines of the past on the screen.

use chatd::text::without_taken_out;

use super::intents::counted;
use super::requests::Unconfirmed;
use super::unread::is_same_place;
use super::{Resumes, Session};
use crate::action::{Action, Call, Hole, Message, Shown};
use crate::alert::{Heard, Level, Verdict};
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
        let verdicts: Vec<Option<Verdict>> = shown.iter().map(|(line, _)| self.judge_missed(line)).collect();
        self.call_for_missed(&shown, &verdicts, is_cut);
        let first_new = verdicts.iter().position(Option::is_some);
        for (at, ((line, has_arrived), verdict)) in shown.into_iter().zip(verdicts).enumerate() {
            if first_new == Some(at) && self.settings.people {
                self.show(Shown::New);
            }
            if !self.is_me(&line.from) && !line.is_hole {
                self.known.hear(&line.from);
            }
            if let Some(verdict) = verdict {
                self.news.hear(&line.place, line.id, verdict.stands_out);
            }
            let past = self.past(line, has_arrived);
            self.show(past);
        }
    }

    /// What is done about a line that was missed; `None` if it is not new.
    fn judge_missed(&self, line: &Line) -> Option<Verdict> {
        let Line { id, place, from, is_mention, is_hole, .. } = line;
        let (is_own, is_read) = (self.is_me(from), *id <= self.news.mark(place));
        let verdict = self.rules.judge(Heard { place, from, is_mention: *is_mention, is_own, is_read });
        (!is_hole && !is_own && !is_read).then_some(verdict)
    }

    /// Calls the user once for all that was missed, if some of it calls.
    fn call_for_missed(&mut self, shown: &[(Line, bool)], verdicts: &[Option<Verdict>], is_cut: bool) {
        let new =
            || shown.iter().map(|(line, _)| line).zip(verdicts).filter_map(|(line, verdict)| Some((line, (*verdict)?)));
        let newest = new().rfind(|(_, verdict)| verdict.calls);
        let newest = newest.map(|(line, _)| self.message_of(line.clone(), false));
        let is_counted =
            |line: &Line| self.rules.level(&line.place) != Level::None && !self.rules.is_ignored(&line.from);
        let counted = || new().filter(|(line, _)| is_counted(line));
        let (mut count, mut for_user) =
            (counted().count(), counted().filter(|(_, verdict)| verdict.stands_out).count());
        if is_cut {
            // What is not shown has been counted by the server.
            let (all, mentions) = self.news.counted(&self.rules);
            (count, for_user) = (count.max(all), for_user.max(mentions));
        }
        if newest.is_some() || (is_cut && for_user > 0) {
            self.actions.push_back(Action::Call(Call::Missed { count, for_user, newest }));
        }
    }

    /// A line of the past, to be shown.
    pub(super) fn past(&mut self, line: Line, has_arrived: bool) -> Shown {
        if line.is_hole {
            let Line { id, place, text, .. } = line;
            return Shown::Hole(Hole { place, id, text });
        }
        self.known.see_name(&line.from);
        self.people.recent.note(line.id, &line.place, &line.from, &line.text);
        Shown::Message(self.message_of(line, has_arrived))
    }

    /// A line of the past, as a message.
    fn message_of(&self, line: Line, has_arrived: bool) -> Message {
        let is_own = self.is_me(&line.from);
        let Line { id, place, from, is_mention, text, .. } = line;
        let heard = Heard { place: &place, from: &from, is_mention, is_own, is_read: true };
        let stands_out = self.rules.judge(heard).stands_out;
        let confirmed = has_arrived.then(|| ARRIVED.to_owned());
        Message { place, from, text, id: Some(id), unix_ms: id >> 20, confirmed, stands_out, is_own, is_past: true }
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
