//! The results of a run: the JSON object of `--json`, and the source of the table.

use hdrhistogram::Histogram;
use serde::Serialize;

use super::entrance::{Arrivals, Reasons};
use super::fleet::Handshakes;
use super::process::Memory;
use super::run::SECOND;

/// The results. Figures that do not apply are left out of the JSON object.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Report {
    /// The name of the workload.
    pub(super) work: &'static str,
    /// The workload in a sentence.
    pub(super) what: String,
    /// The server's address.
    pub(super) server: String,
    /// Whether the connections were WebSockets, with `--web`.
    #[serde(skip_serializing_if = "is_not")]
    pub(super) web: bool,
    /// Whether they spoke IRC, with `--irc`.
    #[serde(skip_serializing_if = "is_not")]
    pub(super) irc: bool,
    /// Whether the server that was started for the run kept a history: `on` or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<&'static str>,
    /// Whether Ctrl-C ended the run early.
    pub(super) interrupted: bool,
    /// Whether all connections ended before the run did.
    pub(super) server_went_away: bool,
    /// The connections.
    pub(super) connections: Connections,
    /// The handshakes of the logins, with `--tls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Encryption>,
    /// Handshakes beside the talk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handshakes: Option<Handshaken>,
    /// Lines sent and received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lines: Option<Lines>,
    /// Latency of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_us: Option<Spread>,
    /// The server's restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storm: Option<Storm>,
    /// A long history, and what it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<Store>,
    /// Resource usage of the server's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) process: Option<Process>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) process_unknown: Option<String>,
    /// The part of the time that chatload itself was busy, 0 to 1. Near 1, it measured itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chatload_busy: Option<f64>,
}

fn is_not(flag: &bool) -> bool {
    !flag
}

/// The logins, and the connections that ended.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Connections {
    pub(super) asked: u64,
    /// Those that have logged in (and entered their room).
    pub(super) logged_in: u64,
    /// Those that created an account.
    pub(super) registered: u64,
    /// Greetings a second, from the start of the first connection to the last greeting.
    pub(super) connections_per_s: f64,
    /// Logins a second, likewise.
    pub(super) logins_per_s: f64,
    /// Why others did not log in.
    pub(super) failed: Reasons,
    /// Why some connections ended before the run did.
    pub(super) ended: Reasons,
}

/// The handshakes of TLS while all logged in.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Encryption {
    pub(super) full: u64,
    pub(super) resumed: u64,
    /// From the start of the second connection to the last handshake.
    pub(super) handshakes_per_s: f64,
}

/// Connections that shake hands and leave.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Handshaken {
    pub(super) full: u64,
    pub(super) resumed: u64,
    pub(super) per_s: f64,
    /// Connections that were due, and for which none was free: with `--rate`, the server is too slow for it.
    pub(super) not_begun: u64,
    /// Why others have failed.
    pub(super) failed: Reasons,
    /// From when a connection was due to its greeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until_greeting_us: Option<Spread>,
}

/// Lines sent and received.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Lines {
    /// `open` or `closed`.
    #[serde(rename = "loop")]
    pub(super) pace: &'static str,
    /// From the first line sent to the last one received.
    pub(super) seconds: f64,
    /// Bytes of a line's text.
    pub(super) size_bytes: usize,
    pub(super) said: u64,
    pub(super) said_per_s: f64,
    /// Lines that the server refused.
    pub(super) refused: u64,
    /// Lines that it delivered and did not keep, because its history was full.
    pub(super) not_kept: u64,
    /// Lines that it has not answered.
    pub(super) unanswered: u64,
    /// Lines that were due, and that the server did not take in time.
    pub(super) unsaid: u64,
    /// Lines received, counted at each receiver.
    pub(super) deliveries: u64,
    pub(super) deliveries_per_s: f64,
    pub(super) lost: u64,
    pub(super) out_of_order: u64,
    /// Lines received by a connection that they were not for.
    pub(super) strays: u64,
    /// Messages without an id greater than that of the message before, where ids are looked at: by IRC.
    pub(super) bad_ids: u64,
}

/// A distribution of times, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Spread {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

/// How soon all clients were back after a restart.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Storm {
    /// From the kill until the new server listened, in seconds.
    pub(super) down_s: f64,
    /// Connections that resumed by token.
    pub(super) resumed: u64,
    /// From the moment the new server listened until the last of them was logged in, in seconds.
    pub(super) all_resumed_s: f64,
    /// … and until half of them were.
    pub(super) half_resumed_s: f64,
}

/// A long history, and what it was asked.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Store {
    /// Messages that were put into it.
    pub(super) rows: u64,
    pub(super) places: u64,
    /// Places of each reader.
    pub(super) places_each: u64,
    /// Its size on disk.
    pub(super) bytes: u64,
    pub(super) bytes_per_row: f64,
    /// How long the filling took, in seconds; not by the server.
    pub(super) fill_s: f64,
    pub(super) rows_per_s: f64,
    /// From the start of the server until it listened, in seconds.
    pub(super) start_s: f64,
    /// What it was asked.
    pub(super) questions: Vec<Question>,
}

/// Something that was asked again and again.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Question {
    pub(super) what: &'static str,
    /// How often it was answered.
    pub(super) answered: u64,
    /// Other answers, and ends of connections.
    pub(super) refused: Reasons,
    /// Lines of an answer before the last one, on average.
    pub(super) lines_each: f64,
    /// From the question to the last line of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_us: Option<Spread>,
}

