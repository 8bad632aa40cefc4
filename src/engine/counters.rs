//! The counters of the server: one table, from which the line of statistics and the page for operators are made.

use std::fmt;
use std::time::Duration;

use super::send_queue::Sent;
use crate::close::{CloseReason, KINDS, NAMES};
use crate::door;
use crate::door::http::Status;

/// Declares [`Counters`], a field for each metric, and [`METRICS`]. The order is that of the line of statistics. A metric
/// may have labels, and another name than its field's in the exposition.
macro_rules! metrics {
    ($($kind:ident $name:ident $([$($label:literal),*])? $(as $exported:literal)?: $help:literal;)*) => {
        /// The values of all [`METRICS`] and [`MORE`] that the engine counts.
        #[derive(Clone, Debug, Default)]
        pub struct Counters {
            $(#[doc = $help] pub $name: u64,)*
            /// Connections that the server ended or refused, by [index](CloseReason::index) of the reason.
            pub closed: [u64; KINDS],
            /// Connections that were accepted, by door and by whether it speaks TLS.
            pub accepted_at: ByDoor,
            /// Durations of turns.
            pub turns: Histogram,
            /// Answers by HTTP, by [index](Status::index) of the status.
            pub answers: [u64; Status::ALL.len()],
        }

        /// All metrics of the line of statistics except [`CLOSED`], in its order.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: stringify!($name),
            exported: exported!($kind $name $($exported)?),
            kind: MetricKind::$kind,
            labels: &[$($($label),*)?],
            help: $help,
        },)*];

        impl Counters {
            /// The values of [`METRICS`], in their order.
            pub fn values(&self) -> impl Iterator<Item = u64> {
                [$(self.$name,)*].into_iter()
            }
        }
    };
}

/// The name of a metric in the exposition.
macro_rules! exported {
    (Counter $name:ident) => {
        concat!("chatd_", stringify!($name), "_total")
    };
    (Gauge $name:ident) => {
        concat!("chatd_", stringify!($name))
    };
    ($kind:ident $name:ident $exported:literal) => {
        $exported
    };
}

metrics! {
    Gauge connections ["door", "tls"]: "Connections, including those that are closing.";
    Gauge online: "Accounts that are logged in.";
    Gauge accounts: "Accounts that exist.";
    Gauge rooms: "Rooms that exist.";
    Gauge peers: "Room members registered for UDP, if there is a UDP socket: all guests, and all members from the line \
        door.";
    Gauge hashing: "Passwords that wait to be checked, without the current one. Near `accounts.queue`: logins are too \
        expensive, or somebody is guessing.";
    Gauge owed_bytes: "Memory for the unread output of all connections; a shared page counts once. Near \
        `limits.owed_total_bytes`: the server is about to close the connections that use most.";
    Gauge history_backlog_bytes: "Messages that wait to be stored, in bytes. Near `history.queue_bytes`: the disk is too \
        slow, or fails; then messages are delivered and not stored.";
    Gauge addresses: "Addresses that the server remembers, at most 65,536.";
    Counter log_lines_dropped: "Log lines that were dropped.";
    Gauge longest_turn_us as "chatd_longest_turn_seconds":
        "Duration of the longest turn of the loop, from waking up to the next sleep, since the last line of statistics: \
        the longest time by which an answer was delayed. Steadily above 20 ms: the server has more work than its \
        processor can do, or other programs take the processor away.";
    Counter accepted ["door", "tls"]: "Connections that were accepted, including those of the room door.";
    Counter logins: "Logins, including registrations and tokens.";
    Counter registered: "Accounts that were registered.";
    Counter tls_full ["result"] as "chatd_tls_handshakes_total": "Complete TLS handshakes with a signature.";
    Counter tls_resumed ["result"] as "chatd_tls_handshakes_total": "Complete TLS handshakes with a ticket of an earlier one.";
    Counter tls_failed ["result"] as "chatd_tls_handshakes_total": "TLS handshakes that failed, or were not complete in time.";
    Counter lines: "Lines that clients sent; a request at the room door counts as one. Datagrams do not count.";
    Counter deliveries: "Messages and notices queued, once for each session that receives them as lines. UDP deliveries \
        are counted in `datagrams_out`; replies to the client itself, also at the room door, are counted in neither.";
    Counter bytes_in: "Bytes read over TCP.";
    Counter bytes_out: "Bytes written over TCP.";
    Counter rate_paused: "Times that reading from a connection was paused because it exceeded its rate.";
    Counter throttled: "Lines that were delayed because their receivers lagged.";
    Counter history_kept: "Messages that went to the history to be stored.";
    Counter history_dropped: "Messages that were delivered and not stored, because `history.queue_bytes` waited already.";
    Counter history_holes: "Notes in the history that messages were not stored, one for each place.";
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

/// The family of the results of TLS handshakes: `tls_full`, `tls_resumed` and `tls_failed`.
pub const HANDSHAKES: &str = "chatd_tls_handshakes_total";

/// The metric of [`Counters::closed`]: one value for each close reason, under the reason's name.
pub const CLOSED: Metric = Metric {
    name: "\"REASON\"",
    exported: "chatd_closed_total",
    kind: MetricKind::Counter,
    labels: &["reason"],
    help: "Connections that the server ended or refused, by reason; the line of statistics leaves out those with 0.",
};

/// A metric that the line of statistics does not have.
const fn more(kind: MetricKind, exported: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name: "", exported, kind, labels, help }
}

/// The metrics that the line of statistics does not have.
pub const MORE: &[Metric] = &[TURNS, NOT_AFTER, ANSWERS, RELOAD_OK, BUILD_INFO, DEGRADED];

/// Durations of turns.
pub const TURNS: Metric = more(
    MetricKind::Histogram,
    "chatd_turn_seconds",
    &[],
    "Durations of the turns of the loop: the time by which an answer was delayed.",
);

