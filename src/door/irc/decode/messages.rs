//! PRIVMSG and NOTICE.

use std::borrow::Cow;

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::names::{self, EVERYBODY, Target};
use crate::door::irc::numerics::Numeric;
use crate::door::irc::step::{Asked, What};
use crate::door::irc::text::{DEED_BEGINS, DEED_ENDS, Refusal, deed, said};
use crate::door::irc::voice::repeated;
use crate::door::irc::wire::BODY_BYTES;
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::hub::names::Who;
use crate::limits::IRC_TARGETS;

/// The nick of the service that takes passwords.
pub(super) const NICKSERV: &str = "NickServ";

impl IrcDoor {
    pub(super) fn on_text<'a>(&mut self, parameters: Parameters<'a>, manner: Manner) -> Decoded<'a> {
        let (targets, given) = (parameters.at(0), parameters.at(1));
        let is_answered = manner == Manner::Text;
        if targets.is_empty() {
            let command = if is_answered { "PRIVMSG" } else { "NOTICE" };
            let words = format!("{} ({command})", Numeric::NoRecipient.words());
            return self.unless_notice(is_answered, Numeric::NoRecipient, &format!(":{words}"));
        }
        if targets.eq_ignore_ascii_case(NICKSERV) && is_answered {
            return self.on_nickserv(given);
        }
        if targets.split(',').count() > IRC_TARGETS {
            let about = format!("{} :{}", repeated(targets), Numeric::TooManyTargets.words());
            return self.unless_notice(is_answered, Numeric::TooManyTargets, &about);
        }
        let text = match said(given) {
            Ok(text) => text,
            Err(Refusal::Empty) => {
                return self.unless_notice(is_answered, Numeric::NoText, &format!(":{}", Numeric::NoText.words()));
            }
            Err(Refusal::Ctcp) => {
                let about = format!("{} :no CTCP here", repeated(targets));
                return self.unless_notice(is_answered, Numeric::CannotSend, &about);
            }
            Err(Refusal::Forbidden) => {
                self.talk.is_bad = true;
                let command = if is_answered { "PRIVMSG" } else { "NOTICE" };
                self.voice().fail(command, "INVALID_TEXT", "", "A text holds no control characters");
                return Decoded::Nothing;
            }
        };
        self.on_targets(targets, text, manner)
    }

    /// Each receiver is a step.
    fn on_targets<'a>(&mut self, targets: &str, text: Cow<'a, str>, manner: Manner) -> Decoded<'a> {
        let is_answered = manner == Manner::Text;
        let mut steps = Vec::new();
        for target in targets.split(',') {
            if !self.fits(target, &text, manner) {
                self.voice().say(Numeric::TooLong);
                return Decoded::Nothing;
            }
            match Target::parse(target).or_else(|| names::receiver(target, self.server.guests).map(Target::Who)) {
                Some(target) => steps.push(target),
                None => {
                    let numeric =
                        if target.starts_with(['#', '&']) { Numeric::NoSuchChannel } else { Numeric::NoSuchNick };
                    let about = format!("{} :{}", repeated(target), numeric.words());
                    let _nothing = self.unless_notice(is_answered, numeric, &about);
                }
            }
        }
        if let [target] = steps.as_slice() {
            let asked = self.asked_of(target, &text, manner);
            return self.ask(asked, Decoded::Command(command_of(target, text, manner)));
        }
        for target in steps {
            let asked = self.asked_of(&target, &text, manner);
            let command = command_of(&target, Cow::Owned(text.clone().into_owned()), manner);
            self.then(asked, Decoded::Command(command), true);
        }
        self.begin()
    }

    fn asked_of(&self, target: &Target, text: &str, manner: Manner) -> Asked {
        let is_me = |who: &Who| self.me().as_ref() == Some(who);
        let what = match target {
            Target::Who(who) if is_me(who) => What::ToSelf(manner, text.into()),
            _ => What::Message(manner),
        };
        match target {
            Target::Everybody => Asked::channel(what, EVERYBODY),
            Target::Room(room) => Asked::channel(what, self.channel_of(room)),
            Target::Who(who) => Asked::nick(what, names::nick(who, self.server.guests).to_string()),
        }
    }

    /// Whether a text fits a line behind the source of this client, as it goes to a target.
    fn fits(&self, target: &str, text: &str, manner: Manner) -> bool {
        let source = self.me().map_or(0, |me| names::nick(&me, self.server.guests).source(&self.server).len());
        let command = if manner == Manner::Text { "PRIVMSG" } else { "NOTICE" };
        let deed = deed(text).filter(|_| manner == Manner::Text);
        let text_bytes = deed.map_or(text.len(), |deed| DEED_BEGINS.len() + deed.len() + DEED_ENDS.len());
        ": ".len() + source + command.len() + " ".len() + target.len() + " :".len() + text_bytes <= BODY_BYTES
    }

    /// An answer that a NOTICE does not get, so that two programs never answer each other.
    fn unless_notice(&mut self, is_answered: bool, numeric: Numeric, rest: &str) -> Decoded<'static> {
        if is_answered {
            self.voice().number(numeric, format_args!("{rest}"));
        }
        Decoded::Nothing
    }
}

fn command_of<'a>(target: &Target, text: Cow<'a, str>, manner: Manner) -> Command<'a> {
    match target {
        Target::Everybody => Command::Say { text, manner },
        Target::Room(room) => Command::SayIn { room: room.clone(), text, manner },
        Target::Who(who) => Command::Tell { to: who.clone(), account: None, text, manner },
    }
}
