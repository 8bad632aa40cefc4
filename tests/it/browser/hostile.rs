//! Messages and names that are markup, script, or meant to disturb what is around them.

use serde_json::json;

use super::*;

#[test]
fn markup_is_text() {
    const TEXTS: [&str; 7] = [
        "<img src=x onerror=globalThis.caught=1>",
        "<script>globalThis.caught=2</script>",
        "</div></bdi><iframe srcdoc='<script>parent.caught=3</script>'></iframe>",
        "&lt;b&gt; &amp;amp; &#x3c;",
        "${globalThis.caught=4} {{caught}} `backticks`",
        "<a href='javascript:globalThis.caught=5'>click</a>",
        "<style>* { display: none }</style><!-- ",
    ];
    let server = served().start();
    let mut bob = server.bare("bob");
    bob.op("MAKE <b>room</b>");
    let is_made = bob.reply().starts_with("C 227 ");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let mut expected = Vec::new();
    for text in TEXTS {
        bob.op(&format!("PM {text}"));
        expected.push(format!("bob: {text}"));
    }
    for text in TEXTS {
        page.say(text);
        expected.push(format!("alice: {text}"));
    }
    page.expect_lines(&expected.iter().map(String::as_str).collect::<Vec<_>>());
    if is_made {
        page.enter("<b>room</b>", "", "Join");
        page.expect_places(&["everybody", "<b>room</b>"]);
    }
    bob.op(&format!("DM alice {}", TEXTS[0]));
    page.session.wait("a direct message", || page.places().iter().any(|name| name == "@bob, 1 unread").then_some(()));
    // Where such texts are also shown: what is read aloud, search, the topic.
    page.session.wait("it is read aloud", || {
        // Of several in one second only their number is told.
        bob.op(&format!("DM alice {}", TEXTS[1]));
        testkit::pause(1_500);
        let told = page.all("status", None).into_iter().map(|status| page.session.text(&status));
        told.into_iter().any(|text| text == format!("bob: {}", TEXTS[1])).then_some(())
    });
    page.click("button", "Search");
    page.fill("textbox", "Search", "script");
    page.session.press(&[key::ENTER]);
    page.told("status", "found");
    let script = "return [globalThis.caught ?? 0, document.querySelectorAll('body img, body script, iframe, style, body b').length]";
    assert_eq!(page.session.run(script, &[]), json!([0, 0]));
}

#[test]
fn only_addresses_of_the_web_are_links() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    for text in [
        "see https://example.org/a?b=c&d=<e>, or (http://example.org/x_(y)).",
        "javascript:alert(1) data:text/html,<script> file:///etc/passwd ftp://example.org/ vbscript:x",
        "https://user:secret@example.org/ https://example.org\"onmouseover=alert(1) ",
        "xhttps://example.org/ HTTPS://EXAMPLE.ORG/UP",
    ] {
        bob.op(&format!("PM {text}"));
    }
    page.hear("bob: xhttps://example.org/ HTTPS://EXAMPLE.ORG/UP");
    let script = "return [...document.querySelectorAll('[role=log] a')].map((link) =>
        [link.href, link.textContent, link.target, link.rel, link.getAttributeNames().sort().join(' ')].join(' | '))";
    let links = page::strings(&page.session.run(script, &[]));
    let attributes = "_blank | noopener noreferrer | dir href rel target";
    let link = |href: &str, text: &str| format!("{href} | {text} | {attributes}");
    assert_eq!(
        links,
        [
            link("https://example.org/a?b=c&d=", "https://example.org/a?b=c&d="),
            link("http://example.org/x_(y)", "http://example.org/x_(y)"),
            link("https://example.org/", "https://example.org"),
            link("https://example.org/UP", "HTTPS://EXAMPLE.ORG/UP"),
        ]
    );
}

/// Where everything of a message is, from the log's left edge and the message's upper one.
const BOXES: &str = "const [log, message] = [document.querySelector('[role=log]'), arguments[0]];
    const [left, top] = [log.getBoundingClientRect().x, message.getBoundingClientRect().y];
    return [...message.querySelectorAll('.from, time, .text')].map((part) => {
      const box = part.getBoundingClientRect();
      return [part.localName, Math.round(box.x - left), Math.round(box.y - top), Math.round(box.height)];
    })";

#[test]
fn a_text_does_not_turn_what_is_around_it() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    let mut carol = server.bare("carol");
    bob.op("PM plain");
    page.hear("bob: plain");
    let boxes = |page: &Page, text: &str| {
        let find = "return [...document.querySelectorAll('[data-from]')].find((message) => message.textContent.includes(arguments[0]))";
        let message = page::element(&page.session.run(find, &[json!(text)]));
        page.session.run(BOXES, &[message.argument()])
    };
    let plain = boxes(&page, "plain");
    for (number, text) in [
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd} to all",
        "\u{627}\u{644}\u{633} 12:34 (\u{5d0})",
        "\u{5d0} https://example.org/ \u{5d1}",
    ]
    .into_iter()
    .enumerate()
    {
        // Another speaker between, so that each message has a head of its own.
        carol.op(&format!("PM between {number}"));
        page.hear(&format!("carol: between {number}"));
        bob.op(&format!("PM {text} mark{number}"));
        page.hear(&format!("bob: {text} mark{number}"));
        assert_eq!(boxes(&page, &format!("mark{number}")), plain, "{text:?}");
    }
    // What turns a text over its end is refused by the server; the page says so, and loses nothing.
    for text in ["\u{202e}turned", "\u{2067}isolated"] {
        page.say(text);
        page.told("alert", "Not sent");
        page.click("button", "Discard");
        page.wait_gone("button", "Discard");
        assert!(!page.lines().iter().any(|line| line.contains(text)));
    }
}

#[test]
fn marks_by_the_thousand_stay_in_their_message() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    bob.op("PM above");
    let mut carol = server.bare("carol");
    carol.op("PM a calm text");
    page.hear("carol: a calm text");
    let pictures = || {
        let find = "return [...document.querySelectorAll('[data-from=carol]')]";
        let calm = page.session.run(find, &[]);
        let calm = calm.as_array().expect("messages").iter().map(page::element);
        calm.map(|message| page.session.picture_of(&message)).collect::<Vec<_>>()
    };
    let before = pictures();
    let mut height = 0;
    for marks in [1_900, 1_990] {
        // A line has 4,096 bytes, and a mark two: ten thousand in all come by several lines.
        for _ in 0..3 {
            bob.op(&format!("PM x{}", "\u{338}\u{30d}".repeat(marks / 2)));
        }
        page.session.wait("it is there", || {
            let last = page.lines().pop()?;
            (last.chars().filter(|char| ('\u{300}'..='\u{36f}').contains(char)).count() > 1_000).then_some(())
        });
        let tall = "return Math.max(...[...document.querySelectorAll('[data-from=bob]')].map((message) => message.offsetHeight))";
        height = page.session.run(tall, &[]).as_u64().expect("pixels");
    }
    assert!(height < 800, "{height} pixels");
    assert!(pictures() == before, "the message above looks as it did");
    let wide = "const log = document.querySelector('[role=log]'); return log.scrollWidth - log.clientWidth";
    assert_eq!(page.session.run(wide, &[]), 0);
}
