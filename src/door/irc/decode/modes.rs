//! MODE, of channels and of oneself.

use super::rooms::rooms_command;
use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::names::{EVERYBODY, Target};
use crate::door::irc::numerics::Numeric;
use crate::door::irc::step::{Asked, What};
use crate::door::irc::voice::repeated;
use crate::door::recall::Recall;
use crate::hub::command::{Command, Keep};
use crate::hub::names::RoomName;
use crate::limits::PASSWORD_MAX_BYTES;
use crate::secret::Masked;
use crate::text;

/// A change of one mode.
struct Change<'a> {
    is_set: bool,
    letter: char,
    /// `None` if there is none; it may be empty.
    word: Option<&'a str>,
}

impl IrcDoor {
    pub(super) fn on_mode<'a>(&mut self, parameters: Parameters<'a>) -> Decoded<'a> {
        let target = parameters.at(0);
        if !target.starts_with(['#', '&']) {
            self.on_user_mode(target, parameters.count() > 1);
            return Decoded::Nothing;
        }
        let room = match self.channel(target) {
            Some(Target::Room(room)) => room,
            Some(Target::Everybody) => {
                self.on_mode_of_everybody(parameters);
                return Decoded::Nothing;
            }
            Some(Target::Who(_)) | None => return Decoded::Nothing,
        };
        if parameters.count() == 1 {
            let asked = Asked::channel(What::ShowMode, self.channel_of(&room));
            let prefix = target.strip_prefix('#').unwrap_or_default();
            return self.ask(asked, rooms_command(prefix));
        }
        self.on_change(&room, first_change(parameters))
    }

    /// Changes of one's own modes are ignored: clients ask for `+i` when they connect.
    pub(super) fn on_user_mode(&mut self, target: &str, changes: bool) {
        if self.is_me(target) {
            if !changes {
                self.voice().number(Numeric::UserModes, format_args!("+i"));
            }
        } else if self.named(target).is_some() {
            self.voice().say(Numeric::NotYourModes);
        }
    }

    fn on_mode_of_everybody(&mut self, parameters: Parameters<'_>) {
        let mut voice = self.voice();
        match parameters.at(1) {
            "" => voice.number(Numeric::ChannelModes, format_args!("{EVERYBODY} +nt")),
            "b" | "+b" => voice.about(Numeric::EndOfBans, EVERYBODY),
            _ => voice.about(Numeric::NotOperator, EVERYBODY),
        }
    }

    /// One change a line, as `MODES=1` says.
    fn on_change<'a>(&mut self, room: &RoomName, change: Option<Change<'a>>) -> Decoded<'a> {
        let Some(Change { is_set, letter, word: given }) = change else { return Decoded::Nothing };
        let channel = self.channel_of(room);
        let word = given.unwrap_or_default();
        match letter {
            'b' if word.is_empty() => self.voice().about(Numeric::EndOfBans, channel),
            'k' if is_set && given.is_none() => self.voice().about(Numeric::NeedMore, "MODE"),
            'k' => return self.on_lock(room, channel, is_set, word),
            'P' => {
                let how = if is_set { Keep::Days(None) } else { Keep::Off };
                let asked = Asked::channel(What::SetMode, channel);
                return self.ask(asked, Decoded::Command(Command::Keep { room: room.clone(), how }));
            }
            'o' if is_set && !word.is_empty() => {
                if let Some(name) = self.named(word) {
                    let mut asked = Asked::channel(What::SetMode, channel);
                    asked.nick = repeated(word).into();
                    return self.ask(asked, Decoded::Command(Command::HandOn { room: room.clone(), name }));
                }
            }
            'o' if word.is_empty() => self.voice().about(Numeric::NeedMore, "MODE"),
            'o' => self.voice().refuse("MODE", "INVALID_MODE", "+o of another nick hands the room on"),
            letter => {
                let letter = letter.to_string();
                let letter = repeated(&letter).to_owned();
                self.voice().about(Numeric::UnknownMode, letter);
            }
        }
        Decoded::Nothing
    }

    fn on_lock<'a>(&mut self, room: &RoomName, channel: String, is_set: bool, word: &'a str) -> Decoded<'a> {
        if is_set && !is_key(word) {
            let why = "a key is one word without a comma";
            self.voice().number(Numeric::BadModeWord, format_args!("{channel} k * :{why}"));
            return Decoded::Nothing;
        }
        let password = is_set.then_some(Masked(word));
        let asked = Asked::channel(What::LockMode { is_set }, channel);
        self.ask(asked, Decoded::Recall(Recall::Lock { room: room.clone(), password }))
    }
}

/// Whether a word can be the key of a channel: JOIN takes keys between commas.
fn is_key(word: &str) -> bool {
    let is_plain = text::check(word.as_bytes()).is_some_and(|checked| checked.is_clean);
    is_plain && !word.contains([',', ' ', '\t', ':']) && (1..=PASSWORD_MAX_BYTES).contains(&word.len())
}

/// The first change of `+ab-c x y`. `n` and `t` change nothing: a room is so, always.
fn first_change(parameters: Parameters<'_>) -> Option<Change<'_>> {
    let mut is_set = true;
    for letter in parameters.at(1).chars() {
        match letter {
            '+' => is_set = true,
            '-' => is_set = false,
            'n' | 't' => {}
            letter => return Some(Change { is_set, letter, word: parameters.as_slice().get(2).copied() }),
        }
    }
    None
}
