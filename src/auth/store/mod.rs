//! The account file: how a line is spelled, how the file is read and written, and what can be saved of a damaged one.

pub(super) mod compact;
pub(super) mod files;
pub(super) mod journal;
pub(super) mod reader;
pub(super) mod record;
pub(super) mod repair;
pub(super) mod storage;
