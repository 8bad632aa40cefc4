//! What `chatd ctl` prints.

use serde_json::Value;

use crate::door::operator::{Form, NOTHING, elements, form, pairs};
use crate::logging;

/// The way in which an answer is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    /// The command, whose keys it has.
    pub(super) command: &'a str,
    /// As JSON objects.
    pub(super) json: bool,
}

impl Shown<'_> {
    /// An item, as a line.
    pub(super) fn item(self, item: &str) -> String {
        if !self.json {
            return format!("{}\n", logging::escape(item));
        }
        let Some(pairs) = pairs(item) else { return object(&[("text", Value::from(item))]) };
        let values = pairs.iter().map(|(key, value, is_quoted)| (*key, self.value(key, value, *is_quoted)));
        object(&values.collect::<Vec<_>>())
    }

    /// The last line of an answer. The number of items is not printed: a line an item is.
    pub(super) fn last(self, code: u16, text: &str) -> String {
        if code == 211 {
            return String::new();
        }
        if self.json {
            return object(&[("code", Value::from(code)), ("text", Value::from(text))]);
        }
        format!("{}\n", logging::escape(text))
    }

    fn value(self, key: &str, value: &str, is_quoted: bool) -> Value {
        if value == NOTHING && !is_quoted {
            return Value::Null;
        }
        match form(self.command, key) {
            Form::Number => value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from),
            Form::Flag => Value::from(value == "yes"),
            Form::List => Value::from(elements(value).collect::<Vec<_>>()),
            Form::Text => Value::from(value),
        }
    }
}

/// A JSON object in one line, with its keys in this order.
fn object(pairs: &[(&str, Value)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{}:{value}", Value::from(*key))).collect();
    format!("{{{}}}\n", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, item: &str, expected: &str) {
        let shown = Shown { command, json: true };
        assert_eq!(shown.item(item), format!("{expected}\n"));
        serde_json::from_str::<Value>(expected).unwrap();
    }

    #[test]
    fn items_as_json() {
        check(
            "sessions",
            "id=7 name=- tls=no address=::1 owed=0 rooms=a,b",
            r#"{"id":7,"name":null,"tls":false,"address":"::1","owed":0,"rooms":["a","b"]}"#,
        );
        check("sessions", "rooms=", r#"{"rooms":[]}"#);
        check("rooms", "name=123 host=\"-\" members=2", r#"{"name":"123","host":"-","members":2}"#);
        check("reload", "changed=\"a from \\\"b\\\"\"", r#"{"changed":"a from \"b\""}"#);
        check("status", "not an item", r#"{"text":"not an item"}"#);
    }

    #[test]
    fn plain_lines_control_no_terminal() {
        let shown = Shown { command: "status", json: false };
        assert_eq!(shown.item("a=1 b=\"\u{1b}\""), "a=1 b=\"\\u{1b}\"\n");
        assert_eq!(shown.last(211, "3"), "");
        assert_eq!(shown.last(250, "done"), "done\n");
        assert_eq!(Shown { json: true, ..shown }.last(250, "done"), "{\"code\":250,\"text\":\"done\"}\n");
    }
}
