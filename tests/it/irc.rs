//! The IRC door, with clients that others wrote.

pub(super) mod clients;
