//! The decoders of the operator's door, and of `chatd ctl`.

use chatd::door::Decoded;
use chatd::door::operator::{self, Command, Item, OperatorDoor, elements};
use chatd::text::{self, Class};

/// Lines of operators are commands or are refused; what items hold comes back as it was; and a trace shows nothing that a
/// terminal obeys, and nothing of a secret line.
pub fn operator(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        if let Decoded::Operate(command) = OperatorDoor.decode(line) {
            let anywhere = Command::parse(command, false);
            let in_chat = Command::parse(command, true);
            assert!(in_chat.is_err() || in_chat == anywhere, "the chat has no commands of its own: {command:?}");
        }
        assert_eq!(operator::from_client(line, true), operator::MASK);
        for shown in [operator::from_client(line, false), operator::from_server(line)] {
            assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
    let said = String::from_utf8_lossy(data);
    let mut out = Vec::new();
    Item::begin(&mut out).text("one", &said).list("list", said.split(' ')).number("two", 2).end();
    let item = String::from_utf8(out).expect("an item is text");
    let item = item.strip_prefix(operator::ITEM).and_then(|item| item.strip_suffix('\n')).expect("one line");
    assert!(text::classes(item).all(|(_, class)| class == Class::Plain), "{item:?}");
    let pairs = operator::pairs(item).expect("an item that we made");
    let list: Vec<&str> = said.split(' ').filter(|element| !element.is_empty()).collect();
    assert!(pairs[0].1 == said && pairs[2].1 == "2", "{pairs:?}");
    if !said.contains("%2C") {
        assert_eq!(elements(&pairs[1].1).collect::<Vec<_>>(), list);
    }
    let _ = operator::pairs(&said);
}
