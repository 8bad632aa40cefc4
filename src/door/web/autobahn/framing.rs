//! The cases 1 to 5: frames, pings, reserved bits, opcodes, fragments.

use super::*;

const HELLO: &str = "Hello, world!";

pub(super) fn cases() -> Vec<Case> {
    let mut all = messages();
    all.extend(pings());
    all.extend(reserved_bits());
    all.extend(opcodes());
    all.extend(fragments());
    all.extend(continuations());
    all
}

/// Sizes around those where heads grow.
fn messages() -> Vec<Case> {
    const SIZES: [usize; 8] = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536];
    let mut all = Vec::new();
    for (number, size) in (1..).zip(SIZES) {
        let payload = "*".repeat(size);
        let sent = [frame(TEXT, &payload), bye()];
        let mut case = case(format!("1.1.{number}"), &sent, &[echo(&payload), closed(1000)]);
        if size > 65_535 {
            case = case.but(ONE_BYTE_LESS, &[refused(), closed(1000)]);
        }
        all.push(if number == 8 { case.in_pieces_of(997) } else { case });
    }
    for (number, size) in (1..).zip(SIZES) {
        let payload = vec![0xfe; size];
        let sent = [frame(BINARY, &payload), bye()];
        let case = case(format!("1.2.{number}"), &sent, &[answer(BINARY, &payload), closed(1000)]);
        let case = case.but(NO_BINARY, &[failed(1003)]);
        all.push(if number == 8 { case.in_pieces_of(997) } else { case });
    }
    all
}

