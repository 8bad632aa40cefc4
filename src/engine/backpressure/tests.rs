//! Tests of who waits for whom, and of lines that wait.

use super::*;

#[test]
fn a_short_line_waits_little_and_a_long_one_half_a_second() {
    for (bytes, expected) in [(0, 40), (64, 40), (328, 40), (400, 48), (4096, 500)] {
        assert_eq!(longest_wait(bytes), expected, "{bytes} bytes");
    }
}

#[track_caller]
fn check(receivers: usize, lagging: usize, endangered: usize, expected: Lag) {
    let audience = Audience { receivers, lagging, endangered };
    assert_eq!(audience.lag(), expected, "{audience:?}");
}

#[test]
fn who_slows_the_speakers() {
    check(1, 0, 0, Lag::Nobody);
    check(1, 1, 0, Lag::Many);
    check(2, 1, 0, Lag::Nobody);
    check(2, 2, 0, Lag::Many);
    check(31, 2, 0, Lag::Many);
    check(32, 2, 0, Lag::Nobody);
    check(10_000, 625, 0, Lag::Nobody);
    check(10_000, 626, 0, Lag::Many);
    check(10_000, 1, 1, Lag::One);
}
