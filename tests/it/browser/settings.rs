//! Settings: the theme and notifications; search.

use serde_json::json;

use super::*;

/// The colour behind the page, as red, green and blue.
fn background(page: &Page) -> String {
    let script = "return getComputedStyle(document.body).backgroundColor";
    page.session.run(script, &[]).as_str().expect("a colour").to_owned()
}

/// Chooses a theme as the keyboard does.
fn choose(page: &Page, theme: &str) {
    let field = page.find("combobox", "Theme");
    let script =
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', { bubbles: true }))";
    page.session.run(script, &[field.argument(), json!(theme)]);
}

#[test]
fn the_theme_follows_the_system_or_the_switch() {
    let server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.look(1280, 800, "light");
    let light = background(&page);
    page.look(1280, 800, "dark");
    page.session.wait("another background", || (background(&page) != light).then_some(()));
    let dark = background(&page);
    page.click("button", "Settings");
    page.expect_focus("combobox", "Theme");
    choose(&page, "light");
    assert_eq!(background(&page), light);
    page.session.press(&[key::ESCAPE]);
    page.session.reload();
    page.find("log", "Messages");
    assert_eq!(background(&page), light, "it is remembered");
    page.look(1280, 800, "light");
    page.click("button", "Settings");
    choose(&page, "dark");
    assert_eq!(background(&page), dark);
    choose(&page, "system");
    assert_eq!(background(&page), light);
}

#[test]
fn notifications_are_for_what_is_hers_while_the_page_is_hidden() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let origin = page::address(&server);
    page.session.cdp(
        "Browser.grantPermissions",
        &json!({ "permissions": ["notifications"], "origin": origin.trim_end_matches('/') }),
    );
    // What the page asks the browser to show.
    let record = "globalThis.shown = []; const real = Notification; globalThis.Notification = class {
        static permission = 'granted'; static requestPermission = async () => 'granted';
        constructor(title, options) { shown.push(`${title}: ${options.body}`); } close() {} }; return real.permission";
    assert_eq!(page.session.run(record, &[]), "granted");
    page.click("button", "Settings");
    page.click("switch", "Notifications");
    page.session.press(&[key::ESCAPE]);
    bob.op("DM alice while she looks");
    page.expect_places(&["everybody", "@bob, 1 unread"]);
    page.session.ask("POST", "/window/minimize", &json!({})).expect("a hidden window");
    page.session.wait("it is hidden", || (page.session.run("return document.hidden", &[]) == true).then_some(()));
    for line in ["PM good morning", "PM good morning, alice", "DM alice in private"] {
        bob.op(line);
    }
    let shown = page.session.wait("two notifications", || {
        let shown = page::strings(&page.session.run("return shown", &[]));
        (shown.len() >= 2).then_some(shown)
    });
    assert_eq!(shown, ["bob in everybody: good morning, alice", "bob: in private"]);
}

#[test]
fn without_a_secure_context_the_switch_says_why_not() {
    let server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    // Loopback is a secure context by any name; the browser has to be told otherwise.
    let insecure = json!({ "source": "Object.defineProperty(globalThis, 'isSecureContext', { value: false })" });
    page.session.cdp("Page.addScriptToEvaluateOnNewDocument", &insecure);
    page.session.reload();
    page.find("log", "Messages");
    page.click("button", "Settings");
    let switch = page.find("switch", "Notifications");
    let script = "return [String(arguments[0].disabled), document.getElementById(arguments[0].getAttribute('aria-describedby')).textContent]";
    let told = page::strings(&page.session.run(script, &[switch.argument()]));
    assert_eq!(told[0], "true");
    assert!(told[1].contains("https"), "{told:?}");
}

#[test]
fn what_was_said_is_found_again() {
    let server = served().start();
    let mut bob = server.bare("bob");
    for text in ["green tea", "tea that is green", "black tea", "green grass"] {
        bob.op(&format!("PM {text}"));
    }
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.hear("bob: green grass");
    page.click("button", "Search");
    page.expect_focus("textbox", "Search");
    let ask = |words: &str| {
        page.fill("textbox", "Search", words);
        page.session.press(&[key::ENTER]);
    };
    ask("tea green");
    page.told("status", "2 found");
    let found = page.find("list", "Found");
    let text = page.session.text(&found);
    assert!(text.contains("green tea") && text.contains("tea that is green") && !text.contains("black"), "{text}");
    ask("from:bob gras*");
    page.told("status", "1 found");
    ask("coffee");
    page.told("status", "Nothing was found");
    page.session.press(&[key::ESCAPE]);
    page.wait_gone("dialog", "Search");
}
