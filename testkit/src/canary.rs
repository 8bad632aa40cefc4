//! A well-behaved pair of clients that talk during an attack.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Client, Server, eventually, pause};

/// Enough rounds for a p99.
const ENOUGH: usize = 200;
/// The pause between two rounds: they talk some hundred times a second.
const REST_MS: u64 = 2;
/// The pause within the server's rate limits: each sends a line a round.
const REST_WITHIN_RATES_MS: u64 = 120;

/// Two clients that send each other messages all the time, in a thread of their own.
pub struct Canary {
    is_over: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    thread: Option<JoinHandle<Vec<Duration>>>,
}

impl Canary {
    /// Logs the two in, as `canary1` and `canary2`. The server must have no rate limits.
    #[track_caller]
    pub fn start(server: &Server) -> Self {
        Self::start_with(server, REST_MS)
    }

    /// The same for a server with rate limits: the two talk more slowly.
    #[track_caller]
    pub fn start_within_rates(server: &Server) -> Self {
        Self::start_with(server, REST_WITHIN_RATES_MS)
    }

    #[track_caller]
    fn start_with(server: &Server, rest_ms: u64) -> Self {
        let mut pair = (server.bare("canary1"), server.bare("canary2"));
        let is_over = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicUsize::new(0));
        let (flag, count) = (Arc::clone(&is_over), Arc::clone(&rounds));
        let thread = thread::spawn(move || {
            let mut times = Vec::new();
            // One round at least, even if this thread begins late.
            loop {
                times.push(round(&mut pair, times.len()));
                count.store(times.len(), Ordering::Relaxed);
                if flag.load(Ordering::Relaxed) {
                    return times;
                }
                pause(rest_ms);
            }
        });
        Self { is_over, rounds, thread: Some(thread) }
    }

    /// Waits for fifty more rounds.
    #[track_caller]
    pub fn talks(&self) {
        let before = self.rounds.load(Ordering::Relaxed);
        eventually("the canary goes on", || self.rounds.load(Ordering::Relaxed) >= before + 50);
    }

    /// Whether there have been enough rounds for a p99.
    pub fn has_enough(&self) -> bool {
        self.rounds.load(Ordering::Relaxed) >= ENOUGH
    }

    /// The two must still be talking. Prints how long a message and its reply took.
    #[track_caller]
    pub fn finish(mut self, what: &str) {
        self.is_over.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it is finished once");
        let mut times = thread.join().expect("the canary lives");
        times.sort();
        let p99 = times.get(times.len() * 99 / 100).expect("a round");
        let most = times.last().expect("a round");
        println!("canary, {what}: p99 {p99:?}, max {most:?} of {} rounds", times.len());
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// One sends a message, and the other answers.
#[track_caller]
fn round((one, two): &mut (Client, Client), number: usize) -> Duration {
    let begun = Instant::now();
    one.send(&format!("DM canary2 {number}"));
    hears(two, &format!("D DM canary1 {number}"));
    two.send(&format!("DM canary1 {number}"));
    hears(one, "C 250 sent to canary2");
    hears(one, &format!("D DM canary2 {number}"));
    hears(two, "C 250 sent to canary1");
    begun.elapsed()
}

/// The next line must be this, but for what is said to everybody and for notices.
#[track_caller]
fn hears(client: &mut Client, expected: &str) {
    loop {
        let line = client.line();
        if line == expected {
            return;
        }
        assert!(line.starts_with("D PM ") || line.starts_with("C 1"), "expected {expected:?}, got {line:?}");
    }
}
