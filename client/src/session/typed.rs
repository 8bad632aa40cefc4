//! Lines that the user types, and prompts.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use super::dialogue::{Dialogue, Entered, PENDING};
use super::pasted::lines;
use super::requests::{REQUESTS, Request};
use super::{Phase, Session};
use crate::action::{self, Action, Now, Place};
use crate::command::{Intent, direct_answer, is_guest_name, is_indented, is_user_name, parse};
use chatd::text::is_same_name;

/// The state of the user's side.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// Where plain text goes: to everybody, or to a room.
    pub(super) place: Place,
    pub(super) dialogue: Dialogue,
    /// Whether the user is not in the intended place, and may not know it. Plain text is then not sent.
    is_stray: bool,
    /// The place named in the open prompt.
    pub(super) asked: Option<Place>,
    /// The open prompt, as last given.
    prompt: String,
    /// A text from an editor that was not sent.
    pub(super) draft: Option<String>,
    /// Lines that wait to be executed.
    pub(super) pending: VecDeque<Entered>,
    /// Whether the input has ended.
    pub(super) has_ended: bool,
}

impl Talk {
    /// Whether the user is being asked for a line.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// The line that was asked for gave nothing to execute.
    pub(super) fn forget_ask(&mut self) {
        self.asked = None;
    }

    /// Whether all input has been executed.
    pub(super) fn is_over(&self) -> bool {
        self.has_ended && self.pending.is_empty()
    }
}

impl Session {
    /// A line was entered, or several at once.
    pub(super) fn on_input(&mut self, input: &str, now: Now) {
        if matches!(self.phase, Phase::Doubt { .. }) {
            return self.on_trust_answer(Some(input));
        }
        let seen = self.talk.asked.take();
        self.on_typed(now);
        let line = Zeroizing::new(match lines(input).count() {
            0 => String::new(),
            1 => lines(input).collect(),
            _ if self.settings.people => input.to_owned(),
            // A line of a script may contain a CR.
            _ => input.replace(['\n', '\r'], " "),
        });
        if self.keys.deferred.is_some() && self.settings.people {
            return self.on_line_before_secret(&line, now);
        }
        if self.talk.pending.len() < PENDING {
            self.talk.pending.push_back(Entered::Line(line, seen));
        } else {
            self.refuse("dropped", "too many lines at once: one was not taken".to_owned());
        }
    }

    /// A line that ended because a password is needed. It may contain that password, which was asked for while the line
    /// was edited, so it is neither sent nor shown again.
    fn on_line_before_secret(&mut self, line: &str, now: Now) {
        let intent = parse(line);
        if intent == Intent::Quit {
            self.quit(now);
        } else if intent != Intent::Empty {
            self.trouble("not-sent", "not sent, for your password is needed first".to_owned());
        }
    }

    /// Executes entered lines as far as possible, and asks for more.
    pub(super) fn pump(&mut self, now: Now) {
        if let Some(wanted) = self.keys.deferred
            && !self.talk.is_asked()
        {
            self.want(wanted);
        }
        while self.takes_lines() {
            match self.talk.pending.pop_front() {
                Some(Entered::Line(line, seen)) => {
                    self.begin_line(&line);
                    self.on_line(&line, seen, now);
                    self.end_line();
                }
                Some(Entered::Words(words)) => self.say(words.place, &words.text, now),
                None if self.talk.has_ended => {
                    if matches!(self.talk.dialogue, Dialogue::Text(_) | Dialogue::NameAndText) {
                        self.fail_question();
                    }
                    return self.quit(now);
                }
                None => return self.ask(),
            }
        }
        self.renew_prompt();
    }

    fn takes_lines(&self) -> bool {
        let can_wait = self.settings.people && self.was_in;
        if matches!(self.talk.dialogue, Dialogue::Edit(_)) {
            return false;
        }
        match self.phase {
            Phase::Ready { .. } => {
                let is_held = self.requests.len() >= REQUESTS || self.requests.iter().any(Request::holds_prompt);
                self.settings.once.is_none()
                    && !self.settings.listens
                    && !is_held
                    && !self.keys.is_changing()
                    && !self.keys.is_asking()
            }
            Phase::Waiting { .. } | Phase::Away => can_wait && !self.keys.is_asking(),
            // A password will be asked for in a moment, so there is no prompt for a line.
            Phase::Connecting | Phase::Greeting | Phase::Named => {
                can_wait && !self.keys.is_asking() && self.token().is_some()
            }
            Phase::Doubt { .. } | Phase::Login(_) | Phase::Leaving { .. } | Phase::Over => false,
        }
    }

