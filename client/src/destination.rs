//! Where to connect, and under which name: the positional arguments.

use std::fmt;

use super::command::is_user_name;

/// The default port.
pub const DEFAULT_PORT: u16 = 5015;
/// More servers than this are taken for a mistake.
const SERVERS: usize = 16;
/// The host for a port without a host.
const LOCAL: &str = "localhost";
/// Accepted URL schemes: one means "over TCP" elsewhere, the other appears in the server's log.
const SCHEMES: [&str; 2] = ["tcp", "line"];
/// The example in every message about these arguments.
pub(super) const EXAMPLE: &str = "for example: chatclient localhost 5015 carol";

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// Its TCP port, not 0.
    pub port: u16,
}

impl fmt::Display for Server {
    /// In the form in which it can be typed: `host:port`, an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// The servers (at least one, in the order in which they are tried), and the login name. `system_user` gives the local
/// user's name; it is called if no name is given.
///
/// # Errors
///
/// A sentence that says what is wrong, and what would be right.
pub(super) fn parse(
    words: &[String],
    system_user: impl FnOnce() -> Option<String>,
) -> Result<(Vec<Server>, String), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (list, port, user) = match *words.as_slice() {
        [] => return Err(format!("which server? {EXAMPLE}")),
        [port] if is_number(port) => (LOCAL, Some(port), None),
        [list] => (list, None, None),
        [port, user] if is_number(port) && !is_number(user) => (LOCAL, Some(port), Some(user)),
        [list, port] if is_number(port) => (list, Some(port), None),
        [list, user] => (list, None, Some(user)),
        [list, port, user] => (list, Some(port), Some(user)),
        [..] => return Err(format!("a server, a port and a name are all that is taken; {EXAMPLE}")),
    };
    let port = port.map_or(Ok(DEFAULT_PORT), parse_port)?;
    let (servers, named) = parse_servers(list, port)?;
    let user = match (user, named) {
        (Some(user), Some(named)) if !user.eq_ignore_ascii_case(&named) => {
            return Err(format!("{named} and {user} are two names; give one, {EXAMPLE}"));
        }
        (Some(user), _) => parse_name(user)?,
        (None, Some(named)) => parse_name(&named)?,
        (None, None) => own_name(system_user())?,
    };
    Ok((servers, user))
}

/// A user name.
///
/// # Errors
///
/// A sentence that says what a name may be.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    if is_user_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no name: give a letter, then letters, digits or _.-, at most 32 in all; {EXAMPLE}"))
}

fn own_name(system_user: Option<String>) -> Result<String, String> {
    match system_user {
        Some(name) if is_user_name(&name) => Ok(name),
        Some(name) => Err(format!("your name on this machine, {name:?}, is no name there; give one, {EXAMPLE}")),
        None => Err(format!("which name? this machine has none for you; {EXAMPLE}")),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{text:?} is no port: give a number from 1 to 65535, {EXAMPLE}")),
        Ok(port) => Ok(port),
    }
}

/// The servers of a list, and the name before the first, if any: `carol@a:5015,b`.
fn parse_servers(list: &str, port: u16) -> Result<(Vec<Server>, Option<String>), String> {
    let mut named = None;
    let mut servers = Vec::new();
    for item in list.split(',') {
        let mut item = without_scheme(item.trim())?;
        if servers.is_empty()
            && let Some((user, rest)) = item.split_once('@')
        {
            (named, item) = (Some(user.to_owned()), rest);
        }
        servers.push(parse_server(item, port)?);
    }
    if servers.len() > SERVERS {
        return Err(format!("{} servers are too many: give up to {SERVERS}, {EXAMPLE}", servers.len()));
    }
    Ok((servers, named))
}

/// The text after `tcp://`, without a trailing slash.
fn without_scheme(item: &str) -> Result<&str, String> {
    let Some((scheme, rest)) = item.split_once("://") else { return Ok(item) };
    if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Ok(rest.strip_suffix('/').unwrap_or(rest));
    }
    Err(format!("{item:?} is no server: chatclient speaks plain TCP, tcp://HOST:PORT; {EXAMPLE}"))
}

