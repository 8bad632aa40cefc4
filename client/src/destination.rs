//! Where to connect, and under which name: the positional arguments.

use std::fmt;

use super::command::{is_guest_name, is_user_name};

/// The default port.
pub const DEFAULT_PORT: u16 = 5015;
/// More servers than this are taken for a mistake.
const SERVERS: usize = 16;
/// The host for a port without a host.
const LOCAL: &str = "localhost";
/// Accepted URL schemes of a plain server: one means "over TCP" elsewhere, the other appears in the server's log.
const PLAIN: [&str; 2] = ["tcp", "line"];
/// … and of one that speaks TLS.
const TLS: [&str; 2] = ["tls", "line+tls"];
/// The example in every message about these arguments.
pub(super) const EXAMPLE: &str = "for example: chatclient localhost 5015 carol";

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// Its TCP port, not 0.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
}

impl Server {
    /// `host:port`, an IPv6 address in brackets.
    pub fn place(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl fmt::Display for Server {
    /// In the form in which it can be typed: its [place](Self::place), after `tls://` if it speaks TLS.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tls { "tls://" } else { "" })?;
        f.write_str(&self.place())
    }
}

/// The servers (at least one, in the order in which they are tried), and the login name. Servers without a scheme speak
/// TLS if `is_tls`. `system_user` gives the local user's name; it is called if no name is given.
///
/// # Errors
///
/// A sentence that says what is wrong, and what would be right.
pub(super) fn parse(
    words: &[String],
    is_tls: bool,
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
    let (servers, named) = parse_servers(list, port, is_tls)?;
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
    if is_user_name(text) || is_guest_name(text) {
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
fn parse_servers(list: &str, port: u16, is_tls: bool) -> Result<(Vec<Server>, Option<String>), String> {
    let mut named = None;
    let mut servers = Vec::new();
    for item in list.split(',') {
        let (mut item, is_tls) = without_scheme(item.trim(), is_tls)?;
        if servers.is_empty()
            && let Some((user, rest)) = item.split_once('@')
        {
            (named, item) = (Some(user.to_owned()), rest);
        }
        servers.push(parse_server(item, port, is_tls)?);
    }
    if servers.len() > SERVERS {
        return Err(format!("{} servers are too many: give up to {SERVERS}, {EXAMPLE}", servers.len()));
    }
    Ok((servers, named))
}

/// The server whose kept key is to be removed.
///
/// # Errors
///
/// A sentence that says what is wrong, and what would be right.
pub(super) fn parse_forgotten(text: &str) -> Result<Server, String> {
    let (item, _) = without_scheme(text.trim(), true)?;
    parse_server(item, DEFAULT_PORT, true)
}

/// The text after a scheme, without a trailing slash, and whether the server speaks TLS: without a scheme as given.
fn without_scheme(item: &str, is_tls: bool) -> Result<(&str, bool), String> {
    let Some((scheme, rest)) = item.split_once("://") else { return Ok((item, is_tls)) };
    let is_of = |schemes: [&str; 2]| schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    match (is_of(PLAIN), is_of(TLS)) {
        (true, _) if is_tls => {
            Err(format!("{item:?} and --tls contradict each other: give tls://HOST:PORT; {EXAMPLE}"))
        }
        (false, false) => Err(format!(
            "{item:?} is no server: chatclient speaks plain TCP, tcp://HOST:PORT, and TLS, tls://HOST:PORT; {EXAMPLE}"
        )),
        (_, is_tls) => Ok((rest.strip_suffix('/').unwrap_or(rest), is_tls)),
    }
}

/// Parses `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
fn parse_server(item: &str, default: u16, is_tls: bool) -> Result<Server, String> {
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
    Ok(Server { host: host.to_owned(), port, is_tls })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<(Vec<Server>, String), String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse(&words, false, || Some("me".to_owned()))
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
        check(&["~carol@localhost"], &["localhost:5015"], "~carol");
        check_refused(&["~@localhost"], "is no name");
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
    fn servers_that_speak_tls() {
        check(&["tls://localhost:7"], &["tls://localhost:7"], "me");
        check(&["TLS://carol@localhost:7/"], &["tls://localhost:7"], "carol");
        check(&["line+tls://127.0.0.1:40123"], &["tls://127.0.0.1:40123"], "me");
        check(&["tls://[::1]:7,b:8,tcp://c", "9", "alice"], &["tls://[::1]:7", "b:8", "c:9"], "alice");
        let words = ["a,tls://b:8".to_owned()];
        let (servers, _) = parse(&words, true, || Some("me".to_owned())).unwrap();
        assert!(servers.iter().all(|server| server.is_tls), "{servers:?}");
        assert_eq!(servers[0].place(), "a:5015");
        for plain in ["tcp://a", "line://a:7"] {
            let why = parse(&[plain.to_owned()], true, || None).unwrap_err();
            assert!(why.contains("contradict") && why.contains(EXAMPLE), "{why}");
        }
        check_refused(&["rooms+tls://a", "alice"], "tls://HOST:PORT");
    }

    #[test]
    fn a_server_to_forget() {
        for (text, place) in [("A:7", "A:7"), ("tls://a:7", "a:7"), ("a", "a:5015"), ("[::1]:7", "[::1]:7")] {
            assert_eq!(parse_forgotten(text).unwrap().place(), place);
        }
        for bad in ["", "a:0", "http://a", "tcp://a"] {
            assert!(parse_forgotten(bad).unwrap_err().contains(EXAMPLE), "{bad}");
        }
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
            let why = parse(&words, false, || name.map(str::to_owned)).unwrap_err();
            assert!(why.contains(told) && why.contains(EXAMPLE), "{why}");
        }
    }
}
