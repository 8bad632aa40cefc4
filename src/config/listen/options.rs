//! The options of an endpoint: `KEY=VALUE`, separated by `&`, in any order, each at most once.

/// The options that are not taken yet.
#[derive(Debug)]
pub(super) struct Options<'a>(Vec<(String, &'a str)>);

impl<'a> Options<'a> {
    /// Splits the text after the `?`. Keys are in any case.
    ///
    /// # Errors
    /// An option is given twice.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let mut options: Vec<(String, &str)> = Vec::new();
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let key = key.to_ascii_lowercase();
            if options.iter().any(|(other, _)| *other == key) {
                return Err(format!("{key} is given twice; give it once"));
            }
            options.push((key, value));
        }
        Ok(Self(options))
    }

    /// Takes the value of an option.
    pub(super) fn take(&mut self, key: &str) -> Option<&'a str> {
        let place = self.0.iter().position(|(other, _)| other == key)?;
        Some(self.0.remove(place).1)
    }

    /// Takes an option that has one value only. False if it is not given.
    ///
    /// # Errors
    /// It has another value.
    pub(super) fn take_flag(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match self.take(key) {
            None => Ok(false),
            Some(given) if given.eq_ignore_ascii_case(value) => Ok(true),
            Some(given) => Err(format!("there is no {:?}; there is {:?}", shown(key, given), shown(key, value))),
        }
    }

    /// Takes a path.
    ///
    /// # Errors
    /// The path is empty.
    pub(super) fn take_path(&mut self, key: &str) -> Result<Option<std::path::PathBuf>, String> {
        match self.take(key) {
            Some("") => Err(format!("{key} must be the path of a file, not empty")),
            path => Ok(path.map(Into::into)),
        }
    }

    /// Checks that all options were taken. `known` names those of the door.
    ///
    /// # Errors
    /// There is another option.
    pub(super) fn finish(self, door: &str, known: &[&str]) -> Result<(), String> {
        match (self.0.first(), known) {
            (None, _) => Ok(()),
            (Some((key, _)), []) => Err(format!("there is no option {key:?}; {door} takes none")),
            (Some((key, _)), known) => Err(format!("there is no option {key:?}; {door} takes {}", known.join(", "))),
        }
    }
}

fn shown(key: &str, value: &str) -> String {
    if value.is_empty() { key.to_owned() } else { format!("{key}={value}") }
}
