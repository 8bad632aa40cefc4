//! The accounts in the hands of an operator. What changes them needs the server's lock, so no server runs then; what
//! only reads them takes none.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::Opened;
use super::accounts::{Account, apply};
use super::hash::{HashError, Hasher};
pub use super::request::{OpenError, Secret, Settings};
use super::store::compact::compacted;
use super::store::files;
use super::store::journal::{Journal, Trouble, unix_now};
use super::store::reader;
use super::store::record::{Change, Op};
use super::store::repair::{Recovered, recover};
use super::token::Key;
use crate::hub::names::{NameError, UserName};
use crate::limits::{self, NAME_BYTES, PASSWORD_MAX_BYTES};

/// How often a file is read again that seems to be in the middle of a write …
const READINGS: usize = 5;
/// … and after what time. A write takes microseconds.
const BETWEEN_READINGS: Duration = Duration::from_millis(20);

/// Why an operation came to nothing: a line for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Another process has the accounts.
    InUse(String),
    /// A file is not as it must be.
    Unusable(String),
    /// It cannot be done: a name or password that cannot be, an account that is not there, a disk that is full.
    Refused(String),
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(holder) => {
                let kill = holder.process.map(|process| format!(" or 'kill {process}'")).unwrap_or_default();
                Self::InUse(format!(
                    "{holder}; stop the server first, by 'systemctl stop chatd'{kill}, and start it again afterwards"
                ))
            }
            OpenError::Unusable(text) => Self::Unusable(text),
        }
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        Self::Refused(format!("the password could not be hashed: {error}; nothing was changed"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(text) | Self::Unusable(text) | Self::Refused(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

/// The account file, open to be changed. Nobody else has it until this is dropped.
pub struct Ledger {
    accounts: BTreeMap<UserName, Account>,
    journal: Journal,
    hasher: Hasher,
    rules: limits::Accounts,
    _lock: File,
}

impl Ledger {
    /// Takes the lock and reads the file, as a server's start does: what does not exist is made, a torn end is cut
    /// off and kept.
    ///
    /// # Errors
    /// [`Failure::InUse`] and [`Failure::Unusable`].
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        check_user(&settings.file)?;
        // The key is read, or made, because a file with accounts and without a key looks as if it had lost it.
        let Opened { lock, hasher, journal, loaded, key: _ } = Opened::new(settings)?;
        Ok(Self { accounts: loaded.accounts, journal, hasher, rules: settings.rules.clone(), _lock: lock })
    }

    /// Whether `name` could be added.
    ///
    /// # Errors
    /// [`Failure::Refused`]: it cannot be a name, or has an account.
    pub fn check_free(&self, name: &str) -> Result<(), Failure> {
        self.free(name).map(|_| ())
    }

    /// Whether `name` has an account; the name as it was registered.
    ///
    /// # Errors
    /// [`Failure::Refused`]: there is none.
    pub fn check_exists(&self, name: &str) -> Result<String, Failure> {
        self.find(name).map(|(name, _)| name.to_string())
    }

    /// Adds an account. It is on disk when this returns.
    ///
    /// # Errors
    /// [`Failure::Refused`]; nothing was changed then.
    pub fn add(&mut self, name: &str, password: &Secret) -> Result<(), Failure> {
        let name = self.free(name)?;
        let phc = self.hash(password)?;
        let epoch = self.journal.first_epoch(&name);
        self.write(Change { op: Op::Add, unix: unix_now(), name, epoch, phc })
    }

    /// Sets a new password, which ends all tokens of the account. It is on disk when this returns.
    ///
    /// # Errors
    /// [`Failure::Refused`]; nothing was changed then.
    pub fn set_password(&mut self, name: &str, password: &Secret) -> Result<(), Failure> {
        let (name, Account { epoch, .. }) = self.find(name)?;
        // An epoch that cannot rise would leave old tokens alive.
        let epoch = epoch.checked_add(1).ok_or_else(|| {
            Failure::Refused(format!("{name}: its password was changed too often; delete the account and add it again"))
        })?;
        let name = name.clone();
        let phc = self.hash(password)?;
        self.write(Change { op: Op::Update, unix: unix_now(), name, epoch, phc })
    }

    /// Deletes an account and with it all of its tokens: also those that somebody who takes the name next might be
    /// afraid of. It is on disk when this returns.
    ///
    /// # Errors
    /// [`Failure::Refused`]; nothing was changed then.
    pub fn delete(&mut self, name: &str) -> Result<(), Failure> {
        let (name, Account { epoch, .. }) = self.find(name)?;
        self.write(Change { op: Op::Delete, unix: unix_now(), name: name.clone(), epoch: *epoch, phc: "".into() })
    }

    fn free(&self, name: &str) -> Result<UserName, Failure> {
        let parsed = UserName::parse(name).map_err(|error| {
            Failure::Refused(match error {
                NameError::Shape => format!(
                    "'{name}' cannot be a name: it takes a letter, and then letters, digits, '_', '.' and '-', \
                     {NAME_BYTES} in all"
                ),
                NameError::Reserved => format!("'{name}' is a word of the server's; choose another name"),
            })
        })?;
        match self.accounts.get_key_value(&parsed) {
            Some((taken, _)) => Err(Failure::Refused(format!("{taken} has an account already; to change it: passwd"))),
            None => Ok(parsed),
        }
    }

    fn find(&self, name: &str) -> Result<(&UserName, &Account), Failure> {
        // A word that is reserved today may have been registered before it was.
        let found = UserName::from_record(name).ok().and_then(|name| self.accounts.get_key_value(&name));
        found.ok_or_else(|| Failure::Refused(format!("'{name}' has no account; 'chatd accounts list' shows who has")))
    }

    fn hash(&mut self, password: &Secret) -> Result<Box<str>, Failure> {
        let (least, most) = (self.rules.password_min_bytes as usize, PASSWORD_MAX_BYTES);
        let bytes = password.as_bytes().len();
        if !(least..=most).contains(&bytes) {
            // One that is too long need not have been read to its end.
            let bytes = if bytes > most { format!("more than {most}") } else { bytes.to_string() };
            return Err(Failure::Refused(format!("a password has {least} to {most} bytes, and this one {bytes}")));
        }
        Ok(self.hasher.hash(password)?)
    }

    fn write(&mut self, change: Change) -> Result<(), Failure> {
        self.journal.append(std::slice::from_ref(&change), std::time::Instant::now()).map_err(|trouble| {
            let why = match trouble {
                Trouble::Disk(e) => format!("{e}; see that there is room on its disk, and try again"),
                Trouble::Gone | Trouble::Other | Trouble::Length { .. } | Trouble::Lines => {
                    "somebody else is at it; find out who".to_owned()
                }
            };
            Failure::Refused(format!("the account file cannot be written: {why}; nothing was changed"))
        })?;
        apply(&mut self.accounts, change);
        Ok(())
    }
}

/// All accounts in the order of their names: each name as it was registered, and when, in seconds since 1970.
///
/// # Errors
/// [`Failure`]; nothing is ever changed.
pub fn list(account_file: &Path) -> Result<Vec<(String, u64)>, Failure> {
    let bytes = read_settled(account_file)?;
    let (loaded, _) = reader::read(&bytes).map_err(|damage| {
        let what = format!("{damage}; 'chatd accounts check' says more, 'chatd accounts repair' mends it");
        Failure::from(files::unusable(account_file, &what))
    })?;
    Ok(loaded.accounts.iter().map(|(name, account)| (name.to_string(), account.since)).collect())
}

/// What is to be said of an account file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is wrong with it, a line each; none if it is sound.
    pub findings: Vec<String>,
    /// Whether a server would refuse to start with it. If not, findings are for the operator's information.
    pub is_damaged: bool,
    /// How many accounts are in it, or can be had of it.
    pub accounts: usize,
    /// Where the damaged file was put, when it was repaired.
    pub kept: Option<PathBuf>,
}

/// Reads all of an account file and says what is wrong with it.
///
/// # Errors
/// [`Failure`]: it could not be read. Damage is no error but in the report. Nothing is ever changed.
pub fn check(account_file: &Path) -> Result<Report, Failure> {
    let bytes = read_settled(account_file)?;
    Ok(examine(account_file, &bytes).0)
}

/// Puts what is good of a damaged file in its place, with a new key, which ends all tokens: lost lines may have been
/// what ended some. The damaged file is kept. A sound one, and one of which nothing can be had, stay as they are.
///
/// # Errors
/// [`Failure`]; the damaged file is in its place then, as it was.
pub fn repair(account_file: &Path) -> Result<Report, Failure> {
    find(account_file)?;
    let _lock = files::lock(account_file)?;
    let bytes = read(account_file, files::open_private)?;
    let (mut report, recovered) = examine(account_file, &bytes);
    let Some(recovered) = recovered else { return Ok(report) };
    let text = compacted(&recovered.accounts, &recovered.gone, unix_now());
    let Some(text) = text.filter(|text| text.seq > 0) else {
        let what =
            "nothing in it can be read as an account; nothing was changed: put a sound copy of the file in its place";
        return Err(files::unusable(account_file, what).into());
    };
    let cannot = |what: &str, e: io::Error| {
        let file = account_file.display();
        Failure::Refused(format!("{file}: {what}: {e}; see that there is room on its disk, and try again"))
    };
    let kept = files::keep(account_file, "damaged", &bytes, unix_now())
        .map_err(|e| cannot("a copy of it cannot be kept, so nothing was changed", e))?;
    // First the key: should the rest fail, then nothing worse has happened than that everybody logs in by password.
    Key::renew(account_file)?;
    files::create_whole(account_file, text.lines.as_bytes()).map_err(|e| cannot("it cannot be written anew", e))?;
    report.kept = Some(kept);
    Ok(report)
}

/// What is wrong with a file, and if it is damaged, what can be had of it.
fn examine(account_file: &Path, bytes: &[u8]) -> (Report, Option<Recovered>) {
    let told = |what: &dyn fmt::Display| format!("{}: {what}", account_file.display());
    match reader::read(bytes) {
        Ok((loaded, text)) => {
            let (torn, mut findings) = (text.len() - loaded.good, Vec::new());
            if torn > 0 {
                findings.push(told(&format_args!(
                    "the last line is not finished: {torn} bytes that nobody was told were on disk; the next start \
                     cuts them off and keeps them"
                )));
            }
            if !bytes.starts_with(text.get(..loaded.good).unwrap_or_default()) {
                findings.push(told(&"its line ends are not the server's; the next start writes it anew"));
            }
            (Report { findings, is_damaged: false, accounts: loaded.accounts.len(), kept: None }, None)
        }
        Err(damage) => {
            let recovered = recover(&reader::plain(bytes));
            let mut findings: Vec<_> = recovered.findings.iter().map(|finding| told(finding)).collect();
            if findings.is_empty() {
                // All lines are there, and good, but not in their order.
                findings.push(told(&damage));
            }
            (Report { findings, is_damaged: true, accounts: recovered.accounts.len(), kept: None }, Some(recovered))
        }
    }
}

/// Whether the accounts are this user's. An operator is easily somebody else than the server, and root in particular
/// would leave files behind that the server may not open.
fn check_user(account_file: &Path) -> Result<(), Failure> {
    let us = rustix::process::geteuid();
    let folder = files::folder(account_file);
    let (what, about) = match fs::symlink_metadata(account_file) {
        Ok(about) => (account_file, about),
        Err(_) if !us.is_root() => return Ok(()),
        Err(_) => match fs::metadata(folder) {
            Ok(about) => (folder, about),
            // Whoever opens the file says what is wrong.
            Err(_) => return Ok(()),
        },
    };
    let owner = about.uid();
    if owner == us.as_raw() {
        return Ok(());
    }
    let text =
        format!("belongs to user {owner}, and this is user {us}; run this as the server's user: sudo -u '#{owner}' …");
    Err(files::unusable(what, &text).into())
}

/// Reads a file that a server may be writing to. What is unfinished or damaged may have been read in the middle of a
/// write: it is read again until two readings are the same.
fn read_settled(account_file: &Path) -> Result<Vec<u8>, Failure> {
    find(account_file)?;
    let mut bytes = read(account_file, files::open_to_read)?;
    for _ in 0..READINGS {
        if reader::read(&bytes).is_ok_and(|(loaded, text)| loaded.good == text.len()) {
            break;
        }
        thread::sleep(BETWEEN_READINGS);
        let again = read(account_file, files::open_to_read)?;
        if std::mem::replace(&mut bytes, again) == bytes {
            break;
        }
    }
    Ok(bytes)
}

/// Whether the file is there, and this user's. Looked at before a lock is taken: one beside nothing would be litter.
fn find(account_file: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(account_file).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return Err(missing(account_file));
    }
    check_user(account_file)
}

