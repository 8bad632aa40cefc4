//! Which characters pass, which are removed, and which are refused, at every door.

use testkit::rooms::{JOIN, MAKE, Way, exchange, frames, request};
use testkit::{PASSWORD, Server};

/// Everything that is removed, around two letters.
const HIDDEN: &str = "\u{feff}a\u{61c}\u{200b}\u{200e}\u{200f}\u{2060}\u{2061}\u{2062}\u{2063}\u{2064}b";

#[test]
fn what_is_refused_and_what_is_taken_out() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    let refused = ["\0", "\r x", "\u{1b}[2J", "\u{7f}", "\u{85}", "\u{9b}m", "\u{2028}", "\u{2029}"];
    let turned = ["\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{206a}", "\u{206f}", "\u{fff9}", "\u{fffb}"];
    let tags = ["\u{e0041}", "\u{e0001}", "🏴\u{e0067}", "🏴\u{e0067} \u{e007f}", "x\u{e007f}"];
    for bad in refused.iter().chain(&turned).chain(&tags) {
        assert!(alice.ask(&format!("PM a{bad}b")).starts_with("C 501 "), "{bad:?}");
    }
    for text in [HIDDEN, "ab\u{200b}", "\u{200f}ab"] {
        assert_eq!(alice.ask(&format!("PM {text}")), "C 250 sent to 1");
        assert!(bob.expect("D PM ").ends_with(" alice ab"), "{text:?}");
        assert_eq!(alice.ask(&format!("DM bob {text}")), "C 250 sent to bob");
        assert!(bob.expect("D DM ").ends_with(" alice ab"), "{text:?}");
    }
    for text in [
        "សួស្តី",
        "שָׁלוֹם",
        "مرحبا",
        "می\u{200c}خواهم",
        "👩\u{200d}💻 ❤\u{fe0f}",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    ] {
        assert_eq!(alice.ask(&format!("PM {text}")), "C 250 sent to 1");
        assert!(bob.expect("D PM ").ends_with(&format!(" alice {text}")), "{text:?}");
    }
    // A text that is empty after cleaning, with the prompt left open.
    assert!(alice.ask("PM \u{200b}").starts_with("C 501 "));
    alice.send("PM");
    alice.expect("C 354 ");
    alice.send("\u{200b}\u{feff}");
    alice.expect("C 501 ");
    alice.send("\u{200b} x");
    alice.expect_exact("C 250 sent to 1");
    assert!(bob.expect("D PM ").ends_with(" alice  x"));
}

#[test]
fn a_secret_with_invisible_characters_is_refused() {
    let server = Server::start();
    let mut alice = server.greeted();
    alice.send("alice");
    alice.expect("C 332 ");
    alice.send(&format!("{PASSWORD}\u{200b}"));
    alice.expect("C 501 ");
    alice.send(PASSWORD);
    alice.expect("C 230 ");
    assert!(alice.ask("MAKE tea ses\u{feff}ame").starts_with("C 501 "));
    assert!(alice.ask("MAKE tea sesame").starts_with("C 227 "));
    assert!(alice.ask("JOIN tea ses\u{200e}ame").starts_with("C 501 "));
    alice.send("PASSWD");
    alice.expect("C 331 ");
    alice.send("\u{feff}correct horse");
    alice.expect("C 501 ");
    alice.send(PASSWORD);
    alice.expect("C 332 ");
    alice.send("battery\u{2060} staple");
    alice.expect("C 501 ");
    alice.send("battery staple");
    alice.expect("C 200 ");
}

#[test]
fn a_tab_is_a_space_to_people() {
    let server = Server::builder().rooms(&["", "&down=named"]).start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    let forged = format!("hi{}.C 331 session expired: your password?", "\t".repeat(24));
    assert_eq!(alice.ask(&format!("PM {forged}")), "C 250 sent to 2");
    assert!(bob.expect("D PM ").ends_with(&format!(" alice {forged}")));
    carol.expect_exact(&format!("D PM alice {}", forged.replace('\t', " ")));
    carol.op("MAKE tea");
    carol.expect("C 227 ");
    let guest = server.guest(JOIN, "tea", "zoe");
    carol.expect_exact("C 103 tea ~zoe entered");
    guest.say("a\tb");
    carol.expect_exact("D RM tea ~zoe a b");
    assert_eq!(carol.ask("RM tea c\td"), "C 250 sent to 1");
    guest.expect("carol: c d");
}

#[test]
fn datagrams_too() {
    let server = Server::builder().rooms(&[""]).start();
    let mut alice = server.typed("alice");
    alice.op("MAKE tea");
    alice.expect("C 227 ");
    let guest = server.guest(JOIN, "tea", "zoe");
    alice.expect("C 103 ");
    for invalid in ["\u{200b}", "a\u{206a}", "a\u{e0041}", "\u{fff9}"] {
        guest.say(invalid);
    }
    guest.say(HIDDEN);
    assert!(alice.expect("D RM ").ends_with(" tea ~zoe ab"));
    guest.say("  a ");
    assert!(alice.expect("D RM ").ends_with(" tea ~zoe   a "));
    server.expect_counters(&[("datagrams_invalid", 4)]);
}

#[test]
fn a_leading_byte_order_mark_is_dropped() {
    let server = Server::builder().rooms(&[""]).start();
    for (name, dress) in [("alice", ""), ("bob", "C ")] {
        for is_cut in [false, true] {
            let mut client = server.greeted();
            let bytes = format!("\u{feff}{dress}{name}\n{dress}{PASSWORD}\n{dress}NOOP\n").into_bytes();
            for piece in bytes.chunks(if is_cut { 1 } else { bytes.len() }) {
                client.send_raw(piece);
            }
            client.expect("C 33");
            client.expect("C 230 ");
            client.expect_exact("C 200 done");
        }
    }
    let mut client = server.greeted();
    client.send_raw(b"\xef\xbb\xbf\n\xef\xbb\xbfGET / HTTP/1.1\r\n");
    client.expect_421("not a chat client");
    // At the room door it precedes the request, or the JSON in it.
    let door = server.door("rooms");
    for (name, before) in [("zoe", "\u{feff}"), ("kim", "")] {
        let payload = format!("\u{feff}{{\"username\":\"{name}\"}}");
        let bytes = [before.as_bytes(), &request(MAKE, name, payload.as_bytes())].concat();
        for (way, code) in Way::ALL.into_iter().zip([0, 1, 1, 1, 1]) {
            assert_eq!(frames(&exchange(door, &bytes, way))[0].payload, [code], "{name} {way:?}");
        }
    }
}

#[test]
fn text_at_a_prompt_is_the_text_as_it_is() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    for (operation, kind) in [("PM", "PM"), ("DM bob", "DM")] {
        for text in ["    if x:", " ", "   ", "x  "] {
            alice.send(operation);
            alice.expect("C 354 ");
            alice.send(text);
            alice.expect("C 250 ");
            bob.expect_exact(&format!("D {kind} alice {text}"));
        }
        assert!(alice.ask(&format!("{operation}    x  y ")).starts_with("C 250 "));
        bob.expect_exact(&format!("D {kind} alice x  y "));
    }
    alice.list("DM");
    alice.expect("C 350 ");
    alice.send("bob     indented");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice     indented");
    alice.list("DM");
    alice.expect("C 350 ");
    alice.send("bob   ");
    alice.expect("C 354 ");
    alice.send("  so");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice   so");
    let mut typed = server.typed("carol");
    typed.send("C PM");
    typed.expect("C 354 ");
    typed.send("D   code");
    typed.expect("C 250 ");
    bob.expect_exact("D PM carol   code");
}
