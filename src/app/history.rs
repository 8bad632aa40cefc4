//! `chatd history …`: the operator's commands. Those that only read work while a server runs; the others need it to be
//! stopped.

mod asked;
mod when;

use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

use super::{BAD_CONFIG, FAILED, IN_USE, USAGE, print, stop};
use crate::auth::admin as accounts;
use crate::config::{Copied, Erased, ErasedWhat, Exported, HistoryOperation, Loaded};
use crate::history::admin::{self, Doomed, Eraser, Failure, Overview, Repaired, Report, What};
use crate::logging;

/// The text for standard output; or the exit code and the lines for standard error.
type Done = Result<String, (u8, Vec<String>)>;

/// Runs one operation on the history of this configuration and prints its result.
pub(super) fn run(operation: &HistoryOperation, loaded: &Loaded) -> ExitCode {
    let Some(file) = loaded.history_file() else {
        let why = "history.file is \"\", so nothing is kept; set it to the file that you mean";
        return stop(FAILED, &[why.to_owned()]);
    };
    let done = match operation {
        HistoryOperation::Backup(Copied { file: copy, .. }) => backup(&file, copy, loaded),
        HistoryOperation::Check(_) => admin::check(&file).map_err(failed).and_then(|report| checked(&file, report)),
        HistoryOperation::Export(Exported { name, .. }) => return export(&file, name.as_deref(), loaded),
        HistoryOperation::Erase(erased) => erase(&file, erased, loaded),
        HistoryOperation::Repair(_) => admin::repair(&file).map_err(failed).map(repaired),
    };
    match done {
        Ok(text) => print(&text),
        Err((code, lines)) => stop(code, &lines),
    }
}

fn failed(failure: Failure) -> (u8, Vec<String>) {
    let code = match failure {
        Failure::InUse(_) => IN_USE,
        Failure::Unusable(_) | Failure::Damaged(_) => BAD_CONFIG,
        Failure::Refused(_) => FAILED,
    };
    (code, vec![failure.to_string()])
}

/// The accounts of the account file, which says who is deleted; `None` if it cannot be read.
fn existing(loaded: &Loaded) -> Option<Vec<(String, u64)>> {
    accounts::list(&loaded.accounts_file()).ok()
}

fn backup(file: &Path, copy: &Path, loaded: &Loaded) -> Done {
    let made = admin::backup(file, copy).map_err(failed)?;
    let (copy, accounts) = (copy.display(), loaded.accounts_file());
    Ok(format!(
        "{copy}: {}, {} bytes; now copy {}, which must not be older\n",
        messages(made.rows),
        made.bytes,
        accounts.display()
    ))
}

/// The overview, and whether the history is sound.
fn checked(file: &Path, report: Report) -> Done {
    let Report { mut findings, overview } = report;
    if findings.is_empty() {
        return Ok(format!("{}sound: {}\n", shown(&overview), messages(overview.rows)));
    }
    let file = file.display();
    findings.push(format!(
        "{file}: stop the server; then 'chatd history repair' keeps what can be read, or restore a backup"
    ));
    Err((BAD_CONFIG, findings))
}

/// One figure a line.
fn shown(overview: &Overview) -> String {
    let Overview { version, rows, places, accounts, rooms, holes, words, bytes, oldest_ms, newest_ms } = overview;
    let mut text = format!("version {version}\nrows {rows}\nplaces {places}\naccounts {accounts}\nrooms {rooms}\n");
    text.push_str(&format!("holes {holes}\nword tables {words}\nbytes {bytes}\n"));
    for (what, ms) in [("oldest", oldest_ms), ("newest", newest_ms)] {
        text.push_str(&format!("{what} {}\n", ms.and_then(day).unwrap_or_else(|| "-".to_owned())));
    }
    text
}

