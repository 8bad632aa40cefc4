//! Random numbers that can be replayed from their seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator (splitmix64).
pub struct Dice(u64);

impl Dice {
    /// A generator with this seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed in `CHATD_SEED`, or one from the current time. Print it.
    pub fn today() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_nanos() as u64;
        std::env::var("CHATD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now)
    }

    /// A number from 0 to `most - 1`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}
