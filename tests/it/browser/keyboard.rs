//! Keys: everything can be done without a mouse.

use super::*;

/// The place that is open, by its button.
fn here(page: &Page) -> String {
    let script = "return document.querySelector('nav [aria-current=page]').ariaLabel";
    page.session.run(script, &[]).as_str().expect("a name").to_owned()
}

#[track_caller]
fn expect_here(page: &Page, place: &str) {
    page.session.wait(&format!("{place} is open"), || (here(page) == place).then_some(()));
    page.expect_focus("textbox", "Message");
}

#[test]
fn places_are_reached_by_keys() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.enter("attic", "", "Make");
    page.expect_places(&["everybody", "attic"]);
    bob.op("DM alice hello");
    page.expect_places(&["everybody", "attic", "@bob, 1 unread"]);
    expect_here(&page, "attic");
    for (keys, place) in [
        ([key::ALT, key::UP], "everybody"),
        ([key::ALT, key::DOWN], "attic"),
        ([key::ALT, 'a'], "@bob"),
        // Around the end.
        ([key::ALT, key::DOWN], "everybody"),
        ([key::ALT, key::UP], "@bob"),
    ] {
        page.session.press(&keys);
        expect_here(&page, place);
    }
    // Nothing is unread any more: the key does nothing.
    page.session.press(&[key::ALT, 'a']);
    expect_here(&page, "@bob");
    // What is for her comes before what is merely new.
    page.session.press(&[key::ALT, key::UP]);
    expect_here(&page, "attic");
    bob.op("PM for all");
    bob.op("DM alice for you");
    page.expect_places(&["everybody, 1 unread", "attic", "@bob, 1 unread"]);
    page.session.press(&[key::ALT, 'a']);
    expect_here(&page, "@bob");
    page.session.press(&[key::ALT, 'a']);
    expect_here(&page, "everybody");
}

#[test]
fn a_place_is_reached_by_some_of_its_letters() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.enter("attic", "", "Make");
    page.expect_places(&["everybody", "attic"]);
    page.session.press(&[key::CONTROL, 'k']);
    page.find("dialog", "Go to");
    page.expect_focus("textbox", "Place or person");
    page.session.insert("every");
    page.session.press(&[key::ENTER]);
    expect_here(&page, "everybody");
    // Somebody with whom there is no conversation yet.
    page.session.press(&[key::CONTROL, 'k']);
    page.find("dialog", "Go to");
    page.session.insert("bo");
    page.session.press(&[key::ENTER]);
    expect_here(&page, "@bob");
    page.say("hello");
    bob.expect_exact("D DM alice hello");
    // Esc closes the dialog, and the focus goes back.
    page.session.press(&[key::CONTROL, 'k']);
    page.find("dialog", "Go to");
    page.session.press(&[key::ESCAPE]);
    page.wait_gone("dialog", "Go to");
    page.expect_focus("textbox", "Message");
}

#[test]
fn tab_completes_a_begun_name_and_else_moves_on() {
    let server = served().start();
    let (mut bob, _bobby) = (server.bare("bob"), server.bare("bobby"));
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.expect_people(&["alice", "bob", "bobby"]);
    bob.op("PM hello");
    page.expect_lines(&["bob: hello"]);
    page.fill("textbox", "Message", "bo");
    page.session.press(&[key::TAB]);
    assert_eq!(page.value("textbox", "Message"), "bob: ");
    page.session.press(&[key::TAB]);
    assert_eq!(page.value("textbox", "Message"), "bobby: ", "the next one");
    page.session.press(&[key::TAB]);
    assert_eq!(page.value("textbox", "Message"), "bob: ", "and around");
    page.fill("textbox", "Message", "ask bobb");
    page.session.press(&[key::TAB]);
    assert_eq!(page.value("textbox", "Message"), "ask bobby ");
    page.expect_focus("textbox", "Message");
    // With nothing more to complete the focus moves on.
    page.session.press(&[key::TAB]);
    page.expect_focus("button", "Send");
    page.session.press(&[key::SHIFT, key::TAB]);
    page.expect_focus("textbox", "Message");
    page.fill("textbox", "Message", "nobodysname");
    page.session.press(&[key::TAB]);
    page.expect_focus("button", "Send");
}

#[test]
fn escape_leads_back_to_the_newest_message() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    for number in 0..100 {
        bob.op(&format!("PM number {number}"));
    }
    page.hear("bob: number 99");
    let to_the_end =
        "const log = document.querySelector('[role=log]'); return log.scrollHeight - log.scrollTop - log.clientHeight";
    let distance = || page.session.run(to_the_end, &[]).as_f64().expect("pixels");
    page.session.wait("the newest is seen", || (distance() < 2.0).then_some(()));
    // The log is reached by keys, and scrolls by keys.
    let log = page.find("log", "Messages");
    page.session.run("arguments[0].focus()", &[log.argument()]);
    page.expect_focus("log", "Messages");
    page.session.press(&['\u{e00e}']); // Page Up
    page.session.wait("older ones are seen", || (distance() > 100.0).then_some(()));
    // What comes now does not move what one reads.
    let first = "const log = document.querySelector('[role=log]').getBoundingClientRect();
        return document.elementFromPoint(log.x + 60, log.y + log.height / 2).closest('[data-id]')?.dataset.id ?? ''";
    page.session.wait("the scrolling ends", || {
        let before = distance();
        testkit::pause(200);
        (distance() == before).then_some(())
    });
    let read = page.session.run(first, &[]);
    bob.op("PM number 100");
    page.hear("bob: number 100");
    assert_eq!(page.session.run(first, &[]), read);
    page.session.press(&[key::ESCAPE]);
    page.session.wait("the newest is seen again", || (distance() < 2.0).then_some(()));
    page.expect_focus("textbox", "Message");
}
