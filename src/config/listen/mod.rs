//! An endpoint to listen on, as written in the configuration: `DOOR[+tls]://ADDRESS:PORT[?OPTIONS]` or
//! `DOOR+unix:PATH[?OPTIONS]`.

mod door;
mod options;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::address::{Address, PORT, WEB_PORT, suggested};
use door::Separator;
pub use door::{Door, IrcDoor, IrcGuests, Line, Metrics, Relay, Rooms};
use options::Options;

/// The mode of a Unix socket, unless `mode` is given: for the server's own user.
const MODE: u32 = 0o600;
/// The longest path of a Unix socket, in bytes (unix(7)).
const UNIX_PATH_BYTES: usize = 107;

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen {
    /// Where connections arrive.
    pub site: Site,
    /// The protocol.
    pub door: Door,
    /// `+tls`: all connections are by TLS.
    pub is_tls: bool,
    /// `cert=PATH&key=PATH`: the certificate of this endpoint, instead of that in `[tls]`.
    pub pair: Option<Pair>,
    /// `proxy`: a PROXY header precedes each connection.
    pub takes_proxy: bool,
}

/// Where connections arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// An address; with port 0 the system chooses one.
    Tcp(Address),
    /// A Unix socket.
    Unix {
        /// Its path, relative to the configuration file.
        path: PathBuf,
        /// The mode of the file.
        mode: u32,
    },
}

