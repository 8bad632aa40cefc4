//! `chatd ctl COMMAND`: sends one command to the running server, and prints its answer.

mod link;
mod show;

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) use self::link::{Fault, Line, Link};
use self::show::Shown;
use super::password::new_password;
use super::{BAD_CONFIG, FAILED, IN_USE, USAGE, stop};
use crate::config::{self, Place};
use crate::door::operator::{COMMANDS, Help};
use crate::logging;

/// Sends `words` as one command to the server at `socket`, or at that of the configuration at `place`. `json` prints each
/// item as a JSON object.
pub(super) fn run(place: &Place, socket: Option<&Path>, words: &[String], json: bool) -> ExitCode {
    let command = words.join(" ");
    if let Some(code) = explain(&command) {
        return code;
    }
    let socket = match socket.map(Path::to_owned).map_or_else(|| configured(place), Ok) {
        Ok(socket) => socket,
        Err(code) => return code,
    };
    let answer = Link::open(&socket).and_then(|mut link| {
        link.send(&command)?;
        print_answer(&mut link, &command, json)
    });
    match answer {
        Ok(code) => code,
        Err(Fault::Nobody(why)) => stop(IN_USE, &[why]),
        Err(Fault::Failed(why)) => stop(FAILED, &[why]),
        // The reader of the output has gone, as `head` does.
        Err(Fault::Closed) => ExitCode::SUCCESS,
    }
}

/// The usage, if this is no command: then nothing is sent.
fn explain(command: &str) -> Option<ExitCode> {
    let word = command.trim_start_matches(' ').split(' ').next().unwrap_or_default();
    if word == "help" {
        return Some(super::print(&usage()));
    }
    let why = if command.contains(char::is_control) {
        "a command is one line, without control characters".to_owned()
    } else if word.is_empty() {
        "ctl needs a command".to_owned()
    } else if Help::find(word).is_none() {
        format!("{word} is no command of ctl")
    } else {
        return None;
    };
    let mut lines = vec![why];
    lines.extend(usage().lines().map(str::to_owned));
    Some(stop(USAGE, &lines))
}

fn usage() -> String {
    let mut text = String::from("chatd ctl [--config FILE] [--socket PATH] [--json] COMMAND\n");
    for Help { usage, about, .. } in COMMANDS {
        text.push_str(&format!("  {usage:<46} {about}\n"));
    }
    text
}

/// Prints an answer as it comes, and gives the exit code for its last line.
fn print_answer(link: &mut Link, command: &str, json: bool) -> Result<ExitCode, Fault> {
    let shown = Shown { command, json };
    loop {
        match link.line()? {
            Line::Item(item) => write_out(&shown.item(&item))?,
            Line::Last { code: 332, .. } => match new_password(command.rsplit(' ').next().unwrap_or_default()) {
                Ok(password) => link.answer(&password)?,
                Err(why) => return Ok(stop(FAILED, &[why])),
            },
            Line::Last { code: code @ 200..=299, text } => {
                write_out(&shown.last(code, &text))?;
                return Ok(ExitCode::SUCCESS);
            }
            Line::Last { code: 502, text } => return Ok(stop(USAGE, &[text])),
            Line::Last { text, .. } => return Ok(stop(FAILED, &[text])),
        }
    }
}

/// Writes to standard output at once, so that a trace is seen as it comes.
fn write_out(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        let is_closed = error.kind() == ErrorKind::BrokenPipe;
        if is_closed { Fault::Closed } else { Fault::Failed(format!("standard output: {error}")) }
    })
}

/// Takes `--json` at the end of a command that has no free text. True if it was there.
pub(super) fn take_json(words: &mut Vec<String>) -> bool {
    let is_free = words.first().is_some_and(|word| ["announce", "kick", "close", "ban"].contains(&word.as_str()));
    !is_free && words.pop_if(|last| last == "--json").is_some()
}

/// The socket that a server of this configuration makes; or the exit code, once the reason is printed.
fn configured(place: &Place) -> Result<PathBuf, ExitCode> {
    let loaded = config::load(place).map_err(|faults| stop(BAD_CONFIG, &faults.into_lines()))?;
    let none = || stop(IN_USE, &["operator.socket is empty: the server has no operator's socket".to_owned()]);
    loaded.operator_socket().map(|socket| socket.path).ok_or_else(none)
}

/// A path for a message.
fn shown_path(path: &Path) -> String {
    logging::escape(&path.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_at_the_end() {
        #[track_caller]
        fn check(words: &[&str], expected: bool, left: usize) {
            let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!((take_json(&mut words), words.len()), (expected, left));
        }
        check(&["status", "--json"], true, 1);
        check(&["status"], false, 1);
        check(&["announce", "use", "--json"], false, 3);
        check(&[], false, 0);
    }
}