/// Parses `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
fn parse_server(item: &str, default: u16) -> Result<Server, String> {
    let wrong =
        || format!("{item:?} is no server: give host, host:port or [address]:port, several with commas; {EXAMPLE}");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<(Vec<Server>, String), String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse(&words, || Some("me".to_owned()))
    }

    #[track_caller]
    fn check(words: &[&str], servers: &[&str], user: &str) {
        let (found, name) = parsed(words).unwrap();
        let told: Vec<String> = found.iter().map(Server::to_string).collect();
        assert_eq!((told, name.as_str()), (servers.iter().map(|s| (*s).to_owned()).collect(), user), "{words:?}");
    }

    #[track_caller]
    fn check_refused(words: &[&str], told: &str) {
        let why = parsed(words).expect_err("it must be refused");
        assert!(why.contains(told) && why.contains(EXAMPLE), "{why}");
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
    fn what_is_left_out() {
        check(&["localhost"], &["localhost:5015"], "me");
        check(&["chat.example.org:7"], &["chat.example.org:7"], "me");
        check(&["localhost", "7"], &["localhost:7"], "me");
        check(&["7"], &["localhost:7"], "me");
        check(&["7", "alice"], &["localhost:7"], "alice");
        check(&["::1"], &["[::1]:5015"], "me");
    }

    #[test]
    fn a_name_in_front_of_the_server() {
        check(&["carol@localhost"], &["localhost:5015"], "carol");
        check(&["carol@localhost:7"], &["localhost:7"], "carol");
        check(&["carol@localhost", "7"], &["localhost:7"], "carol");
        check(&["carol@[::1]:7,b"], &["[::1]:7", "b:5015"], "carol");
        check(&["carol@localhost", "Carol"], &["localhost:5015"], "Carol");
        check_refused(&["carol@localhost", "dave"], "two names");
        check_refused(&["@localhost"], "is no name");
        check_refused(&["a,carol@b"], "is no server");
        check_refused(&["carol@"], "is no server");
    }

    #[test]
    fn as_others_write_it() {
        check(&["tcp://localhost:7"], &["localhost:7"], "me");
        check(&["TCP://carol@localhost:7/"], &["localhost:7"], "carol");
        check(&["tcp://[::1]:7,tcp://b:8", "alice"], &["[::1]:7", "b:8"], "alice");
        check(&["line://127.0.0.1:40123"], &["127.0.0.1:40123"], "me");
        check_refused(&["http://a", "alice"], "speaks plain TCP");
        check_refused(&["tcp://", "alice"], "is no server");
    }

    #[test]
    fn what_cannot_be_meant() {
        check_refused(&[], "which server?");
        check_refused(&["localhost", "0", "alice"], "is no port");
        check_refused(&["localhost", "70000", "alice"], "is no port");
        check_refused(&["70000"], "is no port");
        check_refused(&["localhost", "alice", "5015"], "\"alice\" is no port");
        check_refused(&["localhost", "alice TOKEN"], "is no name");
        check_refused(&["localhost", "al\nice"], "is no name");
        check_refused(&["localhost", ""], "is no name");
        check_refused(&["localhost", "9lives"], "is no name");
        check_refused(&["localhost", "5015", "5016"], "is no name");
        check_refused(&["a,,b", "alice"], "is no server");
        check_refused(&["", "alice"], "is no server");
        check_refused(&["[::1", "alice"], "is no server");
        check_refused(&["[::1]x", "alice"], "is no server");
        check_refused(&["a:b", "alice"], "is no port");
        check_refused(&["localhost", "1", "a", "b"], "are all that is taken");
        check_refused(&[&["a"; 17].join(","), "alice"], "too many");
    }

    #[test]
    fn whoever_has_no_good_name_here_gives_one() {
        let words = ["localhost".to_owned()];
        for (name, told) in [(Some("web admin"), "is no name there"), (None, "which name?")] {
            let why = parse(&words, || name.map(str::to_owned)).unwrap_err();
            assert!(why.contains(told) && why.contains(EXAMPLE), "{why}");
        }
    }
}
