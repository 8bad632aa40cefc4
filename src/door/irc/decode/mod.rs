//! Decodes lines into steps, a file for each kind of command.

mod history;
mod messages;
mod modes;
mod nickserv;
mod people;
mod registration;
mod rooms;
mod server;

pub(super) use rooms::entry;
pub(super) use server::VERSION;

use super::door::IrcDoor;
use super::message::Message;
use super::numerics::Numeric;
use super::stage::Stage;
use super::voice::repeated;
use crate::door::decoded::Decoded;
use crate::hub::event::Manner;
use crate::limits::IRC_CHANNELS;

/// The longest command that is known.
const COMMAND_BYTES: usize = 16;

impl IrcDoor {
    /// Decodes a line that was taken apart.
    pub(super) fn on_message<'a>(&mut self, message: Message<'a>) -> Decoded<'a> {
        let Message { command, parameters, .. } = message;
        let mut upper = command.to_owned();
        upper.truncate(COMMAND_BYTES);
        upper.make_ascii_uppercase();
        if let Some(least) = least_parameters(&upper)
            && parameters.count() < least
            && (self.is_logged_in() || is_for_registration(&upper))
        {
            self.voice().about(Numeric::NeedMore, &upper);
            return Decoded::Nothing;
        }
        // What works at any time.
        match upper.as_str() {
            "CAP" => return self.on_cap(parameters),
            "NICK" => return self.on_nick(parameters),
            "USER" => return self.on_user(parameters),
            "PASS" => return self.on_pass(parameters),
            "AUTHENTICATE" => return self.on_authenticate(parameters),
            "REGISTER" => return self.on_register(parameters),
            "PING" => return self.on_ping(parameters),
            "PONG" => return Decoded::Nothing,
            "QUIT" => return self.on_quit(parameters),
            _ => {}
        }
        match self.stage {
            Stage::Arriving(_) => {
                self.voice().say(Numeric::NotRegistered);
                Decoded::Nothing
            }
            Stage::Anteroom(_) => self.on_anteroom(&upper, message),
            Stage::Account(_) | Stage::Guest(_) => self.on_command(&upper, message),
        }
    }

    /// A client who is registered and nobody in the chat can log in, and read how.
    fn on_anteroom<'a>(&mut self, command: &str, message: Message<'a>) -> Decoded<'a> {
        let parameters = message.parameters;
        match command {
            "NICKSERV" | "NS" => return self.on_nickserv(&parameters.as_slice().join(" ")),
            "PRIVMSG" if parameters.at(0).eq_ignore_ascii_case("NickServ") => {
                return self.on_nickserv(parameters.at(1));
            }
            "MOTD" => self.say_motd(),
            "HELP" | "HELPOP" => self.on_help(parameters.at(0)),
            "MODE" if self.is_me(parameters.at(0)) => self.on_user_mode(parameters.at(0), parameters.count() > 1),
            "JOIN" => {
                for channel in parameters.at(0).split(',').take(IRC_CHANNELS) {
                    self.voice().about(Numeric::NeedsAccount, repeated(channel));
                }
            }
            _ => self.voice().fail("*", "ACCOUNT_REQUIRED", "", Numeric::NeedsAccount.words()),
        }
        Decoded::Nothing
    }

    fn on_command<'a>(&mut self, command: &str, message: Message<'a>) -> Decoded<'a> {
        let parameters = message.parameters;
        match command {
            "PRIVMSG" => self.on_text(parameters, Manner::Text),
            "NOTICE" => self.on_text(parameters, Manner::Notice),
            "TAGMSG" => Decoded::Nothing, // client tags are taken and dropped
            "JOIN" => self.on_join(parameters),
            "PART" => self.on_part(parameters),
            "TOPIC" => self.on_topic(parameters),
            "NAMES" => self.on_names(parameters),
            "LIST" => self.on_list(parameters),
            "KICK" => self.on_kick(parameters),
            "INVITE" => self.on_invite(parameters),
            "MODE" => self.on_mode(parameters),
            "WHO" => self.on_who(parameters),
            "WHOIS" => self.on_whois(parameters),
            "WHOWAS" => self.on_whowas(parameters),
            "ISON" => self.on_ison(parameters),
            "USERHOST" => self.on_userhost(parameters),
            "AWAY" => self.on_away(parameters),
            "SETNAME" => self.on_setname(parameters),
            "MONITOR" => self.on_monitor(parameters),
            "CHATHISTORY" if self.server.keeps => self.on_chathistory(parameters),
            "MARKREAD" if self.server.keeps => self.on_markread(parameters),
            "NICKSERV" | "NS" => self.on_nickserv(&parameters.as_slice().join(" ")),
            "LUSERS" => self.on_lusers(),
            _ => self.on_server_command(command, parameters),
        }
    }

    /// True for the client's own nick.
    pub(super) fn is_me(&self, nick: &str) -> bool {
        self.nick().eq_ignore_ascii_case(nick)
    }
}

/// The least number of parameters of a command; `None` if it takes none, or has an answer of its own for that.
fn least_parameters(command: &str) -> Option<usize> {
    match command {
        "USER" => Some(4),
        "INVITE" | "KICK" | "AUTHENTICATE" => Some(if command == "AUTHENTICATE" { 1 } else { 2 }),
        "JOIN" | "PART" | "TOPIC" | "MODE" | "WHO" | "USERHOST" | "ISON" | "PASS" | "SETNAME" | "MONITOR" | "CAP" => {
            Some(1)
        }
        "OPER" => Some(2),
        "REGISTER" => Some(3),
        _ => None,
    }
}

fn is_for_registration(command: &str) -> bool {
    matches!(command, "USER" | "AUTHENTICATE" | "PASS" | "CAP" | "REGISTER")
}
