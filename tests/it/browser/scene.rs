//! One conversation by two browsers, a raw line client and the terminal client, through a restart of the server.

use serde_json::json;
use tempfile::TempDir;
use testkit::{Client, Terminal};

use super::*;

/// What is said before the restart …
const BEFORE: [(&str, &str); 8] = [
    ("alice", "Good morning! From today on nobody has to install anything to join us."),
    ("bob", "Right: I am on a train, and this is the browser of my phone."),
    ("carol", "and I sit at an old terminal, with nc, as ever"),
    ("dave", "chatclient here. Does the history work for all of us?"),
    ("alice", "It does, just scroll up. The manual: https://example.org/chatd/manual"),
    ("carol", "/me reads"),
    ("bob", "alice: when do you restart it?"),
    ("alice", "Now. Go on talking, nothing gets lost."),
];
/// … while the server is away …
const MEANWHILE: (&str, &str) = ("bob", "This I wrote without a server. It is grey until one is back.");
/// … and after it.
const AFTER: [(&str, &str); 5] = [
    ("dave", "Back, and I did nothing for that."),
    ("carol", "me too, but I had to call nc again"),
    ("bob", "alice: nothing is missing here, and nothing came twice"),
    ("alice", "Then it is done. Ça marche! \u{5ea}\u{5d5}\u{5d3}\u{5d4} \u{5e8}\u{5d1}\u{5d4}"),
    ("carol", "/me puts the kettle on"),
];

/// The four of them, in a room that is kept.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) alice: Page,
    pub(super) bob: Page,
    carol: Client,
    /// The texts in the order in which carol's lines tell it: a confirmation stands where her own text does.
    carol_heard: Vec<String>,
    carol_said: std::collections::VecDeque<String>,
    dave: Terminal,
    _home: TempDir,
}

impl Scene {
    /// Everybody is there; nobody has said anything. `None` without a browser.
    #[track_caller]
    pub(super) fn set(server: Server) -> Option<Self> {
        let mut pages = Page::several(&server, 2)?;
        let (bob, alice) = (pages.pop()?, pages.pop()?);
        alice.log_in("alice", PASSWORD);
        alice.find("log", "Messages");
        alice.enter("lobby", "", "Make");
        alice.expect_places(&["everybody", "lobby"]);
        alice.expect_people(&["alice host"]);
        alice.click("button", "About this place");
        alice.click("checkbox", "Keep this room");
        alice.click("button", "Close");
        alice.wait_gone("button", "Close");
        bob.log_in("bob", PASSWORD);
        bob.find("log", "Messages");
        bob.enter("lobby", "", "Join");
        bob.expect_places(&["everybody", "lobby"]);
        let carol = server.bare("carol");
        let home = tempfile::tempdir().expect("a folder");
        let dave = Terminal::logged_in(200, 160, home.path(), server.addr(), "dave");
        let (carol_heard, carol_said) = Default::default();
        let mut scene = Self { server, alice, bob, carol, carol_heard, carol_said, dave, _home: home };
        scene.carol.op("JOIN lobby");
        scene.carol.expect("C 227 lobby ");
        scene.dave.keys("/join lobby\r");
        scene.dave.wait_for("dave in lobby> ");
        scene.alice.expect_people(&["alice host", "bob", "carol", "dave"]);
        Some(scene)
    }

    /// Somebody says something.
    #[track_caller]
    fn say(&mut self, who: &str, text: &str) {
        match who {
            "alice" => self.alice.say(text),
            "bob" => self.bob.say(text),
            "carol" => {
                self.carol.send(&format!("RM lobby {text}"));
                self.carol_said.push_back(text.to_owned());
            }
            _ => self.dave.keys(&format!("{text}\r")),
        }
    }

    /// Waits until all four have a text.
    #[track_caller]
    fn heard(&mut self, text: &str) {
        for page in [&self.alice, &self.bob] {
            page.session.wait(text, || {
                page.messages()
                    .iter()
                    .any(|message| message.text.contains(told(text)) && !message.is_busy)
                    .then_some(())
            });
        }
        while !self.carol_heard.iter().any(|heard| heard == text) {
            self.carol_reads();
        }
        self.dave.wait_for(told(text));
    }

    /// Carol reads a line.
    #[track_caller]
    fn carol_reads(&mut self) {
        let line = self.carol.line();
        if let Some(said) = line.strip_prefix("D RM lobby ") {
            self.carol_heard.push(said.split_once(' ').expect("a name and a text").1.to_owned());
        } else if line.starts_with("C 250 ") {
            self.carol_heard.push(self.carol_said.pop_front().expect("what is confirmed"));
        }
    }

    #[track_caller]
    fn talk(&mut self, lines: &[(&str, &str)]) {
        for (who, text) in lines {
            self.say(who, text);
            self.heard(text);
        }
    }

    /// The first part of the conversation.
    #[track_caller]
    pub(super) fn before(&mut self) {
        self.talk(&BEFORE);
    }

    /// The server goes away, and somebody writes meanwhile.
    #[track_caller]
    pub(super) fn part(&mut self) {
        stop(&mut self.server);
        for page in [&self.alice, &self.bob] {
            page.told("alert", "reconnecting in ");
        }
        self.carol.expect_reset_or_closed();
        self.say(MEANWHILE.0, MEANWHILE.1);
        self.bob.session.wait("it waits", || self.bob.messages().iter().any(|message| message.is_busy).then_some(()));
    }