/// A certificate and its key: PEM files, relative to the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, followed by those of its issuers.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Listen {
    /// The default: loopback only, because passwords cross the network unencrypted.
    pub fn local() -> Self {
        Self::line(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT).into())
    }

    /// The endpoints of a configuration that names none: lines, and a page for browsers of this machine.
    pub fn defaults() -> Vec<Self> {
        let web = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), WEB_PORT);
        vec![Self::local(), Self { door: Door::Web, ..Self::line(web.into()) }]
    }

    fn line(address: Address) -> Self {
        Self {
            site: Site::Tcp(address),
            door: Door::Line(Line::default()),
            is_tls: false,
            pair: None,
            takes_proxy: false,
        }
    }

    /// Parses an endpoint.
    ///
    /// # Errors
    /// A message that says what would be accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (whole, options) = text.split_once('?').unwrap_or((text, ""));
        let mut options = Options::parse(options)?;
        let unix = whole.split_once("+unix:");
        let Some((scheme, rest)) = unix.or_else(|| whole.split_once("://")) else {
            let example = format!("line://{}", suggested(text, ""));
            return Err(format!("must be DOOR://ADDRESS:PORT, such as {example:?}, not {text:?}"));
        };
        let scheme = scheme.to_ascii_lowercase();
        let (name, transport) = scheme.split_once('+').map_or((scheme.as_str(), None), |(name, by)| (name, Some(by)));
        let door = Door::parse(name, &mut options)?;
        let is_tls = match transport {
            None => false,
            Some("tls") if unix.is_none() && door.may_be_tls() => true,
            Some(_) => {
                let unix = if unix.is_some() { "+unix" } else { "" };
                return Err(format!("there is no {scheme}{unix}; {}", transports(&door)));
            }
        };
        let site = if unix.is_some() {
            unix_place(&door, rest, &mut options)?
        } else {
            Site::Tcp(Address::parse(rest, &format!("{scheme}://"))?)
        };
        let pair = if is_tls { take_pair(&mut options)? } else { None };
        let takes_proxy = door.may_take_proxy() && options.take_flag("proxy", "")?;
        let listen = Self { site, door, is_tls, pair, takes_proxy };
        options.finish(&listen.scheme(), &listen.known_options())?;
        listen.check_token()?;
        listen.check_irc()?;
        Ok(listen)
    }

    /// True if the two differ in their certificates at most, which a reload reads again.
    pub fn is_same_place(&self, other: &Self) -> bool {
        Self { pair: None, ..self.clone() } == Self { pair: None, ..other.clone() }
    }

    /// The address, unless it is a Unix socket.
    pub fn address(&self) -> Option<&Address> {
        match &self.site {
            Site::Tcp(address) => Some(address),
            Site::Unix { .. } => None,
        }
    }

    /// The address for its members' datagrams.
    pub(super) fn datagrams(&self) -> Option<Address> {
        match &self.door {
            Door::Rooms(rooms) => Some(self.address()?.with_port(rooms.udp)),
            Door::Line(_) | Door::Web | Door::Irc(_) | Door::Relay(_) | Door::Metrics(_) => None,
        }
    }

    /// Why the server cannot listen on both; `None` if it can.
    pub(super) fn conflict(&self, other: &Self) -> Option<String> {
        if let (Door::Irc(ours), Door::Irc(others)) = (&self.door, &other.door)
            && (ours.guests == IrcGuests::Bare) != (others.guests == IrcGuests::Bare)
        {
            return Some(format!(
                "{other} and {self} would spell guests in two ways: with guests=bare they have no mark anywhere; give it \
                 to all IRC listeners or to none"
            ));
        }
        if !self.site.collides(&other.site) {
            let (ours, others) = (self.datagrams()?, other.datagrams()?);
            // Room doors with the same address and port share the socket.
            return (ours != others && ours.collides(&others)).then(|| {
                format!("{other} and {self} want the same UDP port at different addresses; give one of them another")
            });
        }
        if self == other {
            return Some(format!("{self} is given twice; give it once"));
        }
        let what = if self.address().is_some() { "port" } else { "path" };
        Some(format!("{other} and {self} want the same {what}; give one of them another"))
    }

    /// The figures name every connection, so that from other machines they are for those who have the token.
    fn check_token(&self) -> Result<(), String> {
        let (Door::Metrics(Metrics { token_file: None }), Some(address)) = (&self.door, self.address()) else {
            return Ok(());
        };
        if address.socket().ip().is_loopback() {
            return Ok(());
        }
        Err(format!(
            "{self} can be reached from other machines: it needs a token, in a file that only this server reads; add \
             ?token_file=PATH"
        ))
    }

    /// Where guests have no mark, anybody can look like an account that is not here. And a client that is told to come
    /// by TLS from now on is one that has come without.
    fn check_irc(&self) -> Result<(), String> {
        let Door::Irc(IrcDoor { guests, sts }) = self.door else { return Ok(()) };
        let is_beyond = self.address().is_some_and(|address| !address.socket().ip().is_loopback());
        if guests == IrcGuests::Bare && (is_beyond || self.takes_proxy) {
            return Err(format!(
                "{self} could be reached from other machines, and guests=bare is for test programs of this one: there \
                 guests look like accounts; write guests=yes"
            ));
        }
        if sts.is_some() && (self.is_tls || self.address().is_none()) {
            return Err(format!(
                "{self} tells its clients to come by TLS, and that is for plain irc:// alone; give sts=PORT there"
            ));
        }
        Ok(())
    }

    fn known_options(&self) -> Vec<&'static str> {
        let mut known = self.door.options().to_vec();
        if self.is_tls {
            known.extend(["cert=PATH", "key=PATH"]);
        }
        if self.address().is_none() {
            known.push("mode=MODE");
        }
        if self.door.may_take_proxy() {
            known.push("proxy");
        }
        known
    }

    /// The door and the transport, as before `:`.
    fn scheme(&self) -> String {
        let transport = match (&self.site, self.is_tls) {
            (Site::Unix { .. }, _) => "+unix",
            (Site::Tcp(_), true) => "+tls",
            (Site::Tcp(_), false) => "",
        };
        format!("{}{transport}", self.door.name())
    }
}

impl Site {
    fn collides(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(one), Self::Tcp(other)) => one.collides(other),
            (Self::Unix { path: one, .. }, Self::Unix { path: other, .. }) => one == other,
            (Self::Tcp(_), Self::Unix { .. }) | (Self::Unix { .. }, Self::Tcp(_)) => false,
        }
    }
}

