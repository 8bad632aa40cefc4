//! PING, and what is asked of the server: MOTD, HELP, LUSERS, VERSION, TIME, INFO, ADMIN, OPER.

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::isupport;
use crate::door::irc::message::Parameters;
use crate::door::irc::numerics::Numeric;
use crate::door::irc::step::{Asked, What};
use crate::door::irc::voice::repeated;
use crate::door::operator::utc;
use crate::hub::command::Command;
use crate::text;

/// The version of the server, as IRC shows it.
pub(in crate::door::irc) const VERSION: &str = concat!("chatd-", env!("CARGO_PKG_VERSION"));

/// Help on all, and on what differs here.
const HELP: [&str; 7] = [
    "JOIN #room enters a room, and makes it if there is none",
    "PRIVMSG nick or #room :text says it; there is no CTCP but ACTION, and no formatting",
    "&all is everybody: what is said there, all hear",
    "MODE #room +k word sets the password of your room, +P keeps its messages, +o nick hands it on",
    "/msg NickServ IDENTIFY name password logs in",
    "/msg NickServ REGISTER password makes an account of your nick",
    "Other doors lead to the same rooms: nc, a browser, programs",
];

/// The words of a line of help.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

impl IrcDoor {
    pub(super) fn on_ping(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let token = parameters.at(0);
        if token.is_empty() {
            self.voice().say(Numeric::NoOrigin);
            return Decoded::Nothing;
        }
        let token = text::salvage(token.as_bytes()).into_owned();
        let name = self.server.name.clone();
        self.voice().server_line(format_args!("PONG {name} :{token}"));
        Decoded::Nothing
    }

    pub(super) fn on_lusers(&mut self) -> Decoded<'static> {
        self.ask(Asked::plain(What::Lusers), Decoded::Command(Command::Census))
    }

    pub(super) fn on_server_command(&mut self, command: &str, parameters: Parameters<'_>) -> Decoded<'static> {
        let name = self.server.name.clone();
        match command {
            "MOTD" => self.say_motd(),
            "HELP" | "HELPOP" => self.on_help(parameters.at(0)),
            "VERSION" => {
                self.voice().number(Numeric::Version, format_args!("{VERSION} {name} :"));
                self.say_supports();
            }
            "TIME" => {
                let now = utc(self.time_ms);
                self.voice().number(Numeric::Time, format_args!("{name} :{now}"));
            }
            "INFO" => {
                let mut voice = self.voice();
                voice.number(Numeric::Info, format_args!(":{VERSION}"));
                voice.number(Numeric::Info, format_args!(":One chat for nc, browsers, programs, datagrams and IRC"));
                voice.say(Numeric::EndOfInfo);
            }
            "ADMIN" => {
                self.voice().about(Numeric::AdminIs, name);
                self.voice().say(Numeric::AdminMail);
            }
            "OPER" => self.voice().say(Numeric::NoOper),
            command => {
                let command = repeated(command).to_owned();
                self.voice().about(Numeric::UnknownCommand, command);
            }
        }
        Decoded::Nothing
    }

    /// Help on all, or on one command that differs here.
    pub(super) fn on_help(&mut self, topic: &str) {
        let shown = if topic.is_empty() { "*".to_owned() } else { repeated(topic).to_owned() };
        let is_all = matches!(topic, "" | "*");
        let subject = topic.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let lines: Vec<&str> = HELP
            .into_iter()
            .filter(|line| is_all || words(line).any(|word| word.eq_ignore_ascii_case(subject)))
            .collect();
        let Some((first, others)) = lines.split_first() else {
            return self.voice().about(Numeric::NoHelp, shown);
        };
        self.voice().number(Numeric::HelpStart, format_args!("{shown} :{first}"));
        for line in others {
            self.voice().number(Numeric::HelpLine, format_args!("{shown} :{line}"));
        }
        self.voice().about(Numeric::EndOfHelp, shown);
    }

    /// There is always one: some clients wait for its end.
    pub(in crate::door::irc) fn say_motd(&mut self) {
        let server = self.server.clone();
        let mut lines: Vec<&str> = server.motd.iter().map(AsRef::as_ref).collect();
        if lines.is_empty() {
            lines.push("One chat for nc, browsers, programs and IRC. JOIN #room makes a room.");
        }
        if !self.is_logged_in() {
            lines.push("Log in first: /msg NickServ IDENTIFY name password");
            if server.registers {
                lines.push("New here? /msg NickServ REGISTER password");
            }
        }
        let mut voice = self.voice();
        voice.number(Numeric::MotdStart, format_args!(":- {} Message of the day -", server.name));
        for line in lines {
            voice.number(Numeric::Motd, format_args!(":- {line}"));
        }
        voice.say(Numeric::EndOfMotd);
    }

    pub(in crate::door::irc) fn say_supports(&mut self) {
        let server = self.server.clone();
        for tokens in isupport::lines(&server) {
            self.voice().about(Numeric::Supports, tokens.join(" "));
        }
    }
}
