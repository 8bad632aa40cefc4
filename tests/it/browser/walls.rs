//! What the page's Content-Security-Policy allows: itself.

use serde_json::Value;

use super::*;

/// The addresses that the browser has asked for.
fn requests(page: &Page) -> Vec<String> {
    let entries = page.session.log("performance");
    let messages = entries.iter().filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
    messages
        .filter_map(|message| {
            let message = &message["message"];
            let url = match message["method"].as_str()? {
                "Network.requestWillBeSent" => &message["params"]["request"]["url"],
                "Network.webSocketCreated" => &message["params"]["url"],
                _ => return None,
            };
            Some(url.as_str()?.to_owned())
        })
        .collect()
}

#[test]
fn nothing_is_asked_of_anybody_else() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::watched(&server) else { return };
    page.log_in("alice", PASSWORD);
    page.find("log", "Messages");
    bob.op("PM see https://example.invalid/picture.png and http://example.invalid/");
    page.session.wait("links", || (page.all("link", None).len() == 2).then_some(()));
    page.enter("lobby", "", "Make");
    page.expect_places(&["everybody", "lobby"]);
    for dialog in ["Settings", "Search", "About this place"] {
        page.click("button", dialog);
        page.click("button", "Close");
        page.wait_gone("button", "Close");
    }
    page.session.reload();
    page.find("log", "Messages");
    let own = page::address(&server);
    let socket = own.replace("http://", "ws://");
    let mut asked = requests(&page);
    asked.retain(|url| !url.starts_with("chrome://")); // the browser's own first page
    assert!(asked.contains(&format!("{socket}ws")), "{asked:?}");
    let others: Vec<_> = asked
        .iter()
        .filter(|url| !url.starts_with(&own) && !url.starts_with(&socket) && !url.starts_with("data:"))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn foreign_code_and_foreign_addresses_are_refused() {
    let server = served().start();
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let attempts = "
      const refused = [];
      addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
      const element = (tag, props) => document.body.append(Object.assign(document.createElement(tag), props));
      try { document.body.insertAdjacentHTML('beforeend', '<b>markup</b>'); } catch (error) { refused.push(error.name); }
      try { new Function('return 1')(); } catch (error) { refused.push(error.name); }
      element('style', { textContent: 'body { background: red }' });
      element('img', { src: 'http://127.0.0.1:1/picture.png' });
      element('iframe', { src: location.href });
      const button = document.createElement('button');
      try { button.setAttribute('onclick', 'globalThis.caught = true'); } catch (error) { refused.push(error.name); }
      button.click();
      const fetched = fetch('http://127.0.0.1:1/').catch(() => {});
      return fetched.then(() => new Promise((done) => setTimeout(() => done([...new Set(refused)].sort()), 300)));";
    let refused = page::strings(&page.session.run(attempts, &[]));
    for what in ["TypeError", "require-trusted-types-for", "style-src-elem", "img-src", "frame-src", "connect-src"] {
        assert!(refused.iter().any(|told| told == what), "{what} is not in {refused:?}");
    }
    assert_eq!(page.session.run("return globalThis.caught ?? null", &[]), Value::Null);
    page.session.log("browser"); // These errors are the test's own.
}
