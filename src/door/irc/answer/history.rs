//! What was said before: CHATHISTORY and MARKREAD.

use super::super::wire::{Tags, push_line};
use crate::door::irc::caps::Caps;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::names::{self, EVERYBODY, Target};
use crate::door::irc::point;
use crate::door::irc::spell::{Dress, push_said};
use crate::door::irc::step::What;
use crate::door::recall::{Recalled, time_of};
use crate::history::{Count, Flag, Line, Paged};
use crate::hub::event::Manner;
use crate::hub::names::Who;
use crate::text;

impl IrcDoor {
    /// A page. Of several, the last one shows them all.
    pub(super) fn on_page(&mut self, page: &Paged) {
        let is_last = self.talk.asked.is_last;
        let What::History(past) = &mut self.talk.asked.what else { return };
        past.lines.extend(page.lines.iter().cloned());
        let lines = std::mem::take(&mut past.lines);
        let shows_newest = match &*past.subcommand {
            "LATEST" => true,
            "AFTER" => page.next.is_none(),
            _ => false,
        };
        if is_last {
            self.say_page(&lines);
            if shows_newest {
                self.note_shown(&lines);
            }
            return;
        }
        if let Some(step) = self.talk.steps.front_mut()
            && let What::History(next) = &mut step.asked.what
        {
            next.lines = lines;
        }
    }

    fn say_page(&mut self, lines: &[Line]) {
        // The store knows how a name is spelled, but for those of accounts that are gone.
        let known = lines.first().map(|line| target_of(&line.place)).filter(|target| !target.starts_with('-'));
        let target = known.unwrap_or_else(|| self.talk.asked.channel.to_string());
        self.say_page_of(&target, lines);
    }

    /// Nothing was said before, or nothing of it is kept.
    pub(in crate::door::irc) fn say_empty_page(&mut self, target: &str) {
        self.say_page_of(target, &[]);
    }

    fn say_page_of(&mut self, target: &str, lines: &[Line]) {
        let batch = self.open_batch(&format!("chathistory {target}"));
        for line in lines {
            self.say_past(target, line, batch.as_deref());
        }
        self.close_batch(batch);
    }

    /// Opens a batch for clients that know batches, and gives its name.
    fn open_batch(&mut self, what: &str) -> Option<String> {
        if !self.caps.has(Caps::BATCH) {
            return None;
        }
        let batch = self.next_batch();
        self.voice().server_line(format_args!("BATCH +{batch} {what}"));
        Some(batch)
    }

    fn close_batch(&mut self, batch: Option<String>) {
        if let Some(batch) = batch {
            self.voice().server_line(format_args!("BATCH -{batch}"));
        }
    }

    /// A line that was kept. It comes from a file, so what no line may contain is left out.
    fn say_past(&mut self, target: &str, line: &Line, batch: Option<&str>) {
        let (words, from) = (text::salvage(line.text.as_bytes()), text::salvage(line.from.as_bytes()));
        let tags = Tags { batch, time_ms: time_of(line.id), id: Some(line.id), account: None };
        let Self { server, caps, talk, time_ms, stage, .. } = self;
        if line.flag == Flag::Hole {
            let body = format_args!(":{} NOTICE {target} :{words}", server.name);
            return push_line(&mut talk.lines, *caps, Tags { id: None, ..tags }, body);
        }
        let dress = Dress { server, caps: *caps, time_ms: *time_ms };
        let from = from.replace([' ', '\t', '!', '@'], "");
        let from = names::shown(&from, server.guests);
        // Direct messages are to the one who did not say them.
        let me = stage.nick();
        let is_direct = !target.starts_with(['#', '&']);
        let is_own = from.account().is_some_and(|account| account.eq_ignore_ascii_case(me));
        let target = if is_direct && !is_own { me } else { target };
        push_said(dress, from, (Manner::Text, target), tags, &words, &mut talk.lines);
    }