/// Resource usage of the server's process.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Process {
    /// Processor time during the measurement, in seconds.
    pub(super) cpu_s: f64,
    /// The share of one processor, 0 to 1 for each.
    pub(super) cpu_share: f64,
    /// Processor time per delivery, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us_per_delivery: Option<f64>,
    /// Processor time of the event loop, in seconds, and in microseconds per delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loop_cpu_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loop_cpu_us_per_delivery: Option<f64>,
    /// Processor time of the history's threads, in seconds, and in microseconds per line that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history_cpu_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history_cpu_us_per_line: Option<f64>,
    /// Processor time per handshake, in microseconds, with everything else that a short connection costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us_per_handshake: Option<f64>,
    /// Memory that each logged-in connection has added, in bytes: resident, and with shared memory counted in
    /// proportion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_bytes_per_connection: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pss_bytes_per_connection: Option<f64>,
    /// Memory at the end, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rss_bytes: Option<u64>,
}

impl Connections {
    /// The result of logging `asked` connections in from `begin` on, in nanoseconds of the run, when `before` were
    /// logged in already.
    pub(super) fn new(asked: u64, arrivals: &Arrivals, begin: u64, before: (u64, u64)) -> Self {
        let (greeted, logged_in) = before;
        Self {
            asked,
            logged_in: arrivals.entered.len() as u64,
            registered: arrivals.registered,
            connections_per_s: per_second(arrivals.greeted.saturating_sub(greeted), begin, arrivals.last_greeted),
            logins_per_s: per_second(arrivals.logged_in.saturating_sub(logged_in), begin, arrivals.last_logged_in),
            failed: arrivals.failed.clone(),
            ended: arrivals.ended.clone(),
        }
    }
}

impl Encryption {
    /// These handshakes, since `begin`, in nanoseconds of the run, when `before` were done already.
    pub(super) fn new(found: Handshakes, begin: u64, before: u64) -> Self {
        let since = (found.full + found.resumed).saturating_sub(before);
        Self { full: found.full, resumed: found.resumed, handshakes_per_s: per_second(since, begin, found.last) }
    }
}

impl Spread {
    /// From times in nanoseconds; `None` without any.
    pub(super) fn new(times: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
        (!times.is_empty()).then(|| Self {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: times.max() as f64 / 1000.0,
        })
    }
}

impl Process {
    /// Sets the memory that `connections` have added.
    pub(super) fn set_memory(&mut self, before: Option<Memory>, after: Option<Memory>, connections: u64) {
        let (Some(before), Some(after)) = (before, after) else { return };
        self.rss_bytes = Some(after.rss);
        if connections > 0 {
            let each = |before: u64, after: u64| after.saturating_sub(before) as f64 / connections as f64;
            self.rss_bytes_per_connection = Some(each(before.rss, after.rss));
            self.pss_bytes_per_connection = Some(each(before.pss, after.pss));
        }
    }
}

impl Report {
    /// What went wrong, for the operator and the exit code; `None` if nothing did.
    pub(super) fn fault(&self) -> Option<String> {
        if self.server_went_away {
            return Some("the server went away before the run was over".to_owned());
        }
        if let Some(storm) = self.storm.filter(|storm| storm.resumed < self.connections.logged_in && !self.interrupted)
        {
            return Some(format!("{} connections did not come back", self.connections.logged_in - storm.resumed));
        }
        if let Some(question) = self.store.iter().flat_map(|store| &store.questions).find(|asked| asked.answered == 0) {
            let why: Vec<&str> = question.refused.keys().map(String::as_str).collect();
            return Some(format!("{}: no answer was as it must be: {}", question.what, why.join("; ")));
        }
        let lines = self.lines.as_ref()?;
        let wrong = [
            (lines.lost, "lost"),
            (lines.out_of_order, "out of order"),
            (lines.strays, "heard by others"),
            (lines.bad_ids, "without a later id"),
        ];
        let told: Vec<String> =
            wrong.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        (!told.is_empty()).then(|| format!("not every line came as it must: {}", told.join(", ")))
    }
}

/// Events a second between two times in nanoseconds; 0 if no time has passed.
pub(super) fn per_second(count: u64, from: u64, to: u64) -> f64 {
    let seconds = to.saturating_sub(from) as f64 / SECOND as f64;
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_memory() {
        assert_eq!(per_second(10, SECOND, 3 * SECOND), 5.0);
        assert_eq!(per_second(10, SECOND, SECOND), 0.0);
        let mut process = Process::default();
        process.set_memory(Some(Memory { rss: 1000, pss: 500 }), Some(Memory { rss: 3000, pss: 700 }), 10);
        assert_eq!((process.rss_bytes_per_connection, process.pss_bytes_per_connection), (Some(200.0), Some(20.0)));
        process = Process::default();
        process.set_memory(None, Some(Memory::default()), 10);
        assert_eq!(process.rss_bytes, None);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let mut report = Report { lines: Some(Lines::default()), ..Report::default() };
        assert_eq!(report.fault(), None);
        report.lines = Some(Lines { lost: 2, strays: 1, bad_ids: 3, ..Lines::default() });
        let told = "not every line came as it must: 2 lost, 1 heard by others, 3 without a later id";
        assert_eq!(report.fault().unwrap(), told);
        report.lines = None;
        report.connections.logged_in = 5;
        report.storm = Some(Storm { resumed: 3, ..Storm::default() });
        assert_eq!(report.fault().unwrap(), "2 connections did not come back");
        report.interrupted = true;
        assert_eq!(report.fault(), None);
        report.server_went_away = true;
        assert!(report.fault().unwrap().contains("went away"));
    }

    #[test]
    fn what_does_not_apply_is_left_out() {
        let json = serde_json::to_value(Report { work: "idle", ..Report::default() }).unwrap();
        assert!(json.get("lines").is_none() && json.get("storm").is_none());
        assert_eq!(json["work"], "idle");
    }
}
