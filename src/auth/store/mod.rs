//! The account file: the format of a line, reading and writing the file, and recovering a damaged one. And the file of
//! the bans.

pub(super) mod bans;
pub(super) mod compact;
pub(super) mod files;
pub(super) mod journal;
pub(super) mod reader;
pub(super) mod record;
pub(super) mod repair;
pub(super) mod storage;