    /// What is unread: for MARKREAD the mark of one place, for TARGETS when something was last said.
    pub(super) fn on_counts(&mut self, counts: &[Count]) {
        match &self.talk.asked.what {
            What::Mark | What::EntersEverybody => {
                let target = self.talk.asked.channel.clone();
                let place = Target::parse(&target);
                let count = counts.iter().find(|count| Target::parse(&target_of(&count.place)) == place);
                let target = count.map_or_else(|| target.to_string(), |count| target_of(&count.place));
                let mark = count
                    .filter(|count| count.read > 0)
                    .map_or_else(|| "*".to_owned(), |count| point::timestamp(count.read));
                self.say_mark(&target, &mark);
            }
            What::HistoryTargets { above, below, newest, most } => {
                let (above, below, newest, most) = (*above, *below, *newest, *most);
                let is_shown = |count: &&Count| self.is_shown(&count.place);
                let mut found: Vec<&Count> =
                    counts.iter().filter(|count| count.last > above && count.last < below).filter(is_shown).collect();
                found.sort_by_key(|count| count.last);
                let skipped = if newest { found.len().saturating_sub(most) } else { 0 };
                let batch = self.open_batch("draft/chathistory-targets");
                for count in found.into_iter().skip(skipped).take(most) {
                    let (target, last) = (target_of(&count.place), point::timestamp(count.last));
                    let last = last.trim_start_matches("timestamp=");
                    let name = &self.server.name;
                    let body = format_args!(":{name} CHATHISTORY TARGETS {target} {last}");
                    let tags = Tags { batch: batch.as_deref(), time_ms: self.time_ms, ..Tags::default() };
                    push_line(&mut self.talk.lines, self.caps, tags, body);
                }
                self.close_batch(batch);
            }
            What::Waiting => self.say_waiting(counts),
            _ => {}
        }
    }

    /// Whether TARGETS shows a place: a channel that the client is in, or a conversation.
    fn is_shown(&self, place: &str) -> bool {
        place.starts_with('@') || place == "*" || self.rooms.iter().any(|room| room.is(place))
    }

    fn say_mark(&mut self, target: &str, mark: &str) {
        self.voice().server_line(format_args!("MARKREAD {target} {mark}"));
        if self.is_asked(|what| matches!(what, What::EntersEverybody)) {
            self.say_alone();
        }
    }

    /// Whether nothing is kept of a channel or of a conversation, and the client may read it: what was said there before
    /// is nothing.
    fn is_unkept(&self, target: &str) -> bool {
        match Target::parse(target).or_else(|| names::receiver(target, self.server.guests).map(Target::Who)) {
            Some(Target::Everybody) => true,
            Some(Target::Room(room)) => self.rooms.contains(&room),
            Some(Target::Who(Who::Guest(_))) => true,
            Some(Target::Who(Who::Account(_))) => !self.is_account(),
            None => false,
        }
    }

    /// A question about what was said before has no answer.
    pub(super) fn on_not_recalled(&mut self, refusal: &Recalled) {
        let target = self.talk.asked.channel.to_string();
        let is_mine = matches!(refusal, Recalled::NotYours | Recalled::NeedsAccount);
        match &self.talk.asked.what {
            What::History(_) if is_mine && self.is_unkept(&target) => {
                self.talk.steps.clear();
                self.say_page(&[]);
            }
            What::History(past) => {
                let context = format!(" {} {target}", past.subcommand);
                let code = if is_mine { "INVALID_TARGET" } else { "MESSAGE_ERROR" };
                self.talk.steps.clear();
                self.voice().fail("CHATHISTORY", code, &context, "Messages could not be retrieved");
            }
            // A guest has no conversations that are kept.
            What::HistoryTargets { .. } if is_mine => self.on_counts(&[]),
            What::HistoryTargets { .. } => {
                self.voice().fail("CHATHISTORY", "MESSAGE_ERROR", " TARGETS", "Messages could not be retrieved");
            }
            What::Mark | What::EntersEverybody => self.say_mark(&target, "*"),
            // The question that follows is answered; the client has not asked.
            What::SetMark | What::Waiting => {}
            _ => self.refuse_command("Nothing is kept here, or not now"),
        }
    }
}

/// The target of a place as the store shows it.
pub(super) fn target_of(place: &str) -> String {
    match place.strip_prefix('@') {
        Some(name) => name.to_owned(),
        None if place == "*" => EVERYBODY.to_owned(),
        None => format!("#{place}"),
    }
}
