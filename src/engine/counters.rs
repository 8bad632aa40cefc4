//! What is counted, for the line of statistics.

use std::fmt;
use std::time::Duration;

use super::send_queue::Sent;
use crate::close::{CloseReason, KINDS, NAMES};

/// What has happened since the start, but for the longest turn.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// The longest turn of the loop since the last line of statistics: nobody was kept waiting longer by one turn.
    pub longest_turn: Duration,
    /// Connections that were let in.
    pub accepted: u64,
    /// Logins, registrations too.
    pub logins: u64,
    /// Accounts made.
    pub registered: u64,
    /// Lines that clients sent.
    pub lines: u64,
    /// Frames queued for somebody other than who caused them.
    pub deliveries: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Times that a connection was not read for a while because its client sent too fast.
    pub rate_paused: u64,
    /// Lines that waited because their receivers lagged.
    pub throttled: u64,
    /// Datagrams taken.
    pub datagrams_in: u64,
    /// … of which so many had no effect: a token, a room, an address, a byte was wrong …
    pub datagrams_invalid: u64,
    /// … and so many because their members spoke too fast.
    pub datagrams_too_fast: u64,
    /// Times that a member of the line door lagged, and so did not get what a datagram said.
    pub datagrams_unheard: u64,
    /// Datagrams that came and found the kernel's queue full, so that they were not taken; as of when the line was
    /// made.
    pub datagrams_lost: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Datagrams not sent: the queue was full …
    pub datagrams_dropped: u64,
    /// … the kernel would not take them …
    pub datagrams_failed: u64,
    /// … or they would have been too long.
    pub datagrams_too_long: u64,
    /// Faults of the server's own: panics, each in what one connection or datagram asked for.
    pub panics: u64,
    /// Connections that clients ended, by EX, end of input or reset.
    pub left: u64,
    /// Connections that the server ended, by reason.
    pub closed: [u64; KINDS],
}

impl Counters {
    /// A turn of the loop has taken so long.
    pub fn note_turn(&mut self, time: Duration) {
        self.longest_turn = self.longest_turn.max(time);
    }

    /// Datagrams were offered to the kernel.
    pub fn count_sent(&mut self, sent: Sent) {
        self.datagrams_out += sent.count;
        self.datagrams_failed += sent.failed;
    }

    /// The server has ended a connection.
    pub fn count_closed(&mut self, reason: CloseReason) {
        if let Some(count) = self.closed.get_mut(reason.index()) {
            *count += 1;
        }
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            longest_turn,
            accepted,
            logins,
            registered,
            lines,
            deliveries,
            bytes_in,
            bytes_out,
            rate_paused,
            throttled,
            datagrams_in,
            datagrams_invalid,
            datagrams_too_fast,
            datagrams_unheard,
            datagrams_lost,
            datagrams_out,
            datagrams_dropped,
            datagrams_failed,
            datagrams_too_long,
            panics,
            left,
            closed,
        } = self;
        write!(f, "longest_turn_us={} ", longest_turn.as_micros())?;
        write!(f, "accepted={accepted} logins={logins} registered={registered} lines={lines} ")?;
        write!(f, "deliveries={deliveries} bytes_in={bytes_in} bytes_out={bytes_out} rate_paused={rate_paused} ")?;
        write!(f, "throttled={throttled} left={left}")?;
        write!(f, " datagrams_in={datagrams_in} datagrams_invalid={datagrams_invalid}")?;
        write!(f, " datagrams_too_fast={datagrams_too_fast} datagrams_unheard={datagrams_unheard}")?;
        write!(f, " datagrams_lost={datagrams_lost}")?;
        write!(f, " datagrams_out={datagrams_out}")?;
        write!(f, " datagrams_dropped={datagrams_dropped} datagrams_failed={datagrams_failed}")?;
        write!(f, " datagrams_too_long={datagrams_too_long}")?;
        write!(f, " panics={panics}")?;
        for (name, count) in NAMES.iter().zip(closed).filter(|(_, count)| **count > 0) {
            write!(f, " \"{name}\"={count}")?;
        }
        Ok(())
    }
}
