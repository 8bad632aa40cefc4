//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use chatd::limits::WATCHES_EACH;
use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory as _, Parser};
use nix::unistd::{Uid, User};

use super::action::Place;
use super::command::{is_room_name, is_user_name};
use super::destination::{self, EXAMPLE, Server, parse_name};
use super::filter::Filter;
use super::fingerprint::Fingerprint;
use super::ring::Notify;
use super::session::Once;
use super::store::{Last, Store};
use super::terminal;

/// Talk on a chatd server.
///
/// The password is asked for, or comes from CHATCLIENT_PASSWORD or --password-command; it is never an argument. /help
/// lists the commands. If standard input or output is not a terminal, commands are read and messages are written line
/// by line.
#[derive(Parser, Clone, Debug)]
#[command(name = "chatclient", version, override_usage = USAGE, help_template = TEMPLATE, after_help = AFTER)]
pub struct Args {
    /// SERVER, PORT and USER, as far as given.
    #[arg(hide = true)]
    words: Vec<String>,
    /// No line editing, no colours: one line per message, commands from standard input
    #[arg(long)]
    plain: bool,
    /// Like --plain, with each event as a JSON object on one line
    #[arg(long)]
    json: bool,
    /// Send this text, wait for the confirmation, and exit; exit code 1 if it was not confirmed
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    once: Option<String>,
    /// Only receive, until a signal; standard input is not read
    #[arg(long)]
    listen: bool,
    /// With --once: send to this user instead of everybody
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// With --once: send to this room. With --listen: also receive its messages. The client enters the room
    #[arg(long, value_name = "ROOM")]
    room: Option<String>,
    /// Tell when these users come and go; several names are separated by commas
    #[arg(long, value_name = "NAME,…")]
    watch: Option<String>,
    /// Create the account if it does not exist; without this, a script with a given password does not
    #[arg(long)]
    register: bool,
    /// Remove ANSI escapes (colours) from the lines of a script
    #[arg(long)]
    strip_ansi: bool,
    /// Encrypt the connection: TLS. tls://HOST:PORT in place of SERVER does so for one of several
    #[arg(long)]
    tls: bool,
    /// With TLS: also trust the certificates in this file (PEM)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// With TLS: trust the server with this key, and no other; may be repeated. `chatd cert show` prints it
    #[arg(long, value_name = "SHA256:…")]
    pin: Vec<String>,
    /// Forget the key that you once trusted for this server, and do nothing else
    #[arg(long, value_name = "HOST:PORT")]
    forget: Option<String>,
    /// Write what is said into files in this folder, one for each place of each server
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// No colours (a non-empty NO_COLOR variable does the same)
    #[arg(long)]
    no_color: bool,
    /// How direct messages and mentions call you: bell, osc9 (a notification of the desktop) or off
    #[arg(long, value_name = "HOW")]
    notify: Option<String>,
    /// The same as --notify off
    #[arg(long)]
    no_bell: bool,
    /// Also run this program, without a shell, with a JSON object on its standard input
    #[arg(long, value_name = "CMD")]
    notify_command: Option<String>,
    /// Show in the window's title who and where you are, and how much is unread
    #[arg(long)]
    title: bool,
    /// Run this program, without a shell, and use the first line of its output as the password
    #[arg(long, value_name = "CMD")]
    password_command: Option<String>,
}

/// The example in messages about TLS.
const TLS_EXAMPLE: &str = "for example: chatclient --tls localhost 5016 carol";

const USAGE: &str = "chatclient [OPTIONS] SERVER [PORT] [USER]
       chatclient [OPTIONS] USER@SERVER[:PORT]
       chatclient [OPTIONS]    back to the last server and rooms";

const TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

Arguments:
  SERVER  a name or an address, perhaps with a port: localhost, 10.0.0.5:5016, [2001:db8::5]:5016;
          or several, of which the first that answers is taken: a:5015,b:5015
  PORT    the port where SERVER names none; 5015 if it is left out
  USER    the name to log in with; your name on this machine if it is left out

Options:
{options}{after-help}
";

const AFTER: &str = "
Examples:
  chatclient localhost 5015 carol
  chatclient carol@chat.example.org
  chatclient --tls chat.example.org 5016 carol
  echo 'the backup is done' | chatclient --plain localhost robot
  chatclient --once 'disk full' --to carol localhost robot
  chatclient --listen --json localhost robot >events

Exit codes: 0 all was said, 1 something was not (standard error says what), 2 the command line is wrong.";

