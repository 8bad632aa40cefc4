//! A browser with one page: the requests of WebDriver that the tests need.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{PATIENCE, pause};

use super::driver::Driver;

/// The key of an element in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys without a character, as WebDriver spells them.
pub(super) mod key {
    pub(in super::super) const ENTER: char = '\u{e007}';
    pub(in super::super) const SHIFT: char = '\u{e008}';
    pub(in super::super) const CONTROL: char = '\u{e009}';
    pub(in super::super) const ALT: char = '\u{e00a}';
    pub(in super::super) const ESCAPE: char = '\u{e00c}';
    pub(in super::super) const TAB: char = '\u{e004}';
    pub(in super::super) const UP: char = '\u{e013}';
    pub(in super::super) const DOWN: char = '\u{e015}';
}

/// A running browser. Dropping it ends the browser.
pub(super) struct Session {
    driver: &'static Driver,
    path: String,
}

/// An element of the page that is open.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element(String);

impl Element {
    /// As an argument of a script.
    pub(super) fn argument(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }

    /// The element that a script has returned.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        value[ELEMENT].as_str().map(|id| Self(id.to_owned()))
    }
}

impl Session {
    /// Starts a browser with a profile of its own. If it is watched, its log `performance` has its requests.
    ///
    /// # Errors
    /// Why this browser cannot be driven.
    #[track_caller]
    pub(super) fn start(driver: &'static Driver, is_watched: bool) -> Result<Self, String> {
        let profile = tempfile::Builder::new().tempdir_in(&driver.profiles).expect("a folder").keep();
        let options = json!({
            "binary": driver.browser,
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--lang=en-GB",
                "--force-device-scale-factor=1", "--window-size=1280,800", format!("--user-data-dir={}", profile.display()),
            ],
        });
        let mut logs = json!({ "browser": "ALL" });
        if is_watched {
            logs["performance"] = json!("ALL");
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs,
        } } });
        match driver.ask("POST", "/session", &wanted) {
            Ok(started) => {
                let id = started["sessionId"].as_str().expect("a session").to_owned();
                Ok(Self { driver, path: format!("/session/{id}") })
            }
            // The two are installed apart; one is then of another version.
            Err(why) if why.contains("only supports") => Err(why),
            Err(why) => panic!("the browser does not start: {why}"),
        }
    }

    /// Sends a request about this session.
    #[track_caller]
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.driver.ask(method, &format!("{}{path}", self.path), body)
    }

    #[track_caller]
    fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, path, body).unwrap_or_else(|why| panic!("{method} {path} {body}: {why}"))
    }

    /// Opens an address, and waits until it is loaded.
    #[track_caller]
    pub(super) fn goto(&self, url: &str) {
        self.must("POST", "/url", &json!({ "url": url }));
    }

    /// Loads the page again.
    #[track_caller]
    pub(super) fn reload(&self) {
        self.must("POST", "/refresh", &json!({}));
    }

    /// Runs the body of a function in the page, and gives what it returns, or what its promise becomes.
    #[track_caller]
    pub(super) fn run(&self, body: &str, arguments: &[Value]) -> Value {
        self.must("POST", "/execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    pub(super) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.must("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// The same, which may fail.
    ///
    /// # Errors
    /// The browser does not do it, and says why.
    pub(super) fn try_cdp(&self, command: &str, parameters: &Value) -> Result<Value, String> {
        self.ask("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Clicks on the middle of an element, which nothing may cover.
    pub(super) fn click(&self, element: &Element) -> Result<(), String> {
        self.ask("POST", &format!("/element/{}/click", element.0), &json!({})).map(drop)
    }

    /// Focuses an element and presses keys.
    #[track_caller]
    pub(super) fn type_into(&self, element: &Element, keys: &str) {
        self.must("POST", &format!("/element/{}/value", element.0), &json!({ "text": keys }));
    }

    /// Presses keys where the focus is. Modifiers stay pressed until the end.
    #[track_caller]
    pub(super) fn press(&self, keys: &[char]) {
        let action = |kind: &str, key: &char| json!({ "type": kind, "value": key.to_string() });
        let down = keys.iter().map(|key| action("keyDown", key));
        let up = keys.iter().rev().map(|key| action("keyUp", key));
        let actions: Vec<_> = down.chain(up).collect();
        self.must("POST", "/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
    }

    /// Puts text where the focus is, as a paste or an input method does.
    #[track_caller]
    pub(super) fn insert(&self, text: &str) {
        self.cdp("Input.insertText", &json!({ "text": text }));
    }

    /// The text of an element as it is drawn.
    #[track_caller]
    pub(super) fn text(&self, element: &Element) -> String {
        self.run("return arguments[0].innerText", &[element.argument()]).as_str().unwrap_or("").to_owned()
    }

    /// The element with the focus.
    #[track_caller]
    pub(super) fn focused(&self) -> Option<Element> {
        Element::from_value(&self.must("GET", "/element/active", &Value::Null))
    }

    /// The role and the name of an element, as the browser tells them to a screen reader.
    #[track_caller]
    pub(super) fn role_and_name(&self, element: &Element) -> (String, String) {
        let of = |what: &str| {
            let told = self.must("GET", &format!("/element/{}/computed{what}", element.0), &Value::Null);
            told.as_str().unwrap_or("").to_owned()
        };
        (of("role"), of("label"))
    }

    /// A picture of the page, as PNG.
    #[track_caller]
    pub(super) fn picture(&self) -> Vec<u8> {
        let picture = self.must("GET", "/screenshot", &Value::Null);
        data_encoding::BASE64.decode(picture.as_str().expect("a picture").as_bytes()).expect("base64")
    }

    /// A picture of an element, as PNG in base64.
    #[track_caller]
    pub(super) fn picture_of(&self, element: &Element) -> String {
        let picture = self.must("GET", &format!("/element/{}/screenshot", element.0), &Value::Null);
        picture.as_str().expect("a picture").to_owned()
    }

    /// What the browser has logged since the last call: `browser` is its console, `performance` its requests.
    #[track_caller]
    pub(super) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.must("POST", "/se/log", &json!({ "type": kind }));
        entries.as_array().expect("entries").clone()
    }

    /// Waits until this gives something.
    #[track_caller]
    pub(super) fn wait<T>(&self, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE + Duration::from_secs(30);
        loop {
            if let Some(found) = attempt() {
                return found;
            }
            if Instant::now() > deadline {
                let shown = self.run("return document.body.innerText.slice(0, 3000)", &[]);
                panic!("it never comes to this: {what}. The page shows:\n{}", shown.as_str().unwrap_or(""));
            }
            pause(20);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A browser that has ended already needs no end.
        let _ = self.ask("DELETE", "", &Value::Null);
    }
}