    fn ask(&mut self) {
        if self.talk.is_asked() {
            return self.renew_prompt();
        }
        if self.settings.people {
            // The prompt tells the user.
            self.talk.is_stray = false;
            self.talk.dialogue.forget_nobody();
        }
        let prompt = self.prompt();
        self.talk.asked = Some(self.talk.place.clone());
        self.talk.prompt.clone_from(&prompt);
        let is_question = matches!(self.talk.dialogue, Dialogue::Paste(_) | Dialogue::Erase(_));
        self.actions.push_back(if is_question { Action::AskAnswer(prompt) } else { Action::AskLine(prompt) });
    }

    /// Asks whether a server is trusted.
    pub(super) fn ask_at_prompt(&mut self, question: &str) {
        self.talk.asked = Some(self.talk.place.clone());
        self.talk.prompt = question.to_owned();
        self.actions.push_back(Action::AskTrust(question.to_owned()));
    }

    /// Updates the prompt of the open line. The text typed so far still belongs to the place where it was begun.
    fn renew_prompt(&mut self) {
        if !self.talk.is_asked() || !self.settings.people || matches!(self.phase, Phase::Leaving { .. } | Phase::Over) {
            return;
        }
        let prompt = self.prompt();
        if self.talk.prompt != prompt {
            self.talk.prompt.clone_from(&prompt);
            self.actions.push_back(Action::Prompt(prompt));
        }
    }

    fn prompt(&self) -> String {
        if let Some(question) = self.trust_question() {
            return question.to_owned();
        }
        if self.keys.deferred.is_some() {
            return "press Enter, then your password> ".to_owned();
        }
        let user = &self.name;
        let offline = match self.is_ready() {
            true if self.people.is_away() => " (away)",
            true => "",
            false => " (offline)",
        };
        let new = self.new_elsewhere();
        match (&self.talk.dialogue, &self.talk.place) {
            (Dialogue::Text(Place::Direct { with }), _) => format!("your message to {with}? "),
            (Dialogue::Text(Place::Public | Place::Room(_)), _) => "your message? ".to_owned(),
            (Dialogue::NameAndText, _) => "name and message? ".to_owned(),
            (Dialogue::Collect(paste), _) => format!("line {}> ", paste.len() + 1),
            (Dialogue::Edit(_), _) => String::new(),
            (Dialogue::Paste(paste), _) => paste.question(),
            (Dialogue::Erase(target), _) => self.erase_question(target),
            (Dialogue::Open | Dialogue::Nobody, Place::Room(room)) => format!("{user} in {room}{new}{offline}> "),
            (Dialogue::Open | Dialogue::Nobody, Place::Public | Place::Direct { .. }) => {
                format!("{user}{new}{offline}> ")
            }
        }
    }

