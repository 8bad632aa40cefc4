//! Several lines entered at once. The user decides whether they are sent as several messages, as one, or not at all.

use std::collections::VecDeque;

use chatd::text::without_lead;

use super::Session;
use super::dialogue::{Dialogue, Entered, PENDING, Paste};
use super::requests::Words;
use crate::action::{Action, Now, Place};
use crate::command::{self, Answer, Intent, direct_answer, holds_secret, parse};

/// From this many bytes on, several lines are refused: the editor may have cut them.
pub const INPUT_BYTES: usize = 512 * 1024;

/// The lines that contain more than space, unchanged. Only invisible characters at the start of a line are removed, as
/// the server does: a command after one would be sent to everybody.
pub(super) fn lines(input: &str) -> impl Iterator<Item = &str> {
    input.split(['\n', '\r']).map(without_lead).filter(|line| !line.trim().is_empty())
}

impl Session {
    /// Several lines were entered in this dialogue. The first one decides where all of them go.
    pub(super) fn on_paste(&mut self, input: &str, dialogue: Dialogue, seen: Option<Place>) {
        if input.len() >= INPUT_BYTES || lines(input).count() > PENDING {
            self.talk.dialogue = dialogue;
            return self.refuse_size();
        }
        let mut rest = lines(input);
        let first = rest.next().unwrap_or_default();
        let Some((place, first)) = self.destination(first, &dialogue, seen) else {
            self.talk.dialogue = dialogue;
            return;
        };
        let lines: Vec<String> =
            [first].into_iter().filter(|line| !line.is_empty()).chain(rest).map(str::to_owned).collect();
        // They appear again when they are confirmed, or with the up arrow.
        self.actions.push_back(Action::EraseLine);
        self.talk.dialogue = Dialogue::Paste(Paste { place, lines, is_edited: false });
    }

    /// The answer to the question.
    pub(super) fn on_paste_answer(&mut self, answer: &str, paste: Paste, now: Now) {
        match command::answer(answer) {
            Some(Answer::Each) => {
                self.drop_draft(paste.is_edited);
                let said = |text| Entered::Words(Words::new(paste.place.clone(), text));
                let mut pending: VecDeque<Entered> = paste.lines.into_iter().map(said).collect();
                pending.append(&mut self.talk.pending);
                self.talk.pending = pending;
            }
            Some(Answer::AsOne) => {
                self.drop_draft(paste.is_edited);
                let text = paste.lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
                self.say(paste.place, &text, now);
            }
            Some(Answer::No) => self.cancel_paste(paste.is_edited),
            // It is in no history.
            None if holds_secret(answer) || paste.is_edited => self.cancel_paste(paste.is_edited),
            None => {
                let text = "neither the lines nor your answer was sent; the up arrow brings both back";
                self.note("cancelled", text.to_owned());
            }
        }
    }

    /// The lines are not sent; a text from an editor is kept.
    pub(super) fn cancel_paste(&mut self, is_edited: bool) {
        let text =
            if is_edited { "not sent; /edit goes on with the text" } else { "not sent; the up arrow brings them back" };
        self.note("cancelled", text.to_owned());
    }

    /// Where the lines after this first one go, and the text in it. `None` if they go nowhere, which has been reported.
    fn destination<'a>(
        &mut self,
        first: &'a str,
        dialogue: &Dialogue,
        seen: Option<Place>,
    ) -> Option<(Place, &'a str)> {
        let is_command = first.starts_with('/') && !first.starts_with("//");
        let intent = match dialogue {
            Dialogue::Text(place) if !is_command => return Some((place.clone(), first)),
            Dialogue::NameAndText if !is_command => direct_answer(first),
            Dialogue::Open
            | Dialogue::Nobody
            | Dialogue::Text(_)
            | Dialogue::NameAndText
            | Dialogue::Paste(_)
            | Dialogue::Erase(_)
            | Dialogue::Collect(_)
            | Dialogue::Edit(_) => parse(first),
        };
        match intent {
            // In pasted text two slashes are a comment, and are sent unchanged.
            Intent::Text(_) if first.starts_with("//") => {
                self.place_of(first, dialogue, seen).map(|place| (place, first))
            }
            Intent::Text(text) => self.place_of(text, dialogue, seen).map(|place| (place, text)),
            // The user is asked, and sees that it is text.
            Intent::Indented | Intent::Act(_) => self.place_of(first, dialogue, seen).map(|place| (place, first)),
            Intent::Everybody(text) => Some((Place::Public, text)),
            Intent::GoPublic | Intent::AskEverybody => Some((Place::Public, "")),
            Intent::Direct { to, text } => Some((Place::Direct { with: to.to_owned() }, text)),
            Intent::AskDirectTo(to) => Some((Place::Direct { with: to.to_owned() }, "")),
            Intent::InRoom { room, text } => Some((Place::Room(room.to_owned()), text)),
            Intent::Empty
            | Intent::AskDirect
            | Intent::Paste
            | Intent::Edit(_)
            | Intent::Who(_)
            | Intent::Rooms(_)
            | Intent::Room { .. }
            | Intent::Look(_)
            | Intent::Next
            | Intent::Topic(_)
            | Intent::Lock(_)
            | Intent::People(_)
            | Intent::Passwd
            | Intent::Resend
            | Intent::Forget
            | Intent::Help
            | Intent::HelpOn(_)
            | Intent::Quit
            | Intent::Usage(_)
            | Intent::Absent(_)
            | Intent::Unknown { .. } => {
                let why = "not sent: several lines at once are text, and the first of these is a command";
                self.refuse("not-sent", why.to_owned());
                None
            }
        }
    }
}
