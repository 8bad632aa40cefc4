//! System calls, and what belongs to them.

pub(crate) mod clock;
pub(crate) mod descriptors;
pub(crate) mod passed;
pub(crate) mod private;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod signals;
pub(crate) mod sockopt;
pub(crate) mod token;
pub(crate) mod unix;
