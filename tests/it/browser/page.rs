//! The page as a screen reader meets it: by role and accessible name.

use std::rc::Rc;

use serde_json::{Value, json};
use testkit::{PASSWORD, Server};

use super::driver::{Driver, Seats};
use super::session::{Element, Session, key};

/// A function of the page that keeps an element for later scripts.
const KEEP: &str = "globalThis.handed ??= []; const keep = (element) => handed.push(element) - 1;";

/// A message of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The server's number; empty while it is not confirmed.
    pub(super) id: String,
    pub(super) from: String,
    pub(super) text: String,
    /// Whether it waits for its confirmation.
    pub(super) is_busy: bool,
}

/// A browser in which the page of a server is open.
pub(super) struct Page {
    pub(super) session: Session,
    /// Free when the last of its browsers has ended.
    _seats: Rc<Seats>,
}

impl Page {
    /// Opens the page of a server in a new browser. Prints why and gives `None` where no browser can be started.
    #[track_caller]
    pub(super) fn open(server: &Server) -> Option<Self> {
        Self::several(server, 1)?.pop()
    }

    /// The same in so many browsers.
    #[track_caller]
    pub(super) fn several(server: &Server, count: usize) -> Option<Vec<Self>> {
        let seats = Rc::new(Seats::take(count));
        (0..count).map(|_| Self::start(server, &seats, false)).collect()
    }

    /// Opens the page in a browser that tells what it asks for.
    #[track_caller]
    pub(super) fn watched(server: &Server) -> Option<Self> {
        Self::start(server, &Rc::new(Seats::take(1)), true)
    }

    #[track_caller]
    fn start(server: &Server, seats: &Rc<Seats>, is_watched: bool) -> Option<Self> {
        let session = Driver::shared().map_err(str::to_owned).and_then(|driver| Session::start(driver, is_watched));
        let session = session.inspect_err(|why| println!("skipped: {why}")).ok()?;
        session.goto(&address(server));
        Some(Self { session, _seats: Rc::clone(seats) })
    }

    /// A page in which this user has logged in; the account is made if it is new.
    #[track_caller]
    pub(super) fn logged_in(server: &Server, name: &str) -> Option<Self> {
        let page = Self::open(server)?;
        page.log_in(name, PASSWORD);
        page.find("log", "Messages");
        Some(page)
    }

    /// Fills the form and sends it.
    #[track_caller]
    pub(super) fn log_in(&self, name: &str, password: &str) {
        self.fill("textbox", "Name", name);
        self.fill("textbox", "Password", password);
        self.click("button", "Log in");
    }

    // Finding.

    /// The elements with this role, and this name if one is given, that a screen reader meets.
    #[track_caller]
    pub(super) fn all(&self, role: &str, name: Option<&str>) -> Vec<Element> {
        let nodes = self.nodes("document", role, name);
        nodes.iter().filter_map(|node| self.element(&node["backendDOMNodeId"])).collect()
    }

    /// The names of all elements with this role in the one element with that role and name.
    #[track_caller]
    pub(super) fn names_in(&self, outer: (&str, &str), role: &str) -> Vec<String> {
        let outer = self.find(outer.0, outer.1);
        let place = self.session.run(&format!("{KEEP} return keep(arguments[0])"), &[outer.argument()]);
        let nodes = self.nodes(&format!("handed[{place}]"), role, None);
        nodes.iter().map(|node| node["name"]["value"].as_str().unwrap_or("").to_owned()).collect()
    }

    /// The nodes of the accessibility tree below what a script gives.
    fn nodes(&self, root: &str, role: &str, name: Option<&str>) -> Vec<Value> {
        let root = self.session.cdp("Runtime.evaluate", &json!({ "expression": root }));
        let mut query = json!({ "objectId": root["result"]["objectId"], "role": role });
        if let Some(name) = name {
            query["accessibleName"] = json!(name);
        }
        // Between the two questions the page may have been loaded anew: then there is nothing.
        let found = self.session.try_cdp("Accessibility.queryAXTree", &query).unwrap_or_default();
        let nodes = found["nodes"].as_array().into_iter().flatten();
        nodes.filter(|node| node["ignored"] != json!(true)).cloned().collect()
    }

