//! An IP address and a port, as written in the configuration.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use rustix::net::{AddressFamily, SocketType, netdevice, socket};
use serde::{Deserialize, Serialize};

/// The port of the line door.
pub(super) const PORT: u16 = 5015;
/// The port of the web door, unless another is configured.
pub(super) const WEB_PORT: u16 = 8015;

/// The ports of IRC: without encryption, and by TLS (RFC 7194).
const IRC_PORTS: [u16; 2] = [6667, 6697];

/// `ADDRESS:PORT`, an IPv6 address in brackets, a link-local one with its zone: `[fe80::1%eth0]:5015`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    addr: SocketAddr,
    /// The zone's name, if it was given by name. The address holds its number.
    zone: Option<Box<str>>,
}

impl Address {
    /// The address for system calls. A zone is a number there, valid for as long as the interface exists.
    pub fn socket(&self) -> SocketAddr {
        self.addr
    }

    /// Parses an address. `scheme` is what precedes it in the configuration, such as `line://`; error messages show it.
    ///
    /// # Errors
    /// A message that says what would be accepted.
    pub(super) fn parse(text: &str, scheme: &str) -> Result<Self, String> {
        let address = match with_zone(text) {
            Some((ip, zone, port)) => Self::in_zone(ip, zone, port)?,
            None => Self { addr: text.parse().map_err(|_| explain(text, scheme))?, zone: None },
        };
        match address.addr {
            SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => Err(format!(
                "{} is a link-local address: it needs its network interface, such as {scheme}[{0}%eth0]:{}",
                v6.ip(),
                v6.port()
            )),
            SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
                Some(v4) => Err(format!("{text:?} is an IPv4 address in IPv6 form; write {scheme}{v4}:{}", v6.port())),
                None => Ok(address),
            },
            SocketAddr::V4(_) => Ok(address),
        }
    }

    fn in_zone(ip: Ipv6Addr, zone: &str, port: u16) -> Result<Self, String> {
        let at = |index| SocketAddr::V6(SocketAddrV6::new(ip, port, 0, index));
        if let Ok(index) = zone.parse() {
            return Ok(Self { addr: at(index), zone: None });
        }
        match interface(zone) {
            Ok(index) => Ok(Self { addr: at(index), zone: Some(zone.into()) }),
            Err(error) => Err(format!("there is no network interface {zone:?} ({error}); 'ip link' lists them")),
        }
    }

    /// Whether the system would refuse to bind sockets of one kind to both. Port 0 never collides; the unspecified
    /// address of a family collides with all addresses of that family.
    pub(super) fn collides(&self, other: &Self) -> bool {
        let (one, other) = (self.addr, other.addr);
        let is_same_place = match (one, other) {
            (SocketAddr::V4(_), SocketAddr::V4(_)) => one.ip() == other.ip(),
            (SocketAddr::V6(a), SocketAddr::V6(b)) => {
                a.ip() == b.ip() && (a.scope_id() == b.scope_id() || a.scope_id() == 0 || b.scope_id() == 0)
            }
            (SocketAddr::V4(_), SocketAddr::V6(_)) | (SocketAddr::V6(_), SocketAddr::V4(_)) => return false,
        };
        let is_for_all = one.ip().is_unspecified() || other.ip().is_unspecified();
        one.port() == other.port() && one.port() != 0 && (is_same_place || is_for_all)
    }

    /// The same address with another port.
    pub(super) fn with_port(&self, port: u16) -> Self {
        let mut address = self.clone();
        address.addr.set_port(port);
        address
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self { addr, zone: None }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "[{}%{zone}]:{}", self.addr.ip(), self.addr.port()),
            None => write!(f, "{}", self.addr),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text, "")
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

/// The parts of `[IP%ZONE]:PORT`.
fn with_zone(text: &str) -> Option<(Ipv6Addr, &str, u16)> {
    let (inside, port) = text.strip_prefix('[')?.rsplit_once("]:")?;
    let (ip, zone) = inside.split_once('%')?;
    Some((ip.parse().ok()?, zone, port.parse().ok()?))
}

