//! The configuration: from arguments as typed ([`Args`]) to a checked [`Config`].
//!
//! The configuration file and every `--set` are sources: TOML documents, each of which overrides those before it. A
//! source is checked on its own against the table of keys, so that a fault has a line and a column. Then all are merged
//! and deserialized. A new key needs a field in its table's struct, a line in `keys::KEYS` with the values that it
//! accepts, and a line in the shipped `config.toml`; the tests fail until the three agree.

mod address;
mod args;
mod changes;
mod digest;
mod irc;
mod keys;
mod listen;
mod source;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use log::LevelFilter;
use serde::{Deserialize, Serialize};

pub use self::address::Address;
pub use self::args::{
    Args, CertOperation, Command, Copied, Erased, ErasedWhat, Exported, HistoryOperation, Made, Operation, Place, Whose,
};
pub use self::changes::changes;
pub use self::irc::Irc;
pub use self::listen::{Door, IrcDoor, IrcGuests, Line, Listen, Metrics, Pair, Relay, Rooms, Site};
use self::source::Source;
use crate::{limits, place};

/// The file that is read if it exists and no other is named.
const DEFAULT_FILE: &str = "config.toml";
/// The history's file if the configuration names no other; a program without the feature `history` keeps nothing.
const DEFAULT_HISTORY: &str = if cfg!(feature = "history") { "history.db" } else { "" };
/// The operator's socket in the folder of the account file, if the configuration names no other.
const OPERATOR_SOCKET: &str = "chatd.sock";
/// Bytes of a configuration file; no real one is this long. Reading stops here, so that `--config /dev/zero` ends.
const FILE_BYTES: u64 = 1024 * 1024;
/// Faults shown at once. The rest appear when these are fixed.
const FAULTS_SHOWN: usize = 10;

/// The configuration, checked: every value is in its range, and the values agree with each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The addresses to listen on; never empty.
    pub listen: Vec<Listen>,
    /// The address for datagrams of room members who came through the line door; `None` if they may not send any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datagrams: Option<Address>,
    /// `[accounts]`.
    pub accounts: Accounts,
    /// `[login]`.
    pub login: limits::Login,
    /// `[limits]`.
    pub limits: limits::Limits,
    /// `[rooms]`.
    pub rooms: limits::Rooms,
    /// `[web]`.
    pub web: limits::Web,
    /// `[irc]`.
    pub irc: Irc,
    /// `[history]`.
    pub history: History,
    /// `[tls]`.
    pub tls: Tls,
    /// `[operator]`.
    pub operator: Operator,
    /// `[log]`.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Listen::defaults(),
            datagrams: None,
            accounts: Accounts::default(),
            login: limits::Login::default(),
            limits: limits::Limits::default(),
            rooms: limits::Rooms::default(),
            web: limits::Web::default(),
            irc: Irc::default(),
            history: History::default(),
            tls: Tls::default(),
            operator: Operator::default(),
            log: Log::default(),
        }
    }
}

/// `[accounts]`: the file, and the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accounts {
    /// The account file as written; [`Loaded::accounts_file`] resolves it.
    pub file: PathBuf,
    /// Who may have an account, and the cost of passwords.
    #[serde(flatten)]
    pub rules: limits::Accounts,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { file: PathBuf::from("accounts"), rules: limits::Accounts::default() }
    }
}

/// `[history]`: the file, and what is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The file as written, empty for none; [`Loaded::history_file`] resolves it.
    pub file: PathBuf,
    /// What is kept, and for how long.
    #[serde(flatten)]
    pub rules: limits::History,
}

impl Default for History {
    fn default() -> Self {
        Self { file: PathBuf::from(DEFAULT_HISTORY), rules: limits::History::default() }
    }
}

/// `[tls]`: the pair of the listeners that name none, and the versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate as written, empty if there is none.
    pub cert: PathBuf,
    /// Its key as written, empty if there is none.
    pub key: PathBuf,
    /// The oldest version that is spoken.
    pub min_version: limits::TlsVersion,
}

impl Tls {
    /// The names of the files that `chatd cert make` writes if none are configured.
    pub const MADE: [&str; 2] = ["cert.pem", "key.pem"];
}

