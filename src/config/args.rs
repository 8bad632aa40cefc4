//! The arguments of `chatd`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

const AFTER_HELP: &str = "\
KEY is a dotted path, VALUE is TOML, so strings keep their quotes:
  chatd --set limits.connections=50000 --set 'listen=[\"line://0.0.0.0:5015\"]'

FILE may be a pipe, as by --config <(…); what is read again at HUP must be a regular file.

Signals: TERM and INT stop the server, HUP re-reads the configuration and re-opens the log.
Exit status: 0 done, 1 failed, 2 usage, 75 port or account file in use, 78 configuration.";

/// The arguments of `chatd`, as they were typed.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "chatd", version, about, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub struct Args {
    /// The same as --config FILE, for a FILE whose name ends in .toml
    #[arg(value_name = "FILE", value_parser = configuration, conflicts_with = "config")]
    file: Option<PathBuf>,
    /// None: with a place for more words, the first of them is looked at first, and a mistyped command is named.
    #[arg(hide = true, value_parser = nothing)]
    more: Vec<String>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub place: Place,
    /// Try what a start would, print the configuration as it would take effect, and exit
    #[arg(long)]
    pub check: bool,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Place {
    /// Read the configuration from FILE instead of ./config.toml (if there is none: built-in defaults)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one key of the configuration; may be repeated, the last one counts
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub set: Vec<String>,
}

/// What `chatd` can do beside serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// See the accounts, or, while no server runs, change them
    #[command(disable_help_subcommand = true)]
    Accounts {
        /// As in [`Args`]: it may stand before the command or behind it.
        #[command(flatten)]
        place: Place,
        /// Which operation.
        #[command(subcommand)]
        operation: Operation,
    },
}

/// The operations of `chatd accounts`.
#[derive(Clone, Debug, Subcommand)]
pub enum Operation {
    /// Print all names, each with the day of its registration (UTC)
    List(Place),
    /// Add an account; its password is asked for, or is the first line of standard input
    Add(Whose),
    /// Set a new password, given as for add, and end the account's tokens
    Passwd(Whose),
    /// Delete an account, and end its tokens
    Delete(Whose),
    /// Read all of the account file and say what is wrong with it
    Check(Place),
    /// Put what is good of a damaged account file in its place, and keep the damaged one beside it
    Repair(Place),
}

/// Whose account it is about.
#[derive(Clone, Debug, clap::Args)]
pub struct Whose {
    /// The account's name; case does not count
    pub name: String,
    /// As in [`Args`].
    #[command(flatten)]
    pub place: Place,
}

impl Args {
    /// The arguments of this process. Ends it when they are wrong, or are `--help` or `--version`.
    pub fn from_command_line() -> Self {
        Self::parse().gathered()
    }

    /// The same with all `--config` and `--set` in one place, wherever they stood: the last one counts.
    pub(super) fn gathered(mut self) -> Self {
        self.place.config = self.file.take().or(self.place.config);
        if let Some(Command::Accounts { place, operation }) = &self.command {
            let last = match operation {
                Operation::List(place) | Operation::Check(place) | Operation::Repair(place) => place,
                Operation::Add(whose) | Operation::Passwd(whose) | Operation::Delete(whose) => &whose.place,
            };
            for Place { config, set } in [place, last] {
                self.place.config = config.clone().or(self.place.config);
                self.place.set.extend_from_slice(set);
            }
        }
        self
    }
}

/// The form of a `--set`, which is a matter of usage; its content is a matter of configuration.
fn key_and_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err("it takes KEY=VALUE, such as limits.connections=50000".to_owned()),
    }
}

/// A configuration file that is named without `--config`: by its ending it is told from a mistyped command.
fn configuration(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return Ok(path);
    }
    Err("it is no command, and no file whose name ends in .toml; any other file is named by --config FILE".to_owned())
}

/// No word stands behind a configuration file but a command.
fn nothing(_: &str) -> Result<String, &'static str> {
    Err("one configuration file is named at a time, and no such command is known")
}
