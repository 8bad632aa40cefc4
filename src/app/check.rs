//! `--check`: the effective configuration, and whether a start would succeed on this machine.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{BAD_CONFIG, FAILED, overrides, print, stop, target};
use crate::auth::admin;
use crate::config::{self, Loaded};
use crate::net::tls::Expiry;
use crate::net::{self, Endpoint};
use crate::{logging, place};

/// Checks everything that a start needs, without creating, locking or listening. Prints the configuration as TOML with
/// notes as comments; the last line says that it is good. Prints all faults to standard error instead if there are any.
/// `faults` are those that were found already.
pub(super) fn run(loaded: &Loaded, listen: &[Endpoint], mut faults: Vec<String>, set: usize) -> ExitCode {
    let (more, notes) = try_start(loaded, listen);
    faults.extend(more);
    if !faults.is_empty() {
        return stop(BAD_CONFIG, &faults);
    }
    let body = match config::to_toml(&loaded.config) {
        Ok(body) => body,
        Err(why) => return stop(FAILED, &[why]),
    };
    let mut text = comment(&format!("from {}{}", loaded.origin, overrides(set))) + &body + "\n";
    text.extend(notes.iter().map(|note| comment(note)));
    text += &comment(&format!("{}: good", loaded.origin));
    print(&text)
}

fn comment(text: &str) -> String {
    format!("# {}\n", logging::escape(text))
}

/// The faults that would stop a start, and notes on what could not be checked or is in use.
fn try_start(loaded: &Loaded, listen: &[Endpoint]) -> (Vec<String>, Vec<String>) {
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    faults.extend(own_files(loaded).err());
    match admin::try_start(&super::accounts::settings(loaded)) {
        Ok(note) => notes.extend(note.map(|note| format!("not tried: {note}"))),
        Err(failure) => faults.push(failure.to_string()),
    }
    match loaded.history_file().map(|file| net::try_history(&file)) {
        Some(Ok(note)) => notes.extend(note.map(|note| format!("not tried: {note}"))),
        Some(Err(fault)) => faults.push(fault),
        None => {}
    }
    let log = target(loaded, &[]);
    faults.extend(log.check().err());
    notes.extend(log.untried().map(|note| format!("not tried: {note}")));
    let trial = net::try_places(listen, loaded.config.datagrams.as_ref().map(config::Address::socket));
    faults.extend(trial.faults);
    notes.extend(listen.iter().filter_map(|endpoint| {
        let expiry = Expiry::seen_now(endpoint.credentials.as_ref()?.life());
        Some(format!("{endpoint}: the certificate {expiry}"))
    }));
    notes.extend(trial.in_use.iter().map(|place| format!("in use now, perhaps by a running server: {place}")));
    (faults, notes)
}

/// Checks that the configuration file is not the account file or the history, or one that the server writes beside them.
pub(super) fn own_files(loaded: &Loaded) -> Result<(), String> {
    let config::Origin::File(path) = &loaded.origin else { return Ok(()) };
    let accounts = loaded.accounts_file();
    let mut files = vec![("accounts.file", accounts.clone())];
    files.extend(admin::companions(&accounts).into_iter().map(|file| ("accounts.file", file)));
    if let Some(history) = loaded.history_file() {
        files.extend(["", "-wal", "-shm", ".lock"].map(|end| {
            let mut name = history.as_os_str().to_owned();
            name.push(end);
            ("history.file", PathBuf::from(name))
        }));
    }
    match files.iter().find(|(_, file)| place::is_one_file(file, path)) {
        Some((key, file)) => Err(format!(
            "{key}: the configuration is {}, which the server would write to; name another file",
            file.display()
        )),
        None => Ok(()),
    }
}
