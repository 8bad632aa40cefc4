//! What can be banned: the name of an account, or a network of addresses.

use std::fmt;
use std::net::IpAddr;

use crate::hub::names::UserName;
use crate::limits::PARTY_BITS_V6;
use crate::network::Network;

/// What a ban is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An account, whether it exists or not.
    Name(UserName),
    /// Addresses. In IPv6 this is at least a /64, which is what one subscriber has, or `::1`.
    Net(Network),
}

impl What {
    /// Parses `NAME`, `ADDRESS` or `ADDRESS/BITS`. An IPv6 address counts as its /64.
    ///
    /// # Errors
    /// Why it is none of these: the rest of a sentence that begins with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['/', ':']) || text.starts_with(|c: char| c.is_ascii_digit()) {
            return text.parse().map(|network| Self::Net(at_least_a_subscriber(network)));
        }
        let neither = || format!("must be a name, an address or a network, not {text:?}");
        UserName::from_record(text).map(Self::Name).map_err(|_| neither())
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_str()),
            Self::Net(net) => net.fmt(f),
        }
    }
}

fn at_least_a_subscriber(network: Network) -> Network {
    match network.first() {
        IpAddr::V6(v6) if !v6.is_loopback() => network.widened(PARTY_BITS_V6 as u8),
        IpAddr::V4(_) | IpAddr::V6(_) => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks how a text is shown when it is parsed; `None` if it cannot be parsed.
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let what = What::parse(text).ok();
        assert_eq!(what.as_ref().map(What::to_string).as_deref(), expected, "{text}");
        if let Some(what) = what {
            assert_eq!(What::parse(&what.to_string()), Ok(what), "{text}: it is not the same when read again");
        }
    }

    #[test]
    fn names_addresses_and_nets() {
        check("Alice", Some("Alice"));
        check("op", Some("op"));
        check("beef.cafe", Some("beef.cafe"));
        check("192.0.2.7", Some("192.0.2.7"));
        check("192.0.2.0/24", Some("192.0.2.0/24"));
        check("192.0.2.7/32", Some("192.0.2.7"));
        check("0.0.0.0/0", Some("0.0.0.0/0"));
        check("::ffff:192.0.2.7", Some("192.0.2.7"));
        check("2001:db8:1:2:3::7", Some("2001:db8:1:2::/64"));
        check("2001:db8:1:2:3::7/128", Some("2001:db8:1:2::/64"));
        check("2001:db8:1::/48", Some("2001:db8:1::/48"));
        check("abcd::", Some("abcd::/64"));
        check("::1", Some("::1"));
        check("::/0", Some("::/0"));
        for bad in [
            "",
            "~guest",
            "1a",
            "192.0.2",
            "192.0.2.7/24",
            "192.0.2.7/33",
            "192.0.2.7/",
            "192.0.2.7/8/8",
            "/8",
            "2001:db8::/129",
            "2001:db8::/-1",
            "a b",
            "alice/8",
            "fe80::1%eth0",
        ] {
            check(bad, None);
        }
        assert!(What::parse("192.0.2.7/24").unwrap_err().contains("write 192.0.2.0/24"));
    }
}
