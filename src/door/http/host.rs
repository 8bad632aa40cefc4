//! The `Host` of a request: the name by which its sender knows this server.

use std::net::{IpAddr, Ipv6Addr};

/// The value of a `Host` field, without its port.
///
/// A page of a foreign site can make a browser send requests here under the site's own name, which it lets point to
/// this machine (DNS rebinding). The `Host` then is that name. Addresses and `localhost` cannot be made to point
/// elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// An IP address, an IPv6 one in brackets.
    Address(IpAddr),
    /// `localhost`, in any case.
    Localhost,
    /// Another name; empty if the field is.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// An empty field.
    pub(super) const NONE: Self = Self::Name("");

    /// Reads the value of a field. `None` if it is no host with an optional port.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?.trim_ascii();
        if let Some(rest) = value.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            return is_port.then_some(Self::Address(address.into()));
        }
        let (name, port) = value.split_once(':').unwrap_or((value, ""));
        if !is_port(port) || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)) {
            return None;
        }
        if name.eq_ignore_ascii_case("localhost") {
            return Some(Self::Localhost);
        }
        Some(name.parse().map_or(Self::Name(name), Self::Address))
    }

    /// True if no site on the network can have this name.
    pub fn is_of_this_machine(self) -> bool {
        match self {
            Self::Address(_) | Self::Localhost => true,
            Self::Name(_) => false,
        }
    }
}

/// Whether this is a port number; an empty one means the default.
fn is_port(port: &str) -> bool {
    port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}