/// The checked options.
#[derive(Clone, Debug)]
pub struct Options {
    /// The servers in the order in which they are tried; at least one.
    pub servers: Vec<Server>,
    /// The name to log in with; it has the form of a user name.
    pub user: String,
    /// Whether output is plain even on a terminal.
    pub plain: bool,
    /// Whether events are JSON objects.
    pub json: bool,
    /// The task of the client.
    pub errand: Errand,
    /// The names of users who are watched; each has the form of a user name.
    pub watch: Vec<String>,
    /// Whether a script may create an account.
    pub register: bool,
    /// The parts that are removed from the lines of a script first.
    pub filter: Filter,
    /// What is trusted of servers that speak TLS.
    pub trust: Trust,
    /// The folder of the log on disk, if there is one; not empty.
    pub log: Option<PathBuf>,
    /// Whether colours are off.
    pub no_color: bool,
    /// How the terminal calls the user.
    pub notify: Notify,
    /// The program that is also run then, split into words; not empty.
    pub notify_command: Option<Vec<String>>,
    /// Whether the window's title is set.
    pub title: bool,
    /// The program that prints the password, split into words; not empty.
    pub password_command: Option<Vec<String>>,
}

/// What is trusted of servers that speak TLS, besides the system's roots and the keys that a person has accepted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// A file of further certificates, in PEM.
    pub ca: Option<PathBuf>,
    /// The keys that count. If there are any, nothing else does.
    pub pins: Vec<Fingerprint>,
}

/// The task that a client is started for.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Chat: lines are read from a person or from a script.
    Talk,
    /// Send one message.
    Once(Once),
    /// Receive only.
    Listen {
        /// The room to enter, if any.
        room: Option<String>,
    },
}

impl Errand {
    /// The message to send, with `--once`.
    pub fn once(&self) -> Option<&Once> {
        match self {
            Self::Once(once) => Some(once),
            Self::Talk | Self::Listen { .. } => None,
        }
    }
}

/// Why there are no options.
#[derive(Debug)]
pub enum Refused {
    /// Help or the version was asked for. This is its text.
    Asked(clap::Error),
    /// Only the kept key of this server is to be removed.
    Forget(Server),
    /// The arguments are invalid. The sentence says why, and what would be valid.
    Wrong(String),
}

impl Args {
    /// Reads and checks a command line, with the program's name as its first word.
    ///
    /// # Errors
    ///
    /// [`Refused`]: help was asked for, or the arguments are invalid.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, Refused> {
        let refuse = |error: clap::Error| {
            // Only help and the version go to standard output.
            if error.use_stderr() { Refused::Wrong(sentence(&error)) } else { Refused::Asked(error) }
        };
        let mut args = Self::try_parse_from(arguments).map_err(refuse)?;
        match args.forget.take() {
            Some(server) if args.words.is_empty() => {
                Err(destination::parse_forgotten(&server).map_or_else(Refused::Wrong, Refused::Forget))
            }
            Some(_) => Err(Refused::Wrong(
                "--forget HOST:PORT stands alone, for example: chatclient --forget localhost:5016".to_owned(),
            )),
            None => args.check().map_err(Refused::Wrong),
        }
    }

    fn check(self) -> Result<Options, String> {
        let filter = Filter { strips_ansi: self.strip_ansi };
        let errand = match (self.once, self.listen) {
            (Some(_), true) => return Err("--once says something and --listen says nothing: give one of them, for example: chatclient --listen localhost carol".to_owned()),
            (Some(text), false) => Errand::Once(parse_once(&text, filter, self.to, self.room)?),
            (None, _) if self.to.is_some() => return Err(needs("--to", "--once TEXT", "dave")),
            (None, true) => Errand::Listen { room: self.room.map(parse_room).transpose()? },
            (None, false) if self.room.is_some() => return Err(needs("--room", "--once TEXT or --listen", "lobby")),
            (None, false) => Errand::Talk,
        };
        let watch = parse_watch(self.watch.as_deref(), errand.once().is_some())?;
        let mut trust =
            Trust { ca: self.ca, pins: self.pin.iter().map(|text| parse_pin(text)).collect::<Result<_, _>>()? };
        let mut words = self.words;
        let goes_back = words.is_empty() && matches!(errand, Errand::Talk) && !self.plain && !self.json;
        if let Some(last) = if goes_back { last()? } else { None } {
            words = vec![last.servers, last.user];
            if trust.pins.is_empty() && trust.ca.is_none() {
                trust = Trust { ca: last.ca, pins: last.pins };
            }
        }
        let (servers, user) = destination::parse(&words, self.tls, system_user)?;
        check_tls(&servers, &trust)?;
        Ok(Options {
            servers,
            user,
            plain: self.plain,
            json: self.json,
            errand,
            watch,
            register: self.register,
            filter,
            trust,
            log: self.log,
            no_color: self.no_color,
            notify: parse_notify(self.notify.as_deref(), self.no_bell)?,
            notify_command: parse_command("--notify-command", "notify-chat --urgent", self.notify_command.as_deref())?,
            title: self.title,
            password_command: parse_command("--password-command", "pass show chat", self.password_command.as_deref())?,
        })
    }
}

