//! Where a connection comes from.

use std::fmt;
use std::net::IpAddr;

use crate::limits::Limits;

/// The address of a connection's client, and how the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The address of its socket.
    Address(IpAddr),
    /// An address that a proxy has named. Per-address limits always apply to it.
    Learnt(IpAddr),
    /// A Unix socket. Per-address limits do not apply to it, as to loopback.
    Unix,
}

impl Origin {
    /// The address that a proxy has named. A proxy that listens for both families names IPv4 clients by IPv6 addresses,
    /// but bans, limits and the log know one client by one address.
    pub(super) fn learnt(ip: IpAddr) -> Self {
        Self::Learnt(ip.to_canonical())
    }

    /// The address; `None` for a Unix socket.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Address(ip) | Self::Learnt(ip) => Some(ip),
            Self::Unix => None,
        }
    }

    /// True if what it sends does not leave this machine on its way.
    pub(super) fn is_local(self) -> bool {
        match self {
            Self::Address(ip) => ip.to_canonical().is_loopback(),
            Self::Learnt(_) => false,
            Self::Unix => true,
        }
    }

    /// The address, if per-address limits apply to it. They do not apply to loopback (also mapped to IPv6), unless
    /// `limits.include_loopback`, or to a Unix socket.
    pub(super) fn limited(self, limits: &Limits) -> Option<IpAddr> {
        match self {
            Self::Learnt(ip) => Some(ip),
            Self::Address(ip) => (limits.include_loopback || !ip.to_canonical().is_loopback()).then_some(ip),
            Self::Unix => None,
        }
    }
}

impl From<IpAddr> for Origin {
    fn from(ip: IpAddr) -> Self {
        Self::Address(ip)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(ip) | Self::Learnt(ip) => ip.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn only_loopback_by_socket_is_exempt() {
        let (here, there) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from([192, 0, 2, 1]));
        let mapped = IpAddr::from(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
        let limits = Limits::default();
        for (origin, limited) in [
            (Origin::Address(here), None),
            (Origin::Address(mapped), None),
            (Origin::Address(there), Some(there)),
            (Origin::Learnt(here), Some(here)),
            (Origin::Learnt(there), Some(there)),
            (Origin::Unix, None),
        ] {
            assert_eq!(origin.limited(&limits), limited, "{origin}");
        }
        let limits = Limits { include_loopback: true, ..limits };
        assert_eq!(Origin::Address(here).limited(&limits), Some(here));
        assert_eq!(Origin::Unix.limited(&limits), None);
    }
}