    /// The server is back, and all of them with it.
    #[track_caller]
    pub(super) fn after(&mut self) {
        self.server.restart();
        self.carol = self.server.returning("carol");
        self.carol.op("JOIN lobby");
        // What was said before her line is in the history, and after it she hears it.
        while !self.carol.line().starts_with("C 227 lobby ") {}
        for page in [&self.alice, &self.bob] {
            page.expect_people(&["alice host", "bob", "carol", "dave"]);
            page.hear(&format!("{}: {}", MEANWHILE.0, MEANWHILE.1));
        }
        self.carol_looks_back();
        self.dave.wait_for(MEANWHILE.1);
        self.talk(&AFTER);
    }

    /// Carol asks for the history, which then is what she has heard.
    #[track_caller]
    fn carol_looks_back(&mut self) {
        self.carol.heard();
        let page = self.carol.list("HISTORY lobby 200");
        // `03:52 lobby alice: good morning`; days and the end have lines of their own.
        let texts = page.iter().filter_map(|line| Some(line.split_once(" lobby ")?.1.split_once(": ")?.1.to_owned()));
        self.carol_heard = texts.collect();
    }
}

/// A text as all of them show it: what somebody does is told in other words.
fn told(text: &str) -> &str {
    text.strip_prefix("/me ").unwrap_or(text)
}

/// What a page shows, in its order.
fn shown(page: &Page) -> Vec<String> {
    page.messages().into_iter().map(|message| message.text).collect()
}

#[test]
fn two_browsers_nc_and_chatclient_hold_one_conversation_through_a_restart() {
    let Some(mut scene) = Scene::set(served().start()) else { return };
    scene.before();
    scene.part();
    scene.after();

    // All at once: nobody waits for anybody.
    let burst = |who: &str| (0..10).map(|number| format!("{who}-{number}")).collect::<Vec<_>>();
    for page in [&scene.alice, &scene.bob] {
        let who = if std::ptr::eq(page, &scene.alice) { "alice" } else { "bob" };
        page.fill("textbox", "Message", &burst(who).join("\n"));
        page.session.press(&[key::ENTER]);
        page.find("dialog", "Send 10 messages?");
    }
    for text in burst("carol") {
        scene.say("carol", &text);
    }
    scene.alice.session.press(&[key::ENTER]);
    for text in burst("dave") {
        scene.say("dave", &text);
    }
    scene.bob.session.press(&[key::ENTER]);
    let all: Vec<_> = ["alice", "bob", "carol", "dave"].into_iter().flat_map(burst).collect();
    for text in &all {
        scene.heard(text);
    }

    let heard = std::mem::take(&mut scene.carol_heard);
    let script = BEFORE.iter().chain([&MEANWHILE]).chain(&AFTER).map(|(_, text)| (*text).to_owned());
    let script: Vec<_> = script.collect();
    assert_eq!(heard[..script.len()], script, "carol has it in the order in which it was said");
    assert_eq!(heard.len(), script.len() + all.len(), "nothing twice");
    scene.carol_looks_back();
    assert_eq!(scene.carol_heard, heard, "the history has the order in which she heard it");
    let expected: Vec<_> = heard.iter().map(|text| told(text)).collect();
    for page in [&scene.alice, &scene.bob] {
        let shown = shown(page);
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        assert!(
            shown.iter().zip(&expected).all(|(shown, text)| shown.ends_with(text)),
            "{shown:?} is not {expected:?}"
        );
    }
    let contents = scene.dave.contents();
    let places: Vec<_> = expected.iter().map(|text| contents.match_indices(text).map(|(at, _)| at).collect()).collect();
    assert!(places.iter().all(|at: &Vec<_>| at.len() == 1), "not once: {contents}");
    assert!(places.is_sorted(), "another order: {contents}");
}

/// Makes the pictures of the documentation. CONTRIBUTING.md has the command.
#[test]
#[ignore = "writes into the folder that CHATD_SCREENSHOTS names"]
fn pictures() {
    let Some(folder) = std::env::var_os("CHATD_SCREENSHOTS").map(std::path::PathBuf::from) else {
        return println!("skipped: CHATD_SCREENSHOTS names no folder");
    };
    let take = |page: &Page, name: &str, size: (u32, u32), theme: &str| {
        page.look(size.0, size.1, theme);
        // Telephones show no bars, and no pointer is over anything.
        page.session.cdp("Emulation.setScrollbarsHidden", &json!({ "hidden": size.0 < 640 }));
        page.session.cdp("Input.dispatchMouseEvent", &json!({ "type": "mouseMoved", "x": 1, "y": 1 }));
        // Drawers move, and the log follows the size.
        page.session.wait("it is still", || {
            let moving = page.session.run("return document.getAnimations().length", &[]);
            (moving == json!(0)).then_some(())
        });
        testkit::pause(300);
        std::fs::write(folder.join(name), page.session.picture()).expect("a picture");
    };
    let (wide, small) = ((1280, 720), (360, 640));
    let Some(mut scene) = Scene::set(served().start()) else { return };
    take(&scene.bob, "empty-light-360.png", small, "light");
    scene.bob.look(1280, 720, "light");
    scene.before();
    scene.dave.keys("/dm alice tea at four?\r");
    scene.carol.op("PM hello, everybody else");
    scene.alice.expect_places(&["everybody, 1 unread", "lobby", "@dave, 1 unread"]);
    scene.part();
    take(&scene.alice, "disconnected-light-1280.png", wide, "light");
    take(&scene.bob, "disconnected-dark-360.png", small, "dark");
    scene.bob.look(1280, 720, "dark");
    scene.after();
    take(&scene.alice, "busy-light-1280.png", wide, "light");
    take(&scene.alice, "busy-dark-1280.png", wide, "dark");
    take(&scene.bob, "busy-dark-360.png", small, "dark");
}