fn transports(door: &Door) -> String {
    let name = door.name();
    let mut all = vec![name.to_owned()];
    if door.may_be_tls() {
        all.push(format!("{name}+tls"));
    }
    if door.may_be_unix() {
        all.push(format!("{name}+unix"));
    }
    match all.as_slice() {
        [one] => format!("there is only {one}"),
        _ => format!("there are {}", all.join(", ")),
    }
}

fn unix_place(door: &Door, path: &str, options: &mut Options<'_>) -> Result<Site, String> {
    if !door.may_be_unix() {
        return Err(format!("there is no {}+unix; {}", door.name(), transports(door)));
    }
    if path.is_empty() || path.starts_with("//") || path.ends_with('/') || path.contains('\0') {
        return Err(format!("must be {}+unix:PATH, such as line+unix:/run/chatd/line.sock, not {path:?}", door.name()));
    }
    if path.len() > UNIX_PATH_BYTES {
        return Err(format!("the path of a Unix socket has at most {UNIX_PATH_BYTES} bytes, not {}", path.len()));
    }
    let mode = match options.take("mode") {
        None => MODE,
        Some(text) => match u32::from_str_radix(text, 8) {
            Ok(mode) if mode <= 0o777 => mode,
            _ => return Err(format!("mode must be an octal number such as 0660, not {text:?}")),
        },
    };
    Ok(Site::Unix { path: path.into(), mode })
}

