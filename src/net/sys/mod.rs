//! The system: what is asked of the kernel, and how.

pub(in crate::net) mod clock;
pub(in crate::net) mod descriptors;
pub(in crate::net) mod random;
pub(in crate::net) mod signals;
pub(in crate::net) mod sockopt;
pub(in crate::net) mod token;
