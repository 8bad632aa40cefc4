//! The command-line arguments of `chatd`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

const AFTER_HELP: &str = "\
KEY is a dotted path, VALUE is TOML, so strings keep their quotes:
  chatd --set limits.connections=50000 --set 'listen=[\"line://0.0.0.0:5015\"]'

FILE may be a pipe, such as --config <(…), but only a regular file is read again at HUP.

Signals: TERM and INT stop the server, HUP re-reads the configuration and re-opens the log.
Exit status: 0 done, 1 failed, 2 usage, 75 port, account file, history or socket in use, or no server for ctl, 78 configuration.";

/// The arguments of `chatd`, as typed.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "chatd", version, about, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub struct Args {
    /// The same as --config FILE, for a FILE whose name ends in .toml
    #[arg(value_name = "FILE", value_parser = configuration, conflicts_with = "config")]
    file: Option<PathBuf>,
    /// Always empty. Because more words are declared, clap checks the first one before it complains about the second,
    /// so that a mistyped command is named in the error.
    #[arg(hide = true, value_parser = nothing)]
    more: Vec<String>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub place: Place,
    /// Check everything that a start needs, print the effective configuration, and exit
    #[arg(long)]
    pub check: bool,
    /// The command; without one, `chatd` serves.
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

/// The commands of `chatd`.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List, check or change the accounts; a running server changes them itself
    #[command(disable_help_subcommand = true)]
    Accounts {
        /// As in [`Args`]: these may precede or follow the command.
        #[command(flatten)]
        place: Place,
        /// The operation.
        #[command(subcommand)]
        operation: Operation,
    },
    /// Ask or tell the running server something; without a COMMAND, list the commands
    Ctl {
        /// As in [`Args`].
        #[command(flatten)]
        place: Place,
        /// Connect to the operator's socket at PATH, and read no configuration
        #[arg(long, value_name = "PATH")]
        socket: Option<PathBuf>,
        /// Print each item as a JSON object
        #[arg(long)]
        json: bool,
        /// The command and its arguments
        #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Make or show certificates for TLS
    #[command(disable_help_subcommand = true)]
    Cert {
        /// As in [`Args`]: these may precede or follow the command.
        #[command(flatten)]
        place: Place,
        /// The operation.
        #[command(subcommand)]
        operation: CertOperation,
    },
    /// Back up, check, export, erase or repair what was said
    #[command(disable_help_subcommand = true)]
    History {
        /// As in [`Args`]: these may precede or follow the command.
        #[command(flatten)]
        place: Place,
        /// The operation.
        #[command(subcommand)]
        operation: HistoryOperation,
    },
}

/// The operations of `chatd history`.
#[derive(Clone, Debug, Subcommand)]
pub enum HistoryOperation {
    /// Copy the history to a new FILE, also while the server runs; copy the account file after it
    Backup(Copied),
    /// Read the whole history, also while the server runs, and report what is wrong with it and how much it holds
    Check(Place),
    /// Print what is kept as JSON lines, also while the server runs; with NAME, only what belongs to that account
    Export(Exported),
    /// Erase what an account said and was told, or a room's messages, or old ones; the server must be stopped
    Erase(Erased),
    /// Replace a damaged history by what can be read of it; the damaged file is kept beside it
    Repair(Place),
}

/// The copy to make.
#[derive(Clone, Debug, clap::Args)]
pub struct Copied {
    /// The copy; it must not exist yet
    pub file: PathBuf,
    /// As in [`Args`].
    #[command(flatten)]
    pub place: Place,
}

/// What to export.
#[derive(Clone, Debug, clap::Args)]
pub struct Exported {
    /// The account's name, in any case; -NAME for earlier accounts of that name, which are deleted
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    pub name: Option<String>,
    /// As in [`Args`].
    #[command(flatten)]
    pub place: Place,
}

/// What to erase.
#[derive(Clone, Debug, clap::Args)]
pub struct Erased {
    /// What.
    #[command(flatten)]
    pub what: ErasedWhat,
    /// Do not ask at the terminal
    #[arg(long)]
    pub yes: bool,
    /// As in [`Args`].
    #[command(flatten)]
    pub place: Place,
}

/// Exactly one of these.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct ErasedWhat {
    /// The account's name, in any case; -NAME for earlier accounts of that name, which are deleted
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    pub name: Option<String>,
    /// All messages of the room ROOM, which stays; '*' for what was said to everybody
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,
    /// All messages before DATE: a day (2026-11-26), a minute (2026-11-26T09:41, both UTC), or 90m, 12h, 3d ago
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
}