/// Where a person at a terminal talked last; without a terminal there is none, and nothing to go back to.
fn last() -> Result<Option<Last>, String> {
    // A state that cannot be kept is reported once there is a server.
    let Some(store) = Some(()).filter(|()| terminal::is_there()).and_then(|()| Store::open().ok()) else {
        return Ok(None);
    };
    store.last().map_err(|why| format!("{why}; {EXAMPLE}"))
}

/// The user name of the person who runs the client, according to the system.
fn system_user() -> Option<String> {
    User::from_uid(Uid::current()).ok().flatten().map(|user| user.name)
}

/// An error of the options, as a sentence.
#[expect(clippy::wildcard_enum_match_arm, reason = "clap has kinds of errors that no option here can bring")]
fn sentence(error: &clap::Error) -> String {
    let of = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = of(ContextKind::InvalidArg);
    let option = argument.split([' ', '=']).next().unwrap_or_default();
    let help = format!("chatclient --help lists all, {EXAMPLE}");
    match error.kind() {
        ErrorKind::UnknownArgument => match error.get(ContextKind::SuggestedArg) {
            Some(meant) => format!("there is no option {option}; did you mean {meant}? {help}"),
            None => format!("there is no option {option}; {help}"),
        },
        ErrorKind::TooManyValues => format!("{option} takes nothing behind it; {help}"),
        ErrorKind::ArgumentConflict => format!("{option} is given more than once; {help}"),
        ErrorKind::InvalidUtf8 => format!("an argument is not UTF-8; {EXAMPLE}"),
        _ if option.is_empty() => format!("these arguments make no sense; {help}"),
        // The remaining case: an option without its value.
        _ => format!("something is missing behind {option}; {help}"),
    }
}

fn needs(option: &str, other: &str, value: &str) -> String {
    format!("{option} goes with {other}, for example: chatclient --once 'disk full' {option} {value} localhost carol")
}

fn parse_once(text: &str, filter: Filter, to: Option<String>, room: Option<String>) -> Result<Once, String> {
    let example = "for example: chatclient --once 'disk full' localhost carol";
    if Args::command().get_arguments().any(|arg| arg.get_long().is_some_and(|long| text == format!("--{long}"))) {
        return Err(format!("{text} stands where the text of --once belongs; {example}"));
    }
    let text = filter.apply(text);
    if text.trim_start_matches(' ').is_empty() || text.contains(['\n', '\r']) {
        return Err(format!("--once takes one line of text that is not empty; {example}"));
    }
    let to = match (to, room) {
        (Some(_), Some(_)) => return Err(format!("--to and --room are two places: give one; {example}")),
        (Some(name), None) => Place::Direct { with: parse_name(&name)? },
        (None, Some(room)) => Place::Room(parse_room(room)?),
        (None, None) => Place::Public,
    };
    Ok(Once { text, to })
}

fn parse_room(room: String) -> Result<String, String> {
    if is_room_name(&room) {
        return Ok(room);
    }
    Err(format!("{room:?} is no room: give letters, digits or _.-, at most 32, for example: --room lobby"))
}

/// The names of `--watch`.
fn parse_watch(names: Option<&str>, is_once: bool) -> Result<Vec<String>, String> {
    let example = "for example: chatclient --watch bob,dave localhost carol";
    let Some(names) = names else { return Ok(Vec::new()) };
    if is_once {
        return Err(format!("--watch has nobody to tell with --once; {example}"));
    }
    let mut found: Vec<String> = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !is_user_name(name) {
            return Err(format!("--watch {name:?}: a name is a letter, then letters, digits or _ . -; {example}"));
        }
        if !found.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            found.push(name.to_owned());
        }
    }
    match found.len() {
        0 => Err(format!("--watch takes the names of users; {example}")),
        count if count > WATCHES_EACH => {
            Err(format!("--watch takes at most {WATCHES_EACH} names, and these are {count}; {example}"))
        }
        _ => Ok(found),
    }
}