/// `[operator]`: the operator's socket, and operators in the chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operator {
    /// The operator's socket as written, empty for none; [`Loaded::operator_socket`] resolves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// The accounts that may send `OP`, each a well-formed name.
    pub accounts: Vec<String>,
}

/// `[log]`: level, file, interval of the counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The level of the least important lines that are logged.
    #[serde(with = "level")]
    pub level: LevelFilter,
    /// The log file as written, empty for standard error; [`Loaded::log_file`] resolves it.
    pub file: PathBuf,
    /// Seconds between two lines of counters; 0 for none.
    pub stats_s: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: LevelFilter::Info, file: PathBuf::new(), stats_s: 60 }
    }
}

/// The source of a configuration. Its `Display` is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This file.
    File(PathBuf),
    /// No file: the built-in defaults.
    Defaults,
}

impl Origin {
    /// The file that was asked for; or `./config.toml` if it exists, even if it cannot be read; or the defaults.
    fn find(asked: Option<&Path>) -> Self {
        match asked {
            Some(path) => Self::File(path.to_owned()),
            None => match fs::symlink_metadata(DEFAULT_FILE) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Defaults,
                Ok(_) | Err(_) => Self::File(PathBuf::from(DEFAULT_FILE)),
            },
        }
    }

    /// Resolves `path` relative to the configuration file; or to the working directory if there is none, or if it was
    /// read through a descriptor, since nobody means a file in `/dev/fd`.
    fn resolve(&self, path: &Path) -> PathBuf {
        match self {
            Self::File(file) if file.starts_with("/dev") || file.starts_with("/proc") => path.to_owned(),
            Self::File(file) => file.parent().unwrap_or(Path::new("")).join(path),
            Self::Defaults => path.to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Defaults => f.write_str("built-in defaults (there is no ./config.toml)"),
        }
    }
}

/// A configuration and its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Its source.
    pub origin: Origin,
}

impl Loaded {
    /// The path of the account file, relative to the working directory.
    pub fn accounts_file(&self) -> PathBuf {
        self.origin.resolve(&self.config.accounts.file)
    }

    /// The path of the history's file, relative to the working directory; `None` if nothing is kept.
    pub fn history_file(&self) -> Option<PathBuf> {
        let file = &self.config.history.file;
        (!file.as_os_str().is_empty()).then(|| self.origin.resolve(file))
    }

    /// The file of the message of the day, relative to the working directory; `None` for the built-in one.
    pub fn motd_file(&self) -> Option<PathBuf> {
        let file = &self.config.irc.motd;
        (!file.as_os_str().is_empty()).then(|| self.origin.resolve(file))
    }

    /// A path of the configuration, relative to the working directory.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.origin.resolve(path)
    }

    /// The command that makes a pair for this configuration.
    pub fn cert_make(&self) -> String {
        match &self.origin {
            Origin::File(path) => format!("chatd cert make --config {}", path.display()),
            Origin::Defaults => "chatd cert make".to_owned(),
        }
    }

    /// The path of the operator's socket, relative to the working directory; `None` if it is turned off.
    pub fn operator_socket(&self) -> Option<OperatorSocket> {
        match &self.config.operator.socket {
            Some(path) if path.as_os_str().is_empty() => None,
            Some(path) => Some(OperatorSocket { path: self.origin.resolve(path), is_set: true }),
            None => Some(OperatorSocket { path: self.accounts_file().with_file_name(OPERATOR_SOCKET), is_set: false }),
        }
    }

    /// The path of the log file, relative to the working directory; `None` for standard error.
    pub fn log_file(&self) -> Option<PathBuf> {
        let file = &self.config.log.file;
        (!file.as_os_str().is_empty()).then(|| self.origin.resolve(file))
    }
}

/// The operator's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSocket {
    /// Its path.
    pub path: PathBuf,
    /// True if the configuration names it: then the server does not start without it.
    pub is_set: bool,
}

/// What is wrong with a configuration: at least one line. Each line has the place, the key, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// The first ten lines, and one that says how many more there are.
    pub fn into_lines(self) -> Vec<String> {
        let Self(mut lines) = self;
        let more = lines.len().saturating_sub(FAULTS_SHOWN);
        lines.truncate(FAULTS_SHOWN);
        if more > 0 {
            lines.push(format!("and {more} more; fix these first"));
        }
        lines
    }
}

