//! The cases 6: UTF-8.
//!
//! Of 6.4 the suite would like the close at the first wrong byte. The server looks at whole messages, which the suite
//! calls not strict.

use super::*;

/// Five letters in eleven bytes.
const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const HELLO: &str = "Hello-µ@ßöäüàá-UTF-8!!";

pub(super) fn cases() -> Vec<Case> {
    let mut all = pieces();
    all.extend(wrong_pieces());
    let groups = (5..).zip(groups());
    all.extend(groups.flat_map(|(group, texts)| {
        (1..).zip(texts).map(move |(number, (text, is_good))| {
            let id = format!("6.{group}.{number}");
            if is_good {
                case(id, &[frame(TEXT, &text), bye()], &[echo(&text), closed(1000)])
            } else {
                case(id, &[frame(TEXT, &text)], &[failed(1007)])
            }
        })
    }));
    all
}

/// A message in frames of one byte each.
fn bytewise(text: &[u8]) -> Vec<u8> {
    let last = text.len() - 1;
    let frames = text.iter().enumerate().map(|(at, byte)| {
        let first = if at == 0 { FIRST } else { MORE };
        frame(if at == last { first | LAST } else { first }, [*byte])
    });
    frames.collect::<Vec<_>>().concat()
}

fn pieces() -> Vec<Case> {
    let heard = |id: &str, sent: Vec<u8>, text: &[u8]| case(id, &[sent, bye()], &[echo(text), closed(1000)]);
    let three = |middle| [frame(FIRST, ""), frame(MORE, middle), frame(LAST, "")].concat();
    let (one, other) = HELLO.split_at("Hello-µ@ßöä".len());
    vec![
        heard("6.1.1", frame(TEXT, ""), b""),
        heard("6.1.2", three(""), b""),
        heard("6.1.3", three("middle frame payload"), b"middle frame payload"),
        heard("6.2.1", frame(TEXT, HELLO), HELLO.as_bytes()),
        heard("6.2.2", [frame(FIRST, one), frame(LAST, other)].concat(), HELLO.as_bytes()),
        heard("6.2.3", bytewise(HELLO.as_bytes()), HELLO.as_bytes()),
        heard("6.2.4", bytewise(KOSME), KOSME),
    ]
}

fn wrong_pieces() -> Vec<Case> {
    let surrogate = [KOSME, b"\xed\xa0\x80edited"].concat();
    let beyond = [KOSME, b"\xf4\x90\x80\x80edited"].concat();
    let three =
        |at: usize, to: usize| [frame(FIRST, &beyond[..at]), frame(MORE, &beyond[at..to]), frame(LAST, &beyond[to..])];
    let head = frame(TEXT, &beyond).len() - beyond.len();
    vec![
        case("6.3.1", &[frame(TEXT, &surrogate)], &[failed(1007)]),
        case("6.3.2", &[bytewise(&surrogate)], &[failed(1007)]),
        case("6.4.1", &three(11, 15), &[failed(1007)]),
        case("6.4.2", &three(12, 13), &[failed(1007)]),
        case("6.4.3", &[frame(TEXT, &beyond)], &[failed(1007)]).in_pieces_of(head + 11),
        case("6.4.4", &[frame(TEXT, &beyond)], &[failed(1007)]).in_pieces_of(head + 12),
    ]
}

/// A text, and whether it is UTF-8.
type Text = (Vec<u8>, bool);

/// From 6.5 on.
fn groups() -> Vec<Vec<Text>> {
    let good = |texts: &[&[u8]]| texts.iter().map(|text| (text.to_vec(), true)).collect::<Vec<_>>();
    let bad = |texts: &[&[u8]]| texts.iter().map(|text| (text.to_vec(), false)).collect::<Vec<_>>();
    let cut_off: [&[u8]; 10] = [
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xf8\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf",
    ];
    vec![
        good(&[b"hello$world", b"hello\xc2\xa2world", b"hello\xe2\x82\xacworld", b"hello\xf0\xa4\xad\xa2world", KOSME]),
        // Letters end at 2, 5, 7, 9 and 11.
        (1..=11).map(|to| (KOSME[..to].to_vec(), [2, 5, 7, 9, 11].contains(&to))).collect(),
        good(&[b"\0", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        bad(&[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        good(&[b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        bad(&[b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
        [good(&[b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]), bad(&[b"\xf4\x90\x80\x80"])]
            .concat(),
        continuing(),
        [(0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd)]
            .map(|(from, to)| ((from..to).flat_map(|byte| [byte, b' ']).collect(), false))
            .to_vec(),
        bad(&cut_off),
        bad(&[&cut_off.concat()]),
        bad(&[b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
        bad(&[b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"]),
        bad(&[b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"]),
        bad(&[b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"]),
        bad(&[
            b"\xed\xa0\x80",
            b"\xed\xad\xbf",
            b"\xed\xae\x80",
            b"\xed\xaf\xbf",
            b"\xed\xb0\x80",
            b"\xed\xbe\x80",
            b"\xed\xbf\xbf",
        ]),
        surrogate_pairs(),
        no_characters(),
        // The specials, with the sign for what is no character.
        (0xb9..=0xbf).map(|last| (vec![0xef, 0xbf, last], true)).collect(),
    ]
}

/// 6.12: bytes that would continue something. The suite leaves out the last one of all.
fn continuing() -> Vec<Text> {
    let alternating = (2..=6).map(|count| [0x80, 0xbf].into_iter().cycle().take(count).collect());
    let all = [vec![0x80], vec![0xbf]].into_iter().chain(alternating).chain([(0x80..0xbf).collect()]);
    all.map(|text| (text, false)).collect()
}

/// 6.21.
fn surrogate_pairs() -> Vec<Text> {
    let highs: [&[u8]; 4] = [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf"];
    let lows: [&[u8]; 2] = [b"\xed\xb0\x80", b"\xed\xbf\xbf"];
    highs.iter().flat_map(|high| lows.map(|low| ([high, low].concat(), false))).collect()
}

/// 6.22: the last two code points of each plane, which are no characters, but valid.
fn no_characters() -> Vec<Text> {
    let planes = (0..=16_u32).flat_map(|plane| [0xfffe, 0xffff].map(|last| plane << 16 | last));
    planes.map(|code| (String::from_iter(char::from_u32(code)).into_bytes(), true)).collect()
}
