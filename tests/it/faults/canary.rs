//! Two people who talk while something happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::util::{Server, pause};

/// They say something every so many milliseconds.
const EVERY_MS: u64 = 10;

/// A pair that talks on its own thread, until it is stopped.
pub(super) struct Canary {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Canary {
    /// Has two people log in and talk.
    #[track_caller]
    pub(super) fn start(server: &Server) -> Self {
        let (mut tweety, mut friend) = (server.bare("tweety"), server.bare("friend"));
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                tweety.send("DM friend hello");
                while friend.line() != "D DM tweety hello" {}
                times.push(begun.elapsed());
                while tweety.line() != "C 250 sent to friend" {}
                pause(EVERY_MS);
            }
            times
        });
        Self { is_over, thread }
    }

    /// How they fared, in words. Fails if they did not.
    pub(super) fn stop(self) -> String {
        self.is_over.store(true, Ordering::Relaxed);
        let mut times = self.thread.join().expect("the canary lives");
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
        format!("canary p50 {:?}, p99 {:?} of {}", at(50), at(99), times.len())
    }
}