fn pings() -> Vec<Case> {
    let ponged =
        |id: &str, payload: &[u8]| case(id, &[frame(PING, payload), bye()], &[answer(PONG, payload), closed(1000)]);
    let long = [0xfe; 125];
    let unasked = || frame(PONG, "unsolicited pong payload");
    let ten = || (0..10).map(|number| format!("payload-{number}"));
    let asked: Vec<_> = ten().map(|payload| frame(PING, payload)).chain([bye()]).collect();
    let answered: Vec<_> = ten().map(|payload| answer(PONG, payload)).chain([closed(1000)]).collect();
    vec![
        ponged("2.1", b""),
        ponged("2.2", HELLO.as_bytes()),
        ponged("2.3", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"),
        ponged("2.4", &long),
        case("2.5", &[frame(PING, [0xfe; 126])], &[failed(1002)]),
        ponged("2.6", &long).in_pieces_of(1),
        case("2.7", &[frame(PONG, ""), bye()], &[closed(1000)]),
        case("2.8", &[unasked(), bye()], &[closed(1000)]),
        case("2.9", &[unasked(), frame(PING, "ping payload"), bye()], &[answer(PONG, "ping payload"), closed(1000)]),
        case("2.10", &asked, &answered),
        case("2.11", &asked, &answered).in_pieces_of(1),
    ]
}

fn reserved_bits() -> Vec<Case> {
    let after_one = |bits: u8| [frame(TEXT, HELLO), frame(TEXT | bits, HELLO), frame(PING, "")];
    let heard = [echo(HELLO), failed(1002)];
    vec![
        case("3.1", &[frame(TEXT | 0x10, HELLO)], &[failed(1002)]),
        case("3.2", &after_one(0x20), &heard),
        case("3.3", &after_one(0x30), &heard),
        case("3.4", &after_one(0x40), &heard).in_pieces_of(1),
        case("3.5", &[frame(BINARY | 0x50, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")], &[failed(1002)]),
        case("3.6", &[frame(BINARY | 0x60, HELLO)], &[failed(1002)]),
        case("3.7", &[frame(CLOSE | 0x70, "")], &[failed(1002)]),
    ]
}

fn opcodes() -> Vec<Case> {
    let mut all = Vec::new();
    for (group, first) in [("4.1", 3_u8), ("4.2", 11)] {
        let unknown = |step: u8, payload: &str| frame(LAST | (first + step), payload);
        let after_one = |step, payload| [frame(TEXT, HELLO), unknown(step, payload), frame(PING, "")];
        let heard = [echo(HELLO), failed(1002)];
        all.extend([
            case(format!("{group}.1"), &[unknown(0, "")], &[failed(1002)]),
            case(format!("{group}.2"), &[unknown(1, "reserved opcode payload")], &[failed(1002)]),
            case(format!("{group}.3"), &after_one(2, ""), &heard),
            case(format!("{group}.4"), &after_one(3, HELLO), &heard),
            case(format!("{group}.5"), &after_one(4, HELLO), &heard).in_pieces_of(1),
        ]);
    }
    all
}

fn fragments() -> Vec<Case> {
    let halves = || [frame(FIRST, "fragment1"), frame(LAST, "fragment2")];
    let around = || {
        let [first, last] = halves();
        [first, frame(PING, "ping payload"), last, bye()]
    };
    let whole = || case("", &[halves().concat(), bye()], &[echo("fragment1fragment2"), closed(1000)]);
    let ponged = [answer(PONG, "ping payload"), echo("fragment1fragment2"), closed(1000)];
    let of_two_pings = [
        frame(FIRST, "fragment1"),
        frame(MORE, "fragment2"),
        frame(PING, "pongme 1!"),
        frame(MORE, "fragment3"),
        frame(MORE, "fragment4"),
        frame(PING, "pongme 2!"),
        frame(LAST, "fragment5"),
        bye(),
    ];
    let heard = [
        answer(PONG, "pongme 1!"),
        answer(PONG, "pongme 2!"),
        echo("fragment1fragment2fragment3fragment4fragment5"),
        closed(1000),
    ];
    let one = halves()[0].len();
    vec![
        case("5.1", &[frame(PING & 0x7f, "fragment1"), frame(LAST, "fragment2")], &[failed(1002)]),
        case("5.2", &[frame(PONG & 0x7f, "fragment1"), frame(LAST, "fragment2")], &[failed(1002)]),
        Case { id: "5.3".into(), ..whole() },
        Case { id: "5.4".into(), ..whole() }.in_pieces_of(one),
        Case { id: "5.5".into(), ..whole() }.in_pieces_of(1),
        case("5.6", &around(), &ponged),
        case("5.7", &around(), &ponged).in_pieces_of(one),
        case("5.8", &around(), &ponged).in_pieces_of(1),
        case("5.19", &of_two_pings, &heard),
        case("5.20", &of_two_pings, &heard).in_pieces_of(one),
    ]
}

/// Frames that continue nothing, or should continue something.
fn continuations() -> Vec<Case> {
    let stray = |first| [frame(first, "non-continuation payload"), frame(TEXT, HELLO)];
    let one = stray(LAST)[0].len();
    let repeated =
        |first| [frame(first, "fragment1"), frame(FIRST, "fragment2"), frame(LAST, "fragment3")].concat().repeat(2);
    let after_one =
        [frame(FIRST, "fragment1"), frame(LAST, "fragment2"), frame(MORE, "fragment3"), frame(TEXT, "fragment4")];
    vec![
        case("5.9", &stray(LAST), &[failed(1002)]),
        case("5.10", &stray(LAST), &[failed(1002)]).in_pieces_of(one),
        case("5.11", &stray(LAST), &[failed(1002)]).in_pieces_of(1),
        case("5.12", &stray(MORE), &[failed(1002)]),
        case("5.13", &stray(MORE), &[failed(1002)]).in_pieces_of(one),
        case("5.14", &stray(MORE), &[failed(1002)]).in_pieces_of(1),
        case("5.15", &after_one, &[echo("fragment1fragment2"), failed(1002)]),
        case("5.16", &[repeated(MORE)], &[failed(1002)]),
        case("5.17", &[repeated(LAST)], &[failed(1002)]),
        case("5.18", &[frame(FIRST, "fragment1"), frame(TEXT, "fragment2")], &[failed(1002)]),
    ]
}
