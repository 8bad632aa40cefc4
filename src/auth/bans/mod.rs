//! Bans: which names and addresses are kept out, until when, and why. They are kept in the file `bans` beside the
//! account file.
//!
//! [`Bans`] is the list, and `text` its spelling in the file, which `store` reads and writes. The account
//! thread writes it; the loop gets each new list as a whole.

mod text;
mod what;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

pub use text::{BadLine, reason};
pub(in crate::auth) use text::{decode, encode};
pub use what::What;

use crate::hub::names::UserName;
use crate::limits::BANS;
use crate::network::Network;

/// One ban.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// What is banned.
    pub what: What,
    /// The second since 1970 in which the ban is over; `None` for a ban without end.
    pub until: Option<u64>,
    /// What the banned are told: checked text of at most [`REASON_BYTES`](crate::limits::REASON_BYTES), see
    /// [`reason`]; it may be empty.
    pub reason: Arc<str>,
}

/// A list of bans: at most [`BANS`], one for each name and network. Bans that are over stay in it until
/// [`forget`](Self::forget); no look-up finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bans {
    names: BTreeMap<UserName, Terms>,
    v4: Nets,
    v6: Nets,
}

/// The terms of a ban, without what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Terms {
    until: Option<u64>,
    reason: Arc<str>,
}

/// The banned networks of one family, by their bits. A look-up takes a search for each number of bits in use.
type Nets = BTreeMap<u8, BTreeMap<Network, Terms>>;

/// The list is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Bans {
    /// The reason for which an account is banned at `unix_s`, in seconds since 1970; `None` if it is not.
    pub fn of_name(&self, name: &UserName, unix_s: u64) -> Option<&Arc<str>> {
        self.names.get(name).filter(|terms| terms.hold(unix_s)).map(|terms| &terms.reason)
    }

    /// The reason for which an address is banned at `unix_s`, in seconds since 1970; `None` if it is not. Of several
    /// bans, that of the smallest network counts.
    pub fn of_address(&self, ip: IpAddr, unix_s: u64) -> Option<&Arc<str>> {
        let ip = ip.to_canonical();
        let nets = if ip.is_ipv4() { &self.v4 } else { &self.v6 };
        nets.iter().rev().find_map(|(bits, nets)| {
            let terms = nets.get(&Network::from(ip).widened(*bits))?;
            terms.hold(unix_s).then_some(&terms.reason)
        })
    }

    /// All bans: names in order, then IPv4, then IPv6, the largest networks first.
    pub fn iter(&self) -> impl Iterator<Item = Ban> + '_ {
        let names = self.names.iter().map(|(name, terms)| terms.ban(What::Name(name.clone())));
        let nets = [&self.v4, &self.v6].into_iter().flatten();
        let nets = nets.flat_map(|(_, nets)| nets.iter().map(|(net, terms)| terms.ban(What::Net(*net))));
        names.chain(nets)
    }

    /// The number of bans, with those that are over.
    pub fn len(&self) -> usize {
        self.names.len() + self.v4.values().chain(self.v6.values()).map(BTreeMap::len).sum::<usize>()
    }

    /// True if nothing is banned.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.v4.is_empty() && self.v6.is_empty()
    }

    /// True if no address is banned.
    pub fn has_no_nets(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Adds a ban. It replaces one of the same name or network.
    ///
    /// # Errors
    /// The list has [`BANS`] others.
    pub fn add(&mut self, ban: Ban) -> Result<(), Full> {
        let Ban { what, until, reason } = ban;
        let before = self.remove(&what);
        if before.is_none() && self.len() >= BANS {
            return Err(Full);
        }
        let terms = Terms { until, reason };
        match what {
            What::Name(name) => self.names.insert(name, terms),
            What::Net(net) => self.family(net).entry(net.prefix()).or_default().insert(net, terms),
        };
        Ok(())
    }

    /// Removes the ban of exactly this name or network, and gives it; `None` if there is none.
    pub fn remove(&mut self, what: &What) -> Option<Ban> {
        let terms = match what {
            What::Name(name) => self.names.remove(name),
            What::Net(net) => {
                let family = self.family(*net);
                let of_bits = family.get_mut(&net.prefix())?;
                let terms = of_bits.remove(net);
                if of_bits.is_empty() {
                    family.remove(&net.prefix());
                }
                terms
            }
        };
        terms.map(|terms| terms.ban(what.clone()))
    }

    /// Removes all bans that are over at `unix_s`, in seconds since 1970.
    pub fn forget(&mut self, unix_s: u64) {
        self.names.retain(|_, terms| terms.hold(unix_s));
        for family in [&mut self.v4, &mut self.v6] {
            family.retain(|_, nets| {
                nets.retain(|_, terms| terms.hold(unix_s));
                !nets.is_empty()
            });
        }
    }

    fn family(&mut self, net: Network) -> &mut Nets {
        if net.first().is_ipv4() { &mut self.v4 } else { &mut self.v6 }
    }
}

impl Terms {
    fn hold(&self, unix_s: u64) -> bool {
        self.until.is_none_or(|until| unix_s < until)
    }

    fn ban(&self, what: What) -> Ban {
        Ban { what, until: self.until, reason: Arc::clone(&self.reason) }
    }
}

impl Ban {
    /// Whether it still holds at `unix_s`, in seconds since 1970.
    pub fn holds_at(&self, unix_s: u64) -> bool {
        self.until.is_none_or(|until| unix_s < until)
    }
}

#[cfg(test)]
mod tests;
