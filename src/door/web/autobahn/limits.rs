//! The cases 9: long messages, and many.

use super::*;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

const PATTERN: &str = "BAsd7&jh23";
const BINARY_PATTERN: &[u8] = b"\x00\xfe\x23\xfa\xf0";

pub(super) fn cases() -> Vec<Case> {
    [growing(), in_fragments(), in_pieces(), many()].into_iter().flatten().collect()
}

/// Where a message is refused, it does not matter what its echo would be.
fn refused_case(id: String, sent: &[Vec<u8>], why: &'static str, code: u16) -> Case {
    case(id, sent, &[b"the same message".to_vec(), closed(1000)]).but(why, &[failed(code)])
}

fn growing() -> Vec<Case> {
    let mut all = Vec::new();
    for (number, size) in (1..).zip([64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB]) {
        let id = format!("9.1.{number}");
        let sent = [long_frame(TEXT, PATTERN, size), bye()];
        all.push(if size == DISCARD_BYTES {
            case(id, &sent, &[b"the same message".to_vec(), closed(1000)])
                .but(ONE_BYTE_LESS, &[refused(), closed(1000)])
        } else {
            refused_case(id, &sent, TOO_LONG, 1009)
        });
        let sent = [long_frame(BINARY, BINARY_PATTERN, size), bye()];
        all.push(refused_case(format!("9.2.{number}"), &sent, NO_BINARY, 1003));
    }
    all
}

/// 4 MiB in fragments.
fn in_fragments() -> Vec<Case> {
    let sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
    let fragments = |first: u8, pattern: &str, size: usize| {
        let count = (4 * MIB / size).min(MADE_BYTES / size + 1);
        let firsts = std::iter::once(first & !LAST).chain(std::iter::repeat(MORE));
        let whole = if size == 4 * MIB { LAST } else { 0 };
        firsts.take(count).map(|first| long_frame(first | whole, pattern, size)).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for (number, size) in (1..).zip(sizes) {
        all.push(refused_case(format!("9.3.{number}"), &fragments(TEXT, "*", size), TOO_LONG, 1009));
        all.push(refused_case(format!("9.4.{number}"), &fragments(BINARY, "*", size), NO_BINARY, 1003));
    }
    all
}

/// 1 MiB in small writes.
fn in_pieces() -> Vec<Case> {
    let mut all = Vec::new();
    for (number, chop) in (1..).zip([64, 128, 256, 512, 1024, 2048]) {
        let (text, binary) = (long_frame(TEXT, PATTERN, MIB), long_frame(BINARY, BINARY_PATTERN, MIB));
        all.push(refused_case(format!("9.5.{number}"), &[text], TOO_LONG, 1009).in_pieces_of(chop));
        all.push(refused_case(format!("9.6.{number}"), &[binary], NO_BINARY, 1003).in_pieces_of(chop));
    }
    all
}

/// A thousand messages, each after the echo of the one before.
fn many() -> Vec<Case> {
    let mut all = Vec::new();
    for (number, size) in (1..).zip([0, 16, 64, 256, 1024, 4096]) {
        let sent = [frame(TEXT, "*".repeat(size)).repeat(1_000), bye()];
        let heard = [echo("*".repeat(size)).repeat(1_000), closed(1000)];
        all.push(case(format!("9.7.{number}"), &sent, &heard).in_pieces_of(sent[0].len() / 1_000));
        let sent = [long_frame(BINARY, b"\xfe", size).repeat(1_000), bye()];
        all.push(refused_case(format!("9.8.{number}"), &sent, NO_BINARY, 1003));
    }
    all
}