fn take_pair(options: &mut Options<'_>) -> Result<Option<Pair>, String> {
    match (options.take_path("cert")?, options.take_path("key")?) {
        (Some(cert), Some(key)) => Ok(Some(Pair { cert, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err("cert is given without key; give both or neither".to_owned()),
        (None, Some(_)) => Err("key is given without cert; give both or neither".to_owned()),
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme())?;
        match &self.site {
            Site::Tcp(address) => write!(f, "://{address}")?,
            Site::Unix { path, .. } => write!(f, ":{}", path.display())?,
        }
        let mut sign = Separator::default();
        self.door.write_options(f, &mut sign)?;
        if let Site::Unix { mode, .. } = &self.site
            && *mode != MODE
        {
            write!(f, "{}mode={mode:04o}", sign.next())?;
        }
        if let Some(Pair { cert, key }) = &self.pair {
            write!(f, "{}cert={}&key={}", sign.next(), cert.display(), key.display())?;
            sign.next();
        }
        if self.takes_proxy {
            write!(f, "{}proxy", sign.next())?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        match (Listen::parse(text), expected) {
            (Ok(listen), Ok(shown)) => assert_eq!(listen.to_string(), shown),
            (Err(fault), Err(part)) => assert!(fault.contains(part), "{text}: {fault}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn transports_and_options() {
        check("line+tls://[::]:5016", Ok("line+tls://[::]:5016"));
        check("LINE+TLS://[::]:5016?Cert=A.pem&KEY=b.pem", Ok("line+tls://[::]:5016?cert=A.pem&key=b.pem"));
        check("rooms+tls://127.0.0.1:1?proxy&udp=2", Ok("rooms+tls://127.0.0.1:1?udp=2&proxy"));
        check("line+tls://[::]:5016?cert=A.pem", Err("without key"));
        check("line+tls://[::]:5016?key=A.pem", Err("without cert"));
        check("line+tls://[::]:5016?cert=&key=A.pem", Err("cert must be the path"));
        check("line://[::]:5016?cert=a&key=b", Err("no option \"cert\"; line takes guests=yes, proxy"));
        check("line+ssl://[::]:5016", Err("no line+ssl; there are line, line+tls, line+unix"));
        check("line://127.0.0.1:1?GUESTS=Yes", Ok("line://127.0.0.1:1?guests=yes"));
        check("line+unix:a?proxy&guests=yes", Ok("line+unix:a?guests=yes&proxy"));
        check("line://127.0.0.1:1?guests=no", Err("no \"guests=no\"; there is \"guests=yes\""));
        check("web://127.0.0.1:1?guests=yes", Err("no option \"guests\"; web takes proxy"));
        check("relay+tls://127.0.0.1:1", Err("no relay+tls; there is only relay"));
        check("line+tls+unix:a", Err("no line+tls+unix"));
        check("line://127.0.0.1:1?proxy=yes", Err("no \"proxy=yes\"; there is \"proxy\""));
        check("line+unix:chat.sock", Ok("line+unix:chat.sock"));
        check("line+unix:/run/chat.sock?mode=0660&proxy", Ok("line+unix:/run/chat.sock?mode=0660&proxy"));
        check("line+unix:a?mode=0600", Ok("line+unix:a"));
        check("line+unix:a?mode=9", Err("octal number"));
        check("line+unix:a?mode=7777", Err("octal number"));
        check("line+unix:", Err("must be line+unix:PATH"));
        check("line+unix://a", Err("must be line+unix:PATH"));
        check(&format!("line+unix:{}", "a".repeat(107)), Ok(&format!("line+unix:{}", "a".repeat(107))));
        check(&format!("line+unix:{}", "a".repeat(108)), Err("at most 107 bytes, not 108"));
        check("rooms+unix:a?udp=1", Err("no rooms+unix; there are rooms, rooms+tls"));
        check("relay://127.0.0.1:1", Ok("relay://127.0.0.1:1?room=lobby"));
        check("relay://127.0.0.1:1?echo=yes&gap_ms=7&room=Café", Ok("relay://127.0.0.1:1?room=Café&gap_ms=7&echo=yes"));
        check("relay://127.0.0.1:1?room=a b", Err("must be a room's name"));
        check("relay://127.0.0.1:1?gap_ms=0", Err("from 1 to 60000"));
        check("web://127.0.0.1:8015", Ok("web://127.0.0.1:8015"));
        check("WEB+tls://[::]:443?proxy&cert=a&key=b", Ok("web+tls://[::]:443?cert=a&key=b&proxy"));
        check("web+unix:/run/web.sock?mode=0660", Ok("web+unix:/run/web.sock?mode=0660"));
        check("web://127.0.0.1:8015?udp=1", Err("no option \"udp\"; web takes proxy"));
        check("https://127.0.0.1:8015", Err("there are line, web, irc, rooms, relay and metrics"));
        check("metrics://127.0.0.1:9", Ok("metrics://127.0.0.1:9"));
        check("metrics+tls://127.0.0.1:9?token_file=T", Ok("metrics+tls://127.0.0.1:9?token_file=T"));
        check("metrics://0.0.0.0:9", Err("add ?token_file=PATH"));
        check("metrics://0.0.0.0:9?token_file=t", Ok("metrics://0.0.0.0:9?token_file=t"));
        check("metrics://127.0.0.1:9?proxy", Err("no option \"proxy\"; metrics takes token_file=PATH"));
    }

    #[test]
    fn endpoints_of_irc() {
        check("irc://0.0.0.0:6667", Ok("irc://0.0.0.0:6667"));
        check("IRC+TLS://[::]:6697?cert=a&key=b&proxy", Ok("irc+tls://[::]:6697?cert=a&key=b&proxy"));
        check("irc+unix:/run/irc.sock?mode=0660&guests=YES", Ok("irc+unix:/run/irc.sock?guests=yes&mode=0660"));
        check("irc://0.0.0.0:6667?sts=6697&guests=yes", Ok("irc://0.0.0.0:6667?guests=yes&sts=6697"));
        check("irc://127.0.0.1:6667?guests=bare", Ok("irc://127.0.0.1:6667?guests=bare"));
        check("irc+tls://[::1]:6697?guests=Bare", Ok("irc+tls://[::1]:6697?guests=bare"));
        check("irc+unix:a?guests=bare", Ok("irc+unix:a?guests=bare"));
        check("irc://0.0.0.0:6667?guests=bare", Err("write guests=yes"));
        check("irc+tls://192.0.2.1:6667?guests=bare", Err("guests=bare is for test programs of this one"));
        check("irc://127.0.0.1:6667?guests=bare&proxy", Err("could be reached from other machines"));
        check("irc://127.0.0.1:6667?guests=no", Err("guests must be yes or bare, not \"no\""));
        check("irc://127.0.0.1:6667?sts=0", Err("sts must be a port"));
        check("irc://127.0.0.1:6667?sts=", Err("sts must be a port"));
        check("irc+tls://127.0.0.1:6697?sts=6697", Err("that is for plain irc:// alone"));
        check("irc+unix:a?sts=6697", Err("that is for plain irc:// alone"));
        check("irc://127.0.0.1:1?tls=1", Err("no option \"tls\"; irc takes guests=yes, guests=bare, sts=PORT, proxy"));
        check("ircs://127.0.0.1:6697", Err("IRC by TLS is irc+tls"));
        check("irc://localhost", Err("write irc://127.0.0.1:6667"));
        check("irc+tls://localhost", Err("write irc+tls://127.0.0.1:6697"));
        check("web://localhost", Err("write web://127.0.0.1:8015"));
    }

    #[test]
    fn endpoints() {
        check("line://127.0.0.1:5015", Ok("line://127.0.0.1:5015"));
        check("line://0.0.0.0:0", Ok("line://0.0.0.0:0"));
        check("line://[::]:5015", Ok("line://[::]:5015"));
        check("line://[::1]:1", Ok("line://[::1]:1"));
        check("127.0.0.1:5015", Err("must be DOOR://ADDRESS:PORT"));
        check("", Err("must be DOOR://ADDRESS:PORT"));
        check("irk://127.0.0.1:6667", Err("no door \"irk\""));
        check("LINE://127.0.0.1:6667", Ok("line://127.0.0.1:6667"));
        check("Rooms://127.0.0.1:1?UDP=2&Down=Named", Ok("rooms://127.0.0.1:1?udp=2&down=named"));
        check("localhost:6000", Err("such as \"line://127.0.0.1:6000\""));
        check("10.0.0.1:6000", Err("such as \"line://10.0.0.1:6000\""));
        check("6000", Err("such as \"line://127.0.0.1:6000\""));
        check("line://127.0.0.1:5015?udp=1", Err("no option \"udp\"; line takes guests=yes, proxy"));
        check("rooms://127.0.0.1:9001?udp=9002", Ok("rooms://127.0.0.1:9001?udp=9002"));
        check("rooms://[::1]:0?down=named&udp=0&status=ok", Ok("rooms://[::1]:0?udp=0&status=ok&down=named"));
        check("rooms://127.0.0.1:9001", Err("needs a UDP port"));
        check("rooms://127.0.0.1:9001?", Err("needs a UDP port"));
        check("rooms://127.0.0.1?udp=1", Err("write rooms://ADDRESS:PORT"));
        check("rooms://127.0.0.1:9001?udp=", Err("udp must be a port"));
        check("rooms://127.0.0.1:9001?udp=70000", Err("udp must be a port"));
        check("rooms://127.0.0.1:9001?udp=1&udp=2", Err("udp is given twice"));
        check("rooms://127.0.0.1:9001?udp=1&status=no", Err("no \"status=no\""));
        check("rooms://127.0.0.1:9001?udp=1&tls=1", Err("no option \"tls\""));
        check("line://localhost:5015", Err("must be an IP address"));
        check("line://localhost:5015", Err("127.0.0.1"));
        check("line://chat.example.org:5015", Err("not \"chat.example.org\""));
        check("line://*:5015", Err("for all addresses of this machine, use 0.0.0.0"));
        check("line://localhost", Err("write line://127.0.0.1:5015"));
        check("line://6000", Err("write line://127.0.0.1:6000"));
        check("line://::1:5015", Err("an IPv6 address in brackets"));
        check("line://:5015", Err("must be an IP address"));
        check("line://127.0.0.1", Err("has no port"));
        check("line://[::1]", Err("has no port"));
        check("line://::1", Err("has no port"));
        check("line://5015", Err("is not ADDRESS:PORT"));
        check("line://127.0.0.1:65536", Err("from 0 to 65535, not \"65536\""));
        check("line://127.0.0.1:5015/", Err("from 0 to 65535"));
        check("line://127.0.0.1:5015/", Err("write line://127.0.0.1:5015"));
    }
}