fn parse_pin(text: &str) -> Result<Fingerprint, String> {
    let why =
        || format!("--pin {text}: a pin is SHA256: and 43 characters, as chatd cert show prints it; {TLS_EXAMPLE}");
    Fingerprint::parse(text).ok_or_else(why)
}

/// Whether these servers can be spoken to, and all is needed that is given.
fn check_tls(servers: &[Server], trust: &Trust) -> Result<(), String> {
    let is_used = servers.iter().any(|server| server.is_tls);
    if is_used && !cfg!(feature = "tls") {
        return Err("this chatclient was built without TLS (the cargo feature tls); plain servers work, \
             for example: chatclient localhost 5015 carol"
            .to_owned());
    }
    let option = if trust.ca.is_some() { "--ca" } else { "--pin" };
    if !is_used && (trust.ca.is_some() || !trust.pins.is_empty()) {
        return Err(format!("{option} is about TLS: give --tls or tls://HOST:PORT too; {TLS_EXAMPLE}"));
    }
    Ok(())
}

fn parse_notify(how: Option<&str>, is_silent: bool) -> Result<Notify, String> {
    let example = "for example: chatclient --notify osc9 localhost carol";
    let Some(word) = how else { return Ok(if is_silent { Notify::Off } else { Notify::default() }) };
    match Notify::parse(word) {
        None => Err(format!("--notify takes bell, osc9 or off, and not {word:?}; {example}")),
        Some(notify) if is_silent && notify != Notify::Off => {
            Err(format!("--no-bell is the same as --notify off, not --notify {word}: give one of them, {example}"))
        }
        Some(notify) => Ok(notify),
    }
}

