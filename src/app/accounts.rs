//! `chatd accounts …`: the operator's commands. Those that only read work on the file at any time. The others do while no
//! server runs; a running server carries them out itself ([`served`]).

use std::process::ExitCode;

use log::LevelFilter;
use time::OffsetDateTime;

use super::password::new_password;
use super::{BAD_CONFIG, FAILED, IN_USE, endpoints, print, served, stop};
use crate::auth::admin::{self, Failure, Ledger, Report, Settings};
use crate::config::{Loaded, Operation, Whose};
use crate::logging::{self, Target};
use crate::own_names::is_own;

/// Runs one operation on the accounts of this configuration and prints its result.
pub(super) fn run(operation: &Operation, loaded: &Loaded) -> ExitCode {
    // Log to standard error what a start would say about the files. The log file may be in use by a server.
    let is_logging = logging::start(LevelFilter::Warn, &Target::default()).is_ok();
    let mut done = carry_out(operation, loaded);
    if done.as_ref().is_err_and(|stop| stop.may_ask)
        && let Some(socket) = loaded.operator_socket()
    {
        done = served::carry_out(operation, &socket.path).unwrap_or(done);
    }
    if is_logging {
        logging::finish();
    }
    match done {
        Ok(text) => print(&text),
        Err(Stop { code, lines, .. }) => stop(code, &lines),
    }
}

/// The text for standard output.
pub(super) type Done = Result<String, Stop>;

/// Why an operation was not done.
#[derive(Debug)]
pub(super) struct Stop {
    /// The exit code.
    pub(super) code: u8,
    /// The lines for standard error.
    pub(super) lines: Vec<String>,
    /// True if a running server may do it all the same: it uses the file, or the file is another user's.
    pub(super) may_ask: bool,
}

impl Stop {
    /// With this exit code and these lines.
    pub(super) fn new(code: u8, lines: Vec<String>) -> Self {
        Self { code, lines, may_ask: false }
    }

    /// The operation has failed for this reason.
    pub(super) fn failed(why: String) -> Self {
        Self::new(FAILED, vec![why])
    }
}

fn carry_out(operation: &Operation, loaded: &Loaded) -> Done {
    let settings = &settings(loaded);
    let failed = |failure: Failure| {
        let (code, may_ask) = match failure {
            Failure::InUse(_) => (IN_USE, true),
            Failure::Foreign(_) => (BAD_CONFIG, true),
            Failure::Unusable(_) => (BAD_CONFIG, false),
            Failure::Refused(_) => (FAILED, false),
        };
        Stop { code, lines: vec![failure.to_string()], may_ask }
    };
    match operation {
        Operation::List(_) => Ok(listed(&admin::list(&settings.file).map_err(failed)?)),
        Operation::Check(_) => checked(admin::check(&settings.file).map_err(failed)?),
        Operation::Repair(_) => Ok(repaired(&admin::repair(&settings.file).map_err(failed)?)),
        Operation::Add(Whose { name, .. }) => {
            if is_own_name(name, loaded) {
                return Err(Stop::failed(admin::reserved(name)));
            }
            let mut ledger = Ledger::open(settings).map_err(failed)?;
            // Check the name first, so that nobody types a password twice in vain.
            ledger.check_free(name).map_err(failed)?;
            let password = new_password(name).map_err(Stop::failed)?;
            ledger.add(name, &password).map_err(failed)?;
            Ok(format!("{name} has an account\n"))
        }
        Operation::Passwd(Whose { name, .. }) => {
            let mut ledger = Ledger::open(settings).map_err(failed)?;
            let name = ledger.check_exists(name).map_err(failed)?;
            let password = new_password(&name).map_err(Stop::failed)?;
            ledger.set_password(&name, &password).map_err(failed)?;
            Ok(format!("{name} has a new password; earlier tokens are void\n"))
        }
        Operation::Delete(Whose { name, .. }) => {
            let mut ledger = Ledger::open(settings).map_err(failed)?;
            let name = ledger.check_exists(name).map_err(failed)?;
            ledger.delete(&name).map_err(failed)?;
            Ok(format!("the account {name} is deleted; the name is free\n"))
        }
    }
}

/// Whether this is a name of a server of this configuration: as at the IRC door, as in the address bar of browsers, or as
/// in a certificate.
fn is_own_name(name: &str, loaded: &Loaded) -> bool {
    let config = &loaded.config;
    let (endpoints, _) = endpoints::of(loaded);
    let certified = endpoints.iter().filter_map(|endpoint| Some(endpoint.credentials.as_ref()?.names())).flatten();
    is_own(name, &config.irc.name, config.web.names.iter().chain(certified).map(String::as_str))
}

pub(super) fn settings(loaded: &Loaded) -> Settings {
    Settings { file: loaded.accounts_file(), rules: loaded.config.accounts.rules.clone() }
}

/// A line for each account: its name and the day of its registration.
fn listed(accounts: &[(String, u64)]) -> String {
    let mut text = String::new();
    for (name, since) in accounts {
        text.push_str(name);
        if let Some(day) = day(*since) {
            text.push(' ');
            text.push_str(&day);
        }
        text.push('\n');
    }
    text
}

/// The day in UTC, such as `2026-11-21`. `None` for 0, which a server whose clock was not set may have stored.
fn day(unix: u64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(i64::try_from(unix).ok().filter(|unix| *unix > 0)?).ok()?.date();
    Some(format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

fn counted(accounts: usize) -> String {
    if accounts == 1 { "1 account".to_owned() } else { format!("{accounts} accounts") }
}

fn checked(report: Report) -> Done {
    let Report { mut findings, is_damaged, accounts, .. } = report;
    if is_damaged {
        let repair = format!("'chatd accounts repair' recovers {}; or restore an intact copy", counted(accounts));
        findings.push(repair);
        return Err(Stop::new(BAD_CONFIG, findings));
    }
    findings.push(format!("sound: {}", counted(accounts)));
    Ok(lines(&findings))
}

fn repaired(report: &Report) -> String {
    let mut told = report.findings.clone();
    told.push(match &report.kept {
        Some(kept) => format!(
            "repaired: {}; the damaged file is {}; all tokens are void, so everybody has to log in by password once",
            counted(report.accounts),
            kept.display()
        ),
        None => format!("sound: {}; nothing was changed", counted(report.accounts)),
    });
    lines(&told)
}

/// Lines for standard output. Names from a damaged file are escaped, so that they cannot control the terminal.
fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{}\n", logging::escape(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (unix, expected) in
            [(0, None), (1, Some("1970-01-01")), (1_795_211_484, Some("2026-11-20")), (u64::MAX, None)]
        {
            assert_eq!(day(unix).as_deref(), expected);
        }
        assert_eq!(listed(&[("alice".to_owned(), 0), ("Bob".to_owned(), 86_400)]), "alice\nBob 1970-01-02\n");
    }
}
