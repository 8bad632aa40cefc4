//! The process, as the kernel sees it.

use std::fs;

use rustix::process::{Resource, getrlimit};

use crate::engine::Process;

/// Milliseconds of a tick in `/proc`: Linux shows times in hundredths of a second, on all machines.
const TICK_MS: u64 = 10;
/// The places of fields in `/proc/self/stat`, counted from the field behind the program's name.
const USER: usize = 11;
const KERNEL: usize = 12;
const VIRTUAL: usize = 20;

/// Looks at the process. `None` if `/proc` cannot be read. `started_s` is when it started, in seconds since 1970.
pub(crate) fn look(started_s: u64) -> Option<Process> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mut process = read(&stat, &status)?;
    process.open_fds = open_descriptors()?;
    process.max_fds = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    process.started_s = started_s;
    Some(process)
}

/// Reads what the kernel shows. The program's name may contain spaces and brackets.
fn read(stat: &str, status: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let resident_kib: u64 = resident.trim_end_matches("kB").trim().parse().ok()?;
    Some(Process {
        cpu_ms: (field(USER)? + field(KERNEL)?) * TICK_MS,
        virtual_bytes: field(VIRTUAL)?,
        resident_bytes: resident_kib * 1_024,
        ..Process::default()
    })
}

/// The number of open descriptors. New kernels give it as the size of the folder; others must be counted.
fn open_descriptors() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    match fs::metadata(FOLDER).ok()?.len() {
        0 => Some(fs::read_dir(FOLDER).ok()?.count() as u64 - 1), // without the folder itself
        count => Some(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_shows() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 120 30 7 8 20 0 3 0 99 123456 77 18446744073709551615\n";
        let process = read(stat, "Name:\ta\nVmSize:\t  9 kB\nVmRSS:\t   12 kB\n").unwrap();
        let expected = Process { cpu_ms: 1_500, virtual_bytes: 123_456, resident_bytes: 12_288, ..Process::default() };
        assert_eq!(process, expected);
        assert_eq!(read("7 (a) S 1", "VmRSS: 1 kB"), None);
    }

    #[test]
    fn this_process() {
        let process = look(5).unwrap();
        assert!(process.resident_bytes > 100_000 && process.virtual_bytes >= process.resident_bytes, "{process:?}");
        assert!((3..process.max_fds).contains(&process.open_fds), "{process:?}");
        assert_eq!(process.started_s, 5);
    }
}