/// The words of a program that an option names.
fn parse_command(option: &str, example: &str, text: Option<&str>) -> Result<Option<Vec<String>>, String> {
    let Some(text) = text else { return Ok(None) };
    let example = format!("for example: {option} '{example}'");
    match shell_words::split(text) {
        Ok(words) if words.first().is_some_and(|program| !program.is_empty()) => Ok(Some(words)),
        Ok(_) => Err(format!("{option} takes a program and its arguments, {example}")),
        Err(_) => Err(format!("{option}: a quote is not closed; {example}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Result<Options, Refused> {
        Args::read(std::iter::once(&"chatclient").chain(words).map(OsString::from))
    }

    #[track_caller]
    fn check_refused(words: &[&str], told: &str) {
        match options(words) {
            Err(Refused::Wrong(why)) => assert!(
                why.contains(told) && why.lines().count() == 1 && !why.contains('<') && why.contains("for example: "),
                "{why}"
            ),
            other => panic!("it must be refused: {other:?}"),
        }
    }

    #[test]
    fn wrong_usage_is_told_in_a_sentence() {
        check_refused(&[], "which server?");
        check_refused(&["localhost", "0", "alice"], "is no port");
        check_refused(&["localhost", "1", "a", "b"], "are all that is taken");
        check_refused(&["--nosuch", "localhost", "alice"], "there is no option --nosuch");
        check_refused(&["--plian", "localhost", "alice"], "did you mean --plain?");
        check_refused(&["-p", "5015", "localhost", "alice"], "there is no option -p");
        check_refused(&["--plain=yes", "localhost", "alice"], "--plain takes nothing");
        check_refused(&["--once", "a", "--once", "b", "localhost", "alice"], "--once is given more than once");
        check_refused(&["localhost", "alice", "--once"], "something is missing behind --once");
        check_refused(
            &["--to", "bob", "localhost", "alice"],
            "--to goes with --once TEXT, for example: chatclient --once 'disk full' --to dave ",
        );
        check_refused(&["--room", "den", "localhost", "alice"], "--once TEXT or --listen");
        check_refused(&["--to", "bob", "--listen", "localhost", "alice"], "--to goes with --once");
        check_refused(&["--listen", "--once", "hi", "localhost", "alice"], "give one of them");
        check_refused(&["--once", "--to", "bob", "localhost", "alice"], "stands where the text of --once belongs");
        check_refused(&["--once", "a\nEX", "localhost", "alice"], "one line");
        check_refused(&["--once", " ", "localhost", "alice"], "not empty");
        check_refused(&["--once", "hi", "--to", "a b", "localhost", "alice"], "is no name");
        check_refused(&["--once", "hi", "--room", "a\nb", "localhost", "alice"], "is no room");
        check_refused(&["--once", "hi", "--to", "b", "--room", "r", "localhost", "alice"], "two places");
        for (names, told) in [("bob,1x", "\"1x\""), ("a b", "\"a b\""), ("~gast", "~gast"), (",", "takes the names")] {
            check_refused(&["--watch", names, "localhost", "alice"], told);
        }
        let many = (0..101).map(|n| format!("n{n}")).collect::<Vec<_>>().join(",");
        check_refused(&["--watch", &many, "localhost", "alice"], "at most 100 names, and these are 101");
        check_refused(&["--watch", "bob", "--once", "hi", "localhost", "alice"], "nobody to tell");
        check_refused(&["--password-command", "a 'b", "localhost", "alice"], "quote");
        check_refused(&["--log", "", "localhost", "alice"], "something is missing behind --log");
        check_refused(&["--password-command", "", "localhost", "alice"], "a program");
        check_refused(&["--notify-command", "a 'b", "localhost", "alice"], "--notify-command: a quote");
        check_refused(&["--notify-command", " ", "localhost", "alice"], "--notify-command takes a program");
        check_refused(&["--notify-command", "'' x", "localhost", "alice"], "--notify-command takes a program");
        check_refused(&["--notify", "loud", "localhost", "alice"], "--notify takes bell, osc9 or off");
        check_refused(&["--notify", "\u{1b}[2J", "localhost", "alice"], "\\u{1b}[2J");
        check_refused(&["--no-bell", "--notify", "osc9", "localhost", "alice"], "not --notify osc9: give one");
        check_refused(
            &["--notify", "bell", "--no-bell", "localhost", "alice"],
            "--no-bell is the same as --notify off",
        );
        check_refused(&["--notify", "bell", "--notify", "off", "localhost", "alice"], "more than once");
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for words in [&["--help"][..], &["-h"], &["--version"], &["-V"], &["--nosuch-after", "--help"][1..]] {
            assert!(matches!(options(words), Err(Refused::Asked(_))), "{words:?}");
        }
    }

    #[track_caller]
    fn check_once(words: &[&str], text: &str) {
        let words: Vec<&str> = words.iter().copied().chain(["localhost", "alice"]).collect();
        match options(&words).unwrap().errand {
            Errand::Once(once) => assert_eq!(once.text, text),
            other @ (Errand::Talk | Errand::Listen { .. }) => panic!("{other:?}"),
        }
    }

    #[test]
    fn any_text_is_said_once() {
        check_once(&["--once", "-5 degrees"], "-5 degrees");
        check_once(&["--once", "-5"], "-5");
        check_once(&["--once", "--"], "--");
        check_once(&["--once", "---"], "---");
        check_once(&["--once=--nothing"], "--nothing");
        check_once(&["--once", "  code"], "  code");
        check_once(&["--once", "\u{feff}hi"], "hi");
        check_once(&["--once", "\u{1b}[31mred\u{1b}[0m", "--strip-ansi"], "red");
        check_once(&["--once", "\u{1b}[31mred"], "\u{1b}[31mred");
    }

    #[test]
    fn options_by_name() {
        let found =
            options(&["--once", "hi", "--room", "lobby", "--password-command", "pass 'a b'", "h", "u"]).unwrap();
        let Errand::Once(once) = found.errand else { panic!("{:?}", found.errand) };
        assert_eq!((once.text.as_str(), once.to), ("hi", Place::Room("lobby".to_owned())));
        assert_eq!(found.password_command, Some(vec!["pass".to_owned(), "a b".to_owned()]));
        let found = options(&["--json", "--no-bell", "--no-color", "--register", "h", "u"]).unwrap();
        assert!(found.json && found.notify == Notify::Off && found.no_color && found.register && !found.plain);
        assert!(matches!(found.errand, Errand::Talk));
        let found = options(&["--watch", "bob, Dave,BOB,", "h", "u"]).unwrap();
        assert_eq!(found.watch, ["bob", "Dave"]);
        let notify = |words: &[&str]| options(&[words, &["h", "u"]].concat()).unwrap().notify;
        assert_eq!((notify(&[]), notify(&["--notify", "bell"])), (Notify::Bell, Notify::Bell));
        assert_eq!(
            (notify(&["--notify=osc9"]), notify(&["--no-bell", "--notify", "off"])),
            (Notify::Osc9, Notify::Off)
        );
        let found = options(&["--title", "--notify-command", "tell 'a b'", "h", "u"]).unwrap();
        assert!(found.title && found.notify_command == Some(vec!["tell".to_owned(), "a b".to_owned()]));
        let found = options(&["--listen", "--room", "lobby", "h", "u"]).unwrap();
        assert!(matches!(found.errand, Errand::Listen { room: Some(room) } if room == "lobby"));
    }
}
