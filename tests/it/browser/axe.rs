//! axe-core, an examination of accessibility, finds nothing.

use std::fs;

use serde_json::{Value, json};

use super::*;

/// Sizes and themes in which everything is examined.
const LOOKS: [(u32, u32, &str); 4] =
    [(1280, 800, "light"), (1280, 800, "dark"), (360, 640, "light"), (360, 640, "dark")];

/// What is wrong with the page as it is now: the rule and the elements.
const EXAMINE: &str = "const done = arguments[0];
    axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations.map((violation) =>
        `${violation.id}: ${violation.nodes.map((node) => `${node.html.slice(0, 200)} ${node.any[0]?.message ?? ''}`).join(' | ')}`)),
      (error) => done([String(error)]));";

/// A page that is examined.
struct Examined {
    page: Page,
    found: Vec<String>,
}

impl Examined {
    /// Examines the page in all looks. `on_small` does what makes a part visible on a small screen.
    #[track_caller]
    fn examine(&mut self, what: &str) {
        for (width, height, theme) in LOOKS {
            self.page.look(width, height, theme);
            // Colours and places may still be on their way.
            self.page.session.wait("no movement", || {
                let moving = self.page.session.run("return document.getAnimations().length", &[]);
                (moving == 0).then_some(())
            });
            let found = self.page.session.ask("POST", "/execute/async", &json!({ "script": EXAMINE, "args": [] }));
            for violation in page::strings(&found.expect("an examination")) {
                self.found.push(format!("{what}, {width} pixels, {theme}: {violation}"));
            }
        }
        self.page.look(1280, 800, "light");
    }

    /// Opens a dialog by its button, examines it and closes it.
    #[track_caller]
    fn examine_dialog(&mut self, button: &str) {
        self.page.click("button", button);
        self.page.find("button", "Close");
        self.examine(button);
        self.page.session.press(&[key::ESCAPE]);
        self.page.wait_gone("button", "Close");
    }
}

#[test]
fn axe_finds_nothing_wrong() {
    let Some(modules) = testkit::foreign::node_modules() else { return };
    let mut server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::open(&server) else { return };
    let axe = fs::read_to_string(modules.join("axe-core/axe.min.js")).expect("axe-core");
    // A script by WebDriver is none of the page's: it runs whatever the policy says.
    let load = |page: &Page| page.session.run(&format!("{axe}; globalThis.axe = axe"), &[]);
    assert_eq!(load(&page), Value::Null);
    let mut examined = Examined { page, found: Vec::new() };
    examined.examine("the form");
    examined.page.log_in("alice", "short");
    examined.page.told("alert", "8");
    examined.examine("the form with an alert");
    examined.page.log_in("alice", PASSWORD);
    examined.page.find("log", "Messages");
    examined.examine("an empty conversation");

    bob.op("MAKE lobby");
    examined.page.enter("lobby", "", "Join");
    for text in [
        "RM lobby hello",
        "RM lobby see https://example.org/ alice",
        "DM alice psst",
        "PM hello, all",
        "RM lobby /me waves",
    ] {
        bob.op(text);
    }
    examined.page.say("hello, bob");
    examined.page.expect_places(&["everybody, 1 unread", "lobby", "@bob, 1 unread"]);
    examined.examine("a conversation");
    for button in ["Settings", "Search", "About this place", "Join or make a room"] {
        examined.examine_dialog(button);
    }
    examined.page.open_place("@bob");
    examined.examine_dialog("About this place");
    examined.page.session.press(&[key::CONTROL, 'k']);
    examined.examine("the way to a place");
    examined.page.session.press(&[key::ESCAPE]);
    examined.page.fill("textbox", "Message", "one\ntwo");
    examined.page.session.press(&[key::ENTER]);
    examined.page.find("dialog", "Send 2 messages?");
    examined.examine("a question");
    examined.page.session.press(&[key::ESCAPE]);
    for button in ["Menu", "Show people"] {
        examined.page.look(360, 640, "light");
        examined.page.click("button", button);
        examined.examine(button);
        examined.page.session.press(&[key::ESCAPE]);
    }
    stop(&mut server);
    examined.page.told("alert", "reconnecting in ");
    examined.examine("a conversation without a server");
    assert!(examined.found.is_empty(), "{}", examined.found.join("\n"));
}
