//! History: what was said is kept in a file, and can be read again. The only code that knows SQLite.
//!
//! ```text
//! loop ── submit ──▶ mailbox (in order) ──▶ thread history: insert ─▶ commit, fsync; pages, counts, marks
//!   ▲                                 └───▶ thread search: by a connection of its own
//!   └── poll_answer ◀── mailbox (answers) ◀───── both
//! ```
//!
//! [`History`] is the loop's handle. It never blocks.

mod request;

#[cfg(not(feature = "history"))]
mod absent;
#[cfg(feature = "history")]
mod store;

#[cfg(not(feature = "history"))]
pub use absent::History;
pub use request::{
    Answer, Asked, Batch, Count, Counts, End, Find, Flag, Forget, Forgets, Forgotten, Level, Line, Loud, Mark, Mine,
    Missed, Of, OpenError, Page, Paged, Profile, Request, Said, Settings, Shown, Term, Trouble, Verdict, row_bytes,
};
#[cfg(feature = "history")]
pub use store::History;
#[cfg(feature = "history")]
pub use store::admin;
#[cfg(feature = "history")]
#[doc(hidden)]
pub use store::fill;
