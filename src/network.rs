//! A network of addresses, as written in the configuration and in the list of bans.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An address or a network: `192.0.2.7`, `2001:db8::/32`. An address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// True if the network contains `ip`. An IPv4 address mapped to IPv6 counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }

    /// The length of its prefix, in bits.
    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }

    /// The network with at most `most` bits that contains it: itself, unless its prefix is longer.
    pub fn widened(self, most: u8) -> Self {
        let prefix = self.0.prefix_len().min(most);
        IpNet::new(self.0.addr(), prefix).map_or(self, |net| Self(net.trunc()))
    }

    /// True if it has an address in common with `other`.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.contains(&other.0.network()) || other.0.contains(&self.0.network())
    }

    /// Its first address.
    pub fn first(&self) -> IpAddr {
        self.0.network()
    }

    /// True if it is one address.
    pub fn is_single(&self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }
}

impl From<IpAddr> for Network {
    fn from(ip: IpAddr) -> Self {
        Self(IpNet::from(ip.to_canonical()))
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        let Ok(net) = text.parse::<IpNet>() else {
            return Err(format!("must be an address or a network, such as 192.0.2.7 or 2001:db8::/32, not {text:?}"));
        };
        if let IpAddr::V6(v6) = net.addr()
            && v6.to_ipv4_mapped().is_some()
        {
            return Err(format!("{text:?} is an IPv4 network in IPv6 form; write it as an IPv4 network"));
        }
        if net != net.trunc() {
            return Err(format!("{text:?} has bits behind its prefix; write {}", net.trunc()));
        }
        Ok(Self(net))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        match (text.parse::<Network>(), expected) {
            (Ok(network), Ok(shown)) => assert_eq!(network.to_string(), shown),
            (Err(fault), Err(part)) => assert!(fault.contains(part), "{text}: {fault}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn addresses_and_networks() {
        check("192.0.2.7", Ok("192.0.2.7"));
        check("192.0.2.7/32", Ok("192.0.2.7"));
        check("192.0.2.0/24", Ok("192.0.2.0/24"));
        check("0.0.0.0/0", Ok("0.0.0.0/0"));
        check("2001:DB8::/32", Ok("2001:db8::/32"));
        check("::1", Ok("::1"));
        check("::ffff:192.0.2.7", Ok("192.0.2.7"));
        check("::ffff:192.0.2.0/120", Err("as an IPv4 network"));
        check("192.0.2.7/24", Err("write 192.0.2.0/24"));
        check("192.0.2.7/33", Err("must be an address or a network"));
        check("proxy.example.org", Err("must be an address or a network"));
        check("", Err("must be an address or a network"));
    }

    #[test]
    fn wider_networks_and_those_that_overlap() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        assert_eq!(network("2001:db8:1:2:3::7").widened(64), network("2001:db8:1:2::/64"));
        assert_eq!(network("2001:db8::/32").widened(64), network("2001:db8::/32"));
        assert_eq!(network("192.0.2.7").widened(0), network("0.0.0.0/0"));
        for (one, other, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.0.0.0/8", false),
            ("0.0.0.0/0", "::/0", false),
            ("2001:db8::/32", "2001:db8::1", true),
        ] {
            let (one, other) = (network(one), network(other));
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn mapped_addresses_are_of_their_network() {
        let network: Network = "192.0.2.0/24".parse().unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(network.contains(ip("192.0.2.255")) && network.contains(ip("::ffff:192.0.2.1")));
        assert!(!network.contains(ip("192.0.3.0")) && !network.contains(ip("::1")));
    }
}