/// The end of each listener's certificate.
pub const NOT_AFTER: Metric = more(
    MetricKind::Gauge,
    "chatd_tls_not_after_seconds",
    &["listener"],
    "When the certificate of a listener expires, in seconds since 1970.",
);

/// Answers by HTTP.
pub const ANSWERS: Metric =
    more(MetricKind::Counter, "chatd_http_requests_total", &["code"], "Answers to requests by HTTP, by status code.");

/// The result of the last reload.
pub const RELOAD_OK: Metric = more(
    MetricKind::Gauge,
    "chatd_reload_ok",
    &[],
    "1, or 0 if the last reload found a bad configuration, or bad bans, and left the old ones in effect.",
);

/// The version.
pub const BUILD_INFO: Metric = more(MetricKind::Gauge, "chatd_build_info", &["version"], "Always 1.");

/// Degraded parts.
pub const DEGRADED: Metric =
    more(MetricKind::Gauge, "chatd_degraded", &["part"], "1 for each part that is degraded, and 0 for the others.");

/// The process, as the kernel sees it. The names are those that Prometheus uses for any program.
pub const PROCESS: [Metric; 6] = [
    more(MetricKind::Counter, "process_cpu_seconds_total", &[], "Processor time, in user space and in the kernel."),
    more(MetricKind::Gauge, "process_resident_memory_bytes", &[], "Memory in RAM."),
    more(MetricKind::Gauge, "process_virtual_memory_bytes", &[], "Address space."),
    more(MetricKind::Gauge, "process_open_fds", &[], "Open file descriptors."),
    more(MetricKind::Gauge, "process_max_fds", &[], "File descriptors that the process may open."),
    more(MetricKind::Gauge, "process_start_time_seconds", &[], "When the process started, in seconds since 1970."),
];

/// A figure that the server reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in the line of statistics; empty if it is not there.
    pub name: &'static str,
    /// Its name in the exposition for Prometheus.
    pub exported: &'static str,
    /// How its value behaves.
    pub kind: MetricKind,
    /// Its labels in the exposition.
    pub labels: &'static [&'static str],
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
    /// It counts values by size.
    Histogram,
}

impl MetricKind {
    /// Its name in the exposition.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A number for each door, in the clear and by TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByDoor([[u64; 2]; door::NAMES.len()]);

impl ByDoor {
    /// Counts one at a door, given by its [name](door::Door::name).
    pub fn count(&mut self, door: &'static str, is_tls: bool) {
        let place = door::NAMES.iter().position(|name| *name == door);
        if let Some(counts) = place.and_then(|place| self.0.get_mut(place)) {
            let [plain, tls] = counts;
            *(if is_tls { tls } else { plain }) += 1;
        }
    }

    /// The numbers, with the name of the door, and whether it is by TLS.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, bool, u64)> {
        let doors = door::NAMES.into_iter().zip(self.0);
        doors.flat_map(|(name, [plain, tls])| [(name, false, plain), (name, true, tls)])
    }
}

/// Durations, counted by size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Durations up to each bound of [`BUCKETS`] and over the one before; the last are longer than all bounds.
    pub counts: [u64; BUCKETS.len() + 1],
    /// The sum, in nanoseconds.
    pub sum_ns: u64,
}

/// The bounds of a [`Histogram`], in nanoseconds.
pub const BUCKETS: [u64; 10] = [
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
];

impl Histogram {
    /// Counts a duration.
    fn count(&mut self, ns: u64) {
        let bucket = BUCKETS.iter().position(|bound| ns <= *bound).unwrap_or(BUCKETS.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum_ns = self.sum_ns.saturating_add(ns);
    }
}

impl Counters {
    /// Notes the duration of a turn of the loop. Gives it in microseconds.
    pub fn note_turn(&mut self, time: Duration) -> u64 {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.longest_turn_us = self.longest_turn_us.max(ns / 1_000);
        self.turns.count(ns);
        ns / 1_000
    }

    /// Counts an answer by HTTP.
    pub fn count_answer(&mut self, status: Status) {
        if let Some(count) = self.answers.get_mut(status.index()) {
            *count += 1;
        }
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

    fn all() -> impl Iterator<Item = &'static Metric> {
        METRICS.iter().chain([&CLOSED]).chain(MORE).chain(&PROCESS)
    }

    #[test]
    fn the_page_for_operators_has_this_table() {
        let mut table = String::from("| counter | metric | kind | what it counts |\n| --- | --- | --- | --- |\n");
        for Metric { name, exported, kind, labels, help } in all() {
            let name = if name.is_empty() { String::new() } else { format!("`{name}` ") };
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            table.push_str(&format!("| {name}| `{exported}{labels}` | {} | {help} |\n", kind.name()));
        }
        assert!(PAGE.contains(&table), "docs/operations.md, section Counters, needs this table:\n\n{table}");
    }

    #[test]
    fn names_say_what_they_count() {
        let mut names = Vec::new();
        for Metric { name, exported, kind, .. } in all() {
            assert_eq!(exported.ends_with("_total"), *kind == MetricKind::Counter, "{exported}");
            assert!(name.is_empty() || exported.starts_with("chatd_"), "{exported}");
            // One family may have several samples in the line of statistics.
            assert!(!names.contains(exported) || *exported == HANDSHAKES, "{exported}");
            names.push(exported);
        }
    }

    #[test]
    fn turns_are_counted_by_length() {
        let mut turns = Histogram::default();
        for ns in [0, 500_000, 500_001, 2_500_000, 500_000_000, 500_000_001, u64::MAX] {
            turns.count(ns);
        }
        assert_eq!(turns.counts, [2, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(turns.sum_ns, u64::MAX);
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
