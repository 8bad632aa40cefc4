//! An address to listen on, as written in the configuration.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::address::{Address, PORT, suggested};

/// An endpoint: `DOOR://ADDRESS:PORT`. The options of the room door follow a `?`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen {
    /// The address; with port 0 the system chooses one.
    pub address: Address,
    /// The protocol.
    pub door: Door,
}

/// The protocols that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Lines of text.
    Line,
    /// Rooms over TCP and UDP.
    Rooms(Rooms),
}

/// The options of the room door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// `udp=PORT`: the port for its members' datagrams, at the same address; 0 lets the system choose.
    pub udp: u16,
    /// `status=ok`: requests contain a port, and replies contain words.
    pub status_ok: bool,
    /// `down=named`: a datagram is told from others by the size of its name field.
    pub down_named: bool,
}

impl Listen {
    /// The default: loopback only, because passwords cross the network unencrypted.
    pub fn local() -> Self {
        Self { address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT).into(), door: Door::Line }
    }

    /// Parses an endpoint.
    ///
    /// # Errors
    /// A message that says what would be accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((door, rest)) = text.split_once("://") else {
            let example = format!("line://{}", suggested(text));
            return Err(format!("must be DOOR://ADDRESS:PORT, such as {example:?}, not {text:?}"));
        };
        let (address, options) = match rest.split_once('?') {
            Some((address, options)) => (address, Some(options)),
            None => (rest, None),
        };
        let door = door.to_ascii_lowercase();
        let address = || Address::parse(address, &format!("{door}://"));
        match (door.as_str(), options) {
            ("line", None) => Ok(Self { address: address()?, door: Door::Line }),
            ("line", Some(_)) => Err("the line door takes no options; leave out what begins with the ?".to_owned()),
            ("rooms", options) => Ok(Self {
                address: address()?,
                door: Door::Rooms(Rooms::parse(&options.unwrap_or_default().to_ascii_lowercase())?),
            }),
            _ => Err(format!(
                "there is no door {door:?}; it must be line://ADDRESS:PORT or rooms://ADDRESS:PORT?udp=PORT"
            )),
        }
    }

    /// The address for its members' datagrams.
    pub(super) fn datagrams(&self) -> Option<Address> {
        match self.door {
            Door::Line => None,
            Door::Rooms(rooms) => Some(self.address.with_port(rooms.udp)),
        }
    }

    /// Why the server cannot listen on both; `None` if it can.
    pub(super) fn conflict(&self, other: &Self) -> Option<String> {
        if self == other && self.address.collides(&other.address) {
            return Some(format!("{self} is there twice; name it once"));
        }
        if self.address.collides(&other.address) {
            return Some(format!("{other} and {self} want the same port; give one of them another"));
        }
        let (ours, others) = (self.datagrams()?, other.datagrams()?);
        // Room doors with the same address and port share the socket.
        (ours != others && ours.collides(&others)).then(|| {
            format!("{other} and {self} want the same UDP port at different addresses; give one of them another")
        })
    }
}

impl Rooms {
    /// Parses options after the `?`, in any order, each at most once.
    fn parse(text: &str) -> Result<Self, String> {
        let (mut udp, mut status_ok, mut down_named) = (None, false, false);
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let was_there = match (key, value) {
                ("udp", port) => match port.parse() {
                    Ok(port) => udp.replace(port).is_some(),
                    Err(_) => return Err(format!("udp must be a port, a number from 0 to 65535, not {port:?}")),
                },
                ("status", "ok") => std::mem::replace(&mut status_ok, true),
                ("down", "named") => std::mem::replace(&mut down_named, true),
                ("status" | "down", _) => {
                    return Err(format!("there is no {option:?}; there are status=ok and down=named"));
                }
                _ => return Err(format!("there is no option {key:?}; there are udp=PORT, status=ok and down=named")),
            };
            if was_there {
                return Err(format!("{key} is there twice; name it once"));
            }
        }
        let Some(udp) = udp else {
            return Err("the room door needs a UDP port: write rooms://ADDRESS:PORT?udp=PORT".to_owned());
        };
        Ok(Self { udp, status_ok, down_named })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.door {
            Door::Line => write!(f, "line://{}", self.address),
            Door::Rooms(Rooms { udp, status_ok, down_named }) => {
                let (status, down) =
                    (if status_ok { "&status=ok" } else { "" }, if down_named { "&down=named" } else { "" });
                write!(f, "rooms://{}?udp={udp}{status}{down}", self.address)
            }
        }
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
    fn endpoints() {
        check("line://127.0.0.1:5015", Ok("line://127.0.0.1:5015"));
        check("line://0.0.0.0:0", Ok("line://0.0.0.0:0"));
        check("line://[::]:5015", Ok("line://[::]:5015"));
        check("line://[::1]:1", Ok("line://[::1]:1"));
        check("127.0.0.1:5015", Err("must be DOOR://ADDRESS:PORT"));
        check("", Err("must be DOOR://ADDRESS:PORT"));
        check("irc://127.0.0.1:6667", Err("no door \"irc\""));
        check("LINE://127.0.0.1:6667", Ok("line://127.0.0.1:6667"));
        check("Rooms://127.0.0.1:1?UDP=2&Down=Named", Ok("rooms://127.0.0.1:1?udp=2&down=named"));
        check("localhost:6000", Err("such as \"line://127.0.0.1:6000\""));
        check("10.0.0.1:6000", Err("such as \"line://10.0.0.1:6000\""));
        check("6000", Err("such as \"line://127.0.0.1:6000\""));
        check("line://127.0.0.1:5015?udp=1", Err("takes no options"));
        check("rooms://127.0.0.1:9001?udp=9002", Ok("rooms://127.0.0.1:9001?udp=9002"));
        check("rooms://[::1]:0?down=named&udp=0&status=ok", Ok("rooms://[::1]:0?udp=0&status=ok&down=named"));
        check("rooms://127.0.0.1:9001", Err("needs a UDP port"));
        check("rooms://127.0.0.1:9001?", Err("needs a UDP port"));
        check("rooms://127.0.0.1?udp=1", Err("write rooms://ADDRESS:PORT"));
        check("rooms://127.0.0.1:9001?udp=", Err("udp must be a port"));
        check("rooms://127.0.0.1:9001?udp=70000", Err("udp must be a port"));
        check("rooms://127.0.0.1:9001?udp=1&udp=2", Err("udp is there twice"));
        check("rooms://127.0.0.1:9001?udp=1&status=no", Err("no \"status=no\""));
        check("rooms://127.0.0.1:9001?udp=1&tls=1", Err("no option \"tls\""));
        check("line://localhost:5015", Err("must be an IP address"));
        check("line://localhost:5015", Err("127.0.0.1"));
        check("line://chat.example.org:5015", Err("not \"chat.example.org\""));
        check("line://*:5015", Err("all of this machine's are 0.0.0.0"));
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
