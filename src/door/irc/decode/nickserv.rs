//! NickServ: logging in for clients that know nothing better.

use super::messages::NICKSERV;
use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::request::Request;
use crate::door::irc::step::{Asked, What};
use crate::hub::names::UserName;
use crate::limits::PASSWORD_MAX_BYTES;
use crate::secret::Secret;

/// What NickServ says to what it does not know.
const HELP: [&str; 4] = [
    "IDENTIFY [name] password: log in",
    "REGISTER password: make an account of your nick",
    "PASSWD old new: change the password of your account",
    "Clients with SASL PLAIN log in before they are here",
];

impl IrcDoor {
    pub(super) fn on_nickserv(&mut self, text: &str) -> Decoded<'static> {
        let text = text.trim_matches(' ');
        let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
        let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        let is_in = self.is_account() || self.proved().is_some();
        match (command.to_ascii_uppercase().as_str(), words.as_slice()) {
            ("IDENTIFY" | "REGISTER", [_, ..]) if is_in => self.say_nickserv("You are logged in"),
            ("IDENTIFY", [password]) => match UserName::from_record(self.own_name()) {
                Ok(name) => return self.identify(name, password),
                Err(_) => self.say_nickserv("No account has your nick: IDENTIFY name password"),
            },
            ("IDENTIFY", [name, password]) => match UserName::from_record(name) {
                Ok(name) => return self.identify(name, password),
                Err(_) => self.say_nickserv("No account can have that name"),
            },
            // A second word that is no address is the rest of a password with a space.
            ("REGISTER", [_, rest @ ..]) if rest.len() > 1 || rest.iter().any(|word| !word.contains('@')) => {
                self.say_nickserv("A password has no spaces here: REGISTER password");
            }
            ("IDENTIFY", [_, _, _, ..]) => {
                self.say_nickserv("A password has no spaces here: IDENTIFY name password");
            }
            ("PASSWD", [_, _, _, ..]) => self.say_nickserv("A password has no spaces here: PASSWD old new"),
            ("REGISTER", [password, ..]) => {
                self.talk.asked = Asked::plain(What::NickServ);
                return self.register(password.as_bytes());
            }
            ("PASSWD", [old, new]) if self.is_account() => return self.change_password(old, new),
            ("PASSWD", [_, _]) => self.say_nickserv("Log in first"),
            _ => HELP.into_iter().for_each(|line| self.say_nickserv(line)),
        }
        Decoded::Nothing
    }

    fn identify(&mut self, name: UserName, password: &str) -> Decoded<'static> {
        if password.len() > PASSWORD_MAX_BYTES {
            self.say_nickserv("Wrong password");
            return Decoded::Nothing;
        }
        let request = Request::Prove { name, password: Secret::new(password.as_bytes().to_vec()) };
        self.request(Asked::plain(What::NickServ), request)
    }

    fn change_password(&mut self, old: &str, new: &str) -> Decoded<'static> {
        let least = self.server.password_min as usize;
        if !(least..=PASSWORD_MAX_BYTES).contains(&new.len()) || old.len() > PASSWORD_MAX_BYTES {
            self.say_nickserv(&format!("A password has {least} to {PASSWORD_MAX_BYTES} bytes"));
            return Decoded::Nothing;
        }
        let secret = |password: &str| Secret::new(password.as_bytes().to_vec());
        self.request(Asked::plain(What::NickServ), Request::ChangePassword { old: secret(old), new: secret(new) })
    }

    /// A notice of NickServ. It is the server's own, so its source has no `!`.
    pub(in crate::door::irc) fn say_nickserv(&mut self, text: &str) {
        self.voice().notice(format_args!("{NICKSERV}: {text}"));
    }

    pub(super) fn on_quit(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let text = super::rooms::reason(parameters.at(0));
        let asked = Asked::plain(What::Quit(text.clone()));
        self.request(asked, Request::Quit { text })
    }
}
