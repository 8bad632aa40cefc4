//! A workload with and without a history in turn, and the comparison. Without sockets and clocks.

use serde::Serialize;

use super::report::Report;

/// The runs of a comparison.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Comparison {
    /// The name of the workload.
    pub(super) work: &'static str,
    /// The workload in a sentence.
    pub(super) what: String,
    /// Runs on each side.
    pub(super) turns: u32,
    /// The figures: the median of each side.
    pub(super) compared: Vec<Figure>,
    /// All runs in their order.
    pub(super) runs: Vec<Report>,
}

/// A figure with and without a history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Figure {
    /// What it is, with its unit.
    pub(super) what: &'static str,
    /// The median of the runs with a history.
    pub(super) on: f64,
    /// The median of the runs without one.
    pub(super) off: f64,
    /// The first divided by the second.
    pub(super) ratio: f64,
}

/// How a figure is taken from a report.
type Take = fn(&Report) -> Option<f64>;

/// The figures, where both sides have them.
const FIGURES: [(&str, Take); 8] = [
    ("loop CPU for each delivery, us", |report| report.process?.loop_cpu_us_per_delivery),
    ("CPU for each delivery, us", |report| report.process?.cpu_us_per_delivery),
    ("server's CPU, s", |report| report.process.map(|process| process.cpu_s)),
    ("deliveries a second", |report| report.lines.as_ref().map(|lines| lines.deliveries_per_s)),
    ("latency p50, us", |report| report.latency_us.map(|spread| spread.p50)),
    ("latency p99, us", |report| report.latency_us.map(|spread| spread.p99)),
    ("server's memory, bytes", |report| report.process?.rss_bytes.map(|bytes| bytes as f64)),
    ("all resumed, s", |report| report.storm.map(|storm| storm.all_resumed_s)),
];

impl Comparison {
    /// Compares the runs, each of which says on which side it was.
    pub(super) fn new(turns: u32, runs: Vec<Report>) -> Self {
        let side = |side: &str, take: Take| {
            median(runs.iter().filter(|run| run.history == Some(side)).filter_map(take).collect())
        };
        let figure = |(what, take): (&'static str, Take)| {
            let (on, off) = (side("on", take)?, side("off", take)?);
            (on > 0.0 && off > 0.0).then(|| Figure { what, on, off, ratio: on / off })
        };
        let compared = FIGURES.into_iter().filter_map(figure).collect();
        let (work, what) = runs.first().map(|run| (run.work, run.what.clone())).unwrap_or_default();
        Self { work, what, turns, compared, runs }
    }

    /// What went wrong in a run; `None` if nothing did.
    pub(super) fn fault(&self) -> Option<String> {
        self.runs.iter().find_map(Report::fault)
    }
}

/// Whether the n-th run keeps a history: on, off, off, on, on, off, so that both sides have as many early and late runs.
pub(super) fn is_on(n: u32) -> bool {
    n.is_multiple_of(4) || n % 4 == 3
}

/// The middle one; between the two middle ones of an even number.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(*upper);
    }
    values.get(values.len() / 2 - 1).map(|lower| f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Spread;

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn each_side_has_its_turn() {
        assert_eq!((0..8).filter(|n| is_on(*n)).count(), 4);
        assert_eq!((0..6).filter(|n| is_on(*n)).count(), 3);
        assert!(is_on(0) && !is_on(1) && !is_on(2));
    }

    #[test]
    fn sides_are_compared_by_their_medians() {
        let run = |history, p50| Report {
            work: "mesh",
            history: Some(history),
            latency_us: Some(Spread { p50, ..Spread::default() }),
            ..Report::default()
        };
        let comparison = Comparison::new(2, vec![run("on", 30.0), run("off", 10.0), run("off", 30.0), run("on", 20.0)]);
        let expected = Figure { what: "latency p50, us", on: 25.0, off: 20.0, ratio: 1.25 };
        assert_eq!(comparison.compared, [expected]);
        assert_eq!((comparison.work, comparison.fault()), ("mesh", None));
    }
}
