//! The system: what is asked of the kernel, and how.

pub(crate) mod clock;
pub(crate) mod descriptors;
pub(crate) mod random;
pub(crate) mod signals;
pub(crate) mod sockopt;
pub(crate) mod token;
