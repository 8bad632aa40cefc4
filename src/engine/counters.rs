//! The counters of the server: one table, from which the line of statistics and the page for operators are made.

use std::fmt;
use std::time::Duration;

use super::send_queue::Sent;
use crate::close::{CloseReason, KINDS, NAMES};

/// Declares [`Counters`], a field for each metric, and [`METRICS`]. The order is that of the line of statistics.
macro_rules! metrics {
    ($($kind:ident $name:ident: $help:literal;)*) => {
        /// The values of all [`METRICS`], and the connections that the server ended.
        #[derive(Clone, Debug, Default)]
        pub struct Counters {
            $(#[doc = $help] pub $name: u64,)*
            #[doc = "Connections that the server ended or refused, by [index](CloseReason::index) of the reason."]
            pub closed: [u64; KINDS],
        }

        /// All metrics except those of [`CLOSED`], in the order of the line of statistics.
        pub const METRICS: &[Metric] =
            &[$(Metric { name: stringify!($name), kind: MetricKind::$kind, help: $help },)*];

        impl Counters {
            /// The values of [`METRICS`], in their order.
            pub fn values(&self) -> impl Iterator<Item = u64> {
                [$(self.$name,)*].into_iter()
            }
        }
    };
}

metrics! {
    Gauge connections: "Connections, including those that are closing.";
    Gauge online: "Accounts that are logged in.";
    Gauge accounts: "Accounts that exist.";
    Gauge rooms: "Rooms that exist.";
    Gauge peers: "Room members registered for UDP, if there is a UDP socket: all guests, and all members from the line \
        door.";
    Gauge hashing: "Passwords that wait to be checked, without the current one. Near `accounts.queue`: logins are too \
        expensive, or somebody is guessing.";
    Gauge owed_bytes: "Memory for the unread output of all connections; a shared page counts once. Near \
        `limits.owed_total_bytes`: the server is about to close the connections that use most.";
    Gauge addresses: "Addresses that the server remembers, at most 65,536.";
    Counter log_lines_dropped: "Log lines that were dropped.";
    Gauge longest_turn_us: "Duration of the longest turn of the loop in microseconds, from waking up to the next sleep, \
        since the last line of statistics: the longest time by which an answer was delayed. Steadily above 20,000: the \
        server has more work than its processor can do, or other programs take the processor away.";
    Counter accepted: "Connections that were accepted, including those of the room door.";
    Counter logins: "Logins, including registrations and tokens.";
    Counter registered: "Accounts that were registered.";
    Counter tls_full: "Complete TLS handshakes with a signature.";
    Counter tls_resumed: "Complete TLS handshakes with a ticket of an earlier one.";
    Counter tls_failed: "TLS handshakes that failed, or were not complete in time.";
    Counter lines: "Lines that clients sent; a request at the room door counts as one. Datagrams do not count.";
    Counter deliveries: "Messages and notices queued, once for each session that receives them as lines. UDP deliveries \
        are counted in `datagrams_out`; replies to the client itself, also at the room door, are counted in neither.";
    Counter bytes_in: "Bytes read over TCP.";
    Counter bytes_out: "Bytes written over TCP.";
    Counter rate_paused: "Times that reading from a connection was paused because it exceeded its rate.";
    Counter throttled: "Lines that were delayed because their receivers lagged.";
    Counter left: "Connections that the server did not end for a reason: EX, end of stream, reset; and every exchange at \
        the room door that was answered, refused or not. Guests that leave by UDP have no connection any more and are \
        not counted.";
    Counter datagrams_in: "Datagrams received.";
    Counter datagrams_invalid: "Datagrams received without effect because something in them was wrong: token, room, \
        address, bytes.";
    Counter datagrams_too_fast: "Datagrams received and dropped because their sender exceeded its rate, in datagrams or \
        in bytes.";
    Counter datagrams_unheard: "Times that a member from the line door missed a message sent as a datagram because its \
        connection lagged.";
    Counter datagrams_lost: "Datagrams that arrived but that the kernel dropped because its queue was full: the server \
        was too slow, or had no processor. Not included in `datagrams_in`.";
    Counter datagrams_out: "Datagrams that the kernel accepted for sending.";
    Counter datagrams_dropped: "Datagrams that were not sent: the kernel accepted none, and too many were waiting \
        already.";
    Counter datagrams_failed: "Datagrams that the kernel refused: no route, forbidden by a filter, out of memory.";
    Counter datagrams_too_long: "Datagrams that would have been longer than 4096 bytes for one of their receivers.";
    Counter panics: "Bugs in the server. If it is not 0, please report the lines `internal error: …` of the log.";
}

/// The metric of [`Counters::closed`]: one value for each close reason, under the reason's name.
pub const CLOSED: Metric = Metric {
    name: "\"REASON\"",
    kind: MetricKind::Counter,
    help: "Connections that the server ended or refused, by reason; reasons with 0 are omitted.",
};

/// A figure that the server reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in the line of statistics.
    pub name: &'static str,
    /// How its value behaves.
    pub kind: MetricKind,
    /// What it counts, for operators: English sentences, with code in backticks.
    pub help: &'static str,
}

/// How the value of a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It grows from 0 at the start of the server.
    Counter,
    /// It is a current value.
    Gauge,
}

impl Counters {
    /// Notes the duration of a turn of the loop.
    pub fn note_turn(&mut self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.longest_turn_us = self.longest_turn_us.max(us);
    }

    /// Counts datagrams that were offered to the kernel.
    pub fn count_sent(&mut self, sent: Sent) {
        self.datagrams_out += sent.count;
        self.datagrams_failed += sent.failed;
    }

    /// Counts a connection that the server ended.
    pub fn count_closed(&mut self, reason: &CloseReason) {
        if let Some(count) = self.closed.get_mut(reason.index()) {
            *count += 1;
        }
    }
}

/// The line of statistics, without its first word.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (metric, value)) in METRICS.iter().zip(self.values()).enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}={value}", metric.name)?;
        }
        for (name, count) in NAMES.iter().zip(self.closed).filter(|(_, count)| *count > 0) {
            write!(f, " \"{name}\"={count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page for operators.
    const PAGE: &str = include_str!("../../docs/operations.md");

    #[test]
    fn the_page_for_operators_has_this_table() {
        let mut table = String::from("| counter | kind | what it counts |\n| --- | --- | --- |\n");
        for metric in METRICS.iter().chain([&CLOSED]) {
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
            };
            table.push_str(&format!("| `{}` | {kind} | {} |\n", metric.name, metric.help));
        }
        assert!(PAGE.contains(&table), "docs/operations.md, section Counters, needs this table:\n\n{table}");
    }

    #[test]
    fn the_page_for_operators_shows_such_a_line() {
        let line =
            PAGE.split("```text\nstats: ").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap_or_default();
        let names: Vec<&str> = line.split_whitespace().filter_map(|pair| pair.split('=').next()).collect();
        assert_eq!(names, METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>());
    }

    #[test]
    fn the_line_has_all_metrics_and_the_reasons_that_occurred() {
        let mut counters = Counters { connections: 3, panics: 1, ..Counters::default() };
        counters.note_turn(Duration::from_nanos(1_999));
        counters.note_turn(Duration::from_nanos(999));
        counters.count_closed(&CloseReason::TooSlow);
        let line = counters.to_string();
        assert!(line.starts_with("connections=3 online=0 "), "{line}");
        assert!(line.contains(" longest_turn_us=1 accepted=0 "), "{line}");
        assert!(line.ends_with(" datagrams_too_long=0 panics=1 \"too slow\"=1"), "{line}");
    }
}
