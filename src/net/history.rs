//! Opening the history, which comes after the accounts: they say who exists.

use std::path::{Path, PathBuf};

use log::{info, warn};

use super::settings::StartError;
use crate::auth::Auth;
use crate::history::{History, OpenError, Settings};
use crate::hub::record::{Account, Restored};
use crate::limits;
use crate::mailbox::Waker;

/// Bits of a message's id below its time.
const TIME_SHIFT: u32 = 20;
/// Milliseconds by which the last id may be ahead of the clock.
const AHEAD_MS: u64 = 60_000;

/// Opens the history, if a file is named, and logs what is kept, for how long, and how to turn that off. `unix_ms` is
/// the time since 1970 in milliseconds.
///
/// # Errors
/// [`StartError`], as a line for the operator.
pub(super) fn open(
    file: Option<PathBuf>,
    rules: Option<&limits::History>,
    auth: &Auth,
    unix_ms: u64,
    waker: Waker,
) -> Result<Option<(History, Restored)>, StartError> {
    let Some((file, rules)) = file.zip(rules) else {
        info!("history: nothing that is said is kept (history.file is \"\")");
        return Ok(None);
    };
    let settings = Settings { file, rules: rules.clone() };
    let accounts = auth.list(None, usize::MAX).into_iter().map(|(name, since)| Account { name, since }).collect();
    let (history, restored) = History::open(&settings, accounts, unix_ms, waker).map_err(|error| match error {
        OpenError::InUse(text) => StartError::InUse(text),
        OpenError::Unusable(text) => StartError::Config(text),
    })?;
    tell(&settings.file, rules);
    let last_ms = restored.last_id >> TIME_SHIFT;
    if last_ms > unix_ms + AHEAD_MS {
        let seconds = (last_ms - unix_ms) / 1_000;
        warn!("history: the last message is {seconds} s ahead of the clock; set the clock right");
    }
    Ok(Some((history, restored)))
}

fn tell(file: &Path, rules: &limits::History) {
    let limits::History { keep_days, .. } = rules;
    info!(
        "history: what is said to everybody, in kept rooms and in direct messages is kept for {keep_days} days, in {}; \
         history.file = \"\" turns that off",
        file.display()
    );
}
