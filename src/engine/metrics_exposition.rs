//! The exposition: all figures as text for Prometheus, in its format 0.0.4.

use std::fmt::{self, Display, Write as _};

use super::Engine;
use super::control::Outside;
use super::counters::{
    ANSWERS, BUCKETS, BUILD_INFO, ByDoor, CLOSED, DEGRADED, HANDSHAKES, Histogram, METRICS, Metric, NOT_AFTER, PROCESS,
    RELOAD_OK, TURNS,
};
use super::degraded::Part;
use crate::close::{self, KINDS};
use crate::door::http::Status;

/// The process, as the kernel sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Processor time, in user space and in the kernel, in milliseconds.
    pub cpu_ms: u64,
    /// Memory in RAM, in bytes.
    pub resident_bytes: u64,
    /// Address space, in bytes.
    pub virtual_bytes: u64,
    /// Open descriptors.
    pub open_fds: u64,
    /// Descriptors that it may open.
    pub max_fds: u64,
    /// When the server started, in seconds since 1970.
    pub started_s: u64,
}

/// Text that grows by metrics.
#[derive(Debug, Default)]
struct Exposition(String);

/// A number of a smaller unit, as a decimal fraction of the base unit.
struct Fraction {
    value: u64,
    /// How many of the smaller unit are one of the base unit: a power of ten.
    of: u64,
    digits: usize,
}

impl Exposition {
    /// The lines about a metric before its samples.
    fn begin(&mut self, metric: &Metric) {
        let Metric { exported, kind, help, .. } = metric;
        let help = help.replace('\\', "\\\\");
        self.line(format_args!("# HELP {exported} {help}"));
        self.line(format_args!("# TYPE {exported} {}", kind.name()));
    }

    /// One sample. `labels` are the values of the metric's labels, in their order.
    fn sample(&mut self, metric: &Metric, labels: &[&str], value: impl Display) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.exported);
        self.0.push_str(metric.exported);
        for (place, (label, text)) in metric.labels.iter().zip(labels).enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let sign = if place == 0 { '{' } else { ',' };
            self.add(format_args!("{sign}{label}=\"{text}\""));
        }
        let end = if metric.labels.is_empty() { "" } else { "}" };
        self.line(format_args!("{end} {value}"));
    }

    /// A metric with one value.
    fn single(&mut self, metric: &Metric, value: impl Display) {
        self.begin(metric);
        self.sample(metric, &[], value);
    }

    /// A metric with a value for each door.
    fn by_door(&mut self, metric: &Metric, counts: &ByDoor, shown: &ByDoor) {
        self.begin(metric);
        for ((door, is_tls, count), (_, _, shown)) in counts.iter().zip(shown.iter()) {
            if shown > 0 {
                self.sample(metric, &[door, if is_tls { "true" } else { "false" }], count);
            }
        }
    }

    /// A sample of the family of TLS handshakes. Its first one begins the family.
    fn result(&mut self, metric: &Metric, result: &str, value: u64) {
        debug_assert_eq!(metric.exported, HANDSHAKES);
        if result == "full" {
            let help = "TLS handshakes that ended, by result.";
            self.begin(&Metric { help, ..*metric });
        }
        self.sample(metric, &[result], value);
    }

    fn histogram(&mut self, metric: &Metric, histogram: &Histogram) {
        self.begin(metric);
        let (name, mut sum) = (metric.exported, 0);
        for (place, count) in histogram.counts.iter().enumerate() {
            sum += count;
            match BUCKETS.get(place) {
                Some(bound) => self.line(format_args!("{name}_bucket{{le=\"{}\"}} {sum}", short(*bound))),
                None => self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {sum}")),
            }
        }
        self.line(format_args!("{name}_sum {}", nanoseconds(histogram.sum_ns)));
        self.line(format_args!("{name}_count {sum}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        self.add(line);
        self.0.push('\n');
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        let result = self.0.write_fmt(text);
        debug_assert!(result.is_ok(), "formatting into a string cannot fail");
    }
}

impl Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, of, digits } = self;
        write!(f, "{}.{:0digits$}", value / of, value % of)
    }
}

/// The numbers of closed connections, by the part of the reason before a colon.
fn by_reason(closed: &[u64; KINDS]) -> Vec<(&'static str, u64)> {
    let mut sums: Vec<(&str, u64)> = Vec::new();
    for (name, count) in close::NAMES.iter().zip(closed) {
        let reason = name.split(':').next().unwrap_or(name);
        match sums.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, sum)) => *sum += count,
            None => sums.push((reason, *count)),
        }
    }
    sums
}

fn nanoseconds(value: u64) -> Fraction {
    Fraction { value, of: 1_000_000_000, digits: 9 }
}

/// A bound of a histogram, in nanoseconds, as seconds without trailing zeros.
fn short(bound: u64) -> String {
    nanoseconds(bound).to_string().trim_end_matches('0').to_owned()
}