    /// `seen` is the place named in the prompt, if there was one.
    fn on_line(&mut self, line: &str, seen: Option<Place>, now: Now) {
        let dialogue = std::mem::take(&mut self.talk.dialogue);
        if let Dialogue::Collect(paste) = dialogue {
            return self.on_collected(line, paste);
        }
        if lines(line).nth(1).is_some() && !matches!(dialogue, Dialogue::Paste(_)) {
            return self.on_paste(line, dialogue, seen);
        }
        let is_slashed = line.starts_with('/') && !line.starts_with("//");
        let is_command = (is_slashed || is_indented(line)) && lines(line).count() == 1;
        let intent = match dialogue.clone() {
            Dialogue::Open | Dialogue::Nobody | Dialogue::Collect(_) | Dialogue::Edit(_) => parse(line),
            Dialogue::Text(_) | Dialogue::NameAndText if line.trim().is_empty() => {
                return self.note("cancelled", "cancelled".to_owned());
            }
            // As in the typed dialect of the protocol, a command abandons the question.
            Dialogue::Text(_) | Dialogue::NameAndText | Dialogue::Paste(_) | Dialogue::Erase(_) if is_command => {
                parse(line)
            }
            Dialogue::Paste(paste) => return self.on_paste_answer(line, paste, now),
            Dialogue::Erase(target) => return self.on_erase_answer(line, target, now),
            Dialogue::Text(place) => return self.say(place, unslashed(line), now),
            Dialogue::NameAndText => direct_answer(line),
        };
        if matches!(
            intent,
            Intent::Empty | Intent::Unknown { .. } | Intent::Usage(_) | Intent::Absent(_) | Intent::Indented
        ) {
            self.talk.dialogue = dialogue.clone(); // a typing error does not abandon it
        } else if let Dialogue::Paste(paste) = &dialogue
            && intent != Intent::Quit
        {
            self.cancel_paste(paste.is_edited);
        } else if matches!(dialogue, Dialogue::Erase(_)) && intent != Intent::Quit {
            self.cancel_erase();
        }
        if matches!(intent, Intent::Paste | Intent::Edit(_)) {
            return self.compose(&intent, &dialogue, seen);
        }
        let text = match (intent, dialogue.clone()) {
            (Intent::Text(text), _) => text.to_owned(),
            // It answers the question.
            (Intent::Act(text), Dialogue::Text(place)) => return self.say(place, &action::acted(text), now),
            (Intent::Act(text), _) => action::acted(text),
            (intent, _) => return self.on_intent(&intent, now),
        };
        if let Some(place) = self.place_of(&text, &dialogue, seen) {
            self.say(place, &text, now);
        }
    }

    /// Where a text goes that was entered in this dialogue. `None` if it goes nowhere, which has been reported.
    pub(super) fn place_of(&mut self, text: &str, dialogue: &Dialogue, seen: Option<Place>) -> Option<Place> {
        let place = self.talk.place.clone();
        if *dialogue == Dialogue::Nobody {
            self.not_sent("nobody is there to hear it", text);
            None
        } else if self.talk.is_stray || seen.is_some_and(|seen| seen != place) {
            // A text for a room must not go to everybody because the room is gone.
            self.not_sent("you are somewhere else now; /join or /pm first, or say it again", text);
            None
        } else {
            Some(place)
        }
    }

    fn not_sent(&mut self, why: &str, text: &str) {
        self.refuse("not-sent", format!("not sent, for {why}: {text}"));
    }

    /// The user is not where they wanted to go, or was removed from where they were.
    pub(super) fn go_astray(&mut self) {
        self.talk.is_stray = true;
    }

    /// The user has arrived where they wanted to go.
    pub(super) fn go_to(&mut self, place: Place) {
        self.news.visit(&place);
        self.remembered.visit();
        self.talk.place = place;
        self.talk.is_stray = false;
    }

    /// Somebody has another name. A conversation with them goes on, and a line that is begun is still for them.
    pub(super) fn talk_goes_on(&mut self, was: &str, now: &str) {
        if !is_user_name(now) && !is_guest_name(now) {
            return;
        }
        let asked_for = match &mut self.talk.dialogue {
            Dialogue::Text(place) | Dialogue::Edit(place) => Some(place),
            Dialogue::Open
            | Dialogue::NameAndText
            | Dialogue::Nobody
            | Dialogue::Collect(_)
            | Dialogue::Paste(_)
            | Dialogue::Erase(_) => None,
        };
        for place in [Some(&mut self.talk.place), self.talk.asked.as_mut(), asked_for].into_iter().flatten() {
            if matches!(place, Place::Direct { with } if is_same_name(with, was)) {
                *place = Place::Direct { with: now.to_owned() };
            }
        }
    }

    /// The receiver of the text is not online.
    pub(super) fn ask_no_text(&mut self) {
        self.talk.dialogue = Dialogue::Nobody;
    }

    /// The next line is a text for this place.
    pub(super) fn ask_text_for(&mut self, place: Place) {
        self.talk.dialogue = Dialogue::Text(place);
        self.ask_in_line();
    }

    /// The next line is a name and a text.
    pub(super) fn ask_name_and_text(&mut self) {
        self.talk.dialogue = Dialogue::NameAndText;
        self.ask_in_line();
    }
}

/// A text without the first of two slashes, which marks it as text.
fn unslashed(line: &str) -> &str {
    line.strip_prefix('/').filter(|rest| rest.starts_with('/')).unwrap_or(line)
}
