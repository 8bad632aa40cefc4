//! The resource usage of a process on this machine, from `/proc`.

use std::fs;

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Resident memory.
    pub(super) rss: u64,
    /// The same, with shared memory counted in proportion.
    pub(super) pss: u64,
}

/// Processor time of a process, in seconds, as precise as the kernel's tick (mostly 10 ms). `None` if there is no such
/// process, or no `/proc`.
pub(super) fn cpu_seconds(pid: u32) -> Option<f64> {
    let ticks = ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Processor time of some threads of a chatd, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Threads {
    /// The loop: the thread with the number of the process.
    pub(super) event_loop: f64,
    /// The threads of the history; 0 without any.
    pub(super) history: f64,
}

/// Processor time of the threads of a process, to the nanosecond. `None` if there is no such process, or no `/proc`.
pub(super) fn threads(pid: u32) -> Option<Threads> {
    let mut threads = Threads::default();
    for entry in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let folder = entry.path();
        // A thread may end meanwhile.
        let Ok(stat) = fs::read_to_string(folder.join("schedstat")) else { continue };
        let Ok(name) = fs::read_to_string(folder.join("comm")) else { continue };
        let seconds = ran(&stat)?;
        if entry.file_name().to_str() == Some(pid.to_string().as_str()) {
            threads.event_loop += seconds;
        } else if is_history(name.trim()) {
            threads.history += seconds;
        }
    }
    Some(threads)
}

/// Whether a thread of this name belongs to the history.
fn is_history(name: &str) -> bool {
    ["history", "search"].iter().any(|ours| name.starts_with(ours))
}

/// The time on a processor from `schedstat`, in seconds.
fn ran(schedstat: &str) -> Option<f64> {
    let ns: u64 = schedstat.split(' ').next()?.trim().parse().ok()?;
    Some(ns as f64 / 1e9)
}

/// Memory of a process. `None` if there is none, or if it is another user's.
pub(super) fn memory(pid: u32) -> Option<Memory> {
    rollup(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
}

/// User and system time from `/proc/PID/stat`.
fn ticks(stat: &str) -> Option<u64> {
    // The name is in parentheses and may contain anything; the fields follow it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(user + system)
}

fn rollup(text: &str) -> Option<Memory> {
    let kib = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Some(Memory { rss: kib("Rss:")?, pss: kib("Pss:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_any_process_name() {
        let stat = "77 (a) b (c) S 1 77 77 0 -1 4194560 100 0 0 0 12 34 5 6 20 0 3 0 100 1000 200 184467 1 1";
        assert_eq!(ticks(stat), Some(46));
        assert_eq!(ticks("77 (a"), None);
        assert_eq!(ticks("77 (a) S 1"), None);
    }

    #[test]
    fn threads_are_told_apart() {
        assert_eq!(ran("1500000000 77 3\n"), Some(1.5));
        assert_eq!(ran(""), None);
        assert!(is_history("history") && is_history("search") && !is_history("auth") && !is_history("chatload"));
        let ours = threads(std::process::id()).expect("this process has threads");
        assert!(ours.event_loop > 0.0 && ours.history == 0.0, "{ours:?}");
        assert_eq!(threads(u32::MAX), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "55d0-7ffc ---p 00:00 0 [rollup]\nRss:                4204 kB\nPss:                 610 kB\nPss_Dirty:  9 kB\n";
        assert_eq!(rollup(text), Some(Memory { rss: 4204 * 1024, pss: 610 * 1024 }));
        assert_eq!(rollup("Rss: 1 kB\n"), None);
    }
}