impl HistoryOperation {
    /// The options behind the operation.
    fn place(&self) -> &Place {
        match self {
            Self::Backup(Copied { place, .. })
            | Self::Check(place)
            | Self::Export(Exported { place, .. })
            | Self::Erase(Erased { place, .. })
            | Self::Repair(place) => place,
        }
    }
}

/// The operations of `chatd cert`.
#[derive(Clone, Debug, Subcommand)]
pub enum CertOperation {
    /// Make a key, and a certificate that it signs itself; nothing is overwritten
    Make(Made),
    /// Show the names, the end and the fingerprint of each certificate in use
    Show(Place),
}

/// The certificate to make.
#[derive(Clone, Debug, clap::Args)]
pub struct Made {
    /// A host name or an address at which clients reach the server; may be repeated; this machine's name, localhost,
    /// 127.0.0.1 and ::1 are added
    #[arg(long = "name", value_name = "HOST")]
    pub names: Vec<String>,
    /// Days until it expires
    #[arg(long, default_value_t = 825, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: u32,
    /// Make a new certificate for the existing key, with the old names: clients that know the key accept it
    #[arg(long)]
    pub renew: bool,
    /// As in [`Args`].
    #[command(flatten)]
    pub place: Place,
}

/// The operations of `chatd accounts`.
#[derive(Clone, Debug, Subcommand)]
pub enum Operation {
    /// List all names, each with the day of its registration (UTC)
    List(Place),
    /// Add an account; its password is prompted for, or read from the first line of standard input
    Add(Whose),
    /// Set a new password, given as for add, and invalidate the account's tokens
    Passwd(Whose),
    /// Delete an account and invalidate its tokens
    Delete(Whose),
    /// Read the whole account file and report what is wrong with it
    Check(Place),
    /// Replace a damaged account file by what is intact in it; the damaged file is kept beside it
    Repair(Place),
}

/// The account that an operation is about.
#[derive(Clone, Debug, clap::Args)]
pub struct Whose {
    /// The account's name, in any case
    pub name: String,
    /// As in [`Args`].
    #[command(flatten)]
    pub place: Place,
}

impl Args {
    /// Parses the arguments of this process. Exits if they are wrong, or are `--help` or `--version`.
    pub fn from_command_line() -> Self {
        Self::parse().gathered()
    }

    /// The same with all `--config` and `--set` options in `place`, in their order. The last one counts.
    pub(super) fn gathered(mut self) -> Self {
        self.place.config = self.file.take().or(self.place.config);
        let places = match &self.command {
            Some(Command::Accounts { place, operation }) => [place, operation.place()],
            Some(Command::Cert { place, operation: CertOperation::Make(Made { place: last, .. }) }) => [place, last],
            Some(Command::Cert { place, operation: CertOperation::Show(last) }) => [place, last],
            Some(Command::History { place, operation }) => [place, operation.place()],
            Some(Command::Ctl { place, .. }) => {
                self.place.config = place.config.clone().or(self.place.config);
                self.place.set.extend_from_slice(&place.set);
                return self;
            }
            None => return self,
        };
        for Place { config, set } in places {
            self.place.config = config.clone().or(self.place.config);
            self.place.set.extend_from_slice(set);
        }
        self
    }
}

impl Operation {
    /// The options behind the operation.
    fn place(&self) -> &Place {
        match self {
            Self::List(place) | Self::Check(place) | Self::Repair(place) => place,
            Self::Add(whose) | Self::Passwd(whose) | Self::Delete(whose) => &whose.place,
        }
    }
}

/// Checks the form of a `--set`, a usage error. Its content is checked with the configuration.
fn key_and_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(text.to_owned()),
        Some(_) | None => Err("it must be KEY=VALUE, such as limits.connections=50000".to_owned()),
    }
}

/// A configuration file named without `--config`. The suffix `.toml` tells it from a mistyped command.
fn configuration(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return Ok(path);
    }
    Err("it is neither a command nor a file whose name ends in .toml; name any other file with --config FILE"
        .to_owned())
}

/// Refuses a word that is neither a command nor the only configuration file.
fn nothing(_: &str) -> Result<String, &'static str> {
    Err("only one configuration file can be named, and there is no such command")
}
