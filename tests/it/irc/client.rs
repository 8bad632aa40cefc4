//! A client of the IRC door that waits for expected lines, with a deadline.
//!
//! A pattern is words: `376`, `JOIN #tea`, `:alice!account@* PRIVMSG #tea :hello`. It begins at the source if it begins
//! with `:`, else at the command. `*` is any word. Further words of the line do not matter.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::{Builder, Client, PASSWORD, Server};

/// The longest line without its tags, with its CR and LF.
const LINE_BYTES: usize = 512;
/// The name of the server by default.
pub(crate) const NAME: &str = "chatd.local";

/// A connection to an IRC door.
pub(crate) struct Irc {
    client: Client,
    /// Numbers of the round trips, so that none is taken for another.
    pings: u32,
}

/// A server with a line door and this IRC door, without rates.
pub(crate) fn builder(door: &str) -> Builder {
    Server::builder().listen(&["line://127.0.0.1:0", door]).no_rates()
}

/// A running server with a line door and an IRC door.
#[track_caller]
pub(crate) fn server() -> Server {
    builder("irc://127.0.0.1:0").start()
}

/// A client that is logged in as this account, which is made if needed.
#[track_caller]
pub(crate) fn logged_in(server: &Server, name: &str) -> Irc {
    logged_in_with(server, name, "")
}

/// The same, with these capabilities.
#[track_caller]
pub(crate) fn logged_in_with(server: &Server, name: &str, caps: &str) -> Irc {
    server.bare(name).barrier();
    let mut irc = Irc::connect(server.door("irc"));
    if !caps.is_empty() {
        irc.send(&format!("CAP REQ :{caps}"));
        irc.expect(&format!("CAP * ACK :{caps}"));
    }
    irc.send(&format!("PASS :{name}:{PASSWORD}"));
    irc.greet(name);
    if !caps.is_empty() {
        irc.send("CAP END");
    }
    irc.wait(&format!(":* 366 {name} &all"));
    irc.barrier();
    irc
}

/// A client that is registered, and nobody in the chat.
#[track_caller]
pub(crate) fn in_anteroom(addr: SocketAddr, nick: &str) -> Irc {
    let mut irc = Irc::connect(addr);
    irc.greet(nick);
    irc.wait(&format!("221 {nick}"));
    irc
}

impl Irc {
    /// Connects.
    #[track_caller]
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::of(Client::connect(addr))
    }

    /// Connects by TLS, and names these protocols.
    #[track_caller]
    pub(crate) fn connect_tls(addr: SocketAddr, protocols: &[&str]) -> Self {
        let settings = testkit::tls::settings(testkit::tls::Versions::Both, protocols);
        Self::of(Client::connect_tls_with(addr, &settings))
    }

    /// Uses a connection that the test has made itself.
    pub(crate) fn of(client: Client) -> Self {
        Self { client, pings: 0 }
    }

    /// The connection, for what this type does not offer.
    pub(crate) fn raw(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Sends NICK and USER.
    #[track_caller]
    pub(crate) fn greet(&mut self, nick: &str) {
        self.send_all(&[&format!("NICK {nick}"), &format!("USER {nick} 0 * :{nick}")]);
    }

    /// Sends a line; its CR and LF are added.
    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        self.send_raw(format!("{line}\r\n").as_bytes());
    }

    /// Sends these lines at once.
    #[track_caller]
    pub(crate) fn send_all(&mut self, lines: &[&str]) {
        let lines: String = lines.iter().flat_map(|line| [*line, "\r\n"]).collect();
        self.send_raw(lines.as_bytes());
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.client.send_raw(bytes);
    }

    /// The next line, without its end. Every line is one that a client may get: CR LF at its end alone, no other
    /// character that ends or hides one, and no longer than allowed.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        checked(self.client.line())
    }

    /// The next line, with this deadline.
    #[track_caller]
    pub(crate) fn line_within(&mut self, patience: Duration) -> String {
        checked(self.client.line_within(patience))
    }

    /// The next line, which must match.
    #[track_caller]
    pub(crate) fn expect(&mut self, pattern: &str) -> String {
        let line = self.line();
        assert!(matches(pattern, &line), "expected {pattern:?}, got {line:?}");
        line
    }

    /// The next line without its tags, which must be this.
    #[track_caller]
    pub(crate) fn expect_exact(&mut self, expected: &str) {
        let line = self.line();
        assert_eq!(without_tags(&line), expected);
    }

    /// All lines up to the first one that matches, which is the last one.
    #[track_caller]
    pub(crate) fn until(&mut self, pattern: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            lines.push(self.line());
            if lines.last().is_some_and(|line| matches(pattern, line)) {
                return lines;
            }
        }
    }

    /// The first line that matches. Lines before it are dropped.
    #[track_caller]
    pub(crate) fn wait(&mut self, pattern: &str) -> String {
        self.until(pattern).pop().expect("a line")
    }

    /// Sends a line, and gives all lines up to the first that matches.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str, pattern: &str) -> Vec<String> {
        self.send(line);
        self.until(pattern)
    }

    /// A round trip: the lines that have come, without tags. Earlier lines are carried out then.
    #[track_caller]
    pub(crate) fn heard(&mut self) -> Vec<String> {
        self.pings += 1;
        let token = format!("t{}", self.pings);
        self.send(&format!("PING {token}"));
        let mut lines = self.until(&format!("PONG * :{token}"));
        lines.pop();
        lines.iter().map(|line| without_tags(line).to_owned()).collect()
    }

    /// A round trip before which nothing may have come.
    #[track_caller]
    pub(crate) fn barrier(&mut self) {
        assert_eq!(self.heard(), [""; 0]);
    }

    /// The server says why it closes, and closes. Lines before are dropped.
    #[track_caller]
    pub(crate) fn expect_end(&mut self, reason: &str) {
        let last = self.wait("ERROR");
        assert_eq!(without_tags(&last), format!("ERROR :Closing link: {reason}"));
        self.client.expect_closed();
    }
}

