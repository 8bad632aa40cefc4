//! What the operator asks for: from arguments as they were typed ([`Args`]) to a checked [`Config`].
//!
//! The configuration file and every `--set` are sources: TOML documents, each on top of those before it. A source
//! is checked by itself against the table of keys, so that a fault has a place in it; then all are merged and
//! become types. A new key is a field of its table's struct, a line of `keys::KEYS` with what it accepts, and a
//! line of the shipped `config.toml`: the tests fail until the three agree.

mod address;
mod args;
mod changes;
mod digest;
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
pub use self::args::{Args, Command, Operation, Place, Whose};
pub use self::changes::changes;
pub use self::listen::{Door, Listen, Rooms};
use self::source::Source;
use crate::{limits, place};

/// The file that is read when no other is named, if it is there.
const DEFAULT_FILE: &str = "config.toml";
/// No configuration is this long: reading stops here, so that `--config /dev/zero` ends.
const FILE_BYTES: u64 = 1024 * 1024;
/// Faults that are shown at once; who made more of them sees the rest after mending these.
const FAULTS_SHOWN: usize = 10;

/// The configuration, checked: every value is in its range, and they agree with each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen; never empty.
    pub listen: Vec<Listen>,
    /// Where members of rooms who came through the line door may send datagrams; none if they may not.
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
    /// `[log]`.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![Listen::local()],
            datagrams: None,
            accounts: Accounts::default(),
            login: limits::Login::default(),
            limits: limits::Limits::default(),
            rooms: limits::Rooms::default(),
            log: Log::default(),
        }
    }
}

/// `[accounts]`: where they are, and their rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accounts {
    /// The account file, as it was written; [`Loaded::accounts_file`] says where that is.
    pub file: PathBuf,
    /// Who may have an account, and what a password costs.
    #[serde(flatten)]
    pub rules: limits::Accounts,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { file: PathBuf::from("accounts"), rules: limits::Accounts::default() }
    }
}

/// `[log]`: how much, where to, how often the counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least important lines that are still logged.
    #[serde(with = "level")]
    pub level: LevelFilter,
    /// The log file, as it was written, empty for standard error; [`Loaded::log_file`] says where that is.
    pub file: PathBuf,
    /// Seconds between two lines of counters; 0 for none.
    pub stats_s: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: LevelFilter::Info, file: PathBuf::new(), stats_s: 60 }
    }
}

/// Where a configuration came from. Its `Display` is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This file.
    File(PathBuf),
    /// No file: what is built in.
    Defaults,
}

impl Origin {
    /// The file that was asked for, or `./config.toml` if there is one (also one that cannot be read, which is
    /// then said), or the defaults.
    fn find(asked: Option<&Path>) -> Self {
        match asked {
            Some(path) => Self::File(path.to_owned()),
            None => match fs::symlink_metadata(DEFAULT_FILE) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Defaults,
                Ok(_) | Err(_) => Self::File(PathBuf::from(DEFAULT_FILE)),
            },
        }
    }

    /// `path` as seen from the configuration file, or from the working directory when there is none, or when it came
    /// through a descriptor: nobody means a file in `/dev/fd`.
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

/// A configuration and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Where it came from.
    pub origin: Origin,
}

impl Loaded {
    /// The account file's path, from the working directory.
    pub fn accounts_file(&self) -> PathBuf {
        self.origin.resolve(&self.config.accounts.file)
    }

    /// The log file's path, from the working directory; none for standard error.
    pub fn log_file(&self) -> Option<PathBuf> {
        let file = &self.config.log.file;
        (!file.as_os_str().is_empty()).then(|| self.origin.resolve(file))
    }
}

/// What is wrong with a configuration: at least one line, each complete: place, key, what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    /// The lines: the first ten, and one that says how many more there are.
    pub fn into_lines(self) -> Vec<String> {
        let Self(mut lines) = self;
        let more = lines.len().saturating_sub(FAULTS_SHOWN);
        lines.truncate(FAULTS_SHOWN);
        if more > 0 {
            lines.push(format!("and {more} more; mend these first"));
        }
        lines
    }
}

/// Finds, reads and checks the configuration.
///
/// # Errors
/// All that is wrong with it, with the places.
pub fn load(place: &Place) -> Result<Loaded, Faults> {
    read(Origin::find(place.config.as_deref()), &place.set, When::Start)
}

/// Reads the configuration again. A file that was there before must be there still; where there was none,
/// `./config.toml` may have come up since. Never waits: what is no regular file by now is not read.
///
/// # Errors
/// All that is wrong with it, with the places.
pub fn reload(place: &Place, before: &Origin) -> Result<Loaded, Faults> {
    match before {
        Origin::File(_) => read(before.clone(), &place.set, When::Reload),
        Origin::Defaults => read(Origin::find(place.config.as_deref()), &place.set, When::Reload),
    }
}

/// When a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Nobody is served yet, so a pipe may be waited for: `--config <(decrypt config)`.
    Start,
    /// The loop must not wait, not even for somebody to open the other end of a pipe.
    Reload,
}

/// Checks the text of a configuration file, and what `--set` puts on top of it: for the fuzz targets.
///
/// # Errors
/// All that is wrong with it, with the places.
#[doc(hidden)]
pub fn parse(text: &str, set: &[String]) -> Result<Config, Faults> {
    let mut sources = vec![Source::file(Path::new(DEFAULT_FILE), text)];
    sources.extend(set.iter().map(|text| Source::set(text)));
    digest::digest(&sources).map_err(Faults)
}

/// The configuration as TOML that reads as the same configuration again (from the same folder: paths stay as
/// they were written).
///
/// # Errors
/// Never for a checked configuration; the text of what TOML could not say.
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

/// The text of a configuration file.
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
            "make it readable to this user, or name another by --config FILE"
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
        // A pipe opens without a writer, too, then, and is told by its kind.
        When::Reload => OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path),
    }
}

/// The next step where there is no file by this name.
fn advice(path: &Path) -> &'static str {
    if path.starts_with("~") {
        "the shell expands ~ at the beginning of a word only: write --config ~/FILE"
    } else if path == Path::new("-") {
        "for standard input, write --config /dev/stdin"
    } else {
        "name another by --config FILE"
    }
}

/// A log level by its name in lower case.
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