impl<S> Engine<S> {
    /// All figures. `outside` are those that the engine does not know; without `process`, those of the process are left
    /// out.
    pub(super) fn exposition(&mut self, outside: &Outside, process: Option<&Process>) -> String {
        self.refresh(outside);
        self.turn.work += self.conns.len(); // they are counted by door
        let (counters, shown) = (&self.counters, self.shown_doors());
        let mut text = Exposition::default();
        for (metric, value) in METRICS.iter().zip(counters.values()) {
            if metric.name == "connections" {
                text.by_door(metric, &self.open_by_door(), &shown);
            } else if metric.name == "accepted" {
                text.by_door(metric, &counters.accepted_at, &shown);
            } else if metric.name == "longest_turn_us" {
                text.single(metric, Fraction { value, of: 1_000_000, digits: 6 });
            } else if let Some(result) = metric.name.strip_prefix("tls_") {
                text.result(metric, result, value);
            } else {
                text.single(metric, value);
            }
        }
        text.begin(&CLOSED);
        for (reason, count) in by_reason(&counters.closed) {
            text.sample(&CLOSED, &[reason], count);
        }
        text.histogram(&TURNS, &counters.turns);
        text.begin(&NOT_AFTER);
        for listening in &self.metrics.listeners {
            if let Some(not_after) = listening.not_after {
                text.sample(&NOT_AFTER, &[&listening.name], not_after);
            }
        }
        text.begin(&ANSWERS);
        for (status, count) in Status::ALL.iter().zip(counters.answers) {
            text.sample(&ANSWERS, &[&status.code().to_string()], count);
        }
        text.single(&RELOAD_OK, u8::from(self.metrics.is_reload_ok));
        text.begin(&BUILD_INFO);
        text.sample(&BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1);
        text.begin(&DEGRADED);
        for part in Part::ALL {
            let is_degraded = self.degraded().any(|shown| shown.part == part);
            text.sample(&DEGRADED, &[part.name()], u8::from(is_degraded));
        }
        if let Some(process) = process {
            text.process(process);
        }
        text.0
    }

    /// The doors that connections can come through, or came through.
    fn shown_doors(&self) -> ByDoor {
        let mut doors = self.counters.accepted_at;
        for listening in &self.metrics.listeners {
            doors.count(listening.door, listening.is_tls);
        }
        doors
    }

    /// Open connections, by door.
    fn open_by_door(&self) -> ByDoor {
        let mut counts = ByDoor::default();
        for conn in self.conns.iter() {
            counts.count(conn.door.name(), conn.is_tls);
        }
        counts
    }
}

impl Exposition {
    fn process(&mut self, process: &Process) {
        let Process { cpu_ms, resident_bytes, virtual_bytes, open_fds, max_fds, started_s } = process;
        let [cpu, resident, of_virtual, open, max, started] = &PROCESS;
        self.single(cpu, Fraction { value: *cpu_ms, of: 1_000, digits: 3 });
        self.single(resident, resident_bytes);
        self.single(of_virtual, virtual_bytes);
        self.single(open, open_fds);
        self.single(max, max_fds);
        self.single(started, started_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::close::CloseReason;
    use crate::engine::counters::{Counters, MetricKind};

    #[test]
    fn labels_are_escaped() {
        let mut text = Exposition::default();
        let metric = Metric { name: "", exported: "x", kind: MetricKind::Gauge, labels: &["a", "b"], help: "one\\two" };
        text.begin(&metric);
        text.sample(&metric, &["q\"uo\\te", "line\nend"], 1);
        assert_eq!(text.0, "# HELP x one\\\\two\n# TYPE x gauge\nx{a=\"q\\\"uo\\\\te\",b=\"line\\nend\"} 1\n");
    }

    #[test]
    fn reasons_are_there_once() {
        let mut closed = [0; KINDS];
        closed[CloseReason::NotAChatClient.index()] = 2;
        closed[CloseReason::ProxyHeader.index()] = 3;
        let sums = by_reason(&closed);
        assert!(sums.contains(&("not a chat client", 5)), "{sums:?}");
        assert_eq!(sums.len(), KINDS - 1);
    }

    #[test]
    fn a_histogram_adds_up() {
        let mut counters = Counters::default();
        for us in [1, 700, 700, 9_000_000] {
            counters.note_turn(std::time::Duration::from_micros(us));
        }
        let mut text = Exposition::default();
        text.histogram(&TURNS, &counters.turns);
        let expected = "chatd_turn_seconds_bucket{le=\"0.0005\"} 1\nchatd_turn_seconds_bucket{le=\"0.001\"} 3\n";
        assert!(text.0.contains(expected), "{}", text.0);
        let expected = "{le=\"0.5\"} 3\nchatd_turn_seconds_bucket{le=\"+Inf\"} 4\nchatd_turn_seconds_sum 9.001401000\n\
                        chatd_turn_seconds_count 4\n";
        assert!(text.0.ends_with(expected), "{}", text.0);
    }
}