fn missing(account_file: &Path) -> Failure {
    let file = account_file.display();
    Failure::Refused(format!("{file}: there is no such file; name the right one by accounts.file or --config"))
}

fn read(account_file: &Path, open: fn(&Path) -> Result<Option<File>, OpenError>) -> Result<Vec<u8>, Failure> {
    let mut file = open(account_file)?.ok_or_else(|| missing(account_file))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| files::unusable(account_file, &format!("cannot be read: {e}")))?;
    Ok(bytes)
}

/// The files that belong to an account file: its lock, its key, what is written in their place, copies that are kept.
pub fn companions(account_file: &Path) -> Vec<PathBuf> {
    files::companions(account_file)
}

/// Whether a file of this name counts as a copy that is kept beside the account file, also if it is not there yet.
pub fn is_kept_name(account_file: &Path, path: &Path) -> bool {
    files::is_kept_name(account_file, path)
}

/// Tries what a start would do with the accounts, without a lock, and without changing anything. Gives a note if the
/// files are another user's, for whom nothing can be tried.
///
/// # Errors
/// [`Failure::Unusable`], as a start.
pub fn try_start(settings: &Settings) -> Result<Option<String>, Failure> {
    let file = settings.file.as_path();
    let folder = files::folder(file);
    let about = fs::metadata(folder).map_err(|e| {
        files::unusable(folder, &format!("accounts.file is to be in this folder: {e}; make it, or name another file"))
    })?;
    if !about.is_dir() {
        return Err(files::unusable(folder, "is no folder, and accounts.file is to be in it; name another file").into());
    }
    if let Err(note) = check_user(file) {
        return Ok(Some(note.to_string()));
    }
    accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).map_err(|e| {
        let e = io::Error::from(e);
        files::unusable(folder, &format!("chatd must be able to write in the folder of accounts.file: {e}"))
    })?;
    files::check_lock(file)?;
    Hasher::new(settings.rules.argon2)
        .map_err(|e| Failure::Unusable(format!("accounts.argon2: {e}; choose other parameters")))?;
    if files::open_private(file)?.is_some() {
        let report = check(file)?;
        if report.is_damaged {
            let next = "put a sound copy of the file in its place, or run 'chatd accounts repair'".to_owned();
            return Err(Failure::Unusable([report.findings, vec![next]].concat().join("; ")));
        }
    }
    Key::check(file)?;
    Ok(None)
}

#[cfg(test)]
mod tests;