#[track_caller]
fn checked(line: String) -> String {
    let rest = without_tags(&line);
    assert!(rest.len() < LINE_BYTES, "{} bytes: {line:?}", rest.len() + 1);
    let inside = line.strip_suffix('\r');
    let Some(inside) = inside else { panic!("no CR at the end of {line:?}") };
    assert!(!inside.contains(['\r', '\0']), "{line:?}");
    inside.to_owned()
}

/// A line without its tags.
pub(crate) fn without_tags(line: &str) -> &str {
    if line.starts_with('@') { line.split_once(' ').map_or(line, |(_, rest)| rest) } else { line }
}

/// The value of a tag of a line.
pub(crate) fn tag<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (tags, _) = line.strip_prefix('@')?.split_once(' ')?;
    tags.split(';').find_map(|tag| tag.strip_prefix(key)?.strip_prefix('='))
}

/// Whether a line matches a pattern.
pub(crate) fn matches(pattern: &str, line: &str) -> bool {
    let mut line = without_tags(line);
    if !pattern.starts_with(':')
        && let Some(rest) = line.strip_prefix(':')
    {
        line = rest.split_once(' ').map_or("", |(_, rest)| rest);
    }
    let mut words = line.split(' ');
    pattern.split(' ').all(|wanted| words.next().is_some_and(|word| fits(wanted, word)))
}

/// Whether a word is the wanted one, in which a `*` is any text.
fn fits(wanted: &str, word: &str) -> bool {
    match wanted.split_once('*') {
        None => wanted == word,
        Some((start, end)) => word.len() >= start.len() + end.len() && word.starts_with(start) && word.ends_with(end),
    }
}

#[test]
fn patterns() {
    let line = "@time=x;msgid=7 :alice!account@chatd.local PRIVMSG #tea :hello all";
    for pattern in
        ["PRIVMSG", "PRIVMSG #tea", "PRIVMSG * :hello", ":alice!* PRIVMSG", ":alice!account@* * #tea :hello all"]
    {
        assert!(matches(pattern, line), "{pattern}");
    }
    for pattern in ["NOTICE", "PRIVMSG #te", ":bob!* PRIVMSG", "PRIVMSG #tea :hello all *", "#tea"] {
        assert!(!matches(pattern, line), "{pattern}");
    }
    assert!(matches("ERROR", "ERROR :Closing link: x"));
    assert_eq!((tag(line, "msgid"), tag(line, "label")), (Some("7"), None));
}
