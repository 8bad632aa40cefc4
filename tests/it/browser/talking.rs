//! Talking: to everybody and in private.

use rustix::process::Signal;

use super::*;

#[test]
fn a_message_is_busy_until_the_server_confirms_it() {
    let server = served().start();
    let mut bob = server.typed("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    server.signal(Signal::STOP);
    page.say("hello");
    page.session.wait("a message that is not confirmed", || (page.messages().len() == 1).then_some(()));
    let waiting = page.messages().remove(0);
    assert_eq!((waiting.id.as_str(), waiting.is_busy), ("", true));
    assert_eq!((waiting.from.as_str(), waiting.text.as_str()), ("alice", "hello"));
    server.signal(Signal::CONT);
    page.expect_lines(&["alice: hello"]);
    let line = bob.expect("D PM ");
    assert_eq!(line, format!("D PM {} alice hello", page.messages()[0].id), "the message has the server's number");
    // The button does what Enter does.
    page.fill("textbox", "Message", "and more");
    page.click("button", "Send");
    page.expect_lines(&["alice: hello", "alice: and more"]);
    assert_eq!(page.value("textbox", "Message"), "");
}

#[test]
fn several_lines_are_asked_about() {
    let server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.fill("textbox", "Message", "one");
    page.session.press(&[key::SHIFT, key::ENTER]);
    page.session.insert("two");
    assert_eq!(page.value("textbox", "Message"), "one\ntwo");
    page.session.press(&[key::ENTER]);
    page.find("dialog", "Send 2 messages?");
    page.click("button", "Cancel");
    page.wait_gone("dialog", "Send 2 messages?");
    assert_eq!(page.value("textbox", "Message"), "one\ntwo", "nothing is lost");
    assert_eq!(page.messages(), []);
    page.expect_focus("textbox", "Message");
    page.session.press(&[key::ENTER]);
    page.click("button", "Send 2 messages");
    page.expect_lines(&["alice: one", "alice: two"]);

    // By the clipboard, with blank lines between.
    page.fill("textbox", "Message", "three\n\n \nfour\nfive\n");
    page.session.press(&[key::CONTROL, 'a']);
    page.session.press(&[key::CONTROL, 'x']);
    assert_eq!(page.value("textbox", "Message"), "");
    page.session.press(&[key::CONTROL, 'v']);
    assert_eq!(page.value("textbox", "Message"), "three\n\n \nfour\nfive\n");
    assert_eq!(page.messages().len(), 2, "a paste sends nothing by itself");
    page.session.press(&[key::ENTER]);
    page.click("button", "Send 3 messages");
    page.expect_lines(&["alice: one", "alice: two", "alice: three", "alice: four", "alice: five"]);
}

#[test]
fn many_lines_go_at_the_pace_of_the_server() {
    let server = served().set("limits.rate_lines_per_s", "20").start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let lines: Vec<_> = (0..100).map(|number| format!("line {number}")).collect();
    page.fill("textbox", "Message", &lines.join("\n"));
    page.session.press(&[key::ENTER]);
    page.click("button", "Send 100 messages");
    for line in &lines {
        bob.expect_exact(&format!("D PM alice {line}"));
    }
    let shown: Vec<_> = lines.iter().map(|line| format!("alice: {line}")).collect();
    page.expect_lines(&shown.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn what_is_too_long_is_not_sent_and_not_lost() {
    let server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    // The limit is in bytes: these are 2,100 characters, and 4,200 bytes.
    let long = "é".repeat(2_100);
    page.say(&long);
    page.told("alert", "too long");
    assert_eq!(page.value("textbox", "Message"), long);
    assert_eq!(page.messages(), []);
    page.say(&long[..4_000]);
    page.expect_lines(&[&format!("alice: {}", &long[..4_000])]);
}

#[test]
fn direct_messages_are_a_place_of_their_own() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.expect_people(&["alice", "bob"]);
    page.click("button", "bob");
    page.expect_places(&["everybody", "@bob"]);
    page.say("psst");
    bob.expect_exact("D DM alice psst");
    bob.op("DM alice what is it?");
    page.expect_lines(&["alice: psst", "bob: what is it?"]);
    page.open_place("everybody");
    page.expect_lines(&[]);
    bob.op("DM alice hello?");
    bob.op("PM hello, all");
    page.expect_places(&["everybody", "@bob, 1 unread"]);
    page.expect_lines(&["bob: hello, all"]);
    page.open_place("@bob");
    page.expect_lines(&["alice: psst", "bob: what is it?", "bob: hello?"]);
    page.expect_places(&["everybody", "@bob"]);
}

#[test]
fn what_one_says_elsewhere_is_here_once() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let mut terminal = server.returning("alice");
    terminal.op("PM from the terminal");
    page.expect_lines(&["alice: from the terminal"]);
    page.say("from the page");
    page.expect_lines(&["alice: from the terminal", "alice: from the page"]);
    terminal.op("DM bob in private");
    page.expect_places(&["everybody", "@bob"]);
    page.open_place("@bob");
    page.expect_lines(&["alice: in private"]);
    bob.expect("D PM alice from the terminal");
    page.session.reload();
    page.expect_lines(&["alice: in private"]);
    page.open_place("everybody");
    page.expect_lines(&["alice: from the terminal", "alice: from the page"]);
}

#[test]
fn a_screen_reader_is_told_what_is_new() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let log = page.find("log", "Messages");
    let live = page.session.run("return arguments[0].getAttribute('aria-live')", &[log.argument()]);
    assert_eq!(live, "off", "some readers would read the whole log anew");
    bob.op("PM good morning");
    page.told("status", "bob: good morning");
    let told = page.all("status", None);
    let polite = page.session.run("return arguments[0].ariaLive ?? arguments[0].role", &[told[0].argument()]);
    assert!(polite == "polite" || polite == "status", "{polite}");
    for number in 0..20 {
        bob.op(&format!("PM number {number}"));
    }
    page.told("status", " new");
    // Elsewhere only what is for her is told.
    bob.op("MAKE lobby");
    page.click("button", "Join or make a room");
    page.fill("textbox", "Room", "lobby");
    page.click("button", "Join");
    page.expect_places(&["everybody", "lobby"]);
    bob.op("PM to nobody in particular");
    bob.op("PM is Alice here?");
    page.told("status", "bob: is Alice here?");
    page.expect_places(&["everybody, 2 unread", "lobby"]);
}
