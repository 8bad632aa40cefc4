//! What stands on the command line, and what it means.

use std::fmt;

use clap::Parser;

use super::action::Place;
use super::command::{is_room_name, is_user_name};
use super::session::Once;

/// The port of a server that names none.
pub const DEFAULT_PORT: u16 = 5015;
/// More servers than this are a mistake.
const SERVERS: usize = 16;

/// Talk on a chatd server.
///
/// The password is asked for, or comes from CHATCLIENT_PASSWORD or --password-command; it is never an argument. /help
/// says what can be typed. When standard input or output is no terminal, commands are read and messages are written
/// line by line.
#[derive(Parser, Clone, Debug)]
#[command(name = "chatclient", version, override_usage = "chatclient [OPTIONS] SERVER [PORT] USER")]
pub struct Args {
    /// The server: a name or an address; or several, the first that answers is taken: a:5015,b:5015 (brackets around
    /// an IPv6 address that has a port)
    server: String,
    /// The port, where SERVER names none (5015 if it is left out), and the name to log in with
    #[arg(required = true, num_args = 1..=2, value_names = ["[PORT]", "USER"])]
    port_and_user: Vec<String>,
    /// No editing, no colours: a line for each message, commands from standard input
    #[arg(long)]
    plain: bool,
    /// The same, with each event as a JSON object on a line of its own (also together with --plain)
    #[arg(long)]
    json: bool,
    /// Send this text, wait until it is confirmed, and leave; exit code 1 if it was not
    #[arg(long, value_name = "TEXT")]
    once: Option<String>,
    /// … to this user instead of everybody
    #[arg(long, value_name = "NAME", requires = "once", conflicts_with = "room")]
    to: Option<String>,
    /// … to this room, which is entered for it
    #[arg(long, value_name = "ROOM", requires = "once")]
    room: Option<String>,
    /// No colours (so does a variable NO_COLOR that is not empty)
    #[arg(long)]
    no_color: bool,
    /// No bell for direct messages and mentions
    #[arg(long)]
    no_bell: bool,
    /// Run this program, without a shell, and take the first line of its output as the password
    #[arg(long, value_name = "CMD")]
    password_command: Option<String>,
}

/// What is to be done, checked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The servers in the order in which they are tried; at least one.
    pub servers: Vec<Server>,
    /// The name to log in with, such as a server can take.
    pub user: String,
    /// Whether lines are plain although a terminal is there.
    pub plain: bool,
    /// Whether events are JSON objects.
    pub json: bool,
    /// The one thing to be said.
    pub once: Option<Once>,
    /// Whether colours are unwanted.
    pub no_color: bool,
    /// Whether the bell is unwanted.
    pub no_bell: bool,
    /// The program that prints the password, as words; not empty.
    pub password_command: Option<Vec<String>>,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A name to be looked up, or an address, without brackets.
    pub host: String,
    /// Its TCP port, not 0.
    pub port: u16,
}

