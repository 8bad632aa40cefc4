use super::text::{decode, encode};
use super::*;
use crate::limits::REASON_BYTES;

fn ban(what: &str, until: Option<u64>, why: &str) -> Ban {
    Ban { what: What::parse(what).unwrap(), until, reason: reason(why.as_bytes()).unwrap() }
}

fn list(bans: &[(&str, Option<u64>, &str)]) -> Bans {
    let mut list = Bans::default();
    bans.iter().for_each(|(what, until, why)| list.add(ban(what, *until, why)).unwrap());
    list
}

#[track_caller]
fn check_address(bans: &Bans, ip: &str, now: u64, expected: Option<&str>) {
    assert_eq!(bans.of_address(ip.parse().unwrap(), now).map(|reason| &**reason), expected, "{ip} at {now}");
}

#[track_caller]
fn check_name(bans: &Bans, name: &str, now: u64, expected: Option<&str>) {
    let name = UserName::from_record(name).unwrap();
    assert_eq!(bans.of_name(&name, now).map(|reason| &**reason), expected, "{name} at {now}");
}

#[test]
fn names_and_addresses_are_found_until_their_bans_are_over() {
    let bans = list(&[("Mallory", None, "spam"), ("trent", Some(50), "for a while"), ("192.0.2.7", Some(10), "one")]);
    check_name(&bans, "mALLORY", u64::MAX, Some("spam"));
    check_name(&bans, "trent", 49, Some("for a while"));
    check_name(&bans, "trent", 50, None);
    check_name(&bans, "alice", 0, None);
    check_address(&bans, "192.0.2.7", 9, Some("one"));
    check_address(&bans, "::ffff:192.0.2.7", 9, Some("one"));
    check_address(&bans, "192.0.2.7", 10, None);
    check_address(&bans, "192.0.2.8", 9, None);
    // A clock that is set back makes a ban hold again, and one that is set forward ends it.
    check_name(&bans, "trent", 51, None);
    check_name(&bans, "trent", 49, Some("for a while"));
}

#[test]
fn of_several_networks_the_smallest_that_holds_counts() {
    let nets = [
        ("10.0.0.0/8", None, "eight"),
        ("10.1.0.0/16", Some(10), "sixteen"),
        ("10.1.2.3", Some(5), "one"),
        ("2001:db8::/32", None, "six"),
        ("2001:db8:0:7::1", Some(5), "its /64"),
    ];
    let bans = list(&nets);
    for (ip, now, expected) in [
        ("10.1.2.3", 4, Some("one")),
        ("10.1.2.3", 5, Some("sixteen")),
        ("10.1.2.3", 10, Some("eight")),
        ("10.2.0.0", 0, Some("eight")),
        ("11.0.0.0", 0, None),
        ("2001:db8:0:7:ffff::", 4, Some("its /64")),
        ("2001:db8:0:7:ffff::", 5, Some("six")),
        ("2001:db9::", 0, None),
    ] {
        check_address(&bans, ip, now, expected);
    }
}

#[test]
fn one_ban_for_each_name_and_network() {
    let mut bans = list(&[("alice", None, "one"), ("ALICE", Some(9), "two"), ("2001:db8::1", None, "one")]);
    bans.add(ban("2001:db8::2", None, "two")).unwrap();
    assert_eq!(encode(&bans), "ALICE 9 two\n2001:db8::/64 - two\n");
    assert!(bans.remove(&What::parse("bob").unwrap()).is_none());
    assert!(bans.remove(&What::parse("2001:db8::/63").unwrap()).is_none());
    assert_eq!(bans.remove(&What::parse("2001:db8::3").unwrap()), Some(ban("2001:db8::/64", None, "two")));
    assert!(bans.has_no_nets() && !bans.is_empty());
    bans.forget(9);
    assert!(bans.is_empty());
}

