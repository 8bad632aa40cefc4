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
fn the_log_stays_at_its_end_when_the_banner_takes_room() {
    let mut server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    for number in 0..30 {
        assert!(bob.ask(&format!("PM {number}")).starts_with("C 250 "));
    }
    page.hear("bob: 29");
    stop(&mut server);
    page.told("alert", "reconnecting in ");
    let hidden = "const log = document.querySelector('[role=log]');
        return log.scrollHeight - log.scrollTop - log.clientHeight";
    page.session.wait("the end", || (page.session.run(hidden, &[]).as_f64()? < 2.0).then_some(()));
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

#[test]
fn the_line_keeps_the_focus_through_a_break_and_a_reload() {
    let mut server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.make_kept("lobby");
    page.click("button", "Close");
    page.wait_gone("button", "Close");
    page.fill("textbox", "Message", "half a sen");
    stop(&mut server);
    page.told("alert", "reconnecting in ");
    page.find("heading", "NOT CONNECTED");
    server.restart();
    page.find("heading", "1 HERE");
    page.expect_focus("textbox", "Message");
    page.session.insert("tence");
    assert_eq!(page.value("textbox", "Message"), "half a sentence");
    page.session.reload();
    page.find("heading", "1 HERE");
    page.expect_focus("textbox", "Message");
}

#[test]
fn a_page_without_a_server_is_at_rest() {
    let mut server = served().start();
    let _bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.expect_people(&["alice", "bob"]);
    stop(&mut server);
    page.told("alert", "reconnecting in ");
    // Nothing of this conversation is in memory, and nothing can be fetched.
    page.click("button", "bob");
    page.find("textbox", "Message");
    page.session.run(
        "const request = requestAnimationFrame; globalThis.frames_drawn = 0;
         globalThis.requestAnimationFrame = (draw) => { globalThis.frames_drawn += 1; return request(draw); }",
        &[],
    );
    testkit::pause(1000);
    let drawn = page.session.run("return globalThis.frames_drawn", &[]);
    assert!(drawn.as_u64().expect("a number") < 15, "{drawn} frames in a second");
}

#[test]
fn the_newest_message_stays_in_sight_under_a_banner() {
    let mut server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    for number in 0..60 {
        bob.op(&format!("PM number {number}"));
    }
    page.hear("bob: number 59");
    stop(&mut server);
    page.told("alert", "reconnecting in ");
    testkit::pause(300);
    let below = page.session.run(
        "const log = document.querySelector('[role=log]'); return log.scrollHeight - log.scrollTop - log.clientHeight",
        &[],
    );
    assert!(below.as_f64().expect("a number") < 2.0, "{below} pixels are below");
}
