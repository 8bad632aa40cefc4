//! Rooms: made, entered, left; what is unread in them.

use super::*;

impl Page {
    /// Fills the dialog for rooms and clicks on one of its buttons.
    #[track_caller]
    pub(super) fn enter(&self, room: &str, password: &str, button: &str) {
        if !self.has("dialog", "Join or make a room") {
            self.click("button", "Join or make a room");
        }
        self.fill("textbox", "Room", room);
        self.fill("textbox", "Room password", password);
        self.click("button", button);
    }
}

#[test]
fn a_room_is_made_and_entered() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.enter("lobby", "", "Make");
    page.wait_gone("dialog", "Join or make a room");
    page.expect_places(&["everybody", "lobby"]);
    bob.op("JOIN lobby");
    bob.expect("C 227 lobby ");
    page.expect_people(&["alice host", "bob"]);
    page.say("welcome");
    bob.expect_exact("D RM lobby alice welcome");
    bob.op("RM lobby thanks");
    page.expect_lines(&["alice: welcome", "bob: thanks"]);
    bob.op("LEAVE lobby");
    page.expect_people(&["alice host"]);
    // The host closes it.
    page.click("button", "About this place");
    page.click("button", "Close the room");
    page.session.wait("the field is closed", || {
        let field = page.all("textbox", Some("Message"));
        let state = page.session.run("return arguments[0].disabled", &[field.first()?.argument()]);
        (state == true).then_some(())
    });
}

#[test]
fn a_room_s_password_is_asked_and_kept_for_the_tab() {
    let server = served().start();
    let mut bob = server.bare("bob");
    bob.op("MAKE attic open sesame");
    bob.expect("C 227 attic ");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.enter("nowhere", "", "Join");
    page.told("alert", "no such room");
    page.enter("attic", "", "Join");
    page.told("alert", "password");
    assert!(page.has("dialog", "Join or make a room"), "one can go on");
    page.enter("attic", "open sesame", "Join");
    page.expect_places(&["everybody", "attic"]);
    bob.expect_exact("C 103 attic alice entered");
    page.say("here I am");
    bob.expect_exact("D RM attic alice here I am");
    page.session.reload();
    // The old connection may end after the new one has come.
    bob.expect("C 10");
    page.expect_places(&["everybody", "attic"]);
    page.expect_people(&["alice", "bob host"]);
    page.say("still here");
    page.hear("alice: still here");
}

#[test]
fn what_is_unread_is_in_the_name_of_the_button() {
    let server = served().start();
    let mut bob = server.bare("bob");
    bob.op("MAKE lobby");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.enter("lobby", "", "Join");
    page.expect_places(&["everybody", "lobby"]);
    page.open_place("everybody");
    for number in 1..=3 {
        bob.op(&format!("RM lobby number {number}"));
    }
    page.expect_places(&["everybody", "lobby, 3 unread"]);
    assert!(title(&page).starts_with("(3) "), "{}", title(&page));
    page.open_place("lobby");
    page.expect_lines(&["bob: number 1", "bob: number 2", "bob: number 3"]);
    page.expect_places(&["everybody", "lobby"]);
    page.session.wait("no number in the title", || (!title(&page).starts_with('(')).then_some(()));
    // What is said where one looks is read.
    bob.op("RM lobby number 4");
    page.hear("bob: number 4");
    page.expect_places(&["everybody", "lobby"]);
    // What one reads elsewhere is read here.
    page.open_place("lobby");
    bob.op("PM for all");
    page.expect_places(&["everybody, 1 unread", "lobby"]);
    let mut terminal = server.returning("alice");
    let last = terminal.list("UNREAD").into_iter().find(|line| line.starts_with("* 1 ")).expect("what is unread");
    let id = last.split_once("last=").expect("its number").1.split(' ').next().unwrap();
    terminal.op(&format!("READ * {id}"));
    page.expect_places(&["everybody", "lobby"]);
}

#[test]
fn what_was_said_is_there_after_a_reload() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.enter("lobby", "", "Make");
    page.expect_places(&["everybody", "lobby"]);
    page.expect_people(&["alice host"]);
    page.click("button", "About this place");
    page.click("checkbox", "Keep this room");
    page.session.press(&[key::ESCAPE]);
    page.wait_gone("dialog", "lobby");
    bob.op("JOIN lobby");
    bob.expect("C 227 lobby ");
    let mut said = Vec::new();
    for number in 0..90 {
        bob.op(&format!("RM lobby number {number}"));
        said.push(format!("bob: number {number}"));
    }
    page.say("so many");
    said.push("alice: so many".to_owned());
    let said: Vec<_> = said.iter().map(String::as_str).collect();
    page.hear("alice: so many");
    page.session.reload();
    page.find("log", "Messages");
    // The first page has the newest; the others come as one scrolls up.
    page.session.wait("the whole history", || {
        page.session.run("document.querySelector('[role=log]').scrollTop = 0", &[]);
        (page.lines() == said).then_some(())
    });
    assert_eq!(page.places(), ["everybody", "lobby"], "nothing of it is new");
}

#[test]
fn what_one_has_begun_to_write_stays_in_its_place() {
    let server = served().start();
    let _bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.expect_people(&["alice", "bob"]);
    page.click("button", "bob");
    page.expect_places(&["everybody", "@bob"]);
    page.fill("textbox", "Message", "for bob alone");
    page.enter("lobby", "", "Make");
    page.expect_places(&["everybody", "lobby", "@bob"]);
    page.expect_focus("textbox", "Message");
    assert_eq!(page.value("textbox", "Message"), "");
    page.session.insert("for the lobby");
    page.open_place("@bob");
    assert_eq!(page.value("textbox", "Message"), "for bob alone");
    page.open_place("lobby");
    assert_eq!(page.value("textbox", "Message"), "for the lobby");
    // The next user of this tab sees nothing of it.
    page.click("button", "Settings");
    page.click("button", "Sign out");
    page.log_in("carol", PASSWORD);
    page.find("log", "Messages");
    assert_eq!(page.value("textbox", "Message"), "");
    page.expect_places(&["everybody"]);
}

/// The title of the window.
fn title(page: &Page) -> String {
    page.session.run("return document.title", &[]).as_str().expect("a title").to_owned()
}