/// Finds, reads and checks the configuration.
///
/// # Errors
/// All faults, with their places.
pub fn load(place: &Place) -> Result<Loaded, Faults> {
    read(Origin::find(place.config.as_deref()), &place.set, When::Start)
}

/// Reads the configuration again. A file that was read before must still exist; if there was none, `./config.toml` is
/// read if it exists by now. Never blocks: only a regular file is read.
///
/// # Errors
/// All faults, with their places.
pub fn reload(place: &Place, before: &Origin) -> Result<Loaded, Faults> {
    match before {
        Origin::File(_) => read(before.clone(), &place.set, When::Reload),
        Origin::Defaults => read(Origin::find(place.config.as_deref()), &place.set, When::Reload),
    }
}

/// When a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Nobody is served yet, so reading may wait for a pipe: `--config <(decrypt config)`.
    Start,
    /// The loop must not wait, not even for a writer to open a pipe.
    Reload,
}

/// Checks the text of a configuration file with `--set` options on top of it. For the fuzz targets.
///
/// # Errors
/// All faults, with their places.
#[doc(hidden)]
pub fn parse(text: &str, set: &[String]) -> Result<Config, Faults> {
    let mut sources = vec![Source::file(Path::new(DEFAULT_FILE), text)];
    sources.extend(set.iter().map(|text| Source::set(text)));
    digest::digest(&sources).map_err(Faults)
}

/// The configuration as TOML. Read from the same folder, it gives the same configuration: paths stay as written.
///
/// # Errors
/// The serializer's message; never for a checked configuration.
pub fn to_toml(config: &Config) -> Result<String, String> {
    toml::to_string(config).map_err(|error| error.to_string())
}

fn read(origin: Origin, set: &[String], when: When) -> Result<Loaded, Faults> {
    let mut sources = Vec::new();
    if let Origin::File(path) = &origin {
        let text = read_file(path, when).map_err(|fault| Faults(vec![fault]))?;
        sources.push(Source::file(path, &text));
    }
    sources.extend(set.iter().map(|text| Source::set(text)));
    Ok(Loaded { config: digest::digest(&sources).map_err(Faults)?, origin })
}

/// Reads the text of a configuration file.
fn read_file(path: &Path, when: When) -> Result<String, String> {
    let cannot = |why: &dyn fmt::Display| format!("{}: cannot be read as configuration: {why}", path.display());
    let mut bytes = Vec::new();
    let file = open(path, when).map_err(|error| {
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        let mend = if is_missing && when == When::Reload {
            "put it back and send HUP again"
        } else if is_missing {
            advice(path)
        } else {
            "make it readable to this user, or name another with --config FILE"
        };
        cannot(&format_args!("{error}; {mend}"))
    })?;
    let about = file.metadata().map_err(|error| cannot(&error))?;
    if about.is_dir() {
        return Err(cannot(&"it is a folder; name the file in it"));
    }
    if when == When::Reload && !about.is_file() {
        let kind = place::kind(about.file_type());
        return Err(cannot(&format_args!("it is {kind}, and only a regular file is read while the server runs")));
    }
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(cannot(&format_args!("it is longer than {FILE_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes().get(..good).unwrap_or_default();
        let before = String::from_utf8_lossy(bytes);
        Source::file(path, &before).fault("", before.len(), "this byte is not UTF-8; save the file as UTF-8")
    })
}

fn open(path: &Path, when: When) -> io::Result<File> {
    match when {
        When::Start => File::open(path),
        // With these flags, opening a pipe does not wait for a writer. The caller refuses it by its kind.
        When::Reload => OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path),
    }
}

/// The next step if there is no file of this name.
fn advice(path: &Path) -> &'static str {
    if path.starts_with("~") {
        "the shell expands ~ at the beginning of a word only: write --config ~/FILE"
    } else if path == Path::new("-") {
        "for standard input, write --config /dev/stdin"
    } else {
        "name another with --config FILE"
    }
}

/// A log level, serialized as its name in lower case.
mod level {
    use log::LevelFilter;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(level: &LevelFilter, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&level.as_str().to_ascii_lowercase())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<LevelFilter, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
