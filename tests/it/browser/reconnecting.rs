//! A server that goes away and comes back.

use super::*;

#[test]
fn the_page_waits_for_the_server_and_everything_is_there_again() {
    let mut server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    bob.op("MAKE lobby");
    bob.expect("C 227 lobby ");
    bob.op("KEEP lobby");
    page.enter("lobby", "", "Join");
    page.expect_places(&["everybody", "lobby"]);
    bob.op("RM lobby before");
    page.say("before, too");
    page.hear("alice: before, too");
    stop(&mut server);
    let told = page.told("alert", "reconnecting in ");
    let seconds = told.split_once("reconnecting in ").expect("a time").1.split(' ').next().expect("a number");
    assert!((1..=4).contains(&seconds.parse::<u32>().expect("seconds")), "{told}");
    // One goes on writing: it is sent later.
    page.say("while it is away");
    page.session.wait("it waits", || page.messages().iter().any(|message| message.is_busy).then_some(()));
    server.restart();
    let mut bob = server.returning("bob");
    bob.op("JOIN lobby");
    bob.expect("C 227 lobby ");
    page.session.wait("it is sent", || page.messages().iter().all(|message| !message.is_busy).then_some(()));
    bob.op("RM lobby after");
    page.expect_lines(&["bob: before", "alice: before, too", "alice: while it is away", "bob: after"]);
    page.session.wait("no alert", || {
        let alerts = page.all("alert", None);
        alerts.iter().all(|alert| page.session.text(alert).is_empty()).then_some(())
    });
    bob.heard();
    let kept = bob.list("HISTORY lobby");
    let said = kept.iter().filter(|line| line.contains("while it is away")).count();
    assert_eq!(said, 1, "{kept:?}");
}

#[test]
fn what_was_missed_comes_once_and_in_its_order() {
    let mut server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let mut said = Vec::new();
    let mut next = |from: &mut testkit::Client, count: usize| {
        for _ in 0..count {
            let text = format!("number {}", said.len());
            assert!(from.ask(&format!("PM {text}")).starts_with("C 250 "));
            said.push(format!("bob: {text}"));
        }
        said.clone()
    };
    next(&mut bob, 20);
    page.hear("bob: number 19");
    for _ in 0..3 {
        server.kill9();
        let (line, web) = (server.door("line"), server.door("web"));
        server.set("listen", &format!("['line://{line}', 'web://{web}']"));
        page.told("alert", "reconnecting in ");
        server.restart();
        let mut bob = server.returning("bob");
        // More than a page of the history, and some of it before, some after the page has come back.
        let expected = next(&mut bob, 230);
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        page.session.wait("all of it", || (page.lines().len() >= expected.len()).then_some(()));
        page.expect_lines(&expected);
    }
}

#[test]
fn a_click_reconnects_at_once() {
    let mut server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    stop(&mut server);
    // After some attempts the pause is so long that only the click explains a connection.
    page.session.wait("a long pause", || {
        let told = page.told("alert", "reconnecting in ");
        let seconds = told.split_once("reconnecting in ")?.1.split(' ').next()?;
        (seconds.parse::<u32>().ok()? >= 8).then_some(())
    });
    server.restart();
    page.click("button", "Now");
    page.say("back again");
    page.expect_lines(&["alice: back again"]);
}

#[test]
fn an_end_by_the_operator_s_hand_is_final_until_a_click() {
    let server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let outcome = testkit::run(
        &testkit::program("chatd"),
        &server.path(""),
        &["ctl", "kick", "alice", "--config", &server.path("config.toml").display().to_string()],
    );
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    page.told("alert", "put out");
    page.click("button", "Connect again");
    page.say("back again");
    page.expect_lines(&["alice: back again"]);
}