    /// The element of a node: DevTools hands it to a script of the page, and that to WebDriver.
    fn element(&self, node: &Value) -> Option<Element> {
        let object = self.session.try_cdp("DOM.resolveNode", &json!({ "backendNodeId": node })).ok()?;
        let hand = format!("function () {{ {KEEP} return keep(this); }}");
        let place = self.session.cdp(
            "Runtime.callFunctionOn",
            &json!({ "objectId": object["object"]["objectId"], "functionDeclaration": hand, "returnByValue": true }),
        );
        let take = "const found = globalThis.handed?.[arguments[0]]; return found?.isConnected ? found : null";
        Element::from_value(&self.session.run(take, &[place["result"]["value"].clone()]))
    }

    /// The one element with this role and name, which must come.
    #[track_caller]
    pub(super) fn find(&self, role: &str, name: &str) -> Element {
        self.session.wait(&format!("one {role} {name:?}"), || {
            let found = self.all(role, Some(name));
            (found.len() == 1).then(|| found[0].clone())
        })
    }

    /// Whether there is such an element now.
    #[track_caller]
    pub(super) fn has(&self, role: &str, name: &str) -> bool {
        !self.all(role, Some(name)).is_empty()
    }

    /// Waits until there is no such element.
    #[track_caller]
    pub(super) fn wait_gone(&self, role: &str, name: &str) {
        self.session.wait(&format!("no {role} {name:?}"), || (!self.has(role, name)).then_some(()));
    }

    /// The text of what has this role and contains these words, which must come: alerts have no names.
    #[track_caller]
    pub(super) fn told(&self, role: &str, words: &str) -> String {
        self.session.wait(&format!("{role} … {words:?} …"), || {
            let texts = self.all(role, None).into_iter().map(|element| self.session.text(&element));
            texts.into_iter().find(|text| text.contains(words))
        })
    }

    // Doing.

    /// Clicks on an element, once it can be clicked.
    #[track_caller]
    pub(super) fn click(&self, role: &str, name: &str) {
        self.session.wait(&format!("a click on {role} {name:?}"), || {
            let found = self.all(role, Some(name));
            // It may be redrawn at this moment, or still move.
            (found.len() == 1).then(|| self.session.click(&found[0]).ok()).flatten()
        });
    }

    /// Replaces the text of a field.
    #[track_caller]
    pub(super) fn fill(&self, role: &str, name: &str, text: &str) {
        let field = self.find(role, name);
        self.session.run("arguments[0].focus(); arguments[0].select()", &[field.argument()]);
        if text.is_empty() {
            self.session.press(&['\u{e017}']);
        } else {
            self.session.insert(text);
        }
    }

    /// Says something where the page is: types it, and Enter.
    #[track_caller]
    pub(super) fn say(&self, text: &str) {
        self.fill("textbox", "Message", text);
        self.session.press(&[key::ENTER]);
    }

    /// Opens a place by its button, whatever is unread there.
    #[track_caller]
    pub(super) fn open_place(&self, label: &str) {
        let begun = format!("{label}, ");
        let name = self.session.wait(&format!("a button {label:?}"), || {
            self.places().into_iter().find(|name| name == label || name.starts_with(&begun))
        });
        self.click("button", &name);
    }

    // Reading.

    /// The names of the buttons in `Rooms and people`, from above.
    #[track_caller]
    pub(super) fn places(&self) -> Vec<String> {
        let mut names = self.names_in(("navigation", "Rooms and people"), "button");
        names.retain(|name| name != "Join or make a room");
        names.truncate(names.len().saturating_sub(2)); // oneself and the settings
        names
    }

    /// Waits until the list of places is this.
    #[track_caller]
    pub(super) fn expect_places(&self, expected: &[&str]) {
        self.session.wait(&format!("the places {expected:?}"), || (self.places() == expected).then_some(()));
    }