/// The day in UTC, such as `2026-11-21`.
fn day(ms: u64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(i64::try_from(ms / 1000).ok()?).ok()?.date();
    Some(format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Prints JSON lines. A reader that stops early, such as `head`, is not an error.
fn export(file: &Path, name: Option<&str>, loaded: &Loaded) -> ExitCode {
    let existing = existing(loaded);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match admin::export(file, name, existing.as_deref(), &mut out) {
        Ok(written) => written.and_then(|()| out.flush()),
        Err(failure) => {
            let (code, lines) = failed(failure);
            return stop(code, &lines);
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => stop(FAILED, &[format!("standard output: {error}; its output is incomplete")]),
    }
}

fn erase(file: &Path, erased: &Erased, loaded: &Loaded) -> Done {
    let what = what(&erased.what)?;
    let eraser = Eraser::begin(file, &what, existing(loaded).as_deref()).map_err(failed)?;
    let doomed = eraser.doomed().clone();
    if !erased.yes {
        match asked::yes(&question(&what, &doomed)) {
            Ok(true) => {}
            Ok(false) => {
                eraser.give_up();
                return Err((FAILED, vec!["nothing was changed".to_owned()]));
            }
            Err(why) => {
                eraser.give_up();
                return Err((FAILED, vec![why]));
            }
        }
    }
    let bytes = eraser.erase().map_err(failed)?;
    Ok(told(file, &doomed, bytes))
}

/// What the arguments mean.
fn what(asked: &ErasedWhat) -> Result<What, (u8, Vec<String>)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    match asked {
        ErasedWhat { name: Some(name), .. } => Ok(What::Account(name.clone())),
        ErasedWhat { room: Some(room), .. } => Ok(What::Room(room.clone())),
        ErasedWhat { before: Some(date), .. } => match when::before(date, now_ms) {
            Some(ms) => Ok(What::Before(ms)),
            None => Err((USAGE, vec![format!("--before {date:?}: {}", when::FORMS)])),
        },
        ErasedWhat { name: None, room: None, before: None } => Err((USAGE, vec!["erase what?".to_owned()])),
    }
}

/// The question at the terminal.
fn question(what: &What, doomed: &Doomed) -> String {
    let whose = match what {
        What::Account(_) => format!("{}, and what else is kept of them", doomed.accounts.join("; ")),
        What::Room(room) => format!("in {room}"),
        What::Before(ms) => format!("before {}", when::shown(*ms)),
    };
    let whose = logging::escape(&whose);
    format!("Erase {} for good: {whose}? [y/N] ", counted(doomed))
}

fn counted(doomed: &Doomed) -> String {
    match doomed.direct {
        0 => messages(doomed.rows),
        direct => format!("{}, {direct} of them direct", messages(doomed.rows)),
    }
}

fn told(file: &Path, doomed: &Doomed, bytes: u64) -> String {
    let mut text = String::new();
    for account in &doomed.accounts {
        text.push_str(&format!("{}\n", logging::escape(account)));
    }
    let history = file.display();
    text.push_str(&format!(
        "erased: {}; no file of the server has them now ({history}: {bytes} bytes)\n",
        counted(doomed)
    ));
    for copy in &doomed.copies {
        text.push_str(&format!(
            "{}: may still have them; remove it, and your backups\n",
            PathBuf::from(copy).display()
        ));
    }
    text
}

fn repaired(repaired: Repaired) -> String {
    let Repaired { findings, rows, kept } = repaired;
    let mut text: String = findings.iter().map(|line| format!("{}\n", logging::escape(line))).collect();
    text.push_str(&match kept {
        Some(kept) => {
            format!("repaired: {} kept; the damaged history is {}\n", messages(rows), kept.display())
        }
        None => format!("sound: {}; nothing was changed\n", messages(rows)),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_is_a_figure_a_line() {
        let overview = Overview { version: 1, rows: 2, oldest_ms: Some(1_795_211_484_123), ..Overview::default() };
        let text = shown(&overview);
        assert!(text.starts_with("version 1\nrows 2\nplaces 0\n"), "{text}");
        assert!(text.contains("\noldest 2026-11-20\nnewest -\n"), "{text}");
        let report = Report { findings: vec!["a".to_owned()], overview };
        let (code, lines) = checked(Path::new("h"), report).unwrap_err();
        assert!(code == BAD_CONFIG && lines.len() == 2 && lines[1].contains("repair"), "{lines:?}");
    }

    #[test]
    fn an_erasure_is_counted_and_told() {
        let doomed = Doomed {
            accounts: vec!["alice, deleted".to_owned()],
            rows: 3,
            direct: 1,
            copies: vec![PathBuf::from("h.damaged-1")],
        };
        let text = told(Path::new("h"), &doomed, 4096);
        assert_eq!(
            text,
            "alice, deleted\nerased: 3 messages, 1 of them direct; no file of the server has them now (h: 4096 bytes)\n\
             h.damaged-1: may still have them; remove it, and your backups\n"
        );
        let text = question(&What::Before(0), &Doomed { rows: 1, ..Doomed::default() });
        assert_eq!(text, "Erase 1 message for good: before 1970-01-01T00:00? [y/N] ");
    }
}
