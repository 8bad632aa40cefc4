//! Addresses and networks.

/// Addresses, and networks, remembered for the per-address rules. A full table first forgets those with nothing held
/// against them.
pub const ADDRESSES: usize = 65_536;
/// Prefix length by which IPv6 addresses are counted as one: what one subscriber gets.
pub const PARTY_BITS_V6: u32 = 64;
/// Prefix length of an IPv6 network: what one site gets. Networks have bounds as well, because a subscriber may have
/// thousands of addresses.
pub const NETWORK_BITS_V6: u32 = 48;
/// Prefix length of an IPv4 network.
pub const NETWORK_BITS_V4: u32 = 24;
/// A network's bounds for connections, new connections and guests, as a multiple of an address's. With the defaults
/// that is half of `limits.silent`, so one network alone cannot make the server refuse others.
pub const NETWORK_TIMES: u32 = 8;
/// The window of `limits.new_per_address`, in seconds.
pub const NEW_WINDOW_S: u64 = 600;
/// Added to the penalty of an address for each wrong password, in seconds.
pub const PENALTY_STEP_S: u64 = 5;
/// Penalty, in seconds, from which on an address is refused.
pub const PENALTY_REFUSED_S: u64 = 15;
/// The largest penalty, in seconds: ten minutes.
pub const PENALTY_MOST_S: u64 = 600;