    /// The names in the list of people, with what is said about them.
    #[track_caller]
    pub(super) fn people(&self) -> Vec<String> {
        let mut names = self.names_in(("list", "People"), "button");
        names.retain(|name| !name.starts_with("About "));
        names
    }

    /// Waits until the list of people is this.
    #[track_caller]
    pub(super) fn expect_people(&self, expected: &[&str]) {
        self.session.wait(&format!("the people {expected:?}, not {:?}", self.people()), || {
            (self.people() == expected).then_some(())
        });
    }

    /// The messages of the log, in the order of the document.
    #[track_caller]
    pub(super) fn messages(&self) -> Vec<Message> {
        let script = "return [...document.querySelectorAll('[role=log] [data-from]')].map((message) => [
            message.dataset.id ?? '', message.dataset.from,
            (message.querySelector('.text') ?? message).textContent, message.ariaBusy ?? ''])";
        let rows = self.session.run(script, &[]);
        let rows = rows.as_array().expect("rows").iter().map(strings);
        rows.map(|row| Message {
            id: row[0].clone(),
            from: row[1].clone(),
            text: row[2].clone(),
            is_busy: row[3] == "true",
        })
        .collect()
    }

    /// The messages as `name: text`.
    #[track_caller]
    pub(super) fn lines(&self) -> Vec<String> {
        self.messages().into_iter().map(|message| format!("{}: {}", message.from, message.text)).collect()
    }

    /// Waits until the log has exactly these messages, all of them confirmed.
    #[track_caller]
    pub(super) fn expect_lines(&self, expected: &[&str]) {
        self.session.wait(&format!("the log {expected:?}"), || {
            (self.lines() == expected && self.messages().iter().all(|message| !message.is_busy)).then_some(())
        });
    }

    /// Waits until somebody has said this in the place that is open.
    #[track_caller]
    pub(super) fn hear(&self, line: &str) {
        self.session
            .wait(&format!("{line:?} in the log"), || self.lines().iter().any(|heard| heard == line).then_some(()));
    }

    /// The value of a field.
    #[track_caller]
    pub(super) fn value(&self, role: &str, name: &str) -> String {
        let value = self.session.run("return arguments[0].value", &[self.find(role, name).argument()]);
        value.as_str().expect("a value").to_owned()
    }

    /// Whether the focus is on this element.
    #[track_caller]
    pub(super) fn is_focused(&self, role: &str, name: &str) -> bool {
        let focused = self.session.focused().map(|element| self.session.role_and_name(&element));
        focused == Some((role.to_owned(), name.to_owned()))
    }

    /// Waits until the focus is on this element.
    #[track_caller]
    pub(super) fn expect_focus(&self, role: &str, name: &str) {
        self.session.wait(&format!("the focus on {role} {name:?}"), || self.is_focused(role, name).then_some(()));
    }

    /// Sets the size of what is seen, in pixels, and the theme of the system.
    #[track_caller]
    pub(super) fn look(&self, width: u32, height: u32, theme: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.session.cdp("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.session.cdp("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }
}

/// The address of a server's page.
pub(super) fn address(server: &Server) -> String {
    format!("http://localhost:{}/", server.door("web").port())
}

/// An array of strings.
pub(super) fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

impl Drop for Page {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // A server that is not there is told by the browser as an error of the page.
        let told = self.session.log("browser").into_iter().filter(|entry| entry["level"] == "SEVERE");
        let told: Vec<_> = told.map(|entry| entry["message"].to_string()).collect();
        let wrong: Vec<_> = told.iter().filter(|text| !text.contains("WebSocket connection to")).collect();
        assert!(wrong.is_empty(), "the console of the browser: {wrong:?}");
    }
}

/// The element that a script has returned.
#[track_caller]
pub(super) fn element(value: &Value) -> Element {
    Element::from_value(value).unwrap_or_else(|| panic!("{value} is no element"))
}
