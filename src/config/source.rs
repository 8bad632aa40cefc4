//! The sources of configuration, a file or a `--set`, and places in them.

use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// A TOML document from the operator.
pub(super) struct Source {
    name: Name,
    text: String,
}

enum Name {
    /// The file, as it was named.
    File(String),
    /// The key of a `--set`, whose text is the document.
    Set(String),
}

impl Source {
    /// A file. A leading byte-order mark, which some editors write, is neither text nor a column.
    pub(super) fn file(path: &Path, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        Self { name: Name::File(path.display().to_string()), text }
    }

    pub(super) fn set(text: &str) -> Self {
        let key = text.split_once('=').map_or(text, |(key, _)| key).trim();
        Self { name: Name::Set(key.to_owned()), text: text.to_owned() }
    }

    /// Parses the document and keeps places. An error says what is not TOML.
    pub(super) fn parse(&self) -> Result<Document<'_>, String> {
        match DeTable::parse(&self.text) {
            Ok(table) if table.get_ref().is_empty() && matches!(self.name, Name::Set(_)) => {
                Err(self.fault("", 0, "sets nothing; it takes KEY=VALUE, such as limits.connections=50000"))
            }
            Ok(table) => Ok(Document { source: self, table: table.into_inner() }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                Err(self.fault("", at, &self.explain(error.message())))
            }
        }
    }

    /// Parses the document without places.
    pub(super) fn table(&self) -> Result<Table, String> {
        toml::from_str(&self.text).map_err(|error| self.fault("", 0, error.message()))
    }

    /// The message for a fault at byte `at` of this source: place, key (may be empty) and `what`.
    pub(super) fn fault(&self, key: &str, at: usize, what: &str) -> String {
        match &self.name {
            Name::File(name) => {
                let (line, column) = position(&self.text, at);
                let colon = if key.is_empty() { "" } else { ": " };
                format!("{name}:{line}:{column}: {key}{colon}{what}")
            }
            Name::Set(said) if key.is_empty() || said == key => format!("--set {}: {what}", self.text),
            Name::Set(_) => format!("--set {}: {key}: {what}", self.text),
        }
    }

    /// The message for text that is not TOML. On a command line, the cause is nearly always a string whose quotes are
    /// missing or were removed by the shell.
    fn explain(&self, message: &str) -> String {
        let (Name::Set(key), Some((_, value))) = (&self.name, self.text.split_once('=')) else {
            return format!("not TOML: {message}");
        };
        let text = Value::from(value.trim());
        let quoted = format!("{key}={}", if key == "listen" { Value::from(vec![text]) } else { text });
        if DeTable::parse(&format!("{key}=0")).is_err() {
            format!("not TOML: the key must be a dotted path, such as limits.connections ({message})")
        } else if value.trim().is_empty() {
            "the value is missing; it takes KEY=VALUE, such as limits.connections=50000".to_owned()
        } else if value.contains(['"', '\'', '\n']) {
            format!("the value is not TOML: {message}")
        } else if ["true", "false"].iter().any(|word| value.trim().eq_ignore_ascii_case(word)) {
            format!("the value is not TOML; write {}", value.trim().to_ascii_lowercase())
        } else {
            format!("the value is not TOML; a string needs quotes: --set '{quoted}'")
        }
    }
}

/// A source that is valid TOML.
pub(super) struct Document<'a> {
    source: &'a Source,
    table: DeTable<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn table(&self) -> &DeTable<'a> {
        &self.table
    }

    /// The byte at which the value of a key (a dotted path) begins, if the document contains it.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        let mut table = &self.table;
        let mut at = None;
        for part in key.split('.') {
            let value: &Spanned<DeValue<'_>> = table.get(part)?;
            at = Some(value.span().start);
            match value.get_ref().as_table() {
                Some(inner) => table = inner,
                None => break,
            }
        }
        at
    }

    /// The message for a fault in this document; see [`Source::fault`].
    pub(super) fn fault(&self, key: &str, at: usize, what: &str) -> String {
        self.source.fault(key, at, what)
    }
}

/// The line and the column (in characters) of a byte of the text, counted from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    // Every byte of UTF-8 that is not a continuation byte begins a character.
    let column = before.iter().skip(line_start).filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        let text = "a\nbé = 1\n";
        for (at, expected) in [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (5, (2, 3)), (9, (2, 7)), (99, (3, 1))] {
            assert_eq!(position(text, at), expected, "{at}");
        }
    }
}
