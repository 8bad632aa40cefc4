//! Logging in: the form, and what is remembered.

use super::*;

#[test]
fn a_new_name_is_registered_and_a_known_one_needs_its_password() {
    let server = served().start();
    let Some(page) = Page::open(&server) else { return };
    page.find("form", "Log in");
    let password = page.find("textbox", "Password");
    let kind = page.session.run("return [arguments[0].type, arguments[0].autocomplete]", &[password.argument()]);
    assert_eq!(page::strings(&kind), ["password", "current-password"]);
    page.expect_focus("textbox", "Name");
    page.find("checkbox", "Stay signed in");
    assert!(!page.has("log", "Messages") && !page.has("navigation", "Rooms and people"));

    page.log_in("alice", "short");
    page.told("alert", "8"); // the server's words on passwords
    page.log_in("alice", PASSWORD);
    page.find("log", "Messages");
    page.expect_focus("textbox", "Message");
    assert!(!page.has("form", "Log in"));
    server.returning("alice").barrier();
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_lets_in() {
    let server = served().start();
    drop(server.bare("alice"));
    let Some(page) = Page::open(&server) else { return };
    page.log_in("alice", "a wrong password");
    page.told("alert", "wrong");
    page.expect_focus("textbox", "Password");
    page.log_in("alice", PASSWORD);
    page.find("log", "Messages");
}

#[test]
fn a_reload_resumes_and_signing_out_ends_that() {
    let server = served().set("log.level", "'debug'").start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.say("before");
    page.expect_lines(&["alice: before"]);
    page.session.reload();
    page.expect_lines(&["alice: before"]);
    assert!(!page.has("form", "Log in"), "the token lets in");
    assert_eq!(stored(&page, "localStorage"), 0, "without \"Stay signed in\" it ends with the tab");
    assert_eq!(stored(&page, "sessionStorage"), 1);
    let kept = page
        .session
        .run("return JSON.stringify([...Object.values(localStorage), ...Object.values(sessionStorage)])", &[]);
    assert!(!kept.as_str().unwrap().contains(PASSWORD), "no password is kept");

    page.click("button", "Settings");
    page.click("button", "Sign out");
    page.find("form", "Log in");
    assert_eq!(stored(&page, "sessionStorage"), 0);
    page.session.reload();
    page.find("form", "Log in");
    assert!(!page.has("log", "Messages"));
}

#[test]
fn staying_signed_in_outlives_the_tab() {
    let server = served().start();
    let Some(page) = Page::open(&server) else { return };
    page.click("checkbox", "Stay signed in");
    page.log_in("alice", PASSWORD);
    page.find("log", "Messages");
    page.session.wait("a token is kept", || (stored(&page, "localStorage") == 1).then_some(()));
    // What another tab, opened later, would find.
    page.session.run("sessionStorage.clear()", &[]);
    page.session.reload();
    page.find("log", "Messages");
    page.click("button", "Settings");
    page.click("button", "Sign out");
    page.find("form", "Log in");
    assert_eq!(stored(&page, "localStorage"), 0);
}

/// The tokens in a storage.
fn stored(page: &Page, storage: &str) -> u64 {
    let script = format!("return Object.values({storage}).filter((text) => text.includes('\"token\"')).length");
    page.session.run(&script, &[]).as_u64().expect("a number")
}