#[test]
fn ten_thousand_and_no_more() {
    let mut bans = Bans::default();
    for n in 0..BANS {
        let what = match n % 3 {
            0 => format!("n{n}"),
            1 => format!("10.{}.{}.0/24", n / 256, n % 256),
            _ => format!("2001:db8:{n:x}::/48"),
        };
        bans.add(ban(&what, None, "x")).unwrap();
    }
    assert_eq!(bans.len(), BANS);
    assert_eq!(bans.add(ban("one.more", None, "x")), Err(Full));
    bans.add(ban("n0", None, "another reason")).unwrap();
    check_name(&bans, "n0", 0, Some("another reason"));
    check_address(&bans, "10.0.1.77", 0, Some("x"));
    let text = encode(&bans);
    assert_eq!(decode(text.as_bytes()), Ok(bans));
    let more = format!("{text}one.more - x\n");
    assert_eq!(decode(more.as_bytes()).unwrap_err().to_string(), "line 10001: more than 10,000 bans");
}

#[track_caller]
fn check_reason(text: &str, expected: Option<&str>) {
    assert_eq!(reason(text.as_bytes()).as_deref(), expected, "{text:?}");
}

#[test]
fn reasons() {
    check_reason("  two\twords ", Some("two words"));
    check_reason("", Some(""));
    check_reason("Größe\u{200b}", Some("Größe"));
    check_reason(&"x".repeat(REASON_BYTES), Some(&"x".repeat(REASON_BYTES)));
    check_reason(&"x".repeat(REASON_BYTES + 1), None);
    check_reason("\u{1b}[2J", None);
    check_reason("two\nlines", None);
    check_reason("\u{202e}", None);
    assert_eq!(reason(b"\xff"), None);
}

/// Checks the list, as it would be written, that this text holds; or the message about its first bad line.
#[track_caller]
fn check_text(text: &[u8], expected: Result<&str, &str>) {
    let found = decode(text).map(|bans| encode(&bans)).map_err(|bad| bad.to_string());
    match expected {
        Ok(list) => assert_eq!(found.as_deref(), Ok(list)),
        Err(part) => assert!(found.as_ref().is_err_and(|bad| bad.contains(part)), "{found:?}"),
    }
}

#[test]
fn files_as_an_editor_leaves_them() {
    check_text(b"", Ok(""));
    check_text(b"bob - \n\n  \nalice 1795211484 said  twice\n", Ok("alice 1795211484 said  twice\nbob -\n"));
    check_text(b"\xef\xbb\xbfbob - x\r\nBOB - y", Ok("BOB - y\n"));
    check_text(b"bob\n", Err("line 1: its second word"));
    check_text(b"bob - x\nbob  - x\n", Err("line 2: its second word"));
    check_text(b"\n\n# - a note\n", Err("line 3: its first word must be"));
    for until in ["0x10", "+5", "-5", "1.5", "99999999999999999999", "2h"] {
        check_text(format!("bob {until} x\n").as_bytes(), Err("line 1: its second word"));
    }
    check_text(b"10.0.0.0/33 - x\n", Err("line 1: its first word must be"));
    check_text(b"bob - \x1b[2J\n", Err("line 1: its reason"));
    check_text(b"bob - \xff\n", Err("line 1: its reason"));
    check_text(b"bob\0 - x\n", Err("line 1: its first word must be"));
}

#[test]
fn a_file_cut_at_every_byte_is_a_shorter_list_or_names_the_line() {
    let whole = "alice 1795211484 said twice\nbob - x\n192.0.2.0/24 9 y\n2001:db8::/64 - z\n";
    let all = decode(whole.as_bytes()).unwrap();
    for cut in 0..=whole.len() {
        let (text, complete) = (&whole.as_bytes()[..cut], whole[..cut].matches('\n').count());
        match decode(text) {
            Ok(bans) => assert!(bans.len() >= complete, "{cut}: a whole line is lost"),
            Err(bad) => assert_eq!(bad.line, complete + 1, "{cut}"),
        }
    }
    assert_eq!(decode(encode(&all).as_bytes()), Ok(all));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_list_that_reads_the_same_or_a_bad_line(text in "(([a-z0-9.:/ -]{0,20}|\\PC{0,9})\n?){0,9}") {
        if let Ok(bans) = decode(text.as_bytes()) {
            assert_eq!(decode(encode(&bans).as_bytes()), Ok(bans));
        }
    }
}
