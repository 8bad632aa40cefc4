//! Signals that were ignored when the process was started, as by `nohup` or `trap "" INT`. They must stay ignored.

use std::fs;

/// Whether `signal` is ignored now. Call this before a handler is installed.
pub fn is_ignored(signal: i32) -> bool {
    // If the file cannot be read, assume that no signal is ignored.
    fs::read_to_string("/proc/self/status").is_ok_and(|status| is_in_mask(&status, signal))
}

/// The signals of this list that are not ignored.
pub fn heard(signals: &[i32]) -> Vec<i32> {
    signals.iter().copied().filter(|signal| !is_ignored(*signal)).collect()
}

/// The line `SigIgn:` is a 64-bit mask in hexadecimal. Signal 1 is the lowest bit.
fn is_in_mask(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_read() {
        let status = "Name:\tchatd\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001003\nSigCgt:\t0000000000000000\n";
        for (signal, expected) in [(1, true), (2, true), (3, false), (13, true), (64, false), (0, false), (99, false)] {
            assert_eq!(is_in_mask(status, signal), expected, "{signal}");
        }
        assert!(!is_in_mask("", 1) && !is_in_mask("SigIgn:\tx\n", 1));
    }

    #[test]
    fn the_runtime_ignores_pipe_and_nothing_else() {
        assert!(is_ignored(signal_hook::consts::SIGPIPE));
        assert_eq!(heard(&[signal_hook::consts::SIGTERM]), [signal_hook::consts::SIGTERM]);
    }
}
