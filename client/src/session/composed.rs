//! Texts of several lines that are written here: `/paste` collects lines, `/edit` opens an editor. What comes of it is
//! treated like pasted lines.

use super::Session;
use super::dialogue::{Dialogue, PENDING, Paste};
use super::pasted::{INPUT_BYTES, lines};
use crate::action::{Action, Place};
use crate::command::Intent;

/// The line that ends a text.
const END: &str = ".";

impl Session {
    /// `/paste` or `/edit`, entered in this dialogue.
    pub(super) fn compose(&mut self, intent: &Intent<'_>, dialogue: &Dialogue, seen: Option<Place>) {
        if !self.settings.people {
            let why = "/paste and /edit are for people at a terminal: the lines of a script are sent as they come";
            return self.refuse("usage", why.to_owned());
        }
        let place = if let Dialogue::Text(place) = dialogue {
            Some(place.clone())
        } else {
            self.place_of("", &Dialogue::Open, seen)
        };
        let Some(place) = place else { return };
        if let Intent::Edit(text) = intent {
            self.talk.asked = Some(self.talk.place.clone());
            self.talk.dialogue = Dialogue::Edit(place);
            let begun = if text.is_empty() { self.talk.draft.clone().unwrap_or_default() } else { (*text).to_owned() };
            return self.actions.push_back(Action::Edit(begun));
        }
        let text = "type or paste lines; a . alone on a line or Ctrl-D ends them, Ctrl-C cancels";
        self.note("paste", text.to_owned());
        self.talk.dialogue = Dialogue::Collect(Paste { place, lines: Vec::new(), is_edited: false });
    }

    /// A line of a text that is being collected.
    pub(super) fn on_collected(&mut self, input: &str, mut paste: Paste) {
        if input.trim_end() == END {
            return self.on_composed(paste);
        }
        paste.lines.extend(lines(input).map(str::to_owned));
        if paste.lines.iter().map(|line| line.len() + 1).sum::<usize>() >= INPUT_BYTES || paste.len() > PENDING {
            return self.refuse_size();
        }
        self.talk.dialogue = Dialogue::Collect(paste);
    }

    /// Ctrl-D ends a text that is being collected. False if there is none.
    pub(super) fn ends_collecting(&mut self) -> bool {
        let Dialogue::Collect(paste) = &mut self.talk.dialogue else { return false };
        let (place, lines) = (paste.place.clone(), std::mem::take(&mut paste.lines));
        self.talk.forget_ask();
        self.on_composed(Paste { place, lines, is_edited: false });
        true
    }

    /// Ctrl-C on an empty line: it discards a text that is being collected, and otherwise is an end of the input.
    pub(super) fn on_cancel(&mut self) {
        if !matches!(self.talk.dialogue, Dialogue::Collect(_)) {
            return self.on_end();
        }
        self.talk.dialogue = Dialogue::Open;
        self.talk.forget_ask();
        self.cancel_paste(false);
    }

    /// The editor has ended, with a text or not.
    pub(super) fn on_edited(&mut self, text: Result<&str, &str>) {
        let Dialogue::Edit(place) = std::mem::take(&mut self.talk.dialogue) else { return };
        self.talk.forget_ask();
        match text {
            Ok(text) if text.len() >= INPUT_BYTES || lines(text).count() > PENDING => self.refuse_size(),
            Ok(text) => {
                self.talk.draft = Some(text.trim_end_matches(['\n', '\r']).to_owned());
                self.on_composed(Paste { place, lines: lines(text).map(str::to_owned).collect(), is_edited: true });
            }
            Err(why) => self.trouble("not-sent", format!("not sent: {why}")),
        }
    }

    /// A text is complete: the user is asked.
    fn on_composed(&mut self, paste: Paste) {
        self.talk.dialogue = if paste.lines.is_empty() {
            self.drop_draft(paste.is_edited);
            self.note("cancelled", "nothing is sent: the text is empty".to_owned());
            Dialogue::Open
        } else {
            Dialogue::Paste(paste)
        };
    }

    /// A text from an editor is sent, or empty.
    pub(super) fn drop_draft(&mut self, is_edited: bool) {
        if is_edited {
            self.talk.draft = None;
        }
    }

    /// A text is too long; it is discarded.
    pub(super) fn refuse_size(&mut self) {
        let why = format!("not sent: more than {PENDING} lines or {} KiB at once", INPUT_BYTES / 1024);
        self.refuse("dropped", why);
    }
}
