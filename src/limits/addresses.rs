//! Addresses and networks.

/// Addresses remembered for per-address rules, and networks. A full table forgets whom it holds nothing against first.
pub const ADDRESSES: usize = 65_536;
/// An IPv6 address counts as its network of so many bits, which is what one subscriber gets.
pub const PARTY_BITS_V6: u32 = 64;
/// Networks have bounds too, for one subscriber may have thousands of such. An IPv6 network has so many bits, which is
/// what one site gets …
pub const NETWORK_BITS_V6: u32 = 48;
/// … and an IPv4 network so many.
pub const NETWORK_BITS_V4: u32 = 24;
/// How many times the bounds of an address a network has, for connections, new ones and guests. By default half of
/// `limits.silent`: one network alone has nobody else refused.
pub const NETWORK_TIMES: u32 = 8;
/// How long the rule `limits.new_per_address` looks back, in seconds.
pub const NEW_WINDOW_S: u64 = 600;
/// Each wrong password adds this much to its address's penalty, in seconds …
pub const PENALTY_STEP_S: u64 = 5;
/// … from this much on the address is refused …
pub const PENALTY_REFUSED_S: u64 = 15;
/// … and it never grows beyond this much: ten minutes.
pub const PENALTY_MOST_S: u64 = 600;