impl fmt::Display for Server {
    /// As it can be typed: `host:port`, an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Args {
    /// Checks the arguments.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong and what would be right.
    pub fn check(self) -> Result<Options, String> {
        let (port, user) = match self.port_and_user.as_slice() {
            [user] => (DEFAULT_PORT, user),
            [port, user] => (parse_port(port)?, user),
            _ => return Err("SERVER, PORT and USER are all that is taken".to_owned()),
        };
        Ok(Options {
            servers: parse_servers(&self.server, port)?,
            user: parse_user(user)?,
            plain: self.plain,
            json: self.json,
            once: self.once.map(|text| parse_once(text, self.to, self.room)).transpose()?,
            no_color: self.no_color,
            no_bell: self.no_bell,
            password_command: self.password_command.as_deref().map(parse_command).transpose()?,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{text:?} is no port: give a number from 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

fn parse_user(text: &str) -> Result<String, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{text:?} is no name, which begins with a letter; after the port comes USER"));
    }
    parse_name(text)
}

fn parse_name(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no name: give a letter, then letters, digits or _.-, at most 32 in all");
    if is_user_name(text) { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn parse_servers(list: &str, port: u16) -> Result<Vec<Server>, String> {
    let servers = list.split(',').map(|item| parse_server(item.trim(), port)).collect::<Result<Vec<_>, _>>()?;
    if servers.len() > SERVERS {
        return Err(format!("{} servers are too many: give up to {SERVERS}", servers.len()));
    }
    Ok(servers)
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, or an IPv6 address as it is.
fn parse_server(item: &str, default: u16) -> Result<Server, String> {
    let wrong = || format!("{item:?} is no server: give host, host:port or [address]:port, with commas in between");
    let (host, port) = if let Some(rest) = item.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
        match port.strip_prefix(':') {
            Some(port) => (host, parse_port(port)?),
            None if port.is_empty() => (host, default),
            None => return Err(wrong()),
        }
    } else if item.matches(':').count() > 1 {
        (item, default)
    } else {
        match item.split_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (item, default),
        }
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "[]/@".contains(c)) {
        return Err(wrong());
    }
    Ok(Server { host: host.to_owned(), port })
}

fn parse_once(text: String, to: Option<String>, room: Option<String>) -> Result<Once, String> {
    if text.trim_start_matches(' ').is_empty() || text.contains(['\n', '\r']) {
        return Err("--once takes one line of text that is not empty".to_owned());
    }
    let to = match (to, room) {
        (Some(name), _) => Place::Direct { with: parse_name(&name)? },
        (None, Some(room)) if is_room_name(&room) => Place::Room(room),
        (None, Some(room)) => return Err(format!("{room:?} is no room: give letters, digits or _.-, at most 32")),
        (None, None) => Place::Public,
    };
    Ok(Once { text, to })
}

fn parse_command(text: &str) -> Result<Vec<String>, String> {
    match shell_words::split(text) {
        Ok(words) if !words.is_empty() => Ok(words),
        Ok(_) => Err("--password-command takes a program and its arguments".to_owned()),
        Err(_) => Err("--password-command: a quote is not closed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options, String> {
        let args = Args::try_parse_from(std::iter::once(&"chatclient").chain(words)).map_err(|e| e.to_string())?;
        args.check()
    }

    #[track_caller]
    fn check(words: &[&str], servers: &[&str], user: &str) {
        let found = options(words).unwrap();
        let told: Vec<String> = found.servers.iter().map(Server::to_string).collect();
        assert_eq!((told, found.user.as_str()), (servers.iter().map(|s| (*s).to_owned()).collect(), user));
    }

    #[track_caller]
    fn check_refused(words: &[&str], told: &str) {
        let why = options(words).expect_err("it must be refused");
        assert!(why.contains(told), "{why}");
    }

    #[test]
    fn servers_ports_and_users() {
        check(&["localhost", "5015", "alice"], &["localhost:5015"], "alice");
        check(&["localhost", "alice"], &["localhost:5015"], "alice");
        check(&["a:1,b,c:3", "2", "alice"], &["a:1", "b:2", "c:3"], "alice");
        check(&["[::1]:7,::1,[fe80::1%eth0]", "9", "a.b-c_d"], &["[::1]:7", "[::1]:9", "[fe80::1%eth0]:9"], "a.b-c_d");
        check(&["10.0.0.1", "65535", "alice"], &["10.0.0.1:65535"], "alice");
    }

    #[test]
    fn what_cannot_be_meant() {
        check_refused(&["localhost", "0", "alice"], "is no port");
        check_refused(&["localhost", "70000", "alice"], "is no port");
        check_refused(&["localhost", "5015"], "after the port comes USER");
        check_refused(&["localhost", "alice TOKEN"], "is no name");
        check_refused(&["localhost", "al\nice"], "is no name");
        check_refused(&["localhost", ""], "is no name");
        check_refused(&["localhost", "9lives"], "is no name");
        check_refused(&["a,,b", "alice"], "is no server");
        check_refused(&["[::1", "alice"], "is no server");
        check_refused(&["[::1]x", "alice"], "is no server");
        check_refused(&["a:b", "alice"], "is no port");
        check_refused(&["http://a", "alice"], "is no port");
        check_refused(&["localhost"], "required");
        check_refused(&["localhost", "1", "a", "b"], "unexpected");
        check_refused(&["--to", "bob", "localhost", "alice"], "--once");
        check_refused(&["--once", "a\nEX", "localhost", "alice"], "one line");
        check_refused(&["--once", "hi", "--to", "a b", "localhost", "alice"], "is no name");
        check_refused(&["--once", "hi", "--room", "a\nb", "localhost", "alice"], "is no room");
        check_refused(&["--once", "hi", "--to", "b", "--room", "r", "localhost", "alice"], "cannot be used with");
        check_refused(&["--password-command", "a 'b", "localhost", "alice"], "quote");
        check_refused(&["--password-command", "", "localhost", "alice"], "a program");
    }

    #[test]
    fn options_by_name() {
        let found =
            options(&["--once", "hi", "--room", "lobby", "--password-command", "pass 'a b'", "h", "u"]).unwrap();
        let once = found.once.unwrap();
        assert_eq!((once.text.as_str(), once.to), ("hi", Place::Room("lobby".to_owned())));
        assert_eq!(found.password_command, Some(vec!["pass".to_owned(), "a b".to_owned()]));
        let found = options(&["--json", "--no-bell", "--no-color", "h", "u"]).unwrap();
        assert!(found.json && found.no_bell && found.no_color && !found.plain && found.once.is_none());
    }
}