/// The index of a network interface.
fn interface(name: &str) -> io::Result<u32> {
    // The query needs a socket, and any will do.
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    Ok(netdevice::name_to_index(socket, name)?)
}

/// The error message for a text that is not an address and a port.
fn explain(text: &str, scheme: &str) -> String {
    if let Some(rest) = text.strip_suffix('/').filter(|rest| rest.parse::<SocketAddr>().is_ok()) {
        return format!("must end with its port, from 0 to 65535, and no /: write {scheme}{rest}");
    }
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip = unbracketed.split_once('%').map_or(unbracketed, |(ip, _)| ip);
    if ip.parse::<IpAddr>().is_ok() {
        return format!("{text:?} has no port; write {scheme}ADDRESS:PORT, an IPv6 address in brackets");
    }
    match text.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => {
            format!("the port must be a number from 0 to 65535, not {port:?}")
        }
        Some((address, _)) => {
            let known = match address {
                "localhost" => ": that is 127.0.0.1, and [::1]",
                "" | "*" => ": for all addresses of this machine, use 0.0.0.0 and [::]",
                _ => "",
            };
            format!(
                "the address must be an IP address, IPv6 in brackets, such as 0.0.0.0 or [::], not {address:?}{known}"
            )
        }
        None => format!("{text:?} is not ADDRESS:PORT; write {scheme}{}", suggested(text, scheme)),
    }
}

/// The address and port that the user may have meant by a text that does not parse. `scheme` is as in
/// [`Address::parse`].
pub(super) fn suggested(text: &str, scheme: &str) -> String {
    if text.parse::<SocketAddr>().is_ok() {
        return text.to_owned();
    }
    let [irc, irc_tls] = IRC_PORTS;
    let usual = match scheme {
        "irc://" => irc,
        "irc+tls://" => irc_tls,
        "web://" => WEB_PORT,
        _ => PORT,
    };
    let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or(usual);
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        match (Address::parse(text, "line://"), expected) {
            (Ok(address), Ok(shown)) => assert_eq!(address.to_string(), shown),
            (Err(fault), Err(part)) => assert!(fault.contains(part), "{text}: {fault}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn zones() {
        let lo = interface("lo").unwrap();
        check("[fe80::1%lo]:5015", Ok("[fe80::1%lo]:5015"));
        assert_eq!(
            Address::parse("[fe80::1%lo]:5015", "").unwrap().socket(),
            SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 5015, 0, lo))
        );
        check("[fe80::1%7]:5015", Ok("[fe80::1%7]:5015"));
        check("[fe80::1]:5015", Err("needs its network interface, such as line://[fe80::1%eth0]:5015"));
        check("[fe80::1%0]:5015", Err("needs its network interface"));
        check("[fe80::1%nowhere0]:5015", Err("no network interface \"nowhere0\""));
        check("[fe80::1%]:5015", Err("no network interface \"\""));
        check("[fe80::1%a-name-that-is-too-long]:5015", Err("no network interface"));
        check("fe80::1%lo", Err("has no port"));
        check("[fe80::1%lo]", Err("has no port"));
        check("[::ffff:127.0.0.1]:5015", Err("write line://127.0.0.1:5015"));
    }

    #[test]
    fn places_that_two_sockets_cannot_have() {
        let check = |one: &str, other: &str, expected: bool| {
            let parse = |text: &str| Address::from(text.parse::<SocketAddr>().unwrap());
            assert_eq!(parse(one).collides(&parse(other)), expected, "{one} {other}");
            assert_eq!(parse(other).collides(&parse(one)), expected, "{other} {one}");
        };
        check("127.0.0.1:1", "127.0.0.1:1", true);
        check("127.0.0.1:1", "127.0.0.1:2", false);
        check("127.0.0.1:1", "127.0.0.2:1", false);
        check("127.0.0.1:1", "0.0.0.0:1", true);
        check("0.0.0.0:1", "[::]:1", false);
        check("[::]:1", "[::1]:1", true);
        check("[::]:0", "[::]:0", false);
        check("[fe80::1%1]:1", "[fe80::1%2]:1", false);
        check("[fe80::1%1]:1", "[fe80::1]:1", true);
    }
}
