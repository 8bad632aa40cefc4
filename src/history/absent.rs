//! A program without the feature `history` keeps nothing.

use std::convert::Infallible;
use std::path::Path;

use super::{Answer, OpenError, Request, Settings, Trouble};
use crate::hub::record::{Account, Restored};
use crate::limits;
use crate::mailbox::{Full, Waker};

/// Why there is none.
const ABSENT: &str = "history.file: this program was built without the feature history; set it to \"\", or build it with: \
                      cargo build --features history";

/// The loop's handle to the history. There is none in this program.
pub struct History(Infallible);

impl History {
    /// There is no history to start with.
    ///
    /// # Errors
    /// Always: a line for the operator.
    pub fn try_start(_file: &Path) -> Result<Option<String>, String> {
        Err(ABSENT.to_owned())
    }

    /// Opens the file, creating it if it does not exist, and starts the threads. `accounts` are all that exist now; others
    /// that the file knows are gone. `unix_ms` is the time since 1970 in milliseconds. `waker` is called whenever there are
    /// answers to [poll](Self::poll_answer).
    ///
    /// # Errors
    /// [`OpenError`], as a line for the operator.
    pub fn open(
        _settings: &Settings,
        _accounts: Vec<Account>,
        _unix_ms: u64,
        _waker: Waker,
    ) -> Result<(Self, Restored), OpenError> {
        Err(OpenError::Unusable(ABSENT.to_owned()))
    }

    /// Queues a request under `number`, which the answer carries; no two unanswered requests may have the same number.
    /// Never blocks.
    ///
    /// # Errors
    /// [`Full`]; no answer comes then. [`Request::Keep`] is never refused while the handle is open.
    pub fn submit(&self, _number: u64, _request: Request) -> Result<(), Full> {
        match self.0 {}
    }

    /// Withdraws a request. If it has begun, it is finished and answered. Not for [`Request::Keep`].
    pub fn cancel(&self, _number: u64) {
        match self.0 {}
    }

    /// The next answer, if there is one. Call this until it gives `None` after each wake-up.
    pub fn poll_answer(&self) -> Option<Answer> {
        match self.0 {}
    }

    /// Whether a thread has panicked; true once. By then every open request is answered, and no other is accepted.
    pub fn poll_loss(&self) -> bool {
        match self.0 {}
    }

    /// Bytes of rows that are queued and not on disk yet (see [`Batch::bytes`](super::Batch::bytes)).
    pub fn backlog(&self) -> usize {
        match self.0 {}
    }

    /// What does not work at the moment.
    pub fn trouble(&self) -> Trouble {
        match self.0 {}
    }

    /// Changes the rules from the next commit on.
    pub fn reconfigure(&self, _rules: &limits::History) {
        match self.0 {}
    }

    /// Writes what is queued to disk and ends the threads; waits for that at most
    /// [`HISTORY_CLOSE_MS`](crate::limits::HISTORY_CLOSE_MS). Dropping the handle does the same.
    pub fn close(self) {
        match self.0 {}
    }
}
