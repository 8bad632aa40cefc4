//! When and where to connect next.

/// The first pause, roughly, after all servers have failed. Each further round doubles it …
const PAUSE_MS: u64 = 1_000;
/// … up to roughly this …
const PAUSE_MOST_MS: u64 = 60_000;
/// … after this many rounds.
const DOUBLINGS: usize = 6;
/// The longest wait that a server can ask for.
const HONOURED_MOST_MS: u64 = 60 * 60 * 1000;
/// After a login of this length the pauses start short again. A server that accepts a client and drops it at once does
/// not count.
const STEADY_MS: u64 = 30_000;

/// Which server is next, and when.
#[derive(Debug)]
pub(super) struct Retry {
    /// For each server, when it may be tried again, in monotonic milliseconds.
    not_before: Vec<u64>,
    server: usize,
    failures: usize,
    random: u64,
}

impl Retry {
    /// For this many servers. `seed` randomizes the pauses.
    pub(super) fn new(servers: usize, seed: u64) -> Self {
        Self { not_before: vec![0; servers.max(1)], server: 0, failures: 0, random: seed }
    }

    /// The current server.
    pub(super) fn server(&self) -> usize {
        self.server
    }

    /// Whether each server has failed since one worked.
    pub(super) fn has_tried_all(&self) -> bool {
        self.failures >= self.not_before.len()
    }

    /// The user was logged in for this long, in milliseconds.
    pub(super) fn lasted(&mut self, ms: u64) {
        if ms >= STEADY_MS {
            self.failures = 0;
        }
    }

    /// The server has failed, and asked to wait for `wants_s` seconds. Returns when to try the next one.
    pub(super) fn fail(&mut self, wants_s: Option<u64>, now_ms: u64) -> u64 {
        let round = self.failures / self.not_before.len();
        let pause = (PAUSE_MS << round.min(DOUBLINGS)).min(PAUSE_MOST_MS);
        self.failures = self.failures.saturating_add(1);
        let is_round_over = self.failures.is_multiple_of(self.not_before.len());
        if let Some(time) = self.not_before.get_mut(self.server) {
            let wants_ms = wants_s.unwrap_or(0).saturating_mul(1000).min(HONOURED_MOST_MS);
            *time = now_ms.saturating_add(wants_ms);
        }
        self.server = (self.server + 1) % self.not_before.len();
        let honoured = self.not_before.get(self.server).map_or(0, |time| time.saturating_sub(now_ms));
        // Between half and one and a half, so that clients that lost the same server do not return in step. If the
        // server named a time, all of that comes after it.
        let jitter = self.draw() % pause;
        let honoured = if honoured > 0 { honoured + jitter / 2 } else { 0 };
        // Another server may work while this one does not, so it is tried without a pause.
        let pause = if is_round_over { pause / 2 + jitter } else { 0 };
        now_ms.saturating_add(pause.max(honoured))
    }

    /// A random 64-bit number (splitmix64).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(retry: &mut Retry, wants_s: Option<u64>, pause_ms: std::ops::Range<u64>, server: usize) {
        let at = retry.fail(wants_s, 5000) - 5000;
        assert!(pause_ms.contains(&at), "{at} is not in {pause_ms:?}");
        assert_eq!(retry.server(), server);
    }

    #[test]
    fn pauses_grow_up_to_a_minute_and_differ() {
        for seed in 0..100 {
            let mut retry = Retry::new(1, seed);
            for exponent in 0..6 {
                let pause = PAUSE_MS << exponent;
                check(&mut retry, None, pause / 2..pause * 3 / 2, 0);
            }
            for _ in 0..200 {
                check(&mut retry, None, 30_000..90_000, 0);
            }
            retry.lasted(STEADY_MS - 1);
            check(&mut retry, None, 30_000..90_000, 0);
            retry.lasted(STEADY_MS);
            check(&mut retry, None, 500..1500, 0);
        }
        let pauses: std::collections::BTreeSet<u64> = (0..100).map(|seed| Retry::new(1, seed).fail(None, 0)).collect();
        assert!(pauses.len() > 80, "{pauses:?}");
    }

    #[test]
    fn a_named_time_is_honoured() {
        for seed in 0..100 {
            check(&mut Retry::new(1, seed), Some(20), 20_000..20_501, 0);
            check(&mut Retry::new(1, seed), Some(u64::MAX), HONOURED_MOST_MS..HONOURED_MOST_MS + 501, 0);
        }
    }

    #[test]
    fn servers_in_turn_each_with_its_own_time() {
        let mut retry = Retry::new(2, 7);
        assert!(!retry.has_tried_all());
        check(&mut retry, Some(20), 0..1, 1);
        assert!(!retry.has_tried_all());
        check(&mut retry, None, 20_000..20_501, 0);
        assert!(retry.has_tried_all());
        check(&mut retry, None, 0..1, 1);
        check(&mut retry, None, 1000..3000, 0);
    }

    #[test]
    fn a_pause_only_after_a_whole_round() {
        let mut retry = Retry::new(3, 7);
        for pause in [500..1500, 1000..3000, 2000..6000] {
            check(&mut retry, None, 0..1, 1);
            check(&mut retry, None, 0..1, 2);
            check(&mut retry, None, pause, 0);
        }
    }
}
