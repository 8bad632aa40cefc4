//! The service manager: what it is told, and the sockets that it has opened.

mod notify;
mod passed;

pub(super) use notify::{Manager, Status};
pub use passed::Passed;
