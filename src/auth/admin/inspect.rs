//! Reading, checking and repairing an account file.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::{Failure, OpenError, Settings, check_user};
use crate::auth::hash::Hasher;
use crate::auth::store::bans::BanFile;
use crate::auth::store::compact::compacted;
use crate::auth::store::journal::unix_now;
use crate::auth::store::repair::{Recovered, recover};
use crate::auth::store::{files, reader};
use crate::auth::token::Key;

/// How often a file is read that seems to be in the middle of a write.
const READINGS: usize = 5;
/// The delay between two of these reads. A write takes microseconds.
const BETWEEN_READINGS: Duration = Duration::from_millis(20);

/// All accounts in the order of their names: each name as registered, and the time of its registration in seconds since
/// 1970.
///
/// # Errors
/// [`Failure`]. Nothing is ever changed.
pub fn list(account_file: &Path) -> Result<Vec<(String, u64)>, Failure> {
    let bytes = read_settled(account_file)?;
    let (loaded, _) = reader::read(&bytes).map_err(|damage| {
        let what = format!("{damage}; 'chatd accounts check' says more, 'chatd accounts repair' repairs it");
        Failure::from(files::unusable(account_file, &what))
    })?;
    Ok(loaded.accounts.iter().map(|(name, account)| (name.to_string(), account.since)).collect())
}

/// The state of an account file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is wrong with it, one line each; empty if it is intact.
    pub findings: Vec<String>,
    /// Whether a server would refuse to start with it. If not, the findings are for information.
    pub is_damaged: bool,
    /// The number of accounts in it, or of those that can be recovered.
    pub accounts: usize,
    /// The path of the copy of the damaged file, if it was repaired.
    pub kept: Option<PathBuf>,
}

/// Reads the whole account file and reports what is wrong with it.
///
/// # Errors
/// [`Failure`]: it could not be read. Damage is not an error but is in the report. Nothing is ever changed.
pub fn check(account_file: &Path) -> Result<Report, Failure> {
    let bytes = read_settled(account_file)?;
    Ok(examine(account_file, &bytes).0)
}

/// Replaces a damaged file by what is intact in it, and keeps the damaged one. The key is replaced too, which ends all
/// tokens, because a lost line may have ended some. An intact file stays as it is, and so does one from which nothing
/// can be recovered.
///
/// # Errors
/// [`Failure`]; the damaged file is still there, unchanged.
pub fn repair(account_file: &Path) -> Result<Report, Failure> {
    find(account_file)?;
    let _lock = files::lock(account_file)?;
    let bytes = read(account_file, files::open_private)?;
    let (mut report, recovered) = examine(account_file, &bytes);
    let Some(recovered) = recovered else { return Ok(report) };
    let text = compacted(&recovered.accounts, &recovered.gone);
    let Some(text) = text.filter(|text| text.seq > 0) else {
        let what = "it has no readable account; nothing was changed: restore an intact copy of the file";
        return Err(files::unusable(account_file, what).into());
    };
    let cannot = |what: &str, e: io::Error| {
        let file = account_file.display();
        Failure::Refused(format!("{file}: {what}: {e}; check that its disk has room, and try again"))
    };
    let kept = files::keep(account_file, "damaged", &bytes, unix_now())
        .map_err(|e| cannot("a copy of it cannot be kept, so nothing was changed", e))?;
    // The key first: if the next step fails, the only effect is that everybody has to log in by password.
    Key::renew(account_file)?;
    files::create_whole(account_file, text.lines.as_bytes()).map_err(|e| cannot("it cannot be rewritten", e))?;
    report.kept = Some(kept);
    Ok(report)
}

/// What is wrong with a file, and, if it is damaged, what can be recovered.
fn examine(account_file: &Path, bytes: &[u8]) -> (Report, Option<Recovered>) {
    let told = |what: &dyn fmt::Display| format!("{}: {what}", account_file.display());
    match reader::read(bytes) {
        Ok((loaded, text)) => {
            let (torn, mut findings) = (text.len() - loaded.good, Vec::new());
            if torn > 0 {
                findings.push(told(&format_args!(
                    "the last line is not finished: {torn} bytes that were never acknowledged; the next start \
                     cuts them off and keeps them"
                )));
            }
            if !bytes.starts_with(text.get(..loaded.good).unwrap_or_default()) {
                findings.push(told(&"its line ends are not the server's; the next start rewrites it"));
            }
            (Report { findings, is_damaged: false, accounts: loaded.accounts.len(), kept: None }, None)
        }
        Err(damage) => {
            let recovered = recover(&reader::plain(bytes));
            let mut findings: Vec<_> = recovered.findings.iter().map(|finding| told(finding)).collect();
            if findings.is_empty() {
                // All lines are intact, but not in their order.
                findings.push(told(&damage));
            }
            (Report { findings, is_damaged: true, accounts: recovered.accounts.len(), kept: None }, Some(recovered))
        }
    }
}

/// Reads a file that a server may be writing. A partial or damaged result may come from the middle of a write, so the
/// file is read again until two reads are equal.
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

/// Checks that the file exists and belongs to this user. This comes before taking the lock, which would create a file.
fn find(account_file: &Path) -> Result<(), Failure> {
    if fs::symlink_metadata(account_file).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return Err(missing(account_file));
    }
    check_user(account_file)
}

fn missing(account_file: &Path) -> Failure {
    let file = account_file.display();
    Failure::Refused(format!("{file}: there is no such file; name the right one with accounts.file or --config"))
}

fn read(account_file: &Path, open: fn(&Path) -> Result<Option<File>, OpenError>) -> Result<Vec<u8>, Failure> {
    let mut file = open(account_file)?.ok_or_else(|| missing(account_file))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| files::unusable(account_file, &format!("cannot be read: {e}")))?;
    Ok(bytes)
}

/// Checks what a start needs of the accounts, without a lock and without changing anything. Gives a note if the files
/// belong to another user, for whom this cannot be checked.
///
/// # Errors
/// [`Failure::Unusable`], as for a start.
pub fn try_start(settings: &Settings) -> Result<Option<String>, Failure> {
    let file = settings.file.as_path();
    let folder = files::folder(file);
    let about = fs::metadata(folder).map_err(|e| {
        files::unusable(
            folder,
            &format!("accounts.file should be in this folder: {e}; create it, or name another file"),
        )
    })?;
    if !about.is_dir() {
        return Err(
            files::unusable(folder, "is not a folder, so accounts.file cannot be in it; name another file").into()
        );
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
    BanFile::open(file).map_err(Failure::Unusable)?;
    Ok(None)
}
