//! The cases 7: the end of a conversation.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    let mut all = vec![
        case("7.1.1", &[frame(TEXT, "Hello World!"), bye()], &[echo("Hello World!"), closed(1000)]),
        case("7.1.2", &[bye(), frame(CLOSE, "")], &[closed(1000)]),
        case("7.1.3", &[bye(), frame(PING, "")], &[closed(1000)]),
        case("7.1.4", &[bye(), frame(TEXT, "Hello World!")], &[closed(1000)]),
        case("7.1.5", &[frame(FIRST, "fragment1"), bye(), frame(LAST, "fragment2")], &[closed(1000)]),
        long_message(),
        case("7.3.1", &[frame(CLOSE, "")], &[closed(1000)]),
        case("7.3.2", &[frame(CLOSE, "a")], &[failed(1002)]),
        case("7.3.3", &[bye()], &[closed(1000)]),
        case("7.3.4", &[close(1000, "Hello World!")], &[closed(1000)]),
        case("7.3.5", &[close(1000, [b'*'; 123])], &[closed(1000)]),
        case("7.3.6", &[close(1000, [b'*'; 124])], &[failed(1002)]),
        case(
            "7.5.1",
            &[close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited")],
            &[failed(1007)],
        ),
    ];
    let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    all.extend((1..).zip(valid).map(|(number, code)| {
        // 1000 would do too.
        case(format!("7.7.{number}"), &[close(code, "")], &[closed(code)])
    }));
    let invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
    all.extend(
        (1..).zip(invalid).map(|(number, code)| case(format!("7.9.{number}"), &[close(code, "")], &[failed(1002)])),
    );
    // The suite only watches these two.
    all.extend(
        (1..)
            .zip([5000, 65_535])
            .map(|(number, code)| case(format!("7.13.{number}"), &[close(code, "")], &[failed(1002)])),
    );
    all
}

/// The suite sees whether a long message or the close behind it is answered first.
fn long_message() -> Case {
    let long = long_frame(TEXT, "BAsd7&jh23", 256 * 1024);
    let sent = [long, frame(TEXT, "Hello World!"), bye(), frame(PING, "")];
    case("7.1.6", &sent, &[echo("Hello World!"), closed(1000)]).but(TOO_LONG, &[failed(1009)])
}
