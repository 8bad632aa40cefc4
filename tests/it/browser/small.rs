//! A small screen: 360 pixels.

use super::*;

/// What is smaller than a finger, or beyond the right edge, among what can be pressed now.
fn misfits(page: &Page) -> Vec<String> {
    let script = "const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
        return [...document.querySelectorAll('button, input, select, textarea, summary')]
          .filter((element) => seen(element) && !element.closest('[inert]'))
          .map((element) => [element, (element.closest('label') ?? element).getBoundingClientRect()])
          .filter(([, box]) => box.width > 0 && (box.height < 44 || box.width < 44 || box.right > innerWidth + 1))
          .map(([element, box]) => `${element.ariaLabel ?? element.innerText ?? element.type}: ${box.width} x ${box.height} to ${box.right}`)";
    page::strings(&page.session.run(script, &[]))
}

#[track_caller]
fn expect_no_misfits(page: &Page, what: &str) {
    // Drawers move for a moment.
    page.session
        .wait(&format!("everything fits in {what}: {:?}", misfits(page)), || misfits(page).is_empty().then_some(()));
    let wide = page.session.run("return document.documentElement.scrollWidth", &[]);
    assert!(wide.as_u64().is_some_and(|wide| wide <= 360), "{what} is {wide} pixels wide");
}

#[test]
fn places_and_people_are_in_drawers() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::open(&server) else { return };
    page.look(360, 640, "light");
    expect_no_misfits(&page, "the form");
    page.log_in("alice", PASSWORD);
    page.find("log", "Messages");
    assert!(!page.has("navigation", "Rooms and people"), "it is in the drawer");
    assert!(!page.has("list", "People"));
    expect_no_misfits(&page, "the conversation");

    page.click("button", "Menu");
    page.find("navigation", "Rooms and people");
    expect_no_misfits(&page, "the drawer");
    page.enter("lobby", "", "Make");
    page.wait_gone("navigation", "Rooms and people");
    assert!(page.has("heading", "lobby"));
    bob.op("JOIN lobby");
    bob.expect("C 227 lobby ");
    page.say("hello");
    bob.expect_exact("D RM lobby alice hello");

    // The drawer closes with a choice, with Esc, and with a touch beside it.
    page.click("button", "Menu");
    page.open_place("everybody");
    page.wait_gone("navigation", "Rooms and people");
    page.click("button", "Menu");
    page.find("navigation", "Rooms and people");
    page.session.press(&[key::ESCAPE]);
    page.wait_gone("navigation", "Rooms and people");
    page.click("button", "Menu");
    page.find("navigation", "Rooms and people");
    page.session.wait("a touch beside the drawer", || {
        page.session.run("document.elementFromPoint(350, 300).click()", &[]);
        (!page.has("navigation", "Rooms and people")).then_some(())
    });
    page.click("button", "Show people");
    page.expect_people(&["alice", "bob"]);
    page.click("button", "bob");
    page.wait_gone("list", "People");
    page.say("psst");
    bob.expect_exact("D DM alice psst");
    bob.op("DM alice yes?");
    page.hear("bob: yes?");
    for dialog in ["Search", "About this place"] {
        page.click("button", dialog);
        page.find("button", "Close");
        expect_no_misfits(&page, dialog);
        page.click("button", "Close");
        page.wait_gone("button", "Close");
    }
    page.click("button", "Menu");
    page.click("button", "Settings");
    page.find("button", "Close");
    expect_no_misfits(&page, "the settings");
}
