//! An address to listen on, as the configuration spells it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// The port of the line door.
const PORT: u16 = 5015;

/// An endpoint of the line door: `line://ADDRESS:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen {
    /// Where; port 0 lets the system choose.
    pub addr: SocketAddr,
}

impl Listen {
    /// The default: this machine only, for passwords cross the network in the clear.
    pub fn local() -> Self {
        Self { addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT) }
    }

    /// An endpoint by its text.
    ///
    /// # Errors
    /// What would be accepted instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((door, address)) = text.split_once("://") else {
            return Err(format!("must be DOOR://ADDRESS:PORT, such as \"line://127.0.0.1:{PORT}\", not {text:?}"));
        };
        match door {
            "line" => address.parse().map(|addr| Self { addr }).map_err(|_| bad_address(address)),
            "rooms" => Err("the room door is not part of this version; leave rooms:// out".to_owned()),
            _ => Err(format!("there is no door {door:?}; it must be line://ADDRESS:PORT")),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line://{}", self.addr)
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

/// Which half of an address is at fault.
fn bad_address(text: &str) -> String {
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if unbracketed.parse::<IpAddr>().is_ok() {
        return format!("{text:?} has no port; write line://ADDRESS:PORT, an IPv6 address in brackets");
    }
    match text.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => {
            format!("the port must be a number from 0 to 65535, not {port:?}")
        }
        Some((address, _)) => {
            format!("the address must be an IP address, IPv6 in brackets, such as 0.0.0.0 or [::], not {address:?}")
        }
        None => format!("{text:?} is not ADDRESS:PORT; write line://127.0.0.1:{PORT}"),
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
        check("LINE://127.0.0.1:6667", Err("no door \"LINE\""));
        check("rooms://127.0.0.1:5016?udp=5016", Err("the room door is not part of this version"));
        check("line://localhost:5015", Err("must be an IP address"));
        check("line://::1:5015", Err("an IPv6 address in brackets"));
        check("line://:5015", Err("must be an IP address"));
        check("line://127.0.0.1", Err("has no port"));
        check("line://[::1]", Err("has no port"));
        check("line://::1", Err("has no port"));
        check("line://5015", Err("is not ADDRESS:PORT"));
        check("line://127.0.0.1:65536", Err("from 0 to 65535, not \"65536\""));
        check("line://127.0.0.1:5015/", Err("from 0 to 65535"));
    }
}
