//! Long conversations: the document stays small.

use serde_json::json;

use super::*;

/// The most messages of a room in the document.
const MOST: u64 = 1_000;
/// How many come.
const MANY: usize = 10_000;

/// Rows in the log and elements in the document, and which of the messages are shown.
const COUNT: &str = "return [document.querySelectorAll('[role=log] > *').length, document.querySelectorAll('*').length,
    [...document.querySelectorAll('[role=log] [data-from] .text')].map((text) => text.textContent)]";

/// Reads upwards to the oldest message, and gives the numbers of messages that were seen on the way, and the most
/// elements that the document had.
const READ_BACK: &str = "const [done, log] = [arguments[0], document.querySelector('[role=log]')];
    const seen = new Set(); let most = 0; let idle = 0;
    const step = () => {
      const before = seen.size;
      for (const text of log.querySelectorAll('[data-from] .text')) seen.add(text.textContent);
      most = Math.max(most, log.querySelectorAll('[data-from]').length);
      idle = seen.size === before ? idle + 1 : 0;
      if (seen.has('number 0') || idle > 600) return done([seen.size, most, document.querySelectorAll('*').length]);
      log.scrollTop = 0;
      setTimeout(step, 25);
    };
    step();";

#[test]
fn ten_thousand_messages_leave_a_thousand_in_the_document() {
    let server = served().start();
    let mut bob = server.bare("bob");
    let Some(page) = Page::logged_in(&server, "alice") else { return };
    page.session.ask("POST", "/timeouts", &json!({ "script": 110_000 })).expect("a longer time");
    for chunk in 0..MANY / 500 {
        let lines: Vec<_> = (0..500).map(|number| format!("PM number {}\n", chunk * 500 + number)).collect();
        bob.send_raw(lines.concat().as_bytes());
        for _ in 0..500 {
            bob.expect("C 250 ");
        }
        let counted = page.session.run(COUNT, &[]);
        assert!(counted[0].as_u64().expect("rows") <= MOST + 3, "{} rows", counted[0]);
    }
    page.hear(&format!("bob: number {}", MANY - 1));
    let counted = page.session.run(COUNT, &[]);
    let shown = page::strings(&counted[2]);
    assert!(shown.len() as u64 <= MOST && shown.len() > 500, "{} messages", shown.len());
    let newest: Vec<_> = (MANY - shown.len()..MANY).map(|number| format!("number {number}")).collect();
    assert!(shown == newest, "the newest, in their order");

    let read = page.session.ask("POST", "/execute/async", &json!({ "script": READ_BACK, "args": [] })).expect("an end");
    assert_eq!(read[0], MANY, "all of it can be read");
    assert!(read[1].as_u64().expect("a number") <= MOST, "{read}");
    assert!(read[2].as_u64().expect("a number") < MOST * 16, "{read}");
    page.session.press(&[key::ESCAPE]);
    page.hear(&format!("bob: number {}", MANY - 1));
}
